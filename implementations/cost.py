"""What a child's task costs: time on the clock and of the processor, and memory. Standard library only."""

import contextlib
import resource
import time
from pathlib import Path

RSS_UNIT = 1024  # Linux counts ru_maxrss in KiB


class Meter:
    """Counts from when it is made."""

    def __init__(self) -> None:
        _forget_peak()
        self._before = _peak_bytes()
        self._start, self._processor_start = time.perf_counter(), time.process_time()

    def read(self) -> dict[str, float]:
        """Seconds, seconds of all processor cores, and this process's peak bytes before and since."""
        return {
            "seconds": time.perf_counter() - self._start,
            "processor_seconds": time.process_time() - self._processor_start,
            "peak_bytes_before": self._before,
            "peak_bytes": _peak_bytes(),
        }


def _forget_peak() -> None:
    """Have the kernel count this process's peak anew: an earlier task may have been larger."""
    with contextlib.suppress(OSError):  # a kernel without it reports the larger one
        Path("/proc/self/clear_refs").write_text("5")


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * RSS_UNIT
