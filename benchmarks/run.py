"""A run: proofs first, then forks of all frameworks interleaved, then training; one folder.

Everything is measured in fresh processes started from here. A finished fork is a file; what is
there is never measured again, so a run that was interrupted goes on where it stopped.
"""

import datetime
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import machine, plan, results, train
from benchmarks.data.images import ImageSet
from benchmarks.plan import Case, Preset
from benchmarks.recipes import Recipe
from implementations import certificates, claims, networks, sameness, slips
from implementations.certificates import Certificate, first_breach
from implementations.claims import Claim
from implementations.errors import UserError
from implementations.files import replacing
from implementations.network import ADAPTERS
from implementations.processes import REASON_LENGTH, ChildFailedError, Finished
from implementations.proving import Prover

SCHEDULE_SEED = 0
FAILURE_MARKS = ("FAILED", "ERROR", "error:", "Exit:")
PYTEST = (
    "-p",
    "pytest_benchmark.plugin",
    "-p",
    "no:cacheprovider",
    "-q",
    "--tb=short",
    "--benchmark-disable-gc",
)
Notice = Callable[[str], None]


@dataclass
class Run:
    """One run into ``folder``; call the steps in the order in which they stand here."""

    folder: Path
    preset_name: str
    frameworks: Sequence[str]
    networks: Sequence[str]
    prover: Prover
    notice: Notice
    proofs: dict[Claim, Certificate] = field(default_factory=dict)

    @property
    def preset(self) -> Preset:
        return plan.preset(self.preset_name)

    @property
    def cases(self) -> list[Case]:
        """What is measured; nothing where a recipe alone is trained."""
        if self.preset_name not in plan.PRESETS:
            return []
        return plan.cases(self.preset, self.frameworks, self.networks)

    # --- The folder ---

    def open(self) -> None:
        """Make the folder, or go on in it; ``UserError`` if it cannot be, or holds another machine's run."""
        about = {
            "schema_version": results.SCHEMA_VERSION,
            "preset": self.preset_name,
            "device": self.prover.device,
            "threads": self.prover.launcher.threads,
            "machine": machine.description(),
            "commit": machine.commit(),
            "started": _now(),
        }
        path = self.folder / "run.json"
        if path.exists():
            before = results.read_json(path, "run's description")
            if not isinstance(before, dict):
                raise results.refused(path, "the run's description is not one of this project's")
            self._compare(before, about)
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
        for name in ("preset", "device", "threads", "machine"):
            if before.get(name) != now[name]:
                raise UserError(
                    f"the folder holds a run with another {name}",
                    given=json.dumps(now[name]),
                    allowed=json.dumps(before.get(name)),
                    todo="choose another --output, or the options of the run in the folder",
                )

    # --- Proofs ---

    def prove(self) -> None:
        """A certificate for every claim about this run's networks; what still holds is not proven again."""
        wanted = [claim for claim in self._claims() if self._matters(claim)]
        for claim in wanted:
            self._take_over(claim)
        missing = [claim for claim in wanted if claim not in self.proofs]
        self.notice(f"proving sameness: {len(missing)} claims; {len(self.proofs)} proven before still hold")
        self.prover.all(missing, self._proven)
        self._take_over_slips()

    def _claims(self) -> list[Claim]:
        return claims.claims(self.networks, self.frameworks, exporters=self.frameworks)

    def _matters(self, claim: Claim) -> bool:
        """Whether this run rests on ``claim``: files of large networks only where they are measured."""
        measured = {(case.network, case.exporter) for case in self.cases if case.exporter}
        small = not sameness.is_large(networks.build(claim.network))
        return claim.exporter is None or small or (claim.network, claim.exporter) in measured

    def _take_over(self, claim: Claim) -> None:
        """The folder's certificate, or the cache's, if it still holds."""
        path = self.certificate_path(claim)
        if path.exists():
            here = certificates.read(path)
            if self.prover.holds(claim, here):
                self.proofs[claim] = here
                return
            self._require_unused(here, claim)
        if kept := self.prover.kept(claim):
            certificates.write(path, kept)
            self.proofs[claim] = kept

    def _require_unused(self, outdated: Certificate, claim: Claim) -> None:
        """``UserError`` if something in the folder rests on ``outdated``: two builds make no one number."""
        measured = [fork.attributes["certificate"] for fork in results.forks(self.folder)]
        trained = [training["certificate"] for training in results.trainings(self.folder)]
        if outdated["passed"] and outdated["id"] in [*measured, *trained]:
            raise UserError(
                f"results of {claim.network} in {claim.title} rest on a proof that no longer holds",
                given="other code of this project, another build of the framework, or another processor",
                allowed="what the run in the folder was begun with",
                todo="choose another --output",
            )

    def _proven(self, claim: Claim, certificate: Certificate) -> None:
        certificates.write(self.certificate_path(claim), certificate)
        self.proofs[claim] = certificate
        self.notice(f"  {claim.network} in {claim.title}: {first_breach(certificate) or 'same'}")

    def _take_over_slips(self) -> None:
        """What 'check --mutants' found, where that still holds: the report shows it."""
        for framework in self.frameworks:
            if record := slips.kept(self.prover, framework):
                results.write_json(results.slips_path(self.folder, framework), record)

    def certificate_path(self, claim: Claim) -> Path:
        return self.folder / "certificates" / f"{claim.slug}.json"

    # --- Forks ---

    def measure(self) -> None:
        """Every fork that is not there yet, in the interleaved order."""
        order = plan.schedule(self.cases, self.preset.forks, SCHEDULE_SEED)
        missing = [turn for turn in order if not self._is_finished(*turn)]
        self.notice(f"measuring: {len(missing)} of {len(order)} forks, in an interleaved order")
        clock = _Progress()
        for position, (case, number) in enumerate(missing, start=1):
            outcome = self._measure_fork(case, number)
            clock.finished(case)
            self.notice(
                f"  [{position}/{len(missing)}] {case.network} {case.task} b{case.batch} {case.title}: "
                f"{outcome}; {clock.left(missing[position:])} left"
            )

    def _is_finished(self, case: Case, number: int) -> bool:
        path = results.fork_path(self.folder, case, number)
        return path.exists() and bool(results.read_fork(path))

    def _measure_fork(self, case: Case, number: int) -> str:
        """Measure one fork; what came out, in words. A failure is recorded and costs this fork only."""
        claim = Claim(case.framework, case.network, exporter=case.exporter)
        final = results.fork_path(self.folder, case, number)
        about = {**plan.as_data(case), "fork": number}
        if not self.proofs[claim]["passed"]:
            return self._fail(final, about, _not_the_same(self.proofs[claim]))
        try:
            fork = self._forked(case, number, claim, final)
        except ForkFailedError as failure:
            return self._fail(final, about, str(failure), failure.last_lines)
        self._made_good(final)
        return f"{fork.median:,.1f} images/s"

    def _forked(self, case: Case, number: int, claim: Claim, final: Path) -> results.Fork:
        """The fork that a fresh process measured, kept in ``final``."""
        with replacing(final, "a result") as partial:
            command = self._command(case, number, claim, partial)
            ended = self.prover.launcher.run(case.framework, command, self.preset.timeout_s)
            if ended.returncode != 0 or not partial.exists():
                raise ForkFailedError(ended)
            return results.read_fork(partial)

    def _command(self, case: Case, number: int, claim: Claim, output: Path) -> list[str]:
        options = {
            "--framework": case.framework,
            "--network": case.network,
            "--batch": case.batch,
            "--preset": self.preset_name,
            "--device": self.prover.device,
            "--threads": self.prover.launcher.threads,
            "--fork": number,
            "--weights": self.prover.weights(claim),
            "--certificate": self.certificate_path(claim).absolute(),
            "--benchmark-json": output.absolute(),
        }
        if case.exporter:
            options |= {"--exporter": case.exporter, "--model": self.prover.model(claim)}
        file = f"benchmarks/test_{case.task}.py"
        return ["-m", "pytest", file, *PYTEST, *(f"{key}={value}" for key, value in options.items())]

    # --- Training ---

    def train(self, recipe: Recipe, data: ImageSet) -> None:
        """The recipe on ``data`` in every framework that trains, unless it is there already."""
        self.notice(f"training {recipe.network} on {data.title}")
        for framework in self.frameworks:
            if ADAPTERS[framework].trains:
                self.notice(f"  {recipe.name} in {framework}: {self._train_in(framework, recipe, data)}")

    def _train_in(self, framework: str, recipe: Recipe, data: ImageSet) -> str:
        final = results.training_path(self.folder, recipe.name, framework)
        if final.exists() and results.read_training(final)["data"]["sha256"] == data.sha256:
            return "already trained here"
        proof = self.proofs[Claim(framework, recipe.network)]
        about = {"network": recipe.network, "task": "accuracy", "framework": framework}
        if not proof["passed"]:
            return self._fail(final, about, _not_the_same(proof))
        try:
            result = train.fit(recipe, data, framework, self.prover)
        except ChildFailedError as failure:
            return self._fail(final, about, str(failure), failure.finished.last_lines)
        results.write_json(final, {**result, "certificate": proof["id"]})
        self._made_good(final)
        return f"test accuracy {result['epochs'][-1]['test_accuracy']:.4f}"

    # --- What came out ---

    def _made_good(self, final: Path) -> None:
        """The result is there: an earlier failure of it does not count any more."""
        results.failure_path(self.folder, final).unlink(missing_ok=True)

    def _fail(self, final: Path, about: dict[str, Any], reason: str, last_lines: str = "") -> str:
        content = {
            "schema_version": results.SCHEMA_VERSION,
            "batch": None,
            "exporter": None,
            "fork": None,
            **about,
            "reason": reason,
            "last_lines": last_lines,
            "date": _now(),
        }
        results.write_json(results.failure_path(self.folder, final), content)
        return f"FAILED, {reason}"

    @property
    def failures(self) -> list[dict[str, Any]]:
        """What failed and was not made good since."""
        paths = sorted((self.folder / "failures").glob("*.json"))
        return [results.read_json(path, "failure's record") for path in paths]

    @property
    def passed(self) -> bool:
        """Whether all that was wanted is there."""
        return not self.failures and all(proof["passed"] for proof in self.proofs.values())


class ForkFailedError(Exception):
    """A measuring process that left no result: in one line why, in pytest's own words where it spoke."""

    def __init__(self, ended: Finished) -> None:
        self.last_lines = ended.last_lines
        said = [line for line in ended.last_lines.splitlines() if line.startswith(FAILURE_MARKS)]
        spoke = ended.returncode == 1 and said
        super().__init__(said[0][:REASON_LENGTH] if spoke else ended.reason or "it wrote no result")


class _Progress:
    """How long the forks still to come will take, from those of their case (or of all) so far."""

    def __init__(self) -> None:
        self.last, self.taken = time.monotonic(), dict[Case, float]()

    def finished(self, case: Case) -> None:
        now = time.monotonic()
        self.taken[case], self.last = now - self.last, now

    def left(self, coming: Iterable[tuple[Case, int]]) -> str:
        typical = sum(self.taken.values()) / len(self.taken)
        seconds = round(sum(self.taken.get(case, typical) for case, _ in coming))
        return f"{seconds // 60}:{seconds % 60:02d}"


def _not_the_same(proof: Certificate) -> str:
    return f"not the same network: {first_breach(proof)}"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
