"""The command ``evaluate``: top-1 and top-5 of given weights on given pictures, in every framework."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from benchmarks import results
from benchmarks.data import sets
from benchmarks.data.images import ImageSet
from benchmarks.data.preprocessing import SCALES, Preprocessing
from benchmarks.evaluation import predictions
from benchmarks.evaluation.predictions import Evaluator, Lost, Row, Subject
from implementations import commandline, convert, networks, pretrained, selection
from implementations.cache import Cache
from implementations.console import CONSOLE
from implementations.errors import UserError
from implementations.files import require_place
from implementations.network import ADAPTERS, REDUCED_PRECISIONS
from implementations.processes import Launcher, available_cores, parse_pythons
from implementations.proving import Prover

PRECISIONS = ("float32", *REDUCED_PRECISIONS)
CENTRE = 0.875  # 224 of 256: the part of ImageNet's pictures that published accuracies are about


def add_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("network", help=", ".join(networks.NETWORKS))
    command.add_argument("--weights", required=True, metavar="W", help="a file, or imagenet[@ORIGIN]")
    command.add_argument(
        "--data", required=True, metavar="DIR|NAME", help="one folder a class, or a data set's test images"
    )
    command.add_argument("--framework", action="append", metavar="F", help="repeatable; default: all")
    command.add_argument(
        "--precision", action="append", choices=PRECISIONS, help="repeatable; default: float32"
    )
    command.add_argument(
        "--preprocessing", choices=list(SCALES), help="default: as the published weights were trained"
    )
    command.add_argument(
        "--centre",
        type=commandline.share,
        default=CENTRE,
        metavar="SHARE",
        help=f"of a picture's shorter side that is looked at; default: {CENTRE}; 1: all of it",
    )
    command.add_argument("--skip-damaged", action="store_true", help="leave out pictures that do not decode")
    command.add_argument("--classes", type=commandline.positive, metavar="N", help="default: the paper's")
    command.add_argument(
        "--input", type=commandline.image_size, metavar="HxW", help="pixels; default: the paper's"
    )
    command.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    commandline.add_machine_options(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The command's exit code: 1 if a framework gave no predictions."""
    if options.json:
        require_place(options.json)
    launcher = Launcher(options.threads or available_cores(), parse_pythons(options.python, list(ADAPTERS)))
    network = {"name": options.network, "classes": options.classes, "input_size": options.input}
    preprocessing = _preprocessing(options, networks.build(**network).input_shape)
    precisions = list(dict.fromkeys(options.precision or ["float32"]))
    with convert.chosen(options, network, launcher) as weights:
        assert weights is not None  # --weights is required
        frameworks = selection.frameworks(options.framework, launcher, CONSOLE.print)
        device = selection.device(options.device, frameworks, launcher, CONSOLE.print)
        data = _data(options, preprocessing)
        reduced = tuple(each for each in precisions if each != "float32")
        prover = Prover(
            launcher, Cache(options.cache_dir), device, training="none", reduced_precisions=reduced
        )
        subject = Subject(network, weights, data, preprocessing)
        rows, lost = Evaluator(prover, subject, CONSOLE.print).run(frameworks, precisions)
    CONSOLE.print(table(subject, rows, lost, _expected(options)))
    if options.json:
        results.write_json(options.json, predictions.as_data(subject, rows, lost))
    return commandline.SOMETHING_FAILED if lost else 0


def table(
    subject: Subject, rows: Sequence[Row], lost: Sequence[Lost], expected: tuple[float, float] | None
) -> Table:
    """A row a framework and precision; last what the publisher of the weights says, in per cent."""
    name = subject.network["name"]
    made = Table(title=f"{name} on {len(subject.data.test):,} {subject.data.title}")
    for heading in ("framework", "precision", "top-1 %", "top-5 %", "loss", "same class as the first", "s"):
        made.add_column(heading)
    for row in rows:
        top5 = "" if row.top5 is None else f"{100 * row.top5:.2f}"
        loss = "no number" if row.loss is None else f"{row.loss:.4f}"
        agreement = f"{100 * row.agreement:.2f} %"
        cells = (f"{100 * row.top1:.2f}", top5, loss, agreement, f"{row.seconds:.1f}")
        made.add_row(row.title, row.precision, *cells)
    for each in lost:
        made.add_row(each.title, each.precision, "none, see above")
    if expected is not None:
        top1, top5 = (f"{figure:.2f}" for figure in expected)
        made.add_row("published, on ImageNet's validation pictures", "", top1, top5)
    return made


def _expected(options: argparse.Namespace) -> tuple[float, float] | None:
    """What the publisher says of the weights; of a file, nobody knows."""
    if not pretrained.is_named(options.weights):
        return None
    return pretrained.published(options.weights, options.network).accuracy


def _preprocessing(options: argparse.Namespace, shape: tuple[int, ...]) -> Preprocessing:
    """What was asked for; else what the published weights want."""
    channels, height, width = shape
    scale = options.preprocessing
    if scale is None and pretrained.is_named(options.weights):
        scale = pretrained.published(options.weights, options.network).scale
    if scale is None:
        raise UserError(
            "it is not known which images these weights were trained on",
            given=f"--weights {options.weights} without --preprocessing",
            allowed=", ".join(SCALES),
            todo="say it with --preprocessing",
        )
    return Preprocessing((height, width), scale, channels)


def _data(options: argparse.Namespace, preprocessing: Preprocessing) -> ImageSet:
    is_named = options.data in sets.SETS and options.data != "folder"
    return sets.load(
        options.data if is_named else "folder",
        places=[] if is_named else [Path(options.data)],
        cache=Cache(options.cache_dir),
        notice=CONSOLE.print,
        size=preprocessing.size,
        skip_damaged=options.skip_damaged,
        centre=None if is_named else options.centre,
    )
