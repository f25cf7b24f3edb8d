"""Single slips of a training that level 3 must catch: the proof of the proof, for optimizers.

A mutant hands a real adapter another optimizer or other rates than the reference, or declares that
its update has a form that it has not. Every one runs on the small MLP.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any

from implementations import bounds
from implementations.bounds import Known
from implementations.network import Framework, Settings
from implementations.training import (
    FORMS,
    SGD,
    Adagrad,
    Adam,
    Adamax,
    Decay,
    Forms,
    Nadam,
    Optimizer,
    RMSprop,
)
from implementations.trajectories import (
    BETA2,
    EPSILON,
    SHARED,
    STEPS,
    Trial,
    prove_handed,
    small_network,
    stepped,
)


@dataclass(frozen=True)
class TrainingMutant:
    """One slip of a training; level 3 must catch it wherever it can be expressed.

    Either the adapter is handed another optimizer or other rates than the reference, or its update is
    declared to have a form (one of ``declared``) that is not its own.
    """

    name: str
    slip: str
    optimizer: Optimizer
    handed: Optimizer | None = None
    rates: tuple[float, ...] | None = None
    declared: tuple[str, ...] = ()


ADAM = Adam(2**-6, 7 / 8, BETA2, EPSILON)
NO_BIASES = Decay(2**-5, "coupled", biases=False)

TRAINING_MUTANTS = (
    TrainingMutant(
        "momentum-order",
        "learning rate inside the velocity while the rate is stepped",
        SHARED,
        declared=("rate inside", "rate outside"),
    ),
    TrainingMutant(
        "nesterov", "Nesterov's step where plain momentum belongs", SHARED, SGD(2**-8, 7 / 8, nesterov=True)
    ),
    TrainingMutant(
        "rate-late",
        "learning rate stepped one step too late",
        SHARED,
        rates=(*[2**-8] * 6, *[2**-11] * 4),
    ),
    TrainingMutant("rate-constant", "learning rate never stepped", SHARED, rates=(2**-8,) * STEPS),
    TrainingMutant(
        "rate-factor",
        "learning rate stepped by 1/4 instead of 1/8",
        SHARED,
        rates=stepped(2**-8, STEPS, 2**-2),
    ),
    TrainingMutant(
        "decay-on-biases",
        "weight decay on biases too",
        dataclasses.replace(SHARED, decay=NO_BIASES),
        dataclasses.replace(SHARED, decay=Decay(2**-5, "coupled")),
    ),
    TrainingMutant(
        "decay-kind",
        "weight decay coupled instead of decoupled",
        dataclasses.replace(ADAM, decay=Decay(2**-5, "decoupled")),
        dataclasses.replace(ADAM, decay=Decay(2**-5, "coupled")),
    ),
    TrainingMutant(
        "decay-slightly-off",
        "weight decay off by a millionth",
        dataclasses.replace(SHARED, decay=Decay(2**-5, "coupled")),
        dataclasses.replace(SHARED, decay=Decay(2**-5 * (1 + 2**-20), "coupled")),
    ),
    TrainingMutant(
        "beta2",
        "Adam's second rate 1 - 2^-9 instead of 1 - 2^-10",
        ADAM,
        Adam(2**-6, 7 / 8, 1 - 2**-9, EPSILON),
    ),
    TrainingMutant("bias-correction", "Adam without its bias correction", ADAM, declared=("uncorrected",)),
    TrainingMutant(
        "adam-epsilon",
        "Adam's epsilon on the other side of the correction",
        ADAM,
        declared=tuple(FORMS[Adam])[:2],
    ),
    TrainingMutant(
        "nadam-psi",
        "Nadam's momentum growing with psi 0.004 instead of 1",
        Nadam(2**-6, 7 / 8, BETA2, EPSILON),
        declared=("psi 0.004",),
    ),
    TrainingMutant(
        "adamax-epsilon",
        "Adamax's epsilon in another place",
        Adamax(2**-6, 7 / 8, BETA2, EPSILON),
        declared=tuple(FORMS[Adamax]),
    ),
    TrainingMutant(
        "rmsprop-epsilon",
        "RMSprop's epsilon on the other side of the root",
        RMSprop(2**-6, 15 / 16, EPSILON),
        declared=tuple(FORMS[RMSprop]),
    ),
    TrainingMutant(
        "adagrad-epsilon",
        "Adagrad's epsilon on the other side of the root",
        Adagrad(2**-6, 0.0, EPSILON),
        declared=tuple(FORMS[Adagrad]),
    ),
    TrainingMutant(
        "adagrad-start",
        "Adagrad's squares starting at 1/8 instead of 0",
        Adagrad(2**-6, 0.0, EPSILON),
        Adagrad(2**-6, 2**-3, EPSILON),
    ),
)


def prove_mutants(framework: Framework, *, settings: Settings, name: str) -> list[dict[str, Any]]:
    """Every training mutant in this process's framework, a row for each way to express it: a child's task."""
    known, network = bounds.known_differences(name), small_network()
    return [
        _row(mutant, form, framework, Trial.on_probe(network, mutant.optimizer), settings, known)
        for mutant in TRAINING_MUTANTS
        for form in _wrong_forms(mutant, framework.forms())
    ]


def _wrong_forms(mutant: TrainingMutant, forms: Forms) -> list[str]:
    """Forms for the reference to execute: the adapter's own unless the slip is the declaration."""
    own = forms[type(mutant.optimizer)]
    return [form for form in mutant.declared if form != own] if mutant.declared else [own]


def _row(
    mutant: TrainingMutant,
    form: str,
    framework: Framework,
    trial: Trial,
    settings: Settings,
    known: Known,
) -> dict[str, Any]:
    handed = dataclasses.replace(
        trial, optimizer=mutant.handed or trial.optimizer, rates=mutant.rates or trial.rates
    )
    breach = prove_handed(framework, trial, handed, form, settings, known).breach
    return {
        "name": mutant.name,
        "slip": mutant.slip,
        "declared": form if mutant.declared else None,
        "first": breach.path if breach else None,
        "difference": breach.difference if breach else None,
        "caught": breach is not None,
    }
