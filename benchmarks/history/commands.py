"""python -m benchmarks import|rebuild. Nothing of a database is loaded before one of them runs."""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import archive, results
from implementations.commandline import SOMETHING_FAILED, USER_MISTAKE
from implementations.console import CONSOLE
from implementations.errors import UserError
from implementations.files import sweep

if TYPE_CHECKING:
    from benchmarks.history.importing import Imported
    from benchmarks.history.queries import History


def add_import(command: argparse.ArgumentParser) -> None:
    """Options of ``import``."""
    command.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help=f"run folders, folders of them, single results, archives; default: {results.FOLDER}",
    )
    command.add_argument(
        "--output", type=Path, metavar="DIR", help="a new folder for the one archive that is named"
    )
    _add_history(command)
    command.set_defaults(run=_import)


def add_rebuild(command: argparse.ArgumentParser) -> None:
    """Options of ``rebuild``."""
    command.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help=f"default: {results.FOLDER}")
    command.add_argument("--forget", action="store_true", help="also lose what is in none of the folders")
    _add_history(command)
    command.set_defaults(run=_rebuild)


def _add_history(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--history",
        metavar="URL",
        help=f"an SQLite file or postgresql://USER@HOST/DATABASE; default: {results.HISTORY}",
    )


def _import(options: argparse.Namespace) -> int:
    arrived, refused = _arrived(options.files or [results.FOLDER], options.output)
    if refused and not arrived:
        return _told(refused)
    done = _opened(options.history).import_paths(arrived, CONSOLE.print)
    CONSOLE.print(_in_words(done))
    return _told([*refused, *done.refused], read=bool(done.runs))


def _rebuild(options: argparse.Namespace) -> int:
    history = _opened(options.history)
    done = history.rebuild(options.folders or [results.FOLDER], CONSOLE.print, forget=options.forget)
    CONSOLE.print(_in_words(done))
    return _told(done.refused, read=bool(done.runs))


def _arrived(paths: Iterable[Path], output: Path | None) -> tuple[list[Path], list[UserError]]:
    """``paths`` with a run's folder in place of each archive, and why an archive has none."""
    found: list[Path] = []
    refused: list[UserError] = []
    archives = [path for path in paths if path.is_file() and path.suffix != ".json"]
    if output is not None and len(archives) != 1:
        raise UserError(
            "--output is the folder of one archive",
            given=f"{len(archives)} archives",
            allowed="one archive",
            todo=f"leave --output out: archives are unpacked into {results.FOLDER}",
        )
    if archives:
        sweep(results.FOLDER)
    for path in paths:
        try:
            found.append(_unpacked(path, output) if path in archives else path)
        except UserError as error:
            refused.append(error)
    return found, refused


def _unpacked(path: Path, output: Path | None) -> Path:
    if output is None:
        return archive.arrive(path, results.FOLDER)
    archive.unpack(path, output)
    return output


def _opened(place: str | None) -> "History":
    try:
        from benchmarks.history.queries import History
    except ModuleNotFoundError as absent:
        raise UserError(
            "the history needs a package that is not installed",
            given=absent.name,
            allowed="what requirements/core.txt names",
            todo="pip install -r requirements/core.txt",
        ) from None
    return History.open(place or results.HISTORY, create=True)


def _in_words(done: "Imported") -> str:
    return (
        f"{done.runs} runs: {done.forks} new forks, {done.others} other new files,"
        f" {done.skipped} known before; {len(done.refused)} refused"
    )


def _told(refused: Sequence[UserError], *, read: bool = False) -> int:
    """The exit code, after a line for each that was refused: 1 where others were read, 2 if none was."""
    for error in refused:
        sys.stderr.write(f"error: {error}\n")
    return (SOMETHING_FAILED if read else USER_MISTAKE) if refused else 0
