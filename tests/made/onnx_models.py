"""ONNX files made by hand: what an exporter should write for a tiny MLP, and ways to write it wrong."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from implementations import networks, spec, weights
from implementations.network import Settings
from implementations.onnx_file import OnnxFile
from implementations.sameness import Case

NETWORK = networks.build("mlp", classes=3, input_size=(4, 4))
VALUES = weights.probe(NETWORK, 0)
CASE = Case.on_probe(NETWORK, VALUES)

Change = Callable[[Any], None]


class OnnxReference:
    """A framework whose engine is ONNX's own reference implementation."""

    def build(self, network: spec.Network, path: Path, settings: Settings, *, training: bool) -> Any:
        class Built:
            def outputs(self, images: Any) -> Any:
                return OnnxFile(path, network).evaluate(images)

        return Built()


def written(
    path: Path, change: Change = lambda model: None, values: Mapping[str, Any] = VALUES, opset: int = 18
) -> Path:
    """The file of ``NETWORK`` with ``values``, after ``change`` was made to the model."""
    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("Gemm", ["flat", "hidden.weight", "hidden.bias"], ["hidden.linear"], transB=1),
        helper.make_node("Relu", ["hidden.linear"], ["hidden"]),
        helper.make_node("Gemm", ["hidden", "logits.weight", "logits.bias"], ["logits"], transB=1),
    ]
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 1, 4, 4])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 3])
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in values.items()]
    graph = helper.make_graph(nodes, "mlp", [images], [logits], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    change(model)
    onnx.save(model, path)
    return path


def initializer(model: Any, name: str) -> Any:
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def as_constant(model: Any) -> None:
    """As paddle2onnx leaves it: the parameter is a node's attribute."""
    tensor = initializer(model, "hidden.weight")
    node = helper.make_node("Constant", [], ["hidden.weight"], value=tensor)
    model.graph.initializer.remove(tensor)
    model.graph.node.insert(0, node)


def renamed(model: Any) -> None:
    initializer(model, "hidden.weight").name = "onnx::Gemm_7"
    model.graph.node[1].input[1] = "onnx::Gemm_7"


def folded(model: Any) -> None:
    """The rectified layer's bias became a product with another tensor's."""
    tensor = initializer(model, "hidden.bias")
    doubled = numpy_helper.from_array(np.stack([numpy_helper.to_array(tensor)] * 2), "hidden.bias")
    tensor.CopyFrom(doubled)


def as_double(model: Any) -> None:
    """The same numbers twice as wide, and computed with."""
    tensor = initializer(model, "hidden.weight")
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    model.graph.node.insert(1, helper.make_node("Cast", ["flat"], ["wide"], to=TensorProto.DOUBLE))
    model.graph.node[2].input[0] = "wide"
    bias = helper.make_node("Cast", ["hidden.bias"], ["wide.bias"], to=TensorProto.DOUBLE)
    model.graph.node.insert(2, bias)
    model.graph.node[3].input[2] = "wide.bias"
    model.graph.node[3].output[0] = "wide.linear"
    back = helper.make_node("Cast", ["wide.linear"], ["hidden.linear"], to=TensorProto.FLOAT)
    model.graph.node.insert(4, back)


def as_sparse(model: Any) -> None:
    """Two values more, kept as a sparse tensor."""
    values = helper.make_tensor("more", TensorProto.FLOAT, [2], [1.0, 2.0])
    indices = helper.make_tensor("places", TensorProto.INT64, [2], [0, 3])
    model.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))


def branching(model: Any) -> None:
    """Another output where a condition holds, which two batches need not meet."""
    yes = helper.make_tensor_value_info("chosen", TensorProto.FLOAT, None)
    branch = helper.make_graph([helper.make_node("Identity", ["scores"], ["chosen"])], "branch", [], [yes])
    model.graph.node[-1].output[0] = "scores"
    always = numpy_helper.from_array(np.array(True), "always")
    model.graph.node.append(helper.make_node("Constant", [], ["always"], value=always))
    node = helper.make_node("If", ["always"], ["logits"], then_branch=branch, else_branch=branch)
    model.graph.node.append(node)


def merged(model: Any) -> None:
    """Of two equal parameters one was kept."""
    model.graph.initializer.remove(initializer(model, "logits.bias"))
    model.graph.initializer.append(numpy_helper.from_array(np.zeros(3, np.float32), "val_0"))
    model.graph.node[3].input[2] = "val_0"


def one_more(model: Any) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.ones(2, np.float32), "auxiliary.bias"))


def one_more_double(model: Any) -> None:
    model.graph.initializer.append(numpy_helper.from_array(np.ones(2), "statistics"))


def listed(model: Any) -> None:
    model.graph.node.append(helper.make_node("Constant", [], ["list"], value_floats=[1.0, 2.0]))


def fixed_batch(model: Any) -> None:
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2


def fixed_output(model: Any) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = 2


def second_head(model: Any) -> None:
    model.graph.output.append(helper.make_tensor_value_info("hidden", TensorProto.FLOAT, ["batch", 128]))


def with_dropout(model: Any) -> None:
    model.graph.node.insert(3, helper.make_node("Dropout", ["hidden"], ["dropped"]))
    model.graph.node[4].input[0] = "dropped"


def with_training_statistics(model: Any) -> None:
    node = helper.make_node("BatchNormalization", [], ["a", "b", "c"], training_mode=1)
    node.input.extend(["flat", "one", "one", "one", "one"])
    model.graph.initializer.append(numpy_helper.from_array(np.ones(1, np.float32), "one"))
    model.graph.node.insert(1, node)


def unsorted(model: Any) -> None:
    model.graph.node.insert(0, model.graph.node.pop())


def without_relu(model: Any) -> None:
    model.graph.node[2].op_type = "Identity"


def as_matmul(model: Any) -> None:
    """As Keras and Paddle write a dense layer: ``[in, out]``, multiplied from the right."""
    tensor = initializer(model, "hidden.weight")
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).T.copy(), tensor.name))
    product = helper.make_node("MatMul", ["flat", "hidden.weight"], ["product"])
    total = helper.make_node("Add", ["product", "hidden.bias"], ["hidden.linear"])
    del model.graph.node[1]
    model.graph.node.insert(1, product)
    model.graph.node.insert(2, total)
