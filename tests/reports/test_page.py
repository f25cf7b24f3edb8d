"""The page as text, without a browser."""

import json
import re
from typing import Any

import pytest

from benchmarks import results
from benchmarks.plan import Case
from reports import charts, page, queries

LARGEST_PAGE = 1_300_000  # bytes: the chart library has 900,000 of them


def rendered(folder: Any) -> str:
    return page.render(queries.read(folder.path))


def markup(html: str) -> str:
    """The page without the scripts that run: the chart library holds markup of its own."""
    return re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)


def said(html: str) -> str:
    """The page's text without scripts, style and tags, in one line."""
    bare = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", bare).replace("&nbsp;", " ").split()).replace(
        "\N{NO-BREAK SPACE}", " "
    )


def specifications(html: str) -> list[Any]:
    found = re.findall(r'<script type="application/json" id="chart-\d+">(.*?)</script>', html, re.DOTALL)
    return [json.loads(text) for text in found]


def test_the_answer_and_the_seal_stand_before_everything_else(full_page: str) -> None:
    text = said(full_page)
    assert text.index("4 of 4 claims proven: all networks below are the same.") < text.index("The answer")
    assert "pytorch is fastest: 2.00 times as fast as paddle" in text
    assert "This run cannot tell onnxruntime (from pytorch) and pytorch apart" in text


def test_what_was_measured_on_what(full_page: str) -> None:
    text = said(full_page)
    assert "Measured 2026-01-02 on Test CPU @ 2.00GHz, 4 threads" in text
    assert "torch 2.13.0+cpu" in text


def test_the_same_folder_gives_the_same_page(full: Any) -> None:
    assert rendered(full) == rendered(full)


def test_the_page_is_small_and_asks_for_nothing(full_page: str) -> None:
    assert len(full_page.encode()) < LARGEST_PAGE
    addresses = re.findall(r"""(?:src|href|action|data)="([^"]*)""", markup(full_page))
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert full_page.count("window.vegaEmbed") == 1  # the library is there once, not once a chart


def test_a_chart_for_each_group_and_each_measure_of_training(full_page: str) -> None:
    assert len(specifications(full_page)) == 2 + 3


def test_throughput_axes_start_at_zero(full_page: str) -> None:
    for specification in specifications(full_page)[:2]:
        assert specification["layer"][0]["encoding"]["x"]["scale"]["domain"][0] == 0


def test_charts_show_every_forks_median(full_page: str) -> None:
    specification = specifications(full_page)[0]
    rows = next(layer["data"]["values"] for layer in specification["layer"] if "fork" in str(layer["data"]))
    assert sorted(row["fork"] for row in rows) == pytest.approx([95, 100, 105, 190, 200, 210])


def test_an_endless_interval_is_cut_with_an_arrow_and_leaves_the_rest_readable(folder: Any) -> None:
    case = Case("mlp", "training", 32, "pytorch")
    folder.forks(case, folder.certificate("mlp", "pytorch"), [10.0, 1000.0, 100.0])
    specification = specifications(rendered(folder))[0]
    x = specification["layer"][0]["encoding"]["x"]["scale"]["domain"]
    assert x[1] == pytest.approx(2 * 1000 * charts.ROOM)  # of a t interval up to 30,000,000 images/s
    rows = [row for layer in specification["layer"] for row in layer["data"]["values"] if "cut" in row]
    assert all(row["cut"] and row["shown"] <= x[1] for row in rows)


def test_a_framework_has_one_colour_everywhere(full_page: str) -> None:
    colors: dict[str, set[str]] = {}
    for specification in specifications(full_page):
        scale = specification["layer"][0]["encoding"]["color"]["scale"]
        for name, color in zip(scale["domain"], scale["range"], strict=True):
            colors.setdefault(name, set()).add(color)
    assert colors["pytorch"] == {"var(--pytorch)"}
    assert all(len(found) == 1 for found in colors.values())


def test_hostile_text_is_escaped_in_text_and_data(hostile_page: str) -> None:
    assert "<script>alert" not in hostile_page
    assert "<img" not in markup(hostile_page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile_page
    assert "\\u003cimg src=x" in hostile_page


def test_every_table_has_a_caption_and_headings(full_page: str) -> None:
    html = markup(full_page)
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
    assert len(tables) == 10
    assert all("<caption>" in table and 'scope="' in table for table in tables)


def test_a_breach_is_named_first_and_spelled_out_below(full: Any) -> None:
    breach = {"path": "conv2", "difference": 0.034, "bound": 1e-12, "expected": "1.5 at (0,)", "got": "1.45"}
    finding = {"level": 1, "precision": "float64", "mode": "training", "compared": 9, "largest": 0.034}
    finding |= {"where": "conv2", "breach": breach, "passed": False}
    full.certificate("googlenet", "paddle", passed=False, findings=[finding])
    text = said(rendered(full))
    assert "4 of 5 claims proven." in text
    assert "all networks below are the same" not in text
    assert text.count("first differing: conv2, 0.034 apart (bound 1e-12)") == 2
    assert "✗ DIFFERENT" in text
    assert "✗ BREACH" in text


def test_a_crashed_proof_is_shown(full: Any) -> None:
    full.crashed("vgg16", "paddle", "killed by SIGKILL")
    text = said(rendered(full))
    assert "Not proven: vgg16 in paddle. killed by SIGKILL" in text
    assert "✗ NOT COMPARED" in text


def test_results_without_proof_break_the_seal(full: Any) -> None:
    (full.path / "certificates" / "mlp-paddle.json").unlink()
    html = rendered(full)
    assert '<div class="seal bad"' in html
    assert "4 results are left out" in said(html)  # three forks and a training


def test_failures_are_shown_with_their_reason(full_page: str) -> None:
    assert "mlp training b32 pytorch 4 no result within 180 s" in said(full_page)


def test_a_reason_of_pages_is_shortened(folder: Any) -> None:
    folder.failure(Case("mlp", "training", 32, "pytorch"), 1, "x" * 5000)
    assert "x" * 300 + " …" in rendered(folder)


def test_no_failure_is_said_in_one_line(folder: Any) -> None:
    assert "No fork failed." in said(rendered(folder))


def test_a_run_that_has_only_begun(folder: Any) -> None:
    text = said(rendered(folder))
    assert "Nothing is proven" in text
    assert "Nothing is measured yet" in text
    assert "Training" not in text


def test_the_data_set_is_said_plainly(full_page: str) -> None:
    assert "Data set: digits , 1,437 training and 360 test images." in said(full_page)


def test_a_loss_that_is_no_number_any_more(folder: Any) -> None:
    epoch = {"epoch": 1, "train_loss": None, "test_loss": None, "test_accuracy": 0.1, "seconds": 1.0}
    folder.training("pytorch", folder.certificate("mlp", "pytorch"), [0.1], epochs=[epoch])
    assert "pytorch 1 0.1000 not a number not a number" in said(rendered(folder))


def test_what_stands_behind_a_number_is_said(folder: Any) -> None:
    case = Case("mlp", "training", 32, "pytorch")
    certificate = folder.certificate("mlp", "pytorch", None)
    folder.forks(case, certificate, [100.0, 101.0, 99.0])
    results.write_json(
        results.ceiling_path(folder.path, "pytorch"),
        {"schema_version": 2, "flop_per_s": {"float32": 1e9}, "copied_bytes_per_s": 1e10},
    )
    text = said(rendered(folder))
    assert "Behind the numbers" in text
    assert "highest matrix product in float32 1.00 GFLOP/s" in text
    assert "highest copy bandwidth 10.0 GB/s" in text
