"""Every framework's optimizers: each has the form that its adapter declares, and no other.

What Keras computes itself is tested on TensorFlow, what its backends do differently on these. On JAX,
``python -m implementations check --optimizers`` compiles for minutes.
"""

from typing import Any

import pytest

from benchmarks import plan
from implementations import bounds, mutant_table, optimizer_table
from implementations.network import TRAINERS
from implementations.optimizer_forms import DECAYS, METHODS
from implementations.processes import Launcher
from implementations.proving import Prover
from implementations.training_mutants import TRAINING_MUTANTS

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 600.0
ONCE = [name for name in plan.preset("quick").frameworks if name in TRAINERS]
COMPILED = ("keras-tensorflow", "keras-jax")


@pytest.fixture(scope="module", params=[*ONCE, "keras-torch"])
def table(request: pytest.FixtureRequest, prover: Prover) -> tuple[str, list[dict[str, Any]]]:
    """A framework and its rows: ten steps of every method with every decay."""
    return request.param, prover.table(request.param, optimizer_table.TASK)


def test_every_optimizer_has_its_declared_form(table: tuple[str, list[dict[str, Any]]]) -> None:
    _, rows = table
    assert len(rows) == len(METHODS) * len(DECAYS)
    assert [row for row in rows if not row["passed"]] == []
    assert all(row["offered"] for row in rows if row["decay"] in ("none", "coupled", "coupled, not biases"))


def test_only_what_is_listed_keeps_float32_constants(table: tuple[str, list[dict[str, Any]]]) -> None:
    """Within 1e-12, but for two Nadams: a framework that has mended its own must be taken off the list."""
    framework, rows = table
    known = bounds.known_differences(framework)
    beyond = {row["method"] for row in rows if row["offered"] and row["dyadic"]["largest"] > 1e-12}
    every = {method.title for method in METHODS}
    assert beyond == every & known.keys()


def test_a_decoupled_decay_is_offered_where_the_framework_has_one(
    table: tuple[str, list[dict[str, Any]]],
) -> None:
    framework, rows = table
    every = {method.title for method in METHODS}
    expected = {"pytorch": {"Adam", "Nadam"}, "paddle": {"Adam"}}.get(framework, every)
    for decay in ("decoupled", "decoupled, not biases"):
        assert {row["method"] for row in rows if row["decay"] == decay and row["offered"]} == expected
    assert all("coupled with every method" in row["allowed"] for row in rows if not row["offered"])


@pytest.mark.parametrize("framework", ONCE)
def test_every_slip_of_a_training_is_caught(framework: str, prover: Prover) -> None:
    rows = prover.table(framework, mutant_table.TASKS["trainings"])
    assert {row["name"] for row in rows} == {mutant.name for mutant in TRAINING_MUTANTS}
    assert [row for row in rows if not row["caught"]] == []


@pytest.mark.parametrize("framework", ONCE)
def test_no_other_form_can_be_declared(framework: str, launcher: Launcher, children_path: None) -> None:
    unnoticed = launcher.ask(framework, "child_tasks:with_a_wrong_form", {"name": framework}, TIMEOUT_S)
    plain = unnoticed.pop("SGD")
    assert plain == ["rate outside", "rate inside"]  # without a velocity both are the same
    assert all(len(forms) == 1 for forms in unnoticed.values()), unnoticed


@pytest.mark.parametrize("framework", TRAINERS)
def test_what_is_frozen_is_not_updated_and_does_not_decay(
    framework: str, launcher: Launcher, children_path: None
) -> None:
    changed = launcher.ask(framework, "child_tasks:changed_by_training", {"frozen": "hidden"}, TIMEOUT_S)
    assert changed == {
        "hidden.weight": False,
        "hidden.bias": False,
        "logits.weight": True,
        "logits.bias": True,
    }


@pytest.mark.parametrize("framework", COMPILED)
def test_keras_velocity_contains_the_rate_unless_it_is_rescaled(
    framework: str, launcher: Launcher, children_path: None
) -> None:
    found = launcher.ask(framework, "child_tasks:rate_assigned_past_the_adapter", {}, TIMEOUT_S)
    assert found == {"rate inside": True, "rate outside": False}


def test_keras_refuses_a_rate_that_rises_from_0(launcher: Launcher, children_path: None) -> None:
    said = launcher.ask("keras-tensorflow", "child_tasks:refused_rate", {}, TIMEOUT_S)
    assert "contains the rate and is lost at 0" in said
