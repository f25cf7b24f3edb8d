"""A Keras model as an ONNX file, by Keras' own exporter."""

from pathlib import Path

import keras
import numpy as np

from implementations import spec

OPSET = 18


def to_onnx(model: keras.Model, network: spec.Network, path: Path) -> None:
    channels, height, width = network.input_shape
    main = keras.Model(model.input, model.output["main"])
    main(np.zeros((1, height, width, channels), np.float32))  # Keras exports called models only
    main.export(path, format="onnx", opset_version=OPSET, verbose=False)
