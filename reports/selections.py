"""What is compared: a run's folder, its archive, or what a filter finds in the history; all as series."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import archive
from benchmarks.history.filters import parsed
from benchmarks.history.queries import History
from benchmarks.history.series import Series, TrainingRow
from benchmarks.results import HISTORY
from implementations.errors import UserError

ALLOWED = "a run's folder, its archive (.tar.gz), or filters as framework=pytorch,versions.torch=2.13.0"
# Of the history's filters those that trainings know too, by name; others pick series only.
OF_TRAININGS = (
    "run",
    "commit",
    "since",
    "until",
    "preset",
    "device",
    "network",
    "framework",
    "digest",
    "recipe",
)


@dataclass(frozen=True)
class Selection:
    """What ``text`` stands for."""

    text: str
    fields: frozenset[str]  # that its filters name
    series: Sequence[Series]
    trainings: Sequence[TrainingRow]


def read(text: str, history: str | Path = HISTORY) -> Selection:
    """The selection that ``text`` names; ``UserError`` if it is none, or finds nothing."""
    path = Path(text)
    if _exists(path):
        with _of_run(path) as found:
            return _selected(text, found, {})
    if "=" not in text:
        raise UserError(
            "this is nothing that could be compared", given=text, allowed=ALLOWED, todo="name one of these"
        )
    return _selected(text, History.open(history), parsed(text.split(",")))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a filter longer than a file's name may be
        return False


def _selected(text: str, history: History, chosen: Mapping[str, str]) -> Selection:
    series = history.series(**chosen)
    known = all(name in OF_TRAININGS or name.startswith("versions.") for name in chosen)
    if not series:
        raise UserError(
            "nothing was found", given=text, allowed=ALLOWED, todo="ask for less, or import more runs"
        )
    trainings = history.trainings(**chosen) if known else []
    return Selection(text, frozenset(chosen), series, trainings)


@contextmanager
def _of_run(path: Path) -> Iterator[History]:
    """A history of one run alone, or of the runs in a folder; gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        folder = path
        if path.is_file():
            folder = Path(name) / "run"
            archive.unpack(path, folder)
        history = History.open(Path(name) / "history.sqlite", create=True)
        refused = history.import_paths([folder], notice=lambda line: None).refused
        if refused:
            raise refused[0]
        yield history
