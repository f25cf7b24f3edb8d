"""The specification's losses as Paddle's own, on logits."""

from paddle import Tensor
from paddle.nn import functional

from implementations import spec


def of_head(rule: spec.Loss, logits: Tensor, labels: Tensor) -> Tensor:
    """One head's loss; ``labels`` are classes, rows of probabilities, or a sigmoid unit's 0 and 1."""
    if rule.kind == "squared":
        each = functional.mse_loss(functional.softmax(logits), labels, reduction="none").mean(axis=1)
        return each.mean() if rule.reduction == "mean" else each.sum()
    if rule.kind == "softmax":
        rows = labels.ndim == 2
        return functional.cross_entropy(logits, labels, soft_label=rows, reduction=rule.reduction)
    targets = labels.astype(logits.dtype).reshape(logits.shape)
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction=rule.reduction)
