"""The two-layer MLP of source C: on Fashion-MNIST it reports test accuracy 0.878, loss 0.339."""

from benchmarks.recipes.recipe import Recipe
from implementations.training import Adam

MLP = Recipe(
    name="mlp",
    network="mlp",
    optimizer=Adam(learning_rate=0.001, beta1=0.9, beta2=0.999, epsilon=1e-7),
    epochs=5,
    batch=32,
    source="Fashion-MNIST classification tutorial in Keras: 5 epochs, test accuracy 0.878",
)
