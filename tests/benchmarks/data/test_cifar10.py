"""CIFAR-10 from small archives of its form; the real one is 170 MB, and its MD5 is pinned."""

from pathlib import Path

import numpy as np
import pytest
from damage import DAMAGES, damaged
from hypothesis import given
from numpy.typing import NDArray
from picture_files import tar_gz

from benchmarks.data import cifar10
from implementations.errors import UserError


def record(label: int, image: NDArray[np.uint8]) -> bytes:
    """A label, then the planes of ``image`` (32, 32, 3): red, green, blue, each row by row."""
    return bytes([label]) + b"".join(image[..., channel].tobytes() for channel in range(3))


IMAGES = np.random.default_rng(0).integers(0, 256, (12, 32, 32, 3), np.uint8)
LABELS = [3, 9, 0, 5, 5, 1, 2, 8, 7, 6, 4, 0]
RECORDS = [record(label, image) for label, image in zip(LABELS, IMAGES, strict=True)]
FILES = {
    "cifar-10-batches-bin/batches.meta.txt": b"airplane\n",
    **{
        f"cifar-10-batches-bin/data_batch_{number}.bin": b"".join(RECORDS[2 * number - 2 : 2 * number])
        for number in (2, 1, 3, 5, 4)  # an archive has its own order
    },
    "cifar-10-batches-bin/test_batch.bin": b"".join(RECORDS[10:]),
}


def written(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / cifar10.ARCHIVE.file_name
    path.write_bytes(tar_gz(files))
    return path


def test_images_come_in_the_order_of_the_batches(tmp_path: Path) -> None:
    data = cifar10.load(written(tmp_path, FILES))
    np.testing.assert_array_equal(data.train.images, IMAGES[:10])
    assert data.train.labels.tolist() == LABELS[:10]


def test_images_of_the_test_batch_are_the_test(tmp_path: Path) -> None:
    data = cifar10.load(written(tmp_path, FILES))
    np.testing.assert_array_equal(data.test.images, IMAGES[10:])
    assert data.test.labels.tolist() == LABELS[10:]


def test_the_test_images_are_validated_on(tmp_path: Path) -> None:
    """As source A does."""
    data = cifar10.load(written(tmp_path, FILES))
    assert data.validation is data.test


@pytest.mark.parametrize("missing", [*cifar10.TRAIN, cifar10.TEST])
def test_an_archive_without_one_of_the_files_is_refused(tmp_path: Path, missing: str) -> None:
    files = {name: content for name, content in FILES.items() if not name.endswith(missing)}
    with pytest.raises(UserError, match=f"the archive lacks {missing}"):
        cifar10.load(written(tmp_path, files))


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (RECORDS[0][:-1], "holds 3072 bytes, no whole records"),
        (b"", "holds 0 bytes, no whole records"),
        (record(10, IMAGES[0]), "holds the label 10"),
    ],
)
def test_records_that_are_none_are_refused(tmp_path: Path, content: bytes, wrong: str) -> None:
    with pytest.raises(UserError, match=wrong):
        cifar10.split(tmp_path, content)


def test_the_published_size_is_what_the_records_say() -> None:
    """The archive's six files have 30,730,000 bytes each: 10,000 records."""
    assert 10_000 * cifar10.RECORD == 30_730_000
    assert cifar10.LIMIT > 6 * 30_730_000


@DAMAGES
@given(damaged(b"".join(RECORDS[:2])))
def test_damaged_records_are_refused_or_read(content: bytes) -> None:
    try:
        found = cifar10.split(Path("data_batch_1.bin"), content)
    except UserError:
        return
    assert found.images.shape == (len(found.labels), 32, 32, 3)
    assert 0 <= found.labels.min() <= found.labels.max() <= 9
