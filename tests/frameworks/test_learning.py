"""What trainings need of every adapter: all heads' outputs, the optimizer's state, seeds, activations."""

from typing import Any

import pytest

from implementations import bounds
from implementations.commandline import ROOT
from implementations.network import TRAINERS
from implementations.processes import Launcher

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 600.0
CHILDREN = ROOT / "tests" / "children"
RATE = {"learning_rate": 2**-6}
METHODS: dict[str, dict[str, Any]] = {
    "SGD": {**RATE, "momentum": 0.875},
    "Adam": RATE,
    "Nadam": RATE,
    "Adamax": RATE,
    "RMSprop": RATE,
    "Adagrad": RATE,
    "Adadelta": RATE,
}
COMPILED = {"keras-tensorflow": ("SGD", "Nadam"), "keras-jax": ("SGD",)}  # every network anew


@pytest.fixture(scope="module", params=TRAINERS)
def found(request: pytest.FixtureRequest, launcher: Launcher) -> Any:
    """What one child with the framework says of all this."""
    methods = {name: METHODS[name] for name in COMPILED.get(request.param, METHODS)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(CHILDREN))
        return launcher.ask(request.param, "learning_tasks:everything", {"methods": methods}, TIMEOUT_S)


def test_every_head_is_evaluated_in_inference_mode(found: dict[str, Any]) -> None:
    """Dropout of 0.5 would move the logits by about their size."""
    assert found["heads"].keys() == {"main", "side"}
    assert max(found["heads"].values()) < bounds.DENSE_FLOAT32  # float32, level 1's bound of dense layers


def test_evaluating_many_pictures_keeps_none(found: dict[str, Any]) -> None:
    assert found["kept"] == 0


def test_a_step_draws_from_its_last_seed_alone(found: dict[str, Any]) -> None:
    wanted = {"again": True, "another seed": False, "the last seed": True, "evaluated before": True}
    assert found["steps"] == wanted


def test_a_training_goes_on_from_weights_and_optimizer_state(found: dict[str, Any]) -> None:
    """Bit for bit, in a network built anew, and twice; without the state it would be another."""
    for method, told in found["goes on"].items():
        assert told["same"], method
        assert told["same again"], method
        assert not told["same without state"], method
        assert told["arrays"] > 0, method


def test_images_that_the_device_keeps_are_those_that_are_put_there(found: dict[str, Any]) -> None:
    """Bit for bit, and so the step."""
    told = found["picked"]
    assert len(told) == 6
    assert all(told.values()), told


def test_every_activation_has_the_references_gradient(found: dict[str, Any]) -> None:
    assert found["activations"].keys() == {"sigmoid", "tanh", "elu"}
    assert max(found["activations"].values()) < 1e-12  # level 2's bound in float64
