"""The page of an evaluation tells the truth, opens from disk, names nobody, and says what it cannot show."""

import base64
import dataclasses
import warnings
from datetime import UTC, datetime, timedelta
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.image import imread

from models.evaluate import evaluate
from models.events import Channel
from models.metrics import Metrics
from models.simulator import Shop
from models.target import DAY_S, Target
from streams.report import words
from streams.report.evaluation import Evaluation
from streams.report.page import pictures_of, write_page

START = datetime(2024, 1, 1, tzinfo=UTC)
NAMES = {Channel.ORDER: "order", Channel.LOGIN: "login", Channel.EMAIL_OPEN: "email_open"}
TARGET = Target(Channel.ORDER, 14 * DAY_S)


class Page(HTMLParser):
    """What a test wants of a page: links, images, table, text."""

    def __init__(self, html):
        super().__init__()
        self.links, self.images, self.cells, self.rows, self.headings, self.tags = [], [], [], [], [], set()
        self._in = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self._in = tag
        values = dict(attributes)
        if tag == "a":
            self.links.append(values["href"])
        elif tag == "img":
            self.images.append(values["src"])
        elif tag == "tr":
            self.rows.append([])

    def handle_data(self, data):
        if self._in == "td":
            self.rows[-1].append(data)
        elif self._in == "h2" and data.strip():
            self.headings.append(data.strip())

    def handle_endtag(self, tag):
        self._in = ""


def write_log(path, events):
    """Write events of (day, customer, channel) as a file."""
    rows = [f"{who},{NAMES[channel]},{(START + timedelta(days=day)).isoformat()},10" for day, who, channel in events]
    path.write_text("customer_id,event_type,ts,value\n" + "\n".join(rows), encoding="utf-8")
    return path


def evaluation_of(path, events):
    return Evaluation.of(evaluate(write_log(path, events), TARGET, "order"), path.name, "order")


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    start_s = int(START.timestamp())
    shop = Shop(seed=5, customers=120, start_at_s=start_s, opening_days=30.0)
    events = shop.events(until_s=start_s + 150 * DAY_S)
    lived = [((event.occurred_at_ms / 1000 - start_s) / DAY_S, event.customer_id, event.channel) for event in events]
    return evaluate(write_log(tmp_path_factory.mktemp("log") / "shop.csv", lived), TARGET, "order")


@pytest.fixture(scope="module")
def mixture(report):
    return Evaluation.of(report, "shop.csv", "order")


@pytest.fixture(scope="module")
def alone(mixture):
    """The same scores as those of one model without experts."""
    return dataclasses.replace(
        mixture, names=mixture.names[-1:], p=mixture.p[-1:], weights=np.zeros((len(mixture.weights_at_s), 0))
    )


@pytest.fixture(scope="module")
def page(mixture, tmp_path_factory):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a glyph the font lacks, a layout that does not fit
        return write_page(mixture, tmp_path_factory.mktemp("report") / "made" / "here")


@pytest.fixture(scope="module")
def parsed(page):
    return Page(page.read_text(encoding="utf-8"))


def test_every_score_with_a_known_outcome_is_in_the_evaluation(alone, report):
    assert alone.pooled_metrics == (report.pooled,)
    assert alone.weekly_metrics == (tuple(week.metrics for week in report.weekly),)
    assert alone.week_at_s.tolist() == [week.at_s for week in report.weekly]


def test_the_pictures_are_real_images_with_something_on_them(page):
    names = {path.stem for path in page.parent.glob("*.png")}
    assert names == {"quality", "experts", "weights", "reliability", "alerts", "lead_times"}
    for path in page.parent.glob("*.png"):
        image = imread(path)
        height, width = image.shape[:2]
        assert 1_000 < width < 1_300 and 400 < height < 1_300
        ink = (image[..., :3] < 0.9).any(axis=-1)
        assert 0.01 < ink.mean() < 0.95
        assert len(np.unique((image[..., :3] * 255).astype(int) @ [1, 256, 65536])) > 20  # colours


def test_every_picture_is_in_the_page_and_beside_it(page, parsed):
    assert parsed.links == [
        f"{name}.png" for name in ("quality", "experts", "weights", "reliability", "alerts", "lead_times")
    ]
    for link, source in zip(parsed.links, parsed.images, strict=True):
        kind, _, data = source.partition(",")
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data) == (page.parent / link).read_bytes()


def test_the_table_holds_the_metrics_of_each_model_over_the_pooled_weeks(mixture, parsed):
    _, *rows = parsed.rows
    assert [row[0] for row in rows] == list(mixture.names)
    pooled = np.isin(mixture.week, np.flatnonzero(mixture.is_pooled))
    for row, p in zip(rows, mixture.p, strict=True):
        m = Metrics.of(mixture.churned[pooled], p[pooled])
        assert row[1:5] == [f"{value:.4f}" for value in (m.auc, m.log_loss, m.brier, m.ece)]


def test_the_table_holds_the_early_warning_of_each_model(mixture, parsed):
    _, *rows = parsed.rows
    for row, warned in zip(rows, mixture.early_warnings, strict=True):
        expected = []
        for warning in warned:
            expected += [f"{warning.median_days:.1f}".replace("inf", "∞"), f"{warning.detected_ratio:.1%}"]
        assert row[5:] == expected
    assert all(len(warning.days) > 10 for warned in mixture.early_warnings for warning in warned)


def test_the_page_says_what_was_replayed(page, mixture):
    html = page.read_text(encoding="utf-8")
    source = mixture.source
    for text in ("shop.csv", "P(no order within 14 days)", "14日間 order がない確率", "2024-01-01", "2024-05-29"):
        assert text in html
    assert f"<dd>{source.customers:,}</dd>" in html and f"<dd>{source.events:,}</dd>" in html
    assert f"<dd>{mixture.pooled_metrics[-1].n:,}</dd>" in html


def test_each_picture_has_a_title_and_a_sentence_in_both_languages(page):
    html = unescape(page.read_text(encoding="utf-8"))
    for caption in words.CAPTIONS.values():
        for text in caption:
            assert text.ja in html and text.en in html


def test_the_page_loads_nothing_runs_nothing_and_names_nobody(page, parsed, report):
    html = page.read_text(encoding="utf-8")
    assert not {"script", "link", "iframe", "object", "form"} & parsed.tags
    assert "http:" not in html and "https:" not in html and "default-src 'none'" in html
    shown = html
    for data in parsed.images:
        shown = shown.replace(data, "")
    assert [customer for customer in report.log.customers if customer in shown] == []


def test_the_same_evaluation_gives_the_same_page(page, mixture, tmp_path):
    again = write_page(mixture, tmp_path)
    assert again.read_bytes() == page.read_bytes()


def test_words_from_the_file_are_text_on_the_page_and_not_in_the_pictures(alone, tmp_path):
    source = dataclasses.replace(alone.source, name="<script>x</script>.csv", main_name="購入 & $x$")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        html = write_page(dataclasses.replace(alone, source=source), tmp_path).read_text(encoding="utf-8")
    assert "<script>" not in html and "&lt;script&gt;x" in html and "購入 &amp; $x$" in html


def test_experts_have_pictures_only_where_there_are_some(alone, mixture):
    assert [p.name for p in pictures_of(alone)] == ["quality", "reliability", "alerts", "lead_times"]
    assert len(pictures_of(mixture)) == 6


def loyal(days, customers=6, first=0):
    """Customers who order every third day."""
    every_day = [(day, who) for day in range(first, first + days) for who in range(customers)]
    return [(day, f"c{who}", Channel.ORDER) for day, who in every_day if (day + who) % 3 == 0]


def gone(at_day, n=4):
    """Customers who order once."""
    return [(at_day + who / 7, f"gone{who}", Channel.ORDER) for who in range(n)]


DEGENERATE = {
    "shorter than a horizon": (loyal(6), {words.NO_WEEK, words.NO_POOLED}, set()),
    "one week with a known outcome": (loyal(21), {words.NO_POOLED}, {"quality"}),
    "shorter than two horizons": (loyal(27), {words.NO_POOLED}, {"quality"}),
    "no churn at all": (loyal(100), {words.ONE_OUTCOME, words.NO_LOST}, {"quality", "reliability"}),
    "only churn": (
        loyal(1) + gone(44) + loyal(1, 1, 99),
        {words.ONE_OUTCOME},
        {"quality", "reliability", "lead_times"},
    ),
    "lost too late to measure": (loyal(100) + gone(80), {words.NO_LOST}, {"quality", "reliability", "alerts"}),
}


@pytest.mark.parametrize(("events", "missing", "drawn"), DEGENERATE.values(), ids=DEGENERATE)
def test_a_log_with_little_in_it_still_makes_a_page_that_says_what_is_missing(events, missing, drawn, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        html = write_page(evaluation_of(tmp_path / "log.csv", events), tmp_path).read_text(encoding="utf-8")
    reasons = (words.NO_WEEK, words.NO_POOLED, words.ONE_OUTCOME, words.NO_LOST)
    assert {reason for reason in reasons if reason.en in unescape(html)} == missing
    drawn = drawn | ({"experts", "weights"} if "quality" in drawn else set())
    assert {path.stem for path in tmp_path.glob("*.png")} == drawn
    assert {link.removesuffix(".png") for link in Page(html).links} == drawn
    assert html.count('class="missing"') == 6 - len(drawn)
