"""What a machine without network can do with the frameworks that it has: one slice of a run, and its archive.

``python -m benchmarks.node --output DIR``: proofs, ceilings, forks under both policies with batch sweeps,
recipes; whatever is not there yet, begun within ``--slice`` minutes. The same command goes on; the exit code
is 0 when all is done and 3 while something is left. Beside a framework it needs NumPy, safetensors, pytest
and pytest-benchmark alone; what psutil and NVML would add is left out where they are not installed.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks import archive, plan
from benchmarks.run import Run
from benchmarks.training import train, trainings
from implementations import commandline, policies, selection
from implementations.cache import Cache
from implementations.errors import UserError
from implementations.network import ADAPTERS
from implementations.processes import Launcher, available_cores, parse_pythons
from implementations.proving import Prover

PRESET = "node"
SOMETHING_LEFT = 3
SLICE_S = 7 * 60  # a proof or fork that has begun is finished
Step = Callable[[], None]


def main(arguments: Sequence[str]) -> int:
    options = _parser().parse_args(arguments)
    run = _prepared(options)
    begun = time.monotonic()
    run.open()
    left = False
    for step in steps(run, options.data_dir):
        if time.monotonic() - begun > options.slice:
            left = True
            break
        step()
    packed = archive.beside(options.output)
    count = archive.pack(options.output, packed)
    run.notice(
        f"{count} files in {packed}; {'not all is done: run the same again' if left else 'all is done'}"
    )
    return SOMETHING_LEFT if left else 0


def _parser() -> commandline.Parser:
    parser = commandline.Parser(prog="python -m benchmarks.node", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="the run's folder")
    parser.add_argument("--slice", type=commandline.minutes, default=SLICE_S, metavar="MINUTES")
    parser.add_argument(
        "--framework", action="append", metavar="F", help="repeatable; default: all installed"
    )
    parser.add_argument("--data-dir", type=Path, metavar="DIR", help="folder of Fashion-MNIST's four files")
    commandline.add_machine_options(parser)
    parser.set_defaults(device="auto")
    return parser


def _prepared(options: argparse.Namespace) -> Run:
    launcher = Launcher(options.threads or available_cores(), parse_pythons(options.python, list(ADAPTERS)))
    frameworks = selection.frameworks(options.framework, launcher, print)
    if options.device == "auto" and not options.framework:  # a CPU build must not make a CPU run of a GPU's
        frameworks = selection.seeing(frameworks, launcher, print)
    device = selection.device(options.device, frameworks, launcher, print)
    preset = plan.preset(PRESET)
    networks = list(dict.fromkeys(name for name, _, _ in preset.work))
    cache = Cache(options.cache_dir or options.output.with_name(f"{options.output.name}-cache"))
    prover = Prover(launcher, cache, device, training=preset.training)
    run = Run(options.output, PRESET, frameworks, networks, prover, print, policies=policies.POLICIES)
    run.proofs.retries = False  # a slice is too short to fail twice
    return run


def steps(run: Run, data_dir: Path | None) -> Iterator[Step]:
    """What is still to be done, in its order, each in its own time: no step outlasts a fork or a proof."""
    for claim in run.proofs.take_over(run.claims()):
        yield partial(run.proofs.make, [claim])
    for framework in run.frameworks:
        yield partial(run.measure_ceiling, framework)
    for case, number in run.missing():
        yield partial(run.measure_turn, case, number)
    wanted = _training(run, data_dir)
    if wanted is not None:
        for framework, seed in trainings.schedule(run.frameworks, 1):
            yield partial(run.trainings.one, wanted, framework, seed)


def _training(run: Run, data_dir: Path | None) -> train.Wanted | None:
    try:
        return train.Wanted(*train.quick(data_dir, run.prover.cache.folder, run.notice))
    except ModuleNotFoundError as absent:  # no Fashion-MNIST, and no scikit-learn that brings its digits
        run.notice(f"no training: {absent.name} is not installed, and --data-dir names no data")
        return None
    except UserError as error:
        run.notice(f"no training: {error}")
        return None


if __name__ == "__main__":
    sys.exit(commandline.run(main))
