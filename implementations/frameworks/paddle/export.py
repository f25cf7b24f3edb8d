"""A Paddle network as an ONNX file, by ``jit.save`` and paddle2onnx, repaired.

``paddle.onnx.export`` is not used: it would install a package over the network by itself.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
    pads = convert(module, parameters, network, path)
    model = onnx.load(path)
    onnx_graph.repair_pads(model, pads)
    onnx_graph.name_constants(model, set(parameters))
    onnx.save(model, path)


def convert(
    module: nn.Layer, parameters: Mapping[str, Tensor], network: spec.Network, path: Path
) -> list[float]:
    """Write the file as paddle2onnx makes it; return what its Pad nodes should fill with.

    Its parameters are Constant nodes, and its Pad nodes may be wrong.
    """
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
        return list(_pad_values(json.loads(Path(f"{saved}.json").read_text())))


def _pad_values(saved: Any) -> Iterator[float]:
    """``pad_value`` of every pad in a saved program, in its order; infinities are text there."""
    if isinstance(saved, dict):
        if str(saved.get("#", "")).endswith(".pad3d"):
            value = next(a["AT"] for a in saved["A"] if a["N"] == "pad_value")
            yield float(value["D"] if "D" in value else value["VD"])
        saved = list(saved.values())
    if isinstance(saved, list):
        for item in saved:
            yield from _pad_values(item)
