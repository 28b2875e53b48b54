"""deploy/RUNBOOK.md: a section for each alert and an alert for each section, and nothing named that does not exist."""

import re
import shlex

import pytest
from click import Context, Group

from streams.cli import main
from streams.settings import SETTINGS
from tests.deploy.rules_read import ALERTS, RECORDED, asked, exported
from tests.documents import Document

RUNBOOK = Document.read("deploy/RUNBOOK.md")
_, *SECTIONS = RUNBOOK.sections
PARTS = ["Means.", "Who is hurt.", "Look at.", "Do.", "Over when."]


def queries():
    blocks = [text for section in RUNBOOK.sections for language, text in section.blocks if language == "promql"]
    return [line for block in blocks for line in block.splitlines()]


def test_each_alert_has_a_section_and_each_section_an_alert():
    assert sorted(section.title for section in SECTIONS) == sorted(ALERTS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_each_section_says_in_japanese_what_it_is_how_urgent_and_then_five_things(section):
    first = section.text.strip().splitlines()[0]
    assert re.search(r"[ぁ-んァ-ヶ一-龯].*。", first)
    assert first.endswith(f"（{ALERTS[section.title]['labels']['severity']}）")
    assert re.findall(r"^\*\*(.+?)\*\*", section.text, re.MULTILINE) == PARTS
    assert section.blocks


def test_every_section_that_is_referred_to_exists():
    named = set(re.findall(r"\bYocho[A-Z]\w+", RUNBOOK.text))
    assert named <= ALERTS.keys()


def test_queries_and_prose_name_no_metric_that_is_not_exported_or_recorded():
    assert len(queries()) > 50
    assert {name for query in queries() for name in asked(query)} - exported() == set()
    prose = {name for name in re.findall(r"`(yocho[:_][\w:]+)`", RUNBOOK.text) if name not in RECORDED}
    assert prose <= exported() | {name.removesuffix("_bucket") for name in exported()}


def test_every_variable_it_names_is_a_setting():
    variables = set(re.findall(r"\bYOCHO_[A-Z_]+", RUNBOOK.text)) - {"YOCHO_BROKERS"}
    assert variables <= {setting.variable for setting in SETTINGS}


def given(command):
    """Read a command line as click would, without doing anything; without arguments only its name counts."""
    _, *words = shlex.split(command)
    found, context = main, Context(main, info_name="yocho")
    while isinstance(found, Group) and words:
        found = found.get_command(context, words.pop(0))
        assert found is not None, command
    if words:
        found.make_context(command, words, parent=context)


def test_every_yocho_command_it_names_can_be_given():
    inline = re.findall(r"`(yocho [^`]+)`", RUNBOOK.text)
    commands = [command for command in [*RUNBOOK.commands(), *inline] if command.startswith("yocho ")]
    assert len(commands) > 8
    for command in commands:
        given(command)
