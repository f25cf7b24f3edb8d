"""Exported ONNX files: a child's task that writes one, and what a file declares.

Needs ``onnx`` beside the exporting framework; measuring an exported file does not import this.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from implementations import networks, weights
from implementations.errors import UserError
from implementations.files import replacing
from implementations.network import Framework, Settings

OPSET = 18  # the one that all exporters share


@dataclass(frozen=True)
class Summary:
    """What level 4 compares of a file before its values."""

    opset: int
    elements: int  # of float tensors with more than one element


def export(
    framework: Framework,
    *,
    settings: Settings,
    network: Mapping[str, Any],
    weights_path: str,
    model_path: str,
) -> None:
    """Write the inference network of this process's framework to ``model_path``: a child's task."""
    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    built = framework.build(specification, values, settings, training=False)
    with replacing(Path(model_path), "the exported model") as temporary:
        built.export(temporary)
        if not temporary.exists():  # some exporters log a failure and return
            raise RuntimeError(f"the exporter wrote no file for {specification.name}")


def summary(path: Path) -> Summary:
    """Opset and parameter count of a file that passes ONNX's checker; ``UserError`` otherwise."""
    try:
        onnx.checker.check_model(str(path))
        model = onnx.load(str(path))
    except Exception as error:  # protobuf and onnx raise unrelated classes
        raise UserError(
            f"the ONNX file is not valid ({type(error).__name__})",
            given=path,
            allowed="a file that ONNX's checker accepts",
            todo="delete the file so that it is exported again",
        ) from None
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    tensors = [*model.graph.initializer, *_constants(model)]
    floats = [t for t in tensors if t.data_type == onnx.TensorProto.FLOAT and math.prod(t.dims) > 1]
    return Summary(opset, sum(math.prod(t.dims) for t in floats))


def _constants(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    nodes = (node for node in model.graph.node if node.op_type == "Constant")
    return [a.t for node in nodes for a in node.attribute if a.name == "value"]
