"""Rules, the names that queries may use, and Prometheus' own tools: what the tests of this folder share."""

import re
import shutil
import subprocess

import pytest
import yaml

from streams.metrics.document import worker_families
from tests.documents import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
CONFIG = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))
RULES = [
    rule
    for name in CONFIG["rule_files"]
    for group in yaml.safe_load((PROMETHEUS / name).read_text(encoding="utf-8"))["groups"]
    for rule in group["rules"]
]
ALERTS = {rule["alert"]: rule for rule in RULES if "alert" in rule}
RECORDED = {rule["record"]: rule for rule in RULES if "record" in rule}
QUESTIONS = ("up", "ALERTS")
"""Series that Prometheus makes itself."""


def promtool(*arguments):
    """Run promtool; a test that finds none is skipped, and one that fails says what promtool said."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not here: on Debian install prometheus")
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def exported():
    """Every name that a query may use: what a worker serves, and what is recorded."""
    names = set(QUESTIONS) | RECORDED.keys()
    for family in worker_families():
        names |= {f"{family.name}_{end}" for end in ("bucket", "count", "sum")} if family.buckets else {family.name}
    return names


def asked(query):
    """Names of the series that a query asks for."""
    bare = re.sub(r'"[^"]*"', "", query)
    series = r"\b(?:yocho|process)(?::\w+)*\w*|\bup\b(?=\{)|\bALERTS\b"
    return set(re.findall(series, bare))
