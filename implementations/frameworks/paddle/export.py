"""A Paddle network as an ONNX file, by ``jit.save`` and paddle2onnx, repaired.

``paddle.onnx.export`` is not used: it would install a package over the network by itself.
"""

import contextlib
import functools
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
    with _explicit_windows(module, network):
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


@contextlib.contextmanager
def _explicit_windows(module: nn.Layer, network: spec.Network) -> Iterator[None]:
    """Let adaptive pools with unlike windows be computed one window at a time meanwhile.

    paddle2onnx 2.1.0 makes of them a pool with one kernel and one stride, which is another function.
    """
    layers = dict(module.named_sublayers())
    unlike = {
        node.path: node.layer.size
        for node in network.nodes
        if isinstance(node.layer, spec.AdaptiveAvgPool)
        and any(length % node.layer.size for length in node.input_shapes[0][1:])
    }
    for path, size in unlike.items():
        layers[path].forward = functools.partial(_pooled, size)
    try:
        yield
    finally:
        for path in unlike:
            del layers[path].forward


def _pooled(size: int, x: Tensor) -> Tensor:
    """Mean over rows, then over columns: ``size`` windows each, as the specification cuts them."""
    for axis in (2, 3):
        length = x.shape[axis]
        bounds = [(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]
        cuts = [paddle.slice(x, [axis], [start], [end]) for start, end in bounds]
        x = paddle.concat([cut.mean(axis, keepdim=True) for cut in cuts], axis=axis)
    return x


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
