"""Losses and optimizers as data: they belong to the specification. Standard library only.

The loss of every network so far is softmax cross-entropy on logits with integer labels, mean over
the batch, each head counted with its ``loss_weight``.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class SGD:
    """v ← momentum · v + g; w ← w − learning_rate · v (no Nesterov, no decay)."""

    learning_rate: float
    momentum: float


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba 2014), bias-corrected.

    Where ``epsilon`` stands is the framework's: PyTorch and Paddle add it after the bias correction,
    Keras before (its step is lr · √(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε)).
    """

    learning_rate: float = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-7


Optimizer = SGD | Adam
