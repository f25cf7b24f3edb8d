"""The terminal that all commands print to: tables keep their width in logs and pipes."""

from rich.console import Console

LOG_WIDTH = 160
PLAIN = {"highlight": False, "markup": False, "emoji": False}  # a test's name in [brackets] is text
_terminal = Console(**PLAIN)  # type: ignore[arg-type]
CONSOLE = _terminal if _terminal.is_terminal else Console(**PLAIN, width=LOG_WIDTH)  # type: ignore[arg-type]
