import pytest

from benchmarks import plan
from benchmarks.plan import Case
from implementations.errors import UserError
from implementations.network import ADAPTERS

EVERYONE = tuple(ADAPTERS)
SCHEDULED = [Case("mlp", "training", batch, "pytorch") for batch in range(1, 9)]


def test_the_quick_preset_measures_the_five_cases_of_the_main_job() -> None:
    found = {case.work[:3] for case in plan.cases(plan.preset("quick"), EVERYONE)}
    assert found == {
        ("googlenet", "inference", 1),
        ("googlenet", "inference", 8),
        ("googlenet", "training", 4),
        ("vgg16", "inference", 1),
        ("mlp", "training", 32),
    }


def test_every_case_is_measured_in_every_framework_that_trains() -> None:
    found = plan.cases(plan.preset("quick"), EVERYONE)
    for name in (name for name in EVERYONE if ADAPTERS[name].trains):
        assert [case.work[:3] for case in found if case.framework == name] == list(plan.QUICK)


def test_onnxruntime_is_never_trained() -> None:
    found = [case for case in plan.cases(plan.preset("full"), EVERYONE) if case.framework == "onnxruntime"]
    assert {case.task for case in found} == {"inference", "copy"}


def test_onnxruntime_runs_the_export_of_pytorch() -> None:
    found = [case for case in plan.cases(plan.preset("quick"), EVERYONE) if case.framework == "onnxruntime"]
    assert {case.exporter for case in found} == {"pytorch"}


def test_only_an_export_names_an_exporter() -> None:
    found = plan.cases(plan.preset("quick"), EVERYONE)
    assert all(case.exporter is None for case in found if case.framework != "onnxruntime")


def test_onnxruntime_is_left_out_where_its_exporter_is() -> None:
    found = plan.cases(plan.preset("quick"), ["paddle", "onnxruntime"])
    assert {case.framework for case in found} == {"paddle"}


def test_networks_can_be_chosen() -> None:
    found = plan.cases(plan.preset("standard"), ["pytorch"], ["mlp"])
    assert [case.work[:3] for case in found] == [("mlp", "training", 32), ("mlp", "inference", 32)]


@pytest.mark.parametrize(("smaller", "larger"), [("quick", "standard"), ("standard", "full")])
def test_a_larger_preset_holds_the_smaller_one(smaller: str, larger: str) -> None:
    assert set(plan.preset(smaller).work) < set(plan.preset(larger).work)


@pytest.mark.parametrize("name", plan.PRESETS)
def test_a_preset_has_forks_enough_for_an_interval(name: str) -> None:
    assert plan.preset(name).forks >= 3  # intervals.FEWEST_FORKS: below it only a range is shown


def test_the_quick_preset_measures_keras_once() -> None:
    """On every backend, two cores would need more than the main job's 15 minutes."""
    quick = plan.preset("quick")
    assert quick.frameworks == ("pytorch", "keras-tensorflow", "paddle", "onnxruntime")
    assert quick.left_out == ("keras-jax", "keras-torch")


@pytest.mark.parametrize("name", ["standard", "full"])
def test_larger_presets_leave_out_no_framework(name: str) -> None:
    assert plan.preset(name).frameworks == EVERYONE
    assert plan.preset(name).left_out == ()


def test_an_unknown_preset_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(
        UserError, match=r"given quik; allowed: quick, standard, sweep, node, noise, nights, full"
    ):
        plan.preset("quik")


# --- Slugs and titles ---------------------------------------------------------------------


@pytest.mark.parametrize("name", plan.PRESETS)
def test_slugs_are_unique(name: str) -> None:
    slugs = [case.slug for case in plan.cases(plan.preset(name), EVERYONE)]
    assert len(set(slugs)) == len(slugs)


def test_exports_of_two_frameworks_have_slugs_of_their_own() -> None:
    exports = [Case("mlp", "inference", 1, "onnxruntime", exporter) for exporter in ("pytorch", "paddle")]
    assert exports[0].slug != exports[1].slug


def test_a_slug_is_one_name_in_a_folder() -> None:
    slug = Case("vgg16", "inference", 8, "onnxruntime", "pytorch").slug
    assert slug == "vgg16-inference-b8-onnxruntime-from-pytorch"


def test_a_title_says_where_an_export_comes_from() -> None:
    assert Case("mlp", "inference", 1, "onnxruntime", "paddle").title == "onnxruntime (from paddle)"


# --- The schedule -------------------------------------------------------------------------


def rounds(forks: int, seed: int) -> list[list[Case]]:
    order = plan.schedule(SCHEDULED, forks, seed)
    return [[case for case, fork in order if fork == number] for number in range(1, forks + 1)]


def test_every_round_holds_each_case_once() -> None:
    for turn in rounds(forks=4, seed=0):
        assert sorted(turn, key=lambda case: case.batch) == SCHEDULED


def test_a_round_is_finished_before_the_next_begins() -> None:
    numbers = [fork for _, fork in plan.schedule(SCHEDULED, 3, seed=0)]
    assert numbers == sorted(numbers) == [1] * 8 + [2] * 8 + [3] * 8


def test_rounds_differ_in_their_order() -> None:
    first, second, third = rounds(forks=3, seed=0)
    assert first != second != third != first


def test_the_order_is_not_the_tables() -> None:
    assert rounds(forks=1, seed=0) != [SCHEDULED]


def test_the_same_seed_gives_the_same_order() -> None:
    assert plan.schedule(SCHEDULED, 3, seed=7) == plan.schedule(SCHEDULED, 3, seed=7)


def test_another_seed_gives_another_order() -> None:
    assert plan.schedule(SCHEDULED, 3, seed=7) != plan.schedule(SCHEDULED, 3, seed=8)


def test_the_cases_handed_in_keep_their_order() -> None:
    given = list(SCHEDULED)
    plan.schedule(given, 3, seed=0)
    assert given == SCHEDULED


# --- Policies -----------------------------------------------------------------------------


def test_a_policys_cases_are_other_cases() -> None:
    equal, best = (
        plan.cases(plan.preset("quick"), ["pytorch"], ["mlp"], policy) for policy in ("equal", "best")
    )
    assert [case.policy for case in [*equal, *best]] == ["equal", "best"]
    assert equal[0].slug == "mlp-training-b32-pytorch"
    assert best[0].slug == "mlp-training-b32-pytorch-best"
    assert best[0].title == "pytorch, best"


def test_where_a_policy_switches_nothing_on_equal_has_the_case() -> None:
    found = plan.cases(plan.preset("quick"), ["pytorch", "onnxruntime"], policy="best")
    assert {case.framework for case in found} == {"pytorch"}


def test_on_cuda_onnxruntime_has_switches_of_its_own() -> None:
    found = plan.cases(plan.preset("quick"), ["pytorch", "onnxruntime"], policy="best", device="cuda:0")
    assert {case.framework for case in found} == {"pytorch", "onnxruntime"}


def test_a_case_names_the_claim_that_it_rests_on() -> None:
    found = plan.cases(plan.preset("quick"), ["pytorch", "onnxruntime"], ["vgg16"])
    assert [(case.claim.framework, case.claim.exporter) for case in found] == [
        ("pytorch", None),
        ("onnxruntime", "pytorch"),
    ]


def test_a_network_that_a_preset_does_not_list_is_measured_all_the_same() -> None:
    found = plan.cases(plan.preset("quick"), ["pytorch"], ["resnet50", "mlp"])
    assert [case.work[:3] for case in found] == [
        ("mlp", "training", 32),
        ("resnet50", "inference", 1),
        ("resnet50", "inference", 8),
        ("resnet50", "training", 4),
    ]


def test_a_network_without_a_head_is_not_trained() -> None:
    found = plan.cases(plan.preset("quick"), ["pytorch"], ["vgg16-base"])
    assert {case.task for case in found} == {"inference"}
