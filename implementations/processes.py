"""The parent's side: starts a child in a chosen interpreter, bounds its time, takes one answer.

Nothing here knows a framework, a network or a weight; a child that crashes, hangs or is killed
costs its own task only.
"""

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from implementations.commandline import ROOT
from implementations.errors import UserError

STDERR_LINES = 12
REASON_LENGTH = 200
LABELLED = re.compile(r"(?P<framework>[a-z-]+)(@[\w.+-]{1,40})?")  # the label is part of file names
# A child loads no pytest plugin that happens to be installed beside it, and its last words arrive.
CHILD_ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONUNBUFFERED": "1"}

PR_SET_PDEATHSIG = 1  # of <sys/prctl.h>
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None  # found before any fork
During = Callable[[int], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True)
class Finished:
    """How a child ended: exit code (negative: killed by that signal), seconds, its last words."""

    returncode: int
    seconds: float
    timed_out: bool
    last_lines: str

    @property
    def reason(self) -> str:
        """One line for tables: why it did not succeed; empty if it did."""
        if self.timed_out:
            return f"timed out after {self.seconds:.0f} s"
        if self.returncode < 0:
            return f"killed by {_signal_name(-self.returncode)}"
        if self.returncode == 0:
            return ""
        last = self.last_lines.strip().splitlines() or ["no message"]
        return f"exit code {self.returncode}: {last[-1]}"[:REASON_LENGTH]


class ChildFailedError(Exception):
    """A child that gave no answer; ``finished`` says how it ended."""

    def __init__(self, what: str, finished: Finished) -> None:
        super().__init__(f"{what}: {finished.reason or 'gave no answer'}")
        self.finished = finished


def _unwatched(pid: int) -> contextlib.AbstractContextManager[None]:
    return contextlib.nullcontext()


@dataclass(frozen=True)
class Launcher:
    """How children are started: the interpreter of each framework; thread count and environment of all."""

    threads: int
    pythons: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    _live: set[subprocess.Popen[bytes]] = field(default_factory=set)
    _stopped: threading.Event = field(default_factory=threading.Event)

    def python(self, framework: str | None) -> str:
        return sys.executable if framework is None else self.pythons.get(framework, sys.executable)

    def run(
        self, framework: str | None, arguments: Sequence[str], timeout: float, during: During = _unwatched
    ) -> Finished:
        """Run the framework's interpreter in the project's root; wait at most ``timeout`` s.

        The child leads a process group of its own. The group is killed on time-out, and when this
        process is interrupted. ``during`` is entered with its process number while it runs.
        """
        # Paddle sets OMP_NUM_THREADS=1 for itself and its children; everyone gets the same count.
        # What surrounds us may be pytest itself, whose settings would switch a child's benchmarks off.
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
        own = {**CHILD_ENVIRONMENT, **self.environment, "OMP_NUM_THREADS": str(self.threads)}
        environment = {**inherited, **own}
        start = time.monotonic()
        with tempfile.TemporaryFile() as output:
            command = [self.python(framework), *arguments]
            with self._started(command, environment, output) as child:
                timed_out = False
                with during(child.pid):
                    try:
                        child.wait(timeout)
                    except subprocess.TimeoutExpired:
                        timed_out = True
                        _kill_group(child)
                        child.wait()
            seconds = time.monotonic() - start
            output.seek(0)
            lines = output.read().decode(errors="replace").splitlines()[-STDERR_LINES:]
        return Finished(child.returncode, seconds, timed_out, "\n".join(lines))

    def ask(
        self,
        framework: str | None,
        task: str,
        arguments: Mapping[str, Any],
        timeout: float,
        during: During = _unwatched,
    ) -> Any:
        """The answer of ``task`` ("module:function") in a fresh process with ``framework`` loaded, if any.

        ``during`` as in ``run``. Raises ``UserError`` again as the child raised it, ``ChildFailedError`` if
        there is no answer.
        """
        with tempfile.TemporaryDirectory(prefix="child-") as folder:
            request, answer = Path(folder, "request.json"), Path(folder, "answer.json")
            content = {"framework": framework, "task": task, "threads": self.threads, **arguments}
            request.write_text(json.dumps(content))
            command = ["-m", "implementations.child", str(request), str(answer)]
            finished = self.run(framework, command, timeout, during)
            if not answer.exists():
                raise ChildFailedError(f"{task} in {framework or 'a process of its own'}", finished)
            reply = json.loads(answer.read_text())
        if "error" in reply:
            raise UserError.from_parts(reply["error"])
        return reply["answer"]

    def stop(self) -> None:
        """End all children, also those that other threads wait for; start no more."""
        self._stopped.set()
        for child in list(self._live):
            _kill_group(child)

    @contextlib.contextmanager
    def _started(
        self, command: Sequence[str], environment: Mapping[str, str], output: Any
    ) -> Iterator[subprocess.Popen[bytes]]:
        """A child that does not outlive the block, whatever ends it."""
        child = _start(command, environment, output)
        self._live.add(child)
        try:
            if self._stopped.is_set():
                _kill_group(child)
            yield child
        finally:
            if child.poll() is None:
                _kill_group(child)
                child.wait()
            self._live.discard(child)


def _start(command: Sequence[str], environment: Mapping[str, str], output: Any) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent if _LIBC is not None else None,
        )
    except OSError as error:
        raise _not_started(command[0], error) from None


def _end_with_parent() -> None:
    """Linux kills the child when its parent is gone: a parent that was killed can no longer do it."""
    assert _LIBC is not None
    _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _not_started(python: str, error: OSError) -> UserError:
    return UserError(
        f"the interpreter cannot be started ({error.strerror})",
        given=python,
        allowed="an executable Python",
        todo="name another with --python FRAMEWORK=PATH",
    )


def _kill_group(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def missing(packages: Sequence[str], python: str) -> list[str]:
    """Those of ``packages`` that ``python`` could not import; ``UserError`` if it does not start."""
    question = (
        "import importlib.util; "
        f"print(*[name for name in {tuple(packages)!r} if importlib.util.find_spec(name) is not None])"
    )
    try:
        answer = subprocess.run([python, "-c", question], cwd=ROOT, capture_output=True, text=True).stdout
    except OSError as error:
        raise _not_started(python, error) from None
    return [name for name in packages if name not in answer.split()]


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def parse_pythons(items: Sequence[str], frameworks: Sequence[str]) -> dict[str, str]:
    """``FRAMEWORK[@LABEL]=PATH`` items as a mapping; ``UserError`` for another form, name or file."""
    pythons = {}
    for item in items:
        framework, separator, path = item.partition("=")
        named = LABELLED.fullmatch(framework)
        if not separator or named is None or named["framework"] not in frameworks:
            raise UserError(
                "--python cannot be understood",
                given=item,
                allowed=f"FRAMEWORK=PATH or FRAMEWORK@LABEL=PATH with one of {', '.join(frameworks)}",
                todo="name the framework and its interpreter",
            )
        if not os.access(path, os.X_OK) or Path(path).is_dir():
            raise UserError(
                "there is no such interpreter",
                given=path,
                allowed="an executable Python",
                todo=f"correct --python {framework}=PATH",
            )
        pythons[framework] = str(Path(path).absolute())
    return pythons
