"""Source B: VGG16's base on cats and dogs in three stages: features, frozen base, fine-tuning of block 5.

The stages' networks have the same parameters (16,812,353) and differ in what is frozen. The source does not
print the optimizer of its first stage: that of the second is taken.
"""

from dataclasses import replace

from benchmarks.data.augmentation import Augmentation
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.recipes.recipe import Recipe, Stage, Target
from implementations.training import Nadam, Optimizer, RMSprop

AUGMENTED = Augmentation(
    rotation_degrees=40.0, shift=0.2, shear_degrees=0.2, zoom=0.2, horizontal_flip=True, fill="constant"
)


def _stages(head: Optimizer, fine: Optimizer, epochs: tuple[int, int, int]) -> tuple[Stage, ...]:
    first, second, third = epochs
    return (
        Stage("features", "vgg16-transfer", head, first, features=True),
        Stage("frozen base", "vgg16-transfer", head, second, augmentation=AUGMENTED),
        Stage("fine-tuning", "vgg16-finetune", fine, third, augmentation=AUGMENTED),
    )


FULL = Recipe(
    name="vgg16-transfer",
    network="vgg16-transfer",
    input_size=(150, 150),
    data="folder",
    preprocessing=Preprocessing(size=(150, 150), scale="caffe", channels=3),
    start="imagenet@keras",
    optimizer=Nadam(2e-5),
    epochs=160,
    batch=20,  # 100 steps an epoch of 2,000 images
    stages=_stages(Nadam(2e-5), RMSprop(1e-5), (30, 30, 100)),
    target=Target(0.96),
    source="transfer-learning tutorial in Keras, cats and dogs: test accuracy 0.967 after fine-tuning",
    reported={
        "features_validation_accuracy": 0.963,
        "features_seconds": 14.0,
        "frozen_base_validation_accuracy": 0.966,
        "frozen_base_seconds": 282.0,
        "fine_tuning_validation_accuracy": 0.962,
        "test_accuracy": 0.967,
        "steps_per_epoch": 100.0,
    },
)
SMALL = replace(
    FULL,
    scale="small",
    data="fashion-mnist",
    only=(2, 4),
    start="initial",
    input_size=(48, 48),
    preprocessing=Preprocessing(size=(48, 48), scale="caffe", channels=3),
    optimizer=Nadam(2e-4),
    epochs=6,
    stages=_stages(Nadam(2e-4), RMSprop(1e-5), (2, 2, 2)),
    train_images=400,
    evaluated_images=200,
    target=Target(0.7),
    scaled="two classes of Fashion-MNIST (pullover, coat) for cats and dogs, 400 images at 48×48, 2 epochs a"
    " stage, a random base and a rate of 2e-4 for its head",
)
RECIPES = (FULL, SMALL)
