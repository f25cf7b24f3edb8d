"""Published weights: fetched, checked, kept; from servers that are slow, cut off, or send other bytes."""

import hashlib
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from implementations import networks, pretrained
from implementations.__main__ import main
from implementations.errors import UserError
from implementations.pretrained import PUBLISHED, Published
from tests import weight_files

CONTENT = bytes(range(256)) * 1024
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves ``content`` in the way that the path names."""

    content = CONTENT
    asked = 0

    def published(
        self, way: str, name: str = "w.safetensors", checksum: str = f"sha256:{SHA256}"
    ) -> Published:
        return Published(f"http://127.0.0.1:{self.server_port}/{way}/{name}", checksum, "a licence", "images")


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked += 1
        way, content = self.path.split("/")[1], self.server.content
        self.send_response(404 if way == "absent" else 200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if way == "cut":
            self.wfile.write(content[: len(content) // 2])
        elif way == "wrong":
            self.wfile.write(bytes(len(content)))
        elif way == "slow":
            for start in range(0, len(content), len(content) // 8):
                self.wfile.write(content[start : start + len(content) // 8])
                time.sleep(0.1)
        elif way == "silent":
            time.sleep(2)
        else:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def fetched(file: Published, folder: Path) -> tuple[Path, list[str]]:
    heard: list[str] = []
    return pretrained.fetch(file, folder, heard.append), heard


@pytest.mark.parametrize("way", ["well", "slow"])
def test_a_file_is_fetched_once_and_kept(
    way: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slowly, too: in longer than a server may be silent."""
    monkeypatch.setattr(pretrained, "TIMEOUT_S", 0.3)
    path, heard = fetched(server.published(way), tmp_path / "kept")
    assert path.read_bytes() == CONTENT
    assert heard[0].startswith("fetching: http://127.0.0.1")
    assert "a licence" in heard[1]
    again, heard = fetched(server.published(way), tmp_path / "kept")
    assert (again, server.asked) == (path, 1)
    assert heard[0].startswith("in the cache: ")


def test_what_is_kept_needs_no_network(server: Server, tmp_path: Path) -> None:
    file = server.published("well")
    fetched(file, tmp_path)
    server.shutdown()
    server.server_close()
    assert fetched(file, tmp_path)[0].read_bytes() == CONTENT


def test_what_is_kept_but_damaged_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    file = server.published("well")
    path, _ = fetched(file, tmp_path)
    path.write_bytes(b"damaged")
    assert fetched(file, tmp_path)[0].read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("way", "word"),
    [("cut", "IncompleteRead"), ("wrong", "does not match"), ("absent", "404"), ("silent", "timed out")],
)
def test_a_fetch_that_fails_leaves_nothing(
    way: str, word: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pretrained, "TIMEOUT_S", 0.5)
    with pytest.raises(UserError, match=word) as caught:
        fetched(server.published(way), tmp_path)
    assert SHA256 in str(caught.value)
    assert "put the file at" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    file = Published("http://127.0.0.1:9/w.pth", f"sha256:{SHA256}", "", "")
    with pytest.raises(UserError, match="cannot be fetched"):
        fetched(file, tmp_path)


def test_a_cache_that_cannot_be_written_is_one_line(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="cannot be fetched"):
        fetched(server.published("well"), tmp_path / "file")


def test_published_weights_are_converted_by_name(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = networks.build("mlp")
    source, target = weight_files.ours(tmp_path, network), tmp_path / "mlp.h5"
    server.content = source.read_bytes()
    checksum = f"md5:{hashlib.md5(server.content).hexdigest()}"
    monkeypatch.setitem(PUBLISHED, "mlp", {"here": server.published("well", checksum=checksum)})
    asked = ["--network", "mlp", "--cache-dir", str(tmp_path / "cache")]
    assert main(["convert", "imagenet@here", str(target), *asked]) == 0
    assert "licence: a licence" in capsys.readouterr().out
    assert main(["convert", str(target), str(tmp_path / "back.safetensors"), *asked]) == 0
    weight_files.require_same(tmp_path / "back.safetensors", network)


@pytest.mark.parametrize(("text", "network"), [("imagenet", "mlp"), ("imagenet@keras", "resnet50")])
def test_weights_that_nobody_published_are_refused(text: str, network: str) -> None:
    with pytest.raises(UserError, match="vgg16: torchvision, keras, timm"):
        pretrained.published(text, network)


def test_checksums_agree_with_what_file_names_say() -> None:
    """Torchvision's names end in the first eight digits of the SHA-256."""
    files = [file for origins in PUBLISHED.values() for file in origins.values()]
    for file in files:
        algorithm, _, digest = file.checksum.partition(":")
        assert len(digest) == {"sha256": 64, "md5": 32}[algorithm]
        if (ending := re.search(r"-([0-9a-f]{8})\.pth$", file.url)) is not None:
            assert digest.startswith(ending[1])
    assert len({file.file_name for file in files}) == len(files)
