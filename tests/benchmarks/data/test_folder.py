"""Folders of pictures, as source B's cats and dogs are kept."""

from collections.abc import Callable
from pathlib import Path

import pytest
from picture_files import BLUE, RED, encoded, picture_folder, plain

from benchmarks.data import folder
from benchmarks.data.images import ImageSet
from implementations.errors import UserError


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    return picture_folder(tmp_path / "pictures")


def loaded(place: Path, skip: bool = False) -> ImageSet:
    return folder.load(folder.listed(place), size=(4, 5), scratch=place.parent / "scratch", skip=skip)


def test_folders_are_classes_in_the_order_of_their_names(pictures: Path) -> None:
    assert loaded(pictures).classes == ("blue", "red")


def test_pictures_have_the_label_of_their_folder(pictures: Path) -> None:
    data = loaded(pictures)
    for split in (data.train, data.validation, data.test):
        assert split.labels.tolist() == [0, 0, 0, 1, 1, 1]
        assert (split.images[..., 2].mean(axis=(1, 2)) > 100).tolist() == [True] * 3 + [False] * 3  # blue


def test_pictures_of_all_sizes_get_the_one_asked_for(pictures: Path) -> None:
    assert loaded(pictures).train.images.shape == (6, 4, 5, 3)


def test_parts_keep_their_own_pictures(pictures: Path) -> None:
    (pictures / "validation" / "red" / "more.png").write_bytes(encoded(plain(RED), ".png"))
    data = loaded(pictures)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [6, 7, 6]


@pytest.mark.parametrize("name", ["notes.txt", ".hidden.jpg", "Thumbs.db"])
def test_files_that_are_no_pictures_are_passed_over(pictures: Path, name: str) -> None:
    (pictures / "train" / "red" / name).write_bytes(b"none")
    (pictures / ".git").mkdir()
    assert len(loaded(pictures).train) == 6


@pytest.mark.parametrize("ending", [".JPG", ".jpeg", ".Png", ".bmp"])
def test_endings_may_be_written_in_many_ways(pictures: Path, ending: str) -> None:
    (pictures / "train" / "red" / f"more{ending}").write_bytes(encoded(plain(RED), ending.lower()))
    assert len(loaded(pictures).train) == 7


def test_class_folders_alone_are_a_test(pictures: Path) -> None:
    data = loaded(pictures / "test")
    assert [len(split) for split in (data.train, data.validation, data.test)] == [0, 0, 6]
    assert data.classes == ("blue", "red")


def empty_out(place: Path) -> None:
    for path in place.iterdir():
        path.unlink()


def drop(place: Path) -> None:
    empty_out(place)
    place.rmdir()


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "a part missing": (lambda p: (p / "validation").rename(p / "valid"), "lacks validation/"),
    "a class missing": (lambda p: drop(p / "test" / "red"), "test/ has the classes blue, not blue, red"),
    "a class more": (lambda p: (p / "test" / "green").mkdir(), "test/ has the classes blue, green, red"),
    "a class without pictures": (lambda p: empty_out(p / "train" / "red"), "a class has no pictures"),
    "a class of the wrong name": (
        lambda p: (p / "validation" / "red").rename(p / "validation" / "Red"),
        "validation/ has the classes Red, blue, not blue, red",
    ),
    "one class": (
        lambda p: [drop(p / part / "red") for part in ("train", "validation", "test")],
        r"too few classes \(blue\)",
    ),
}


@pytest.mark.parametrize(("change", "wrong"), WRONG.values(), ids=WRONG)
def test_folders_of_another_form_are_refused(
    pictures: Path, change: Callable[[Path], object], wrong: str
) -> None:
    change(pictures)
    with pytest.raises(UserError, match=wrong):
        folder.listed(pictures)


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.mkdir(), lambda p: p.touch()])
def test_what_is_no_folder_of_pictures_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "none")
    with pytest.raises(UserError, match="train/, validation/ and test/"):
        folder.listed(tmp_path / "none")


def damage(pictures: Path) -> Path:
    path = pictures / "validation" / "red" / "1.jpg"
    path.write_bytes(path.read_bytes()[:100])
    return path


def test_a_damaged_picture_is_named(pictures: Path) -> None:
    damage(pictures)
    with pytest.raises(UserError, match=r"1 of 18 pictures .* validation/red/1\.jpg .*--skip-damaged"):
        loaded(pictures)


def test_a_damaged_picture_is_left_out_and_counted_where_that_is_asked_for(pictures: Path) -> None:
    damage(pictures)
    data = loaded(pictures, skip=True)
    assert data.skipped == 1
    assert data.validation.labels.tolist() == [0, 0, 0, 1, 1]


def test_a_link_that_leads_nowhere_is_a_damaged_picture(pictures: Path) -> None:
    (pictures / "train" / "red" / "link.jpg").symlink_to(pictures / "none.jpg")
    with pytest.raises(UserError, match=r"train/red/link\.jpg \(cannot be read"):
        loaded(pictures)


# --- The key ----------------------------------------------------------------------------------


def test_equal_folders_have_equal_keys_wherever_they_are(pictures: Path, tmp_path: Path) -> None:
    other = picture_folder(tmp_path / "elsewhere" / "copy")
    assert folder.listed(other).sha256 == folder.listed(pictures).sha256


CHANGES: dict[str, Callable[[Path], object]] = {
    "other pixels": lambda p: (p / "train" / "red" / "1.jpg").write_bytes(encoded(plain(BLUE))),
    "another name": lambda p: (p / "train" / "red" / "1.jpg").rename(p / "train" / "red" / "0a.jpg"),
    "another class": lambda p: (p / "train" / "red" / "1.jpg").rename(p / "train" / "blue" / "7.jpg"),
    "another part": lambda p: (p / "train" / "red" / "1.jpg").rename(p / "test" / "red" / "7.jpg"),
    "one less": lambda p: (p / "train" / "red" / "1.jpg").unlink(),
    "other class names": lambda p: [
        (p / part / "red").rename(p / part / "scarlet") for part in ("train", "validation", "test")
    ],
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_key_changes_with_what_is_in_the_folder(pictures: Path, change: Callable[[Path], object]) -> None:
    before = folder.listed(pictures).sha256
    change(pictures)
    assert folder.listed(pictures).sha256 != before
