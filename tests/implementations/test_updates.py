"""The optimizers of the reference: first steps by hand, forms apart, decay, frozen parameters, schedules."""

import dataclasses
import math

import numpy as np
import pytest

from implementations.training import (
    FORMS,
    METHODS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    ConstantRate,
    CosineRate,
    Decay,
    Nadam,
    Optimizer,
    RMSprop,
    SteppedRate,
)
from implementations.updates import Updater

W, G = 1.0, 0.5  # one parameter, one gradient: small numbers that a reader can follow
EXACT = 1e-15  # a handful of float64 operations on numbers near 1


def stepped(
    optimizer: Optimizer,
    form: str,
    *,
    gradients: tuple[float, ...] = (G,),
    rates: tuple[float, ...] | None = None,
    path: str = "layer.weight",
    trained: bool = True,
) -> float:
    """The parameter after one step for each gradient."""
    updater = Updater(optimizer, form, [path] if trained else [])
    weights = {path: np.array([W])}
    for number, gradient in enumerate(gradients):
        updater.rate = rates[number] if rates else updater.rate
        updater.apply(weights, {path: np.array([gradient])})
    return float(weights[path][0])


# --- First steps by hand ------------------------------------------------------------------
# Adam's family: after one step m = (1-b1) g and v = (1-b2) g^2, so both corrections give back g and g^2.

BETA1, BETA2, EPSILON, RATE = 0.75, 0.875, 0.25, 0.5
FIRST = [
    (SGD(RATE), "rate outside", W - 0.5 * 0.5),
    (SGD(RATE), "rate inside", W - 0.5 * 0.5),
    (SGD(RATE, 0.75), "rate outside", W - 0.5 * 0.5),
    (SGD(RATE, 0.75, nesterov=True), "rate outside", W - 0.5 * (0.5 + 0.75 * 0.5)),
    (SGD(RATE, 0.75, nesterov=True), "rate inside", W - (0.25 + 0.75 * 0.25)),
    (Adam(RATE, BETA1, BETA2, EPSILON), "epsilon after correction", W - 0.5 * 0.5 / (0.5 + 0.25)),
    (
        Adam(RATE, BETA1, BETA2, EPSILON),
        "epsilon before correction",  # the root of v is sqrt(1/8) * 0.5
        W - 0.5 * math.sqrt(0.125) / 0.25 * 0.125 / (math.sqrt(0.125) * 0.5 + 0.25),
    ),
    (
        Adam(RATE, BETA1, BETA2, EPSILON),
        "uncorrected",
        W - 0.5 * 0.125 / (math.sqrt(0.125) * 0.5 + 0.25),
    ),
    (
        Nadam(RATE, BETA1, BETA2, EPSILON),
        "psi 1",  # mu_1 = 0.75 (1 - 0.48) = 0.39, mu_2 = 0.75 (1 - 0.4608) = 0.4044
        W - 0.5 * (0.4044 * 0.125 / (1 - 0.39 * 0.4044) + (1 - 0.39) * 0.5 / (1 - 0.39)) / (0.5 + 0.25),
    ),
    (Adamax(RATE, BETA1, BETA2, EPSILON), "epsilon with the gradient", W - 0.5 / 0.25 * 0.125 / (0.5 + 0.25)),
    (Adamax(RATE, BETA1, BETA2, EPSILON), "epsilon with the norm", W - 0.5 / 0.25 * 0.125 / 0.5),
    (Adamax(RATE, BETA1, BETA2, EPSILON), "epsilon outside", W - 0.5 / 0.25 * 0.125 / (0.5 + 0.25)),
    (RMSprop(RATE, 0.75, EPSILON), "epsilon outside the root", W - 0.25 / (math.sqrt(0.0625) + 0.25)),
    (RMSprop(RATE, 0.75, EPSILON), "epsilon inside the root", W - 0.25 / math.sqrt(0.0625 + 0.25)),
    (Adagrad(RATE, 0.11, EPSILON), "epsilon outside the root", W - 0.25 / (math.sqrt(0.36) + 0.25)),
    (Adagrad(RATE, 0.11, EPSILON), "epsilon inside the root", W - 0.25 / math.sqrt(0.36 + 0.25)),
    (
        Adadelta(RATE, 0.75, EPSILON),
        "epsilon inside both roots",
        W - 0.5 * 0.5 * math.sqrt(0.25) / math.sqrt(0.0625 + 0.25),
    ),
]


@pytest.mark.parametrize(
    ("optimizer", "form", "expected"), FIRST, ids=lambda value: type(value).__name__ if value else None
)
def test_the_first_step_is_the_one_by_hand(optimizer: Optimizer, form: str, expected: float) -> None:
    assert stepped(optimizer, form) == pytest.approx(expected, rel=EXACT)


def test_every_form_has_a_first_step_by_hand() -> None:
    done = {(type(optimizer), form) for optimizer, form, _ in FIRST}
    every = {(method, form) for method, forms in FORMS.items() for form in forms}
    assert every - done == {(Nadam, "psi 0.004")}  # told from its sibling below


def test_the_second_step_of_a_velocity_is_the_one_by_hand() -> None:
    """v: 0.5, then 0.75 * 0.5 + 0.25 = 0.625."""
    outside = stepped(SGD(0.5, 0.75), "rate outside", gradients=(0.5, 0.25), rates=(0.5, 0.125))
    inside = stepped(SGD(0.5, 0.75), "rate inside", gradients=(0.5, 0.25), rates=(0.5, 0.125))
    assert outside == pytest.approx(W - 0.5 * 0.5 - 0.125 * 0.625, rel=EXACT)
    assert inside == pytest.approx(W - 0.25 - (0.75 * 0.25 + 0.125 * 0.25), rel=EXACT)


def test_the_second_step_of_adadelta_is_the_one_by_hand() -> None:
    first = 0.5 * math.sqrt(0.25) / math.sqrt(0.0625 + 0.25)
    steps, squares = 0.25 * first**2, 0.75 * 0.0625 + 0.25 * 0.0625
    second = 0.25 * math.sqrt(steps + 0.25) / math.sqrt(squares + 0.25)
    got = stepped(Adadelta(0.5, 0.75, 0.25), "epsilon inside both roots", gradients=(0.5, 0.25))
    assert got == pytest.approx(W - 0.5 * first - 0.5 * second, rel=EXACT)


def test_the_second_step_of_adamax_is_the_one_by_hand() -> None:
    """u: 0.5, then max(0.875 * 0.5, 0.25) = 0.4375; m: 0.125, then 0.15625; 1 - b1^2 = 0.4375."""
    got = stepped(Adamax(0.5, 0.75, 0.875, 0.0), "epsilon outside", gradients=(0.5, 0.25))
    assert got == pytest.approx(W - 0.5 / 0.25 * 0.125 / 0.5 - 0.5 / 0.4375 * 0.15625 / 0.4375, rel=EXACT)


# --- Forms --------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_each_form_differs_from_its_siblings(method: type[Optimizer]) -> None:
    optimizer = SGD(0.5, 0.75) if method is SGD else dataclasses.replace(method(), epsilon=0.01)  # type: ignore[call-arg]
    gradients, rates = (0.5, 0.25, -0.125, 0.0625), (0.5, 0.5, 0.125, 0.125)
    ends = {stepped(optimizer, form, gradients=gradients, rates=rates) for form in FORMS[method]}
    assert len(ends) == len(FORMS[method])
    assert all(math.isfinite(end) for end in ends)


def test_where_the_rate_stands_does_not_matter_while_it_is_constant() -> None:
    gradients = (0.5, 0.25, -0.125)
    outside, inside = (
        stepped(SGD(0.5, 0.75), form, gradients=gradients) for form in ("rate outside", "rate inside")
    )
    assert outside == pytest.approx(inside, rel=EXACT)


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="no form 'inside' of SGD: rate outside, rate inside"):
        Updater(SGD(0.5), "inside", [])


def test_nesterov_without_a_velocity_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a momentum"):
        SGD(0.5, nesterov=True)


# --- Decay and frozen parameters ----------------------------------------------------------


def test_a_coupled_decay_passes_through_the_velocity() -> None:
    """g + 0.25 w = 0.75; then w = 0.625, and g + 0.25 w = 0.65625."""
    optimizer = SGD(0.5, 0.75, decay=Decay(0.25, "coupled"))
    got = stepped(optimizer, "rate outside", gradients=(0.5, 0.5))
    assert got == pytest.approx(0.625 - 0.5 * (0.75 * 0.75 + 0.65625), rel=EXACT)


def test_a_decoupled_decay_passes_it_by() -> None:
    """w (1 - 0.5 * 0.25) - 0.5 * 0.5 = 0.625, then 0.625 * 0.875 - 0.5 * 0.875."""
    optimizer = SGD(0.5, 0.75, decay=Decay(0.25, "decoupled"))
    got = stepped(optimizer, "rate outside", gradients=(0.5, 0.5))
    assert got == pytest.approx(0.625 * 0.875 - 0.5 * 0.875, rel=EXACT)


def test_without_velocity_the_kinds_of_decay_are_one() -> None:
    ends = {stepped(SGD(0.5, decay=Decay(0.25, kind)), "rate outside") for kind in ("coupled", "decoupled")}
    assert ends == {W - 0.5 * (0.5 + 0.25)}


@pytest.mark.parametrize("kind", ["coupled", "decoupled"])
@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_biases_decay_only_if_they_are_meant_to(method: type[Optimizer], kind: str) -> None:
    form = next(iter(FORMS[method]))
    plain = method(learning_rate=0.5)
    sparing = method(learning_rate=0.5, decay=Decay(0.25, kind, biases=False))  # type: ignore[arg-type]
    including = method(learning_rate=0.5, decay=Decay(0.25, kind))  # type: ignore[arg-type]
    gradients = (0.5, 0.25)
    bias, weight = "layer.bias", "layer.weight"
    untouched = stepped(plain, form, gradients=gradients)
    assert stepped(sparing, form, gradients=gradients, path=bias) == untouched
    assert stepped(including, form, gradients=gradients, path=bias) != untouched
    assert stepped(sparing, form, gradients=gradients, path=weight) != untouched


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.__name__)
def test_what_is_not_trained_keeps_its_value_and_does_not_decay(method: type[Optimizer]) -> None:
    optimizer = method(learning_rate=0.5, decay=Decay(0.25, "decoupled"))
    assert stepped(optimizer, next(iter(FORMS[method])), trained=False) == W


# --- Schedules ----------------------------------------------------------------------------


def test_the_schedule_of_source_a() -> None:
    """0.01 * 0.96^floor((1 + epoch) / 8): the first step comes after seven epochs, then every eight."""
    schedule = SteppedRate(0.01, 0.96, every=8, unit="epoch", offset=1)
    assert [schedule.rate(epoch) for epoch in (0, 6)] == [0.01, 0.01]
    assert [schedule.rate(epoch) for epoch in (7, 14)] == [0.01 * 0.96] * 2
    assert schedule.rate(15) == schedule.rate(22) == 0.01 * 0.96**2
    assert schedule.rate(24) == 0.01 * 0.96**3  # the last of its 25 epochs


def test_the_schedule_of_source_d_never_fires_in_its_200_passes() -> None:
    schedule = SteppedRate(0.01, 0.1, every=35 * 128_000, unit="sample")
    assert schedule.rate(200 * 6149) == 0.01
    assert schedule.rate(35 * 128_000 - 1) == 0.01
    assert schedule.rate(35 * 128_000) == pytest.approx(0.001)
    assert schedule.rate(70 * 128_000) == pytest.approx(0.0001)


def test_a_constant_rate_is_constant() -> None:
    assert {ConstantRate(0.5).rate(position) for position in (0, 1, 10**9)} == {0.5}


def test_half_a_cosine_falls_from_its_initial_to_its_final_rate() -> None:
    schedule = CosineRate(0.1, length=8, unit="epoch", final=0.02)
    rates = [schedule.rate(position) for position in range(12)]
    assert rates[0] == pytest.approx(0.1, rel=1e-15)
    assert rates[4] == pytest.approx(0.06, rel=1e-15)  # half-way between
    assert rates[2] == pytest.approx(0.02 + 0.04 * (1 + math.sqrt(0.5)), rel=1e-15)
    assert rates[8:] == [pytest.approx(0.02, rel=1e-15)] * 4
    assert rates == sorted(rates, reverse=True)
