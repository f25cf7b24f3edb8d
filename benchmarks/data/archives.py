"""Files out of a published archive, read in memory: nothing in it is ever written anywhere."""

import gzip
import io
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from implementations.errors import UserError


class _Bounded(io.RawIOBase):
    """A stream that refuses to give more than ``limit`` bytes: archives may inflate without end."""

    def __init__(self, stream: io.BufferedIOBase, limit: int) -> None:
        self._stream, self._left = stream, limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size if size >= 0 else self._left + 1)
        self._left -= len(content)
        if self._left < 0:
            raise tarfile.TarError("it unpacks to more than it should hold")
        return content


def files(archive: Path, limit: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file in a gzipped tar archive, in its order.

    ``UserError`` if it is damaged, unpacks to more than ``limit`` bytes, or holds anything but folders and
    plain files below its own place. An archive that ends early may only give fewer files: count them.
    """
    try:
        with gzip.open(archive) as inflated:
            stream = _Bounded(inflated, limit)
            with tarfile.open(fileobj=stream, mode="r|") as tar:  # type: ignore[arg-type]
                for member in tar:
                    _require_plain(archive, member)
                    content = tar.extractfile(member)
                    if content is not None:  # no folder
                        yield member.name, _whole(content.read(), member)
            while stream.read(io.DEFAULT_BUFFER_SIZE):  # to the end, where gzip's checksum stands
                pass
    except (OSError, EOFError, tarfile.TarError, zlib.error, ValueError, RecursionError) as error:
        raise refused(archive, f"the archive cannot be read ({type(error).__name__}: {error})") from None


def _require_plain(archive: Path, member: tarfile.TarInfo) -> None:
    place = PurePosixPath(member.name)
    if place.is_absolute() or ".." in place.parts or not (member.isfile() or member.isdir()):
        raise refused(archive, f"the archive holds something else than files of its own ({member.name})")


def _whole(content: bytes, member: tarfile.TarInfo) -> bytes:
    if len(content) != member.size:
        raise EOFError(f"{member.name} is cut short")
    return content


def refused(archive: Path, wrong: str) -> UserError:
    """The one line for an archive that is not the published one."""
    return UserError(
        wrong,
        given=archive,
        allowed="the archive as it was published",
        todo="remove the file, and fetch it again",
    )
