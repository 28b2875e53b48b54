"""An event log on disk as columns: what each type of event becomes, and what orders hold."""

import numpy as np
import pytest

from models.apply import Outcome, apply_round
from models.baskets import category_mask
from models.event_log import NO_CHANNEL, read_log
from models.events import Channel, Source
from models.outcomes import Outcomes
from models.state import new_rows
from models.target import DAY_S, Target

ORDER, LOGIN, OPEN = Channel
HEADER = "customer_id,event_type,ts,value"


@pytest.fixture
def read(tmp_path):
    def of(*lines, header=HEADER, main=ORDER, main_name="order"):
        path = tmp_path / "log.csv"
        path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")
        return read_log(path, main, main_name)

    return of


def test_each_type_has_its_source_and_only_what_a_customer_does_a_channel(read):
    log = read(
        "a,order,1997-01-01,5", "a,logins,1997-01-02,", "a,email-open,1997-01-03,", "a,email_send,1997-01-04,",
        "a,email_clicks,1997-01-05,",
    )  # fmt: skip
    assert log.source.tolist() == [source for source in Source if source != Source.COMMANDS]
    assert log.channel.tolist() == [ORDER, LOGIN, OPEN, NO_CHANNEL, OPEN]
    assert log.skipped == {}


def test_events_of_a_log_apply_as_those_of_the_inputs_do(read):
    log = read("a,order,1997-01-01,5", "a,email_send,1997-01-02,", "a,email_click,1997-01-03,")
    rows, target = new_rows(1), Target(ORDER, 91 * DAY_S)
    outcomes = [int(apply_round(rows, log.columns(np.array([i])), target)[0]) for i in range(3)]
    assert outcomes == [Outcome.APPLIED, Outcome.NOTED, Outcome.APPLIED]
    assert rows["count"][0].tolist() == [1, 0, 0]
    assert rows["clicks_long"].tolist() == [1.0]
    assert rows["applied"][0].tolist() == [0, -1, -1, 1, 2, -1]


@pytest.mark.parametrize("event_type", ["email_click", "email_send"])
def test_where_opens_are_the_main_event_a_click_is_one_and_a_send_is_not(read, event_type):
    """As in a row: the outcomes that scores are measured by must be those the labels learn."""
    log = read(
        "a,email_open,1997-01-01,", f"a,{event_type},1997-01-10,", "b,email_open,1997-02-01,", main=OPEN,
        main_name="email_open",
    )  # fmt: skip
    outcomes = Outcomes(log, Target(OPEN, 7 * DAY_S))
    came_back = event_type == "email_click"
    assert outcomes.churned(np.array([0]), int(log.at_s[1])).tolist() == [not came_back]


def test_clicks_are_left_out_where_another_type_stands_for_opens(read):
    log = read("a,read,1997-01-01,", "a,email_click,1997-01-02,", main=OPEN, main_name="read")
    assert log.skipped == {"email_click": 1}


def test_the_category_column_is_read_of_orders_alone(read):
    log = read(
        "a,order,1997-01-01,5,tea; 和菓子", "a,order,1997-01-02,5,", "a,login,1997-01-03,,tea",
        header=HEADER + ",category",
    )  # fmt: skip
    assert log.categories.tolist() == [category_mask(["tea", "和菓子"]), 0, 0]
    assert log.columns(np.array([0])).categories.tolist() == log.categories[:1].tolist()


def test_without_a_category_column_no_order_tells(read):
    assert read("a,order,1997-01-01,5").categories.tolist() == [0]
