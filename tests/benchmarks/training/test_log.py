from pathlib import Path
from typing import Any

import pytest
from toy_training import RECIPE

from benchmarks.recipes import named
from benchmarks.training import log
from benchmarks.training.checkpoint import Position

SCORE = {"main": {"loss": 0.5, "accuracy": 0.75}, "side": {"loss": 0.9, "accuracy": 0.5}}
EPOCH = {"epoch": 1, "stage": "all", "train_loss": 0.25, "validation": SCORE, "images_per_second": 1234.5}


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that tests set."""
    time = [100.0]
    monkeypatch.setattr(log, "CLOCK", lambda: time[0])
    return time


def opened(folder: Path) -> log.Log:
    return log.Log(folder / "log.txt", RECIPE, steps_per_epoch=5)  # 4 epochs of 8 images a step


def lines(folder: Path) -> list[str]:
    return (folder / "log.txt").read_text().splitlines() if (folder / "log.txt").exists() else []


def position(**changes: Any) -> Position:
    return Position(**{"step": 5, "losses": [0.5, 0.25], "seconds": 3.0, "waited_s": 1.0, **changes})


def test_an_epoch_says_loss_accuracy_speed_and_what_is_left(tmp_path: Path, now: list[float]) -> None:
    told = opened(tmp_path)
    now[0] += 30  # 5 steps of 20 in half a minute
    told.epoch(position(epochs=[EPOCH]))
    assert lines(tmp_path) == [
        "epoch 1/4: loss 0.2500, validation accuracy 0.7500, side 0.5000, 1,234.5 images/s, 1:30 left"
    ]


def test_what_is_left_is_told_by_the_pace_of_this_process(tmp_path: Path, now: list[float]) -> None:
    told = opened(tmp_path)
    now[0] += 1000  # building, compiling
    told.begin(15)
    now[0] += 10  # one step
    told.epoch(position(step=16, epochs=[EPOCH]))
    assert lines(tmp_path)[0].endswith("0:40 left")


def test_within_an_epoch_the_last_loss_is_told_now_and_then(tmp_path: Path, now: list[float]) -> None:
    told = opened(tmp_path)
    told.step(position(step=2))
    assert lines(tmp_path) == []
    now[0] += log.TOLD_EVERY_S
    told.step(position(step=2))
    told.step(position(step=2))
    assert lines(tmp_path) == ["epoch 1/4, step 2/5: loss 0.2500, 4.0 images/s, 1:30 left"]


def test_a_stage_is_named_where_there_are_several(tmp_path: Path, now: list[float]) -> None:
    told = log.Log(tmp_path / "log.txt", named("vgg16-transfer", "small"), steps_per_epoch=5)
    told.epoch(position(epochs=[{**EPOCH, "stage": "features"}]))
    assert lines(tmp_path)[0].startswith("epoch 1/6, features: loss")
