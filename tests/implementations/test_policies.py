"""Policies are data: a row for every framework and device, and a precision that the device multiplies."""

import pytest

from implementations import policies, provenance
from implementations.errors import UserError
from implementations.network import ADAPTERS
from implementations.policies import Switches


@pytest.mark.parametrize("framework", ADAPTERS)
@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
def test_equal_switches_nothing_on(framework: str, device: str) -> None:
    assert policies.switches("equal", framework, device) == Switches()


@pytest.mark.parametrize("framework", ADAPTERS)
@pytest.mark.parametrize("device", ["cpu", "cuda:1"])
def test_best_has_a_row_for_every_framework_and_device(framework: str, device: str) -> None:
    assert isinstance(policies.switches("best", framework, device), Switches)


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(UserError, match="unknown policy: given fastest; allowed: equal, best"):
        policies.switches("fastest", "pytorch", "cpu")


@pytest.mark.parametrize(
    ("flags", "device", "offered", "precision"),
    [
        ({"amx_bf16"}, "cpu", ("bfloat16", "float16"), "bfloat16"),
        ({"avx2"}, "cpu", ("bfloat16", "float16"), "float32"),  # it would be emulated
        ({"amx_bf16"}, "cpu", (), "float32"),
        (set(), "cuda:0", ("tf32", "bfloat16"), "bfloat16"),
        (set(), "cuda:0", ("float16",), "float32"),  # older than Ampere
    ],
)
def test_bfloat16_is_timed_where_the_device_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], device: str, offered: tuple[str, ...], precision: str
) -> None:
    monkeypatch.setattr(provenance, "cpu_flags", lambda: frozenset(flags))
    assert policies.mixed_precision(Switches(mixed=True), device, offered) == precision


def test_without_the_switch_it_is_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provenance, "cpu_flags", lambda: frozenset({"amx_bf16"}))
    assert policies.mixed_precision(Switches(), "cpu", ("bfloat16",)) == "float32"
