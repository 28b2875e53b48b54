"""The part of the settings that says how a process is watched: metrics, health and logs.

Under `streams.settings`, which has these variables too.
"""

# ruff: noqa: RUF009 - `declare` returns a dataclass field, as `dataclasses.field` does

from dataclasses import dataclass

from streams.logs import LogFormat
from streams.setting_rules import HOST, choice, declare, number


@dataclass(frozen=True)
class ObservabilitySettings:
    """Where a process can be asked how it is, and in which form it says so itself."""

    metrics_host: str = declare(
        "YOCHO_METRICS_HOST", "127.0.0.1", "", "Where /metrics, /healthz and /readyz listen.", HOST
    )
    metrics_port: int = declare(
        "YOCHO_METRICS_PORT", "9464", "", "Their port; 0 takes a free one.", number(int, 0, 65_535)
    )
    log_format: LogFormat = declare(
        "YOCHO_LOG_FORMAT", "auto", "", "Lines of the log on stderr: JSON, readable (console), or readable in a"
        " terminal and JSON elsewhere (auto).", choice("auto", "json", "console"),
    )  # fmt: skip
