"""The page in Chromium, from file:// with no network: what a reader sees and does."""

import functools
import re
import shutil
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.intervals import Interval
from reports import wording
from reports.tabs import TABS

pytestmark = pytest.mark.browser

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--headless",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = (390, 768, 1400)
READY = "html[data-ready]"
ELSEWHERE = "runs"  # the view of a site's first page


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("these tests need Chromium: install it so that 'chromium' is on the PATH", pytrace=False)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield running
        running.close()


class Visit:
    """A report opened in a tab, and all it complained about or asked for."""

    def __init__(
        self,
        browser: Browser,
        path: Path,
        width: int = 1400,
        scheme: str = "light",
        at: str = "",
        zone: str | None = None,
    ) -> None:
        self.path = path
        self.requests: list[str] = []
        self.complaints: list[str] = []
        size = {"width": width, "height": 900}
        self.tab: Page = browser.new_page(viewport=size, color_scheme=scheme, timezone_id=zone)  # type: ignore[arg-type]
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.tab.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.tab.on("dialog", lambda dialog: (self.complaints.append("a dialog opened"), dialog.dismiss()))
        self.tab.goto(path.as_uri() + (f"#{at}" if at else ""))
        self.tab.wait_for_selector(READY, timeout=20_000, state="attached")

    def choose(self, tab: str) -> None:
        self.tab.locator(f"[data-tab={tab}]").click()

    def draw(self) -> None:
        """Draw what would be drawn when scrolled to."""
        self.tab.evaluate("drawAll()")

    def choose_filter(self, name: str, value: str) -> None:
        self.tab.locator(f"[data-filter={name}] summary").click()
        self.tab.locator(f"[data-filter={name}] input[value='{value}']").check()
        self.tab.keyboard.press("Escape")

    def cells(self, table: str, field: str) -> list[str]:
        script = """([table, field]) => {
          const holder = document.querySelector(`[data-table="${table}"]`);
          const column = holder.querySelector(`th[data-field="${field}"]`).cellIndex;
          const rows = [...holder.querySelectorAll("tbody tr")];
          return rows.map((row) => row.cells[column].firstChild.textContent);
        }"""
        return list(self.tab.evaluate(script, [table, field]))

    def offered(self, pick: str) -> set[str]:
        """The first words of what can be picked."""
        options = self.tab.locator(f"[data-pick={pick}] option").all_text_contents()
        return {text.partition(",")[0] for text in options}

    def abouts(self, view: str) -> list[str]:
        """What the charts of a view say of themselves."""
        charts = self.tab.locator(f"#{view} .chart").all()
        return [str(chart.get_attribute("aria-label")) for chart in charts]

    def color(self, selector: str, name: str) -> str:
        script = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"
        return str(self.tab.evaluate(script, [selector, name]))

    @property
    def address(self) -> str:
        return str(self.tab.evaluate("location.hash")).removeprefix("#")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def opened(browser: Browser, pages: Path, rich_page: str) -> Iterator[Callable[..., Visit]]:
    """Opens the report that has every view: ``opened(width, scheme, at, zone)``."""
    yield from opening(browser, pages / "rich.html", rich_page)


@pytest.fixture
def two_runs(browser: Browser, pages: Path, two_runs_page: str) -> Iterator[Callable[..., Visit]]:
    """Opens the report of two runs, on a device each."""
    yield from opening(browser, pages / "two-runs.html", two_runs_page)


def opening(browser: Browser, path: Path, html: str) -> Iterator[Callable[..., Visit]]:
    if not path.exists():
        path.write_text(html, encoding="utf-8")
    visits: list[Visit] = []

    def visit(*arguments: Any, **named: Any) -> Visit:
        visits.append(Visit(browser, path, *arguments, **named))
        return visits[-1]

    yield visit
    for each in visits:
        each.tab.close()


@functools.cache
def axe() -> Axe:
    return Axe()


# --- What is there ---


def test_a_link_that_names_what_every_object_has_is_no_filter(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=sameness&constructor=1")
    assert visit.complaints == []
    assert visit.cells("sameness", "name")


def test_every_view_is_there_with_its_charts_and_tables(opened: Callable[..., Visit]) -> None:
    visit = opened()
    assert [t.get_attribute("data-tab") for t in visit.tab.locator("[role=tab]").all()] == [
        tab.name for tab in TABS
    ]
    for tab in TABS:
        visit.choose(tab.name)
        visit.draw()
        for view in (each for each in tab.views if each != ELSEWHERE):
            section = visit.tab.locator(f"section#{view}")
            assert section.is_visible(), view
            for place in section.locator(".chart").all():
                assert place.locator("svg").count() == 1, view
                assert place.get_attribute("aria-label"), view
            for holder in section.locator("[data-table]").all():
                assert holder.locator("table caption").count() == 1, view
    assert visit.complaints == []
    assert visit.requests == [visit.path.as_uri()]


def test_on_a_phone_the_tabs_stay_and_cover_no_filter(opened: Callable[..., Visit]) -> None:
    visit = opened(390)
    visit.choose("speed")
    tabs, filters = (visit.tab.locator(name) for name in (".tabs", ".choices"))
    for way in (0, 40, 80, 2000):
        visit.tab.evaluate("way => scrollTo(0, document.querySelector('.tabs').offsetTop + way)", way)
        bar, behind = tabs.bounding_box(), filters.bounding_box()
        assert bar is not None
        assert behind is not None
        assert 0 <= bar["y"] < 1
        assert way or bar["y"] + bar["height"] <= behind["y"]
        over = "([x, y]) => document.elementFromPoint(x, y).closest('.tabs') !== null"
        assert visit.tab.evaluate(over, [bar["x"] + 5, bar["y"] + bar["height"] / 2])
        assert tabs.evaluate("one => getComputedStyle(one).backgroundColor") != "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_does_not_scroll_sideways(opened: Callable[..., Visit], width: int) -> None:
    visit = opened(width)
    for tab in TABS:
        visit.choose(tab.name)
        visit.draw()
        assert visit.tab.evaluate("document.documentElement.scrollWidth") <= width, tab.name


def test_axe_finds_no_violation(opened: Callable[..., Visit]) -> None:
    """In the whole page with a filter open, then in every other tab's panel, folds open."""
    visit = opened()
    visit.tab.locator("[data-filter=name] summary").click()
    for place, tab in enumerate(TABS):
        visit.choose(tab.name)
        visit.draw()
        visit.tab.evaluate("document.querySelectorAll('details.fold').forEach((one) => { one.open = true; })")
        found = axe().run(visit.tab, context=f"#panel-{tab.name}" if place else None)
        assert found.violations_count == 0, f"{tab.name}: {found.generate_report()[:3000]}"


def test_axe_finds_no_pale_text_in_the_dark(opened: Callable[..., Visit]) -> None:
    visit = opened(scheme="dark", at="tab=sameness")
    found = axe().run(visit.tab, options={"runOnly": ["color-contrast"]})
    assert found.violations_count == 0, found.generate_report()[:3000]


PAINTED = """() => {
  const cell = document.querySelector(".confusion td:not(.right)");
  cell.style.setProperty("--share", 1);
  const brush = document.createElement("canvas").getContext("2d");
  const painted = (color) => {
    const paper = getComputedStyle(document.body).backgroundColor;
    for (brush.fillStyle of [paper, color]) brush.fillRect(0, 0, 1, 1);
    return [...brush.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  return [painted(getComputedStyle(cell).color), painted(getComputedStyle(cell).backgroundColor)];
}"""


def luminance(color: list[int]) -> float:
    """Of red, green and blue, 0 to 255, by WCAG 2."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (part / 255 for part in color)
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_count_is_read_on_the_darkest_shade(opened: Callable[..., Visit], scheme: str) -> None:
    visit = opened(scheme=scheme, at="tab=learning")
    painted = visit.tab.evaluate(PAINTED)  # axe passes over shades on a gradient
    low, high = sorted(luminance(color) for color in painted)
    assert (high + 0.05) / (low + 0.05) >= 4.5  # WCAG 2, level AA


def test_axe_would_see_a_violation(opened: Callable[..., Visit]) -> None:
    visit = opened()
    visit.tab.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert axe().run(visit.tab).violations_count > 0


def test_charts_are_drawn_when_scrolled_to(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=speed")
    visit.tab.wait_for_selector(".chart[data-drawn]")
    drawn, all_charts = (visit.tab.locator(s).count() for s in (".chart[data-drawn]", "#panel-speed .chart"))
    assert 0 < drawn < all_charts / 2
    visit.tab.locator("#phases .chart").last.scroll_into_view_if_needed()
    visit.tab.wait_for_selector("#phases .chart[data-drawn]")


# --- What a reader does ---


def test_a_filter_holds_for_every_table_and_chart(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=speed")
    before = visit.tab.locator("#count").inner_text()
    visit.choose_filter("name", "paddle")
    for tab in TABS[:5]:
        visit.choose(tab.name)
        for holder in visit.tab.locator(f"#panel-{tab.name} [data-table]:has(th[data-field=name])").all():
            name = holder.get_attribute("data-table")
            assert set(visit.cells(str(name), "name")) <= {"paddle"}, name
        for place in visit.tab.locator(f"#panel-{tab.name} .chart").all():
            assert "pytorch" not in str(place.get_attribute("aria-label"))
    assert visit.tab.locator("#count").inner_text() == "7 of 16 cases" != before
    visit.tab.locator("#clear").click()
    assert visit.tab.locator("#count").inner_text() == before


FIRST, OTHER = ("Test CPU @ 2.00GHz", "2026-01-02 03:04:05"), ("Other CPU @ 3.00GHz", "2026-01-03 03:04:05")
BY = pytest.mark.parametrize(("name", "place"), [("device", 0), ("run", 1)])


@BY
def test_layer_tables_are_of_the_runs_and_devices_chosen(
    two_runs: Callable[..., Visit], name: str, place: int
) -> None:
    visit = two_runs(at="tab=networks")
    assert visit.offered("layers") == {"mlp", "googlenet", "alexnet"}
    visit.choose_filter(name, OTHER[place])
    assert visit.offered("layers") == {"alexnet"}
    assert visit.tab.inner_text("[data-table=layers] caption").startswith("alexnet, ")
    assert "conv1" in visit.cells("layers", "layer")
    visit.tab.locator("#clear").click()
    visit.choose_filter(name, FIRST[place])
    assert visit.offered("layers") == {"mlp", "googlenet"}
    assert not visit.tab.inner_text("[data-table=layers] caption").startswith("alexnet, ")


def test_the_layer_table_is_of_the_network_that_is_left(two_runs: Callable[..., Visit]) -> None:
    visit = two_runs(at="tab=networks")
    visit.choose_filter("network", "alexnet")
    assert visit.tab.inner_text("[data-table=layers] caption").startswith("alexnet, ")


def test_a_network_that_was_picked_stays_so_while_it_passes(two_runs: Callable[..., Visit]) -> None:
    visit = two_runs(at="tab=networks")
    pick = visit.tab.locator("[data-pick=layers]")
    (googlenet,) = [text for text in pick.locator("option").all_inner_texts() if text.startswith("googlenet")]
    pick.select_option(googlenet)
    visit.choose_filter("device", FIRST[0])
    assert visit.tab.inner_text("[data-table=layers] caption").startswith("googlenet, ")


@BY
def test_sample_predictions_are_of_the_runs_and_devices_chosen(
    two_runs: Callable[..., Visit], name: str, place: int
) -> None:
    visit = two_runs(at="tab=learning")
    assert visit.cells("samples", "name") == ["pytorch", "paddle", "paddle"]
    visit.choose_filter(name, OTHER[place])
    assert visit.cells("samples", "name") == ["paddle"]
    visit.tab.locator("#clear").click()
    visit.choose_filter(name, FIRST[place])
    assert visit.cells("samples", "name") == ["pytorch", "paddle"]


@BY
@pytest.mark.parametrize("view", ["curves", "rates"])
def test_learning_curves_are_of_the_runs_and_devices_chosen(
    two_runs: Callable[..., Visit], name: str, place: int, view: str
) -> None:
    visit = two_runs(at="tab=learning")
    recipes = ("flowers-alexnet", "googlenet-cifar")
    assert all(any(recipe in about for about in visit.abouts(view)) for recipe in recipes)
    visit.choose_filter(name, OTHER[place])
    assert visit.abouts(view)
    assert all("flowers-alexnet" in about for about in visit.abouts(view))
    visit.tab.locator("#clear").click()
    visit.choose_filter(name, FIRST[place])
    assert visit.abouts(view)
    assert not any("flowers-alexnet" in about for about in visit.abouts(view))


@BY
def test_confusions_are_of_the_runs_and_devices_chosen(
    two_runs: Callable[..., Visit], name: str, place: int
) -> None:
    visit = two_runs(at="tab=learning")
    visit.choose_filter(name, OTHER[place])
    captions = visit.tab.locator("#confusions caption").all_inner_texts()
    assert [caption.partition(",")[0] for caption in captions] == ["flowers-alexnet"]


def test_of_two_runs_every_row_and_title_says_which(two_runs: Callable[..., Visit]) -> None:
    visit = two_runs()
    for tab, tables in (("sameness", ["sameness"]), ("learning", ["learned", "targets", "samples"])):
        visit.choose(tab)
        for table in tables:
            columns = (visit.cells(table, field) for field in ("device", "run"))
            assert set(zip(*columns, strict=True)) == {FIRST, OTHER}, table
    assert set(visit.cells("samples", "training")) == {"googlenet-cifar, small", "flowers-alexnet, small"}
    titles = visit.tab.locator("#confusions caption").all_inner_texts()
    titles += visit.abouts("curves") + visit.abouts("rates")
    assert all(", ".join(FIRST) in title or ", ".join(OTHER) in title for title in titles)


def test_texts_about_a_run_are_there_where_it_passes(two_runs: Callable[..., Visit]) -> None:
    visit = two_runs(at="tab=about")
    assert visit.tab.locator("#machine .pair:visible").count() == 2
    visit.choose_filter("device", OTHER[0])
    (machine,) = visit.tab.locator("#machine .pair:visible").all_inner_texts()
    assert OTHER[0] in machine
    visit.choose("learning")
    (text,) = visit.tab.locator("#curves [data-of]:visible").all_inner_texts()
    assert text.startswith(f"flowers-alexnet, small on cats and dogs, {', '.join(OTHER)}.")


def test_what_can_be_picked_was_recorded_by_those_left(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=learning")
    assert visit.offered("head") == {"main", "aux"}
    visit.choose_filter("name", "keras-tensorflow")
    assert visit.offered("head") == {"main"}


@pytest.mark.parametrize(
    ("at", "words"), [("", "Nothing to show."), ("name=paddle", "Nothing passes these filters.")]
)
def test_an_empty_view_blames_filters_where_there_are_any(
    opened: Callable[..., Visit], at: str, words: str
) -> None:
    assert opened(at=at).tab.evaluate("nothing().textContent") == words


def test_shares_are_of_the_fastest_that_is_left(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=speed&network=mlp&task=training")
    assert visit.cells("throughput", "of_fastest") == ["–", "0.50"]
    visit.choose_filter("name", "paddle")
    assert visit.cells("throughput", "of_fastest") == ["–"]


def test_a_link_restores_the_whole_view(opened: Callable[..., Visit]) -> None:
    first = opened(at="tab=speed")
    first.choose_filter("name", "paddle")
    first.choose_filter("policy", "best")
    first.tab.locator("[data-table=throughput] th[data-field=rate] button").click()
    first.tab.locator("#theme").click()
    first.choose("learning")
    first.tab.locator("[data-pick=measure]").select_option("loss")
    first.tab.locator("[data-pick=alpha]").fill("0.8")
    first.choose("speed")
    second = opened(at=first.address)
    assert second.address == first.address
    assert urllib.parse.parse_qs(second.address)["sort.throughput"] == ["rate"]
    for field in ("network", "rate", "policy"):
        assert second.cells("throughput", field) == first.cells("throughput", field)
    assert second.tab.locator("[role=tab][aria-selected=true]").inner_text() == "Speed"
    assert second.tab.locator("html").get_attribute("data-theme") == "dark"
    second.choose("learning")
    assert second.tab.locator("[data-pick=measure]").input_value() == "loss"
    assert second.tab.locator("[data-pick=alpha]").input_value() == "0.8"


def test_an_address_with_nonsense_opens_the_first_view(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=nothing&network=&sort.throughput=-nothing&pick.alpha=x&foo=bar")
    assert visit.tab.locator("[role=tab][aria-selected=true]").inner_text() == "Overview"
    assert visit.complaints == []


def test_an_anchor_opens_the_tab_that_holds_it(opened: Callable[..., Visit]) -> None:
    visit = opened(at="exports")
    assert visit.tab.locator("#exports").is_visible()


def test_a_link_of_the_first_screen_leads_to_its_section(opened: Callable[..., Visit]) -> None:
    visit = opened()
    visit.tab.locator("[data-opens]", has_text="The proof").click()
    assert visit.tab.evaluate("document.activeElement.id") == "sameness"
    box = visit.tab.locator("#sameness").bounding_box()
    assert box is not None
    assert 0 <= box["y"] < 450  # px, the window's upper half


def test_more_rows_lead_on_to_the_first_of_them(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=sameness")
    visit.tab.locator("#sameness .fold summary").click()
    visit.tab.locator("[data-table=findings] .more").press("Enter")
    rows = "document.querySelectorAll('[data-table=findings] tbody tr')"
    assert visit.tab.evaluate(f"document.activeElement === {rows}[50]")


def test_charts_survive_a_new_width_behind_another_tab(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=speed")
    visit.draw()
    visit.choose("limits")
    visit.tab.set_viewport_size({"width": 1000, "height": 900})
    visit.tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    visit.choose("speed")
    visit.draw()
    box = visit.tab.locator("#throughput .chart svg").first.bounding_box()
    assert box is not None
    assert box["width"] > 300  # px of the 1,000; names alone take 150


def test_back_returns_to_the_tab_before(opened: Callable[..., Visit]) -> None:
    visit = opened()
    visit.choose("speed")
    visit.tab.go_back()
    assert visit.tab.locator("[role=tab][aria-selected=true]").inner_text() == "Overview"


def test_a_heading_sorts_by_keyboard_and_turns_at_the_second_press(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=speed")
    heading = visit.tab.locator("[data-table=throughput] th[data-field=rate]")
    heading.locator("button").focus()
    orders = []
    for key in ("Enter", "Space"):
        visit.tab.keyboard.press(key)
        orders.append(heading.get_attribute("aria-sort"))
        values = [float(cell.replace(",", "")) for cell in visit.cells("throughput", "rate")]
        assert values == sorted(values, reverse=key == "Space")
    assert orders == ["ascending", "descending"]
    assert visit.tab.evaluate("document.activeElement.closest('th').dataset.field") == "rate"


def test_a_phone_shows_the_tab_that_is_open(opened: Callable[..., Visit]) -> None:
    visit = opened(390, at="tab=about")
    tab = visit.tab.locator("[data-tab=about]").bounding_box()
    bar = visit.tab.locator("[role=tablist]").bounding_box()
    assert tab is not None
    assert bar is not None
    assert tab["x"] + tab["width"] <= bar["x"] + bar["width"] + 1  # px, rounding
    assert visit.tab.evaluate("scrollY") == 0


def test_arrows_walk_through_the_tabs(opened: Callable[..., Visit]) -> None:
    visit = opened()
    visit.tab.locator("[data-tab=overview]").focus()
    visit.tab.keyboard.press("ArrowRight")
    assert visit.tab.locator("#panel-speed").is_visible()
    visit.tab.keyboard.press("End")
    assert visit.tab.locator("#panel-about").is_visible()


def test_dark_and_light_differ_in_page_and_chart_and_can_be_switched(opened: Callable[..., Visit]) -> None:
    light, dark = (opened(scheme=scheme, at="tab=speed") for scheme in ("light", "dark"))
    places = (("body", "backgroundColor"), (".chart svg .mark-text text", "fill"))
    for visit in (light, dark):
        visit.draw()
    for selector, name in places:
        assert light.color(selector, name) != dark.color(selector, name)
    assert dark.tab.get_by_role("button", name="Light colours").is_visible()
    light.tab.get_by_role("button", name="Dark colours").click()
    for selector, name in places:
        assert light.color(selector, name) == dark.color(selector, name)


def test_print_shows_every_view_in_light_with_all_charts(opened: Callable[..., Visit]) -> None:
    visit = opened(scheme="dark")
    pdf = visit.tab.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", pdf)) > 5
    assert visit.tab.locator(".chart:not([data-drawn])").count() == 0
    visit.tab.emulate_media(media="print")
    assert visit.color("body", "backgroundColor") == "rgb(255, 255, 255)"
    assert visit.color(".scroll", "overflowX") == "visible"
    assert all(visit.tab.locator(f"#panel-{tab.name}").is_visible() for tab in TABS)
    assert not visit.tab.locator(".bar").is_visible()


def test_paper_says_what_is_filtered(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=speed&name=paddle")
    line = visit.tab.locator("#filtered")
    assert not line.is_visible()
    visit.tab.emulate_media(media="print")
    assert line.is_visible()
    assert line.inner_text() == "Filters: Framework paddle. 7 of 16 cases."


# --- Numbers in the script's own words ---


def test_the_script_words_numbers_as_python_does(opened: Callable[..., Visit]) -> None:
    tab = opened().tab
    values = [0.0, 1.23456e-5, 0.0123, 0.5, 1.0, 9.999, 12.34, 123.4, 1234.6, 98765.4, 3e9]
    assert tab.evaluate("values => values.map(quantity)", values) == [wording.quantity(v) for v in values]
    shares = [0.9, 0.37, 0.0123, 0.0041, 1.5]
    assert tab.evaluate("values => values.map(percent)", shares) == [wording.share(v) for v in shares]
    for ends in ([1.5, 1.2, 1.9], [1.004, 0.998, 1.2], [0.003, 0.001, 0.01], [93.34, 48.6, 179.28]):
        shown, limits = tab.evaluate("value => ratio(value)", ends)
        assert (shown, limits) == wording.ratio(Interval(*ends, "interval", 3))
    assert tab.evaluate("ends([12.3, 11.9, 12.7], 3)") == "11.9 to 12.7"
    assert tab.evaluate("ends([12.3, 11.9, 12.7, 1], 2)") == "range 11.9 to 12.7"
    assert tab.evaluate("ends([12.3, 12.3, 12.3, 1], 1)") == "one fork"
    assert tab.evaluate("ends([12.3, 12.3, 12.3, 1])") == "no interval"  # of one seed
    assert tab.evaluate("ratio([2, 2, 2, 1])") == ["2.00", "no interval"]


def test_smoothing_is_the_moving_average_of_its_source(opened: Callable[..., Visit]) -> None:
    # s̃ᵢ = α·s̃ᵢ₋₁ + (1−α)·sᵢ, by hand for α = 0.8; an epoch without a value leaves the average as it is
    found = opened().tab.evaluate("smoothed([1, 0, null, 1], 0.8)")
    assert found == pytest.approx([1, 0.8, None, 0.84])


def test_a_legend_names_what_is_drawn(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=speed")
    assert visit.tab.locator("#sweep .legend .name").all_inner_texts() == ["pytorch", "paddle"]
    visit.choose("learning")  # Keras was trained without a rate on record
    assert visit.tab.locator("#rates .legend .name").all_inner_texts() == ["pytorch", "paddle"]
    assert visit.tab.locator("#rates .legend .stroke").count() == 2


def test_nights_have_a_tick_each_wherever_they_are_read(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=history", zone="America/New_York")
    visit.draw()
    labels = visit.tab.locator("#history .chart .role-axis-label text").all_text_contents()
    assert [label for label in labels if " Jan " in label] == ["2 Jan 26", "3 Jan 26", "4 Jan 26"]


def test_a_trainings_history_is_titled_by_its_recipe(opened: Callable[..., Visit]) -> None:
    told = "told => { Object.assign(data.rows.history[0], told); return views.history().charts[0].title; }"
    training = {"task": "accuracy", "recipe": "googlenet-cifar", "metric": "error", "unit": "of 1"}
    title = opened().tab.evaluate(told, {**training, "policy": None, "device": None})
    assert title == "mlp accuracy, batch 32, recipe googlenet-cifar, paddle: error, of 1 · ▼ slower"


def test_sentences_have_room(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=history")
    cells = visit.tab.locator("[data-table=history] tbody td.sentence").all()
    assert "beyond chance over 2 nights" in [cell.inner_text() for cell in cells]
    assert len(cells) == 2  # why, and the change points
    for cell in cells:
        box = cell.bounding_box()
        assert box is not None
        assert box["width"] >= 128  # px, 8 rem: three words a line and more


def test_shares_have_one_space_before_their_sign(opened: Callable[..., Visit]) -> None:
    visit = opened(at="tab=limits")
    visit.draw()
    labels = visit.tab.locator("#limits .chart .role-axis-label text").all_text_contents()
    assert "100\N{NO-BREAK SPACE}%" in labels
    assert not any(re.search(r"\d%", label) for label in labels)


# --- Other pages ---


def test_a_sites_first_page_filters_and_links(browser: Browser, pages: Path, index_page: str) -> None:
    path = pages / "index.html"
    path.write_text(index_page, encoding="utf-8")
    visit = Visit(browser, path)
    assert visit.tab.locator("[data-table=runs] a").get_attribute("href") == "runs/run.html"
    assert visit.tab.locator(".filter").count() == 4  # network, framework, device, policy
    assert axe().run(visit.tab).violations_count == 0
    visit.choose_filter("name", "paddle")
    assert visit.tab.locator("[data-table=runs] tbody tr").count() == 1
    assert visit.complaints == []
    visit.tab.close()


# --- Hostile, and large ---


def test_hostile_text_is_shown_and_does_nothing(browser: Browser, pages: Path, hostile_page: str) -> None:
    path = pages / "hostile.html"
    path.write_text(hostile_page, encoding="utf-8")
    visit = Visit(browser, path)
    for tab in visit.tab.locator("[role=tab]").all():
        tab.click()
        visit.draw()
    visit.choose("speed")
    visit.tab.locator("#throughput .chart svg .mark-symbol path").first.hover()  # tooltips show names too
    assert "<script>alert(1)</script>" in visit.tab.inner_text("header")
    assert "<img src=x" in visit.tab.inner_text("#throughput")
    assert visit.tab.locator("img").count() == 0
    assert visit.complaints == []
    visit.tab.close()


def test_a_script_that_slipped_in_would_not_run(browser: Browser, pages: Path, rich_page: str) -> None:
    path = pages / "slipped.html"
    path.write_text(rich_page.replace("</h1>", "</h1><script>alert(1)</script>", 1), encoding="utf-8")
    visit = Visit(browser, path)
    assert "a dialog opened" not in visit.complaints
    assert any("Content Security Policy" in complaint for complaint in visit.complaints)
    visit.tab.close()


def test_five_thousand_cases_open_with_few_of_them_drawn(
    browser: Browser, pages: Path, big_page: str
) -> None:
    path = pages / "big.html"
    path.write_text(big_page, encoding="utf-8")
    visit = Visit(browser, path, at="tab=speed")
    visit.tab.wait_for_selector(".chart[data-drawn]")
    assert visit.tab.locator("#count").inner_text() == "5,004 cases"
    assert visit.tab.locator("[data-table=throughput] tbody tr").count() == 50
    assert visit.tab.locator("#throughput .chart").count() == 12
    assert visit.tab.evaluate("document.querySelectorAll('*').length") < 10_000
    visit.tab.locator("[data-table=throughput] th[data-field=rate] button").click()
    values = [float(cell) for cell in visit.cells("throughput", "rate")]
    fastest = visit.tab.evaluate("Math.min(...cases.map((one) => one.rate[0]))")
    assert values[0] == pytest.approx(fastest, rel=0.01)  # three digits are shown
    visit.tab.locator("#throughput .more", has_text="charts").click()
    assert visit.tab.locator("#throughput .chart").count() == 24
    figures = "document.querySelectorAll('#throughput figure')"
    assert visit.tab.evaluate(f"document.activeElement === {figures}[12]")
    words = ["The first 24 of 834 charts.", "The first 50 of 5,004 rows."]
    assert visit.tab.locator("#throughput .cut").all_text_contents() == words
    assert visit.complaints == []
    visit.tab.close()
