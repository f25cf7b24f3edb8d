"""What the harness adds: its loop against a bare loop in each framework, in alternating blocks.

    python docs/studies/overhead.py [--forks 10] [--pairs 40] [--threads N] [--framework F] [--json FILE]

The bare loops below are what someone who knows the framework would write around the same network. A pair is
one block of each. A process favours the one loop or the other by a per cent or two for as long as it lives:
so the fork is the unit, and which loop is made first alternates. Inference of the MLP at batch 32: the fewer
microseconds a step takes, the more an overhead shows. Two minutes a framework. With ``--threads 1`` no thread
waits for a core that another guest of the machine has.
"""

import argparse
import json
import math
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import measure
from docs.studies.pairs import Loop, logarithms, ratio_of_forks
from implementations import networks, weights
from implementations.network import TRAINERS, Framework, Settings
from implementations.processes import Launcher, available_cores

NETWORK, BATCH, BLOCK_S, SEED = "mlp", 32, 0.1, 0
SHOWN = "{framework:18} {ratio:.4f} ({low:.4f} to {high:.4f}), {forks} forks of {pairs} pairs: {each}"


# --- A bare loop in each framework --------------------------------------------------------


def pytorch(built: Any, batches: list[Any]) -> Loop:
    import torch

    module, images = built.module, [batch.images for batch in batches]

    def loop(steps: int) -> None:
        with torch.inference_mode():
            for step in range(steps):
                module(images[step % len(images)])
        if images[0].is_cuda:
            torch.cuda.synchronize()

    return loop


def _keras_model(built: Any) -> Any:
    """The built layers as a model by hand has them: it takes one tensor and returns one, no dictionary."""
    import keras

    return keras.Model(built.model.inputs[0], built.model.outputs[0])


def keras_tensorflow(built: Any, batches: list[Any]) -> Loop:
    import tensorflow as tf

    model, images = _keras_model(built), [batch.images for batch in batches]
    predict = tf.function(lambda x: model(x, training=False))

    def loop(steps: int) -> None:
        for step in range(steps):
            predict(images[step % len(images)])
        if tf.config.list_logical_devices("GPU"):
            tf.test.experimental.sync_devices()

    return loop


def keras_jax(built: Any, batches: list[Any]) -> Loop:
    import jax

    model, images = _keras_model(built), [batch.images for batch in batches]
    trained = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    predict = jax.jit(lambda t, o, x: model.stateless_call(t, o, x, training=False)[0])

    def loop(steps: int) -> None:
        found = [predict(trained, others, images[step % len(images)]) for step in range(steps)]
        jax.block_until_ready(found)

    return loop


def keras_torch(built: Any, batches: list[Any]) -> Loop:
    import torch

    model, images = _keras_model(built), [batch.images for batch in batches]

    def loop(steps: int) -> None:
        with torch.no_grad():
            for step in range(steps):
                model(images[step % len(images)], training=False)
        if images[0].is_cuda:
            torch.cuda.synchronize()

    return loop


def paddle(built: Any, batches: list[Any]) -> Loop:
    import paddle

    module, images = built.module, [batch.images for batch in batches]

    def loop(steps: int) -> None:
        with paddle.no_grad():
            for step in range(steps):
                module(images[step % len(images)])
        if images[0].place.is_gpu_place():
            paddle.device.synchronize()

    return loop


BARE = {
    "pytorch": pytorch,
    "keras-tensorflow": keras_tensorflow,
    "keras-jax": keras_jax,
    "keras-torch": keras_torch,
    "paddle": paddle,
}


# --- Measuring ----------------------------------------------------------------------------


def compare(
    framework: Framework, *, settings: Settings, name: str, weights_path: str, pairs: int, number: int
) -> float:
    """The median over pairs of log(harness / bare): a task of the ``number``-th child."""
    network = networks.build(NETWORK)
    built = framework.build(network, weights.load(Path(weights_path), network), settings, training=False)
    images = [weights.probe_images(network, SEED + n, BATCH) for n in range(measure.BATCHES)]
    batches = [built.put(each) for each in images]
    makers: list[Callable[[], Loop]] = [
        lambda: measure.Stepper(built, built.infer, batches, built.inferring).run,
        lambda: BARE[name](built, batches),
    ]
    loops = {make: make() for make in (makers if number % 2 else reversed(makers))}
    ours, bare = (loops[make] for make in makers)
    return statistics.median(logarithms(ours, bare, pairs, BLOCK_S))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--forks", type=int, default=10)
    parser.add_argument("--pairs", type=int, default=40)
    parser.add_argument("--threads", type=int, help="default: all cores")
    parser.add_argument("--framework", action="append", choices=TRAINERS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    launcher, rows = Launcher(options.threads or available_cores()), []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "probe.safetensors")
        weights.save(path, weights.probe(networks.build(NETWORK), SEED))
        for name in options.framework or TRAINERS:
            request = {"name": name, "weights_path": str(path), "pairs": options.pairs}
            task, numbers = "docs.studies.overhead:compare", range(options.forks)
            logs = [launcher.ask(name, task, {**request, "number": number}, 3600) for number in numbers]
            about = {"framework": name, "forks": options.forks, "pairs": options.pairs}
            rows.append({**about, **ratio_of_forks(logs), "each": [round(math.exp(log), 4) for log in logs]})
            print(SHOWN.format(**rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
