"""ONNX Runtime: exported files, in inference."""

from implementations.adapter import Adapter

ADAPTERS = (Adapter("onnxruntime", f"{__name__}.adapter", ("onnxruntime",), trains=False, rank=6),)
