"""Files that are made once and shared by all processes: weights, exported models, certificates.

A weight file's name holds all that its content depends on, so it is never out of date. Exported
models and certificates depend on versions too: a certificate says itself on which, and every proof of
an export writes its file anew.
"""

import os
from pathlib import Path

from implementations import weights
from implementations.errors import UserError
from implementations.spec import Network

NAME = "framework-benchmarks"


class Cache:
    """The cache folder; the user's own by default."""

    def __init__(self, folder: Path | None = None) -> None:
        """``UserError`` if ``folder`` can be neither used nor made; nothing is made yet."""
        self.folder = (folder or _users_own()).absolute()
        nearest = next(place for place in (self.folder, *self.folder.parents) if place.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK)):
            raise _refused(self.folder, "no folder that can be written")

    def probe_weights(self, network: Network, seed: int) -> Path:
        """The probe weights of ``network`` in a file, made if absent."""
        path = self._weights(network, "probe", seed)
        if not path.exists():
            weights.save(path, weights.probe(network, seed))
        return path

    def initial_weights(self, network: Network, seed: int) -> Path:
        """Starting weights of a training in a file, made if absent."""
        path = self._weights(network, "initial", seed)
        if not path.exists():
            weights.save(path, weights.initial(network, seed))
        return path

    def started_weights(self, network: Network, seed: int, source_sha256: str) -> Path:
        """Where starting weights belong that come from a file as far as it has them."""
        return self._weights(network, "from", source_sha256[:16], seed)

    def _weights(self, network: Network, *about: object) -> Path:
        """Named by the rules, too, by which weights are drawn: other rules make other files."""
        words = [network.name, network.digest[:16], *about, weights.RULES]
        return self._path("weights", f"{'-'.join(map(str, words))}.safetensors")

    def published_weights(self, network: str, checksum: str, version: int) -> Path:
        """Where published weights belong once converted; ``version`` is that of the conversion."""
        digest = checksum.rpartition(":")[2]
        return self._path("weights", f"{network}-published-{digest[:16]}-{version}.safetensors")

    def model(self, network: Network, exporter: str) -> Path:
        """Where the ONNX file of ``network`` from ``exporter`` belongs."""
        return self._path("models", f"{network.name}-{network.digest[:16]}-{exporter}.onnx")

    def certificate(self, network: Network, claim: str, device: str) -> Path:
        """Where the last certificate of ``claim`` (its slug) on ``device`` belongs."""
        return self._path("certificates", f"{claim}-{network.digest[:16]}-{device.replace(':', '')}.json")

    def slips(self, framework: str, device: str) -> Path:
        """Where the record of the mutants in ``framework`` belongs."""
        return self._path("mutants", f"{framework}-{device.replace(':', '')}.json")

    def data(self, name: str, sha256: str) -> Path:
        """Where a data set's folder of arrays belongs."""
        return self._path("data", f"{name}-{sha256[:16]}")

    def _path(self, kind: str, name: str) -> Path:
        folder = self.folder / kind
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _refused(folder, error.strerror) from None
        return folder / name


def _users_own() -> Path:
    import platformdirs  # not needed where the folder is named, as on a machine with a framework alone

    return platformdirs.user_cache_path(NAME)


def _refused(folder: Path, why: str | None) -> UserError:
    return UserError(
        f"the cache folder cannot be made ({why})",
        given=folder,
        allowed="a folder that can be written",
        todo="name another with --cache-dir",
    )
