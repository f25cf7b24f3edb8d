"""Run folders made up here, with numbers that a test can compute by itself."""

import dataclasses
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks import intervals, plan, results
from benchmarks.plan import Case
from implementations import certificates, networks
from reports import page, queries
from reports.details import Details
from reports.queries import File, Group, Report

HOSTILE = "<script>alert(1)</script>"
HOSTILE_NAME = "<img src=x onerror=alert(1)>"  # part of a file's name: no slash
VERSIONS = {
    "pytorch": {"torch": "2.13.0+cpu"},
    "keras-tensorflow": {"keras": "3.15.1", "tensorflow": "2.21.0"},
    "paddle": {"paddle": "3.3.1"},
    "onnxruntime": {"onnxruntime": "1.31.1"},
}
MACHINE = {
    "cpu": "Test CPU @ 2.00GHz",
    "cores": 4,
    "memory_gib": 15.5,
    "architecture": "x86_64",
    "system": "Linux 6.1",
    "python": "3.11.7",
}
BREACH = {"path": "conv2", "difference": 0.034, "bound": 1e-12, "expected": "1.5 at (0, 1)", "got": "1.45"}


def finding(
    level: int, precision: str, mode: str, largest: float, where: str, **changes: Any
) -> dict[str, Any]:
    content = {"level": level, "precision": precision, "mode": mode, "compared": 12, "largest": largest}
    return {**content, "where": where, "breach": None, "passed": True, **changes}


def findings(head: str) -> list[dict[str, Any]]:
    return [
        finding(0, "float64", "training", 0.0, ""),
        finding(0, "float32", "training", 0.0, ""),
        finding(1, "float64", "training", 3e-15, head),
        finding(1, "float64", "inference", 2e-15, head),
        finding(1, "float32", "training", 1.5e-6, head),
        finding(2, "float64", "training", 4e-15, f"{head}.weight"),
        finding(2, "float32", "training", 2.5e-6, f"{head}.weight"),
        finding(3, "float64", "SGD", 5e-14, f"{head}.weight"),
    ]


def exported() -> list[dict[str, Any]]:
    return [finding(4, "float32", "file", 0.0, ""), finding(4, "float32", "timed", 4e-7, "logits")]


@dataclass
class Folder:
    """A run folder; every method adds one file to it."""

    path: Path

    def describe(self, **changes: Any) -> "Folder":
        about = {
            "schema_version": 1,
            "preset": "quick",
            "device": "cpu",
            "threads": 4,
            "machine": MACHINE,
            "commit": {"id": "0123456789abcdef", "dirty": True},
            "started": "2026-01-02T03:04:05+00:00",
        }
        results.write_json(self.path / "run.json", {**about, **changes})
        return self

    def certificate(self, network: str, framework: str, exporter: str | None = None, **changes: Any) -> str:
        """The id of a new certificate, of a proof that holds unless ``changes`` say otherwise."""
        built = networks.build(network)
        content = {
            "schema_version": 1,
            "framework": framework,
            "exporter": exporter,
            "versions": VERSIONS.get(framework, {framework: "1.0"}),
            "network": network,
            "classes": built.classes,
            "input_shape": list(built.input_shape),
            "parameters": sum(p.size for p in built.parameters),
            "digest": built.digest,
            "device": "cpu",
            "passed": True,
            "findings": exported() if exporter else findings(built.heads[0].path),
        }
        signed = certificates.signed({**content, **changes})
        source = f"-from-{exporter}" if exporter else ""
        policy = f"-{changes['policy']}" if changes.get("policy", "equal") != "equal" else ""
        path = self.path / "certificates" / f"{network}-{framework}{source}{policy}.json"
        certificates.write(path, signed)
        return str(signed["id"])

    def crashed(self, network: str, framework: str, failure: str) -> None:
        """A certificate of a child that ended before it could compare anything."""
        content = {"framework": framework, "exporter": None, "network": network, "device": "cpu"}
        content |= {
            "digest": networks.build(network).digest,
            "passed": False,
            "findings": [],
            "failure": failure,
        }
        path = self.path / "certificates" / f"{network}-{framework}.json"
        certificates.write(path, certificates.signed(content))

    def forks(self, case: Case, certificate: str, rates: list[float], **changes: Any) -> None:
        """A fork for each of ``rates`` (images per second), whose blocks vary around it."""
        for number, rate in enumerate(rates, start=1):
            self.fork(case, certificate, number, rate, **changes)

    def fork(self, case: Case, certificate: str, number: int, rate: float, **changes: Any) -> None:
        steps = 5
        seconds = [steps * case.batch / (rate * factor) for factor in (0.9, 1.0, 1.2)]
        key = {
            **plan.as_data(case),
            "digest": networks.build(case.network).digest,
            "provider": "cpu",
            "device_model": MACHINE["cpu"],
            "machine": "abcdef012345",
            "precision": "float32",
            "threads": 4,
            "method_version": 1,
        }
        versions = changes.pop("versions", VERSIONS.get(case.framework, {case.framework: "1.0"}))
        fields = {
            "schema_version": 1,
            "key": {**key, **changes.pop("key", {})},
            "attributes": {
                "versions": versions,
                "certificate": certificate,
                "fork": number,
                "seed": number,
                "switches": {"threads": "4"},
            },
            "classes": 10,
            "input_shape": [1, 28, 28],
            "parameters": 101770,
            "steps_per_block": steps,
            "phases_s": {"import": 1.0 * number, "build": 0.25, "first_call": 0.125, "warmup": 1.5},
            "steady": number != 2,
            "loss": None,
            "canary_difference": 0.0,
            "canary_bound": 1e-5,
            "peak_rss_bytes": (100 + number) * 2**20,
            "peak_device_bytes": None,
            **changes,
        }
        content = {
            "machine_info": {},
            "commit_info": {},
            "datetime": "2026-01-02T03:04:05",
            "version": "5.2.3",
            "benchmarks": [{"stats": {"data": seconds}, "extra_info": fields}],
        }
        results.write_json(results.fork_path(self.path, case, number), content)

    def failure(self, case: Case, number: int, reason: str) -> None:
        content = {"schema_version": 1, **plan.as_data(case), "fork": number, "reason": reason}
        content |= {"last_lines": "", "date": "2026-01-02T03:04:05+00:00"}
        results.write_json(
            results.failure_path(self.path, results.fork_path(self.path, case, number)), content
        )

    def training(self, framework: str, certificate: str, accuracies: list[float], **changes: Any) -> None:
        """A training whose test accuracies are ``accuracies``, the first before any step."""
        epochs = [
            {"epoch": n, "train_loss": 0.9 / n, "test_loss": 1 / n, "test_accuracy": a, "seconds": 2.0 * n}
            for n, a in enumerate(accuracies[1:], start=1)
        ]
        content = {
            "schema_version": 1,
            "recipe": "mlp",
            "framework": framework,
            "versions": VERSIONS[framework],
            "network": "mlp",
            "digest": networks.build("mlp").digest,
            "certificate": certificate,
            "data": {
                "name": "digits",
                "title": "handwritten digits of scikit-learn",
                "train_images": 1437,
                "test_images": 360,
                "sha256": "ab" * 32,
            },
            "optimizer": "Adam(learning_rate=0.001)",
            "batch": 32,
            "seed": 0,
            "steps_per_epoch": 44,
            "initial": {"test_loss": 2.3, "test_accuracy": accuracies[0]},
            "epochs": epochs,
        }
        results.write_json(self.path / "training" / f"mlp-{framework}.json", {**content, **changes})

    def learned(
        self, framework: str, certificate: str, seed: int, accuracies: list[float], **changes: Any
    ) -> None:
        """A training as schema 3 has it, with two heads; validation accuracies of the first are given."""
        heads = lambda a: {"main": {"loss": 1 - a, "accuracy": a}, "aux": {"loss": 2 - a, "accuracy": a / 2}}  # noqa: E731
        epochs = [
            {
                "epoch": n,
                "stage": "",
                "seconds": 2.0,
                "elapsed_s": 3.0 * n,
                "waited_s": 0.5,
                "images_per_second": 700.0,
                "learning_rate": 0.1 / n,
                "train_loss": 0.9 / n,
                "train": heads(min(1.0, a + 0.01)),
                "validation": heads(a),
            }
            for n, a in enumerate(accuracies[1:], start=1)
        ]
        samples = [{"index": 7, "label": 0, "predicted": 1, "probability": 0.98}]
        content = {
            "schema_version": 3,
            "recipe": "googlenet-cifar",
            "scale": "small",
            "framework": framework,
            "versions": VERSIONS[framework],
            "network": "mlp",
            "digest": networks.build("mlp").digest,
            "certificate": certificate,
            "data": {
                "name": "pets",
                "title": "cats and dogs",
                "classes": ["cat", "dog"],
                "train_images": 2000,
                "validation_images": 1000,
                "test_images": 1000,
                "sha256": "cd" * 32,
            },
            "optimizer": {"kind": "sgd", "momentum": 0.9},
            "schedule": {"kind": "step", "every": 8, "factor": 0.96},
            "batch": 20,
            "seed": seed,
            "steps_per_epoch": 100,
            "deterministic": True,
            "initial": {"validation": heads(accuracies[0])},
            "epochs": epochs,
            "target": {"accuracy": 0.9, "part": "validation", "reached_epoch": 2, "seconds": 6.0},
            "test": {
                "loss": 0.2,
                "accuracy": accuracies[-1],
                "top5": None,
                "confusion": [[480, 20], [30, 470]],
                "samples": samples,
            },
        }
        path = self.path / "training" / f"googlenet-cifar-{framework}-seed{seed}.json"
        results.write_json(path, {**content, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A run folder with nothing but its description."""
    return Folder(tmp_path / "run").describe()


@pytest.fixture
def full(folder: Folder) -> Folder:
    """A run with two groups, an export, trainings, and one fork that failed."""
    return fill(folder)


def fill(folder: Folder, hostile: str = "") -> Folder:
    case = Case("mlp", "training", 32, "pytorch")
    proof = {name: folder.certificate("mlp", name) for name in ("pytorch", "keras-tensorflow", "paddle")}
    export = folder.certificate("mlp", "onnxruntime", "pytorch", versions={"onnxruntime": f"1.31.1{hostile}"})
    folder.forks(case, proof["pytorch"], [200.0, 210.0, 190.0])
    folder.forks(Case("mlp", "training", 32, "paddle"), proof["paddle"], [100.0, 105.0, 95.0])
    folder.forks(Case("mlp", "inference", 32, "pytorch"), proof["pytorch"], [500.0, 510.0, 490.0])
    folder.forks(Case("mlp", "inference", 32, "onnxruntime", "pytorch"), export, [505.0, 500.0, 496.0])
    folder.failure(case, 4, f"no result within 180 s {hostile}")
    data = {"name": "digits", "title": f"digits {hostile}", "train_images": 1437, "test_images": 360}
    for number, name in enumerate(proof):
        accuracies = [0.1, 0.8 + number / 100, 0.9 + number / 1000]
        folder.training(name, proof[name], accuracies, data={**data, "sha256": "ab" * 32})
    if hostile:
        evil = folder.certificate("mlp", HOSTILE_NAME)
        case = Case("mlp", "training", 32, HOSTILE_NAME)
        folder.forks(case, evil, [50.0], versions={hostile: hostile})
    return folder


def enrich(folder: Folder) -> Folder:
    """A run with something for every view."""
    fill(folder)
    results.write_json(
        results.ceiling_path(folder.path, "pytorch"),
        {"schema_version": 2, "flop_per_s": {"float32": 1e12, "bfloat16": 4e12}, "copied_bytes_per_s": 1e10},
    )
    watched = {"seconds": 2.0, "energy_j": {"package-0": 60.0}, "disturbances": []}
    more = {"latencies_s": [0.01 + n / 1e4 for n in range(20)], "watched": watched}
    for policy in ("equal", "best"):
        for name, rate in (("pytorch", 300.0), ("paddle", 200.0)):
            proof = folder.certificate("googlenet", name, policy=policy)
            for batch in (1, 8, 32):
                case = Case("googlenet", "inference", batch, name, policy=policy)
                faster = rate * batch**0.5 * (2 if policy == "best" else 1)
                precision = "bfloat16" if policy == "best" and name == "pytorch" else "float32"
                rates = [faster, 1.02 * faster, 0.99 * faster]
                folder.forks(case, proof, rates, key={"precision": precision, "policy": policy}, **more)
    made = {"written_by": "pytorch", "file_bytes": 400_000, "nodes": 4, "operators": {"Gemm": 2}}
    made |= {"seconds": 2.0, "peak_bytes": 2**29}
    folder.certificate("googlenet", "onnxruntime", "pytorch", export=made)
    for name in ("pytorch", "paddle"):
        proof = folder.certificate("mlp", name)
        for seed in (1, 2, 3):
            folder.learned(name, proof, seed, [0.5, 0.8, 0.9 + seed / 100])
    return folder


@pytest.fixture(scope="session")
def rich(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """A run with something for every view; read only."""
    return enrich(Folder(tmp_path_factory.mktemp("rich")).describe())


HISTORY = {
    "network": "mlp",
    "task": "training",
    "batch": 32,
    "name": "paddle",
    "policy": "equal",
    "precision": "float32",
    "device": MACHINE["cpu"],
    "metric": "speed",
    "unit": "images/s",
    "nights": 3,
    "last": 80.0,
    "change": [0.8, 0.7, 0.9],
    "visible": 0.05,
    "verdict": {"text": "▼ slower", "value": 2, "tone": "bad"},
    "why": "beyond chance over 2 nights",
    "changes": "2026-01-03: × 0.8 (paddle 3.2.0 → 3.3.1)",
    "points": [
        {"night": f"2026-01-0{n}", "value": value, "forks": [value, 1.01 * value], "changed": ""}
        for n, value in enumerate((100.0, 80.0, 80.0), start=2)
    ],
    "steps": [{"night": "2026-01-03", "label": "× 0.8"}],
    "levels": [{"night": f"2026-01-0{n}", "value": 80.0, "part": 1} for n in (3, 4)],
}


@pytest.fixture(scope="session")
def rich_page(rich: Folder) -> str:
    return page.render([queries.read(rich.path)], [HISTORY])


OTHER_CPU = "Other CPU @ 3.00GHz"
OTHER_RUN = "2026-01-03 03:04:05"


@pytest.fixture(scope="session")
def two_runs_page(rich: Folder, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of ``rich`` and of a run of another network, recipe and device, a day later."""
    other = Folder(tmp_path_factory.mktemp("other"))
    other.describe(started=f"{OTHER_RUN.replace(' ', 'T')}+00:00", machine={**MACHINE, "cpu": OTHER_CPU})
    proof = other.certificate("alexnet", "paddle")
    case = Case("alexnet", "inference", 1, "paddle")
    other.forks(case, proof, [5.0, 6.0, 7.0], key={"device_model": OTHER_CPU, "machine": "0123456789ab"})
    learned = {"recipe": "flowers-alexnet", "network": "alexnet", "digest": networks.build("alexnet").digest}
    other.learned("paddle", proof, 1, [0.5, 0.6, 0.7], **learned)
    return page.render([queries.read(rich.path), queries.read(other.path)])


@pytest.fixture(scope="session")
def index_page() -> str:
    """A site's first page, with one run."""
    run = {"run": "2026-01-02T03:04", "page": {"text": "2026-01-02 03:04", "href": "runs/run.html"}}
    run |= {"device": MACHINE["cpu"], "preset": "quick", "network": ["mlp"], "name": ["pytorch", "paddle"]}
    run |= {
        "policy": ["equal"],
        "claims": {"text": "4 of 4", "value": 4, "tone": "good"},
        "answers": ["same"],
    }
    return page.listing("1 run on 1 device", {"runs": [run]}, links=[("History", "history.html")])


@pytest.fixture(scope="session")
def big_page(rich: Folder) -> str:
    """The page of 5,000 cases in 834 groups."""
    report = queries.read(rich.path)
    return page.render([dataclasses.replace(report, groups=tuple(_many(report, 834, 6)))])


def _many(report: Report, groups: int, cases: int) -> Iterator[Group]:
    """Groups like the first, whose numbers all differ."""
    generator = random.Random(0)
    (model, *_) = (group for group in report.groups if group.cases[0].details.latency)
    for number in range(groups):
        made = []
        for place in range(cases):
            medians = tuple(generator.uniform(50, 60) / (place + 1) for _ in range(3))
            files = tuple(
                File(f"forks/network{number}-{place}-fork{n}.json", generator.randbytes(32).hex())
                for n in range(3)
            )
            case = dataclasses.replace(
                model.cases[0].case, network=f"network{number}", framework=f"framework{place}"
            )
            details = dataclasses.replace(
                model.cases[0].details, **_varied(model.cases[0].details, generator)
            )
            made.append(
                dataclasses.replace(
                    model.cases[0],
                    case=case,
                    medians=medians,
                    throughput=intervals.of_forks(medians),
                    peak_rss_mib=generator.uniform(100, 9000),
                    phases_s={name: generator.random() for name in queries.PHASES},
                    files=files,
                    details=details,
                )
            )
        yield dataclasses.replace(model, network=f"network{number}", cases=tuple(made), leads=())


def _varied(details: Details, generator: random.Random) -> dict[str, float]:
    values = {f.name: getattr(details, f.name) for f in dataclasses.fields(details)}
    return {name: value * generator.random() for name, value in values.items() if isinstance(value, float)}


@pytest.fixture(scope="session")
def full_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of ``full``, rendered once."""
    folder = fill(Folder(tmp_path_factory.mktemp("full")).describe())
    return page.render([queries.read(folder.path)])


@pytest.fixture(scope="session")
def hostile_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page of a run whose texts try to run a script."""
    folder = Folder(tmp_path_factory.mktemp("hostile")).describe(machine={**MACHINE, "cpu": HOSTILE})
    return page.render([queries.read(fill(folder, HOSTILE).path)])
