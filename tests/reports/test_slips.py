"""The mutants in the report: every slip of the code's table, with what each framework made of it."""

import json
from typing import Any

import pytest
from report_pages import data, rendered, said

from benchmarks import results
from implementations.errors import UserError
from implementations.mutants import HARMLESS, MUTANTS
from implementations.training_mutants import TRAINING_MUTANTS
from reports import slips

COUNT = len(MUTANTS) + len(HARMLESS) + len(TRAINING_MUTANTS)


def record(framework: str, *, escaped: str = "", without: str = "") -> dict[str, Any]:
    """What ``framework`` made of the slips: all caught, but for one; another not expressed."""
    networks = [{"name": m.name, "caught": m.name != escaped} for m in (*MUTANTS, *HARMLESS)]
    trainings = [{"name": m.name, "caught": m.name != escaped} for m in TRAINING_MUTANTS if m.name != without]
    return {"framework": framework, "networks": networks, "trainings": trainings}


def keep(folder: Any, *records: dict[str, Any]) -> None:
    for content in records:
        results.write_json(results.slips_path(folder.path, content["framework"]), content)


def test_every_slip_has_a_row_though_none_was_tried(folder: Any) -> None:
    found = slips.read(folder.path)
    assert (len(found.rows), found.frameworks, found.escaped) == (COUNT, (), 0)


def test_frameworks_stand_in_the_order_of_the_table_of_adapters(folder: Any) -> None:
    keep(folder, record("paddle"), record("pytorch"), record("keras-tensorflow"))
    found = slips.read(folder.path)
    assert found.frameworks == ("pytorch", "keras-tensorflow", "paddle")
    assert all(row.outcomes == (True, True, True) for row in found.rows)


def test_one_that_got_away_is_counted_and_one_not_expressed_is_none(folder: Any) -> None:
    first, last = MUTANTS[0], TRAINING_MUTANTS[-1]
    keep(folder, record("pytorch", escaped=first.name), record("paddle", without=last.name))
    found = slips.read(folder.path)
    assert found.escaped == 1
    assert found.rows[0].outcomes == (False, True)
    assert found.rows[-1].outcomes == (True, None)


def test_a_slip_is_caught_only_if_every_way_to_express_it_is(folder: Any) -> None:
    content, name = record("pytorch"), TRAINING_MUTANTS[0].name
    content["trainings"] += [{"name": name, "caught": False}, {"name": name, "caught": True}]
    keep(folder, content)
    assert [row.slip for row in slips.read(folder.path).rows if False in row.outcomes] == [
        TRAINING_MUTANTS[0].slip
    ]


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"framework": "pytorch", "networks": []})])
def test_a_damaged_record_is_refused(content: str, folder: Any) -> None:
    path = results.slips_path(folder.path, "pytorch")
    path.parent.mkdir()
    path.write_text(content)
    with pytest.raises(UserError, match=str(path)):
        slips.read(folder.path)


def outcomes(page: str) -> list[str]:
    """What the page's table says of every slip in every framework."""
    cells = (cell for row in data(page)["rows"]["slips"] for name, cell in row.items() if name[:3] == "in_")
    return [cell["text"] for cell in cells]


def test_the_page_says_where_they_were_caught(full: Any) -> None:
    keep(full, record("pytorch"), record("paddle"))
    html = rendered(full)
    assert f"All {COUNT} were judged rightly in pytorch, paddle." in said(html)
    assert outcomes(html).count("✓ passed") == 2 * len(HARMLESS)
    assert len(outcomes(html)) == 2 * COUNT
    assert "✗ ESCAPED" not in outcomes(html)


def test_the_page_says_so_if_one_got_away(full: Any) -> None:
    keep(full, record("pytorch", escaped=MUTANTS[0].name))
    html = rendered(full)
    assert f"1 of {COUNT} were not caught." in said(html)
    assert outcomes(html).count("✗ ESCAPED") == 1


def test_without_a_record_the_page_names_the_command(full: Any) -> None:
    text = said(rendered(full))
    assert "Not tried with these builds yet" in text
    assert "python -m implementations check --mutants tries them" in text


def test_all_comparisons_are_a_click_away(full: Any) -> None:
    rows = data(rendered(full))["rows"]["findings"]
    certificates = list((full.path / "certificates").glob("*.json"))
    findings = [f for path in certificates for f in json.loads(path.read_text())["findings"]]
    assert sum(row["compared"] for row in rows) == sum(finding["compared"] for finding in findings)
    assert len(rows) == len(findings)
