"""Both walk-throughs of CONTRIBUTING.md, step by step in a copy of the project: nothing else is touched."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.results import forks
from implementations.commandline import ROOT

PATIENCE_S = 600.0
PARTS = ("implementations", "benchmarks", "reports", "docs")
ONE_FORK = ("--preset", "quick", "--budget", "0", "--policy", "equal", "--threads", "1")


def block(first_words: str) -> str:
    """The fenced block of CONTRIBUTING.md that begins so."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    (found,) = re.findall(rf"```\w*\n({re.escape(first_words)}.*?)```", text, re.DOTALL)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with the toy network, and with the toy framework by the words of the page."""
    copy = tmp_path / "project"
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests" / "toys", copy / "tests" / "toys")
    (copy / "implementations" / "networks" / "toy.py").write_text(block('"""A small perceptron'))
    copying = block("cp -r").splitlines()[0]
    subprocess.run(copying.split(), cwd=copy, check=True)
    return copy


def command(project: Path, *words: str) -> str:
    """The output of ``python WORDS`` in the copy, which must succeed."""
    done = subprocess.run(
        [sys.executable, *words], cwd=project, capture_output=True, text=True, timeout=PATIENCE_S
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_network_and_a_framework_are_added_and_proven(project: Path) -> None:
    assert "332" in command(project, "-m", "implementations", "describe", "toy")
    proof, cache = project / "proof.json", ["--cache-dir", str(project / "cache")]
    asked = ["--network", "toy", "--framework", "toy-numpy", "--threads", "1", "--json", str(proof)]
    command(project, "-m", "implementations", "check", *asked, *cache)
    (certificate,) = json.loads(proof.read_text())
    assert certificate["passed"]
    assert {finding["level"] for finding in certificate["findings"]} >= {0, 1, 2, 3}


def test_what_was_added_is_measured_and_reported(project: Path) -> None:
    results, cache = project / "results", ["--cache-dir", str(project / "cache")]
    asked = ["--network", "toy", "--framework", "toy-numpy", *ONE_FORK]
    command(project, "-m", "benchmarks", "run", *asked, *cache, "--output", str(results), "--report")
    (report,) = results.rglob("*.html")
    assert "toy-numpy" in report.read_text()
    assert {fork.case.framework for fork in forks(results)} == {"toy-numpy"}


def test_a_slip_in_the_added_framework_is_caught(project: Path) -> None:
    adapter = project / "implementations" / "frameworks" / "numpy" / "adapter.py"
    text = adapter.read_text()
    slipped = text.replace("np.maximum(x, 0)", "np.maximum(x, 0.001)")
    assert slipped != text
    adapter.write_text(slipped)
    asked = ["--network", "toy", "--framework", "toy-numpy", "--threads", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "implementations", "check", *asked, "--cache-dir", str(project / "cache")],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 1
    assert "hidden" in done.stdout


def test_a_name_that_two_files_list_is_refused(project: Path) -> None:
    folder = project / "implementations" / "networks"
    shutil.copy(folder / "toy.py", folder / "toys.py")
    words = [sys.executable, "-m", "implementations", "describe", "toy"]
    done = subprocess.run(words, cwd=project, capture_output=True, text=True)
    assert done.returncode == 1
    assert "toys.py lists toy, as another file does" in done.stderr


@pytest.mark.frameworks
def test_the_added_network_is_the_same_in_every_framework(project: Path) -> None:
    asked = ["--network", "toy", "--cache-dir", str(project / "cache")]
    shown = command(project, "-m", "implementations", "check", *asked)
    for name in (
        "toy-numpy",
        "pytorch",
        "keras-tensorflow",
        "keras-jax",
        "keras-torch",
        "paddle",
        "onnxruntime",
    ):
        assert name in shown
