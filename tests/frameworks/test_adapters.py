"""Adapters by themselves: what they count and print, a slip inside one, training steps, a zoo model."""

import pytest

from implementations import certificates
from implementations.claims import Claim
from implementations.network import TRAINERS
from implementations.processes import Launcher, available_cores
from implementations.proving import Prover

pytestmark = pytest.mark.frameworks
TIMEOUT_S = 300.0


def test_a_wrong_pad_in_an_adapter_fails_and_names_the_layer(prover: Prover, children_path: None) -> None:
    claim = Claim("pytorch", "googlenet", 10, (96, 96))
    request = {"network": claim.arguments, "weights_path": str(prover.weights(claim))}
    task = "child_tasks:certified_with_a_wrong_pad"
    certificate = prover.launcher.ask("pytorch", task, request, TIMEOUT_S)
    assert not certificate["passed"]
    assert "first differing: conv1" in certificates.first_breach(certificate)


@pytest.mark.parametrize("framework", ["pytorch", "keras-tensorflow", "paddle"])
def test_each_framework_counts_the_same(framework: str, launcher: Launcher, children_path: None) -> None:
    wanted = [{"name": "vgg16"}, {"name": "googlenet", "classes": 10}, {"name": "mlp"}]
    counts = launcher.ask(framework, "child_tasks:counted", {"wanted": wanted}, TIMEOUT_S)
    assert counts == [138_357_544, 10_334_030, 101_770]  # the frameworks' zoos, and the two tutorials


def test_keras_own_vgg16_agrees_with_specification_and_reference(
    launcher: Launcher, children_path: None
) -> None:
    found = launcher.ask("keras-tensorflow", "child_tasks:zoo_vgg16", {}, TIMEOUT_S)
    assert found["difference"] < 2e-5  # float32, the bound of dense layers
    assert found["parameters"] == 138_357_544


def test_an_option_that_this_xla_does_not_know_is_left_out(launcher: Launcher, children_path: None) -> None:
    found = launcher.ask("keras-jax", "child_tasks:xla_options", {}, TIMEOUT_S)
    assert found == {"xla_backend_optimization_level": True, "xla_no_such_option": False}


def test_known_differences_are_still_needed(launcher: Launcher, children_path: None) -> None:
    """A framework that has mended its constant must be taken off the list."""
    task = "child_tasks:largest_float64_gradient_difference"
    assert 1e-12 < launcher.ask("paddle", task, {}, TIMEOUT_S) < 1e-6


@pytest.mark.parametrize("framework", ["keras-jax", "keras-torch"])
def test_keras_is_kept_from_rounding_float64(framework: str, launcher: Launcher, children_path: None) -> None:
    """If the first is float64 one day, ``precision.py`` need not touch Keras' table any more."""
    found = launcher.ask(framework, "child_tasks:promotions_of_keras", {}, TIMEOUT_S)
    assert found == ["float32", "float64", "float32"]


def test_keras_strides_no_1x1_convolution_on_few_channels(launcher: Launcher, children_path: None) -> None:
    """oneDNN would end the process in its gradient; wider ones are as they are written."""
    names = ["residual-exercise", "inception-exercise", "resnet18"]
    found = launcher.ask("keras-tensorflow", "child_tasks:strided_1x1", {"names": names}, TIMEOUT_S)
    stages = {f"stage{stage}_1-shortcut": channels for stage, channels in ((3, 64), (4, 128), (5, 256))}
    assert found == {
        "residual-exercise": {"block3-shortcut": 128},
        "inception-exercise": {},
        "resnet18": stages,
    }


def test_jax_computes_with_as_many_threads_as_it_is_told(children_path: None) -> None:
    """OMP_NUM_THREADS does not reach XLA, whose default is one a core."""
    count = 7 if available_cores() != 7 else 5
    assert Launcher(count).ask("keras-jax", "child_tasks:xla_threads", {}, TIMEOUT_S) == count


def test_pytorch_prints_ordinary_layers(launcher: Launcher, children_path: None) -> None:
    network = {"name": "googlenet", "classes": 10}
    text = launcher.ask("pytorch", "child_tasks:shown", {"network": network}, TIMEOUT_S)
    assert "(5x5_reduce): Conv2d(192, 16, kernel_size=(1, 1), stride=(1, 1))" in text
    assert "(5x5_reduce_relu): ReLU(inplace=True)" in text


@pytest.mark.parametrize("framework", TRAINERS)
def test_training_steps_learn_and_weights_come_back(
    framework: str, launcher: Launcher, children_path: None
) -> None:
    found = launcher.ask(framework, "child_tasks:trained", {}, TIMEOUT_S)
    assert found["losses"][-1] < found["losses"][0]
    assert found["moved"] > 1e-4  # far above float32 rounding of the same weights
    assert found["changed"] > 0  # no parameter was left out of the update
    assert found["restored"] < 1e-12  # the same weights, the same kernels, in float64


def test_a_precision_that_paddle_only_claims_is_caught(launcher: Launcher, children_path: None) -> None:
    """On the CPU its autocast warns and changes nothing: bfloat16 would be float32 under another name."""
    found = launcher.ask("paddle", "child_tasks:claimed_precision", {"precision": "bfloat16"}, TIMEOUT_S)
    assert found == "nearer than bfloat16 can be"
