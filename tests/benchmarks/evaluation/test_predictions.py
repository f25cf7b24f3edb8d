"""Evaluations by hand-made logits, and the child's side with the reference as its framework."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from in_process import InProcess
from reference_adapter import ReferenceFramework

from benchmarks.data import digits
from benchmarks.data.images import ImageSet, Split, store
from benchmarks.data.preprocessing import Preprocessing
from benchmarks.evaluation import command, predict, predictions, scores
from benchmarks.evaluation.predictions import Evaluator, Subject
from implementations import networks, reference, weights
from implementations.cache import Cache
from implementations.errors import UserError
from implementations.network import Settings
from implementations.proving import Prover

MLP = {"name": "mlp", "classes": None, "input_size": None}
UNIT = Preprocessing((28, 28), "unit", 1)


class Saying(InProcess):
    """Frameworks are proven by the reference, and predict what they are told to."""

    logits: dict[str, Any] = {}  # noqa: RUF012  # set by each test

    def ask(self, framework: str, task: str, arguments: Any, timeout: float) -> Any:
        if not task.endswith(":predict"):
            return super().ask(framework, task, arguments, timeout)
        if arguments["precision"] != "float32":
            raise UserError("not offered", given=arguments["precision"], allowed="float32", todo="another")
        np.save(arguments["target"], np.asarray(self.logits[framework], np.float32))
        return {"seconds": 1.5, "versions": {framework: "1"}}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Four digits whose classes are 0 to 3, as test images."""
    every = digits.load()
    chosen = [int(np.flatnonzero(every.test.labels == label)[0]) for label in range(4)]
    test = Split(every.test.images[chosen], every.test.labels[chosen])
    four = ImageSet("four", "four digits", every.classes, every.maximum, every.train, test, test)
    return store(four, tmp_path_factory.mktemp("data") / "four")


@pytest.fixture
def subject(data: ImageSet, tmp_path: Path) -> Subject:
    path = tmp_path / "mlp.safetensors"
    weights.save(path, weights.initial(networks.build("mlp"), 0))
    return Subject(MLP, path, data, UNIT)


@pytest.fixture
def evaluator(subject: Subject, tmp_path: Path) -> Evaluator:
    prover = Prover(Saying(threads=1), Cache(tmp_path / "cache"), training="none")
    return Evaluator(prover, subject, lambda line: None)


def naming(*classes: int) -> Any:
    """Logits that name ``classes``, one a picture; next comes class 9, then 8, down to 0."""
    logits = np.tile(np.arange(10.0), (len(classes), 1))
    logits[np.arange(len(classes)), classes] = 100
    return logits


def test_top_1_top_5_and_agreement(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    said = {"pytorch": naming(0, 1, 2, 9), "paddle": naming(0, 1, 5, 3)}
    monkeypatch.setattr(Saying, "logits", said)
    rows, lost = evaluator.run(["pytorch", "paddle"], ["float32"])
    assert not lost
    assert [row.top1 for row in rows] == [0.75, 0.75]
    assert [row.top5 for row in rows] == [0.75, 0.75]  # 3 and 2 stand behind 9, 8, 7 and 6
    assert [row.agreement for row in rows] == [1.0, 0.5]


def test_a_class_among_the_first_five_counts(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    last = naming(0, 1, 2, 9)
    last[3, 3] = 8.5  # behind 9 alone
    monkeypatch.setattr(Saying, "logits", {"pytorch": last})
    rows, _ = evaluator.run(["pytorch"], ["float32"])
    assert (rows[0].top1, rows[0].top5) == (0.75, 1.0)


def test_what_a_framework_does_not_offer_costs_its_own_row(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Saying, "logits", {"pytorch": naming(0, 1, 2, 3)})
    rows, lost = evaluator.run(["pytorch"], ["bfloat16", "float32"])
    assert [row.precision for row in rows] == ["float32"]
    assert [each.precision for each in lost] == ["bfloat16"]
    assert "not offered" in lost[0].reason


def test_who_is_not_proven_has_no_accuracy(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Saying, "logits", {"pytorch": naming(0, 1, 2, 3)})
    proven = InProcess.proven

    def failing(self: InProcess, framework: str, given: dict[str, Any]) -> dict[str, Any]:
        return {**proven(self, framework, given), "passed": False, "failure": "another network"}

    monkeypatch.setattr(InProcess, "proven", failing)
    rows, lost = evaluator.run(["pytorch"], ["float32"])
    assert not rows
    assert len(lost) == 1


def test_other_classes_than_the_networks_are_refused(data: ImageSet, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"10 classes of pictures .*allowed: 3;"):
        Subject({**MLP, "classes": 3}, tmp_path, data, UNIT)


def test_a_child_predicts_every_picture_in_order(
    subject: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "batch_for", lambda shape, images: 3)  # the last of four is filled up
    predict.predict(
        ReferenceFramework(),
        settings=Settings(),
        name="pytorch",
        network=MLP,
        source=str(subject.weights),
        data_path=str(subject.data.folder),
        preprocessing={**asdict(UNIT), "size": [28, 28]},
        precision="float32",
        target=str(tmp_path / "logits.npy"),
    )
    network = networks.build("mlp")
    images = UNIT.apply(subject.data.test.images, subject.data.maximum)
    values = {k: v.astype(np.float64) for k, v in weights.load(subject.weights, network).items()}
    expected = reference.forward(network, values, images.astype(np.float64))[network.heads[0].path]
    np.testing.assert_array_equal(np.load(tmp_path / "logits.npy"), expected.astype(np.float32))


def test_the_publishers_figure_stands_below(subject: Subject) -> None:
    row = predictions.Row("pytorch", "float32", {}, "", 1.0, 0.71, 0.9, 1.2, 1.0)
    table = command.table(subject, [row], [], (71.592, 90.382))
    assert [list(column.cells)[-1] for column in table.columns[2:4]] == ["71.59", "90.38"]
