"""A PyTorch network as an ONNX file, by ``torch.export``."""

from pathlib import Path

import torch
from torch import nn

from implementations import spec

OPSET = 18


def to_onnx(module: nn.Module, network: spec.Network, path: Path) -> None:
    dtype = next(module.parameters()).dtype
    example = torch.zeros((2, *network.input_shape), dtype=dtype)
    program = torch.onnx.export(
        module,
        (example,),
        opset_version=OPSET,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes={"x": {0: "batch"}},
        dynamo=True,
        optimize=False,
        verbose=False,
    )
    _optimize(program, set(module.state_dict()))
    program.save(path, external_data=False)


def _optimize(program: torch.onnx.ONNXProgram, paths: set[str]) -> None:
    """The exporter's own optimiser, kept from the parameters.

    It folds batch norm into convolutions and makes one of two equal biases, so that paths get lost.
    What a caller may set it leaves alone: meanwhile the parameters are inputs.
    """
    graph = program.model.graph
    images = list(graph.inputs)
    graph.inputs.extend(value for name, value in graph.initializers.items() if name in paths)
    program.optimize()
    del graph.inputs[len(images) :]
