"""The command: exit codes, one line for a user's mistake, nothing partial left."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from implementations.commandline import ROOT
from implementations.errors import UserError
from reports import __main__ as command
from reports import publishing

FRAMEWORKS = {"torch", "tensorflow", "keras", "paddle", "onnxruntime", "jax"}


def run(*arguments: object, code: str | None = None) -> subprocess.CompletedProcess[str]:
    program = ["-c", code] if code else ["-m", "reports"]
    words = [sys.executable, *program, *map(str, arguments)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_report_lands_in_the_run_folder(full: Any) -> None:
    done = run("html", full.path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == f"report: {full.path / 'report.html'}"
    assert (full.path / "report.html").read_text().startswith("<!doctype html>")


def test_a_damaged_file_is_one_line_and_exit_code_2(full: Any) -> None:
    (full.path / "certificates" / "mlp-paddle.json").write_text("{")
    before = files(full.path)
    done = run("html", full.path)
    assert done.returncode == 2
    assert done.stderr.startswith("error: the certificate cannot be read")
    assert done.stderr.count("\n") == 1
    assert files(full.path) == before


def test_the_report_imports_no_framework() -> None:
    imports = "import sys, reports.__main__, reports.publishing"
    code = f"{imports}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = run(code=code)
    assert "altair" in done.stdout.split()  # the look at sys.modules would see a framework
    assert not FRAMEWORKS.intersection(done.stdout.split())


def test_started_by_path_says_how_to_start(tmp_path: Path) -> None:
    words = [sys.executable, str(ROOT / "reports" / "__main__.py")]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "python -m reports" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["html"], ["pdf", "x"], ["html", "x", "--unknown"]])
def test_a_wrong_command_line_is_a_users_mistake(arguments: list[str]) -> None:
    with pytest.raises(UserError, match="cannot be understood"):
        command.main(arguments)


def test_another_output(folder: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "page.html"
    assert command.main(["html", str(folder.path), "-o", str(output)]) == 0
    assert capsys.readouterr().out == f"report: {output}\n"
    assert output.exists()
    assert files(folder.path) == {"run.json"}


@pytest.mark.parametrize("place", ["missing/page.html", "run/run.json/page.html", "run"])
def test_a_place_that_cannot_be_written_is_refused(folder: Any, tmp_path: Path, place: str) -> None:
    with pytest.raises(UserError, match="the report cannot be written"):
        command.main(["html", str(folder.path), "-o", str(tmp_path / place)])
    assert files(tmp_path) == {"run"}


def test_a_full_disk_leaves_the_old_report_and_nothing_partial(
    folder: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = folder.path / "report.html"
    output.write_text("the old one")

    def full_disk(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full_disk)
    with pytest.raises(UserError, match="No space left on device"):
        publishing.write(output, "the new one")
    assert output.read_text() == "the old one"
    assert files(folder.path) == {"report.html", "run.json"}


def test_half_a_character_does_not_stop_the_report(tmp_path: Path) -> None:
    publishing.write(tmp_path / "page.html", "half \ud800 a character")  # JSON's escapes can hold one
    assert (tmp_path / "page.html").read_text() == "half ? a character"
