"""Published files: fetched once with a pinned checksum, kept, used from there without asking the network.

What came of a file before the connection broke is kept beside it, and the next try goes on from there.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from implementations.commandline import Notice
from implementations.errors import UserError

TIMEOUT_S = 60.0  # without a byte
CHUNK_BYTES = 1 << 20
PART = ".part"


@dataclass(frozen=True)
class PublishedFile:
    """One file: its address, checksum (``ALGORITHM:HEX``), and licence."""

    url: str
    checksum: str
    licence: str

    @property
    def file_name(self) -> str:
        """What it is called where it is kept."""
        return self.url.rpartition("/")[2]

    @property
    def said(self) -> str:
        """What a user should know of it, in words."""
        return f"licence: {self.licence}"


def fetch(file: PublishedFile, folder: Path, what: str, notice: Notice) -> Path:
    """``file`` out of ``folder``, fetched into it if it is not there; ``UserError`` if that fails.

    ``what`` names it in a sentence; ``notice`` hears where it comes from and its licence.
    """
    path = folder / file.file_name
    notice(f"{'in the cache' if path.exists() else 'fetching'}: {file.url}")
    notice(f"  {file.said}")
    try:
        import pooch  # nothing but this needs it

        folder.mkdir(parents=True, exist_ok=True)
        pooch.utils.get_logger().setLevel("ERROR")  # what it would say is said here
        pooch.retrieve(
            file.url,
            known_hash=file.checksum,
            fname=file.file_name,
            path=folder,
            downloader=_Resuming(path.with_name(path.name + PART)),
        )
    except Exception as error:  # requests, urllib3, pooch and the system each have their own
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"{what} cannot be fetched ({lines[0][:200]})",
            given=file.url,
            allowed=f"a file with {file.checksum.replace(':', ' ')}",
            todo=f"try again where the address can be reached, or put the file at {path}",
        ) from None
    return path


def require_published(file: PublishedFile, path: Path, what: str) -> Path:
    """``path``, which somebody else put there; ``UserError`` unless it is ``file`` to the bit."""
    algorithm, _, digest = file.checksum.partition(":")
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, algorithm).hexdigest()
    except OSError as error:
        found = error.strerror or type(error).__name__
    if found != digest:
        raise UserError(
            f"{what} is not the published file, or damaged ({algorithm} {found})",
            given=path,
            allowed=f"a file with {algorithm} {digest}",
            todo=f"fetch it again from {file.url}, or take it away",
        )
    return path


class _Resuming:
    """Pooch's downloader by HTTP, writing behind what an earlier try left in ``part``."""

    def __init__(self, part: Path) -> None:
        self._part = part

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        try:
            with _Progress() as progress, self._part.open("ab") as stream:
                self._downloader(stream, progress)(url, stream, pooch)
            self._part.replace(output_file)
        finally:
            if self._part.exists() and not self._part.stat().st_size:
                self._part.unlink()

    def _downloader(self, stream: BinaryIO, progress: "_Progress") -> Any:
        from pooch import HTTPDownloader

        def begin(response: Any, **_: object) -> None:
            if response.status_code in (200, 416):  # all of it comes; or what is here is no beginning of it
                stream.truncate(0)

        return HTTPDownloader(
            progressbar=progress,
            chunk_size=CHUNK_BYTES,
            timeout=TIMEOUT_S,
            # Compressed on the way, bytes would be counted in two ways.
            headers={"Range": f"bytes={stream.tell()}-", "Accept-Encoding": "identity"},
            hooks={"response": begin},
        )


class _Progress:
    """How much has come, by Rich, in the form in which pooch drives its bars."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

        from implementations.console import CONSOLE

        self._bar = Progress(BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=CONSOLE)
        self._task: Any = None
        self.total = 0

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def update(self, count: int) -> None:
        if self._task is None:
            self._task = self._bar.add_task("", total=self.total or None)
            self._bar.start()
        self._bar.advance(self._task, count)

    def reset(self) -> None:
        if self._task is not None:
            self._bar.reset(self._task)

    def close(self) -> None:
        self._bar.stop()
