"""Published weights by name; how files are fetched is tested in test_fetching.py."""

import hashlib
import re
from pathlib import Path

import pytest
import weight_files
from file_server import serving

from implementations import networks, pretrained
from implementations.__main__ import main
from implementations.errors import UserError
from implementations.pretrained import PUBLISHED, Published


def test_what_weights_are_is_said(tmp_path: Path) -> None:
    content, heard = b"weights", []
    checksum = f"md5:{hashlib.md5(content).hexdigest()}"
    with serving(content) as server:
        file = Published(server.address("well", "w.pth"), checksum, "a licence", "caffe", (71.3, 90.1))
        path = pretrained.fetch(file, tmp_path, heard.append)
    assert path.name == f"{checksum[4:20]}-w.pth"  # a publisher may exchange a file under its name
    assert (
        heard[1]
        == "  licence: a licence; trained on images as BGR in 0 to 255, minus (103.939, 116.779, 123.68)"
    )


def test_published_weights_are_converted_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = networks.build("mlp")
    source, target = weight_files.ours(tmp_path, network), tmp_path / "mlp.h5"
    content = source.read_bytes()
    checksum = f"md5:{hashlib.md5(content).hexdigest()}"
    asked = ["--network", "mlp", "--cache-dir", str(tmp_path / "cache")]
    with serving(content) as server:
        here = Published(server.address("well", "w.safetensors"), checksum, "a licence", "caffe", (0.0, 0.0))
        monkeypatch.setitem(PUBLISHED, "mlp", {"here": here})
        assert main(["convert", "imagenet@here", str(target), *asked]) == 0
    assert "licence: a licence" in capsys.readouterr().out
    assert main(["convert", str(target), str(tmp_path / "back.safetensors"), *asked]) == 0
    weight_files.require_same(tmp_path / "back.safetensors", network)


@pytest.mark.parametrize(("text", "network"), [("imagenet", "mlp"), ("imagenet@keras", "resnet50")])
def test_weights_that_nobody_published_are_refused(text: str, network: str) -> None:
    with pytest.raises(UserError, match="vgg16: torchvision, keras, timm"):
        pretrained.published(text, network)


def test_checksums_agree_with_what_file_names_say() -> None:
    """Torchvision's names end in the first eight digits of the SHA-256."""
    files = [file for origins in PUBLISHED.values() for file in origins.values()]
    for file in files:
        algorithm, _, digest = file.checksum.partition(":")
        assert len(digest) == {"sha256": 64, "md5": 32}[algorithm]
        if (ending := re.search(r"-([0-9a-f]{8})\.pth$", file.url)) is not None:
            assert digest.startswith(ending[1])
    assert len({file.file_name for file in files}) == len(files)
