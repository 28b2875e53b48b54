"""The levels of a customer and what people call them: the one table of those words.

`models.life_cycle` decides them, alerts and sentences print them, settings name them (`YOCHO_LEVELS`).
"""

import enum
from dataclasses import dataclass
from typing import Literal

LevelName = Literal["healthy", "watch", "at_risk", "critical", "churned"]


class Level(enum.IntEnum):
    """How far a customer has slipped. A row holds 0 to 3; `CHURNED` stands only in what is published."""

    HEALTHY = 0
    WATCH = 1
    AT_RISK = 2
    CRITICAL = 3
    CHURNED = 4


@dataclass(frozen=True, slots=True)
class LevelTitle:
    """What a level is called: `name` by machines, `ja` and `en` by people."""

    level: Level
    name: LevelName
    ja: str
    en: str


LEVELS = (
    LevelTitle(Level.HEALTHY, "healthy", "平常", "healthy"),
    LevelTitle(Level.WATCH, "watch", "注意", "watch"),
    LevelTitle(Level.AT_RISK, "at_risk", "離反予兆", "at risk"),
    LevelTitle(Level.CRITICAL, "critical", "危険", "critical"),
    LevelTitle(Level.CHURNED, "churned", "離反", "churned"),
)
ALERT_LEVELS = (Level.WATCH, Level.AT_RISK, Level.CRITICAL)  # those with thresholds, in rising order
