"""How long a history takes to import runs and to answer: seconds, on runs made up here.

    python docs/studies/history.py [--forks 100000] [--history URL] [--folder DIR]

Nights of 40 cases with five forks each, on two machines: files as a fork writes them, but for their numbers.
They are made in a temporary folder, or in DIR, where they stay and are found again. Without ``--history`` an
SQLite file beside them; a PostgreSQL database must be new. Beside the seconds on the clock stand this
process' own, without the waiting for other processes.
"""

import argparse
import contextlib
import datetime
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import plan, results
from benchmarks.history.queries import History
from benchmarks.plan import Case
from implementations import certificates

CASES = 40
FORKS = 5  # of a case in a night
MACHINES = ("604ec5c2e6f3", "0123456789ab")
BLOCKS, LATENCIES = 12, 40
FIRST = datetime.datetime(2024, 1, 1, 1, tzinfo=datetime.UTC)
FRAMEWORKS = ("pytorch", "keras-tensorflow", "keras-jax", "paddle")
SEED = 20261125


def cases() -> list[Case]:
    """As many as are measured in a night: ten a framework."""
    return [
        Case(network, "inference", batch, framework)
        for framework in FRAMEWORKS
        for network in ("googlenet", "vgg16")
        for batch in (1, 2, 4, 8, 16)
    ][:CASES]


def make(folder: Path, forks: int) -> None:
    """Run folders with ``forks`` forks together."""
    generator = random.Random(SEED)
    for number in range(forks // (CASES * FORKS)):
        night, machine = divmod(number, len(MACHINES))
        make_run(folder / f"{night:04}-{machine}", FIRST + datetime.timedelta(days=night), machine, generator)


def make_run(folder: Path, started: datetime.datetime, machine: int, generator: random.Random) -> None:
    about = {
        "schema_version": results.SCHEMA_VERSION,
        "preset": "quick",
        "device": "cpu",
        "threads": 2,
        "machine": {"cpu": f"processor {machine}", "cores": 2, "system": "Linux 6.1", "python": "3.11.7"},
        "environment": {},
        "gpu": None,
        "commit": {"id": f"{started.toordinal():040x}", "dirty": False},
        "started": started.isoformat(),
    }
    results.write_json(folder / "run.json", about)
    proofs = {framework: proof(folder, framework) for framework in FRAMEWORKS}
    (folder / "forks").mkdir()
    for place, case in enumerate(cases()):
        for number in range(1, FORKS + 1):
            rate = (10 + place) * generator.lognormvariate(0, 0.02)
            content = fork(case, number, rate, proofs[case.framework], started, MACHINES[machine], generator)
            results.fork_path(folder, case, number).write_text(json.dumps(content, indent=1))


def proof(folder: Path, framework: str) -> str:
    finding = {"level": 1, "precision": "float32", "mode": "inference", "largest": 1e-6, "breach": None}
    content = {
        "framework": framework,
        "exporter": None,
        "network": "all",
        "passed": True,
        "findings": [finding],
    }
    signed = certificates.signed(content)
    certificates.write(folder / "certificates" / f"{framework}.json", signed)
    return str(signed["id"])


def fork(
    case: Case,
    number: int,
    rate: float,
    certificate: str,
    started: datetime.datetime,
    machine: str,
    generator: random.Random,
) -> dict[str, Any]:
    """What a fork writes, at ``rate`` images/s."""
    key = {
        **plan.as_data(case),
        "digest": "1156e40182d441487075f413179e10ac92be4c00cea96b99728e222b8270d8ab",
        "provider": "cpu",
        "device_model": f"processor {machine}",
        "machine": machine,
        "precision": "float32",
        "threads": 2,
        "method_version": 1,
    }
    switches = dict.fromkeys(("threads", "interop", "onednn", "compiled", "channels_last", "tf32"), "True")
    attributes = {
        "versions": {case.framework: f"2.{started.toordinal() // 30 % 20}.0", "onednn": "3.12.0"},
        "certificate": certificate,
        "label": "",
        "environment": {"OMP_NUM_THREADS": "2"},
        "fork": number,
        "seed": number,
        "switches": switches,
    }
    step = case.batch / rate
    fields = {
        "schema_version": results.SCHEMA_VERSION,
        "key": key,
        "attributes": attributes,
        "classes": 1000,
        "input_shape": [3, 224, 224],
        "parameters": 6998552,
        "steps_per_block": 5,
        "steady": True,
        "phases_s": dict.fromkeys(("import", "build", "first_call", "compile", "warmup", "blocks"), 0.5),
        "latencies_s": [step * generator.lognormvariate(0, 0.05) for _ in range(LATENCIES)],
        "window_s": [100.0, 102.0],
        "loss": None,
        "peak_rss_bytes": 337199104,
        "peak_device_bytes": None,
        "canary_difference": 7.4e-07,
        "canary_bound": 2e-05,
        "watched": {"seconds": 2.0, "others_share": 0.02, "stolen_share": 0.0, "disturbances": []},
    }
    blocks = [5 * step * generator.lognormvariate(0, 0.01) for _ in range(BLOCKS)]
    return {
        "machine_info": {"cpu": "a processor", "cores": 2, "architecture": "x86_64", "python": "3.11.7"},
        "commit_info": {"id": "unversioned", "dirty": None},
        "benchmarks": [
            {"name": case.slug, "params": plan.as_data(case), "extra_info": fields, "stats": {"data": blocks}}
        ],
        "datetime": started.isoformat(),
        "version": "5.3.1",
    }


def questions(history: History, last: datetime.date) -> dict[str, Callable[[], int]]:
    """What reports ask, and how much the answer holds."""
    month = (last - datetime.timedelta(days=30)).isoformat()
    one = {"framework": "pytorch", "network": "vgg16", "batch": 1, "machine": MACHINES[0]}
    return {
        "all runs": lambda: len(history.runs()),
        "the last 30 nights of all series": lambda: points(history, since=month),
        "one series over all nights": lambda: points(history, **one),
        "all series of a framework on one machine": lambda: points(
            history, framework="pytorch", machine=MACHINES[0]
        ),
        "one version of one framework": lambda: points(history, **{"versions.pytorch": "2.7.0"}),
        "one run": lambda: points(history, run="0000-0"),
        "all series of one machine over all nights": lambda: points(history, machine=MACHINES[0]),
        "all series over all nights": lambda: points(history),
    }


def points(history: History, **filters: Any) -> int:
    return sum(len(series.points) for series in history.series(**filters))


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    begun, own = time.perf_counter(), time.process_time()
    yield
    taken, own = time.perf_counter() - begun, time.process_time() - own
    print(f"{what}: {taken:.2f} s, own {own:.2f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forks", type=int, default=100_000)
    parser.add_argument("--history", metavar="URL")
    parser.add_argument("--folder", type=Path, metavar="DIR")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not any(folder.glob("*/run.json")):
            with timed(f"making {options.forks} forks"):
                make(folder, options.forks)
        measure(options.history or folder / "history.sqlite", folder)


def measure(place: str | Path, folder: Path) -> None:
    history = History.open(place, create=True)
    quiet: Callable[[str], None] = lambda line: None  # noqa: E731
    with timed("importing"):
        done = history.import_paths([folder], quiet)
    print(f"  {done.forks} forks of {done.runs} runs, {done.others} other files, {len(done.refused)} refused")
    with timed("importing the same again"):
        history.import_paths([folder], quiet)
    last = max(run.started for run in history.runs()).date()
    for question, ask in questions(history, last).items():
        with timed(f"  {question}"):
            held = ask()
        print(f"    {held} points or runs")


if __name__ == "__main__":
    main()
