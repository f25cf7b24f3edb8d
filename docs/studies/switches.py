"""What each switch of the policy "best" is worth on this machine's CPU: every one alone, and all together.

    python docs/studies/switches.py [--forks 3] [--framework F] [--json FILE]

One fresh process a framework, set of switches, case and repetition, in a seeded random order; the value
of a process is the median of its blocks. Nothing is proven here: ``implementations/policies.py`` takes
over what helps, and runs prove it.
"""

import argparse
import dataclasses
import json
import random
import statistics
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import intervals, measure
from benchmarks.plan import Effort
from implementations import networks, weights
from implementations.cache import Cache
from implementations.network import Framework, Settings
from implementations.policies import Switches, mixed_precision
from implementations.processes import ChildFailedError, Launcher, available_cores

SEED = 0
Key = tuple[Any, ...]  # framework, set of switches, case
EFFORT = Effort(measured_s=1.5, warmup_s=4)
SHOWN = (
    "{framework:17} {set:28} {case:26} {images_per_s:8.2f} images/s  ×{ratio:.2f} ({low:.2f} to {high:.2f})"
)
CASES = (("googlenet", "inference", 8), ("vgg16", "inference", 1), ("googlenet", "training", 4))
SETS: dict[str, dict[str, dict[str, bool]]] = {
    "pytorch": {
        "as it comes": {},
        "channels last": {"channels_last": True},
        "bfloat16": {"mixed": True},
        "channels last + bfloat16": {"channels_last": True, "mixed": True},
        "torch.compile": {"compile": True},
        "all": {"compile": True, "channels_last": True, "mixed": True},
    },
    "keras-tensorflow": {
        "as it comes": {},
        "XLA": {"compile": True},
        "bfloat16": {"mixed": True},
        "XLA + bfloat16": {"compile": True, "mixed": True},
    },
    "keras-jax": {"as it comes": {}, "bfloat16": {"mixed": True}},
    "keras-torch": {"as it comes": {}, "bfloat16": {"mixed": True}},
    "paddle": {"as it comes": {}, "inference engine with oneDNN": {"engine": True}},
}


def timed(
    framework: Framework,
    *,
    settings: Settings,
    switches: dict[str, bool],
    case: list[Any],
    weights_path: str,
) -> dict[str, Any]:
    """Median images/s and what the framework reports: a child's task."""
    name, task, batch = case
    chosen = Switches(**switches)
    precision = mixed_precision(chosen, settings.device, framework.precisions(settings.device))
    settings = dataclasses.replace(settings, switches=chosen, precision=precision)
    network = networks.build(name)
    values = weights.load(Path(weights_path), network)
    built = framework.build(network, values, settings, training=task == "training")
    stepping = measure.stepper(built, network, task, batch, SEED)
    ready = measure.make_ready(stepping, EFFORT)
    seconds = statistics.median(stepping.seconds(ready.steps) for _ in range(ready.rounds))
    return {"images_per_s": ready.steps * batch / seconds, "switches": built.switches(), **ready.phases_s}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forks", type=int, default=3)
    parser.add_argument("--framework", action="append", choices=list(SETS))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    launcher, cache = Launcher(available_cores()), Cache()
    turns = [
        (framework, name, case)
        for framework in options.framework or SETS
        for name in SETS[framework]
        for case in CASES
        if not (framework == "paddle" and name != "as it comes" and case[1] == "training")
    ] * options.forks
    random.Random(SEED).shuffle(turns)
    found: dict[Key, list[float]] = defaultdict(list)
    for framework, name, case in turns:
        path = cache.probe_weights(networks.build(case[0]), SEED)
        request = {"switches": SETS[framework][name], "case": case, "weights_path": str(path)}
        try:
            answer = launcher.ask(framework, "docs.studies.switches:timed", request, 600)
        except ChildFailedError as failure:
            print(f"{framework}, {name}, {case}: {failure}", flush=True)
            continue
        found[framework, name, case].append(answer["images_per_s"])
        print(f"{framework}, {name}, {case}: {answer['images_per_s']:.2f} images/s", flush=True)
    rows = [_row(key, values, found) for key, values in sorted(found.items(), key=str)]
    for row in rows:
        print(SHOWN.format(**row))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


def _row(
    key: tuple[Any, ...], values: list[float], found: dict[tuple[Any, ...], list[float]]
) -> dict[str, Any]:
    framework, name, case = key
    ratio = intervals.ratio(values, found[framework, "as it comes", case])
    return {
        "framework": framework,
        "set": name,
        "case": f"{case[0]} {case[1]} b{case[2]}",
        "images_per_s": intervals.of_forks(values).value,
        "ratio": ratio.value,
        "low": ratio.low,
        "high": ratio.high,
        "forks": len(values),
    }


if __name__ == "__main__":
    main()
