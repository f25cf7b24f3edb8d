"""Points as runs of an MLflow experiment, each once. MLflow is an optional package."""

import statistics
from collections.abc import Iterable
from typing import Any

from benchmarks import intervals
from benchmarks.exporting.dashboards import name
from benchmarks.history.series import Point, Series
from implementations.errors import UserError

MARK = "framework-benchmarks.point"  # the tag by which a point is found again


def log(series: Iterable[Series], experiment: str, uri: str | None) -> tuple[int, int]:
    """How many points were logged, and how many were there.

    ``UserError`` where MLflow is not installed, or its server or database refuses.
    """
    mlflow = _mlflow()
    try:
        return _log_all(mlflow, series, experiment, uri)
    except mlflow.exceptions.MlflowException as error:
        raise UserError(
            f"MLflow refuses ({str(error).splitlines()[0]})",
            given=uri or "MLflow's own tracking URI",
            allowed="a server's URL, or sqlite:///FILE",
            todo="name another --tracking-uri",
        ) from None


def _log_all(mlflow: Any, series: Iterable[Series], experiment: str, uri: str | None) -> tuple[int, int]:
    if uri is not None:
        mlflow.set_tracking_uri(uri)
    number = mlflow.set_experiment(experiment).experiment_id
    points = [(one, point) for one in series for point in one.points]
    new = [(one, point) for one, point in points if not _is_there(mlflow, number, _mark(one, point))]
    for one, point in new:
        with mlflow.start_run(experiment_id=number, run_name=name(one.key, point.label)):
            _log(mlflow, one, point)
    return len(new), len(points) - len(new)


def _mlflow() -> Any:
    try:
        import mlflow.exceptions
    except ModuleNotFoundError:
        raise UserError(
            "MLflow is not installed",
            given="no package mlflow",
            allowed="csv, github-action-benchmark, bencher and pytest-benchmark, which need none",
            todo="pip install mlflow-skinny",
        ) from None
    return mlflow


def _mark(series: Series, point: Point) -> str:
    """Without apostrophes: MLflow's query language cannot escape them."""
    return f"{point.run} {name(series.key, point.label)}".replace("'", "")


def _is_there(mlflow: Any, experiment: str, mark: str) -> bool:
    wanted = f"tags.`{MARK}` = '{mark}'"
    return bool(mlflow.search_runs([experiment], filter_string=wanted, max_results=1, output_format="list"))


def _log(mlflow: Any, series: Series, point: Point) -> None:
    found = intervals.of_forks(point.forks)
    mlflow.log_params({field: str(value) for field, value in series.key.items()})
    mlflow.log_metrics(
        {
            "images_per_second": found.value,
            "images_per_second.low": found.low,
            "images_per_second.high": found.high,
            **{metric: statistics.median(values) for metric, values in point.metrics.items()},
        }
    )
    versions = {f"versions.{package}": version for package, version in point.versions.items()}
    mark = _mark(series, point)
    mlflow.set_tags({MARK: mark, "commit": point.commit, "started": point.started.isoformat(), **versions})
