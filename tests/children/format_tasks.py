"""What the frameworks themselves make of files that ``convert`` wrote, and files that they write for it."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from implementations import bounds, networks, sameness, weights
from implementations.formats.entries import DamagedError
from implementations.formats.namings import NAMINGS
from implementations.formats.transfer import keyed
from implementations.network import Framework, Settings


class Executing:
    """Makes a folder when it is unpickled as anybody would."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.mkdir, (self.folder,)


def _expected(source: str, network: dict[str, Any], naming: str) -> dict[str, np.ndarray]:
    specification = networks.build(**network)
    return keyed(weights.load(Path(source), specification), specification, NAMINGS[naming])


def pytorch(
    framework: Framework,
    *,
    settings: Settings,
    source: str,
    network: dict[str, Any],
    folder: str,
    naming: str,
) -> bool:
    """Whether ``w.pth`` holds ``source``; writes ``old.pth``, ``within.pth`` and two that would execute."""
    import torch

    given, expected = torch.load(Path(folder, "w.pth"), weights_only=True), _expected(source, network, naming)
    torch.save(given, Path(folder, "old.pth"), _use_new_zipfile_serialization=False)
    torch.save({"epoch": 3, "state_dict": given, "optimizer": {}}, Path(folder, "within.pth"))
    executing = {**given, "fc.bias": Executing(str(Path(folder, "executed")))}
    torch.save(executing, Path(folder, "executing.pth"))
    torch.save(executing, Path(folder, "old-executing.pth"), _use_new_zipfile_serialization=False)
    torch.save({**given, "fc.bias": given["fc.bias"].half()}, Path(folder, "half.pth"))
    torch.save(list(given.values()), Path(folder, "list.pth"))
    same = given.keys() == expected.keys() and all(np.array_equal(given[k], expected[k]) for k in given)
    return same and _is_refused_before_it_is_safe(Path(folder, "w.pth"))


def _is_refused_before_it_is_safe(path: Path) -> bool:
    import torch

    from implementations.formats import state_dict

    torch.__version__ = "2.5.1+cpu"
    try:
        state_dict.read(path)
    except DamagedError as refusal:
        return "2.5.1" in str(refusal)
    return False


def paddle(
    framework: Framework,
    *,
    settings: Settings,
    source: str,
    network: dict[str, Any],
    folder: str,
    naming: str,
) -> bool:
    """Whether Paddle's own ResNet-18 takes ``w.pdparams`` whole; writes its state as ``zoo.pdparams``."""
    import paddle

    model = paddle.vision.models.resnet18(num_classes=10)
    kept = model.set_state_dict(paddle.load(str(Path(folder, "w.pdparams"))))
    state, expected = model.state_dict(), _expected(source, network, naming)
    paddle.save(state, str(Path(folder, "zoo.pdparams")))
    return kept == ([], []) and all(np.array_equal(state[k].numpy(), expected[k]) for k in expected)


def keras_loaded(
    framework: Framework,
    *,
    settings: Settings,
    source: str,
    network: dict[str, Any],
    folder: str,
    naming: str,
) -> bool:
    """Whether Keras loads ``w.keras``, with layers of our own, as the network that we build."""
    import keras

    specification = networks.build(**network)
    built = framework.build(specification, weights.load(Path(source), specification), settings, training=True)
    images = weights.probe_images(specification, 0, 2)
    loaded = keras.models.load_model(Path(folder, "w.keras"))
    found = loaded(images.transpose(0, 2, 3, 1), training=False)
    return sameness.difference(built.outputs(images), np.asarray(found["main"])) < bounds.BOUNDS[1, "float32"]


def keras(
    framework: Framework,
    *,
    settings: Settings,
    source: str,
    network: dict[str, Any],
    folder: str,
    naming: str,
) -> dict[str, bool]:
    """Whether Keras' own VGG16 takes each file whole; writes its weights in both of Keras' forms."""
    import keras

    expected, found = _expected(source, network, naming), {}
    options = {"weights": None, "input_shape": (64, 64, 3), "classes": 10, "classifier_activation": None}
    for name in ("w.weights.h5", "w.h5", "w.keras"):
        if name == "w.keras":
            model = keras.models.load_model(Path(folder, name))
        else:
            model = keras.applications.VGG16(**options)
            model.load_weights(Path(folder, name))
        layers = [layer for layer in model.layers if layer.weights]
        held = [value for layer in layers for value in layer.get_weights()]
        found[name] = all(map(np.array_equal, held, expected.values())) and len(held) == len(expected)
    model = keras.applications.VGG16(**options)
    model.load_weights(Path(folder, "w.h5"))
    model.save_weights(Path(folder, "zoo.weights.h5"))
    model.save(Path(folder, "zoo.keras"))
    return found
