"""What a run's files say, as rows for the history; nothing of a database."""

import datetime
import hashlib
import math
import statistics
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import latency, results
from benchmarks.results import Fork
from implementations import certificates
from implementations.errors import UserError

Row = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """One file of a run: the row it becomes, and the rows that it shares with other files."""

    kind: str  # the folder that it lies in
    row: Row
    series: Row = field(default_factory=dict)  # a fork's key
    setup: Row = field(default_factory=dict)  # what a fork ran with


@dataclass(frozen=True)
class RunFiles:
    """A run's folder with its description."""

    folder: Path
    about: Mapping[str, Any]

    @property
    def id(self) -> str:
        return results.run_id(self.about)

    @property
    def row(self) -> Row:
        about = self.about
        return {
            "id": self.id,
            "folder": self.folder.absolute().name,
            "started": moment(about["started"]),
            "commit_id": str(about["commit"].get("id", "")),
            "commit_dirty": about["commit"].get("dirty"),
            "gpu": about.get("gpu"),
            "environment": about.get("environment") or {},
            **{name: about[name] for name in ("preset", "device", "threads", "machine")},
        }

    def files(self) -> Iterator[Path]:
        """All that the history keeps of a run."""
        for kind in READERS:
            yield from sorted((self.folder / kind).glob("*.json"))


def open_run(folder: Path) -> RunFiles:
    """The run in ``folder``; ``UserError`` if there is none."""
    about = results.read_run(folder)
    try:
        moment(about["started"])
    except ValueError as error:
        wrong = f"the run's description is not one of this project's ({error})"
        raise results.refused(folder / "run.json", wrong) from None
    return RunFiles(folder, about)


def read(run: RunFiles, path: Path, known: Mapping[tuple[str, str], str]) -> Record | None:
    """What ``path`` says; ``None`` if its bytes are ``known`` (SHA-256 by kind and name).

    ``UserError`` if the file is damaged, foreign or newer.
    """
    kind = path.parent.name
    try:
        text = path.read_bytes()
        sha256 = hashlib.sha256(text).hexdigest()
        if known.get((kind, path.name)) == sha256:
            return None
        found = READERS[kind](path, results.parsed(text))
    except UserError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise results.refused(path, f"the file cannot be read ({type(error).__name__}: {error})") from None
    common = {"run_id": run.id, "file": path.name, "sha256": sha256, "made": moment(run.about["started"])}
    return Record(kind, {**common, **found.row}, found.series, found.setup)


def moment(text: str) -> datetime.datetime:
    """The moment in UTC that ``text`` names in ISO 8601, without zone, as databases keep it."""
    found = datetime.datetime.fromisoformat(text)
    return found.astimezone(datetime.UTC).replace(tzinfo=None) if found.tzinfo else found


# --- One reader a kind of file --------------------------------------------------------------


def _fork(path: Path, content: Any) -> Record:
    fork = results.fork_in(path, content)
    attributes = fork.attributes
    setup = {
        "label": attributes.get("label", ""),
        **{name: attributes.get(name, {}) for name in ("versions", "switches", "environment")},
    }
    row = {
        "made": moment(fork.made),
        "certificate": attributes["certificate"],
        "number": attributes["fork"],
        "images_per_second": fork.median,
        "steps_per_block": fork.fields["steps_per_block"],
        "block_seconds": list(fork.seconds),
        "disturbances": list(fork.disturbances) or None,
        **metrics(fork),
    }
    return Record("forks", row, dict(fork.key), setup)


def metrics(fork: Fork) -> dict[str, float | None]:
    """What else was measured, by the names in ``schema.METRICS``; ``None`` where it could not be known."""
    fields, phases, steps = fork.fields, fork.fields["phases_s"], latency.of_forks([fork])
    return {
        "peak_rss_bytes": fields["peak_rss_bytes"],
        "peak_device_bytes": fields["peak_device_bytes"],
        "import_s": phases.get("import"),
        "build_s": phases.get("build"),
        "first_call_s": phases.get("first_call"),
        "compile_s": phases.get("compile"),
        "latency_p50_s": steps.p50 if steps else None,
        "latency_p90_s": steps.p90 if steps else None,
        "latency_p99_s": steps.p99 if steps else None,
        "joules_per_image": fork.joules_per_image,
        "canary_difference": fields["canary_difference"],
    }


def _training(path: Path, content: Any) -> Record:
    found = results.training_in(path, content)
    tested = results.tested(found)
    names = ("recipe", "network", "digest", "framework", "certificate")
    row = {name: str(found[name]) for name in names} | {
        "data": found["data"],
        "optimizer": str(found["optimizer"]),
        "batch": int(found["batch"]),
        "seed": int(found["seed"]),
        "versions": found["versions"],
        "scale": str(found.get("scale", "full")),  # older ones had no other
        "test_accuracy": float(tested["accuracy"]),
        "test_loss": tested["loss"],
        "seconds_per_epoch": statistics.median(float(epoch["seconds"]) for epoch in found["epochs"]),
        "epochs": found["epochs"],
    }
    dated = {"made": moment(found["made"])} if "made" in found else {}  # older ones do not say it
    return Record("training", {**dated, **row})


def _certificate(path: Path, content: Any) -> Record:
    found = certificates.read(path)  # reads again: an id is a hash of what is written there
    row = {
        "made": moment(found["made"]),
        "certificate": found["id"],
        **{name: found[name] for name in ("framework", "exporter", "network", "passed")},
        "largest": largest(found),
    }
    return Record("certificates", row)


def largest(certificate: certificates.Certificate) -> dict[str, float]:
    """The largest relative difference of each level and precision, as "level 1 float32"; no infinite ones."""
    found: dict[str, float] = {}
    for finding in certificate["findings"]:
        name, value = f"level {finding['level']} {finding['precision']}", float(finding["largest"])
        if math.isfinite(value):
            found[name] = max(value, found.get(name, 0.0))
    return found


def _ceilings(path: Path, content: Any) -> Record:
    return Record("ceilings", {"reached": results.ceilings_in(path, content)})


def _failure(path: Path, content: Any) -> Record:
    dated = {"made": moment(content["date"])} if "date" in content else {}
    return Record("failures", {**dated, "record": {**content}})


READERS: dict[str, Callable[[Path, Any], Record]] = {
    "certificates": _certificate,
    "ceilings": _ceilings,
    "forks": _fork,
    "training": _training,
    "failures": _failure,
}
