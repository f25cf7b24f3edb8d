"""The page in Chromium, from file:// with no network: what a reader sees."""

import functools
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

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
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1400, "height": 900}
DRAWN = "html[data-charts=drawn]"


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
        self, browser: Browser, path: Path, html: str, size: dict[str, int], scheme: str = "light"
    ) -> None:
        self.path = path
        path.write_text(html, encoding="utf-8")
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.tab: Page = browser.new_page(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
        self.tab.on("request", lambda request: self.requests.append(request.url))
        self.tab.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        self.tab.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.tab.on("dialog", lambda dialog: (self.complaints.append("a dialog opened"), dialog.dismiss()))
        self.tab.goto(self.path.as_uri())
        self.tab.wait_for_selector(DRAWN, timeout=20_000, state="attached")

    def color(self, selector: str, name: str) -> str:
        script = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"
        return str(self.tab.evaluate(script, [selector, name]))


@pytest.fixture
def opened(browser: Browser, tmp_path: Path, full_page: str) -> Callable[..., Visit]:
    """Opens the full report: ``opened(size, scheme)``."""
    return functools.partial(Visit, browser, tmp_path / "report.html", full_page)


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_charts_are_drawn_without_a_complaint_or_a_request(
    opened: Callable[..., Visit], size: dict[str, int]
) -> None:
    visit = opened(size)
    assert visit.tab.locator(".chart svg").count() == 2 + 3  # two groups, three measures of training
    assert visit.complaints == []
    assert visit.requests == [visit.path.as_uri()]


def test_nothing_scrolls_sideways_on_a_phone(opened: Callable[..., Visit]) -> None:
    visit = opened(PHONE)
    assert visit.tab.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    widths = visit.tab.evaluate("[...document.querySelectorAll('.chart svg')].map(s => s.clientWidth)")
    assert all(0 < width <= PHONE["width"] for width in widths)


def test_a_heading_sorts_by_keyboard_and_turns_at_the_second_press(opened: Callable[..., Visit]) -> None:
    tab = opened(DESK).tab
    heading = tab.locator("section[aria-labelledby=throughput] thead th", has_text="images/s")
    cells = "[...document.querySelectorAll('section[aria-labelledby=throughput] tbody tr')]"
    values = f"{cells}.map(row => parseFloat(row.cells[2].dataset.value))"
    heading.locator("button").focus()
    tab.keyboard.press("Enter")
    assert tab.evaluate(values) == sorted(tab.evaluate(values))
    assert heading.get_attribute("aria-sort") == "ascending"
    tab.keyboard.press("Space")
    assert tab.evaluate(values) == sorted(tab.evaluate(values), reverse=True)
    assert heading.get_attribute("aria-sort") == "descending"


def test_hostile_text_is_shown_and_does_nothing(browser: Browser, tmp_path: Path, hostile_page: str) -> None:
    visit = Visit(browser, tmp_path / "report.html", hostile_page, DESK)
    visit.tab.locator(".chart svg .mark-symbol path").first.hover()  # tooltips show names too
    assert "<script>alert(1)</script>" in visit.tab.inner_text("body")
    assert visit.tab.locator("img").count() == 0
    assert visit.complaints == []


def test_a_script_that_slipped_in_would_not_run(browser: Browser, tmp_path: Path, full_page: str) -> None:
    slipped = full_page.replace("</h1>", "</h1><script>alert(1)</script>", 1)
    visit = Visit(browser, tmp_path / "report.html", slipped, DESK)
    assert "a dialog opened" not in visit.complaints
    assert any("Content Security Policy" in complaint for complaint in visit.complaints)


def test_dark_and_light_differ_in_page_and_chart(opened: Callable[..., Visit]) -> None:
    light, dark = (opened(DESK, scheme) for scheme in ("light", "dark"))
    for selector, name in (("body", "backgroundColor"), (".chart svg .mark-text text", "fill")):
        assert light.color(selector, name) != dark.color(selector, name)


def test_print_is_light_and_cuts_no_table_off(opened: Callable[..., Visit]) -> None:
    visit = opened(DESK, "dark")
    visit.tab.emulate_media(media="print")
    assert visit.color("body", "backgroundColor") == "rgb(255, 255, 255)"
    assert visit.color(".scroll", "overflowX") == "visible"
