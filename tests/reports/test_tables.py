"""The same rows in three forms; what results contain is shown, never obeyed."""

import json

import pytest

from reports.tables import Table, escaped, percent, plain, written

HOSTILE = "<img src=x onerror=alert(1)>|`a`\n# [b](javascript:c) @everyone \x1b[31m"
MADE = Table("1 worse", ("case", "verdict"), [["mlp", "slower"], [HOSTILE, "same"]], ["a note"], {"open": 0})


def test_text_stands_in_columns() -> None:
    lines = written(MADE, "text").splitlines()
    assert lines[0] == "1 worse"
    assert lines[2].index("verdict") == lines[3].index("slower") == lines[4].index("same")
    assert lines[-1] == "a note"


def test_markdown_is_a_table_whose_rows_have_its_columns() -> None:
    lines = written(MADE, "markdown").splitlines()
    assert lines[0] == "**1 worse**"
    rows = [line for line in lines if line.startswith("|")]
    unescaped = [row.replace("\\|", "").count("|") for row in rows]
    assert unescaped == [3, 3, 3, 3]
    assert set(rows[1]) == set("| -")


def test_json_is_the_data() -> None:
    assert json.loads(written(MADE, "json")) == {"open": 0}


def test_no_form_lets_a_terminal_or_markdown_obey() -> None:
    assert "\x1b" not in written(MADE, "text")
    for obeyed in "<>|`[]#@!":
        assert f"\\{obeyed}" in escaped(f"a{obeyed}b")
    assert "\n" not in escaped(HOSTILE)
    assert "\x1b" not in escaped(HOSTILE)


@pytest.mark.parametrize(
    ("text", "shown"), [("a\nb", "a b"), ("a\tb", "a b"), ("a\x07b", "a?b"), ("ä → b", "ä → b")]
)
def test_plain_text_is_one_line(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_percentages() -> None:
    assert percent(0.0532) == "5.3 %"
