"""Policies in the real frameworks: proven under their own switches, and reported as they were asked for."""

from typing import Any

import pytest

from implementations import certificates, policies
from implementations.claims import Claim
from implementations.network import TRAINERS, plain
from implementations.processes import Launcher
from implementations.proving import Prover

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 600.0


@pytest.fixture(scope="module")
def best(prover: Prover) -> dict[str, dict[str, Any]]:
    """Certificates under the policy ``best``, by framework."""
    wanted = [Claim(name, "probe", policy="best") for name in TRAINERS if name != "keras-jax"]
    return {claim.framework: made for claim, made in prover.all(wanted).items()}


@pytest.mark.parametrize("framework", [name for name in TRAINERS if name != "keras-jax"])
def test_best_is_proven_under_its_own_switches(framework: str, best: dict[str, dict[str, Any]]) -> None:
    certificate = best[framework]
    assert certificates.first_breach(certificate) == ""
    chosen = policies.switches("best", plain(framework), "cpu")
    assert certificate["switches"] == policies.as_data(chosen)
    assert certificate["policy"] == "best"


@pytest.mark.parametrize("framework", ["pytorch", "keras-tensorflow", "keras-torch"])
def test_the_precision_that_best_is_timed_in_is_proven(
    framework: str, best: dict[str, dict[str, Any]]
) -> None:
    """On a processor that multiplies bfloat16 that is level 5; on another one it is float32."""
    certificate = best[framework]
    expected = policies.mixed_precision(policies.Switches(mixed=True), "cpu", ("bfloat16",))
    assert certificate["precision"] == expected
    modes = [found["mode"] for found in certificates.at_level(certificate, 5, "bfloat16")]
    assert modes == (["timed", "gradients"] if expected == "bfloat16" else [])


@pytest.mark.parametrize(
    ("framework", "policy", "reported"),
    [
        ("pytorch", "equal", {"channels_last": "False", "compiled": "False", "computes_in": "float32"}),
        ("pytorch", "best", {"channels_last": "True", "compiled": "False"}),
        ("keras-tensorflow", "equal", {"compiled_by_xla": "False", "computes_in": "float32"}),
        ("keras-torch", "equal", {"computes_in": "float32", "threads": "1"}),
        ("paddle", "equal", {"computes_in": "float32", "threads": "1"}),
        ("paddle", "best", {"engine_onednn": "True", "engine_threads": "1", "engine_gpu": "False"}),
    ],
)
def test_switches_are_reported_as_they_were_asked_for(
    framework: str, policy: str, reported: dict[str, str], launcher: Launcher, children_path: None
) -> None:
    found = launcher.ask(framework, "child_tasks:read_back", {"policy": policy}, TIMEOUT_S)
    assert reported.items() <= found.items()


@pytest.mark.parametrize(
    ("framework", "switches", "reported"),
    [
        ("pytorch", {"compile": True, "channels_last": True}, {"compiled": "True", "channels_last": "True"}),
        # On the CPU PyTorch leaves the graphs out, and says so.
        ("pytorch", {"compile": True, "graphs": True}, {"compiled": "True", "cuda_graphs": "False"}),
        ("keras-tensorflow", {"compile": True}, {"compiled_by_xla": "True"}),
    ],
)
def test_compiled_networks_are_proven_on_the_compiled_path(
    framework: str,
    switches: dict[str, bool],
    reported: dict[str, str],
    launcher: Launcher,
    children_path: None,
) -> None:
    """What ``best`` switches on where there is a GPU, here on the CPU."""
    request = {"name": framework, "switches": switches}
    found = launcher.ask(framework, "child_tasks:proven_under", request, TIMEOUT_S)
    assert [finding["breach"] for finding in found["findings"] if not finding["passed"]] == []
    timed = {(f["level"], f["precision"]) for f in found["findings"] if f["mode"] == "timed"}
    assert timed == {(1, "float32"), (2, "float64")}
    assert reported.items() <= found["switches"].items()


@pytest.mark.parametrize("framework", ["pytorch", "keras-tensorflow", "keras-torch"])
def test_training_in_bfloat16_is_proven_where_it_is_timed(
    framework: str, launcher: Launcher, children_path: None
) -> None:
    """Here it is emulated; ``best`` trains in it where a processor or a GPU multiplies it."""
    told = launcher.ask(framework, "child_tasks:reduced_training", {"network": "probe"}, TIMEOUT_S)
    assert told["found"]["breach"] is None
    assert told["found"]["largest"] > 2**-9  # a quarter of a unit, of the gradient that is farthest off
    assert told["claimed"] == "nearer than bfloat16 can be"


def test_many_compiled_networks_of_one_process_are_all_compiled(
    launcher: Launcher, children_path: None
) -> None:
    """PyTorch gives up compiling one function after eight versions; all networks here share theirs."""
    found = launcher.ask("pytorch", "child_tasks:compiled_frames", {"count": 6}, TIMEOUT_S)
    assert found == [found[0]] * 6
    assert found[0] > 0


def test_the_switches_of_tf32_are_there_in_this_paddle(launcher: Launcher, children_path: None) -> None:
    """They are set on a GPU alone, but every build has them."""
    found = launcher.ask("paddle", "child_tasks:paddle_tf32", {}, TIMEOUT_S)
    assert found == [
        {"tf32_cublas": "True", "tf32_cudnn": "True"},
        {"tf32_cublas": "False", "tf32_cudnn": "False"},
    ]


@pytest.mark.parametrize("framework", TRAINERS)
def test_what_a_step_returns_can_be_read(framework: str, launcher: Launcher, children_path: None) -> None:
    found = launcher.ask(framework, "child_tasks:numbers_read", {}, TIMEOUT_S)
    assert found == {"logits": [3, 10], "loss": []}
