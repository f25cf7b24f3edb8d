import numpy as np
import pytest

from implementations import networks, weights
from implementations.claims import Claim
from implementations.errors import UserError
from implementations.spec import GlorotNormal, GlorotUniform, Normal
from implementations.variants import ACTIVATIONS, INITIALIZERS, LOSSES


def test_every_rectifier_gives_way_and_nothing_else() -> None:
    base, chosen = networks.build("probe-bn"), networks.build("probe-bn", activation="elu")
    for one, other in zip(base.nodes, chosen.nodes, strict=True):
        before, after = (getattr(node.layer, "activation", None) for node in (one, other))
        assert after == ("elu" if before == "relu" else None)


def test_kernels_take_the_initialiser_and_biases_keep_theirs() -> None:
    chosen = networks.build("googlenet", classes=10, initializer="random_normal")
    base = networks.build("googlenet", classes=10)
    for one, other in zip(base.parameters, chosen.parameters, strict=True):
        expected = Normal(0.05) if one.path.endswith(".weight") else one.initializer
        assert other.initializer == expected


def test_without_a_choice_the_network_is_the_same() -> None:
    assert networks.build("mlp").digest == networks.build("mlp", activation=None, initializer=None).digest


@pytest.mark.parametrize(
    "chosen", [{"activation": "tanh"}, {"initializer": "he_normal"}, {"loss": "mean_squared_error"}]
)
def test_a_choice_makes_another_network(chosen: dict[str, str]) -> None:
    assert networks.build("mlp", **chosen).digest != networks.build("mlp").digest


def test_source_cs_initialisers_are_there() -> None:
    assert INITIALIZERS["glorot_uniform"] == GlorotUniform()
    assert INITIALIZERS["glorot_normal"] == GlorotNormal()
    assert ACTIVATIONS == ("relu", "sigmoid", "tanh", "elu")


@pytest.mark.parametrize(
    ("chosen", "allowed"),
    [
        ({"activation": "softplus"}, "relu, sigmoid"),
        ({"initializer": "ones"}, "he_normal"),
        ({"loss": "hinge"}, "mean_squared_error"),
    ],
)
def test_an_unknown_choice_is_refused(chosen: dict[str, str], allowed: str) -> None:
    with pytest.raises(UserError, match=allowed):
        networks.build("mlp", **chosen)


def test_a_loss_says_what_labels_it_is_fed() -> None:
    labels = np.array([2, 0])
    for loss in LOSSES:
        network = networks.build("mlp", classes=3, loss=loss)
        fed = weights.fed_labels(network, labels)
        assert np.array_equal(fed, labels if loss.startswith("sparse") else [[0, 0, 1], [1, 0, 0]])


def test_the_networks_own_loss_by_name_is_no_other_network() -> None:
    chosen = networks.build("mlp", loss="sparse_categorical_crossentropy")
    assert chosen.digest == networks.build("mlp").digest


@pytest.mark.parametrize("name", ["probe-bn", "vgg16-base"])
def test_a_loss_over_classes_needs_classes(name: str) -> None:
    with pytest.raises(UserError, match=f"the loss of {name} is fixed: given mean_squared_error"):
        networks.build(name, loss="mean_squared_error")


def test_claims_about_variants_do_not_share_a_file() -> None:
    chosen = [
        Claim("pytorch", "mlp"),
        Claim("pytorch", "mlp", activation="tanh"),
        Claim("pytorch", "mlp", initializer="he_normal"),
        Claim("pytorch", "mlp", loss="mean_squared_error"),
        Claim("pytorch", "mlp", classes=3),
        Claim("pytorch", "mlp", input_size=(8, 8)),
    ]
    assert len({claim.slug for claim in chosen}) == len(chosen)
    assert chosen[0].slug == "mlp-pytorch"
    assert networks.build(**chosen[1].arguments).digest == networks.build("mlp", activation="tanh").digest
