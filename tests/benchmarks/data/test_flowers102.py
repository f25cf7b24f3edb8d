"""Flowers-102 from six small pictures in files of its form; the real ones' MD5 are pinned."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from picture_files import FLOWER_LABELS, FLOWER_SPLITS, encoded, flower_files, flower_pictures, plain, tar_gz

from benchmarks.data import flowers102
from benchmarks.data.images import ImageSet
from implementations.errors import UserError

Files = tuple[Path, Path, Path]


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return flower_files(tmp_path / "flowers")


def loaded(files: Files, **options: bool) -> ImageSet:
    return flowers102.load(*files, size=(4, 5), scratch=files[0].parent / "scratch", **options)


def save(path: Path, **arrays: object) -> None:
    from scipy.io import savemat

    savemat(path, arrays)


def test_the_larger_split_is_trained_on(files: Files) -> None:
    """As source D does: what the authors call ``tstid``, 6,149 pictures of the real set."""
    data = loaded(files)
    assert [len(split) for split in (data.train, data.validation, data.test)] == [3, 1, 2]


def test_pictures_and_labels_stay_with_their_numbers(files: Files) -> None:
    data = loaded(files)
    for split, key in ((data.train, "tstid"), (data.validation, "valid"), (data.test, "trnid")):
        numbers = FLOWER_SPLITS[key]
        assert split.images[:, 0, 0, 0].tolist() == [20 * number for number in numbers]
        assert split.labels.tolist() == [FLOWER_LABELS[number - 1] - 1 for number in numbers]  # from 0


def test_pictures_have_the_size_asked_for(files: Files) -> None:
    assert loaded(files).train.images.shape == (3, 4, 5, 3)


def test_there_are_102_classes(files: Files) -> None:
    data = loaded(files)
    assert (len(data.classes), data.maximum) == (102, 255)


WRONG: dict[str, tuple[Callable[[Files], None], str]] = {
    "no labels": (lambda files: files[1].unlink(), "cannot be read"),
    "labels of another name": (lambda files: save(files[1], other=np.array([[1]])), "KeyError"),
    "a label too large": (lambda files: save(files[1], labels=[[103] * 6]), "labels are not 1 to 102"),
    "a label of 0": (lambda files: save(files[1], labels=[[0] * 6]), "labels are not 1 to 102"),
    "labels that are text": (lambda files: save(files[1], labels="labels"), "no row of whole numbers"),
    "labels with fractions": (lambda files: save(files[1], labels=[[1.5] * 6]), "no row of whole numbers"),
    "labels in a cell": (
        lambda files: save(files[1], labels=np.array([["a", 1]], object)),
        "no row of whole numbers",
    ),
    "a label missing": (lambda files: save(files[1], labels=[FLOWER_LABELS[:5]]), "the splits are not 5"),
    "a picture in two splits": (
        lambda files: save(files[2], tstid=[[6, 1, 2]], valid=[[2]], trnid=[[5, 4]]),
        "the splits are not 6 different pictures",
    ),
    "a split missing": (lambda files: save(files[2], tstid=[[1, 2, 3, 4, 5, 6]]), "cannot be read"),
    "a large file": (lambda files: files[2].write_bytes(bytes(1 << 17)), "larger than 65536 bytes"),
    "labels cut short": (lambda files: files[1].write_bytes(files[1].read_bytes()[:150]), "cannot be read"),
    "no archive": (lambda files: files[0].unlink(), "the archive cannot be read"),
}


@pytest.mark.parametrize(("damage", "wrong"), WRONG.values(), ids=WRONG)
def test_files_that_are_wrong_are_refused(files: Files, damage: Callable[[Files], None], wrong: str) -> None:
    damage(files)
    with pytest.raises(UserError, match=wrong):
        loaded(files)


def repack(files: Files, change: Callable[[dict[str, bytes]], object]) -> None:
    pictures = flower_pictures()
    change(pictures)
    files[0].write_bytes(tar_gz(pictures))


NAME = "jpg/image_00004.jpg"
ARCHIVES: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "a picture missing": (lambda held: held.pop(NAME), "lacks 1 of 6 pictures"),
    "a picture more": (lambda held: held.update({"jpg/image_00007.jpg": b""}), "something unexpected"),
    "number 0": (lambda held: held.update({"jpg/image_00000.jpg": b""}), "something unexpected"),
    "something else": (lambda held: held.update({"setup.py": b""}), r"something unexpected \(setup.py\)"),
    "a picture that is none": (lambda held: held.update({NAME: b"none"}), f"1 of 6 .* {NAME}"),
}


@pytest.mark.parametrize(("change", "wrong"), ARCHIVES.values(), ids=ARCHIVES)
def test_archives_that_are_wrong_are_refused(
    files: Files, change: Callable[[dict[str, bytes]], object], wrong: str
) -> None:
    repack(files, change)
    with pytest.raises(UserError, match=wrong):
        loaded(files)


def test_a_damaged_picture_is_left_out_and_counted_where_that_is_asked_for(files: Files) -> None:
    repack(files, lambda held: held.update({NAME: encoded(plain((1, 2, 3)))[:60]}))
    data = loaded(files, skip=True)
    assert (data.skipped, len(data.train), len(data.test)) == (1, 3, 1)
    assert data.test.labels.tolist() == [FLOWER_LABELS[5 - 1] - 1]
