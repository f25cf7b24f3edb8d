"""Copies of image batches from the host to the device, one synchronisation a block."""

from collections.abc import Callable
from typing import Any

import pytest

from benchmarks.plan import Case


@pytest.mark.task("copy")
def test_copy(benchmark: Any, case: Case, measured: Callable[[Any], None]) -> None:
    measured(benchmark)
