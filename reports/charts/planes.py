"""Charts over two axes of numbers: batch sweeps, roofline, learning, history, as Vega-Lite specifications."""

import altair as alt

from reports.charts.style import (
    INK,
    PAPER,
    QUIET,
    ROWS,
    Spec,
    finished,
    framework_color,
    framework_dash,
    framework_shape,
    only,
    tooltips,
)

HEIGHT = 250


def _line(width: float = 2, **look: object) -> alt.Chart:
    mark = alt.Chart(ROWS).mark_line(strokeWidth=width, **look)
    return mark.encode(color=framework_color(), strokeDash=framework_dash(), detail="series:N")


def _points(tooltip: list[alt.Tooltip], size: int = 70) -> alt.Chart:
    mark = alt.Chart(ROWS).mark_point(size=size, filled=True, opacity=1, stroke=PAPER, strokeWidth=1)
    return mark.encode(color=framework_color(), shape=framework_shape(), tooltip=tooltip)


def sweep() -> Spec:
    """Images/s against batch size, both logarithmic, a line a framework, intervals as bars."""
    batches = alt.Axis(format=",d", grid=False, labelOverlap=True)
    x = alt.X("batch:Q", title="batch size", scale=alt.Scale(type="log", base=2, nice=False), axis=batches)
    y = alt.Y(
        "value:Q",
        title="images per second",
        scale=alt.Scale(type="log", nice=True),
        axis=alt.Axis(tickCount=5, format=",.4~r"),
    )
    interval = alt.Chart(ROWS).mark_rule(strokeWidth=1.5, opacity=0.7)
    chart = alt.layer(
        interval.encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=framework_color()),
        _line().encode(x=x, y=y),
        _points(tooltips(name="framework", batch="batch", text="images/s", ends="interval")).encode(x=x, y=y),
    )
    return finished(chart, HEIGHT)


def roofline() -> Spec:
    """FLOP/s against FLOP a byte, both logarithmic, under the measured ceilings."""
    x = alt.X(
        "intensity:Q",
        title="FLOP a byte, by arithmetic",
        scale=alt.Scale(type="log", nice=False),
        axis=alt.Axis(format=".3~r", grid=False, tickCount=5),
    )
    y = alt.Y(
        "gflops:Q",
        title="GFLOP/s",
        scale=alt.Scale(type="log", nice=False, padding=16),
        axis=alt.Axis(format=",.4~r", tickCount=4, grid=False),
    )
    roofs = alt.Chart(alt.NamedData(name="roofs"))
    tooltip = tooltips(
        case="case", name="framework", text="GFLOP/s", intensity_text="FLOP a byte", share="of the limit"
    )
    chart = alt.layer(
        roofs.mark_line(color=INK, strokeWidth=1.5).encode(
            x=x, y=y, detail="name:N", strokeDash=alt.StrokeDash("dash:N", scale=None)
        ),
        *(
            roofs.mark_text(align="right", dy=-7, fontSize=11, **look)
            .transform_filter("datum.label")
            .encode(x=x, y=y, text="label:N")
            for look in ({"color": PAPER, "stroke": PAPER, "strokeWidth": 4}, {"color": QUIET})  # on a halo
        ),
        _points(tooltip, size=60).encode(x=x, y=y),
    )
    return finished(chart, 340)


def curve() -> Spec:
    """One measure by epoch or second: what was recorded faint, its moving average strong."""
    x = alt.X("x:Q", title=None, axis=alt.Axis(format=",.4~r", grid=False, tickCount=6))
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=".4~r", tickCount=5))
    raw = (
        alt.Chart(ROWS)
        .mark_line(strokeWidth=1, opacity=0.35)
        .encode(x=x, y=alt.Y("raw:Q"), color=framework_color(), detail="series:N")
    )
    tooltip = tooltips(name="framework", seed="seed", epoch="epoch", text="value", smooth_text="smoothed")
    width = alt.StrokeWidth("width:Q", scale=None)
    chart = alt.layer(
        only("raw", raw),
        _line().encode(x=x, y=y, strokeWidth=width),
        _points(tooltip, size=40).encode(x=x, y=y),
    )
    return finished(chart, HEIGHT)


def rate() -> Spec:
    """The learning rate by epoch, as steps."""
    x = alt.X("x:Q", title=None, axis=alt.Axis(format=",.4~r", grid=False, tickCount=6))
    y = alt.Y("value:Q", title=None, axis=alt.Axis(format=".4~r", tickCount=4))
    line = alt.Chart(ROWS).mark_line(interpolate="step-before", strokeWidth=1.75)
    chart = line.encode(
        x=x,
        y=y,
        color=framework_color(),
        strokeDash=framework_dash(),
        detail="series:N",
        tooltip=tooltips(name="framework", epoch="epoch", text="learning rate"),
    )
    return finished(chart, 150)


def history() -> Spec:
    """Every fork of every night, the nights' medians as a line, change points as labelled rules."""
    x = alt.X(
        "night:T",
        title=None,
        scale=alt.Scale(type="utc"),  # a night is a date, the same wherever it is read
        axis=alt.Axis(format="%-d %b %y", grid=False, labelOverlap=True),
    )
    y = alt.Y("value:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(format=",.4~r", tickCount=5))
    changes = alt.Chart(alt.NamedData(name="changes"))
    forks = alt.Chart(alt.NamedData(name="forks")).mark_point(size=12, filled=True, opacity=0.35, color=QUIET)
    steps = alt.Chart(alt.NamedData(name="steps")).mark_line(strokeWidth=1.25, strokeDash=[5, 3], color=INK)
    chart = alt.layer(
        forks.encode(x=x, y=y),
        steps.encode(x=x, y=y, detail="part:N"),
        changes.mark_rule(color=INK, strokeWidth=1).encode(x=x),
        changes.mark_text(
            align="left", baseline="top", dx=4, y=0, color=INK, fontWeight=600, fontSize=11
        ).encode(x=x, text="label:N"),
        alt.Chart(ROWS).mark_line(strokeWidth=1.75, color="var(--accent)").encode(x=x, y=y),
        alt.Chart(ROWS)
        .mark_point(filled=True, opacity=1, size=38, color="var(--accent)")
        .encode(x=x, y=y, tooltip=tooltips(date="night", text="mean", forks="forks", versions="changed")),
    )
    return finished(chart, 220)


SPECS = {"sweep": sweep, "roofline": roofline, "curve": curve, "rate": rate, "history": history}
