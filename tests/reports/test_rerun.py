"""What a re-run asks 'python -m benchmarks run' for."""

import datetime
from pathlib import Path
from typing import Any

import pytest
from made_series import nightly

from benchmarks.__main__ import parser
from benchmarks.history.series import RunRow
from implementations.errors import UserError
from reports import rerun
from reports.regressions import Findings, judged, latest, tonight
from reports.watched import watched

RUN = RunRow(
    id="r",
    folder="r",
    started=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    preset="quick",
    device="cuda:0",
    threads=4,
    commit="c",
    dirty=False,
    machine={},
    gpu=None,
    forks=1,
    trainings=0,
    failures=0,
)


def findings(*keys: dict[str, Any]) -> Findings:
    every = watched([nightly(12, seed=place, **key) for place, key in enumerate(keys)])
    return judged(tonight(every, None, latest(every)), latest(every))


def test_the_command_can_be_understood_by_the_run(tmp_path: Path) -> None:
    (said,) = findings({"network": "mlp", "policy": "best"}).said
    asked = rerun.request([said], [said], RUN)
    words = asked.command(tmp_path, ["pytorch=/a/python"])
    options = parser().parse_args(words[words.index("run") :])
    chosen = (options.network, options.framework, options.policy, options.device, options.threads)
    assert chosen == (["mlp"], ["pytorch"], ["best"], "cuda", 4)
    assert (options.forks, options.budget, options.no_training, options.output) == (20, 0.0, True, tmp_path)
    assert options.python == ["pytorch=/a/python"]


def test_a_case_that_is_not_suspected_runs_beside_it() -> None:
    suspect, control = findings({"network": "mlp"}, {"network": "vgg16", "framework": "paddle"}).said
    asked = rerun.request([suspect], [suspect, control], RUN)
    assert (asked.networks, asked.frameworks) == (("mlp", "vgg16"), ("pytorch", "paddle"))


def test_no_further_one_is_run_where_the_networks_have_one() -> None:
    said = findings({"network": "mlp"}, {"network": "mlp", "batch": 1}, {"network": "vgg16"}).said
    assert rerun.request(said[:1], said, RUN).networks == ("mlp",)


def test_a_case_of_another_policy_alone_is_no_control() -> None:
    suspect, control = findings({"policy": "best"}, {"policy": "equal"}).said
    assert rerun.request([suspect], [suspect, control], RUN).policies == ("best", "equal")


def test_the_exporter_of_a_suspected_file_takes_part() -> None:
    said = findings(
        {"framework": "onnxruntime", "exporter": "pytorch"}, {"batch": 1, "framework": "onnxruntime"}
    ).said
    assert rerun.request(said[:1], said, RUN).frameworks == ("onnxruntime", "pytorch")


def test_an_unknown_preset_cannot_be_repeated() -> None:
    (said,) = findings({}).said
    with pytest.raises(UserError, match=r"preset is not known.*quick"):
        rerun.request([said], [said], RunRow(**{**vars(RUN), "preset": "theirs"}))


def test_a_labelled_build_needs_its_interpreter() -> None:
    rerun.labels(["pytorch@new=/a/python"], ["pytorch@new", "paddle"])
    with pytest.raises(UserError, match="--python pytorch@old=PATH"):
        rerun.labels(["pytorch@new=/a/python"], ["pytorch@old"])
