import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks.recipes import Recipe, Target
from benchmarks.training import choices, train
from implementations.errors import UserError


def asked(*words: str) -> Recipe:
    return choices.recipe(command.parser().parse_args(["train", *words]))


def test_the_full_scale_is_the_default() -> None:
    assert (asked("mlp").scale, asked("mlp", "--scale", "small").scale) == ("full", "small")


def test_epochs_take_the_place_of_the_recipes() -> None:
    assert asked("mlp", "--epochs", "2").parts[0].epochs == 2


def test_the_target_is_the_recipes_own_unless_one_is_named() -> None:
    assert asked("mlp").target == asked("mlp", "--until-target").target == Target(0.87)
    assert asked("mlp", "--until-target", "90").target == Target(0.9)


def test_a_recipe_without_a_target_takes_one_that_is_named() -> None:
    assert asked("flowers-vgg16").target is None
    assert asked("flowers-vgg16", "--until-target", "50%").target == Target(0.5)
    with pytest.raises(UserError, match="flowers-vgg16 has no target"):
        asked("flowers-vgg16", "--until-target")


def test_what_is_wanted_has_its_options() -> None:
    words = ["train", "mlp", "--until-target", "--checkpoint-steps", "7", "--weights", "initial"]
    options, data = command.parser().parse_args(words), object()
    wanted = choices.wanted(options, asked("mlp"), data)  # type: ignore[arg-type]
    assert (wanted.until_target, wanted.saving.steps, wanted.saving.seconds) == (True, 7, 60.0)
    assert wanted.weights == "initial"
    assert not wanted.on_device


def test_images_on_the_device_are_asked_for_and_are_another_training_to_do() -> None:
    options, data = command.parser().parse_args(["train", "mlp", "--data-on-device"]), object()
    wanted = choices.wanted(options, asked("mlp"), data)  # type: ignore[arg-type]
    assert wanted.on_device
    assert train.asked(wanted) != train.asked(dataclasses.replace(wanted, on_device=False))


def test_resume_alone_means_the_last_training_and_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared: dict[str, Any] = {"schema_version": 2, "device": "cpu", "threads": 1, "machine": {}, "commit": {}}
    for number, preset in enumerate(("train", "train", "quick")):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        about = {**shared, "preset": preset, "started": f"2026-01-0{number + 1}T00:00:00+00:00"}
        (folder / "run.json").write_text(json.dumps(about))
    monkeypatch.setattr(command, "RESULTS", tmp_path)
    assert command._latest(is_training=True).name == "1"
    assert command._latest(is_training=False).name == "2"
