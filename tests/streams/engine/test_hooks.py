"""The insides of Faust, mode and aiokafka that the engine stands on are the ones it was verified against.

A failure here means that a library was changed. Read the function it names again, together with what is written beside
it and the override in `streams/engine/`; run the kill tests; then take over the new fingerprint from the message.
"""

import hashlib
import importlib
import inspect
import pkgutil
import tomllib
from importlib.metadata import version
from pathlib import Path

import faust
import pytest
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.transport.drivers import aiokafka as driver

from streams.engine import VERIFIED_VERSIONS
from streams.engine.consumer import BatchConsumer
from streams.engine.fetch_thread import BatchConsumerThread
from streams.engine.recovery import SafeRecovery, SafeTableManager
from streams.engine.store import RawBatches, RowStore, RowTable
from tests.streams.engine.faust_app import NotingEngine, app_with, consumer_of
from tests.streams.engine.hooks import HOOKS


def fingerprint(source: str) -> str:
    lines = (line.strip() for line in source.splitlines())
    code = "\n".join(line for line in lines if line and not line.startswith("#"))
    return hashlib.sha256(code.encode()).hexdigest()[:12]


def found_at(path: str):
    module, _, names = path.partition(":")
    found = importlib.import_module(module)
    for name in names.split("."):
        found = inspect.getattr_static(found, name)
    return getattr(found, "fget", getattr(found, "fun", found))  # a property, a service's task, a function


@pytest.mark.parametrize("library", VERIFIED_VERSIONS)
def test_the_installed_library_is_the_verified_one(library):
    assert version(library) == VERIFIED_VERSIONS[library], (
        f"{library} {version(library)} is installed, the engine was verified against {VERIFIED_VERSIONS[library]}: "
        "read every function in HOOKS again, run the kill tests, then change streams.engine.VERIFIED_VERSIONS"
    )


def test_the_project_asks_for_exactly_the_verified_libraries():
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())["project"]
    assert {f"{library}=={number}" for library, number in VERIFIED_VERSIONS.items()} <= set(project["dependencies"])


@pytest.mark.parametrize("path", HOOKS)
def test_a_function_the_engine_relies_on_has_not_moved(path):
    expected, reliance = HOOKS[path]
    try:
        source = inspect.getsource(found_at(path))
    except AttributeError:
        pytest.fail(f"{path} is gone. We rely on this: {reliance}")
    found = fingerprint(source)
    assert found == expected, f"{path} has changed, its fingerprint is now {found}. We rely on this: {reliance}"


def test_the_compiled_stream_acknowledges_as_the_one_that_was_read():
    """The pure Python stream acknowledges stale messages; the compiled one takes batches, and skips stale ones."""
    compiled = importlib.import_module("faust._cython.streams")
    assert compiled.__file__.endswith((".so", ".pyd")), "Faust's compiled stream is missing: install a binary wheel"
    assert faust.streams._CStreamIterator is compiled.StreamIterator, "NO_CYTHON must not be set"
    source = pkgutil.get_data("faust._cython", "streams.pyx")
    assert fingerprint(source.decode()) == "9d54431dcd7a", (
        "faust/_cython/streams.pyx has changed: read next() and after()"
    )


OVERRIDES = [
    (BatchConsumer, driver.Consumer),
    (BatchConsumerThread, driver.AIOKafkaConsumerThread),
    (SafeRecovery, Recovery),
    (SafeTableManager, TableManager),
    (RowTable, faust.Table),
    (RowStore, faust.stores.base.Store),
    (RawBatches, faust.Schema),
]
OURS = {
    BatchConsumer: {
        "hand_over",
        "_heal_group",
        "_dropped",
        "_seek_again",
        "_is_wanted",
        "_batch_message",
        "_quiet",
        "settle",
        "end_of",
    },
    BatchConsumerThread: {"quiet", "_quiet", "end_of"},
    SafeRecovery: {"_is_overtaken"},
    RowStore: {"rows", "_take_up"},
    SafeTableManager: {"remaining"},
}


@pytest.mark.parametrize(("ours", "theirs"), OVERRIDES, ids=lambda cls: cls.__name__)
def test_an_override_has_something_to_override_and_takes_what_it_is_given(ours, theirs):
    for name, method in vars(ours).items():
        if name.startswith("__") or name in OURS.get(ours, ()):
            continue
        upstream = inspect.getattr_static(theirs, name, None)
        assert upstream is not None, f"{theirs.__name__}.{name} is gone: nobody calls ours any more"
        if inspect.isfunction(method) and inspect.isfunction(upstream) and not takes_anything(method):
            assert kinds_of(method) == kinds_of(upstream), f"{theirs.__name__}.{name} takes other parameters now"


def takes_anything(function):
    return inspect.getfullargspec(function).varkw is not None


def kinds_of(function):
    return [(parameter.name, parameter.kind) for parameter in inspect.signature(function).parameters.values()]


def test_faust_keeps_its_books_where_the_consumer_looks():
    app = app_with(NotingEngine())
    consumer = consumer_of(app)
    for books in ("_acked", "_acked_index", "_committed_offset", "_read_offset", "_gap"):
        assert getattr(consumer, books) == {}, books
    assert consumer._committed_offset["unknown"] is None
    assert consumer._read_offset["unknown"] is None
    assert consumer.flow_active
    assert app.consumer_generation_id == 0
    assert app.tables._recovery is None
