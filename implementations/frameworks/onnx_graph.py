"""What exporters leave to be done on an ONNX graph: parameters by path, sound constants.

No framework is needed here, so that what Paddle wrote can be looked at where Paddle is not loaded.
"""

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
    """The tensors of the Constant nodes that Pad nodes fill with."""
    fills = {node.input[2] for node in model.graph.node if node.op_type == "Pad" and len(node.input) > 2}
    constants = (node for node in model.graph.node if node.op_type == "Constant")
    return [node.attribute[0].t for node in constants if node.output[0] in fills]


def repair_pads(model: Model) -> int:
    """Set the Pads' fill values to 0 but for −inf, which max pools need; returns how many were wrong.

    paddle2onnx 2.1.0 writes uninitialised memory there when it converts local response
    normalisation: about every second file is wrong, and neither counts nor ONNX's checker see it
    (docs/paddle2onnx-lrn.md).
    """
    values = [(tensor, onnx.numpy_helper.to_array(tensor)) for tensor in pad_fills(model)]
    wrong = [(tensor, value) for tensor, value in values if not np.all((value == 0) | (value == -np.inf))]
    for tensor, value in wrong:
        tensor.CopyFrom(onnx.numpy_helper.from_array(np.zeros_like(value), tensor.name))
    return len(wrong)
