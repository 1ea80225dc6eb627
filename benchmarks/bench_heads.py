"""Every head of a night beside the best single-task tools, goal by goal.

python benchmarks/bench_heads.py [--home HOME ...] [--peers-python PEERS/bin/python] [--export FOLDER] [--write]

A HOME is one on which a night ran. Without it the nights run here: the grocery chain's of 2018-01-01, whose measured
window begins 2017-12-04, and those of three demo shops. LightGBM runs in this interpreter or in another (pip install -c
constraints.txt lightgbm); without it the other peers and what is known of it remain. `--export` writes the predictions
for scorers outside this project, `--write` fills docs/quality.md from all shops in the results. Last line of each shop:
a JSON object.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

import duckdb
from quality import cost, page
from quality.contests import Contest, play, with_categories
from quality.designs import without_plan
from quality.export import export
from quality.fits import FITS, fit_all
from quality.goals import goals_of
from quality.lead_times import lead_time_contest
from quality.lists import ease, personal

from flows.environment import set_defaults
from flows.settings import load_settings
from flows.tonight import run_night
from flows.version import code_version
from mtl_models.heads import TASKS
from tasks.lesson import tables_of
from tasks.read_samples import read_frames
from tasks.score_heads import Answers, read_answers
from tasks.serving import ServingModel, load_tonight, measured_window
from warehouse.connect import open_read_only

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "quality.jsonl"
NIGHTS = {"completejourney": date(2018, 1, 1)} | {f"demo_shop:small?seed={seed}": None for seed in (1, 2, 3)}
NO_PLAN = "supply without the plan"


def main(words: list[str] | None = None) -> None:
    arguments = parse(words)
    set_defaults()
    python = interpreter_of_peers(arguments.peers_python)
    for home in arguments.homes or nights():
        shop = measure(home, python, arguments.draws, arguments.export)
        keep(shop, arguments.results)
        print(page.tables_of([shop]))
        print(page.summary(shop))
    if arguments.write:
        page.write(kept(arguments.results))


def parse(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", dest="homes", type=Path, action="append", help="a home on which a night ran")
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter that has LightGBM")
    parser.add_argument("--draws", type=int, default=200, help="of the bootstrap")
    parser.add_argument("--export", type=Path, help="folder for the predictions")
    parser.add_argument("--results", type=Path, default=RESULTS, help="has a line for each shop")
    parser.add_argument("--write", action="store_true", help="write the results' tables to docs/quality.md")
    return parser.parse_args(words)


def interpreter_of_peers(python: str) -> str | None:
    """None, and a word about it, when they cannot run there."""
    probe = subprocess.run([python, "-c", "import lightgbm, sklearn"], capture_output=True, text=True)
    if not probe.returncode:
        return python
    reason = probe.stderr.splitlines()[-1]
    remedy = "pip install -c constraints.txt lightgbm, or --peers-python"
    print(f"LightGBM and logistic regression do not run ({python}: {reason}). Remedy: {remedy}", file=sys.stderr)
    return None


def nights() -> Iterator[Path]:
    """A home after each night. The first has Prefect's database for all, so none goes before the last is measured."""
    with tempfile.TemporaryDirectory(prefix="fivefold-quality-") as folder:
        for number, (source, day) in enumerate(NIGHTS.items()):
            home = Path(folder, str(number))
            outcome = run_night(load_settings(home=home, source=source), day, is_quiet=True)
            if outcome.status != "released":
                sys.exit(f"{source}: {outcome.message}")
            yield home


def measure(home: Path, python: str | None, draws: int, folder: Path | None) -> dict:
    """What is kept of a shop: its lines, and what ours and theirs cost."""
    with open_read_only(home / "warehouse.duckdb") as con:
        night = cost.night_of(con, home)
        con.execute("set variable time_zone = $1", [night.time_zone])
        contests = list(contests_of(con, load_tonight(night), python))
        if folder:
            export(con, {contest.name: contest.ours for contest in contests}, folder)
        goals = goals_of(night.source)
        lines = [line for contest in contests for line in play(con, contest, goals, draws)]
    return {
        "shop": f"{night.source} {night.as_of_date}",
        "code": code_version(),
        "lines": [asdict(line) for line in lines],
        "peers_cpu_s": {contest.name: contest.cpu_s for contest in contests if contest.cpu_s},
        "cost": cost_of(home),
    }


def contests_of(con: duckdb.DuckDBPyConnection, model: ServingModel, python: str | None) -> Iterator[Contest]:
    """Every task that the night's model has learned and a peer competes in, and the suppliers' lead time."""
    tasks = tuple(task for task in FITS if task in model.saved.tasks)
    frames = read_frames(con, tables_of(tasks), ("test",))
    scored = model.score(frames, "test", tasks)
    for task in tasks:
        ours = read_answers(con, task, scored)
        if task == "pricing":
            ours = with_categories(con, ours)
        yield contest(con, task, task, ours, python)
    if "supply" in tasks:
        blind = model.score(without_plan(frames), "test", ("supply",))
        yield contest(con, NO_PLAN, "supply", read_answers(con, "supply", blind), python, knows_plan=False)
    if lead_time := lead_time_contest(con, python):
        yield lead_time


def contest(
    con: duckdb.DuckDBPyConnection, name: str, task: str, ours: Answers, python: str | None, *, knows_plan: bool = True
) -> Contest:
    """Ours, with everyone who competes."""
    answers, seconds = {}, 0.0
    if python:
        fitted = fit_all(con, task, python, knows_plan=knows_plan)
        answers = {peer: replace(ours, predicted=found) for peer, found in contenders(task, fitted.predicted).items()}
        seconds = fitted.cpu_s
    if task == "recommendation":
        start, end = measured_window(con, TASKS[task].table)
        before = start - (end - start)
        answers["EASE"], of_ease = ease(con, (before, start), (start, end))
        answers["personal frequency"] = personal(ours)
        seconds += of_ease
    return Contest(name=name, task=task, ours=ours, peers=answers, cpu_s=seconds)


def contenders(task: str, predicted: dict) -> dict[str, dict]:
    """{peer: predicted columns}; the spend of the profile and the promotion have two models that answer."""
    if task == "profile":
        spend = {"LightGBM L1": predicted["l1"], "LightGBM Tweedie": predicted["tweedie"]}
        return {
            peer: predicted | {"expected_revenue_28d": values, "expected_revenue_28d_p50": values}
            for peer, values in spend.items()
        }
    if task == "promotion":
        return {
            "LightGBM": predicted,
            "logistic regression": {"redemption_probability": predicted["logistic"]},
        }
    return {"LightGBM lambdarank" if task == "recommendation" else "LightGBM": predicted}


def cost_of(home: Path) -> dict[str, float]:
    """What `quality/cost.py` printed."""
    done = subprocess.run([sys.executable, "-m", "quality.cost", home], cwd=HERE, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the training of {home} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def kept(results: Path) -> list[dict]:
    """What the file has."""
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return [json.loads(line) for line in lines]


def keep(shop: dict, results: Path) -> None:
    """Put a shop into the file, in place of what was measured of it before."""
    shops = {other["shop"]: other for other in kept(results)} | {shop["shop"]: shop}
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text("".join(f"{json.dumps(one)}\n" for one in shops.values()), encoding="utf-8")


if __name__ == "__main__":
    main()
