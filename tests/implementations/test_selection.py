"""Which frameworks a command works with, from interpreters that find empty packages and nothing else."""

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from implementations import selection
from implementations.errors import UserError
from implementations.network import ADAPTERS
from implementations.processes import ChildFailedError, Finished, Launcher

PACKAGES = {package for adapter in ADAPTERS.values() for package in adapter.packages}
Having = Callable[..., Launcher]


@pytest.fixture
def having(tmp_path: Path) -> Having:
    """A launcher whose interpreters find the packages named, and of the others none."""

    def make(*packages: str) -> Launcher:
        for name in packages:
            (tmp_path / "packages" / name).mkdir(parents=True)
            (tmp_path / "packages" / name / "__init__.py").touch()
        path = shlex.quote(str(tmp_path / "packages"))
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {shlex.quote(sys.executable)} -S "$@"\n')
        python.chmod(0o755)
        return Launcher(1, dict.fromkeys(ADAPTERS, str(python)))

    return make


def chosen(requested: list[str] | None, launcher: Launcher, **options: object) -> tuple[list[str], list[str]]:
    """The names, and the notices."""
    notices: list[str] = []
    return selection.frameworks(requested, launcher, notices.append, **options), notices  # type: ignore[arg-type]


def test_without_a_request_all_that_are_installed_are_chosen(having: Having) -> None:
    assert chosen(None, having(*PACKAGES)) == (list(ADAPTERS), [])


def test_a_keras_backend_needs_keras_and_its_backend(having: Having) -> None:
    names, notices = chosen(None, having("torch", "jax"))
    assert names == ["pytorch"]
    assert "keras-torch is left out: package 'keras' not installed" in notices
    assert "keras-tensorflow is left out: packages 'keras' and 'tensorflow' not installed" in notices


def test_keras_means_every_backend_that_is_installed(having: Having) -> None:
    assert chosen(["keras"], having("keras", "jax", "torch"))[0] == ["keras-jax", "keras-torch"]


def test_keras_without_a_backend_is_refused(having: Having) -> None:
    with pytest.raises(UserError, match=r"keras-\w+ is not installed"):
        chosen(["keras"], having("keras"))


def test_what_is_asked_for_and_absent_is_refused_with_the_absent_package_alone(having: Having) -> None:
    with pytest.raises(UserError, match=r"keras-jax is not installed.* without package 'jax'; allowed: none"):
        chosen(["keras-jax"], having("keras"))


def test_a_default_bounds_what_is_chosen_and_what_is_noticed(having: Having) -> None:
    launcher = having("keras", "jax", "torch")
    names, notices = chosen(None, launcher, default=("pytorch", "paddle"))
    assert names == ["pytorch"]
    assert notices == ["paddle is left out: package 'paddle' not installed"]


def test_a_default_does_not_bound_a_request(having: Having) -> None:
    assert chosen(["keras-jax"], having("keras", "jax"), default=("pytorch",))[0] == ["keras-jax"]


# --- Presets ------------------------------------------------------------------------------


def of_command(launcher: Launcher, preset: str, *requested: str) -> list[str]:
    return benchmarks._frameworks(argparse.Namespace(framework=list(requested), preset=preset), launcher)


def test_a_quick_run_says_which_frameworks_it_leaves_out(
    having: Having, capsys: pytest.CaptureFixture[str]
) -> None:
    names = of_command(having(*PACKAGES), "quick")
    assert names == ["pytorch", "keras-tensorflow", "paddle", "onnxruntime"]
    assert (
        capsys.readouterr().out == "the preset quick leaves out keras-jax, keras-torch (--framework adds)\n"
    )


def test_a_request_adds_what_the_preset_leaves_out(
    having: Having, capsys: pytest.CaptureFixture[str]
) -> None:
    assert of_command(having(*PACKAGES), "quick", "keras-jax") == ["keras-jax"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("preset", ["standard", "full", "train"])
def test_larger_presets_and_a_training_alone_take_all(having: Having, preset: str) -> None:
    assert of_command(having(*PACKAGES), preset) == list(ADAPTERS)


# --- Several builds of one framework ------------------------------------------------------


def builds(having: Having, *labels: str) -> Launcher:
    """Everything is installed, PyTorch once for every label."""
    launcher = having(*PACKAGES)
    python = launcher.pythons["pytorch"]
    pythons = {**launcher.pythons, **{f"pytorch@{label}": python for label in labels}}
    return Launcher(1, {name: path for name, path in pythons.items() if name != "pytorch"})


def test_labelled_builds_take_the_place_of_the_plain_one(having: Having) -> None:
    names, _ = chosen(None, builds(having, "2.13", "2.12"))
    assert names == ["pytorch@2.12", "pytorch@2.13", *[name for name in ADAPTERS if name != "pytorch"]]


def test_a_framework_means_all_of_its_builds(having: Having) -> None:
    assert chosen(["pytorch"], builds(having, "2.12", "2.13"))[0] == ["pytorch@2.12", "pytorch@2.13"]


def test_one_build_can_be_chosen(having: Having) -> None:
    assert chosen(["pytorch@2.13", "paddle"], builds(having, "2.12", "2.13"))[0] == ["pytorch@2.13", "paddle"]


def test_an_unknown_label_is_refused(having: Having) -> None:
    with pytest.raises(UserError, match=r"no build of that label: given pytorch@1\.0"):
        chosen(["pytorch@1.0"], builds(having, "2.12"))


def test_a_plain_interpreter_beside_labelled_ones_is_one_more_build(having: Having) -> None:
    launcher = having(*PACKAGES)
    both = Launcher(1, {**launcher.pythons, "pytorch@2.12": launcher.pythons["pytorch"]})
    assert chosen(["pytorch"], both)[0] == ["pytorch", "pytorch@2.12"]


def test_builds_of_a_framework_that_a_preset_leaves_out_are_left_out(having: Having) -> None:
    names, _ = chosen(None, builds(having, "2.12"), default=("paddle",))
    assert names == ["paddle"]


# --- tox's CUDA environments --------------------------------------------------------------


def test_environments_that_tox_has_made_are_found(tmp_path: Path) -> None:
    python = tmp_path / "pytorch-cuda" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    found = selection.environments("cuda", tmp_path)
    assert found == {"pytorch": str(python), "keras-torch": str(python)}


def test_on_the_cpu_no_cuda_environment_is_used(tmp_path: Path) -> None:
    assert selection.environments("cpu", tmp_path) == {}


def test_every_framework_has_a_cuda_environment_in_tox() -> None:
    text = (selection.ROOT / "tox.ini").read_text()
    assert set(selection.CUDA_ENVIRONMENTS) == set(ADAPTERS)
    assert all(f"[testenv:{name}]" in text for name in selection.CUDA_ENVIRONMENTS.values())


# --- Devices ------------------------------------------------------------------------------


class Asked(Launcher):
    """Children that say which devices their framework sees, or that cannot be started."""

    def ask(self, framework: str, *anything: object, **options: object) -> object:
        if framework == "paddle":
            raise ChildFailedError("cuda_devices", Finished(1, 0.0, False, "ImportError: libcudnn.so.9"))
        return ["A GPU"] if framework == "pytorch" else []


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "has_driver", lambda: True)


def test_a_framework_that_cannot_be_asked_sees_none_and_says_why(driver: None) -> None:
    said: list[str] = []
    assert selection.device("auto", ["pytorch", "paddle"], Asked(1), said.append) == "cpu"
    assert "libcudnn" in said[0]
    with pytest.raises(UserError, match="no CUDA device is seen by paddle"):
        selection.device("cuda", ["pytorch", "paddle"], Asked(1), said.append)


def test_those_that_see_a_device_leave_the_others_out(driver: None) -> None:
    said: list[str] = []
    names = ["pytorch", "keras-jax", "paddle"]
    assert selection.seeing(names, Asked(1), said.append) == ["pytorch"]
    assert [line.partition(" ")[0] for line in said if "left out" in line] == ["keras-jax", "paddle"]


def test_where_none_sees_a_device_none_is_left_out(driver: None) -> None:
    assert selection.seeing(["keras-jax", "paddle"], Asked(1), print) == ["keras-jax", "paddle"]


def test_without_a_driver_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selection, "has_driver", lambda: False)
    assert selection.seeing(["paddle", "pytorch"], Asked(1), print) == ["paddle", "pytorch"]
