"""A local server of files that is well, slow, silent, cuts off, or sends other bytes."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves ``contents`` by name, or ``content`` for any other, in the way that the path names first.

    ``cut`` and ``silent`` stop after half of what was asked for. ``resumes``: whether it knows of ranges.
    """

    def __init__(self, content: bytes = b"") -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = content
        self.contents: dict[str, bytes] = {}
        self.resumes = True
        self.asked: list[str] = []

    def address(self, way: str, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{way}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        _, way, name = self.path.split("/")
        asked = self.headers.get("Range", "")
        self.server.asked.append(asked)
        content = self.server.contents.get(name, self.server.content)
        start = int(asked.removeprefix("bytes=").rstrip("-") or 0) if self.server.resumes else 0
        self.send_response(404 if way == "absent" else 416 if start > len(content) else 206 if start else 200)
        self.send_header("Content-Length", str(max(len(content) - start, 0)))
        self.end_headers()
        self._send(way, content[start:])

    def _send(self, way: str, content: bytes) -> None:
        half = content[: len(content) // 2]
        if way in ("cut", "silent"):
            self.wfile.write(half)
            self.wfile.flush()
            time.sleep(2 if way == "silent" else 0)
        elif way == "wrong":
            self.wfile.write(bytes(len(content)))
        elif way == "slow":
            for start in range(0, len(content), len(content) // 8):
                self.wfile.write(content[start : start + len(content) // 8])
                time.sleep(0.1)
        else:
            self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(content: bytes = b"") -> Iterator[FileServer]:
    """A server that runs while the block does."""
    made = FileServer(content)
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield made
    finally:
        made.shutdown()
        made.server_close()
