"""What exporters leave to be done on an ONNX graph: parameters by path, sound constants.

No framework is needed here, so that what Paddle wrote can be looked at where Paddle is not loaded.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from implementations.network import Array

SHAPING = ("Cast", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze")
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]
Model = Any  # onnx.ModelProto, whose package has no types


def name_constants(model: Model, paths: set[str]) -> None:
    """Turn Constant nodes whose output is one of ``paths`` into initialisers of that name."""
    named = [n for n in model.graph.node if n.op_type == "Constant" and n.output[0] in paths]
    for node in named:
        tensor = model.graph.initializer.add()
        tensor.CopyFrom(node.attribute[0].t)
        tensor.name = node.output[0]
        model.graph.node.remove(node)


def pad_fills(model: Model) -> list[Any]:
    """The tensors that Pad nodes fill with, in the nodes' order."""
    constants = {n.output[0]: n.attribute[0].t for n in model.graph.node if n.op_type == "Constant"}
    return [constants[node.input[2]] for node in model.graph.node if node.op_type == "Pad"]


def repair_pads(model: Model, values: Sequence[float]) -> int:
    """Fill the Pad nodes with ``values``, in their order; returns how many were filled otherwise.

    paddle2onnx 2.1.0 loses these values and writes uninitialised memory: a file is wrong now and
    then, and neither counts nor ONNX's checker see it (docs/paddle2onnx-lrn.md). ``RuntimeError``
    if there are not as many nodes as values.
    """
    fills = pad_fills(model)
    if len(fills) != len(values):
        raise RuntimeError(f"{len(values)} pads were exported, the file has {len(fills)}")
    wrong = 0
    for tensor, value in zip(fills, values, strict=True):
        found = onnx.numpy_helper.to_array(tensor)
        wrong += int(not np.all(found == value))
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.full_like(found, value), tensor.name))
    return wrong


def fill_input(model: Model, name: str, path: str, value: Array) -> None:
    """Make of the input ``name`` the initialiser ``path`` with ``value``, in the specification's layout.

    What only turned the input into that layout is taken out; a sum after a convolution becomes its
    bias. A dense weight is stored as it is multiplied, ``[in, out]``.
    """
    graph = model.graph
    graph.input.remove(next(value for value in graph.input if value.name == name))
    users = _users(graph, name)
    while len(users) == 1 and users[0].op_type in SHAPING:
        graph.node.remove(users[0])
        name = users[0].output[0]
        users = _users(graph, name)
    for node in users:
        node.input[list(node.input).index(name)] = path
        if node.op_type == "Add" and value.ndim == 1:
            _merge_bias(graph, node, path)
    stored = value.T if value.ndim == 2 and any(node.op_type == "MatMul" for node in users) else value
    graph.initializer.append(onnx.numpy_helper.from_array(np.ascontiguousarray(stored), path))


def _merge_bias(graph: Any, total: Any, bias: str) -> None:
    """Make the sum ``total`` of a convolution and ``bias`` the convolution's own."""
    convolved = next(name for name in total.input if name != bias)
    maker = _maker(graph, convolved)
    if (
        maker is not None
        and maker.op_type == "Conv"
        and len(maker.input) == 2
        and len(_users(graph, convolved)) == 1
    ):
        maker.input.append(bias)
        maker.output[0] = total.output[0]
        graph.node.remove(total)


def flatten_channels_first(model: Model, weight: str) -> None:
    """Let what a dense layer multiplies with ``weight`` be flattened in channel, height, width order.

    The transposition to channels last before the flatten goes; where it stands further up, the way
    back is added.
    """
    graph = model.graph
    product = next(node for node in graph.node if node.op_type == "MatMul" and weight in node.input)
    flatten = _maker(graph, product.input[0])
    before = _maker(graph, flatten.input[0])
    if before.op_type == "Transpose" and list(before.attribute[0].ints) == TO_CHANNELS_LAST:
        flatten.input[0] = before.input[0]
        if not _users(graph, before.output[0]):
            graph.node.remove(before)
        return
    back = onnx.helper.make_node(
        "Transpose", [flatten.input[0]], [f"{flatten.input[0]}.channels_first"], perm=TO_CHANNELS_FIRST
    )
    flatten.input[0] = back.output[0]
    graph.node.insert(list(graph.node).index(flatten), back)


def _users(graph: Any, name: str) -> list[Any]:
    return [node for node in graph.node if name in node.input]


def _maker(graph: Any, name: str) -> Any:
    """The node that gives ``name``; ``None`` for an input or a constant."""
    return next((node for node in graph.node if name in node.output), None)
