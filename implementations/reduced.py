"""Level 5: the logits of every reduced precision that a framework offers, against the reference.

A reduced precision is off by its rounding, so its bound is wide; it must also be off by something:
a framework that computed in float32 after all would be timed under a false name.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from implementations import bounds, reference, weights
from implementations.network import Array, Framework, Settings
from implementations.sameness import PROBE_BATCH, PROBE_SEED, UNIT_SCALE, Breach, Case, Finding, compare

LEVEL = 5
FLOAT16_RANGE = 65504 / 4  # the largest float16; partial sums may be larger than their sum


def prove(framework: Framework, case: Case, settings: Settings, wanted: Sequence[str]) -> Iterator[Finding]:
    """A finding for each precision in ``wanted`` that ``framework`` offers on the device; dropout is off.

    float16 is left out for a network whose activations on the probe weights are beyond its range, as those
    of a full-size ResNet-50 are: infinity is the right answer then, and proves nothing.
    """
    offered = framework.precisions(settings.device)
    bare = case.network.inference()
    images = weights.probe_images(case.network, PROBE_SEED, PROBE_BATCH, UNIT_SCALE)
    head = bare.heads[0].path
    activations = reference.forward(bare, case.weights, images)
    expected = activations[head]
    for precision in (name for name in wanted if name in offered):
        if not fits(precision, activations.values()):
            continue
        chosen = dataclasses.replace(settings, precision=precision)
        built = framework.build(case.network, case.weights, chosen, training=False)
        yield judged(head, built.outputs(images), expected, chosen)


def fits(precision: str, activations: Iterable[Array]) -> bool:
    """Whether sums of ``activations`` stay in the range of ``precision``; only float16's is narrower."""
    return precision != "float16" or max(float(np.abs(a).max()) for a in activations) < FLOAT16_RANGE


def judged(path: str, got: Array, expected: Array, settings: Settings) -> Finding:
    """The finding over logits (batch, classes) computed in the settings' reduced precision."""
    near, far = bounds.reduced(settings.precision)
    found = compare(LEVEL, settings, "timed", [(path, got, expected)], lambda path: far)
    if found.breach is None and found.largest < near:
        told = f"apart by rounding, {near:.0e} or more"
        breach = Breach(path, found.largest, near, told, f"nearer than {settings.precision} can be")
        return dataclasses.replace(found, breach=breach)
    return found
