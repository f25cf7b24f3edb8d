"""The specification's losses as PyTorch's own, on logits."""

from torch import Tensor
from torch.nn import functional

from implementations import spec


def of_head(rule: spec.Loss, logits: Tensor, labels: Tensor) -> Tensor:
    """One head's loss; ``labels`` are classes, rows of probabilities, or a sigmoid unit's 0 and 1."""
    if rule.kind == "squared":
        each = functional.mse_loss(functional.softmax(logits, dim=1), labels, reduction="none").mean(dim=1)
        return each.mean() if rule.reduction == "mean" else each.sum()
    if rule.kind == "softmax":
        return functional.cross_entropy(logits, labels, reduction=rule.reduction)
    targets = labels.to(logits.dtype).reshape(logits.shape)
    return functional.binary_cross_entropy_with_logits(logits, targets, reduction=rule.reduction)
