"""Every mutant through every real adapter: caught at its level, in its layer."""

import pytest

from implementations.network import TRAINERS
from implementations.proving import Prover

pytestmark = pytest.mark.frameworks


@pytest.mark.parametrize("framework", TRAINERS)
def test_every_mutant_is_caught(framework: str, prover: Prover) -> None:
    rows = prover.mutants(framework)
    assert len(rows) >= 10
    assert [(row["name"], row["found"]) for row in rows if not row["caught"]] == []
