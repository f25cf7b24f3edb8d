"""Certificates as rows of the sameness table. Nothing about HTML."""

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import refused
from implementations import bounds, certificates, networks, sameness
from implementations.certificates import Certificate
from implementations.check import COLUMNS
from implementations.claims import titled
from implementations.errors import UserError
from implementations.network import Settings, place
from implementations.policies import EQUAL
from implementations.spec import Network


@dataclass(frozen=True)
class Cell:
    """One level in one precision: the largest difference, and the bound of the tensor that has it."""

    largest: float  # max|a-b| / max|reference|; 0 where counts are compared
    bound: float | None  # None: the network's specification is not at hand, so its bound is unknown
    where: str  # path of that tensor; empty for counts
    compared: int  # tensors
    counts: bool  # equal or not, no difference to show
    passed: bool


@dataclass(frozen=True)
class Comparison:
    """One finding of a certificate: a level in one precision and mode."""

    level: str  # number and title
    precision: str
    mode: str
    cell: Cell


@dataclass(frozen=True)
class Export:
    """What a framework's ONNX file is made of, and what writing it took."""

    written_by: str
    megabytes: float
    nodes: int
    operators: Mapping[str, int]
    seconds: float
    peak_gib: float  # of the whole process that wrote it


@dataclass(frozen=True)
class Proof:
    """One claim: a network in a framework (or an export of it) computes what the specification says."""

    network: str
    framework: str
    exporter: str | None
    policy: str
    parameters: int | None
    versions: Mapping[str, str]
    digest: str
    passed: bool
    identity: str
    cells: tuple[Cell | None, ...]  # in the order of ``COLUMNS``; None: not compared
    comparisons: tuple[Comparison, ...]  # all that the cells sum up
    breach: str  # one line naming the first differing layer; empty if the proof holds
    export: Export | None  # None: no exported file, or a certificate from before it was recorded
    specification: Network | None  # None: this checkout has no network of that digest

    @property
    def title(self) -> str:
        return titled(self.framework, self.exporter, self.policy)

    @property
    def compared(self) -> int:
        """Tensors and facts that were compared."""
        return sum(comparison.cell.compared for comparison in self.comparisons)


def read(folder: Path) -> tuple[Proof, ...]:
    """All claims of a run: by network, then in the order of the table of adapters."""
    found = [_read_one(path) for path in sorted((folder / "certificates").glob("*.json"))]
    return tuple(
        sorted(
            found,
            key=lambda proof: (
                proof.network,
                place(proof.framework),
                place(proof.exporter or ""),
                proof.policy != EQUAL,
            ),
        )
    )


def _read_one(path: Path) -> Proof:
    certificate = certificates.read(path)
    try:
        return _proof(certificate)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        wrong = f"the certificate lacks something ({type(error).__name__}: {error})"
        raise refused(path, wrong) from None


def _proof(certificate: Certificate) -> Proof:
    return Proof(
        network=str(certificate["network"]),
        framework=str(certificate["framework"]),
        exporter=certificate["exporter"],
        policy=str(certificate.get("policy", EQUAL)),
        parameters=certificate.get("parameters"),
        versions=dict(certificate.get("versions", {})),
        digest=str(certificate["digest"]),
        passed=certificate["passed"] is True,
        identity=str(certificate["id"]),
        cells=tuple(_cell(certificate, level, precision) for _, level, precision in COLUMNS),
        comparisons=tuple(_comparison(certificate, finding) for finding in certificate["findings"]),
        breach=certificates.first_breach(certificate),
        export=_export(certificate.get("export")),
        specification=_specification(certificate) if "input_shape" in certificate else None,
    )


def _export(made: Mapping[str, Any] | None) -> Export | None:
    if not made:
        return None
    return Export(
        written_by=str(made["written_by"]),
        megabytes=float(made["file_bytes"]) / 1e6,
        nodes=int(made["nodes"]),
        operators=dict(made["operators"]),
        seconds=float(made["seconds"]),
        peak_gib=float(made["peak_bytes"]) / 2**30,
    )


def _cell(certificate: Certificate, level: int, precision: str | None) -> Cell | None:
    found = certificates.at_level(certificate, level, precision)
    if not found:
        return None
    worst = max(found, key=lambda finding: float(finding["largest"]))
    failed = next((finding for finding in found if not finding["passed"]), None)
    compared = sum(int(finding["compared"]) for finding in found)
    return dataclasses.replace(_single(certificate, failed or worst), compared=compared)


def _comparison(certificate: Certificate, finding: Mapping[str, Any]) -> Comparison:
    level = int(finding["level"])
    title = f"{level} {sameness.LEVELS.get(level, '')}"
    return Comparison(title, finding["precision"], finding["mode"], _single(certificate, finding))


def _single(certificate: Certificate, finding: Mapping[str, Any]) -> Cell:
    return Cell(
        largest=float(finding["largest"]),
        bound=_bound(certificate, finding),
        where=str(finding["where"]),
        compared=int(finding["compared"]),
        counts=finding["level"] == 0,
        passed=finding["passed"] is True,
    )


def _bound(certificate: Certificate, finding: Mapping[str, Any]) -> float | None:
    """The bound that held for the tensor with the largest difference: it depends on the layer."""
    if finding["breach"]:
        return float(finding["breach"]["bound"])
    level, precision = finding["level"], finding["precision"]
    if level == 4:
        return bounds.BOUNDS[4, precision]
    if level == 5:
        return bounds.reduced(precision)[1]
    network = _specification(certificate)
    if level == 0 or network is None:
        return None
    settings = Settings(devices=(certificate["device"],), precision=precision)
    known = bounds.known_differences(certificate["framework"])
    if level == 1:
        replayed = finding["mode"] == "training" and network.has_batch_norm
        return bounds.values(network, settings, known, replayed=replayed)(finding["where"])
    if level == 3:
        return _training_bound(network, finding["mode"], known)
    return bounds.gradients(network, settings, known)(finding["where"])


def _training_bound(network: Network, mode: str, known: bounds.Known) -> float | None:
    """Of an optimizer's steps or of running statistics; dropout and initial values have no distance."""
    if mode in ("dropout", "initial"):
        return None
    return bounds.statistics(known) if mode == "statistics" else bounds.training(network, mode, known)


def _specification(certificate: Certificate) -> Network | None:
    """The certificate's network, if this checkout still defines the same one."""
    height, width = certificate["input_shape"][1:]
    network = _built(certificate["network"], certificate["classes"], (height, width))
    return network if network is not None and network.digest == certificate["digest"] else None


@functools.cache
def _built(name: str, classes: int, input_size: tuple[int, int]) -> Network | None:
    try:
        return networks.build(name, classes=classes, input_size=input_size)
    except UserError:  # a network that a newer or older checkout has
        return None


def proven(proofs: Iterable[Proof]) -> set[str]:
    """Ids of the certificates that hold."""
    return {proof.identity for proof in proofs if proof.passed}
