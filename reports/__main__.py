"""What it means: python -m reports html|site|compare|regressions."""

import sys

if not __package__:  # started as a file or a folder: nothing of the project could be imported
    print("error: started by path; run 'python -m reports' in the project's root", file=sys.stderr)
    sys.exit(2)

import argparse
from collections.abc import Sequence
from pathlib import Path

from implementations import commandline
from implementations.commandline import Parser


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    return int(options.run(options))


def parser() -> Parser:
    root = Parser(prog="python -m reports", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="html|site|compare|…", parser_class=Parser)
    html = commands.add_parser("html", help="make one HTML file of a run, readable without network")
    html.add_argument("results", type=Path, nargs="+", metavar="RESULTS", help="runs' folders")
    html.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: report.html in the first")
    html.add_argument("--history", metavar="PLACE", help="file or URL; shows its series, too")
    html.set_defaults(run=_html)
    site = commands.add_parser("site", help="index, run pages and history, for any web host")
    site.add_argument("results", type=Path, nargs="+", metavar="RUN", help="runs' folders")
    site.add_argument("-o", "--output", type=Path, metavar="DIR", default=Path("site"), help="default: site")
    site.add_argument("--history", metavar="PLACE", help="file or URL; without it there is no history's page")
    site.set_defaults(run=_site)
    _add_compare(commands.add_parser("compare", help="two selections: ratio, interval, verdict of each case"))
    _add_regressions(commands.add_parser("regressions", help="tonight against the nights before"))
    return root


def _add_compare(command: argparse.ArgumentParser) -> None:
    for name in ("A", "B"):
        command.add_argument(
            name.lower(), metavar=name, help="a run's folder or archive, or NAME=VALUE,… of the history"
        )
    command.add_argument(
        "--force", action="store_true", help="compare what is not alike, and say so in every row"
    )
    _add_answer(command)
    command.set_defaults(run=_compare)


def _add_regressions(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--baseline", metavar="SELECTION", help="nights to be held against; default: all before"
    )
    command.add_argument("--night", type=commandline.date, metavar="DATE", help="default: the newest")
    command.add_argument(
        "--fail-on", choices=("slower", "any", "never"), default="slower", help="for exit code 1"
    )
    command.add_argument(
        "--rerun", action="store_true", help="measure what is suspected again, and judge then"
    )
    command.add_argument("--all", action="store_true", help="show what is the same, too")
    command.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="FRAMEWORK[@LABEL]=PATH",
        help="for --rerun, as for 'run'",
    )
    _add_answer(command)
    command.set_defaults(run=_regressions)


def _add_answer(command: argparse.ArgumentParser) -> None:
    command.add_argument("--history", metavar="PLACE", help="file or URL; default: results/history.sqlite")
    command.add_argument("--format", choices=("text", "markdown", "json"), default="text")


def _compare(options: argparse.Namespace) -> int:
    from reports import commands

    return commands.compare(options)


def _regressions(options: argparse.Namespace) -> int:
    from reports import commands

    return commands.regressions(options)


def _html(options: argparse.Namespace) -> int:
    from reports import publishing  # after the options: --help need not wait for the chart library

    return publishing.html(options)


def _site(options: argparse.Namespace) -> int:
    from reports import publishing

    return publishing.site(options)


if __name__ == "__main__":
    sys.exit(commandline.run(main))
