"""When an earlier certificate stands for a new proof, and everything that ends that."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from in_process import BUILDS, InProcess

from implementations import certificates, networks, provenance
from implementations.cache import Cache
from implementations.certificates import signed
from implementations.claims import Claim
from implementations.processes import ChildFailedError, Finished
from implementations.proving import Prover

MLP = Claim("pytorch", "mlp")
EXPORT = Claim("onnxruntime", "mlp", exporter="pytorch")


@pytest.fixture
def prover(tmp_path: Path) -> Prover:
    return Prover(InProcess(1), Cache(tmp_path))


def place(prover: Prover, claim: Claim) -> Path:
    return prover.cache.certificate(networks.build("mlp"), claim.slug, prover.device)


def anew(prover: Prover, **changes: Any) -> Prover:
    """The prover of a later run."""
    return Prover(prover.launcher, prover.cache, **changes)


@pytest.mark.parametrize("claim", [MLP, EXPORT], ids=["network", "export"])
def test_a_proof_is_kept(claim: Claim, prover: Prover) -> None:
    assert prover.kept(claim) is None
    made = prover.certificate(claim)
    assert made["passed"]
    assert anew(prover).kept(claim) == made


def test_a_failed_one_is_not(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*anything: Any) -> Any:
        raise ChildFailedError("certify", Finished(1, 0.0, False, "Boom"))

    monkeypatch.setattr(InProcess, "ask", fails)
    assert not prover.certificate(MLP)["passed"]
    assert not place(prover, MLP).exists()


def test_code_that_changed_while_it_proved_makes_none(
    prover: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was imported before is proven, whatever the files say now."""
    provenance.source()
    monkeypatch.setattr(provenance, "digest", lambda package: "another")
    with pytest.raises(RuntimeError, match="was changed while it proved"):
        prover.certificate(MLP)
    assert not place(prover, MLP).exists()


def overwrite(find: Callable[[Prover], Path]) -> Callable[[Prover, pytest.MonkeyPatch], None]:
    def change(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
        find(prover).write_bytes(b"something else")

    return change


def rewrite(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place(prover, EXPORT)
    path.write_text(json.dumps({**json.loads(path.read_text()), "passed": "yes"}))


def upgrade(framework: str) -> Callable[[Prover, pytest.MonkeyPatch], None]:
    return lambda prover, monkeypatch: monkeypatch.setitem(BUILDS, framework, {"version": "2"})


def provenance_of(name: str) -> Callable[[Prover, pytest.MonkeyPatch], None]:
    return lambda prover, monkeypatch: monkeypatch.setattr(provenance, name, lambda *device: "another")


CHANGES: dict[str, Callable[[Prover, pytest.MonkeyPatch], None]] = {
    "the project's code": provenance_of("source"),
    "the processor": provenance_of("cpu_model"),
    "the GPU, or its driver": provenance_of("gpu"),
    "what chooses other kernels": lambda prover, monkeypatch: monkeypatch.setenv("DNNL_MAX_CPU_ISA", "SSE41"),
    "the framework": upgrade("onnxruntime"),
    "the exporter": upgrade("pytorch"),
    "the exported file": overwrite(lambda prover: prover.model(EXPORT)),
    "the file is gone": lambda prover, monkeypatch: prover.model(EXPORT).unlink(),
    "the weights": overwrite(lambda prover: prover.weights(EXPORT)),
    "a damaged certificate": overwrite(lambda prover: place(prover, EXPORT)),
    "a certificate changed by hand": rewrite,
}


@pytest.mark.parametrize("change", list(CHANGES))
def test_nothing_is_kept_past_a_change(change: str, prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
    prover.certificate(EXPORT)
    assert anew(prover).kept(EXPORT)
    CHANGES[change](prover, monkeypatch)
    assert anew(prover).kept(EXPORT) is None


def test_another_device_is_another_claim(prover: Prover) -> None:
    prover.certificate(MLP)
    assert anew(prover, device="cuda:0").kept(MLP) is None


def test_a_longer_proof_stands_for_a_shorter_one_but_not_the_other_way(prover: Prover) -> None:
    longer = prover.certificate(MLP)
    assert anew(prover, training="none").kept(MLP)
    certificates.write(place(prover, MLP), signed({**longer, "training": False}))
    assert anew(prover, training="none").kept(MLP)
    assert anew(prover, training="small").kept(MLP) is None
    assert anew(prover).kept(MLP) is None


def test_a_reduced_precision_is_proven_again_where_it_was_not(prover: Prover) -> None:
    made = prover.certificate(MLP)
    wanted = anew(prover, reduced_precisions=("float16",))
    assert wanted.kept(MLP) is None
    certificates.write(place(prover, MLP), signed({**made, "reduced_precisions": ["bfloat16", "float16"]}))
    assert wanted.kept(MLP)


def test_the_source_is_another_after_any_change(tmp_path: Path) -> None:
    (tmp_path / "networks").mkdir()
    (tmp_path / "networks" / "a.py").write_text("x = 1")
    before = provenance.digest(tmp_path)
    (tmp_path / "networks" / "a.pyc").write_text("compiled")
    assert provenance.digest(tmp_path) == before
    (tmp_path / "networks" / "a.py").rename(tmp_path / "networks" / "b.py")
    assert provenance.digest(tmp_path) != before
    (tmp_path / "known.txt").write_text("pytorch Dense forward")
    assert len({before, provenance.digest(tmp_path)}) == 2
