"""How far stock GoogLeNets, VGGs, ResNets and AlexNets are from each other and from ours.

    python docs/studies/stock_networks.py torchvision|keras|paddle|tf-slim [--network N] [--json FILE]

One framework a process, from the project's root. Seeded weights go into the stock model and into our
NumPy reference; what is printed are Markdown tables: counts and shapes, then the difference of the main
logits at 224×224 in inference mode, max|a−b| / max|stock|. ``docs/not-the-same-network.md`` reads them.
"""

import importlib
import importlib.util
import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
from stock_definitions import CASES, Case, Variation
from stock_units import Array, Model, Unit, drawn, placed

from implementations import commandline, reference, weights
from implementations.errors import UserError
from implementations.files import replacing
from implementations.spec import Network

MODULES = {
    "torchvision": ("torch", "torchvision"),
    "keras": ("keras", "tensorflow"),
    "paddle": ("paddle",),
    "tf-slim": ("tensorflow", "tf_slim", "tf_keras"),
}
LOADERS = {"tf-slim": "stock_slim"}
BATCH = np.array([0, 1, 2, 5], np.float32)  # mean 2, variance 14/4 (biased) or 14/3 (unbiased)
SAME = 2e-5  # what the proofs allow float32 dense layers
RESTATED = "nothing: our restatement of it"
ALL_OURS = "all that are ours"


def main(arguments: Sequence[str]) -> int:
    parser = commandline.Parser(prog="python docs/studies/stock_networks.py")
    parser.add_argument("zoo", choices=list(CASES))
    parser.add_argument("--network", action="append", metavar="N", help="stock model by its name; repeatable")
    parser.add_argument("--images", type=commandline.positive, default=2, metavar="N", help="default: 2")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args(arguments)
    require_installed(options.zoo)
    cases = chosen(options.zoo, options.network)
    loader = importlib.import_module(LOADERS.get(options.zoo, f"stock_{options.zoo}"))
    rows = [studied(case, loader.Stock(case.model), options.images) for case in cases]
    data = {"zoo": options.zoo, "versions": loader.versions(), "images": options.images, "models": rows}
    if hasattr(loader, "batch_norm_step"):
        data["batch_norm"] = batch_norm_habits(*loader.batch_norm_step(BATCH))
    print("\n".join(as_markdown(data)))
    if options.json:
        with replacing(options.json, "the study") as temporary:
            temporary.write_text(json.dumps(data, indent=1), encoding="utf-8")
    return 0 if all(row["same"] for row in rows) else 1


def require_installed(zoo: str) -> None:
    """Refuse a zoo whose packages are not here."""
    missing = [name for name in MODULES[zoo] if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"{zoo} is not installed",
            given=f"an environment without {', '.join(missing)}",
            allowed=f"one with {', '.join(MODULES[zoo])}",
            todo="install it as docs/not-the-same-network.md says, or study another framework",
        )


def chosen(zoo: str, names: Sequence[str] | None) -> list[Case]:
    known = {case.model: case for case in CASES[zoo]}
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise UserError(
            f"{zoo} has no such model in this study",
            given=", ".join(unknown),
            allowed=", ".join(known),
            todo="choose one of these names",
        )
    return [known[name] for name in names or known]


def batch_norm_habits(mean: float, variance: float) -> dict[str, float]:
    """The share of the new batch in the running statistics, and the variance that the batch was given.

    From the statistics of a new layer (0 and 1) after one training step on ``BATCH``.
    """
    share = mean / float(BATCH.mean())
    return {"share": share, "variance": (variance - (1 - share)) / share}


# --- Measuring ----------------------------------------------------------------------------


def studied(case: Case, model: Model, images: int) -> dict[str, Any]:
    """Counts, shapes and differences of one stock model."""
    units = drawn(model.units, case.gain)
    require_complete(case, model, units)
    model.load(units)
    main_units = [unit for unit in units if not unit.auxiliary]
    differences = {
        f"{std:g}": {
            name: difference(case, variations, main_units, model, std, images)
            for name, variations in compared(case)
        }
        for std in case.images
    }
    return {
        "model": case.model,
        "trainable": sum(unit.trainable for unit in main_units),
        "running": sum(unit.running for unit in main_units),
        "trainable_with_auxiliary": model.trainable,
        "multiply_adds": sum(unit.multiply_adds for unit in main_units),
        "trunk": [size for size, _ in itertools.groupby(model.trunk)],
        "differences": differences,
        "same": all(column[RESTATED] < SAME for column in differences.values()),
    }


def require_complete(case: Case, model: Model, units: Sequence[Unit]) -> None:
    """The study's own guards: no parameter forgotten, no difference from our network left unnamed."""
    if model.trainable != sum(unit.trainable for unit in units):
        raise ValueError(f"{case.model}: trainable parameters were missed")
    if model.running != sum(unit.running for unit in units):
        raise ValueError(f"{case.model}: running statistics were missed")
    ours = [variation for variation in case.variations if variation.ours]
    if case.target is not None and edited(case.network, ours).layers != case.target.layers:
        raise ValueError(f"{case.model}: the named differences do not lead to {case.target.name}")


def compared(case: Case) -> Iterator[tuple[str, list[Variation]]]:
    """What is computed in place of the stock model: its restatement, then one difference at a time."""
    ours = [variation for variation in case.variations if variation.ours]
    yield RESTATED, []
    for variation in case.variations:
        yield variation.name, [variation]
    if len(ours) > 1:
        yield ALL_OURS, ours


def edited(network: Network, variations: Sequence[Variation]) -> Network:
    for variation in variations:
        network = network.edited(variation.layer)
    return network


def difference(
    case: Case, variations: Sequence[Variation], units: Sequence[Unit], model: Model, std: float, images: int
) -> float:
    """max|a−b| / max|b| of the main logits: a ours with ``variations``, b the stock model's."""
    network = edited(case.network, variations)
    paths = [node.path for node in network.nodes if node.parameters]
    by_path = dict(zip(paths, units, strict=True))
    for edit in (case.unit, *(variation.unit for variation in variations)):
        by_path = {path: edit(path, unit) for path, unit in by_path.items()}
    batch = weights.uniform(1 << 20, (images, *network.input_shape), std * 3**0.5)
    stock = model.logits(batch).astype("float64")
    own = logits(network, placed(network, by_path), batch)
    return float(abs(own - stock).max() / abs(stock).max())


def logits(network: Network, values: dict[str, Array], batch: Array) -> Array:
    return reference.forward(network, values, batch)[network.heads[0].path]


# --- Printing -----------------------------------------------------------------------------


def as_markdown(data: dict[str, Any]) -> Iterator[str]:
    named = ", ".join(f"{name} {number}" for name, number in data["versions"].items())
    yield f"{named}; {data['images']} images at 224×224\n"
    yield "| model | trainable | with auxiliary heads | running statistics | multiply-adds | heights |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in data["models"]:
        counts = (row["trainable"], row["trainable_with_auxiliary"], row["running"], row["multiply_adds"])
        cells = (row["model"], *(f"{count:,}" for count in counts), "→".join(map(str, row["trunk"])))
        yield f"| {' | '.join(cells)} |"
    if "batch_norm" in data:
        share, variance = data["batch_norm"].values()
        yield f"\na new batch norm takes {share:.2g} of each batch, variance {variance:.4f} of 0, 1, 2, 5"
    for row in data["models"]:
        columns = row["differences"]
        yield (
            f"\n| {row['model']}, with this changed | "
            + " | ".join(f"images of std {std}" for std in columns)
            + " |"
        )
        yield "| --- |" + " --- |" * len(columns)
        for name in next(iter(columns.values())):
            yield f"| {name} | " + " | ".join(f"{column[name]:.1e}" for column in columns.values()) + " |"


if __name__ == "__main__":
    sys.exit(commandline.run(main))
