"""The parent's side of a proof: the children that make certificates, and those that still hold."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from implementations import certificates, networks, provenance, weights
from implementations.cache import Cache
from implementations.certificates import Certificate, signed
from implementations.claims import Claim, grouped, is_large, needed_bytes
from implementations.commandline import Notice
from implementations.errors import UserError
from implementations.memory import available_bytes
from implementations.network import TrainingProofs, known
from implementations.packing import Packing, Piece
from implementations.processes import ChildFailedError, Launcher, available_cores
from implementations.sameness import PROBE_SEED

TIMEOUT_S = 600.0
TABLE_TIMEOUT_S = 3600.0  # dozens of small proofs in one child: XLA compiles each
SIDE_BY_SIDE = 2
# Proofs take and give back gigabytes in large pieces. A process that keeps them, in huge pages, spends
# a quarter of the time in the kernel. It holds a fifth more at most, so the largest give theirs back.
# Other C libraries ignore it.
KEPT_MEMORY = {"mmap_max": 0, "trim_threshold": 2**35, "hugetlb": 1}
ALLOCATOR = {"GLIBC_TUNABLES": ":".join(f"glibc.malloc.{key}={value}" for key, value in KEPT_MEMORY.items())}
KEPT_UP_TO_BYTES = 16 * 2**30
LEAST_ROOM_BYTES = 8 * 2**30  # taken for granted, also where nothing is said of the memory
T = TypeVar("T")


@dataclass(frozen=True)
class Prover:
    """Makes certificates in children."""

    launcher: Launcher
    cache: Cache
    device: str = "cpu"
    timeout: float = TIMEOUT_S
    training: TrainingProofs = "all"  # level 3 of a large network takes a minute and gigabytes
    reduced_precisions: tuple[str, ...] = ()  # to be proven at level 5 where they are offered
    trained: set[Claim] = field(default_factory=set)  # whose training is timed: level 3, however large
    _versions: dict[str, dict[str, str]] = field(default_factory=dict)

    def certificate(self, claim: Claim) -> Certificate:
        """The certificate of ``claim``, kept for later; a child that failed gives one that does not pass."""
        (certificate,) = self.certificates([claim])
        return certificate

    def certificates(self, group: Sequence[Claim]) -> list[Certificate]:
        """Those of claims that differ in their network alone, made in one child."""
        try:
            made = self._exported(group) if group[0].exporter else self._proven(group)
        except ChildFailedError as failure:
            if len(group) > 1:  # a crash costs its own claim only
                return [self.certificate(claim) for claim in group]
            return [_failed(group[0], self.device, failure)]
        for claim, certificate in zip(group, made, strict=True):
            if certificate["passed"]:
                certificates.write(self._place(claim), certificate)
        return made

    def _proven(self, group: Sequence[Claim]) -> list[Certificate]:
        framework = group[0].framework
        calls = [{**self._about(claim), "training": self._trains(claim)} for claim in group]
        about = {"name": framework, "device": self.device, "policy": group[0].policy}
        shared = {**about, "reduced_precisions": self.reduced_precisions}
        return self._ask(framework, "certify:certify", group, calls, shared)

    def _trains(self, claim: Claim) -> bool:
        """Whether level 3 is part of the claim's proof."""
        if claim in self.trained:
            return True
        return self.training == "all" or (self.training == "small" and not is_large(claim))

    def _exported(self, group: Sequence[Claim]) -> list[Certificate]:
        framework, exporter = group[0].framework, str(group[0].exporter)
        files = [{**self._about(claim), "model_path": str(self.model(claim))} for claim in group]
        written = self._export(exporter, group, files)
        calls = [{**file, "made": made} for file, made in zip(files, written, strict=True)]
        about = {"name": framework, "device": self.device, "policy": group[0].policy}
        shared = {**about, "exporter": exporter}
        return self._ask(framework, "certify:certify_export", group, calls, shared)

    def _about(self, claim: Claim) -> dict[str, Any]:
        return {"network": claim.arguments, "weights_path": str(self.weights(claim))}

    def _ask(
        self,
        framework: str,
        task: str,
        group: Sequence[Claim],
        calls: Sequence[Mapping[str, Any]],
        shared: Mapping[str, Any] = MappingProxyType({}),
    ) -> list[dict[str, Any]]:
        """What one child answers to ``calls``, one for each of ``group``, with the arguments ``shared``."""
        request = {"calls": calls, **shared}
        timeout = self.timeout * len(calls)
        launcher = self._launcher(max(map(self._needed_bytes, group)))
        return list(launcher.ask(framework, f"implementations.{task}", request, timeout))

    def _launcher(self, needed: int = 0) -> Launcher:
        """Starts children that prove, with ``needed`` bytes; what is timed has the system's allocator."""
        environment = ALLOCATOR if needed <= KEPT_UP_TO_BYTES else {}
        return dataclasses.replace(self.launcher, environment=environment)

    def kept(self, claim: Claim) -> Certificate | None:
        """The certificate that was made last, if it still holds."""
        try:
            certificate = certificates.read(self._place(claim))
        except UserError:  # absent or damaged: then it is made
            return None
        return certificate if self.holds(claim, certificate) else None

    def holds(self, claim: Claim, certificate: Certificate) -> bool:
        """Whether all that a proof of ``claim`` rests on is as it was when ``certificate`` was made.

        Network and weights, this project's code, the framework's build, device and processor; for an
        export also the file and the build that wrote it.
        """
        wanted: dict[str, Any] = {
            "framework": claim.framework,
            "exporter": claim.exporter,
            "digest": networks.build(**claim.arguments).digest,
            "policy": claim.policy,
            **self.surroundings(),
        }
        if claim.exporter is None and self._trains(claim):  # a longer proof stands for a shorter one too
            wanted["training"] = True
        asked = self.reduced_precisions if claim.exporter is None else ()
        if not certificates.holds(certificate, wanted, asked):
            return False
        files = {"weights_sha256": self.weights(claim)}
        builds = {claim.framework: certificate["versions"]}
        if claim.exporter is not None:
            made = certificate["export"]
            files["model_sha256"] = self.model(claim)
            builds[made["written_by"]] = made["writer_versions"]
        same = all(path.exists() and weights.sha256(path) == certificate[f] for f, path in files.items())
        return same and all(self.versions(name) == versions for name, versions in builds.items())

    def surroundings(self) -> dict[str, Any]:
        """What everything that is proven here rests on, whatever the framework."""
        return {
            "device": self.device,
            "source": provenance.source(),
            "processor": provenance.cpu_model(),
            "gpu": provenance.gpu(self.device),
            "kernels": provenance.kernels(),
        }

    def versions(self, framework: str) -> dict[str, str]:
        """What a child with ``framework`` says of its build; nothing if it cannot be started."""
        if framework not in self._versions:
            try:
                found = self.launcher.ask(framework, "implementations.child:versions", {}, self.timeout)
            except ChildFailedError:
                found = {}
            self._versions[framework] = found
        return self._versions[framework]

    def _place(self, claim: Claim) -> Path:
        return self.cache.certificate(networks.build(**claim.arguments), claim.slug, self.device)

    def export(self, claim: Claim, path: Path, weights_path: Path | None = None) -> dict[str, Any]:
        """Write the ONNX file of ``claim``; who wrote it, and what that cost.

        With the weights in ``weights_path`` (ours), or with the probe weights. Written by the framework
        itself, or by the one that its row in the table names.
        """
        about = {"network": claim.arguments, "weights_path": str(weights_path or self.weights(claim))}
        (written,) = self._export(claim.framework, [claim], [{**about, "model_path": str(path)}])
        return written

    def _export(
        self, framework: str, group: Sequence[Claim], calls: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        adapter = known(framework)
        writer = framework if adapter.writer == adapter.name else adapter.writer
        costs = self._ask(writer, "exports:export", group, calls)
        return [{"written_by": writer, **cost} for cost in costs]

    def weights(self, claim: Claim) -> Path:
        """The weight file that ``claim`` is proven and measured on."""
        return self.cache.probe_weights(networks.build(**claim.arguments), PROBE_SEED)

    def model(self, claim: Claim) -> Path:
        """Where the ONNX file that ``claim`` is about is; written anew by each proof."""
        return self.cache.model(networks.build(**claim.arguments), str(claim.exporter))

    def all(
        self, wanted: Sequence[Claim], done: Callable[[Claim, Certificate], None] = lambda c, d: None
    ) -> dict[Claim, Certificate]:
        """The certificates of ``wanted``, side by side as far as memory goes: large networks first."""
        large = [[claim] for claim in wanted if self._stands_alone(claim)]
        small = grouped([claim for claim in wanted if not self._stands_alone(claim)])
        pieces = [Piece(group, max(map(self._needed_bytes, group))) for group in (*large, *small)]
        workers = min(SIDE_BY_SIDE, available_cores())
        packing = Packing(pieces, max(available_bytes(), LEAST_ROOM_BYTES))
        found: dict[Claim, Certificate] = {}
        with ThreadPoolExecutor(workers) as pool:
            try:
                working = [pool.submit(self._work_off, packing, workers, found, done) for _ in range(workers)]
                for worker in as_completed(working):
                    worker.result()
            except BaseException:
                packing.stop()
                self.launcher.stop()
                raise
        return {claim: found[claim] for claim in wanted}

    def _stands_alone(self, claim: Claim) -> bool:
        """Whether ``claim`` has a child for itself, which keeps its memory to its end."""
        return is_large(claim) or self._needed_bytes(claim) > LEAST_ROOM_BYTES

    def _needed_bytes(self, claim: Claim) -> int:
        return needed_bytes(claim, training=self._trains(claim))

    def _work_off(
        self,
        packing: Packing[list[Claim]],
        workers: int,
        found: dict[Claim, Certificate],
        done: Callable[[Claim, Certificate], None],
    ) -> None:
        """One worker: fills ``found``, a child after the other; those side by side share the threads."""
        while taken := packing.take():
            piece, alone = taken
            threads = self.launcher.threads if alone else max(1, self.launcher.threads // workers)
            sharing = dataclasses.replace(self, launcher=dataclasses.replace(self.launcher, threads=threads))
            try:
                with packing.lock:  # weights are made once, not by two children at a time
                    for claim in piece.work:
                        self.weights(claim)
                made = sharing.certificates(piece.work)
            finally:
                packing.give_back(piece)
            if packing.stopped:  # the child was killed: that is no finding about its claims
                return
            for claim, certificate in zip(piece.work, made, strict=True):
                found[claim] = certificate
                done(claim, certificate)

    def table(self, framework: str, task: str) -> list[dict[str, Any]]:
        """The rows that ``task`` ("module:function") of a child with ``framework`` returns."""
        request = {"name": framework, "device": self.device}
        return list(self._launcher().ask(framework, task, request, TABLE_TIMEOUT_S))


def in_each(frameworks: Iterable[str], make: Callable[[str], T], notice: Notice) -> dict[str, T]:
    """What ``make`` gives for every framework, but for one whose child fails: ``notice`` hears why."""
    found = {}
    for framework in frameworks:
        try:
            found[framework] = make(framework)
        except ChildFailedError as failure:
            notice(str(failure))
    return found


def _failed(claim: Claim, device: str, failure: ChildFailedError) -> Certificate:
    """A certificate that certifies nothing, with the reason."""
    network = networks.build(**claim.arguments)
    return signed(
        {
            "framework": claim.framework,
            "exporter": claim.exporter,
            "network": claim.network,
            "digest": network.digest,
            "device": device,
            "passed": False,
            "findings": [],
            "failure": str(failure),
        }
    )
