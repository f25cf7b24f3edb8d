"""What a result says about the machine it was made on. Standard library only: children import it.

No host name, user, path or free environment variable is read.
"""

import functools
import hashlib
import os
import platform
import subprocess
from typing import Any

from implementations.commandline import ROOT
from implementations.provenance import cpu_model


def description() -> dict[str, Any]:
    """Processor, cores that may be used, memory, kernel, Python."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30, 1),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def fingerprint(device_model: str) -> str:
    """Equal for runs that may share a series: processor, cores, architecture, device."""
    about = description()
    text = "|".join(str(about[key]) for key in ("cpu", "cores", "architecture")) + f"|{device_model}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]


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
