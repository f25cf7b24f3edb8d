"""Every mutant through the real adapters of the quick preset: caught at its level, in its layer.

``python -m implementations check --mutants --framework keras`` does so on all backends of Keras; JAX
compiles for minutes.
"""

import pytest

from benchmarks import plan
from implementations import mutant_table
from implementations.network import TRAINERS
from implementations.proving import Prover

pytestmark = pytest.mark.frameworks


@pytest.mark.parametrize("framework", [name for name in plan.preset("quick").frameworks if name in TRAINERS])
def test_every_mutant_is_caught(framework: str, prover: Prover) -> None:
    rows = prover.table(framework, mutant_table.TASKS["networks"])
    assert len(rows) >= 30
    assert [(row["name"], row["found"]) for row in rows if not row["caught"]] == []
