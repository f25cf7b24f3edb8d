"""The command ``evaluate`` with real frameworks and an exported file."""

import json
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from implementations import networks, weights

pytestmark = pytest.mark.frameworks


def test_frameworks_and_exports_make_the_same_of_the_same_pictures(tmp_path: Path) -> None:
    path, figures = tmp_path / "mlp.safetensors", tmp_path / "figures.json"
    weights.save(path, weights.initial(networks.build("mlp"), 0))
    names = ["pytorch", "paddle", "onnxruntime"]
    options = [word for name in names for word in ("--framework", name)]
    how = (
        f"--weights {path} --data digits --preprocessing unit --json {figures} --cache-dir {tmp_path}".split()
    )
    assert benchmarks.main(["evaluate", "mlp", *how, *options]) == 0
    rows = json.loads(figures.read_text())["rows"]
    titles = [row["title"] for row in rows]
    assert titles[:2] == names[:2]
    assert titles[2:] == [f"onnxruntime (from {name})" for name in names[:2]]
    assert len({row["top1"] for row in rows}) == 1  # to the picture: logits differ by 1e-6, classes by more
    assert {row["agreement"] for row in rows} == {1.0}
