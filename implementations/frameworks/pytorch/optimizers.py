"""The specification's optimizers as PyTorch's own."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

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
    Adamax: "epsilon with the gradient",
    RMSprop: "epsilon outside the root",
    Adagrad: "epsilon outside the root",
    Adadelta: "epsilon inside both roots",
}


def make(optimizer: Optimizer, named: Iterable[tuple[str, Tensor]]) -> torch.optim.Optimizer:
    """``optimizer`` for the trained ones of ``named`` parameters; ``UserError`` for a decay not offered."""
    groups = _groups(optimizer, [(path, p) for path, p in named if p.requires_grad])
    rate, decoupled = optimizer.learning_rate, _is_decoupled(optimizer)
    match optimizer:
        case SGD():
            return torch.optim.SGD(groups, rate, momentum=optimizer.momentum, nesterov=optimizer.nesterov)
        case Adagrad():
            start = optimizer.initial_accumulator
            return torch.optim.Adagrad(groups, rate, initial_accumulator_value=start, eps=optimizer.epsilon)
        case RMSprop():
            return torch.optim.RMSprop(groups, rate, alpha=optimizer.rho, eps=optimizer.epsilon)
        case Adadelta():
            return torch.optim.Adadelta(groups, rate, rho=optimizer.rho, eps=optimizer.epsilon)
    named_alike: dict[str, Any] = {
        "lr": rate,
        "betas": (optimizer.beta1, optimizer.beta2),
        "eps": optimizer.epsilon,
    }
    match optimizer:
        case Adam():
            return (torch.optim.AdamW if decoupled else torch.optim.Adam)(groups, **named_alike)
        case Nadam():
            # PyTorch's own momentum_decay is 0.004: another method than the paper's and Keras'.
            return torch.optim.NAdam(
                groups, momentum_decay=1.0, decoupled_weight_decay=decoupled, **named_alike
            )
        case Adamax():
            return torch.optim.Adamax(groups, **named_alike)


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """The rate of the next steps."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def state(optimizer: torch.optim.Optimizer) -> dict[str, Array]:
    """What ``optimizer`` keeps between steps: ``number of the parameter.name``."""
    kept = optimizer.state_dict()["state"]
    return {
        f"{number}.{name}": value.detach().cpu().numpy().copy()
        for number, named in kept.items()
        for name, value in named.items()
        if value is not None  # a velocity before the first step
    }


def restore(optimizer: torch.optim.Optimizer, arrays: Weights) -> None:
    """Put ``optimizer`` into a state that ``state`` gave."""
    kept: dict[int, dict[str, Tensor]] = {}
    for key, array in arrays.items():
        number, _, name = key.partition(".")
        kept.setdefault(int(number), {})[name] = torch.tensor(array)
    optimizer.load_state_dict({"state": kept, "param_groups": optimizer.state_dict()["param_groups"]})


def _is_decoupled(optimizer: Optimizer) -> bool:
    if optimizer.decay is None or optimizer.decay.kind == "coupled":
        return False
    if not isinstance(optimizer, Adam | Nadam):
        raise UserError(
            "PyTorch does not offer this weight decay",
            given=f"{type(optimizer).__name__} with a decoupled decay",
            allowed="decoupled with Adam and Nadam; coupled with every method",
            todo="choose another decay or method, or leave pytorch out",
        )
    return True


def _groups(optimizer: Optimizer, named: list[tuple[str, Tensor]]) -> list[dict[str, Any]]:
    """Parameters in groups of one decay; no group is empty."""
    rates: dict[float, list[Tensor]] = {}
    for path, parameter in named:
        decays = optimizer.decay is not None and optimizer.decay.applies_to(path)
        rate = optimizer.decay.rate if optimizer.decay is not None and decays else 0.0
        rates.setdefault(rate, []).append(parameter)
    return [{"params": parameters, "weight_decay": rate} for rate, parameters in rates.items()]
