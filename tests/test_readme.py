"""The README is kept true: its commands, options, files and figures exist as it says."""

import configparser
import re
import shlex
import subprocess
import sys
from functools import cache

import pytest

from implementations import bounds, mutants, networks
from implementations.commandline import ROOT

TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND = re.compile(r"python -m ((?:implementations|benchmarks|reports)(?: [a-z]+)?)([^`\n#]*)")
OPTION = re.compile(r"--[a-z-]+")


@cache
def help_of(command: str) -> str:
    words = [sys.executable, "-m", *shlex.split(command), "--help"]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def commands() -> list[tuple[str, str]]:
    return sorted({(command, rest) for command, rest in COMMAND.findall(TEXT.replace("\\\n", " "))})


def tox_environments() -> set[str]:
    ini = configparser.ConfigParser(interpolation=None)
    ini.read(ROOT / "tox.ini")
    return {section.removeprefix("testenv:") for section in ini.sections() if ":" in section}


def test_the_readme_names_commands_at_all() -> None:
    assert len(commands()) >= 8


@pytest.mark.parametrize(("command", "rest"), commands(), ids=lambda text: text.strip()[:40])
def test_every_option_is_one_of_its_command(command: str, rest: str) -> None:
    known = set(OPTION.findall(help_of(command)))
    assert set(OPTION.findall(rest)) <= known


def test_every_tox_environment_exists() -> None:
    named = {name for group in re.findall(r"tox -e ([a-z,-]*[a-z])", TEXT) for name in group.split(",")}
    assert named
    assert named <= tox_environments()


def test_every_file_exists() -> None:
    named = re.findall(
        r"[`(]((?:implementations|benchmarks|reports|tests|docs|requirements)/[\w./-]*)[`)]", TEXT
    )
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_count_of_mutants() -> None:
    (count,) = re.findall(r"# (\d+) single slips", TEXT)
    assert int(count) == len(mutants.MUTANTS)


def test_the_length_of_the_reference() -> None:
    (count,) = re.findall(r"reference of about (\d+) lines", TEXT)
    lines = len((ROOT / "implementations/reference.py").read_text(encoding="utf-8").splitlines())
    assert abs(lines - int(count)) <= 25


def test_the_bounds_of_the_levels() -> None:
    rows = dict(re.findall(r"^\| (\d) \w+ \|.*\| ([^|]*) \|$", TEXT, flags=re.MULTILINE))
    stated = {
        (int(level), precision): float(bound)
        for level, text in rows.items()
        for precision, bound in re.findall(r"(float\d+) ([\de-]+)", text)
    }
    assert stated == bounds.BOUNDS


def test_the_bounds_of_reduced_precisions() -> None:
    ((far, near),) = re.findall(r"at most (\d+) machine epsilons of that precision, at least 1/(\d+)", TEXT)
    assert (int(far), 1 / int(near)) == (bounds.UNITS_APART, bounds.UNITS_NEAR)


def test_the_bound_of_reduced_gradients() -> None:
    (far,) = re.findall(r"gradient are proven too: at most (\d+) machine epsilons", TEXT)
    assert int(far) == bounds.GRADIENT_UNITS_APART


def test_the_count_of_networks() -> None:
    (count,) = re.findall(r"GoogLeNet, VGG16 and (\d+) relatives", TEXT)
    assert int(count) == len(networks.NETWORKS) - 2
