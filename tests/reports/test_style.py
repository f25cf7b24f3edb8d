"""Marks of frameworks: each is seen, in charts and in legends."""

import re

import altair as alt
import pytest
import vl_convert

from implementations.commandline import ROOT
from reports.charts.style import SHAPES, framework_shape


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_an_area_to_fill(shape: str) -> None:
    """As Vega draws it: a line, which is what its "stroke" is, is neither closed nor round."""
    marks = alt.Chart(alt.Data(values=[{"shape": shape}])).mark_point(filled=True)
    drawn = vl_convert.vegalite_to_svg(marks.encode(shape=framework_shape()).to_dict())
    (outline,) = re.findall(r'aria-roledescription="point"[^>]* d="([^"]+)"', drawn)
    assert set(outline) & set("ZA")


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_has_a_glyph_in_tables(shape: str) -> None:
    script = (ROOT / "reports" / "templates" / "script" / "tables.js").read_text(encoding="utf-8")
    glyphs = script[script.index("GLYPHS = {") :].partition("};")[0]
    assert re.search(rf'(?<!-)\b"?{shape}"?: "M', glyphs)
