"""The trainings of a run: fresh processes, seeds and frameworks interleaved, one result file each."""

import datetime
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks import results
from benchmarks.failures import Failures
from benchmarks.proofs import Proofs
from benchmarks.recipes import Recipe
from benchmarks.training import train
from benchmarks.training.train import Wanted
from implementations.certificates import Certificate, refusal
from implementations.claims import Claim
from implementations.commandline import Notice
from implementations.network import known
from implementations.processes import ChildFailedError


def schedule(frameworks: Sequence[str], seeds: int) -> list[tuple[str, int]]:
    """(framework, seed): every round holds each framework once with one seed, in its own seeded order."""
    generator, order = random.Random(0), []
    for seed in range(seeds):
        turn = [name for name in frameworks if known(name).trains]
        generator.shuffle(turn)
        order += [(framework, seed) for framework in turn]
    return order


def claims(recipe: Recipe, frameworks: Sequence[str]) -> list[Claim]:
    """What trainings of ``recipe`` rest on: every network of its stages, at its size."""
    return [
        Claim(framework, network, **recipe.options)
        for network in recipe.networks
        for framework in frameworks
        if known(framework).trains
    ]


@dataclass(frozen=True)
class Trainings:
    """Trains into the run's ``folder``; what is there is not trained again."""

    folder: Path
    proofs: Proofs
    failures: Failures
    notice: Notice

    def run(self, wanted: Wanted, frameworks: Sequence[str], seeds: int = 1) -> None:
        """Every seed in every framework; a failure costs its own training only."""
        recipe = wanted.recipe
        self.notice(f"training {recipe.network} on {wanted.data.title}")
        for framework, seed in schedule(frameworks, seeds):
            self.one(wanted, framework, seed)

    def one(self, wanted: Wanted, framework: str, seed: int = 0) -> None:
        """One training, said in a line."""
        title = f"{wanted.recipe.name} in {framework}, seed {seed}"
        self.notice(f"  {title}: {self._one(wanted, framework, seed, title)}")

    def _one(self, wanted: Wanted, framework: str, seed: int, title: str) -> str:
        recipe = wanted.recipe
        final = results.training_path(self.folder, recipe.name, framework, seed)
        if self._is_there(final, wanted):
            return "already trained here"
        about = {"network": recipe.network, "task": "accuracy", "framework": framework, "seed": seed}
        proofs = [self.proofs[claim] for claim in claims(recipe, [framework])]
        for proof in proofs:
            if not proof["passed"]:
                return self.failures.record(final, about, refusal(proof))
        tell, folder = partial(self._tell, title), final.with_name(final.name.removesuffix(".json"))
        try:
            result = train.train(wanted, framework, seed, self.proofs.prover, folder, tell)
        except ChildFailedError as failure:
            lines = failure.finished.last_lines
            return self.failures.record(final, about, str(failure), lines)
        if other := [proof["network"] for proof in proofs if not _is_proven(result, proof)]:
            reason = f"trained by another build, or by other code, than was proven for {other[0]}"
            return self.failures.record(final, about, reason)
        made = datetime.datetime.now(datetime.UTC).isoformat()
        ids = [proof["id"] for proof in proofs]
        results.write_json(final, {**result, "certificate": ids[0], "certificates": ids, "made": made})
        self.failures.made_good(final)
        _sweep(folder)
        return _said(result)

    def _is_there(self, final: Path, wanted: Wanted) -> bool:
        if not final.exists():
            return False
        there = results.read_training(final)
        is_asked_for = there.get("asked") == train.asked(wanted)
        return is_asked_for and there["data"]["sha256"] == wanted.data.sha256

    def _tell(self, title: str, line: str) -> None:
        self.notice(f"    {title}: {line}")


def _is_proven(result: dict[str, Any], proof: Certificate) -> bool:
    return all(result[name] == proof[name] for name in ("versions", "source"))


def _sweep(folder: Path) -> None:
    """A finished training needs neither its checkpoint nor its log."""
    shutil.rmtree(folder, ignore_errors=True)  # what a killed process left half-written may be a folder


def _said(result: dict[str, Any]) -> str:
    words = [f"test accuracy {result['test']['accuracy']:.4f}"]
    target = result["target"]
    if target and target["reached_epoch"]:
        words.append(f"{target['accuracy']:.4f} in {target['seconds']:.1f} s")
    if result["deterministic"] is False:
        words.append("not the same bits from run to run, so exact resume is not claimed")
    return ", ".join(words)
