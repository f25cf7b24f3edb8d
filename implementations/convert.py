"""Trained weights between frameworks' files: the command, and what it asks of children.

Every file goes through ours: read and checked in one process, written in another, and read back. A
conversion whose bits do not come back is no conversion.
"""

import argparse
import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from implementations import networks, pretrained, selection, weights
from implementations.cache import Cache
from implementations.console import CONSOLE
from implementations.errors import UserError
from implementations.files import replacing, require_place
from implementations.formats import table
from implementations.formats.namings import NAMINGS
from implementations.network import ADAPTERS, WRITERS
from implementations.processes import ChildFailedError, Launcher, available_cores, parse_pythons
from implementations.spec import Network

START_S, BYTES_A_SECOND = 120.0, 2e6  # far more than any file takes that was not made to take long
WRITING_S = 1800.0
TASKS = "implementations.formats.transfer"


def run(options: argparse.Namespace) -> int:
    """The command ``convert``: its exit code."""
    description = _description(options)
    network = networks.build(**description)
    launcher = Launcher(
        threads=options.threads or available_cores(), pythons=parse_pythons(options.python, list(ADAPTERS))
    )
    target = Path(options.target)
    naming = _naming(table.of(target), options.keys, network)
    require_place(target)
    with (
        tempfile.TemporaryDirectory(prefix="convert-") as folder,
        replacing(target, "the weights") as written,
    ):
        ours, back = Path(folder, "ours.safetensors"), Path(folder, "back.safetensors")
        recognised = read(located(options.source, options), description, ours, launcher)
        write(ours, description, written, naming, launcher)
        read(written, description, back, launcher)
        _require_same(weights.load(ours, network), weights.load(back, network), target)
    size = sum(parameter.size for parameter in network.parameters)
    arrays = f"{size:,} parameters in {len(network.parameters)} arrays"
    keys = f"keys: {NAMINGS[recognised].title} to {NAMINGS[naming].title}"
    CONSOLE.print(f"wrote {target}: {network.name}, {arrays}, read back bit for bit ({keys})")
    return 0


@contextlib.contextmanager
def chosen(
    options: argparse.Namespace, network: Mapping[str, Any], launcher: Launcher
) -> Iterator[Path | None]:
    """The weights of ``--weights`` as a file of ours, as long as the block lasts; none without it."""
    if options.weights is None:
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="weights-") as folder:
        ours = Path(folder, "ours.safetensors")
        read(located(options.weights, options), network, ours, launcher)
        yield ours


def located(text: str, options: argparse.Namespace) -> Path:
    """The weight file that ``text`` names, fetched if it is ``imagenet[@ORIGIN]``."""
    if not pretrained.is_named(text):
        return Path(text)
    file, folder = pretrained.published(text, options.network), Cache(options.cache_dir).folder
    return pretrained.fetch(file, folder / "pretrained", CONSOLE.print)


def read(source: Path, network: Mapping[str, Any], ours: Path, launcher: Launcher) -> str:
    """Read a file of any format into ``ours``; the naming of its keys. ``UserError`` if it is refused."""
    made = table.of(source)
    if not source.is_file():
        raise UserError(
            "there is no such weight file",
            given=source,
            allowed="a file that exists",
            todo="correct the name, or fetch the file first",
        )
    request = {"source": str(source.absolute()), "network": dict(network), "target": str(ours)}
    try:
        timeout = START_S + source.stat().st_size / BYTES_A_SECOND
        answer = launcher.ask(_framework(made.reader, launcher), f"{TASKS}:to_ours", request, timeout)
    except ChildFailedError as failure:  # a damaged file can crash the library that reads it
        raise UserError(
            f"the weight file is refused: what reads it came to no good end ({failure.finished.reason})",
            given=source,
            allowed=f"the float32 parameters of {network['name']}",
            todo="fetch or export the file again",
        ) from None
    return str(answer["naming"])


def write(ours: Path, network: Mapping[str, Any], target: Path, naming: str, launcher: Launcher) -> None:
    """Write the weights in ``ours`` to ``target`` in the format of its name."""
    made = table.of(target)
    if made == table.OURS and naming == "ours":
        shutil.copyfile(ours, target)
        return
    try:
        _written(ours, network, target, naming, launcher)
    except ChildFailedError as failure:
        raise UserError(
            f"the weight file could not be written ({failure.finished.reason})",
            given=target,
            allowed=f"a format in which {network['name']} can be kept",
            todo="choose another format, and report this",
        ) from None


def _written(ours: Path, network: Mapping[str, Any], target: Path, naming: str, launcher: Launcher) -> None:
    made = table.of(target)
    if made.writer == "export":
        request = {"network": dict(network), "weights_path": str(ours), "model_path": str(target.absolute())}
        writer = selection.frameworks(None, launcher, lambda _: None, WRITERS)[0]
        launcher.ask(writer, "implementations.exports:export", request, WRITING_S)
        return
    request = {
        "source": str(ours),
        "network": dict(network),
        "target": str(target.absolute()),
        "naming": naming,
    }
    launcher.ask(_framework(made.writer, launcher), f"{TASKS}:from_ours", request, WRITING_S)


def _framework(name: str | None, launcher: Launcher) -> str | None:
    """The first installed of that name (``keras``: of its backends); ``UserError`` if there is none."""
    return None if name is None else selection.frameworks([name], launcher, CONSOLE.print)[0]


def _description(options: argparse.Namespace) -> dict[str, Any]:
    return {"name": options.network, "classes": options.classes, "input_size": options.input}


def _naming(made: table.Format, title: str, network: Network) -> str:
    """The naming of that title in the format; ``UserError`` where there is none of it."""
    if made.name == "onnx" and len(network.heads) > 1:
        raise UserError(
            f"an ONNX file holds no auxiliary heads, so not all weights of {network.name} would come back",
            given="a name that ends in .onnx",
            allowed="a network without auxiliary heads, or another format",
            todo="choose another format, or write the inference network with 'export'",
        )
    known = {NAMINGS[name].title: name for name in made.namings if NAMINGS[name].knows(network)}
    if title not in known or (made.writer == "keras" and title != "ours"):
        allowed = ["ours"] if made.writer == "keras" else list(known)
        raise UserError(
            f"no {made.name} file of {network.name} has keys of that naming",
            given=f"--keys {title}",
            allowed=", ".join(allowed),
            todo="choose one of these, or another format",
        )
    return known[title]


def _require_same(given: weights.Weights, back: weights.Weights, target: Path) -> None:
    for path in given:
        if not np.array_equal(given[path].view(np.uint32), back[path].view(np.uint32)):
            raise UserError(
                f"{path} came back otherwise than it was written",
                given=target,
                allowed="a file that gives the same bits back",
                todo="choose another format, and report this",
            )
