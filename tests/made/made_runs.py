"""Hand-made run folders, proofs included, as a history imports them."""

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from made_forks import content_of

from benchmarks import results
from benchmarks.plan import Case
from implementations import certificates

CASE = Case("mlp", "training", 32, "pytorch")
START = datetime.datetime(2026, 1, 2, 1, 0, tzinfo=datetime.UTC)  # a night's first hours
MACHINE = {
    "cpu": "a processor",
    "cores": 4,
    "architecture": "x86_64",
    "system": "Linux 6.1",
    "python": "3.11.7",
}
ACCURACIES = (0.1, 0.8, 0.9)


def made_run(folder: Path, forks: Mapping[Case, Sequence[float]], *, night: int = 0, **about: Any) -> Path:
    """A run in ``folder``: for each case a fork for each of its images/s, proven.

    ``night`` counts days from 2 January 2026. ``about`` changes run.json, but for what each fork says:
    ``versions``, ``label``, ``disturbances`` (by a fork's number), ``key``, ``fields``, ``largest``.
    """
    started = START + datetime.timedelta(days=night)
    forked = {name: about.pop(name) for name in list(about) if name in FORKED}
    results.write_json(
        folder / "run.json",
        {
            "schema_version": 2,
            "preset": "quick",
            "device": "cpu",
            "threads": 2,
            "machine": MACHINE,
            "environment": {},
            "gpu": None,
            "commit": {"id": f"{night:040x}", "dirty": False},
            "started": started.isoformat(),
            **about,
        },
    )
    proof = made_certificate(folder, largest=forked.pop("largest", 1e-6))
    for case, rates in forks.items():
        for number, rate in enumerate(rates, start=1):
            made = started + datetime.timedelta(seconds=number)
            made_fork(folder, case, number, rate, certificate=proof, made=made, **forked)
    return folder


FORKED = ("versions", "label", "disturbances", "key", "fields", "largest")


def made_fork(
    folder: Path,
    case: Case,
    number: int,
    rate: float,
    *,
    certificate: str,
    made: datetime.datetime = START,
    versions: Mapping[str, str] | None = None,
    label: str = "",
    disturbances: Mapping[int, Sequence[str]] | None = None,
    key: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
) -> Path:
    """A fork of three equal blocks, of ``rate`` images/s."""
    steps = 5
    content = content_of(case, [steps * case.batch / rate] * 3, steps)
    content["datetime"] = made.isoformat()
    extra = content["benchmarks"][0]["extra_info"]
    extra["key"] |= key or {}
    extra["attributes"] |= {
        "versions": dict(versions or {"torch": "2.13.0"}),
        "certificate": certificate,
        "fork": number,
        "label": label,
    }
    if disturbances and number in disturbances:
        extra["watched"] = {"seconds": 1.0, "disturbances": list(disturbances[number])}
    extra |= fields or {}
    path = results.fork_path(folder, case, number)
    path = path.with_name(f"{label}{path.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def made_certificate(folder: Path, passed: bool = True, largest: float = 1e-6) -> str:
    """The id of a proof of the MLP in PyTorch, written into ``folder``."""
    finding = {"level": 1, "precision": "float32", "mode": "inference", "largest": largest, "breach": None}
    content = {
        "framework": "pytorch",
        "exporter": None,
        "network": "mlp",
        "passed": passed,
        "findings": [finding],
    }
    signed = certificates.signed(content)
    certificates.write(folder / "certificates" / "mlp-pytorch.json", {**signed, "made": START.isoformat()})
    return str(signed["id"])


def made_training(
    folder: Path, certificate: str, framework: str = "pytorch", accuracies: Sequence[float] = ACCURACIES
) -> Path:
    """A training of the MLP whose test accuracies are ``accuracies``, the first before any step."""
    first, *later = accuracies
    content = {
        "schema_version": 1,
        "recipe": "mlp",
        "framework": framework,
        "versions": {"torch": "2.13.0"},
        "network": "mlp",
        "digest": "0" * 64,
        "certificate": certificate,
        "data": {"name": "made", "title": "made", "train_images": 6, "test_images": 4, "sha256": "ab" * 32},
        "optimizer": "Adam()",
        "batch": 32,
        "seed": 0,
        "steps_per_epoch": 2,
        "initial": {"test_loss": 2.3, "test_accuracy": first},
        "epochs": [
            {"epoch": n, "train_loss": 1 / n, "test_loss": 1 / n, "test_accuracy": a, "seconds": 2.0}
            for n, a in enumerate(later, start=1)
        ],
    }
    path = results.training_path(folder, "mlp", framework, 0)
    results.write_json(path, content)
    return path
