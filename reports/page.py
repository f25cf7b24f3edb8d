"""Dataclasses and their data → one HTML file, by templates with autoescape."""

import base64
import functools
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import vl_convert

from implementations.network import place
from reports import dataset, headlines, sameness_data, strips, tabs, wording
from reports.proofs import Proof
from reports.queries import Report

TEMPLATES = Path(__file__).with_name("templates")
STYLES = ("base", "head", "views")
SCRIPTS = ("words", "data", "state", "tables", "charts", "views", "learning", "history", "main")


@dataclass(frozen=True)
class Seal:
    """Whether all that the page shows is proven."""

    proofs: tuple[Proof, ...]
    breaches: tuple[Proof, ...]
    unproven: tuple[str, ...]
    holds: bool

    @property
    def claims(self) -> int:
        return len(self.proofs)

    @property
    def held(self) -> int:
        return self.claims - len(self.breaches)

    @property
    def exports(self) -> bool:
        return any(proof.exporter for proof in self.proofs)


def render(reports: Sequence[Report], history: Sequence[dict[str, Any]] = (), index: str = "") -> str:
    """The page as text; the same reports give the same page. ``index`` is a link to the site's first page."""
    data = dataset.of(reports, history)
    return written(
        data=data,
        tabs=tabs.of(data),
        reports=reports,
        seal=_seal(reports),
        answers=[card for report in reports for card in _cards(report, alone=len(reports) == 1)],
        facts=[fact for report in reports for fact in _facts(report)],
        failed=any(report.failures for report in reports),
        heading=_heading(reports),
        slips=sameness_data.slips(reports),
        index=index,
    )


def listing(heading: str, rows: dict[str, list[dict[str, Any]]], index: str = "", **content: Any) -> str:
    """A page of tables and charts over ``rows`` alone: a site's first page, or its history."""
    names = [name for found in rows.values() for row in found for name in _named(row["name"])]
    data = dataset.bare(rows, sorted(set(names), key=lambda name: (place(name.partition(" (")[0]), name)))
    nothing = {"reports": (), "seal": None, "answers": (), "facts": (), "failed": False, "slips": None}
    named = {"heading": heading, "index": index, "data": data, "tabs": tabs.of(data, always=())}
    return written(**{**nothing, **named, **content})


def _named(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def written(**content: Any) -> str:
    """The page's frame around ``content``."""
    scripts = {"vega": _chart_library(), "page": "\n".join(_file(f"script/{name}.js") for name in SCRIPTS)}
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            words=wording,
            style="\n".join(_file(f"style/{name}.css") for name in STYLES),
            scripts={name: _guarded(text) for name, text in scripts.items()},
            script_hashes=" ".join(f"'{_csp_hash(_guarded(text))}'" for text in scripts.values()),
            licences=_file("licences.txt"),
            **{"links": (), **content},
        )
    )


def _seal(reports: Sequence[Report]) -> Seal:
    return Seal(
        proofs=tuple(proof for report in reports for proof in report.proofs),
        breaches=tuple(proof for report in reports for proof in report.breaches),
        unproven=tuple(name for report in reports for name in report.unproven),
        holds=all(report.sealed for report in reports),
    )


def _cards(report: Report, alone: bool) -> list[dict[str, Any]]:
    return [
        {
            "task": wording.task(headline),
            "scope": wording.scope(headline),
            "device": "" if alone else headline.device,
            "answer": wording.answer(headline),
            "strip": strips.of(headline),
        }
        for headline in headlines.of(report)
    ]


def _facts(report: Report) -> list[tuple[str, str]]:
    """What was measured on what, when."""
    device = report.conditions["device_model"] if report.conditions else report.device
    forks = sum(len(case.medians) for group in report.groups for case in group.cases)
    measured = f"{len(report.groups)} comparisons, {forks} forks" if report.groups else "nothing yet"
    policies = "; ".join(f"{name}: {' and '.join(kinds)}" for name, kinds in report.policies.items())
    versions = ", ".join(f"{name} {' and '.join(found)}" for name, found in report.versions.items())
    return [
        ("Measured", f"{report.started[:10]}, preset {report.preset}"),
        ("On", f"{device}, {report.threads} threads"),
        ("How much", measured),
        *([("Policies", policies)] if policies else []),
        *([("Builds", versions)] if versions else []),
    ]


def _heading(reports: Sequence[Report]) -> str:
    networks = dict.fromkeys(proof.network for report in reports for proof in report.proofs)
    frameworks = dict.fromkeys(name for report in reports for name in report.frameworks)
    if not networks:
        return "No framework yet on the same networks"
    return f"{wording.joined(tuple(networks))} in {wording.joined(tuple(frameworks), most=6)}"


@functools.cache
def _chart_library() -> str:
    """Vega, Vega-Lite and Vega-Embed, ready to stand in a script element."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")  # type: ignore[call-arg]
    return bundle


def _guarded(script: str) -> str:
    """``script`` as it may stand in an element; nothing in it may end the element early."""
    return script.replace("</script", "<\\/script")


def _csp_hash(script: str) -> str:
    """What the page's security policy names a script by: nothing else on the page can run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


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
    environment.filters |= {"shortened": wording.shortened}
    environment.policies["json.dumps_kwargs"] = {"separators": (",", ":"), "allow_nan": False}
    return environment
