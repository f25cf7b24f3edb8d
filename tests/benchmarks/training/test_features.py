"""A frozen base's features with the reference as framework: the whole is its head on them."""

from pathlib import Path

import numpy as np
import pytest
from reference_adapter import ReferenceFramework

from benchmarks.data.batches import Batches
from benchmarks.data.images import ImageSet, Split
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.training import features
from benchmarks.training.features import Base
from implementations import networks, reference, weights
from implementations.network import Settings
from implementations.networks.transfer import divided

NETWORK = networks.build("vgg16-transfer", input_size=(32, 32))
WEIGHTS = weights.initial(NETWORK, 0)
UNIT = Preprocessing((32, 32), "unit", 3)


def silent(line: str) -> None:
    pass


@pytest.fixture(scope="module")
def data() -> ImageSet:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), np.uint8)
    train, rest = Split(pixels[:2], np.array([0, 1])), Split(pixels[2:], np.array([1]))
    return ImageSet("made", "made", ("a", "b"), 255, train, rest, rest)


def base(values: weights.Weights = WEIGHTS, preprocessing: Preprocessing = UNIT) -> Base:
    return Base(ReferenceFramework(), Settings(), divided(NETWORK)[0], values, preprocessing)


def test_a_network_is_divided_behind_what_is_frozen() -> None:
    frozen, head = divided(NETWORK)
    assert frozen.nodes[-1].output_shape == head.input_shape == (512, 1, 1)
    assert sum(p.size for p in frozen.parameters) == 14_714_688  # source B: VGG16 without top
    assert [layer.name for layer in head.layers] == ["flatten", "fc", "logits"]
    assert all(parameter.trainable for parameter in head.parameters)
    assert {p.path for p in NETWORK.parameters} == {p.path for n in (frozen, head) for p in n.parameters}


def test_with_block_5_open_the_base_ends_before_it() -> None:
    frozen, head = divided(networks.build("vgg16-finetune", input_size=(32, 32)))
    assert sum(p.size for p in frozen.parameters) == 7_635_264  # source B: frozen while block 5 is trained
    assert head.layers[0].name == "conv5_1"


@pytest.mark.parametrize("name", ["vgg16", "mlp"])
def test_a_network_without_a_frozen_base_is_not_divided(name: str) -> None:
    with pytest.raises(ValueError, match="no frozen base"):
        divided(networks.build(name))


def test_the_head_on_features_gives_what_the_whole_gives(data: ImageSet, tmp_path: Path) -> None:
    found, _ = base().features(data, tmp_path, silent)
    _, head = divided(NETWORK)
    batches = Batches(found["train"], 2, 0, features.PLAIN, maximum=features.MAXIMUM)
    batch = batches.at(0)
    values = {path: value.astype(np.float64) for path, value in WEIGHTS.items()}
    images = UNIT.apply(data.train.images[batch.indices]).astype(np.float64)
    whole = reference.forward(NETWORK, values, images)["logits"]
    on_features = reference.forward(head, values, batch.images.astype(np.float64))["logits"]
    np.testing.assert_allclose(on_features, whole, rtol=1e-5)  # features are kept in float32


def test_features_are_computed_once(data: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, seconds = base().features(data, tmp_path, silent)
    monkeypatch.setattr(Base, "_compute", None)
    again, then = base().features(data, tmp_path, silent)
    assert then == seconds  # what they took, not what looking for them took
    np.testing.assert_array_equal(first["test"].images, again["test"].images)


def test_other_weights_or_another_preprocessing_are_other_features(data: ImageSet, tmp_path: Path) -> None:
    changed = {**WEIGHTS, "conv5_3.bias": WEIGHTS["conv5_3.bias"] + 1}
    first, *others = (
        each.features(data, tmp_path, silent)[0]["test"].images
        for each in (base(), base(changed), base(preprocessing=Preprocessing((32, 32), "caffe", 3)))
    )
    assert all(not np.array_equal(first, other) for other in others)


def test_how_far_it_is_is_said(data: ImageSet, tmp_path: Path) -> None:
    said: list[str] = []
    base().features(data, tmp_path, said.append)
    assert said[-1] == "features: 4 of 4 images (100%)"


def test_an_interrupted_computation_leaves_nothing(
    data: ImageSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as context:
        context.setattr(Base, "_write", interrupted)
        with pytest.raises(KeyboardInterrupt):
            base().features(data, tmp_path, silent)
    assert not list(tmp_path.iterdir())
