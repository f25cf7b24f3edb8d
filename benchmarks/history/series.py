"""What the history answers with: frozen data, nothing of a database. Standard library only."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NOON = datetime.timedelta(hours=12)


@dataclass(frozen=True)
class Point:
    """What one run says about one series, as one build of the framework was measured in it."""

    run: str  # its id
    started: datetime.datetime  # when the run was, in UTC
    forks: tuple[float, ...]  # images/s of each fork that counts (``comparisons.counting``)
    metrics: Mapping[str, tuple[float, ...]]  # of the same forks, by the names in ``schema.METRICS``
    versions: Mapping[str, str]  # of all that was loaded, by package
    commit: str
    disturbed: int  # forks that something else on the machine disturbed, counting or not
    ceilings: Mapping[str, float]  # FLOP/s by precision, and "copy" in bytes/s, as the run measured them
    sameness: Mapping[
        str, float
    ]  # largest difference found, by "level 1 float32"; the proof that it rests on
    environment: Mapping[str, str]  # of the machine: system, python, governor, driver, where known
    switches: Mapping[str, str]  # settings as the framework itself reported them
    label: str = ""  # tells builds of one framework apart that one run compares
    preset: str = ""

    @property
    def night(self) -> datetime.date:
        """From noon to noon in UTC, called by its morning: forks and runs of one night belong together."""
        return night_of(self.started)


@dataclass(frozen=True)
class Series:
    """One thing that was measured again and again, under one ``results.KEY``."""

    key: Mapping[str, Any]
    points: tuple[Point, ...]  # the oldest first


@dataclass(frozen=True)
class ForkRow:
    """One proven fork, disturbed or not, with all that it shares with others."""

    run: str
    started: datetime.datetime  # when the run was, in UTC
    commit: str
    key: Mapping[str, Any]
    label: str
    versions: Mapping[str, str]
    number: int
    images_per_second: float
    disturbed: bool
    metrics: Mapping[str, float | None]  # by the names in ``schema.METRICS``


@dataclass(frozen=True)
class RunRow:
    """One run that the history knows."""

    id: str  # a hash of what its run.json says
    folder: str  # the name of the folder that it was imported from
    started: datetime.datetime  # in UTC
    preset: str
    device: str
    threads: int
    commit: str
    dirty: bool | None  # whether the checkout had changes; None where it was none
    machine: Mapping[str, Any]
    gpu: Mapping[str, Any] | None
    forks: int
    trainings: int
    failures: int


@dataclass(frozen=True)
class TrainingRow:
    """One training in one framework, proven like everything here."""

    run: str
    started: datetime.datetime  # of the run, in UTC
    commit: str
    recipe: str
    scale: str  # "full" or "small"
    network: str
    digest: str
    framework: str
    data: str  # title
    data_sha256: str
    optimizer: str
    batch: int
    seed: int
    versions: Mapping[str, str]
    test_accuracy: float  # 0 to 1, after the last epoch
    test_loss: float | None
    seconds_per_epoch: float  # median
    epochs: tuple[Mapping[str, Any], ...]  # as the result file has them

    @property
    def night(self) -> datetime.date:
        """As ``Point.night``."""
        return night_of(self.started)


def night_of(moment: datetime.datetime) -> datetime.date:
    """The date of the morning of the night (noon to noon, UTC) that ``moment`` (UTC) belongs to."""
    return (moment + NOON).date()
