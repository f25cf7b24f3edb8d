"""What the exporters write: names and values kept, and wrong files caught. Whole proofs: test_proofs.py."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations import certificates, networks, weights
from implementations.claims import Claim
from implementations.network import WRITERS
from implementations.processes import Launcher
from implementations.proving import Prover

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 300.0
PADDLE = Claim("onnxruntime", "probe", exporter="paddle")


@pytest.mark.parametrize("framework", WRITERS)
def test_equal_parameters_keep_their_names(framework: str, prover: Prover, tmp_path: Path) -> None:
    """Before training all biases are 0: an optimiser that merges equal tensors would lose their paths."""
    from implementations.onnx_file import OnnxFile, required

    size = {"name": "vgg16", "classes": 10, "input_size": (32, 32)}
    network = networks.build(**size)
    start, path = prover.cache.initial_weights(network, 0), tmp_path / "model.onnx"
    request = {"network": size, "weights_path": str(start), "model_path": str(path)}
    made = prover.launcher.ask(framework, "implementations.exports:export", request, TIMEOUT_S)
    file, expected = OnnxFile(path, network), weights.load(start, network)
    assert file.declared() == required(network)
    assert [p for p in expected if not np.array_equal(file.parameters[p], expected[p])] == []
    assert made["seconds"] > 0
    assert made["peak_bytes"] >= made["peak_bytes_before"] > 2**26  # no framework fits into 64 MiB


def test_keras_on_jax_is_exported_by_keras_on_tensorflow(prover: Prover, tmp_path: Path) -> None:
    from implementations.onnx_file import OnnxFile

    claim, path = Claim("keras-jax", "mlp"), tmp_path / "model.onnx"
    assert prover.export(claim, path)["written_by"] == "keras-tensorflow"
    expected = weights.load(prover.weights(claim), networks.build("mlp"))
    found = OnnxFile(path, networks.build("mlp")).parameters
    assert {p: np.array_equal(found[p], expected[p]) for p in expected} == dict.fromkeys(expected, True)


def test_pytorchs_optimiser_does_not_fold_batch_norm(
    launcher: Launcher, children_path: None, tmp_path: Path
) -> None:
    request = {"path": str(tmp_path / "model.onnx")}
    found = launcher.ask("pytorch", "child_tasks:batch_norm_exported", request, TIMEOUT_S)
    assert found == ["conv.weight", "norm.bias", "norm.running_mean", "norm.running_var", "norm.weight"]


@pytest.mark.parametrize("framework", WRITERS)
def test_one_sided_pads_are_exported(
    framework: str, launcher: Launcher, children_path: None, tmp_path: Path
) -> None:
    request = {"path": str(tmp_path / "model.onnx")}
    assert launcher.ask(framework, "child_tasks:padded_export", request, TIMEOUT_S) < 1e-5  # level 4's


@pytest.mark.parametrize("exporter", WRITERS)
def test_a_bases_features_come_in_the_specifications_layout(exporter: str, prover: Prover) -> None:
    claim = Claim("onnxruntime", "vgg16-base", None, (64, 64), exporter)
    assert certificates.first_breach(prover.certificate(claim)) == ""


def test_repeated_exports_of_paddle_are_right_by_value(prover: Prover) -> None:
    """Unrepaired, about every second file is wrong: three right ones by chance are rare."""
    for _ in range(3):
        made = prover.certificate(PADDLE)
        assert certificates.first_breach(made) == ""
        assert [f["mode"] for f in made["findings"]] == ["file", "parameters", "timed", "onnx.reference"]


@pytest.mark.parametrize("fill", [1e6, float("nan")])
def test_a_poisoned_pad_is_caught_by_value_alone(fill: float, prover: Prover) -> None:
    """What paddle2onnx leaves in a Pad's constant when nobody repairs it."""
    import onnx

    from implementations.frameworks.onnx_graph import pad_fills

    assert prover.certificate(PADDLE)["passed"]
    path = prover.model(PADDLE)
    model = onnx.load(path)
    for tensor in pad_fills(model):
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.array(fill, np.float32), tensor.name))
    onnx.save(model, path)
    found = certified(prover, path)
    outcome = {finding["mode"]: finding["passed"] for finding in found["findings"]}
    assert outcome == {"file": True, "parameters": True, "timed": False, "onnx.reference": False}
    assert not found["passed"]


def certified(prover: Prover, path: Path) -> dict[str, Any]:
    request = {
        "network": PADDLE.arguments,
        "weights_path": str(prover.weights(PADDLE)),
        "name": "onnxruntime",
    }
    request |= {"exporter": "paddle", "model_path": str(path), "made": {}}
    task = "implementations.certify:certify_export"
    return dict(prover.launcher.ask("onnxruntime", task, request, TIMEOUT_S))


def test_a_certificate_says_what_the_file_is_and_who_wrote_it(prover: Prover) -> None:
    made = prover.certificate(PADDLE)["export"]
    assert made["written_by"] == "paddle"
    assert made["file_bytes"] == prover.model(PADDLE).stat().st_size
    assert made["operators"]["Conv"] == 7
    assert sum(made["operators"].values()) == made["nodes"]
