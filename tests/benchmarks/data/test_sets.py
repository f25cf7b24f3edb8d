"""Data sets by name: found, fetched, kept, and opened from the cache the second time."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from file_server import FileServer, serving
from idx_files import fill
from picture_files import encoded, flower_files, picture_folder, plain, tar_gz

from benchmarks.data import cifar10, fashion_mnist, flowers102, sets
from benchmarks.data.images import ImageSet
from implementations.cache import Cache
from implementations.errors import UserError
from implementations.fetching import PublishedFile


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cache:
    monkeypatch.setattr(fashion_mnist, "SYSTEM_PLACE", tmp_path / "no such place")
    return Cache(tmp_path / "cache")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as made:
        yield made


def load(name: str, cache: Cache, **options: object) -> ImageSet:
    return sets.load(name, cache=cache, notice=lambda line: None, **options)  # type: ignore[arg-type]


def pinned(file: PublishedFile, content: bytes, server: FileServer, way: str = "well") -> PublishedFile:
    """``file`` on ``server``, with the checksum of ``content``."""
    server.contents[file.file_name] = content
    checksum = f"md5:{hashlib.md5(content).hexdigest()}"
    return replace(file, url=server.address(way, file.file_name), checksum=checksum)


RECORDS = [bytes([label]) + bytes(range(256)) * 12 for label in range(6)]
CIFAR = tar_gz({name: RECORDS[n] for n, name in enumerate([*cifar10.TRAIN, cifar10.TEST])})


@pytest.fixture
def cifar(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> PublishedFile:
    file = pinned(cifar10.ARCHIVE, CIFAR, server)
    monkeypatch.setattr(cifar10, "ARCHIVE", file)
    return file


def test_an_unknown_name_is_refused(cache: Cache) -> None:
    with pytest.raises(UserError, match="unknown data set: given mnist; allowed: fashion-mnist, cifar10"):
        load("mnist", cache)


@pytest.mark.parametrize("name", ["digits", "synthetic"])
def test_sets_that_need_nothing_are_there(name: str, cache: Cache) -> None:
    data = load(name, cache)
    assert data.name == name
    assert data.folder is not None
    assert isinstance(data.train.images, np.memmap)
    assert load(name, cache).sha256 == data.sha256


def test_all_may_be_trained_on(cache: Cache) -> None:
    data = load("digits", cache, train_on_all=True)
    assert len(data.train) == 1437
    assert data.validation is data.test


def test_images_of_one_size_keep_it(cache: Cache) -> None:
    assert load("digits", cache, size=(56, 56)).train.images.shape[1:] == (28, 28, 1)


# --- Fetched ----------------------------------------------------------------------------------


def test_an_archive_is_fetched_read_once_and_kept(
    cache: Cache, server: FileServer, cifar: PublishedFile
) -> None:
    data = load("cifar10", cache)
    assert data.train.labels.tolist() == [0, 1, 2, 3, 4]
    (cache.folder / "data" / "cifar10" / cifar.file_name).unlink()
    again = load("cifar10", cache)
    assert (again.sha256, again.folder) == (data.sha256, data.folder)
    assert len(server.asked) == 1


def test_a_file_that_is_there_needs_no_network(
    cache: Cache, server: FileServer, cifar: PublishedFile
) -> None:
    place = cache.folder / "data" / "cifar10"
    place.mkdir(parents=True)
    (place / cifar.file_name).write_bytes(CIFAR)
    assert len(load("cifar10", cache).train) == 5
    assert server.asked == []


def test_a_folder_that_is_named_comes_first(
    cache: Cache, server: FileServer, cifar: PublishedFile, tmp_path: Path
) -> None:
    (tmp_path / cifar.file_name).write_bytes(CIFAR)
    assert len(load("cifar10", cache, places=[tmp_path]).train) == 5
    assert server.asked == []
    assert (tmp_path / cifar.file_name).exists()


def test_a_file_in_a_named_folder_must_be_the_published_one(
    cache: Cache, cifar: PublishedFile, tmp_path: Path
) -> None:
    (tmp_path / cifar.file_name).write_bytes(CIFAR[:-1])
    with pytest.raises(UserError, match=f"not the published file, or damaged.*given {tmp_path}"):
        load("cifar10", cache, places=[tmp_path])


@pytest.mark.parametrize(("way", "word"), [("cut", "IncompleteRead"), ("wrong", "does not match")])
def test_a_fetch_that_fails_is_one_line_and_keeps_nothing_to_open(
    way: str, word: str, cache: Cache, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar10, "ARCHIVE", pinned(cifar10.ARCHIVE, CIFAR, server, way))
    with pytest.raises(UserError, match=word):
        load("cifar10", cache)
    assert list(cache.folder.rglob("*.npy")) == []


def test_fashion_mnist_is_fetched_where_it_is_not_found(
    cache: Cache, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(tmp_path / "published")
    files = [pinned(file, (folder / file.file_name).read_bytes(), server) for file in fashion_mnist.PUBLISHED]
    monkeypatch.setattr(fashion_mnist, "PUBLISHED", files)
    assert len(load("fashion-mnist", cache, train_on_all=True).train) == 3
    assert load("fashion-mnist", cache, train_on_all=True).test.labels.tolist() == [0, 9]
    assert len(server.asked) == 4


def test_the_published_names_are_those_that_are_looked_for() -> None:
    assert [f.file_name for f in fashion_mnist.PUBLISHED] == [f"{n}.gz" for n in fashion_mnist.FILES.values()]


def test_flowers_are_fetched_and_kept_by_size(
    cache: Cache, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = flower_files(tmp_path / "published")
    files = [pinned(f, p.read_bytes(), server) for f, p in zip(flowers102.FILES, made, strict=True)]
    monkeypatch.setattr(flowers102, "FILES", tuple(files))
    small, large = (load("flowers102", cache, size=size) for size in ((4, 4), (6, 6)))
    assert (small.train.images.shape, large.train.images.shape) == ((3, 4, 4, 3), (3, 6, 6, 3))
    assert small.folder != large.folder
    assert len(server.asked) == 3


def test_damaged_mat_files_are_not_read(cache: Cache, tmp_path: Path) -> None:
    """SciPy's parser may crash on them: the checksum stands before it."""
    flower_files(tmp_path)
    with pytest.raises(UserError, match="flowers102 is not the published file"):
        load("flowers102", cache, places=[tmp_path], size=(4, 4))


def test_every_published_file_has_a_checksum() -> None:
    for file in (*fashion_mnist.PUBLISHED, cifar10.ARCHIVE, *flowers102.FILES):
        algorithm, _, digest = file.checksum.partition(":")
        assert (algorithm, len(digest)) == ("md5", 32)


# --- Folders ----------------------------------------------------------------------------------


def test_a_folder_is_decoded_once(cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = picture_folder(tmp_path / "pictures")
    data = load("folder", cache, places=[place], size=(4, 5))
    monkeypatch.setattr(sets.folder, "load", None)  # calling it would fail
    again = load("folder", cache, places=[place], size=(4, 5))
    assert (again.sha256, again.folder) == (data.sha256, data.folder)


def test_a_folder_that_changed_is_decoded_anew(cache: Cache, tmp_path: Path) -> None:
    place = picture_folder(tmp_path / "pictures")
    before = load("folder", cache, places=[place], size=(4, 5))
    (place / "test" / "red" / "1.jpg").write_bytes(encoded(plain((9, 9, 9))))
    assert load("folder", cache, places=[place], size=(4, 5)).sha256 != before.sha256


def test_pictures_that_were_left_out_are_said_each_time(cache: Cache, tmp_path: Path) -> None:
    place = picture_folder(tmp_path / "pictures")
    (place / "train" / "red" / "1.jpg").write_bytes(b"none")
    for _ in range(2):
        said: list[str] = []
        data = sets.load(
            "folder", cache=cache, notice=said.append, places=[place], size=(4, 5), skip_damaged=True
        )
        assert data.skipped == 1
        assert "data: 1 damaged pictures were left out" in said
    with pytest.raises(UserError, match="1 of 18 pictures cannot be used"):
        load("folder", cache, places=[place], size=(4, 5))


def test_a_folder_has_to_be_named(cache: Cache) -> None:
    with pytest.raises(UserError, match="add --data-dir"):
        load("folder", cache, size=(4, 5))


@pytest.mark.parametrize("name", ["folder", "flowers102"])
def test_pictures_of_unequal_sizes_need_one(name: str, cache: Cache, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="have unequal sizes: given no size"):
        load(name, cache, places=[tmp_path])


# --- What is kept -----------------------------------------------------------------------------


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["digits", "folder"])
@pytest.mark.parametrize("damage", [flip, lambda path: path.write_bytes(path.read_bytes()[:-1])])
def test_what_is_kept_but_damaged_is_refused(
    name: str, damage: Callable[[Path], None], cache: Cache, tmp_path: Path
) -> None:
    place = picture_folder(tmp_path / "pictures")
    options = {"places": [place], "size": (4, 5)}
    data = load(name, cache, **options)
    assert data.folder is not None
    damage(data.folder / "train-images.npy")
    with pytest.raises(UserError, match="remove that folder; it is made again"):
        load(name, cache, **options)
