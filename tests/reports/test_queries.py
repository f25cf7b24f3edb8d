import json
import math
import statistics
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from benchmarks.plan import Case
from implementations.errors import UserError
from reports import queries

PYTORCH = Case("mlp", "training", 32, "pytorch")
PADDLE = Case("mlp", "training", 32, "paddle")
KERAS = Case("mlp", "training", 32, "keras-tensorflow")


def measured(folder: Any, rates: dict[Case, list[float]]) -> queries.Report:
    for case, values in rates.items():
        folder.forks(case, folder.certificate(case.network, case.framework, case.exporter), values)
    return queries.read(folder.path)


# --- Throughput ---


def test_a_forks_value_is_its_median_block_and_a_cases_is_their_geometric_mean(folder: Any) -> None:
    (group,) = measured(folder, {PYTORCH: [100.0, 121.0, 110.0]}).groups
    case = group.cases[0]
    assert case.medians == pytest.approx((100, 121, 110))  # blocks are at 0.9, 1.0 and 1.2 times the rate
    assert case.throughput.value == pytest.approx((100 * 121 * 110) ** (1 / 3))


def test_interval_of_three_forks_is_students_t_on_logarithms(folder: Any) -> None:
    rates = [100.0, 121.0, 110.0]
    (group,) = measured(folder, {PYTORCH: rates}).groups
    logs = [math.log(rate) for rate in rates]
    half = 4.302652729911275 * statistics.stdev(logs) / math.sqrt(3)  # t(0.975, 2), Student's table
    assert group.cases[0].throughput.low == pytest.approx(math.exp(statistics.fmean(logs) - half))


def test_the_fastest_comes_first_and_others_are_a_share_of_it(folder: Any) -> None:
    (group,) = measured(folder, {PADDLE: [50.0, 50.5, 49.5], PYTORCH: [100.0, 101.0, 99.0]}).groups
    assert [case.title for case in group.cases] == ["pytorch", "paddle"]
    assert group.cases[0].of_fastest is None
    assert group.cases[1].of_fastest.value == pytest.approx(0.5, rel=1e-3)
    assert group.leads[0].value == pytest.approx(2, rel=1e-3)
    assert not group.rivals


def test_an_interval_that_includes_one_is_undecided(folder: Any) -> None:
    (group,) = measured(folder, {PYTORCH: [100.0, 110.0, 90.0], PADDLE: [99.0, 105.0, 92.0]}).groups
    assert group.leads[0].low < 1 < group.leads[0].high
    assert [case.title for case, _ in group.rivals] == ["paddle"]


def test_a_noisy_third_is_a_rival_although_the_second_is_told_apart(folder: Any) -> None:
    steady = {PYTORCH: [100.0, 101.0, 99.0], PADDLE: [80.0, 81.0, 79.0]}
    (group,) = measured(folder, {**steady, KERAS: [20.0, 60.0, 90.0]}).groups
    assert [case.title for case in group.cases] == ["pytorch", "paddle", "keras-tensorflow"]
    assert group.leads[0].low > 1
    assert [case.title for case, _ in group.rivals] == ["keras-tensorflow"]


def test_two_forks_give_a_range(folder: Any) -> None:
    (group,) = measured(folder, {PYTORCH: [100.0, 120.0], PADDLE: [50.0, 60.0]}).groups
    assert group.leads[0].kind == "range"
    assert (group.leads[0].low, group.leads[0].high) == pytest.approx((100 / 60, 120 / 50))


def test_an_export_says_where_it_comes_from(full: Any) -> None:
    titles = {case.title for group in queries.read(full.path).groups for case in group.cases}
    assert "onnxruntime (from pytorch)" in titles


def test_phases_memory_and_steadiness(folder: Any) -> None:
    (group,) = measured(folder, {PYTORCH: [100.0, 101.0, 99.0]}).groups
    case = group.cases[0]
    assert case.phases_s == {
        "import": 2.0,  # medians over forks 1, 2, 3
        "build": 0.25,
        "first_call": 0.125,
        "warmup": 1.5,
    }
    assert case.peak_rss_mib == 103  # the largest fork's
    assert case.peak_device_mib is None
    assert case.steady == 2
    assert case.ms_per_image == pytest.approx(10, rel=1e-3)


def test_groups_stand_in_the_presets_order(full: Any) -> None:
    tasks = [(group.network, group.task) for group in queries.read(full.path).groups]
    assert tasks == [("mlp", "training"), ("mlp", "inference")]  # the second is not in the quick preset


@pytest.mark.parametrize("name", ["digest", "threads", "machine"])
def test_forks_that_cannot_be_compared_are_refused(folder: Any, name: str) -> None:
    other = {"digest": "0" * 64, "threads": 1, "machine": "other"}[name]
    folder.forks(PYTORCH, folder.certificate("mlp", "pytorch"), [100.0])
    folder.forks(PADDLE, folder.certificate("mlp", "paddle"), [100.0], key={name: other})
    with pytest.raises(UserError, match=name):
        queries.read(folder.path)


# --- Proofs ---


def test_a_cell_holds_the_largest_difference_and_the_bound_of_its_tensor(folder: Any) -> None:
    folder.certificate("mlp", "pytorch")
    (proof,) = queries.read(folder.path).proofs
    counts, values64, values32, _, gradients32, training, export, *_ = proof.cells
    assert counts.counts
    assert (values64.largest, values64.bound, values64.compared) == (3e-15, 1e-12, 24)
    assert (values32.largest, values32.bound) == (
        1.5e-6,
        2e-5,
    )  # a dense layer's, implementations/bounds.py
    assert gradients32.bound == 3e-5
    assert (training.largest, training.bound) == (5e-14, 1e-12)
    assert export is None


def test_the_bound_before_a_known_difference_is_the_wider_one(folder: Any) -> None:
    finding = {"level": 2, "precision": "float64", "mode": "training", "compared": 1, "largest": 3e-8}
    finding |= {"where": "conv1.weight", "breach": None, "passed": True}
    folder.certificate("googlenet", "paddle", findings=[finding])
    folder.certificate("googlenet", "pytorch", findings=[{**finding, "largest": 3e-15}])
    pytorch, paddle = queries.read(folder.path).proofs
    assert paddle.cells[3].bound == 1e-6  # known_differences.txt: paddle AvgPool
    assert pytorch.cells[3].bound == 1e-12


def test_the_bound_of_a_training_through_a_known_difference_is_the_wider_one(folder: Any) -> None:
    finding = {"level": 3, "precision": "float64", "mode": "SGD", "compared": 1, "largest": 3e-8}
    finding |= {"where": "logits.weight", "breach": None, "passed": True}
    folder.certificate("googlenet", "paddle", findings=[finding])
    folder.certificate("mlp", "paddle", findings=[{**finding, "largest": 3e-15}])
    googlenet, mlp = queries.read(folder.path).proofs
    assert googlenet.cells[5].bound == 1e-6
    assert mlp.cells[5].bound == 1e-12


def test_the_bound_is_unknown_where_the_checkout_has_another_network(folder: Any) -> None:
    folder.certificate("mlp", "pytorch", digest="0" * 64)
    (proof,) = queries.read(folder.path).proofs
    assert proof.cells[1].bound is None


def test_all_claims_proven_is_sealed(full: Any) -> None:
    report = queries.read(full.path)
    assert report.sealed
    assert len(report.proofs) == 4


def test_a_run_without_certificates_is_not_sealed(folder: Any) -> None:
    assert not queries.read(folder.path).sealed


def test_a_crashed_proof_breaks_the_seal_and_says_why(full: Any) -> None:
    full.crashed("vgg16", "paddle", "killed by SIGKILL")
    report = queries.read(full.path)
    assert not report.sealed
    assert [proof.breach for proof in report.breaches] == ["killed by SIGKILL"]
    assert report.breaches[0].parameters is None


def test_numbers_without_a_certificate_that_holds_are_left_out_and_named(folder: Any) -> None:
    failed = folder.certificate("mlp", "paddle", passed=False)
    folder.forks(PADDLE, failed, [10.0])
    folder.forks(PYTORCH, "unknown", [10.0])
    folder.training("pytorch", "unknown", [0.1, 0.9])
    report = queries.read(folder.path)
    assert report.groups == ()
    assert report.trainings == ()
    assert report.unproven == (
        "mlp training batch 32 in paddle, fork 1",
        "mlp training batch 32 in pytorch, fork 1",
        "recipe mlp in pytorch",
    )


# --- Training, failures, versions ---


def test_trainings_of_one_task_are_laid_over_each_other(full: Any) -> None:
    (training,) = queries.read(full.path).trainings
    assert [curve.framework for curve in training.curves] == ["pytorch", "keras-tensorflow", "paddle"]
    assert [epoch.values["test", "main", "accuracy"] for epoch in training.curves[0].epochs] == [
        0.1,
        0.8,
        0.9,
    ]
    assert training.learned[0].seconds_per_epoch == 3.0  # epochs of 2 and 4 s
    expected = 1.96 * math.sqrt(0.902 * 0.098 / 360)  # the best accuracy's binomial error
    assert training.accuracy_error == pytest.approx(expected)


def test_trainings_on_other_data_stand_apart(folder: Any) -> None:
    proofs = {name: folder.certificate("mlp", name) for name in ("pytorch", "paddle")}
    data = {"name": "fashion-mnist", "title": "Fashion-MNIST", "train_images": 60000, "test_images": 10000}
    folder.training("pytorch", proofs["pytorch"], [0.1, 0.9])
    folder.training("paddle", proofs["paddle"], [0.1, 0.9], data={**data, "sha256": "cd" * 32})
    assert len(queries.read(folder.path).trainings) == 2


def test_a_run_without_trainings(folder: Any) -> None:
    assert queries.read(folder.path).trainings == ()


def test_failures_of_one_case_and_reason_are_one_row(folder: Any) -> None:
    for number in (2, 1):
        folder.failure(PYTORCH, number, "timed out after 180 s")
    folder.failure(PYTORCH, 3, "killed by SIGKILL")
    first, second = queries.read(folder.path).failures
    assert (first.forks, first.reason) == ((1, 2), "timed out after 180 s")
    assert second.forks == (3,)


def test_mixed_versions_are_all_named(folder: Any) -> None:
    identity = folder.certificate("mlp", "pytorch")
    folder.forks(PYTORCH, identity, [10.0], versions={"torch": "2.12.0"})
    assert queries.read(folder.path).versions == {"torch": ("2.13.0+cpu", "2.12.0")}


# --- Damage ---


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        queries.read(tmp_path / "nothing")


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a run's folder"):
        queries.read(tmp_path)


@pytest.mark.parametrize(
    "path",
    [
        "run.json",
        "forks/mlp-training-b32-pytorch-fork1.json",
        "certificates/mlp-paddle.json",
        "training/mlp-paddle.json",
        "failures/forks-mlp-training-b32-pytorch-fork4.json",
    ],
)
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null", b"\xff\xfe", b'"text"'])
def test_a_damaged_file_is_refused_by_its_name(full: Any, path: str, content: bytes) -> None:
    damaged = full.path / path
    assert damaged.exists()
    damaged.write_bytes(content)
    with pytest.raises(UserError) as error:
        queries.read(full.path)
    assert damaged.name in str(error.value)


def test_a_newer_run_is_refused(folder: Any) -> None:
    folder.describe(schema_version=results.SCHEMA_VERSION + 1)
    with pytest.raises(UserError, match="newer version"):
        queries.read(folder.path)


def test_a_certificate_changed_by_hand_is_refused(full: Any) -> None:
    path = full.path / "certificates" / "mlp-paddle.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "digest": "0" * 64}))
    with pytest.raises(UserError, match="does not fit its content"):
        queries.read(full.path)


@pytest.mark.parametrize("accuracy", [-0.1, 1.1, "0.9", None])
def test_a_training_with_an_impossible_accuracy_is_refused(folder: Any, accuracy: object) -> None:
    folder.training("pytorch", "any", [0.1, accuracy])
    with pytest.raises(UserError, match="test_accuracy"):
        queries.read(folder.path)
