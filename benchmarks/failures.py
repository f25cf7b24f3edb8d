"""What failed in a run: recorded beside the results, and made good by a later one."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import results
from implementations.errors import UserError


@dataclass
class Failures:
    """The failures of the run in ``folder``."""

    folder: Path
    lost: list[dict[str, Any]] = field(default_factory=list)  # that no file could take

    def record(self, final: Path, about: dict[str, Any], reason: str, last_lines: str = "") -> str:
        """Keep why what would have become ``final`` failed; the failure in words."""
        content = {
            "schema_version": results.SCHEMA_VERSION,
            "batch": None,
            "exporter": None,
            "fork": None,
            **about,
            "reason": reason,
            "last_lines": last_lines,
            "date": now(),
        }
        try:
            results.write_json(results.failure_path(self.folder, final), content)
        except UserError:  # a full disk must not end the run: it may be what this failed of
            self.lost.append(content)
        return f"FAILED, {reason}"

    def made_good(self, final: Path) -> None:
        """The result is there: an earlier failure of it does not count any more."""
        results.failure_path(self.folder, final).unlink(missing_ok=True)

    @property
    def every(self) -> list[dict[str, Any]]:
        """What failed and was not made good since."""
        return [*results.failures(self.folder), *self.lost]


def now() -> str:
    """The time in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
