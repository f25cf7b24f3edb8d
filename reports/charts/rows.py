"""Charts with a row a framework, one chart a group of compared cases, as Vega-Lite specifications."""

import altair as alt

from reports.charts.style import (
    INK,
    PAPER,
    QUIET,
    ROWS,
    Spec,
    finished,
    framework_color,
    framework_shape,
    names,
    only,
    tooltips,
)

BAR = 13
HEIGHT = 100  # the page's script gives each chart as many rows' height as it has rows
PERCENTS = "format(datum.value * 100, ',.3~r') + '\\u00a0%'"
PHASES = ("import", "build", "first call", "warm-up")


def _x(title: str, **axis: object) -> alt.X:
    look = {"tickCount": 4, "format": ",.4~r", "domain": False, "ticks": False, **axis}
    return alt.X("value:Q", title=title, axis=alt.Axis(**look), scale=alt.Scale(zero=True, nice=False))


def _text(dy: int = -10) -> alt.Chart:
    mark = alt.Chart(ROWS).mark_text(baseline="bottom", dy=dy, color=INK, fontWeight=600)
    return mark.encode(x="value:Q", y=names(), text="text:N")


def _bars(title: str, **axis: object) -> alt.Chart:
    mark = alt.Chart(ROWS).mark_bar(height=BAR, opacity=0.24, cornerRadiusEnd=2)
    return mark.encode(x=_x(title, **axis), y=names(), color=framework_color())


def _points(tooltip: list[alt.Tooltip], size: int = 80) -> alt.Chart:
    mark = alt.Chart(ROWS).mark_point(size=size, filled=True, opacity=1)
    return mark.encode(
        x="value:Q", y=names(), color=framework_color(), shape=framework_shape(), tooltip=tooltip
    )


def throughput() -> Spec:
    """Bar and point at the throughput, its interval as whisker, every fork as a dot below."""
    base = alt.Chart(ROWS).encode(y=names())
    line = base.mark_rule(strokeWidth=1.75, color=INK).encode(x="low:Q", x2="shown:Q")
    tick = base.mark_tick(height=9, thickness=1.75, color=INK)
    arrow = base.mark_point(shape="triangle-right", filled=True, size=60, opacity=1, color=INK)
    forks = alt.Chart(alt.NamedData(name="forks")).mark_point(
        size=13, filled=True, yOffset=13, opacity=0.7, color=INK
    )
    chart = alt.layer(
        _bars("images per second"),
        line,
        tick.encode(x="low:Q"),
        only("whole", tick.encode(x="shown:Q")),
        only("cut", arrow.encode(x="shown:Q")),
        _points(tooltips(name="framework", text="images/s", ends="interval")),
        _text(),
        forks.encode(x="value:Q", y=names(), tooltip=tooltips(name="framework", text="a fork, images/s")),
        alt.Chart(ROWS).mark_point(opacity=0, size=0).encode(x="room:Q"),
    )
    return finished(chart, HEIGHT)


def latency() -> Spec:
    """The median as the framework's point; from it a line to p90 (a tick) and p99 (a stroke at the end)."""
    base = alt.Chart(ROWS).encode(y=names())
    line = base.mark_rule(strokeWidth=1.75, color=QUIET)
    tick = base.mark_tick(thickness=2, color=INK)
    chart = alt.layer(
        line.encode(x=_x("milliseconds a step"), x2="p90:Q"),
        line.encode(x="p90:Q", x2="p99:Q", strokeDash=alt.value([2, 3])),
        tick.encode(x="p90:Q", size=alt.value(12)),
        tick.encode(x="p99:Q", size=alt.value(22)),
        _points(tooltips(name="framework", text="p50, ms", p90_text="p90, ms", p99_text="p99, ms")),
        _text(),
    )
    return finished(chart, HEIGHT)


def memory() -> Spec:
    """Bar: the process's peak; hollow diamond: the device's; tick: what the step needs by arithmetic."""
    base = alt.Chart(ROWS).encode(y=names())
    needed = base.mark_tick(thickness=2.5, height=22, color=INK).encode(x="held:Q")
    device = base.mark_point(shape="diamond", size=90, strokeWidth=2, filled=False, opacity=1)
    tooltip = tooltips(name="framework", text="peak, MiB", device_text="device, MiB", held_text="needed, MiB")
    chart = alt.layer(
        _bars("peak memory, MiB"),
        needed,
        only("device", device.encode(x="device:Q", color=framework_color())),
        _points(tooltip),
        _text(),
    )
    return finished(chart, HEIGHT)


def energy() -> Spec:
    """Bar and number: joules an image."""
    chart = alt.layer(_bars("joules an image"), _points(tooltips(name="framework", text="J/image")), _text())
    return finished(chart, HEIGHT)


def limits() -> Spec:
    """Two bars a framework: share of the FLOP/s ceiling (upper), of the copy ceiling (lower)."""
    scale = alt.Scale(domainMin=0, domainMax={"expr": "max(1, data('rows')[0].furthest)"}, nice=False)  # type: ignore[arg-type]
    axis = alt.Axis(labelExpr=PERCENTS, tickCount=4, domain=False, ticks=False)
    base = alt.Chart(ROWS).encode(y=names(), color=framework_color())
    full = alt.Chart(ROWS).mark_rule(color=INK, strokeDash=[4, 3]).encode(x=alt.datum(1))
    tooltip = tooltips(name="framework", flop_text="of FLOP/s ceiling", copy_text="of copy ceiling")
    flop = base.mark_bar(height=9, yOffset=-6, opacity=0.85).encode(
        x=alt.X("flop:Q", title="share of this machine’s ceiling", axis=axis, scale=scale), tooltip=tooltip
    )
    copy = base.mark_bar(height=9, yOffset=6, fillOpacity=0.12, strokeWidth=1.5, strokeOpacity=1).encode(
        x="copy:Q", stroke=framework_color(), tooltip=tooltip
    )
    text = {"align": "left", "baseline": "middle", "dx": 5, "color": INK, "fontSize": 11}
    words = alt.Chart(ROWS).encode(y=names())
    chart = alt.layer(
        flop,
        copy,
        words.mark_text(yOffset=-6, **text).encode(x="flop:Q", text="flop_text:N"),
        words.mark_text(yOffset=6, **text).encode(x="copy:Q", text="copy_text:N"),
        full,
    )
    return finished(chart, HEIGHT)


def policies() -> Spec:
    """Hollow circle: equal; the framework's filled shape: best; a line between; the factor above."""
    base = alt.Chart(ROWS).encode(y=names(), color=framework_color())
    tooltip = tooltips(
        name="framework", equal_text="equal, images/s", text="best, images/s", factor="best / equal"
    )
    text = alt.Chart(ROWS).mark_text(baseline="bottom", dy=-10, color=INK, fontWeight=600)
    chart = alt.layer(
        base.mark_rule(strokeWidth=2.5, opacity=0.55).encode(x=_x("images per second"), x2="equal:Q"),
        base.mark_point(size=80, filled=True, fill=PAPER, strokeWidth=2, opacity=1).encode(
            x="equal:Q", stroke=framework_color(), tooltip=tooltip
        ),
        _points(tooltip, size=90),
        text.encode(x="value:Q", y=names(), text="factor:N"),
    )
    return finished(chart, HEIGHT)


def phases() -> Spec:
    """Seconds before measuring begins, stacked in their order: import, build, first call, warm-up."""
    order = alt.Scale(domain=list(PHASES), range=[f"var(--phase-{n})" for n in range(1, len(PHASES) + 1)])
    x = alt.X(
        "seconds:Q",
        title="seconds of a fork",
        stack="zero",
        axis=alt.Axis(tickCount=5, domain=False, ticks=False),
    )
    legend = alt.Legend(orient="top", title=None, labelColor=INK, labelFontSize=12, symbolType="square")
    bar = (
        alt.Chart(ROWS)
        .mark_bar(height=16, stroke=PAPER, strokeWidth=1)
        .encode(
            x=x,
            y=names(),
            color=alt.Color("phase:N", scale=order, legend=legend),
            order=alt.Order("order:Q"),
            tooltip=tooltips(name="framework", phase="phase", text="seconds"),
        )
    )
    label = (
        alt.Chart(ROWS)
        .transform_filter("datum.wide")
        .mark_text(color=INK, fontSize=10)
        .encode(x=alt.X("middle:Q"), y=names(), text="text:N")
    )
    return finished(alt.layer(bar, label).resolve_scale(x="shared"), HEIGHT)


SPECS = {
    "throughput": throughput,
    "latency": latency,
    "memory": memory,
    "energy": energy,
    "limits": limits,
    "policies": policies,
    "phases": phases,
}
