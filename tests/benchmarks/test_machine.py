import getpass
import os
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from benchmarks import machine

NAME = "somebody-in-particular"


def words(content: dict[str, Any]) -> set[str]:
    return {word for value in content.values() for word in re.split(r"[\s/|,()]+", str(value))}


def test_a_description_names_neither_host_nor_user() -> None:
    assert not words(machine.description()) & {socket.gethostname(), getpass.getuser()}


def test_a_host_name_in_a_description_would_be_noticed() -> None:
    assert socket.gethostname() in words({"system": f"Linux 6.1 ({socket.gethostname()})"})


def test_a_description_holds_no_path() -> None:
    assert str(Path.home()) not in str(machine.description()) or Path.home() == Path("/")


@pytest.mark.parametrize("variable", ["USER", "LOGNAME", "HOME", "HOSTNAME"])
def test_a_description_reads_no_environment_variable(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    before = machine.description()
    monkeypatch.setenv(variable, f"/home/{NAME}")
    assert machine.description() == before


def test_a_description_has_these_fields_and_no_others() -> None:
    # An allowed list: a new field is thought about here before it is published.
    fields = {"cpu", "cores", "affinity", "governor", "cpu_limit", "memory_gib", "memory_limit_gib"}
    fields |= {"architecture", "system", "python"}
    assert set(machine.description()) == fields


def test_memory_is_in_gibibytes() -> None:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert machine.description()["memory_gib"] == pytest.approx(pages / 2**30, abs=0.05)  # one decimal


def test_a_fingerprint_is_stable() -> None:
    assert machine.fingerprint("a device") == machine.fingerprint("a device")


def test_another_device_has_another_fingerprint() -> None:
    assert machine.fingerprint("a device") != machine.fingerprint("another device")


def changed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    other = {**machine.description(), name: "something else"}
    monkeypatch.setattr(machine, "description", lambda: other)


@pytest.mark.parametrize("name", ["cpu", "cores", "architecture"])
def test_another_processor_has_another_fingerprint(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = machine.fingerprint("a device")
    changed(monkeypatch, name)
    assert machine.fingerprint("a device") != before


@pytest.mark.parametrize("name", ["system", "python"])
def test_a_new_kernel_or_python_goes_on_with_the_series(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    before = machine.fingerprint("a device")
    changed(monkeypatch, name)
    assert machine.fingerprint("a device") == before


def test_a_fingerprint_does_not_spell_what_it_hashes() -> None:
    assert re.fullmatch("[0-9a-f]{12}", machine.fingerprint("a device"))


def test_outside_a_git_tree_the_commit_is_unversioned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert machine.commit.__wrapped__() == {"id": "unversioned", "dirty": None}


def test_without_git_the_commit_is_unversioned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.commit.__wrapped__()["id"] == "unversioned"


# --- Limits and switches ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cores", "text"), [([0], "0"), ([0, 1, 2, 3], "0-3"), ([0, 2, 3, 8], "0,2-3,8"), ([], "")]
)
def test_cores_are_written_as_the_kernel_does(cores: list[int], text: str) -> None:
    assert machine._ranges(cores) == text


@pytest.mark.parametrize(
    ("text", "cores"), [("200000 100000", 2.0), ("150000 100000", 1.5), ("max 100000", None), (None, None)]
)
def test_a_containers_share_of_cores_is_read(text: str | None, cores: float | None) -> None:
    assert machine._quota(text) == cores


@pytest.mark.parametrize(("limit", "gib"), [(3 * 2**30, 3.0), (None, None)])
def test_a_containers_memory_is_read(
    monkeypatch: pytest.MonkeyPatch, limit: int | None, gib: float | None
) -> None:
    monkeypatch.setattr(machine, "limit_bytes", lambda: limit)
    assert machine.description()["memory_limit_gib"] == gib


def test_only_variables_that_change_speed_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"OMP_NUM_THREADS": "2", "HOME": "/home/me", "XLA_FLAGS": "--dir=/x"})
    assert machine.environment() == {"OMP_NUM_THREADS": "2"}
