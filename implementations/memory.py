"""How much memory new processes may take here: the machine's, within a container's limit."""

from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def available_bytes(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int:
    """What Linux says it could give without swapping; 0 where nothing is said."""
    machine, limit = _machine(meminfo), limit_bytes(cgroup)
    if limit is None:
        return machine
    return min(machine, max(0, limit - (_number(cgroup / "memory.current") or 0)))


def limit_bytes(cgroup: Path = CGROUP) -> int | None:
    """A container's limit; ``None`` without one."""
    return _number(cgroup / "memory.max")


def _machine(meminfo: Path) -> int:
    try:
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        return 0


def _number(path: Path) -> int | None:
    """The number in ``path``; ``None`` for "max" and where there is no such file."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None
