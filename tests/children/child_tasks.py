"""Tasks that only tests ask of a child: each runs with one framework loaded."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from witness_tasks import channels_last

from implementations import bounds, certify, networks, reference, sameness, weights
from implementations.network import Settings
from implementations.policies import Switches
from implementations.training import SGD


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
            kernel = channels_last(values[f"{path}.weight"], network, path)
            layer.set_weights([kernel, values[f"{path}.bias"]])
    images = weights.probe_images(network, 0, 2)
    got = np.asarray(zoo(images.transpose(0, 2, 3, 1), training=False))
    expected = reference.forward(network, values, images)["logits"]
    full = keras.applications.VGG16(weights=None)
    return {"difference": sameness.difference(got, expected), "parameters": full.count_params()}


def certified_with_a_wrong_pad(
    framework: Any, *, settings: Settings, network: dict[str, Any], weights_path: str
) -> dict[str, Any]:
    """The certificate of a PyTorch adapter whose 7×7 convolution is padded 2+4 instead of 3+3."""
    from torch import nn

    class Slipped(nn.Conv2d):
        def forward(self, x: Any) -> Any:
            if self.kernel_size == (7, 7):
                shifted = nn.functional.pad(x, (2, 4, 2, 4))
                return nn.functional.conv2d(shifted, self.weight, self.bias, self.stride)
            return super().forward(x)

    framework.layers.nn.Conv2d = Slipped  # the module torch.nn itself, in this process only
    return certify.certify(
        framework, settings=settings, name="pytorch", network=network, weights_path=weights_path
    )


def largest_float64_gradient_difference(framework: Any, *, settings: Settings) -> float:
    """How far the probe network's float64 gradients are from the reference, no difference being known."""
    network = networks.build("probe")
    case = sameness.Case.on_probe(network, weights.probe(network, 0))
    findings = sameness.prove(framework, case, settings, precisions=("float64",))
    return max(finding.largest for finding in findings if finding.level == 2)


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


def padded_export(framework: Any, *, settings: Settings, path: str) -> float:
    """How far an exported network with one-sided pads is from the reference, by ONNX's own evaluation.

    Its maxima are negative, so that a pad of 0 instead of −∞ wins.
    """
    from implementations import spec
    from implementations.onnx_file import OnnxFile

    layers = (
        spec.MaxPool("pool", 2, stride=1, padding=(1, 0, 0, 1)),
        spec.LocalResponseNorm("norm", size=3, alpha=2.0, beta=0.5, k=1.0),
        spec.Flatten("flatten"),
        spec.Dense("logits", 5),
    )
    network = spec.Network("pads", (4, 3, 3), 5, layers)
    values, images = weights.probe(network, 0), -1 - np.abs(weights.probe_images(network, 0, 2))
    built = framework.build(network, values, settings, training=False)
    built.export(Path(path))
    expected = reference.forward(network, values, images)["logits"]
    return sameness.difference(OnnxFile(Path(path), network).evaluate(images), expected)


def batch_norm_exported(framework: Any, *, settings: Settings, path: str) -> list[str]:
    """Initialisers of several elements that PyTorch's exporter keeps of a convolution and its batch norm."""
    import onnx

    from implementations import spec
    from implementations.frameworks.pytorch.export import to_onnx

    class Net(framework.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv = framework.nn.Conv2d(3, 4, 3, bias=False)
            self.norm = framework.nn.BatchNorm2d(4)

        def forward(self, x: Any) -> Any:
            return [self.norm(self.conv(x))]

    to_onnx(Net().eval(), spec.Network("norm", (3, 8, 8), 4, ()), Path(path))
    tensors = onnx.load(path).graph.initializer
    return sorted(tensor.name for tensor in tensors if math.prod(tensor.dims) > 1)


def promotions_of_keras(framework: Any, *, settings: Settings) -> list[str]:
    """What two float64 are promoted to: as Keras has it, while computing in float64, and afterwards."""
    import keras

    from implementations.frameworks.keras.precision import compute_in

    found = [keras.backend.result_type("float64", "float64")]
    for precision in ("float64", "float32"):
        compute_in(Settings(precision=precision))
        found.append(keras.backend.result_type("float64", "float64"))
    return found


def with_a_wrong_form(framework: Any, *, settings: Settings, name: str) -> dict[str, list[str]]:
    """For every method, the forms that could be declared without level 3 noticing."""
    from implementations import bounds, trajectories
    from implementations.optimizer_forms import METHODS
    from implementations.training import FORMS

    known, unnoticed = bounds.known_differences(name), {}
    declared = framework.forms()
    for method in METHODS:
        trial = trajectories.Trial.on_probe(trajectories.small_network(), method.dyadic)
        unnoticed[method.title] = []
        for form in FORMS[type(method.dyadic)]:
            framework.forms = lambda form=form, method=method: {**declared, type(method.dyadic): form}
            if trajectories.prove(framework, trial, settings, known=known).passed:
                unnoticed[method.title].append(form)
    return unnoticed


def rate_assigned_past_the_adapter(framework: Any, *, settings: Settings) -> dict[str, bool]:
    """Whether Keras' SGD has each form when its rate is assigned without rescaling the velocity."""
    from implementations import trajectories

    def assign(built: Any, rate: float) -> None:
        built.engine.sync_to_model()
        built.engine.optimizer.learning_rate = rate
        built.engine.sync_from_model()

    framework.KerasNetwork.set_learning_rate = assign
    trial = trajectories.Trial.on_probe(trajectories.small_network(), trajectories.SHARED)
    return {
        form: trajectories.prove_handed(framework, trial, trial, form, settings, ()).passed
        for form in ("rate inside", "rate outside")
    }


def refused_rate(framework: Any, *, settings: Settings) -> str:
    """What the Keras adapter says to a rate that rises from 0, where its velocity was lost."""
    from implementations import trajectories

    network = trajectories.small_network()
    built = framework.build(network, weights.probe(network, 0), settings, training=True)
    built.prepare_training(trajectories.SHARED)
    built.set_learning_rate(0.0)  # the last rate of a cosine: nothing is lost that is used again
    try:
        built.set_learning_rate(2**-4)
    except ValueError as error:
        return str(error)
    return ""


def strided_1x1(framework: Any, *, settings: Settings, names: list[str]) -> dict[str, dict[str, int]]:
    """The input channels of Keras' 1×1 convolutions with a stride, by network and layer."""
    found = {}
    for name in names:
        network = networks.build(name, **networks.REDUCED[name])
        built = framework.build(network, Zeros(network), settings, training=True)
        kernels = {x.name: x.kernel.shape for x in built.model.layers if type(x).__name__ == "Conv2D"}
        strides = {x.name: max(x.strides) for x in built.model.layers if x.name in kernels}
        found[name] = {x: k[2] for x, k in kernels.items() if max(k[:2]) == 1 and strides[x] > 1}
    return found


def changed_by_training(framework: Any, *, settings: Settings, frozen: str) -> dict[str, bool]:
    """Whether each parameter changed in steps with decay, the layer ``frozen`` being frozen."""
    from implementations import trajectories
    from implementations.training import Decay

    network = trajectories.small_network()
    layers = [dataclasses.replace(x, frozen=True) if x.name == frozen else x for x in network.layers]
    network = dataclasses.replace(network, layers=tuple(layers))
    values = weights.probe(network, 0)
    built = framework.build(network, values, settings, training=True)
    built.prepare_training(dataclasses.replace(trajectories.SHARED, decay=Decay(2**-5, "coupled")))
    trial = trajectories.Trial.on_probe(network, trajectories.SHARED)
    for rate, images, labels in trial.batches():
        built.set_learning_rate(rate)
        built.train_step(built.put(images, labels))
    return {path: not np.array_equal(value, values[path]) for path, value in built.weights().items()}


def xla_threads(framework: Any, *, settings: Settings) -> int:
    """Threads of the pool that XLA computes with on the CPU, by the name that it gives them."""
    framework.build(networks.build("mlp"), Zeros(networks.build("mlp")), settings, training=False)
    names = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return names.count("tf_XLAEigen")


def xla_options(framework: Any, *, settings: Settings) -> dict[str, bool]:
    """Which compiler options the Keras adapter on JAX takes for known."""
    options = {"xla_backend_optimization_level": 0, "xla_no_such_option": 0}
    return {name: framework.backend._is_known(name, value) for name, value in options.items()}


def claimed_precision(framework: Any, *, settings: Settings, precision: str) -> str:
    """What level 5 says of a precision that the framework does not offer here, were it offered."""
    from implementations import reduced

    framework.precisions = lambda device: (precision,)
    network = networks.build("mlp")
    case = sameness.Case.on_probe(network, weights.probe(network, 0))
    (finding,) = reduced.prove(framework, case, settings, [precision])
    return finding.breach.got if finding.breach else ""


def compiled_frames(framework: Any, *, settings: Settings, count: int) -> list[int]:
    """Functions that PyTorch compiled for each of ``count`` networks, at two sizes of a batch."""
    from torch._dynamo.utils import counters

    chosen = dataclasses.replace(settings, switches=Switches(compile=True))
    network, found = networks.build("mlp"), []
    for _ in range(count):
        counters.clear()
        built = framework.build(network, weights.probe(network, 0), chosen, training=True)
        for size in (2, 3):
            images = weights.probe_images(network, 0, size)
            built.gradients(images, weights.probe_labels(network, 0, size))
        found.append(counters["stats"]["unique_graphs"])
    return found


def paddle_tf32(framework: Any, *, settings: Settings) -> list[dict[str, str]]:
    """What Paddle reports after TF32 was allowed, and after it was not."""
    found = []
    for allowed in (True, False):
        framework._allow_tf32(allowed)
        told = framework._reported()
        found.append({name: str(told[name]) for name in ("tf32_cublas", "tf32_cudnn")})
    return found


def reduced_training(framework: Any, *, settings: Settings, network: str) -> dict[str, Any]:
    """What level 5 says of loss and gradients in bfloat16, and of float32 under its name."""
    from implementations import reduced

    built = networks.build(network)
    case = sameness.Case.on_probe(built, weights.probe(built, 0))
    asked = dataclasses.replace(settings, precision="bfloat16")
    found = reduced.prove_training(framework, case, asked, {})
    build = framework.build
    framework.build = lambda *given, **options: build(*given[:2], settings, **options)
    claimed = reduced.prove_training(framework, case, asked, {})
    return {"found": found.as_data(), "claimed": claimed.breach.got if claimed.breach else ""}


def proven_under(
    framework: Any, *, settings: Settings, name: str, switches: dict[str, bool]
) -> dict[str, Any]:
    """What levels 0 to 2 find in the small network of odd shapes under ``switches``, and what is reported."""
    chosen = dataclasses.replace(settings, switches=Switches(**switches))
    network = networks.build("probe")
    case = sameness.Case.on_probe(network, weights.probe(network, sameness.PROBE_SEED))
    findings = sameness.prove(framework, case, chosen, known=bounds.known_differences(name))
    built = framework.build(network, case.weights, chosen, training=False)
    built.outputs(case.images)
    return {"findings": [finding.as_data() for finding in findings], "switches": built.switches()}


def read_back(framework: Any, *, settings: Settings) -> dict[str, str]:
    """What a built network reports under the settings' policy."""
    network = networks.build("probe")
    values = weights.probe(network, sameness.PROBE_SEED)
    built = framework.build(network, values, settings, training=False)
    built.outputs(weights.probe_images(network, sameness.PROBE_SEED, 2, 1.0))
    return dict(built.switches())


def numbers_read(framework: Any, *, settings: Settings) -> dict[str, list[int]]:
    """Shapes of what inference and training steps return, read on the host."""
    network = networks.build("mlp")
    values = weights.probe(network, sameness.PROBE_SEED)
    images = weights.probe_images(network, 0, 3)
    inferring = framework.build(network, values, settings, training=False)
    training = framework.build(network, values, settings, training=True)
    training.prepare_training(SGD(learning_rate=0.125))
    batch = training.put(images, weights.probe_labels(network, 0, 3))
    with inferring.inferring():
        logits = inferring.infer(inferring.put(images))
    return {
        "logits": list(inferring.read(logits).shape),
        "loss": list(training.read(training.train_step(batch)).shape),
    }
