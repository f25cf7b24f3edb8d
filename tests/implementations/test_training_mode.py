"""Dropout as draws, running statistics and initial values: each guard seen to bite."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from reference_adapter import ReferenceFramework, ReferenceNetwork

from implementations import networks, sameness, training_mode, weights
from implementations.network import Settings
from implementations.sameness import Case
from implementations.spec import BatchNorm, Constant, Conv, Dropout, Layer, Network

RATE = 0.4
INPUTS = 1 + np.random.default_rng(1).random((64, 1024), np.float32)


def masks(rate: float = RATE) -> list[Any]:
    generator = np.random.default_rng(2)
    return [generator.random(INPUTS.shape) >= rate for _ in range(2)]


def broken(draws: list[Any], inference: Any = INPUTS) -> list[str]:
    """Names of the properties that do not hold."""
    found = training_mode.dropout_properties(RATE, INPUTS, draws, inference)
    return [name for name, _, _, holds in found if not holds]


def kept(mask: Any, scale: float = 1 / (1 - RATE)) -> Any:
    return INPUTS * mask * np.float32(scale)


def test_inverted_dropout_has_every_property() -> None:
    assert broken([kept(mask) for mask in masks()]) == []


def test_another_rate_is_seen() -> None:
    assert "share dropped" in broken([kept(mask) for mask in masks(0.41)])


def test_a_missing_scale_is_seen() -> None:
    assert broken([kept(mask, 1.0) for mask in masks()]) == ["scale of what is kept"]


def test_a_mask_that_is_used_twice_is_seen() -> None:
    mask = masks()[0]
    assert broken([kept(mask), kept(mask)]) == ["agreement of two calls"]


def test_one_mask_for_all_images_is_seen() -> None:
    draws = [kept(np.broadcast_to(mask[:1], mask.shape)) for mask in masks()]
    assert "agreement of neighbouring images" in broken(draws)


def test_whole_blocks_dropped_are_seen() -> None:
    draws = [kept(np.repeat(mask[:, ::2], 2, axis=1)) for mask in masks()]
    assert "agreement of neighbouring features" in broken(draws)


def test_scaling_at_inference_is_seen() -> None:
    assert broken([kept(mask) for mask in masks()], INPUTS * 0.6) == ["identity at inference"]


def findings(name: str, slip: training_mode.Slip = None) -> dict[str, sameness.Finding]:
    network = networks.build(name)
    case = Case.on_probe(network, weights.probe(network, 0))
    whole = dataclasses.replace(case, network=network)
    found = training_mode.prove(ReferenceFramework(), whole, Settings(), slip=slip)
    return {finding.mode: finding for finding in found}


@pytest.mark.parametrize(
    ("name", "modes"), [("probe", {"initial", "dropout"}), ("probe-bn", {"initial", "statistics"})]
)
def test_what_applies_is_proven_and_passes(name: str, modes: set[str]) -> None:
    found = findings(name)
    assert set(found) == modes
    assert all(finding.passed for finding in found.values())


def slip(path: str, **fields: Any) -> training_mode.Slip:
    def change(at: str, layer: Layer) -> Layer:
        return dataclasses.replace(layer, **fields) if at == path else layer

    return lambda case: dataclasses.replace(case, network=case.network.edited(change))


def test_a_wrong_initial_bias_is_named() -> None:
    breach = findings("probe", slip("fc", bias=Constant(0.1)))["initial"].breach
    assert breach is not None
    assert breach.path == "fc.bias"


def test_keras_meaning_of_momentum_is_caught() -> None:
    breach = findings("probe-bn", slip("conv2_bn", momentum=0.875))["statistics"].breach
    assert breach is not None
    assert breach.path == "conv2_bn.running_mean"


def test_a_wrong_or_missing_rate_is_caught() -> None:
    for wrong in (0.6, 0.0):
        breach = findings("probe", slip("dropout", rate=wrong))["dropout"].breach
        assert breach is not None
        assert breach.path == "dropout 0.5: share dropped"


def test_the_unbiased_form_is_not_the_biased_one() -> None:
    class Unbiased(ReferenceFramework):
        def running_variance(self, device: str) -> str:
            return "unbiased"

    network = networks.build("probe-bn")
    case = Case.on_probe(network, weights.probe(network, 0))
    found = training_mode.running_statistics(Unbiased(), case, case, Settings(precision="float64"), {})
    assert found.breach is not None
    assert found.breach.path.endswith("running_var")


def test_only_trained_batch_norm_has_statistics() -> None:
    frozen = (Conv("c", 2, 1, bias=None), BatchNorm("bn", 1e-3, 0.1, frozen=True))
    assert not training_mode.has_statistics(Network("n", (1, 4, 4), 2, frozen))
    assert training_mode.rates(Network("n", (1, 4, 4), 2, (Dropout("a", 0.5), Dropout("b", 0.5)))) == [0.5]


def test_initial_values_are_drawn_when_asked_for() -> None:
    network = networks.build("mlp")
    drawn = training_mode.Initial(network, 3)
    assert set(drawn) == set(weights.initial(network, 3))
    assert len(drawn) == 4
    assert np.array_equal(drawn["hidden.weight"], weights.initial(network, 3)["hidden.weight"])
    assert ReferenceNetwork(network, drawn, Settings(), training=True).parameters()
