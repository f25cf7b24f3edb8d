"""A run as one archive of a few MB, for machines that its results must leave: packed there, imported here.

Standard library only, but for what checks an imported result.
"""

import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import results
from implementations import certificates
from implementations.errors import UserError
from implementations.files import replacing

KINDS = ("certificates", "ceilings", "forks", "training", "failures", "mutants")
LARGEST = 2**30  # bytes of one file: results have kilobytes


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
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(
            "the folder to import into is not empty",
            given=folder,
            allowed="a new or empty folder",
            todo="choose another --output",
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".import-") as name:
            made = Path(name) / "run"
            _extract(archive, made)
            _check(made)
            return sum(1 for _ in _files(made.replace(folder)))
    except OSError as error:
        raise UserError(
            f"the run cannot be written ({error.strerror or error})",
            given=folder,
            allowed="a new folder in a place with room that can be written",
            todo="choose another --output",
        ) from None


def _extract(archive: Path, folder: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            members = tar.getmembers()
            for member in members:
                _require_expected(archive, member)
            tar.extractall(folder, members, filter="data")
    except (OSError, EOFError, tarfile.TarError) as error:
        raise _refused(archive, f"the archive cannot be read ({type(error).__name__}: {error})") from None


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
