"""The child's side of an evaluation: one network's logits on every picture, in inference mode."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.data.batches import filled
from benchmarks.data.images import ImageSet
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.evaluation import scores
from benchmarks.measure import CLOCK
from implementations import networks, weights
from implementations.errors import UserError
from implementations.network import Array, Built, Framework, Settings
from implementations.spec import Network


def predict(
    framework: Framework,
    *,
    settings: Settings,
    name: str,
    network: dict[str, Any],
    source: str,
    data_path: str,
    preprocessing: dict[str, Any],
    precision: str,
    target: str,
) -> dict[str, Any]:
    """Write the main logits of all test pictures, (n, classes) float32, to ``target``; what that took.

    ``source`` is a weight file of ours, or an exported one for a framework that runs those. ``UserError``
    for a precision that the framework does not offer here.
    """
    _require_offered(framework, name, settings, precision)
    specification = networks.build(**network)
    values: Any = Path(source)
    if values.suffix != ".onnx":
        values = weights.load(values, specification)
    settings = dataclasses.replace(settings, precision=precision)
    built = framework.build(specification, values, settings, training=False)
    start = CLOCK()
    how = Preprocessing(**{**preprocessing, "size": tuple(preprocessing["size"])})  # JSON knows lists alone
    found = _logits(built, specification, ImageSet.open(Path(data_path)), how)
    seconds = CLOCK() - start
    np.save(target, found, allow_pickle=False)
    return {"seconds": seconds, "versions": framework.versions()}


def _logits(built: Built, network: Network, data: ImageSet, preprocessing: Preprocessing) -> Array:
    size = scores.batch_for(network.input_shape, len(data.test))
    batches = filled(data.test, size, preprocessing, data.maximum)
    found = [built.outputs(images)[:count].astype(np.float32) for images, count in batches]
    return np.concatenate(found)


def _require_offered(framework: Framework, name: str, settings: Settings, precision: str) -> None:
    offered = ("float32", *framework.precisions(settings.device))
    if precision not in offered:
        raise UserError(
            f"{name} does not compute in that precision on {settings.device}",
            given=precision,
            allowed=", ".join(offered),
            todo="choose one of these, or leave the framework out",
        )
