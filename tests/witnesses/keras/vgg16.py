"""VGG16 (Simonyan and Zisserman 2014, configuration D) by hand, as Keras is usually written."""

import keras
from keras import layers

BLOCKS = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))  # filters and number of convolutions


def vgg16(classes: int = 1000) -> keras.Model:
    """Logits of images (batch, 224, 224, 3)."""
    images = x = keras.Input((224, 224, 3))
    for block, (filters, convolutions) in enumerate(BLOCKS, start=1):
        for number in range(1, convolutions + 1):
            name = f"conv{block}_{number}"
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    for name in ("fc6", "fc7"):
        x = layers.Dropout(0.5)(layers.Dense(4096, activation="relu", name=name)(x))
    return keras.Model(images, layers.Dense(classes, name="logits")(x))
