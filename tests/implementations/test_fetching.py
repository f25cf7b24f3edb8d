"""Published files: fetched, checked, kept; from servers that are slow, cut off, or send other bytes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from file_server import FileServer, serving

from implementations import fetching
from implementations.errors import UserError
from implementations.fetching import PART, PublishedFile

CONTENT = bytes(range(256)) * 1024
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FileServer]:
    monkeypatch.setattr(fetching, "CHUNK_BYTES", len(CONTENT) // 16)  # written whole: a part is lost at most
    with serving(CONTENT) as made:
        yield made


def published(server: FileServer, way: str) -> PublishedFile:
    return PublishedFile(server.address(way, "a.bin"), f"sha256:{SHA256}", "a licence")


def fetched(file: PublishedFile, folder: Path) -> tuple[Path, list[str]]:
    heard: list[str] = []
    return fetching.fetch(file, folder, "the file", heard.append), heard


@pytest.mark.parametrize("way", ["well", "slow"])
def test_a_file_is_fetched_once_and_kept(
    way: str, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slowly, too: in longer than a server may be silent."""
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.3)
    path, heard = fetched(published(server, way), tmp_path / "kept")
    assert path.read_bytes() == CONTENT
    assert heard[0].startswith("fetching: http://127.0.0.1")
    assert "a licence" in heard[1]
    again, heard = fetched(published(server, way), tmp_path / "kept")
    assert (again, len(server.asked)) == (path, 1)
    assert heard[0].startswith("in the cache: ")
    assert list((tmp_path / "kept").iterdir()) == [path]


def test_what_is_kept_needs_no_network(tmp_path: Path) -> None:
    with serving(CONTENT) as server:
        file = published(server, "well")
        fetched(file, tmp_path)
    assert fetched(file, tmp_path)[0].read_bytes() == CONTENT


def test_what_is_kept_but_damaged_is_fetched_anew(server: FileServer, tmp_path: Path) -> None:
    file = published(server, "well")
    path, _ = fetched(file, tmp_path)
    path.write_bytes(b"damaged")
    assert fetched(file, tmp_path)[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("way", "word", "left"),
    [
        ("cut", "IncompleteRead", [f"a.bin{PART}"]),
        ("silent", "timed out", [f"a.bin{PART}"]),
        ("wrong", "does not match", []),
        ("absent", "404", []),
    ],
)
def test_a_fetch_that_fails_leaves_at_most_what_came(
    way: str, word: str, left: list[str], server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT_S", 0.5)
    with pytest.raises(UserError, match=word) as caught:
        fetched(published(server, way), tmp_path)
    assert SHA256 in str(caught.value)
    assert "put the file at" in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == left


def cut_off(server: FileServer, folder: Path) -> None:
    with pytest.raises(UserError):
        fetched(published(server, "cut"), folder)


def test_what_was_cut_off_goes_on_where_it_stopped(server: FileServer, tmp_path: Path) -> None:
    cut_off(server, tmp_path)
    assert fetched(published(server, "well"), tmp_path)[0].read_bytes() == CONTENT
    assert server.asked == ["bytes=0-", f"bytes={len(CONTENT) // 2}-"]


def test_it_goes_on_as_often_as_it_is_cut_off(server: FileServer, tmp_path: Path) -> None:
    cut_off(server, tmp_path)
    cut_off(server, tmp_path)
    assert fetched(published(server, "well"), tmp_path)[0].read_bytes() == CONTENT
    assert server.asked[-1] == f"bytes={len(CONTENT) * 3 // 4}-"


def test_a_server_without_ranges_sends_all_of_it_again(server: FileServer, tmp_path: Path) -> None:
    server.resumes = False
    cut_off(server, tmp_path)
    assert fetched(published(server, "well"), tmp_path)[0].read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT) // 2, len(CONTENT) + 1], ids=["as long", "too long"])
def test_a_part_of_something_else_is_given_up(size: int, server: FileServer, tmp_path: Path) -> None:
    (tmp_path / f"a.bin{PART}").write_bytes(bytes(size))
    with pytest.raises(UserError):
        fetched(published(server, "well"), tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert fetched(published(server, "well"), tmp_path)[0].read_bytes() == CONTENT


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    file = PublishedFile("http://127.0.0.1:9/a.bin", f"sha256:{SHA256}", "")
    with pytest.raises(UserError, match="the file cannot be fetched"):
        fetched(file, tmp_path)


def test_a_cache_that_cannot_be_written_is_one_line(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be fetched"):
        fetched(published(server, "well"), tmp_path / "file")


def test_a_file_that_somebody_put_there_is_checked(server: FileServer, tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(CONTENT)
    assert fetching.require_published(published(server, "well"), path, "the file") == path
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(UserError, match="the file is not the published file, or damaged"):
        fetching.require_published(published(server, "well"), path, "the file")
