"""What the driver says of a GPU, by an nvidia-smi that the tests write."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from implementations import gpus, provenance
from implementations.gpus import Card

H200 = "NVIDIA H200, 570.86.15, 9.0"
Says = Callable[[str], None]


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Says]:
    """Puts an ``nvidia-smi`` that prints such a line, and keeps its arguments, in front of all commands."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def write(line: str) -> None:
        command = tmp_path / "nvidia-smi"
        command.write_text(f'#!/bin/sh\necho "$@" > "{tmp_path}/asked"\n{line}\n')
        command.chmod(0o755)

    gpus.card.cache_clear()
    yield write
    gpus.card.cache_clear()


def test_a_card_has_a_name_a_driver_and_a_capability(says: Says) -> None:
    says(f'echo "{H200}"')
    assert gpus.card("cuda:0") == Card("NVIDIA H200", "570.86.15", 9)
    assert provenance.gpu("cuda:0") == "NVIDIA H200, driver 570.86.15"


@pytest.mark.parametrize(
    ("device", "seen", "asked"),
    [("cuda:1", "", "1"), ("cuda:0", "3,2", "3"), ("cuda:1", "GPU-8f3c, GPU-11aa", "GPU-11aa")],
)
def test_the_card_is_the_one_that_the_framework_sees(
    device: str, seen: str, asked: str, says: Says, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(f'echo "{H200}"')
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", seen)
    gpus.card(device)
    assert (tmp_path / "asked").read_text().split()[-2:] == ["-i", asked]


@pytest.mark.parametrize("line", ["exit 9", 'echo "No devices were found"', "echo"])
def test_what_the_driver_does_not_tell_is_absent(line: str, says: Says) -> None:
    says(line)
    assert gpus.card("cuda:0") is None
    assert provenance.gpu("cuda:0") is None


def test_a_capability_that_is_not_told_is_none_at_all(says: Says) -> None:
    says('echo "Tesla K80, 450.1, [N/A]"')
    assert gpus.card("cuda:0") == Card("Tesla K80", "450.1", 0)


def test_no_card_is_asked_for_on_the_cpu(says: Says, tmp_path: Path) -> None:
    says(f'echo "{H200}"')
    assert gpus.card("cpu") is None
    assert not (tmp_path / "asked").exists()


def test_a_machine_without_the_command_has_none(says: Says, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert gpus.card("cuda:0") is None
