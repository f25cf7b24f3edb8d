"""A two-layer perceptron for 28×28 images (Fashion-MNIST tutorial, source C of the mission)."""

from implementations.spec import Constant, Dense, Flatten, GlorotUniform, Network


def mlp(classes: int = 10, input_size: tuple[int, int] = (28, 28)) -> Network:
    """Flatten → dense 128 ReLU → dense ``classes``; 101,770 parameters with 10 classes at 28×28."""
    return Network(
        name="mlp",
        input_shape=(1, *input_size),
        classes=classes,
        source="Fashion-MNIST classification tutorial in Keras",
        layers=(
            Flatten("flatten"),
            Dense("hidden", 128, activation="relu", weight=GlorotUniform(), bias=Constant(0.0)),
            Dense("logits", classes, weight=GlorotUniform(), bias=Constant(0.0)),
        ),
    )


NETWORKS = {"mlp": mlp}
REDUCED: dict[str, dict[str, object]] = {
    "mlp": {},
}
