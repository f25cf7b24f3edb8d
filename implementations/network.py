"""What every framework's adapter offers, and the table of adapters by name.

Adapters are loaded by name, one framework a process; nothing that orchestrates imports one.
All arrays that cross this border are NumPy's, in the specification's layout: images
``(batch, channels, height, width)``, parameters by path.
"""

import dataclasses
import importlib
import importlib.util
import os
import pkgutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from numpy.typing import NDArray

from implementations.adapter import Adapter
from implementations.errors import UserError
from implementations.policies import AS_IT_COMES, EQUAL, Switches, mixed_precision, switches
from implementations.spec import Network, Shape
from implementations.training import Forms, Optimizer

Array = NDArray[Any]
Weights = Mapping[str, Array]


# What a network can be computed in with its parameters kept in float32: each framework's own mixed
# precision (convolutions and dense layers in that type, sums in float32), or TF32 products.
REDUCED_PRECISIONS = ("tf32", "bfloat16", "float16")

FIRST_WITH_TF32 = 8  # compute capability; bfloat16 as well


def cuda_precisions(capability: int) -> tuple[str, ...]:
    """Those of ``REDUCED_PRECISIONS`` that a GPU of that compute capability (its first number) multiplies."""
    return REDUCED_PRECISIONS if capability >= FIRST_WITH_TF32 else ("float16",)


TrainingProofs = Literal["all", "small", "none"]  # which networks are proven at level 3 too


@dataclass(frozen=True)
class Settings:
    """Where and how a network is computed."""

    devices: tuple[str, ...] = ("cpu",)  # a list, even while it holds one
    precision: str = "float32"  # or float64, or one of REDUCED_PRECISIONS
    policy: str = EQUAL
    switches: Switches = AS_IT_COMES  # those of the policy on the device
    threads: int = 1

    @property
    def storage(self) -> str:
        """The type of parameters, images and results that cross the adapter's border."""
        return "float32" if self.precision in REDUCED_PRECISIONS else self.precision

    @property
    def mixed(self) -> str | None:
        """The 16-bit type that layers compute in, if any."""
        return self.precision if self.precision in ("bfloat16", "float16") else None

    @property
    def device(self) -> str:
        """The only device, for adapters that know no data parallelism yet."""
        (device,) = self.devices
        return device


class Built(Protocol):
    """A network built in one framework, for inference or (``training=True``) with all heads."""

    def parameters(self) -> dict[str, tuple[Shape, bool]]:
        """Shape in the specification's layout, and whether it is trained, by path."""

    def load(self, weights: Weights) -> None:
        """Replace all parameters by ``weights`` (specification's layout)."""

    def weights(self) -> dict[str, Array]:
        """All parameters in the specification's layout."""

    def outputs(self, images: Array) -> Array:
        """Main logits (batch, classes) in inference mode, on the path that is timed."""

    def head_outputs(self, images: Array) -> dict[str, Array]:
        """Logits (batch, classes) of every head that was built, by name, in inference mode; never timed."""

    def activations(self, images: Array) -> dict[str, Array]:
        """Every named activation by path, in the mode the network was built for."""

    def gradients(self, images: Array, labels: Array) -> tuple[float, dict[str, Array]]:
        """Loss and gradient by parameter path, on the path that is timed."""

    def traced(self, images: Array, labels: Array) -> tuple[float, dict[str, Array], dict[str, Array]]:
        """Loss, gradients and every named activation of one and the same pass."""

    def export(self, path: Path) -> None:
        """Write the inference network to an ONNX file with a free batch dimension."""

    def put(self, images: Array, labels: Array | None = None) -> Any:
        """A batch on the device, in the framework's own layout."""

    def keep(self, pixels: Array, table: Array) -> Any:
        """Images (n, channels, height, width) uint8 on the device, for ``picked``.

        A pixel of channel c means the number ``table[c, pixel]``; the table is (channels, 256).
        """

    def picked(self, kept: Any, indices: Array, labels: Array | None = None) -> Any:
        """What ``put`` makes of those images' numbers, bit for bit; only ``indices`` and labels travel."""

    def inferring(self) -> AbstractContextManager[Any]:
        """What the framework is put into for inference: entered once around any number of ``infer``."""

    def infer(self, batch: Any) -> Any:
        """One forward pass, within ``inferring``; returns at once where the device is asynchronous."""

    def prepare_training(self, optimizer: Optimizer) -> None:
        """Set up ``train_step``; forgets any optimizer state.

        ``UserError`` for a weight decay that the framework does not offer.
        """

    def set_learning_rate(self, rate: float) -> None:
        """The rate of the next steps, above 0; the optimizer's state is kept."""

    def optimizer_state(self) -> dict[str, Array]:
        """All that the optimizer keeps between steps, under the framework's own names and in its layout."""

    def restore_optimizer(self, state: Weights) -> None:
        """Put the optimizer into a ``state`` that it gave; after ``prepare_training`` of the same one.

        Nothing else of its present state is kept. The learning rate is set by ``set_learning_rate``.
        """

    def seed(self, number: int) -> None:
        """Make the dropout draws of the next step depend on ``number`` (0 to 2³¹ − 1) and nothing before."""

    def train_step(self, batch: Any) -> Any:
        """Forward with all heads, weighted loss, all gradients, update; returns the loss unread."""

    def switches(self) -> dict[str, str]:
        """What the framework itself reports of the settings that this network computes with."""

    def synchronize(self) -> None:
        """Wait until the device has finished everything."""

    def read(self, result: Any) -> Array:
        """What a step returned, on the host: logits or loss in float32, in the framework's own layout."""

    def peak_device_bytes(self) -> int | None:
        """The allocator's peak on the device; ``None`` on the CPU."""


class Framework(Protocol):
    """An adapter's module."""

    def configure(self, settings: Settings) -> None:
        """Set threads, device and the policy's switches; once, before anything is built."""

    def versions(self) -> dict[str, str]:
        """Versions of the framework and of what it computes with."""

    def forms(self) -> Forms:
        """The form that each method's update has here: names of ``training.FORMS``."""

    def cuda_devices(self) -> list[str]:
        """Names of the CUDA devices that this framework sees here."""

    def running_variance(self, device: str) -> str:
        """What batch norm's running variance collects on ``device``: "unbiased", "biased", or "" for none."""

    def precisions(self, device: str) -> tuple[str, ...]:
        """Those of ``REDUCED_PRECISIONS`` that this framework can compute a network in on ``device``."""

    def product(self, side: int, precision: str, settings: Settings) -> Callable[[], None]:
        """Multiplies two square matrices of ``side``; the result is there when it returns."""

    def copy(self, size: int, settings: Settings) -> Callable[[], None]:
        """Copies ``size`` bytes within the device's memory; they are there when it returns."""

    def build(self, network: Network, weights: Any, settings: Settings, *, training: bool) -> Built:
        """The network with ``weights``; without auxiliary heads unless ``training``.

        ``weights`` is a ``Weights`` mapping, or for ONNX Runtime the path of an exported file.
        """


def _listed() -> dict[str, Adapter]:
    """The adapters that the folders of ``implementations/frameworks`` list, by name."""
    folder = importlib.import_module("implementations.frameworks")
    packages = [each.name for each in pkgutil.iter_modules(folder.__path__) if each.ispkg]
    modules = [importlib.import_module(f"{folder.__name__}.{name}") for name in packages]
    adapters = [adapter for module in modules for adapter in module.ADAPTERS]
    names = [adapter.name for adapter in adapters]
    if len(set(names)) < len(names):
        raise ImportError(f"two folders list one adapter: {', '.join(sorted(names))}")
    return {adapter.name: adapter for adapter in sorted(adapters, key=lambda each: (each.rank, each.name))}


ADAPTERS = _listed()
LABEL = "@"
TRAINERS = tuple(name for name, adapter in ADAPTERS.items() if adapter.trains)
WRITERS = tuple(name for name in TRAINERS if ADAPTERS[name].exports and ADAPTERS[name].writer == name)


def plain(name: str) -> str:
    """The framework of ``NAME`` or ``NAME@LABEL``."""
    return name.partition(LABEL)[0]


def known(name: str) -> Adapter:
    """The adapter of ``NAME`` or ``NAME@LABEL``; ``UserError`` for an unknown one.

    A label tells several builds of one framework apart that a run compares (``pytorch@2.12``).
    """
    if plain(name) not in ADAPTERS:
        raise UserError(
            "unknown framework", given=name, allowed=", ".join(ADAPTERS), todo="choose one of these names"
        )
    return ADAPTERS[plain(name)]


def place(name: str) -> tuple[int, str]:
    """Sorts ``NAME@LABEL`` as the table of adapters does, then by label; unknown ones last."""
    names = list(ADAPTERS)
    return (names.index(plain(name)) if plain(name) in names else len(names), name)


def prepare(name: str, device: str, threads: int, policy: str = EQUAL) -> tuple[Framework, Settings]:
    """Adapter ``name`` under ``policy``, and the settings that it is timed with; errors as ``load``."""
    chosen = switches(policy, known(name).name, device)
    settings = Settings(devices=(device,), policy=policy, switches=chosen, threads=threads)
    framework = load(name, settings)
    precision = mixed_precision(chosen, device, framework.precisions(device))
    return framework, dataclasses.replace(settings, precision=precision)


def load(name: str, settings: Settings) -> Framework:
    """The module of adapter ``name``, configured; ``UserError`` if its framework is not installed."""
    adapter = known(name)
    # Keras reads its backend and OpenMP its thread count when they are first imported, never later.
    chosen = {"threads": settings.threads, "device": settings.device}
    environment = {key: value.format(**chosen) for key, value in adapter.environment.items()}
    os.environ.update(environment, OMP_NUM_THREADS=str(settings.threads))
    absent = [package for package in adapter.packages if importlib.util.find_spec(package) is None]
    if absent:
        raise UserError(
            f"the framework {name} is not installed",
            given=f"an interpreter without the package {absent[0]!r}",
            allowed=f"an environment in which 'import {', '.join(adapter.packages)}' works",
            todo=f"install it, name its environment with --python {name}=PATH, or leave the framework out",
        )
    framework: Any = importlib.import_module(adapter.module)
    if any(device.startswith("cuda") for device in settings.devices) and not framework.cuda_devices():
        raise UserError(
            f"{name} sees no CUDA device",
            given="--device cuda",
            allowed="a CUDA build of the framework, with a driver and a device",
            todo="install the CUDA build (README, 'CUDA'), or use --device cpu",
        )
    framework.configure(settings)
    return cast(Framework, framework)
