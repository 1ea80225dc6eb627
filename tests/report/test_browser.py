"""The page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.report.browser import Page, find_browser, open_browser
from tests.report.conftest import Nights

DRAWN = "document.documentElement?.dataset.charts === 'drawn'"
SHOWN = "[...document.querySelectorAll('#queue-table tbody tr')].filter((row) => !row.hidden)"
RANKS = f"{SHOWN}.map((row) => Number(row.cells[0].textContent))"

pytestmark = pytest.mark.skipif(
    find_browser() is None, reason="no Chromium here: apt-get install chromium, or brew install --cask chromium"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    with open_browser(find_browser() or "") as page:
        page.resize(1200, 900)
        yield page


@pytest.fixture
def page(browser: Page, nights: Nights) -> Page:
    browser.complaints.clear()
    browser.requests.clear()
    browser.prefer("light")
    browser.open(nights.second, DRAWN)
    return browser


def choose(page: Page, tool: str, value: str) -> None:
    page.ask(
        f"(() => {{ const tool = document.getElementById('queue-{tool}'); tool.value = '{value}';"
        " tool.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )


def test_every_chart_is_drawn_without_a_word_of_complaint(page: Page, nights: Nights) -> None:
    charts = page.ask("document.querySelectorAll('.chart').length")
    assert charts > 12
    marked = (
        "[...document.querySelectorAll('.chart')].filter((it) => it.querySelectorAll('svg path, svg line').length > 5)"
    )
    assert page.ask(f"{marked}.length") == charts
    assert page.complaints == []
    assert page.requests == [nights.second.resolve().as_uri()]


def test_a_title_that_is_a_script_is_text(page: Page) -> None:
    title = '<script>alert("1")</script> & Söhne'
    assert page.ask(f"document.querySelector('#prices').textContent.includes({title!r})")
    assert page.ask("document.querySelectorAll('main script:not([type])').length") == 0


def test_the_filter_of_the_actions(page: Page) -> None:
    assert len(page.ask(RANKS)) == 20
    choose(page, "head", "supply")
    assert page.ask(RANKS) == [rank for rank in range(1, 31) if rank % 3 == 1]
    choose(page, "text", "No. 13")
    assert page.ask(RANKS) == [13]
    assert page.ask("document.getElementById('queue-count').textContent") == "1 shown of 1 found, 30 in all"
    choose(page, "text", "nothing has these words")
    assert page.ask(RANKS) == []
    for tool in ("text", "head"):
        choose(page, tool, "")
    choose(page, "due", "2026-03-02")
    assert page.ask(RANKS) == [4, 8, 12, 16, 20, 24, 28]


def test_all_actions_at_the_press_of_a_button(page: Page) -> None:
    page.ask("document.getElementById('queue-more').click()")
    assert page.ask(RANKS) == list(range(1, 31))
    page.ask("document.getElementById('queue-more').click()")
    assert len(page.ask(RANKS)) == 20


def test_sorting_with_the_keyboard(page: Page) -> None:
    page.ask("document.querySelector('#queue-table thead th:nth-child(5) button').focus()")
    page.press("Enter")
    heading = "document.querySelector('#queue-table thead th:nth-child(5)').getAttribute('aria-sort')"
    assert page.ask(heading) == "ascending" and page.ask(RANKS) == list(range(30, 10, -1))
    page.press(" ")
    assert page.ask(heading) == "descending" and page.ask(RANKS) == list(range(1, 21))


def test_the_first_press_of_tab_leads_past_the_links(page: Page) -> None:
    page.press("Tab")
    assert page.ask("document.activeElement.className") == "skip"
    assert page.ask("document.activeElement.getBoundingClientRect().left") > 0
    page.press("Enter")
    assert page.ask("document.activeElement.id") == "main"


def test_charts_follow_dark_and_print(page: Page) -> None:
    colour = "getComputedStyle(document.querySelector('#prices .chart .mark-rect path')).fill"
    light = page.ask(colour)
    page.prefer("dark")
    dark = page.ask(colour)
    page.prefer("dark", "print")
    assert light != dark and page.ask(colour) == light
    assert page.ask("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_a_phone_scrolls_one_way_only(browser: Page, nights: Nights) -> None:
    browser.prefer("light")
    browser.resize(360, 800)
    try:
        browser.open(nights.second, DRAWN)
        assert browser.ask("document.documentElement.scrollWidth") == 360
    finally:
        browser.resize(1200, 900)


def test_it_prints(page: Page, tmp_path: Path) -> None:
    page.print(tmp_path / "page.pdf")
    assert (tmp_path / "page.pdf").read_bytes().startswith(b"%PDF")
