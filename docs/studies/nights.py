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
FREE = 0.65  # of two cores: one thread that another process leaves a core alone loses little
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
    made = [list(results.forks(run)) for run in runs]
    whole = max(map(len, made))
    nights = [_night(forks) for forks in made if len(forks) == whole]  # the last may have been interrupted
    about = results.read_run(runs[0])
    content = {
        "machine": {name: about["machine"][name] for name in ("cpu", "cores", "memory_gib")},
        "threads": about["threads"],
        "started": about["started"],
        "nights": nights,
    }
    results.write_json(target, content)
    for most in (1.0, FREE):
        chosen = cases(content, most)
        print(f"nights on which others took at most {most:.0%} of the cores")
        for name, (fork, night) in sigmas(chosen).items():
            print(f"{name:45} {len(chosen[name])} nights  σ_fork {fork:6.2%}  σ_night {night:6.2%}")
    return 0


def _night(forks: Sequence[results.Fork]) -> dict[str, Any]:
    """Images/s of every fork by case, and the largest share of the cores' time that others took."""
    rates: dict[str, list[float]] = defaultdict(list)
    for fork in forks:
        case = fork.case
        rates[f"{case.network} {case.task} b{case.batch} {case.title}"].append(round(fork.median, 1))
    shares = [fork.fields["watched"]["others_share"] for fork in forks]
    return {"others_share": round(max(shares), 3), "images_per_second": rates}


def cases(content: dict[str, Any], most: float = 1.0) -> Cases:
    """By case, of the nights on which others took at most so much of the cores' time."""
    found: dict[str, list[list[float]]] = defaultdict(list)
    for night in content["nights"]:
        if night["others_share"] <= most:
            for name, values in night["images_per_second"].items():
                found[name].append(values)
    return found


def sigmas(chosen: Cases) -> dict[str, tuple[float, float]]:
    """Standard deviations of forks within a night and of nights beyond that, of logarithms, by case."""
    return {name: _sigmas(nights) for name, nights in chosen.items()}


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
