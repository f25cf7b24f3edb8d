"""The page about the architecture names every file of the three packages, and none that is gone."""

import re
from pathlib import Path

import pytest

from implementations.commandline import ROOT

PAGE = ROOT / "docs" / "architecture.md"
ANYWHERE = {"__init__"}  # says what its folder is


def part(package: str) -> str:
    """What the page says of one package."""
    _, _, rest = PAGE.read_text().partition(f"\n## {package}:")
    return rest.partition("\n## ")[0]


def named(package: str) -> set[str]:
    return {word.strip("/") for word in re.findall(r"`([\w/]+)`", part(package))}


def modules(package: str) -> list[Path]:
    every = (path for path in (ROOT / package).rglob("*.py") if "versions" not in path.parts)
    return [path for path in every if path.stem not in ANYWHERE]


@pytest.mark.parametrize("package", ["implementations", "benchmarks", "reports"])
def test_every_module_is_named(package: str) -> None:
    stems = {path.stem for path in modules(package) if "migrations" not in path.parts}
    assert sorted(stems - named(package)) == []


@pytest.mark.parametrize("package", ["implementations", "benchmarks", "reports"])
def test_nothing_is_named_that_is_not_there(package: str) -> None:
    folders = {path.name for path in (ROOT / package).rglob("*") if path.is_dir()}
    stems = {path.stem for path in modules(package)}
    assert sorted(named(package) - stems - folders) == []
