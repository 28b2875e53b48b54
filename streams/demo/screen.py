"""What the demo shows: stages as they are reached, a sample of alerts, a status that keeps moving, a summary.

In a terminal the status stays at the bottom and is redrawn; elsewhere it is a plain line every few seconds.
"""

import math
import time
from collections import Counter
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streams.alert_text import render
from streams.alerts import Alert
from streams.demo.tally import Tally, hit_ratio

SHOWN_PER_S = 1.0  # an alert is about six lines: more of them could not be read
BURST = 3.0
PLAIN_STATUS_S = 2.0


class Status(NamedTuple):
    """What is going on right now: events, stream time, alerts of all phases, and the phase under way."""

    sent: int
    processed: int
    per_s: float
    stream_date: str
    alerts: int
    phase: str


class Screen:
    """Writes the demo to a console; use as a context manager.

    Parameters
    ----------
    console
        A terminal or a pipe.
    lang
        ``ja`` or ``en``, of alerts.
    """

    def __init__(self, console: Console, lang: str) -> None:
        self.unseen = 0
        self._console, self._lang = console, lang
        self._started_s = time.monotonic()
        self._allowance = BURST
        self._refilled_s = self._started_s
        self._status_s = -math.inf
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def stage(self, text: str) -> None:
        """Say that something has been reached, with the time since the start."""
        elapsed_s = time.monotonic() - self._started_s
        self._console.print(Text(f"[{elapsed_s:5.1f} s] ", style="dim") + Text(text), soft_wrap=True)

    def alert(self, alert: Alert, is_leaving: bool | None) -> None:
        """Show an alert, if not too many were shown just now; the others are counted in `unseen`.

        Parameters
        ----------
        alert
            Of any type; only warnings are shown in full.
        is_leaving
            The truth about its customer; None when the alert does not warn.
        """
        now_s = time.monotonic()
        self._allowance = min(BURST, self._allowance + (now_s - self._refilled_s) * SHOWN_PER_S)
        self._refilled_s = now_s
        if is_leaving is None or self._allowance < 1:
            self.unseen += 1
            return
        self._allowance -= 1
        truth = _TRUTH[self._lang][is_leaving].format(days=alert.horizon_days)
        text = Text(f"{render(alert, self._lang)}\n") + Text(truth, "green" if is_leaving else "yellow")
        self._console.print(text, soft_wrap=True)

    def status(self, now: Status, tally: Tally) -> None:
        """Redraw the status, with the score of the phase under way."""
        line = _status_line(now, tally, self.unseen)
        if self._console.is_terminal:
            self._live.update(Text(line, style="bold"), refresh=True)
        elif time.monotonic() - self._status_s >= PLAIN_STATUS_S:
            self._status_s = time.monotonic()
            self._console.print(line, soft_wrap=True, highlight=False)

    def summary(self, now: Status, dead_letters: int, phases: Mapping[str, Tally]) -> None:
        """Print what came of it.

        Parameters
        ----------
        now
            Events and stream time at the end.
        dead_letters
            How many records were refused.
        phases
            The score of each part of the run, in order.
        """
        told = sum((tally.told for tally in phases.values()), Counter[str]())
        alerts = ", ".join(f"{n:,} {news}" for news, n in sorted(told.items())) or "none"
        self._console.print(
            f"\nevents: {now.sent:,} produced, {now.processed:,} processed, up to {now.stream_date}",
            f"alerts: {alerts}",
            f"dead letters: {dead_letters:,}",
            _score_table(phases),
            sep="\n",
            highlight=False,
        )


def _score_table(phases: Mapping[str, Tally]) -> Table:
    table = Table(title="how many of the alerted customers really were leaving", title_justify="left")
    table.add_column("")
    for column in ("warnings", "leaving", "share", "by chance", "times chance"):
        table.add_column(column, justify="right")
    for phase, tally in phases.items():
        base = tally.base_ratio()
        for name, warned, left in tally.levels():
            table.add_row(f"{phase}, {name}", *_row(warned, left, base))
        table.add_row(f"{phase}, customers", *_row(len(tally.customers), len(tally.leavers), base), end_section=True)
    return table


_TRUTH = {
    "ja": {True: "  実際: ✓ 以後{days:.0f}日間注文なし", False: "  実際: ✗ {days:.0f}日以内にまた注文"},
    "en": {
        True: "  in truth: ✓ no order in {days:.0f} days",
        False: "  in truth: ✗ orders in {days:.0f} days",
    },
}


def _status_line(now: Status, tally: Tally, unseen: int) -> str:
    warned, left = sum(tally.warned.values()), sum(tally.left.values())
    return (
        f"{now.stream_date} · {now.sent:,} events sent, {now.processed:,} processed ({now.per_s:,.0f}/s) · "
        f"{now.alerts:,} alerts, {unseen:,} not shown · "
        f"{now.phase}: {left:,} of {warned:,} warnings were right ({_percent(hit_ratio(tally.levels()))})"
    )


def _row(warned: int, left: int, base: float) -> tuple[str, ...]:
    share = left / warned if warned else math.nan
    lift = "–" if math.isnan(share) or not base > 0 else f"{share / base:.1f}"
    return f"{warned:,}", f"{left:,}", _percent(share), _percent(base), lift


def _percent(ratio: float) -> str:
    return "–" if math.isnan(ratio) else f"{ratio:.0%}"
