"""What a proof rests on beside the network and the framework: this project's own code, processor, GPU.

Standard library only: children import it.
"""

import functools
import hashlib
import os
import platform
from collections.abc import Iterator
from pathlib import Path

from implementations import gpus

PACKAGE = Path(__file__).parent
# Environment variables by which libraries choose other kernels, and so other numbers.
KERNELS = (
    "DNNL_MAX_CPU_ISA",
    "DNNL_DEFAULT_FPMATH_MODE",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_CUDNN_DETERMINISTIC",
    "NVIDIA_TF32_OVERRIDE",
    "CUBLAS_WORKSPACE_CONFIG",
)
PROVING_FILES = ("*.py", "*.txt")  # the code, and the list of known differences


@functools.cache
def source() -> str:
    """A digest of all that takes part in a proof: another one after any change."""
    return digest(PACKAGE)


def unchanged_source() -> str:
    """``source`` if it is still what this process began with; ``RuntimeError`` if a file was changed since.

    What was imported before is what was proven, whatever the files say now.
    """
    if digest(PACKAGE) != source():
        raise RuntimeError("this project's code was changed while it proved: start the proof again")
    return source()


def digest(package: Path) -> str:
    """Hexadecimal digest of the files in ``package`` that proofs are made by, names and contents."""
    files = sorted(path for kind in PROVING_FILES for path in package.rglob(kind))
    lines = [f"{path.relative_to(package)} {hashlib.sha256(path.read_bytes()).hexdigest()}" for path in files]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


@functools.cache
def cpu_model() -> str:
    """The processor's model name, as the kernel reports it: libraries choose their kernels by it."""
    return next(_cpuinfo("model name"), platform.processor() or platform.machine())


@functools.cache
def cpu_flags() -> frozenset[str]:
    """Instruction sets of the processor, as the kernel names them; none where it does not."""
    return frozenset(next(_cpuinfo("flags", "Features"), "").split())


def gpu(device: str) -> str | None:
    """Model and driver of the GPU of ``device``: libraries choose algorithms by it; ``None`` on the CPU."""
    card = gpus.card(device)
    return None if card is None else f"{card.name}, driver {card.driver}"


def kernels() -> dict[str, str]:
    """Those of ``KERNELS`` that are set here."""
    return {name: os.environ[name] for name in KERNELS if name in os.environ}


def _cpuinfo(*names: str) -> Iterator[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in names:
            yield value.strip()
