"""Seeded values, and files that are read back or refused."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from implementations import networks, weights
from implementations.errors import UserError
from implementations.spec import Constant, GlorotNormal, GlorotUniform, HeNormal, Normal, Parameter

MLP = networks.build("mlp")


def drawn(rule: object, shape: tuple[int, ...] = (400, 300)) -> np.ndarray:
    parameter = Parameter("p", shape, rule)  # type: ignore[arg-type]
    return weights._draw_initial(parameter, key=7)


def test_probe_weights_are_bit_for_bit_the_same_everywhere() -> None:
    """A stability pin: certificates name weights by hash, so any NumPy must make the same bytes."""
    total = hashlib.sha256()
    for value in weights.probe(MLP, 0).values():
        total.update(value.tobytes())
    assert total.hexdigest()[:16] == "ff9247b830fbbdc5"


def test_initial_weights_are_bit_for_bit_the_same_everywhere() -> None:
    total = hashlib.sha256(weights.initial(MLP, 0)["hidden.weight"].tobytes())
    assert total.hexdigest()[:16] == "02960c170483bb18"


def test_uniform_follows_the_documented_words() -> None:
    """Element i is the i-th 32-bit half of Philox's words, its upper 24 bits centred in 2⁻²⁴."""
    words = np.random.Philox(key=7).random_raw(2)
    first = ((int(words[0]) & 0xFFFFFFFF) >> 8) + 0.5
    second = (int(words[0]) >> 40) + 0.5
    expected = [(2 * half * 2.0**-24 - 1) * 3 for half in (first, second)]
    np.testing.assert_array_equal(weights.uniform(7, (2,), 3.0), np.array(expected, np.float32))


def test_large_arrays_continue_the_stream_between_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights.uniform(7, (1000,), 1.0)
    monkeypatch.setattr(weights, "CHUNK", 64)
    np.testing.assert_array_equal(weights.uniform(7, (1000,), 1.0), whole)


@pytest.mark.parametrize(
    ("rule", "std"),
    [
        (GlorotUniform(), math.sqrt(2 / (300 + 400))),
        (GlorotNormal(), math.sqrt(2 / (300 + 400))),
        (HeNormal(), math.sqrt(2 / 300)),
        (Normal(0.01), 0.01),
    ],
)
def test_initialiser_has_its_mean_and_spread(rule: object, std: float) -> None:
    value = drawn(rule)
    # 120,000 draws: the mean's standard error is std/346, the deviation's about std/490; 5 of them allowed.
    assert abs(value.mean()) < 5 * std / 346
    assert abs(value.std() / std - 1) < 5 / 490


def test_glorot_uniform_stays_inside_its_limit() -> None:
    limit = math.sqrt(6 / 700)
    assert limit * 0.99 < np.abs(drawn(GlorotUniform())).max() < limit


def test_normal_has_the_tails_of_a_normal() -> None:
    share = float((np.abs(drawn(Normal(1.0))) > 2).mean())
    assert abs(share - 0.0455) < 0.003  # 5 standard errors of 120,000 draws


def test_constant_fills() -> None:
    assert (drawn(Constant(0.2)) == np.float32(0.2)).all()


def test_googlenet_starts_with_bias_02_and_classifiers_at_0() -> None:
    values = weights.initial(networks.build("googlenet", classes=10, input_size=(96, 96)), 0)
    assert (values["inception_3a.1x1.bias"] == np.float32(0.2)).all()
    assert (values["logits.bias"] == 0).all()


def test_every_parameter_has_a_stream_of_its_own() -> None:
    values = weights.probe(networks.build("googlenet", classes=10, input_size=(96, 96)), 0)
    firsts = [float(value.flat[0] / np.abs(value).max()) for value in values.values()]
    assert len(set(firsts)) == len(firsts)


def test_probe_weights_have_no_zero_bias() -> None:
    values = weights.probe(networks.build("vgg16", classes=10, input_size=(32, 32)), 0)
    assert all((value != 0).all() for path, value in values.items() if path.endswith(".bias"))


def test_other_seed_other_values() -> None:
    assert not np.array_equal(weights.probe(MLP, 0)["hidden.weight"], weights.probe(MLP, 1)["hidden.weight"])


def test_labels_are_not_all_alike() -> None:
    assert len(set(weights.probe_labels(MLP, 0, 2))) == 2


def test_round_trip(tmp_path: Path) -> None:
    values = weights.probe(MLP, 0)
    weights.save(tmp_path / "w.safetensors", values)
    read = weights.load(tmp_path / "w.safetensors", MLP)
    assert set(read) == set(values)
    assert all(np.array_equal(read[path], value) for path, value in values.items())


def damaged(path: Path) -> str:
    path.write_bytes(path.read_bytes()[:1000])
    return "cannot be read"


def not_a_weight_file(path: Path) -> str:
    path.write_text("weights")
    return "cannot be read"


def missing(path: Path) -> str:
    path.unlink()
    return "there is no such weight file"


def rewritten(path: Path, **changes: np.ndarray | None) -> None:
    values = {**weights.probe(MLP, 0), **{key.replace("__", "."): value for key, value in changes.items()}}
    save_file({key: value for key, value in values.items() if value is not None}, path)


def lacking(path: Path) -> str:
    rewritten(path, logits__bias=None)
    return "lacks 'logits.bias'"


def surplus(path: Path) -> str:
    rewritten(path, conv__weight=np.zeros(3, np.float32))
    return "holds 'conv.weight'"


def misshapen(path: Path) -> str:
    rewritten(path, logits__bias=np.zeros(11, np.float32))
    return r"'logits.bias' is F32 \[11\] where mlp has F32 \[10\]"


def double(path: Path) -> str:
    rewritten(path, logits__bias=np.zeros(10))
    return "'logits.bias' is F64"


@pytest.mark.parametrize("slip", [damaged, not_a_weight_file, missing, lacking, surplus, misshapen, double])
def test_a_wrong_file_is_refused_in_one_line(slip: object, tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    weights.save(path, weights.probe(MLP, 0))
    expected = slip(path)  # type: ignore[operator]
    with pytest.raises(UserError, match=expected) as raised:
        weights.load(path, MLP)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_failed_save_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        Path(str(arguments[1])).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(weights, "save_file", full)
    with pytest.raises(UserError, match="No space left"):
        weights.save(tmp_path / "w.safetensors", weights.probe(MLP, 0))
    assert list(tmp_path.iterdir()) == []
