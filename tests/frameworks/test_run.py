"""A real run of the MLP: its children end in every bad way, a second one completes it; others are killed."""

import contextlib
import json
import random
import re
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import results
from implementations import certificates
from implementations.commandline import INTERRUPTED, ROOT

pytestmark = pytest.mark.frameworks
FORKS = 3
FAULTS = {  # of Paddle's measuring processes, in their order
    1: "import ctypes; ctypes.string_at(0)",
    2: "import os; os.kill(os.getpid(), 9)",
    3: "import time; time.sleep(600)",
}
TIMEOUT_S = 30  # a fork takes 5
KILLS = 5
FRAMEWORKS = ("pytorch", "paddle")


def command(folder: Path, data: Path, *options: str) -> list[str]:
    places = ["--output", str(folder), "--cache-dir", str(folder.parent / "cache"), "--data-dir", str(data)]
    chosen = ["run", "--network", "mlp", "--device", "cpu", "--threads", "1", "--budget", "0"]
    return [sys.executable, "-m", "benchmarks", *chosen, *places, *options]


def run(folder: Path, data: Path, *options: str) -> subprocess.CompletedProcess[str]:
    chosen = [word for name in FRAMEWORKS for word in ("--framework", name)]
    started = command(folder, data, *chosen, *options)
    return subprocess.run(started, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small files in Fashion-MNIST's format: what is trained here need not learn."""
    folder = tmp_path_factory.mktemp("data")
    for part, count in (("train", 96), ("t10k", 32)):
        images, labels = bytes(range(196)) * 4 * count, bytes(i % 10 for i in range(count))
        sizes = struct.pack(">III", count, 28, 28)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03" + sizes + images)
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01" + sizes[:4] + labels)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run") / "output"


@pytest.fixture(scope="module")
def faulty(folder: Path, data: Path) -> subprocess.CompletedProcess[str]:
    """A run in which each of Paddle's measuring processes has its fault."""
    wrapper, count = folder.parent / "python", folder.parent / "count"
    faults = "".join(f"    {n}) exec {sys.executable} -c '{code}';;\n" for n, code in FAULTS.items())
    wrapper.write_text(
        "#!/bin/sh\n"
        f'case "$*" in *test_training.py*) echo x >> {count}\n'
        f"    case $(wc -l < {count}) in\n{faults}    esac;;\nesac\n"
        f'exec {sys.executable} "$@"\n'
    )
    wrapper.chmod(0o755)
    return run(folder, data, "--python", f"paddle={wrapper}", "--timeout", str(TIMEOUT_S))


@pytest.fixture(scope="module")
def before(faulty: object, folder: Path) -> dict[Path, float]:
    """When each fork of the faulty run was finished."""
    return {path: path.stat().st_mtime for path in (folder / "forks").glob("*.json")}


@pytest.fixture(scope="module")
def completed(before: object, folder: Path, data: Path) -> subprocess.CompletedProcess[str]:
    """The second run into the same folder, with nothing killed."""
    return run(folder, data)


def test_a_fault_costs_its_own_fork_only(
    faulty: subprocess.CompletedProcess[str], before: dict[Path, float]
) -> None:
    assert faulty.returncode == 1, faulty.stderr
    assert len(before) == len(FRAMEWORKS) * FORKS - len(FAULTS)
    for reason in ("killed by SIGSEGV", "killed by SIGKILL", f"timed out after {TIMEOUT_S} s"):
        assert f"FAILED, {reason}" in faulty.stdout
    assert f"{len(FAULTS)} FAILED" in faulty.stdout  # the table's row


def test_the_second_run_measures_only_what_was_missing(
    completed: subprocess.CompletedProcess[str], before: dict[Path, float], folder: Path
) -> None:
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert f"measuring: {len(FAULTS)} of {len(FRAMEWORKS) * FORKS} forks" in completed.stdout
    assert "proving sameness: 0 claims" in completed.stdout
    after = {path: path.stat().st_mtime for path in (folder / "forks").glob("*.json")}
    assert len(after) == len(FRAMEWORKS) * FORKS
    assert all(after[path] == when for path, when in before.items())
    assert list((folder / "failures").glob("*")) == []


def test_every_result_names_its_certificate_and_passed_its_canary(completed: object, folder: Path) -> None:
    known = {certificates.read(path)["id"] for path in (folder / "certificates").glob("*.json")}
    forks = list(results.forks(folder))
    assert len(forks) == len(FRAMEWORKS) * FORKS
    for fork in forks:
        assert fork.attributes["certificate"] in known
        assert fork.fields["canary_difference"] <= fork.fields["canary_bound"] == 2e-5
        assert fork.key["threads"] == 1


def test_forks_were_interleaved(faulty: subprocess.CompletedProcess[str]) -> None:
    """In the order of their end, no framework's forks stand together."""
    frameworks = re.findall(r"\[\d/\d\] mlp training b32 (\S+):", faulty.stdout)
    assert len(frameworks) == len(FRAMEWORKS) * FORKS
    assert all(len(set(frameworks[i : i + FORKS])) > 1 for i in range(len(frameworks) - FORKS + 1))


def test_a_result_holds_no_host_user_or_path(completed: object, folder: Path) -> None:
    import getpass
    import socket

    private = {socket.gethostname(), getpass.getuser(), str(Path.home()), str(ROOT), str(folder)} - {""}
    for path in (folder / "forks").glob("*.json"):
        content = json.loads(path.read_text())
        for word in private:
            assert word not in json.dumps(content), word


def test_the_report_is_made_from_it(completed: object, folder: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "reports", "html", str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-1] == f"report: {folder / 'report.html'}"


def wait_for(folder: Path, child: subprocess.Popen[str], forks: int) -> None:
    deadline = time.monotonic() + 300
    while len(list((folder / "forks").glob("*.json"))) < forks:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_interruption_keeps_what_is_finished_and_says_how_to_go_on(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "output"
    started = command(target, data, "--framework", "pytorch")
    child = subprocess.Popen(
        started,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # Where the tests run in a script's background, the shell has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_for(target, child, forks=1)
    time.sleep(1.0)  # well inside the next fork
    child.send_signal(signal.SIGINT)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == INTERRUPTED
    kept = len(list((target / "forks").glob("*.json")))
    assert stderr.startswith(f"interrupted: {kept} finished forks are kept in {target}; go on with: python ")
    assert not list(target.rglob("*.partial"))
    alive = subprocess.run(["pgrep", "-f", str(target)], capture_output=True, text=True).stdout
    assert alive == ""


def test_five_kills_of_a_run_lose_no_finished_fork(completed: object, folder: Path, data: Path) -> None:
    """With the fault tests' cache, so that what is killed is the measuring; the last run is left alone."""
    target, moments = folder.parent / "killed", random.Random(0)
    frameworks = [word for name in FRAMEWORKS for word in ("--framework", name)]
    started = command(target, data, *frameworks)
    kept: dict[Path, bytes] = {}
    for _ in range(KILLS):
        child = subprocess.Popen(started, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(moments.uniform(2, 9))
        child.kill()
        assert child.wait() == -signal.SIGKILL
        now = {fork.path: fork.path.read_bytes() for fork in results.forks(target)}  # none is broken
        assert kept.items() <= now.items()
        kept = now
    assert len(kept) < len(FRAMEWORKS) * FORKS  # else nothing was left to kill
    ended = subprocess.run(started, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    now = {fork.path: fork.path.read_bytes() for fork in results.forks(target)}
    assert kept.items() <= now.items()
    assert len(now) == len(FRAMEWORKS) * FORKS
    assert not list(target.rglob("*.partial"))
