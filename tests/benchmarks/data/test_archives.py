"""Archives are read in memory; whatever in them is no plain file of their own is refused."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from damage import DAMAGES, damaged
from hypothesis import given
from picture_files import tar_gz, tar_gz_of

from benchmarks.data import archives
from implementations.errors import UserError

FILES = {"a/one.bin": b"first" * 100, "a/two.bin": b"second" * 100}
LIMIT = 1 << 20


def read(path: Path, limit: int = LIMIT) -> dict[str, bytes]:
    return dict(archives.files(path, limit))


def written(folder: Path, content: bytes) -> Path:
    path = folder / "archive.tar.gz"
    path.write_bytes(content)
    return path


def test_files_come_by_name(tmp_path: Path) -> None:
    assert read(written(tmp_path, tar_gz(FILES))) == FILES


def test_folders_are_passed_over(tmp_path: Path) -> None:
    folder = tarfile.TarInfo("a")
    folder.type = tarfile.DIRTYPE
    assert read(written(tmp_path, tar_gz_of([(folder, b"")]))) == {}


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, link
    return made


HOSTILE = {
    "a path upwards": member("../out.bin"),
    "a path upwards inside": member("a/../../out.bin"),
    "an absolute path": member("/out.bin"),
    "a symbolic link": member("a/link", tarfile.SYMTYPE, "/etc/passwd"),
    "a hard link": member("a/link", tarfile.LNKTYPE, "a/one.bin"),
    "a device": member("a/zero", tarfile.CHRTYPE),
    "a pipe": member("a/pipe", tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_file_of_its_own_is_refused(tmp_path: Path, hostile: tarfile.TarInfo) -> None:
    path = written(tmp_path, tar_gz_of([(hostile, b"")]))
    with pytest.raises(UserError, match="holds something else than files of its own") as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_nothing_is_written(tmp_path: Path) -> None:
    path = written(tmp_path, tar_gz(FILES))
    read(path)
    assert list(tmp_path.iterdir()) == [path]


def test_an_archive_that_unpacks_to_more_than_allowed_is_refused(tmp_path: Path) -> None:
    bomb = written(tmp_path, tar_gz({"zeros": bytes(10 * LIMIT)}))
    assert bomb.stat().st_size < LIMIT / 10
    with pytest.raises(UserError, match="unpacks to more than it should hold"):
        read(bomb)


def test_a_header_that_inflates_without_end_is_refused(tmp_path: Path) -> None:
    """A name's own record is read by tarfile itself, before a member is seen."""
    name = member("x", tarfile.GNUTYPE_LONGNAME)
    name.size = 10 * LIMIT
    content = name.tobuf(tarfile.GNU_FORMAT) + bytes(10 * LIMIT)
    with pytest.raises(UserError, match="unpacks to more than it should hold"):
        read(written(tmp_path, gzip.compress(content)))


def test_headers_without_end_are_refused(tmp_path: Path) -> None:
    """Each is read by a call within the last one's."""
    one = member("x", tarfile.GNUTYPE_LONGNAME)
    one.size = 512
    content = (one.tobuf(tarfile.GNU_FORMAT) + b"name".ljust(512, b"\0")) * 1000
    with pytest.raises(UserError, match="RecursionError"):
        read(written(tmp_path, gzip.compress(content)), limit=4 * LIMIT)


GOOD = tar_gz(FILES)
DAMAGED = {
    "cut short": GOOD[: len(GOOD) // 2],
    "its checksum cut": GOOD[:-4],
    "no archive": b"<html>404</html>",
    "empty": b"",
    "gzip of something else": gzip.compress(b"something else" * 100),
    "the last file cut short": gzip.compress(gzip.decompress(GOOD)[:1600]),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError, match="the archive cannot be read"):
        read(written(tmp_path, content))


def test_an_archive_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the archive cannot be read"):
        read(tmp_path / "none.tar.gz")


@DAMAGES
@given(damaged(GOOD))
def test_damages_are_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content)
    try:
        found = read(path)
    except UserError:
        return
    # gzip has met its checksum: the damage is in what describes the file
    assert found == FILES


@DAMAGES
@given(damaged(gzip.decompress(GOOD)))
def test_damages_inside_are_refused_or_read(tmp_path: Path, content: bytes) -> None:
    """Tar has no checksum of contents: what the format cannot tell is the published checksum's to tell."""
    try:
        found = read(written(tmp_path, gzip.compress(content)))
    except UserError:
        return
    assert all(isinstance(part, bytes) for part in found.values())


def test_an_archive_may_end_early() -> None:
    """Why readers count: without its last block a tar archive still reads, with fewer files."""
    inside = gzip.decompress(GOOD)
    with tarfile.open(fileobj=io.BytesIO(inside[:1024]), mode="r|") as tar:
        assert [found.name for found in tar] == ["a/one.bin"]
