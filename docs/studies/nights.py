"""Repeated small runs, as the nights of a nightly job: how far forks lie apart, and how far nights do.

    python docs/studies/nights.py record FOLDER [--nights 24] [--minutes 25]
    python docs/studies/nights.py read FOLDER [--json docs/studies/nights.json]

``record`` makes one run of the preset ``nights`` after the other into FOLDER, of the frameworks that are
installed of its own; it goes on where it was interrupted. ``read`` writes every fork's value, by case and
night, into the file that ``regressions.py`` draws from, and prints what the nights' spread is made of.
"""

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np

from benchmarks import plan, results
from benchmarks.plan import Case
from benchmarks.run import Run
from implementations import commandline, selection
from implementations.cache import Cache
from implementations.console import CONSOLE
from implementations.processes import Launcher
from implementations.proving import Prover

PRESET = "nights"
THREADS = 1  # of each framework: two on a shared machine wait for each other, which is another study's matter
DATA = Path(__file__).with_name("nights.json")
Cases = dict[str, list[list[float]]]  # images/s of the forks of every night, by case


class OfFiles(Run):
    """A run of ONNX Runtime alone, whose processes start soonest; PyTorch only writes its files."""

    @property
    def cases(self) -> list[Case]:
        return [case for case in super().cases if case.exporter]


def record(folder: Path, nights: int, minutes: float) -> int:
    """As many whole runs as there is time for."""
    end = time.monotonic() + 60 * minutes
    launcher, preset = Launcher(THREADS), plan.preset(PRESET)
    names = selection.frameworks(None, launcher, CONSOLE.print, default=preset.frameworks)
    prover = Prover(launcher, Cache(None), "cpu", training=preset.training)
    longest = 0.0
    for night in range(1, nights + 1):
        begun = time.monotonic()
        if begun + longest > end:
            break
        networks = list(dict.fromkeys(network for network, _, _ in preset.work))
        run = OfFiles(folder / f"night-{night:02}", PRESET, names, networks, prover, CONSOLE.print)
        run.open()
        run.prove()
        run.measure()
        longest = max(longest, time.monotonic() - begun)
        CONSOLE.print(f"night {night}: {time.monotonic() - begun:.0f} s")
    return 0


def read(folder: Path, target: Path) -> int:
    """Write what was recorded; a table of it."""
    runs = sorted(path.parent for path in folder.glob("*/run.json"))
    cases: dict[str, list[list[float]]] = defaultdict(list)
    for run in runs:
        night: dict[str, list[float]] = defaultdict(list)
        for fork in results.forks(run):
            case = fork.case
            night[f"{case.network} {case.task} b{case.batch} {case.title}"].append(round(fork.median, 3))
        for name, values in night.items():
            cases[name].append(values)
    about = results.read_run(runs[0])
    content = {
        "machine": {name: about["machine"][name] for name in ("cpu", "cores", "memory_gib")},
        "threads": about["threads"],
        "started": about["started"],
        "cases": cases,
    }
    results.write_json(target, content)
    for name, (fork, night) in sigmas(cases).items():
        print(f"{name:45} {len(cases[name])} nights  σ_fork {fork:6.2%}  σ_night {night:6.2%}")
    return 0


def sigmas(cases: Cases) -> dict[str, tuple[float, float]]:
    """Standard deviations of forks within a night and of nights beyond that, of logarithms, by case."""
    return {name: _sigmas(nights) for name, nights in cases.items()}


def _sigmas(nights: Sequence[Sequence[float]]) -> tuple[float, float]:
    logs = [np.log(values) for values in nights]
    freedom = sum(len(values) - 1 for values in logs)
    fork = sum(float(np.sum((values - values.mean()) ** 2)) for values in logs) / freedom
    means = np.array([values.mean() for values in logs])
    forks = 1 / np.mean([1 / len(values) for values in logs])
    return float(np.sqrt(fork)), float(np.sqrt(max(0.0, means.var(ddof=1) - fork / forks)))


def load(path: Path = DATA) -> dict[str, Any]:
    """What ``read`` wrote."""
    content = results.read_json(path, "recorded nights")
    return dict(content)


def main(arguments: Sequence[str]) -> int:
    parser = commandline.Parser(description=__doc__)
    commands = parser.add_subparsers(required=True, dest="command", parser_class=commandline.Parser)
    recording, reading = commands.add_parser("record"), commands.add_parser("read")
    for command in (recording, reading):
        command.add_argument("folder", type=Path)
    recording.add_argument("--nights", type=commandline.positive, default=24)
    recording.add_argument("--minutes", type=float, default=25)
    reading.add_argument("--json", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    if options.command == "record":
        return record(options.folder, options.nights, options.minutes)
    return read(options.folder, options.json)


if __name__ == "__main__":
    sys.exit(commandline.run(main))
