import copy
import errno
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import results
from benchmarks.plan import Case
from implementations.errors import UserError

SCHEMA = json.loads(results.SCHEMA.read_text())
GOOD_TRAINING = {
    "schema_version": 1,
    "recipe": "mlp",
    "framework": "pytorch",
    "versions": {"torch": "2"},
    "certificate": "c",
    "data": {"name": "digits", "sha256": "0"},
    "initial": {"test_loss": 2.3, "test_accuracy": 0.1},
    "epochs": [{"epoch": 1, "train_loss": 0.5, "test_loss": 0.4, "test_accuracy": 0.9, "seconds": 1.0}],
}
NEWER_TRAINING = {
    **{key: value for key, value in GOOD_TRAINING.items() if key != "initial"},
    "schema_version": 3,
    "scale": "full",
    "seed": 0,
    "initial": {"validation": {"main": {"loss": 2.3, "accuracy": 0.1}}},
    "test": {"loss": 0.4, "accuracy": 0.9},
    "target": None,
}


def written(tmp_path: Path, content: Any) -> Path:
    path = tmp_path / "a-fork.json"
    path.write_text(json.dumps(content))
    return path


def refusal(path: Path, read: Callable[[Path], Any] = results.read_fork) -> str:
    """The message with which ``path`` is refused; it names the file and what to do."""
    with pytest.raises(UserError) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "remove the file" in str(caught.value)
    return str(caught.value)


# --- A good fork --------------------------------------------------------------------------


def test_a_good_file_is_accepted(tmp_path: Path, content: dict[str, Any], case: Case) -> None:
    assert results.read_fork(written(tmp_path, content)).case == case


def test_every_block_is_kept_in_its_order(tmp_path: Path, content: dict[str, Any]) -> None:
    assert results.read_fork(written(tmp_path, content)).seconds == (0.5, 0.25, 1.0)


def test_throughput_counts_all_images_of_a_block(tmp_path: Path, content: dict[str, Any]) -> None:
    fork = results.read_fork(written(tmp_path, content))
    assert fork.images_per_second == (320.0, 640.0, 160.0)  # 5 steps · 32 images = 160, each over its seconds


def test_a_forks_value_is_the_median_of_its_blocks(tmp_path: Path, content: dict[str, Any]) -> None:
    assert results.read_fork(written(tmp_path, content)).median == 320.0  # not the mean, 373.3


def test_an_even_number_of_blocks_has_the_middle_of_two(tmp_path: Path, content: dict[str, Any]) -> None:
    content["benchmarks"][0]["stats"]["data"] = [0.5, 0.25, 1.0, 2.0]
    fork = results.read_fork(written(tmp_path, content))
    assert fork.median == 240.0  # (160 + 320) / 2: halfway in throughput, not in seconds (213.3)


def test_key_attributes_and_fields_come_apart(tmp_path: Path, content: dict[str, Any]) -> None:
    fork = results.read_fork(written(tmp_path, content))
    assert set(fork.key) == set(results.KEY)
    assert fork.attributes["certificate"] == "c"
    assert not {"key", "attributes"} & set(fork.fields)


def test_fields_that_pytest_benchmark_adds_are_no_reason_to_refuse(
    tmp_path: Path, content: dict[str, Any]
) -> None:
    content["benchmarks"][0]["stats"]["mean"] = 0.58
    content["benchmarks"][0]["fullname"] = "benchmarks/test_training.py::test_training[mlp-b32]"
    assert results.read_fork(written(tmp_path, content))


# --- What is no fork ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", "{", '{"benchmarks": [', "null", "[]", "3", "\x00\x01"],
    ids=["empty", "brace", "cut short", "null", "list", "number", "bytes"],
)
def test_what_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a-fork.json"
    path.write_text(text)
    refusal(path)


def test_a_file_cut_anywhere_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    text = json.dumps(content)
    path = tmp_path / "a-fork.json"
    for share in (0.1, 0.5, 0.9):
        path.write_text(text[: int(share * len(text))])
        refusal(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a-fork.json"
    path.write_bytes(b"\xff\xfe\x00{")
    refusal(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path / "none.json")


def test_a_plain_pytest_benchmark_file_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["benchmarks"][0]["extra_info"] = {}
    refusal(written(tmp_path, content))


def test_another_programs_json_is_refused(tmp_path: Path) -> None:
    refusal(written(tmp_path, {"name": "package", "version": "1"}))


def test_a_newer_schema_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["benchmarks"][0]["extra_info"]["schema_version"] = results.SCHEMA_VERSION + 1
    message = refusal(written(tmp_path, content))
    assert "schema_version" in message
    assert f"up to {results.SCHEMA_VERSION}" in message


@pytest.mark.parametrize("name", results.KEY)
def test_a_missing_key_field_is_refused(tmp_path: Path, content: dict[str, Any], name: str) -> None:
    del content["benchmarks"][0]["extra_info"]["key"][name]
    assert repr(name) in refusal(written(tmp_path, content))


def test_a_surplus_key_field_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["benchmarks"][0]["extra_info"]["key"]["hostname"] = "a-machine"
    assert "hostname" in refusal(written(tmp_path, content))


@pytest.mark.parametrize("name", SCHEMA["$defs"]["fields"]["required"])
def test_a_missing_field_is_refused(tmp_path: Path, content: dict[str, Any], name: str) -> None:
    del content["benchmarks"][0]["extra_info"][name]
    assert repr(name) in refusal(written(tmp_path, content))


@pytest.mark.parametrize("name", SCHEMA["$defs"]["attributes"]["required"])
def test_a_missing_attribute_is_refused(tmp_path: Path, content: dict[str, Any], name: str) -> None:
    del content["benchmarks"][0]["extra_info"]["attributes"][name]
    assert repr(name) in refusal(written(tmp_path, content))


@pytest.mark.parametrize("seconds", [0, -0.5, "0.5", None, math.nan, math.inf])
def test_a_block_without_a_time_is_refused(tmp_path: Path, content: dict[str, Any], seconds: Any) -> None:
    content["benchmarks"][0]["stats"]["data"][1] = seconds
    refusal(written(tmp_path, content))


def test_a_fork_without_blocks_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    content["benchmarks"][0]["stats"]["data"] = []
    refusal(written(tmp_path, content))


@pytest.mark.parametrize("count", [0, 2])
def test_a_file_of_other_than_one_benchmark_is_refused(
    tmp_path: Path, content: dict[str, Any], count: int
) -> None:
    content["benchmarks"] = copy.deepcopy(content["benchmarks"] * count)
    refusal(written(tmp_path, content))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch", 0),
        ("batch", 1.5),
        ("threads", 0),
        ("task", "dreaming"),
        ("digest", "abc"),
        ("provider", "tpu"),
    ],
)
def test_a_key_field_that_cannot_be_is_refused(
    tmp_path: Path, content: dict[str, Any], name: str, value: Any
) -> None:
    content["benchmarks"][0]["extra_info"]["key"][name] = value
    assert f"key/{name}" in refusal(written(tmp_path, content))


# --- The key ------------------------------------------------------------------------------


def test_the_key_is_what_the_schema_requires() -> None:
    assert list(results.KEY) == SCHEMA["$defs"]["key"]["required"]


def test_the_schema_admits_no_other_key_fields() -> None:
    key = SCHEMA["$defs"]["key"]
    assert (set(key["properties"]), key["additionalProperties"]) == (set(results.KEY), False)


def test_key_and_attributes_share_nothing() -> None:
    attributes = SCHEMA["$defs"]["attributes"]
    assert not set(results.KEY) & (set(attributes["properties"]) | set(attributes["required"]))


def test_a_series_runs_across_versions() -> None:
    assert "versions" not in results.KEY
    assert "versions" in SCHEMA["$defs"]["attributes"]["required"]


def test_the_schema_admits_this_programs_version() -> None:
    assert SCHEMA["$defs"]["fields"]["properties"]["schema_version"]["maximum"] == results.SCHEMA_VERSION


# --- Writing ------------------------------------------------------------------------------


def test_what_is_written_can_be_read_back(tmp_path: Path, content: dict[str, Any], case: Case) -> None:
    path = tmp_path / "new" / "folders" / "a-fork.json"
    results.write_json(path, content)
    assert results.read_fork(path).case == case


def test_writing_leaves_nothing_but_the_file(tmp_path: Path) -> None:
    results.write_json(tmp_path / "a.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def no_room(half_written: bool) -> Callable[..., int]:
    """``Path.write_text`` on a full disk: nothing or half of the text arrives."""

    def write_text(self: Path, text: str, *arguments: Any) -> int:
        if half_written:
            self.write_bytes(text[: len(text) // 2].encode())
        raise OSError(errno.ENOSPC, "No space left on device")

    return write_text


@pytest.mark.parametrize("half_written", [False, True])
def test_a_full_disk_is_the_users_to_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half_written: bool
) -> None:
    monkeypatch.setattr(Path, "write_text", no_room(half_written))
    with pytest.raises(UserError, match="No space left on device"):
        results.write_json(tmp_path / "a.json", {"a": 1})


@pytest.mark.parametrize("half_written", [False, True])
def test_a_full_disk_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, half_written: bool
) -> None:
    monkeypatch.setattr(Path, "write_text", no_room(half_written))
    with pytest.raises(UserError):
        results.write_json(tmp_path / "a.json", {"a": 1})
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_older_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    results.write_json(path, {"a": 1})
    monkeypatch.setattr(Path, "write_text", no_room(half_written=True))
    with pytest.raises(UserError):
        results.write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}


def test_a_rename_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(self: Path, target: Path) -> Path:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "replace", replace)
    with pytest.raises(UserError, match="Input/output error"):
        results.write_json(tmp_path / "a.json", {"a": 1})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_below_a_file_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="a result cannot be written"):
        results.write_json(tmp_path / "file" / "below" / "a.json", {})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_has_no_word_for_is_not_written(tmp_path: Path, value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        results.write_json(tmp_path / "a.json", {"loss": value})
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_data_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        results.write_json(tmp_path / "a.json", {"path": tmp_path})
    assert list(tmp_path.iterdir()) == []


# --- A folder of forks --------------------------------------------------------------------


def test_forks_come_in_the_order_of_their_names(tmp_path: Path, write_fork: Any) -> None:
    cases = [Case("vgg16", "inference", 1, "pytorch"), Case("mlp", "training", 32, "paddle")]
    for case in cases:
        for number in (2, 1):
            write_fork(tmp_path, case, number, [0.5])
    names = [fork.path.name for fork in results.forks(tmp_path)]
    assert names == [
        "mlp-training-b32-paddle-fork1.json",
        "mlp-training-b32-paddle-fork2.json",
        "vgg16-inference-b1-pytorch-fork1.json",
        "vgg16-inference-b1-pytorch-fork2.json",
    ]


def test_a_half_written_fork_is_not_there(tmp_path: Path, write_fork: Any, case: Case) -> None:
    path = write_fork(tmp_path, case, 1, [0.5])
    path.rename(path.with_name(f".{path.name}.partial"))
    assert list(results.forks(tmp_path)) == []


def test_a_damaged_fork_among_good_ones_is_named(tmp_path: Path, write_fork: Any, case: Case) -> None:
    write_fork(tmp_path, case, 1, [0.5])
    write_fork(tmp_path, case, 2, [0.5]).write_text("{")
    with pytest.raises(UserError, match=r"fork2\.json"):
        list(results.forks(tmp_path))


def test_a_folder_without_forks_has_none(tmp_path: Path) -> None:
    assert list(results.forks(tmp_path)) == []


def test_a_fork_is_where_its_case_and_number_say(tmp_path: Path, case: Case) -> None:
    path = results.fork_path(tmp_path, case, 3)
    assert path == tmp_path / "forks" / "mlp-training-b32-pytorch-fork3.json"


def test_a_failed_training_has_a_record_of_its_own(tmp_path: Path) -> None:
    final = results.training_path(tmp_path, "mlp", "paddle", 0)
    assert results.failure_path(tmp_path, final) == tmp_path / "failures" / "training-mlp-paddle-seed0.json"


# --- Trainings ----------------------------------------------------------------------------


def test_a_good_training_is_accepted(tmp_path: Path) -> None:
    assert results.read_training(written(tmp_path, GOOD_TRAINING)) == GOOD_TRAINING


def test_a_training_of_this_version_is_accepted(tmp_path: Path) -> None:
    assert results.read_training(written(tmp_path, NEWER_TRAINING)) == NEWER_TRAINING


@pytest.mark.parametrize("name", [*results.TRAINING, *results.TRAINING_3])
def test_a_training_of_this_version_that_lacks_a_field_is_refused(tmp_path: Path, name: str) -> None:
    content = {key: value for key, value in NEWER_TRAINING.items() if key != name}
    assert name in refusal(written(tmp_path, content), results.read_training)


@pytest.mark.parametrize("name", results.TRAINING)
def test_a_training_that_lacks_a_field_is_refused(tmp_path: Path, name: str) -> None:
    content = {key: value for key, value in GOOD_TRAINING.items() if key != name}
    assert name in refusal(written(tmp_path, content), results.read_training)


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": results.TRAINING_VERSION + 1},
        {"schema_version": "1"},
        {"schema_version": None},
        {"epochs": []},
    ],
    ids=["newer", "text", "no version", "no epochs"],
)
def test_a_training_with_a_wrong_field_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    refusal(written(tmp_path, {**GOOD_TRAINING, **change}), results.read_training)


@pytest.mark.parametrize("content", [[], None, 3, "text", [1], {}])
def test_what_is_no_training_is_refused(tmp_path: Path, content: Any) -> None:
    refusal(written(tmp_path, content), results.read_training)


def test_a_damaged_training_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mlp-pytorch.json"
    path.write_text('{"schema_version": 1')
    refusal(path, results.read_training)


def test_a_newer_training_is_said_to_be_newer(tmp_path: Path) -> None:
    message = refusal(
        written(tmp_path, {**GOOD_TRAINING, "schema_version": results.TRAINING_VERSION + 1}),
        results.read_training,
    )
    assert "lacks" not in message


def test_trainings_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    for framework in ("pytorch", "keras-tensorflow", "paddle"):
        path = results.training_path(tmp_path, "mlp", framework, 0)
        results.write_json(path, {**GOOD_TRAINING, "framework": framework})
    found = [row["framework"] for row in results.trainings(tmp_path)]
    assert found == ["keras-tensorflow", "paddle", "pytorch"]
