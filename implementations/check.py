"""``check`` and ``export``: options in, certificates or a file out, one table, one exit code."""

import argparse
import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from rich.table import Table

from implementations import convert, mutant_table, networks, optimizer_table, selection
from implementations.cache import Cache
from implementations.certificates import Certificate, at_level, first_breach, strict
from implementations.claims import Claim, claims
from implementations.commandline import SOMETHING_FAILED
from implementations.console import CONSOLE
from implementations.errors import UserError
from implementations.files import require_place
from implementations.network import ADAPTERS, REDUCED_PRECISIONS, known
from implementations.processes import Launcher, available_cores, parse_pythons
from implementations.proving import Prover

VALUES_AND_GRADIENTS = "0-2"
COLUMNS = (
    ("0 counts", 0, None),
    ("1 values float64", 1, "float64"),
    ("1 values float32", 1, "float32"),
    ("2 gradients float64", 2, "float64"),
    ("2 gradients float32", 2, "float32"),
    ("3 training", 3, None),
    ("4 export", 4, None),
    *((f"5 precision {name}", 5, name) for name in REDUCED_PRECISIONS),
)


def run(options: argparse.Namespace) -> int:
    """The table of ``check``; 1 on any breach."""
    _require_alone(options)
    prover, frameworks = _prover(options)
    trainers = [name for name in frameworks if known(name).trains]
    if options.mutants:
        return mutant_table.run(prover, trainers)
    if options.optimizers:
        return optimizer_table.run(prover, trainers)
    exporters, names = _exporters(prover.launcher), options.network or list(networks.NETWORKS)
    wanted = [c for name in names for c in claims([name], frameworks, exporters, **_size(options, name))]
    if options.exports:
        wanted = [claim for claim in wanted if claim.exporter]
    if options.levels == VALUES_AND_GRADIENTS:
        wanted = [claim for claim in wanted if not claim.exporter]
        prover = dataclasses.replace(prover, training="none", reduced_precisions=())
    if not wanted:  # nothing compared is no proof
        raise UserError(
            "there is nothing to prove",
            given=f"{', '.join(frameworks)} at levels {'4' if options.exports else options.levels}",
            allowed="levels 0-2 in a framework that trains; exports in onnxruntime, beside one that exports",
            todo="choose another --framework, or leave --exports or --levels out",
        )
    for claim in wanted:  # a wrong name or size ends it here, before any child starts
        networks.build(**claim.arguments)
    if options.json:
        require_place(options.json)
    certificates = prover.all(wanted, _progress)
    CONSOLE.print(table(list(certificates.items())))
    if options.exports:
        CONSOLE.print(exports_table(list(certificates.items())))
    if options.json:
        options.json.write_text(json.dumps([strict(c) for c in certificates.values()], indent=1) + "\n")
    return _verdict(certificates)


def _require_alone(options: argparse.Namespace) -> None:
    """``UserError`` for options that a table of slips or optimizers would not heed."""
    tables = [name for name in ("mutants", "optimizers") if getattr(options, name)]
    if not tables:
        return
    others = ("network", "classes", "input", "reduced", "exports", "json")
    unheeded = tables[1:] + [name for name in others if getattr(options, name)]
    unheeded += ["levels"] if options.levels != "all" else []
    if unheeded:
        raise UserError(
            f"--{tables[0]} has its own networks and levels, and one table",
            given=", ".join(f"--{name}" for name in unheeded),
            allowed="--framework, --device, --threads, --python, --cache-dir",
            todo="leave the option out",
        )


def _size(options: argparse.Namespace, name: str) -> dict[str, Any]:
    """Classes and input size as asked for; ``--reduced`` where nothing is."""
    reduced = networks.REDUCED.get(name, {}) if options.reduced else {}
    asked = {"classes": options.classes, "input_size": options.input}
    return {**asked, **reduced, **{key: value for key, value in asked.items() if value is not None}}


def _exporters(launcher: Launcher) -> list[str]:
    """Frameworks whose exports can be proven here, whether or not they are to be proven themselves."""
    return selection.frameworks(None, launcher, lambda notice: None)


def export(options: argparse.Namespace) -> int:
    """Write one ONNX file of seeded probe weights, or of those named."""
    if not exports(options.framework):
        raise UserError(
            f"{options.framework} does not export",
            given=options.framework,
            allowed=", ".join(filter(exports, ADAPTERS)),
            todo="choose one of these frameworks",
        )
    require_place(options.file)
    prover, _ = _prover(options, [options.framework])
    claim = Claim(options.framework, options.network, options.classes, options.input)
    with convert.chosen(options, claim.arguments, prover.launcher) as weights_path:
        writer = prover.export(claim, options.file.absolute(), weights_path)["written_by"]
    through = "" if writer == options.framework else f" (by {writer}: {options.framework} has no exporter)"
    CONSOLE.print(f"wrote {options.file}{through}")
    return 0


def exports(framework: str) -> bool:
    """Whether ``framework``'s own process, or the one its row names, writes ONNX files."""
    return known(framework).trains and known(framework).exports


def _prover(options: argparse.Namespace, requested: Sequence[str] | None = None) -> tuple[Prover, list[str]]:
    launcher = Launcher(
        threads=options.threads or available_cores(), pythons=parse_pythons(options.python, list(ADAPTERS))
    )
    names = selection.frameworks(requested or options.framework, launcher, CONSOLE.print)
    device = selection.device(options.device, names, launcher, CONSOLE.print)
    prover = Prover(launcher, Cache(options.cache_dir), device, reduced_precisions=REDUCED_PRECISIONS)
    return prover, names


def _progress(claim: Claim, certificate: Certificate) -> None:
    CONSOLE.print(f"  {claim.network} in {claim.title}: {first_breach(certificate) or 'same'}", style="dim")


def table(rows: Sequence[tuple[Claim, Certificate]]) -> Table:
    """Network × framework × level, with the largest difference found in each."""
    result = Table(title="Sameness: largest difference from the reference, max|a-b| / max|reference|")
    compared = [column for column in COLUMNS if any(at_level(c, *column[1:]) for _, c in rows)]
    for heading in ("network", "framework", "parameters", *(column[0] for column in compared), "verdict"):
        result.add_column(heading)
    for claim, certificate in rows:
        cells = [_cell(at_level(certificate, level, precision), level) for _, level, precision in compared]
        count = f"{certificate['parameters']:,}" if "parameters" in certificate else "-"
        verdict = "same" if certificate["passed"] else "DIFFERENT"
        result.add_row(claim.network, claim.title, count, *cells, verdict)
    return result


def _cell(found: Sequence[dict[str, Any]], level: int) -> str:
    if not found:
        return "-"
    if not all(finding["passed"] for finding in found):
        return "BREACH"
    return "equal" if level == 0 else f"{max(float(finding['largest']) for finding in found):.1e}"


def exports_table(rows: Sequence[tuple[Claim, Certificate]]) -> Table:
    """Network × exporter: the file, its operators, and what writing it cost."""
    result = Table(title="Exported files: what they are made of, what writing them cost")
    for heading in ("network", "exporter", "MB", "nodes", "operators", "seconds", "peak GiB"):
        result.add_column(heading, overflow="fold")
    for claim, certificate in rows:
        if made := certificate.get("export"):
            result.add_row(claim.network, _exporter(claim, made), *_cost(made))
    return result


def _exporter(claim: Claim, made: dict[str, Any]) -> str:
    through = made["written_by"]
    return str(claim.exporter) if through == claim.exporter else f"{claim.exporter} (by {through})"


def _cost(made: dict[str, Any]) -> tuple[str, ...]:
    operators = ", ".join(f"{count} {name}" for name, count in made["operators"].items())
    size, peak = made["file_bytes"] / 1e6, made["peak_bytes"] / 2**30
    return f"{size:.1f}", str(made["nodes"]), operators, f"{made['seconds']:.1f}", f"{peak:.2f}"


def _verdict(certificates: dict[Claim, Certificate]) -> int:
    breaches = [(claim, c) for claim, c in certificates.items() if not c["passed"]]
    for claim, certificate in breaches:
        CONSOLE.print(f"{claim.network} in {claim.title}: {first_breach(certificate)}", style="bold")
    return SOMETHING_FAILED if breaches else 0
