"""What else went on while a fork was timed, and what it cost in memory and energy: seen by the parent.

A disturbed fork is kept, flagged and repeated; its own value has no say in whether it was disturbed.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.sensors import Sample, Sensors

INTERVAL_S = 0.5  # a sample takes a millisecond of one core
OTHERS = 0.10  # of all cores' time, by other processes: as much as the interval that is aimed at, and more
STOLEN = 0.10  # of all cores' time, by a hypervisor
SWAPPED = 2**20  # bytes
MEBI = 2**20


@dataclass
class Watch:
    """Samples one child after the other; ``report`` is about the last."""

    sensors: Sensors
    cores: int
    interval_s: float = INTERVAL_S
    samples: list[Sample] = field(default_factory=list)

    @contextlib.contextmanager
    def over(self, pid: int) -> Iterator[None]:
        """Watch the process ``pid`` while the block runs."""
        self.samples = []
        ended = threading.Event()
        thread = threading.Thread(target=self._collect, args=(pid, ended), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _collect(self, pid: int, ended: threading.Event) -> None:
        try:
            import psutil
        except ModuleNotFoundError:  # a machine with a framework alone: its forks are not watched
            return
        with contextlib.suppress(psutil.Error, OSError):  # the child is gone
            child = psutil.Process(pid)
            while True:
                self.samples.append(self.sensors.sample(child))
                if ended.wait(self.interval_s):
                    return

    def report(self, window: tuple[float, float]) -> dict[str, Any]:
        """What was seen from ``window[0]`` to ``window[1]`` s; empty if there are not two samples."""
        inside = bracketing(self.samples, window)
        return seen(inside, self.cores) if len(inside) > 1 else {}


def bracketing(samples: Sequence[Sample], window: tuple[float, float]) -> list[Sample]:
    """The samples in the window, with the last before and the first after it."""
    begin = max((i for i, sample in enumerate(samples) if sample.at <= window[0]), default=0)
    end = min((i for i, sample in enumerate(samples) if sample.at >= window[1]), default=len(samples) - 1)
    return list(samples[begin : end + 1])


def seen(samples: Sequence[Sample], cores: int) -> dict[str, Any]:
    """Shares of the cores' time, bytes, joules; and in words what disturbed. What was not read is absent."""
    first, last = samples[0], samples[-1]
    available = cores * (last.at - first.at)
    stolen = last.stolen_s - first.stolen_s
    others = (last.busy_s - first.busy_s) - stolen - (last.own_s - first.own_s)
    found: dict[str, Any] = {
        "seconds": last.at - first.at,
        "others_share": max(0.0, others / available),
        "stolen_share": stolen / available,
        "swapped_bytes": last.swapped_bytes - first.swapped_bytes,
        "peak_rss_bytes": max(sample.rss_bytes for sample in samples),
        **_heat(first, last),
        **_energy(first, last),
        **_gpu(samples),
    }
    return {**found, "disturbances": list(disturbances(found))}


def _heat(first: Sample, last: Sample) -> dict[str, Any]:
    if first.throttled is None or last.throttled is None:
        return {}
    return {"throttled": last.throttled - first.throttled}


def _energy(first: Sample, last: Sample) -> dict[str, Any]:
    """Joules by what counted them, where a counter did not start anew in between."""
    counted = {
        name: last.energy_j[name] - joules for name, joules in first.energy_j.items() if name in last.energy_j
    }
    if first.gpu and last.gpu and first.gpu.energy_j is not None and last.gpu.energy_j is not None:
        counted["gpu"] = last.gpu.energy_j - first.gpu.energy_j
    rising = {name: joules for name, joules in counted.items() if joules > 0}
    return {"energy_j": rising} if rising else {}


def _gpu(samples: Sequence[Sample]) -> dict[str, Any]:
    read = [sample.gpu for sample in samples if sample.gpu is not None]
    if not read:
        return {}
    return {
        "gpu_processes": max(gpu.processes for gpu in read),
        "gpu_used_bytes": max(gpu.used_bytes for gpu in read),
        "gpu_clock_mhz": [min(gpu.sm_clock_mhz for gpu in read), max(gpu.sm_clock_mhz for gpu in read)],
        "gpu_held_back": any(gpu.held_back for gpu in read),
    }


def disturbances(found: dict[str, Any]) -> Iterator[str]:
    """In words, what in a report of ``seen`` makes a fork's time doubtful."""
    if found["others_share"] > OTHERS:
        yield f"other processes took {found['others_share']:.0%} of the cores' time"
    if found["stolen_share"] > STOLEN:
        yield f"the hypervisor took {found['stolen_share']:.0%} of the cores' time"
    if found["swapped_bytes"] > SWAPPED:
        yield f"{found['swapped_bytes'] / MEBI:,.0f} MiB were swapped"
    if found.get("throttled"):
        yield "cores were slowed down by heat"
    if found.get("gpu_processes", 0) > 1:
        yield f"{found['gpu_processes'] - 1} other processes computed on the GPU"
    if found.get("gpu_held_back"):
        yield "the GPU was slowed down by heat or power"
