"""Weights through the frameworks' own files: there and back bit for bit, and what these make of them."""

from pathlib import Path
from typing import Any

import pytest
import weight_files
from weight_files import DAMAGED, ours, require_same

from implementations import networks
from implementations.__main__ import main
from implementations.errors import UserError
from implementations.formats import transfer
from implementations.processes import Launcher

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 600.0
SMALL: dict[str, Any] = {"name": "probe-bn"}
RESNET: dict[str, Any] = {"name": "resnet18", "classes": 10}
VGG: dict[str, Any] = {"name": "vgg16", "classes": 10, "input_size": (64, 64)}
GOOGLENET: dict[str, Any] = {"name": "googlenet", "classes": 10, "input_size": (96, 96)}


def converted(source: Path, target: Path, network: dict[str, Any], keys: str = "ours") -> None:
    options = ["--network", network["name"], "--keys", keys, "--threads", "1"]
    options += ["--classes", str(network["classes"])] if "classes" in network else []
    options += ["--input", "{}x{}".format(*network["input_size"])] if "input_size" in network else []
    assert main(["convert", str(source), str(target), *options]) == 0


def asked(framework: str, network: dict[str, Any], folder: Path, naming: str, launcher: Launcher) -> Any:
    about = {"source": str(folder / "ours.safetensors"), "network": network, "naming": naming}
    task = f"format_tasks:{framework.partition('-')[0]}"
    return launcher.ask(framework, task, {**about, "folder": str(folder)}, TIMEOUT_S)


@pytest.mark.parametrize("suffix", ["pt", "weights.h5", "keras", "pdparams"])
@pytest.mark.parametrize("network", [GOOGLENET, RESNET], ids=lambda network: network["name"])
def test_weights_come_back_bit_for_bit(suffix: str, network: dict[str, Any], tmp_path: Path) -> None:
    built = networks.build(**network)
    there, back = tmp_path / f"w.{suffix}", tmp_path / "back.safetensors"
    converted(ours(tmp_path, built), there, network)
    converted(there, back, network)
    require_same(back, built)


def test_an_onnx_file_gives_its_weights_back(tmp_path: Path) -> None:
    built = networks.build(**RESNET)
    converted(ours(tmp_path, built), tmp_path / "w.onnx", RESNET)
    converted(tmp_path / "w.onnx", tmp_path / "back.safetensors", RESNET)
    require_same(tmp_path / "back.safetensors", built)


def test_an_onnx_file_is_no_place_for_auxiliary_heads(tmp_path: Path) -> None:
    source = ours(tmp_path, networks.build(**GOOGLENET))
    with pytest.raises(UserError, match="no auxiliary heads"):
        converted(source, tmp_path / "w.onnx", GOOGLENET)


def test_an_export_takes_weights_from_any_file(tmp_path: Path) -> None:
    built = networks.build(**RESNET)
    converted(ours(tmp_path, built), tmp_path / "w.pth", RESNET, "torchvision")
    options = ["--framework", "pytorch", "--classes", "10", "--weights", str(tmp_path / "w.pth")]
    assert main(["export", "resnet18", str(tmp_path / "w.onnx"), *options]) == 0
    converted(tmp_path / "w.onnx", tmp_path / "back.safetensors", RESNET)
    require_same(tmp_path / "back.safetensors", built)


def test_pytorch_takes_what_was_written_and_executing_files_are_refused(
    tmp_path: Path, launcher: Launcher, children_path: None
) -> None:
    built = networks.build(**RESNET)
    converted(ours(tmp_path, built), tmp_path / "w.pth", RESNET, "torchvision")
    assert asked("pytorch", RESNET, tmp_path, "torchvision", launcher)
    for name in ("old.pth", "within.pth"):
        converted(tmp_path / name, tmp_path / "back.safetensors", RESNET)
        require_same(tmp_path / "back.safetensors", built)
    wrong = {"executing.pth": "cannot be read", "old-executing.pth": "cannot be read"}
    wrong |= {"half.pth": "'fc.bias' is float16", "list.pth": "holds a list"}
    for name, word in wrong.items():
        with pytest.raises(UserError, match=word):
            converted(tmp_path / name, tmp_path / "never.safetensors", RESNET)
    assert not (tmp_path / "executed").exists()
    assert not (tmp_path / "never.safetensors").exists()


def test_paddles_own_resnet_takes_what_was_written_and_gives_it_back(
    tmp_path: Path, launcher: Launcher, children_path: None
) -> None:
    built = networks.build(**RESNET)
    converted(ours(tmp_path, built), tmp_path / "w.pdparams", RESNET, "paddle")
    assert asked("paddle", RESNET, tmp_path, "paddle", launcher)
    converted(tmp_path / "zoo.pdparams", tmp_path / "back.safetensors", RESNET)
    require_same(tmp_path / "back.safetensors", built)


def test_keras_own_vgg16_takes_what_was_written_and_gives_it_back(
    tmp_path: Path, launcher: Launcher, children_path: None
) -> None:
    built = networks.build(**VGG)
    source = ours(tmp_path, built)
    for name, keys in (("w.weights.h5", "ours"), ("w.keras", "ours"), ("w.h5", "keras")):
        converted(source, tmp_path / name, VGG, keys)
    found = asked("keras-tensorflow", VGG, tmp_path, "keras", launcher)
    assert found == {"w.weights.h5": True, "w.h5": True, "w.keras": True}
    for name in ("zoo.weights.h5", "zoo.keras"):
        converted(tmp_path / name, tmp_path / "back.safetensors", VGG)
        require_same(tmp_path / "back.safetensors", built)


def test_a_saved_model_with_layers_of_our_own_is_loaded_by_keras(
    tmp_path: Path, launcher: Launcher, children_path: None
) -> None:
    network = {"name": "probe"}
    converted(ours(tmp_path, networks.build(**network)), tmp_path / "w.keras", network)
    about = {"source": str(tmp_path / "ours.safetensors"), "network": network, "naming": "keras-ours"}
    request = {**about, "folder": str(tmp_path)}
    assert launcher.ask("keras-tensorflow", "format_tasks:keras_loaded", request, TIMEOUT_S)


@pytest.mark.parametrize(("name", "framework"), [("w.pt", "pytorch"), ("w.onnx", None)])
def test_damaged_files_are_refused_or_hold_other_values(
    name: str, framework: str | None, tmp_path: Path, launcher: Launcher, children_path: None
) -> None:
    network = {"name": "mlp"} if framework is None else SMALL
    converted(ours(tmp_path, networks.build(**network)), tmp_path / name, network)
    folder = tmp_path / "damaged"
    folder.mkdir()
    found = weight_files.fuzz(tmp_path / name, network, folder, framework, launcher)
    assert found["escaped"] == []
    assert found["crashed"] == []
    assert sum(found["outcomes"].values()) == DAMAGED
    assert found["outcomes"]["refused"] > DAMAGED / 4
    assert found["grown_bytes"] < transfer.SLACK_BYTES
