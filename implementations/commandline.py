"""How every command of this project starts, reports a user's mistake, and stops."""

import argparse
import datetime
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from implementations.errors import UserError

ROOT = Path(__file__).resolve().parent.parent
SOMETHING_FAILED = 1  # and the rest is there
USER_MISTAKE = 2
INTERRUPTED = 130
Notice = Callable[[str], None]  # takes a line that is to be shown


class Parser(argparse.ArgumentParser):
    """An argument parser whose complaints are the project's one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(
            "the command line cannot be understood",
            given=message,
            allowed=f"what '{self.prog} --help' lists",
            todo="correct the option and start again",
        )


def run(main: Callable[[Sequence[str]], int], arguments: Sequence[str] | None = None) -> int:
    """The exit code of ``main``: its own, 2 with one line for a user's mistake, 130 after Ctrl-C."""
    try:
        require_project_root()
        return main(sys.argv[1:] if arguments is None else arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_MISTAKE
    except KeyboardInterrupt as interrupt:
        print(f"interrupted{': ' + str(interrupt) if str(interrupt) else ''}", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return 1


def require_project_root() -> None:
    """Refuse a start outside the checkout: children, tests and default folders are relative to it."""
    if Path.cwd().resolve() != ROOT:
        raise UserError(
            "started outside the project's root",
            given=Path.cwd(),
            allowed=str(ROOT),
            todo=f"run 'cd {ROOT}' and start again",
        )


def image_size(text: str) -> tuple[int, int]:
    """(height, width) in pixels from ``HxW``; ``ArgumentTypeError`` for anything else."""
    height, _, width = text.lower().partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) > 0 and int(width) > 0):
        raise argparse.ArgumentTypeError(f"invalid size {text!r}: write HEIGHTxWIDTH, for example 224x224")
    return int(height), int(width)


def positive(text: str) -> int:
    """A whole number from 1 up; ``ArgumentTypeError`` for anything else."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"invalid number {text!r}: write a whole number from 1 up")
    return int(text)


def percent(text: str) -> float:
    """A fraction from a percentage between 0 and 100; ``ArgumentTypeError`` for anything else."""
    try:
        value = float(text.removesuffix("%"))
    except ValueError:
        value = 0.0
    if not 0 < value < 100:  # NaN is neither
        raise argparse.ArgumentTypeError(f"invalid percentage {text!r}: write a number above 0 and below 100")
    return value / 100


def share(text: str) -> float:
    """A fraction above 0 and up to 1; ``ArgumentTypeError`` for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:  # NaN is neither
        raise argparse.ArgumentTypeError(f"invalid share {text!r}: write a number above 0 and up to 1")
    return value


def minutes(text: str) -> float:
    """Seconds from a number of minutes, from 0 up; ``ArgumentTypeError`` for anything else."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise argparse.ArgumentTypeError(f"invalid number of minutes {text!r}: write a number from 0 up")
    return value * 60


def date(text: str) -> datetime.date:
    """A date from YYYY-MM-DD; ``ArgumentTypeError`` for anything else."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"invalid date {text!r}: write it as 2026-01-31") from None


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command whose children compute."""
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="cpu", help="auto: cuda if all see it"
    )
    add_children_options(parser)


def add_children_options(parser: argparse.ArgumentParser) -> None:
    """Options of every command that starts children."""
    parser.add_argument("--threads", type=positive, metavar="N", help="intra-op threads; default: all cores")
    parser.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="FRAMEWORK[@LABEL]=PATH",
        help="interpreter of a framework's own environment; repeatable, with labels also for one framework",
    )
    parser.add_argument("--cache-dir", type=Path, metavar="DIR", help="weights and exported models")
