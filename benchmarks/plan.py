"""Which cases exist: a table, and presets over it. Standard library only: children import it."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from implementations import networks
from implementations.claims import Claim, titled
from implementations.errors import UserError
from implementations.network import ADAPTERS, TrainingProofs, known, plain
from implementations.policies import AS_IT_COMES, EQUAL, switches

Task = Literal["inference", "training", "copy"]  # copy: a batch of images from the host to the device
TASKS: tuple[Task, ...] = ("inference", "training", "copy")


@dataclass(frozen=True)
class Case:
    """One thing that is measured: a network's task at a batch size in one framework."""

    network: str
    task: Task
    batch: int
    framework: str
    exporter: str | None = None
    policy: str = EQUAL

    @property
    def slug(self) -> str:
        """The case as part of a file's name."""
        source = f"-from-{self.exporter}" if self.exporter else ""
        policy = "" if self.policy == EQUAL else f"-{self.policy}"
        return f"{self.network}-{self.task}-b{self.batch}-{self.framework}{source}{policy}"

    @property
    def title(self) -> str:
        """The framework, for an export where it comes from, and the policy if it is not ``equal``."""
        return titled(self.framework, self.exporter, self.policy)

    @property
    def work(self) -> tuple[str, str, int, str]:
        """What cases must share to be compared."""
        return (self.network, self.task, self.batch, self.policy)

    @property
    def claim(self) -> Claim:
        """What must be proven before this is measured."""
        return Claim(self.framework, self.network, exporter=self.exporter, policy=self.policy)


@dataclass(frozen=True)
class Effort:
    """How long one fork measures, in seconds."""

    block_s: float = 0.1  # at least, per synchronised block
    measured_s: float = 2.0
    warmup_s: float = 3.0  # at most
    blocks: tuple[int, int] = (3, 100)  # at least, at most
    latency_s: float = 0.4  # of steps that are synchronised one by one
    latency_steps: tuple[int, int] = (5, 1000)  # at least, at most


@dataclass(frozen=True)
class Preset:
    """A named choice of cases, forks of each, and effort.

    ``frameworks`` are those measured unless others are asked for. ``training`` says which networks' level 3
    is proven: all, small ones, none. After ``forks`` of each case more are made until the run is as old as
    ``budget_s``.
    """

    work: tuple[tuple[str, Task, int], ...]
    forks: int
    effort: Effort
    timeout_s: float
    budget_s: float
    frameworks: tuple[str, ...] = tuple(ADAPTERS)
    training: TrainingProofs = "all"

    @property
    def left_out(self) -> tuple[str, ...]:
        """Frameworks that are measured only where they are asked for."""
        return tuple(name for name in ADAPTERS if name not in self.frameworks)


QUICK: tuple[tuple[str, Task, int], ...] = (
    ("googlenet", "inference", 1),
    ("googlenet", "inference", 8),
    ("googlenet", "training", 4),
    ("vgg16", "inference", 1),
    ("mlp", "training", 32),
)
STANDARD = (
    *QUICK,
    ("googlenet", "inference", 32),
    ("googlenet", "training", 16),
    ("vgg16", "inference", 8),
    ("vgg16", "training", 4),
    ("mlp", "inference", 32),
    ("googlenet", "copy", 32),
)
FULL = (
    *STANDARD,
    ("googlenet", "inference", 128),
    ("googlenet", "training", 64),
    ("vgg16", "inference", 32),
    ("vgg16", "training", 16),
    ("mlp", "inference", 1024),
    ("mlp", "training", 1024),
)
BATCHES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)  # until one is out of memory
SWEPT = ("googlenet", "vgg16", "resnet50")


def _sweep(task: Task, batches: Iterable[int]) -> tuple[tuple[str, Task, int], ...]:
    return tuple((network, task, batch) for network in SWEPT for batch in batches)


SWEEPS = (*_sweep("inference", BATCHES), *_sweep("training", BATCHES[2:9]))
NODE: tuple[tuple[str, Task, int], ...] = (
    *SWEEPS,
    ("googlenet", "copy", 32),
    ("mlp", "inference", 1024),
    ("mlp", "training", 32),
    ("mlp", "training", 1024),
)
TRAINED = "mlp"  # the network that a run trains beside what it measures
# What a preset measures of a network that it does not list.
ANY: tuple[tuple[Task, int], ...] = (("inference", 1), ("inference", 8), ("training", 4))
NIGHTLY = {"mlp": (1, 8, 32, 128), "probe": (1, 4, 16), "probe-bn": (1, 4, 16)}
# Keras once: on all its backends, two cores would need more than the main job's 15 minutes.
QUICKLY = ("pytorch", "keras-tensorflow", "paddle", "onnxruntime")
PRESETS = {
    "quick": Preset(
        QUICK,
        forks=3,
        effort=Effort(measured_s=1.2),
        timeout_s=180,
        budget_s=12 * 60,
        frameworks=QUICKLY,
        training="small",
    ),
    "standard": Preset(
        STANDARD,
        forks=3,
        effort=Effort(measured_s=5, warmup_s=10, latency_s=2),
        timeout_s=600,
        budget_s=60 * 60,
    ),
    "sweep": Preset(
        SWEEPS, forks=3, effort=Effort(measured_s=2), timeout_s=600, budget_s=60 * 60, training="small"
    ),
    "node": Preset(NODE, forks=3, effort=Effort(measured_s=2), timeout_s=300, budget_s=0, training="small"),
    "noise": Preset(  # one fast case over and over: how far apart equal runs are on this machine
        (("mlp", "inference", 32),),
        forks=100,
        effort=Effort(measured_s=1.2),
        timeout_s=180,
        budget_s=0,
        training="small",
    ),
    "nights": Preset(  # a small night that can be repeated many times: how far nights lie apart
        tuple((network, "inference", batch) for network, batches in NIGHTLY.items() for batch in batches),
        forks=3,
        effort=Effort(block_s=0.02, measured_s=0.3, warmup_s=0.5, latency_s=0.05),
        timeout_s=180,
        budget_s=0,
        frameworks=("pytorch", "onnxruntime"),
        training="small",
    ),
    "full": Preset(
        FULL,
        forks=5,
        effort=Effort(measured_s=10, warmup_s=20, latency_s=5),
        timeout_s=1800,
        budget_s=12 * 60 * 60,
    ),
}
EXPORTER = "pytorch"  # whose export ONNX Runtime is measured on


def preset(name: str) -> Preset:
    """The preset ``name``; ``UserError`` for an unknown one."""
    if name not in PRESETS:
        raise UserError("unknown preset", given=name, allowed=", ".join(PRESETS), todo="choose one of these")
    return PRESETS[name]


def cases(
    chosen: Preset,
    frameworks: Sequence[str],
    wanted: Iterable[str] | None = None,
    policy: str = EQUAL,
    device: str = "cpu",
) -> list[Case]:
    """The preset's cases in ``frameworks``; inference only where a framework does not train.

    Of the networks ``wanted`` those that the preset does not list are measured as ``ANY`` says.
    ONNX Runtime takes part if the framework that exports for it does. A framework in which ``policy``
    switches nothing on has no case of its own there: ``equal`` has it.
    """
    exporter = next((framework for framework in frameworks if known(framework).name == EXPORTER), None)
    found = []
    for network, task, batch in _work(chosen, wanted):
        for framework in frameworks:
            trains = known(framework).trains
            unlike = policy == EQUAL or switches(policy, plain(framework), device) != AS_IT_COMES
            if not unlike:
                continue
            if trains:
                found.append(Case(network, task, batch, framework, policy=policy))
            elif task != "training" and exporter is not None:
                found.append(Case(network, task, batch, framework, exporter, policy))
    return found


def _work(chosen: Preset, wanted: Iterable[str] | None) -> Iterator[tuple[str, Task, int]]:
    if wanted is None:
        yield from chosen.work
        return
    names = list(wanted)
    listed = {network for network, _, _ in chosen.work}
    yield from (work for work in chosen.work if work[0] in names)
    for name in names:
        tasks = [] if name in listed else [each for each in ANY if each[0] != "training" or _learns(name)]
        yield from ((name, task, batch) for task, batch in tasks)


def _learns(network: str) -> bool:
    """Whether it has a loss; a base without a head has none."""
    return networks.build(network).loss.kind != "none"


def schedule(chosen: Sequence[Case], forks: int, seed: int) -> list[tuple[Case, int]]:
    """(case, fork number from 1): every round holds each case once, in its own seeded random order.

    So a slow hour of the machine hits all frameworks alike.
    """
    generator = random.Random(seed)
    order = []
    for fork in range(1, forks + 1):
        turn = list(chosen)
        generator.shuffle(turn)
        order += [(case, fork) for case in turn]
    return order


def as_data(case: Case) -> dict[str, Any]:
    return {
        "network": case.network,
        "task": case.task,
        "batch": case.batch,
        "framework": case.framework,
        "exporter": case.exporter,
        "policy": case.policy,
    }
