"""Hand-made results and image sets, with numbers that a test can compute by itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import plan
from benchmarks.data.images import ImageSet
from benchmarks.plan import Case


def content_of(case: Case, seconds: list[float], steps: int = 5) -> dict[str, Any]:
    """What a fork of ``case`` writes when its blocks of ``steps`` steps took ``seconds``."""
    key = {
        **plan.as_data(case),
        "digest": "0" * 64,
        "provider": "cpu",
        "device_model": "a processor",
        "machine": "0123456789ab",
        "precision": "float32",
        "policy": "equal",
        "threads": 2,
        "method_version": 1,
    }
    fields = {
        "schema_version": 1,
        "key": key,
        "attributes": {"versions": {"torch": "2"}, "certificate": "c", "fork": 1, "seed": 1},
        "classes": 10,
        "input_shape": [1, 28, 28],
        "parameters": 101770,
        "steps_per_block": steps,
        "phases_s": {"import": 1.0, "build": 0.5, "first_call": 0.25, "warmup": 2.0},
        "steady": True,
        "loss": None,
        "canary_difference": 0.0,
        "canary_bound": 1e-5,
        "peak_rss_bytes": 2**20,
        "peak_device_bytes": None,
    }
    return {
        "machine_info": {},
        "commit_info": {},
        "datetime": "2026-01-02T03:04:05",
        "version": "5.2.3",
        "benchmarks": [{"stats": {"data": seconds}, "extra_info": fields}],
    }


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
    """Six training and four test images of 1×2×3, every pixel another value."""
    pixels = np.arange(60, dtype=np.uint8).reshape(10, 1, 2, 3)
    labels = np.arange(10, dtype=np.int64)
    return ImageSet("made", "made", 255, pixels[:6], labels[:6], pixels[6:], labels[6:])
