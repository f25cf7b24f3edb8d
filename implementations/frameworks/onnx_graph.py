"""What exporters leave to be done on an ONNX graph: parameters by path, sound constants.

No framework is needed here, so that what Paddle wrote can be looked at where Paddle is not loaded.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

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
