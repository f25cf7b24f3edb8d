"""The specification's losses as Keras' own, on logits."""

from typing import Any

from keras import ops

from implementations import spec


def of_head(rule: spec.Loss, logits: Any, labels: Any) -> Any:
    """One head's loss; ``labels`` are classes, rows of probabilities, or a sigmoid unit's 0 and 1."""
    if rule.kind == "sigmoid":
        targets = ops.reshape(ops.cast(labels, logits.dtype), ops.shape(logits))
        each = ops.binary_crossentropy(targets, logits, from_logits=True)
    elif rule.kind == "squared":
        each = ops.sum(ops.square(ops.softmax(logits) - labels), axis=1) / logits.shape[1]
    elif len(labels.shape) == 2:
        each = ops.categorical_crossentropy(labels, logits, from_logits=True)
    else:
        each = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    # Keras' own mean is computed in float32 on some backends.
    return ops.sum(each) / (ops.cast(ops.shape(logits)[0], each.dtype) if rule.reduction == "mean" else 1)
