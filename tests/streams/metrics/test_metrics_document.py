"""deploy/METRICS.md lists what there is, by the conventions of Prometheus; what is served is compared end to end."""

import re

import pytest
from prometheus_client import CollectorRegistry

from streams.metrics.document import document, trainer_families, worker_families
from streams.metrics.line import Metrics
from streams.metrics.process import new_registry
from streams.settings import SETTINGS
from tests.documents import ROOT

FAMILIES = pytest.mark.parametrize("family", worker_families(), ids=lambda family: family.name)


def test_the_document_is_the_one_in_the_code():
    """`python -m streams.metrics.document > deploy/METRICS.md` brings it up to date."""
    assert (ROOT / "deploy" / "METRICS.md").read_text(encoding="utf-8") == document()


def test_no_name_is_declared_twice():
    names = [family.name for family in worker_families()]
    assert sorted(names) == sorted(set(names))
    assert set(trainer_families()) < set(worker_families())


@FAMILIES
def test_names_and_help_follow_the_conventions(family):
    assert re.fullmatch(r"(yocho|process)_[a-z][a-z0-9_]*[a-z]", family.name)
    assert family.name.endswith("_total") == (family.kind == "counter")
    assert family.name.endswith("_info") == (family.kind == "info")
    assert bool(family.buckets) == (family.kind == "histogram")
    assert list(family.buckets) == sorted(set(family.buckets))
    assert family.help.endswith(".")
    assert not re.search(r"_(ms|minutes|hours|days|kb|mb|percent)\b", family.name), "not a base unit"


@FAMILIES
def test_each_label_has_values_or_says_what_they_are_and_none_is_a_customer(family):
    for label in family.labels:
        assert bool(label.values) != bool(label.says), label
        assert len(set(label.values)) == len(label.values)
        assert label.name not in {"customer", "customer_id", "key", "id"}


def test_every_setting_that_is_named_exists():
    named = set(re.findall(r"\bYOCHO_[A-Z_]+[A-Z]", document()))
    assert named <= {setting.variable for setting in SETTINGS}
    assert len(named) > 4


def test_what_the_line_registers_is_declared():
    registry = CollectorRegistry()
    Metrics(registry)
    declared = {family.name for family in worker_families()}
    assert {f"{m.name}_total" if m.type == "counter" else m.name for m in registry.collect()} <= declared


def test_a_process_says_its_build_and_shows_no_series_of_when_a_counter_was_made():
    registry = new_registry()
    Metrics(registry).looked(1)
    samples = {sample.name for family in registry.collect() for sample in family.samples}
    assert "yocho_build_info" in samples
    assert not [name for name in samples if name.endswith("_created")]
