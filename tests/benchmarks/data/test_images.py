from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from damage import DAMAGES, damaged
from hypothesis import given

from benchmarks.data.images import ABOUT, ImageSet, Split, held_out, store
from implementations.errors import UserError

Change = Callable[[ImageSet], ImageSet]


def test_an_image_set_comes_back_from_its_folder(images: ImageSet, tmp_path: Path) -> None:
    back = store(images, tmp_path / "new" / "made")
    assert back.sha256 == images.sha256
    assert (back.name, back.title, back.classes, back.maximum) == (
        images.name,
        images.title,
        images.classes,
        images.maximum,
    )


def test_how_many_were_skipped_comes_back(images: ImageSet, tmp_path: Path) -> None:
    assert store(replace(images, skipped=3), tmp_path / "made").skipped == 3


def test_arrays_are_mapped_not_read(images: ImageSet, tmp_path: Path) -> None:
    back = store(images, tmp_path / "made")
    assert isinstance(back.train.images, np.memmap)
    assert (back.train.images.dtype, back.test.labels.dtype) == (np.uint8, np.int64)


def test_mapped_arrays_cannot_be_changed(images: ImageSet, tmp_path: Path) -> None:
    back = store(images, tmp_path / "made")
    with pytest.raises(ValueError, match="read-only"):
        back.train.images[0] = 0


def test_an_image_set_whose_arrays_are_views_is_stored_in_order(images: ImageSet, tmp_path: Path) -> None:
    turned = replace(images, train=Split(images.train.images[::-1], images.train.labels))
    back = store(turned, tmp_path / "made")
    np.testing.assert_array_equal(back.train.images, turned.train.images)


def test_storing_leaves_nothing_but_the_folder(images: ImageSet, tmp_path: Path) -> None:
    store(images, tmp_path / "made")
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_what_is_stored_is_not_written_again(images: ImageSet, tmp_path: Path) -> None:
    store(images, tmp_path / "made")
    before = (tmp_path / "made" / ABOUT).stat().st_mtime_ns
    store(images, tmp_path / "made")
    assert (tmp_path / "made" / ABOUT).stat().st_mtime_ns == before


def test_a_failure_leaves_nothing(images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(UserError, match="the data cannot be written"):
        store(images, tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_who_comes_second_takes_what_is_there(
    images: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quicker(*arguments: object, **options: object) -> None:
        monkeypatch.undo()
        with ThreadPoolExecutor(1) as pool:
            pool.submit(store, images, tmp_path / "made").result()
        np.save(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(np, "save", quicker)
    assert store(images, tmp_path / "made").sha256 == images.sha256
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_validation_part_that_is_the_test_part_is_stored_once(images: ImageSet, tmp_path: Path) -> None:
    shared = replace(images, validation=images.test)
    back = store(shared, tmp_path / "made")
    assert back.validation is back.test
    assert back.sha256 == shared.sha256
    assert len(list((tmp_path / "made").glob("*.npy"))) == 4


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGE: dict[str, Callable[[Path], None]] = {
    "no description": lambda folder: (folder / ABOUT).unlink(),
    "no JSON": lambda folder: (folder / ABOUT).write_text("{"),
    "other JSON": lambda folder: (folder / ABOUT).write_text("[]"),
    "missing": lambda folder: (folder / "train-images.npy").unlink(),
    "cut short": lambda folder: cut(folder / "train-images.npy"),
    "empty": lambda folder: (folder / "test-labels.npy").write_bytes(b""),
    "pickled": lambda folder: np.save(folder / "test-labels.npy", np.array([None]), allow_pickle=True),
    "floats": lambda folder: np.save(folder / "train-images.npy", np.zeros((6, 2, 3, 1))),
    "a label too many": lambda folder: np.save(folder / "train-labels.npy", np.zeros(7, np.int64)),
    "a label out of range": lambda folder: np.save(folder / "train-labels.npy", np.full(6, 10)),
    "a negative label": lambda folder: np.save(folder / "train-labels.npy", np.full(6, -1)),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_folder_is_refused(
    images: ImageSet, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    store(images, tmp_path / "made")
    damage(tmp_path / "made")
    with pytest.raises(UserError, match="remove that folder"):
        ImageSet.open(tmp_path / "made")


@pytest.mark.parametrize("name", ["train-images.npy", "train-labels.npy", ABOUT])
def test_damaged_files_are_refused_or_noticed(images: ImageSet, tmp_path: Path, name: str) -> None:
    path = store(images, tmp_path / "made").folder / name  # type: ignore[operator]

    @DAMAGES
    @given(damaged(path.read_bytes()))
    def try_it(content: bytes) -> None:
        path.write_bytes(content)
        try:
            found = ImageSet.open(tmp_path / "made", verify=True)
        except UserError:
            return
        assert found.sha256 == images.sha256

    try_it()


def changed_pixel(images: ImageSet) -> ImageSet:
    pixels = images.test.images.copy()
    pixels[-1, -1, -1, 0] ^= 1
    return replace(images, test=Split(pixels, images.test.labels))


CHANGES: dict[str, Change] = {
    "a pixel": changed_pixel,
    "a label": lambda images: replace(
        images, train=Split(images.train.images, (images.train.labels + 1) % 10)
    ),
    "the images' order": lambda images: replace(
        images, train=Split(images.train.images[::-1], images.train.labels)
    ),
    "the images' shape": lambda images: replace(
        images, train=Split(images.train.images.transpose(0, 2, 1, 3), images.train.labels)
    ),
    "the splits": lambda images: replace(images, train=images.validation, validation=images.train),
    "the maximum": lambda images: replace(images, maximum=16),
    "the classes": lambda images: replace(images, classes=tuple("abcdefghij")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_frameworks_would_compute_with_is_in_the_hash(images: ImageSet, change: Change) -> None:
    assert change(images).sha256 != images.sha256


def test_equal_data_have_equal_hashes_under_any_name(images: ImageSet) -> None:
    assert replace(images, name="other", title="Other").sha256 == images.sha256


def test_the_memory_layout_is_not_in_the_hash(images: ImageSet) -> None:
    spread = np.repeat(images.train.images, 2, axis=2)[:, :, ::2]
    assert replace(images, train=Split(spread, images.train.labels)).sha256 == images.sha256


def test_a_tenth_is_held_out(images: ImageSet) -> None:
    numbers = np.arange(107)
    split = Split(numbers.astype(np.uint8).reshape(-1, 1, 1, 1), numbers)
    train, validation = held_out(split)
    assert (len(train), len(validation)) == (97, 10)
    assert sorted([*train.labels, *validation.labels]) == numbers.tolist()
    assert train.images.reshape(-1).tolist() == train.labels.tolist()


def test_what_is_held_out_is_spread_and_always_the_same() -> None:
    split = Split(np.zeros((1000, 1, 1, 1), np.uint8), np.arange(1000))
    _, validation = held_out(split)
    assert validation.labels.tolist() == held_out(split)[1].labels.tolist()
    assert validation.labels.min() < 100
    assert validation.labels.max() >= 900  # files may be sorted by class
