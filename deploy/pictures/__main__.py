"""``python -m deploy.pictures out.png`` draws the golden signals of the last half hour, or of any stretch of time.

Example: python -m deploy.pictures incident.png --from 2026-04-01T03:00+09:00 --until 2026-04-01T03:40+09:00
--moment "2026-04-01T03:12+09:00 worker-2 killed"
"""

import math
import time
from datetime import datetime
from pathlib import Path

import click

from deploy.dashboards.__main__ import DASHBOARDS
from deploy.pictures.asked import Prometheus, Stretch
from deploy.pictures.drawing import Headline, Moment, drawn
from deploy.pictures.golden import GOLDEN

LAST_S = 1_800
POINTS = 600
"""At most, side by side: more cannot be seen."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@click.option("--prometheus", default="http://127.0.0.1:9090", show_default=True, help="Whom to ask.")
@click.option("--from", "begin", type=datetime.fromisoformat, help="RFC 3339 time.  [default: half an hour before]")
@click.option("--until", "end", type=datetime.fromisoformat, help="RFC 3339 time.  [default: now]")
@click.option(
    "--every", "every_s", type=click.FloatRange(1), default=10, show_default=True, help="Seconds of a scrape."
)
@click.option("--dashboard", type=click.Choice(list(DASHBOARDS)), help="All its panels.  [default: golden signals]")
@click.option("--title", default="Yochō", show_default=True, help="What the picture shows.")
@click.option("--moment", "moments", multiple=True, help='What happened: "TIME words", as often as you like.')
def main(
    *,
    file: Path,
    prometheus: str,
    begin: datetime | None,
    end: datetime | None,
    every_s: float,
    dashboard: str | None,
    title: str,
    moments: tuple[str, ...],
) -> None:
    """Draw what Prometheus has seen of Yochō: alerts above, panels below."""
    until_s = end.timestamp() if end else time.time()
    from_s = begin.timestamp() if begin else until_s - LAST_S
    step_s = every_s * math.ceil((until_s - from_s) / every_s / POINTS)
    stretch = Stretch(from_s, until_s, step_s)
    asked = Prometheus(prometheus, stretch)
    panels = DASHBOARDS[dashboard].panels if dashboard else GOLDEN
    fired = asked.alerts()
    headline = Headline(title, is_well=not any(one.firing.any() for one in fired))
    shown = [asked.shown(panel) for panel in panels]
    drawn(headline, stretch, shown, fired, [_moment(text) for text in moments]).savefig(file)


def _moment(text: str) -> Moment:
    at, _, name = text.partition(" ")
    return Moment(datetime.fromisoformat(at).timestamp(), name)


if __name__ == "__main__":
    main()
