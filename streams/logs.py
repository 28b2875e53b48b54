"""What a process says and how: events with fields, as JSON lines for machines or as readable lines in a terminal.

Beside both lines. Our own modules name an event and what it is about (`get_logger`); libraries write sentences. One
handler gives both one shape (`set_up_logging`) and turns the chatter of libraries down.

=========  ====================================================================================
DEBUG      each alert by id, each dead letter, and what the libraries say of themselves
INFO       life cycle: ready, partitions, models, training, end
WARNING    somebody should look in the morning; Yochō goes on
ERROR      something was not done, or the process ends and says with which exit code
CRITICAL   the process ends because of a fault nobody foresaw
=========  ====================================================================================

No line holds a customer's id, or what a customer did.
"""

import logging
import re
import sys
from collections import Counter
from collections.abc import Hashable, MutableMapping
from types import TracebackType
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.stdlib import BoundLogger, ProcessorFormatter

LogFormat = Literal["auto", "json", "console"]

LIFE = "yocho"
"""Logger of what is said at every level that may be asked for: where metrics are, ready, ended."""

SAY_WHAT_THEY_SEND = ("aiokafka", "faust.topics", "kafka")
"""Loggers that show keys and values at DEBUG: never below INFO, whatever is asked for."""

LIBRARIES = ("aiokafka", "faust", "kafka", "mode")
"""What they say at INFO is of use to those who look for a fault in them."""

CLOCKWATCHERS = ("mode.timers",)
"""They warn when a commit takes longer than the time between two: `yocho_commit_seconds` knows, and has a rule."""

_SIGNAL = "Signal received"
"""What Faust says at the beginning of an end that somebody asked for: the one thing that tells it from others."""

_SERVICE = re.compile(r"\[\^-*(?P<service>[^]]*)\]: (?P<event>.*)", re.DOTALL)
"""How services of Faust begin a sentence, ours among them: ``[^---SafeRecovery]: Resuming flow...``."""

Fields = MutableMapping[str, Any]


class _Heard(BoundLogger):
    """Looks first whether anybody wants to hear it: what is said of each record costs nothing where nobody does."""

    def debug(self, event: str | None = None, *args: Any, **fields: Any) -> Any:
        if self._logger.isEnabledFor(logging.DEBUG):
            return super().debug(event, *args, **fields)
        return None


def get_logger(name: str) -> BoundLogger:
    """Give a logger that takes an event and fields, ``log.warning("source quiet", partition=3, source="logins")``.

    It hands over to the standard logger of that name: the event is the message, and fields are attributes of the
    record. So a field may not be called as one of those are, ``name`` or ``module``.

    Parameters
    ----------
    name
        Of the module.
    """
    logger: BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.render_to_log_kwargs],
        wrapper_class=_Heard,
    ).bind()
    return logger


def set_up_logging(level: str, log_format: LogFormat = "auto", stream: TextIO | None = None) -> None:
    """Log in one shape, to stderr; libraries that would show records stay quiet.

    Parameters
    ----------
    level
        DEBUG, INFO, WARNING or ERROR.
    log_format
        ``auto``: readable lines in a terminal, JSON lines elsewhere.
    stream
        Where to; None: stderr.
    """
    stream = sys.stderr if stream is None else stream
    number = logging.getLevelNamesMapping()[level]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(log_format, stream))
    handler.addFilter(Chatter(number))
    logging.basicConfig(level=level, handlers=[handler])
    logging.captureWarnings(True)
    logging.getLogger(LIFE).setLevel(min(logging.INFO, number))
    for name in SAY_WHAT_THEY_SEND:
        logging.getLogger(name).setLevel(max(logging.INFO, number))
    sys.excepthook = _last_words


class Chatter(logging.Filter):
    """Takes what libraries say of themselves for DEBUG, from which level on it may be.

    Parameters
    ----------
    level
        What is asked for.

    Examples
    --------
    >>> record = logging.makeLogRecord({"name": "aiokafka.conn", "levelno": logging.INFO, "msg": "Discovered"})
    >>> Chatter(logging.INFO).filter(record), Chatter(logging.DEBUG).filter(record), record.levelname
    (False, True, 'DEBUG')
    """

    def __init__(self, level: int) -> None:
        super().__init__()
        self._is_wanted = level <= logging.DEBUG

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a record is to be written; that of a library loses its level."""
        if not _is_chatter(record):
            return True
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return self._is_wanted


class Seldom:
    """Lets a kind of news through once in a while, and counts what it kept back.

    Parameters
    ----------
    every_s
        Time between two of a kind, seconds.

    Examples
    --------
    >>> seldom = Seldom(60.0)
    >>> [seldom.ask("stray", at_s) for at_s in (0.0, 1.0, 59.0, 60.0, 61.0)]
    [0, None, None, 2, None]
    """

    def __init__(self, every_s: float) -> None:
        self._every_s = every_s
        self._next_s: dict[Hashable, float] = {}
        self._unsaid: Counter[Hashable] = Counter()

    def ask(self, kind: Hashable, now_s: float) -> int | None:
        """How many of a kind went unsaid since the last one, if it is time for another; None if not."""
        if now_s < self._next_s.get(kind, now_s):
            self._unsaid[kind] += 1
            return None
        self._next_s[kind] = now_s + self._every_s
        return self._unsaid.pop(kind, 0)


def _is_chatter(record: logging.LogRecord) -> bool:
    if record.name in CLOCKWATCHERS:
        return record.levelno <= logging.WARNING
    if _SIGNAL in str(record.msg):
        return False
    return record.levelno <= logging.INFO and (
        record.name.split(".")[0] in LIBRARIES or str(record.msg).startswith("[^")
    )


def _formatter(log_format: LogFormat, stream: TextIO) -> ProcessorFormatter:
    is_console = stream.isatty() if log_format == "auto" else log_format == "console"
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=0)]
        if is_console
        else [structlog.processors.format_exc_info, _in_order, structlog.processors.JSONRenderer(_json)]
    )
    return ProcessorFormatter(
        foreign_pre_chain=[
            structlog.stdlib.ExtraAdder(),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.processors.TimeStamper("iso", utc=True),
            _one_line,
        ],
        processors=[ProcessorFormatter.remove_processors_meta, *last],
    )


def _one_line(_: Any, __: str, fields: Fields) -> Fields:
    """Take the service that speaks and the rows of a drawn table out of a sentence."""
    event = str(fields["event"])
    if said := _SERVICE.fullmatch(event):
        event, fields["service"] = said["event"], said["service"]
    first, *others = event.splitlines() or [""]
    fields["event"] = first
    if rows := [line.strip("|").strip() for line in others if not line.startswith("+")]:
        fields["detail"] = rows
    return fields


def _in_order(_: Any, __: str, fields: Fields) -> Fields:
    """Put first what every line has."""
    return {name: fields[name] for name in ("timestamp", "level", "logger", "event")} | dict(fields)


def _json(fields: Any, default: Any, **_: Any) -> str:
    return orjson.dumps(fields, default=default, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()


def _last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Say what nobody caught, as a line like the others."""
    get_logger(LIFE).critical("the process ends: a fault that nobody foresaw", exc_info=(kind, error, trace))
