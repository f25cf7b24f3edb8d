import gzip
import hashlib
import math
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import train
from benchmarks.data import digits, fashion_mnist
from benchmarks.data.images import ImageSet
from implementations.errors import UserError

Change = Callable[[ImageSet], ImageSet]


def idx(array: NDArray[np.uint8]) -> bytes:
    """``array`` as the content of an IDX file: big-endian sizes after 0, 0, type 8, dimensions."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


IMAGES = np.arange(3 * 2 * 4, dtype=np.uint8).reshape(3, 2, 4)
LABELS = np.array([0, 9, 4], np.uint8)
CONTENT = idx(IMAGES)
FILES = {"train_images": IMAGES, "train_labels": LABELS, "test_images": IMAGES[:2], "test_labels": LABELS[:2]}


def fill(folder: Path, **changes: NDArray[np.uint8]) -> Path:
    """A folder of four small files with the published names; ``changes`` replace arrays."""
    folder.mkdir(parents=True)
    for key, array in {**FILES, **changes}.items():
        (folder / f"{fashion_mnist.FILES[key]}.gz").write_bytes(gzip.compress(idx(array)))
    return folder


# --- One IDX file -------------------------------------------------------------------------


def test_a_plain_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(CONTENT)
    np.testing.assert_array_equal(fashion_mnist.read_idx(path, 3), IMAGES)


def test_a_gzipped_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(CONTENT))
    np.testing.assert_array_equal(fashion_mnist.read_idx(path, 3), IMAGES)


def test_labels_have_one_dimension(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(idx(LABELS))
    np.testing.assert_array_equal(fashion_mnist.read_idx(path, 1), LABELS)


def test_sizes_are_big_endian(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 1, 2]) + bytes(258))  # 0x0102 = 258
    assert fashion_mnist.read_idx(path, 1).shape == (258,)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (bytes([1]) + CONTENT[1:], "does not start as an IDX file"),
        (CONTENT[:2] + bytes([9]) + CONTENT[3:], "does not start as an IDX file"),  # 9: signed bytes
        (idx(LABELS), "of 3 dimensions"),
        (CONTENT[:-1], "holds 23 bytes where its header says (3, 2, 4)"),
        (CONTENT + b"\0", "holds 25 bytes where its header says (3, 2, 4)"),
        (CONTENT[:9], "does not start as an IDX file"),
        (b"", "does not start as an IDX file"),
        (b"<html>404</html>", "does not start as an IDX file"),
    ],
    ids=["magic", "type", "dimensions", "one byte short", "one byte more", "header cut", "empty", "a page"],
)
@pytest.mark.parametrize("ending", ["", ".gz"])
def test_a_wrong_file_is_refused(tmp_path: Path, content: bytes, wrong: str, ending: str) -> None:
    path = tmp_path / f"images{ending}"
    path.write_bytes(gzip.compress(content) if ending else content)
    with pytest.raises(UserError) as caught:
        fashion_mnist.read_idx(path, 3)
    assert wrong in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(CONTENT)[:-9],
        gzip.compress(CONTENT)[:10],
        gzip.compress(CONTENT)[:-1],
        gzip.compress(CONTENT)[:10] + bytes([0b111]) + bytes(20),  # a deflate block of the type that is none
        CONTENT,
        b"",
    ],
    ids=["cut short", "header only", "checksum cut", "bad block", "not gzip", "empty"],
)
def test_a_damaged_gzip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"images\.gz"):
        fashion_mnist.read_idx(path, 3)


def test_a_changed_byte_in_a_gzip_file_is_noticed(tmp_path: Path) -> None:
    content = bytearray(gzip.compress(CONTENT))
    content[len(content) // 2] ^= 0xFF
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"images\.gz"):
        fashion_mnist.read_idx(path, 3)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        fashion_mnist.read_idx(tmp_path / "images", 3)


# --- The four files -----------------------------------------------------------------------


def test_images_get_a_channel(tmp_path: Path) -> None:
    data = fashion_mnist.load(fill(tmp_path / "data"))
    np.testing.assert_array_equal(data.train_images, IMAGES[:, None])


def test_training_and_test_are_not_exchanged(tmp_path: Path) -> None:
    data = fashion_mnist.load(fill(tmp_path / "data"))
    assert (len(data.train_images), len(data.test_images)) == (3, 2)


def test_labels_stay_with_their_images(tmp_path: Path) -> None:
    data = fashion_mnist.load(fill(tmp_path / "data"))
    assert (data.train_labels.tolist(), data.test_labels.tolist()) == ([0, 9, 4], [0, 9])


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"train_labels": LABELS[:2]}, "3 images, 2 labels"),
        ({"test_images": IMAGES}, "3 images, 2 labels"),
        ({"train_labels": np.array([0, 10, 4], np.uint8)}, "largest label 10"),
        ({"test_labels": np.array([0, 255], np.uint8)}, "largest label 255"),
        ({"test_images": IMAGES[:0], "test_labels": LABELS[:0]}, "0 images"),
    ],
    ids=["labels missing", "images added", "label 10", "label 255", "nothing in it"],
)
def test_files_that_do_not_belong_together_are_refused(
    tmp_path: Path, changes: dict[str, NDArray[np.uint8]], found: str
) -> None:
    with pytest.raises(UserError, match=found):
        fashion_mnist.load(fill(tmp_path / "data", **changes))


@pytest.mark.parametrize("name", fashion_mnist.FILES.values())
def test_a_missing_one_of_the_four_is_named(tmp_path: Path, name: str) -> None:
    folder = fill(tmp_path / "data")
    (folder / f"{name}.gz").unlink()
    with pytest.raises(UserError, match=name):
        fashion_mnist.load(folder)


def test_the_first_complete_folder_is_found(tmp_path: Path) -> None:
    first, second = fill(tmp_path / "first"), fill(tmp_path / "second")
    assert fashion_mnist.find([tmp_path / "none", first, second]) == first


@pytest.mark.parametrize("name", fashion_mnist.FILES.values())
def test_an_incomplete_folder_is_passed_over(tmp_path: Path, name: str) -> None:
    incomplete, complete = fill(tmp_path / "incomplete"), fill(tmp_path / "complete")
    (incomplete / f"{name}.gz").unlink()
    assert fashion_mnist.find([incomplete, complete]) == complete


def test_unpacked_files_are_found(tmp_path: Path) -> None:
    folder = fill(tmp_path / "data")
    for path in list(folder.iterdir()):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert fashion_mnist.find([folder]) == folder


def test_no_folder_is_found_where_there_is_none(tmp_path: Path) -> None:
    assert fashion_mnist.find([tmp_path]) is None


@pytest.mark.skipif(
    fashion_mnist.find([fashion_mnist.SYSTEM_PLACE]) is None,
    reason=f"Fashion-MNIST is not installed in {fashion_mnist.SYSTEM_PLACE}",
)
def test_the_installed_data_set_is_the_published_one() -> None:
    data = fashion_mnist.load(fashion_mnist.SYSTEM_PLACE)
    found = {
        "train images": idx(data.train_images[:, 0]),
        "train labels": idx(data.train_labels.astype(np.uint8)),
        "test images": idx(data.test_images[:, 0]),
        "test labels": idx(data.test_labels.astype(np.uint8)),
    }
    # MD5 of the four published files, unpacked
    assert {name: hashlib.md5(content).hexdigest() for name, content in found.items()} == {
        "train images": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train labels": "9018921c3c673c538a1fc5bad174d6f9",
        "test images": "8181f5470baa50b63fa0f6fddb340f0a",
        "test labels": "15d484375f8d13e6eb1aabb0c3f46965",
    }


# --- The digits ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made() -> ImageSet:
    return digits.load()


@pytest.fixture(scope="module")
def all_images(made: ImageSet) -> NDArray[np.uint8]:
    return np.concatenate([made.train_images, made.test_images])


def original() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    return bunch.images.astype(np.uint8), bunch.target


def test_the_digits_are_split_into_1437_and_360(made: ImageSet) -> None:
    shapes = (made.train_images.shape, made.test_images.shape)
    assert shapes == ((1437, 1, 28, 28), (360, 1, 28, 28))  # 1,797 in all; the MLP takes 28×28


def test_every_digit_has_a_label(made: ImageSet) -> None:
    assert (made.train_labels.shape, made.test_labels.shape) == ((1437,), (360,))


def test_digits_have_an_empty_border_of_two(all_images: NDArray[np.uint8]) -> None:
    border = np.ones((28, 28), bool)
    border[2:-2, 2:-2] = False
    assert not all_images[:, 0, border].any()


def test_every_pixel_of_a_digit_is_repeated_three_by_three(all_images: NDArray[np.uint8]) -> None:
    blocks = all_images[:, 0, 2:-2, 2:-2].reshape(-1, 8, 3, 8, 3)
    assert (blocks == blocks[:, :, :1, :, :1]).all()


def test_training_and_test_hold_every_digit_exactly_once(all_images: NDArray[np.uint8]) -> None:
    small = all_images[:, 0, 2:-2:3, 2:-2:3]
    images, _ = original()
    assert Counter(image.tobytes() for image in small) == Counter(image.tobytes() for image in images)


def test_no_digit_is_both_trained_on_and_tested_on(made: ImageSet) -> None:
    train, test = ({image.tobytes() for image in part} for part in (made.train_images, made.test_images))
    assert not train & test


def test_digits_keep_their_labels(made: ImageSet) -> None:
    images, targets = original()
    labels = {image.tobytes(): int(target) for image, target in zip(images, targets, strict=True)}
    for part, found in ((made.train_images, made.train_labels), (made.test_images, made.test_labels)):
        small = np.ascontiguousarray(part[:, 0, 2:-2:3, 2:-2:3])
        assert [labels[image.tobytes()] for image in small] == found.tolist()


def test_the_tested_digits_are_of_all_classes(made: ImageSet) -> None:
    counts = np.bincount(made.test_labels, minlength=10)
    assert counts.min() >= 18  # half of a tenth of 360: the file's own order is not used, nor sorted labels


def test_the_split_is_the_same_every_time(made: ImageSet) -> None:
    assert digits.load().sha256 == made.sha256


def test_digits_are_scaled_to_one(made: ImageSet) -> None:
    assert made.scaled(made.train_images).max() == 1.0  # the file's values are 0 … 16


# --- A set of images ----------------------------------------------------------------------


def test_an_image_set_comes_back_from_its_file(images: ImageSet, tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "made.safetensors"
    images.save(path)
    back = ImageSet.load(path)
    assert (back.sha256, back.divisor) == (images.sha256, images.divisor)


def test_arrays_come_back_with_their_types(images: ImageSet, tmp_path: Path) -> None:
    images.save(tmp_path / "made.safetensors")
    back = ImageSet.load(tmp_path / "made.safetensors")
    assert (back.train_images.dtype, back.test_labels.dtype) == (np.uint8, np.int64)


def test_an_image_set_whose_arrays_are_views_is_saved_in_order(images: ImageSet, tmp_path: Path) -> None:
    turned = replace(images, train_images=images.train_images[::-1])
    turned.save(tmp_path / "made.safetensors")
    back = ImageSet.load(tmp_path / "made.safetensors")
    np.testing.assert_array_equal(back.train_images, turned.train_images)


def test_saving_leaves_nothing_but_the_file(images: ImageSet, tmp_path: Path) -> None:
    images.save(tmp_path / "made.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["made.safetensors"]


def changed_pixel(images: ImageSet) -> ImageSet:
    pixels = images.test_images.copy()
    pixels[-1, 0, -1, -1] ^= 1
    return replace(images, test_images=pixels)


CHANGES: dict[str, Change] = {
    "a pixel": changed_pixel,
    "a label": lambda images: replace(images, train_labels=(images.train_labels + 1) % 10),
    "the images' order": lambda images: replace(images, train_images=images.train_images[::-1]),
    "the images' shape": lambda images: replace(
        images, train_images=images.train_images.transpose(0, 1, 3, 2)
    ),
    "the split": lambda images: replace(
        images,
        train_images=images.train_images[:5],
        test_images=np.concatenate([images.train_images[5:], images.test_images]),
    ),
    "the divisor": lambda images: replace(images, divisor=16),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_frameworks_would_compute_with_is_in_the_hash(images: ImageSet, change: Change) -> None:
    assert change(images).sha256 != images.sha256


def test_equal_data_have_equal_hashes_under_any_name(images: ImageSet) -> None:
    assert replace(images, name="other", title="Other").sha256 == images.sha256


def test_the_memory_layout_is_not_in_the_hash(images: ImageSet) -> None:
    spread = np.repeat(images.train_images, 2, axis=3)[..., ::2]
    assert replace(images, train_images=spread).sha256 == images.sha256


def test_scaled_images_are_float32(images: ImageSet) -> None:
    assert images.scaled(images.train_images).dtype == np.float32


def test_scaled_images_lie_between_zero_and_one(images: ImageSet) -> None:
    scaled = images.scaled(np.array([0, 51, 255], np.uint8))
    assert scaled.tolist() == [0.0, np.float32(0.2), 1.0]  # 51 / 255 is 1 / 5, rounded once


# --- Which data a training gets -----------------------------------------------------------


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
    assert (data.name, len(data.train_labels)) == ("fashion-mnist", 3)


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


def test_a_result_names_its_data_by_their_hash(images: ImageSet) -> None:
    about = train.about(images)
    assert (about["sha256"], about["train_images"], about["test_images"]) == (images.sha256, 6, 4)


def test_the_sizes_that_the_idx_helper_writes_are_right() -> None:
    assert len(CONTENT) == 4 + 3 * 4 + math.prod((3, 2, 4))  # magic, three sizes, bytes
