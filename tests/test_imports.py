"""The three import guards, and that each of them bites."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from implementations.commandline import ROOT

FRAMEWORKS = ("torch", "tensorflow", "keras", "paddle", "onnxruntime", "jax", "onnx")
ORCHESTRATING = (
    "implementations.__main__",
    "implementations.check",
    "implementations.proving",
    "implementations.selection",
    "implementations.child",
    "implementations.convert",
    "implementations.fetching",
    "implementations.pretrained",
    "implementations.certificates",
    "implementations.mutants",
    "implementations.trajectories",
    "implementations.training_mutants",
    "implementations.optimizer_forms",
    "implementations.optimizer_table",
    "benchmarks.__main__",
    "benchmarks.run",
    "benchmarks.node",
    "benchmarks.data.sets",
    "benchmarks.training.fit",
    "benchmarks.training.trainings",
    "benchmarks.fork",
    "benchmarks.conftest",
    "benchmarks.history.queries",
    "benchmarks.history.commands",
    "reports.__main__",
)
# What a measuring process may load beside its framework.
THIN = (
    "benchmarks.node",
    "benchmarks.conftest",
    "benchmarks.fork",
    "benchmarks.training.fit",
    "benchmarks.data.prefetch",
    "implementations.child",
)
HISTORY = ("sqlalchemy", "alembic", "psycopg", "pyarrow", "mlflow")
THICK = (
    "scipy",
    "rich",
    "platformdirs",
    "jsonschema",
    "sklearn",
    "jinja2",
    "altair",
    *HISTORY,
    "psutil",
    "h5py",
    "pooch",
    "cv2",
)


def loaded_by(module: str, names: tuple[str, ...], extra_path: Path | None = None) -> list[str]:
    """Which of ``names`` are in sys.modules after a fresh process imported ``module``."""
    code = f"import sys, {module}; print(*[n for n in {names!r} if n in sys.modules])"
    path = [str(ROOT), *([str(extra_path)] if extra_path else [])]
    command = [sys.executable, "-c", f"import sys; sys.path[:0] = {path!r}\n{code}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.parametrize("module", ORCHESTRATING)
def test_nothing_that_orchestrates_imports_a_framework(module: str) -> None:
    assert loaded_by(module, FRAMEWORKS) == []


@pytest.mark.parametrize("module", THIN)
def test_a_child_is_thin(module: str) -> None:
    assert loaded_by(module, THICK) == []


def test_measuring_loads_no_database() -> None:
    assert loaded_by("benchmarks.__main__", HISTORY) == []


@pytest.mark.parametrize(
    "module",
    [
        "implementations.__main__",
        "implementations.spec",
        "implementations.networks",
        "implementations.training",
    ],
)
def test_describe_needs_the_standard_library_only(module: str) -> None:
    assert loaded_by(module, ("numpy", "safetensors", "rich", "platformdirs", *THICK)) == []


def test_the_module_guard_bites(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("")
    (tmp_path / "careless.py").write_text("import torch\n")
    assert loaded_by("careless", FRAMEWORKS, tmp_path) == ["torch"]


def environment_guard(*path: Path) -> int:
    guard = ROOT / "tests" / "no_framework_installed.py"
    run_it = f"runpy.run_path({str(guard)!r}, run_name='__main__')"
    code = f"import sys, runpy; sys.path[:0] = {[str(p) for p in path]!r}; {run_it}"
    return subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True).returncode


def test_the_environment_guard_passes_where_no_framework_is_installed() -> None:
    assert environment_guard() == 0  # -I -S: an interpreter without site-packages


def test_the_environment_guard_bites(tmp_path: Path) -> None:
    (tmp_path / "paddle.py").write_text("")
    assert environment_guard(tmp_path) == 1


def contracts_kept(root: Path) -> bool:
    command = [
        shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports",
        "--no-cache",
    ]
    return subprocess.run(command, cwd=root, capture_output=True).returncode == 0


@pytest.fixture
def copied_tree(tmp_path: Path) -> Path:
    for name in ("implementations", "benchmarks", "reports"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_are_kept(copied_tree: Path) -> None:
    assert contracts_kept(copied_tree)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("benchmarks/run.py", "import torch"),
        ("reports/__init__.py", "import tensorflow"),
        ("implementations/spec.py", "import numpy"),
        ("implementations/describe.py", "import rich"),
        ("implementations/proving.py", "from implementations.frameworks import pytorch"),
        ("implementations/network.py", "from implementations import sameness"),
        ("implementations/reference.py", "from implementations import weights"),
        ("implementations/cache.py", "import benchmarks"),
        ("benchmarks/plan.py", "from benchmarks import results"),
        ("benchmarks/results.py", "import reports"),
        ("benchmarks/data/batches.py", "from benchmarks.data import sets"),
        ("benchmarks/run.py", "from benchmarks.history import queries"),
        ("benchmarks/history/series.py", "import sqlalchemy"),
        ("benchmarks/history/records.py", "from benchmarks.history import importing"),
    ],
)
def test_the_contracts_bite(file: str, line: str, copied_tree: Path) -> None:
    path = copied_tree / file
    path.write_text(f"{path.read_text()}\n{line}\n")
    assert not contracts_kept(copied_tree)
