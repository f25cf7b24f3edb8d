"""A run: proofs first, then forks of all frameworks interleaved, then training; one folder.

Everything is measured in fresh processes started from here. A finished fork is a file; what is
there is never measured again, so a run that was interrupted goes on where it stopped.
"""

import dataclasses
import json
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks import comparisons, machine, plan, results
from benchmarks.failures import Failures, now
from benchmarks.forking import Forker, ForkFailedError
from benchmarks.plan import Case, Preset
from benchmarks.progress import Progress
from benchmarks.proofs import Proofs
from benchmarks.recipes import Recipe
from benchmarks.sensors import Sensors, describe_gpu, nvml
from benchmarks.training import trainings
from benchmarks.training.trainings import Trainings
from benchmarks.watch import Watch
from implementations import claims
from implementations.certificates import refusal
from implementations.claims import Claim
from implementations.commandline import Notice
from implementations.errors import UserError
from implementations.files import sweep
from implementations.network import known
from implementations.policies import EQUAL
from implementations.processes import ChildFailedError, available_cores
from implementations.proving import Prover

SCHEDULE_SEED = 0
PRECISION = 0.03  # of every compared ratio, where nothing else is asked for
TARGET = 0.015  # the precision whose price a run names at its end
Turn = tuple[Case, int]


@dataclass(frozen=True)
class Stopping:
    """When a run stops adding forks, and how long it waits for one.

    It stops at a precision of every compared ratio, or when time is spent.
    """

    precision: float  # half-width of the 95 % interval, as a fraction
    budget_s: float  # from the start of the run, proofs included; the preset's forks are always made
    timeout_s: float | None = None  # of a fork; the preset's where nothing is said
    forks: int | None = None  # of each case at least; the preset's where nothing is said

    def as_data(self) -> dict[str, float | None]:
        """What a run that is gone on with keeps; its budget begins anew."""
        return {"precision": self.precision, "timeout_s": self.timeout_s, "forks": self.forks}


@dataclass
class Run:
    """One run into ``folder``, which stands from its first step on; call the steps in their order here."""

    folder: Path
    preset_name: str
    frameworks: Sequence[str]
    networks: Sequence[str]
    prover: Prover
    notice: Notice
    policies: Sequence[str] = (EQUAL,)
    stopping: Stopping = Stopping(PRECISION, budget_s=0.0)
    clock: Callable[[], float] = time.monotonic
    trains: bool = True  # at the end, the recipe of a network that has one
    recipes: Sequence[Recipe] = ()  # whose networks are proven for a training, at their size

    def __post_init__(self) -> None:
        self.started = self.clock()
        sensors = Sensors(nvml(self.prover.device))
        self.forker = Forker(self.preset_name, self.prover, Watch(sensors, available_cores()))

    @cached_property
    def proofs(self) -> Proofs:
        return Proofs(self.folder, self.prover, self.notice)

    @cached_property
    def failed(self) -> Failures:
        return Failures(self.folder)

    @cached_property
    def trainings(self) -> Trainings:
        return Trainings(self.folder, self.proofs, self.failed, self.notice)

    @property
    def preset(self) -> Preset:
        return plan.preset(self.preset_name)

    @property
    def cases(self) -> list[Case]:
        """What is measured; nothing where a recipe alone is trained."""
        if self.preset_name not in plan.PRESETS:
            return []
        return [
            case
            for policy in self.policies
            for case in plan.cases(self.preset, self.frameworks, self.networks, policy, self.prover.device)
        ]

    @property
    def forks(self) -> int:
        """Of each case, before any is added."""
        return self.stopping.forks or self.preset.forks

    # --- The folder ---

    def open(self) -> None:
        """Make the folder, or go on in it; ``UserError`` if it cannot be, or holds another machine's run."""
        about = {
            "schema_version": results.SCHEMA_VERSION,
            "id": uuid.uuid4().hex,  # machines alike may start in the same second
            "preset": self.preset_name,
            "frameworks": list(self.frameworks),
            "networks": list(self.networks),
            "policies": list(self.policies),
            "stopping": self.stopping.as_data(),
            "trains": self.trains,
            "device": self.prover.device,
            "threads": self.prover.launcher.threads,
            "machine": machine.description(),
            "environment": machine.environment(),
            "gpu": describe_gpu(self.prover.device),
            "commit": machine.commit(),
            "started": now(),
        }
        self.prover.trained.update(case.claim for case in self.cases if case.task == "training")
        path = self.folder / "run.json"
        if path.exists():
            self._compare(results.read_run(self.folder), about)
            sweep(self.folder)
        else:
            self._require_empty()
            results.write_json(path, about)

    def _require_empty(self) -> None:
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            raise UserError(
                "the output folder holds something else than a run",
                given=self.folder,
                allowed="a new or empty folder, or one of an earlier run",
                todo="choose another --output",
            )

    def _compare(self, before: dict[str, Any], now: dict[str, Any]) -> None:
        before, now = ({**about, "gpu": _model(about.get("gpu"))} for about in (before, now))
        for name in ("preset", "device", "threads", "machine", "gpu"):
            if before.get(name) != now[name]:
                raise UserError(
                    f"the folder holds a run with another {name}",
                    given=json.dumps(now[name]),
                    allowed=json.dumps(before.get(name)),
                    todo="choose another --output, or the options of the run in the folder",
                )

    # --- Proofs ---

    def prove(self) -> None:
        """A certificate for every claim that this run rests on."""
        missing = self.proofs.take_over(self.claims())
        held = len(self.proofs.certificates)
        self.notice(f"proving sameness: {len(missing)} claims; {held} proven before still hold")
        self.proofs.make(missing)
        self.proofs.take_over_slips(self.frameworks)

    def claims(self) -> list[Claim]:
        """What this run rests on: every network in every framework, and what is measured."""
        every = claims.claims(self.networks, self.frameworks, exporters=self.frameworks)
        basic = [claim for claim in every if self._matters(claim)]
        trained = [claim for recipe in self.recipes for claim in trainings.claims(recipe, self.frameworks)]
        return list(dict.fromkeys([*basic, *trained, *(case.claim for case in self.cases)]))

    def _matters(self, claim: Claim) -> bool:
        """Whether this run rests on ``claim``: files of large networks only where they are measured."""
        measured = {(case.network, case.exporter) for case in self.cases if case.exporter}
        small = not claims.is_large(claim)
        return claim.exporter is None or small or (claim.network, claim.exporter) in measured

    # --- Ceilings ---

    def measure_ceilings(self) -> None:
        """What the machine can do at most, as every framework reaches it; a failure costs that one only."""
        for framework in self.frameworks if self.cases else ():
            self.measure_ceiling(framework)

    def measure_ceiling(self, framework: str) -> None:
        """Those that ``framework`` reaches, unless they are there or it offers no product."""
        final = results.ceiling_path(self.folder, framework)
        if final.exists() or not known(framework).trains:
            return
        request, timeout = {"device": self.prover.device}, self.preset.timeout_s
        try:
            found = self.prover.launcher.ask(framework, "benchmarks.ceilings:measure", request, timeout)
        except ChildFailedError as failure:
            self.notice(f"  no ceiling from {framework}: {failure}")
            return
        results.write_json(final, {"schema_version": results.SCHEMA_VERSION, **found})
        self.notice(f"  the machine's ceiling by {framework}: {_shown_ceiling(found)}")

    # --- Forks ---

    def measure(self) -> None:
        """The first forks in an interleaved order; then as many more as precision asks and time allows."""
        missing = self.missing()
        every = len(self.cases) * self.forks
        self.notice(f"measuring: {len(missing)} of {every} forks, in an interleaved order")
        progress = Progress(self.clock)
        self._measure(missing, progress)
        self._repeat_disturbed(progress)
        self._narrow(progress)
        self._notice_precision(progress)

    def missing(self) -> list[Turn]:
        """The preset's forks that are not there yet, in an interleaved order."""
        order = plan.schedule(self.cases, self.forks, SCHEDULE_SEED)
        return [turn for turn in order if not self._is_finished(*turn)]

    def measure_turn(self, case: Case, number: int) -> None:
        """One fork, said in a line."""
        self.notice(f"  {_said(case)}: {self._measure_fork(case, number)}")

    def _measure(self, turns: Sequence[Turn], progress: Progress) -> None:
        for position, (case, number) in enumerate(turns, start=1):
            outcome = self._measure_fork(case, number)
            progress.finished(case)
            left = progress.left(case for case, _ in turns[position:])
            self.notice(f"  [{position}/{len(turns)}] {_said(case)}: {outcome}; {left} left")

    def _repeat_disturbed(self, progress: Progress) -> None:
        """Once for every one of the preset's forks that was disturbed, while there is time."""
        wanted = comparisons.to_repeat(results.forks(self.folder), self.forks)
        if wanted:
            self.notice(f"measuring: {len(wanted)} forks again that were disturbed, while there is time")
            if not self._measure_while_time(wanted, progress):
                self.notice("  there was no time left for all of them")

    def _narrow(self, progress: Progress) -> None:
        """Round after round, a fork for both sides of every ratio that is too wide yet, the widest first."""
        while wide := self._too_wide():
            if not self._measure_while_time(wide, progress):
                return

    def _too_wide(self) -> list[Case]:
        """Cases of ratios that are wider than asked for, where no fork of either side failed."""
        failed = {results.case_of(failure) for failure in self.failures if failure["fork"] is not None}
        found = comparisons.comparisons(results.forks(self.folder))
        return comparisons.widest(found, self.stopping.precision, without=failed)

    def _measure_while_time(self, cases: Sequence[Case], progress: Progress) -> bool:
        """One more fork of each case; whether there was time for all."""
        for case in cases:
            if self.clock() + progress.typical(case) > self.started + self.stopping.budget_s:
                return False
            self.measure_turn(case, self._next_number(case))
            progress.finished(case)
        return True

    def _next_number(self, case: Case) -> int:
        number = 1
        while results.fork_path(self.folder, case, number).exists():
            number += 1
        return number

    def _notice_precision(self, progress: Progress) -> None:
        """How narrow the ratios became, and what more would cost."""
        found = comparisons.comparisons(results.forks(self.folder))
        reached = comparisons.precision_of(found, self.stopping.precision, TARGET)
        if not reached.ratios:
            return
        price = "more forks than can be foreseen"
        if reached.forks_to_target is not None:
            price = (
                f"about {reached.forks_to_target} more forks ({progress.lasting(reached.forks_to_target)})"
            )
        self.notice(
            f"precision: {reached.reached} of {reached.ratios} ratios within"
            f" {comparisons.shown_width(self.stopping.precision)}, the widest"
            f" {comparisons.shown_width(reached.widest)}; {comparisons.shown_width(TARGET)} everywhere"
            f" would take {price}"
        )

    def _is_finished(self, case: Case, number: int) -> bool:
        path = results.fork_path(self.folder, case, number)
        return path.exists() and bool(results.read_fork(path))

    def _measure_fork(self, case: Case, number: int) -> str:
        """Measure one fork; what came out, in words. A failure is recorded and costs this fork only."""
        claim = case.claim
        final = results.fork_path(self.folder, case, number)
        about = {**plan.as_data(case), "fork": number}
        if not self.proofs[claim]["passed"]:
            return self.failed.record(final, about, refusal(self.proofs[claim]))
        if (full := self._out_of_memory_at(case)) is not None:
            return f"not tried: out of memory at batch {full}"
        try:
            timeout = self.stopping.timeout_s or self.preset.timeout_s
            fork = self.forker.measure(case, number, self.proofs.path(claim), final, timeout)
        except ForkFailedError as failure:
            about |= {"out_of_memory": failure.out_of_memory}
            return self.failed.record(final, about, str(failure), failure.last_lines)
        self.failed.made_good(final)
        return "; DISTURBED, ".join([f"{fork.median:,.1f} images/s", *fork.disturbances[:1]])

    def _out_of_memory_at(self, case: Case) -> int | None:
        """The smallest batch at which ``case`` ran out of memory, if it is not larger."""
        full = [
            failure["batch"]
            for failure in self.failures
            if failure.get("out_of_memory")
            and dataclasses.replace(results.case_of(failure), batch=case.batch) == case
        ]
        return min((batch for batch in full if batch <= case.batch), default=None)

    # --- What came out ---

    @property
    def failures(self) -> list[dict[str, Any]]:
        """What failed and was not made good since."""
        return self.failed.every

    @property
    def passed(self) -> bool:
        """Whether all that was wanted is there; where memory ends, there is nothing to want."""
        failed = [failure for failure in self.failures if not failure.get("out_of_memory")]
        return not failed and self.proofs.passed


def _said(case: Case) -> str:
    return f"{case.network} {case.task} b{case.batch} {case.title}"


def _shown_ceiling(found: dict[str, Any]) -> str:
    products = (f"{flops / 1e9:,.0f} GFLOP/s in {p}" for p, flops in found["flop_per_s"].items())
    return ", ".join([*products, f"copies at {found['copied_bytes_per_s'] / 1e9:,.1f} GB/s"])


def _model(gpu: dict[str, Any] | None) -> dict[str, Any] | None:
    """What makes it another one: its limits may be told or not."""
    return None if gpu is None else {name: gpu.get(name) for name in ("name", "driver")}
