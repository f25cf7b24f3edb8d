"""How often paddle2onnx writes a wrong local response normalisation.

Start it as "python -m docs.studies.paddle2onnx_lrn".
Exports one network several times without this project's repair, and looks at each file in four ways:
ONNX's checker, the count of parameters, the fill values of its Pad nodes, and the logits that ONNX
Runtime computes from it. Then the same files again, repaired. Run in the project's root.
"""

import math
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from implementations import networks, weights
from implementations.commandline import Parser, image_size, positive, run
from implementations.network import Settings
from implementations.processes import Launcher
from implementations.sameness import BOUNDS, PROBE_SEED, Case, difference

BOUND = BOUNDS[4, "float32"]
TIMEOUT_S = 600.0
HERE = "docs.studies.paddle2onnx_lrn"


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    network = {"name": options.network, "classes": 10, "input_size": options.input}
    launcher = Launcher(threads=1)
    with tempfile.TemporaryDirectory(prefix="study-") as folder:
        values = Path(folder, "weights.safetensors")
        weights.save(values, weights.probe(networks.build(**network), PROBE_SEED))
        request = {"network": network, "weights_path": str(values), "folder": folder}
        launcher.ask("paddle", f"{HERE}:export", {**request, "files": options.files}, TIMEOUT_S)
        rows = launcher.ask("onnxruntime", f"{HERE}:look", request, TIMEOUT_S)
    show(rows)
    return 0


def parser() -> Parser:
    made = Parser(prog=f"python -m {HERE}", description=__doc__)
    made.add_argument("--files", type=positive, default=12, metavar="N", help="exports; default: 12")
    made.add_argument("--network", default="googlenet", help="one with LRN; default: googlenet")
    made.add_argument("--input", type=image_size, default=(96, 96), metavar="HxW", help="default: 96x96")
    return made


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    print(
        f"{'file':>4}  {'checker':8}  {'count':6}  {'values':6}  {'difference':>10}  {'repaired':>10}  fills"
    )
    for number, row in enumerate(rows, start=1):
        verdict = "right" if row["raw"] <= BOUND else "WRONG"
        fills = ", ".join(f"{fill:.3g}" for fill in row["fills"])
        print(
            f"{number:4}  {row['checker']:8}  {row['count']:6}  {verdict:6}  {row['raw']:10.1e}  "
            f"{row['repaired']:10.1e}  {fills}"
        )
    wrong = [row for row in rows if not row["raw"] <= BOUND]
    unseen = [row for row in wrong if (row["checker"], row["count"]) == ("accepts", "right")]
    cured = [row for row in rows if row["repaired"] <= BOUND]
    print(
        f"{len(wrong)} of {len(rows)} files are wrong by value, {len(unseen)} of them pass checker and count;"
    )
    print(f"after the repair {len(cured)} of {len(rows)} are right")


# --- In the children ----------------------------------------------------------------------


def export(
    paddle: Any, *, settings: Settings, network: dict[str, Any], weights_path: str, folder: str, files: int
) -> None:
    """The same network as ``files`` files, from one process, unrepaired: Paddle's task."""
    from implementations.frameworks.paddle.export import convert

    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    for number in range(files):
        built = paddle.build(specification, values, settings, training=False)
        parameters = dict(built.module.named_parameters())
        convert(built.module, parameters, specification, Path(folder, f"{number:03}.onnx"))


def look(
    onnxruntime: Any, *, settings: Settings, network: dict[str, Any], weights_path: str, folder: str
) -> list[dict[str, Any]]:
    """What can be seen of each file, before the repair and after it: ONNX Runtime's task."""
    from implementations import reference

    specification = networks.build(**network)
    values = weights.load(Path(weights_path), specification)
    case = Case.on_probe(specification.inference(), values)
    head = case.network.heads[0].path
    expected = reference.forward(case.network, values, case.images)[head]

    def apart(path: Path) -> float:
        logits = onnxruntime.build(specification, path, settings, training=False).outputs(case.images)
        return difference(logits, expected)

    return [_row(path, apart, case) for path in sorted(Path(folder).glob("*.onnx"))]


def _row(path: Path, apart: Any, case: Case) -> dict[str, Any]:
    import onnx

    from implementations.frameworks.onnx_graph import pad_fills, repair_pads

    model = onnx.load(path)
    constants = {
        node.output[0]: node.attribute[0].t for node in model.graph.node if node.op_type == "Constant"
    }
    paths = {parameter.path for parameter in case.network.parameters}
    count = sum(math.prod(constants[path].dims) for path in paths & set(constants))
    row = {
        "checker": _checked(path),
        "count": "right" if count == sum(p.size for p in case.network.parameters) else "wrong",
        "fills": [float(onnx.numpy_helper.to_array(tensor).ravel()[0]) for tensor in pad_fills(model)],
        "raw": apart(path),
    }
    repair_pads(model, [0.0] * len(pad_fills(model)))  # what local response normalisation asks for
    onnx.save(model, path)
    return {**row, "repaired": apart(path)}


def _counted(model: Any) -> int:
    """Elements of the float constants of more than one element: paddle2onnx keeps parameters there."""
    tensors = (node.attribute[0].t for node in model.graph.node if node.op_type == "Constant")
    sizes = (math.prod(tensor.dims) for tensor in tensors if tensor.data_type == tensor.FLOAT)
    return sum(size for size in sizes if size > 1)


def _checked(path: Path) -> str:
    import onnx

    try:
        onnx.checker.check_model(str(path))
    except onnx.checker.ValidationError:
        return "refuses"
    return "accepts"


if __name__ == "__main__":
    sys.exit(run(main))
