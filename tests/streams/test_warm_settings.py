"""The option of a warm restart, as a deployment meets it."""

import sys

import pytest
from prometheus_client import CollectorRegistry

from streams.app import cold_book, create_app
from streams.broker import EmbeddedBroker
from streams.engine.warm import StateFolderError
from streams.settings import Settings, SettingsError
from streams.warm_restart import WarmRestartError, changelog_name, copies


def app_of(settings):
    return create_app(settings, cold_book(settings), CollectorRegistry())


def test_a_worker_keeps_no_copies_unless_it_is_told_where():
    assert app_of(Settings()).engine.table.rows.copies is None


def test_groups_and_prefixes_have_folders_of_their_own(tmp_path):
    here, there = (Settings(state_dir=tmp_path, group=group) for group in ("here", "there"))
    found = [app_of(settings).engine.table.rows.copies for settings in (here, there)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here-customers-changelog", "there-customers-changelog"]
    with pytest.raises(StateFolderError, match="another worker uses"):
        copies(here)
    for one in found:
        one.close()


def test_a_folder_is_an_absolute_path():
    assert Settings.from_env({}).state_dir is None
    with pytest.raises(SettingsError, match="YOCHO_STATE_DIR='state': must be empty, or an absolute path"):
        Settings.from_env({"YOCHO_STATE_DIR": "state"})


def test_without_rocksdict_the_option_says_what_to_install(tmp_path, monkeypatch):
    for name in ("streams.engine.warm", "streams.engine.warm_store"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "rocksdict", None)
    with pytest.raises(WarmRestartError, match=r"YOCHO_STATE_DIR needs rocksdict: pip install 'yocho\[rocksdb\]'"):
        copies(Settings(state_dir=tmp_path))


def test_a_changelog_is_told_from_that_of_another_cluster():
    with EmbeddedBroker.for_settings(Settings()) as one, EmbeddedBroker.for_settings(Settings()) as other:
        names = [changelog_name(Settings(brokers=(broker.bootstrap,))) for broker in (one, other)]
    assert [name["topic"] for name in names] == ["yocho-customers-changelog"] * 2
    assert names[0]["cluster_id"] != names[1]["cluster_id"]
