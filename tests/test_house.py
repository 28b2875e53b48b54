"""The rules of the house that no tool checks: who may import whom, and what no file may hold."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.documents import ROOT

PURE = {*sys.stdlib_module_names, "numpy", "river", "msgspec", "xxhash", "holidays", "models"}
CLOCKS_AND_ENVIRONMENT = {"time", "os", "socket", "subprocess", "asyncio", "threading", "random", "secrets"}
UNSAFE = {"pickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def modules(*packages: str) -> list[Path]:
    return sorted(path for package in packages for path in (ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Top-level names of everything a module imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def offenders(paths: list[Path], forbidden: set[str]) -> list[str]:
    return [f"{path.relative_to(ROOT)}: {name}" for path in paths for name in imports(path) if name in forbidden]


def tracked_texts() -> Iterator[tuple[str, str]]:
    """Every file git would take, new ones included, that is text."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("not a git checkout")
    for name in filter(None, done.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix != ".png":
            yield name, path.read_text(encoding="utf-8")


def test_models_import_nothing_but_arithmetic():
    strangers = [f"{p.relative_to(ROOT)}: {name}" for p in modules("models") for name in imports(p) if name not in PURE]
    assert strangers == []


def test_models_read_no_clock_and_no_environment():
    assert offenders(modules("models"), CLOCKS_AND_ENVIRONMENT) == []
    asking = re.compile(r"\b(now|utcnow|today)\(")
    assert [str(p) for p in modules("models") if asking.search(p.read_text(encoding="utf-8"))] == []


def test_imports_point_one_way_from_deploy_to_streams_to_models():
    assert offenders(modules("models"), {"streams", "deploy", "tests"}) == []
    assert offenders(modules("streams"), {"deploy", "tests"}) == []


def test_nothing_is_pickled():
    assert offenders(modules("models", "streams", "deploy", "tests"), UNSAFE) == []


def test_nothing_is_left_to_be_done():
    left = re.compile("|".join(rf"\b{a}{b}\b" for a, b in [("TO", "DO"), ("FIX", "ME"), ("XX", "X"), ("HA", "CK")]))
    assert [name for name, text in tracked_texts() if name != "requirements.lock" and left.search(text)] == []


def test_nothing_names_a_home_directory():
    home = re.compile(r"(?<![\w.])/(root|home|Users)/")
    names = [name for name, text in tracked_texts() if not name.startswith("tests/test_house") and home.search(text)]
    assert names == []


def test_every_file_fits_on_a_few_screens():
    long = [p for p in modules("models", "streams", "deploy", "tests") if len(p.read_text("utf-8").splitlines()) > 300]
    assert long == []


def test_continuous_integration_runs_what_the_readme_says():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    *_, last = script.read_text().splitlines()
    assert "make test\n" in script.read_text()
    assert last.startswith("exec make test-kafka ")  # nothing may print after pytest or hide its exit code


def test_pre_commit_downloads_nothing():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in hooks["repos"]] == ["local"]
    assert all(hook["entry"].startswith(".venv/bin/") for hook in hooks["repos"][0]["hooks"])


def test_every_test_file_has_a_name_of_its_own():
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]
    assert sorted(names) == sorted(set(names))  # pytest imports them by name alone
