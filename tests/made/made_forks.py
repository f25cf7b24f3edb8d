"""Hand-made results of forks, with numbers that a test can compute by itself."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import plan
from benchmarks.plan import Case
from benchmarks.results import Fork


def content_of(case: Case, seconds: list[float], steps: int = 5) -> dict[str, Any]:
    """What a fork of ``case`` writes when its blocks of ``steps`` steps took ``seconds``."""
    key = {
        **plan.as_data(case),
        "digest": "0" * 64,
        "provider": "cpu",
        "device_model": "a processor",
        "machine": "0123456789ab",
        "precision": "float32",
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


def fork_of(case: Case, median: float, disturbances: Sequence[str] = ()) -> Fork:
    """A fork of one block whose throughput is ``median`` images/s."""
    fields = content_of(case, [])["benchmarks"][0]["extra_info"]
    key, attributes = fields.pop("key"), fields.pop("attributes")
    fields = {**fields, "steps_per_block": 1, "watched": {"disturbances": list(disturbances)}}
    return Fork(Path("a-fork.json"), key, attributes, fields, (case.batch / median,))
