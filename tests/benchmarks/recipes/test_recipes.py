"""The sources' recipes: the figures are those of the shared mission."""

import dataclasses
from typing import get_args

import pytest

from benchmarks import recipes
from benchmarks.data.augmentation import Augmentation
from benchmarks.data.sets import SETS
from benchmarks.recipes import RECIPES, Recipe, Scale
from benchmarks.recipes.recipe import Stage
from implementations import networks
from implementations.errors import UserError
from implementations.spec import trainable_sizes
from implementations.training import SGD, Adam, CosineRate, Decay, Nadam, RMSprop, SteppedRate

EVERY = pytest.mark.parametrize(
    "recipe", RECIPES.values(), ids=lambda recipe: f"{recipe.name}-{recipe.scale}"
)


def test_every_recipe_has_both_scales() -> None:
    assert {scale for _, scale in RECIPES} == set(get_args(Scale))
    assert len(RECIPES) == 2 * len(recipes.NAMES)
    assert set(recipes.NAMES) >= {
        "googlenet",
        "vgg16-transfer",
        "mlp",
        "inception-exercise",
        "residual-exercise",
    }
    assert {name for name in recipes.NAMES if name.startswith("flowers-")} == {
        f"flowers-{name}" for name in ("alexnet", "vgg13", "vgg16", "vgg19", "resnet", "googlenet")
    }


@EVERY
def test_a_recipes_networks_take_its_images(recipe: Recipe) -> None:
    for name in recipe.networks:
        network = recipe.build(name)
        size, channels = recipe.preprocessing.size, recipe.preprocessing.channels
        assert size in (None, network.input_shape[1:])
        assert channels in (None, network.input_shape[0])
        assert len(network.nodes) > 0


@EVERY
def test_a_recipes_data_are_listed(recipe: Recipe) -> None:
    assert recipe.data in SETS


@EVERY
def test_a_small_scale_says_what_it_scales(recipe: Recipe) -> None:
    assert bool(recipe.scaled) == (recipe.scale == "small")


@EVERY
def test_the_stages_of_a_recipe_share_their_parameters(recipe: Recipe) -> None:
    shapes = [{p.path: p.shape for p in recipe.build(name).parameters} for name in recipe.networks]
    assert all(found == shapes[0] for found in shapes)


@EVERY
def test_a_schedule_starts_at_the_optimizers_rate(recipe: Recipe) -> None:
    for stage in recipe.parts:
        assert stage.rate(0, 100, recipe.batch) == stage.optimizer.learning_rate


# --- Source A -----------------------------------------------------------------------------

GOOGLENET = recipes.named("googlenet")


def test_source_a() -> None:
    assert (GOOGLENET.data, GOOGLENET.epochs, GOOGLENET.batch) == ("cifar10", 25, 256)
    assert GOOGLENET.optimizer == SGD(0.01, momentum=0.9, nesterov=False)
    assert GOOGLENET.preprocessing.size == (224, 224)
    assert GOOGLENET.preprocessing.scale == "unit"
    network = GOOGLENET.build()
    assert sum(trainable_sizes(network.parameters)) == 10_334_030
    assert [head.loss_weight for head in network.heads] == [1.0, 0.3, 0.3]
    biases = {p.path: p.initializer.value for p in network.parameters if p.path.endswith(".bias")}  # type: ignore[union-attr]
    assert biases["conv1.bias"] == 0.2
    assert sum(value == 0.2 for value in biases.values()) == 55
    assert set(biases.values()) == {0.2, 0.0}


def test_source_as_rate_falls_after_the_seventh_epoch_and_then_every_eighth() -> None:
    rates = [GOOGLENET.parts[0].rate(196 * epoch, 196, 256) for epoch in range(25)]
    assert rates == [0.01 * 0.96 ** ((1 + epoch) // 8) for epoch in range(25)]
    assert rates[6] == 0.01 > rates[7]


def test_source_a_keeps_its_last_smaller_batch() -> None:
    assert GOOGLENET.remainder == "keep"  # 196 steps of 50,000 images


# --- Source B -----------------------------------------------------------------------------


def test_source_b() -> None:
    recipe = recipes.named("vgg16-transfer")
    features, frozen, fine = recipe.parts
    assert [stage.epochs for stage in recipe.parts] == [30, 30, 100]
    assert (recipe.batch, recipe.start, recipe.preprocessing.scale) == (20, "imagenet@keras", "caffe")
    assert (features.features, frozen.features, fine.features) == (True, False, False)
    assert features.augmentation is None
    augmented = Augmentation(40.0, 0.2, 0.2, 0.2, True, "constant")
    assert frozen.augmentation == fine.augmentation == augmented
    assert (frozen.optimizer, fine.optimizer) == (Nadam(2e-5), RMSprop(1e-5))
    counts = [trainable_sizes(recipe.build(stage.network).parameters) for stage in recipe.parts]
    assert counts == [(2_097_665, 14_714_688), (2_097_665, 14_714_688), (9_177_089, 7_635_264)]


# --- Source C -----------------------------------------------------------------------------


def test_source_c() -> None:
    recipe = recipes.named("mlp")
    assert recipe.optimizer == Adam(0.001, 0.9, 0.999, 1e-7)
    assert (recipe.data, recipe.epochs, recipe.batch, recipe.train_on_all) == ("fashion-mnist", 5, 32, True)
    assert 60_000 // recipe.batch == recipe.reported["steps_per_epoch"] == 1875
    assert sum(trainable_sizes(recipe.build().parameters)) == 101_770


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "elu"])
@pytest.mark.parametrize("initializer", ["glorot_normal", "he_normal", "random_normal"])
def test_source_cs_choices_make_other_networks(activation: str, initializer: str) -> None:
    base = recipes.named("mlp")
    chosen = dataclasses.replace(base, activation=activation, initializer=initializer)
    assert chosen.build().digest != base.build().digest
    assert chosen.build().by_path["hidden"].layer.activation == activation  # type: ignore[attr-defined]
    assert chosen.build().by_path["logits"].layer.activation is None  # type: ignore[attr-defined]


# --- Source D -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "rate"),
    [
        ("alexnet", 0.01),
        ("vgg13", 0.01),
        ("vgg16", 0.01),
        ("vgg19", 0.01),
        ("resnet", 0.1),
        ("googlenet", 0.01),
    ],
)
def test_source_d(title: str, rate: float) -> None:
    recipe = recipes.named(f"flowers-{title}")
    assert (recipe.data, recipe.epochs, recipe.batch, recipe.classes) == ("flowers102", 200, 128, 102)
    assert recipe.optimizer == SGD(rate, momentum=0.9, decay=Decay(5e-4, "coupled"))
    assert recipe.schedule == SteppedRate(rate, 0.1, every=35 * 128_000, unit="sample")
    assert recipe.build().input_shape == (3, 224, 224)


@pytest.mark.parametrize("scale", get_args(Scale))
def test_source_d_tests_and_saves_after_every_pass(scale: Scale) -> None:
    for name in (name for name in recipes.NAMES if name.startswith("flowers-")):
        recipe = recipes.named(name, scale)
        assert (recipe.test_each_epoch, recipe.keep_epochs) == (True, 3)


def test_source_ds_schedule_never_fires_on_its_own_data() -> None:
    recipe = recipes.named("flowers-googlenet")
    steps = 6149 // 128
    last = recipe.parts[0].rate(200 * steps - 1, steps, 128)
    assert last == 0.01
    assert recipe.parts[0].rate(35 * 1000, steps, 128) == pytest.approx(0.001)  # 35 × 128,000 samples


def test_source_ds_googlenet_has_its_parameters() -> None:
    network = recipes.named("flowers-googlenet").build()
    assert sum(trainable_sizes(network.parameters)) == 10_616_930


# --- Source E -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "size", "count"),
    [("inception-exercise", (150, 150), 177_092_961), ("residual-exercise", (256, 256), 34_313_473)],
)
def test_source_e(name: str, size: tuple[int, int], count: int) -> None:
    recipe = recipes.named(name)
    assert (recipe.optimizer, recipe.epochs, recipe.batch) == (RMSprop(1e-5), 20, 20)
    assert recipe.augmentation is not None
    assert recipe.augmentation.fill == "nearest"
    assert recipe.preprocessing.size == size
    assert sum(trainable_sizes(recipe.build().parameters)) == count


# --- Stages and names ---------------------------------------------------------------------


def test_a_smaller_last_batch_is_fewer_samples() -> None:
    schedule = SteppedRate(1.0, 0.5, every=120, unit="sample")
    stage = Stage("s", "mlp", SGD(1.0), 2, schedule)
    rates = [stage.rate(step, steps_per_epoch=2, batch=64, images=100) for step in range(4)]
    assert rates == [1.0, 1.0, 1.0, 0.5]  # 0, 64, 100 and 164 samples


def test_nothing_augments_what_is_computed_once() -> None:
    with pytest.raises(ValueError, match="nothing may augment"):
        Stage("s", "vgg16-transfer", SGD(1.0), 1, augmentation=Augmentation(), features=True)


@pytest.mark.parametrize("only", [(), (2,), (2, 2), (-1, 2)])
def test_only_names_different_labels(only: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="two or more different labels"):
        dataclasses.replace(RECIPES["mlp", "full"], only=only)


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_recipes_name_is_part_of_files_names(name: str) -> None:
    with pytest.raises(ValueError, match="files' names"):
        dataclasses.replace(RECIPES["mlp", "full"], name=name)


def test_a_schedule_counts_what_it_says() -> None:
    def rate(step: int, unit: str) -> float:
        schedule = CosineRate(1.0, length=10, unit=unit)  # type: ignore[arg-type]
        return Stage("s", "mlp", SGD(1.0), 5, schedule).rate(step, steps_per_epoch=4, batch=2)

    half = pytest.approx(0.5)
    assert (rate(5, "step"), rate(20, "epoch"), rate(2, "sample")) == (
        half,
        half,
        pytest.approx(0.654508, rel=1e-5),
    )


def test_epochs_may_be_chosen_for_every_stage() -> None:
    assert [stage.epochs for stage in recipes.named("vgg16-transfer").with_epochs(2).parts] == [2, 2, 2]
    assert recipes.named("mlp").with_epochs(2).parts[0].epochs == 2


def test_an_unknown_recipe_is_refused() -> None:
    with pytest.raises(UserError, match=r"unknown recipe: given cnn; allowed: googlenet, .*mlp"):
        recipes.find("cnn")


def test_reduced_networks_are_what_small_scales_are_made_from() -> None:
    for title in ("alexnet", "vgg13"):
        assert recipes.named(f"flowers-{title}", "small").input_size == networks.REDUCED[title]["input_size"]
