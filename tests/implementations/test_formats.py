"""Other libraries' weight files that need no framework: read, written, refused, damaged."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import weight_files
from safetensors import safe_open
from safetensors.numpy import save_file
from weight_files import DAMAGED, named, ours, require_same, values

from implementations import convert, networks, weights
from implementations.__main__ import main
from implementations.errors import UserError
from implementations.formats import hdf5, namings, table, transfer
from implementations.formats.namings import NAMINGS
from implementations.processes import Launcher

MLP: dict[str, Any] = {"name": "mlp"}
NETWORK = networks.build("mlp")
# Small, but with more than one place before the flatten, whose order Keras changes.
VGG16 = ("vgg16", "--classes", "10", "--input", "64x64")
RESNET = ("resnet18", "--classes", "10")


def read(path: Path, network: dict[str, Any] = MLP) -> Path:
    """``path`` as ours, read in this process."""
    target = path.with_name("read.safetensors")
    transfer.to_ours(None, settings=None, source=str(path), network=network, target=str(target))
    return target


# --- Keys and layouts ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "network", "path", "key"),
    [
        (namings.torchvision, "vgg16", "conv5_3.bias", "features.28.bias"),
        (namings.torchvision, "vgg19", "fc6.weight", "classifier.0.weight"),
        (namings.torchvision, "alexnet", "logits.weight", "classifier.6.weight"),
        (namings.torchvision, "resnet50", "conv1_bn.weight", "bn1.weight"),
        (
            namings.torchvision,
            "resnet50",
            "stage3_1.shortcut_bn.running_var",
            "layer2.0.downsample.1.running_var",
        ),
        (namings.torchvision, "resnet18", "logits.bias", "fc.bias"),
        (namings.timm, "vgg16", "fc6.weight", "pre_logits.fc1.weight"),
        (namings.timm, "vgg16", "logits.bias", "head.fc.bias"),
        (namings.paddle, "resnet18", "stage5_2.conv2_bn.running_mean", "layer4.1.bn2._mean"),
        (namings.keras, "vgg16", "conv5_3.bias", "block5_conv3/1"),
        (namings.keras, "vgg19", "logits.weight", "predictions/0"),
        (namings.keras_ours, "resnet18", "stage2_1.conv1_bn.running_var", "stage2_1-conv1_bn/3"),
    ],
)
def test_keys_are_the_published_ones(
    keys: Callable[..., dict[str, str]], network: str, path: str, key: str
) -> None:
    assert keys(networks.build(network))[path] == key


@pytest.mark.parametrize(
    ("naming", "path", "shape"),
    [
        ("timm", "fc6.weight", (4096, 512, 7, 7)),
        ("timm", "fc7.weight", (4096, 4096, 1, 1)),
        ("timm", "logits.weight", (1000, 4096)),
        ("keras", "conv1_1.weight", (3, 3, 3, 64)),
        ("keras", "fc6.weight", (25088, 4096)),
        ("paddle", "fc6.weight", (25088, 4096)),
    ],
)
def test_shapes_are_the_published_ones(naming: str, path: str, shape: tuple[int, ...]) -> None:
    network = networks.build("vgg16")
    parameter = next(p for p in network.parameters if p.path == path)
    assert NAMINGS[naming].layout(network).shape(parameter) == shape


def test_keras_order_is_row_column_channel() -> None:
    """By hand: input 7 of fc6 at (channel, row, column), with channels fastest in Keras' rows."""
    network = networks.build("vgg16", classes=10, input_size=(64, 64))  # 512×2×2 before the flatten
    weight = np.arange(512 * 4, dtype=np.float32).reshape(1, -1).repeat(4096, axis=0)
    rows = NAMINGS["keras"].layout(network).to_file("fc6.weight", weight)
    channel, row, column = 5, 1, 0
    assert rows[(row * 2 + column) * 512 + channel, 0] == channel * 4 + row * 2 + column


# --- Round trips through the command ------------------------------------------------------


@pytest.mark.parametrize(
    ("network", "file", "keys"),
    [
        (("mlp",), "w.safetensors", "ours"),
        (("mlp",), "w.h5", "ours"),
        (("probe-bn",), "w.h5", "ours"),
        (VGG16, "w.safetensors", "torchvision"),
        (VGG16, "w.safetensors", "timm"),
        (VGG16, "w.h5", "keras"),
        (RESNET, "w.safetensors", "torchvision"),
    ],
)
def test_weights_come_back_bit_for_bit(
    network: tuple[str, ...], file: str, keys: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = dict(zip(network[1::2], network[2::2], strict=True))
    size = tuple(map(int, options["--input"].split("x"))) if "--input" in options else None
    built = networks.build(
        network[0], classes=int(options["--classes"]) if options else None, input_size=size
    )  # type: ignore[arg-type]
    source, there, back = ours(tmp_path, built), tmp_path / file, tmp_path / "back.safetensors"
    asked = ("--network", *network)
    assert main(["convert", str(source), str(there), "--keys", keys, *asked]) == 0
    assert "read back bit for bit" in " ".join(capsys.readouterr().out.split())
    assert main(["convert", str(there), str(back), *asked]) == 0
    assert f"keys: {keys} to ours" in " ".join(capsys.readouterr().out.split())
    require_same(back, built)


def test_batches_are_counted_where_torchvision_counts_them() -> None:
    network = networks.build("resnet18")
    naming = NAMINGS["torchvision"]
    assert len(naming.counters(network)) == 20
    assert naming.counters(network)[0] == "bn1.num_batches_tracked"


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_a_pickle_of_paddle_is_read_without_unpickling(protocol: int, tmp_path: Path) -> None:
    path = tmp_path / "w.pdparams"
    weight_files.pdparams(path, named(NETWORK, "paddle-ours"), protocol)
    require_same(read(path), NETWORK)


def test_tensors_and_column_major_arrays_of_paddle_are_read(tmp_path: Path) -> None:
    arrays: dict[str, Any] = {key: np.asfortranarray(v) for key, v in named(NETWORK, "paddle-ours").items()}
    arrays["hidden.bias"] = Called(tuple, (("linear_0.b_0", arrays["hidden.bias"]),))
    path = tmp_path / "w.pdparams"
    path.write_bytes(pickle.dumps(arrays, protocol=4))
    require_same(read(path), NETWORK)


@pytest.mark.parametrize("suffix", ["weights.h5", "keras"])
def test_files_of_keras_3_are_read_without_their_configuration(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"w.{suffix}"
    arrays = named(NETWORK, "keras-ours")
    if suffix == "keras":
        weight_files.keras(path, arrays, config="{ this is no JSON")
    else:
        weight_files.weights_h5(path, arrays)
    require_same(read(path), NETWORK)


# --- Refusals -----------------------------------------------------------------------------


class Called:
    """Pickled as a call of ``function``."""

    def __init__(self, function: Any, arguments: tuple[Any, ...]) -> None:
        self.called = function, arguments

    def __reduce__(self) -> Any:
        return self.called


class Rebuilt:
    """Pickled as an array with any state."""

    def __init__(self, state: Any) -> None:
        self.state = state

    def __reduce__(self) -> Any:
        return *np.zeros(0, np.float32).__reduce__()[:2], self.state


def refused(path: Path, *words: str, network: dict[str, Any] = MLP) -> None:
    with pytest.raises(UserError) as caught:
        read(path, network)
    line = str(caught.value)
    assert "\n" not in line
    for word in (*words, str(path)):
        assert word in line


def test_a_wrong_shape_is_named(tmp_path: Path) -> None:
    save_file({**values(NETWORK), "hidden.bias": np.zeros(3, np.float32)}, tmp_path / "w.safetensors")
    refused(tmp_path / "w.safetensors", "'hidden.bias' is float32 [3] where mlp has float32 [128]")


def test_a_wrong_type_is_named(tmp_path: Path) -> None:
    save_file({**values(NETWORK), "hidden.bias": np.zeros(128, np.float16)}, tmp_path / "w.safetensors")
    refused(tmp_path / "w.safetensors", "'hidden.bias' is float16")


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    save_file({k: v for k, v in values(NETWORK).items() if k != "logits.weight"}, tmp_path / "w.safetensors")
    refused(tmp_path / "w.safetensors", "lacks 'logits.weight'")


def test_a_surplus_key_is_named(tmp_path: Path) -> None:
    save_file({**values(NETWORK), "extra": np.zeros(1, np.float32)}, tmp_path / "w.safetensors")
    refused(tmp_path / "w.safetensors", "'extra', which mlp does not have")


def test_another_networks_file_is_told(tmp_path: Path) -> None:
    weights.save(tmp_path / "w.safetensors", values(NETWORK))
    refused(tmp_path / "w.safetensors", "it lacks 'conv1_1.weight', so it is not", network={"name": "vgg16"})
    save_file({"something": np.zeros(1, np.float32)}, tmp_path / "w.safetensors")
    refused(tmp_path / "w.safetensors", "its first key 'something' is none of mlp")


def test_a_first_wrong_key_of_a_published_naming_is_the_files_own(tmp_path: Path) -> None:
    network = networks.build("resnet18", classes=10)
    arrays = named(network, "torchvision")
    del arrays["layer3.1.bn2.running_mean"]
    save_file(arrays, tmp_path / "w.safetensors")
    about = {"name": "resnet18", "classes": 10}
    refused(tmp_path / "w.safetensors", "lacks 'layer3.1.bn2.running_mean'", network=about)


@pytest.mark.parametrize("suffix", ["safetensors", "h5", "weights.h5", "keras", "pdparams"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"no weights"])
def test_a_file_of_something_else_is_refused(suffix: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"w.{suffix}"
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_pickle_that_would_execute_is_refused_unexecuted(protocol: int, tmp_path: Path) -> None:
    canary, path = tmp_path / "executed", tmp_path / "w.pdparams"
    arrays = {**named(NETWORK, "paddle-ours"), "hidden.bias": Called(os.mkdir, (str(canary),))}
    path.write_bytes(pickle.dumps(arrays, protocol=protocol))
    refused(path, *([] if protocol == 0 else ["'hidden.bias' is a call of posix.mkdir"]))
    assert not canary.exists()
    pickle.loads(path.read_bytes())
    assert canary.exists()  # unpickled, it would have


def test_a_lying_shape_takes_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "w.pdparams"
    weight_files.pdparams(path, {**named(NETWORK, "paddle-ours"), "hidden.bias": np.zeros(128, np.float32)})
    content = path.read_bytes().replace(b"K\x80\x85", b"M\xff\xff\x85")  # (128,) → (65535,)
    assert content != path.read_bytes()
    path.write_bytes(content)
    refused(path, "'hidden.bias' has 512 bytes for the shape [65535]")


@pytest.mark.parametrize("link", [h5py.ExternalLink("other.h5", "/there"), h5py.SoftLink("/elsewhere")])
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("w.h5", "hidden/hidden"),
        ("w.h5", "hidden/hidden/variable_0:0"),
        ("w.weights.h5", "layers"),
        ("w.weights.h5", "layers/dense"),
        ("w.weights.h5", "layers/dense/vars"),
        ("w.weights.h5", "layers/dense/vars/0"),
    ],
)
def test_what_is_linked_in_is_refused(name: str, place: str, link: Any, tmp_path: Path) -> None:
    for path in (tmp_path / name, tmp_path / "other.h5"):
        write = hdf5.write if name == "w.h5" else weight_files.weights_h5
        write(path, named(NETWORK, "keras-ours"))
    with h5py.File(tmp_path / "other.h5", "a") as file:
        file.move(place, "there")
    with h5py.File(tmp_path / name, "a") as file:
        file.move(place, "elsewhere")
        file[place] = link
    refused(tmp_path / name, "is no part of the file itself")


def test_a_key_that_comes_twice_is_refused(tmp_path: Path) -> None:
    weight_files.weights_h5(tmp_path / "w.weights.h5", named(NETWORK, "keras-ours"))
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:
        file.copy("layers/dense", "layers/dense_9")
    refused(tmp_path / "w.weights.h5", "holds 'hidden/0' twice")


@pytest.mark.parametrize(
    "place", ["layers/dense/extra", "vars/0", "layers/dropout/seed_generator/kernel", "more/0"]
)
def test_what_belongs_to_no_layer_is_refused(place: str, tmp_path: Path) -> None:
    weight_files.weights_h5(tmp_path / "w.weights.h5", named(NETWORK, "keras-ours"))
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:
        file.create_dataset(place, data=np.ones((3, 3), np.float32))
    refused(tmp_path / "w.weights.h5", f"'{place}', which belongs to no layer")


def test_a_layer_that_the_older_form_does_not_list_is_refused(tmp_path: Path) -> None:
    hdf5.write(tmp_path / "w.h5", {**named(NETWORK, "keras-ours"), "more/0": np.ones(3, np.float32)})
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file.attrs["layer_names"] = [name for name in file.attrs["layer_names"] if name != b"more"]
    refused(tmp_path / "w.h5", "'more/more/variable_0:0', which belongs to no layer")


def test_a_file_within_a_keras_file_that_comes_twice_is_refused(tmp_path: Path) -> None:
    weight_files.keras(tmp_path / "w.keras", named(NETWORK, "keras-ours"))
    with zipfile.ZipFile(tmp_path / "w.keras", "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("model.weights.h5", archive.read("model.weights.h5"))
    refused(tmp_path / "w.keras", "holds model.weights.h5 twice")


def test_groups_that_are_linked_from_everywhere_end(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        below = file.create_group("layers")
        for level in range(6):
            above, below = below, file.create_group(f"level_{level}")
            for number in range(60):
                above[str(number)] = below
    refused(tmp_path / "w.weights.h5", "too many")


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"\x80\x04" + b"\x8c\x02os\x8c\x06system\x93.", "holds os.system"),
        (b"\x80\x04" + b"))\x93.", "a function's name is no text"),
        (b"\x80\x02cos\nsys\x1btem\n.", "holds os.sys?tem"),
        (b"\x80\x04}\x8c\x01kNs\x8c\x01kNs.", "'k' comes twice"),
        (b"\x80\x04}\x8c\x01k" + b"c__builtin__\neval\n)R" + b"s.", "'k' is a call of __builtin__.eval []"),
    ],
)
def test_a_crafted_pickle_is_one_plain_line(content: bytes, word: str, tmp_path: Path) -> None:
    (tmp_path / "w.pdparams").write_bytes(content)
    network = {"name": "mlp"}
    with pytest.raises(UserError) as caught:
        read(tmp_path / "w.pdparams", network)
    line = str(caught.value)
    assert line.isprintable()
    assert len(line) < 1000
    assert word in line or "none of mlp" in line


def test_a_shape_that_would_take_hours_to_multiply_is_refused(tmp_path: Path) -> None:
    arrays: dict[str, Any] = named(NETWORK, "paddle-ours")
    state = (1, (1 << 2000,) * 9, np.dtype("<f4"), False, b"")
    arrays["hidden.bias"] = Rebuilt(state)
    (tmp_path / "w.pdparams").write_bytes(pickle.dumps(arrays, protocol=4))
    refused(tmp_path / "w.pdparams", "'hidden.bias' has no shape")


def test_a_long_key_is_cut(tmp_path: Path) -> None:
    save_file({"x" * 5000: np.zeros(1, np.float32)}, tmp_path / "w.safetensors")
    with pytest.raises(UserError) as caught:
        read(tmp_path / "w.safetensors")
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("name", ["W.KERAS", "W.Weights.H5", "W.H5", "W.SafeTensors", "W.PDPARAMS"])
def test_ends_of_names_are_known_in_any_case(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    match table.of(path).name, path.suffix.lower():
        case "keras", ".keras":
            weight_files.keras(path, named(NETWORK, "keras-ours"))
        case "keras", _:
            weight_files.weights_h5(path, named(NETWORK, "keras-ours"))
        case "hdf5", _:
            hdf5.write(path, named(NETWORK, "keras-ours"))
        case "paddle", _:
            weight_files.pdparams(path, named(NETWORK, "paddle-ours"))
        case _:
            weights.save(path, values(NETWORK))
    require_same(read(path), NETWORK)


def test_external_storage_is_refused(tmp_path: Path) -> None:
    hdf5.write(tmp_path / "w.h5", named(NETWORK, "keras-ours"))
    (tmp_path / "raw").write_bytes(bytes(512))
    with h5py.File(tmp_path / "w.h5", "a") as file:
        del file["hidden/hidden/variable_1:0"]
        outside = [(str(tmp_path / "raw"), 0, 512)]
        file["hidden"].create_dataset("hidden/variable_1:0", (128,), "f4", external=outside)
    refused(tmp_path / "w.h5", "lies in another file")


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "w.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(1 << 26))
    refused(tmp_path / "w.keras", "is compressed, which Keras does not do")


def test_a_reader_gets_no_more_memory_than_the_file_can_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Greedy:
        @staticmethod
        def read(path: Path) -> Any:
            return np.ones(1 << 32, np.uint8)

    weights.save(tmp_path / "w.safetensors", values(NETWORK))
    monkeypatch.setattr(transfer, "_module", lambda made: Greedy)
    refused(tmp_path / "w.safetensors", "asks for more memory")
    monkeypatch.undo()
    require_same(read(tmp_path / "w.safetensors"), NETWORK)  # the bound is lifted again


def test_a_reader_that_crashes_costs_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crash = "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n"
    (tmp_path / "h5py.py").write_text(crash)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "w.h5").touch()
    with pytest.raises(UserError, match="came to no good end \\(killed by SIGSEGV\\)"):
        convert.read(tmp_path / "w.h5", MLP, tmp_path / "ours", Launcher(1))


def test_a_file_that_takes_too_long_to_read_costs_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "h5py.py").write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(convert, "START_S", 1.0)
    (tmp_path / "w.h5").touch()
    with pytest.raises(UserError, match="timed out after 1 s"):
        convert.read(tmp_path / "w.h5", MLP, tmp_path / "ours", Launcher(1))


def test_bits_that_do_not_come_back_are_no_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = ours(tmp_path, NETWORK), tmp_path / "there.safetensors"
    target.write_text("what was there before")

    def other(ours: Path, network: Any, written: Path, *_: Any) -> None:
        weights.save(written, {key: value + 1 for key, value in values(NETWORK).items()})

    monkeypatch.setattr(convert, "write", other)
    with pytest.raises(UserError, match="came back otherwise"):
        main(["convert", str(source), str(target), "--network", "mlp"])
    assert target.read_text() == "what was there before"
    assert files_of(tmp_path) == {source.name, target.name}


def test_a_file_is_converted_in_its_place(tmp_path: Path) -> None:
    network = networks.build("resnet18", classes=10)
    source = ours(tmp_path, network)
    main(["convert", str(source), str(source), "--keys", "torchvision", "--network", *RESNET])
    with safe_open(source, framework="numpy") as file:
        counter = file.get_tensor("layer4.1.bn2.num_batches_tracked")
    assert (counter.shape, counter.dtype) == ((), np.int64)
    main(["convert", str(source), str(source), "--network", *RESNET])
    require_same(source, network)


def test_a_file_that_is_refused_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "w.h5").write_text("no weights")
    target = tmp_path / "there.safetensors"
    target.write_text("what was there before")
    with pytest.raises(UserError, match="is refused"):
        main(["convert", str(tmp_path / "w.h5"), str(target), "--network", "mlp"])
    assert target.read_text() == "what was there before"
    assert files_of(tmp_path) == {"w.h5", target.name}


def files_of(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# --- A thousand damaged files -------------------------------------------------------------


@pytest.fixture(params=["w.safetensors", "w.h5", "w.weights.h5", "w.keras", "w.pdparams"])
def sound(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A small file of each format."""
    path = tmp_path / str(request.param)
    network = networks.build("probe-bn")
    match table.of(path).name, path.suffix:
        case "safetensors", _:
            weights.save(path, values(network))
        case "paddle", _:
            weight_files.pdparams(path, named(network, "paddle-ours"))
        case "hdf5", _:
            hdf5.write(path, named(network, "keras-ours"))
        case _, ".keras":
            weight_files.keras(path, named(network, "keras-ours"))
        case _:
            weight_files.weights_h5(path, named(network, "keras-ours"))
    return path


def test_damaged_files_are_refused_or_hold_other_values(
    sound: Path, tmp_path: Path, launcher: Launcher, children_path: None
) -> None:
    folder = tmp_path / "damaged"
    folder.mkdir()
    found = weight_files.fuzz(sound, {"name": "probe-bn"}, folder, None, launcher)
    assert found["escaped"] == []
    assert found["crashed"] == []
    assert sum(found["outcomes"].values()) == DAMAGED
    assert found["outcomes"]["refused"] > DAMAGED / 4
    assert found["grown_bytes"] < transfer.SLACK_BYTES


def test_the_hook_hears_what_no_reader_may_do(launcher: Launcher, children_path: None) -> None:
    heard = launcher.ask(None, "fuzz_tasks:heard", {}, 60.0)
    assert {"pickle.find_class", "os.system"} <= set(heard)
