"""Source E: two exercises in branching graphs on cats and dogs, one sigmoid unit each."""

from dataclasses import replace

from benchmarks.data.augmentation import Augmentation
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.recipes.recipe import Recipe, Size
from implementations import networks
from implementations.training import RMSprop

AUGMENTED = Augmentation(
    rotation_degrees=40.0, shift=0.2, shear_degrees=0.2, zoom=0.2, horizontal_flip=True, fill="nearest"
)
SIZES = {"inception-exercise": (150, 150), "residual-exercise": (256, 256)}


def _full(network: str, size: Size) -> Recipe:
    return Recipe(
        name=network,
        network=network,
        input_size=size,
        data="folder",
        preprocessing=Preprocessing(size=size, scale="unit", channels=3),
        augmentation=AUGMENTED,
        optimizer=RMSprop(1e-5),
        epochs=20,
        batch=20,  # 100 steps an epoch of 2,000 images
        source="functional-API exercises in Keras, cats and dogs: 20 epochs of 100 steps",
        reported={"steps_per_epoch": 100.0},
    )


def _small(full: Recipe) -> Recipe:
    size = networks.REDUCED[full.network]["input_size"]
    return replace(
        full,
        scale="small",
        data="fashion-mnist",
        only=(2, 4),
        input_size=size,
        preprocessing=Preprocessing(size=size, scale="unit", channels=3),
        optimizer=RMSprop(1e-4),
        epochs=3,
        train_images=400,
        evaluated_images=200,
        scaled=f"two classes of Fashion-MNIST (pullover, coat) for cats and dogs, 400 images at"
        f" {size[0]}×{size[1]}, ten times the rate, 3 epochs",
    )


_ALL = [_full(network, size) for network, size in SIZES.items()]
RECIPES = tuple(recipe for full in _ALL for recipe in (full, _small(full)))
