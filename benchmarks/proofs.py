"""A run's proofs: made, or taken over where all that they rest on is as it was."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
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
            self._require_unused(here, claim)
        if kept := self.prover.kept(claim):
            certificates.write(path, kept)
            self.certificates[claim] = kept

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
        certificates.write(self.path(claim), certificate)
        self.certificates[claim] = certificate
        self.notice(f"  {claim.network} in {claim.title}: {first_breach(certificate) or 'same'}")

    def take_over_slips(self, frameworks: Iterable[str]) -> None:
        """What 'check --mutants' found, where that still holds: the report shows it."""
        from implementations import (
            mutant_table,  # prints tables, which a machine with a framework alone cannot
        )

        for framework in frameworks:
            if record := mutant_table.kept(self.prover, framework):
                results.write_json(results.slips_path(self.folder, framework), record)
