"""A Paddle network as an ONNX file, by ``jit.save`` and paddle2onnx, repaired.

``paddle.onnx.export`` is not used: it would install a package over the network by itself.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import paddle
import paddle2onnx
from paddle import nn
from paddle.static import InputSpec

from implementations import spec

OPSET = 18


def to_onnx(module: nn.Layer, network: spec.Network, path: Path) -> None:
    for name, parameter in module.named_parameters():
        parameter.name = name  # parameters keep their paths in the file
    images = InputSpec([None, *network.input_shape], "float32", "images")
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        saved = f"{folder}/model"
        paddle.jit.save(module, saved, input_spec=[images])
        # Any word that names no optimiser writes the file as converted.
        paddle2onnx.export(
            f"{saved}.json", f"{saved}.pdiparams", str(path), opset_version=OPSET, optimize_tool="none"
        )
    model = onnx.load(path)
    repair_pads(model)
    onnx.save(model, path)


def repair_pads(model: Any) -> int:
    """Set every Pad's fill value to 0; returns how many were not.

    paddle2onnx 2.1.0 writes uninitialised memory there when it converts local response
    normalisation: about every second file is wrong, and neither counts nor ONNX's checker see it.
    """
    fills = {node.input[2] for node in model.graph.node if node.op_type == "Pad" and len(node.input) > 2}
    repaired = 0
    for node in model.graph.node:
        if node.op_type == "Constant" and node.output[0] in fills:
            tensor = node.attribute[0].t
            value = onnx.numpy_helper.to_array(tensor)
            repaired += int(not np.all(value == 0))
            tensor.CopyFrom(onnx.numpy_helper.from_array(np.zeros_like(value), tensor.name))
    return repaired
