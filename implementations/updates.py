"""The optimizers, executed: every form of ``training.FORMS`` in NumPy float64.

One function a method: from the gradient g of one parameter, its state (arrays by name, zeros at the
start) and the step t (from 1) to what is subtracted from the parameter. Formulas are written as in
docs/optimizer-forms.md; nothing here is fast on purpose.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from implementations.training import (
    FORMS,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    Nadam,
    Optimizer,
    RMSprop,
)

Array = NDArray[np.float64]
State = dict[str, Array]


@dataclass
class Updater:
    """An optimizer in one form, with its state by parameter path; only ``trained`` paths are updated."""

    optimizer: Optimizer
    form: str
    trained: Collection[str]
    rate: float = field(init=False)  # may be changed between steps
    steps: int = 0
    state: dict[str, State] = field(default_factory=dict)

    def __post_init__(self) -> None:
        forms = FORMS[type(self.optimizer)]
        if self.form not in forms:
            raise ValueError(f"no form {self.form!r} of {type(self.optimizer).__name__}: {', '.join(forms)}")
        self.rate = self.optimizer.learning_rate

    def apply(self, weights: dict[str, Array], gradients: Mapping[str, NDArray[Any]]) -> None:
        """One step: replaces the trained arrays of ``weights`` (float64)."""
        self.steps += 1
        for path in self.trained:
            weights[path] = self._updated(path, weights[path], np.asarray(gradients[path], np.float64))

    def _updated(self, path: str, weight: Array, gradient: Array) -> Array:
        decay = self.optimizer.decay
        if decay is not None and decay.applies_to(path):
            if decay.kind == "coupled":
                gradient = gradient + decay.rate * weight
            else:
                weight = weight - self.rate * decay.rate * weight
        own = self.state.setdefault(path, {})
        method = _METHODS[type(self.optimizer)]
        return np.asarray(weight - method(self.optimizer, self.form, self.rate, own, gradient, self.steps))


def _kept(state: State, name: str, like: Array, initial: float = 0.0) -> Array:
    """The array ``name`` of ``state``; ``initial`` everywhere before the first step."""
    return state.setdefault(name, np.full(like.shape, initial))


def _mean(state: State, name: str, rate: float, value: Array) -> Array:
    """The running mean ``name`` after ``value``: rate · mean + (1 − rate) · value."""
    state[name] = rate * _kept(state, name, value) + (1 - rate) * value
    return state[name]


def _sgd(o: SGD, form: str, rate: float, state: State, g: Array, t: int) -> Array:
    inside = form == "rate inside"
    g = rate * g if inside else g
    step = g
    if o.momentum:  # the first velocity is g itself: full-size VGG16 is spared a pass over zeros
        state["velocity"] = o.momentum * state["velocity"] + g if "velocity" in state else g
        step = g + o.momentum * state["velocity"] if o.nesterov else state["velocity"]
    return step if inside else rate * step


def _adam(o: Adam, form: str, rate: float, state: State, g: Array, t: int) -> Array:
    m, v = _mean(state, "m", o.beta1, g), _mean(state, "v", o.beta2, g**2)
    first, second = 1 - o.beta1**t, 1 - o.beta2**t
    if form == "uncorrected":
        return np.asarray(rate * m / (np.sqrt(v) + o.epsilon))
    if form == "epsilon before correction":
        return np.asarray(rate * np.sqrt(second) / first * m / (np.sqrt(v) + o.epsilon))
    return np.asarray(rate * (m / first) / (np.sqrt(v / second) + o.epsilon))


def _nadam(o: Nadam, form: str, rate: float, state: State, g: Array, t: int) -> Array:
    psi = 1.0 if form == "psi 1" else 0.004

    def momentum(step: int) -> float:
        return float(o.beta1 * (1 - 0.5 * 0.96 ** (step * psi)))

    m, v = _mean(state, "m", o.beta1, g), _mean(state, "v", o.beta2, g**2)
    product = state["product"] = np.asarray(_kept(state, "product", np.zeros(()), 1.0) * momentum(t))
    ahead = momentum(t + 1) * m / (1 - product * momentum(t + 1)) + (1 - momentum(t)) * g / (1 - product)
    return np.asarray(rate * ahead / (np.sqrt(v / (1 - o.beta2**t)) + o.epsilon))


def _adamax(o: Adamax, form: str, rate: float, state: State, g: Array, t: int) -> Array:
    m, before = _mean(state, "m", o.beta1, g), o.beta2 * _kept(state, "u", g)
    size = np.abs(g)
    if form == "epsilon with the gradient":
        size = size + o.epsilon
    elif form == "epsilon with the norm":
        before = before + o.epsilon
    state["u"] = np.maximum(before, size)
    below = state["u"] + o.epsilon if form == "epsilon outside" else state["u"]
    return np.asarray(rate / (1 - o.beta1**t) * m / below)


def _rmsprop(o: RMSprop, form: str, rate: float, state: State, g: Array, t: int) -> Array:
    return rate * g / _root(form, _mean(state, "v", o.rho, g**2), o.epsilon)


def _adagrad(o: Adagrad, form: str, rate: float, state: State, g: Array, t: int) -> Array:
    state["sum"] = _kept(state, "sum", g, o.initial_accumulator) + g**2
    return rate * g / _root(form, state["sum"], o.epsilon)


def _root(form: str, squares: Array, epsilon: float) -> Array:
    inside = form == "epsilon inside the root"
    return np.asarray(np.sqrt(squares + epsilon) if inside else np.sqrt(squares) + epsilon)


def _adadelta(o: Adadelta, form: str, rate: float, state: State, g: Array, t: int) -> Array:
    v, steps = _mean(state, "v", o.rho, g**2), _kept(state, "steps", g)
    step = g * np.sqrt(steps + o.epsilon) / np.sqrt(v + o.epsilon)
    _mean(state, "steps", o.rho, step**2)
    return np.asarray(rate * step)


_METHODS: dict[type[Optimizer], Callable[..., Array]] = {
    SGD: _sgd,
    Adam: _adam,
    Nadam: _nadam,
    Adamax: _adamax,
    RMSprop: _rmsprop,
    Adagrad: _adagrad,
    Adadelta: _adadelta,
}
