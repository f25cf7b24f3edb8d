"""The specification's optimizers as Paddle's own."""

from collections.abc import Sequence

import paddle
from paddle import Tensor

from implementations.training import SGD, Optimizer


def make(optimizer: Optimizer, parameters: Sequence[Tensor]) -> paddle.optimizer.Optimizer:
    if isinstance(optimizer, SGD):
        return paddle.optimizer.Momentum(optimizer.learning_rate, optimizer.momentum, parameters=parameters)
    return paddle.optimizer.Adam(
        optimizer.learning_rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon, parameters=parameters
    )
