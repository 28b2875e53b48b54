"""How good the alerts are, live: ratios that are right, and none where there is nothing to divide by."""

from prometheus_client import CollectorRegistry

from models.episode_outcomes import EpisodeOutcome, OutcomeName
from models.levels import ALERT_LEVELS, LEVELS, Level
from models.lost import Lost
from models.target import DAY_S
from streams.metrics.outcomes import OutcomeMetrics

WATCH, AT_RISK, CRITICAL = ALERT_LEVELS
CHURNED, RETURNED = OutcomeName.CHURNED, OutcomeName.RETURNED


def measured(outcomes=(), losses=()):
    """Registry after (outcome, level, warnings) and (level, lead in days)."""
    registry = CollectorRegistry()
    metrics = OutcomeMetrics(registry)
    for outcome, level, warnings in outcomes:
        metrics.outcome(EpisodeOutcome(0, outcome, 200, 100, 1, 50, level, level, warnings))
    for level, lead_days in losses:
        metrics.lost(Lost(0, level, lead_days * DAY_S))
    return registry


def by_level(registry, name):
    return [registry.get_sample_value(name, {"level": LEVELS[level].name}) for level in ALERT_LEVELS]


def test_a_level_stands_for_itself_and_those_above_it():
    registry = measured([(CHURNED, CRITICAL, 3), (CHURNED, WATCH, 1), (RETURNED, WATCH, 1), (RETURNED, AT_RISK, 2)])
    assert by_level(registry, "yocho_alert_precision_ratio") == [0.5, 0.5, 1.0]
    assert by_level(registry, "yocho_alerts_per_return_ratio") == [7 / 2, 5 / 1, None]


def test_recall_counts_who_had_been_told_of_at_that_level_among_all_who_were_lost():
    registry = measured(losses=[(Level.HEALTHY, 0), (WATCH, 10), (CRITICAL, 40), (CRITICAL, 50)])
    assert by_level(registry, "yocho_alert_recall_ratio") == [0.75, 0.5, 0.5]
    assert by_level(registry, "yocho_lead_time_seconds_count") == [1, 0, 2], "who was not told of has no lead time"
    assert by_level(registry, "yocho_lead_time_seconds_sum") == [10 * DAY_S, 0, 90 * DAY_S]


def test_before_anything_is_known_counters_are_zero_and_ratios_are_not_there():
    registry = measured()
    for name in ("yocho_alert_precision_ratio", "yocho_alert_recall_ratio", "yocho_alerts_per_return_ratio"):
        assert by_level(registry, name) == [None] * 3
    for outcome in OutcomeName:
        for level in ALERT_LEVELS:
            labels = {"outcome": str(outcome), "level": LEVELS[level].name}
            assert registry.get_sample_value("yocho_outcomes_total", labels) == 0
    assert registry.get_sample_value("yocho_lost_customers_total", {"told": "none"}) == 0


def test_the_counters_of_all_workers_give_the_ratios_of_the_shop():
    """Ratios cannot be summed; what they are made of can."""
    registry = measured([(CHURNED, CRITICAL, 3), (RETURNED, WATCH, 1), (RETURNED, CRITICAL, 2)])
    totals = {
        (name, outcome): sum(
            registry.get_sample_value(name, {"outcome": outcome, "level": LEVELS[level].name}) for level in ALERT_LEVELS
        )
        for name in ("yocho_outcomes_total", "yocho_outcome_warnings_total")
        for outcome in ("churned", "returned")
    }
    churned, returned = totals["yocho_outcomes_total", "churned"], totals["yocho_outcomes_total", "returned"]
    assert churned / (churned + returned) == by_level(registry, "yocho_alert_precision_ratio")[0]
    warnings = sum(count for (name, _), count in totals.items() if name == "yocho_outcome_warnings_total")
    assert warnings / returned == by_level(registry, "yocho_alerts_per_return_ratio")[0]
