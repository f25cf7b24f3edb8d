"""A PyTorch network as an ONNX file, by ``torch.export``."""

from pathlib import Path

import torch
from torch import nn

from implementations import spec

OPSET = 18


def to_onnx(module: nn.Module, network: spec.Network, path: Path) -> None:
    dtype = next(module.parameters()).dtype
    example = torch.zeros((2, *network.input_shape), dtype=dtype)
    torch.onnx.export(
        module,
        (example,),
        path,
        opset_version=OPSET,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes={"x": {0: "batch"}},
        external_data=False,
        dynamo=True,
        verbose=False,
    )
