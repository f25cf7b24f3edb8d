"""The study of stock networks: its page counts as we compute, its guards bite, its mistakes are one line."""

import dataclasses
import importlib
import importlib.util
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from implementations import commandline, networks
from implementations.commandline import ROOT
from implementations.describe import totals
from implementations.networks.mlp import mlp

PAGE = ROOT / "docs/not-the-same-network.md"
OURS = (
    *("googlenet", "googlenet-keras", "googlenet-paddle", "googlenet-bn"),
    *("vgg13", "vgg16", "vgg19", "alexnet", "resnet18", "resnet50", "mlp"),
)


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / "docs/studies"))
    yield importlib.import_module("stock_networks")
    for name in [name for name in sys.modules if name.startswith("stock_")]:
        del sys.modules[name]


class Fake:
    """A stock model that computes our MLP, with ``error`` added to its logits."""

    def __init__(self, study: ModuleType, error: float = 0.0) -> None:
        unit = importlib.import_module("stock_units").Unit
        shapes = {p.path: p.shape for p in mlp().parameters}
        self.units = [
            unit(layer, np.zeros(shapes[f"{layer}.weight"]), np.zeros(shapes[f"{layer}.bias"]))
            for layer in ("hidden", "logits")
        ]
        self.trainable, self.running, self.trunk = 101_770, 0, [28, 28]
        self._study, self._error = study, error

    def load(self, units: list[Any]) -> None:
        placed = importlib.import_module("stock_units").placed
        self._weights = placed(mlp(), dict(zip(("hidden", "logits"), units, strict=True)))

    def logits(self, images: np.ndarray) -> np.ndarray:
        return self._study.logits(mlp(), self._weights, images) + self._error


def case(study: ModuleType, **changes: Any) -> Any:
    return study.Case(**{"model": "fake", "network": mlp()} | changes)


# --- The page -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", OURS)
def test_the_page_states_our_counts(name: str) -> None:
    row = re.search(rf"^\| `{name}` \|(.*)\|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert row, f"{name} has no row in the table of our networks"
    cells = [cell.strip() for cell in row[1].split("|")]
    network = networks.build(name, classes=10 if name == "mlp" else 1000)
    counts = totals(network.inference())
    assert cells[:4] == [
        f"{number:,}"
        for number in (
            counts["trainable"],
            totals(network)["trainable"],
            counts["frozen"],
            counts["multiply_adds"],
        )
    ]


def test_the_page_names_files_that_exist() -> None:
    named = re.findall(r"`((?:docs|implementations|tests)/[\w./-]+)`", PAGE.read_text(encoding="utf-8"))
    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_restatement_on_the_page_agrees(study: ModuleType) -> None:
    rows = re.findall(
        r"^\| (?:\w+: )?nothing[^|]*\|(.*)\|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    values = [float(cell) for row in rows for cell in row.split("|") if cell.strip() != "–"]
    assert len(values) == 21
    assert max(values) < study.SAME


# --- The script ---------------------------------------------------------------------------


def test_what_is_not_installed_is_one_line(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torchvision" else found(name, *rest)
    )
    assert commandline.run(study.main, ["torchvision"]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "torchvision is not installed" in message


def test_an_unknown_model_is_one_line(
    study: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(study, "require_installed", lambda zoo: None)
    assert commandline.run(study.main, ["keras", "--network", "googlenet"]) == 2
    assert "keras has no such model" in capsys.readouterr().err


def test_a_model_that_agrees_and_one_that_does_not(study: ModuleType) -> None:
    assert study.studied(case(study), Fake(study), 2)["same"]
    assert not study.studied(case(study), Fake(study, error=1e-3), 2)["same"]


def test_each_difference_is_measured_alone_and_ours_together(study: ModuleType) -> None:
    variation = study.Variation
    doubled = variation("doubled", unit=lambda path, unit: _scaled(unit, 2.0), ours=True)
    halved = variation("halved", unit=lambda path, unit: _scaled(unit, 0.5), ours=True)
    row = study.studied(case(study, variations=(doubled, halved)), Fake(study), 2)
    column = row["differences"]["1"]
    assert list(column) == [study.RESTATED, "doubled", "halved", study.ALL_OURS]
    assert column["doubled"] > 0.1
    assert column[study.ALL_OURS] < 1e-12


def _scaled(unit: Any, factor: float) -> Any:
    return dataclasses.replace(unit, weight=unit.weight * factor)


def test_a_forgotten_parameter_is_seen(study: ModuleType) -> None:
    model = Fake(study)
    model.trainable += 1
    with pytest.raises(ValueError, match="trainable parameters were missed"):
        study.studied(case(study), model, 1)


def test_a_forgotten_running_statistic_is_seen(study: ModuleType) -> None:
    model = Fake(study)
    model.running = 2
    with pytest.raises(ValueError, match="running statistics were missed"):
        study.studied(case(study), model, 1)


def test_an_unnamed_difference_from_ours_is_seen(study: ModuleType) -> None:
    with pytest.raises(ValueError, match="do not lead to mlp"):
        study.studied(case(study, target=mlp(classes=11)), Fake(study), 1)


def test_every_case_leads_to_our_network(study: ModuleType) -> None:
    targets = [one for cases in study.CASES.values() for one in cases if one.target is not None]
    assert len(targets) >= 4
    for one in targets:
        ours = [variation for variation in one.variations if variation.ours]
        assert study.edited(one.network, ours).layers == one.target.layers


def test_units_of_another_shape_are_refused(study: ModuleType) -> None:
    units = importlib.import_module("stock_units")
    wrong = {"hidden": units.Unit("a", np.zeros((128, 785))), "logits": units.Unit("b", np.zeros((10, 128)))}
    with pytest.raises(ValueError, match="differs in"):
        units.placed(mlp(), wrong)


def test_folding_is_batch_norm_at_inference(study: ModuleType) -> None:
    units = importlib.import_module("stock_units")
    random = np.random.default_rng(0)
    norm = units.Norm(*random.uniform(0.5, 1.5, (4, 3)), epsilon=1e-3)
    unit = units.Unit("a", random.normal(size=(3, 5)), random.normal(size=3), norm)
    x = random.normal(size=5)
    plain = unit.weight @ x + unit.bias
    expected = norm.gamma * (plain - norm.mean) / np.sqrt(norm.variance + 1e-3) + norm.beta
    weight, bias = units.folded(unit)
    np.testing.assert_allclose(weight @ x + bias, expected, rtol=1e-12)


def test_habits_of_batch_norm_are_read_from_one_step(study: ModuleType) -> None:
    unbiased = study.batch_norm_habits(0.1 * 2, 0.9 + 0.1 * 14 / 3)
    assert unbiased == pytest.approx({"share": 0.1, "variance": 14 / 3})


@pytest.mark.frameworks
@pytest.mark.parametrize(
    ("zoo", "model", "trainable"), [("paddle", "resnet18", 11_689_512), ("keras", "ResNet50", 25_583_592)]
)
def test_a_stock_model_is_what_the_page_says(zoo: str, model: str, trainable: int, tmp_path: Path) -> None:
    answer = tmp_path / "study.json"
    command = [sys.executable, "docs/studies/stock_networks.py", zoo, "--network", model, "--images", "1"]
    subprocess.run([*command, "--json", str(answer)], cwd=ROOT, check=True, timeout=600, capture_output=True)
    (row,) = json.loads(answer.read_text())["models"]
    assert row["trainable"] == trainable
    assert row["same"]
    assert f"{trainable:,}" in PAGE.read_text(encoding="utf-8")
