"""Which claims a command makes, before any child starts."""

from pathlib import Path
from typing import Any

import pytest

from implementations import networks
from implementations.cache import Cache
from implementations.check import exports_table
from implementations.network import ADAPTERS, TRAINERS, WRITERS
from implementations.processes import Launcher
from implementations.proving import Claim, Prover, claims


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
        return {"seconds": 1.0}


ASKED: list[tuple[str, str, Any]] = []


def test_another_framework_writes_the_file_and_the_certificate_can_say_so(tmp_path: Path) -> None:
    ASKED.clear()
    Prover(Asked(1), Cache(tmp_path)).certificate(Claim("onnxruntime", "mlp", exporter="keras-jax"))
    (export, certify) = ASKED
    assert export[:2] == ("keras-tensorflow", "export")
    assert certify[:2] == ("onnxruntime", "certify_export")
    assert export[2]["weights_path"] == certify[2]["weights_path"]
    assert export[2]["model_path"] == certify[2]["model_path"]
    assert certify[2]["exporter"] == "keras-jax"
    assert certify[2]["made"] == {"written_by": "keras-tensorflow", "seconds": 1.0}


def test_a_claims_title_and_slug_name_the_exporter() -> None:
    claim = Claim("onnxruntime", "mlp", exporter="paddle")
    assert (claim.title, claim.slug) == ("onnxruntime (paddle)", "mlp-onnxruntime-from-paddle")


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
