"""What an ONNX file declares: the part of level 4 that needs no computing.

Needs ``onnx``, as exporting does; measuring an exported file does not import this.
"""

import collections
import math
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from implementations.network import Array
from implementations.spec import Dense, Network

OPSET = 18  # the one that all exporters share
FLOATS = {
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.DOUBLE,
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.BFLOAT16,
}
BRANCHES = ("If", "Loop", "Scan")  # what they hold may be computed for some batches only
RANDOM = ("Bernoulli", "Dropout", "Multinomial", "RandomNormal", "RandomUniform")  # and their "…Like"


def required(network: Network) -> dict[str, str]:
    """What the file of ``network`` (an inference network) must declare, in the words of ``declared``."""
    facts = {
        "checker": "accepted",
        "opset": str(OPSET),
        "inputs": "1, batch free",
        "outputs": "1, batch free",
    }
    arrays = {parameter.path: f"float32, {_shape(parameter.shape)}" for parameter in network.parameters}
    return facts | {"training-only nodes": "none", "branches and loops": "none"} | arrays


def described(path: Path) -> dict[str, Any]:
    """Size in bytes, and how often each operator occurs, the most frequent first; for tables."""
    try:
        nodes = _nodes(onnx.load(str(path)))
    except Exception:  # a file that cannot be read is level 4's to report
        nodes = []
    operators = collections.Counter(node.op_type for node in nodes).most_common()
    return {"file_bytes": path.stat().st_size, "nodes": len(nodes), "operators": dict(operators)}


class OnnxFile:
    """A file as its exporter wrote it."""

    def __init__(self, path: Path, network: Network) -> None:
        self.path, self.network = path, network

    @cached_property
    def complaint(self) -> str:
        """Why the file cannot be read, or ONNX's checker refuses it; empty if it is accepted."""
        try:
            onnx.checker.check_model(str(self.path))
            elsewhere = self.elsewhere
        except Exception as error:  # protobuf and onnx raise unrelated classes
            return f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"[:200]
        return f"{elsewhere!r} lies in another file" if elsewhere else ""

    @property
    def elsewhere(self) -> str:
        """The first tensor whose values are not in the file itself; empty if all are."""
        external = onnx.TensorProto.EXTERNAL
        return next((t.name for t in self.model.graph.initializer if t.data_location == external), "")

    @cached_property
    def model(self) -> Any:
        return onnx.load(str(self.path), load_external_data=False)  # nothing beside the file itself

    def declared(self) -> dict[str, str]:
        """What ``required`` lists, as the file has it, and every other float tensor of several elements.

        Single elements are operators' constants.
        """
        if self.complaint:
            return {"checker": self.complaint}
        graph = self.model.graph
        initializers = {tensor.name for tensor in graph.initializer}
        inputs = [value for value in graph.input if value.name not in initializers]
        facts = {
            "checker": "accepted",
            "opset": ", ".join(
                str(e.version) for e in self.model.opset_import if e.domain in ("", "ai.onnx")
            ),
            "inputs": _ends(inputs),
            "outputs": _ends(graph.output),
            "training-only nodes": _kinds(n for n in self.nodes if _trains(n)),
            "branches and loops": _kinds(n for n in self.nodes if n.op_type in BRANCHES),
        }
        found = {p: f"{array.dtype}, {_shape(array.shape)}" for p, array in self.parameters.items()}
        return facts | found | self.others

    @cached_property
    def parameters(self) -> dict[str, Array]:
        """The initialisers whose names are the network's parameters, in the specification's layout."""
        wanted = {parameter.path for parameter in self.network.parameters}
        found = {
            t.name: t for t in self.model.graph.initializer if t.name in wanted and t.data_type in FLOATS
        }
        return {name: self._canonical(name, onnx.numpy_helper.to_array(t)) for name, t in found.items()}

    @cached_property
    def others(self) -> dict[str, str]:
        """Float tensors of more than one element that are no parameter: where they are, and their shape."""
        named = [(t.name, t) for t in self.model.graph.initializer if t.name not in self.parameters]
        held = [(node.output[0], a) for node in self.nodes for a in node.attribute]
        named += [(name, a.t) for name, a in held if a.HasField("t")]
        named += [(t.values.name, t.values) for t in self.model.graph.sparse_initializer]
        others = {name: tuple(t.dims) for name, t in named if t.data_type in FLOATS and math.prod(t.dims) > 1}
        lists = [(name, len(a.floats)) for name, a in held if a.name == "value_floats"]
        others |= {name: (length,) for name, length in lists if length > 1}
        return {f"{name} (no parameter)": _shape(shape) for name, shape in others.items()}

    def _canonical(self, name: str, value: Array) -> Array:
        """``[out, in]`` of a dense weight that the graph multiplies as ``[in, out]``; else as it is."""
        is_dense = self._is_dense(name) and value.ndim == 2
        return value.T if is_dense and name in self._right_factors else value

    @property
    def of_unknown_layout(self) -> str:
        """The first dense weight that no node multiplies by as it is; empty if all are so used."""
        factors = {node.input[1] for node in self.nodes if node.op_type in ("MatMul", "Gemm")}
        dense = (p.path for p in self.network.parameters if self._is_dense(p.path) and len(p.shape) == 2)
        return next((path for path in dense if path in self.parameters and path not in factors), "")

    def _is_dense(self, path: str) -> bool:
        return isinstance(self.network.by_path[path.rpartition(".")[0]].layer, Dense)

    @cached_property
    def _right_factors(self) -> set[str]:
        """Tensors that are multiplied from the right as they are: their columns are the outputs."""
        return {
            node.input[1]
            for node in self.nodes
            if node.op_type == "MatMul"
            or (node.op_type == "Gemm" and not any(a.name == "transB" and a.i for a in node.attribute))
        }

    @cached_property
    def nodes(self) -> list[Any]:
        return _nodes(self.model)

    def evaluate(self, images: Array) -> Array:
        """Main logits by ONNX's own reference implementation in Python: slow, and nobody's product."""
        from onnx.reference import ReferenceEvaluator

        (only,) = (i for i in self.model.graph.input)
        shape = [dim.dim_value for dim in only.type.tensor_type.shape.dim]
        is_channels_last = tuple(shape[1:]) != images.shape[1:]
        given = images.transpose(0, 2, 3, 1) if is_channels_last else images
        (found,) = ReferenceEvaluator(self.model).run(None, {only.name: np.ascontiguousarray(given)})
        is_map = found.ndim == 4  # a base's features
        return np.asarray(found.transpose(0, 3, 1, 2) if is_map and is_channels_last else found)


def _nodes(model: Any) -> list[Any]:
    """All nodes, those of nested graphs and of local functions included."""
    parts = [model.graph.node, *(function.node for function in model.functions)]
    return [node for part in parts for node in _walk(part)]


def _walk(nodes: Any) -> Iterator[Any]:
    for node in nodes:
        yield node
        for attribute in node.attribute:
            for graph in (attribute.g, *attribute.graphs):
                yield from _walk(graph.node)


def _kinds(nodes: Iterable[Any]) -> str:
    return ", ".join(sorted({node.op_type for node in nodes})) or "none"


def _trains(node: Any) -> bool:
    """Whether a node belongs to training: it draws random numbers, or updates statistics."""
    is_updating = any(a.name == "training_mode" and a.i for a in node.attribute)
    return is_updating or node.op_type.removesuffix("Like") in RANDOM


def _ends(values: Any) -> str:
    """How many inputs or outputs, and whether their first dimension is free."""
    first = [value.type.tensor_type.shape.dim[:1] for value in values]
    fixed = [str(dims[0].dim_value) for dims in first if dims and dims[0].dim_value > 0]
    return f"{len(values)}, batch {'fixed at ' + ', '.join(fixed) if fixed else 'free'}"


def _shape(shape: Any) -> str:
    return f"shape {tuple(shape)}"
