"""Throughput of the main head in inference mode: images in blocks, one synchronisation a block."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.plan import Case


@pytest.mark.task("inference")
def test_inference(benchmark: Any, case: Case, measured: Callable[[Any], None]) -> None:
    measured(benchmark)
