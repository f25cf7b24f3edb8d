"""The built networks against those written by hand (tests/witnesses): how fast, beside each other.

    python docs/studies/witnesses.py [--pairs 30] [--framework F] [--network N] [--json FILE]

With the same weights both give the same bits (tests/frameworks/test_witnesses.py). Here they take turns in
one process: a pair is a block of each (``pairs.py`` says how a ratio comes of them), and the loops around
what is written by hand are as its framework's tutorials have them. What is shown is images/s, built ÷ by
hand: above 1 the built one is faster. Keras' own training loop is not set against ours: it reads the loss at
every step.
"""

import argparse
import importlib
import json
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
from implementations.processes import Launcher, available_cores

SEED, BLOCK_S, TIMEOUT_S = 0, 0.5, 3600
RATE, MOMENTUM = measure.OPTIMIZER.learning_rate, measure.OPTIMIZER.momentum
HEADS = (1.0, 0.3, 0.3)  # what each head's loss counts (GoogLeNet, section 5)
CASES: tuple[tuple[str, Task, int], ...] = (
    ("googlenet", "inference", 8),
    ("googlenet", "training", 4),
    ("vgg16", "inference", 1),
    ("vgg16", "training", 1),
)
SHOWN = "{framework:17} {network:10} {doing:10} batch {batch}: {ratio:.3f} ({low:.3f} to {high:.3f})"


# --- Loops by hand ------------------------------------------------------------------------


def pytorch(model: Any, images: list[Array], labels: Array | None) -> Loop:
    import torch
    from torch.nn import functional

    batches = [torch.from_numpy(each) for each in images]
    if labels is None:

        def infer(steps: int) -> None:
            with torch.inference_mode():
                for step in range(steps):
                    model(batches[step % len(batches)])

        return infer
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), RATE, MOMENTUM)
    classes = torch.from_numpy(labels)

    def train(steps: int) -> None:
        for step in range(steps):
            optimizer.zero_grad()
            heads = _listed(model(batches[step % len(batches)]))
            loss = sum(w * functional.cross_entropy(x, classes) for w, x in zip(HEADS, heads, strict=False))
            loss.backward()
            optimizer.step()

    return train


def paddle(model: Any, images: list[Array], labels: Array | None) -> Loop:
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


def keras(model: Any, images: list[Array], labels: None) -> Loop:
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
    network: str,
    doing: Task,
    batch: int,
    weights_path: str,
    count: int,
) -> list[float]:
    """Logarithms of built / by hand in images/s, one a pair: a child's task."""
    witness_tasks = importlib.import_module("witness_tasks")
    specification = networks.build(network)
    values = weights.load(Path(weights_path), specification)
    model = getattr(witness_tasks, f"{name.partition('-')[0]}_model")(network, specification, values)
    images = [weights.probe_images(specification, SEED + n, batch) for n in range(measure.BATCHES)]
    labels = weights.probe_labels(specification, SEED, batch) if doing == "training" else None
    by_hand = LOOPS.get(name, keras)(model, images, labels)
    built = framework.build(specification, values, settings, training=doing == "training")
    ours = measure.stepper(built, specification, doing, batch, SEED).run
    return [-each for each in pairs.logarithms(ours, by_hand, count, BLOCK_S)]


def cases(frameworks: list[str], chosen: list[str]) -> Iterator[dict[str, Any]]:
    for framework in frameworks:
        for network, doing, batch in CASES:
            if network in chosen and (doing == "inference" or framework in LOOPS):
                yield {"framework": framework, "network": network, "doing": doing, "batch": batch}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--framework", action="append", choices=TRAINERS)
    parser.add_argument("--network", action="append", choices=sorted({network for network, _, _ in CASES}))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    launcher, cache, rows = Launcher(available_cores()), Cache(None), []
    for case in cases(options.framework or list(TRAINERS), options.network or ["googlenet", "vgg16"]):
        path = cache.probe_weights(networks.build(case["network"]), SEED)
        about = {key: value for key, value in case.items() if key != "framework"}
        request = {**about, "name": case["framework"], "weights_path": str(path), "count": options.pairs}
        logs = launcher.ask(case["framework"], "docs.studies.witnesses:compare", request, TIMEOUT_S)
        rows.append({**case, "pairs": len(logs), **pairs.ratio(logs)})
        print(SHOWN.format(**rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
