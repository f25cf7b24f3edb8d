"""A training that is killed at any time goes on to the same bits: real SIGKILLs of a real process."""

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from toy_training import RECIPE, request

from implementations.commandline import ROOT

SCRIPT = ROOT / "tests" / "children" / "toy_training.py"
KILLS = 4
PATIENCE_S = 300.0


def started(folder: Path, **options: Any) -> subprocess.Popen[bytes]:
    asked = folder / "request.json"
    if not asked.exists():
        folder.mkdir(exist_ok=True)
        asked.write_text(json.dumps(request(folder, RECIPE.with_epochs(60), **options)))
    command = [sys.executable, str(SCRIPT), str(asked), str(folder / "answer.json")]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(child: subprocess.Popen[bytes]) -> None:
    _, told = child.communicate(timeout=PATIENCE_S)
    assert child.returncode == 0, told.decode()


def killed(child: subprocess.Popen[bytes], checkpoint: Path, wait: float) -> bool:
    """Whether it was killed before its end, some time after it wrote another checkpoint."""
    before, deadline = _written(checkpoint), time.monotonic() + PATIENCE_S
    while _written(checkpoint) == before and child.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    time.sleep(wait)
    child.kill()
    child.communicate()
    return child.returncode == -signal.SIGKILL


def _written(path: Path) -> int:
    return path.stat().st_mtime_ns if path.exists() else 0


def curve(folder: Path) -> Any:
    answer = json.loads((folder / "answer.json").read_text())
    names = ("epoch", "learning_rate", "train_loss", "train", "validation")
    epochs = [{name: epoch[name] for name in names} for epoch in answer["epochs"]]
    return epochs, answer["test"], answer["weights"]["sha256"]


def test_killed_at_any_time_the_curve_is_bit_for_bit_the_same(tmp_path: Path) -> None:
    finish(started(tmp_path / "whole"))
    moments, kills = random.Random(0), 0
    checkpoint = tmp_path / "killed" / "training" / "checkpoint.safetensors"
    for _ in range(KILLS):
        child = started(tmp_path / "killed", checkpoint_steps=1)
        kills += killed(child, checkpoint, moments.uniform(0, 0.1))
    finish(started(tmp_path / "killed"))
    assert kills > 0  # else nothing was resumed
    assert "going on after step" in (checkpoint.parent / "log.txt").read_text()
    assert curve(tmp_path / "killed") == curve(tmp_path / "whole")
