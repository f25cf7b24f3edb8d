"""The formats by suffix: what is known of each before a file is opened. Standard library only."""

from dataclasses import dataclass
from pathlib import Path

from implementations.errors import UserError


@dataclass(frozen=True)
class Format:
    """One way to keep weights in a file; ``module`` of this package reads it.

    ``namings`` are those of ``namings.NAMINGS`` whose keys may stand in it, ours first. ``reader`` and
    ``writer`` name the framework whose process reads or writes it; ``None``: no framework is needed.
    """

    name: str
    module: str
    suffixes: tuple[str, ...]
    namings: tuple[str, ...]
    reader: str | None = None
    writer: str | None = None


ALSO_KERAS = ("keras-ours", "keras")
FORMATS = (
    Format("safetensors", "tensors", (".safetensors",), ("ours", "torchvision", "timm")),
    Format(
        "pytorch",
        "state_dict",
        (".pt", ".pth", ".bin"),
        ("ours", "torchvision", "timm"),
        "pytorch",
        "pytorch",
    ),
    Format("keras", "hdf5", (".weights.h5", ".keras"), ALSO_KERAS, None, "keras"),
    Format("hdf5", "hdf5", (".h5", ".hdf5"), ALSO_KERAS),
    Format("paddle", "pdparams", (".pdparams",), ("paddle-ours", "paddle"), None, "paddle"),
    Format("onnx", "graph", (".onnx",), ("ours",), None, "export"),
)
OURS = FORMATS[0]


def of(path: Path) -> Format:
    """The format of a file by its name's end, the longest first; ``UserError`` for any other end."""
    by_suffix = {suffix: each for each in FORMATS for suffix in each.suffixes}
    for suffix in sorted(by_suffix, key=len, reverse=True):
        if path.name.lower().endswith(suffix):
            return by_suffix[suffix]
    raise UserError(
        "the format of a weight file is not known by its name",
        given=path,
        allowed=f"a name that ends in {', '.join(sorted(by_suffix))}",
        todo="name the file for its format",
    )
