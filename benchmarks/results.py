"""The result of one fork: its key, its fields, reading and writing.

A fork's file is pytest-benchmark's JSON with our fields under ``extra_info`` (docs/result.schema.json).
That file is the truth, and a fork is finished when it is there. The key names a series across
versions; attributes never belong to it.
"""

import datetime
import functools
import hashlib
import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.plan import Case
from implementations.commandline import ROOT
from implementations.errors import UserError
from implementations.files import replacing
from implementations.network import LABEL
from implementations.policies import EQUAL

FOLDER = Path("results")  # where runs lie, in the project's root
HISTORY = FOLDER / "history.sqlite"  # the index over them, where no other is named
SCHEMA_VERSION = 2
TRAINING_VERSION = 3  # of a training's result
METHOD_VERSION = 1  # raised by hand when measuring changes its meaning
SCHEMA = ROOT / "docs" / "result.schema.json"
KEY = (
    "network",
    "digest",
    "task",
    "batch",
    "framework",
    "exporter",
    "provider",
    "device_model",
    "machine",
    "precision",
    "policy",
    "threads",
    "method_version",
)

RUN = {
    "schema_version": int,
    "preset": str,
    "device": str,
    "threads": int,
    "machine": dict,
    "commit": dict,
    "started": str,
}
TRAINING = ("schema_version", "recipe", "framework", "versions", "certificate", "data", "initial", "epochs")
TRAINING_3 = ("scale", "seed", "test", "target")  # beside these, from schema 3 on


@dataclass(frozen=True)
class Fork:
    """One finished measuring process."""

    path: Path
    key: Mapping[str, Any]
    attributes: Mapping[str, Any]
    fields: Mapping[str, Any]  # the rest of extra_info
    seconds: tuple[float, ...]  # of every block, in order
    made: str = ""  # when, in ISO 8601; UTC where it does not say

    @property
    def case(self) -> Case:
        label = self.attributes.get("label")
        framework = f"{self.key['framework']}{LABEL}{label}" if label else self.key["framework"]
        return case_of({**self.key, "framework": framework})

    @property
    def images_per_second(self) -> tuple[float, ...]:
        """Throughput of every block."""
        images = self.fields["steps_per_block"] * self.key["batch"]
        return tuple(images / seconds for seconds in self.seconds)

    @property
    def disturbances(self) -> tuple[str, ...]:
        """What else went on on the machine while this fork was timed, in words; empty if nothing did."""
        return tuple(self.fields.get("watched", {}).get("disturbances", ()))

    @property
    def latencies(self) -> tuple[float, ...]:
        """Seconds of single steps, each waited for, which blocks of one step are; none in older files."""
        alone = self.seconds if self.fields["steps_per_block"] == 1 else ()
        return tuple(self.fields.get("latencies_s", alone))

    @property
    def joules_per_image(self) -> float | None:
        """Of all packages and the GPU together, over the time in which the images were computed."""
        watched = self.fields.get("watched", {})
        if not watched.get("energy_j"):
            return None
        return float(sum(watched["energy_j"].values()) / watched["seconds"] / self.median)

    @property
    def median(self) -> float:
        """The fork's value: the median of its blocks, in images per second."""
        return statistics.median(self.images_per_second)


def stamp() -> str:
    """The time in UTC to the second, as the names of runs' folders begin or end with it."""
    return datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def fork_path(folder: Path, case: Case, number: int) -> Path:
    return folder / "forks" / f"{case.slug}-fork{number}.json"


def training_path(folder: Path, recipe: str, framework: str, seed: int) -> Path:
    return folder / "training" / f"{recipe}-{framework}-seed{seed}.json"


def failure_path(folder: Path, result: Path) -> Path:
    """Where the failure of what would have become ``result`` is recorded."""
    return folder / "failures" / f"{result.parent.name}-{result.name}"


def read_fork(path: Path) -> Fork:
    """The fork in ``path``; ``UserError`` if the file is damaged, foreign, or from a newer schema."""
    return fork_in(path, read_json(path, "result file"))


def fork_in(path: Path, content: Any) -> Fork:
    """The fork that ``content``, read from ``path``, holds; ``UserError`` as ``read_fork``."""
    error = next(_errors(content), None)
    if error is not None:
        raise refused(path, f"the result file is not one of this project's ({error})")
    benchmark = content["benchmarks"][0]
    fields = dict(fields_of(path, content))
    key, attributes = fields.pop("key"), fields.pop("attributes")
    return Fork(path, key, attributes, fields, tuple(benchmark["stats"]["data"]), content["datetime"])


def fields_of(path: Path, content: Any) -> dict[str, Any]:
    """The project's own part of a result file; ``UserError`` if there is none."""
    try:
        fields = content["benchmarks"][0]["extra_info"]
    except (TypeError, KeyError, IndexError):
        fields = None
    if not isinstance(fields, dict):
        raise refused(path, "the result file is not one of this project's")
    return fields


def read_run(folder: Path) -> dict[str, Any]:
    """The description of the run in ``folder``; ``UserError`` if there is none, or it is damaged or newer."""
    path = folder / "run.json"
    if not path.is_file():
        raise UserError(
            "the folder does not exist" if not folder.exists() else "this is not a run's folder",
            given=folder,
            allowed="a folder that 'python -m benchmarks run' wrote, with a run.json in it",
            todo="name another folder, or measure first",
        )
    about = read_json(path, "run's description")
    if not isinstance(about, dict):
        raise refused(path, "the run's description is not one of this project's (no object)")
    for name, kind in RUN.items():
        if not isinstance(about.get(name), kind):
            raise refused(path, f"the run's description is not one of this project's (no {name})")
    if about["schema_version"] > SCHEMA_VERSION:
        raise refused(path, f"the run is from a newer version (schema {about['schema_version']})")
    return about


def run_id(about: Mapping[str, Any]) -> str:
    """A hash of a run's description, which stays the same while the run grows, and wherever it is copied."""
    return identity(about)[:16]


def identity(content: object) -> str:
    """A hash of what ``content`` says, however it is written."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def failures(folder: Path) -> list[dict[str, Any]]:
    """What failed in a run, in the order of the files' names."""
    return [read_json(path, "failure's record") for path in sorted((folder / "failures").glob("*.json"))]


def case_of(data: Mapping[str, Any]) -> Case:
    """The case that a key or a failure's record is about."""
    names = ("network", "task", "batch", "framework", "exporter")
    network, task, batch, framework, exporter = (data[name] for name in names)
    return Case(network, task, batch, framework, exporter, data.get("policy", EQUAL))


def read_json(path: Path, what: str) -> Any:
    """The JSON in ``path``; ``UserError`` if there is none."""
    try:
        return parsed(path.read_bytes())
    except (OSError, ValueError) as error:
        raise refused(path, f"the {what} cannot be read ({type(error).__name__}: {error})") from None


def parsed(text: bytes) -> Any:
    """The JSON in ``text``; ``ValueError`` if there is none."""
    return json.loads(text, parse_constant=_no_number)


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number")


def write_json(path: Path, content: Any) -> None:
    """Write ``content`` as JSON, which has no word for NaN."""
    with replacing(path, "a result") as temporary:
        temporary.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


def ceiling_path(folder: Path, framework: str) -> Path:
    """Where the machine's ceilings as ``framework`` reached them belong."""
    return folder / "ceilings" / f"{framework}.json"


def ceilings(folder: Path) -> dict[str, float]:
    """The highest FLOP/s by precision, and "copy" in bytes/s, of all frameworks of a run."""
    highest: dict[str, float] = {}
    for path in sorted((folder / "ceilings").glob("*.json")):
        found = ceilings_in(path, read_json(path, "ceilings"))
        highest |= {name: max(value, highest.get(name, 0.0)) for name, value in found.items()}
    return highest


def ceilings_in(path: Path, content: Any) -> dict[str, float]:
    """What one framework reached, named as in ``ceilings``; ``UserError`` if that is not in ``content``."""
    try:
        found = {**content["flop_per_s"], "copy": content["copied_bytes_per_s"]}
        return {name: float(value) for name, value in found.items()}
    except (TypeError, KeyError, ValueError):
        raise refused(path, "the ceilings are not this project's") from None


def slips_path(folder: Path, framework: str) -> Path:
    """Where the record of the mutants in ``framework`` belongs."""
    return folder / "mutants" / f"{framework}.json"


def read_training(path: Path) -> dict[str, Any]:
    """The training result in ``path``; ``UserError`` if the file is damaged, foreign or newer."""
    return training_in(path, read_json(path, "training result"))


def training_in(path: Path, content: Any) -> dict[str, Any]:
    """The training result that ``content``, read from ``path``, is; ``UserError`` as ``read_training``."""
    version = content.get("schema_version") if isinstance(content, dict) else None
    wanted = (*TRAINING, *TRAINING_3) if version == TRAINING_VERSION else TRAINING
    missing = [name for name in wanted if not isinstance(content, dict) or name not in content]
    if missing or not content["epochs"]:
        raise refused(path, f"the training result is not one of this project's (lacks {missing or 'epochs'})")
    if content["schema_version"] not in range(1, TRAINING_VERSION + 1):
        raise refused(path, f"the training result has schema_version {content['schema_version']!r}")
    return dict(content)


def tested(training: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracy (0 to 1) and loss on the test images after the last epoch, whatever the schema."""
    if training["schema_version"] == TRAINING_VERSION:
        return {name: training["test"][name] for name in ("accuracy", "loss")}
    last = training["epochs"][-1]
    return {"accuracy": last["test_accuracy"], "loss": last["test_loss"]}


def trainings(folder: Path) -> Iterator[dict[str, Any]]:
    """All finished trainings of a run, in the order of their names."""
    for path in sorted((folder / "training").glob("*.json")):
        yield read_training(path)


def forks(folder: Path) -> Iterator[Fork]:
    """All finished forks of a run, in the order of their names."""
    for path in sorted((folder / "forks").glob("*.json")):
        yield read_fork(path)


def refused(path: Path, wrong: str) -> UserError:
    return UserError(
        wrong,
        given=path,
        allowed="files written by 'python -m benchmarks run', schema_version up to"
        f" {SCHEMA_VERSION} (of a training {TRAINING_VERSION})",
        todo="remove the file, then run again with the same --output to measure it anew",
    )


def _errors(content: Any) -> Iterator[str]:
    """What the schema does not admit, in words."""
    for error in _validator().iter_errors(content) if _validator() else ():
        place = "/".join(map(str, error.absolute_path)) or "the top"
        yield f"{place}: {error.message[:120]}"


@functools.cache
def _validator() -> Any:
    """``None`` on a machine with a framework alone: who imports its results validates them."""
    try:
        import jsonschema
    except ModuleNotFoundError:
        return None
    draft = jsonschema.Draft202012Validator
    quick = jsonschema.validators.extend(draft, {"items": _items})
    return quick(json.loads(SCHEMA.read_text()))


POSITIVE = {"type": "number", "exclusiveMinimum": 0}


def _items(validator: Any, items: Any, instance: Any, schema: Any) -> Iterator[Any]:
    """As jsonschema checks the items of an array, which for a thousand good numbers would take 30 ms."""
    import jsonschema

    good = items == POSITIVE and isinstance(instance, list)
    if not (good and all(type(item) in (float, int) and item > 0 for item in instance)):
        yield from jsonschema.Draft202012Validator.VALIDATORS["items"](validator, items, instance, schema)
