"""Throughput of training steps: forward with all heads, weighted loss, all gradients, update."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.plan import Case


@pytest.mark.task("training")
def test_training(benchmark: Any, case: Case, measured: Callable[[Any], None]) -> None:
    measured(benchmark)
