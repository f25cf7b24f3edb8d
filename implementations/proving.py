"""The parent's side of a proof: which certificates are needed, and the children that make them."""

import dataclasses
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from implementations import certificates, networks, provenance, sameness, weights
from implementations.cache import Cache
from implementations.certificates import Certificate, signed
from implementations.errors import UserError
from implementations.network import ADAPTERS, WRITERS, Settings
from implementations.processes import ChildFailedError, Launcher, available_cores
from implementations.sameness import PROBE_SEED

TIMEOUT_S = 600.0
SIDE_BY_SIDE = 2


@dataclass(frozen=True)
class Claim:
    """What one certificate is about: a network in a framework, or its export in ONNX Runtime."""

    framework: str
    network: str
    classes: int | None = None
    input_size: tuple[int, int] | None = None
    exporter: str | None = None

    @property
    def arguments(self) -> dict[str, Any]:
        return {"name": self.network, "classes": self.classes, "input_size": self.input_size}

    @property
    def title(self) -> str:
        """The framework, and for an export where it comes from."""
        return f"{self.framework} ({self.exporter})" if self.exporter else self.framework

    @property
    def slug(self) -> str:
        """The claim as part of a file's name."""
        source = f"-from-{self.exporter}" if self.exporter else ""
        return f"{self.network}-{self.framework}{source}"


def claims(
    names: Iterable[str], frameworks: Iterable[str], exporters: Collection[str], **size: Any
) -> list[Claim]:
    """All claims about ``names`` in ``frameworks``; about exports those of ``exporters`` only.

    A framework whose files another one writes makes no claim of its own: it would be the same file.
    """
    sources = [name for name in WRITERS if name in exporters]
    found = []
    for name in names:
        for framework in frameworks:
            if ADAPTERS[framework].trains:
                found.append(Claim(framework, name, **size))
            else:
                found += [Claim(framework, name, exporter=source, **size) for source in sources]
    return found


@dataclass(frozen=True)
class Prover:
    """Makes certificates in children."""

    launcher: Launcher
    cache: Cache
    device: str = "cpu"
    timeout: float = TIMEOUT_S
    thorough: bool = True  # level 3 of large networks too: a minute and gigabytes each
    reduced_precisions: tuple[str, ...] = ()  # to be proven at level 5 where they are offered
    _versions: dict[str, dict[str, str]] = field(default_factory=dict)

    def certificate(self, claim: Claim) -> Certificate:
        """The certificate of ``claim``, kept for later; a child that failed gives one that does not pass."""
        certificate = self._made(claim)
        if certificate.get("passed"):
            certificates.write(self._place(claim), certificate)
        return certificate

    def _made(self, claim: Claim) -> Certificate:
        try:
            if claim.exporter is None:
                effort = {"thorough": self.thorough, "reduced_precisions": self.reduced_precisions}
                return dict(self._ask(claim.framework, "certify:certify", claim, **effort))
            made = self.export(dataclasses.replace(claim, framework=claim.exporter), self.model(claim))
            export = {"exporter": claim.exporter, "model_path": str(self.model(claim)), "made": made}
            return dict(self._ask(claim.framework, "certify:certify_export", claim, **export))
        except ChildFailedError as failure:
            return _failed(claim, self.device, failure)

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
        settings = Settings(devices=(self.device,))
        wanted: dict[str, Any] = {
            "framework": claim.framework,
            "exporter": claim.exporter,
            "digest": networks.build(**claim.arguments).digest,
            "device": settings.device,
            "precision": settings.precision,
            "policy": settings.policy,
            "source": provenance.source(),
            "processor": provenance.cpu_model(),
        }
        if self.thorough:  # a thorough proof stands for a short one too
            wanted["thorough"] = True
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

    def export(self, claim: Claim, path: Path) -> dict[str, Any]:
        """Write the ONNX file of ``claim`` with the probe weights; who wrote it, and what that cost.

        Written by the framework itself, or by the one that its row in the table names.
        """
        writer = ADAPTERS[claim.framework].writer
        cost = self._ask(writer, "exports:export", claim, model_path=str(path))
        return {"written_by": writer, **cost}

    def weights(self, claim: Claim) -> Path:
        """The weight file that ``claim`` is proven and measured on."""
        return self.cache.probe_weights(networks.build(**claim.arguments), PROBE_SEED)

    def model(self, claim: Claim) -> Path:
        """Where the ONNX file that ``claim`` is about is; written anew by each proof."""
        return self.cache.model(networks.build(**claim.arguments), str(claim.exporter))

    def all(
        self, wanted: Sequence[Claim], done: Callable[[Claim, Certificate], None] = lambda c, d: None
    ) -> dict[Claim, Certificate]:
        """The certificates of ``wanted``: large networks alone on all cores, then the others side by side."""
        large = [claim for claim in wanted if _is_large(claim)]
        small = [claim for claim in wanted if not _is_large(claim)]
        found = self._side_by_side(large, 1, done)
        found |= self._side_by_side(small, min(SIDE_BY_SIDE, available_cores()), done)
        return {claim: found[claim] for claim in wanted}

    def _side_by_side(
        self, wanted: Sequence[Claim], workers: int, done: Callable[[Claim, Certificate], None]
    ) -> dict[Claim, Certificate]:
        """Certificates made by ``workers`` children at a time, which share the threads."""
        for claim in wanted:  # weights are made once, not by two children at a time
            self.weights(claim)
        threads = max(1, self.launcher.threads // workers)
        sharing = dataclasses.replace(self, launcher=dataclasses.replace(self.launcher, threads=threads))
        found = {}
        with ThreadPoolExecutor(workers) as pool:
            try:
                started = {pool.submit(sharing.certificate, claim): claim for claim in wanted}
                for future in as_completed(started):
                    found[started[future]] = future.result()
                    done(started[future], future.result())
            except BaseException:
                self.launcher.stop()
                pool.shutdown(cancel_futures=True)
                raise
        return found

    def table(self, framework: str, task: str) -> list[dict[str, Any]]:
        """The rows that ``task`` ("module:function") of a child with ``framework`` returns."""
        request = {"name": framework, "device": self.device}
        return list(self.launcher.ask(framework, task, request, self.timeout))

    def _ask(self, framework: str, task: str, claim: Claim, **arguments: Any) -> Any:
        request = {"network": claim.arguments, "weights_path": str(self.weights(claim)), **arguments}
        if task.startswith("certify"):
            request |= {"name": framework, "device": self.device}
        return self.launcher.ask(framework, f"implementations.{task}", request, self.timeout)


def _is_large(claim: Claim) -> bool:
    """Whether a proof needs the machine for itself: full-size VGG16 in float64 peaks at 11 GiB."""
    return sameness.is_large(networks.build(**claim.arguments))


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
