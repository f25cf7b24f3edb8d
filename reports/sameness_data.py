"""Proofs, slips, exports and layer tables as rows of the page's tables. Nothing about HTML."""

from collections.abc import Iterable, Sequence
from typing import Any

from implementations.check import COLUMNS
from implementations.claims import titled
from reports import layers
from reports.headings import Column
from reports.proofs import Cell, Proof
from reports.queries import Report
from reports.slips import Slip, Slips

Row = dict[str, Any]
GOOD, BAD = "good", "bad"


def rows(reports: Sequence[Report]) -> dict[str, list[Row]]:
    """Rows by table."""
    origins = [(report.origin, proof) for report in reports for proof in report.proofs]
    proofs = [proof for _, proof in origins]
    return {
        "sameness": [{**origin, **_claim(proof)} for origin, proof in origins],
        "findings": [{**origin, **row} for origin, proof in origins for row in _findings(proof)],
        "exports": [{**origin, **row} for origin, proof in origins for row in _export(proof)],
        "slips": [_slip(slips(reports), slip) for slip in slips(reports).rows],
        "layers": [
            {**_origins(origins, table), **row} for table in layers.tables(proofs) for row in _layers(table)
        ],
    }


def _origins(origins: Sequence[tuple[Row, Proof]], table: layers.Table) -> Row:
    """The runs and devices that have a proof of that network."""
    found = [origin for origin, proof in origins if proof.digest == table.digest]
    return {name: list(dict.fromkeys(origin[name] for origin in found)) for name in ("run", "device")}


def slips(reports: Sequence[Report]) -> Slips:
    """Of the run that tried them in most frameworks."""
    return max((report.slips for report in reports), key=lambda found: len(found.frameworks))


def extra_columns(reports: Sequence[Report]) -> dict[str, list[Column]]:
    """Columns that depend on what was compared."""
    proofs = [proof for report in reports for proof in report.proofs]
    levels = [
        Column(heading.removesuffix(f" {precision}"), f"level{place}", "cell", precision or "")
        for place, (heading, _, precision) in enumerate(COLUMNS)
        if any(proof.cells[place] for proof in proofs)
    ]
    return {
        "sameness": [*levels, Column("certificate", "certificate", "code")],
        "slips": [Column(name, f"in_{name}", "cell") for name in slips(reports).frameworks],
    }


def cell(text: str, value: float | None = None, note: str = "", tone: str = "", more: str = "") -> Row:
    """A prepared cell: what it shows, sorts by, says below and in a tooltip."""
    full = {"text": text, "value": value, "note": note, "tone": tone, "more": more}
    return {name: part for name, part in full.items() if part not in (None, "")}


def _identity(proof: Proof) -> Row:
    name = titled(proof.framework, proof.exporter)
    return {"network": proof.network, "name": name, "policy": proof.policy}


def _claim(proof: Proof) -> Row:
    return {
        **_identity(proof),
        "verdict": _verdict(proof),
        "parameters": proof.parameters,
        **{f"level{place}": _difference(found) for place, found in enumerate(proof.cells) if found},
        "certificate": proof.identity,
    }


def _verdict(proof: Proof) -> Row:
    if proof.passed:
        return cell("✓ same", 1, tone=GOOD)
    return cell("✗ DIFFERENT" if any(proof.cells) else "✗ NOT COMPARED", 0, tone=BAD, more=proof.breach)


def _difference(found: Cell) -> Row:
    where = f", largest at {found.where}" if found.where else ""
    text = "equal" if found.counts else f"{found.largest:.1e}"
    return cell(
        text if found.passed else "✗ BREACH",
        found.largest,
        note=f"≤ {found.bound:.0e}" if found.bound else "",
        tone="" if found.passed else BAD,
        more=f"{found.compared} compared{where}",
    )


def _findings(proof: Proof) -> Iterable[Row]:
    for comparison in proof.comparisons:
        yield {
            **_identity(proof),
            "claim": proof.identity,
            "level": comparison.level,
            "of_precision": comparison.precision,
            "mode": comparison.mode,
            "compared": comparison.cell.compared,
            "largest": _difference(comparison.cell),
            "where": comparison.cell.where,
        }


def _export(proof: Proof) -> Iterable[Row]:
    made = proof.export
    if not proof.exporter:
        return
    largest = max((found.cell.largest for found in proof.comparisons), default=None)
    by = f" (by {made.written_by})" if made and made.written_by != proof.exporter else ""
    yield {
        **_identity(proof),
        "exporter": f"{proof.exporter}{by}",
        "verdict": _verdict(proof),
        "largest": None if largest is None else cell(f"{largest:.1e}", largest),
        "megabytes": made and made.megabytes,
        "nodes": made and made.nodes,
        "seconds": made and made.seconds,
        "peak": made and made.peak_gib,
        "operators": ", ".join(f"{n} {name}" for name, n in made.operators.items()) if made else None,
    }


def _slip(found: Slips, row: Slip) -> Row:
    outcomes = zip(found.frameworks, row.outcomes, strict=True)
    return {
        "slip": row.slip,
        "of_network": row.network,
        "level": row.level,
        "first": row.first or ("nothing: it must pass" if row.level is None else None),
        **{f"in_{name}": _outcome(outcome, row.level) for name, outcome in outcomes},
    }


def _outcome(caught: bool | None, level: int | None) -> Row | None:
    if caught is None:
        return None
    if not caught:
        return cell("✗ ESCAPED", 0, tone=BAD)
    return cell("✓ passed" if level is None else "✓ caught", 1, tone=GOOD)


def _layers(table: layers.Table) -> Iterable[Row]:
    everything = table.totals["multiply_adds"] or 1
    for layer in table.layers:
        yield {
            "network": table.network,
            "of": f"{table.network}, {table.classes} classes, {table.input_shape}",
            "about": _about(table),
            "index": layer.index,
            "layer": layer.name,
            "type": layer.kind + (" (auxiliary)" if layer.auxiliary else ""),
            "input": layer.inputs,
            "output": layer.output,
            "parameters": layer.parameters,
            "multiply_adds": layer.multiply_adds,
            "share": layer.multiply_adds / everything,
        }


def _about(table: layers.Table) -> str:
    """What a layer table is about, with its totals."""
    totals, inference = table.totals, table.inference
    bare = (
        f"; without auxiliary heads {inference['parameters']:,} and {inference['multiply_adds']:,}"
        if inference != totals
        else ""
    )
    frozen = f" ({totals['frozen']:,} frozen)" if totals["frozen"] else ""
    return (
        f"{table.network}, {table.classes} classes, input {table.input_shape}: {totals['parameters']:,} "
        f"parameters{frozen}, {totals['multiply_adds']:,} multiply-adds an image{bare}"
    )
