"""The specification's optimizers as PyTorch's own."""

from collections.abc import Iterable

import torch
from torch import Tensor

from implementations.training import SGD, Optimizer


def make(optimizer: Optimizer, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    if isinstance(optimizer, SGD):
        return torch.optim.SGD(parameters, optimizer.learning_rate, momentum=optimizer.momentum)
    betas = (optimizer.beta1, optimizer.beta2)
    return torch.optim.Adam(parameters, optimizer.learning_rate, betas=betas, eps=optimizer.epsilon)
