import dataclasses
from pathlib import Path
from typing import Any

import pytest
from idx_files import fill

from benchmarks.data import digits, fashion_mnist
from benchmarks.data.images import ImageSet
from benchmarks.recipes import named
from benchmarks.training import train
from implementations.errors import UserError


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, which is also the system's place of data sets."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.setattr(fashion_mnist, "SYSTEM_PLACE", folder)
    return folder


def silent(line: str) -> None:
    pass


def test_the_digits_are_used_where_fashion_mnist_is_not_found(nowhere: Path) -> None:
    assert train.find_data(None, nowhere, silent).name == "digits"


def test_falling_back_to_the_digits_is_said(nowhere: Path) -> None:
    said: list[str] = []
    train.find_data(None, nowhere, said.append)
    assert len(said) == 1
    assert "digits" in said[0]
    assert "--data-dir" in said[0]


def test_a_folder_that_is_named_is_used(nowhere: Path, tmp_path: Path) -> None:
    data = train.find_data(fill(tmp_path / "given"), nowhere, silent)
    assert (data.name, len(data.train)) == ("fashion-mnist", 3)


def test_the_cache_is_looked_in(nowhere: Path, tmp_path: Path) -> None:
    fill(tmp_path / "cache" / "data" / "fashion-mnist")
    assert train.find_data(None, tmp_path / "cache", silent).name == "fashion-mnist"


def test_the_systems_place_is_looked_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_PLACE", fill(tmp_path / "system"))
    assert train.find_data(None, tmp_path / "cache", silent).name == "fashion-mnist"


def test_where_the_data_come_from_is_said(nowhere: Path, tmp_path: Path) -> None:
    said: list[str] = []
    train.find_data(fill(tmp_path / "given"), nowhere, said.append)
    assert said == [f"data: Fashion-MNIST from {tmp_path / 'given'}"]


def test_a_named_folder_without_the_files_is_refused_even_if_others_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_PLACE", fill(tmp_path / "system"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(UserError, match=f"given {empty}; allowed: train-images"):
        train.find_data(empty, tmp_path, silent)


@pytest.mark.parametrize("place", ["given", "cache/data/fashion-mnist", "system"])
def test_damaged_data_are_refused_wherever_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_PLACE", tmp_path / "system")
    path = fill(tmp_path / place) / f"{fashion_mnist.FILES['test_images']}.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match=path.name):
        train.find_data(tmp_path / "given" if place == "given" else None, tmp_path / "cache", silent)


@pytest.mark.parametrize(
    ("changed", "word"),
    [({"only": (1, 40)}, "no class of that number"), ({"batch": 10**6}, "too few images for a batch")],
)
def test_what_the_data_do_not_have_is_refused_at_once(changed: dict[str, Any], word: str) -> None:
    recipe = dataclasses.replace(named("mlp", "small"), **changed)
    with pytest.raises(UserError, match=word):
        train.fitting(recipe, digits.load())


def test_a_result_names_its_data_by_their_hash(images: ImageSet) -> None:
    about = train.about_data(images)
    assert (about["sha256"], about["train_images"], about["test_images"]) == (images.sha256, 6, 3)
