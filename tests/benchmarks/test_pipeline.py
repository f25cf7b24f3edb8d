"""The input pipeline is timed without any framework."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from implementations.commandline import ROOT


def measured(*words: str) -> subprocess.CompletedProcess[str]:
    plugins = ["-p", "no:cacheprovider", "-p", "no:xdist"]
    command = [sys.executable, "-m", "pytest", *plugins, *words]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=clean, timeout=300)


def test_images_a_second_are_shown_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    done = measured("benchmarks/test_pipeline.py", "-k", "28-1", f"--benchmark-json={path}")
    assert done.returncode == 0, done.stdout + done.stderr
    (made,) = json.loads(path.read_text())["benchmarks"]
    rate = made["extra_info"]["images_per_second"]
    assert rate == pytest.approx(8 * 32 / made["stats"]["median"])
    assert f"test_pipeline[28-1]: {rate:,.0f} images/s" in done.stdout


@pytest.mark.parametrize("words", [["benchmarks/test_copy.py"], ["benchmarks"]])
def test_everything_else_needs_a_framework(words: list[str]) -> None:
    done = measured(*words)
    assert done.returncode == 2
    assert "no framework was chosen" in done.stdout + done.stderr
