"""A site of runs and their history: pages, links, what the history's rows say."""

import re
from pathlib import Path
from typing import Any

import pytest
from made_runs import CASE, made_run
from made_series import FIRST, nightly
from report_pages import data, markup, said

from benchmarks.history.queries import History
from benchmarks.history.series import TrainingRow
from implementations.errors import UserError
from reports import __main__ as command
from reports import dataset, past, publishing, queries
from reports.watched import watched

NIGHTS, STEP = 24, 17  # from that night on it is a fifth slower
RATES = (1000.0, 1010.0, 990.0)


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nights of one case with a planted regression, imported."""
    folder = tmp_path_factory.mktemp("nights")
    for night in range(NIGHTS):
        level = (0.8 if night >= STEP else 1.0) * (1 + 0.004 * (night % 3))
        versions = {"torch": "2.13.0" if night >= STEP else "2.12.0"}
        forks = {CASE: [level * rate for rate in RATES]}
        made_run(folder / f"night{night:02d}", forks, night=night, versions=versions)
    place = folder / "history.sqlite"
    History.open(place, create=True).import_paths([folder], lambda line: None)
    return place


@pytest.fixture(scope="module")
def row(history: Path) -> dict[str, Any]:
    found = History.open(history)
    (only,) = [row for row in past.rows(found.series()) if row["metric"] == "speed"]
    return only


def test_a_planted_regression_is_a_change_point_with_its_reason(row: dict[str, Any]) -> None:
    assert [step["night"] for step in row["steps"]] == [row["points"][STEP]["night"]]
    assert row["steps"][0]["label"].startswith("× 0.80")  # the nights vary by 0.8 %
    assert "torch 2.12.0 → 2.13.0" in row["changes"]
    assert row["points"][STEP]["changed"].count("torch") == 1


def test_levels_are_drawn_from_a_levels_first_night_to_its_last(row: dict[str, Any]) -> None:
    old, *_, new = row["levels"]
    assert new["value"] / old["value"] == pytest.approx(0.8, abs=0.005)
    assert {level["part"] for level in row["levels"]} == {0, 1}


def test_every_series_says_its_verdict_and_its_smallest_step(row: dict[str, Any]) -> None:
    assert row["nights"] == NIGHTS
    assert row["verdict"]["text"].split()[-1] in ("same", "slower", "undecided")
    assert 0 < row["visible"] < 0.2


@pytest.mark.parametrize(("names", "said"), [(["a"], [None]), (["a", "b"], ["a", "b"])])
def test_rows_of_several_machines_name_them(names: list[str], said: list[str | None]) -> None:
    found = past.rows([nightly(3, machine=name) for name in names])
    assert [row["machine"] for row in found] == said


def test_a_training_names_its_recipe_and_no_policy() -> None:
    training = TrainingRow(
        run="run-0",
        started=FIRST,
        commit="c" * 40,
        recipe="googlenet-cifar",
        scale="small",
        network="googlenet",
        digest="0" * 64,
        framework="paddle",
        data="cats and dogs",
        data_sha256="0" * 64,
        optimizer="sgd",
        batch=20,
        seed=1,
        versions={},
        test_accuracy=0.9,
        test_loss=None,
        seconds_per_epoch=2.0,
        epochs=(),
    )
    timed, learned = (past._identity(one) for one in watched([nightly(3)], [training]))
    assert (learned["task"], learned["recipe"], learned["policy"]) == ("accuracy", "googlenet-cifar", None)
    assert (timed["task"], timed["recipe"], timed["policy"]) == ("inference", None, "equal")


def test_a_history_without_results_has_no_row() -> None:
    assert past.rows([]) == []


def test_a_site_has_an_index_run_pages_and_the_history(
    full: Any, rich: Any, history: Path, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    words = ["site", str(full.path), str(rich.path), "-o", str(site), "--history", str(history)]
    assert command.main(words) == 0
    pages = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert pages == {"index.html", "history.html", "runs/run.html", f"runs/{rich.path.name}.html"}
    index = (site / "index.html").read_text()
    links = [row["page"]["href"] for row in data(index)["rows"]["runs"]]
    assert sorted(links) == sorted(page for page in pages if page.startswith("runs/"))
    assert "pytorch is fastest: 2.00 times as fast as paddle" in str(data(index)["rows"]["runs"])
    for page in pages:
        html = (site / page).read_text()
        for link in re.findall(r'<a class="plain" href="([^"]*)"', markup(html)):
            assert (site / page).parent.joinpath(link).resolve().is_file()
    assert "All runs" in said((site / "history.html").read_text())


def test_runs_of_one_name_get_pages_of_their_own(full: Any, folder: Any, tmp_path: Path) -> None:
    assert command.main(["site", str(full.path), str(full.path), "-o", str(tmp_path / "site")]) == 0
    assert len(list((tmp_path / "site" / "runs").iterdir())) == 2


def test_a_page_never_gets_the_name_of_another_run() -> None:
    names = publishing._names([Path("a/x"), Path("a/x-3"), Path("b/x"), Path("a/x-2")])
    assert len(set(names)) == 4


def test_rows_of_everything_name_their_run_and_device(rich: Any) -> None:
    made = dataset.of([queries.read(rich.path)])
    tables = ("sameness", "learned", "samples", "failures")
    rows = [row for name in tables for row in made["rows"].get(name, [])] + made["trainings"]
    assert rows
    assert {(row["run"], row["device"]) for row in rows} == {tuple(queries.read(rich.path).origin.values())}


def test_a_missing_history_is_a_users_mistake(full: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no history yet"):
        command.main(
            ["site", str(full.path), "-o", str(tmp_path / "s"), "--history", str(tmp_path / "no.db")]
        )


def test_a_place_for_a_site_that_is_a_file_is_refused(full: Any) -> None:
    with pytest.raises(UserError, match="cannot be written"):
        command.main(["site", str(full.path), "-o", str(full.path / "run.json")])
