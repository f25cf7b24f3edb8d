"""What the machine counts beside a measuring process: CPU time, memory, swapping, throttling, energy, GPU.

Read by the parent, in a thread of its own, a few times a second. What cannot be read is absent, never zero.
"""

import contextlib
import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from implementations import gpus

if TYPE_CHECKING:
    import psutil

SYS = Path("/sys")
IDLE = ("idle", "iowait", "guest", "guest_nice")  # a guest's time is in "user" already
GPU_HELD_BACK = 0x08 | 0x20 | 0x40 | 0x80  # NVML: slowed down by hardware, heat, or the power brake


@dataclass(frozen=True)
class Gpu:
    """One GPU at one time."""

    processes: int  # that compute on it, whoever owns them
    used_bytes: int  # by everybody
    sm_clock_mhz: int
    held_back: bool  # slowed down by heat or a power brake
    energy_j: float | None  # since the driver was loaded


@dataclass(frozen=True)
class Sample:
    """Counters at one time; ``at`` is on the clock that children time with."""

    at: float  # s
    busy_s: float  # CPU time of all processes on all cores, and what a hypervisor took
    stolen_s: float  # by a hypervisor alone
    own_s: float  # of the child and of this process
    rss_bytes: int  # of the child
    swapped_bytes: int  # in and out
    throttled: int | None = None  # times that cores were slowed down by heat
    energy_j: Mapping[str, float] = field(default_factory=dict)  # by RAPL domain
    gpu: Gpu | None = None


@dataclass(frozen=True)
class Sensors:
    """Reads samples about a child; ``gpu_sample`` reads its GPU, if it computes on one."""

    gpu_sample: Callable[[], Gpu | None] = lambda: None
    sys: Path = SYS

    def sample(self, child: "psutil.Process") -> Sample:
        """``psutil.NoSuchProcess`` once the child is gone."""
        import psutil

        cpu, memory, swap = psutil.cpu_times(), child.memory_info(), psutil.swap_memory()
        return Sample(
            at=time.perf_counter(),
            busy_s=sum(value for name, value in cpu._asdict().items() if name not in IDLE),
            stolen_s=float(getattr(cpu, "steal", 0.0)),
            own_s=_cpu_s(child) + time.process_time(),
            rss_bytes=memory.rss,
            swapped_bytes=swap.sin + swap.sout,
            throttled=self._throttled(),
            energy_j=self._energy(),
            gpu=self.gpu_sample(),
        )

    def _throttled(self) -> int | None:
        counts = [
            _number(path)
            for path in self._paths("devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count")
        ]
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    def _energy(self) -> dict[str, float]:
        """Joules of every processor package (and of memory, where it is counted), as RAPL counts them."""
        found = {}
        for domain in self._paths("class/powercap/intel-rapl:*"):
            counted = _number(domain / "energy_uj")  # root's alone on most systems
            with contextlib.suppress(OSError):
                name = (domain / "name").read_text().strip()
                if counted is not None and name.startswith(("package", "dram")):
                    found[f"{domain.name} {name}"] = counted / 1e6
        return found

    def _paths(self, pattern: str) -> list[Path]:
        return sorted(self.sys.glob(pattern))


def _cpu_s(process: "psutil.Process") -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def nvml(device: str, library: Any = None) -> Callable[[], Gpu | None]:
    """Reads the GPU of ``device`` ("cuda:0") through NVML; always ``None`` where that cannot be."""
    opened = _opened(device, library)
    if opened is None:
        return lambda: None
    return lambda: _gpu(*opened)


def describe_gpu(device: str, library: Any = None) -> dict[str, Any] | None:
    """Name and driver of the GPU of ``device``, its limits where NVML tells; ``None`` where nothing does."""
    opened = _opened(device, library)
    if opened is not None:
        return _limits(*opened)
    card = gpus.card(device)
    return None if card is None else {"name": card.name, "driver": card.driver}


def _limits(read: Any, handle: Any) -> dict[str, Any] | None:
    try:
        return {
            "name": _text(read.nvmlDeviceGetName(handle)),
            "driver": _text(read.nvmlSystemGetDriverVersion()),
            "memory_gib": round(read.nvmlDeviceGetMemoryInfo(handle).total / 2**30, 1),
            "power_limit_w": read.nvmlDeviceGetEnforcedPowerLimit(handle) / 1e3,
            "max_sm_clock_mhz": read.nvmlDeviceGetMaxClockInfo(handle, read.NVML_CLOCK_SM),
        }
    except read.NVMLError:
        return None


def _opened(device: str, library: Any) -> tuple[Any, Any] | None:
    """NVML and its handle of ``device``; ``None`` where there is none."""
    platform, _, number = device.partition(":")
    if platform != "cuda":
        return None
    try:
        read = library or importlib.import_module("pynvml")
    except ModuleNotFoundError:  # a machine with a framework alone
        return None
    try:
        read.nvmlInit()
        return read, _handle(read, gpus.visible(int(number or 0)))
    except read.NVMLError:  # no driver, no permission, no such GPU
        return None


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name  # older versions of the package return bytes


def _handle(library: Any, name: str) -> Any:
    if name.isdigit():
        return library.nvmlDeviceGetHandleByIndex(int(name))
    return library.nvmlDeviceGetHandleByUUID(name)


def _gpu(library: Any, handle: Any) -> Gpu | None:
    try:
        reasons = library.nvmlDeviceGetCurrentClocksThrottleReasons(handle)
        return Gpu(
            processes=len(library.nvmlDeviceGetComputeRunningProcesses(handle)),
            used_bytes=int(library.nvmlDeviceGetMemoryInfo(handle).used),
            sm_clock_mhz=int(library.nvmlDeviceGetClockInfo(handle, library.NVML_CLOCK_SM)),
            held_back=bool(reasons & GPU_HELD_BACK),
            energy_j=_millijoules(library, handle),
        )
    except library.NVMLError:
        return None


def _millijoules(library: Any, handle: Any) -> float | None:
    try:
        return float(library.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3
    except library.NVMLError:  # older GPUs do not count
        return None
