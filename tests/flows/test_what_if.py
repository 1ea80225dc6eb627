"""What-if over a whole night: asked on the command line, kept beside the releases, and of the night's own making."""

from __future__ import annotations

import json
import shlex
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app
from flows.look import query_published
from flows.what_if_words import read_question
from tasks.build_features import variables
from tasks.night import Night
from tasks.scenarios.question import ScenarioError
from tests.flows.conftest import Released, tiny_settings
from tests.shop import Shop
from warehouse import build, lock
from warehouse.connect import open_overlay, open_warehouse
from warehouse.contracts.scenarios import SCENARIO_TABLES
from warehouse.scenario_file import scenario_file

RUNNER = CliRunner()


@pytest.fixture(scope="module")
def home(released: Released, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the released home, to ask about."""
    assert released.outcome.exit_code == 0, released.outcome.message
    return shutil.copytree(released.home, tmp_path_factory.mktemp("what-if") / "home", symlinks=True)


def ask(home: Path, *words: str) -> dict:
    told = RUNNER.invoke(app, ["what-if", *words, "--home", str(home), "--json"])
    assert told.exit_code == 0, told.output
    return json.loads(told.stdout)


def query(home: Path, text: str) -> list[tuple[object, ...]]:
    return query_published(home, text)[1]


@pytest.fixture(scope="module")
def night(home: Path, released: Released, shop: Shop) -> Night:
    settings = released.settings.model_copy(update={"home": home})
    return settings.night(str(released.outcome.run_id), shop.as_of_date, "UTC", "USD")


@pytest.fixture(scope="module")
def quiet_week(home: Path, shop: Shop) -> tuple[str, list[str]]:
    """The second week ahead, as from and to of a promotion, and products that nothing promotes then."""
    first = shop.as_of_date + timedelta(days=7)
    with open_overlay(home / "warehouse.duckdb", spill_folder=home / "spill") as con:
        products = con.execute(
            """select product_id from night.predictions.demand_forecasts
            where forecast_date = $1 and not is_promoted order by all limit 3""",
            [first],
        ).fetchall()
    return f"from={first} to={first + timedelta(days=6)}", [product for (product,) in products]


def test_a_price_is_answered_kept_and_shown(home: Path) -> None:
    link = (home / "published.duckdb").readlink()
    ((product, price),) = query(
        home, "select product_id, current_price from predictions.price_recommendations_latest order by all limit 1"
    )
    asked = f"{product}={float(str(price)) * 1.3:.2f}"
    answer = ask(home, "--price", asked)
    (row,) = answer["tables"]["products"]
    assert row["product_id"] == product and row["demand_units_scenario"] < row["demand_units_night"]
    kept = "select scenario_id, question from scenarios.summaries"
    assert query(home, kept) == [(answer["scenario_id"], f'--price "{asked}"')]
    # The same question is the same scenario, and nothing of the release changes.
    assert ask(home, "--price", asked)["tables"]["products"] == answer["tables"]["products"]
    assert query(home, kept) == [(answer["scenario_id"], f'--price "{asked}"')]
    assert (home / "published.duckdb").readlink() == link
    assert query(home, "select count(*) > 0 from predictions.price_recommendations_latest") == [(True,)]

    told = RUNNER.invoke(app, ["what-if", "--price", asked, "--home", str(home)])
    assert all(word in told.stdout for word in (product, "margin", "demand, units", answer["scenario_id"])), told.stdout


def test_every_table_of_the_contract_is_kept(home: Path) -> None:
    ask(home, "--price", f"{query(home, 'select min(product_id) from predictions.price_recommendations')[0][0]}=1.23")
    for table in SCENARIO_TABLES:
        columns = query(home, f"select column_name from (describe scenarios.{table.name})")
        assert [name for (name,) in columns] == list(table.column_names)
        key = ", ".join(table.key)
        assert query(home, f"select {key} from scenarios.{table.name} group by all having count(*) > 1") == []


def test_the_build_makes_the_nights_samples_again(home: Path, night: Night) -> None:
    """What a scenario's promotion goes through gives, without one, what the night has."""
    with open_overlay(home / "warehouse.duckdb", spill_folder=home / "spill") as con:
        build.set_variables(con, variables(night, is_warm=False))
        con.execute(
            "create table scenario.features.demand_population as "
            "from night.features.demand_population where cutoff_date = getvariable('as_of_date')"
        )
        build.run_files(con, build.PROMOTION_FILES, lambda file: None)
        both = ("select * from night.samples.demand where fold = 'serve'", "select * from scenario.samples.demand")
        for first, second in (both, both[::-1]):
            assert con.execute(f"{first} except all {second}").fetchall() == []
        assert con.execute("select count(*) > 10 from scenario.samples.demand").fetchall() == [(True,)]


def test_a_promotion_lowers_the_price_of_its_week_alone(home: Path, quiet_week: tuple[str, list[str]]) -> None:
    days, products = quiet_week
    first = days.partition(" ")[0].removeprefix("from=")
    answer = ask(home, "--promotion", f"products={shlex.quote(','.join(products))} discount=25% {days}")
    rows = answer["tables"]["demand"]
    assert [(row["product_id"], row["forecast_date"]) for row in rows] == [(product, first) for product in products]
    for row in rows:
        assert row["price_scenario"] == pytest.approx(0.75 * row["price_night"], abs=0.006)
        assert row["demand_units_scenario"] != row["demand_units_night"]
        assert row["revenue_scenario"] == pytest.approx(row["price_scenario"] * row["demand_units_scenario"])


def test_a_category_leaves_out_what_is_promoted_already(home: Path, shop: Shop) -> None:
    with open_overlay(home / "warehouse.duckdb", spill_folder=home / "spill") as con:
        ((category,),) = con.execute("select mode(category) from raw.products").fetchall()
    days = f"from={shop.as_of_date} to={shop.as_of_date + timedelta(days=27)}"
    told = RUNNER.invoke(
        app, ["what-if", "--promotion", f"category='{category}' discount=10% {days}", "--home", str(home)]
    )
    assert "left out: each is in another promotion" in told.output


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ((-1, 3), "starts in the past"),
        ((3, 40), "after the last forecast day"),
    ],
)
def test_a_promotion_on_other_days_says_which(home: Path, shop: Shop, days: tuple[int, int], words: str) -> None:
    first, last = (shop.as_of_date + timedelta(days=day) for day in days)
    product = query(home, "select min(product_id) from predictions.price_recommendations")[0][0]
    asked = f"products={shlex.quote(product)} discount=10% from={first} to={last}"
    told = RUNNER.invoke(app, ["what-if", "--promotion", asked, "--home", str(home)])
    assert told.exit_code == 2 and words in told.stderr and "Remedy" in told.stderr


def test_a_promoted_product_cannot_be_promoted_again(home: Path) -> None:
    with open_overlay(home / "warehouse.duckdb", spill_folder=home / "spill") as con:
        ((product, week),) = con.execute(
            """select product_id, forecast_date from night.predictions.demand_forecasts
            where is_promoted order by all limit 1"""
        ).fetchall()
    asked = f"products={shlex.quote(product)} discount=10% from={week} to={week + timedelta(days=6)}"
    told = RUNNER.invoke(app, ["what-if", "--promotion", asked, "--home", str(home)])
    assert told.exit_code == 2 and f"{product} is in promotion" in told.stderr and "Remedy" in told.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "nothing is asked"),
        (("--price", "nobody=1"), "there is no product nobody"),
        (("--price", "nobody=-1"), "a price is above 0"),
        (("--price", "p1=1", "--as-of", "2001-01-01"), "the warehouse holds the night as of"),
    ],
)
def test_a_bad_question_is_wrong_use(home: Path, words: tuple[str, ...], told: str) -> None:
    answer = RUNNER.invoke(app, ["what-if", *words, "--home", str(home)])
    assert answer.exit_code == 2 and told in answer.stderr and "Remedy" in answer.stderr


def test_while_a_night_writes_the_writer_is_named(home: Path, tmp_path: Path) -> None:
    from flows.what_if import ask as ask_now

    settings = tiny_settings(home, tmp_path)
    with lock.writing(home, "night of somebody"), pytest.raises(lock.WarehouseBusy, match=r"night of somebody.*Remedy"):
        ask_now(settings, read_question(["p1=1"], []))


def test_without_a_night_to_ask_about_it_says_so(home: Path, tmp_path: Path) -> None:
    from flows.what_if import ask as ask_now

    empty = tiny_settings(tmp_path / "empty", tmp_path)
    with pytest.raises(ScenarioError, match=r"has no nights yet.*Remedy"):
        ask_now(empty, read_question([], []))
    broken = shutil.copytree(home, tmp_path / "broken", symlinks=True)
    settings = tiny_settings(broken, tmp_path)
    with open_warehouse(broken / "warehouse.duckdb") as con:
        con.execute("update ops.releases set run_id = '20010101-x' where is_current")
    with pytest.raises(ScenarioError, match=r"readers see night 20010101-x.*--as-of"):
        ask_now(settings, read_question([], []))
    with open_warehouse(broken / "warehouse.duckdb") as con:
        con.execute("update ops.runs set status = 'stopped'")
    with pytest.raises(ScenarioError, match=r"was not released.*Remedy"):
        ask_now(settings, read_question([], []))


def test_an_older_file_of_scenarios_is_read_by_name(home: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(home, tmp_path / "home", symlinks=True)
    product = query(copy, "select min(product_id) from predictions.price_recommendations")[0][0]
    first = ask(copy, "--price", f"{product}=1.11")["scenario_id"]
    file = scenario_file(copy)
    file.chmod(0o644)
    with open_warehouse(file) as con:
        con.execute("alter table summaries drop column contacts_night")
    second = ask(copy, "--price", f"{product}=1.12")["scenario_id"]
    assert {first, second} <= {str(row[0]) for row in query(copy, "select scenario_id from scenarios.summaries")}
    assert query(copy, f"select contacts_night from scenarios.summaries where scenario_id = '{first}'") == [(None,)]
