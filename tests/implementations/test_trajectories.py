"""Level 3: it passes on itself, sees slips, names the first parameter, and knows frozen parameters."""

import dataclasses
import itertools
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from reference_adapter import ReferenceFramework, ReferenceNetwork

from implementations import (
    bounds,
    networks,
    optimizer_forms,
    sameness,
    training_mutants,
    trajectories,
    weights,
)
from implementations.errors import UserError
from implementations.network import Settings
from implementations.optimizer_forms import DECAYS, METHODS
from implementations.spec import Network, Parameter
from implementations.training import SGD, Decay
from implementations.training_mutants import TRAINING_MUTANTS, TrainingMutant
from implementations.trajectories import SHARED, Trial, small_network

SETTINGS = Settings()


def trial(**changes: Any) -> Trial:
    return dataclasses.replace(Trial.on_probe(small_network(), SHARED), **changes)


def test_the_reference_agrees_with_itself() -> None:
    finding = trajectories.prove(ReferenceFramework(), trial(), SETTINGS)
    assert finding.passed
    assert (finding.level, finding.precision, finding.mode) == (3, "float64", "SGD")
    assert (finding.compared, finding.largest) == (4, 0.0)


def test_nothing_is_held_while_a_step_is_taken() -> None:
    """Each pair is gone before the next is made: of a large network, two are gigabytes."""
    made, born, alive = trial(), [], []

    def taken() -> dict[str, Any]:
        values = {path: np.asarray(value, np.float64) for path, value in made.start.items()}
        born.extend(map(weakref.ref, values.values()))
        return values

    def steps() -> Iterator[dict[str, Any]]:
        for _ in range(3):
            alive.append(sum(each() is not None for each in born))
            yield taken()

    trajectories.followed(made, trajectories.in_step(steps(), steps()), None, SETTINGS, 1.0)
    assert alive == [0, 4, 0, 4, 0, 4]  # theirs first; four parameters


def test_the_reference_takes_as_many_steps() -> None:
    with pytest.raises(ValueError, match="more steps"):
        list(trajectories.in_step(iter([{}, {}]), iter([{}])))


def test_every_step_sees_another_batch_and_half_of_them_another_rate() -> None:
    made = list(trial().batches())
    assert len(made) == 10
    assert [rate for rate, _, _ in made] == [2**-8] * 5 + [2**-11] * 5
    for (_, before, _), (_, after, _) in itertools.pairwise(made):
        assert not np.array_equal(before, after)


def test_updates_are_large_enough_to_be_compared() -> None:
    """An update of 1e-3 of the weights leaves thirteen digits of sixteen, on the first step already."""
    made = trial()
    after = next(trajectories.by_reference(made, "rate outside"))
    for path, value in after.items():
        start = np.asarray(made.start[path], np.float64)
        assert np.abs(value - start).max() > 1e-3 * np.abs(start).max()


@pytest.mark.parametrize("mutant", TRAINING_MUTANTS, ids=lambda mutant: mutant.name)
def test_every_slip_is_seen(mutant: TrainingMutant) -> None:
    framework = ReferenceFramework()
    forms = training_mutants._wrong_forms(mutant, framework.forms())
    assert forms
    for form in forms:
        row = training_mutants._row(mutant, form, framework, trial(optimizer=mutant.optimizer), SETTINGS, ())
        assert row["caught"], row
        assert row["first"]


def test_a_slip_that_is_none_is_not_reported_as_caught() -> None:
    harmless = dataclasses.replace(TRAINING_MUTANTS[0], declared=())
    made = trial(optimizer=harmless.optimizer)
    assert not training_mutants._row(harmless, "rate outside", ReferenceFramework(), made, SETTINGS, {})[
        "caught"
    ]


def test_the_probe_weights_are_brought_to_unit_scale() -> None:
    """Images of scale 50 had biases as wide as 15 and heads shrunk by 50."""
    network = networks.build("probe")
    probe, start = weights.probe(network, 0), Trial.on_probe(network, SHARED).start
    assert np.allclose(start["conv1.weight"], probe["conv1.weight"], rtol=1e-6)
    assert np.allclose(start["conv1.bias"], probe["conv1.bias"] / 50 / 6, rtol=1e-6)
    assert np.allclose(start["logits.weight"], probe["logits.weight"] * 50, rtol=1e-6)
    assert np.allclose(start["logits.bias"], probe["logits.bias"] / 6, rtol=1e-6)
    assert {value.dtype for value in start.values()} == {np.dtype(np.float32)}


class Frozen(ReferenceNetwork):
    """Updates every parameter but one."""

    def train_step(self, batch: Any) -> float:
        kept = self.values["logits.bias"]
        loss = super().train_step(batch)
        self.values["logits.bias"] = kept
        return loss


class FrozenFramework(ReferenceFramework):
    def build(self, network: Network, weights: Any, settings: Settings, *, training: bool) -> Any:
        return Frozen(network, weights, settings, training)


def test_the_first_parameter_that_differs_is_named() -> None:
    finding = trajectories.prove(FrozenFramework(), trial(), SETTINGS)
    assert finding.breach is not None
    assert (finding.breach.path, finding.breach.difference) == ("logits.bias", 1.0)
    assert finding.breach.expected.endswith("after step 1")
    assert finding.breach.got == "0"  # the update, not the parameter


class FrozenBias(Network):
    """The small network with its last bias declared frozen."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:  # type: ignore[override]
        return tuple(
            dataclasses.replace(p, trainable=p.path != "logits.bias")
            for node in self.nodes
            for p in node.parameters
        )

    def without_dropout(self) -> Network:
        return self


def frozen_bias() -> Network:
    network = small_network()
    return FrozenBias(network.name, network.input_shape, network.classes, network.layers)


def test_a_frozen_parameter_must_keep_its_value() -> None:
    optimizer = dataclasses.replace(SHARED, decay=Decay(2**-5, "coupled"))
    made = Trial.on_probe(frozen_bias(), optimizer)
    *_, after = trajectories.by_reference(made, "rate outside")
    assert np.array_equal(after["logits.bias"], made.start["logits.bias"])
    assert trajectories.prove(FrozenFramework(), made, SETTINGS).passed


class Thawed(ReferenceFramework):
    """Trains every parameter, whatever the network says."""

    def build(self, network: Network, weights: Any, settings: Settings, *, training: bool) -> Any:
        return super().build(small_network(), weights, settings, training=training)


def test_an_update_of_a_frozen_parameter_is_seen() -> None:
    finding = trajectories.prove(Thawed(), Trial.on_probe(frozen_bias(), SHARED), SETTINGS)
    assert finding.breach is not None
    assert finding.breach.path == "logits.bias"


def test_an_update_that_is_not_a_number_is_seen() -> None:
    class Broken(ReferenceFramework):
        def build(self, network: Network, weights: Any, settings: Settings, *, training: bool) -> Any:
            spoilt = {**weights, "hidden.bias": np.full_like(weights["hidden.bias"], np.nan)}
            return super().build(network, spoilt, settings, training=training)

    assert not trajectories.prove(Broken(), trial(), SETTINGS).passed


class Counting(ReferenceFramework):
    """Keeps the number of images of every step."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def build(self, network: Network, weights: Any, settings: Settings, *, training: bool) -> Any:
        built = super().build(network, weights, settings, training=training)
        step = built.train_step
        built.train_step = lambda batch: self.seen.append(len(batch[1])) or step(batch)
        return built


def test_costly_networks_take_fewer_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    small, costly, large = Counting(), Counting(), Counting()
    values = weights.probe(small_network(), 0)
    trajectories.prove_network(small, small_network(), values, SETTINGS)
    monkeypatch.setattr(trajectories, "COSTLY", 1)
    assert trajectories.prove_network(costly, small_network(), values, SETTINGS).passed
    monkeypatch.setattr(sameness, "LARGE", 1)
    assert trajectories.prove_network(large, small_network(), values, SETTINGS).passed
    assert (small.seen, costly.seen, large.seen) == ([2] * 10, [1] * 3, [1])


class Drifting(ReferenceNetwork):
    """Its gradients are off by 3e-8, as Paddle's are before an average pool."""

    def gradients(self, images: Any, labels: Any) -> tuple[float, dict[str, Any]]:
        loss, gradients = super().gradients(images, labels)
        return loss, {path: value * (1 + 3e-8) for path, value in gradients.items()}


class DriftingFramework(ReferenceFramework):
    def build(self, network: Network, weights: Any, settings: Settings, *, training: bool) -> Any:
        return Drifting(network, weights, settings, training)


def test_a_known_difference_is_replayed_from_the_frameworks_own_weights() -> None:
    finding = trajectories.prove(DriftingFramework(), trial(), SETTINGS, known={"Dense"})
    assert finding.passed
    assert finding.largest < 3.1e-8  # in every step anew, not grown
    assert not trajectories.prove(DriftingFramework(), trial(), SETTINGS).passed


@pytest.mark.parametrize("mutant", TRAINING_MUTANTS, ids=lambda mutant: mutant.name)
def test_slips_are_seen_in_a_replay_too(mutant: TrainingMutant) -> None:
    framework, made = ReferenceFramework(), trial(optimizer=mutant.optimizer)
    for form in training_mutants._wrong_forms(mutant, framework.forms()):
        row = training_mutants._row(mutant, form, framework, made, SETTINGS, {"Dense": "backward"})
        assert row["caught"] or mutant.name == "decay-slightly-off", row  # 4e-9: below the wider bound


def test_bounds_widen_only_for_what_is_listed() -> None:
    mlp, googlenet = networks.build("mlp"), networks.build("googlenet")
    paddle, keras = (bounds.known_differences(name) for name in ("paddle", "keras-tensorflow"))
    assert bounds.training(mlp, "SGD", paddle) == 1e-12
    assert bounds.training(googlenet, "SGD", paddle) == 1e-6
    assert bounds.training(mlp, "Nadam", keras) == 1e-6
    assert bounds.training(mlp, "Adam", keras) == 1e-12
    assert bounds.training(googlenet, "Nadam") == 1e-12


# --- The table of forms -------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return optimizer_forms.measure(ReferenceFramework(), settings=SETTINGS, name="pytorch")


def test_the_table_has_every_method_and_decay(rows: list[dict[str, Any]]) -> None:
    assert len({(row["method"], row["decay"]) for row in rows}) == len(METHODS) * len(DECAYS) == 45
    assert all(row["passed"] and row["dyadic"]["largest"] == 0.0 for row in rows)


def test_forms_of_one_method_are_apart_at_ordinary_values(rows: list[dict[str, Any]]) -> None:
    apart = {row["method"]: row["ordinary"] for row in rows if "ordinary" in row}
    assert len(apart) == len(METHODS)
    assert apart["SGD"]["rate inside"] < 1e-15  # without a velocity there is nothing to stand inside of
    for method, found in apart.items():
        others = [value for value in found.values() if value > 0]
        assert len(others) == len(found) - 1 or method == "SGD"


def test_a_wrong_declaration_fails(rows: list[dict[str, Any]]) -> None:
    class Misled(ReferenceFramework):
        def forms(self) -> Mapping[Any, str]:  # type: ignore[override]
            return {**super().forms(), SGD: "rate inside"}

    found = optimizer_forms.measure(Misled(), settings=SETTINGS, name="pytorch")
    wrong = {row["method"] for row in found if not row["passed"]}
    assert wrong == {"SGD, momentum", "SGD, Nesterov"}
    assert {row["form"] for row in found if not row["passed"]} == {"rate inside"}
    assert len(found) == len(rows)


def test_a_decay_that_is_not_offered_is_told_not_hidden() -> None:
    class Refusing(ReferenceFramework):
        def build(self, network: Network, weights: Any, settings: Settings, *, training: bool) -> Any:
            built = super().build(network, weights, settings, training=training)
            prepare = built.prepare_training

            def prepared(optimizer: Any) -> None:
                if optimizer.decay and optimizer.decay.kind == "decoupled":
                    raise UserError("not here", given="decoupled", allowed="coupled", todo="choose that")
                prepare(optimizer)

            built.prepare_training = prepared
            return built

    found = optimizer_forms.measure(Refusing(), settings=SETTINGS, name="pytorch")
    refused = [row for row in found if not row["offered"]]
    assert {row["decay"] for row in refused} == {"decoupled", "decoupled, not biases"}
    assert {row["allowed"] for row in refused} == {"coupled"}
