"""What is installed is what is locked, what is locked is what was declared, and an audit never passes for nothing."""

import json
import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from deploy import audit
from tests.documents import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
DECLARED = [
    Requirement(text)
    for texts in (PROJECT["project"]["dependencies"], *PROJECT["project"]["optional-dependencies"].values())
    for text in texts
]
LOCK = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
LOCKED = [(Requirement(line.split(" --hash")[0]), line) for line in LOCK.splitlines() if line and line[0] != "#"]


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def versions():
    return {canonical(requirement.name): str(requirement.specifier)[2:] for requirement, _ in LOCKED}


def test_every_locked_package_is_one_version_with_its_hashes():
    """With hashes, a registry or a proxy cannot hand out anything else under the same name and version."""
    assert len(LOCKED) > 50
    loose = [line for requirement, line in LOCKED if not re.fullmatch(r"==[^*,=]+", str(requirement.specifier))]
    unhashed = [
        requirement.name for requirement, line in LOCKED if not re.search(r"--hash=sha256:[0-9a-f]{64}\b", line)
    ]
    assert (loose, unhashed) == ([], [])


def test_the_lock_takes_nothing_from_elsewhere_than_the_registry():
    assert [requirement.name for requirement, _ in LOCKED if requirement.url] == []
    assert re.findall(r"^\s*(?:-e|-i|-f|--(?!hash)\S+)", LOCK, re.MULTILINE) == []


def test_every_declared_dependency_has_an_upper_bound_and_is_locked_within_it():
    build = [Requirement(text) for text in PROJECT["build-system"]["requires"]]
    unbounded = [
        r.name for r in [*DECLARED, *build] if not any(s.operator in {"<", "<=", "==", "~="} for s in r.specifier)
    ]
    assert unbounded == []
    locked = versions()
    assert [
        r.name for r in DECLARED if not r.specifier.contains(locked.get(canonical(r.name), ""), prereleases=True)
    ] == []


def test_what_is_installed_here_is_what_is_locked():
    applying = [r for r, _ in LOCKED if r.marker is None or r.marker.evaluate()]
    installed = {canonical(one.metadata["Name"]): one.version for one in metadata.distributions()}
    differing = {r.name: installed.get(canonical(r.name)) for r in applying if not _is(r, installed)}
    assert differing == {}, "run make demo or make test: both install from the lock"


def _is(requirement, installed):
    return requirement.specifier.contains(installed.get(canonical(requirement.name), ""), prereleases=True)


def test_installed_packages_fit_together():
    check = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout


CLEAN = {"name": "a", "version": "1", "vulns": []}
HURT = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-2026-1", "fix_versions": ["2.1"], "aliases": []}]}
LEFT_OUT = {"name": "c", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("packages", "code", "word"),
    [
        ([CLEAN], 0, "1 packages, no known vulnerability"),
        ([CLEAN, HURT], 1, "b 2: PYSEC-2026-1, mended in 2.1"),
        ([CLEAN, LEFT_OUT], 1, "c was not audited"),
        ([LEFT_OUT], 0, "NOT DONE"),
        ([], 0, "NOT DONE"),
    ],
)
def test_an_audit_fails_on_a_vulnerability_and_on_what_was_left_out(packages, code, word):
    """pip-audit itself says "no known vulnerabilities" of packages that it could not ask about."""
    verdict = audit.judge(json.dumps({"dependencies": packages, "fixes": []}), "")
    assert verdict.code == code
    assert len(verdict.lines) == 1
    assert word in verdict.lines[0]


@pytest.mark.parametrize(
    ("complaint", "code", "said"),
    [
        ("WARNING: slow\nrequests.exceptions.ProxyError: Max retries exceeded\n", 0, "NOT DONE"),
        ("requests.exceptions.ConnectTimeout: pypi.org", 0, "NOT DONE"),
        ("python: No module named pip_audit", 1, "pip-audit failed: python: No module named pip_audit"),
        ("ERROR:pip_audit._cli:requirement a does not contain a hash", 1, "pip-audit failed"),
        ("", 1, "it said nothing"),
    ],
)
def test_only_a_network_that_is_not_there_excuses_an_audit(complaint, code, said):
    verdict = audit.judge("", complaint)
    assert verdict.code == code
    assert len(verdict.lines) == 1
    assert said in verdict.lines[0]
