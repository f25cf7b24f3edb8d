"""Exporting as a child's task: one ONNX file, and what it cost to write it."""

import contextlib
import resource
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from implementations import networks, weights
from implementations.files import replacing
from implementations.network import Framework, Settings

RSS_UNIT = 1024  # Linux counts ru_maxrss in KiB


def export(
    framework: Framework,
    *,
    settings: Settings,
    network: Mapping[str, Any],
    weights_path: str,
    model_path: str,
) -> dict[str, Any]:
    """Write the inference network of this process's framework to ``model_path``: a child's task.

    Returns the framework's versions, the seconds that exporting took (building not counted) and this
    process's peak memory in bytes, before the export and after it.
    """
    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    built = framework.build(specification, values, settings, training=False)
    _forget_peak()
    before, start = _peak_bytes(), time.perf_counter()
    with replacing(Path(model_path), "the exported model") as temporary:
        built.export(temporary)
        if not temporary.exists():  # some exporters log a failure and return
            raise RuntimeError(f"the exporter wrote no file for {specification.name}")
    seconds = time.perf_counter() - start
    cost = {"seconds": seconds, "peak_bytes_before": before, "peak_bytes": _peak_bytes()}
    return {"writer_versions": framework.versions(), **cost}


def _forget_peak() -> None:
    """Have the kernel count this process's peak anew: an earlier export may have been larger."""
    with contextlib.suppress(OSError):  # a kernel without it reports the larger one
        Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
