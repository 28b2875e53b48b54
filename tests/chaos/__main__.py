"""Disturbs runs and judges them: `python -m tests.chaos [short] [WORDS OF A STORY'S NAME ...]`.

Prints what each run measured; ends with 1 at the first difference.
"""

import sys
import time

import numpy as np

from tests.chaos.run import Figures, disturbed, judge, undisturbed
from tests.chaos.stories import FULL, SHORT


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "short"]
    stories = SHORT if "short" in sys.argv[1:] else FULL
    for story in stories:
        if words and not any(word in story.name for word in words):
            continue
        log, began_s = story.log(), time.monotonic()
        print(f"{story.name}: {len(log):,} events of {story.n_customers:,} customers, {story.workers} workers, "
              f"{story.nodes} brokers", flush=True)  # fmt: skip
        expected = undisturbed(log)
        print(f"  reference: {len(expected.alerts):,} alerts, {len(expected.outcomes):,} outcomes, "
              f"{len(expected.rows):,} customers, {time.monotonic() - began_s:.0f} s", flush=True)  # fmt: skip
        left, figures = disturbed(
            log, story.tell, nodes=story.nodes, workers=story.workers, pace_per_s=story.pace_per_s, **story.variables
        )
        print(told(figures), flush=True)
        print(f"  {judge(log, left, expected, figures)}", flush=True)


def told(figures: Figures) -> str:
    """Figures for people."""
    pauses, failovers = figures.pauses_s or [0.0], figures.failovers_s or [0.0]
    return (
        f"  {len(figures.hits)} faults at lags {min(figures.hits)} to {max(figures.hits)}; exits {figures.exits}; "
        f"{figures.seconds:.0f} s\n"
        f"  pauses: {len(figures.pauses_s)} over 2 s, p99 {np.percentile(pauses, 99):.1f} s, "
        f"longest {max(pauses):.1f} s\n"
        f"  failover: p99 {np.percentile(failovers, 99):.1f} s, longest {max(failovers):.1f} s; "
        f"{figures.repeats:,} alerts told again"
    )


if __name__ == "__main__":
    main()
