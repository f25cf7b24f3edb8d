"""A child's tasks: a file of any format into ours, and back. Needs what reads that format, no more.

Shapes and types are checked against the network before any array is used, and the process gets no more
memory than a file of that size can need.
"""

import contextlib
import importlib
import resource
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from implementations import networks, weights
from implementations.errors import UserError
from implementations.files import replacing
from implementations.formats import table
from implementations.formats.entries import DamagedError, Entries
from implementations.formats.namings import NAMINGS, Naming
from implementations.network import Array, Framework, Settings, Weights
from implementations.spec import Network

LONGEST = 300  # of a reason: a file's keys can be of any length
COPIES, SLACK_BYTES = 8, 1 << 28  # a file's bytes, its arrays and what is written of them live at once


# --- Tasks --------------------------------------------------------------------------------


def to_ours(
    framework: Framework | None,
    *,
    settings: Settings | None,
    source: str,
    network: Mapping[str, Any],
    target: str,
) -> dict[str, str]:
    """Read ``source`` in the format of its name into ``target``, safetensors under our paths.

    Returns the naming that was recognised; ``UserError`` for whatever is wrong with the file.
    """
    specification, path = networks.build(**network), Path(source)
    with _bounded(path), _refusing(path, specification):
        found, naming = canonical(path, specification)
        weights.save(Path(target), found)
    return {"naming": naming}


def from_ours(
    framework: Framework | None,
    *,
    settings: Settings | None,
    source: str,
    network: Mapping[str, Any],
    target: str,
    naming: str,
) -> None:
    """Write the weights in ``source`` (ours) to ``target`` in the format of its name."""
    specification, path = networks.build(**network), Path(target)
    values, made = weights.load(Path(source), specification), table.of(path)
    with replacing(path, "the weight file") as temporary:
        if made.writer == "keras":
            assert framework is not None
            built: Any = framework.build(specification, values, settings or Settings(), training=True)
            lower = temporary.with_name(temporary.name.lower())  # Keras knows its ends in no other form
            importlib.import_module("implementations.formats.saved_model").write(built.model, lower)
            lower.replace(temporary)
        else:
            _module(made).write(temporary, keyed(values, specification, NAMINGS[naming]))


# --- Between a file's keys and ours -------------------------------------------------------


def canonical(path: Path, network: Network) -> tuple[dict[str, Array], str]:
    """The parameters of ``network`` out of a file, and the naming of its keys."""
    made = table.of(path)
    module = _module(made)
    entries = module.read(path, network) if made.name == "onnx" else module.read(path)
    name = recognised(entries, made.namings, network)
    naming = NAMINGS[name]
    keys, layout = naming.keys(network), naming.layout(network)
    _check(entries, naming, network)
    found = {path: layout.from_file(path, entries[key].read()) for path, key in keys.items()}
    return found, name


def keyed(values: Weights, network: Network, naming: Naming) -> dict[str, Array]:
    """Parameters under the keys and in the layout of ``naming``."""
    layout = naming.layout(network)
    arrays = {key: layout.to_file(path, values[path]) for path, key in naming.keys(network).items()}
    return arrays | {key: np.zeros((), np.int64) for key in naming.counters(network)}


def recognised(entries: Entries, namings: Sequence[str], network: Network) -> str:
    """The naming most of whose keys are there; the first of equals."""
    known = [name for name in namings if NAMINGS[name].knows(network)]
    return max(known, key=lambda name: len(set(NAMINGS[name].keys(network).values()) & set(entries)))


def _check(entries: Entries, naming: Naming, network: Network) -> None:
    """``DamagedError`` that names the first key which is missing, of another kind, or too many."""
    keys, layout = naming.keys(network), naming.layout(network)
    if entries and not set(entries) & set(keys.values()):
        raise DamagedError(f"its first key {next(iter(entries))!r} is none of {network.name}")
    for parameter in network.parameters:
        key = keys[parameter.path]
        if key not in entries:
            raise DamagedError(f"it lacks {key!r}, so it is not one of {network.name}")
        entry, shape = entries[key], layout.shape(parameter)
        if (entry.shape, entry.dtype) != (shape, "float32"):
            found = f"{entry.dtype} {list(entry.shape)}"
            raise DamagedError(f"{key!r} is {found} where {network.name} has float32 {list(shape)}")
    expected = {*keys.values(), *naming.counters(network)}
    for key in entries:
        if key not in expected:
            raise DamagedError(f"it holds {key!r}, which {network.name} does not have")


def _module(made: table.Format) -> Any:
    return importlib.import_module(f"implementations.formats.{made.module}")


# --- Keeping damage within bounds ---------------------------------------------------------


@contextlib.contextmanager
def _refusing(path: Path, network: Network) -> Iterator[None]:
    """Whatever a reader makes of a damaged file, as one line."""
    try:
        yield
    except UserError:
        raise
    except ImportError as error:
        raise UserError(
            f"what reads this format is not installed ({error.name})",
            given=path,
            allowed=f"an environment with the package {error.name}",
            todo="install it, or convert where it is installed",
        ) from None
    except MemoryError:
        raise refused(path, network, "it asks for more memory than a file of its size can need") from None
    except DamagedError as error:
        raise refused(path, network, str(error)) from None
    except Exception as error:  # every library has classes of its own for this
        lines = str(error).strip().splitlines() or [""]
        raise refused(
            path, network, f"it cannot be read ({type(error).__name__}: {lines[0][:160]})"
        ) from None


def refused(path: Path, network: Network, why: str) -> UserError:
    made, why = table.of(path), why if len(why) <= LONGEST else f"{why[:LONGEST]} …"
    titles = [NAMINGS[name].title for name in made.namings if NAMINGS[name].knows(network)]
    return UserError(
        f"the weight file is refused: {why}",
        given=path,
        allowed=f"the float32 parameters of {network.name}, no more and no fewer, as {' or '.join(titles)}",
        todo="name the network, --classes and --input that the file is of, or another file",
    )


@contextlib.contextmanager
def _bounded(path: Path) -> Iterator[None]:
    """No more memory than the process has now and a file of that size can need (Linux)."""
    try:
        pages, size = int(Path("/proc/self/statm").read_text().split()[0]), path.stat().st_size
    except OSError:  # another system, or no file: the reader says so
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + COPIES * size + SLACK_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard < 0 else min(limit, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
