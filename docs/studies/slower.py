"""A Python whose adapters are slower by a known share: plants the slow-downs that ``noise.py`` looks for.

    python docs/studies/slower.py 0.05 -m pytest benchmarks/test_inference.py ...

Every step then takes 1.05 times as long: after its own work it waits, in proportion to what the step itself
took, less what this file's own code takes. For frameworks whose step returns when it is done, as PyTorch's
and ONNX Runtime's do on the CPU.
"""

import runpy
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.measure import CLOCK
from implementations import network

STEPS = ("infer", "train_step")  # ONNX Runtime has only the first


class SlowerBuilt:
    """A built network whose steps wait; all else is the network's own."""

    def __init__(self, built: network.Built, share: float) -> None:
        self.built = built
        for name in STEPS:
            if hasattr(built, name):
                setattr(self, name, _slower(getattr(built, name), share))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.built, name)


class SlowerFramework:
    """An adapter that builds such networks."""

    def __init__(self, framework: network.Framework, share: float) -> None:
        self.framework, self.share = framework, share

    def build(self, *arguments: Any, **options: Any) -> SlowerBuilt:
        return SlowerBuilt(self.framework.build(*arguments, **options), self.share)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.framework, name)


def _slower(step: Callable[[Any], Any], share: float) -> Callable[[Any], Any]:
    return _waiting(step, share, _seconds(_waiting(lambda batch: batch, 0.0, 0.0)))


def _waiting(step: Callable[[Any], Any], share: float, own: float) -> Callable[[Any], Any]:
    def slower(batch: Any) -> Any:
        start = CLOCK()
        result = step(batch)
        now = CLOCK()
        end = now + share * (now - start) - own
        while CLOCK() < end:
            pass
        return result

    return slower


def _seconds(step: Callable[[Any], Any], repeats: int = 10_000) -> float:
    """Of one step, as a caller in a loop sees it."""
    seconds = []
    for _ in range(11):
        start = CLOCK()
        for _ in range(repeats):
            step(None)
        seconds.append((CLOCK() - start) / repeats)
    return statistics.median(seconds)


def main(share: str, minus_m: str, module: str, *arguments: str) -> None:
    load = network.load
    network.load = lambda *settings: SlowerFramework(load(*settings), float(share))  # type: ignore[assignment]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
