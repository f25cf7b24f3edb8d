"""ONNX Runtime: exported files, in inference."""

from implementations.adapter import Adapter

# onnx too: level 4 checks the file itself, its graph and its parameters.
ADAPTERS = (Adapter("onnxruntime", f"{__name__}.adapter", ("onnxruntime", "onnx"), trains=False, rank=6),)
