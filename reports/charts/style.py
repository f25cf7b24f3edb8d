"""How every chart looks: colours, shapes, dashes, type.

Colours are the style sheet's variables, so that one chart serves light, dark and print. Colour is never
alone: every framework has a shape and a dash of its own, and rows carry names.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from implementations.network import plain

Spec = dict[str, Any]
SLOTS = ("pytorch", "keras-tensorflow", "keras-jax", "keras-torch", "paddle", "onnxruntime")
# Each has an area, for marks are filled: Vega's "stroke" would not be seen.
SHAPES = (
    "circle",
    "square",
    "diamond",
    "triangle-down",
    "triangle-up",
    "cross",
    "triangle-right",
    "triangle-left",
)
WIDTHS = (4.5, 2.75, 1.25)  # equal curves lie on each other: the lower ones look out on both sides
DASHES = ([1, 0], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2], [1, 2], [12, 3], [6, 2, 2, 2])
INK, QUIET, FAINT, PAPER = "var(--ink)", "var(--quiet)", "var(--rule)", "var(--paper)"
ROWS = alt.NamedData(name="rows")
LABEL = alt.Axis(
    labelExpr="split(replace(datum.label, ' (from', '\\n(from'), '\\n')",  # an export's source below it
    labelLimit=132,
    labelPadding=8,
    ticks=False,
    domain=False,
    labelFontSize=12,
)


def slot(framework: str) -> str:
    """The name of the framework's colour in the style sheet."""
    name = plain(framework.partition(" (")[0])
    return name if name in SLOTS else "other"


def looks(titles: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour, shape and dash of every framework; two builds of one share the colour alone."""
    taken: set[int] = set()
    found = {}
    for number, title in enumerate(titles):
        name = slot(title)
        order = range(
            SLOTS.index(name) if name in SLOTS else len(SLOTS), len(SLOTS) + len(SHAPES) + len(SLOTS)
        )
        place = next((place % len(SHAPES) for place in order if place % len(SHAPES) not in taken), 0)
        taken = (taken | {place}) if len(taken) + 1 < len(SHAPES) else set()
        width = WIDTHS[number % len(WIDTHS)]
        found[title] = {
            "color": f"var(--{name})",
            "shape": SHAPES[place],
            "dash": DASHES[place],
            "width": width,
        }
    return found


def framework_color() -> alt.Color:
    return alt.Color("color:N", scale=None, legend=None)


def framework_shape() -> alt.Shape:
    return alt.Shape("shape:N", scale=None, legend=None)


def framework_dash() -> alt.StrokeDash:
    return alt.StrokeDash("dash:N", scale=None, legend=None)


def names() -> alt.Y:
    """A row a framework, in the rows' order."""
    return alt.Y("name:N", sort=None, title=None, axis=LABEL, scale=alt.Scale(paddingOuter=0.2))


def tooltips(**titles: str) -> list[alt.Tooltip]:
    """A tooltip's lines: fields of texts, by title."""
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in titles.items()]


def only(field: str, chart: alt.Chart) -> alt.Chart:
    """``chart`` over the rows with something in ``field``; the page's script drops it if none has."""
    named: alt.Chart = chart.transform_filter(f"datum.{field}").properties(name=f"only_{field}")
    return named


def finished(chart: alt.TopLevelMixin, height: int) -> Spec:
    """The chart's specification, as wide as its place on the page; its data come with the page."""
    text = {
        "labelColor": QUIET,
        "titleColor": QUIET,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    }
    axis = {"gridColor": FAINT, "domainColor": FAINT, "tickColor": FAINT, **text}
    spec: Spec = (
        chart.properties(
            width="container", height=height, autosize=alt.AutoSizeParams(type="fit-x", contains="padding")
        )
        .configure(
            background="transparent",
            font="system-ui, sans-serif",
        )
        .configure_axis(**axis)
        .configure_axisY(labelColor=INK)
        .configure_view(stroke=None)
        .to_dict()
    )
    return spec
