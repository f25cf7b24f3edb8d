"""PaddlePaddle: the specification as nn.Layers."""

from implementations.adapter import Adapter

ADAPTERS = (Adapter("paddle", f"{__name__}.adapter", ("paddle",), rank=5),)
