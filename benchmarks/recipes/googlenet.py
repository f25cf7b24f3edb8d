"""Source A: GoogLeNet in Keras on CIFAR-10, enlarged to 224×224; three heads weighted 1, 0.3, 0.3.

Initialisers, biases (0.2 in the first convolution and in the inception modules) and loss weights are the
network's own (``implementations/networks/googlenet.py``).
"""

from dataclasses import replace

from benchmarks.data.preprocessing import Preprocessing
from benchmarks.recipes.recipe import Recipe, Target
from implementations.training import SGD, SteppedRate

RATE = 0.01

FULL = Recipe(
    name="googlenet",
    network="googlenet-keras",
    classes=10,
    input_size=(224, 224),
    data="cifar10",
    preprocessing=Preprocessing(size=(224, 224), scale="unit", channels=3),
    optimizer=SGD(RATE, momentum=0.9),
    schedule=SteppedRate(RATE, 0.96, every=8, unit="epoch", offset=1),
    epochs=25,
    batch=256,
    remainder="keep",
    target=Target(0.8191),
    source="GoogLeNet tutorial in Keras, CIFAR-10: 25 epochs, validation (its test images) 0.8191",
    reported={
        "validation_accuracy": 0.8191,
        "auxiliary_4a_validation_accuracy": 0.7435,
        "auxiliary_4d_validation_accuracy": 0.7791,
        "seconds_per_epoch": 181.0,
    },
)
SMALL = replace(
    FULL,
    scale="small",
    data="fashion-mnist",
    input_size=(80, 80),
    preprocessing=Preprocessing(size=(80, 80), scale="unit", channels=3),
    epochs=4,
    batch=32,
    train_images=4000,
    evaluated_images=500,
    target=Target(0.5),
    scaled="Fashion-MNIST for CIFAR-10, 4,000 of its images at 80×80, batch 32, 4 epochs",
)
RECIPES = (FULL, SMALL)
