"""The built networks against those written by hand (tests/witnesses) and the frameworks' own: how fast.

    python docs/studies/witnesses.py [--forks 6] [--pairs 10] [--against hand|zoo|itself]
                                     [--policy equal|best] [--framework F] [--network N] [--json FILE]

With the same weights they compute the same (tests/frameworks/test_witnesses.py, test_zoo.py). Here two take
turns in one process: a pair is a block of each, and the loops around the other one are as its framework's
tutorials have them, with the policy's switches set as they say. Where arrays come to lie in memory differs
from process to process and favours the one or the other for as long as it lives: so the fork is the unit,
which of the two is built first alternates, and ``--against itself`` (by hand ÷ by hand) shows what is left.
What is shown is images/s, built ÷ other: above 1 the built one is faster. Keras' own training loop is not
set against ours: it reads the loss at every step. Paddle's *best* is its inference engine, which runs
exported files: there is nothing by hand beside it.
"""

import argparse
import contextlib
import importlib
import json
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "children")]

import numpy as np

from benchmarks import measure
from benchmarks.plan import Task
from docs.studies import pairs
from docs.studies.pairs import Loop
from implementations import networks, weights
from implementations.cache import Cache
from implementations.network import TRAINERS, Array, Framework, Settings
from implementations.policies import EQUAL, POLICIES
from implementations.processes import ChildFailedError, Launcher, available_cores

SEED, BLOCK_S, TIMEOUT_S = 0, 0.5, 3600
RATE, MOMENTUM = measure.OPTIMIZER.learning_rate, measure.OPTIMIZER.momentum
HEADS = (1.0, 0.3, 0.3)  # what each head's loss counts (GoogLeNet, section 5)
VGG16: tuple[tuple[str, Task, int], ...] = (("vgg16", "inference", 1), ("vgg16", "training", 1))
CASES: dict[str, tuple[tuple[str, Task, int], ...]] = {
    "hand": (("googlenet", "inference", 8), ("googlenet", "training", 4), *VGG16),
    "itself": (("googlenet", "inference", 8), ("googlenet", "training", 4), *VGG16),
    "zoo": (*VGG16, ("resnet50", "inference", 4), ("resnet50", "training", 4)),
}
ZOO = {"paddle": "paddle", "pytorch": "torchvision", "keras-tensorflow": "keras"}  # Keras' ResNet is another
SHOWN = (
    "{framework:17} {policy} {network:10} {doing:10} batch {batch}, ÷ {against}: "
    "{ratio:.3f} ({low:.3f} to {high:.3f}), {forks} forks"
)


# --- Loops by hand ------------------------------------------------------------------------


def pytorch(model: Any, images: list[Array], labels: Array | None, settings: Settings) -> Loop:
    import torch
    from torch.nn import functional

    layout = torch.channels_last if settings.switches.channels_last else torch.contiguous_format
    model = model.to(memory_format=layout)
    batches = [torch.from_numpy(each).contiguous(memory_format=layout) for each in images]
    precision: Any = contextlib.nullcontext()
    if settings.mixed:
        precision = torch.autocast("cpu", getattr(torch, settings.mixed))
    if labels is None:

        def infer(steps: int) -> None:
            with torch.inference_mode(), precision:
                for step in range(steps):
                    model(batches[step % len(batches)])

        return infer
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM)
    classes = torch.from_numpy(labels)

    def train(steps: int) -> None:
        for step in range(steps):
            optimizer.zero_grad()
            with precision:
                heads = _listed(model(batches[step % len(batches)]))
                losses = [functional.cross_entropy(x, classes) for x in heads]
            sum(w * loss for w, loss in zip(HEADS, losses, strict=False)).backward()
            optimizer.step()

    return train


def paddle(model: Any, images: list[Array], labels: Array | None, settings: Settings) -> Loop:
    import paddle
    from paddle.nn import functional

    batches = [paddle.to_tensor(each) for each in images]
    if labels is None:

        def infer(steps: int) -> None:
            with paddle.no_grad():
                for step in range(steps):
                    model(batches[step % len(batches)])

        return infer
    model.train()
    optimizer = paddle.optimizer.Momentum(RATE, MOMENTUM, parameters=model.parameters())
    classes = paddle.to_tensor(labels)

    def train(steps: int) -> None:
        for step in range(steps):
            heads = _listed(model(batches[step % len(batches)]))
            loss = sum(w * functional.cross_entropy(x, classes) for w, x in zip(HEADS, heads, strict=False))
            loss.backward()
            optimizer.step()
            optimizer.clear_grad()

    return train


def keras(model: Any, images: list[Array], labels: None, settings: Settings) -> Loop:
    from keras import backend

    batches = [np.ascontiguousarray(each.transpose(0, 2, 3, 1)) for each in images]
    return {"tensorflow": _on_tensorflow, "jax": _on_jax, "torch": _on_torch}[backend.backend()](
        model, batches
    )


def _on_tensorflow(model: Any, images: list[Array]) -> Loop:
    import tensorflow as tf

    batches = [tf.constant(each) for each in images]
    predict = tf.function(lambda x: _listed(model(x, training=False))[0])

    def infer(steps: int) -> None:
        for step in range(steps):
            predict(batches[step % len(batches)])

    return infer


def _on_jax(model: Any, images: list[Array]) -> Loop:
    import jax

    batches = [jax.device_put(each) for each in images]
    trained = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    predict = jax.jit(lambda t, o, x: _listed(model.stateless_call(t, o, x, training=False)[0])[0])

    def infer(steps: int) -> None:
        found = [predict(trained, others, batches[step % len(batches)]) for step in range(steps)]
        jax.block_until_ready(found)

    return infer


def _on_torch(model: Any, images: list[Array]) -> Loop:
    import torch

    batches = [torch.from_numpy(each) for each in images]

    def infer(steps: int) -> None:
        with torch.no_grad():
            for step in range(steps):
                model(batches[step % len(batches)], training=False)

    return infer


def _listed(heads: Any) -> Any:
    return heads if isinstance(heads, list) else [heads]


LOOPS: dict[str, Callable[..., Loop]] = {"pytorch": pytorch, "paddle": paddle}


# --- Measuring ----------------------------------------------------------------------------


def compare(
    framework: Framework,
    *,
    settings: Settings,
    name: str,
    against: str,
    network: str,
    doing: Task,
    batch: int,
    weights_path: str,
    count: int,
    number: int,
) -> float:
    """The median over pairs of log(built / other) in images/s: a task of the ``number``-th child."""
    specification = networks.build(network)
    values = weights.load(Path(weights_path), specification)
    if name.startswith("keras") and settings.mixed:
        importlib.import_module("keras").config.set_dtype_policy(f"mixed_{settings.mixed}")
    images = [weights.probe_images(specification, SEED + n, batch) for n in range(measure.BATCHES)]
    labels = weights.probe_labels(specification, SEED, batch) if doing == "training" else None

    def other() -> Loop:
        if against == "zoo":
            wrapped = importlib.import_module("zoo_tasks").ZOOS[ZOO[name]](specification)
            wrapped.load(values)
            model = wrapped.model
        else:
            loaded = getattr(importlib.import_module("witness_tasks"), f"{name.partition('-')[0]}_model")
            model = loaded(network, specification, values)
        return LOOPS.get(name, keras)(model, images, labels, settings)

    def ours() -> Loop:
        if against == "itself":
            return other()
        built = framework.build(specification, values, settings, training=doing == "training")
        return measure.stepper(built, specification, doing, batch, SEED).run

    if number % 2:
        built_loop, other_loop = ours(), other()
    else:
        other_loop, built_loop = other(), ours()
    return -statistics.median(pairs.logarithms(built_loop, other_loop, count, BLOCK_S))


def cases(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    for framework in options.framework or TRAINERS:
        for network, doing, batch in CASES[options.against]:
            asked = not options.network or network in options.network
            is_known = options.against != "zoo" or framework in ZOO
            is_ours_alone = options.policy == "best" and framework == "paddle"
            is_compared = framework in LOOPS or (doing == "inference" and network != "resnet50")
            if asked and is_known and is_compared and not is_ours_alone:
                yield {"framework": framework, "network": network, "doing": doing, "batch": batch}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forks", type=int, default=6)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--against", choices=list(CASES), default="hand")
    parser.add_argument("--policy", choices=POLICIES, default=EQUAL)
    parser.add_argument("--framework", action="append", choices=TRAINERS)
    parser.add_argument("--network", action="append", choices=("googlenet", "vgg16", "resnet50"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    launcher, cache, rows = Launcher(available_cores()), Cache(None), []
    how = {"against": options.against, "policy": options.policy}
    for case in cases(options):
        path = cache.probe_weights(networks.build(case["network"]), SEED)
        about = {key: value for key, value in case.items() if key != "framework"} | how
        request = {**about, "name": case["framework"], "weights_path": str(path), "count": options.pairs}
        try:
            logs = [
                launcher.ask(
                    case["framework"], "docs.studies.witnesses:compare", {**request, "number": n}, TIMEOUT_S
                )
                for n in range(options.forks)
            ]
        except ChildFailedError as failure:  # torchvision is not everywhere
            print(f"{case['framework']} {case['network']}: {failure}", flush=True)
            continue
        found = pairs.ratio_of_forks(logs)
        rows.append({**case, **how, "forks": len(logs), "pairs": options.pairs, **found, "logs": logs})
        print(SHOWN.format(**rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
