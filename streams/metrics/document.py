"""The metrics for people: deploy/METRICS.md, written from the declarations that the collectors are made of.

``python -m streams.metrics.document > deploy/METRICS.md`` writes it anew. Tests compare it with this, and with what a
worker and a trainer serve.
"""

from types import ModuleType

from streams.metrics import (
    assignment,
    census,
    engine,
    line,
    model_in_effect,
    outages,
    outcomes,
    partitions,
    process,
    training,
)
from streams.metrics.family import Family, Label

INTRODUCTION = """\
# Metrics

Generated from `streams/metrics`; `python -m streams.metrics.document > deploy/METRICS.md` writes it anew.

Each process serves them on `http://127.0.0.1:9464/metrics` (`YOCHO_METRICS_HOST`, `YOCHO_METRICS_PORT`). No label ever
holds a customer, and there are as many series for a million customers as for one. Whoever asks for OpenMetrics, as
Prometheus does, also gets exemplars on `yocho_event_to_alert_seconds`: alert id, topic, partition and offset.

A worker serves all of them; those of the trainer move only where somebody learns, in a worker or in `yocho trainer`.
"""

HEADING = "| Metric | Type | Labels | Unit | Served by | What it says |\n|---|---|---|---|---|---|"

SECTIONS: dict[str, tuple[ModuleType, ...]] = {
    "Records and alerts": (line,),
    "Speed, batches and commits": (engine,),
    "Partitions": (partitions,),
    "Rebalances and recovery": (assignment,),
    "Customers": (census,),
    "Sources and breaker": (outages,),
    "How alerts turned out": (outcomes,),
    "Model in effect": (model_in_effect,),
    "Trainer": (training,),
    "Process": (process,),
}
OF_A_TRAINER = (training, process)
"""What a trainer serves; a worker serves all."""


def families_of(*modules: ModuleType) -> tuple[Family, ...]:
    """Return what modules declare, in their order."""
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Family))


def worker_families() -> tuple[Family, ...]:
    """Return everything a worker serves."""
    return families_of(*(module for modules in SECTIONS.values() for module in modules))


def trainer_families() -> tuple[Family, ...]:
    """Return everything a trainer serves."""
    return families_of(*OF_A_TRAINER)


def document() -> str:
    """Return the whole document.

    Examples
    --------
    >>> "| `yocho_looks_total` | counter | | looks | worker |" in document()
    True
    """
    parts = [INTRODUCTION]
    for title, modules in SECTIONS.items():
        served_by = "worker, trainer" if set(modules) <= set(OF_A_TRAINER) else "worker"
        rows = [_row(family, served_by) for family in families_of(*modules)]
        parts += [f"## {title}\n", HEADING, *rows, ""]
    return "\n".join(parts).rstrip("\n") + "\n"


def _row(family: Family, served_by: str) -> str:
    labels = "<br>".join(map(_label, family.labels))
    cells = (f"`{family.name}`", family.kind, labels, family.measured_in, served_by, family.help)
    return "| " + " | ".join(cells).replace("|  |", "| |") + " |"


def _label(label: Label) -> str:
    return f"`{label.name}`: {', '.join(label.values) if label.values else label.says}"


if __name__ == "__main__":
    print(document(), end="")
