"""Which forks a run makes: with stand-ins for children, and a clock that each fork moves by a minute."""

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from made_forks import content_of
from stand_in import Options, StandIn

from benchmarks import __main__ as command
from benchmarks import comparisons, plan, results
from benchmarks.forking import ForkFailedError
from benchmarks.run import Run, Stopping
from implementations.cache import Cache
from implementations.processes import Finished
from implementations.proving import Prover

MINUTE = 60.0
A, B = "pytorch", "paddle"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Timed(StandIn):
    """Every fork takes a minute."""

    clock: Any = None

    def run(self, *arguments: Any, **options: Any) -> Finished:
        self.clock.now += MINUTE
        return super().run(*arguments, **options)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def started(tmp_path: Path, said: list[str]) -> Any:
    """A proven run of the MLP in two frameworks, with blocks as long as ``block_s`` says."""

    def start(block_s: Any, minutes: float, precision: float = 0.03, launcher: type[Timed] = Timed) -> Run:
        clock = Clock()
        made = launcher(1, block_s=block_s)
        object.__setattr__(made, "clock", clock)
        prover = Prover(made, Cache(tmp_path / "cache"))
        run = Run(tmp_path / "run", "quick", [A, B], ["mlp"], prover, said.append)
        run.clock, run.stopping, run.started = clock, Stopping(precision, minutes * MINUTE), clock.now
        run.open()
        run.prove()
        return run

    return start


def exact(given: Options) -> float:
    return 0.5 if given["framework"] == A else 1.0


def noisy(given: Options) -> float:
    """Forks of A that spread by 20 %; those of B do not."""
    return 0.5 + 0.1 * (int(given["fork"]) % 2) if given["framework"] == A else 1.0


def made(run: Run) -> dict[str, int]:
    forks = [fork.case.framework for fork in results.forks(run.folder)]
    return {name: forks.count(name) for name in (A, B)}


def test_the_presets_forks_are_enough_where_they_agree(started: Any, said: list[str]) -> None:
    run = started(exact, minutes=100)
    run.measure()
    assert made(run) == {A: 3, B: 3}
    assert said[-1].startswith("precision: 1 of 1 ratios within ±3.0 %, the widest ±0.0 %")


def test_forks_are_added_until_the_ratio_is_narrow(started: Any) -> None:
    run = started(noisy, minutes=10_000, precision=0.05)
    run.measure()
    counts = made(run)
    assert counts[A] == counts[B] > 3
    (comparison,) = comparisons.comparisons(results.forks(run.folder))
    _, slower = comparison.forks
    ratio = comparison.of_fastest(slower)
    assert ratio is not None
    assert ratio.width <= 0.05


def test_the_budget_ends_it_and_the_price_of_more_is_said(started: Any, said: list[str]) -> None:
    run = started(noisy, minutes=9)
    run.measure()
    assert made(run) == {A: 4, B: 5}  # six forks in six minutes, three more in nine
    assert "0 of 1 ratios within ±3.0 %" in said[-1]
    assert "±1.5 % everywhere would take about" in said[-1]


def test_no_fork_is_begun_that_would_end_after_the_budget(started: Any) -> None:
    run = started(noisy, minutes=8.5)
    run.measure()
    assert run.clock() == 1000 + 8 * MINUTE


@pytest.mark.parametrize("minutes", [0, 2])
def test_the_presets_forks_are_made_whatever_the_budget(started: Any, minutes: float) -> None:
    run = started(noisy, minutes=minutes)
    run.measure()
    assert made(run) == {A: 3, B: 3}


def test_more_forks_than_the_presets_can_be_asked_for(started: Any) -> None:
    run = started(noisy, minutes=0)
    run.stopping = dataclasses.replace(run.stopping, forks=5)
    run.measure()
    assert made(run) == {A: 5, B: 5}


def test_a_run_that_is_gone_on_with_adds_to_what_is_there(started: Any) -> None:
    started(noisy, minutes=0).measure()
    again = started(noisy, minutes=2)
    again.measure()
    assert made(again) == {A: 4, B: 4}


# --- Disturbed forks ----------------------------------------------------------------------


class Disturbed(Timed):
    """The first fork of A is measured while others compute."""

    def content(self, case: Any, given: Options) -> dict[str, Any]:
        content = super().content(case, given)
        words = ["other processes took 40% of the cores' time"]
        if (given["framework"], given["fork"]) == (A, "1"):
            content["benchmarks"][0]["extra_info"]["watched"] = {"disturbances": words}
        return content


def test_a_disturbed_fork_is_kept_flagged_and_repeated(started: Any, said: list[str]) -> None:
    run = started(exact, minutes=100, launcher=Disturbed)
    run.measure()
    assert made(run) == {A: 4, B: 3}
    (flagged,) = [fork for fork in results.forks(run.folder) if fork.disturbances]
    assert flagged.attributes["fork"] == 1
    assert any("DISTURBED, other processes took 40%" in line for line in said)


def test_a_run_that_is_gone_on_with_repeats_a_disturbed_fork_no_more(started: Any) -> None:
    started(exact, minutes=100, launcher=Disturbed).measure()
    again = started(exact, minutes=100, launcher=Disturbed)
    again.measure()
    assert made(again) == {A: 4, B: 3}


def test_without_time_a_disturbed_fork_is_not_repeated(started: Any, said: list[str]) -> None:
    run = started(exact, minutes=0, launcher=Disturbed)
    run.measure()
    assert made(run) == {A: 3, B: 3}
    assert "  there was no time left for all of them" in said


# --- Failures -----------------------------------------------------------------------------


class Failing(Timed):
    """Forks of B from the fourth on fail."""

    def run(self, framework: str, arguments: Any, *others: Any, **options: Any) -> Finished:
        finished = super().run(framework, arguments, *others, **options)
        if framework == B and int(self.given[-1]["fork"]) > 3:
            Path(self.given[-1]["benchmark-json"]).unlink()
            return Finished(-9, 1.0, False, "")
        return finished


def test_a_case_that_fails_gets_no_more_forks(started: Any) -> None:
    run = started(noisy, minutes=100, launcher=Failing)
    run.measure()
    assert made(run) == {A: 4, B: 3}  # one round more, in which B failed
    assert [(f["framework"], f["fork"], f["reason"]) for f in run.failures] == [(B, 4, "killed by SIGKILL")]


class Damaged(Timed):
    """The first fork of B writes half a result."""

    def run(self, framework: str, arguments: Any, *others: Any, **options: Any) -> Finished:
        finished = super().run(framework, arguments, *others, **options)
        if framework == B and self.given[-1]["fork"] == "1":
            output = Path(self.given[-1]["benchmark-json"])
            output.write_text(output.read_text()[:100])
        return finished


def test_a_damaged_result_costs_its_fork_only(started: Any) -> None:
    run = started(exact, minutes=0, launcher=Damaged)
    run.measure()
    assert made(run) == {A: 3, B: 2}
    (failure,) = run.failures
    assert "cannot be read" in failure["reason"]


class SteppedBack(Timed):
    """A block of the first fork of B took less than no time."""

    def content(self, case: Any, given: Options) -> dict[str, Any]:
        content = super().content(case, given)
        if (given["framework"], given["fork"]) == (B, "1"):
            content["benchmarks"][0]["stats"]["data"] = [-0.5]
        return content


def test_a_time_below_zero_is_no_result(started: Any) -> None:
    run = started(exact, minutes=0, launcher=SteppedBack)
    run.measure()
    assert made(run) == {A: 3, B: 2}
    (failure,) = run.failures
    assert "not one of this project's" in failure["reason"]


def test_a_full_disk_costs_what_it_hits_and_is_named(started: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started(exact, minutes=0)
    write_text = Path.write_text

    def full(path: Path, text: str, *others: Any, **options: Any) -> int:
        if "paddle" in path.name and "fork2" in path.name:
            raise OSError(28, "No space left on device")
        return write_text(path, text, *others, **options)

    monkeypatch.setattr(Path, "write_text", full)
    run.measure()
    assert made(run) == {A: 3, B: 2}
    (failure,) = run.failures
    assert (failure["framework"], failure["fork"]) == (B, 2)
    assert "No space left on device" in failure["reason"]
    assert not run.passed


def test_what_the_disk_refused_is_measured_when_there_is_room(
    started: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        test_a_full_disk_costs_what_it_hits_and_is_named(started, patched)
    again = started(exact, minutes=0)
    again.measure()
    assert made(again) == {A: 3, B: 3}
    assert again.passed


def test_a_stand_in_writes_what_a_fork_writes(tmp_path: Path) -> None:
    from benchmarks.plan import Case

    path = tmp_path / "fork.json"
    path.write_text(json.dumps(content_of(Case("mlp", "training", 32, A), [0.5])))
    assert results.read_fork(path).median == 320  # 5 steps of 32 images in half a second


# --- Out of memory ------------------------------------------------------------------------


class Small(Timed):
    """A device on which batches above 4 do not fit."""

    def run(self, framework: str, arguments: Any, *others: Any, **options: Any) -> Finished:
        finished = super().run(framework, arguments, *others, **options)
        if int(self.given[-1]["batch"]) > 4:
            Path(self.given[-1]["benchmark-json"]).unlink()
            return Finished(1, 1.0, False, "FAILED - torch.OutOfMemoryError: CUDA out of memory. Tried to")
        return finished


@pytest.fixture
def sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run over the MLP's batches 1 to 16 on the small device."""
    work = tuple(("mlp", "training", batch) for batch in (1, 2, 4, 8, 16))
    preset = dataclasses.replace(plan.preset("sweep"), work=work, forks=2)
    monkeypatch.setitem(plan.PRESETS, "sweep", preset)
    made = Small(1, block_s=exact)
    object.__setattr__(made, "clock", Clock())
    prover = Prover(made, Cache(tmp_path / "cache"))
    run = Run(tmp_path / "run", "sweep", [A], ["mlp"], prover, lambda line: None)
    run.open()
    run.prove()
    run.measure()
    return run


def test_a_sweep_ends_where_memory_does(sweep: Run) -> None:
    assert {fork.case.batch for fork in results.forks(sweep.folder)} == {1, 2, 4}
    tried = [int(given["batch"]) for given in sweep.prover.launcher.given]  # type: ignore[attr-defined]
    assert sum(batch > 4 for batch in tried) <= 2  # at most one try of either, in whatever order


def test_out_of_memory_is_data_and_no_failure(sweep: Run) -> None:
    assert sweep.failures
    assert all(failure["out_of_memory"] for failure in sweep.failures)
    assert sweep.passed


def test_a_larger_batch_is_not_tried_again(sweep: Run) -> None:
    before = len(sweep.prover.launcher.given)  # type: ignore[attr-defined]
    sweep.measure()
    assert len(sweep.prover.launcher.given) == before  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("said", "is_memory"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", True),
        ("ResourceExhaustedError: OOM when allocating tensor with shape[64,512]", True),
        ("jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory", True),
        ("RuntimeError: cuDNN error: CUDNN_STATUS_ALLOC_FAILED", True),
        ("CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)", True),
        ("Failed to allocate: CUDA_ERROR_OUT_OF_MEMORY", True),
        ("MemoryError: Unable to allocate 3.5 GiB", True),
        ("what(): std::bad_alloc", True),
        (
            "RuntimeError: [enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory",
            True,
        ),
        ("AssertionError: the canary is 0.1 off the certificate", False),
        ("killed by SIGKILL", False),
    ],
)
def test_out_of_memory_is_known_by_what_frameworks_say(said: str, is_memory: bool) -> None:
    assert ForkFailedError("exit code 1", said).out_of_memory is is_memory


# --- Ctrl-C -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "named_again"),
    [
        (["run"], True),
        (["run", "--output", "results/a"], False),
        (["run", "--output=results/a"], False),
        (["run", "--resume"], False),  # beside --output it would be refused
    ],
)
def test_an_interrupt_says_how_to_go_on(
    started: Any, monkeypatch: pytest.MonkeyPatch, words: list[str], named_again: bool
) -> None:
    run = started(exact, minutes=0)
    run.measure()
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "benchmarks", *words])
    with pytest.raises(KeyboardInterrupt, match="6 finished forks are kept") as caught:
        interrupt(run)
    assert str(caught.value).endswith(f" --output {run.folder}") is named_again


def interrupt(run: Run) -> None:
    with command._interruptible(run):
        raise KeyboardInterrupt
