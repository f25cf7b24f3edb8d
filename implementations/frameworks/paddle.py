"""The specification as PaddlePaddle layers, in dynamic mode.

Sublayers nest as the specification's paths do, so ``state_dict()`` keys are the paths. A rectifier
is a sublayer beside its layer (``conv1``, ``conv1_relu``). Paddle keeps dense weights as
``[in, out]``; they are transposed at this border.
"""

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import paddle
from paddle import Tensor, nn
from paddle.nn import functional
from paddle.static import InputSpec

from implementations import spec
from implementations.network import Array, Settings, Weights
from implementations.training import SGD, Optimizer

OPSET = 18


def configure(settings: Settings) -> None:
    # Threads: OMP_NUM_THREADS, which the launcher sets before Paddle is imported.
    paddle.set_device(settings.device.replace("cuda", "gpu"))
    if settings.device.startswith("cuda"):
        # Policy "equal": float32 means float32, and no autotuning.
        paddle.set_flags({"FLAGS_allow_tf32_cublas": False, "FLAGS_allow_tf32_cudnn": False})
        paddle.set_flags({"FLAGS_cudnn_exhaustive_search": False})


def versions() -> dict[str, str]:
    found = {"paddle": paddle.__version__}
    if paddle.is_compiled_with_cuda():
        found |= {"cuda": str(paddle.version.cuda()), "cudnn": str(paddle.version.cudnn())}
    return found


def cuda_devices() -> list[str]:
    if not paddle.is_compiled_with_cuda():
        return []
    return [paddle.device.cuda.get_device_name(i) for i in range(paddle.device.cuda.device_count())]


def build(network: spec.Network, weights: Weights, settings: Settings, *, training: bool) -> "PaddleNetwork":
    return PaddleNetwork(network if training else network.inference(), weights, settings, training)


# --- Layers -------------------------------------------------------------------------------


def run(steps: Iterable[nn.Layer], x: Tensor) -> Tensor:
    for step in steps:
        x = step(x)
    return x


class Concat(nn.Layer):
    """Branches on one input, joined along the channels."""

    def __init__(self, layer: spec.Concat, builder: "Builder", path: str) -> None:
        super().__init__()
        self.branches = [builder.chain(self, branch, f"{path}.") for branch in layer.branches]

    def forward(self, x: Tensor) -> Tensor:
        return paddle.concat([run(branch, x) for branch in self.branches], axis=1)


class Residual(nn.Layer):
    """Branches on one input, added."""

    def __init__(self, layer: spec.Residual, builder: "Builder", path: str) -> None:
        super().__init__()
        self.branches = [builder.chain(self, branch, f"{path}.") for branch in layer.branches]

    def forward(self, x: Tensor) -> Tensor:
        return paddle.add_n([run(branch, x) for branch in self.branches])


class Auxiliary(nn.Layer):
    """A side head."""

    def __init__(self, layer: spec.Auxiliary, builder: "Builder", path: str) -> None:
        super().__init__()
        self.steps = builder.chain(self, layer.layers, f"{path}.")

    def forward(self, x: Tensor) -> Tensor:
        return run(self.steps, x)


class Trunk(nn.Layer):
    """The whole network: logits of the main head and, in training, of the auxiliary heads."""

    def __init__(self, layers: Iterable[spec.Layer], builder: "Builder") -> None:
        super().__init__()
        self.steps = builder.chain(self, layers, "")

    def forward(self, x: Tensor) -> list[Tensor]:
        heads = []
        for step in self.steps:
            if not isinstance(step, Auxiliary):
                x = step(x)
            elif self.training:
                heads.append(step(x))
        return [x, *heads]


class Builder:
    """Makes Paddle layers, and remembers which one gives which named activation."""

    def __init__(self, network: spec.Network) -> None:
        self.nodes = network.by_path
        self.taps: dict[str, nn.Layer] = {}

    def chain(self, parent: nn.Layer, layers: Iterable[spec.Layer], prefix: str) -> list[nn.Layer]:
        """Register the layers in ``parent``; return them in the order in which they run."""
        steps = []
        for layer in layers:
            for suffix, made in self.layers(layer, prefix + layer.name):
                parent.add_sublayer(layer.name + suffix, made)
                steps.append(made)
        return steps

    def layers(self, layer: spec.Layer, path: str) -> list[tuple[str, nn.Layer]]:
        """(name's suffix, layer): padding where the layer cannot pad by itself, layer, rectifier."""
        made = [*self.explicit_padding(layer), ("", self.layer(layer, path))]
        self.taps[path] = made[-1][1]
        if getattr(layer, "activation", None) == "relu":
            made.append(("_relu", nn.ReLU()))
            self.taps |= {f"{path}.linear": self.taps[path], path: made[-1][1]}
        return made

    def explicit_padding(self, layer: spec.Layer) -> list[tuple[str, nn.Layer]]:
        padding = getattr(layer, "padding", 0)
        if isinstance(padding, int) or isinstance(layer, spec.Conv):
            return []
        top, bottom, left, right = padding
        value = float("-inf") if isinstance(layer, spec.MaxPool) else 0.0
        return [("_pad", nn.Pad2D([left, right, top, bottom], value=value))]

    def layer(self, layer: spec.Layer, path: str) -> nn.Layer:
        padding = getattr(layer, "padding", 0)
        padding = padding if isinstance(padding, int) else 0  # else padded explicitly
        match layer:
            case spec.Conv():
                channels = self.nodes[path].input_shapes[0][0]
                sides = layer.padding if isinstance(layer.padding, int) else list(layer.padding)
                return nn.Conv2D(
                    channels, layer.filters, layer.kernel, layer.stride, sides, **_attributes(layer)
                )
            case spec.Dense():
                (features,) = self.nodes[path].input_shapes[0]
                return nn.Linear(features, layer.units, **_attributes(layer))
            case spec.MaxPool():
                return nn.MaxPool2D(layer.kernel, layer.stride, padding, ceil_mode=layer.ceil)
            case spec.AvgPool():
                exclusive = not layer.count_padding
                return nn.AvgPool2D(layer.kernel, layer.stride, padding, exclusive=exclusive)
            case spec.GlobalAvgPool():
                return nn.AdaptiveAvgPool2D(1)
            case spec.LocalResponseNorm():
                return nn.LocalResponseNorm(layer.size, layer.alpha, layer.beta, layer.k)
            case spec.Flatten():
                return nn.Flatten()
            case spec.Dropout():
                return nn.Dropout(layer.rate)
            case spec.Concat():
                return Concat(layer, self, path)
            case spec.Residual():
                return Residual(layer, self, path)
            case spec.Auxiliary():
                return Auxiliary(layer, self, path)
        raise TypeError(f"Paddle has no builder for {layer!r}")


def _attributes(layer: spec.Conv | spec.Dense) -> dict[str, Any]:
    """No framework initialiser: the weights come from the file."""
    zeros = paddle.ParamAttr(initializer=nn.initializer.Constant(0.0))
    return {"weight_attr": zeros, "bias_attr": zeros if layer.bias is not None else False}


# --- The protocol -------------------------------------------------------------------------


class Batch(NamedTuple):
    images: Tensor
    labels: Tensor | None


class PaddleNetwork:
    """A built network; see ``implementations.network.Built``."""

    def __init__(self, network: spec.Network, weights: Weights, settings: Settings, training: bool) -> None:
        self.network, self.device, self.precision = network, settings.device, settings.precision
        paddle.set_default_dtype(settings.precision)
        builder = Builder(network)
        self.module = Trunk(network.layers, builder)
        self._set_training(training)
        self.taps = builder.taps
        self.load(weights)

    def _set_training(self, training: bool) -> None:
        self.module.train() if training else self.module.eval()

    def parameters(self) -> dict[str, tuple[spec.Shape, bool]]:
        named = self.module.named_parameters()
        return {n: (_canonical(p).shape, not p.stop_gradient) for n, p in named}

    def load(self, weights: Weights) -> None:
        for path, parameter in self.module.named_parameters():
            value = weights[path].astype(self.precision, copy=False)
            parameter.set_value(value.T if value.ndim == 2 else value)

    def weights(self) -> dict[str, Array]:
        return {n: _canonical(p).copy() for n, p in self.module.named_parameters()}

    def outputs(self, images: Array) -> Array:
        training = self.module.training
        self._set_training(False)
        try:
            return self.infer(self.put(images)).numpy()
        finally:
            self._set_training(training)

    def activations(self, images: Array) -> dict[str, Array]:
        seen: dict[str, Array] = {}

        def watch(path: str, layer: nn.Layer) -> Any:
            def keep(layer: nn.Layer, inputs: tuple[Tensor, ...], output: Tensor) -> None:
                seen[path] = output.numpy().copy()

            return layer.register_forward_post_hook(keep)

        handles = [watch(path, layer) for path, layer in self.taps.items()]
        with paddle.no_grad():
            self.module(self.put(images).images)
        for handle in handles:
            handle.remove()
        return seen

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        self.module.clear_gradients()
        loss = self._loss(self.put(images, labels))
        loss.backward()
        named = self.module.named_parameters()
        gradients = {n: _canonical(p.grad).copy() for n, p in named if p.grad is not None}
        self.module.clear_gradients()
        return float(loss), gradients

    def export(self, path: Path) -> None:
        """By ``jit.save`` and paddle2onnx; ``paddle.onnx.export`` would install a package by itself."""
        import onnx
        import paddle2onnx

        for name, parameter in self.module.named_parameters():
            parameter.name = name  # parameters keep their paths in the file
        images = InputSpec([None, *self.network.input_shape], self.precision, "images")
        with tempfile.TemporaryDirectory(prefix="export-") as folder:
            saved = f"{folder}/model"
            paddle.jit.save(self.module, saved, input_spec=[images])
            # Any word that names no optimiser writes the file as converted.
            paddle2onnx.export(
                f"{saved}.json", f"{saved}.pdiparams", str(path), opset_version=OPSET, optimize_tool="none"
            )
        model = onnx.load(path)
        repair_pads(model)
        onnx.save(model, path)

    def put(self, images: Array, labels: Array | None = None) -> Batch:
        on_device = paddle.to_tensor(images, dtype=self.precision)
        return Batch(on_device, None if labels is None else paddle.to_tensor(labels, dtype="int64"))

    def infer(self, batch: Batch) -> Tensor:
        with paddle.no_grad():
            return self.module(batch.images)[0]

    def prepare_training(self, optimizer: Optimizer) -> None:
        parameters = self.module.parameters()
        if isinstance(optimizer, SGD):
            self.optimizer = paddle.optimizer.Momentum(
                optimizer.learning_rate, optimizer.momentum, parameters=parameters
            )
        else:
            self.optimizer = paddle.optimizer.Adam(
                optimizer.learning_rate,
                optimizer.beta1,
                optimizer.beta2,
                optimizer.epsilon,
                parameters=parameters,
            )

    def train_step(self, batch: Batch) -> Tensor:
        loss = self._loss(batch)
        loss.backward()
        self.optimizer.step()
        self.optimizer.clear_grad()
        return loss.detach()

    def _loss(self, batch: Batch) -> Tensor:
        logits = self.module(batch.images)
        losses = [
            head.loss_weight * functional.cross_entropy(x, batch.labels)
            for head, x in zip(self.network.heads, logits, strict=True)
        ]
        return paddle.add_n(losses)

    def synchronize(self) -> None:
        if self.device.startswith("cuda"):
            paddle.device.synchronize()

    def peak_device_bytes(self) -> int | None:
        return paddle.device.cuda.max_memory_allocated() if self.device.startswith("cuda") else None


def repair_pads(model: Any) -> int:
    """Set every Pad's fill value to 0; returns how many were not.

    paddle2onnx 2.1.0 writes uninitialised memory there when it converts local response
    normalisation: about every second file is wrong, and neither counts nor ONNX's checker see it.
    """
    import onnx

    fills = {node.input[2] for node in model.graph.node if node.op_type == "Pad" and len(node.input) > 2}
    repaired = 0
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output[0] in fills:
            tensor = node.attribute[0].t
            value = onnx.numpy_helper.to_array(tensor)
            repaired += int(not np.all(value == 0))
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.zeros_like(value), tensor.name))
    return repaired


def _canonical(parameter: Tensor) -> Array:
    """A parameter or gradient in the specification's layout."""
    value = np.asarray(parameter.numpy())
    return value.T if value.ndim == 2 else value
