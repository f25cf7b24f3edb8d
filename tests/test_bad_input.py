"""Mistakes on the command lines: one line on stderr, exit code 2, and nothing left behind.

The commands are the real ones, in processes of their own. Whether a framework is installed here does
not matter: where a command needs one before it sees the mistake, interpreters are named that have all
of them (as empty packages) or none.
"""

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from implementations.commandline import ROOT
from implementations.network import ADAPTERS

PATIENCE_S = 60.0  # a command that goes on instead of refusing is a failure, not a wait
PACKAGES = sorted({package for adapter in ADAPTERS.values() for package in adapter.packages})


@dataclass(frozen=True)
class Ended:
    """How a command ended, and the files that it left in the test's folder."""

    returncode: int
    error: str
    left: set[str]

    def is_refused(self, *given: str) -> None:
        """The contract of every mistake: ``given`` are words that its one line must hold."""
        assert self.returncode == 2, self.error
        assert len(self.error.splitlines()) == 1, self.error
        assert self.error.startswith("error: ")
        for word in given:
            assert word in self.error
        assert not self.left


Command = Callable[..., Ended]


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs ``python`` with arguments; the user's home and cache are the test's folder."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    def run(*arguments: object, cwd: Path = ROOT) -> Ended:
        before = files(tmp_path)
        done = subprocess.run(
            [sys.executable, *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
        )
        return Ended(done.returncode, done.stderr, files(tmp_path) - before)

    return run


@pytest.fixture
def implementations(command: Command) -> Command:
    return lambda *arguments: command("-m", "implementations", *arguments)


@pytest.fixture
def benchmarks(command: Command) -> Command:
    return lambda *arguments: command("-m", "benchmarks", *arguments)


def script(path: Path, line: str) -> Path:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def everything(tmp_path: Path) -> list[str]:
    """``--python`` options with an interpreter that finds every framework, each an empty package."""
    packages = tmp_path / "packages"
    for name in PACKAGES:
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").touch()
    found = f'PYTHONPATH={shlex.quote(str(packages))} exec {shlex.quote(sys.executable)} "$@"'
    python = script(tmp_path / "python-with-everything", found)
    return [f"--python={name}={python}" for name in ADAPTERS]


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An interpreter that finds no package beside the standard library's."""
    return script(tmp_path / "bare-python", f'exec {shlex.quote(sys.executable)} -I -S "$@"')


@pytest.fixture
def regular_file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("mine")
    return path


# --- Words that a command does not know ---------------------------------------------------


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("describe lenet", "lenet"),
        ("describe", "network"),
        ("describe mlp --layers 3", "--layers"),
        ("explain mlp", "explain"),
        ("", "describe|check|export"),
        ("describe mlp --input 28", "'28'"),
        ("describe mlp --input 28x", "'28x'"),
        ("describe mlp --input 0x28", "'0x28'"),
        ("describe mlp --input=-28x28", "'-28x28'"),
        ("describe mlp --input 28x28x1", "'28x28x1'"),
        ("describe mlp --input wide", "'wide'"),
        ("describe mlp --classes 0", "'0'"),
        ("describe mlp --classes=-1", "'-1'"),
        ("describe mlp --classes 1.5", "'1.5'"),
        ("describe mlp --classes ten", "'ten'"),
        ("describe googlenet --input 40x40", "40x40"),
        ("describe vgg16 --input 31x224", "31x224"),  # five pools of 2 need 32 pixels
        ("check --framework jax", "jax"),
        ("check --device tpu", "tpu"),
        ("check --threads 0", "'0'"),
        ("check --threads two", "'two'"),
        ("check --python pytorch", "pytorch"),
        ("check --python jax=/bin/sh", "jax=/bin/sh"),
        ("check --python pytorch=/no/such/python", "/no/such/python"),
        ("export mlp", "file"),
        ("export mlp model.onnx", "--framework"),
        ("export mlp model.onnx --framework jax", "jax"),
        ("export mlp model.onnx --framework onnxruntime", "onnxruntime"),
        ("export mlp /no/such/folder/model.onnx --framework pytorch", "/no/such/folder/model.onnx"),
    ],
)
def test_a_mistake_in_what_to_prove_is_refused(implementations: Command, line: str, given: str) -> None:
    implementations(*line.split()).is_refused(given)


@pytest.mark.parametrize(
    ("line", "given"),
    [
        ("list --preset huge", "huge"),
        ("run --network lenet", "lenet"),
        ("run --framework jax", "jax"),
        ("run --fast", "--fast"),
        ("train lenet", "lenet"),
        ("evaluate lenet --weights w.pt --data digits", "lenet"),
        ("evaluate mlp --weights w.pt --data digits", "without --preprocessing"),
        ("evaluate mlp --weights imagenet --data digits", "imagenet for mlp"),
        ("evaluate mlp --weights w.pt --data digits --preprocessing unit", "w.pt"),
        ("evaluate vgg16 --weights w.pt --data . --preprocessing unit --centre 2", "'2'"),
        ("train none.toml", "none.toml"),
        ("train mlp --scale huge", "huge"),
        ("train mlp --seeds 0", "'0'"),
        ("train mlp --epochs none", "'none'"),
        ("train mlp --until-target 200", "'200'"),
        ("train flowers-vgg16 --until-target", "without an accuracy"),
        ("train mlp --scale small --weights none.safetensors", "none.safetensors"),
        ("run --policy fastest", "fastest"),
        ("run --precision 0", "'0'"),
        ("run --precision narrow", "'narrow'"),
        ("run --budget -1", "'-1'"),
        ("run --timeout 0", "'0'"),
        ("run --python pytorch@=/usr/bin/python3", "pytorch@="),
        ("run --resume results/none", "--output"),
        ("list --framework pytorch@1.0", "pytorch@1.0"),
    ],
)
def test_a_mistake_in_what_to_measure_is_refused(
    benchmarks: Command, tmp_path: Path, line: str, given: str
) -> None:
    where = ["--output", tmp_path / "run"] if line.startswith(("run", "train")) else []
    benchmarks(*line.split(), *where).is_refused(given)


def test_an_unknown_network_is_refused_before_anything_is_proven(
    implementations: Command, everything: list[str]
) -> None:
    implementations("check", "--network", "mlp", "--network", "lenet", *everything).is_refused("lenet")


def test_a_mistake_names_what_is_allowed(implementations: Command) -> None:
    implementations("describe", "lenet").is_refused("googlenet", "mlp", "vgg16")


def test_a_mistake_over_several_lines_is_told_in_one(implementations: Command) -> None:
    implementations("describe", "le\nnet").is_refused("le net")


# --- Frameworks ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_framework_that_is_not_installed_is_refused(
    implementations: Command, bare: Path, name: str
) -> None:
    ended = implementations("check", "--framework", name, "--python", f"{name}={bare}")
    ended.is_refused(f"the framework {name} is not installed", str(bare), *ADAPTERS[name].packages)


def test_a_proof_of_nothing_is_refused(implementations: Command, bare: Path) -> None:
    nowhere = [f"--python={name}={bare}" for name in ADAPTERS]
    implementations("check", "--network", "mlp", *nowhere).is_refused("installed")


def test_a_run_of_nothing_is_refused(benchmarks: Command, bare: Path, tmp_path: Path) -> None:
    nowhere = [f"--python={name}={bare}" for name in ADAPTERS]
    ended = benchmarks("run", "--output", tmp_path / "run", "--network", "googlenet", *nowhere)
    ended.is_refused("installed")


def test_an_interpreter_that_is_no_program_is_refused(implementations: Command, tmp_path: Path) -> None:
    path = tmp_path / "python"
    path.write_bytes(b"\0 neither a binary nor a script")
    path.chmod(0o755)
    implementations("check", "--python", f"pytorch={path}").is_refused(str(path))


# --- Files and folders --------------------------------------------------------------------


def test_an_output_folder_with_other_files_is_refused(
    benchmarks: Command, everything: list[str], tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    benchmarks("run", "--network", "googlenet", "--output", folder, *everything).is_refused(str(folder))
    assert (folder / "thesis.txt").read_text() == "mine"


def test_a_file_as_output_folder_is_refused(
    benchmarks: Command, everything: list[str], regular_file: Path
) -> None:
    ended = benchmarks("run", "--network", "googlenet", "--output", regular_file, *everything)
    ended.is_refused(str(regular_file))
    assert regular_file.read_text() == "mine"


def test_an_output_folder_that_cannot_be_made_is_refused(
    benchmarks: Command, everything: list[str], regular_file: Path
) -> None:
    folder = regular_file / "below" / "run"
    benchmarks("run", "--network", "googlenet", "--output", folder, *everything).is_refused(str(folder))


@pytest.mark.parametrize("text", ["{", "[]"])
def test_an_output_folder_with_a_damaged_description_is_refused(
    benchmarks: Command, everything: list[str], tmp_path: Path, text: str
) -> None:
    path = tmp_path / "run" / "run.json"
    path.parent.mkdir()
    path.write_text(text)
    ended = benchmarks("run", "--network", "googlenet", "--output", path.parent, *everything)
    ended.is_refused(str(path))


def test_a_cache_that_cannot_be_made_is_refused(
    implementations: Command, everything: list[str], regular_file: Path
) -> None:
    cache = regular_file / "cache"
    ended = implementations("check", "--network", "mlp", "--cache-dir", cache, *everything)
    ended.is_refused(str(cache), "--cache-dir")


def test_a_run_whose_cache_cannot_be_made_is_refused(
    benchmarks: Command, everything: list[str], regular_file: Path, tmp_path: Path
) -> None:
    options = ["--output", tmp_path / "run", "--cache-dir", regular_file / "cache"]
    ended = benchmarks("run", "--network", "googlenet", *options, *everything)
    ended.is_refused(str(regular_file / "cache"), "--cache-dir")


@pytest.mark.parametrize("line", ["run --network mlp", "train mlp"])
def test_a_data_folder_without_the_files_is_refused(
    benchmarks: Command, everything: list[str], tmp_path: Path, line: str
) -> None:
    folder = tmp_path / "no-data"
    folder.mkdir()
    options = ["--output", tmp_path / "run", "--data-dir", folder]
    benchmarks(*line.split(), *options, *everything).is_refused(str(folder), "train-images-idx3-ubyte")


@pytest.mark.parametrize("place", ["file/certificates.json", "none/certificates.json", "."])
def test_a_place_for_certificates_that_cannot_be_written_is_refused(
    implementations: Command, everything: list[str], regular_file: Path, tmp_path: Path, place: str
) -> None:
    path = tmp_path / place
    implementations("check", "--network", "mlp", "--json", path, *everything).is_refused(str(path))


@pytest.mark.parametrize(
    "line",
    ["--exports --framework pytorch", "--levels 0-2 --framework onnxruntime", "--exports --levels 0-2"],
)
def test_a_check_that_would_compare_nothing_is_refused(
    implementations: Command, everything: list[str], line: str
) -> None:
    ended = implementations("check", "--network", "mlp", *line.split(), *everything)
    ended.is_refused("there is nothing to prove")


@pytest.mark.parametrize(
    ("table", "unheeded"),
    [
        ("--mutants", "--network mlp"),
        ("--mutants", "--json c.json"),
        ("--mutants", "--levels 0-2"),
        ("--mutants", "--optimizers"),
        ("--optimizers", "--reduced"),
    ],
)
def test_an_option_that_a_table_would_not_heed_is_refused(
    implementations: Command, table: str, unheeded: str
) -> None:
    implementations("check", table, *unheeded.split()).is_refused(unheeded.split()[0], "leave the option out")


def test_going_on_with_what_is_no_run_is_refused(benchmarks: Command, tmp_path: Path) -> None:
    benchmarks("run", "--resume", tmp_path / "none").is_refused(str(tmp_path / "none"), "does not exist")


def test_going_on_with_a_damaged_run_is_refused(benchmarks: Command, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"schema_version": 2, "device": "cpu"}')
    benchmarks("run", "--resume", tmp_path).is_refused("no preset", str(tmp_path))


def test_going_on_with_another_preset_is_refused(
    benchmarks: Command, tmp_path: Path, everything: list[str]
) -> None:
    about = {"schema_version": 2, "preset": "quick", "device": "cpu", "threads": 2, "networks": ["mlp"]}
    about |= {"machine": {}, "commit": {}, "started": "2026-01-02T03:04:05+00:00"}
    (tmp_path / "run.json").write_text(json.dumps(about))
    ended = benchmarks("run", "--resume", tmp_path, "--preset", "full", *everything)
    ended.is_refused("another preset", "full", "quick")


def test_an_archive_that_is_none_is_refused(benchmarks: Command, tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_text("no archive")
    benchmarks("import", path, "--output", tmp_path / "here").is_refused(
        "the archive cannot be read", str(path)
    )


def test_a_folder_that_is_no_run_is_not_packed(benchmarks: Command, tmp_path: Path) -> None:
    benchmarks("pack", tmp_path, "--output", tmp_path / "a.tar.gz").is_refused(
        str(tmp_path), "not a run's folder"
    )


# --- Where a command is started -----------------------------------------------------------


@pytest.mark.parametrize("package", ["implementations", "benchmarks"])
def test_a_start_outside_the_root_is_refused(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    ended = command("-m", package, "list", cwd=tmp_path)
    ended.is_refused("started outside the project's root", str(tmp_path), f"cd {ROOT}")


@pytest.mark.parametrize("package", ["implementations", "benchmarks"])
@pytest.mark.parametrize("inside", [True, False])
def test_a_start_by_path_is_refused(command: Command, tmp_path: Path, package: str, inside: bool) -> None:
    ended = command(ROOT / package, "list", cwd=ROOT if inside else tmp_path)
    ended.is_refused(f"python -m {package}")


@pytest.mark.parametrize("package", ["implementations", "benchmarks"])
def test_a_start_of_the_file_is_refused(command: Command, package: str) -> None:
    command(ROOT / package / "__main__.py", "list").is_refused(f"python -m {package}")


# --- What is no mistake -------------------------------------------------------------------


def test_a_right_command_is_not_refused(implementations: Command) -> None:
    ended = implementations("describe", "mlp")
    assert (ended.returncode, ended.error) == (0, "")  # so the tests above see the mistake, not the command


# --- pytest on the benchmarks -------------------------------------------------------------


@pytest.mark.parametrize(("options", "given"), [("", "no --framework"), ("--framework jax", "jax")])
def test_a_mistake_in_the_options_of_pytest_is_refused(
    command: Command, monkeypatch: pytest.MonkeyPatch, options: str, given: str
) -> None:
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", raising=False)  # pytest-benchmark is one
    ended = command("-m", "pytest", "benchmarks", "-p", "no:cacheprovider", *options.split())
    assert (ended.returncode, len(ended.error.splitlines())) == (2, 1)
    assert f"given {given}" in ended.error
