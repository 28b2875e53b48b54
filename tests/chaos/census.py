"""A worker that counts what it holds: on SIGHUP it writes the sizes of its largest containers into `CHAOS_CENSUS`."""

import gc
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from streams.settings import Settings
from streams.worker import run_worker

LARGE = 1_000
COUNTED = "from tests.chaos.census import main; main()"


def census() -> dict[str, Any]:
    """How many objects there are, and the lengths of the large containers of each kind, by what is in them."""
    gc.collect()
    found = gc.get_objects()
    large: Counter[str] = Counter()
    for one in found:
        if isinstance(one, (dict, list, set)) and len(one) > LARGE:
            large[f"{type(one).__name__} of {type(next(iter(one))).__name__}"] += len(one)
    return {"objects": len(found), "large": dict(large)}


def main() -> None:
    path = Path(os.environ["CHAOS_CENSUS"])

    def write(*_: object) -> None:
        part = path.with_suffix(".part")
        part.write_text(json.dumps(census()))
        part.rename(path)

    signal.signal(signal.SIGHUP, write)  # the other signals are Faust's
    sys.exit(run_worker(Settings.from_env(os.environ), "INFO"))
