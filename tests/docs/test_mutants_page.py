"""docs/mutants.md lists every slip of the code, as the code has it, and none that got away."""

import re

from implementations.commandline import ROOT
from implementations.mutants import HARMLESS, MUTANTS
from implementations.training_mutants import TRAINING_MUTANTS

TEXT = (ROOT / "docs/mutants.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of a section's table, without its head."""
    section = TEXT.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = re.findall(r"^\| (.*) \|$", section, flags=re.MULTILINE)
    return [line.split(" | ") for line in lines[2:]]


def test_every_slip_of_a_network_is_listed_with_its_level_and_layer() -> None:
    listed = [tuple(cells[:4]) for cells in rows("Slips of a network")]
    slips = [(m.slip, m.network, str(m.level), f"`{m.first}`") for m in MUTANTS]
    harmless = [(m.slip, m.network, "–", "nothing: it must pass") for m in HARMLESS]
    assert listed == [*slips, *harmless]


def test_every_slip_of_a_training_is_listed() -> None:
    assert [cells[0] for cells in rows("Slips of a training")] == [m.slip for m in TRAINING_MUTANTS]


def test_none_got_away() -> None:
    network, training = rows("Slips of a network"), rows("Slips of a training")
    verdicts = [cell for cells in network for cell in cells[4:]]
    verdicts += [cell for cells in training for cell in cells[1:]]
    assert len(verdicts) >= 3 * (len(network) + len(training))  # three frameworks at least
    assert all(re.match(r"caught|passes|–$", verdict) for verdict in verdicts)
