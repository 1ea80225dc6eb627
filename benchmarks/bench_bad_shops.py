"""A demo shop to which everything happens: a night after each of some forty damages to its feeds.

Each night has to end released, or stopped by a gate that says why, with every number a number and every table for
readers within its contract. Gates between model and release are left open wherever a head can be measured at all, and
few rows are enough to learn from: so decisions meet the worst that a model may say. What the gates themselves do with
bad models is tried in tests/model_tasks/test_bad_models.py.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
from bad_shops.damages import DAMAGES, STOPPING
from bad_shops.nights import Ending, open_shop, spend_night, write_feeds

from mtl_models.score import Score
from tasks import readiness


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("damages", nargs="*", metavar="DAMAGE", help=f"of {', '.join(DAMAGES)}; all of them")
    chosen = parser.parse_args().damages or list(DAMAGES)
    open_gates()
    endings: dict[str, Ending] = {}
    with tempfile.TemporaryDirectory(prefix="fivefold-bad-shops-") as temporary:
        folder = Path(temporary)
        shop = open_shop(folder / "shop")
        for damage in chosen:
            feeds = write_feeds(shop, folder / "feeds", DAMAGES[damage])
            ending = endings[damage] = spend_night(folder / "home", feeds)
            heads = "; ".join(f"{len(names)} {status}" for status, names in ending.heads.items())
            said = "" if ending.status == "released" else ending.said
            print(f"{damage:<48} {ending.status:<9} {ending.processor_s:5.1f} CPU-s  {heads}  {said}", flush=True)
            shutil.rmtree(folder / "feeds")
            shutil.rmtree(folder / "home")
    faults = {damage: fault for damage, ending in endings.items() if (fault := fault_of(damage, ending))}
    print(json.dumps({"nights": len(endings), "faults": faults}))
    return 1 if faults else 0


def fault_of(damage: str, ending: Ending) -> str:
    """What of the promise was broken; empty if nothing."""
    if ending.status != ("stopped" if damage in STOPPING else "released"):
        return f"{ending.status}: {ending.said[-300:]}"
    return f"no numbers in {', '.join(ending.no_numbers)}" if ending.no_numbers else ""


def open_gates() -> None:
    """Let every head serve whose model says numbers."""
    readiness.FEWEST_LABELS = 20
    Score.beats_baseline = property(lambda score: not (np.isnan(score.value) and score.is_defined))


if __name__ == "__main__":
    sys.exit(main())
