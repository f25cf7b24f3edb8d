"""Exports, read as those read them that they are for."""

import contextlib
import csv
import json
import math
import statistics
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet
import pytest
from made_runs import CASE, made_run
from made_series import made_point, made_series

from benchmarks import __main__ as main
from benchmarks import results
from benchmarks.exporting import dashboards
from benchmarks.history.queries import History
from benchmarks.plan import Case
from implementations.errors import UserError

OTHER = Case("googlenet", "inference", 8, "onnxruntime", "pytorch", "best")
FIRST, LAST = [90.0, 91.0, 92.0], [100.0, 104.0, 102.0]
LATENCIES = {"latencies_s": [0.010, 0.020, 0.030]}
BMF = {  # https://bencher.dev/docs/reference/bencher-metric-format
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "additionalProperties": {
            "type": "object",
            "properties": {name: {"type": "number"} for name in ("value", "lower_value", "upper_value")},
            "required": ["value"],
            "additionalProperties": False,
        },
    },
}


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    return [
        made_run(tmp_path / "first", {CASE: FIRST}, night=0, versions={"torch": "2.12.0"}),
        made_run(tmp_path / "last", {CASE: LAST, OTHER: [10.0]}, night=1, fields=LATENCIES),
    ]


@pytest.fixture
def history(tmp_path: Path, runs: list[Path]) -> str:
    place = tmp_path / "history.sqlite"
    History.open(place, create=True).import_paths(runs, lambda line: None)
    return str(place)


def exported(tmp_path: Path, *words: str) -> Path:
    path = tmp_path / "exported"
    assert main.main(["export", *words, "-o", str(path)]) == 0
    return path


def test_csv_has_a_row_for_each_fork(history: str, tmp_path: Path) -> None:
    text = exported(tmp_path, "csv", "--history", history).read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert [float(row["images_per_second"]) for row in rows if row["network"] == "mlp"] == [*FIRST, *LAST]
    assert set(results.KEY) <= set(rows[0])
    assert [row["versions.torch"] for row in rows] == ["2.12.0"] * 3 + ["2.13.0"] * 4
    assert {row["exporter"] for row in rows} == {"", "pytorch"}


def test_parquet_holds_what_csv_holds_with_its_types(history: str, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(exported(tmp_path, "parquet", "--history", history))
    assert table.column("images_per_second").to_pylist()[:3] == FIRST
    assert table.column("batch").to_pylist()[0] == 32
    assert table.column("disturbed").to_pylist() == [False] * 7


def test_parquet_without_pyarrow_is_one_line(
    history: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UserError, match="pip install pyarrow"):
        exported(tmp_path, "parquet", "--history", history)


def test_github_action_benchmark_gets_the_last_point_of_each_series(history: str, tmp_path: Path) -> None:
    path = exported(tmp_path, "github-action-benchmark", "--history", history)
    entries = {entry["name"]: entry for entry in json.loads(path.read_text())}
    assert len(entries) == 2
    (mlp,) = [
        entry for title, entry in entries.items() if title.startswith("mlp training batch 32 / pytorch")
    ]
    assert mlp["unit"] == "images/s"
    assert mlp["value"] == pytest.approx(math.prod(LAST) ** (1 / 3), rel=1e-12)  # rounding alone
    assert "interval of 3 forks" in mlp["extra"]
    assert "torch 2.13.0" in mlp["extra"]
    assert {type(value) for entry in entries.values() for value in entry.values()} == {str, float}


def test_bencher_gets_its_own_format(history: str, tmp_path: Path) -> None:
    content = json.loads(exported(tmp_path, "bencher", "--history", history).read_text())
    jsonschema.validate(content, BMF)
    (mlp,) = [measures for title, measures in content.items() if title.startswith("mlp")]
    assert mlp["throughput"]["lower_value"] < mlp["throughput"]["value"] < mlp["throughput"]["upper_value"]
    assert mlp["latency"]["value"] == 0.020 * 1e9  # nanoseconds
    assert mlp["peak-memory"]["value"] == 2**20


def compared(*files: Path) -> str:
    """What the real command says."""
    command = [Path(sys.executable).parent / "pytest-benchmark", "compare", *files, "--columns=median,rounds"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Warning" not in done.stderr
    return done.stdout


def test_pytest_benchmark_compares_two_exported_runs(runs: list[Path], tmp_path: Path) -> None:
    paths = [
        exported(tmp_path, "pytest-benchmark", str(run)).rename(tmp_path / f"{run.name}.json") for run in runs
    ]
    said = compared(*paths)
    assert said.count("mlp training batch 32 / pytorch / ") == 2
    assert said.count("googlenet inference batch 8 / onnxruntime (from pytorch), best / ") == 1
    for rates in (FIRST, LAST):
        assert f"{1000 * 32 / statistics.median(rates):.4f}" in said  # milliseconds a step


def test_pytest_benchmarks_files_hold_one_run(history: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="one run each"):
        exported(tmp_path, "pytest-benchmark", "--history", history)


def test_what_is_exported_can_be_narrowed(history: str, tmp_path: Path) -> None:
    path = exported(tmp_path, "csv", "--history", history, "--where", "network=mlp", "--where", "run=last")
    assert len(path.read_text().splitlines()) == 1 + len(LAST)


def test_runs_are_exported_without_a_history(runs: list[Path], tmp_path: Path) -> None:
    assert len(exported(tmp_path, "csv", str(runs[0])).read_text().splitlines()) == 1 + len(FIRST)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("xml",), "xml"),
        (("csv", "--where", "pytorch"), "NAME=VALUE"),
        (("csv", "--where", "colour=red"), "framework"),
        (("csv", "--where", "framework=jax"), "nothing to export"),
    ],
)
def test_what_cannot_be_exported_is_refused(
    history: str, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UserError, match=said):
        exported(tmp_path, *words, "--history", history)
    assert not (tmp_path / "exported").exists()


# --- MLflow ---------------------------------------------------------------------------------


class Refused(Exception):  # noqa: N818  as MLflow's own is called
    pass


class Tracker(types.ModuleType):
    """What of MLflow is used, keeping what it is told."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.runs: list[dict[str, Any]] = []
        self.uri = ""
        self.exceptions = types.ModuleType("mlflow.exceptions")
        self.exceptions.MlflowException = Refused  # type: ignore[attr-defined]

    def set_tracking_uri(self, uri: str) -> None:
        self.uri = uri

    def set_experiment(self, name: str) -> Any:
        return types.SimpleNamespace(experiment_id=name)

    def search_runs(self, experiments: list[str], *, filter_string: str, **options: Any) -> list[Any]:
        value = filter_string.partition(" = ")[-1].strip("'")
        return [run for run in self.runs if value in run["tags"].values()]

    def start_run(self, *, experiment_id: str, run_name: str) -> Any:
        self.runs.append({"experiment": experiment_id, "name": run_name})
        return contextlib.nullcontext()

    def log_params(self, params: dict[str, str]) -> None:
        self.runs[-1]["params"] = params

    def log_metrics(self, metrics: dict[str, float]) -> None:
        self.runs[-1]["metrics"] = metrics

    def set_tags(self, tags: dict[str, str]) -> None:
        self.runs[-1]["tags"] = tags


def test_mlflow_gets_every_point_once(history: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = Tracker()
    monkeypatch.setitem(sys.modules, "mlflow", tracker)
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", tracker.exceptions)
    for _ in range(2):
        main.main(["export", "mlflow", "--history", history, "--tracking-uri", "somewhere"])
    assert tracker.uri == "somewhere"
    assert len(tracker.runs) == 3
    mlp = [run for run in tracker.runs if run["params"]["network"] == "mlp"]
    assert [run["tags"]["versions.torch"] for run in mlp] == ["2.12.0", "2.13.0"]
    assert mlp[1]["metrics"]["images_per_second"] == pytest.approx(math.prod(LAST) ** (1 / 3), rel=1e-12)


def test_mlflow_where_it_is_not_installed_is_one_line(history: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(UserError, match="pip install mlflow-skinny"):
        main.main(["export", "mlflow", "--history", history])


def test_what_mlflow_refuses_is_one_line(history: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tracker = Tracker()
    monkeypatch.setitem(sys.modules, "mlflow", tracker)
    monkeypatch.setitem(sys.modules, "mlflow.exceptions", tracker.exceptions)

    def refuse(name: str) -> None:
        raise Refused("the store is in maintenance mode")

    monkeypatch.setattr(tracker, "set_experiment", refuse)
    with pytest.raises(UserError, match="maintenance mode"):
        main.main(["export", "mlflow", "--history", history])


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_series_of_one_name_the_newest_is_drawn(order: int) -> None:
    old = made_series([made_point(0, [1.0])], digest="0" * 64)
    new = made_series([made_point(1, [2.0])], digest="1" * 64)
    ((_, point),) = dashboards.last([old, new][::order])
    assert point.forks == (2.0,)
