"""Real frameworks, killed by SIGKILL in the middle of an epoch: the curve goes on to the same bits.

And what one has trained the others evaluate. One small training a framework is shared by both.
"""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from benchmarks.recipes.tables import as_table
from implementations.commandline import ROOT
from implementations.network import TRAINERS
from implementations.processes import Launcher

pytestmark = pytest.mark.frameworks
PATIENCE_S = 600.0
KILLED = ("pytorch", "keras-tensorflow", "paddle")
RECIPE = """
network = "probe"
classes = 10
input_size = [25, 20]
data = "synthetic"
epochs = 2
batch = 50

[preprocessing]
size = [25, 20]

[optimizer]
kind = "nadam"
learning_rate = 0.001

[schedule]
kind = "stepped"
factor = 0.5
every = 1
unit = "epoch"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("resume")
    (made / "small.toml").write_text(RECIPE)
    return made


def started(folder: Path, output: str, framework: str, *options: str) -> subprocess.Popen[str]:
    """``train`` with dropout, an auxiliary head and a falling rate; 20 steps an epoch."""
    places = ["--output", str(folder / output), "--cache-dir", str(folder / "cache"), "--device", "cpu"]
    chosen = ["train", str(folder / "small.toml"), "--framework", framework, "--threads", "1"]
    command = [sys.executable, "-m", "benchmarks", *chosen, *places, *options]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(child: subprocess.Popen[str]) -> str:
    said, wrong = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, said + wrong
    return said


@pytest.fixture(scope="module")
def whole(folder: Path) -> Callable[[str], dict[str, Any]]:
    """The result of an uninterrupted training in a framework; trained once."""

    def trained(framework: str) -> dict[str, Any]:
        path = results.training_path(folder / "whole", "small", framework, 0)
        if not path.exists():
            finish(started(folder, "whole", framework))
        return results.read_training(path)

    return trained


def curve(result: dict[str, Any]) -> Any:
    names = ("epoch", "learning_rate", "train_loss", "train", "validation")
    epochs = [{name: epoch[name] for name in names} for epoch in result["epochs"]]
    return epochs, result["test"], result["weights"]["sha256"]


@pytest.mark.parametrize("framework", KILLED)
def test_killed_and_resumed_the_curve_is_bit_for_bit_the_same(
    framework: str, folder: Path, whole: Callable[[str], dict[str, Any]]
) -> None:
    expected = whole(framework)
    assert expected["deterministic"] is True
    assert expected["dropout"] is True
    training = folder / "killed" / "training" / f"small-{framework}-seed0"
    child = started(folder, "killed", framework, "--checkpoint-steps", "3")
    deadline = time.monotonic() + PATIENCE_S
    while not (training / "checkpoint.safetensors").exists():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    said = finish(started(folder, "killed", framework, "--checkpoint-steps", "3"))
    assert "going on after step" in said
    found = results.read_training(results.training_path(folder / "killed", "small", framework, 0))
    assert curve(found) == curve(expected)


def test_every_framework_is_fed_the_same_batches(whole: Callable[[str], dict[str, Any]]) -> None:
    assert len({whole(framework)["batches_sha256"] for framework in KILLED}) == 1


@pytest.mark.parametrize("framework", TRAINERS)
def test_what_was_trained_in_one_predicts_the_same_in_every_other(
    framework: str,
    folder: Path,
    whole: Callable[[str], dict[str, Any]],
    launcher: Launcher,
    children_path: None,
) -> None:
    """Within level 1's float32 bound of dense layers."""
    results_of = {trainer: whole(trainer) for trainer in KILLED}
    files = {t: str(folder / "whole" / "training" / r["weights"]["file"]) for t, r in results_of.items()}
    request = {"network": {"name": "probe", "classes": 10, "input_size": [25, 20]}, "files": files}
    found = launcher.ask(framework, "learning_tasks:evaluated", request, PATIENCE_S)
    assert found.keys() == set(KILLED)
    assert max(found.values()) < 2e-5


def test_the_recipe_of_these_tests_is_whole(folder: Path) -> None:
    from benchmarks.recipes import find

    assert json.dumps(as_table(find(str(folder / "small.toml"))))
