"""NumPy as a framework: what an adapter's folder lists. A copy of this folder is all it takes."""

from implementations.adapter import Adapter

ADAPTERS = (Adapter("toy-numpy", f"{__name__}.adapter", ("numpy",), exports=False),)
