"""Which claims a command makes, before any child starts, and how many at a time."""

import dataclasses
import platform
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from implementations import networks, proving
from implementations.cache import Cache
from implementations.check import exports_table
from implementations.claims import TOGETHER, Claim, claims, grouped, is_large, needed_bytes
from implementations.errors import UserError
from implementations.network import ADAPTERS, TRAINERS, WRITERS
from implementations.processes import ChildFailedError, Finished, Launcher
from implementations.proving import Prover


def test_a_trainer_is_claimed_once_a_network() -> None:
    found = claims(["mlp", "vgg16"], ["pytorch", "paddle"], exporters=["pytorch", "paddle"])
    assert [(c.network, c.framework, c.exporter) for c in found] == [
        ("mlp", "pytorch", None),
        ("mlp", "paddle", None),
        ("vgg16", "pytorch", None),
        ("vgg16", "paddle", None),
    ]


def test_exports_come_only_from_frameworks_that_are_there() -> None:
    found = claims(["googlenet"], ["onnxruntime"], exporters=["pytorch", "onnxruntime"])
    assert found == [Claim("onnxruntime", "googlenet", exporter="pytorch")]


@pytest.mark.parametrize("network", list(networks.NETWORKS))
def test_every_network_is_exported_by_every_framework_that_writes_files(network: str) -> None:
    found = claims([network], ["onnxruntime"], exporters=[*TRAINERS, "onnxruntime"])
    assert [claim.exporter for claim in found] == list(WRITERS)


def test_keras_has_one_backend_that_writes_the_files_of_all() -> None:
    writers = {name: ADAPTERS[name].writer for name in TRAINERS}
    assert writers == {
        "pytorch": "pytorch",
        "keras-tensorflow": "keras-tensorflow",
        "keras-jax": "keras-tensorflow",
        "keras-torch": "keras-tensorflow",
        "paddle": "paddle",
    }


class Asked(Launcher):
    """Starts nothing; remembers which framework was asked for which task."""

    def ask(self, framework: str, task: str, arguments: Any, timeout: float) -> Any:
        ASKED.append((framework, task.partition(":")[2], arguments))
        names = [call["network"]["name"] for call in arguments["calls"]]
        if "vgg16" in names and framework == "paddle":
            raise ChildFailedError(task, Finished(-9, 1.0, False, ""))
        return [{"seconds": 1.0, "passed": False, "network": name} for name in names]


ASKED: list[tuple[str, str, Any]] = []


@pytest.fixture
def prover(tmp_path: Path) -> Prover:
    ASKED.clear()
    return Prover(Asked(1), Cache(tmp_path))


def test_another_framework_writes_the_file_and_the_certificate_can_say_so(prover: Prover) -> None:
    prover.certificate(Claim("onnxruntime", "mlp", exporter="keras-jax"))
    (export, certify) = ASKED
    assert export[:2] == ("keras-tensorflow", "export")
    assert certify[:2] == ("onnxruntime", "certify_export")
    (written,), (read,) = export[2]["calls"], certify[2]["calls"]
    assert written["weights_path"] == read["weights_path"]
    assert written["model_path"] == read["model_path"]
    assert certify[2]["exporter"] == "keras-jax"
    made = {"written_by": "keras-tensorflow", "seconds": 1.0, "passed": False, "network": "mlp"}
    assert read["made"] == made


def test_what_proves_keeps_its_memory_unless_large_and_what_measures_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environments = []

    class Seen(Asked):
        def ask(self, framework: str, task: str, arguments: Any, timeout: float) -> Any:
            environments.append(self.environment)
            return super().ask(framework, task, arguments, timeout)

    prover = Prover(Seen(1), Cache(tmp_path))
    prover.certificate(Claim("pytorch", "mlp"))
    assert environments == [proving.ALLOCATOR]
    monkeypatch.setattr(proving, "KEPT_UP_TO_BYTES", 2**30)
    prover.certificate(Claim("pytorch", "mlp"))
    assert environments[1:] == [{}]
    assert not prover.launcher.environment


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has no such settings")
def test_memory_that_is_kept_is_not_asked_for_again() -> None:
    """Page faults of a second 64 MiB, after a first was given back."""
    take = "bytearray(2**26)"
    faults = "resource.getrusage(resource.RUSAGE_SELF).ru_minflt"
    code = f"import resource; {take}; before = {faults}; {take}; print({faults} - before)"

    def of(environment: Mapping[str, str]) -> int:
        return int(Launcher(1, environment=environment).run(None, ["-c", code], 60.0).last_lines)

    assert of(proving.ALLOCATOR) < 100 < of({})  # 64 MiB are 16,384 pages, or 32 huge ones


def test_only_the_largest_network_gives_its_memory_back() -> None:
    full = [Claim("keras-jax", name) for name in networks.NETWORKS]
    giving = [c.network for c in full if needed_bytes(c, training=True) > proving.KEPT_UP_TO_BYTES]
    assert giving == ["inception-exercise"]


def test_small_networks_share_a_child_a_few_at_a_time(prover: Prover) -> None:
    chosen = [Claim("pytorch", "mlp", classes, (8, 8)) for classes in range(2, TOGETHER + 3)]
    found = prover.all([*chosen, Claim("paddle", "mlp")])
    assert sorted(len(arguments["calls"]) for _, _, arguments in ASKED) == [1, 1, TOGETHER]
    assert list(found) == [*chosen, Claim("paddle", "mlp")]


def test_what_xla_compiles_is_begun_first() -> None:
    chosen = [Claim(framework, "mlp") for framework in ("pytorch", "keras-jax", "paddle")]
    assert [group[0].framework for group in grouped(chosen)] == ["keras-jax", "pytorch", "paddle"]


def test_large_networks_have_a_child_each(prover: Prover) -> None:
    large = [Claim("pytorch", name) for name in ("vgg13-base", "vgg16-base")]
    assert all(is_large(claim) for claim in large)
    assert grouped(large) == [large]
    # What is large is not grouped at all: a fake answers here, so that no weights of 60 MB are made.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cache, "probe_weights", lambda cache, network, seed: Path(network.name))
        prover.all(large)
    assert [len(arguments["calls"]) for _, _, arguments in ASKED] == [1, 1]


@pytest.mark.parametrize(
    ("training", "gib", "threads"), [("small", 17, 1), ("small", 15, 2), ("all", 30, 1), ("all", 27, 2)]
)
def test_large_networks_share_the_machine_only_where_memory_suffices(
    prover: Prover, monkeypatch: pytest.MonkeyPatch, training: Any, gib: int, threads: int
) -> None:
    """Alone, a child has both threads."""
    monkeypatch.setattr(Cache, "probe_weights", lambda cache, network, seed: Path(network.name))
    monkeypatch.setattr(proving, "available_bytes", lambda: gib * 2**30)
    monkeypatch.setattr(proving, "available_cores", lambda: 2)
    asked: list[int] = []
    meeting = threading.Barrier(2 if threads == 1 else 1)  # the first runs until the second has begun

    class Threads(Asked):
        def ask(self, framework: str, task: str, arguments: Any, timeout: float) -> Any:
            asked.append(self.threads)
            meeting.wait(10)
            return super().ask(framework, task, arguments, timeout)

    chosen = dataclasses.replace(prover, launcher=Threads(2), training=training)
    chosen.all([Claim("pytorch", name) for name in ("vgg13", "vgg16")])
    assert asked == [threads, threads]


def test_beside_a_large_network_small_ones_are_proven(
    prover: Prover, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two large ones needs the memory; the small ones do not wait for both."""
    monkeypatch.setattr(Cache, "probe_weights", lambda cache, network, seed: Path(network.name))
    monkeypatch.setattr(proving, "available_bytes", lambda: 20 * 2**30)
    monkeypatch.setattr(proving, "available_cores", lambda: 2)
    both = threading.Barrier(2)

    class Meeting(Asked):
        def ask(self, framework: str, task: str, arguments: Any, timeout: float) -> Any:
            if framework == "pytorch" or len(ASKED) < 2:  # the first large one, and the small one beside it
                both.wait(10)
            return super().ask(framework, task, arguments, timeout)

    large = [Claim("paddle", name) for name in ("vgg13", "vgg19")]
    found = dataclasses.replace(prover, launcher=Meeting(2)).all([*large, Claim("pytorch", "mlp")])
    assert len(found) == 3


def test_what_an_interruption_kills_is_no_finding(prover: Prover, monkeypatch: pytest.MonkeyPatch) -> None:
    """One child complains of a user's mistake; the other is killed for that, and nobody hears of it."""
    monkeypatch.setattr(proving, "available_cores", lambda: 2)
    both = threading.Barrier(2)

    class Killed(Asked):
        def ask(self, framework: str, task: str, arguments: Any, timeout: float) -> Any:
            both.wait(10)
            if framework == "pytorch":
                raise UserError("a", given="b", allowed="c", todo="d")
            assert self._stopped.wait(10)
            raise ChildFailedError(task, Finished(-9, 1.0, False, ""))

    heard: list[Claim] = []
    with pytest.raises(UserError):
        dataclasses.replace(prover, launcher=Killed(2)).all(
            [Claim("pytorch", "mlp"), Claim("paddle", "mlp")], lambda claim, _: heard.append(claim)
        )
    assert heard == []


def test_a_proof_needs_memory_for_its_parameters() -> None:
    """The exercise has more parameters than VGG19 and a twentieth of its multiply-adds."""
    needed = [
        needed_bytes(Claim("paddle", name), training=True) for name in ("mlp", "vgg19", "inception-exercise")
    ]
    assert needed == sorted(needed)
    assert needed[1] > 14.4 * 2**30  # the largest that was measured: Keras on TensorFlow
    assert needed_bytes(Claim("paddle", "vgg19"), training=False) < needed[1]


def test_a_crash_costs_its_own_claim_only(prover: Prover) -> None:
    chosen = [Claim("paddle", name, 10, (32, 32)) for name in ("mlp", "vgg16", "vgg13")]
    found = list(prover.all(chosen).values())
    assert [certificate.get("failure", "") for certificate in found] == ["", found[1]["failure"], ""]
    assert "killed by SIGKILL" in found[1]["failure"]
    assert [len(arguments["calls"]) for _, _, arguments in ASKED] == [3, 1, 1, 1]


def test_a_claims_title_and_slug_name_the_exporter() -> None:
    claim = Claim("onnxruntime", "mlp", exporter="paddle")
    assert (claim.title, claim.slug) == ("onnxruntime (from paddle)", "mlp-onnxruntime-from-paddle")


def test_the_table_of_exports_says_what_a_file_costs_and_who_wrote_it() -> None:
    made = {
        "written_by": "keras-tensorflow",
        "seconds": 12.34,
        "peak_bytes": 3 * 2**29,
        "file_bytes": 407_250,
        "nodes": 4,
        "operators": {"Gemm": 2, "Relu": 1, "Reshape": 1},
    }
    rows = [
        (Claim("onnxruntime", "mlp", exporter="keras-jax"), {"export": made}),
        (Claim("onnxruntime", "mlp", exporter="paddle"), {"failure": "killed"}),  # has no file to show
    ]
    found = [list(column.cells) for column in exports_table(rows).columns]
    shown = [
        "mlp",
        "keras-jax (by keras-tensorflow)",
        "0.4",
        "4",
        "2 Gemm, 1 Relu, 1 Reshape",
        "12.3",
        "1.50",
    ]
    assert found == [[cell] for cell in shown]
