"""GoogLeNet (Szegedy et al. 2014, Table 1) by hand, as Keras is usually written."""

from typing import Any

import keras
from keras import layers, ops


class LocalResponseNorm(layers.Layer):
    """x (1 + 1e-4/5 Σ x²)^-0.75 over five neighbouring channels; Keras has no such layer."""

    def call(self, x: Any) -> Any:
        channels = x.shape[-1]
        squares = ops.pad(ops.square(x), [(0, 0), (0, 0), (0, 0), (2, 2)])
        sums = sum(squares[..., i : i + channels] for i in range(5))
        return x * ops.power(1.0 + 1e-4 / 5 * sums, -0.75)


def conv(x: Any, name: str, filters: int, kernel: int, **options: Any) -> Any:
    options = {"padding": "same", **options}
    return layers.Conv2D(filters, kernel, activation="relu", name=name, **options)(x)


def inception(
    x: Any, name: str, one: int, three_reduce: int, three: int, five_reduce: int, five: int, pool: int
) -> Any:
    """Four branches side by side (Figure 2b)."""
    side = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    branches = [
        conv(x, f"{name}_1x1", one, 1),
        conv(conv(x, f"{name}_3x3_reduce", three_reduce, 1), f"{name}_3x3", three, 3),
        conv(conv(x, f"{name}_5x5_reduce", five_reduce, 1), f"{name}_5x5", five, 5),
        conv(side, f"{name}_pool_proj", pool, 1),
    ]
    return layers.Concatenate()(branches)


def auxiliary(x: Any, name: str, classes: int) -> Any:
    """A side classifier (section 5)."""
    x = conv(layers.AveragePooling2D(5, strides=3)(x), f"{name}_conv", 128, 1)
    x = layers.Dense(1024, activation="relu", name=f"{name}_fc")(layers.Flatten()(x))
    return layers.Dense(classes, name=f"{name}_logits")(layers.Dropout(0.7)(x))


def googlenet(classes: int = 1000) -> keras.Model:
    """Logits of images (batch, 224, 224, 3), then those of the two side classifiers."""
    images = keras.Input((224, 224, 3))
    x = conv(layers.ZeroPadding2D(3)(images), "conv1", 64, 7, strides=2, padding="valid")
    x = LocalResponseNorm()(layers.MaxPooling2D(3, strides=2, padding="same")(x))
    x = conv(conv(x, "conv2_reduce", 64, 1), "conv2", 192, 3)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(LocalResponseNorm()(x))
    x = inception(x, "inception_3a", 64, 96, 128, 16, 32, 32)
    x = inception(x, "inception_3b", 128, 128, 192, 32, 96, 64)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    a = inception(x, "inception_4a", 192, 96, 208, 16, 48, 64)
    x = inception(a, "inception_4b", 160, 112, 224, 24, 64, 64)
    x = inception(x, "inception_4c", 128, 128, 256, 24, 64, 64)
    d = inception(x, "inception_4d", 112, 144, 288, 32, 64, 64)
    x = inception(d, "inception_4e", 256, 160, 320, 32, 128, 128)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = inception(x, "inception_5a", 256, 160, 320, 32, 128, 128)
    x = inception(x, "inception_5b", 384, 192, 384, 48, 128, 128)
    x = layers.Dropout(0.4)(layers.GlobalAveragePooling2D()(x))
    logits = layers.Dense(classes, name="logits")(x)
    sides = [auxiliary(a, "auxiliary_4a", classes), auxiliary(d, "auxiliary_4d", classes)]
    return keras.Model(images, [logits, *sides])
