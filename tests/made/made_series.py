"""Series as the history answers with, made up here: no database behind them."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.history.series import Point, Series

FIRST = datetime.datetime(2026, 1, 2, 1, 0, tzinfo=datetime.UTC)
KEY = {
    "network": "mlp",
    "digest": "0" * 64,
    "task": "inference",
    "batch": 32,
    "framework": "pytorch",
    "exporter": None,
    "provider": "cpu",
    "device_model": "a processor",
    "machine": "0123456789ab",
    "precision": "float32",
    "policy": "equal",
    "threads": 2,
    "method_version": 1,
}


def made_point(night: int, forks: Sequence[float], **fields: Any) -> Point:
    """A run of night ``night``, counted from 2 January 2026; its id is ``run-`` and that number."""
    values: dict[str, Any] = {
        "run": f"run-{night}",
        "started": FIRST + datetime.timedelta(days=night),
        "forks": tuple(forks),
        "metrics": {},
        "versions": {"torch": "2.13.0"},
        "commit": "c" * 40,
        "disturbed": 0,
        "ceilings": {},
        "sameness": {},
        "environment": {},
        "switches": {},
        "preset": "quick",
    }
    return Point(**{**values, **fields})


def made_series(points: Sequence[Point], **key: Any) -> Series:
    return Series({**KEY, **key}, tuple(points))


def nightly(
    nights: int,
    *,
    seed: int = 0,
    noise: float = 0.005,
    steps: Mapping[int, float] | None = None,
    fields: Mapping[int, Mapping[str, Any]] | None = None,
    **key: Any,
) -> Series:
    """Three forks a night around 1,000 images/s; from each night in ``steps`` on that many times as many."""
    generator = np.random.default_rng(seed)
    points, level, more = [], 1000.0, {}
    for night in range(nights):
        level *= (steps or {}).get(night, 1.0)
        more = {**more, **(fields or {}).get(night, {})}
        drawn = np.exp(noise * (generator.standard_normal() + generator.standard_normal(3)))
        points.append(made_point(night, [float(value) for value in level * drawn], **more))
    return made_series(points, **key)
