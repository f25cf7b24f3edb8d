"""The specification's optimizers as Keras' own."""

import keras

from implementations.training import SGD, Optimizer


def make(optimizer: Optimizer) -> keras.optimizers.Optimizer:
    if isinstance(optimizer, SGD):
        return keras.optimizers.SGD(optimizer.learning_rate, optimizer.momentum)
    return keras.optimizers.Adam(optimizer.learning_rate, optimizer.beta1, optimizer.beta2, optimizer.epsilon)
