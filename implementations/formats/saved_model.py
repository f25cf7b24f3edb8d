"""Keras' own files, ``.weights.h5`` and ``.keras``: read by ``hdf5``, written by Keras itself."""

from pathlib import Path
from typing import Any

import keras

INITIALIZERS = tuple(
    f"{name}_initializer" for name in ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
)


def write(model: Any, path: Path) -> None:
    """Write ``model``'s weights, or for ``.keras`` the model with them."""
    if path.suffix.lower() == ".h5":
        model.save_weights(path)
        return
    for layer in model.layers:
        for name in INITIALIZERS:
            if hasattr(layer, name):  # Keras' own, so that the file can be loaded without this project
                setattr(layer, name, keras.initializers.Zeros())
    model.save(path)
