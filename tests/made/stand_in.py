"""A launcher whose measuring children write a result as pytest-benchmark does, and compute nothing."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from in_process import InProcess
from made_forks import content_of

from benchmarks.plan import TASKS, Case
from implementations.processes import Finished

CHILD = Path(__file__).parents[1] / "children" / "stand_in_child.py"
Options = dict[str, str]  # of a child, by name


def exact(given: Options) -> float:
    return 0.5


@dataclass(frozen=True)
class StandIn(InProcess):
    """Proves as ``InProcess`` does; ``block_s`` says how long a fork's block turns out to be.

    With ``real`` a process writes the result, in 50 ms.
    """

    block_s: Callable[[Options], float] = exact
    real: bool = False
    given: list[Options] = field(default_factory=list)

    def run(self, framework: str, arguments: Sequence[str], timeout: float, during: Any = None) -> Finished:
        given = dict(a.removeprefix("--").partition("=")[::2] for a in arguments if a.startswith("--"))
        self.given.append(given)
        (task,) = [task for task in TASKS if f"benchmarks/test_{task}.py" in arguments]
        measured = (given["network"], task, int(given["batch"]), framework)
        case = Case(*measured, given.get("exporter"), given["policy"])
        content, output = json.dumps(self.content(case, given)), Path(given["benchmark-json"])
        if self.real:
            return super().run(framework, ["-I", "-S", str(CHILD), content, str(output)], timeout)
        output.write_text(content)
        return Finished(0, 0.0, False, "")

    def content(self, case: Case, given: Options) -> dict[str, Any]:
        content = content_of(case, [self.block_s(given)])
        certificate = json.loads(Path(given["certificate"]).read_text())
        fields = cast(dict[str, Any], content["benchmarks"][0]["extra_info"])
        fields["attributes"] |= {"certificate": certificate["id"], "fork": int(given["fork"])}
        return content
