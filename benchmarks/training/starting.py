"""The weights that a training starts from: seeded, or where a file has them, those of the file."""

from pathlib import Path

import numpy as np

from implementations import weights
from implementations.commandline import Notice
from implementations.errors import UserError
from implementations.processes import Launcher
from implementations.proving import Prover
from implementations.spec import Network
from implementations.weights import WeightFile

INITIAL = "initial"
PUBLISHED = "imagenet"
CONVERSION = 1  # raised when the same published file would give other weights


def file(
    given: str, network: Network, seed: int, prover: Prover, notice: Notice, *, scale: str = "unit"
) -> Path:
    """A file of all parameters of ``network``, made if absent.

    ``given`` is "initial", published weights by name ("imagenet@keras"), or a safetensors file of this
    project's: of the network itself or of any that shares parameters with it, such as its base. What such a
    file lacks is seeded. ``UserError`` for a file that shares nothing, and for published weights that were
    not trained on images of the preprocessing ``scale``.
    """
    if given == INITIAL:
        return prover.cache.initial_weights(network, seed)
    from implementations import pretrained  # needs what a machine with a framework alone may lack

    if pretrained.is_named(given):
        return _completed(_published(given, network, prover, notice, scale), network, seed, prover)
    return _completed(Path(given), network, seed, prover)


def require(given: str) -> None:
    """``UserError`` for the name of a file that is not there."""
    if given != INITIAL and given.partition("@")[0] != PUBLISHED and not Path(given).is_file():
        raise UserError(
            "there is no such weight file",
            given=given,
            allowed=f"a safetensors file of this project's, {PUBLISHED}[@ORIGIN], or {INITIAL}",
            todo="correct --weights",
        )


def _published(given: str, network: Network, prover: Prover, notice: Notice, scale: str) -> Path:
    """The published weights as a file of ours: fetched and converted once, whatever asks for them."""
    from implementations import convert, pretrained

    whole = network.name.partition("-")[0]  # vgg16-transfer has the layers of vgg16
    published = pretrained.published(given, whole)
    _require_scale(given, published.scale, scale)
    ours = prover.cache.published_weights(whole, published.checksum, CONVERSION)
    if ours.exists():
        notice(f"in the cache, converted: {published.url}")
        notice(f"  {published.said}")
        return ours
    found = pretrained.fetch(published, prover.cache.folder / "pretrained", notice)
    launcher: Launcher = prover.launcher
    convert.read(found, {"name": whole}, ours, launcher)
    return ours


def _require_scale(given: str, trained_on: str, fed: str) -> None:
    if fed != trained_on:
        raise UserError(
            "the published weights were trained on images that were prepared in another way",
            given=f"{given}: {trained_on!r}, in a recipe that feeds {fed!r}",
            allowed="weights and preprocessing that belong together",
            todo="choose another ORIGIN, or another scale in the recipe's preprocessing",
        )


def _completed(source: Path, network: Network, seed: int, prover: Prover) -> Path:
    """All parameters of ``network``: the source's where path and shape are the same."""
    require(str(source))
    target = prover.cache.started_weights(network, seed, weights.sha256(source))
    if not target.exists():
        weights.save(target, _joined(source, network, seed))
    return target


def _joined(source: Path, network: Network, seed: int) -> dict[str, weights.Array]:
    given = WeightFile(source)
    taken = [p for p in network.parameters if p.path in given and given.shape(p.path) == p.shape]
    if not taken:
        raise UserError(
            f"the weight file shares no parameter with {network.name}",
            given=source,
            allowed="weights of the network, or of one with the same layers, such as its base",
            todo="convert the file with 'python -m implementations convert', or name another",
        )
    values = {p.path: weights.initial_value(p, seed) for p in network.parameters if p not in taken}
    return values | {p.path: np.asarray(given[p.path], np.float32) for p in taken}
