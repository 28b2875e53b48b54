"""The part of the settings that says how a process is watched: metrics, health, logs and traces.

Under `streams.settings`, which has these variables too.
"""

# ruff: noqa: RUF009 - `declare` returns a dataclass field, as `dataclasses.field` does

from dataclasses import dataclass
from typing import Literal

from streams.logs import LogFormat
from streams.setting_rules import HOST, choice, declare, number


@dataclass(frozen=True)
class ObservabilitySettings:
    """Where a process can be asked how it is, and what it says of itself without being asked."""

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
    tracing: Literal["on", "off"] = declare(
        "YOCHO_TRACING", "off", "", "Send a trace of each batch of a worker to OpenTelemetry, where and how its own"
        " variables (OTEL_*) say; needs yocho[tracing].", choice("on", "off"),
    )  # fmt: skip
