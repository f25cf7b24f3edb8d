"""Where a training stands, in one file: weights, optimizer state, position, what was measured so far.

A safetensors file, written whole or not at all: whenever the process is killed, the last one is there. No
state of a random generator belongs to it, since order, augmentation and dropout depend on the step's number.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from implementations.commandline import ROOT
from implementations.errors import UserError
from implementations.files import replacing

Arrays = Mapping[str, NDArray[Any]]
CODE = ROOT / "benchmarks"  # all that a training may rest on beside a proof's: data, recipes, steps, scores
WEIGHTS, OPTIMIZER, LOSSES = "weights/", "optimizer/", "losses"


@dataclass(frozen=True)
class Saving:
    """When a checkpoint is written, beside the end of every epoch."""

    steps: int | None = None
    seconds: float = 60.0

    def is_due(self, steps: int, seconds: float) -> bool:
        """Whether so many steps and seconds after the last one it is time."""
        return seconds >= self.seconds or (self.steps is not None and steps >= self.steps)


USUAL = Saving()


@dataclass
class Position:
    """How far a training has come, and what it has measured."""

    step: int = 0  # steps done, over all stages
    stage: int = 0
    stage_step: int = 0  # steps done in this stage
    losses: list[float] = field(default_factory=list)  # of this epoch's steps
    epochs: list[dict[str, Any]] = field(default_factory=list)
    initial: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0  # this epoch's training steps alone
    waited_s: float = 0.0  # this epoch's waiting for data
    elapsed_s: float = 0.0  # from the first step on, evaluation included
    deterministic: bool | None = None
    target: dict[str, Any] | None = None  # when it was reached
    fed: list[str] = field(default_factory=list)  # SHA-256 of the first batches
    features_s: float | None = None  # until a frozen base's features were there


def save(path: Path, identity: str, position: Position, weights: Arrays, optimizer: Arrays) -> None:
    """Replace the checkpoint in ``path``. ``identity`` says which training it belongs to."""
    arrays = {f"{WEIGHTS}{key}": value for key, value in weights.items()}
    arrays |= {f"{OPTIMIZER}{key}": value for key, value in optimizer.items()}
    about = asdict(position)
    arrays[LOSSES] = np.array(about.pop("losses"), np.float64)
    metadata = {"identity": identity, "position": json.dumps(about)}
    with replacing(path, "the checkpoint") as temporary:
        contiguous = {key: np.asarray(value, order="C") for key, value in arrays.items()}
        try:
            save_file(contiguous, temporary, metadata)
        except SafetensorError as error:  # how safetensors reports a full disk
            raise OSError(str(error)) from error


def load(path: Path, identity: str) -> tuple[Position, dict[str, Any], dict[str, Any]]:
    """(position, weights, optimizer state) in ``path``; ``UserError`` if damaged, or of another training."""
    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (no mapping)
        about, found = json.loads(metadata["position"]), metadata["identity"]
        position = Position(**about, losses=arrays.pop(LOSSES).tolist())
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _refused(path, f"the checkpoint cannot be read ({type(error).__name__}: {error})") from None
    if found != identity:
        raise _refused(path, "the checkpoint belongs to another training")
    return position, _under(WEIGHTS, arrays), _under(OPTIMIZER, arrays)


def _under(prefix: str, arrays: Arrays) -> dict[str, Any]:
    return {key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)}


def _refused(path: Path, wrong: str) -> UserError:
    return UserError(
        wrong,
        given=path,
        allowed="one of the same recipe, data, seed, framework build, thread count and code of this project",
        todo="remove the file to begin this training anew, or choose another --output",
    )
