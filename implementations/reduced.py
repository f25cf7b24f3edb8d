"""Level 5: logits in every reduced precision that is offered, loss and gradients in the one that is timed.

A reduced precision is off by its rounding, so its bound is wide; it must also be off by something:
a framework that computed in float32 after all would be timed under a false name.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from implementations import bounds, reference, weights
from implementations.network import Array, Framework, Settings
from implementations.sameness import (
    PROBE_BATCH,
    PROBE_SEED,
    UNIT_SCALE,
    Breach,
    Case,
    Finding,
    compare,
    gradients,
)

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


def prove_training(framework: Framework, case: Case, settings: Settings, known: bounds.Known) -> Finding:
    """Loss and gradients of a training pass in the settings' reduced precision.

    As at level 2 they are replayed in float64 on the adapter's own activations: rectifiers and pools that
    rounding decided otherwise are no difference then. Compiled networks show none, and are traced uncompiled.
    """
    images = weights.probe_images(case.network, PROBE_SEED, len(case.images), UNIT_SCALE)
    shown = dataclasses.replace(case, images=images)
    built = framework.build(case.network, case.weights, settings, training=True)
    loss, arrays, activations = built.traced(images, case.labels)
    found = gradients(shown, activations, (loss, arrays), settings, known)
    return _rounded(dataclasses.replace(found, level=LEVEL, mode="gradients"), found.where, settings)


def fits(precision: str, activations: Iterable[Array]) -> bool:
    """Whether sums of ``activations`` stay in the range of ``precision``; only float16's is narrower."""
    return precision != "float16" or max(float(np.abs(a).max()) for a in activations) < FLOAT16_RANGE


def judged(path: str, got: Array, expected: Array, settings: Settings) -> Finding:
    """The finding over logits (batch, classes) computed in the settings' reduced precision."""
    _, far = bounds.reduced(settings.precision)
    found = compare(LEVEL, settings, "timed", [(path, got, expected)], lambda path: far)
    return _rounded(found, path, settings)


def _rounded(found: Finding, path: str, settings: Settings) -> Finding:
    """``found``, but for what is nearer than the precision can be."""
    near, _ = bounds.reduced(settings.precision)
    if found.breach is None and found.largest < near:
        told = f"apart by rounding, {near:.0e} or more"
        breach = Breach(path, found.largest, near, told, f"nearer than {settings.precision} can be")
        return dataclasses.replace(found, breach=breach)
    return found
