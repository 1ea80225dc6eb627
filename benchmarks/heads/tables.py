"""The tables of a shop, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean

from heads.differences import Difference, beyond_luck, gain, over_seeds
from heads.results import PLACEBO, SINGLE, ByWay, Found

from mtl_models.sharing import ARCHITECTURES

HARD = "hard"
# Of the CPU seconds of each task alone, at most.
COST_TARGET = 0.6


def costs(ways: ByWay) -> str:
    """What each way costs, and what the validation window says of it: the table to choose the sharing by."""
    rows = []
    for way, seeds in _trained(ways).items():
        losses = _losses(ways, way)
        rows.append(
            [
                way,
                f"{fmean(losses.values()):.4f}",
                *_against(losses, _losses(ways, HARD), way != HARD),
                *_against(losses, _losses(ways, SINGLE), way != SINGLE),
                f"{_mean(seeds, 'cpu_s'):.0f}",
                *(f"{_of_single(ways, way, of):.0%}" if SINGLE in ways else "" for of in ("cpu_s", "rows")),
                f"{_mean(seeds, 'wall_s'):.0f}",
                f"{max(found['added_mib'] for found in seeds.values()):.0f}",
                len(seeds),
            ]
        )
    header = ["", "validation loss", "less hard's", "better", "less single's", "better"]
    return _markdown([*header, "CPU s", "of single's", "rows, of single's", "wall s", "MiB", "seeds"], rows)


def validation(ways: ByWay) -> str:
    """Each task's loss on the validation window as a share of its baseline's, mean over seeds."""
    tasks = next((next(iter(seeds.values()))["validation"] for seeds in _trained(ways).values()), {})
    rows = [
        [task, *(f"{fmean(found['validation'][task] for found in s.values()):.4f}" for s in _trained(ways).values())]
        for task in tasks
    ]
    return _markdown(["task", *_trained(ways)], rows)


def values(ways: ByWay) -> str:
    """Every gate on the measured window, mean over seeds, and the naive baseline's."""
    rows = []
    for name, first in _gates(ways).items():
        cells = [_number(fmean(found["gates"][name]["value"] for found in s.values())) for s in _trained(ways).values()]
        rows.append([first["head"], _measure(name, first), _number(first["baseline"]), *cells])
    return _markdown(["task", "measure", "naive", *_trained(ways)], rows)


def gains(ways: ByWay) -> str:
    """Every way of sharing against each task alone."""
    columns = {way: differences(ways, way, SINGLE) for way in _trained(ways) if way != SINGLE}
    columns = {way: found for way, found in columns.items() if found}
    rows = [
        [first["head"], _measure(name, first), *(_marked(found, name) for found in columns.values())]
        for name, first in _gates(ways).items()
    ]
    return _markdown(["task", "measure", *columns], rows)


def placebos(ways: ByWay, together: str) -> str:
    """What is left of the gain when the other tables' labels are noise."""
    columns = [differences(ways, *pair) for pair in ((together, SINGLE), (PLACEBO, SINGLE), (together, PLACEBO))]
    rows = [
        [first["head"], _measure(name, first), *(_marked(found, name) for found in columns)]
        for name, first in _gates(ways).items()
    ]
    return _markdown(
        ["task", "measure", f"{together} over single", "placebo over single", f"{together} over placebo"], rows
    )


def short(ways: ByWay, together: str) -> str:
    """Naive, each task alone, and the default sharing."""
    found, rows = differences(ways, together, SINGLE), []
    for name, first in _gates(ways).items():
        alone, joint = (
            _number(fmean(seed["gates"][name]["value"] for seed in ways[way].values())) for way in (SINGLE, together)
        )
        rows.append(
            [first["head"], _measure(name, first), _number(first["baseline"]), alone, joint, _marked(found, name)]
        )
    return _markdown(["task", "measure", "naive", "each alone", "together", "gain"], rows)


def price(ways: ByWay, together: str) -> str:
    """In words: whether training together is as cheap as it should be."""
    if not {SINGLE, together} <= ways.keys():
        return ""
    seconds, rows = (_of_single(ways, together, of) for of in ("cpu_s", "rows"))
    said = f"`{together}` takes {seconds:.0%} of the CPU seconds that the single trainings take together"
    return f"{said} (target: {COST_TARGET:.0%}), for {rows:.0%} of their rows."


def verdict(ways: ByWay, together: str) -> str:
    """In words: where training together wins and where it loses, beyond luck."""
    found = differences(ways, together, SINGLE)
    if not found:
        return ""
    sure = beyond_luck(found)
    wins, losses = ([name for name in found if name in sure and sign * found[name].mean > 0] for sign in (1, -1))
    return (
        f"Beyond luck, `{together}` beats each task alone in {_words(wins)}, and loses to it in {_words(losses)}; "
        f"the other {len(found) - len(sure)} of {len(found)} measures are within luck."
    )


def figures(ways: ByWay) -> dict[str, object]:
    """The means as data: validation loss, CPU seconds, and the gain of each gate over each task alone."""
    return {
        way: {
            "seeds": len(seeds),
            "validation": round(fmean(_losses(ways, way).values()), 5),
            "cpu_s": round(_mean(seeds, "cpu_s"), 1),
            "gain": {name: round(gained.mean, 5) for name, gained in differences(ways, way, SINGLE).items()},
        }
        for way, seeds in _trained(ways).items()
    }


def differences(ways: ByWay, ours: str, theirs: str) -> dict[str, Difference]:
    """{gate: gain} of one way over another, of the seeds that both have."""
    seeds = [seed for seed in ways.get(ours, {}) if seed in ways.get(theirs, {})]
    if not seeds:
        return {}
    return {
        name: gain(*([ways[way][seed]["gates"][name] for seed in seeds] for way in (ours, theirs)))
        for name in _gates(ways)
    }


def _of_single(ways: ByWay, way: str, of: str) -> float:
    """What a way takes as a share of what the single trainings take together."""
    return _mean(ways[way], of) / _mean(ways[SINGLE], of)


def _trained(ways: ByWay) -> ByWay:
    return {way: ways[way] for way in ARCHITECTURES if way in ways}


def _losses(ways: ByWay, way: str) -> dict[int, float]:
    return {seed: fmean(found["validation"].values()) for seed, found in ways.get(way, {}).items()}


def _against(losses: dict[int, float], others: dict[int, float], is_other: bool) -> tuple[str, str]:
    """The mean difference by seed with its interval, and how many seeds are better."""
    paired = [loss - others[seed] for seed, loss in losses.items() if seed in others]
    if not paired or not is_other:
        return "", ""
    found = over_seeds(paired)
    return f"{found.mean:+.4f} ± {found.half:.4f}", f"{sum(value < 0 for value in paired)} of {len(paired)}"


def _mean(seeds: dict[int, Found], name: str) -> float:
    return fmean(found[name] for found in seeds.values())


def _gates(ways: ByWay) -> dict[str, Found]:
    """{name: gate of some training} in the order of the tasks."""
    return next((next(iter(seeds.values()))["gates"] for seeds in _trained(ways).values()), {})


def _measure(name: str, gate: Found) -> str:
    return f"{name} {'↑' if gate['is_higher_better'] else '↓'}"


def _marked(found: dict[str, Difference], name: str) -> str:
    if name not in found:
        return ""
    return f"**{found[name]}**" if name in beyond_luck(found) else str(found[name])


def _words(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


def _number(value: float) -> str:
    return f"{value:.4g}"


def _markdown(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Words to the left, numbers to the right."""
    lines = [list(header), ["---" if name in ("", "task", "measure") else "---:" for name in header], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
