"""A Paddle network as an ONNX file, by ``jit.save`` and paddle2onnx, repaired.

``paddle.onnx.export`` is not used: it would install a package over the network by itself.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import onnx
import paddle
import paddle2onnx
from paddle import Tensor, nn
from paddle.static import InputSpec

from implementations import spec
from implementations.frameworks import onnx_graph

OPSET = 18


def to_onnx(module: nn.Layer, parameters: Mapping[str, Tensor], network: spec.Network, path: Path) -> None:
    """Write ``module``, whose tensors by path are ``parameters``, for inference."""
    convert(module, parameters, network, path)
    model = onnx.load(path)
    onnx_graph.repair_pads(model)
    onnx_graph.name_constants(model, set(parameters))
    onnx.save(model, path)


def convert(module: nn.Layer, parameters: Mapping[str, Tensor], network: spec.Network, path: Path) -> None:
    """Write the file as paddle2onnx makes it: parameters are Constant nodes, and pads may be wrong."""
    for name, parameter in parameters.items():
        parameter.name = name  # parameters keep their paths in the file
    images = InputSpec([None, *network.input_shape], "float32", "images")
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        saved = f"{folder}/model"
        paddle.jit.save(module, saved, input_spec=[images])
        # Any word that names no optimiser writes the file as converted.
        paddle2onnx.export(
            f"{saved}.json", f"{saved}.pdiparams", str(path), opset_version=OPSET, optimize_tool="none"
        )
