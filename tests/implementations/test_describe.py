"""``describe`` as a user calls it."""

import json
import subprocess
import sys

import pytest

from implementations.commandline import ROOT


def described(*arguments: str) -> str:
    command = [sys.executable, "-m", "implementations", "describe", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("arguments", "parameters", "multiply_adds"),
    [
        (("vgg16",), 138_357_544, 15_470_264_320),
        (("googlenet", "--classes", "10"), 10_334_030, 1_588_002_816),
        (("mlp",), 101_770, 101_632),
    ],
)
def test_json_totals(arguments: tuple[str, ...], parameters: int, multiply_adds: int) -> None:
    data = json.loads(described(*arguments, "--json"))
    assert data["network"] == arguments[0]
    assert data["totals"] == {
        "parameters": parameters,
        "trainable": parameters,
        "frozen": 0,
        "multiply_adds": multiply_adds,
    }
    assert sum(layer["parameters"] for layer in data["layers"]) == parameters
    assert sum(layer["multiply_adds"] for layer in data["layers"]) == multiply_adds


def test_table_shows_every_layer_and_both_totals() -> None:
    text = described("googlenet")
    assert "inception_3a.5x5_reduce" in text
    assert "all layers: 13,378,280 parameters (13,378,280 trainable, 0 frozen)" in text
    assert "without auxiliary heads: 6,998,552 parameters" in text


def test_input_size_changes_the_shapes() -> None:
    data = json.loads(described("vgg16", "--input", "150x150", "--json"))
    pool5 = next(layer for layer in data["layers"] if layer["name"] == "pool5")
    assert pool5["output_shape"] == [512, 4, 4]
