"""What is known of a framework before anything of it is imported. Standard library only."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Adapter:
    """How to load one framework, and what it can do: a row of the table ``network.ADAPTERS``.

    ``environment`` is set before anything is imported; ``{threads}`` and ``{device}`` stand for the
    process's settings.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    trains: bool = True
    exports: bool = True  # a framework that trains without an exporter is proven and timed all the same
    compiles: bool = False  # every network by XLA, which takes longer than the rest of its proof
    exports_as: str | None = None  # whose exporter writes its files, where its own backend has none
    rank: int = 100  # where it stands in tables; equals stand by name

    @property
    def writer(self) -> str:
        """The adapter whose process writes ONNX files of this one's weights."""
        return self.exports_as or self.name
