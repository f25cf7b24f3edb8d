"""What a result says about the machine it was made on. Standard library only: children import it.

No host name, user, path or free environment variable is read.
"""

import functools
import hashlib
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from implementations.commandline import ROOT
from implementations.memory import CGROUP, limit_bytes
from implementations.provenance import cpu_model, kernels

GOVERNOR = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
# Threads, memory, CUDA, and the frameworks' own switches, beside what chooses kernels: none holds a path.
SWITCHES = re.compile(
    r"(OMP|KMP|MKL|OPENBLAS|NUMEXPR)_(NUM_THREADS|DYNAMIC|AFFINITY|BLOCKTIME|PLACES|PROC_BIND)"
    r"|(ONEDNN|DNNL)_(VERBOSE|PRIMITIVE_CACHE_CAPACITY)"
    r"|TF_(NUM_INTRAOP_THREADS|NUM_INTEROP_THREADS|ENABLE_GPU_GARBAGE.*)"
    r"|PYTORCH_(CUDA_)?ALLOC_CONF|XLA_PYTHON_CLIENT_(ALLOCATOR|PREALLOCATE|MEM_FRACTION)"
    r"|TF_(GPU_ALLOCATOR|FORCE_GPU_ALLOW_GROWTH)|FLAGS_allocator_strategy"
    r"|CUDA_(LAUNCH_BLOCKING|MODULE_LOADING)|MALLOC_ARENA_MAX"
)


def description() -> dict[str, Any]:
    """Processor, cores that may be used, frequency governor, a container's limits, memory, kernel, Python.

    ``None`` is what the system does not say, or does not limit.
    """
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "affinity": _ranges(sorted(os.sched_getaffinity(0))),
        "governor": _read(GOVERNOR),
        "cpu_limit": _quota(_read(CGROUP / "cpu.max")),
        "memory_gib": _gib(memory),
        "memory_limit_gib": _gib(limit_bytes()),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def fingerprint(device_model: str) -> str:
    """Equal for runs that may share a series: processor, cores, architecture, device."""
    about = description()
    text = "|".join(str(about[key]) for key in ("cpu", "cores", "architecture")) + f"|{device_model}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def environment() -> dict[str, str]:
    """The environment variables that change how fast a framework computes; no other one is looked at."""
    chosen = {name: value for name, value in os.environ.items() if SWITCHES.fullmatch(name)}
    return dict(sorted((chosen | kernels()).items()))


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None


def _ranges(numbers: Sequence[int]) -> str:
    """``0-3,8``: how the kernel writes a set of cores."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1][-1] = number
        else:
            found.append([number, number])
    return ",".join(f"{first}-{last}" if last > first else str(first) for first, last in found)


def _quota(text: str | None) -> float | None:
    """Cores that a container may use, of ``cpu.max``: "quota period" in microseconds, or "max period"."""
    quota, _, period = (text or "max").partition(" ")
    return round(int(quota) / int(period), 2) if quota.isdecimal() and period.isdecimal() else None


def _gib(size: int | None) -> float | None:
    return None if size is None else round(size / 2**30, 1)


@functools.cache
def commit() -> dict[str, Any]:
    """The checkout's commit, and whether it was changed; "unversioned" outside a git tree."""
    identity = _git("rev-parse", "HEAD")
    if identity is None:
        return {"id": "unversioned", "dirty": None}
    return {"id": identity, "dirty": bool(_git("status", "--porcelain", "--untracked-files=no"))}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
