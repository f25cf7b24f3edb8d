"""Optimizers, weight decay and schedules as data: they belong to the specification. Standard library only.

Losses belong to the networks: ``spec.Loss``.

One name stands for several optimizers: frameworks differ in where epsilon stands, and in whether the
learning rate stands inside a velocity. ``FORMS`` lists the variants of each method; an adapter
declares which one its framework has, ``implementations.updates`` executes all of them.
docs/optimizer-forms.md has the formulas and what was measured.

Symbols: w parameter, g gradient, η learning rate, μ momentum, ε epsilon, t step from 1.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

# --- Weight decay -------------------------------------------------------------------------


@dataclass(frozen=True)
class Decay:
    """Weight decay of ``rate`` λ, for trained parameters only.

    Coupled (L2 in the loss): g ← g + λw before the method sees it. Decoupled (Loshchilov and Hutter
    2017): w ← w − ηλw, then the method's step from the gradient taken before.
    """

    rate: float
    kind: Literal["coupled", "decoupled"]
    biases: bool = True  # whether biases decay too

    def applies_to(self, path: str) -> bool:
        """Whether the parameter ``path`` decays."""
        return self.biases or not path.endswith(".bias")


# --- Optimizers ---------------------------------------------------------------------------


@dataclass(frozen=True)
class SGD:
    """Gradient descent, with a velocity if ``momentum`` is not 0; ``ValueError`` for Nesterov without one."""

    learning_rate: float
    momentum: float = 0.0
    nesterov: bool = False
    decay: Decay | None = None

    def __post_init__(self) -> None:
        if self.nesterov and not self.momentum:
            raise ValueError("Nesterov's step looks ahead along a velocity: it needs a momentum above 0")


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2014), bias-corrected; AdamW where the decay is decoupled."""

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    decay: Decay | None = None


@dataclass(frozen=True)
class Nadam:
    """Adam with Nesterov's look-ahead (Dozat 2016) and a momentum that grows: μₜ = β₁(1 − 0.96^(tψ)/2)."""

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    decay: Decay | None = None


@dataclass(frozen=True)
class Adamax:
    """Adam on the infinity norm (Kingma and Ba 2014, section 7.1)."""

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7
    decay: Decay | None = None


@dataclass(frozen=True)
class RMSprop:
    """Steps divided by a running root mean square (Tieleman and Hinton 2012); no momentum, not centred."""

    learning_rate: float = 0.001
    rho: float = 0.9
    epsilon: float = 1e-7
    decay: Decay | None = None


@dataclass(frozen=True)
class Adagrad:
    """Steps divided by the root of all squares so far (Duchi et al. 2011)."""

    learning_rate: float = 0.001
    initial_accumulator: float = 0.0
    epsilon: float = 1e-7
    decay: Decay | None = None


@dataclass(frozen=True)
class Adadelta:
    """Steps in proportion to a running mean of earlier steps (Zeiler 2012)."""

    learning_rate: float = 1.0
    rho: float = 0.95
    epsilon: float = 1e-7
    decay: Decay | None = None


Optimizer = SGD | Adam | Nadam | Adamax | RMSprop | Adagrad | Adadelta
METHODS: tuple[type[Optimizer], ...] = (SGD, Adam, Nadam, Adamax, RMSprop, Adagrad, Adadelta)

Forms = Mapping[type[Optimizer], str]  # one form for each method: what a framework declares

FORMS: Mapping[type[Optimizer], Mapping[str, str]] = {
    SGD: {
        "rate outside": "v ← μv + g; w ← w − ηv",
        "rate inside": "v ← μv + ηg; w ← w − v",
    },
    Adam: {
        "epsilon after correction": "w ← w − η m̂ / (√v̂ + ε)",
        "epsilon before correction": "w ← w − η √(1−β₂ᵗ)/(1−β₁ᵗ) · m / (√v + ε)",
        "uncorrected": "w ← w − η m / (√v + ε)",
    },
    Nadam: {
        "psi 1": "μₜ = β₁(1 − 0.96ᵗ/2)",
        "psi 0.004": "μₜ = β₁(1 − 0.96^(0.004t)/2)",
    },
    Adamax: {
        "epsilon with the gradient": "u ← max(β₂u, |g| + ε); w ← w − η/(1−β₁ᵗ) · m / u",
        "epsilon with the norm": "u ← max(β₂u + ε, |g|); w ← w − η/(1−β₁ᵗ) · m / u",
        "epsilon outside": "u ← max(β₂u, |g|); w ← w − η/(1−β₁ᵗ) · m / (u + ε)",
    },
    RMSprop: {
        "epsilon outside the root": "w ← w − η g / (√v + ε)",
        "epsilon inside the root": "w ← w − η g / √(v + ε)",
    },
    Adagrad: {
        "epsilon outside the root": "w ← w − η g / (√s + ε)",
        "epsilon inside the root": "w ← w − η g / √(s + ε)",
    },
    Adadelta: {"epsilon inside both roots": "d = g √(d̄ + ε) / √(v + ε); w ← w − ηd"},
}


# --- Schedules ----------------------------------------------------------------------------

Unit = Literal["step", "epoch", "sample"]


@dataclass(frozen=True)
class ConstantRate:
    """The same learning rate throughout."""

    initial: float

    def rate(self, position: int) -> float:
        """The learning rate; ``position`` does not matter."""
        return self.initial


@dataclass(frozen=True)
class SteppedRate:
    """Discrete exponential decay: initial · factor^⌊(position + offset) / every⌋, ``position`` from 0.

    Source A: ``SteppedRate(0.01, 0.96, every=8, unit="epoch", offset=1)``.
    Source D: ``SteppedRate(0.01, 0.1, every=35 * 128_000, unit="sample")``.
    """

    initial: float
    factor: float
    every: int
    unit: Unit  # what ``position`` and ``every`` count
    offset: int = 0

    def rate(self, position: int) -> float:
        """The learning rate at ``position`` (steps, epochs or samples done)."""
        return self.initial * self.factor ** ((position + self.offset) // self.every)


@dataclass(frozen=True)
class CosineRate:
    """Half a cosine from ``initial`` down to ``final`` over ``length`` (Loshchilov and Hutter 2016)."""

    initial: float
    length: int  # positions from ``initial`` to ``final``, which is kept afterwards
    unit: Unit
    final: float = 0.0

    def rate(self, position: int) -> float:
        """The learning rate at ``position`` (steps, epochs or samples done)."""
        share = min(position, self.length) / self.length
        return self.final + (self.initial - self.final) * (1 + math.cos(math.pi * share)) / 2


Schedule = ConstantRate | SteppedRate | CosineRate
