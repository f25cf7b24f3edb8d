"""What it means: python -m reports html|compare|regressions."""

import sys

if not __package__:  # started as a file or a folder: nothing of the project could be imported
    print("error: started by path; run 'python -m reports' in the project's root", file=sys.stderr)
    sys.exit(2)

import argparse
import contextlib
from collections.abc import Sequence
from pathlib import Path

from implementations import commandline
from implementations.commandline import Parser
from implementations.errors import UserError


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    return int(options.run(options))


def parser() -> Parser:
    root = Parser(prog="python -m reports", description=__doc__)
    commands = root.add_subparsers(required=True, metavar="html|compare|regressions", parser_class=Parser)
    html = commands.add_parser("html", help="make one HTML file of a run, readable without network")
    html.add_argument("results", type=Path, metavar="RESULTS", help="the run's folder")
    html.add_argument("-o", "--output", type=Path, metavar="FILE", help="default: RESULTS/report.html")
    html.set_defaults(run=_html)
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
    from reports import page, queries  # after the options: --help need not wait for the chart library

    output = options.output or options.results / "report.html"
    report = queries.read(options.results)
    _check_place(output)
    write(output, page.render([report]))
    print(f"report: {output}")
    return 0


def _check_place(path: Path) -> None:
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise _unwritable(path, "it is a folder" if path.is_dir() else "its folder does not exist")


def write(path: Path, text: str) -> None:
    """Write under a temporary name, then rename: the page is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.partial")
    try:
        temporary.write_bytes(text.encode("utf-8", "replace"))  # JSON can hold halves of characters
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error.strerror or type(error).__name__) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _unwritable(path: Path, why: str) -> UserError:
    return UserError(
        f"the report cannot be written ({why})",
        given=path,
        allowed="a file's name in a folder that exists and can be written",
        todo="make the folder, free space, or choose another -o FILE",
    )


if __name__ == "__main__":
    sys.exit(commandline.run(main))
