"""Dataclasses and charts → one HTML file, by a template with autoescape."""

import base64
import functools
import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
import vl_convert

from implementations.check import COLUMNS
from reports import charts, wording
from reports.queries import Report

TEMPLATES = Path(__file__).with_name("templates")
REASON_LENGTH = 300  # characters of a failure's reason: some tools say pages


@dataclass
class _Charts:
    """The page's charts in the order of their places."""

    specs: list[charts.Spec] = field(default_factory=list)

    def place(self, spec: charts.Spec) -> int:
        """The number of a new chart, from 1."""
        self.specs.append(spec)
        return len(self.specs)


def render(report: Report) -> str:
    """The page as text; the same report gives the same page."""
    drawn = _Charts()
    scripts = {
        "vega": _chart_library(),
        "script": _file("script.js"),
    }
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            report=report,
            drawn=drawn,
            charts=charts,
            words=wording,
            measures=charts.MEASURES.items(),
            levels=_levels(report),
            heading=_heading(report),
            style=_file("style.css"),
            scripts=scripts,
            script_hashes=" ".join(f"'{_csp_hash(text)}'" for text in scripts.values()),
            vega_licence=_file("vega-licence.txt"),
        )
    )


def _levels(report: Report) -> list[tuple[int, str, str | None]]:
    """(place in ``Proof.cells``, title, precision) of every level that was compared in this run."""
    titles = [(heading.removesuffix(f" {precision}"), precision) for heading, _, precision in COLUMNS]
    compared = [i for i in range(len(COLUMNS)) if any(proof.cells[i] for proof in report.proofs)]
    return [(i, *titles[i]) for i in compared]


def _chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed, ready to stand in a script element."""
    bundle: str = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # its stub demands what it does not
    return bundle


def _csp_hash(script: str) -> str:
    """What the page's security policy names a script by: nothing else on the page can run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _heading(report: Report) -> str:
    *before, last = report.frameworks or ("No framework yet",)
    names = f"{', '.join(before)} and {last}" if before else last
    return f"{names} on the same networks"


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shortened": _shortened}
    return environment


def _shortened(text: str) -> str:
    return text if len(text) <= REASON_LENGTH else text[:REASON_LENGTH] + " …"
