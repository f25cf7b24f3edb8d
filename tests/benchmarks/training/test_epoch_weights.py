"""Tests and weights of every epoch, where a recipe asks for them; a resumed training has the same."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from toy_training import RECIPE, EndedError, curves, images, interrupting, trained

from benchmarks.training.epoch_weights import Kept
from implementations import reference, weights

FLOAT32 = 1e-5  # of a loss after some steps computed in float32
KEPT = dataclasses.replace(RECIPE, test_each_epoch=True, keep_epochs=2)


def beside(folder: Path) -> list[str]:
    """Weights in files beside the training in ``folder``."""
    return sorted(path.name for path in folder.glob("training*.safetensors"))


def test_every_epoch_is_tested(tmp_path: Path) -> None:
    answer = trained(tmp_path, recipe=KEPT)
    assert all(epoch["test"]["main"].keys() == {"loss", "accuracy"} for epoch in answer["epochs"])
    last = answer["epochs"][-1]["test"]["main"]
    assert last == {name: answer["test"][name] for name in last}


def test_unless_it_is_asked_for_nothing_is_tested_or_kept_before_the_end(tmp_path: Path) -> None:
    answer = trained(tmp_path)
    assert all("test" not in epoch for epoch in answer["epochs"])
    assert answer["kept"] == []
    assert beside(tmp_path) == ["training.safetensors"]


def test_weights_of_the_last_epochs_are_kept_and_are_those_that_were_tested(tmp_path: Path) -> None:
    answer, data, network = trained(tmp_path, recipe=KEPT), images(), RECIPE.build()
    names = ["training-epoch3.safetensors", "training-epoch4.safetensors"]
    assert beside(tmp_path) == [*names, "training.safetensors"]
    assert [(found["epoch"], found["file"]) for found in answer["kept"]] == list(
        zip((3, 4), names, strict=True)
    )
    for found in answer["kept"]:
        path = tmp_path / found["file"]
        assert weights.sha256(path) == found["sha256"]
        pixels = data.test.images.transpose(0, 3, 1, 2) / 255
        shown = reference.forward(network, weights.load(path, network), pixels)
        loss = answer["epochs"][found["epoch"] - 1]["test"]["main"]["loss"]
        assert reference.loss(network, shown, data.test.labels) == pytest.approx(loss, rel=FLOAT32)


def test_what_another_training_kept_under_the_same_name_goes(tmp_path: Path) -> None:
    for name in (
        "training-epoch9.safetensors",
        "training-epochs.safetensors",
        "training1-epoch9.safetensors",
    ):
        (tmp_path / name).touch()
    trained(tmp_path, recipe=KEPT)
    assert "training-epoch9.safetensors" not in beside(tmp_path)
    assert {"training-epochs.safetensors", "training1-epoch9.safetensors"} <= set(beside(tmp_path))


@pytest.mark.parametrize("steps", [12, 15, 19, 20, 28])
def test_a_training_that_goes_on_has_the_same_tests_and_files(tmp_path: Path, steps: int) -> None:
    """Also from the end of an epoch."""
    whole = trained(tmp_path / "whole", recipe=KEPT)
    with pytest.raises(EndedError):
        trained(tmp_path, recipe=KEPT, framework=interrupting(steps), checkpoint_steps=2)
    resumed = trained(tmp_path, recipe=KEPT, checkpoint_steps=2)
    assert [epoch["test"] for epoch in resumed["epochs"]] == [epoch["test"] for epoch in whole["epochs"]]
    assert resumed["kept"] == whole["kept"]
    assert curves(resumed) == curves(whole)


def test_an_epochs_file_is_there_when_its_checkpoint_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the two, the epoch is made again, and gives the same file."""
    whole = trained(tmp_path / "whole", recipe=KEPT)

    def ended(self: Kept, epoch: int, values: Any) -> None:
        save(self, epoch, values)
        if epoch == 3:
            raise EndedError

    save = Kept.save
    with monkeypatch.context() as patch:
        patch.setattr(Kept, "save", ended)
        with pytest.raises(EndedError):
            trained(tmp_path, recipe=KEPT)
    assert [f"training-epoch{number}.safetensors" for number in (1, 2, 3)] == beside(tmp_path)
    assert trained(tmp_path, recipe=KEPT)["kept"] == whole["kept"]
