"""A run's proofs: made, or taken over where all that they rest on is as it was."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from benchmarks import results
from implementations import certificates
from implementations.certificates import Certificate, first_breach
from implementations.claims import Claim
from implementations.commandline import Notice
from implementations.errors import UserError
from implementations.proving import Prover


@dataclass
class Proofs:
    """The certificates of the run in ``folder``, by claim."""

    folder: Path
    prover: Prover
    notice: Notice
    retries: bool = True  # whether what failed in this folder is proven again
    certificates: dict[Claim, Certificate] = field(default_factory=dict)

    def __getitem__(self, claim: Claim) -> Certificate:
        return self.certificates[claim]

    @property
    def passed(self) -> bool:
        return all(certificate["passed"] for certificate in self.certificates.values())

    def path(self, claim: Claim) -> Path:
        return self.folder / "certificates" / f"{claim.slug}.json"

    def take_over(self, wanted: Iterable[Claim]) -> list[Claim]:
        """What of ``wanted`` no certificate holds for any more."""
        missing = []
        for claim in wanted:
            self._take_over(claim)
            if claim not in self.certificates:
                missing.append(claim)
        return missing

    def make(self, missing: Sequence[Claim]) -> None:
        """A certificate for each of ``missing``."""
        self.prover.all(missing, self._proven)

    def _take_over(self, claim: Claim) -> None:
        """The folder's certificate, or the cache's, if it still holds."""
        path = self.path(claim)
        if path.exists():
            here = certificates.read(path)
            if self.prover.holds(claim, here) or not (here["passed"] or self.retries):
                self.certificates[claim] = here
                return
            if here["passed"] and here["id"] in self._in_use:
                raise _mixed(claim)
        if kept := self.prover.kept(claim):
            self._put(claim, kept)

    def _put(self, claim: Claim, certificate: Certificate) -> None:
        """A certificate new to the folder; ``UserError`` if results of the claim there rest on another."""
        if self._measured_on.get(claim, set()) - {certificate["id"]}:
            raise _mixed(claim)
        certificates.write(self.path(claim), certificate)
        self.certificates[claim] = certificate

    @cached_property
    def _measured_on(self) -> dict[Claim, set[str]]:
        """The certificates that the folder's forks name, by claim: before this process measures any."""
        found: dict[Claim, set[str]] = defaultdict(set)
        for fork in results.forks(self.folder):
            found[fork.case.claim].add(fork.attributes["certificate"])
        return found

    @cached_property
    def _in_use(self) -> set[str]:
        """The certificates that anything in the folder rests on."""
        trained = [t.get("certificates", [t["certificate"]]) for t in results.trainings(self.folder)]
        return set().union(*self._measured_on.values(), *trained)

    def _proven(self, claim: Claim, certificate: Certificate) -> None:
        self._put(claim, certificate)
        self.notice(f"  {claim.network} in {claim.title}: {first_breach(certificate) or 'same'}")

    def take_over_slips(self, frameworks: Iterable[str]) -> None:
        """What 'check --mutants' found, where that still holds: the report shows it."""
        # Prints tables, which a machine with a framework alone cannot.
        from implementations import mutant_table

        for framework in frameworks:
            if record := mutant_table.kept(self.prover, framework):
                results.write_json(results.slips_path(self.folder, framework), record)


def _mixed(claim: Claim) -> UserError:
    """What is wrong with results of two builds in one folder: they make no one number."""
    return UserError(
        f"results of {claim.network} in {claim.title} rest on a proof that no longer holds",
        given="other code of this project, another build of the framework, or another processor or GPU",
        allowed="what the run in the folder was begun with",
        todo="choose another --output",
    )
