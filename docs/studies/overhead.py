"""What the harness adds: its loop against a bare loop in each framework, in alternating blocks.

    python docs/studies/overhead.py [--pairs 400] [--framework F] [--json FILE]

The bare loops below are what someone who knows the framework would write around the same network. A pair is
one block of each; ``pairs.py`` says how a ratio comes of them. Inference of the MLP at batch 32: the fewer
microseconds a step takes, the more an overhead shows. 80 s a framework.
"""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import measure
from docs.studies.pairs import Loop, logarithms, ratio
from implementations import networks, weights
from implementations.network import TRAINERS, Framework, Settings
from implementations.processes import Launcher, available_cores

NETWORK, BATCH, BLOCK_S, SEED = "mlp", 32, 0.1, 0
SHOWN = (
    "{framework:18} {pairs} pairs: {ratio:.4f} ({low:.4f} to {high:.4f});"
    " mean {mean:.4f} ({mean_low:.4f} to {mean_high:.4f})"
)


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


def keras_tensorflow(built: Any, batches: list[Any]) -> Loop:
    import tensorflow as tf

    model, images = built.model, [batch.images for batch in batches]
    predict = tf.function(lambda x: model(x, training=False))

    def loop(steps: int) -> None:
        for step in range(steps):
            predict(images[step % len(images)])
        if tf.config.list_logical_devices("GPU"):
            tf.test.experimental.sync_devices()

    return loop


def keras_jax(built: Any, batches: list[Any]) -> Loop:
    import jax

    model, images = built.model, [batch.images for batch in batches]
    trained = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]
    predict = jax.jit(lambda t, o, x: model.stateless_call(t, o, x, training=False)[0])

    def loop(steps: int) -> None:
        found = [predict(trained, others, images[step % len(images)]) for step in range(steps)]
        jax.block_until_ready(found)

    return loop


def keras_torch(built: Any, batches: list[Any]) -> Loop:
    import torch

    model, images = built.model, [batch.images for batch in batches]

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
    framework: Framework, *, settings: Settings, name: str, weights_path: str, pairs: int
) -> list[float]:
    """Logarithms of harness / bare, one a pair: a child's task."""
    network = networks.build(NETWORK)
    built = framework.build(network, weights.load(Path(weights_path), network), settings, training=False)
    images = [weights.probe_images(network, SEED + n, BATCH) for n in range(measure.BATCHES)]
    batches = [built.put(each) for each in images]
    ours = measure.Stepper(built, built.infer, batches, built.inferring).run
    bare = BARE[name](built, batches)
    return logarithms(ours, bare, pairs, BLOCK_S)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=int, default=400)
    parser.add_argument("--framework", action="append", choices=TRAINERS)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    launcher, rows = Launcher(available_cores()), []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "probe.safetensors")
        weights.save(path, weights.probe(networks.build(NETWORK), SEED))
        for name in options.framework or TRAINERS:
            request = {"name": name, "weights_path": str(path), "pairs": options.pairs}
            logs = launcher.ask(name, "docs.studies.overhead:compare", request, 3600)
            rows.append({"framework": name, "pairs": len(logs), **ratio(logs)})
            print(SHOWN.format(**rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
