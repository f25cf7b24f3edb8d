"""What stands behind a number: each from fields that are chosen here."""

import dataclasses
from typing import Any

import pytest
from made_forks import fork_of

from benchmarks import comparisons, work
from benchmarks.plan import Case
from benchmarks.results import Fork
from implementations import networks
from reports import details
from reports.details import Details

CASE = Case("mlp", "training", 32, "pytorch")
MLP = networks.build("mlp")


def fork(rate: float = 3200.0, **changes: Any) -> Fork:
    made = fork_of(CASE, rate, changes.pop("disturbances", ()))
    key = {**made.key, "digest": MLP.digest, **changes.pop("key", {})}
    attributes = {**made.attributes, **changes.pop("attributes", {})}
    return dataclasses.replace(made, key=key, attributes=attributes, fields={**made.fields, **changes})


def found(*forks: Fork, **ceilings: float) -> Details:
    return details.of_all(comparisons.comparisons(forks), ceilings)[CASE]


def test_flop_and_bytes_come_from_the_specification() -> None:
    step = work.of(MLP, "training", 32)
    behind = found(fork(), float32=1e12, copy=1e11)
    # 3,200 images/s are 100 steps/s
    assert behind.gflop_per_s == pytest.approx(100 * step.flop / 1e9)
    assert behind.share_of_ceiling == pytest.approx(100 * step.flop / 1e12)
    assert behind.gbytes_per_s == pytest.approx(100 * step.moved_bytes / 1e9)
    assert behind.share_of_copy == pytest.approx(100 * step.moved_bytes / 1e11)


def test_a_16_bit_type_moves_half_and_has_its_own_ceiling() -> None:
    step = work.of(MLP, "training", 32)
    behind = found(fork(key={"precision": "bfloat16"}), float32=1e12, bfloat16=4e12, copy=1e11)
    assert behind.share_of_ceiling == pytest.approx(100 * step.flop / 4e12)
    assert behind.gbytes_per_s == pytest.approx(50 * step.moved_bytes / 1e9)


def test_a_copy_is_of_float32_whatever_the_layers_compute_in() -> None:
    assert work.of(MLP, "copy", 32, width=2) == work.of(MLP, "copy", 32)


def test_without_ceilings_there_is_no_share() -> None:
    behind = found(fork())
    assert (behind.share_of_ceiling, behind.share_of_copy) == (None, None)


def test_of_a_network_that_has_changed_since_nothing_is_computed() -> None:
    behind = found(fork(key={"digest": "f" * 64}), float32=1e12)
    assert (behind.gflop_per_s, behind.gbytes_per_s, behind.held_mib) == (None, None, None)


def test_more_than_the_ceiling_is_noted() -> None:
    assert "of what the machine can" in found(fork(), float32=1e7).notes[0]


def test_energy_is_watts_by_images_a_second() -> None:
    behind = found(fork(watched={"seconds": 2.0, "energy_j": {"package-0": 100.0, "gpu": 540.0}}))
    assert behind.joules_per_image == pytest.approx(320 / 3200)  # 320 W at 3,200 images/s


def test_energy_that_nobody_counted_is_absent() -> None:
    assert found(fork()).joules_per_image is None


def test_the_switches_of_all_forks_alike_are_shown() -> None:
    a, b = ({"threads": "2", "device": name} for name in ("x", "y"))
    behind = found(fork(attributes={"switches": a}), fork(attributes={"switches": b}))
    assert behind.switches == {"threads": "2"}


def test_disturbed_forks_are_noted() -> None:
    behind = found(fork(), fork(disturbances=["other processes took 40% of the cores' time"]))
    assert behind.notes == ("1 of 2 forks disturbed: other processes took 40% of the cores' time",)


def test_a_drift_is_noted() -> None:
    seconds = tuple(0.01 * 1.3 ** (i / 19) for i in range(20))
    behind = found(dataclasses.replace(fork(), seconds=seconds))
    assert behind.notes == ("blocks drift in 1 of 1 forks, by +30% from first to last",)


def test_old_results_have_no_latency_and_no_compile_time() -> None:
    behind = found(fork(phases_s={"first_call": 1.0}))
    assert (behind.latency, behind.compile_s, behind.switches) == (None, None, {})
