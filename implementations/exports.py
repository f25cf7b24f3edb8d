"""Exporting as a child's task: one ONNX file, and what it cost to write it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from implementations import networks, weights
from implementations.cost import Meter
from implementations.files import replacing
from implementations.network import Framework, Settings


def export(
    framework: Framework,
    *,
    settings: Settings,
    network: Mapping[str, Any],
    weights_path: str,
    model_path: str,
) -> dict[str, Any]:
    """Write the inference network of this process's framework to ``model_path``: a child's task.

    Returns the framework's versions and what exporting cost, building not counted.
    """
    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    built = framework.build(specification, values, settings, training=False)
    meter = Meter()
    with replacing(Path(model_path), "the exported model") as temporary:
        built.export(temporary)
        if not temporary.exists():  # some exporters log a failure and return
            raise RuntimeError(f"the exporter wrote no file for {specification.name}")
    return {"writer_versions": framework.versions(), **meter.read()}
