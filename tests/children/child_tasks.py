"""Tasks that only tests ask of a child: each runs with one framework loaded."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from implementations import certificates, networks, reference, sameness, weights
from implementations.network import Settings


class Zeros(Mapping[str, Any]):
    """Weights of zeros, made when they are asked for."""

    def __init__(self, network: Any) -> None:
        self.shapes = {p.path: p.shape for p in network.parameters}

    def __getitem__(self, path: str) -> Any:
        return np.zeros(self.shapes[path], np.float32)

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)


def counted(framework: Any, *, settings: Settings, wanted: list[dict[str, Any]]) -> list[int]:
    """Parameters of full networks as the framework's own objects count them."""
    return [_counted(framework, settings, networks.build(**network)) for network in wanted]


def _counted(framework: Any, settings: Settings, specification: Any) -> int:
    built = framework.build(specification, Zeros(specification), settings, training=True)
    if hasattr(built, "model"):
        return int(built.model.count_params())
    return sum(math.prod(parameter.shape) for parameter in built.module.parameters())


def shown(framework: Any, *, settings: Settings, network: dict[str, Any]) -> str:
    """What the built network prints."""
    specification = networks.build(**network)
    return str(framework.build(specification, Zeros(specification), settings, training=True).module)


def zoo_vgg16(framework: Any, *, settings: Settings) -> dict[str, float]:
    """Keras' own VGG16 with our weights against the reference: a witness that is not ours."""
    import keras

    network = networks.build("vgg16", classes=10, input_size=(64, 64))
    values = weights.probe(network, 0)
    zoo = keras.applications.VGG16(
        weights=None, input_shape=(64, 64, 3), classes=10, classifier_activation=None
    )
    ours = iter(network.nodes)
    for layer in zoo.layers:
        if layer.weights:
            path = next(node.path for node in ours if node.parameters)
            layer.set_weights([channels_last(values[f"{path}.weight"], path), values[f"{path}.bias"]])
    images = weights.probe_images(network, 0, 2)
    got = np.asarray(zoo(images.transpose(0, 2, 3, 1), training=False))
    expected = reference.forward(network, values, images)["logits"]
    full = keras.applications.VGG16(weights=None)
    return {"difference": sameness.difference(got, expected), "parameters": full.count_params()}


def channels_last(value: Any, path: str) -> Any:
    """Written apart from the adapter's conversion on purpose: a witness shares no code with it."""
    if value.ndim == 4:
        return np.moveaxis(value, (2, 3, 1, 0), (0, 1, 2, 3))
    if path == "fc6":
        rows = [row.reshape(512, 2, 2).transpose(1, 2, 0).ravel() for row in value]
        return np.stack(rows, axis=1)
    return value.T


def certified_with_a_wrong_pad(
    framework: Any, *, settings: Settings, network: dict[str, Any], weights_path: str
) -> dict[str, Any]:
    """The certificate of a PyTorch adapter whose 7×7 convolution is padded 2+4 instead of 3+3."""
    functional = framework.functional

    class Slipped(framework.nn.Conv2d):  # type: ignore[name-defined,misc]
        def forward(self, x: Any) -> Any:
            if self.kernel_size == (7, 7):
                shifted = functional.pad(x, (2, 4, 2, 4))
                return functional.conv2d(shifted, self.weight, self.bias, self.stride)
            return super().forward(x)

    framework.nn.Conv2d = Slipped
    return certificates.certify(
        framework, settings=settings, name="pytorch", network=network, weights_path=weights_path
    )


def largest_float64_gradient_difference(framework: Any, *, settings: Settings) -> float:
    """How far the probe network's float64 gradients are from the reference, no difference being known."""
    network = networks.build("probe")
    case = sameness.Case.on_probe(network, weights.probe(network, 0))
    findings = sameness.prove(framework, case, settings, precisions=("float64",))
    return max(finding.largest for finding in findings if finding.level == 2)


def repaired_pads(framework: Any, *, settings: Settings, folder: str) -> list[int]:
    """Fill values that Paddle's repair had to set to 0, in files whose pads are filled with 0, 1 and NaN."""
    import onnx

    found = []
    for number, fill in enumerate((0.0, 1.0, float("nan"))):
        pads = onnx.helper.make_node(
            "Constant", [], ["pads"], value=onnx.numpy_helper.from_array(np.zeros(2, np.int64))
        )
        value = onnx.numpy_helper.from_array(np.array(fill, np.float32))
        filled = onnx.helper.make_node("Constant", [], ["fill"], value=value)
        pad = onnx.helper.make_node("Pad", ["x", "pads", "fill"], ["y"])
        ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1]) for name in "xy"]
        model = onnx.helper.make_model(onnx.helper.make_graph([pads, filled, pad], "g", ends[:1], ends[1:]))
        found.append(framework.repair_pads(model))
        onnx.save(model, Path(folder) / f"{number}.onnx")
        left = onnx.numpy_helper.to_array(model.graph.node[1].attribute[0].t)
        assert left == 0, left
    return found


def trained(framework: Any, *, settings: Settings) -> dict[str, Any]:
    """Losses of ten float64 training steps on one batch, and whether loading brings the output back."""
    from implementations.training import SGD

    network = networks.build("probe").without_dropout()
    values = weights.probe(network, 0)
    exact = dataclasses.replace(settings, precision="float64")  # a small update must not be rounded away
    built = framework.build(network, values, exact, training=True)
    images, labels = weights.probe_images(network, 0, 8), weights.probe_labels(network, 0, 8)
    before = built.outputs(images)
    built.prepare_training(SGD(learning_rate=1e-5, momentum=0.875))
    batch = built.put(images, labels)
    losses = [float(built.train_step(batch)) for _ in range(10)]
    moved = sameness.difference(built.outputs(images), before)
    kept = {path: sameness.difference(array, values[path]) for path, array in built.weights().items()}
    built.load(values)
    restored = sameness.difference(built.outputs(images), before)
    return {"losses": losses, "moved": moved, "restored": restored, "changed": min(kept.values())}


def promotions_of_keras(framework: Any, *, settings: Settings) -> list[str]:
    """What two float64 are promoted to: as Keras has it, while computing in float64, and afterwards."""
    import keras

    from implementations.frameworks.keras.precision import compute_in

    found = [keras.backend.result_type("float64", "float64")]
    for precision in ("float64", "float32"):
        compute_in(precision)
        found.append(keras.backend.result_type("float64", "float64"))
    return found


def xla_threads(framework: Any, *, settings: Settings) -> int:
    """Threads of the pool that XLA computes with on the CPU, by the name that it gives them."""
    framework.build(networks.build("mlp"), Zeros(networks.build("mlp")), settings, training=False)
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return names.count("tf_XLAEigen")
