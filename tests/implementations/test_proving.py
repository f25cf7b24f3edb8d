"""Which claims a command makes, before any child starts."""

from implementations.proving import Claim, claims


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


def test_full_size_vgg16_is_exported_by_pytorch_alone() -> None:
    found = claims(["vgg16"], ["onnxruntime"], exporters=["pytorch", "keras-tensorflow", "paddle"])
    assert [claim.exporter for claim in found] == ["pytorch"]


def test_a_claims_title_and_slug_name_the_exporter() -> None:
    claim = Claim("onnxruntime", "mlp", exporter="paddle")
    assert (claim.title, claim.slug) == ("onnxruntime (paddle)", "mlp-onnxruntime-from-paddle")
