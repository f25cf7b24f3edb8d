"""How files are written: whole or not at all; and folders that are one process' own."""

import contextlib
import itertools
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from implementations.errors import UserError

PARTIAL = ".partial"


@contextlib.contextmanager
def replacing(path: Path, what: str) -> Iterator[Path]:
    """A temporary file of the same name that becomes ``path`` if the block succeeds, and is gone if not.

    The block may make a folder of that name instead, where there is none yet at ``path``.
    ``UserError`` for what the system refuses (a full disk, a folder that cannot be written).
    """
    # A folder of this thread's own: no reader of ``path.parent`` finds what is in it.
    folder = path.parent / f".{os.getpid()}-{threading.get_ident()}{PARTIAL}"
    temporary = folder / path.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise _refused(path, what, error) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # one that could not be made; one still written into


def _refused(path: Path, what: str, error: OSError) -> UserError:
    return UserError(
        f"{what} cannot be written ({error.strerror or error})",
        given=path,
        allowed="a folder with room that can be written",
        todo="free space or choose another folder, then start again",
    )


def new_folder(path: Path, what: str) -> Path:
    """A folder made now: ``path``, or where that is taken ``path-2``, ``path-3`` …

    Of processes that ask at the same instant each gets its own. ``UserError`` for what the system refuses.
    """
    names = itertools.chain([path.name], (f"{path.name}-{number}" for number in itertools.count(2)))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return next(path.with_name(name) for name in names if _made(path.with_name(name)))
    except OSError as error:
        raise _refused(path, what, error) from None


def _made(folder: Path) -> bool:
    """Whether this process made it: asking first whether it is there would leave another one time."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def require_place(path: Path, what: str = "the file") -> None:
    """``UserError`` unless a file can be made as ``path``."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UserError(
            f"{what} cannot be written",
            given=path,
            allowed="a file's name in a folder that exists",
            todo="make the folder, or choose another name",
        )


def sweep(folder: Path) -> None:
    """Remove what processes that were killed left half-written in and below ``folder``."""
    for left in folder.rglob(f".*{PARTIAL}"):
        number, _, _ = left.name.removeprefix(".").partition("-")
        if number.isdecimal() and not _runs(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True
