"""The terminal that all commands print to: tables keep their width in logs and pipes."""

from rich.console import Console

LOG_WIDTH = 160
_terminal = Console(highlight=False)
CONSOLE = _terminal if _terminal.is_terminal else Console(highlight=False, width=LOG_WIDTH)
