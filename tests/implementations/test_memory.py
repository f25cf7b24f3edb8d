"""Memory that is left, from files as Linux writes them."""

from pathlib import Path

import pytest

from implementations.memory import available_bytes, limit_bytes

GIB = 2**30
MEMINFO = "MemTotal: 25165824 kB\nMemFree: 1048576 kB\nMemAvailable: 20971520 kB\n"  # 24, 1, 20 GiB


def available(folder: Path, limit: str | None, used: str | None = None, meminfo: str = MEMINFO) -> int:
    (folder / "meminfo").write_text(meminfo)
    for name, text in (("memory.max", limit), ("memory.current", used)):
        if text is not None:
            (folder / name).write_text(text)
    return available_bytes(folder / "meminfo", folder)


@pytest.mark.parametrize(
    ("limit", "used", "left"),
    [
        (None, None, 20 * GIB),  # no container
        ("max\n", f"{GIB}\n", 20 * GIB),  # one without a limit
        (f"{8 * GIB}\n", f"{3 * GIB}\n", 5 * GIB),
        (f"{64 * GIB}\n", f"{GIB}\n", 20 * GIB),  # a limit beyond the machine
        (f"{GIB}\n", f"{2 * GIB}\n", 0),
    ],
)
def test_a_containers_limit_counts(tmp_path: Path, limit: str | None, used: str | None, left: int) -> None:
    assert available(tmp_path, limit, used) == left


@pytest.mark.parametrize(("text", "limit"), [(f"{3 * GIB}\n", 3 * GIB), ("max\n", None), (None, None)])
def test_a_limit_is_a_number_or_none(tmp_path: Path, text: str | None, limit: int | None) -> None:
    if text is not None:
        (tmp_path / "memory.max").write_text(text)
    assert limit_bytes(tmp_path) == limit


@pytest.mark.parametrize("meminfo", ["", "MemTotal: 1 kB\n", "MemAvailable: much\n", "nonsense"])
def test_what_cannot_be_read_is_no_memory(tmp_path: Path, meminfo: str) -> None:
    assert available(tmp_path, None, meminfo=meminfo) == 0
