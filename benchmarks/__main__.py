"""How fast and how good: python -m benchmarks list|run|train|evaluate|pack|import|rebuild|export."""

import sys

if not __package__:  # started as a file or a folder: nothing of the project could be imported
    print("error: started by path; run 'python -m benchmarks' in the project's root", file=sys.stderr)
    sys.exit(2)

import argparse
import contextlib
import shlex
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks import archive, plan, results, summary
from benchmarks.evaluation import command as evaluation
from benchmarks.exporting import commands as exporting
from benchmarks.history import commands as history
from benchmarks.run import PRECISION, Run, Stopping
from benchmarks.training import choices, outcome, train
from benchmarks.training.train import Wanted
from implementations import commandline, networks, policies, selection
from implementations.cache import Cache
from implementations.commandline import ROOT, Parser
from implementations.console import CONSOLE
from implementations.errors import UserError
from implementations.files import new_folder
from implementations.network import ADAPTERS, known
from implementations.processes import Launcher, available_cores, parse_pythons
from implementations.proving import Prover

DEFAULT_PRESET = "quick"
RESULTS = results.FOLDER
LATEST = Path("latest")  # what --resume alone stands for
TRAINING = "train"  # the preset of a run that trains one recipe alone


def main(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    options = parser().parse_args(arguments)
    return int(options.run(options))


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def parser() -> Parser:
    root = Parser(prog="python -m benchmarks", description=__doc__)
    commands = root.add_subparsers(
        required=True, metavar="list|run|train|evaluate|pack|import|rebuild|export", parser_class=Parser
    )
    _add_list(commands.add_parser("list", help="show the cases of a preset"))
    _add_run(commands.add_parser("run", help="prove, measure and train, in fresh processes"))
    evaluation.add_options(
        commands.add_parser("evaluate", help="accuracy of given weights on given pictures")
    )
    _add_train(commands.add_parser("train", help="prove one recipe's network, then train it"))
    _add_pack(commands.add_parser("pack", help="a run as one archive"))
    history.add_import(commands.add_parser("import", help="runs into the history, also from archives"))
    history.add_rebuild(commands.add_parser("rebuild", help="the history anew from the runs' files"))
    exporting.add_export(commands.add_parser("export", help="the history or runs for other tools"))
    return root


def _add_pack(command: argparse.ArgumentParser) -> None:
    command.add_argument("folder", type=Path, help="the run's folder")
    command.add_argument("--output", type=Path, metavar="FILE", help="default: FOLDER.tar.gz")
    command.set_defaults(run=_pack)


def _pack(options: argparse.Namespace) -> int:
    target = options.output or archive.beside(options.folder)
    count = archive.pack(options.folder, target)
    CONSOLE.print(f"{count} files in {target}")
    return 0


def _add_list(command: argparse.ArgumentParser) -> None:
    _add_choice(command)
    command.set_defaults(run=_list)


def _add_run(command: argparse.ArgumentParser) -> None:
    _add_choice(command)
    command.add_argument(
        "--policy",
        action="append",
        metavar="P",
        help=f"{', '.join(policies.POLICIES)}; repeatable; default: {policies.EQUAL}",
    )
    command.add_argument(
        "--precision",
        type=commandline.percent,
        metavar="PERCENT",
        help="add forks until every ratio's 95 %% interval is this narrow (default: 3, for ±3 %%)",
    )
    command.add_argument(
        "--budget",
        type=commandline.minutes,
        metavar="MINUTES",
        help="add no fork that would end later; default: the preset's; 0: the preset's forks alone",
    )
    command.add_argument(
        "--forks", type=commandline.positive, metavar="N", help="of each case at least; default: the preset's"
    )
    command.add_argument("--no-training", action="store_true", help="leave out the recipes of the networks")
    command.add_argument(
        "--timeout",
        type=commandline.positive,
        metavar="SECONDS",
        help="end a fork that takes longer; default: the preset's",
    )
    _add_resume(command)
    _add_output(command)
    command.set_defaults(run=_run, device="auto")


def _add_resume(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--resume",
        nargs="?",
        const=LATEST,
        type=Path,
        metavar="DIR",
        help=f"go on with the run in DIR (default: the last in {RESULTS}), with its own options but"
        " --budget, --python and folders",
    )


def _add_train(command: argparse.ArgumentParser) -> None:
    choices.add(command)
    _add_resume(command)
    _add_output(command)
    command.set_defaults(run=_train, device="auto", preset=TRAINING, network=None, policy=None)


def _add_output(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--output", type=Path, metavar="DIR", help="the folder; an earlier run's is gone on with"
    )
    command.add_argument("--data-dir", type=Path, metavar="DIR", help="folder of Fashion-MNIST's four files")
    command.add_argument("--report", action="store_true", help="end by making the HTML report")
    commandline.add_machine_options(command)


def _add_choice(command: argparse.ArgumentParser) -> None:
    presets = f"{', '.join(plan.PRESETS)}; default: {DEFAULT_PRESET}"
    command.add_argument("--preset", metavar="P", help=presets)
    command.add_argument(
        "--framework", action="append", metavar="F", help="repeatable; default: the preset's, if installed"
    )
    command.add_argument("--network", action="append", metavar="N", help="repeatable; default: the preset's")


def _list(options: argparse.Namespace) -> int:
    options.preset = options.preset or DEFAULT_PRESET
    preset = plan.preset(options.preset)
    names = _frameworks(options, Launcher(available_cores()))
    for case in plan.cases(preset, names, _networks(options, preset)):
        CONSOLE.print(f"{case.network:10} {case.task:10} batch {case.batch:<5} {case.title}")
    CONSOLE.print(f"{preset.forks} forks each")
    return 0


def _frameworks(options: argparse.Namespace, launcher: Launcher) -> list[str]:
    """Those asked for; by default what is installed of the preset's, or of all where there is no preset."""
    if options.framework or options.preset not in plan.PRESETS:
        return selection.frameworks(options.framework, launcher, CONSOLE.print)
    preset = plan.preset(options.preset)
    if preset.left_out:
        CONSOLE.print(
            f"the preset {options.preset} leaves out {', '.join(preset.left_out)} (--framework adds)"
        )
    return selection.frameworks(None, launcher, CONSOLE.print, default=preset.frameworks)


def _networks(options: argparse.Namespace, preset: plan.Preset) -> list[str]:
    """The networks asked for, the preset's first; all of the preset's by default."""
    listed = list(dict.fromkeys(name for name, _, _ in preset.work))
    for name in options.network or []:
        networks.build(name)  # an unknown one ends it here
    if not options.network:
        return listed
    asked = list(dict.fromkeys(options.network))
    return [name for name in listed if name in asked] + [name for name in asked if name not in listed]


def _run(options: argparse.Namespace) -> int:
    if options.resume is not None:
        _resume(options)
    options.preset = options.preset or DEFAULT_PRESET
    preset = plan.preset(options.preset)
    chosen = list(dict.fromkeys(map(policies.known, options.policy or [policies.EQUAL])))
    run = _prepared(options, _networks(options, preset))
    budget = preset.budget_s if options.budget is None else options.budget
    run.stopping = Stopping(options.precision or PRECISION, budget, options.timeout, options.forks)
    run.policies, run.trains = chosen, not options.no_training
    if not run.cases:
        raise UserError(
            "there is nothing to measure",
            given=f"{', '.join(run.frameworks)} on {', '.join(run.networks)}",
            allowed=f"a framework that trains; ONNX Runtime together with {plan.EXPORTER}, for inference",
            todo="add a --framework or a --network",
        )
    trained = None
    if plan.TRAINED in run.networks and run.trains:
        trained = Wanted(*train.quick(options.data_dir, run.prover.cache.folder, CONSOLE.print))
    with _interruptible(run):
        _open(run, options)
        run.prove()
        run.measure_ceilings()
        run.measure()
        if trained is not None:
            run.trainings.run(trained, run.frameworks)
    CONSOLE.print(summary.table(results.forks(run.folder), run.failures))
    CONSOLE.print(outcome.table(results.trainings(run.folder)))
    return _end(run, options)


def _resume(options: argparse.Namespace) -> None:
    """Take over the options of the run that is gone on with; ``UserError`` if there is none."""
    if options.output is not None:
        raise UserError(
            "--resume has its own folder",
            given=f"--output {options.output}",
            allowed="--resume DIR, or --output DIR with the run's own options",
            todo="leave one of them out",
        )
    folder = _latest(options.preset == TRAINING) if options.resume == LATEST else options.resume
    about = results.read_run(folder)
    options.output = folder
    options.preset = options.preset or about["preset"]  # another one is refused when the run is opened
    if options.device == "auto":
        options.device = about["device"].partition(":")[0]
    options.threads = options.threads or about["threads"]
    options.framework = options.framework or about.get("frameworks")
    options.network = options.network or about.get("networks")
    options.policy = options.policy or about.get("policies")
    if options.preset != TRAINING:
        _resume_stopping(options, about)
    CONSOLE.print(f"going on with {folder}")


def _resume_stopping(options: argparse.Namespace, about: dict[str, Any]) -> None:
    stopping = about.get("stopping", {})
    options.precision = options.precision or stopping.get("precision")
    options.forks = options.forks or stopping.get("forks")
    options.timeout = options.timeout or stopping.get("timeout_s")
    options.no_training = options.no_training or not about.get("trains", True)


def _latest(is_training: bool) -> Path:
    """The folder of the run, or of the training, that was started last."""
    every = (path.parent for path in RESULTS.glob("*/run.json"))
    folders = [f for f in every if (results.read_run(f)["preset"] == TRAINING) == is_training]
    if not folders:
        raise UserError(
            "there is no run to go on with",
            given=f"no run in {RESULTS}",
            allowed="--resume DIR",
            todo="name the folder of the run, or start one without --resume",
        )
    return max(folders, key=lambda folder: str(results.read_run(folder)["started"]))


def _train(options: argparse.Namespace) -> int:
    recipe = choices.recipe(options)
    if options.resume is not None:
        _resume(options)
    run = _prepared(options, [])
    run.frameworks = [name for name in run.frameworks if known(name).trains]
    run.recipes = [recipe]
    skip = options.skip_damaged
    data = train.load(recipe, options.data_dir, run.prover, CONSOLE.print, skip_damaged=skip)
    wanted = choices.wanted(options, recipe, data)
    with _interruptible(run):
        _open(run, options)
        run.prove()
        run.trainings.run(wanted, run.frameworks, options.seeds)
    CONSOLE.print(outcome.table(results.trainings(run.folder)))
    return _end(run, options)


def _open(run: Run, options: argparse.Namespace) -> None:
    """Begin or go on; a folder that nobody named is made here, where no mistake of the user's is left."""
    if options.output is None:
        run.folder = new_folder(run.folder, "the run's folder")
    run.open()


@contextlib.contextmanager
def _interruptible(run: Run) -> Iterator[None]:
    """Ctrl-C keeps what is finished and says how to go on."""
    try:
        yield
    except KeyboardInterrupt:
        named = any(word.partition("=")[0] in ("--output", "--resume") for word in sys.orig_argv)
        words = shlex.join([*sys.orig_argv[1:], *([] if named else ["--output", str(run.folder)])])
        raise KeyboardInterrupt(
            f"{_kept(run)} are kept in {run.folder}; go on with: python {words}"
        ) from None


def _kept(run: Run) -> str:
    """What an interruption has not lost."""
    kind = "training" if run.preset_name == TRAINING else "forks"
    count = len(list((run.folder / kind).glob("*.json")))
    return f"{count} finished trainings and checkpoints" if kind == "training" else f"{count} finished forks"


def _prepared(options: argparse.Namespace, chosen: list[str]) -> Run:
    pythons = {**_environments(options), **parse_pythons(options.python, list(ADAPTERS))}
    launcher = Launcher(options.threads or available_cores(), pythons)
    names = _frameworks(options, launcher)
    device = selection.device(options.device, names, launcher, CONSOLE.print)
    folder = options.output or RESULTS / f"{results.stamp()}-{options.preset}"
    training = plan.preset(options.preset).training if options.preset in plan.PRESETS else "all"
    prover = Prover(launcher, Cache(options.cache_dir), device, training=training)
    return Run(folder, options.preset, names, chosen, prover, CONSOLE.print)


def _environments(options: argparse.Namespace) -> dict[str, str]:
    """Tox's CUDA environments, where this machine has a driver or CUDA was asked for."""
    is_possible = options.device == "cuda" or (options.device == "auto" and selection.has_driver())
    return selection.environments("cuda" if is_possible else "cpu")


def _end(run: Run, options: argparse.Namespace) -> int:
    CONSOLE.print(f"results: {run.folder}")
    if options.report:
        _report(run.folder)
    return 0 if run.passed else commandline.SOMETHING_FAILED


def _report(folder: Path) -> None:
    """The report in a process of its own: measuring does not import what reporting needs."""
    subprocess.run([sys.executable, "-m", "reports", "html", str(folder)], cwd=ROOT, check=False)


if __name__ == "__main__":
    sys.exit(commandline.run(main))
