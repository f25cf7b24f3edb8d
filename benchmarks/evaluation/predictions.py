"""How good given weights are on given pictures in every framework, and whether all predict the same.

The parent's side: pictures, weights and proofs; ``predict`` is the child's. Every framework is proven to
compute the network before its predictions count.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data.images import ImageSet
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.evaluation import scores
from implementations import claims, networks
from implementations.certificates import Certificate, at_level, first_breach
from implementations.claims import Claim
from implementations.commandline import Notice
from implementations.errors import UserError
from implementations.processes import ChildFailedError
from implementations.proving import Prover
from implementations.sameness import TIMED

TIMEOUT_S = 24 * 3600.0  # 50,000 pictures through VGG16 on two cores


@dataclass(frozen=True)
class Subject:
    """What is evaluated: a network with weights (a file of ours) on the test pictures of a set."""

    network: Mapping[str, Any]  # arguments of ``networks.build``
    weights: Path
    data: ImageSet
    preprocessing: Preprocessing

    def __post_init__(self) -> None:
        network = networks.build(**self.network)
        classes = max(2, network.classes)  # one sigmoid unit tells two apart
        if len(self.data.classes) != classes:
            raise UserError(
                f"{network.name} does not have the pictures' classes",
                given=f"{len(self.data.classes)} classes of pictures ({self.data.title})",
                allowed=str(classes),
                todo="name another folder, or the network's size with --classes",
            )


@dataclass(frozen=True)
class Row:
    """What one framework made of the pictures in one precision; shares from 0 to 1."""

    title: str
    precision: str
    versions: Mapping[str, str]
    certificate: str
    seconds: float
    top1: float
    top5: float | None  # none where there are no more than five classes
    loss: float | None
    agreement: float  # the share of pictures for which it names the same class as the first row


@dataclass(frozen=True)
class Lost:
    """A framework without predictions, and why."""

    title: str
    precision: str
    reason: str


@dataclass(frozen=True)
class Evaluator:
    """Evaluates one subject; ``notice`` hears how it goes."""

    prover: Prover
    subject: Subject
    notice: Notice

    def run(self, frameworks: Sequence[str], precisions: Sequence[str]) -> tuple[list[Row], list[Lost]]:
        """A row for every framework and export that is proven, in each precision, and what was lost."""
        rows: list[Row] = []
        lost: list[Lost] = []
        first: NDArray[np.int64] | None = None
        for claim, certificate in self._proven(frameworks).items():
            for precision in precisions:
                try:
                    answer, logits = self._predicted(claim, certificate, precision)
                except (ChildFailedError, UserError, NotTheSameError) as failure:
                    lost.append(Lost(claim.title, precision, str(failure)))
                    self.notice(f"  {claim.title}, {precision}: {failure}")
                    continue
                found = scores.predicted(self._rule, logits)
                first = found if first is None else first
                agreement = float((found == first).mean())
                rows.append(self._row(claim.title, precision, certificate, answer, logits, agreement))
                self.notice(f"  {claim.title}, {precision}: top-1 {rows[-1].top1:.2%}")
        return rows, lost

    @property
    def _rule(self) -> Any:
        return networks.build(**self.subject.network).loss

    def _proven(self, frameworks: Sequence[str]) -> dict[Claim, Certificate]:
        """Every claim about the network, with the certificate that was kept or is made now."""
        name, size = self.subject.network["name"], dict(self.subject.network)
        del size["name"]
        wanted = claims.claims([name], frameworks, exporters=frameworks, **size)
        kept = {claim: self.prover.kept(claim) for claim in wanted}
        missing = [claim for claim, certificate in kept.items() if certificate is None]
        self.notice(f"proving sameness: {len(missing)} claims; {len(wanted) - len(missing)} still hold")
        made = self.prover.all(missing)
        return {claim: certificate or made[claim] for claim, certificate in kept.items()}

    def _predicted(
        self, claim: Claim, certificate: Certificate, precision: str
    ) -> tuple[dict[str, Any], NDArray[np.float64]]:
        if not certificate["passed"]:
            raise NotTheSameError(first_breach(certificate))
        if precision != TIMED and not at_level(certificate, 5, precision):
            raise NotTheSameError(f"{precision} is not offered, or could not be proven")
        with tempfile.TemporaryDirectory(prefix="evaluate-") as folder, self._source(claim) as source:
            target = Path(folder, "logits.npy")
            request = {
                "name": claim.framework,
                "device": self.prover.device,
                "network": dict(self.subject.network),
                "source": str(source),
                "data_path": str(self.subject.data.folder),
                "preprocessing": asdict(self.subject.preprocessing),
                "precision": precision,
                "target": str(target),
            }
            task = "benchmarks.evaluation.predict:predict"
            answer = self.prover.launcher.ask(claim.framework, task, request, TIMEOUT_S)
            return answer, np.load(target, allow_pickle=False).astype(np.float64)

    @contextlib.contextmanager
    def _source(self, claim: Claim) -> Iterator[Path]:
        """The file that the framework reads: the weights, or the network exported with them."""
        if claim.exporter is None:
            yield self.subject.weights
            return
        with tempfile.TemporaryDirectory(prefix="export-") as folder:
            path = Path(folder, "model.onnx")
            size = {key: self.subject.network[key] for key in ("classes", "input_size")}
            self.prover.export(Claim(claim.exporter, claim.network, **size), path, self.subject.weights)
            yield path

    def _row(
        self,
        title: str,
        precision: str,
        certificate: Certificate,
        answer: Mapping[str, Any],
        logits: NDArray[np.float64],
        agreement: float,
    ) -> Row:
        labels = np.asarray(self.subject.data.test.labels)
        found = scores.report(self._rule, logits, labels, len(self.subject.data.classes))
        return Row(
            title=title,
            precision=precision,
            versions=answer["versions"],
            certificate=certificate["id"],
            seconds=answer["seconds"],
            top1=found["accuracy"],
            top5=found["top5"],
            loss=found["loss"],
            agreement=agreement,
        )


class NotTheSameError(Exception):
    """A network that was not proven: it has no accuracy here."""


def as_data(subject: Subject, rows: Sequence[Row], lost: Sequence[Lost]) -> dict[str, Any]:
    """All of an evaluation, as it is written to a file."""
    return {
        "network": dict(subject.network),
        "digest": networks.build(**subject.network).digest,
        "data": {
            "title": subject.data.title,
            "images": len(subject.data.test),
            "sha256": subject.data.sha256,
        },
        "preprocessing": asdict(subject.preprocessing),
        "rows": [asdict(row) for row in rows],
        "lost": [asdict(each) for each in lost],
    }
