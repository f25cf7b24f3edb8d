"""What a frozen base makes of all images, computed once and kept: its head is then trained on that alone.

A child's part. Kept under all that the features depend on: the base and its weights, the images and how
they are prepared, and the framework's build, whose rounding is its own.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.data.batches import filled
from benchmarks.data.images import PARTS, ImageSet, Split
from benchmarks.data.preprocessing import Preprocessing, opencv_version
from benchmarks.evaluation import scores
from benchmarks.measure import CLOCK
from benchmarks.training import checkpoint
from implementations import provenance
from implementations.commandline import Notice
from implementations.errors import UserError
from implementations.files import replacing, sweep
from implementations.network import Built, Framework, Settings, Weights
from implementations.spec import Network

TOLD_EVERY_S = 2.0
PLAIN = Preprocessing()  # features are fed as they are
MAXIMUM = 1
SECONDS = "seconds.json"


@dataclass(frozen=True)
class Base:
    """A frozen base in one framework, and how images are prepared for it."""

    framework: Framework
    settings: Settings
    network: Network
    weights: Weights
    preprocessing: Preprocessing

    def features(self, data: ImageSet, folder: Path, tell: Notice) -> tuple[dict[str, Split], float]:
        """Features (n, height, width, channels) float32 of each part, mapped from files in ``folder``.

        Beside them the seconds that they took when they were computed.
        """
        place = folder / f"{self.network.name}-{self._key(data)[:16]}"
        if place.is_dir():
            tell(f"features of {self.network.name}: computed before")
        else:
            sweep(folder)
            self._compute_once(data, place, tell)
        found = {part: _mapped(place, part, getattr(data, part).labels) for part in PARTS}
        return found, float(json.loads((place / SECONDS).read_text()))

    def _key(self, data: ImageSet) -> str:
        total = hashlib.sha256()
        code = [provenance.source(), provenance.digest(checkpoint.CODE), opencv_version()]
        settings = [repr(self.settings), *code]
        about = [
            self.network.digest,
            data.sha256,
            repr(self.preprocessing),
            self.framework.versions(),
            settings,
        ]
        total.update(json.dumps(about, sort_keys=True).encode())
        for parameter in self.network.parameters:
            total.update(np.ascontiguousarray(self.weights[parameter.path]).tobytes())
        return total.hexdigest()

    def _compute_once(self, data: ImageSet, place: Path, tell: Notice) -> None:
        try:
            self._compute(data, place, tell)
        except UserError:
            if not place.is_dir():  # another training made them meanwhile
                raise

    def _compute(self, data: ImageSet, place: Path, tell: Notice) -> None:
        """Write the features of every part; the folder is there whole or not at all."""
        begun = CLOCK()
        built = self.framework.build(self.network, self.weights, self.settings, training=False)
        told = _Told(tell, sum(len(getattr(data, part)) for part in PARTS))
        with replacing(place, "the features") as temporary:
            temporary.mkdir(parents=True)
            for part in PARTS:
                self._write(built, data, part, temporary / f"{part}.npy", told)
            (temporary / SECONDS).write_text(json.dumps(CLOCK() - begun))

    def _write(self, built: Built, data: ImageSet, part: str, path: Path, told: "_Told") -> None:
        channels, *size = self.network.nodes[-1].output_shape
        split = getattr(data, part)
        kept = np.lib.format.open_memmap(path, "w+", np.float32, (len(split), *size, channels))
        start = 0
        batch = scores.batch_for(self.network.input_shape, len(split))
        for images, count in filled(split, batch, self.preprocessing, data.maximum):
            kept[start : start + count] = built.outputs(images)[:count].transpose(0, 2, 3, 1)
            start += count
            told.more(count)
        kept.flush()


@dataclass
class _Told:
    """How far it is, said now and then."""

    tell: Notice
    images: int
    done: int = 0
    told_at: float = 0.0

    def more(self, images: int) -> None:
        self.done += images
        if self.done == self.images or CLOCK() - self.told_at > TOLD_EVERY_S:
            self.told_at = CLOCK()
            self.tell(f"features: {self.done:,} of {self.images:,} images ({self.done / self.images:.0%})")


def _mapped(place: Path, part: str, labels: NDArray[np.int64]) -> Split:
    return Split(np.load(place / f"{part}.npy", mmap_mode="r", allow_pickle=False), labels)
