"""Level 4 bites: files made by hand, each wrong in one way. In this process, without a framework."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from implementations.errors import RefusedFileError, UserError
from implementations.network import Settings

pytestmark = pytest.mark.frameworks  # they bring onnx
SETTINGS = Settings()


@pytest.fixture(scope="module")
def models() -> Any:
    import onnx_models  # not where tests are only collected: the core environment has no onnx

    return onnx_models


@pytest.fixture
def prove(models: Any, tmp_path: Path) -> Callable[..., list[Any]]:
    """The findings of level 4 about a file that ``onnx_models`` writes."""
    from implementations.export_sameness import prove_export

    def findings(change: str | None = None, **options: Any) -> list[Any]:
        chosen = {"change": getattr(models, change)} if change else {}
        path = models.written(tmp_path / "model.onnx", **chosen, **options)
        return prove_export(models.OnnxReference(), models.CASE, path, SETTINGS)

    return findings


def breach(findings: list[Any]) -> tuple[str, str, str]:
    """(mode, path, what was found) of the first breach."""
    found = next(finding for finding in findings if not finding.passed)
    assert found.breach is not None
    return found.mode, found.breach.path, found.breach.got


def test_a_sound_file_passes_in_four_ways(prove: Any) -> None:
    findings = prove()
    assert all(finding.passed for finding in findings)
    assert [finding.mode for finding in findings] == ["file", "parameters", "timed", "onnx.reference"]
    assert [finding.compared for finding in findings[1:]] == [4, 2, 1]


def test_a_dense_weight_may_be_multiplied_from_the_right(prove: Any) -> None:
    assert all(finding.passed for finding in prove("as_matmul"))


@pytest.mark.parametrize(
    ("change", "path", "got"),
    [
        ("as_constant", "hidden.weight", "absent"),
        ("renamed", "hidden.weight", "absent"),
        ("merged", "logits.bias", "absent"),
        ("folded", "hidden.bias", "float32, shape (2, 128)"),
        ("one_more", "auxiliary.bias (no parameter)", "shape (2,)"),
        ("one_more_double", "statistics (no parameter)", "shape (2,)"),
        ("listed", "list (no parameter)", "shape (2,)"),
        ("as_sparse", "more (no parameter)", "shape (2,)"),
        ("as_double", "hidden.weight", "float64, shape (128, 16)"),
        ("branching", "branches and loops", "If"),
        ("fixed_batch", "inputs", "1, batch fixed at 2"),
        ("fixed_output", "outputs", "1, batch fixed at 2"),
        ("second_head", "outputs", "2, batch free"),
        ("with_dropout", "training-only nodes", "Dropout"),
        ("with_training_statistics", "training-only nodes", "BatchNormalization"),
    ],
)
def test_a_file_that_declares_something_else_is_not_executed(
    change: str, path: str, got: str, prove: Any
) -> None:
    findings = prove(change)
    assert breach(findings) == ("file", path, got)
    assert len(findings) == 1


def test_another_opset_is_refused(prove: Any) -> None:
    assert breach(prove(opset=17)) == ("file", "opset", "17")


def test_what_onnx_refuses_is_refused(prove: Any, models: Any, tmp_path: Path) -> None:
    from implementations.export_sameness import prove_export

    mode, path, got = breach(prove("unsorted"))
    assert (mode, path, got.partition(":")[0]) == ("file", "checker", "ValidationError")
    (tmp_path / "model.onnx").write_bytes(b"no protobuf")
    findings = prove_export(models.OnnxReference(), models.CASE, tmp_path / "model.onnx", SETTINGS)
    assert breach(findings)[:2] == ("file", "checker")


@pytest.mark.parametrize("slip", ["nan", "last-bit", "another-order"])
def test_a_parameter_that_is_not_the_weight_files_is_refused(slip: str, prove: Any, models: Any) -> None:
    value = models.VALUES["hidden.weight"].copy()
    if slip == "nan":
        value[3, 5] = np.nan
    elif slip == "last-bit":
        value[3, 5] = np.nextafter(value[3, 5], np.float32(1))
    else:
        value = value.reshape(128, 4, 4).transpose(0, 2, 1).reshape(128, 16)
    findings = prove(values={**models.VALUES, "hidden.weight": value})
    assert breach(findings)[:2] == ("parameters", "hidden.weight")


def test_a_wrong_graph_with_the_right_parameters_is_caught_by_value(prove: Any) -> None:
    findings = prove("without_relu")
    failed = [finding.mode for finding in findings if not finding.passed]
    assert failed == ["timed", "onnx.reference"]  # what executes the file, and the second opinion


def test_a_file_whose_weights_lie_in_another_is_refused(models: Any, tmp_path: Path) -> None:
    import onnx

    from implementations.export_sameness import prove_export

    whole, split = models.written(tmp_path / "whole.onnx"), tmp_path / "split.onnx"
    onnx.save_model(onnx.load(whole), split, save_as_external_data=True, location="beside", size_threshold=0)
    mode, path, got = breach(prove_export(models.OnnxReference(), models.CASE, split, SETTINGS))
    assert (mode, path) == ("file", "checker")
    assert "lies in another file" in got


def test_a_file_that_was_replaced_while_it_was_proven_has_no_certificate(
    models: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from implementations import certify, export_sameness, weights

    path = models.written(tmp_path / "model.onnx")
    weights.save(tmp_path / "w.safetensors", models.VALUES)
    monkeypatch.setattr(export_sameness, "prove_export", lambda *_: path.write_bytes(b"another") and [])
    with pytest.raises(RuntimeError, match="was replaced while it was proven"):
        certify.certify_export(
            models.OnnxReference(),
            settings=SETTINGS,
            name="onnxruntime",
            exporter="pytorch",
            network={"name": "mlp", "classes": 3, "input_size": (4, 4)},
            weights_path=str(tmp_path / "w.safetensors"),
            model_path=str(path),
            made={},
        )


def refusing(error: type[UserError]) -> Callable[..., None]:
    def build(*given: object, **options: object) -> None:
        raise error("cannot be run", given="a file", allowed="another", todo="delete it")

    return build


def test_a_file_that_the_engine_refuses_is_a_breach(prove: Any, models: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(models.OnnxReference, "build", refusing(RefusedFileError))
    assert breach(prove()) == ("timed", "file", "cannot be run")


def test_an_engine_that_runs_nothing_is_no_fault_of_the_file(
    prove: Any, models: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(models.OnnxReference, "build", refusing(UserError))
    with pytest.raises(UserError, match="cannot be run"):
        prove()


def test_a_large_network_is_not_given_to_onnxs_reference(prove: Any, monkeypatch: Any) -> None:
    from implementations import export_sameness

    monkeypatch.setattr(export_sameness, "SMALL", 1)
    assert [finding.mode for finding in prove()] == ["file", "parameters", "timed"]


@pytest.fixture
def padded() -> Callable[..., Any]:
    """A model with one Pad node for each fill."""
    from onnx import TensorProto, helper, numpy_helper

    def model(*fills: float) -> Any:
        nodes = []
        for number, fill in enumerate(fills):
            value = numpy_helper.from_array(np.array(fill, np.float32))
            nodes.append(helper.make_node("Constant", [], [f"fill{number}"], value=value))
            nodes.append(helper.make_node("Pad", ["x", "pads", f"fill{number}"], [f"y{number}"]))
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y0")]
        return helper.make_model(helper.make_graph(nodes, "pads", ends[:1], ends[1:]))

    return model


def test_pads_are_repaired_whatever_was_in_memory(padded: Any) -> None:
    from onnx import numpy_helper

    from implementations.frameworks.onnx_graph import pad_fills, repair_pads

    model = padded(0.0, 1e-44, np.nan, 0.0, -np.inf)
    wanted = [0.0, 0.0, 0.0, -np.inf, -np.inf]
    assert repair_pads(model, wanted) == 3
    assert [float(numpy_helper.to_array(tensor)) for tensor in pad_fills(model)] == wanted


def test_a_pad_that_got_lost_is_an_error(padded: Any) -> None:
    from implementations.frameworks.onnx_graph import repair_pads

    with pytest.raises(RuntimeError, match="2 pads were exported, the file has 1"):
        repair_pads(padded(0.0), [0.0, 0.0])
