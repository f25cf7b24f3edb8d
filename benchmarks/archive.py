"""A run as one archive of a few MB, for machines that its results must leave: packed there, imported here.

Standard library only, but for what checks an imported result.
"""

import contextlib
import errno
import gzip
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks import results
from implementations import certificates
from implementations.errors import UserError
from implementations.files import PARTIAL, replacing

KINDS = ("certificates", "ceilings", "forks", "training", "failures", "mutants")
LARGEST = 2**30  # bytes of one file: results have kilobytes
CHUNK = 2**20  # bytes read at a time


def beside(folder: Path) -> Path:
    """Where the archive of ``folder`` is written by default."""
    return folder.with_name(f"{folder.name}.tar.gz")


def pack(folder: Path, archive: Path) -> int:
    """Write the run in ``folder`` into ``archive``; how many files it holds. ``UserError`` if it is none."""
    results.read_run(folder)
    files = list(_files(folder))
    with replacing(archive, "the archive") as temporary, tarfile.open(temporary, "w:gz") as tar:
        for path in files:
            tar.add(path, arcname=str(path.relative_to(folder)), filter=_anonymous)
    return len(files)


def _files(folder: Path) -> Iterator[Path]:
    yield folder / "run.json"
    for kind in KINDS:
        yield from sorted((folder / kind).glob("*.json"))


def _anonymous(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """No user's name leaves the machine."""
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def unpack(archive: Path, folder: Path) -> int:
    """The run in ``archive`` into ``folder``, which must be new or empty; how many files it held.

    Everything is checked before anything appears there: ``UserError`` if the archive is damaged, holds
    something else, or a result in it is not one of this project's.
    """
    if _is_taken(folder):
        raise _taken(folder)
    with _unpacked(archive, folder.parent) as made, _writing(folder):
        return sum(1 for _ in _files(made.replace(folder)))


def arrive(archive: Path, place: Path) -> Path:
    """The folder in ``place`` that now holds the run in ``archive``; ``UserError`` as ``unpack``.

    A new one, named like the archive; or the one that holds this run already, which then gets what it lacks
    and what is later in the archive.
    """
    with _unpacked(archive, place) as made:
        about = results.read_run(made)
        name = archive.name.removesuffix(".gz").removesuffix(".tar")
        for folder in (place / name, place / f"{name}-{results.run_id(about)}"):
            with _writing(folder):
                if _is_placed(made, folder, about):
                    return folder
    raise _taken(folder)


def _is_placed(made: Path, folder: Path, about: dict[str, Any]) -> bool:
    """Whether ``folder`` was free for the run ``made``, or was of this run, and now holds it."""
    if not _is_taken(folder):
        try:
            made.replace(folder)
            return True
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # another process was faster
                raise
    if not (folder / "run.json").is_file() or results.read_run(folder) != about:
        return False
    _bring_up_to_date(folder, made)
    return True


def _bring_up_to_date(folder: Path, made: Path) -> None:
    """Move into ``folder`` the files of ``made`` that it lacks or has in an older state."""
    for path in list(_files(made)):
        target = folder / path.relative_to(made)
        if not target.exists() or target.stat().st_mtime < path.stat().st_mtime:
            target.parent.mkdir(exist_ok=True)
            path.replace(target)
            results.failure_path(folder, target).unlink(missing_ok=True)  # made good since


def _is_taken(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _taken(folder: Path) -> UserError:
    return UserError(
        "the folder to import into is not empty",
        given=folder,
        allowed="a new or empty folder",
        todo="choose another --output",
    )


@contextlib.contextmanager
def _unpacked(archive: Path, place: Path) -> Iterator[Path]:
    """The run in ``archive``, checked, in a folder of ``place`` that is gone after the block."""
    prefix = f".{os.getpid()}-import-"  # what a kill leaves is swept away by the next import
    with _writing(place):
        place.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.TemporaryDirectory(dir=place, prefix=prefix, suffix=PARTIAL)
    with scratch as name:
        made = Path(name) / "run"
        with _writing(place):
            _extract(archive, made)
        _check(made)
        yield made


@contextlib.contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"the run cannot be written ({error.strerror or error})",
            given=place,
            allowed="a new folder in a place with room that can be written",
            todo="choose another --output",
        ) from None


def _extract(archive: Path, folder: Path) -> None:
    try:
        _require_intact(archive)
        with tarfile.open(archive, "r:gz") as tar:
            members = tar.getmembers()
            for member in members:
                _require_expected(archive, member)
            tar.extractall(folder, members, filter="data")
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise _refused(archive, f"the archive cannot be read ({type(error).__name__}: {error})") from None


def _require_intact(archive: Path) -> None:
    """Read to the end, where gzip's checksum stands: tarfile stops before it."""
    with gzip.open(archive) as whole:
        while whole.read(CHUNK):
            pass


def _require_expected(archive: Path, member: tarfile.TarInfo) -> None:
    """``UserError`` for anything but the plain files that ``pack`` writes."""
    *folders, name = Path(member.name).parts
    expected = (not folders and name == "run.json") or (len(folders) == 1 and folders[0] in KINDS)
    if not (expected and member.isfile() and name.endswith(".json") and member.size < LARGEST):
        raise _refused(archive, f"the archive holds something else than results ({member.name})")


def _check(folder: Path) -> None:
    """``UserError`` if anything in the unpacked run cannot be read."""
    results.read_run(folder)
    checks: dict[str, Callable[[Path], object]] = {
        "certificates": certificates.read,
        "forks": results.read_fork,
        "training": results.read_training,
    }
    for kind, read in checks.items():
        for path in sorted((folder / kind).glob("*.json")):
            read(path)
    for path in sorted((folder / "mutants").glob("*.json")):
        results.read_json(path, "mutants' record")
    results.ceilings(folder)
    results.failures(folder)


def _refused(archive: Path, wrong: str) -> UserError:
    return UserError(
        wrong,
        given=archive,
        allowed="an archive that 'python -m benchmarks pack' or benchmarks/gpu-node.sh wrote",
        todo="pack the run again where it was made, and copy the archive in binary mode",
    )
