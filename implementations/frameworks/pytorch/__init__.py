"""PyTorch: the specification as nn.Modules."""

from implementations.adapter import Adapter

ADAPTERS = (Adapter("pytorch", f"{__name__}.adapter", ("torch",), rank=1),)
