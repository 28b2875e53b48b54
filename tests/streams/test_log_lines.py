"""One shape for what we and the libraries say: JSON lines, or readable ones, each with its fields."""

import io
import logging
import subprocess
import sys

import numpy as np
import orjson
import pytest

from streams.logs import LIFE, Chatter, _formatter, get_logger

TABLE = """[^---SafeRecovery]: Highwater for active changelog partitions:
+Highwater - Active---------+-----------+
| topic                     | partition |
+---------------------------+-----------+
| yocho-customers-changelog | 0         |
+---------------------------+-----------+"""


@pytest.fixture
def said():
    """Give what a logger of this name writes, as lines: at this level and in this format."""
    handlers = []

    def lines(name, speak, level="DEBUG", log_format="auto"):
        stream = io.StringIO()
        handler = logging.StreamHandler(stream)
        handler.setFormatter(_formatter(log_format, stream))
        handler.addFilter(Chatter(logging.getLevelNamesMapping()[level]))
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)
        handlers.append((logger, handler))
        speak()
        text = stream.getvalue()
        return text if log_format == "console" else [orjson.loads(line) for line in text.splitlines()]

    yield lines
    for logger, handler in handlers:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def only(lines):
    (line,) = lines
    assert line.pop("timestamp").endswith("Z")
    return line


def test_an_event_of_ours_has_its_fields(said):
    log = get_logger("streams.x")
    line = only(said("streams.x", lambda: log.warning("source quiet", partition=np.int64(3), source="logins")))
    assert line == {
        "level": "warning", "logger": "streams.x", "event": "source quiet", "partition": 3, "source": "logins",
    }  # fmt: skip


def test_a_percent_sign_is_a_percent_sign(said):
    assert only(said("streams.x", lambda: get_logger("streams.x").info("100% of %s", n=1)))["event"] == "100% of %s"


def test_a_sentence_of_a_library_has_the_same_shape(said):
    speak = lambda: logging.getLogger("aiokafka.conn").error("Unable connect to %s: %s", "kafka:9092", "refused")  # noqa: E731
    assert only(said("aiokafka.conn", speak)) == {
        "level": "error", "logger": "aiokafka.conn", "event": "Unable connect to kafka:9092: refused",
    }  # fmt: skip


def test_a_traceback_is_one_field(said):
    def speak():
        try:
            raise ValueError("two\nlines")
        except ValueError:
            get_logger("streams.x").exception("the worker dies", exit_code=70)

    line = only(said("streams.x", speak))
    assert (line["level"], line["event"], line["exit_code"]) == ("error", "the worker dies", 70)
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith("ValueError: two\nlines")


def test_what_nobody_caught_is_the_last_line_and_critical():
    """In a process of its own: its traceback would else be a dozen lines that no machine reads."""
    code = "from streams.logs import set_up_logging; set_up_logging('ERROR'); raise KeyError('unforeseen')"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    line = orjson.loads(ended.stderr)
    assert (ended.returncode, line["level"], line["logger"]) == (1, "critical", "yocho")
    assert line["exception"].endswith("KeyError: 'unforeseen'")


def test_the_drawn_table_of_a_service_becomes_a_line_with_its_rows(said):
    assert only(said("streams.engine.recovery", lambda: logging.getLogger("streams.engine.recovery").info(TABLE))) == {
        "level": "debug",
        "logger": "streams.engine.recovery",
        "event": "Highwater for active changelog partitions:",
        "service": "SafeRecovery",
        "detail": ["topic                     | partition", "yocho-customers-changelog | 0"],
    }


@pytest.mark.parametrize(
    ("name", "level", "text"),
    [
        ("mode.timers", logging.INFO, "Timer Monitor.sampler woke up too late, with a drift of +5.9"),
        ("mode.timers", logging.WARNING, "Timer commit is overlapping (interval=0.5 runtime=9.3)"),
        ("aiokafka.consumer.subscription_state", logging.INFO, "Updating subscribed topics to: frozenset()"),
        ("faust.worker", logging.INFO, "[^Worker]: Starting..."),
        ("streams.engine.recovery", logging.INFO, TABLE),
    ],
)
def test_what_libraries_say_of_themselves_is_for_debug(said, name, level, text):
    speak = lambda: logging.getLogger(name).log(level, text)  # noqa: E731
    assert said(name, speak, "INFO") == []
    assert [line["level"] for line in said(name, speak, "DEBUG")] == ["debug"]


def test_the_signal_that_ends_a_worker_is_told(said):
    speak = lambda: logging.getLogger("faust.worker").info("[^Worker]: Signal received: 15 (15)")  # noqa: E731
    line = only(said("faust.worker", speak, "INFO"))
    assert (line["level"], line["event"]) == ("info", "Signal received: 15 (15)")


@pytest.mark.parametrize("name", ["mode.timers", "aiokafka.conn", "faust.worker", "streams.engine.recovery"])
def test_their_errors_are_told(said, name):
    assert [line["level"] for line in said(name, lambda: logging.getLogger(name).error("[^X]: no"), "ERROR")] == [
        "error"
    ]


def test_people_read_event_and_fields_in_a_row(said):
    text = said(LIFE, lambda: get_logger(LIFE).info("yocho worker ready", partitions=[0, 1]), log_format="console")
    assert text.endswith("yocho worker ready [yocho] partitions=[0, 1]\n")
    assert "\x1b" not in text, "no colours where there is no terminal"
