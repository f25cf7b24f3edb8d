"""How files are written: whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from implementations.errors import UserError


@contextlib.contextmanager
def replacing(path: Path, what: str) -> Iterator[Path]:
    """A temporary name beside ``path`` that becomes ``path`` if the block succeeds, and is gone if not.

    ``UserError`` for what the system refuses (a full disk, a folder that cannot be written).
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise UserError(
            f"{what} cannot be written ({error.strerror or error})",
            given=path,
            allowed="a folder with room that can be written",
            todo="free space or choose another folder, then start again",
        ) from None
    finally:
        with contextlib.suppress(OSError):  # a folder that could not be made holds no file either
            temporary.unlink(missing_ok=True)
