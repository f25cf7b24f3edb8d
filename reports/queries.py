"""Reads a run folder into frozen dataclasses: what the report says, in numbers. Nothing about HTML."""

import hashlib
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import comparisons, intervals, plan, results
from benchmarks.comparisons import Comparison
from benchmarks.intervals import Interval
from benchmarks.plan import Case
from benchmarks.results import Fork
from implementations.claims import titled
from implementations.errors import UserError
from implementations.network import place
from implementations.policies import EQUAL
from reports import details, failures, proofs, slips, training, training_files
from reports.details import Details
from reports.failures import Failure
from reports.proofs import Proof
from reports.slips import Slips
from reports.training import Training
from reports.training_files import Curve, Task

MEBI = 2**20
PHASES = ("import", "build", "first_call", "warmup")
SHARED = ("provider", "device_model", "machine", "threads", "method_version")  # by all that is compared


@dataclass(frozen=True)
class File:
    """A raw result, by its place in the run's folder and the SHA-256 of its bytes."""

    name: str
    sha256: str


@dataclass(frozen=True)
class Measured:
    """A case's forks, summed up."""

    case: Case
    medians: tuple[float, ...]  # of each fork, in images per second
    throughput: Interval  # images per second
    of_fastest: Interval | None  # share of the fastest case's throughput; None for the fastest
    smallest_step: float | None  # least difference to the fastest that would be seen, as a fraction
    peak_rss_mib: float  # the largest of the forks
    peak_device_mib: float | None
    phases_s: Mapping[str, float]  # median over forks of each phase
    steady: int  # forks whose warm-up ended because blocks agreed
    certificates: tuple[str, ...]  # the proofs that its forks rest on
    files: tuple[File, ...]  # of its forks, in the order of ``medians``
    details: Details

    @property
    def title(self) -> str:
        return titled(self.case.framework, self.case.exporter)

    @property
    def ms_per_image(self) -> float:
        return 1000 / self.throughput.value


@dataclass(frozen=True)
class Group:
    """Cases that are compared with each other, the fastest first."""

    network: str
    task: str
    batch: int
    policy: str
    cases: tuple[Measured, ...]
    leads: tuple[Interval, ...]  # fastest / other, for every other case

    @property
    def rivals(self) -> tuple[tuple[Measured, Interval], ...]:
        """Cases that the run cannot tell from the fastest, not only the second: a noisy one may lie lower."""
        pairs = zip(self.cases[1:], self.leads, strict=True)
        return tuple((case, lead) for case, lead in pairs if lead.holds_one)


@dataclass(frozen=True)
class Report:
    """All that the page says about one run."""

    preset: str
    device: str
    threads: int
    machine: Mapping[str, Any]
    commit: Mapping[str, Any]
    started: str
    conditions: Mapping[str, Any]  # that all forks share; empty without forks
    groups: tuple[Group, ...]
    proofs: tuple[Proof, ...]
    slips: Slips
    trainings: tuple[Training, ...]
    failures: tuple[Failure, ...]
    unproven: tuple[str, ...]  # results left out, since no certificate here carries them
    ceilings: Mapping[str, float]  # FLOP/s by precision, and "copy" in bytes/s; empty where not measured
    versions: Mapping[str, tuple[str, ...]]  # by package; more than one if the run mixes them

    @property
    def origin(self) -> dict[str, str]:
        """Where its rows come from: when the run began, to the second, and the device's model."""
        device = str(self.conditions["device_model"]) if self.conditions else self.device
        return {"run": self.started[:19].replace("T", " "), "device": device}

    @property
    def policies(self) -> dict[str, tuple[str, ...]]:
        """Precisions that were timed, by policy."""
        found: dict[str, dict[str, None]] = {}
        for group in self.groups:
            for case in group.cases:
                found.setdefault(group.policy, {})[case.details.precision] = None
        return {policy: tuple(precisions) for policy, precisions in found.items()}

    @property
    def breaches(self) -> tuple[Proof, ...]:
        return tuple(proof for proof in self.proofs if not proof.passed)

    @property
    def sealed(self) -> bool:
        """Whether every claim is proven and every number rests on one."""
        return bool(self.proofs) and not self.breaches and not self.unproven

    @property
    def frameworks(self) -> tuple[str, ...]:
        """All that took part, in the order of the table of adapters."""
        return tuple(sorted({proof.framework for proof in self.proofs}, key=place))


def read(folder: Path) -> Report:
    """The report on a run; ``UserError`` if ``folder`` is none, or something in it is damaged."""
    about = results.read_run(folder)
    found = proofs.read(folder)
    proven = proofs.proven(found)
    forks, trainings = list(results.forks(folder)), training_files.read(folder)
    kept = [fork for fork in forks if fork.attributes["certificate"] in proven]
    ceilings = results.ceilings(folder)
    return Report(
        **{name: about[name] for name in ("preset", "device", "threads", "machine", "commit", "started")},
        conditions=_conditions(folder, kept),
        groups=_groups(kept, about["preset"], ceilings),
        ceilings=ceilings,
        proofs=found,
        slips=slips.read(folder),
        trainings=training.grouped([pair for pair in trainings if pair[1].certificate in proven]),
        failures=failures.read(folder),
        unproven=tuple(_unproven(forks, trainings, proven)),
        versions=_versions([*found, *(curve for _, curve in trainings)], forks),
    )


# --- Throughput ---------------------------------------------------------------------------


def _conditions(folder: Path, forks: Sequence[Fork]) -> dict[str, Any]:
    """What all forks share; ``UserError`` if they do not, since then no ratio means anything."""
    shared = {name: forks[0].key[name] for name in SHARED} if forks else {}
    digests: dict[str, str] = {}
    for fork in forks:
        expected = {**shared, "digest": digests.setdefault(fork.key["network"], fork.key["digest"])}
        for name, value in expected.items():
            if fork.key[name] != value:
                raise UserError(
                    f"the folder holds results with another {name}, which cannot be compared",
                    given=f"{fork.path} ({fork.key[name]})",
                    allowed=f"one {name} ({value}) in {folder}",
                    todo="move these results into a folder of their own",
                )
    return shared


def _groups(forks: Iterable[Fork], preset: str, ceilings: Mapping[str, float]) -> tuple[Group, ...]:
    """Compared cases together, in the preset's order."""
    listed: list[Any] = list(plan.PRESETS[preset].work) if preset in plan.PRESETS else []
    every = comparisons.comparisons(forks)
    found = {comparison.work: comparison for comparison in every}
    behind = details.of_all(every, ceilings)
    order = sorted(found, key=lambda work: (work[-1] != EQUAL, _place(work[:-1], listed), work))
    return tuple(_group(found[work], behind) for work in order)


def _place(work: tuple[str, str, int], listed: Sequence[Any]) -> int:
    return listed.index(work) if work in listed else len(listed)


def _group(comparison: Comparison, behind: Mapping[Case, Details]) -> Group:
    fastest, *others = comparison.forks
    medians = comparison.medians
    leads = tuple(intervals.ratio(medians(fastest), medians(other)) for other in others)
    measured = tuple(_measured(comparison, case, behind[case]) for case in comparison.forks)
    return Group(*comparison.work, measured, leads)


def _measured(comparison: Comparison, case: Case, behind: Details) -> Measured:
    forks = comparison.forks[case]
    device = [fork.fields["peak_device_bytes"] for fork in forks]
    phases = {
        name: [f.fields["phases_s"][name] for f in forks if name in f.fields["phases_s"]] for name in PHASES
    }
    return Measured(
        case=case,
        medians=comparison.medians(case),
        throughput=comparison.throughput(case),
        of_fastest=comparison.of_fastest(case),
        smallest_step=comparison.smallest_step(case),
        peak_rss_mib=max(fork.fields["peak_rss_bytes"] for fork in forks) / MEBI,
        peak_device_mib=max(device) / MEBI if None not in device else None,
        phases_s={name: statistics.median(values) for name, values in phases.items() if values},
        steady=sum(fork.fields["steady"] for fork in forks),
        certificates=tuple(dict.fromkeys(str(fork.attributes["certificate"]) for fork in forks)),
        files=tuple(_file(fork.path) for fork in forks),
        details=behind,
    )


def _file(path: Path) -> File:
    return File(f"{path.parent.name}/{path.name}", hashlib.sha256(path.read_bytes()).hexdigest())


# --- What is not shown, what it ran on ----------------------------------------------------


def _unproven(
    forks: Iterable[Fork], trainings: Iterable[tuple[Task, Curve]], proven: set[str]
) -> Iterator[str]:
    """What is left out, in words: no number without the proof it was made under."""
    for fork in forks:
        if fork.attributes["certificate"] not in proven:
            case = fork.case
            name = titled(case.framework, case.exporter)
            yield f"{case.network} {case.task} batch {case.batch} in {name}, fork {fork.attributes['fork']}"
    for task, curve in trainings:
        if curve.certificate not in proven:
            yield f"recipe {task.recipe} in {curve.framework}"


def _versions(parts: Iterable[Proof | Curve], forks: Iterable[Fork]) -> dict[str, tuple[str, ...]]:
    """All versions of every package that took part, by package."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for versions in (*(part.versions for part in parts), *(fork.attributes["versions"] for fork in forks)):
        for package, version in versions.items():
            found[package][str(version)] = None
    return {package: tuple(seen) for package, seen in sorted(found.items())}
