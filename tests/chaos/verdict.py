"""What a disturbed run must have left behind: exactly what an undisturbed one did."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from streams import outcomes
from tests.end_to_end.cluster import Probe
from tests.end_to_end.verifier import alerts_of, recount, rows_of

Log = Sequence[tuple[str, bytes, bytes]]


@dataclass(frozen=True)
class Left:
    """What is on the brokers after a run: alerts, outcomes and dead letters by id, state by customer."""

    alerts: Mapping[str, tuple[Any, ...]]
    outcomes: Mapping[str, tuple[Any, ...]]
    rows: Mapping[bytes, Any]
    dead_letters: Mapping[str, str] = field(default_factory=dict)
    """Reason by id."""
    repeats: int = 0
    """Alert records beyond one an id: told again after a crash, with the same id."""

    @classmethod
    def behind(cls, probe: Probe) -> "Left":
        told = alerts_of(probe)
        records = sum(len(messages) for messages in probe.records("churn-alerts").values())
        return cls(told, outcomes_of(probe), rows_of(probe), dead_letters_of(probe), records - len(told))


@dataclass
class Verdict:
    """Differences between a disturbed run, the undisturbed one, and an offline recount; all empty when all is well."""

    lost_alerts: list[str] = field(default_factory=list)
    made_up_alerts: list[str] = field(default_factory=list)
    different_alerts: list[str] = field(default_factory=list)
    different_outcomes: list[str] = field(default_factory=list)
    miscounted: list[bytes] = field(default_factory=list)
    different_rows: list[bytes] = field(default_factory=list)
    made_up_dead_letters: list[str] = field(default_factory=list)
    differing_fields: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, left: Left, expected: Left, log: Log) -> "Verdict":
        counted = {key: counts for key, counts in recount(log).items() if any(counts)}
        rows = {key: row for key, row in left.rows.items() if row["count"].any()}
        return cls(
            sorted(expected.alerts.keys() - left.alerts.keys()),
            sorted(left.alerts.keys() - expected.alerts.keys()),
            sorted(id_ for id_, told in left.alerts.items() if expected.alerts.get(id_, told) != told),
            sorted(_unlike(left.outcomes, expected.outcomes)),
            sorted(_unlike({key: row["count"].tolist() for key, row in rows.items()}, counted)),
            sorted(_unlike(*({key: row.tobytes() for key, row in r.items()} for r in (left.rows, expected.rows)))),
            sorted(f"{id_} {reason}" for id_, reason in left.dead_letters.items() if id_ not in expected.dead_letters),
            sorted({name for key, row in left.rows.items() for name in _differing(row, expected.rows.get(key))}),
        )

    @property
    def is_clean(self) -> bool:
        return not any(vars(self).values())

    def __str__(self) -> str:
        counts = ", ".join(f"{len(value)} {name.replace('_', ' ')}" for name, value in vars(self).items())
        details = [*self.differing_fields, *self.made_up_dead_letters[:5]]
        return f"{counts} ({', '.join(details)})" if details else counts


def outcomes_of(probe: Probe) -> dict[str, tuple[Any, ...]]:
    """What became of episodes, by outcome id; an id that says two different things fails here."""
    found: dict[str, tuple[Any, ...]] = {}
    for messages in probe.records("churn-outcomes").values():
        for message in messages:
            outcome = outcomes.decode(message.value())
            what = (outcome.customer_id, outcome.alert_id, str(outcome.outcome), outcome.occurred_at)
            assert found.setdefault(outcome.outcome_id, what) == what, f"said {found[outcome.outcome_id]}, then {what}"
    return found


def dead_letters_of(probe: Probe) -> dict[str, str]:
    """Why records were set aside, by the id of the letter."""
    headers = [dict(message.headers()) for messages in probe.records("dead-letters").values() for message in messages]
    return {said["x-id"].decode(): said["x-reason"].decode() for said in headers}


def _unlike(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> set[Any]:
    return {key for key in one.keys() | other.keys() if one.get(key) != other.get(key)}


def _differing(row: Any, other: Any) -> list[str]:
    return [name for name in row.dtype.names if other is not None and row[name].tobytes() != other[name].tobytes()]
