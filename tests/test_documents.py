"""Where README and code must agree, the code is the source; where both READMEs must agree, neither may lag."""

import re
import shlex
import tomllib

import orjson
import pytest
from click import Context, Group

from models.events import Event
from streams import alerts
from streams.alert_building import thresholds_of
from streams.alert_text import render
from streams.cli import main
from streams.codec import decode
from streams.metrics.document import worker_families
from streams.settings import SETTINGS, Settings
from streams.topics import Topic, enabled_inputs, in_use
from tests.documents import ROOT, Document

ENGLISH, JAPANESE = Document.read("README.md"), Document.read("README.ja.md")
BOTH = pytest.mark.parametrize("readme", [ENGLISH, JAPANESE], ids=["en", "ja"])
CODE = re.compile(r"`([^`]+)`")
YOCHO = Context(main, info_name="yocho")
COMMANDS = main.list_commands(YOCHO)

GLOSSARY = """
    event time, processing time, stream time, watermark, lateness, co-partitioned, changelog, tombstone, snapshot,
    dead letter, at-least-once, idempotent, recency, half-life, hazard, horizon, censored, delayed label,
    prequential evaluation, calibration, lift, lead time, concept drift, cold start, hysteresis, dwell, cool-down,
    episode, holdout, uplift
"""


def cell(text: str) -> str:
    return f"`{text}`" if text else ""


def kept(topic: Topic) -> str:
    if topic.kept == "delete":
        return f"{int(topic.config['retention.ms']) // 86_400_000} days"
    return {"compact": "compacted", "producer": "the producer's choice"}[topic.kept]


def test_both_readmes_have_the_same_sections():
    assert [s.level for s in ENGLISH.sections] == [s.level for s in JAPANESE.sections]
    assert [s.bullets for s in ENGLISH.sections] == [s.bullets for s in JAPANESE.sections]
    assert len({s.title for s in JAPANESE.sections}) == len(JAPANESE.sections)


def test_both_readmes_have_the_same_commands_pictures_and_samples():
    assert ENGLISH.commands() == JAPANESE.commands()
    for english, japanese in zip(ENGLISH.sections, JAPANESE.sections, strict=True):
        assert [name for name, _ in english.blocks] == [name for name, _ in japanese.blocks], english.title
        for (name, text), (_, same) in zip(english.blocks, japanese.blocks, strict=True):
            assert name == "sh" or text == same, english.title


def test_both_readmes_have_the_same_table_rows():
    for english, japanese in zip(ENGLISH.sections, JAPANESE.sections, strict=True):
        assert len(english.rows) == len(japanese.rows), english.title
        for row, same in zip(english.rows, japanese.rows, strict=True):
            assert row[0] in same[0], f"{row[0]} and {same[0]}"
            assert len(row) == len(same), row[0]


def test_the_configuration_table_is_the_one_in_the_code():
    rows = ENGLISH.with_rows("`YOCHO_BROKERS`").rows
    assert rows == [[cell(s.variable), cell(s.default), s.unit, s.meaning.replace("|", r"\|")] for s in SETTINGS]
    assert [row[:2] for row in JAPANESE.with_rows("`YOCHO_BROKERS`").rows] == [row[:2] for row in rows]


def test_the_topics_table_is_the_one_in_the_code():
    settings = Settings()
    assert ENGLISH.with_rows("`orders`").rows == [
        [cell(topic.topic(settings)), topic.what, topic.record_key, topic.writer, kept(topic)]
        for topic in in_use(settings)
    ]


@BOTH
def test_metrics_in_the_table_are_exported_with_these_labels(readme):
    """All of them are in deploy/METRICS.md; these are the ones to look at first."""
    declared = {family.name: family.label_names for family in worker_families()}
    rows = readme.with_rows("`yocho_events_total`").rows
    assert len(rows) > 10
    for name, labels, _ in rows:
        assert declared[name.strip("`")] == tuple(CODE.findall(labels)), name


@BOTH
def test_the_picture_mentions_every_topic_in_use(readme):
    picture = next(text for section in readme.sections for name, text in section.blocks if name == "text")
    missing = [name for topic in in_use(Settings()) if (name := topic.topic(Settings())) not in picture]
    assert missing == []


@BOTH
def test_the_glossary_has_the_words_of_the_field(readme):
    glossary = next(s for s in readme.sections if s.rows and "event time" in s.rows[0][0])
    words = [row[0] for row in glossary.rows]
    expected = [word.strip() for word in GLOSSARY.split(",")]
    assert [word for word in expected if not any(word in known for known in words)] == []


@BOTH
def test_every_command_stands_in_the_command_table(readme):
    assert [row[0] for row in readme.with_rows("`yocho worker`").rows] == [f"`yocho {name}`" for name in COMMANDS]


def yocho_lines() -> list[str]:
    examples = [row[-1].strip("`") for row in ENGLISH.with_rows("`yocho worker`").rows]
    return [line for line in dict.fromkeys([*ENGLISH.commands(), *examples]) if re.search(r"\byocho ", line)]


@pytest.mark.parametrize("line", yocho_lines())
def test_every_yocho_line_can_be_typed_as_it_stands(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = shlex.split(line)
    name, *arguments = words[words.index("yocho") + 1 :]
    for argument in arguments:
        if ".csv" in argument:
            (tmp_path / argument).touch()
    command = main.get_command(YOCHO, name)
    assert command is not None
    context = command.make_context(name, arguments, parent=YOCHO)
    if isinstance(command, Group):
        assert arguments[0] in command.list_commands(context)


@BOTH
def test_every_make_target_exists(readme):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert {word for _, word in re.findall(r"(^|`)make ([a-z]+)", readme.text, re.MULTILINE)} <= targets


@BOTH
def test_every_linked_file_exists(readme):
    links = re.findall(r"\]\(([^):#]+)\)", readme.text)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@BOTH
def test_the_sample_alert_is_a_valid_one_and_is_shown_as_a_terminal_shows_it(readme):
    section = next(s for s in readme.sections if any('"alert_id"' in text for _, text in s.blocks))
    alert = alerts.decode(section.block("json").encode())
    assert section.block("text").rstrip("\n") == render(alert, "ja")
    shown = orjson.loads(section.block("json"))
    assert shown == orjson.loads(alerts.encode(alert)), "a field is missing or unknown"
    assert set(shown["receipt"]["source_offsets"]) <= {source.key for source in enabled_inputs(Settings())}
    assert alert.receipt.thresholds == thresholds_of(Settings().policy)


@BOTH
def test_the_contributions_of_the_sample_alert_add_up(readme):
    section = next(s for s in readme.sections if any('"alert_id"' in text for _, text in s.blocks))
    alert = alerts.decode(section.block("json").encode())
    odds = 10 ** ((alert.baseline + sum(e.contribution for e in alert.evidence)) * 0.4342944819)
    assert odds / (1 + odds) == pytest.approx(alert.probability, abs=5e-4)


@BOTH
def test_the_sample_events_are_accepted(readme):
    (text,) = (text for s in readme.sections for name, text in s.blocks if name == "json" and '"event_id"' in text)
    for source, line in zip(enabled_inputs(Settings()), text.splitlines(), strict=True):
        key = orjson.loads(line)["customer_id"].encode()
        assert isinstance(decode(source, key, line.encode(), now_ms=1_800_000_000_000), Event), line


def test_the_changelog_speaks_of_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
