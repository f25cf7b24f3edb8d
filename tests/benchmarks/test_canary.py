"""The canary after a measurement: alive only if it is as far off as the precision makes it."""

import math

import pytest

from benchmarks.fork import require_alive

FAR = 8 * 2**-7  # of bfloat16, level 5


@pytest.mark.parametrize(("found", "precision"), [(0.0, "float32"), (1e-5, "float32"), (0.01, "bfloat16")])
def test_it_lives(found: float, precision: str) -> None:
    require_alive(found, FAR if precision == "bfloat16" else 2e-5, precision)


@pytest.mark.parametrize(
    ("found", "bound", "precision", "said"),
    [
        (1e-4, 2e-5, "float32", "off the certificate"),
        (math.inf, 2e-5, "float32", "off the certificate"),
        (math.nan, 2e-5, "float32", "off the certificate"),
        (0.1, FAR, "bfloat16", "off the certificate"),
        (1e-6, FAR, "bfloat16", "nearer than bfloat16 can be"),  # float32 under another name
    ],
)
def test_it_is_dead(found: float, bound: float, precision: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        require_alive(found, bound, precision)
