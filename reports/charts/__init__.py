"""Every kind of chart as one Vega-Lite specification; the page's script puts the rows in."""

import functools

from reports.charts import planes, rows
from reports.charts.style import Spec, looks, slot

__all__ = ["Spec", "looks", "slot", "specifications"]


@functools.cache
def specifications() -> dict[str, Spec]:
    """Specifications by name, without data; nobody changes them."""
    return {name: make() for name, make in (rows.SPECS | planes.SPECS).items()}
