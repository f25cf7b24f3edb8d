"""A network's layer table, as text and as data. Standard library only."""

from typing import Any

from implementations.spec import Network, Node, Shape, trainable_sizes

COLUMNS = ("index", "name", "type", "input", "output", "parameters", "multiply-adds")


def as_data(network: Network) -> dict[str, Any]:
    """The table as JSON data; ``totals`` count the auxiliary heads, ``totals_without_auxiliary`` do not."""
    return {
        "network": network.name,
        "source": network.source,
        "digest": network.digest,
        "classes": network.classes,
        "input_shape": list(network.input_shape),
        "totals": totals(network),
        "totals_without_auxiliary": totals(network.inference()),
        "layers": [_row(index, node) for index, node in enumerate(network.nodes, start=1)],
    }


def totals(network: Network) -> dict[str, int]:
    """Elements of all, trainable and frozen parameters; multiply-adds of one image's forward pass."""
    trainable, frozen = trainable_sizes(network.parameters)
    return {
        "parameters": trainable + frozen,
        "trainable": trainable,
        "frozen": frozen,
        "multiply_adds": network.multiply_adds,
    }


def _row(index: int, node: Node) -> dict[str, Any]:
    return {
        "index": index,
        "name": node.path,
        "type": type(node.layer).__name__,
        "input_shapes": [list(shape) for shape in node.input_shapes],
        "output_shape": list(node.output_shape),
        "parameters": sum(parameter.size for parameter in node.parameters),
        "multiply_adds": node.multiply_adds,
        "auxiliary": node.auxiliary,
    }


def as_table(network: Network) -> str:
    """The table as text: a line a layer, then the totals."""
    lines = [COLUMNS, *(_cells(index, node) for index, node in enumerate(network.nodes, start=1))]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    rows = ["  ".join(_aligned(line, widths)).rstrip() for line in lines]
    rule = "-" * max(map(len, rows))
    title = f"{network.name}: {network.source}; {network.classes} classes, input {shown(network.input_shape)}"
    return "\n".join([title, "", rows[0], rule, *rows[1:], rule, *_total_lines(network)])


def _cells(index: int, node: Node) -> tuple[str, ...]:
    return (
        str(index),
        node.path,
        type(node.layer).__name__,
        " + ".join(dict.fromkeys(shown(shape) for shape in node.input_shapes)),
        shown(node.output_shape),
        f"{sum(parameter.size for parameter in node.parameters):,}",
        f"{node.multiply_adds:,}",
    )


def _aligned(cells: tuple[str, ...], widths: list[int]) -> list[str]:
    """Numbers to the right, words to the left."""
    right = {0, 5, 6}
    return [
        c.rjust(w) if i in right else c.ljust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True))
    ]


def _total_lines(network: Network) -> list[str]:
    bare = network.inference()
    lines = [_total_line("all layers", network)]
    if len(bare.nodes) < len(network.nodes):
        lines.append(_total_line("without auxiliary heads", bare))
    return lines


def _total_line(what: str, network: Network) -> str:
    count = totals(network)
    return (
        f"{what}: {count['parameters']:,} parameters ({count['trainable']:,} trainable, "
        f"{count['frozen']:,} frozen), {count['multiply_adds']:,} multiply-adds an image"
    )


def shown(shape: Shape) -> str:
    """``3×224×224``: channels, height, width."""
    return "×".join(map(str, shape))
