import gzip
import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from damage import DAMAGES, damaged
from hypothesis import given
from idx_files import CONTENT, IMAGES, LABELS, fill, idx
from numpy.typing import NDArray

from benchmarks.data import fashion_mnist
from implementations.errors import UserError

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


def test_a_file_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(CONTENT[:16] + bytes(fashion_mnist.LIMIT)))
    with pytest.raises(UserError, match="unpacks to more than 67,108,864 bytes"):
        fashion_mnist.read_idx(path, 3)


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_damaged_files_are_refused_or_read(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"images{ending}"

    @DAMAGES
    @given(damaged(gzip.compress(CONTENT) if ending else CONTENT))
    def try_it(content: bytes) -> None:
        path.write_bytes(content)
        try:
            found = fashion_mnist.read_idx(path, 3)
        except UserError:
            return
        assert (found.ndim, found.dtype) == (3, np.uint8)

    try_it()


# --- The four files -----------------------------------------------------------------------


def test_images_get_a_channel(tmp_path: Path) -> None:
    data = fashion_mnist.load(fill(tmp_path / "data"), train_on_all=True)
    np.testing.assert_array_equal(data.train.images, IMAGES[..., None])


def test_training_and_test_are_not_exchanged(tmp_path: Path) -> None:
    data = fashion_mnist.load(fill(tmp_path / "data"), train_on_all=True)
    assert (len(data.train), len(data.test)) == (3, 2)


def test_labels_stay_with_their_images(tmp_path: Path) -> None:
    data = fashion_mnist.load(fill(tmp_path / "data"), train_on_all=True)
    assert (data.train.labels.tolist(), data.test.labels.tolist()) == ([0, 9, 4], [0, 9])


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
    data = fashion_mnist.load(fashion_mnist.SYSTEM_PLACE, train_on_all=True)
    found = {
        "train images": idx(data.train.images[..., 0]),
        "train labels": idx(data.train.labels.astype(np.uint8)),
        "test images": idx(data.test.images[..., 0]),
        "test labels": idx(data.test.labels.astype(np.uint8)),
    }
    # MD5 of the four published files, unpacked
    assert {name: hashlib.md5(content).hexdigest() for name, content in found.items()} == {
        "train images": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train labels": "9018921c3c673c538a1fc5bad174d6f9",
        "test images": "8181f5470baa50b63fa0f6fddb340f0a",
        "test labels": "15d484375f8d13e6eb1aabb0c3f46965",
    }


def test_the_sizes_that_the_idx_helper_writes_are_right() -> None:
    assert len(CONTENT) == 4 + 3 * 4 + math.prod((3, 2, 4))  # magic, three sizes, bytes
