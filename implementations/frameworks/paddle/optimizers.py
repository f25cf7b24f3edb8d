"""The specification's optimizers as Paddle's own."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import paddle
from paddle import Tensor

from implementations.errors import UserError
from implementations.network import Array, Weights
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
    SGD: "rate outside",
    Adam: "epsilon after correction",
    Nadam: "psi 1",
    Adamax: "epsilon with the norm",
    RMSprop: "epsilon inside the root",
    Adagrad: "epsilon outside the root",
    Adadelta: "epsilon inside both roots",
}


def make(optimizer: Optimizer, named: Iterable[tuple[str, Tensor]]) -> paddle.optimizer.Optimizer:
    """``optimizer`` for the trained ones of ``named`` parameters; ``UserError`` for a decay not offered."""
    trained = {path: parameter for path, parameter in named if not parameter.stop_gradient}
    decoupled = _decoupled(optimizer, trained)
    _set_coupled(optimizer, trained)
    shared: dict[str, Any] = {"learning_rate": optimizer.learning_rate, "parameters": list(trained.values())}
    if isinstance(optimizer, SGD):
        if not optimizer.momentum:
            return paddle.optimizer.SGD(**shared)
        return paddle.optimizer.Momentum(
            momentum=optimizer.momentum, use_nesterov=optimizer.nesterov, **shared
        )
    shared["epsilon"] = optimizer.epsilon
    match optimizer:
        case Adagrad():
            return paddle.optimizer.Adagrad(initial_accumulator_value=optimizer.initial_accumulator, **shared)
        case RMSprop():
            return paddle.optimizer.RMSProp(rho=optimizer.rho, **shared)
        case Adadelta():
            return paddle.optimizer.Adadelta(rho=optimizer.rho, **shared)
    shared |= {"beta1": optimizer.beta1, "beta2": optimizer.beta2}
    match optimizer:
        case Adam():
            return (
                paddle.optimizer.AdamW(**decoupled, **shared)
                if decoupled
                else paddle.optimizer.Adam(**shared)
            )
        case Nadam():
            # Paddle's own momentum_decay is 0.004: another method than the paper's and Keras'.
            return paddle.optimizer.NAdam(momentum_decay=1.0, **shared)
        case Adamax():
            return paddle.optimizer.Adamax(**shared)


def set_learning_rate(optimizer: paddle.optimizer.Optimizer, rate: float) -> None:
    """The rate of the next steps."""
    optimizer.set_lr(rate)


def state(optimizer: paddle.optimizer.Optimizer, named: Mapping[str, Tensor]) -> dict[str, Array]:
    """What ``optimizer`` keeps between steps of the parameters ``named`` by path: ``path/accumulator``."""
    return {key: np.array(value.numpy()) for key, value in _accumulators(optimizer, named).items()}


def restore(optimizer: paddle.optimizer.Optimizer, arrays: Weights, named: Mapping[str, Tensor]) -> None:
    """Put a new ``optimizer`` into a state that ``state`` gave."""
    if not arrays:
        return
    # Paddle makes them in the first step, and would take their values by names that count what was
    # made before in the process.
    with paddle.no_grad():
        block = paddle.static.default_main_program().global_block()
        optimizer._create_accumulators(block, [p for p in named.values() if not p.stop_gradient])
    for key, accumulator in _accumulators(optimizer, named).items():
        accumulator.set_value(arrays[key])


def _accumulators(optimizer: paddle.optimizer.Optimizer, named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """By ``path/accumulator``, without the number at the end of Paddle's own names."""
    found, names = {}, {parameter.name: path for path, parameter in named.items()}
    for name, accumulator in optimizer.state_dict().items():
        owner = max((own for own in names if name.startswith(f"{own}_")), key=len, default=None)
        if owner is not None:
            kind, _, _ = name.removeprefix(f"{owner}_").rpartition("_")
            found[f"{names[owner]}/{kind}"] = accumulator
    return found


def _decoupled(optimizer: Optimizer, trained: dict[str, Tensor]) -> dict[str, Any]:
    """AdamW's own arguments; nothing without a decoupled decay."""
    decay = optimizer.decay
    if decay is None or decay.kind == "coupled":
        return {}
    if not isinstance(optimizer, Adam):
        raise UserError(
            "Paddle does not offer this weight decay",
            given=f"{type(optimizer).__name__} with a decoupled decay",
            allowed="decoupled with Adam; coupled with every method",
            todo="choose another decay or method, or leave paddle out",
        )
    decayed = {parameter.name for path, parameter in trained.items() if decay.applies_to(path)}
    return {"weight_decay": decay.rate, "apply_decay_param_fun": decayed.__contains__}


def _set_coupled(optimizer: Optimizer, trained: dict[str, Tensor]) -> None:
    """Each parameter's own regulariser, as ``ParamAttr`` sets it; none where nothing decays."""
    decay = optimizer.decay
    for path, parameter in trained.items():
        decays = decay is not None and decay.kind == "coupled" and decay.applies_to(path)
        parameter.regularizer = paddle.regularizer.L2Decay(decay.rate) if decays and decay else None
