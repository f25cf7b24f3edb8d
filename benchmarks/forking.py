"""One fork: a fresh process that measures one case, watched from here; a file if it succeeds."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import results
from benchmarks.plan import Case
from benchmarks.watch import Watch
from implementations.errors import UserError
from implementations.files import replacing
from implementations.processes import REASON_LENGTH, Finished
from implementations.proving import Prover

# As PyTorch, TensorFlow, XLA, Paddle, ONNX Runtime, CUDA's libraries, Python and C++ put it.
OUT_OF_MEMORY = re.compile(
    r"out of memory|OutOfMemory|RESOURCE_EXHAUSTED|ResourceExhausted|OOM when allocating|MemoryError"
    r"|bad_alloc|Failed to allocate memory|can't allocate memory|STATUS_ALLOC_FAILED|OUT_OF_MEMORY",
    re.IGNORECASE,
)
FAILURE_MARKS = ("FAILED", "ERROR", "error:", "Exit:")
PYTEST = (
    "-p",
    "pytest_benchmark.plugin",
    "-p",
    "no:cacheprovider",
    "-q",
    "--tb=short",
    "--benchmark-disable-gc",
)


@dataclass(frozen=True)
class Forker:
    """Measures forks of a preset's cases, one after the other."""

    preset_name: str
    prover: Prover
    watch: Watch

    def measure(
        self, case: Case, number: int, certificate: Path, final: Path, timeout: float
    ) -> results.Fork:
        """The fork that a fresh process measured under ``certificate``, kept in ``final``.

        ``ForkFailedError`` if the process left no result within ``timeout`` s, or a damaged one, or the disk
        is full.
        """
        try:
            with replacing(final, "a result") as partial:
                return self._measured(case, number, certificate, partial, timeout)
        except UserError as error:
            raise ForkFailedError(error.wrong) from None

    def _measured(
        self, case: Case, number: int, certificate: Path, partial: Path, timeout: float
    ) -> results.Fork:
        command = self._command(case, number, certificate, partial)
        ended = self.prover.launcher.run(case.framework, command, timeout, during=self.watch.over)
        if ended.returncode != 0 or not partial.exists():
            raise ForkFailedError(*_in_one_line(ended))
        self._add_watched(partial)
        return results.read_fork(partial)

    def _add_watched(self, path: Path) -> None:
        """What was seen from here becomes a field of the result."""
        content = results.read_json(path, "result file")
        fields = results.fields_of(path, content)
        window = fields.get("window_s")
        if window is not None:
            fields["watched"] = self.watch.report(tuple(window))
            results.write_json(path, content)

    def _command(self, case: Case, number: int, certificate: Path, output: Path) -> list[str]:
        options = {
            "--framework": case.framework,
            "--network": case.network,
            "--batch": case.batch,
            "--preset": self.preset_name,
            "--device": self.prover.device,
            "--threads": self.prover.launcher.threads,
            "--policy": case.policy,
            "--fork": number,
            "--weights": self.prover.weights(case.claim),
            "--certificate": certificate.absolute(),
            "--benchmark-json": output.absolute(),
        }
        if case.exporter:
            options |= {"--exporter": case.exporter, "--model": self.prover.model(case.claim)}
        return ["-m", "pytest", f"benchmarks/test_{case.task}.py", *PYTEST, *_assigned(options.items())]


def _assigned(options: Iterable[tuple[str, object]]) -> list[str]:
    return [f"{name}={value}" for name, value in options]


class ForkFailedError(Exception):
    """A measuring process that left no result: the reason in one line, and its last lines."""

    def __init__(self, reason: str, last_lines: str = "") -> None:
        super().__init__(reason[:REASON_LENGTH])
        self.last_lines = last_lines

    @property
    def out_of_memory(self) -> bool:
        """Whether the framework said that the device's or the machine's memory did not suffice."""
        return OUT_OF_MEMORY.search(f"{self}\n{self.last_lines}") is not None


def _in_one_line(ended: Finished) -> tuple[str, str]:
    """Why there is no result, in pytest's own words where it spoke; and the last lines."""
    said = [line for line in ended.last_lines.splitlines() if line.startswith(FAILURE_MARKS)]
    spoke = ended.returncode == 1 and said
    return said[0] if spoke else ended.reason or "it wrote no result", ended.last_lines
