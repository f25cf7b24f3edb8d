"""The specification's optimizers as Keras' own, on every backend.

Two things Keras has otherwise are brought into line here: its velocity contains the learning rate
(so it is rescaled when the rate changes), and its ``weight_decay`` is decoupled (a coupled decay is
added to the gradients before the method sees them).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from keras import ops

from implementations.training import (
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    Forms,
    Nadam,
    Optimizer,
    RMSprop,
)

FORMS: Forms = {
    SGD: "rate outside",  # by set_learning_rate; Keras by itself has it inside
    Adam: "epsilon before correction",
    Nadam: "psi 1",
    Adamax: "epsilon outside",
    RMSprop: "epsilon inside the root",
    Adagrad: "epsilon inside the root",
    Adadelta: "epsilon inside both roots",
}


def make(optimizer: Optimizer, variables: Mapping[str, Any]) -> keras.optimizers.Optimizer:
    """``optimizer``, built for the trained ones of ``variables`` by path."""
    trained = {path: variable for path, variable in variables.items() if variable.trainable}
    decay, arguments = optimizer.decay, _arguments(optimizer)
    spared = [v for path, v in trained.items() if decay is not None and not decay.applies_to(path)]
    if decay is not None and decay.kind == "decoupled":
        arguments["weight_decay"] = decay.rate
    made = _CLASSES[type(optimizer)](**arguments)
    if decay is not None and decay.kind == "coupled":
        # type(made): on its torch backend Keras makes another class than the one it is asked for.
        made = _coupled(type(made), decay.rate, {id(v) for v in spared})(**arguments)
    elif spared:
        made.exclude_from_weight_decay(var_list=spared)
    made.build(list(trained.values()))
    return made


def set_learning_rate(optimizer: keras.optimizers.Optimizer, rate: float) -> None:
    """The rate of the next steps, above 0; SGD's velocities, which contain it, are rescaled to it.

    Afterwards they are what a velocity outside which the rate stands would be, times −rate.
    """
    before = float(ops.convert_to_numpy(optimizer.learning_rate))
    optimizer.learning_rate = rate
    now = float(ops.convert_to_numpy(optimizer.learning_rate))
    if now == before or not isinstance(optimizer, keras.optimizers.SGD) or not optimizer.momentum:
        return
    if not before > 0:  # falling to 0 is right: the velocity becomes 0 with it
        raise ValueError(f"Keras' velocity contains the rate and is lost at 0: {before} -> {now}")
    for velocity in optimizer.momentums:  # by NumPy: JAX would compile a product for every shape
        velocity.assign(ops.convert_to_numpy(velocity) * (now / before))


_CLASSES: dict[type[Optimizer], Any] = {
    SGD: keras.optimizers.SGD,
    Adam: keras.optimizers.Adam,
    Nadam: keras.optimizers.Nadam,
    Adamax: keras.optimizers.Adamax,
    RMSprop: keras.optimizers.RMSprop,
    Adagrad: keras.optimizers.Adagrad,
    Adadelta: keras.optimizers.Adadelta,
}
_ARGUMENTS = {
    "beta1": "beta_1",
    "beta2": "beta_2",
    "initial_accumulator": "initial_accumulator_value",
}


def _arguments(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer's fields under Keras' names, without the decay."""
    fields = {field.name: getattr(optimizer, field.name) for field in dataclasses.fields(optimizer)}
    return {_ARGUMENTS.get(name, name): value for name, value in fields.items() if name != "decay"}


def _coupled(base: type, rate: float, spared: set[int]) -> type:
    """``base`` with rate · variable added to the gradients of all variables but the ``spared`` (ids)."""

    class CoupledDecay(base):
        def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Any] | None = None) -> None:
            # Without variables, as JAX's stateless_apply calls it, those that it was built for are meant.
            pairs = zip(grads, trainable_variables or self._trainable_variables, strict=True)
            decayed = [g if id(v) in spared else g + rate * ops.stop_gradient(v.value) for g, v in pairs]
            super().apply(decayed, trainable_variables)

    return CoupledDecay
