"""How often the 95 % interval of a ratio holds the true ratio: simulated, with and without the stopping rule.

    python docs/studies/coverage.py [--runs 20000] [--json FILE]

A fork's blocks are log-normal around the fork's own mean (σ_block), forks around the true one (σ_fork); the
fork's value is the median of its blocks, as in a run. The stopping rule adds a fork to both sides until the
interval is within ±3 % or there are MOST forks. Beside Welch's t stands the bootstrap over forks (percentiles
of the ratio of geometric means). Takes two minutes on one core.
"""

import argparse
import itertools
import json
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import special

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import intervals

FORKS = (3, 5, 10, 30)
FORK_SIGMAS = (0.005, 0.01, 0.03)
BLOCK_SIGMAS = (0.005, 0.03)
BLOCKS = 12  # of one fork in the quick preset
PRECISION = 0.03
MOST = 30
RESAMPLES = 1000
SEED = 20261122

Values = NDArray[np.float64]


def medians(generator: np.random.Generator, runs: int, forks: int, fork: float, block: float) -> Values:
    """(runs, forks) logarithms of fork values; the true one is 0."""
    centers = generator.normal(0, fork, (runs, forks, 1))
    return np.asarray(np.median(centers + generator.normal(0, block, (runs, forks, BLOCKS)), axis=2))


def welch(above: Values, below: Values) -> tuple[Values, Values]:
    """Differences of means over the last axis and their half-widths: ``intervals.ratio``, for many runs."""
    count = above.shape[-1]
    u, v = (side.var(axis=-1, ddof=1) / count for side in (above, below))
    freedom = (u + v) ** 2 / (u**2 + v**2) * (count - 1)
    half = special.stdtrit(freedom, 0.975) * np.sqrt(u + v)
    return above.mean(axis=-1) - below.mean(axis=-1), half


def fixed(generator: np.random.Generator, runs: int, forks: int, fork: float, block: float) -> float:
    above, below = (medians(generator, runs, forks, fork, block) for _ in range(2))
    apart, half = welch(above, below)
    return float(np.mean(np.abs(apart) <= half))


def bootstrapped(generator: np.random.Generator, runs: int, forks: int, fork: float, block: float) -> float:
    above, below = (medians(generator, runs, forks, fork, block) for _ in range(2))
    held = 0
    for x, y in zip(above, below, strict=True):
        chosen = generator.integers(0, forks, (2, RESAMPLES, forks))
        apart = x[chosen[0]].mean(axis=1) - y[chosen[1]].mean(axis=1)
        low, high = np.percentile(apart, (2.5, 97.5))
        held += low <= 0 <= high
    return held / runs


def stopped(
    generator: np.random.Generator, runs: int, first: int, fork: float, block: float
) -> tuple[float, float]:
    """Coverage under the stopping rule, and the mean number of forks of a side."""
    above, below = (medians(generator, runs, MOST, fork, block) for _ in range(2))
    running = np.ones(runs, bool)
    apart, half, used = np.empty(runs), np.empty(runs), np.full(runs, MOST)
    for count in range(first, MOST + 1):
        now, width = welch(above[running, :count], below[running, :count])
        apart[running], half[running] = now, width
        narrow = np.expm1(width) <= PRECISION
        used[np.flatnonzero(running)[narrow]] = count
        running[np.flatnonzero(running)[narrow]] = False
        if not running.any():
            break
    return float(np.mean(np.abs(apart) <= half)), float(used.mean())


def checked(generator: np.random.Generator) -> float:
    """The largest difference between ``welch`` here and ``intervals.ratio``, over a hundred runs."""
    above, below = (medians(generator, 100, 5, 0.02, 0.03) for _ in range(2))
    apart, half = welch(above, below)
    found = [intervals.ratio(np.exp(x), np.exp(y)) for x, y in zip(above, below, strict=True)]
    return max(abs(np.log(f.high) - (a + h)) for f, a, h in zip(found, apart, half, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    generator = np.random.default_rng(SEED)
    apart = checked(generator)
    assert apart < 1e-12, f"the simulation's formula is {apart} off the suite's"
    rows = []
    print("σ_fork  σ_block  forks   Welch  bootstrap   with stopping (mean forks)")
    for fork, block, forks in itertools.product(FORK_SIGMAS, BLOCK_SIGMAS, FORKS):
        arguments = (generator, options.runs, forks, fork, block)
        rule, used = stopped(*arguments)
        row = {
            "fork_sigma": fork,
            "block_sigma": block,
            "forks": forks,
            "welch": fixed(*arguments),
            "bootstrap": bootstrapped(generator, min(options.runs, 2000), forks, fork, block),
            "stopped": rule,
            "mean_forks": used,
        }
        rows.append(row)
        print(
            f"{fork:6.1%}  {block:7.1%}  {forks:5}  {row['welch']:6.2%}  {row['bootstrap']:9.2%}"
            f"  {rule:6.2%} ({used:.1f})",
            flush=True,
        )
    if options.json:
        options.json.write_text(
            json.dumps({"runs": options.runs, "seed": SEED, "rows": rows}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
