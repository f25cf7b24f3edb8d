"""Source D: a choice of six networks in PaddlePaddle on Flowers-102, 224×224.

With 6,149 images and 200 passes the rate never falls (35 × 128,000 samples): the schedule is tested apart.
The source runs 7 trainers in data parallel; one device is used here. After every pass it saves the
parameters and measures the test error: both are done here, and the files of the last three passes stay.
"""

from benchmarks.data.preprocessing import Preprocessing
from benchmarks.recipes.recipe import Recipe
from implementations import networks
from implementations.training import SGD, Decay, SteppedRate

RATES = {
    "alexnet": 0.01,
    "vgg13": 0.01,
    "vgg16": 0.01,
    "vgg19": 0.01,
    "resnet50": 0.1,
    "googlenet-paddle": 0.01,
}
KEPT = 3  # the source keeps every pass: of 200 of VGG19 112 GB
TITLES = {"resnet50": "resnet", "googlenet-paddle": "googlenet"}


def _full(network: str, rate: float) -> Recipe:
    return Recipe(
        name=f"flowers-{TITLES.get(network, network)}",
        network=network,
        classes=102,
        input_size=(224, 224),
        data="flowers102",
        preprocessing=Preprocessing(size=(224, 224), scale="standard", channels=3),
        optimizer=SGD(rate, momentum=0.9, decay=Decay(5e-4, "coupled")),
        schedule=SteppedRate(rate, 0.1, every=35 * 128_000, unit="sample"),
        epochs=200,
        batch=128,
        test_each_epoch=True,
        keep_epochs=KEPT,
        source="image classification tutorial in PaddlePaddle, Flowers-102: 200 passes",
    )


def _small(network: str, rate: float) -> Recipe:
    size = networks.REDUCED[network]["input_size"]
    rate /= 10  # a batch is a tenth as large
    return Recipe(
        name=f"flowers-{TITLES.get(network, network)}",
        scale="small",
        network=network,
        classes=10,
        input_size=size,
        data="fashion-mnist",
        preprocessing=Preprocessing(size=size, scale="standard", channels=3),
        optimizer=SGD(rate, momentum=0.9, decay=Decay(5e-4, "coupled")),
        schedule=SteppedRate(rate, 0.1, every=35 * 128_000, unit="sample"),
        epochs=2,
        batch=16,
        train_images=1600,
        evaluated_images=400,
        test_each_epoch=True,
        keep_epochs=KEPT,
        source="image classification tutorial in PaddlePaddle, Flowers-102: 200 passes",
        scaled=f"1,600 images of Fashion-MNIST (10 classes) at {size[0]}×{size[1]}, batch 16, a tenth of the"
        " rate, 2 epochs",
    )


RECIPES = tuple(made(network, rate) for network, rate in RATES.items() for made in (_full, _small))
