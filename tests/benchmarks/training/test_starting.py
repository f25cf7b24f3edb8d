from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.training import starting
from implementations import convert, networks, pretrained, weights
from implementations.cache import Cache
from implementations.errors import UserError
from implementations.pretrained import PUBLISHED, Published
from implementations.processes import Launcher
from implementations.proving import Prover

NETWORK = networks.build("mlp", input_size=(6, 6))


@pytest.fixture
def own(tmp_path: Path) -> Prover:
    return Prover(Launcher(1), Cache(tmp_path / "cache"))


def loaded(given: str, prover: Prover, seed: int = 0) -> dict[str, np.ndarray]:
    path = starting.file(given, NETWORK, seed, prover, print)
    return {key: np.array(value) for key, value in weights.load(path, NETWORK).items()}


def saved(folder: Path, values: dict[str, np.ndarray]) -> str:
    weights.save(folder / "given.safetensors", values)
    return str(folder / "given.safetensors")


def test_initial_weights_are_the_seeds(own: Prover) -> None:
    for path, value in weights.initial(NETWORK, 3).items():
        assert np.array_equal(loaded("initial", own, seed=3)[path], value)


def test_a_file_of_the_network_is_taken_whole(own: Prover, tmp_path: Path) -> None:
    given = weights.initial(NETWORK, 9)
    found = loaded(saved(tmp_path, given), own)
    assert all(np.array_equal(found[path], value) for path, value in given.items())


def test_what_a_file_lacks_is_seeded(own: Prover, tmp_path: Path) -> None:
    """As a base lacks the head; a parameter of another shape is lacking too."""
    given = {"hidden.weight": np.ones((128, 36), np.float32), "logits.weight": np.ones((3, 128), np.float32)}
    found, seeded = loaded(saved(tmp_path, given), own), weights.initial(NETWORK, 0)
    assert np.array_equal(found["hidden.weight"], given["hidden.weight"])
    assert np.array_equal(found["logits.weight"], seeded["logits.weight"])


def test_another_file_makes_another_start(own: Prover, tmp_path: Path) -> None:
    first = loaded(saved(tmp_path, weights.initial(NETWORK, 1)), own)
    second = loaded(saved(tmp_path, weights.initial(NETWORK, 2)), own)
    assert not np.array_equal(first["hidden.weight"], second["hidden.weight"])


def test_published_weights_go_with_their_preprocessing(own: Prover) -> None:
    """Before anything is fetched."""
    network = networks.build("vgg16-transfer", input_size=(32, 32))
    with pytest.raises(UserError, match="prepared in another way: given imagenet@torchvision: 'standard'"):
        starting.file("imagenet@torchvision", network, 0, own, print, scale="caffe")


def test_published_weights_are_converted_once(
    own: Prover, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For all seeds, as long as the publisher's file is the same; their licence is always said."""
    heard: list[str] = []
    converted: list[Path] = []

    def read(found: Path, network: Any, ours: Path, launcher: Any) -> None:
        converted.append(found)
        weights.save(ours, weights.initial(NETWORK, len(converted)))

    def published(checksum: str) -> Published:
        return Published("https://a.example/w.pth", checksum, "a licence", "standard", (0.0, 0.0))

    def started(seed: int) -> np.ndarray:
        path = starting.file("imagenet", NETWORK, seed, own, heard.append, scale="standard")
        return np.array(weights.load(path, NETWORK)["hidden.weight"])

    monkeypatch.setattr(pretrained, "fetch", lambda file, folder, notice: folder / file.file_name)
    monkeypatch.setattr(convert, "read", read)
    monkeypatch.setitem(PUBLISHED, "mlp", {"here": published(f"md5:{'a' * 32}")})
    first = [started(0), started(1)]
    assert len(converted) == 1
    assert np.array_equal(*first)
    assert heard[-2:] == ["in the cache, converted: https://a.example/w.pth", f"  {published('md5:0').said}"]
    monkeypatch.setitem(PUBLISHED, "mlp", {"here": published(f"md5:{'b' * 32}")})
    assert not np.array_equal(started(0), first[0])
    assert len(converted) == 2


def test_a_file_that_shares_nothing_is_refused(own: Prover, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="shares no parameter with mlp"):
        loaded(saved(tmp_path, {"conv1.weight": np.ones(3, np.float32)}), own)


def test_a_file_that_is_not_there_is_refused(own: Prover, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no such weight file"):
        loaded(str(tmp_path / "none.safetensors"), own)


def test_published_weights_of_a_network_without_any_are_refused(own: Prover) -> None:
    with pytest.raises(UserError, match="mlp"):
        loaded("imagenet", own)
