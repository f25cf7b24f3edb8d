from pathlib import Path

import numpy as np
import pytest

from benchmarks.training import checkpoint
from benchmarks.training.checkpoint import Position, Saving
from implementations.errors import UserError

WEIGHTS = {"a.weight": np.arange(6, dtype=np.float32).reshape(2, 3).T}  # not contiguous
STATE = {"a.weight/m": np.array([1.5, np.nextafter(1, 2)]), "steps": np.array(3)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    position = Position(7, 1, 2, [0.1, 1 / 3], [{"epoch": 1}], {"validation": {}}, 1.5, 0.25, 9.0, True, None)
    checkpoint.save(tmp_path / "checkpoint.safetensors", "mine", position, WEIGHTS, STATE)
    return tmp_path / "checkpoint.safetensors"


def test_everything_comes_back_bit_for_bit(path: Path) -> None:
    position, weights, state = checkpoint.load(path, "mine")
    assert (position.step, position.stage, position.stage_step) == (7, 1, 2)
    assert position.losses == [0.1, 1 / 3]
    assert (position.epochs, position.elapsed_s, position.deterministic) == ([{"epoch": 1}], 9.0, True)
    for found, expected in ((weights, WEIGHTS), (state, STATE)):
        assert found.keys() == expected.keys()
        for key, array in expected.items():
            assert np.array_equal(found[key], array)
            assert found[key].dtype == array.dtype


def test_a_checkpoint_of_another_training_is_refused(path: Path) -> None:
    with pytest.raises(UserError, match="belongs to another training"):
        checkpoint.load(path, "another")


@pytest.mark.parametrize("kept", [0, 5, 60, 0.5, 0.99])
def test_a_cut_off_checkpoint_is_refused(path: Path, kept: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    with pytest.raises(UserError, match="the checkpoint cannot be read"):
        checkpoint.load(path, "mine")


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    from implementations import weights

    weights.save(tmp_path / "w.safetensors", WEIGHTS)
    with pytest.raises(UserError, match="the checkpoint cannot be read"):
        checkpoint.load(tmp_path / "w.safetensors", "mine")


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(path: Path) -> None:
    class Refusing:
        def __array__(self, *arguments: object, **options: object) -> object:
            raise OSError("no space left")

    before = path.read_bytes()
    with pytest.raises(UserError, match="the checkpoint cannot be written"):
        checkpoint.save(path, "mine", Position(), {"a.weight": Refusing()}, {})  # type: ignore[dict-item]
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_a_checkpoint_is_due_after_so_many_steps_or_seconds() -> None:
    saving = Saving(steps=10, seconds=60)
    assert not saving.is_due(9, 59.9)
    assert saving.is_due(10, 0)
    assert saving.is_due(1, 60)
    assert not Saving(seconds=60).is_due(10**9, 59)
