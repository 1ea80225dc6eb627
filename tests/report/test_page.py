"""The page as text: what it says, that it says it in order, and that it trusts nobody."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from datetime import date
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from flows.report import rebuild_report
from tasks.report.sections import SECTIONS
from tasks.write_report import write_page
from tests.report.conftest import FIRST_DAY, RUNS, Nights, release_nights
from warehouse import lock
from warehouse.connect import open_warehouse, open_with_files
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.release import list_releases
from warehouse.release_file import build_file
from warehouse.report import find_nights, read_section, reading


@pytest.fixture(scope="session")
def first(nights: Nights) -> str:
    return nights.first.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def second(nights: Nights) -> str:
    return nights.second.read_text(encoding="utf-8")


def markup(page: str) -> str:
    """The page without the content of scripts and styles."""
    return re.sub(r"<(script|style)([^>]*)>.*?</\1>", r"<\1\2></\1>", page, flags=re.DOTALL)


def words(page: str, section: str) -> str:
    """What a person reads in the section."""
    text = markup(page).split(f'<section id="{section}"')[1].split("</section>")[0]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def test_the_same_files_give_the_same_page(nights: Nights, second: str) -> None:
    page = rebuild_report(nights.home)
    assert page.file == nights.second and page.file.read_text(encoding="utf-8") == second
    assert page.bytes < 3e6


def test_the_same_nights_again_differ_in_what_is_declared(nights: Nights, second: str, tmp_path: Path) -> None:
    def undeclared(page: str, run_id: str) -> str:
        return re.sub(r"<time.*?</time>", "", page).replace(run_id, "")

    shutil.copytree(nights.home / "reports", tmp_path / "reports")
    again = release_nights(tmp_path, ("20260301-other", "20260302-other"))
    page = again.second.read_text(encoding="utf-8")
    assert page != second and undeclared(page, "20260302-other") == undeclared(second, RUNS[1])


def test_the_page_of_a_day(nights: Nights, first: str) -> None:
    assert rebuild_report(nights.home, FIRST_DAY).file.read_text(encoding="utf-8") == first
    with pytest.raises(LookupError, match="2026-03-01, 2026-03-02"):
        rebuild_report(nights.home, date(2025, 1, 1))


def test_a_night_at_work_is_not_disturbed(nights: Nights) -> None:
    with lock.writing(nights.home, "night of somebody"), pytest.raises(lock.WarehouseBusy, match="night of somebody"):
        rebuild_report(nights.home)


def test_nothing_from_a_feed_is_markup(second: str) -> None:
    for evil in ('<script>alert("1")', "<b>bread", "<i>habit", "<u>price", "<img src=x", "<b>ratings"):
        assert evil not in second
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; Söhne" in second
    specs = re.findall(r'<script type="application/json">(.*?)</script>', second, re.DOTALL)
    assert len(specs) > 10 and any('<script>alert("1")</script> & Söhne' in str(json.loads(spec)) for spec in specs)


def test_only_the_page_s_own_scripts_and_style_may_run(second: str) -> None:
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', second)
    rules = dict(rule.strip().split(" ", 1) for rule in unescape(policy).split(";"))
    assert rules["default-src"] == "'none'" and "unsafe" not in policy

    def hashes(tag: str) -> str:
        contents = re.findall(rf"<{tag}>(.*?)</{tag}>", second, re.DOTALL)
        return " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(c.encode()).digest()).decode()}'" for c in contents)

    assert rules["script-src"] == hashes("script") and rules["style-src"] == hashes("style")
    assert not re.search(r"\son\w+=|javascript:|\sstyle=", markup(second))


def test_the_page_asks_nobody_for_anything(second: str) -> None:
    assert not re.search(r'(src|href)="(?!#|data:,)', markup(second))


def test_every_section_has_its_landmark_heading_and_link(second: str) -> None:
    for section in SECTIONS:
        assert f'<section id="{section.name}" aria-labelledby="{section.name}-title">' in second
        assert f'<h2 id="{section.name}-title">' in second and f'<a href="#{section.name}">' in second
    for landmark in ("<header>", '<nav aria-label="Sections">', '<main id="main"', "<footer>", '<html lang="en">'):
        assert second.count(landmark) == 1
    levels = [int(level) for level in re.findall(r"<h(\d)", markup(second))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_charts_and_tables_say_what_they_are(second: str) -> None:
    charts = re.findall(r'<div class="chart"[^>]*>', second)
    assert len(charts) > 10
    assert all(re.search(r'role="img" aria-label="[^"]{40,}"', chart) for chart in charts)
    assert len(charts) == second.count("<figcaption>")
    tables = re.findall(r"<table.*?</table>", markup(second), re.DOTALL)
    assert len(tables) > 10
    for table in tables:
        assert "<caption" in table and 'scope="col"' in table and 'scope="row"' in table


def test_ids_are_unique(second: str) -> None:
    ids = re.findall(r'\sid="([^"]+)"', markup(second))
    assert len(ids) == len(set(ids))


def test_a_first_night_says_that_there_is_nothing_to_compare_with(first: str, second: str) -> None:
    assert "nothing to compare with" in words(first, "changes") and "second night" in words(first, "models")
    assert "nothing to compare with" not in words(second, "changes")


def test_what_changed(second: str) -> None:
    text = words(second, "changes")
    assert "Compared with what was released for Sunday 1 March 2026" in text
    # The second night proposes one price and one order more, expects a unit a week more of each of 30 products, and
    # its actions are about other products: the 30 of the first night, moved by one.
    assert "1 recommendation is new, 0 are withdrawn, 0 name another price" in text
    assert "12 orders over 180 units, after 11 over 165: 1 new, 0 no longer due" in text
    assert "840 units expected in four weeks, after 720 (+17%)" in text
    assert "Pricing is released tonight, after champion" in text
    assert "Promise kept again: There is one curve." in text


def test_what_people_decided_and_what_came_of_it(first: str, second: str) -> None:
    assert "4 recommendations accepted, 1 rejected and 2 overridden" in words(second, "queue")
    assert "What people decided" not in words(first, "queue")
    models = words(second, "models")
    assert (
        "1 alert" in models and "Users come back later than in the training window. Look at the feed orders." in models
    )
    assert "1 measure of the latest nights whose weeks have passed, of which 1 is worse" in models
    assert "No earlier night of this home lies far enough back" in words(first, "models")
    assert "revenue per user 12 beside 10 (held out), a difference of 2, between 0.5 and 3.5: beyond luck" in models


def test_products_of_one_name_are_told_apart(second: str) -> None:
    assert "Twin (P30)" in words(second, "orders") and not re.search(r"Twin(?! \(P)", markup(second))


def test_drift(first: str, second: str) -> None:
    assert "Drift was not measured in this night" in words(first, "data")
    assert "3 comparisons" in words(second, "data") and "2 raise an alert" in words(second, "data")


def test_a_night_of_an_earlier_version_says_so(nights: Nights, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(nights.home, home, symlinks=True)
    file = home / "published" / f"{RUNS[0]}.duckdb"
    file.chmod(0o644)
    with open_warehouse(file) as con:
        con.execute("drop table ops.alerts")
    with pytest.raises(LookupError, match=r"earlier version.*ops\.alerts.*Remedy"):
        rebuild_report(home, FIRST_DAY)


def test_a_head_that_is_not_served_says_why(first: str, second: str) -> None:
    assert "nothing is published: feed behaviour_events has no <b>ratings</b>" in words(second, "lists")
    assert "not better than the naive baseline: handle_minutes 3 against 2" in words(second, "service")
    assert "an earlier model serves it tonight (model-1)" in words(first, "prices")


def test_the_morning_in_a_few_sentences(second: str) -> None:
    text = unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", markup(second).split("<main")[0])))
    assert "Monday 2 March 2026" in text and "5 of 7 heads are served by the model trained tonight" in text
    assert "all 2 promises between the decisions are kept" in text
    assert "30 actions" in text and "11 prices to move" in text and "12 orders" in text and "840 units" in text
    assert "4 contacts today" in text


def test_a_shop_without_anything_has_a_page_that_says_so(nights: Nights, tmp_path: Path) -> None:
    home = empty_home(nights, tmp_path)
    with open_with_files(home / "warehouse.duckdb") as con:
        page = write_page(con, home, RUNS[1]).file.read_text(encoding="utf-8")
    assert all(f'<section id="{section.name}"' in page for section in SECTIONS)
    assert "Nothing is worth an action tonight" in words(page, "queue")
    assert page.count("the section says why") >= 4


def empty_home(nights: Nights, folder: Path) -> Path:
    """A copy whose published files hold the diary alone, without measures."""
    home = folder / "home"
    shutil.copytree(nights.home, home, symlinks=True)
    with open_warehouse(home / "warehouse.duckdb") as con:
        for table in (*(table.qualified_name for table in PUBLISHED_TABLES), "ops.model_metrics", "ops.calibration"):
            con.execute(f"delete from {table}")
        for release in list_releases(con):
            file = home / "published" / release.file_name
            file.unlink()
            build_file(con, file, release)
    return home


def test_a_page_goes_with_the_published_file_of_its_night(nights: Nights, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(nights.home, home, symlinks=True)
    (home / "published" / f"{RUNS[0]}.duckdb").unlink()
    page = rebuild_report(home)
    assert sorted(file.name for file in page.file.parent.glob("*.html")) == ["2026-03-02.html"]
    assert "nothing to compare with" in words(page.file.read_text(encoding="utf-8"), "changes")


def test_every_chart_is_valid_and_speaks_for_itself(nights: Nights) -> None:
    with open_with_files(nights.home / "warehouse.duckdb") as con:
        both = find_nights(con, nights.shelf, RUNS[1])
        with reading(con, nights.shelf, both):
            figures = [
                figure for section in SECTIONS for figure in section.draw(read_section(con, section.name)).values()
            ]
    assert len(figures) > 12
    for figure in figures:
        figure.chart.to_dict(validate=True)
        assert figure.words.endswith(".")


def channel(value: int) -> float:
    share = value / 255
    return share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4


def luminance(colour: str) -> float:
    digits = "".join(2 * digit for digit in colour) if len(colour) == 3 else colour
    red, green, blue = (channel(int(digits[at : at + 2], 16)) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_contrast_is_enough(second: str, scheme: int) -> None:
    style = re.findall(r"<style>(.*?)</style>", second, re.DOTALL)[0]
    palette = dict(re.findall(r"--([\w-]+): #(\w+)", style.split(":root {")[scheme + 1].split("}")[0]))
    assert {"paper", "tint", "ink", "quiet", "link", "good", "bad", "warn", "series-1", "series-6"} <= set(palette)
    for background in ("paper", "tint"):
        for name, colour in palette.items():
            # WCAG AA: 4.5 for text, 3 for what is drawn; lines between rows are decoration.
            least = 0 if name in ("paper", "tint", "line") else 3 if name.startswith("series") else 4.5
            bright, dark = sorted((luminance(colour), luminance(palette[background])), reverse=True)
            assert (bright + 0.05) / (dark + 0.05) >= least, f"{name} on {background}"
