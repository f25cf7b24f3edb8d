"""Training images that live on the device: the same training, bit for bit, and only numbers travel."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from toy_training import RECIPE, EndedError, curves, interrupting, toy, trained

from benchmarks.data.augmentation import Augmentation

STEPS = 44 // RECIPE.batch


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return trained(tmp_path_factory.mktemp("trained"))


def on_device(answer: dict[str, Any]) -> list[bool]:
    return [epoch["images_on_device"] for epoch in answer["epochs"]]


def test_images_on_the_device_give_the_same_training(tmp_path: Path, answer: dict[str, Any]) -> None:
    device = trained(tmp_path, on_device=True)
    assert (on_device(answer), on_device(device)) == ([False] * 4, [True] * 4)
    assert curves(device) == curves(answer)
    for name in ("batches_sha256", "test"):
        assert device[name] == answer[name]
    assert device["weights"]["sha256"] == answer["weights"]["sha256"]


def test_what_travels_is_numbers(tmp_path: Path) -> None:
    module, put = toy(), []

    class Watched(module.ToyNetwork):  # type: ignore[misc, name-defined]
        def picked(self, kept: Any, indices: Any, labels: Any = None) -> Any:
            put.append(len(indices))
            return super().picked(kept, indices, labels)

    module.ToyNetwork = Watched  # type: ignore[attr-defined]
    trained(tmp_path, framework=module, on_device=True)
    assert len(put) >= STEPS * RECIPE.epochs
    assert set(put) == {RECIPE.batch}


def test_a_training_may_go_on_with_its_images_on_the_device(tmp_path: Path, answer: dict[str, Any]) -> None:
    with pytest.raises(EndedError):
        trained(tmp_path, framework=interrupting(19), checkpoint_steps=2)
    resumed = trained(tmp_path, checkpoint_steps=2, on_device=True)
    assert on_device(resumed)[-1]
    assert curves(resumed) == curves(answer)


def test_what_is_augmented_stays_on_the_host_and_that_is_said(tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, augmentation=Augmentation(horizontal_flip=True), epochs=1)
    assert on_device(trained(tmp_path, recipe=recipe, on_device=True)) == [False]
    assert "all: images are resized, augmented or computed, and stay on the host" in (
        tmp_path / "training" / "log.txt"
    ).read_text(encoding="utf-8")
