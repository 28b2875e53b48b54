"""The environment, read once into a frozen object; nothing else in the project reads it.

Each field carries its variable, default, unit, meaning and rule, so `SETTINGS`, the README table and the
checks have one source. Bad values are refused here, with the variable and what it allows.
"""

# ruff: noqa: RUF009 - `declare` returns a dataclass field, as `dataclasses.field` does

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.capacity import Share
from models.events import Channel
from models.experts import NAMES as EXPERT_NAMES
from models.policy import Policy
from models.target import Target
from streams.mute import Mute
from streams.observability_settings import ObservabilitySettings
from streams.security_settings import SecuritySettings
from streams.setting_rules import (
    BROKERS,
    EXPERTS,
    FOLDER,
    HORIZON,
    LEVEL_THRESHOLDS,
    MAIN,
    MEMORY_DAYS,
    MOMENT,
    NAME,
    PREFIX,
    SPAN,
    Setting,
    SettingsError,
    Thresholds,
    choice,
    declare,
    number,
    or_empty,
    or_zero,
)

__all__ = ["SETTINGS", "Setting", "Settings", "SettingsError"]


@dataclass(frozen=True)
class Settings(ObservabilitySettings, SecuritySettings):
    """Everything a deployment decides.

    Raises
    ------
    SettingsError
        A value is not allowed, alone or together with another.

    Examples
    --------
    >>> settings = Settings.from_env({"YOCHO_HORIZON": "30d", "YOCHO_MAIN": "login"})
    >>> settings.target.horizon_days, settings.target.main.name, settings.partitions
    (30.0, 'LOGIN', 4)
    >>> Settings.from_env({"YOCHO_CLOCK": "sundial"})
    Traceback (most recent call last):
    ...
    streams.setting_rules.SettingsError: YOCHO_CLOCK='sundial': must be wall or event
    """

    brokers: tuple[str, ...] = declare(
        "YOCHO_BROKERS", "127.0.0.1:9092", "", "Bootstrap servers, separated by commas.", BROKERS
    )
    group: str = declare("YOCHO_GROUP", "yocho", "", "Consumer group; workers of one group share the partitions.", NAME)
    instance: str | None = declare(
        "YOCHO_INSTANCE", "", "", "Name of this worker in its group, kept over restarts (static membership): a restart"
        " within the session moves no partitions; empty: none.", or_empty(NAME),
    )  # fmt: skip
    topic_prefix: str = declare("YOCHO_TOPIC_PREFIX", "", "", "Put before every topic name.", PREFIX)
    email_sends_topic: str | None = declare(
        "YOCHO_EMAIL_SENDS_TOPIC", "", "",
        "Topic of e-mails sent, such as email-sends; empty: not read.", or_empty(NAME),
    )  # fmt: skip
    email_clicks_topic: str | None = declare(
        "YOCHO_EMAIL_CLICKS_TOPIC", "", "",
        "Topic of links followed in e-mails, such as email-clicks; empty: not read.", or_empty(NAME),
    )  # fmt: skip
    partitions: int = declare(
        "YOCHO_PARTITIONS", "4", "partitions", "Of every topic keyed by customer; fixed once there is data.",
        number(int, 1, 1_000),
    )  # fmt: skip
    replication: int = declare(
        "YOCHO_REPLICATION", "1", "replicas", "Of topics made by yocho topics create; 3 in production.",
        number(int, 1, 9),
    )  # fmt: skip
    main: Channel = declare("YOCHO_MAIN", "order", "", "The event whose absence is churn.", MAIN)
    horizon_s: int = declare(
        "YOCHO_HORIZON", "91d", "duration", "How long without a main event counts as churn.", HORIZON
    )
    clock: Literal["wall", "event"] = declare(
        "YOCHO_CLOCK", "wall", "", "What moves stream time when caught up: the wall clock, or events alone.",
        choice("wall", "event"),
    )  # fmt: skip
    learn: Literal["on", "off"] = declare(
        "YOCHO_LEARN", "on", "", "Learn from resolved labels, or keep the model as it is at start.",
        choice("on", "off"),
    )  # fmt: skip
    trainer: Literal["worker", "apart"] = declare(
        "YOCHO_TRAINER", "worker", "", "Who learns: the worker that owns partition 0, or yocho trainer apart.",
        choice("worker", "apart"),
    )  # fmt: skip
    lang: Literal["ja", "en"] = declare(
        "YOCHO_LANG", "ja", "", "Language of alerts in the terminal.", choice("ja", "en")
    )
    levels: Thresholds = declare(
        "YOCHO_LEVELS", "watch=0.70/0.60,at_risk=0.80/0.70,critical=0.90/0.80", "probability",
        "Enter and exit threshold of each alert level.", LEVEL_THRESHOLDS,
    )  # fmt: skip
    dwell: int | None = declare(
        "YOCHO_DWELL", "", "duration", "Silence before a level may rise, until a horizon has passed without a main"
        " event; empty: horizon/26.", or_empty(SPAN),
    )  # fmt: skip
    expire: int | None = declare(
        "YOCHO_EXPIRE", "", "duration", "Silence on the main channel after which a customer counts as churned"
        " and is alerted on no more; empty: 2 horizons.", or_empty(SPAN),
    )  # fmt: skip
    forget: int | None = declare(
        "YOCHO_FORGET", "", "duration", "Silence on all channels after which a customer's state is deleted;"
        " empty: expiry and 3 horizons.", or_empty(SPAN),
    )  # fmt: skip
    mute_before_s: int | None = declare(
        "YOCHO_MUTE_BEFORE", "", "RFC 3339 time", "Alerts of events before it are history: state and labels are built,"
        " but nobody is called to action; empty: none are.", or_empty(MOMENT),
    )  # fmt: skip
    muted: Literal["mark", "drop"] = declare(
        "YOCHO_MUTED", "mark", "", "Whether such alerts are published with `replay` set, or not sent.",
        choice("mark", "drop"),
    )  # fmt: skip
    cool_down: int | None = declare(
        "YOCHO_COOL_DOWN", "", "duration", "After an episode ended, how long no other one opens; empty: horizon/13.",
        or_empty(SPAN),
    )  # fmt: skip
    breaker: float = declare(
        "YOCHO_BREAKER", "5", "", "Alerts within a day, as a multiple of a partition's usual number, above which all"
        " others wait for a person; 0: never.", or_zero(number(float, 1.1, 1_000)),
    )  # fmt: skip
    capacity: int = declare(
        "YOCHO_CAPACITY", "0", "alerts/day", "Most new alerts a day, for those with the most at stake;"
        " 0: everybody over a threshold.", number(int, 0, 1_000_000_000),
    )  # fmt: skip
    lateness_s: int = declare(
        "YOCHO_LATENESS", "7d", "duration", "An event older than stream time by more is a dead letter.", SPAN
    )
    disorder_s: int = declare(
        "YOCHO_DISORDER", "0s", "duration", "How much out of order events of one input may arrive and still be put in"
        " order; alerts wait as long.", SPAN,
    )  # fmt: skip
    merge_wait_s: float = declare(
        "YOCHO_MERGE_WAIT_S", "0.25", "seconds", "How long to wait for a lagging input when merging by time.",
        number(float, 0, 60),
    )  # fmt: skip
    commit_interval_s: float = declare(
        "YOCHO_COMMIT_INTERVAL_S", "1.0", "seconds", "Between commits of alerts, state and offsets.",
        number(float, 0.05, 60),
    )  # fmt: skip
    session_timeout_s: float = declare(
        "YOCHO_SESSION_TIMEOUT_S", "10", "seconds", "Silence after which the group gives a worker's partitions away.",
        number(float, 1, 300),
    )  # fmt: skip
    max_batch: int = declare(
        "YOCHO_MAX_BATCH", "4000", "records", "Most records fetched and applied at once.",
        number(int, 1, 100_000),
    )  # fmt: skip
    calendar: Literal["none", "plain", "JP"] = declare(
        "YOCHO_CALENDAR", "none", "", "What the model may know of the calendar: nothing, weekends and seasons (plain),"
        " or these with Japan's public holidays (JP). For shops with a season and more than a year of history.",
        choice("none", "plain", "JP"),
    )  # fmt: skip
    experts: tuple[str, ...] = declare(
        "YOCHO_EXPERTS", ",".join(EXPERT_NAMES), "", "Models that the mixture is made of, separated by commas.", EXPERTS
    )
    memory_days: float = declare(
        "YOCHO_MEMORY_DAYS", "30", "days", "After how long a label counts one half to the model.", MEMORY_DAYS
    )
    challenger_memory_days: float = declare(
        "YOCHO_CHALLENGER_MEMORY_DAYS", "90", "days",
        "The same for its challenger, which takes its place if it predicts better; 0: no challenger.",
        or_zero(MEMORY_DAYS),
    )  # fmt: skip
    snapshot_every: int = declare(
        "YOCHO_SNAPSHOT_EVERY", "500", "labels", "Labels of both kinds learnt between two published models.",
        number(int, 1, 1_000_000),
    )  # fmt: skip
    state_dir: Path | None = declare(
        "YOCHO_STATE_DIR", "", "folder", "Of this worker alone, for copies of its state (RocksDB) that make restarts"
        " fast; empty: none.", or_empty(FOLDER),
    )  # fmt: skip

    def __post_init__(self) -> None:
        for setting in SETTINGS:
            setting.check(getattr(self, setting.field))
        try:
            _ = self.policy
        except ValueError as error:
            raise SettingsError(f"YOCHO_DWELL and YOCHO_EXPIRE do not fit: {error}") from None
        if self.disorder_s > self.lateness_s:
            raise SettingsError(
                "YOCHO_DISORDER must not be longer than YOCHO_LATENESS: what is put in order is not late"
            )
        if self.forget_s <= self.expire_s + self.horizon_s:
            raise SettingsError("YOCHO_FORGET must be longer than YOCHO_EXPIRE and YOCHO_HORIZON together")
        super().__post_init__()

    @classmethod
    def from_env(cls, environment: Mapping[str, str]) -> "Settings":
        """Read settings; absent and empty variables give the default.

        Parameters
        ----------
        environment
            `os.environ`, or a dict in a test.

        Raises
        ------
        SettingsError
            A value is not allowed; the message names the variable and what it allows.
        """
        texts = {setting: environment.get(setting.variable, "").strip() for setting in SETTINGS}
        return cls(**{setting.field: setting.value(text) for setting, text in texts.items() if text})

    @property
    def bootstrap(self) -> str:
        """Brokers as one text, the way Kafka clients take them."""
        return ",".join(self.brokers)

    @property
    def trainer_group(self) -> str:
        """Consumer group of trainers apart."""
        return f"{self.group}-trainer"

    @property
    def target(self) -> Target:
        """What is predicted."""
        return Target(self.main, self.horizon_s, "" if self.calendar == "none" else self.calendar)

    @property
    def policy(self) -> Policy:
        """When alerts open, rise and close."""
        return Policy(
            self.dwell_s, self.expire_s, enter=self.levels[0], exit=self.levels[1], cool_down_s=self.cool_down_s
        )

    def share_of(self, partition: int) -> Share | None:
        """Return what of the capacity falls to a partition; None = any number of alerts."""
        return Share(self.capacity, partition, self.partitions) if self.capacity else None

    @property
    def dwell_s(self) -> int:
        """Silence before a level may rise, seconds; H/26 is half a week for a quarter."""
        return self.horizon_s // 26 if self.dwell is None else self.dwell

    @property
    def cool_down_s(self) -> int:
        """Time after the end of an episode in which no other one opens, seconds; H/13 is a week for a quarter."""
        return self.horizon_s // 13 if self.cool_down is None else self.cool_down

    @property
    def expire_s(self) -> int:
        """Silence on the main channel after which a customer counts as churned, seconds."""
        return 2 * self.horizon_s if self.expire is None else self.expire

    @property
    def mute(self) -> Mute:
        """Which alerts are history."""
        return Mute(self.mute_before_s or 0, self.muted == "drop")

    @property
    def forget_s(self) -> int:
        """Silence on all channels after which state is deleted, seconds; 455 days for a quarter.

        Longer than a year: somebody who buys once a year, for an anniversary or a season, is known when they are back.
        """
        return self.expire_s + 3 * self.horizon_s if self.forget is None else self.forget


_PARTS = {
    field.name: number
    for number, part in enumerate((ObservabilitySettings, SecuritySettings), 1)
    for field in dataclasses.fields(part)
}

SETTINGS: tuple[Setting, ...] = tuple(
    dataclasses.replace(field.metadata["setting"], field=field.name)
    for field in sorted(dataclasses.fields(Settings), key=lambda field: _PARTS.get(field.name, 0))
)
"""Every variable, in the order of the README table: what Yochō does, how it is watched, how it reaches the brokers."""
