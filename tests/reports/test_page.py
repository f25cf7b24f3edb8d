"""The page as text and the data in it, without a browser."""

import hashlib
import re
from typing import Any

import pytest
import vl_convert
from report_pages import column, data, markup, rendered, said

from benchmarks import results
from benchmarks.plan import Case
from reports import page, queries

LARGEST_PAGE = 1_250_000  # bytes: the chart library has 900,000 of them, this project's script 40,000
LARGEST_BIG_PAGE = 5_000_000  # bytes of a page of 5,000 cases
PYTORCH = Case("mlp", "training", 32, "pytorch")


# --- The first screen ---


def test_the_seal_and_the_answers_stand_before_everything_else(full_page: str) -> None:
    text = said(full_page)
    assert text.index("4 of 4 claims proven: all networks below are the same.") < text.index("Training · mlp")
    assert "pytorch is fastest: 2.00 times as fast as paddle (95 % interval 1.79 to 2.24)." in text
    assert "This run cannot tell onnxruntime (from pytorch) and pytorch apart" in text


def test_a_strip_says_its_ratios_and_its_scale(full_page: str) -> None:
    assert "same speed logarithmic to paddle 2.00" in said(full_page)
    labels = re.findall(r'class="strip"[^>]* aria-label="([^"]*)"', full_page)
    ratio = "ratio of pytorch to paddle 2.00, 95\N{NO-BREAK SPACE}% interval 1.79 to 2.24"
    assert f"On a logarithmic scale: {ratio}." in labels


def test_what_was_measured_on_what(full_page: str) -> None:
    text = said(full_page)
    assert "Measured 2026-01-02, preset quick On Test CPU @ 2.00GHz, 4 threads" in text
    assert "torch 2.13.0+cpu" in text


def test_the_same_folder_gives_the_same_page(full: Any) -> None:
    assert rendered(full) == rendered(full)


def test_a_run_that_has_only_begun(folder: Any) -> None:
    html = rendered(folder)
    assert "Nothing is proven" in said(html)
    assert "Nothing is measured yet" in said(html)
    assert 'data-tab="learning"' not in html


def test_two_runs_in_one_page_keep_their_devices(full: Any, rich: Any) -> None:
    other = queries.read(rich.path)
    html = page.render([queries.read(full.path), other])
    assert len(set(column(html, "run"))) == 1  # both began in the same minute
    assert data(html)["cases"]["rate"]["values" if "values" in data(html)["cases"]["rate"] else "of"]
    assert len(column(html, "rate")) == 4 + 16


# --- Size and data ---


def test_the_page_is_small_and_asks_for_nothing(full_page: str) -> None:
    assert len(full_page.encode()) < LARGEST_PAGE
    addresses = re.findall(r"""(?:src|href|action|data)="([^"]*)""", markup(full_page))
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert full_page.count("window.vegaEmbed") == 1  # the library is there once, not once a chart


def test_five_thousand_cases_are_five_megabytes_at_most(big_page: str) -> None:
    assert len(column(big_page, "network")) >= 5000
    assert len(big_page.encode()) <= LARGEST_BIG_PAGE


def test_every_forks_median_and_raw_file_is_in_the_page(full: Any) -> None:
    html = rendered(full)
    assert column(html, "medians")[0] == pytest.approx([200, 210, 190])
    begin, *ends = column(html, "files")[0]
    for end, sha256 in zip(ends, column(html, "sha256")[0], strict=True):
        assert hashlib.sha256((full.path / f"{begin}{end}").read_bytes()).hexdigest() == sha256


def test_every_pair_of_a_group_has_its_ratio_and_step(full_page: str) -> None:
    group = data(full_page)["groups"][0]
    assert group["count"] == 2
    ((value, low, high, step),) = group["pairs"]
    assert (value, low, high) == pytest.approx((2.0, 1.79, 2.24), abs=0.005)  # as the answer says
    assert step > 0


def test_what_a_framework_gains_by_policy_best(rich_page: str) -> None:
    packed = data(rich_page)["policies"]
    assert {gain[0] for gain in packed["gain"]["of"]} == {2.0}  # the made rates of best are twice equal's


def test_throughput_axes_start_at_zero(full_page: str) -> None:
    scale = data(full_page)["charts"]["throughput"]["layer"][0]["encoding"]["x"]["scale"]
    assert scale["zero"] is True


def test_frameworks_differ_in_shape_and_dash_not_in_colour_alone(rich_page: str) -> None:
    looks = data(rich_page)["looks"].values()
    for part in ("color", "shape", "dash"):
        assert len({str(look[part]) for look in looks}) == len(looks)


def test_a_loss_that_is_no_number_any_more(folder: Any) -> None:
    epoch = {"epoch": 1, "train_loss": None, "test_loss": None, "test_accuracy": 0.1, "seconds": 1.0}
    folder.training("pytorch", folder.certificate("mlp", "pytorch"), [0.1], epochs=[epoch])
    (row,) = data(rendered(folder))["rows"]["learned"]
    assert row["loss"] is None
    (curve,) = data(rendered(folder))["trainings"][0]["curves"]
    assert [curve["values"][1][1], curve["values"][0][1]] == [None, 0.1]


def test_what_stands_behind_a_number_is_there(folder: Any) -> None:
    folder.forks(PYTORCH, folder.certificate("mlp", "pytorch", None), [100.0, 101.0, 99.0])
    results.write_json(
        results.ceiling_path(folder.path, "pytorch"),
        {"schema_version": 2, "flop_per_s": {"float32": 1e9}, "copied_bytes_per_s": 1e10},
    )
    html = rendered(folder)
    assert "highest matrix product in float32 1.00 GFLOP/s" in said(html)
    assert "highest copy bandwidth 10.0 GB/s" in said(html)
    (roof,) = data(html)["roofs"]
    assert (roof["flop"], roof["copy"]) == ({"float32": 1e9}, 1e10)
    assert column(html, "gflops")[0] == pytest.approx(1e9 * column(html, "share_flop")[0] / 1e9)


# --- What must not happen ---


def test_hostile_text_is_escaped_in_text_and_data(hostile_page: str) -> None:
    assert "<script>alert" not in hostile_page
    assert "<img" not in markup(hostile_page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in hostile_page
    assert "\\u003cimg src=x" in hostile_page


def test_a_breach_is_named_first_and_spelled_out_below(full: Any) -> None:
    breach = {"path": "conv2", "difference": 0.034, "bound": 1e-12, "expected": "1.5 at (0,)", "got": "1.45"}
    finding = {"level": 1, "precision": "float64", "mode": "training", "compared": 9, "largest": 0.034}
    finding |= {"where": "conv2", "breach": breach, "passed": False}
    full.certificate("googlenet", "paddle", passed=False, findings=[finding])
    html = rendered(full)
    text = said(html)
    assert "4 of 5 claims proven." in text
    assert "all networks below are the same" not in text
    assert text.count("first differing: conv2, 0.034 apart (bound 1e-12)") == 2
    verdicts = {row["verdict"]["text"] for row in data(html)["rows"]["sameness"]}
    assert verdicts == {"✓ same", "✗ DIFFERENT"}


def test_a_crashed_proof_is_shown(full: Any) -> None:
    full.crashed("vgg16", "paddle", "killed by SIGKILL")
    html = rendered(full)
    assert "Not proven: vgg16 in paddle. killed by SIGKILL" in said(html)
    assert "✗ NOT COMPARED" in {row["verdict"]["text"] for row in data(html)["rows"]["sameness"]}


def test_results_without_proof_break_the_seal(full: Any) -> None:
    (full.path / "certificates" / "mlp-paddle.json").unlink()
    html = rendered(full)
    assert '<div class="seal bad"' in html
    assert "4 results are left out" in said(html)  # three forks and a training


def test_failures_are_shown_with_their_reason(full_page: str) -> None:
    (failure,) = data(full_page)["rows"]["failures"]
    assert (failure["network"], failure["forks"]) == ("mlp", "4")
    assert failure["reason"].startswith("no result within 180 s")
    assert "Not everything ended well" in said(full_page)


def test_a_reason_of_pages_is_shortened(folder: Any) -> None:
    folder.failure(PYTORCH, 1, "x" * 5000)
    assert data(rendered(folder))["rows"]["failures"][0]["reason"] == "x" * 300 + " …"


def test_no_failure_is_said_in_one_line(folder: Any) -> None:
    assert "No fork failed." in said(rendered(folder))


# --- Licences ---

MARKS = {  # words of each library that minifying leaves
    "vega-lite": "vega-lite",
    "vega-embed": "vega-embed",
    "vega-themes": "excel",
    "d3-format": "invalid format: ",
    "d3-geo-projection": "mollweide",
    "d3-force": "velocityDecay",
    "d3-hierarchy": "eachAfter",
    "d3-scale-chromatic": "ffffd9",
    "topojson-client": "topojson",
    "delaunator": "_hullPrev",
    "fast-json-patch": "JsonPatchError",
    "semver": "Invalid Version",
    "json-stringify-pretty-compact": "maxLength",
}


@pytest.mark.parametrize("library", MARKS)
def test_a_library_in_the_bundle_is_named_with_its_licence(full_page: str, library: str) -> None:
    licences = full_page.split('<details class="licences">')[1].split("</details>")[0]
    assert MARKS[library] in page._chart_library()
    assert library in licences


def test_licences_are_those_of_the_versions_in_the_bundle(full_page: str) -> None:
    # another bundle may hold other libraries: look, then change licences.txt and this
    embed, vega = vl_convert.get_vega_embed_version(), vl_convert.get_vega_version()
    newest = vl_convert.get_vegalite_versions()[-1]
    assert f"Vega {vega}, Vega-Lite {newest} and Vega-Embed {embed}" in full_page
