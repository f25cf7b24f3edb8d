"""Level 5: neither too far from the reference nor nearer than the precision can be."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reference_adapter import ReferenceFramework

from implementations import bounds, networks, reduced, weights
from implementations.network import Settings
from implementations.sameness import Case, Finding

MLP = networks.build("mlp")
SETTINGS = Settings()


@pytest.fixture
def case() -> Case:
    return Case.on_probe(MLP, weights.probe(MLP, 0))


def proven(case: Case, *wanted: str, framework: Any = None) -> list[Finding]:
    return list(reduced.prove(framework or ReferenceFramework(), case, SETTINGS, wanted))


def test_rounding_is_reported_and_passes(case: Case) -> None:
    (finding,) = proven(case, "float16")
    assert finding.passed
    assert (finding.level, finding.precision) == (5, "float16")
    # Half a unit in the last place, of a logit that is at most the largest.
    assert 2**-13 < finding.largest <= 2**-11


def test_a_precision_that_is_only_claimed_is_caught(case: Case) -> None:
    (finding,) = proven(case, "bfloat16")
    assert not finding.passed
    assert finding.breach
    assert finding.breach.got == "nearer than bfloat16 can be"


def test_what_is_not_offered_is_not_compared(case: Case) -> None:
    assert proven(case, "tf32") == []


@pytest.mark.parametrize(("precision", "units"), [("bfloat16", 2**-7), ("float16", 2**-10), ("tf32", 2**-10)])
def test_the_bound_is_eight_units_of_the_largest_logit(precision: str, units: float) -> None:
    expected = np.array([[4.0, -1.0]])
    settings = Settings(precision=precision)

    def moved(by: float) -> Finding:
        got = expected + np.array([[0.0, by * 4.0 * units]])
        return reduced.judged("logits", got, expected, settings)

    assert bounds.UNITS[precision] == units
    assert moved(7.9).passed
    assert not moved(8.1).passed
    assert moved(0.02).passed
    assert not moved(0.01).passed


# --- Gradients ----------------------------------------------------------------------------


class Rounding(ReferenceFramework):
    """Gradients rounded to float16, or what a slip makes of them."""

    def __init__(self, slip: Callable[[Any], Any] = lambda gradient: gradient.astype(np.float16)) -> None:
        self.slip = slip

    def build(self, *given: Any, **options: Any) -> Any:
        built = super().build(*given, **options)
        exact = built.gradients

        def gradients(images: Any, labels: Any) -> Any:
            loss, found = exact(images, labels)
            return loss, {path: self.slip(gradient) for path, gradient in found.items()}

        built.gradients = gradients
        return built


def in_training(case: Case, framework: Any) -> Finding:
    return reduced.prove_training(framework, case, Settings(precision="float16"), {})


def test_gradients_may_be_rounded(case: Case) -> None:
    found = in_training(case, Rounding())
    assert found.passed, found.breach
    assert (found.level, found.mode, found.precision) == (5, "gradients", "float16")
    assert found.compared == 1 + len(MLP.parameters)


@pytest.mark.parametrize(
    "slip",
    [lambda g: -g, lambda g: 0 * g, lambda g: 1.1 * g, lambda g: g * np.nan],
    ids=["sign", "nothing", "scale", "nan"],
)
def test_wrong_gradients_are_caught_through_the_rounding(slip: Callable[[Any], Any], case: Case) -> None:
    assert not in_training(case, Rounding(slip)).passed


def test_gradients_that_are_only_claimed_to_be_reduced_are_caught(case: Case) -> None:
    found = in_training(case, Rounding(lambda gradient: gradient))
    assert found.breach
    assert found.breach.got == "nearer than float16 can be"


def test_an_overflow_is_a_breach() -> None:
    settings = Settings(precision="float16")
    got = reduced.judged("logits", np.array([[np.inf, 1.0]]), np.array([[1e5, 1.0]]), settings)
    assert not got.passed


def test_another_network_is_caught_through_the_rounding(case: Case) -> None:
    class Slipped(ReferenceFramework):
        def build(self, network: Any, values: Any, settings: Settings, *, training: bool) -> Any:
            changed = {path: value * np.float32(1.02) for path, value in values.items()}
            return super().build(network, changed, settings, training=training)

    (finding,) = proven(case, "float16", framework=Slipped())
    assert not finding.passed


@pytest.mark.parametrize(
    ("precision", "largest", "fits"),
    [
        ("float16", 16_000.0, True),
        ("float16", -20_000.0, False),
        ("bfloat16", 1e30, True),
        ("tf32", 1e30, True),
    ],
)
def test_only_float16_has_a_narrower_range(precision: str, largest: float, fits: bool) -> None:
    assert reduced.fits(precision, [np.ones(3), np.array([[1.0, largest]])]) is fits


def test_float16_is_left_out_where_the_network_is_beyond_its_range(case: Case) -> None:
    scaled = {path: 300 * value for path, value in case.weights.items()}
    huge = Case(case.network, scaled, case.images, case.labels)
    assert proven(huge, "float16") == []
    assert [finding.precision for finding in proven(huge, "float16", "bfloat16")] == ["bfloat16"]
