"""The GPU that a device's name means, as NVIDIA's driver tells it.

Standard library only: children import it.
"""

import functools
import os
import subprocess
from dataclasses import dataclass

PATIENCE_S = 20.0  # a driver that no process holds open takes seconds to answer
FIELDS = "name,driver_version,compute_cap"


@dataclass(frozen=True)
class Card:
    """One GPU: its model, the driver's version, and its compute capability's first number (0: not told)."""

    name: str
    driver: str
    capability: int


@functools.cache
def card(device: str) -> Card | None:
    """The GPU of ``device`` ("cuda:0"); ``None`` on the CPU, and where ``nvidia-smi`` cannot tell."""
    platform, _, number = device.partition(":")
    if platform != "cuda":
        return None
    return _asked(visible(int(number or 0)))


def visible(number: int) -> str:
    """What the driver calls a framework's ``number``-th GPU: it counts all, a framework those it may see."""
    names = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return names[number] if number < len(names) else str(number)


def _asked(name: str) -> Card | None:
    command = ["nvidia-smi", f"--query-gpu={FIELDS}", "--format=csv,noheader", "-i", name]
    try:
        told = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    parts = [part.strip() for part in told.stdout.strip().split(",")]
    if len(parts) != len(FIELDS.split(",")):
        return None
    model, driver, capability = parts
    first, _, _ = capability.partition(".")
    return Card(model, driver, int(first) if first.isdecimal() else 0)
