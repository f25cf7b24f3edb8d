"""The comparison itself: it must bite, name the first difference, and never pass on nothing."""

import dataclasses
import gc
import weakref
from typing import Any

import numpy as np
import pytest
from reference_adapter import ReferenceFramework

from implementations import bounds, mutants, networks, sameness, weights
from implementations.mutants import HARMLESS, MUTANTS, Mutant
from implementations.network import Settings
from implementations.sameness import Case, Finding, compare, difference
from implementations.spec import Loss
from implementations.training_mutants import TRAINING_MUTANTS

SETTINGS = Settings()
SMALL = ("probe", "probe-bn")  # the other networks' mutants take a framework's speed
FLOAT64 = Settings(precision="float64")


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {key: mutants._case(key) for key in SMALL}


def prove(case: Case, **options: Any) -> list[Finding]:
    return sameness.prove(ReferenceFramework(), case, SETTINGS, **options)


@pytest.mark.parametrize("name", SMALL)
def test_the_reference_agrees_with_itself(name: str, cases: dict[str, Case]) -> None:
    bare = dataclasses.replace(cases[name], network=cases[name].network.without_dropout())
    findings = prove(bare)
    assert all(finding.passed for finding in findings)
    assert {finding.level for finding in findings} == {0, 1, 2}
    exact = [f.largest for f in findings if f.precision == "float64"]
    assert max(exact) == 0.0


def test_a_model_that_holds_itself_is_given_up_before_the_next_precision(
    cases: dict[str, Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sameness, "MANY", 0)
    built: list[weakref.ref[Any]] = []
    alive = []

    class HoldingThemselves(ReferenceFramework):
        def build(self, *arguments: Any, **options: Any) -> Any:
            if options["training"]:
                alive.append(sum(one() is not None for one in built))
            made = super().build(*arguments, **options)
            made.itself = made
            built.append(weakref.ref(made))
            return made

    gc.disable()
    try:
        sameness.prove(HoldingThemselves(), cases["probe"], SETTINGS)
    finally:
        gc.enable()
    assert alive == [0, 0]


def failure(mutant: Mutant, case: Case) -> Finding | None:
    return mutants._first_failure(ReferenceFramework(), case, SETTINGS, {}, mutant.change)


def row_of(mutant: Mutant, case: Case) -> dict[str, Any]:
    return mutants._row(mutant, failure(mutant, case))


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.network in SMALL], ids=lambda mutant: mutant.name)
def test_mutant_is_caught_at_its_level_in_its_layer(mutant: Mutant, cases: dict[str, Case]) -> None:
    row = row_of(mutant, cases[mutant.network])
    assert row["found"] == row["expected"]
    assert row["caught"]


def test_a_mutant_that_changes_nothing_is_not_caught(cases: dict[str, Case]) -> None:
    """The table can fail: a slip that is none is reported as having got away."""
    nothing = dataclasses.replace(MUTANTS[6], change=lambda case: case)
    assert not row_of(nothing, cases[nothing.network])["caught"]


def test_a_harmless_slip_must_pass(cases: dict[str, Case]) -> None:
    """The other way round: one that is caught is an error of the proof."""
    harmful = next(mutant for mutant in MUTANTS if mutant.name == "lrn-size")
    assert not mutants._row(HARMLESS[0], failure(harmful, cases["probe"]))["caught"]
    assert mutants._row(HARMLESS[0], None)["caught"]


@pytest.mark.parametrize(
    ("loss", "taken"),
    [
        ("mean_squared_error", Loss("softmax", labels="one_hot")),
        ("mean_squared_error", Loss("squared", "sum", "one_hot")),
        ("categorical_crossentropy", Loss("squared", labels="one_hot")),
    ],
)
def test_another_loss_than_the_chosen_one_is_caught(loss: str, taken: Loss) -> None:
    network = networks.build("mlp", input_size=(6, 6), loss=loss)
    case = Case.on_probe(network, weights.probe(network, 0), 2)
    assert all(finding.passed for finding in prove(case))
    slipped = prove(case, slip=lambda given: mutants._with_network(given, loss=taken))
    breach = next(finding for finding in slipped if not finding.passed)
    assert (breach.level, breach.breach.path) == (2, "loss")  # type: ignore[union-attr]


def test_there_are_at_least_thirty_mutants_of_unlike_names() -> None:
    every = (*MUTANTS, *HARMLESS, *TRAINING_MUTANTS)
    assert len({mutant.name for mutant in every}) == len(every)
    assert len(MUTANTS) >= 30


@pytest.mark.parametrize(
    ("got", "expected", "apart"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.2], [1.0, 2.0], 0.1),
        ([-1.0, 4.0], [1.0, 4.0], 0.5),
        ([0.0, 0.0], [0.0, 0.0], 0.0),
        ([0.0, 1e-30], [0.0, 0.0], np.inf),
        ([np.nan, 2.0], [1.0, 2.0], np.inf),
        ([np.inf, 2.0], [1.0, 2.0], np.inf),
    ],
    ids=["equal", "tenth", "sign", "both-zero", "zero-reference", "nan", "infinite"],
)
def test_difference(got: list[float], expected: list[float], apart: float) -> None:
    assert difference(np.array(got), np.array(expected)) == pytest.approx(apart)


def test_difference_sees_the_last_element_of_a_large_array() -> None:
    expected = np.ones(3 * sameness.CHUNK + 1)
    got = expected.copy()
    got[-1] = 1.5
    assert difference(got, expected) == 0.5


def test_the_first_breach_is_named_with_both_values() -> None:
    pairs = [
        ("a", np.ones(2), np.ones(2)),
        ("b", np.array([1.0, 5.0]), np.array([1.0, 4.0])),
        ("c", np.zeros(2), np.ones(2)),
    ]
    finding = compare(1, FLOAT64, "training", pairs, lambda path: 1e-12)
    assert finding.breach is not None
    assert (finding.breach.path, finding.breach.expected, finding.breach.got) == ("b", "4 at (1,)", "5")
    assert (finding.where, finding.largest) == ("c", 1.0)


@pytest.mark.parametrize("got", [None, np.ones(3), np.ones((2, 1))], ids=["absent", "longer", "shaped"])
def test_an_array_that_cannot_be_compared_is_a_breach(got: np.ndarray | None) -> None:
    finding = compare(1, FLOAT64, "training", [("a", got, np.ones(2))], lambda path: 1.0)
    assert finding.breach is not None
    assert finding.breach.difference is None


def test_nothing_compared_is_not_a_pass() -> None:
    assert not compare(1, FLOAT64, "training", [], lambda path: 1.0).passed


def test_a_difference_at_the_bound_passes_and_above_it_fails() -> None:
    pairs = [("a", np.array([1.25]), np.array([1.0]))]
    assert compare(1, FLOAT64, "training", pairs, lambda path: 0.25).passed
    assert not compare(1, FLOAT64, "training", pairs, lambda path: 0.2499).passed


class WrongPrecision(ReferenceFramework):
    """Says float64 and computes float32, as a cached default dtype once made Keras do."""

    def build(self, network: Any, weights: Any, settings: Settings, *, training: bool) -> Any:
        settings = dataclasses.replace(settings, precision="float64")
        return super().build(network, weights, settings, training=training)


def test_another_precision_than_asked_for_is_caught(cases: dict[str, Case]) -> None:
    findings = sameness.prove(WrongPrecision(), cases["probe"], SETTINGS, precisions=("float32",))
    assert findings[0].breach is not None
    assert findings[0].breach.path == "precision"


def test_bounds_are_the_designs() -> None:
    network = networks.build("vgg16")
    values32 = bounds.values(network, SETTINGS)
    assert (values32("conv1_1"), values32("fc6"), values32("fc6.linear")) == (1e-5, 2e-5, 2e-5)
    assert bounds.values(network, FLOAT64)("fc6") == 1e-12
    assert bounds.gradients(network, SETTINGS)("fc6.weight") == 3e-5
    assert bounds.gradients(network, FLOAT64)("fc6.weight") == 1e-12
    assert bounds.values(network, Settings(devices=("cuda:0",)))("conv1_1") == 1e-4


def test_joined_dense_outputs_have_the_bound_of_the_numbers_that_they_repeat() -> None:
    bound = bounds.values(networks.build("inception-exercise"), SETTINGS)
    assert (bound("inception.a_fc"), bound("inception"), bound("inception.a_1x1")) == (2e-5, 2e-5, 1e-5)
    assert bounds.values(networks.build("googlenet"), SETTINGS)("inception_3a") == 1e-5  # of convolutions


def test_known_differences_widen_only_what_lies_before_their_layer() -> None:
    known = bounds.known_differences("paddle")
    assert known == {"AvgPool": "backward", "GlobalAvgPool": "backward", "BatchNorm": "forward"}
    assert bounds.known_differences("pytorch") == {"Nadam": "update"}
    network = networks.build("googlenet")
    bound = bounds.gradients(network, FLOAT64, {"AvgPool": "backward"})
    assert bound("conv1.weight") == bound("inception_4d.5x5.bias") == 1e-6
    # behind the auxiliary heads' pools, and after the last branch to them
    assert bound("auxiliary_4a.conv.weight") == bound("inception_4e.1x1.weight") == bound("loss") == 1e-12
    assert bounds.gradients(network, SETTINGS, {"AvgPool": "backward"})("conv1.weight") == 3e-5


def test_backward_constants_do_not_widen_values() -> None:
    network = networks.build("googlenet")
    assert bounds.values(network, FLOAT64, {"AvgPool": "backward"})("logits") == 1e-12


def test_forward_constants_widen_values_from_their_layer_on() -> None:
    network, known = networks.build("probe-bn"), {"BatchNorm": "forward"}
    bound = bounds.values(network, FLOAT64, known)
    assert bound("conv1") == 1e-12
    assert bound("conv1_bn.linear") == bound("conv2") == bound("logits") == 1e-6
    layer_by_layer = bounds.values(network, FLOAT64, known, replayed=True)
    assert (layer_by_layer("conv1_bn"), layer_by_layer("conv2")) == (1e-6, 1e-12)
    gradient = bounds.gradients(network, FLOAT64, known)
    assert gradient("conv2.weight") == gradient("residual.conv_bn.bias") == 1e-6
    assert gradient("fc.weight") == 1e-12


def test_probe_images_are_large_where_there_is_normalisation() -> None:
    assert weights.image_scale(networks.build("googlenet")) == 50.0
    assert weights.image_scale(networks.build("vgg16")) == 1.0


def test_only_networks_as_large_as_vgg16_are_proven_on_one_image() -> None:
    assert sameness.proof_batch(networks.build("vgg16")) == 1
    assert sameness.proof_batch(networks.build("googlenet")) == 2
    assert sameness.proof_batch(networks.build("vgg16", input_size=(64, 64))) == 2
