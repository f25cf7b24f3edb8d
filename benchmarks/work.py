"""What a step must compute, move and hold, by arithmetic on the specification. Standard library only.

Bytes are what cannot be avoided if nothing stays in a cache between layers: a framework that fuses layers
moves less, one that copies moves more.
"""

from dataclasses import dataclass

from benchmarks.plan import Task
from implementations.spec import Network

FLOAT = 4  # bytes
PASSES = 3  # of a training step's products: forward, gradients of inputs, gradients of weights
SLOTS = 1  # arrays that momentum keeps beside each parameter


@dataclass(frozen=True)
class Work:
    """Of one step."""

    flop: float  # a multiply-add is two
    moved_bytes: float

    @property
    def intensity(self) -> float:
        """FLOP a byte."""
        return self.flop / self.moved_bytes


@dataclass(frozen=True)
class Held:
    """Memory that a step cannot do without, in bytes."""

    parameters: int
    activations: int
    optimizer: int

    @property
    def total(self) -> int:
        return self.parameters + self.activations + self.optimizer


def of(network: Network, task: Task, batch: int, width: int = FLOAT) -> Work:
    """The step of ``task`` on ``batch`` images, in numbers of ``width`` bytes; copies are of float32."""
    if task == "copy":
        return Work(0.0, batch * _size(network.input_shape) * FLOAT)
    timed = network if task == "training" else network.inference()
    reads = sum(_size(shape) for node in timed.nodes for shape in node.input_shapes)
    writes = sum(_size(node.output_shape) for node in timed.nodes)
    parameters = sum(parameter.size for parameter in timed.parameters)
    traffic = batch * (reads + writes)
    forward = 2.0 * batch * timed.multiply_adds
    if task == "inference":
        return Work(forward, width * (traffic + parameters))
    first = next((node.multiply_adds for node in timed.nodes if node.multiply_adds), 0)
    # The first layer's inputs are images: nobody asks for their gradient.
    flop = PASSES * forward - 2.0 * batch * first
    # Weights are read forward and backward; gradient and momentum written and read, weights written.
    return Work(flop, width * (PASSES * traffic + (3 + 4 * SLOTS) * parameters))


def held(network: Network, task: Task, batch: int) -> Held:
    """Parameters, activations, and in training gradients and momentum."""
    timed = network if task == "training" else network.inference()
    parameters = FLOAT * sum(parameter.size for parameter in timed.parameters)
    trained = FLOAT * sum(parameter.size for parameter in timed.parameters if parameter.trainable)
    sizes = [_size(node.output_shape) for node in timed.nodes]
    if task == "copy":
        return Held(0, FLOAT * batch * _size(network.input_shape), 0)
    if task == "inference":  # one layer's inputs and outputs at a time
        largest = max(sum(map(_size, node.input_shapes)) + _size(node.output_shape) for node in timed.nodes)
        return Held(parameters, FLOAT * batch * largest, 0)
    return Held(parameters, FLOAT * batch * (_size(network.input_shape) + sum(sizes)), (1 + SLOTS) * trained)


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size
