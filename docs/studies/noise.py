"""How often equal things are called different, and which slow-downs are seen: from recorded forks.

    python docs/studies/noise.py record FOLDER [--framework F] [--slower PERCENT] [--threads N]
    python docs/studies/noise.py verdicts FOLDER
    python docs/studies/noise.py power FOLDER
    python docs/studies/noise.py twins FOLDER [--framework F] [--runs 20] [--threads N]

``record`` runs the preset ``noise`` (100 forks of one fast case) into FOLDER, in the frameworks named; with
``--slower`` instead in one framework (PyTorch) as it is and as slow as ``slower.py`` makes it, interleaved.
``twins`` makes run after run in which a framework stands beside itself, five forks each, and says what each
run said. Both go on where they were interrupted. The others read what is there. A verdict is what a run
says: the ratio's 95 % interval leaves out 1. ``verdicts`` draws pairs of runs from one case's forks, and
deals them out in the order of their making, turn about, as a run interleaves its cases: any difference seen
is wrong. ``power`` draws them from consecutive rounds of the plain and of a slowed-down case: what is seen
is right.
"""

import argparse
import random
import stat
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import log
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from scipy.stats import binomtest

from benchmarks import intervals, results
from benchmarks.comparisons import comparisons
from benchmarks.plan import EXPORTER
from implementations import commandline
from implementations.commandline import ROOT
from implementations.errors import UserError

SEED = 20261122
DRAWS = 1000
FORKS = (3, 5, 10, 20, 30, 50)
PLAIN, SLOWER = "plain", "slower-"
TWINS, TWIN_FORKS = ("a", "b"), 5
Medians = dict[str, list[float]]  # images/s of a case's forks in the order of their making, by its title


def record(folder: Path, frameworks: Sequence[str], slower: Sequence[int], *options: str) -> int:
    """What ``python -m benchmarks run`` ends with."""
    if not slower:
        return _run(folder, frameworks, {}, *options)
    if len(frameworks) > 1:
        raise UserError(
            "slow-downs are planted in one framework",
            given=", ".join(frameworks),
            allowed="one --framework with --slower",
            todo="record them one after the other",
        )
    (framework,) = frameworks or ("pytorch",)
    with tempfile.TemporaryDirectory() as scripts:
        pythons = {f"{framework}@{PLAIN}": sys.executable}
        for percent in slower:
            pythons[f"{framework}@{SLOWER}{percent}"] = str(_slower_python(Path(scripts), percent))
        return _run(folder, list(pythons), pythons, *options)


def _run(folder: Path, frameworks: Sequence[str], pythons: Mapping[str, str], *options: str) -> int:
    found = [f"--python={name}={path}" for name, path in pythons.items()]
    if any(name.startswith("onnxruntime") for name in frameworks):
        frameworks = [EXPORTER, *frameworks]  # nothing else makes the file that it runs
    found += [f"--framework={name}" for name in dict.fromkeys(frameworks)]
    command = ["-m", "benchmarks", "run", "--preset", "noise", "--output", str(folder.absolute())]
    return subprocess.run([sys.executable, *command, *found, *options], cwd=ROOT).returncode


def _slower_python(folder: Path, percent: int) -> Path:
    script = folder / f"{SLOWER}{percent}"
    slower = Path(__file__).with_name("slower.py")
    script.write_text(
        "#!/bin/sh\n"
        f'if [ "$1" = -m ]; then exec "{sys.executable}" "{slower}" {percent / 100} "$@"; fi\n'
        f'exec "{sys.executable}" "$@"\n'
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return script


def twins(folder: Path, frameworks: Sequence[str], runs: int, *options: str) -> Iterator[str]:
    """What each of ``runs`` runs said of a framework beside itself, and how many were wrong."""
    labelled = [f"{framework}@{twin}" for framework in frameworks for twin in TWINS]
    pythons = dict.fromkeys(labelled, sys.executable)
    wrong: dict[str, int] = defaultdict(int)
    for number in range(1, runs + 1):
        made = folder / f"run-{number}"
        _run(made, labelled, pythons, f"--forks={TWIN_FORKS}", *options)
        for framework in frameworks:
            forks = [f for f in results.forks(made) if f.case.framework.partition("@")[0] == framework]
            (comparison,) = comparisons(forks)
            slower = list(comparison.forks)[-1]
            ratio = comparison.of_fastest(slower)
            if ratio is None:
                raise UserError(
                    "a run without both twins",
                    given=str(made),
                    allowed="forks of both",
                    todo="see what failed in it",
                )
            told_apart = not ratio.holds_one
            wrong[framework] += told_apart
            shown = f"{ratio.value:.4f} ({ratio.low:.4f} to {ratio.high:.4f})"
            yield f"run {number}, {framework}: {shown}{', told apart: wrong' if told_apart else ''}"
    yield from (f"{framework}: {wrong[framework]} of {runs} runs wrong" for framework in frameworks)


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
    plain = next((values for title, values in found.items() if PLAIN in title), None)
    if plain is None:
        raise UserError(
            "no case to hold slow-downs against",
            given=", ".join(found) or "no fork",
            allowed="what record --slower made",
            todo="record it, or ask for the verdicts",
        )
    for title, values in found.items():
        if SLOWER not in title:
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
    parser.add_argument("what", choices=("record", "verdicts", "power", "twins"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--framework", action="append", default=[])
    parser.add_argument("--slower", type=int, action="append", default=[], metavar="PERCENT")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--threads", type=int, help="default: all cores")
    options = parser.parse_args(arguments)
    run_options = [f"--threads={options.threads}"] if options.threads else []
    if options.what == "record":
        return record(options.folder, options.framework, options.slower, *run_options)
    if options.what == "twins":
        lines = twins(options.folder, options.framework or ["pytorch"], options.runs, *run_options)
    else:
        table = {"verdicts": verdicts, "power": power}[options.what]
        lines = table(medians(options.folder), random.Random(SEED))
    for line in lines:
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(commandline.run(main))
