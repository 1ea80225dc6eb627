"""Consistency regularisation (setting `consistency`): task B reads what task A says, and is held to it.

Profile -> recommendation and profile -> service, for the user whom a row names:

    a = what A adds to the log odds of its baseline, from the features of the user
    b = b_0 + f_B(a) + r_B(x)        f_B linear without a constant, r_B what B itself adds to its baseline b_0
    L = sum_j lambda_j L_j + beta mean |a|^2 + delta mean |r_B|^2

That predictions feed the tasks that come after them is of Hashimoto et al. 2017 ("A Joint Many-Task Model"), that what
one task implies for another is compared with what that says itself of Zamir et al. 2020 ("Robust Learning Through
Cross-Task Consistency"). f_B reads what A *adds*: where A is at its baseline it says nothing, and what the baseline
knows, the user's past, B's baseline and features know too. f_B starts at zero, so B starts as its baseline. As delta
grows, B says b_0 + f_B(a) alone; as beta grows, A says its baseline, and B hears nothing. With `stops_gradient` B's
loss leaves A alone. A's rows show no ids, so A cannot know by heart the labels of users that B learns from. One user's
rows hear the same: their probabilities move, their order in a list does not.

Demand -> price: both tasks read one curve, log units = log level + g(z) + elasticity * log price ratio. A is supply's
expected demand at the reference price, a = g(z), and f_B is the curve from there to the price: B cannot stray, as if
delta were infinite, and demand falls in price whatever is learned. What can be chosen is beta, and with
`stops_gradient` whether the price response takes a as given and learns the slope alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from mtl_models.config import ConsistencyConfig
from mtl_models.heads import TASKS, Head, Outputs, View
from mtl_models.preprocess import Preprocessing
from mtl_models.samples import ABSENT, SLOTS, TaskSamples

# Who is read about the user of a row (and the site, where the row names one), and by whom.
SOURCE = "profile"
READERS = {"profile->recommendation": ("recommendation",), "profile->service": ("service_orders", "service_tickets")}


@dataclass(frozen=True)
class Questions:
    """What readers ask. `rows` [m]: those of the table of SOURCE, one for each user and site that readers' rows name,
    of which slots and context are known; `places`: {reader: [n] the question of each of its rows}."""

    rows: TaskSamples
    places: Mapping[str, Tensor]


class Consistency(nn.Module):
    """The links between the tasks of a model; those of tasks that it lacks are inactive."""

    def __init__(self, config: ConsistencyConfig, tasks: tuple[str, ...], preprocessing: Preprocessing) -> None:
        super().__init__()
        self.config, self.preprocessing, self.is_on = config, preprocessing, True
        wanted = [task for link, readers in READERS.items() if link in config.links for task in readers]
        readers = [task for task in wanted if {task, SOURCE} <= set(tasks)]
        self.readers = nn.ModuleDict({task: _silent(TASKS[SOURCE], TASKS[task]) for task in readers})
        self.reads_demand = "demand->price" in config.links and {"supply", "pricing"} <= set(tasks)
        self._penalty: Tensor | float = 0.0

    def ask(self, rows: Mapping[str, TaskSamples]) -> Questions | None:
        """What the readers of these rows ask, each user once; None where nobody reads. Context is that of an average
        row."""
        readers = [task for task in self.readers if TASKS[task].table in rows] if self.is_on else []
        if not readers:
            return None
        slots = [rows[TASKS[task].table].slots for task in readers]
        users, sites = (torch.cat([part[slot] for part in slots]) for slot in ("user", "site"))
        # A pair as one number: torch takes seventy times as long to find what is unique among pairs.
        base = sites.max() + 2
        pairs, places = torch.unique(users * base + sites + 1, return_inverse=True)  # [m], [rows of all readers]
        each = places.split([len(part["user"]) for part in slots])
        context_width = self.preprocessing.contexts[TASKS[SOURCE].table].width
        asked = _rows_about(pairs // base, pairs % base - 1, context_width)
        return Questions(asked, dict(zip(readers, each, strict=True)))

    def view(self, task: str, view: View) -> View:
        """What the head of the task sees: pricing may have to take the expected demand as given."""
        if task != "pricing" or not self.reads_demand or not self._stops_gradient():
            return view
        return replace(view, curve=replace(view.demand, log_units=view.demand.log_units.detach()))

    def forward(
        self,
        heads: Mapping[str, Head],
        views: Mapping[str, View],
        outputs: Mapping[str, Outputs],
        questions: Questions | None,
        features: Tensor | None,
    ) -> dict[str, Outputs]:
        """The outputs, the log odds of readers moved by what they hear. `views`: what each head saw of its rows;
        `features`: those of SOURCE, the last of which are of the questions. A pass in training leaves its penalty."""
        read, own, moved = [], [], dict(outputs)
        if questions is not None and features is not None:
            is_known = questions.rows.slots["user"] != ABSENT
            asked = View(features[-len(questions.rows) :], next(iter(views.values())).entities)
            said = heads[SOURCE].residuals(asked) * is_known[:, None]  # [m, log odds of SOURCE]
            read.append(said)
            heard = said.detach() if self._stops_gradient() else said
            for task, place in questions.places.items():
                moved[task] = _moved(outputs[task], TASKS[task].log_odds, self.readers[task](heard)[place])
                own.append(heads[task].residuals(views[task]))
        if self.is_on and self.reads_demand and "supply" in views:
            read.append(heads["supply"].residuals(views["supply"]))
        if self.training and read:
            self._penalty = self.config.beta * _mean_squares(read) + self.config.delta * _mean_squares(own)
        return moved

    def penalty(self) -> Tensor | float:
        """beta mean |a|^2 + delta mean |r_B|^2, summed over what is read and who reads, of the latest pass in training;
        handed over once, for it holds that pass's graph. 0 where nobody read."""
        penalty, self._penalty = self._penalty, 0.0
        return penalty

    @contextmanager
    def off(self) -> Iterator[None]:
        """No task reads another, as while each is trained alone."""
        self.is_on = False
        try:
            yield
        finally:
            self.is_on = True

    def _stops_gradient(self) -> bool:
        """In training only: an explanation has to follow what is said back to the features."""
        return self.is_on and self.training and self.config.stops_gradient


def _silent(source: type[Head], reader: type[Head]) -> nn.Linear:
    """f_B before training: no effect, and no draw from the random numbers of other layers."""
    linear = nn.utils.skip_init(nn.Linear, len(source.log_odds), len(reader.log_odds), bias=False)
    nn.init.zeros_(linear.weight)
    return linear


def _rows_about(users: Tensor, sites: Tensor, context_width: int) -> TaskSamples:
    """Rows that name these users [m] at these sites [m]."""
    count, device = len(users), users.device
    return TaskSamples(
        slots=dict.fromkeys(SLOTS, torch.full_like(users, ABSENT)) | {"user": users, "site": sites},
        context=torch.zeros(count, context_width, device=device),
        targets={},
        baselines={},
        inputs={},
        weights=torch.ones(count, device=device),
        groups=torch.arange(count, device=device),
    )


def _moved(outputs: Outputs, log_odds: Sequence[str], said: Tensor) -> Outputs:
    """The outputs, where these log odds have moved by what is said [n, log odds]."""
    return outputs | {name: outputs[name] + said[:, i] for i, name in enumerate(log_odds)}


def _mean_squares(parts: Sequence[Tensor]) -> Tensor | float:
    """The sum of the parts' mean squares."""
    return sum((part.square().mean() for part in parts), 0.0)
