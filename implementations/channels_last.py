"""Between Keras' channels-last arrays and the specification's layout."""

import numpy as np

from implementations import spec
from implementations.network import Array


def layer_name(path: str) -> str:
    """PyTorch takes no "." in the names of parameters, Keras no "/" in those of layers."""
    return path.replace(".", "-")


class ChannelsLast:
    """Converts between Keras' channels-last arrays and the specification's."""

    def __init__(self, network: spec.Network) -> None:
        # (channels, height, width) before the flatten that a dense layer or an activation comes from
        self.flattened: dict[str, spec.Shape] = {}
        for node in network.nodes:
            if isinstance(node.layer, spec.Flatten):
                self.flattened[node.path] = node.input_shapes[0]
            elif isinstance(node.layer, spec.Dropout) and node.inputs[0] in self.flattened:
                self.flattened[node.path] = self.flattened[node.inputs[0]]
        self.layers = {node.path: node.layer for node in network.nodes}
        self.before = {node.path: node.inputs[0] for node in network.nodes}

    @property
    def reordered(self) -> list[str]:
        """Dense layers whose inputs Keras flattens in another order than the specification."""
        shapes = {path: self.flattened.get(before) for path, before in self.before.items()}
        dense = [path for path, layer in self.layers.items() if isinstance(layer, spec.Dense)]
        return [path for path in dense if (shape := shapes[path]) and shape[0] > 1 and shape[1:] != (1, 1)]

    @staticmethod
    def shape(of_keras: spec.Shape) -> spec.Shape:
        """The shape of a parameter in the specification's layout."""
        if len(of_keras) == 4:
            height, width, channels, filters = of_keras
            return (filters, channels, height, width)
        return tuple(reversed(of_keras))

    def to_keras(self, layer: str, value: Array) -> Array:
        """A parameter of ``layer`` from the specification's layout."""
        if value.ndim == 4:
            return value.transpose(2, 3, 1, 0)
        if value.ndim == 2 and (shape := self.flattened.get(self.before[layer])):
            # Rows first, then the transpose: VGG16's fc6 has 103 million elements.
            return value.reshape(len(value), shape[0], -1).transpose(0, 2, 1).reshape(len(value), -1).T
        return value.T

    def from_keras(self, layer: str, value: Array) -> Array:
        """A parameter or gradient of ``layer`` in the specification's layout."""
        if value.ndim == 4:
            return value.transpose(3, 2, 0, 1)
        if value.ndim == 2 and (shape := self.flattened.get(self.before[layer])):
            rows = np.ascontiguousarray(value.T).reshape(value.shape[1], -1, shape[0])
            return rows.transpose(0, 2, 1).reshape(value.shape[1], -1)
        return value.T

    def activation(self, path: str, value: Array) -> Array:
        if value.ndim == 4:
            return value.transpose(0, 3, 1, 2)
        if shape := self.flattened.get(path):
            channels, height, width = shape
            whole = value.reshape(-1, height, width, channels)
            return whole.transpose(0, 3, 1, 2).reshape(len(value), -1)
        return value
