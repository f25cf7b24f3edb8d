"""Children are small programs here; none imports a framework.

A child that must be up, and be gone, says so through a named pipe: what it writes says that it runs,
and the pipe's end says that nobody holds it any more. So nothing here waits for a guessed time.
"""

import json
import os
import select
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from implementations import processes
from implementations.errors import UserError
from implementations.processes import STDERR_LINES, ChildFailedError, Finished, Launcher, parse_pythons

LONG = 60.0  # s; more than any child here needs, and less than a stuck test would take
FRAMEWORKS = ("pytorch", "paddle")


def run(code: str, timeout: float = LONG, threads: int = 1) -> Finished:
    return Launcher(threads).run("pytorch", ["-c", code], timeout)


def print_variable(name: str) -> str:
    return f"import os; print(os.environ[{name!r}])"


# --- How a child ends ---------------------------------------------------------------------


def test_a_child_that_succeeds_has_no_reason() -> None:
    ended = run("print('done')")
    assert (ended.returncode, ended.timed_out, ended.reason) == (0, False, "")


def test_an_exit_code_is_kept() -> None:
    assert run("raise SystemExit(7)").returncode == 7


def test_the_reason_of_a_failure_is_its_last_line() -> None:
    assert run("print('first'); raise SystemExit('no such model')").reason == "exit code 1: no such model"


def test_a_failure_without_a_word_says_so() -> None:
    assert run("raise SystemExit(3)").reason == "exit code 3: no message"


def test_a_long_reason_is_cut() -> None:
    assert len(run("raise SystemExit('x' * 10_000)").reason) == processes.REASON_LENGTH


@pytest.mark.parametrize("name", ["SIGKILL", "SIGSEGV", "SIGABRT"])
def test_a_signal_is_named(name: str) -> None:
    ended = run(f"import os, signal; os.kill(os.getpid(), signal.{name})")
    assert ended.reason == f"killed by {name}"


def test_a_signal_without_a_name_has_its_number() -> None:
    number = next(n for n in range(32, 64) if n not in {s.value for s in signal.Signals})
    assert Finished(-number, 1.0, False, "").reason == f"killed by signal {number}"


def test_both_streams_of_a_child_are_kept_in_order() -> None:
    code = "import sys; print('one'); print('two', file=sys.stderr); print('three')"
    assert run(code).last_lines == "one\ntwo\nthree"


def test_of_a_chatty_child_the_last_lines_are_kept() -> None:
    ended = run("for number in range(10_000): print('line', number)")
    assert ended.last_lines.splitlines() == [f"line {n}" for n in range(10_000 - STDERR_LINES, 10_000)]


def test_output_that_is_no_text_does_no_harm() -> None:
    ended = run(r"import sys; sys.stdout.buffer.write(b'\xff\xfe end\n'); sys.exit(1)")
    assert ended.reason.endswith(" end")


def test_a_child_cannot_wait_for_the_keyboard() -> None:
    assert run("import sys; print(repr(sys.stdin.read()))").last_lines == "''"


# --- What a child gets --------------------------------------------------------------------


def test_every_child_computes_with_the_same_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # as Paddle leaves it behind
    assert run(print_variable("OMP_NUM_THREADS"), threads=3).last_lines == "3"


def test_a_child_gets_the_launchers_environment() -> None:
    launcher = Launcher(1, environment={"ONLY_HERE": "there"})
    assert launcher.run(None, ["-c", print_variable("ONLY_HERE")], LONG).last_lines == "there"


def test_a_child_loads_no_plugin_that_happens_to_be_installed() -> None:
    assert run(print_variable("PYTEST_DISABLE_PLUGIN_AUTOLOAD")).last_lines == "1"


def test_a_child_runs_in_the_projects_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("import os; print(os.getcwd())").last_lines == str(Path(__file__).resolve().parents[1])


def script(path: Path, *lines: str) -> str:
    """An executable shell script."""
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return str(path)


def test_a_framework_runs_in_its_own_interpreter(tmp_path: Path) -> None:
    launcher = Launcher(1, {"paddle": script(tmp_path / "python", 'echo "own: $*"')})
    assert launcher.run("paddle", ["-c", "pass"], LONG).last_lines == "own: -c pass"


def test_other_frameworks_run_in_this_interpreter(tmp_path: Path) -> None:
    launcher = Launcher(1, {"paddle": script(tmp_path / "python", "exit 1")})
    ended = launcher.run("pytorch", ["-c", "import sys; print(sys.executable)"], LONG)
    assert ended.last_lines == sys.executable


@pytest.mark.parametrize("kind", ["missing", "no program", "a folder"])
def test_an_interpreter_that_cannot_be_started_is_the_users_to_mend(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "python"
    if kind == "no program":
        path.write_bytes(b"\0 neither a binary nor a script")
        path.chmod(0o755)
    elif kind == "a folder":
        path.mkdir()
    with pytest.raises(UserError, match=f"cannot be started .*given {path}"):
        Launcher(1, {"pytorch": str(path)}).run("pytorch", ["-c", "pass"], LONG)


# --- Ends that come from outside ----------------------------------------------------------


class Pipe:
    """A named pipe: ``up`` waits for its writer's first word, ``gone`` for the death of all writers."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self.end = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    def _readable(self) -> bool:
        return bool(select.select([self.end], [], [], LONG / 2)[0])

    def up(self) -> None:
        assert self._readable(), "the child did not start"
        assert os.read(self.end, 100)

    def gone(self) -> bool:
        return self._readable() and os.read(self.end, 100) == b""

    @property
    def sleeper(self) -> str:
        """A program that holds the pipe, says so, and sleeps."""
        return (
            f"import time; pipe = open({str(self.path)!r}, 'wb', buffering=0); "
            f"pipe.write(b'up'); time.sleep({LONG})"
        )

    @property
    def parent_of_sleeper(self) -> str:
        """A program that starts a sleeper and waits for it, without holding the pipe itself."""
        return f"import subprocess, sys; subprocess.run([sys.executable, '-c', {self.sleeper!r}])"


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Pipe]:
    made = Pipe(tmp_path / "pipe")
    yield made
    os.close(made.end)


@pytest.fixture
def at_time_out(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Waiting for a child ends as soon as its sleeper is up, by what stands in the list."""
    ends: list[BaseException] = [subprocess.TimeoutExpired("child", LONG)]

    class Impatient(subprocess.Popen):  # type: ignore[type-arg]
        def wait(self, timeout: float | None = None) -> int:
            if timeout is None or self.poll() is not None:
                return super().wait(timeout)
            pipe.up()
            raise ends[0]

    monkeypatch.setattr(subprocess, "Popen", Impatient)
    return ends


def test_a_child_that_hangs_is_ended() -> None:
    ended = run(f"import time; time.sleep({LONG})", timeout=0.01)
    assert ended.timed_out
    assert ended.reason.startswith("timed out after ")


def test_a_time_out_says_its_seconds() -> None:
    assert Finished(-9, 179.6, True, "").reason == "timed out after 180 s"


def test_a_time_out_ends_the_childs_children_too(pipe: Pipe, at_time_out: Any) -> None:
    run(pipe.parent_of_sleeper)
    assert pipe.gone()


def test_what_a_child_said_before_its_time_out_is_kept(pipe: Pipe, at_time_out: Any) -> None:
    assert run(f"print('loading', flush=True); {pipe.sleeper}").last_lines == "loading"


def test_a_parent_that_is_killed_takes_its_child_with_it(pipe: Pipe) -> None:
    program = (
        "from implementations.processes import Launcher; "
        f"Launcher(1).run('pytorch', ['-c', {pipe.sleeper!r}], {LONG})"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])
    pipe.up()
    parent.kill()
    parent.wait()
    assert pipe.gone()


def test_an_interrupt_ends_the_child_and_its_children(pipe: Pipe, at_time_out: list[BaseException]) -> None:
    at_time_out[0] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        run(pipe.parent_of_sleeper)
    assert pipe.gone()


def test_an_interrupt_from_the_keyboard_does_not_reach_the_child_directly() -> None:
    ended = run("import os; print(os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid())")
    assert ended.last_lines == "True True"  # a group and a session of its own: the parent decides


def test_stop_ends_a_child_that_another_thread_waits_for(pipe: Pipe) -> None:
    launcher = Launcher(1)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(launcher.run, "pytorch", ["-c", pipe.sleeper], LONG)
        pipe.up()
        launcher.stop()
        assert waiting.result(LONG / 2).reason == "killed by SIGKILL"


def test_stop_ends_the_childs_children_too(pipe: Pipe) -> None:
    launcher = Launcher(1)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(launcher.run, "pytorch", ["-c", pipe.parent_of_sleeper], LONG)
        pipe.up()
        launcher.stop()
    assert pipe.gone()


def test_after_stop_no_child_runs_to_its_end() -> None:
    launcher = Launcher(1)
    launcher.stop()
    ended = launcher.run("pytorch", ["-c", f"import time; time.sleep({LONG})"], LONG)
    assert ended.reason == "killed by SIGKILL"


def test_stop_is_no_concern_of_another_launcher() -> None:
    Launcher(1).stop()
    assert run("print('done')").reason == ""


# --- Questions and answers ----------------------------------------------------------------


def asking(tmp_path: Path, *lines: str) -> Launcher:
    """A launcher whose children are a shell script: $3 is the request's file, $4 the answer's."""
    return Launcher(3, {"pytorch": script(tmp_path / "python", *lines)})


def reply(content: Any) -> str:
    return f'printf %s {shlex.quote(json.dumps(content))} > "$4"'


def test_an_answer_comes_back(tmp_path: Path) -> None:
    launcher = asking(tmp_path, reply({"answer": {"value": [1, 2.5, None]}}))
    assert launcher.ask("pytorch", "module:function", {}, LONG) == {"value": [1, 2.5, None]}


def test_a_request_holds_the_task_and_its_arguments(tmp_path: Path) -> None:
    saved = tmp_path / "request.json"
    launcher = asking(tmp_path, f'cp "$3" {shlex.quote(str(saved))}', reply({"answer": None}))
    launcher.ask("pytorch", "module:function", {"seed": 4}, LONG)
    assert json.loads(saved.read_text()) == {
        "framework": "pytorch",
        "task": "module:function",
        "threads": 3,
        "seed": 4,
    }


def test_a_users_mistake_in_a_child_is_one_in_the_parent(tmp_path: Path) -> None:
    mistake = UserError("wrong", given="this", allowed="that", todo="do so")
    with pytest.raises(UserError) as caught:
        asking(tmp_path, reply({"error": mistake.parts})).ask("pytorch", "module:function", {}, LONG)
    assert str(caught.value) == str(mistake) == "wrong: given this; allowed: that; do so"


def test_a_child_without_an_answer_says_how_it_ended(tmp_path: Path) -> None:
    launcher = asking(tmp_path, "echo out of memory", "exit 9")
    with pytest.raises(ChildFailedError, match="module:function in pytorch: exit code 9: out of memory"):
        launcher.ask("pytorch", "module:function", {}, LONG)


def test_a_child_that_ends_well_without_an_answer_failed_too(tmp_path: Path) -> None:
    with pytest.raises(ChildFailedError, match="gave no answer"):
        asking(tmp_path, "exit 0").ask("pytorch", "module:function", {}, LONG)


# --- Interpreters -------------------------------------------------------------------------


def test_an_installed_package_is_found() -> None:
    assert processes.missing(["numpy"], sys.executable) == []


def test_packages_that_are_not_there_are_named() -> None:
    packages = ["no_such_package", "numpy", "nor_this_one"]
    assert processes.missing(packages, sys.executable) == ["no_such_package", "nor_this_one"]


def test_looking_for_a_package_does_not_import_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "explosive.py").write_text("raise SystemExit(1)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert processes.missing(["explosive"], sys.executable) == []


def test_an_interpreter_that_answers_nothing_has_no_package(tmp_path: Path) -> None:
    assert processes.missing(["numpy"], script(tmp_path / "python", "exit 1")) == ["numpy"]


def test_looking_into_what_is_no_program_is_the_users_to_mend(tmp_path: Path) -> None:
    path = tmp_path / "python"
    path.write_bytes(b"\0 neither a binary nor a script")
    path.chmod(0o755)
    with pytest.raises(UserError, match="interpreter cannot be started"):
        processes.missing(["numpy"], str(path))


def test_interpreters_are_given_by_framework(tmp_path: Path) -> None:
    path = script(tmp_path / "python", "exit 0")
    assert parse_pythons([f"paddle={path}"], FRAMEWORKS) == {"paddle": path}


def test_an_interpreters_path_may_hold_an_equals_sign(tmp_path: Path) -> None:
    path = script(tmp_path / "a=b", "exit 0")
    assert parse_pythons([f"paddle={path}"], FRAMEWORKS) == {"paddle": path}


def test_a_relative_interpreter_is_one_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = script(tmp_path / "python", "exit 0")
    monkeypatch.chdir(tmp_path)
    assert parse_pythons(["paddle=python"], FRAMEWORKS) == {"paddle": path}


@pytest.mark.parametrize("item", ["paddle", "", "=", "=/bin/sh", "jax=/bin/sh", "Paddle=/bin/sh"])
def test_what_names_no_framework_is_refused(item: str) -> None:
    with pytest.raises(UserError, match=r"--python cannot be understood.*pytorch, paddle"):
        parse_pythons([item], FRAMEWORKS)


@pytest.mark.parametrize("name", ["missing", "folder", "text", ""])
def test_what_is_no_interpreter_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("not executable")
    path = str(tmp_path / name) if name else ""
    with pytest.raises(UserError, match=r"there is no such interpreter.*correct --python paddle=PATH"):
        parse_pythons([f"paddle={path}"], FRAMEWORKS)


def test_settings_of_a_surrounding_pytest_do_not_reach_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest-benchmark switches itself off where it sees an xdist worker's variable."""
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--benchmark-disable")
    code = "import os, sys; sys.exit(len({'PYTEST_XDIST_WORKER', 'PYTEST_ADDOPTS'} & set(os.environ)))"
    assert Launcher(threads=1).run("pytorch", ["-c", code], timeout=60).returncode == 0


# --- Builds of one framework --------------------------------------------------------------


def test_an_interpreter_can_have_a_label() -> None:
    given = [f"pytorch@2.12={sys.executable}", f"pytorch@2.13+cpu={sys.executable}"]
    assert list(parse_pythons(given, ["pytorch"])) == ["pytorch@2.12", "pytorch@2.13+cpu"]


@pytest.mark.parametrize(
    "name", ["pytorch@", "pytorch@a/b", "@2", "pytorch@2 1", "torch@2", "pytorch@" + 41 * "x"]
)
def test_a_label_that_no_file_name_could_hold_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="--python cannot be understood"):
        parse_pythons([f"{name}={sys.executable}"], ["pytorch"])
