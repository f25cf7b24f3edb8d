"""Every optimizer in every framework against its declared form: the table of ``check --optimizers``.

Two sets of values for each method. Dyadic ones show that the form is the declared one (1e-12). A
recipe's ordinary ones show what is left of that where a framework rounds 0.9 or 0.999 to float32
(1e-5), and how far apart the forms of one method are after ten steps.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from implementations import bounds, trajectories
from implementations.bounds import Known
from implementations.errors import UserError
from implementations.network import Framework, Settings
from implementations.training import (
    FORMS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    Decay,
    Nadam,
    Optimizer,
    RMSprop,
)
from implementations.trajectories import BETA2, EPSILON, Trial

ORDINARY_BOUND = 1e-5
ORDINARY_STEP = 0.1


@dataclass(frozen=True)
class Method:
    """A method with dyadic values and with a recipe's ordinary ones."""

    title: str
    dyadic: Optimizer
    ordinary: Optimizer


METHODS = (
    Method("SGD", SGD(2**-6), SGD(0.01)),
    Method("SGD, momentum", SGD(2**-6, 7 / 8), SGD(0.01, 0.9)),
    Method("SGD, Nesterov", SGD(2**-6, 7 / 8, nesterov=True), SGD(0.01, 0.9, nesterov=True)),
    Method("Adam", Adam(2**-6, 7 / 8, BETA2, EPSILON), Adam(0.001, 0.9, 0.999, 1e-7)),
    Method("Nadam", Nadam(2**-6, 7 / 8, BETA2, EPSILON), Nadam(0.001, 0.9, 0.999, 1e-7)),
    Method("Adamax", Adamax(2**-6, 7 / 8, BETA2, EPSILON), Adamax(0.001, 0.9, 0.999, 1e-7)),
    Method("RMSprop", RMSprop(2**-6, 15 / 16, EPSILON), RMSprop(0.001, 0.9, 1e-7)),
    Method("Adagrad", Adagrad(2**-6, 2**-6, EPSILON), Adagrad(0.01, 0.0, 1e-7)),
    Method("Adadelta", Adadelta(1.0, 15 / 16, EPSILON), Adadelta(1.0, 0.95, 1e-7)),
)
DECAYS = (
    None,
    Decay(2**-5, "coupled"),
    Decay(2**-5, "coupled", biases=False),
    Decay(2**-5, "decoupled"),
    Decay(2**-5, "decoupled", biases=False),
)


def decay_title(decay: Decay | None) -> str:
    """The decay in two or three words."""
    if decay is None:
        return "none"
    return decay.kind if decay.biases else f"{decay.kind}, not biases"


def measure(framework: Framework, *, settings: Settings, name: str) -> list[dict[str, Any]]:
    """A row for every method and decay in this process's framework: a child's task."""
    known = bounds.known_differences(name)
    return [_row(framework, settings, method, decay, known) for method in METHODS for decay in DECAYS]


def _row(
    framework: Framework, settings: Settings, method: Method, decay: Decay | None, known: Known
) -> dict[str, Any]:
    form = framework.forms()[type(method.dyadic)]
    row = {"method": method.title, "decay": decay_title(decay), "form": form}
    trial = Trial.on_probe(trajectories.small_network(), dataclasses.replace(method.dyadic, decay=decay))
    try:
        finding = trajectories.prove(framework, trial, settings, known=known)
    except UserError as refused:
        return row | {"offered": False, "allowed": refused.parts["allowed"], "passed": True}
    found = {"offered": True, "dyadic": finding.as_data(), "passed": finding.passed}
    return row | found if decay is not None else row | _with_ordinary(framework, settings, method, found)


def _with_ordinary(
    framework: Framework, settings: Settings, method: Method, found: dict[str, Any]
) -> dict[str, Any]:
    """``found`` with the differences from every form at ordinary values: own and others' by name."""
    exact = dataclasses.replace(settings, precision="float64")
    trial = Trial.on_probe(trajectories.small_network(), method.ordinary)
    rates = trajectories.stepped(method.ordinary.learning_rate, trajectories.STEPS, ORDINARY_STEP)
    trial = dataclasses.replace(trial, rates=rates)
    *_, got = trajectories.by_framework(framework, trial, exact)
    apart = {}
    for form in FORMS[type(method.ordinary)]:
        *_, expected = trajectories.by_reference(trial, form)
        apart[form] = trajectories.compared(trial, expected, got, exact, ORDINARY_BOUND).largest
    passed = found["passed"] and apart[framework.forms()[type(method.ordinary)]] <= ORDINARY_BOUND
    return {**found, "ordinary": apart, "passed": passed}
