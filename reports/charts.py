"""Dataclasses → charts, as Vega-Lite specifications.

Colours are the style sheet's variables, so that one chart serves light, dark and print. Colour is
never alone: points carry their framework's name or its shape, lines their dashes.
"""

from collections.abc import Sequence
from typing import Any

import altair as alt

from implementations.network import plain
from reports.queries import Group, Measured
from reports.training import Curve, Training
from reports.wording import ends, quantity

Spec = dict[str, Any]
Row = dict[str, Any]  # of a chart's data
SLOTS = ("pytorch", "keras-tensorflow", "keras-jax", "keras-torch", "paddle", "onnxruntime")
SHAPES = ("circle", "square", "diamond", "triangle-down", "triangle-up", "cross")
DASHES = ([1, 0], [7, 4], [2, 3], [10, 3, 2, 3], [4, 2], [1, 2])
WIDTHS = (5, 3, 1.5)  # equal curves lie on each other: the lower ones look out on both sides
SIZES = (190, 80, 24)  # of the points, in square pixels
ROW_HEIGHT = 46  # pixels
CURVE_HEIGHT = 230
LONGEST_WHISKER = 2  # times the largest fork: an interval of few scattered forks is nearly endless
ROOM = 1.06  # the axis goes this much beyond the largest value
INK, FAINT = "var(--ink)", "var(--rule)"
MEASURES = {"test_accuracy": "Test accuracy", "test_loss": "Test loss", "train_loss": "Training loss"}


def slot(framework: str) -> str:
    """The name of the framework's colour in the style sheet."""
    name = plain(framework)
    return name if name in SLOTS else "other"


def throughput(group: Group) -> Spec:
    """A row a case: bar and point at the throughput, its interval as whisker, every fork as a dot."""
    largest = max(median for case in group.cases for median in case.medians)
    rows = [_row(case, furthest=LONGEST_WHISKER * largest) for case in group.cases]
    forks = [{"name": case.title, "fork": median} for case in group.cases for median in case.medians]
    furthest = max([row["shown"] for row in rows] + [largest])
    scale = alt.Scale(domain=[0, furthest * ROOM], nice=False, zero=True)
    axis = alt.Axis(tickCount=4, format=",f", domain=False, ticks=False)
    x = alt.X("value:Q", scale=scale, axis=axis, title="images per second")
    y = alt.Y("name:N", sort=[row["name"] for row in rows], title=None, axis=_names_axis())
    color = alt.Color("slot:N", scale=_colors([case.case.framework for case in group.cases]), legend=None)
    layers = alt.layer(
        _bars(rows, x, y, color), *_whiskers(rows, y), *_values(rows, y, color), _dots(forks, y)
    )
    names = ", ".join(f"{row['name']} {row['text']}" for row in rows)
    about = f"Images per second, {group.network} {group.task} batch {group.batch}: {names}"
    return _finished(layers, height=ROW_HEIGHT * len(rows), about=about)


def _row(case: Measured, furthest: float) -> Row:
    interval = case.throughput
    return {
        "name": case.title,
        "slot": case.case.framework,
        "value": interval.value,
        "low": interval.low,
        "shown": min(interval.high, furthest),  # the whisker's upper end
        "cut": interval.high > furthest,
        "text": quantity(interval.value),
        "ends": ends(interval),
    }


def _bars(rows: list[Row], x: alt.X, y: alt.Y, color: alt.Color) -> alt.Chart:
    return alt.Chart(alt.Data(values=rows)).mark_bar(height=14, opacity=0.22).encode(x=x, y=y, color=color)


def _whiskers(rows: list[Row], y: alt.Y) -> list[alt.Chart]:
    """Lines with a tick at their ends, or an arrow where one goes on beyond the chart."""
    base = alt.Chart(alt.Data(values=rows)).encode(y=y)
    tick = base.mark_tick(height=10, thickness=2, color=INK)
    arrow = base.mark_point(shape="triangle-right", filled=True, size=70, opacity=1, color=INK)
    line = base.mark_rule(strokeWidth=2, color=INK).encode(x=alt.X("low:Q"), x2=alt.X2("shown:Q"))
    upper = tick.transform_filter("!datum.cut"), arrow.transform_filter("datum.cut")
    return [line, tick.encode(x=alt.X("low:Q")), *(end.encode(x=alt.X("shown:Q")) for end in upper)]


def _values(rows: list[Row], y: alt.Y, color: alt.Color) -> list[alt.Chart]:
    """The points, each with its number above it."""
    titles = {"name": "framework", "text": "images/s", "ends": "interval"}
    tooltip = [alt.Tooltip(f"{field}:N", title=title) for field, title in titles.items()]
    base = alt.Chart(alt.Data(values=rows)).encode(x=alt.X("value:Q"), y=y, tooltip=tooltip)
    text = base.mark_text(baseline="bottom", dy=-9, color=INK, fontWeight=600)
    return [base.mark_point(size=80, filled=True, opacity=1).encode(color=color), text.encode(text="text:N")]


def _dots(forks: list[Row], y: alt.Y) -> alt.Chart:
    tooltip = [
        alt.Tooltip("name:N", title="framework"),
        alt.Tooltip("fork:Q", title="a fork", format=",.4~g"),
    ]
    mark = alt.Chart(alt.Data(values=forks)).mark_point(
        size=14, filled=True, yOffset=13, opacity=0.75, color=INK
    )
    return mark.encode(x=alt.X("fork:Q"), y=y, tooltip=tooltip)


def curves(training: Training, measure: str) -> Spec:
    """One measure ("test_accuracy", "test_loss" or "train_loss") by epoch, a line a framework."""
    names = [curve.framework for curve in training.curves]
    rows = [row for order, curve in enumerate(training.curves) for row in _points(curve, order, measure)]
    last = max(curve.last.number for curve in training.curves)
    ticks = list(range(0, last + 1, max(1, last // 6)))
    x = alt.X("epoch:Q", title="epoch", axis=alt.Axis(values=ticks, format="d", grid=False))
    form = "%" if measure == "test_accuracy" else "f"
    y = alt.Y("value:Q", title=None, axis=alt.Axis(format=form, tickCount=5), scale=alt.Scale(zero=False))
    color = alt.Color("name:N", scale=_colors(names), legend=_legend())
    shape = alt.Shape("name:N", scale=alt.Scale(domain=names, range=_cycled(SHAPES, names)), legend=_legend())
    base = alt.Chart(alt.Data(values=rows)).encode(x=x, y=y, color=color)
    tooltip = [
        alt.Tooltip("name:N", title="framework"),
        alt.Tooltip("epoch:Q"),
        alt.Tooltip("text:N", title=MEASURES[measure]),
    ]
    layers = alt.layer(
        base.mark_line(opacity=0.8).encode(
            strokeDash=alt.StrokeDash("dash:N", scale=None),
            strokeWidth=alt.StrokeWidth("width:Q", scale=None),
        ),
        base.mark_point(filled=True, opacity=1, stroke="var(--paper)", strokeWidth=0.8).encode(
            shape=shape, size=alt.Size("size:Q", scale=None), tooltip=tooltip
        ),
    )
    about = f"{MEASURES[measure]} by epoch, {training.task.recipe}: {', '.join(names)}"
    return _finished(layers, height=CURVE_HEIGHT, about=about)


def _points(curve: Curve, order: int, measure: str) -> list[Row]:
    """The curve's rows; one drawn later is thinner, so that equal curves are all seen."""
    (dash,) = _cycled(DASHES, [curve.framework])
    look = {"dash": dash, "width": WIDTHS[order % len(WIDTHS)], "size": SIZES[order % len(SIZES)]}
    found = []
    for epoch in curve.epochs:
        value = getattr(epoch, measure)
        if value is not None:
            row = {"name": curve.framework, "epoch": epoch.number, "value": value, "text": f"{value:.4f}"}
            found.append({**row, **look})
    return found


def _colors(names: Sequence[str]) -> alt.Scale:
    return alt.Scale(domain=list(names), range=[f"var(--{slot(name)})" for name in names])


def _cycled(values: Sequence[Any], names: Sequence[str]) -> list[Any]:
    """A value for each name: that of its slot, so that it is the same everywhere."""
    places = [SLOTS.index(name) if name in SLOTS else index for index, name in enumerate(names)]
    return [values[place % len(values)] for place in places]


def _names_axis() -> alt.Axis:
    """Frameworks' names; where an export comes from stands on a second line."""
    lines = "split(replace(datum.label, ' (from', '\\n(from'), '\\n')"
    return alt.Axis(
        labelExpr=lines, labelLimit=130, labelPadding=8, ticks=False, domain=False, labelFontSize=12
    )


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", title=None, columns=3, symbolSize=90, labelLimit=160)


def _finished(chart: alt.LayerChart, height: int, about: str) -> Spec:
    """The chart's specification, as wide as its place on the page."""
    sized = chart.properties(width="container", height=height, description=about)
    text = {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    }
    spec: Spec = (
        sized.configure(
            background="transparent",
            font="system-ui, sans-serif",
            autosize={"type": "fit-x", "contains": "padding"},
        )
        .configure_axis(gridColor=FAINT, domainColor=FAINT, tickColor=FAINT, **text)
        .configure_legend(labelColor=INK, labelFontSize=12)
        .configure_view(stroke=None)
        .to_dict()
    )
    return spec
