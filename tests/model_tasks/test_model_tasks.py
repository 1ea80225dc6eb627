"""Train, measure and predict on a small warehouse."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pytest

from mtl_models.checkpoint import hash_of
from tasks.earlier_model import load_earlier
from tasks.evaluate_heads import evaluate_heads
from tasks.gates import GateStopped
from tasks.predict_heads import predict_heads
from tasks.progress import listening
from tasks.read_samples import entity_tensors, fit_preprocessing, read_frames, sample_tensors
from tasks.readiness import check_readiness
from tasks.train_model import train_model
from tests.model_tasks.conftest import Done
from tests.model_tasks.small_warehouse import AS_OF, MODEL, begin, night_of

WITHOUT_DATA = ("service", "order_risks", "tickets", "uplift", "quality")


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return con.execute(query).fetchall()


# --- reading ---------------------------------------------------------------------------------------------------------


def test_columns_are_read_by_their_prefix(small: duckdb.DuckDBPyConnection) -> None:
    small.execute("alter table features.users add column another_number double default 3")
    small.execute("alter table features.users add column another_word varchar default 'w'")
    small.execute("alter table samples.profile add column ctx_another double default 1")
    frames = read_frames(small, ["profile", "demand"], ("train",))
    preprocessing = fit_preprocessing(frames)
    user = preprocessing.entities["user"]
    assert set(user.categories) == {"region", "another_word"}
    assert {"keenness", "sometimes_unknown", "another_number"} == set(user.numbers.names)
    assert preprocessing.contexts["profile"].names == ("ctx_another",)
    assert "ctx_horizon" in preprocessing.contexts["demand"].names, "a number within the key is context"
    profile = sample_tensors(frames, preprocessing, "train")["profile"]
    assert {"spend_28d", "category_shares"} <= set(profile.targets)
    assert profile.targets["category_shares"].shape == (len(profile), 3)


def test_a_row_finds_its_entities_and_lacks_the_others(small: duckdb.DuckDBPyConnection) -> None:
    frames = read_frames(small, ["profile", "demand"], ("test",))
    profile = frames.samples["profile"]["test"]
    assert (profile["slot_user"] >= 0).all() and (profile["slot_site"] >= 0).all()
    assert (profile["slot_product"] == -1).all()
    demand = frames.samples["demand"]["test"]
    assert (demand["slot_history"] >= 0).all() and (demand["slot_calendar"] >= 0).all()
    assert (demand["slot_user"] == -1).all()
    assert len(frames.entities["user"]) == 100, "only the cut-offs that are asked for"
    assert frames.entities["user"][profile["slot_user"]]["user_id"].to_list() == sorted(f"u{i}" for i in range(100))


def test_no_training_label_looks_into_the_measured_window(small: duckdb.DuckDBPyConnection) -> None:
    label_end = AS_OF - timedelta(days=28)
    frames = read_frames(small, ["profile"], ("train", "validation"), label_end_date=label_end)
    validation, train = frames.samples["profile"]["validation"], frames.samples["profile"]["train"]
    assert validation["label_buys_28d"].null_count() == 0
    assert validation["label_churns_90d"].null_count() == len(validation)
    # Of the cut-offs 84, 112 and 140 days ago only the last leaves 90 days before the window.
    assert train["label_churns_90d"].null_count() == len(train) * 2 // 3


def test_unknown_labels_and_missing_numbers_become_nan_and_flags(small: duckdb.DuckDBPyConnection) -> None:
    frames = read_frames(small, ["profile"], ("train",))
    preprocessing = fit_preprocessing(frames)
    table = entity_tensors(frames, preprocessing)["user"]
    assert preprocessing.entities["user"].numbers.width == 3 == table.numbers.shape[1]
    profile = sample_tensors(frames, preprocessing, "train")["profile"]
    unspent = profile.targets["spend_28d"] == 0
    assert profile.targets["category_shares"][unspent].isnan().all()
    assert profile.targets["contacts_28d"].isnan().all()


# --- readiness -------------------------------------------------------------------------------------------------------


def test_a_task_without_its_feed_waits_and_says_why(small: duckdb.DuckDBPyConnection) -> None:
    readiness = check_readiness(small)
    assert readiness.tasks == ("profile", "recommendation", "pricing", "promotion", "supply")
    assert readiness.not_ready["service_orders"] == "feed service_tickets is missing or empty"


def test_a_thin_feed_waits_too(small: duckdb.DuckDBPyConnection) -> None:
    small.execute("delete from samples.promotion where fold = 'train' and user_id <> 'u1'")
    assert "give 6 rows to learn from; 200 are needed" in check_readiness(small).not_ready["promotion"]


def test_nothing_to_learn_stops_the_night(small: duckdb.DuckDBPyConnection, tmp_path) -> None:
    for table in ("profile", "recommendation", "demand", "promotion"):
        small.execute(f"delete from samples.{table}")
    with pytest.raises(GateStopped, match="no head can learn") as stop:
        train_model(small, night_of(tmp_path))
    assert stop.value.gate == "model"


# --- training --------------------------------------------------------------------------------------------------------


def test_training_leaves_a_model_and_its_task_interactions(done: Done) -> None:
    assert {path.name for path in done.night.model_folder.iterdir()} == {"model.safetensors", "model.json"}
    assert done.training.model_version.startswith("night-1-")
    assert done.training.warm_started_from is None
    count, low, high = rows(
        done.con, "select count(*), min(gradient_cosine), max(gradient_cosine) from ops.task_interactions"
    )[0]
    assert count == 5 * 4 and -1.001 <= low <= high <= 1.001


def test_the_same_night_twice_gives_the_same_predictions(
    done: Done, small: duckdb.DuckDBPyConnection, tmp_path
) -> None:
    night = night_of(tmp_path, run_id="night-1")
    begin(small, night)
    assert train_model(small, night).model_version == done.training.model_version
    evaluate_heads(small, night)
    predict_heads(small, night)
    for table in done.prediction.rows:
        query = f"select * from predicted.{table} order by all"
        assert rows(small, query) == rows(done.con, query), table


def test_passes_are_reported(small: duckdb.DuckDBPyConnection, tmp_path) -> None:
    said: list[str] = []
    night = night_of(tmp_path, model=MODEL.model_copy(update={"max_epochs": 1, "finish_epochs": 0}))
    with listening(lambda message, _: said.append(message)):
        train_model(small, night)
    assert [line.partition(":")[0] for line in said] == ["reading samples", "epoch 1"]


def test_business_priorities_change_the_model_while_they_are_valid(small: duckdb.DuckDBPyConnection, tmp_path) -> None:
    def weights_with(weight: float, valid_from: date) -> str:
        small.execute("delete from raw.head_priorities")
        small.execute(
            """insert into raw.head_priorities (rule_id, scope, scope_id, valid_from, weight)
            values ('r', 'head', 'supply', $1, $2)""",
            [valid_from, weight],
        )
        night = night_of(tmp_path, model=MODEL.model_copy(update={"max_epochs": 1, "finish_epochs": 0}))
        return train_model(small, night).model_version

    neutral, valid, not_yet = weights_with(1, AS_OF), weights_with(5, AS_OF), weights_with(5, AS_OF + timedelta(days=1))
    assert neutral == not_yet != valid


def test_the_next_night_starts_warm(small: duckdb.DuckDBPyConnection, tmp_path) -> None:
    quick = MODEL.model_copy(update={"max_epochs": 1, "finish_epochs": 0})
    first, second = night_of(tmp_path, "night-1", AS_OF - timedelta(days=7), quick), night_of(tmp_path, "night-2")
    begin(small, first)
    version = train_model(small, first).model_version
    begin(small, second)
    report = train_model(small, second)
    assert report.warm_started_from == version
    assert len(report.epochs) <= MODEL.warm_max_epochs + MODEL.finish_epochs
    cold = night_of(tmp_path, "night-3", model=MODEL.model_copy(update={"warm_start": False}))
    assert load_earlier(small, cold) is None
    again = night_of(tmp_path, "night-4", AS_OF - timedelta(days=7))
    assert load_earlier(small, again) is None, "a later night must not teach an earlier one"


def test_a_model_of_another_version_does_not_stop_the_night(small: duckdb.DuckDBPyConnection, tmp_path) -> None:
    """After an upgrade the earlier model may have other layers: training starts afresh and says so."""
    quick = MODEL.model_copy(update={"max_epochs": 1, "finish_epochs": 0})
    first = night_of(tmp_path, "night-1", AS_OF - timedelta(days=7), quick)
    begin(small, first)
    train_model(small, first)
    description = first.model_folder / "model.json"
    description.write_text(description.read_text().replace('"slot_width":16', '"slot_width":8'))
    second = night_of(tmp_path, "night-2", model=quick)
    begin(small, second)
    small.execute("update ops.runs set model_hash = $1 where run_id = 'night-1'", [hash_of(first.model_folder)])
    said: list[str] = []
    with listening(lambda message, _: said.append(message)):
        report = train_model(small, second)
    assert report.warm_started_from is None
    assert any("training starts afresh" in line and "other layers" in line for line in said)


# --- measuring -------------------------------------------------------------------------------------------------------


def test_heads_are_released_when_they_beat_naive(done: Done) -> None:
    status = dict(rows(done.con, "select head, status from ops.head_status"))
    assert set(status) == {"profile", "recommendation", "pricing", "promotion", "supply", *WITHOUT_DATA}
    assert {status[head] for head in WITHOUT_DATA} == {"not_ready"}
    assert {status[head] for head in status if head not in WITHOUT_DATA} == {"released"}
    lost = rows(
        done.con,
        """select head, task, metric from ops.model_metrics
        where is_gate and not coalesce(if(is_higher_better, value > baseline_value, value < baseline_value), false)""",
    )
    assert lost == []


def test_every_measure_stands_beside_its_baseline(done: Done) -> None:
    heads = dict(rows(done.con, "select head, count(*) from ops.model_metrics group by head"))
    assert set(heads) == {"profile", "recommendation", "pricing", "promotion", "supply"}
    assert rows(
        done.con,
        """select count(*) from ops.model_metrics where value is null or sample_count = 0
        or baseline_value is null and metric <> 'spearman' -- a constant has no rank
        or window_start <> date '2024-05-27' or window_end <> date '2024-06-24'""",
    ) == [(0,)]


def test_newcomers_are_measured_where_ids_are_seen(done: Done) -> None:
    """Half of the ids are hidden in training, so that features can stand in: without ids naive is beaten, too."""
    measures = rows(
        done.con,
        """select cold.head, cold.is_gate, cold.value > cold.baseline_value, cold.value <> gate.value
        from ops.model_metrics as cold
        join ops.model_metrics as gate
            on gate.head = cold.head and gate.task = cold.task and cold.metric = gate.metric || '_ids_hidden'
        where gate.is_gate""",
    )
    assert measures and set(measures) == {("recommendation", False, True, True)}


def test_calibration_bins_hold_all_rows(done: Done) -> None:
    bins = rows(
        done.con,
        """select count(*), sum(sample_count), min(predicted_mean), max(predicted_mean) from ops.calibration
        where task = 'buys_28d'""",
    )[0]
    assert bins[:2] == (10, 100) and 0 <= bins[2] < bins[3] <= 1


def test_what_calibration_did_stands_beside_what_was_said_without_it(done: Done) -> None:
    """The small warehouse has too few users to learn from, and the median is never moved: so it says why."""
    effects = rows(
        done.con,
        """select task, measure, wanted, learned_from, abs(uncalibrated - calibrated) < 1e-6, reason is not null
        from ops.calibration_effects where task in ('buys_28d', 'demand') order by all""",
    )
    wanted = {"coverage_p10": 0.1, "coverage_p50": 0.5, "coverage_p90": 0.9, "coverage_p95": 0.95}
    expected = [("buys_28d", "calibration_error", 0.0), *(("demand", name, level) for name, level in wanted.items())]
    assert [effect[:3] for effect in effects] == expected
    assert all(
        effect[3:] == (0, True, True) for effect in effects if effect[1] in ("calibration_error", "coverage_p50")
    )
    assert all(is_told == (learned_from == 0) for *_, learned_from, _, is_told in effects)


def test_a_losing_head_is_served_by_the_champion_or_not_at_all(small: duckdb.DuckDBPyConnection, tmp_path) -> None:
    """The second night learns promotion from labels turned upside down: the first night's model serves instead."""
    first = night_of(tmp_path, "night-1", AS_OF - timedelta(days=7))
    begin(small, first)
    train_model(small, first)
    evaluate_heads(small, first)
    small.execute(
        "update samples.promotion set label_redeemed = 1 - label_redeemed where fold in ('train', 'validation')"
    )
    second = night_of(tmp_path, "night-2", model=MODEL.model_copy(update={"warm_start": False}))
    begin(small, second)
    train_model(small, second)
    evaluate_heads(small, second)
    predict_heads(small, second)
    status, reason, version = rows(
        small,
        "select status, reason, model_version from ops.head_status where run_id = 'night-2' and head = 'promotion'",
    )[0]
    assert status == "champion" and "loses to naive" in reason and version.startswith("night-1-")
    assert rows(small, "select distinct is_fallback, model_version from predicted.promotion") == [(True, version)]
    assert rows(small, "select distinct is_fallback from predicted.profile") == [(False,)]
    assert rows(
        small, "select count(champion_value) from ops.model_metrics where run_id = 'night-2' and head = 'promotion'"
    ) == [(4,)]

    small.execute("update ops.head_status set status = 'not_released' where run_id = 'night-1'")
    evaluate_heads(small, second)
    predict_heads(small, second)
    assert rows(
        small, "select status, model_version from ops.head_status where run_id = 'night-2' and head = 'promotion'"
    ) == [("not_released", None)]
    assert (
        rows(
            small, "select table_name from duckdb_tables() where schema_name = 'predicted' and table_name = 'promotion'"
        )
        == []
    )


# --- predicting ------------------------------------------------------------------------------------------------------


def test_every_served_table_holds_the_serve_fold(done: Done) -> None:
    assert done.prediction.rows == {"profile": 100, "recommendation": 4000, "demand": 160, "promotion": 200}
    for table, key in (
        ("profile", "user_id"),
        ("recommendation", "user_id, product_id"),
        ("demand", "product_id, week_start"),
    ):
        distinct = rows(done.con, f"select count(distinct ({key})) from predicted.{table}")[0][0]
        assert distinct == done.prediction.rows[table]
        assert rows(done.con, f"select distinct model_version, is_fallback from predicted.{table}") == [
            (done.training.model_version, False)
        ]


def test_predictions_are_in_range(done: Done) -> None:
    broken = """
        select count(*) from predicted.profile
        where not (order_probability_28d between 0 and 1) or not (churn_probability_90d between 0 and 1)
            or expected_revenue_28d_p10 > expected_revenue_28d_p50
            or expected_revenue_28d_p50 > expected_revenue_28d_p90
            or abs(list_sum(category_shares) - 1) > 1e-4 or expected_revenue_28d < 0
    """
    assert rows(done.con, broken) == [(0,)]
    broken = """
        select count(*) from predicted.demand
        where demand_units_p10 > demand_units_p50 or demand_units_p50 > demand_units_p90
            or demand_units_p90 > demand_units_p95 or elasticity >= 0 or elasticity_sd <= 0
            or is_promoted <> (price_assumed < 1.6) or evidence_level <> 'own_history'
    """
    assert rows(done.con, broken) == [(0,)]


def test_predictions_stand_beside_the_right_key(done: Done) -> None:
    """Keener users are predicted to order more, level by level, and liked products lead every list."""
    by_keenness = rows(
        done.con,
        """select avg(order_probability_28d) from predicted.profile join features.users using (user_id)
        where cutoff_date = date '2024-06-24' group by keenness order by keenness""",
    )
    assert by_keenness[0] < by_keenness[5] < by_keenness[9]
    worst_liked, best_other = rows(
        done.con,
        """select avg(score) filter (where rank < 8), avg(score) filter (where rank >= 8) from predicted.recommendation
        join features.products using (product_id) where cutoff_date = date '2024-06-24'""",
    )[0]
    assert worst_liked > best_other
