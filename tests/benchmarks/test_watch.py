"""What disturbs a fork: judged on counters that are chosen here; and a real process, watched."""

import dataclasses
import os
import subprocess
import sys
from typing import Any

import pytest

from benchmarks import watch
from benchmarks.sensors import Gpu, Sample, Sensors

CORES = 4
QUIET = Sample(at=100.0, busy_s=1000.0, stolen_s=50.0, own_s=10.0, rss_bytes=2**30, swapped_bytes=0)
GPU = Gpu(processes=1, used_bytes=2**30, sm_clock_mhz=1980, held_back=False, energy_j=5.0)


def after(seconds: float, **more: Any) -> Sample:
    """A sample ``seconds`` later, in which the counters named have grown by ``more``."""
    grown = {"own_s": CORES * seconds, "busy_s": CORES * seconds, **more}
    summed = {
        name: getattr(QUIET, name) + grown.pop(name, 0)
        for name in ("busy_s", "stolen_s", "own_s", "swapped_bytes")
    }
    return Sample(at=QUIET.at + seconds, **{"rss_bytes": QUIET.rss_bytes, **summed, **grown})


def test_a_child_that_has_all_cores_for_itself_is_undisturbed() -> None:
    found = watch.seen([QUIET, after(10)], CORES)
    assert (found["others_share"], found["stolen_share"], found["disturbances"]) == (0.0, 0.0, [])


def test_idle_cores_disturb_nobody() -> None:
    assert watch.seen([QUIET, after(10, busy_s=10, own_s=10)], CORES)["disturbances"] == []


@pytest.mark.parametrize(("others", "disturbed"), [(0.04, False), (0.2, True)])
def test_other_processes_disturb_from_a_share_of_the_cores_on(others: float, disturbed: bool) -> None:
    found = watch.seen([QUIET, after(10, busy_s=CORES * 10, own_s=CORES * 10 * (1 - others))], CORES)
    assert found["others_share"] == pytest.approx(others)
    assert any("other processes took 20%" in text for text in found["disturbances"]) is disturbed


@pytest.mark.parametrize(("stolen", "disturbed"), [(0.02, False), (0.25, True)])
def test_a_hypervisor_disturbs_and_is_nobodys_load(stolen: float, disturbed: bool) -> None:
    taken = CORES * 10 * stolen
    found = watch.seen([QUIET, after(10, stolen_s=taken, own_s=CORES * 10 - taken)], CORES)
    assert (found["stolen_share"], found["others_share"]) == pytest.approx((stolen, 0.0))
    assert any("hypervisor took 25%" in text for text in found["disturbances"]) is disturbed


@pytest.mark.parametrize(("swapped", "disturbed"), [(2**20, False), (64 * 2**20, True)])
def test_swapping_disturbs(swapped: int, disturbed: bool) -> None:
    found = watch.seen([QUIET, after(10, swapped_bytes=swapped)], CORES)
    assert ("64 MiB were swapped" in found["disturbances"]) is disturbed


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [(7, 7, []), (7, 9, ["cores were slowed down by heat"]), (None, None, [])],
)
def test_heat_disturbs_where_it_can_be_read(before: int | None, now: int | None, said: list[str]) -> None:
    first = dataclasses.replace(QUIET, throttled=before)
    found = watch.seen([first, after(10, throttled=now)], CORES)
    assert found["disturbances"] == said
    assert ("throttled" in found) is (before is not None)


def test_the_largest_resident_set_is_kept() -> None:
    assert watch.seen([QUIET, after(5, rss_bytes=2**31), after(10)], CORES)["peak_rss_bytes"] == 2**31


# --- Energy -------------------------------------------------------------------------------


def test_energy_is_what_the_counters_rose_by() -> None:
    first = dataclasses.replace(QUIET, energy_j={"package-0": 1000.0}, gpu=GPU)
    last = after(10, energy_j={"package-0": 1500.0}, gpu=dataclasses.replace(GPU, energy_j=35.0))
    assert watch.seen([first, last], CORES)["energy_j"] == {"package-0": 500.0, "gpu": 30.0}


def test_energy_that_cannot_be_read_is_absent_and_not_zero() -> None:
    assert "energy_j" not in watch.seen([QUIET, after(10)], CORES)


def test_a_counter_that_began_anew_is_absent() -> None:
    first = dataclasses.replace(QUIET, energy_j={"package-0": 1000.0})
    assert "energy_j" not in watch.seen([first, after(10, energy_j={"package-0": 3.0})], CORES)


# --- GPU ----------------------------------------------------------------------------------


def test_a_gpu_is_described_over_the_window() -> None:
    samples = [
        dataclasses.replace(QUIET, gpu=GPU),
        after(5, gpu=dataclasses.replace(GPU, sm_clock_mhz=1700, used_bytes=2**33)),
        after(10, gpu=GPU),
    ]
    found = watch.seen(samples, CORES)
    assert (found["gpu_clock_mhz"], found["gpu_used_bytes"]) == ([1700, 1980], 2**33)
    assert found["disturbances"] == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"processes": 3}, "2 other processes computed on the GPU"),
        ({"held_back": True}, "the GPU was slowed down by heat or power"),
    ],
)
def test_other_users_and_heat_of_a_gpu_disturb(change: dict[str, Any], said: str) -> None:
    first = dataclasses.replace(QUIET, gpu=GPU)
    found = watch.seen([first, after(10, gpu=dataclasses.replace(GPU, **change))], CORES)
    assert found["disturbances"] == [said]


def test_without_a_gpu_nothing_is_said_of_one() -> None:
    assert not any(name.startswith("gpu") for name in watch.seen([QUIET, after(10)], CORES))


# --- The window ---------------------------------------------------------------------------


def test_only_what_happened_in_the_window_counts() -> None:
    samples = [after(second) for second in range(10)]
    inside = watch.bracketing(samples, (QUIET.at + 3.5, QUIET.at + 5.5))
    assert [sample.at - QUIET.at for sample in inside] == [3, 4, 5, 6]


def test_a_window_longer_than_the_samples_takes_all() -> None:
    samples = [after(second) for second in (1, 2, 3)]
    assert watch.bracketing(samples, (0.0, 1e9)) == samples


def test_too_few_samples_give_no_report() -> None:
    watched = watch.Watch(Sensors(), CORES)
    watched.samples = [QUIET]
    assert watched.report((0.0, 1e9)) == {}


# --- A real process -----------------------------------------------------------------------


def test_a_real_process_is_sampled_until_the_block_ends() -> None:
    watched = watch.Watch(Sensors(), os.cpu_count() or 1, interval_s=0.02)
    code = "import sys; sys.stdout.write('up'); sys.stdout.flush(); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        with watched.over(child.pid):
            assert child.stdout is not None
            child.stdout.read(2)
            while len(watched.samples) < 3:
                pass
        assert child.stdin is not None
        child.stdin.close()
    report = watched.report((watched.samples[0].at, watched.samples[-1].at))
    assert report["peak_rss_bytes"] > 5 * 2**20  # an interpreter is larger
    assert report["seconds"] > 0


def test_a_process_that_is_gone_ends_the_watch() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    watched = watch.Watch(Sensors(), 1, interval_s=0.01)
    with watched.over(child.pid):
        pass
    assert watched.report((0.0, 1e9)) == {}
