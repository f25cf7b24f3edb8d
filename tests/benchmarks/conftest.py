"""Hand-made results and image sets, with numbers that a test can compute by itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_forks import content_of

from benchmarks.data.images import ImageSet, Split
from benchmarks.plan import Case


@pytest.fixture
def case() -> Case:
    return Case("mlp", "training", 32, "pytorch")


@pytest.fixture
def content(case: Case) -> dict[str, Any]:
    """A good fork's content: blocks of 5 steps of 32 images in 0.5, 0.25 and 1 s."""
    return content_of(case, [0.5, 0.25, 1.0])


@pytest.fixture
def write_fork() -> Callable[..., Path]:
    """Writes a fork's file into a run folder: (folder, case, number, seconds)."""

    def write(folder: Path, case: Case, number: int, seconds: list[float]) -> Path:
        path = folder / "forks" / f"{case.slug}-fork{number}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content_of(case, seconds)))
        return path

    return write


@pytest.fixture
def images() -> ImageSet:
    """Six training, one validation and three test images of 2×3×1, every pixel another value."""
    pixels = np.arange(60, dtype=np.uint8).reshape(10, 2, 3, 1)
    labels = np.arange(10, dtype=np.int64)
    train, validation, test = (
        Split(pixels[chosen], labels[chosen]) for chosen in (slice(6), slice(6, 7), slice(7, None))
    )
    return ImageSet("made", "made", tuple("0123456789"), 255, train, validation, test)
