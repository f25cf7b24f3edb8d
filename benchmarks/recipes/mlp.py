"""Source C: the two-layer MLP on Fashion-MNIST; test accuracy 0.878, loss 0.339.

What the source compares can be chosen in a recipe's file: ``initializer``, ``activation``, ``optimizer``,
``loss``, ``metrics``.
"""

from dataclasses import replace

from benchmarks.data.preprocessing import Preprocessing
from benchmarks.recipes.recipe import Recipe, Target
from implementations.training import Adam

FULL = Recipe(
    name="mlp",
    network="mlp",
    data="fashion-mnist",
    preprocessing=Preprocessing(),
    train_on_all=True,
    optimizer=Adam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7),
    epochs=5,
    batch=32,  # 1,875 steps an epoch of 60,000 images
    target=Target(0.87),
    source="Fashion-MNIST classification tutorial in Keras: 5 epochs, test accuracy 0.878",
    reported={"test_accuracy": 0.878, "test_loss": 0.339, "steps_per_epoch": 1875.0},
)
SMALL = replace(
    FULL,
    scale="small",
    data="digits",
    target=Target(0.9),
    scaled="scikit-learn's 1,437 training digits, brought to 28×28, for Fashion-MNIST",
)
RECIPES = (FULL, SMALL)
