"""The definition, executed: forward pass, loss and gradients in NumPy float64.

Every framework is compared with this file alone. It is written to be read: one function forward and
one backward per layer, no speed beyond one matrix product per image. Dropout is the identity here,
because proofs run with dropout off. Batch norm alone knows two modes.

``backward`` works on given activations. With the reference's own it is the plain gradient; with an
adapter's float32 activations it is the same gradient on that adapter's ReLU masks and pool winners
(a replay), which is what float32 gradients can be compared with: a handful of flipped masks alone
moves them by 1e-3 to 2e-2.
"""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from implementations.spec import (
    INPUT,
    AdaptiveAvgPool,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    LocalResponseNorm,
    Loss,
    MaxPool,
    Network,
    Node,
    Residual,
    sides,
)

Array = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]


def forward(
    network: Network, weights: Arrays, images: ArrayLike, *, training: bool = False
) -> dict[str, Array]:
    """Every named activation of ``images`` (batch, channels, height, width), by path, dropout off.

    ``training`` matters to batch norm alone: the batch's statistics instead of the running ones.
    """
    activations = {INPUT: np.asarray(images, np.float64)}
    for node in network.nodes:
        inputs = [activations[path] for path in node.inputs]
        activations.update(outputs(node, weights, inputs, training=training))
    return activations


def outputs(node: Node, weights: Arrays, inputs: list[Array], *, training: bool = False) -> dict[str, Array]:
    """What one layer makes of ``inputs``, by path: its output, and before its activation ``….linear``."""
    output = _FORWARD[type(node.layer)](node.layer, _own(node, weights, training), *inputs)
    activation = getattr(node.layer, "activation", None)
    if activation is None:
        return {node.path: output}
    return {f"{node.path}.linear": output, node.path: _ACTIVATED[activation](output)}


def replay(network: Network, weights: Arrays, shown: Arrays, images: ArrayLike) -> dict[str, Array]:
    """Every layer in training mode on a framework's own activations ``shown``, instead of the reference's.

    Batch norm over a few values magnifies what rounding did before it; layer by layer nothing adds up.
    A layer whose inputs are not shown in their right shape is left out.
    """
    known = {INPUT: np.asarray(images), **shown}
    replayed = {INPUT: np.asarray(images, np.float64)}
    for node in network.nodes:
        pairs = zip(node.inputs, node.input_shapes, strict=True)
        if all(path in known and known[path].shape[1:] == shape for path, shape in pairs):
            inputs = [_float64(known[path]) for path in node.inputs]
            replayed.update(outputs(node, weights, inputs, training=True))
    return replayed


def loss(network: Network, activations: Arrays, labels: NDArray[Any]) -> float:
    """What ``network.loss`` says, each head counted with its loss weight."""
    return sum(
        head.loss_weight * _loss_and_gradient(network.loss, _float64(activations[head.path]), labels)[0]
        for head in network.heads
    )


def backward(
    network: Network, weights: Arrays, activations: Arrays, labels: NDArray[Any]
) -> dict[str, Array]:
    """The gradient of ``loss`` by path of every trained parameter, on the given ``activations``."""
    upstream: dict[str, Array] = {}
    for head in network.heads:
        _, gradient = _loss_and_gradient(network.loss, _float64(activations[head.path]), labels)
        upstream[head.path] = head.loss_weight * gradient
    gradients: dict[str, Array] = {}
    for node in reversed(network.nodes):
        gradient, output = upstream.pop(node.path), _float64(activations[node.path])
        if activation := getattr(node.layer, "activation", None):
            gradient = gradient * _SLOPE[activation](output)
        inputs = [_float64(activations[path]) for path in node.inputs]
        own_values = _own(node, weights, training=True)
        to_inputs, own = _BACKWARD[type(node.layer)](node.layer, own_values, inputs, gradient)
        gradients.update({f"{node.path}.{name}": value for name, value in own.items()})
        for path, value in zip(node.inputs, to_inputs, strict=True):
            upstream[path] = upstream[path] + value if path in upstream else value
    trained = {p.path for p in network.parameters if p.trainable}
    return {path: value for path, value in gradients.items() if path in trained}


def running_statistics(
    network: Network, weights: Arrays, activations: Arrays, *, unbiased: bool
) -> dict[str, Array]:
    """Running mean and variance of every batch norm after one training step, by path.

    ``unbiased``: whether the batch's variance enters divided by n − 1, the framework's declared form.
    """
    updated: dict[str, Array] = {}
    for node in network.nodes:
        layer = node.layer
        if not isinstance(layer, BatchNorm) or layer.frozen:
            continue
        x = _float64(activations[node.inputs[0]])
        count = x.size // x.shape[1]
        variance = x.var(axis=(0, 2, 3)) * (count / (count - 1) if unbiased else 1.0)
        for name, batch in (("running_mean", x.mean(axis=(0, 2, 3))), ("running_var", variance)):
            path = f"{node.path}.{name}"
            updated[path] = (1 - layer.momentum) * _float64(weights[path]) + layer.momentum * batch
    return updated


def _own(node: Node, weights: Arrays, training: bool) -> dict[str, Array]:
    """The node's parameters by their short names, in float64; in training no running statistics."""
    own = {p.path.removeprefix(f"{node.path}."): _float64(weights[p.path]) for p in node.parameters}
    if training and isinstance(node.layer, BatchNorm) and not node.layer.frozen:
        del own["running_mean"], own["running_var"]
    return own


def _float64(array: NDArray[Any]) -> Array:
    return np.asarray(array, np.float64)


# --- Activations, and their slopes as functions of what came out ---------------------------

_ACTIVATED: dict[str, Callable[[Array], Array]] = {
    "relu": lambda x: np.maximum(x, 0),
    "sigmoid": lambda x: np.exp(-np.logaddexp(0, -x)),
    "tanh": np.tanh,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
}
_SLOPE: dict[str, Callable[[Array], Array]] = {
    "relu": lambda y: np.where(y > 0, 1.0, 0.0),
    "sigmoid": lambda y: y * (1 - y),
    "tanh": lambda y: 1 - y**2,
    "elu": lambda y: np.where(y > 0, 1.0, y + 1),
}


# --- Loss ---------------------------------------------------------------------------------


def _loss_and_gradient(rule: Loss, logits: Array, labels: NDArray[Any]) -> tuple[float, Array]:
    """One head's loss, and its gradient with respect to ``logits`` (batch, classes)."""
    if rule.kind == "none":
        raise ValueError("a network without a loss has no gradient")
    targets = labels.reshape(logits.shape) if rule.kind == "sigmoid" else _rows(labels, logits)
    each, gradient = _LOSS[rule.kind](logits, _float64(targets))
    count = len(logits) if rule.reduction == "mean" else 1
    return float(each.sum() / count), gradient / count


def _rows(labels: NDArray[Any], logits: Array) -> Array:
    """Labels as rows of probabilities; an integer means its one-hot row."""
    return labels if labels.ndim == 2 else np.eye(logits.shape[1])[labels]


def _softmax(logits: Array, rows: Array) -> tuple[Array, Array]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -(rows * log_probabilities).sum(axis=1), np.exp(log_probabilities) - rows


def _sigmoid(logits: Array, targets: Array) -> tuple[Array, Array]:
    each = np.logaddexp(0, logits) - logits * targets
    return each, np.exp(-np.logaddexp(0, -logits)) - targets


def _squared(logits: Array, rows: Array) -> tuple[Array, Array]:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares = odds / odds.sum(axis=1, keepdims=True)
    slope = 2 * (shares - rows) / logits.shape[1]
    gradient = shares * (slope - (shares * slope).sum(axis=1, keepdims=True))
    return ((shares - rows) ** 2).mean(axis=1), gradient


_LOSS = {"softmax": _softmax, "sigmoid": _sigmoid, "squared": _squared}


# --- Windows ------------------------------------------------------------------------------


def _padded(x: Array, layer: Conv | MaxPool | AvgPool, value: float) -> Array:
    """``x`` with the layer's padding, and with what a last partial window needs, both ``value``."""
    top, bottom, left, right = sides(layer.padding)
    _, rows, columns = layer.output_shape(x.shape[1:])
    down = max(0, (rows - 1) * layer.stride + layer.kernel - (x.shape[2] + top + bottom))
    along = max(0, (columns - 1) * layer.stride + layer.kernel - (x.shape[3] + left + right))
    widths = ((0, 0), (0, 0), (top, bottom + down), (left, right + along))
    return np.pad(x, widths, constant_values=value)


def _windows(padded: Array, layer: Conv | MaxPool | AvgPool) -> Array:
    """(batch, channels, rows, columns, kernel, kernel), a view."""
    windows = sliding_window_view(padded, (layer.kernel, layer.kernel), axis=(2, 3))
    return windows[:, :, :: layer.stride, :: layer.stride]


def _scatter(windows: Array, layer: Conv | MaxPool | AvgPool, x: Array) -> Array:
    """The sum of overlapping ``windows`` back onto the unpadded shape of ``x``."""
    total = np.zeros(_padded(x, layer, 0.0).shape)
    rows, columns = windows.shape[2:4]
    for i in range(layer.kernel):
        for j in range(layer.kernel):
            bottom, right = i + rows * layer.stride, j + columns * layer.stride
            total[:, :, i : bottom : layer.stride, j : right : layer.stride] += windows[..., i, j]
    top, _, left, _ = sides(layer.padding)
    return total[:, :, top : top + x.shape[2], left : left + x.shape[3]]


# --- Layers forward -----------------------------------------------------------------------


def _conv(layer: Conv, own: Arrays, x: Array) -> Array:
    windows = _windows(_padded(x, layer, 0.0), layer)
    kernels = own["weight"].reshape(layer.filters, -1)
    output = np.stack([kernels @ _columns(image) for image in windows])
    output = output.reshape(len(x), layer.filters, *windows.shape[2:4])
    return output + own["bias"][:, None, None] if "bias" in own else output


def _columns(windows: Array) -> Array:
    """One image's windows as (channels · kernel · kernel, positions)."""
    channels, rows, columns, height, width = windows.shape
    return windows.transpose(0, 3, 4, 1, 2).reshape(channels * height * width, rows * columns)


def _dense(layer: Dense, own: Arrays, x: Array) -> Array:
    output = x @ own["weight"].T
    return output + own["bias"] if "bias" in own else output


def _max_pool(layer: MaxPool, own: Arrays, x: Array) -> Array:
    windows = _windows(_padded(x, layer, -np.inf), layer)
    places = np.ndindex(layer.kernel, layer.kernel)  # NumPy is slow along two short axes
    return functools.reduce(np.maximum, (windows[..., i, j] for i, j in places))


def _avg_pool(layer: AvgPool, own: Arrays, x: Array) -> Array:
    return np.asarray(_windows(_padded(x, layer, 0.0), layer).sum(axis=(4, 5)) / _divisor(layer, x))


def _divisor(layer: AvgPool, x: Array) -> Array:
    """Elements that count in each window, (rows, columns)."""
    ones = _padded(np.ones((1, 1, *x.shape[2:])), layer, 1.0 if layer.count_padding else 0.0)
    return np.asarray(_windows(ones, layer).sum(axis=(4, 5))[0, 0])


def _batch_norm(layer: BatchNorm, own: Arrays, x: Array) -> Array:
    standard, _ = _standardised(layer, own, x)
    return standard * _by_channel(own["weight"]) + _by_channel(own["bias"])


def _standardised(layer: BatchNorm, own: Arrays, x: Array) -> tuple[Array, Array]:
    """``x`` with mean 0 and variance 1, and the reciprocal deviation; by the batch's own statistics
    unless ``own`` has running ones.
    """
    mean = own["running_mean"] if "running_mean" in own else x.mean(axis=(0, 2, 3))
    variance = own["running_var"] if "running_var" in own else x.var(axis=(0, 2, 3))
    reciprocal = _by_channel(1 / np.sqrt(variance + layer.eps))
    return (x - _by_channel(mean)) * reciprocal, reciprocal


def _by_channel(values: NDArray[Any]) -> Array:
    return np.asarray(values)[:, None, None]


def _adaptive_avg_pool(layer: AdaptiveAvgPool, own: Arrays, x: Array) -> Array:
    rows, columns = (_shares(length, layer.size) for length in x.shape[2:])
    return np.asarray(rows @ x @ columns.T)


def _shares(length: int, count: int) -> Array:
    """(count, length): what each element counts in each window's mean."""
    shares = np.zeros((count, length))
    for i in range(count):
        start, end = i * length // count, -(-(i + 1) * length // count)
        shares[i, start:end] = 1 / (end - start)
    return shares


def _global_avg_pool(layer: GlobalAvgPool, own: Arrays, x: Array) -> Array:
    return np.asarray(x.mean(axis=(2, 3), keepdims=True))


def _local_response_norm(layer: LocalResponseNorm, own: Arrays, x: Array) -> Array:
    return np.asarray(x * _response_scale(layer, x) ** -layer.beta)


def _response_scale(layer: LocalResponseNorm, x: Array) -> Array:
    return layer.k + layer.alpha / layer.size * _channel_sums(x**2, layer.size)


def _channel_sums(x: Array, size: int) -> Array:
    """Sums over ``size`` neighbouring channels (odd), zero outside."""
    padded = np.pad(x, ((0, 0), (size // 2, size // 2), (0, 0), (0, 0)))
    return np.asarray(sliding_window_view(padded, size, axis=1).sum(axis=-1))


def _flatten(layer: Flatten, own: Arrays, x: Array) -> Array:
    return x.reshape(len(x), -1)


def _dropout(layer: Dropout, own: Arrays, x: Array) -> Array:
    return x


def _concat(layer: Concat, own: Arrays, *inputs: Array) -> Array:
    return np.concatenate(inputs, axis=1)


def _residual(layer: Residual, own: Arrays, *inputs: Array) -> Array:
    return np.asarray(sum(inputs[1:], start=inputs[0]))


# --- Layers backward: (layer, parameters, inputs, gradient) -> (to inputs, to parameters) -----

Backward = tuple[list[Array], dict[str, Array]]


def _conv_backward(layer: Conv, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    windows = _windows(_padded(inputs[0], layer, 0.0), layer)
    kernels = own["weight"].reshape(layer.filters, -1)
    flat = gradient.reshape(len(gradient), layer.filters, -1)
    to_kernels = sum(flat[i] @ _columns(windows[i]).T for i in range(len(flat)))
    to_columns = np.stack([kernels.T @ image for image in flat])
    channels, rows, columns = inputs[0].shape[1], *gradient.shape[2:]
    shape = (len(flat), channels, layer.kernel, layer.kernel, rows, columns)
    to_input = _scatter(to_columns.reshape(shape).transpose(0, 1, 4, 5, 2, 3), layer, inputs[0])
    to_own = {"weight": np.asarray(to_kernels).reshape(own["weight"].shape)}
    if "bias" in own:
        to_own["bias"] = gradient.sum(axis=(0, 2, 3))
    return [to_input], to_own


def _dense_backward(layer: Dense, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    to_own = {"weight": gradient.T @ inputs[0]}
    if "bias" in own:
        to_own["bias"] = gradient.sum(axis=0)
    return [gradient @ own["weight"]], to_own


def _max_pool_backward(layer: MaxPool, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    windows = _windows(_padded(inputs[0], layer, -np.inf), layer)
    flat = windows.reshape(*windows.shape[:4], -1)
    winner = flat.argmax(axis=-1)[..., None]  # the first maximum in row-major order
    routed = np.zeros(flat.shape)
    np.put_along_axis(routed, winner, gradient[..., None], axis=-1)
    return [_scatter(routed.reshape(windows.shape), layer, inputs[0])], {}


def _avg_pool_backward(layer: AvgPool, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    share = (gradient / _divisor(layer, inputs[0]))[..., None, None]
    windows = np.broadcast_to(share, (*gradient.shape, layer.kernel, layer.kernel))
    return [_scatter(windows, layer, inputs[0])], {}


def _global_avg_pool_backward(
    layer: GlobalAvgPool, own: Arrays, inputs: list[Array], gradient: Array
) -> Backward:
    positions = math.prod(inputs[0].shape[2:])
    return [np.broadcast_to(gradient / positions, inputs[0].shape)], {}


def _adaptive_avg_pool_backward(
    layer: AdaptiveAvgPool, own: Arrays, inputs: list[Array], gradient: Array
) -> Backward:
    rows, columns = (_shares(length, layer.size) for length in inputs[0].shape[2:])
    return [rows.T @ gradient @ columns], {}


def _batch_norm_backward(layer: BatchNorm, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    standard, reciprocal = _standardised(layer, own, inputs[0])
    to_own = {"weight": (gradient * standard).sum(axis=(0, 2, 3)), "bias": gradient.sum(axis=(0, 2, 3))}
    scaled = gradient * _by_channel(own["weight"])
    if "running_mean" in own:
        return [scaled * reciprocal], to_own
    mean = scaled.mean(axis=(0, 2, 3), keepdims=True)
    along = (scaled * standard).mean(axis=(0, 2, 3), keepdims=True)
    return [(scaled - mean - standard * along) * reciprocal], to_own


def _local_response_norm_backward(
    layer: LocalResponseNorm, own: Arrays, inputs: list[Array], gradient: Array
) -> Backward:
    x, scale = inputs[0], _response_scale(layer, inputs[0])
    across = _channel_sums(gradient * x * scale ** (-layer.beta - 1), layer.size)
    factor = 2 * layer.alpha / layer.size * layer.beta
    return [gradient * scale**-layer.beta - factor * x * across], {}


def _flatten_backward(layer: Flatten, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    return [gradient.reshape(inputs[0].shape)], {}


def _dropout_backward(layer: Dropout, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    return [gradient], {}


def _concat_backward(layer: Concat, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    ends = np.cumsum([x.shape[1] for x in inputs])[:-1]
    return np.split(gradient, ends, axis=1), {}


def _residual_backward(layer: Residual, own: Arrays, inputs: list[Array], gradient: Array) -> Backward:
    return [gradient] * len(inputs), {}


_FORWARD: dict[type[Layer], Callable[..., Array]] = {
    AdaptiveAvgPool: _adaptive_avg_pool,
    AvgPool: _avg_pool,
    BatchNorm: _batch_norm,
    Concat: _concat,
    Conv: _conv,
    Dense: _dense,
    Dropout: _dropout,
    Flatten: _flatten,
    GlobalAvgPool: _global_avg_pool,
    LocalResponseNorm: _local_response_norm,
    MaxPool: _max_pool,
    Residual: _residual,
}
_BACKWARD: dict[type[Layer], Callable[..., Backward]] = {
    AdaptiveAvgPool: _adaptive_avg_pool_backward,
    AvgPool: _avg_pool_backward,
    BatchNorm: _batch_norm_backward,
    Concat: _concat_backward,
    Conv: _conv_backward,
    Dense: _dense_backward,
    Dropout: _dropout_backward,
    Flatten: _flatten_backward,
    GlobalAvgPool: _global_avg_pool_backward,
    LocalResponseNorm: _local_response_norm_backward,
    MaxPool: _max_pool_backward,
    Residual: _residual_backward,
}
