"""docs/heads.md and the README's part of it, from the results."""

from __future__ import annotations

import re
from pathlib import Path

from heads import tables
from heads.results import ByWay, Results

from mtl_models.config import ModelConfig

ROOT = Path(__file__).parent.parent.parent
PAGE, README = ROOT / "docs" / "heads.md", ROOT / "README.md"
# The README's part lies between these lines.
BEGIN, END = "<!-- heads: benchmarks/bench_mtl_heads.py --write -->", "<!-- end of heads -->"

HOW = """# Together or alone

What joint training of all heads is worth, measured by `benchmarks/bench_mtl_heads.py`, which wrote this page from its
results (`--write`).

* **single**: each task alone, in a training of its own with encoders of its own: the control. **naive**: the baseline
  that every head has to beat. Every other name is a way of sharing (`docs/architecture.md`), all tasks together.
* Same rows, features, settings and passes for all, no early stopping; the weights of the best pass on the validation
  window are kept. A task alone passes its rows in as many steps as all together take: the joint batch is divided among
  the single trainings, so that no task has fewer steps to learn in. Seeds are the same for all, and differences are
  by seed.
* Measures are the gates of `ops.model_metrics`, on the measured window of four weeks that no training saw. A gain is
  the improvement as a share of the single trainings' value, above 0 where together is better. Its 95% interval adds
  up two kinds of luck: users or products drawn anew with all their rows (service_days: channel and reason), and seeds
  (Student's t). Bold is beyond luck when all measures of the column are looked at together (Holm).
* The validation loss is the mean over tasks, each as a share of its baseline's; the sharing is chosen by it.
* CPU seconds are of training only, one core; wall seconds tell of the machine's other work too. MiB is what training
  added to the process at its peak; the single trainings' is the largest of them. A row costs together what it costs
  alone, and together fewer are passed only where several tasks read one table: no less than the rows' share can be
  saved without passing fewer.
* The **placebo** is the default sharing, trained once for each table with the labels of all other tables moved to
  other rows, together with the baselines that belong to them: what the others learn is noise. Where the gain over
  single stays, it came from something else than what the tasks have in common, such as more regular weights.
"""


def tables_of(results: Results) -> str:
    """Every shop's tables."""
    return "\n\n".join(_section(shop, results.of(shop), results.codes(shop)) for shop in results.shops())


def write(results: Results) -> None:
    """Fill docs/heads.md, and the README's short table."""
    PAGE.write_text(f"{HOW}\n{tables_of(results)}\n", encoding="utf-8")
    found = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    text = f"{BEGIN}\n{short_tables(results)}\n{END}"
    filled, places = found.subn(lambda _: text, README.read_text(encoding="utf-8"))
    if places != 1:
        raise SystemExit(f"{README} has {places} places for the table. Remedy: one, between the lines\n{BEGIN}\n{END}")
    README.write_text(filled, encoding="utf-8")


def short_tables(results: Results) -> str:
    """Of every shop: naive, each task alone, and together by the default sharing."""
    return "\n\n".join(_short(shop, results.of(shop)) for shop in results.shops())


def _section(shop: str, ways: ByWay, codes: list[str]) -> str:
    default = ModelConfig().sharing
    parts = [
        f"## {shop}",
        f"Code: {', '.join(codes)}.",
        "### Cost, and the window to choose by",
        tables.costs(ways),
        tables.price(ways, default),
        tables.validation(ways),
        "### Measured window",
        tables.values(ways),
        "### Gain over each task alone",
        tables.gains(ways),
        tables.verdict(ways, default),
    ]
    if tables.PLACEBO in ways:
        parts += ["### Placebo", tables.placebos(ways, default)]
    return "\n\n".join(part for part in parts if part)


def _short(shop: str, ways: ByWay) -> str:
    default = ModelConfig().sharing
    if not {tables.SINGLE, default} <= ways.keys():
        return f"{shop}: `{default}` and each task alone are not measured yet."
    return "\n\n".join([f"{shop}:", tables.short(ways, default), tables.verdict(ways, default)])
