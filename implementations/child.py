"""The child's side: loads one adapter by name, does one task, writes one answer.

``python -m implementations.child REQUEST ANSWER``: the request names the framework, the task
("module:function", called with the adapter's module first) and its arguments. The answer file is
there only if the task came to an end: with its result, or with a user's mistake. Several calls of
one task may share the process, for starting it takes seconds.
"""

import functools
import gc
import importlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from implementations import network, provenance
from implementations.errors import UserError
from implementations.network import Settings
from implementations.policies import EQUAL


def main(request_path: str, answer_path: str) -> int:
    provenance.source()  # as it is before the builder and the task are imported
    request = json.loads(Path(request_path).read_text())
    try:
        reply = {"answer": answer(**request)}
    except UserError as error:
        reply = {"error": error.parts}
    partial = Path(f"{answer_path}.partial")
    partial.write_text(json.dumps(reply))
    partial.rename(answer_path)
    return 0


def answer(
    framework: str | None,
    task: str,
    threads: int,
    device: str = "cpu",
    policy: str = EQUAL,
    calls: Sequence[Mapping[str, Any]] | None = None,
    **arguments: Any,
) -> Any:
    """What ``task`` returns for ``framework``; everything in and out is JSON data.

    With ``calls``, a list: what it returns for each, with the arguments that they share. Without a
    framework nothing is loaded, and the task gets ``None`` for it and for its settings.
    """
    loaded, settings = (
        (None, None) if framework is None else network.prepare(framework, device, threads, policy)
    )
    module, _, name = task.partition(":")
    function = getattr(importlib.import_module(module), name)
    if calls is None:
        return function(loaded, settings=settings, **arguments)
    return list(_each(functools.partial(function, loaded, settings=settings, **arguments), calls))


def _each(function: Callable[..., Any], calls: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
    """One answer after the other; what the framework held for the one is given back before the next."""
    for call in calls:
        yield function(**call)
        gc.collect()


def versions(framework: Any, *, settings: Settings) -> dict[str, str]:
    """Versions of this process's framework and of what it computes with: a task."""
    return dict(framework.versions())


def cuda_devices(framework: Any, *, settings: Settings) -> list[str]:
    """Names of the CUDA devices that this process's framework sees: a task."""
    return list(framework.cuda_devices())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
