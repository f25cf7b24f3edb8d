"""What a recipe says: data, network, optimizer, schedule, epochs, and where its figures come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from benchmarks.data.augmentation import Augmentation
from benchmarks.data.preprocessing import Preprocessing
from implementations import networks
from implementations.spec import Network
from implementations.training import ConstantRate, Optimizer, Schedule

Scale = Literal["full", "small"]
Size = tuple[int, int]  # (height, width)
Metric = Literal["loss", "accuracy", "top5", "cross_entropy", "mean_squared_error"]
TOP = 5  # of top5
METRICS: tuple[Metric, ...] = ("loss", "accuracy")  # unless a recipe chooses


@dataclass(frozen=True)
class Target:
    """An accuracy (0 to 1) of the main head whose time is taken; ``part`` is what it is measured on."""

    accuracy: float
    part: Literal["validation", "test"] = "validation"


@dataclass(frozen=True)
class Stage:
    """A stretch of a training with one network, optimizer and schedule; it goes on from the weights before.

    Networks of one recipe have the same parameters and differ in what is frozen.
    """

    name: str
    network: str
    optimizer: Optimizer
    epochs: int
    schedule: Schedule | None = None  # none: the optimizer's own rate throughout
    augmentation: Augmentation | None = None
    features: bool = False  # what is frozen may be computed once, for nothing augments its images

    def __post_init__(self) -> None:
        if self.features and self.augmentation is not None:
            raise ValueError("features are computed once: nothing may augment their images")

    def rate(self, step: int, steps_per_epoch: int, batch: int, images: int | None = None) -> float:
        """The learning rate of ``step``, which counts from 0 in this stage.

        Of ``images`` in an epoch the last batch may be smaller; by default it is not.
        """
        schedule = self.schedule or ConstantRate(self.optimizer.learning_rate)
        unit = getattr(schedule, "unit", "step")
        epoch, since = divmod(step, steps_per_epoch)
        of_epoch = min(steps_per_epoch * batch, images or steps_per_epoch * batch)
        position = {"step": step, "epoch": epoch, "sample": epoch * of_epoch + since * batch}
        return schedule.rate(position[unit])


@dataclass(frozen=True)
class Recipe:
    """A training that every framework runs alike: same weights, same images in the same order.

    ``optimizer``, ``epochs``, ``schedule`` and ``augmentation`` are those of its only stage, unless
    ``stages`` lists several.
    """

    name: str
    network: str
    data: str
    preprocessing: Preprocessing
    optimizer: Optimizer
    epochs: int
    batch: int
    source: str
    scale: Scale = "full"
    schedule: Schedule | None = None
    augmentation: Augmentation | None = None
    remainder: Literal["drop", "keep"] = "drop"  # of an epoch's images that make no whole batch
    classes: int | None = None
    input_size: Size | None = None
    activation: str | None = None
    initializer: str | None = None
    loss: str | None = None  # none: the network's own
    start: Literal["initial", "imagenet", "imagenet@keras", "imagenet@torchvision"] = "initial"
    stages: tuple[Stage, ...] = ()
    train_on_all: bool = False  # data without a validation part: none is held out, it is the test images
    only: tuple[int, ...] | None = None  # labels whose images are taken, numbered anew from 0
    train_images: int | None = None  # at most so many; none: all
    evaluated_images: int | None = None  # at most so many for validation, and for test
    metrics: tuple[Metric, ...] = METRICS  # of every head, recorded after each epoch
    test_each_epoch: bool = False  # not at the end alone
    keep_epochs: int | None = None  # of so many last epochs the weights are kept; none: of the last alone
    target: Target | None = None
    reported: Mapping[str, float] = field(default_factory=dict, hash=False)  # figures that the source prints
    scaled: str = ""  # what a small scale changes

    def __post_init__(self) -> None:
        if self.only is not None and (len(set(self.only)) < max(2, len(self.only)) or min(self.only) < 0):
            raise ValueError("only lists two or more different labels from 0 up")
        if len(set(self.metrics)) < len(self.metrics) or "accuracy" not in self.metrics:
            raise ValueError("metrics lists accuracy, on which targets and tables rest, and no metric twice")
        if not self.name or "/" in self.name:
            raise ValueError("name is part of files' names: it is not empty and has no /")

    @property
    def parts(self) -> tuple[Stage, ...]:
        """The stages, one after the other."""
        only = Stage("all", self.network, self.optimizer, self.epochs, self.schedule, self.augmentation)
        return self.stages or (only,)

    @property
    def networks(self) -> tuple[str, ...]:
        """Names of the networks that are trained."""
        return tuple(dict.fromkeys(stage.network for stage in self.parts))

    @property
    def options(self) -> dict[str, Any]:
        """What is not the networks' own: arguments of ``networks.build``, and of a claim."""
        varied = {"activation": self.activation, "initializer": self.initializer, "loss": self.loss}
        return {"classes": self.classes, "input_size": self.input_size, **varied}

    def build(self, network: str | None = None) -> Network:
        """The network of a stage; by default the first one's."""
        return networks.build(network or self.networks[0], **self.options)

    def with_epochs(self, epochs: int) -> "Recipe":
        """The same with that many epochs in every stage."""
        stages = tuple(replace(stage, epochs=epochs) for stage in self.stages)
        return replace(self, epochs=epochs, stages=stages)
