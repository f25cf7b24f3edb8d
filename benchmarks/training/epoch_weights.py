"""Weights after each epoch, in files beside a training's result; of the last so many epochs.

A file is written before the checkpoint that counts its epoch, and older ones are removed after it: whenever
the process is killed, what the checkpoint speaks of is there, and an epoch that is made again writes its file
anew.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from implementations import weights
from implementations.network import Weights


def save(path: Path, values: Weights) -> dict[str, str]:
    """Name and SHA-256 of ``path``, into which ``values`` were written in float32."""
    weights.save(path, {key: value.astype(np.float32) for key, value in values.items()})
    return {"file": path.name, "sha256": weights.sha256(path)}


@dataclass(frozen=True)
class Kept:
    """Files of the training in ``folder``, beside it; of its last ``count`` epochs, by default of none."""

    folder: Path
    count: int | None = None

    def save(self, epoch: int, values: Weights) -> None:
        """Write those after ``epoch``, if any are kept."""
        if self.count is not None:
            save(self._path(epoch), values)

    def forget(self, epoch: int) -> None:
        """Remove all but those of the last epochs up to ``epoch``; also what another training left there."""
        if self.count is not None:
            kept = {self._path(number) for number in range(epoch - self.count + 1, epoch + 1)}
            for _, path in self._files():
                if path not in kept:
                    path.unlink(missing_ok=True)

    def listed(self) -> list[dict[str, Any]]:
        """Epoch, name and SHA-256 of every file."""
        if self.count is None:
            return []
        found = sorted(self._files())
        return [{"epoch": n, "file": path.name, "sha256": weights.sha256(path)} for n, path in found]

    def _path(self, epoch: int) -> Path:
        return self.folder.with_name(f"{self.folder.name}-epoch{epoch}.safetensors")

    def _files(self) -> Iterable[tuple[int, Path]]:
        named = re.compile(rf"{re.escape(self.folder.name)}-epoch(\d+)\.safetensors")
        for path in list(self.folder.parent.iterdir()):
            if found := named.fullmatch(path.name):
                yield int(found[1]), path
