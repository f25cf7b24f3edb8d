"""How often equal things are called different, and which slow-downs are seen: from recorded forks.

    python docs/studies/noise.py record FOLDER [--framework F] [--slower PERCENT]
    python docs/studies/noise.py verdicts FOLDER
    python docs/studies/noise.py power FOLDER

``record`` runs the preset ``noise`` (100 forks of one fast case) into FOLDER, in the frameworks named; with
``--slower`` instead in PyTorch as it is and in as many PyTorches that ``slower.py`` slows down, interleaved.
It goes on where it was interrupted. The others read what is there. A verdict is what a run says: the ratio's
95 % interval leaves out 1. ``verdicts`` draws pairs of runs from one case's forks, and deals them out in the
order of their making, turn about, as a run interleaves its cases: any difference seen is wrong. ``power``
draws them from consecutive rounds of the plain and of a slowed-down case: what is seen is right.
"""

import argparse
import random
import stat
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import log
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from scipy.stats import binomtest

from benchmarks import intervals, results
from implementations import commandline
from implementations.commandline import ROOT

SEED = 20261122
DRAWS = 1000
FORKS = (3, 5, 10, 20, 30, 50)
PLAIN = "pytorch@plain"
Medians = dict[str, list[float]]  # images/s of a case's forks in the order of their making, by its title


def record(folder: Path, frameworks: Sequence[str], slower: Sequence[int]) -> int:
    """What ``python -m benchmarks run`` ends with."""
    with tempfile.TemporaryDirectory() as scripts:
        pythons = {PLAIN: sys.executable} if slower else {}
        for percent in slower:
            pythons[f"pytorch@slower-{percent}"] = str(_slower_python(Path(scripts), percent))
        options = [f"--python={name}={path}" for name, path in pythons.items()]
        options += [f"--framework={name}" for name in pythons or frameworks]
        command = ["-m", "benchmarks", "run", "--preset", "noise", "--output", str(folder.absolute())]
        return subprocess.run([sys.executable, *command, *options], cwd=ROOT).returncode


def _slower_python(folder: Path, percent: int) -> Path:
    script = folder / f"slower-{percent}"
    slower = Path(__file__).with_name("slower.py")
    script.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = -m ]; then exec "{sys.executable}" "{slower}" {percent / 100} "$@"; fi\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def medians(folder: Path) -> Medians:
    """Every fork, disturbed or not: what disturbs is part of the noise; ``UserError`` if this is no run."""
    results.read_run(folder)
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for fork in results.forks(folder):
        found[fork.case.title][fork.attributes["fork"]] = fork.median
    return {title: [forks[number] for number in sorted(forks)] for title, forks in found.items()}


def verdicts(found: Medians, generator: random.Random) -> Iterator[str]:
    """For every case: its noise, and how often two runs of the same are told apart."""
    for title, values in found.items():
        sigma = statistics.stdev(map(log, values))
        yield f"{title}: {len(values)} forks, σ_fork {sigma:.2%}"
        for forks in FORKS:
            if 2 * forks <= len(values):
                wrong = sum(_told_apart(*_drawn(values, forks, generator)) for _ in range(DRAWS))
                dealt = [_told_apart(*pair) for pair in _dealt(values, forks)]
                shown = f"{_share(wrong)} wrong; as dealt, {sum(dealt)} of {len(dealt)}"
                yield f"  two runs of {forks:2} forks: {shown}"


def _dealt(values: list[float], forks: int) -> Iterator[tuple[Sequence[float], Sequence[float]]]:
    """Pairs of runs of forks that followed each other, turn about."""
    for start in range(0, len(values) - 2 * forks + 1, 2 * forks):
        window = values[start : start + 2 * forks]
        yield window[::2], window[1::2]


def _drawn(values: list[float], forks: int, generator: random.Random) -> tuple[list[float], list[float]]:
    chosen = generator.sample(values, 2 * forks)
    return chosen[:forks], chosen[forks:]


def power(found: Medians, generator: random.Random) -> Iterator[str]:
    """For every slowed-down case: how often it is seen, by the number of forks."""
    plain = found[PLAIN]
    for title, values in found.items():
        if title == PLAIN:
            continue
        seen = intervals.ratio(values, plain)
        yield f"{title}: ratio {seen.value:.4f} ({seen.low:.4f} to {seen.high:.4f})"
        rounds = min(len(plain), len(values))
        for forks in (forks for forks in FORKS if forks <= rounds):
            starts = [generator.randrange(rounds - forks + 1) for _ in range(DRAWS)]
            found_it = sum(_told_apart(values[s : s + forks], plain[s : s + forks]) for s in starts)
            yield f"  {forks:2} forks: {_share(found_it)} seen"


def _told_apart(above: Sequence[float], below: Sequence[float]) -> bool:
    return not intervals.ratio(above, below).holds_one


def _share(count: int) -> str:
    """Of ``DRAWS``, with its exact 95 % interval (Clopper and Pearson 1934)."""
    ends = binomtest(count, DRAWS).proportion_ci()
    return f"{count / DRAWS:6.1%} ({ends.low:.1%} to {ends.high:.1%})"


def main(arguments: Sequence[str]) -> int:
    parser = commandline.Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("record", "verdicts", "power"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--framework", action="append", default=[])
    parser.add_argument("--slower", type=int, action="append", default=[], metavar="PERCENT")
    options = parser.parse_args(arguments)
    if options.what == "record":
        return record(options.folder, options.framework, options.slower)
    table = {"verdicts": verdicts, "power": power}[options.what]
    for line in table(medians(options.folder), random.Random(SEED)):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(commandline.run(main))
