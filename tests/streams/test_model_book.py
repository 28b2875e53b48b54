"""Which model is in effect: by the stream time a version names, not by when it came."""

import dataclasses
import itertools

import pytest

from models import snapshot as snapshots
from models.events import Channel
from models.mixture import ChurnMixture
from models.newer import NewerVersionError
from models.scorer import COLD, Scorer
from models.snapshot import SnapshotError
from models.target import DAY_S, Target
from streams.model_book import ModelBook

TARGET = Target(Channel.ORDER, 28 * DAY_S)


def book(*scorers, pinned=False):
    made = ModelBook(Scorer.cold(TARGET), pinned=pinned)
    for scorer in scorers:
        made.add(scorer)
    return made


def version(name, effective_at_s):
    return dataclasses.replace(Scorer.cold(TARGET), version=name, effective_at_s=effective_at_s)


def published(n_labels, n_steps=0, effective_at_s=100, target=TARGET):
    snapshot = ChurnMixture.for_target(target).snapshot(effective_at_s)
    return snapshots.encode(type(snapshot)(**snapshots.to_dict(snapshot) | {"n_labels": n_labels, "n_steps": n_steps}))


A, B, C = version("a", 100), version("b", 200), version("c", 300)


@pytest.mark.parametrize(
    ("stream_time_s", "name"), [(0, COLD), (99, COLD), (100, "a"), (199, "a"), (200, "b"), (10**9, "c")]
)
@pytest.mark.parametrize("arrival", list(itertools.permutations([A, B, C])))
def test_a_version_is_in_effect_from_the_second_it_names_whatever_the_order_of_arrival(arrival, stream_time_s, name):
    assert book(*arrival).in_effect(stream_time_s).version == name


def test_versions_follow_each_other_one_by_one():
    versions = book(C, A, B)
    followed = [versions.in_effect(0)]
    while (following := versions.following(followed[-1])) is not None:
        followed.append(following)
    assert [scorer.version for scorer in followed] == [COLD, "a", "b", "c"]
    assert versions.newest is C


@pytest.mark.parametrize("stream_time_s", [200, 299])
def test_versions_that_nobody_needs_any_more_are_forgotten_and_do_not_come_back(stream_time_s):
    versions = book(A, B, C)
    versions.forget_before(stream_time_s)
    assert len(versions) == 2
    assert not versions.add(A), "the topic is read once more after a fault of the brokers"
    assert not versions.add(B)
    assert [versions.in_effect(at_s).version for at_s in (200, 299, 300)] == ["b", "b", "c"]
    assert versions.following(B) is C
    assert versions.following(A) is B, "a partition that is further behind goes on with the oldest there is"
    assert versions.in_effect(150) is B


def test_nothing_is_forgotten_that_is_in_effect_or_will_be():
    versions = book(A, B, C)
    versions.forget_before(150)
    versions.forget_before(0)
    assert [versions.in_effect(at_s).version for at_s in (100, 200, 300)] == ["a", "b", "c"]


def test_of_two_versions_that_name_the_same_second_the_one_with_more_labels_comes_last():
    for order in ([1, 2], [2, 1]):
        versions = book()
        for n_labels in order:
            versions.enter(b"k", published(n_labels))
        assert versions.in_effect(100).n_labels == 2
        assert [versions.following(Scorer.cold(TARGET)).n_labels, versions.newest.n_labels] == [1, 2]


def test_of_two_that_differ_in_steps_alone_the_one_that_was_published_later_comes_last():
    """A young shop learns steps for a quarter before its first horizon label."""
    versions = book()
    first, second = (versions.enter(b"k", published(0, n_steps)) for n_steps in (500, 1_000))
    assert versions.in_effect(100) is second
    assert versions.following(Scorer.cold(TARGET)) is first
    assert versions.following(first) is second
    assert versions.following(second) is None


def test_a_version_that_is_known_already_changes_nothing():
    """Each is published under its own key and under latest, and read by everybody who starts."""
    versions = book(A)
    assert not versions.add(version("a", 100))
    assert versions.following(A) is None
    assert versions.enter(b"latest", published(7)).n_labels == 7
    assert versions.enter(b"n000007", published(7)) is None


class TestPinned:
    def test_it_keeps_to_the_newest_that_was_known_when_it_was_first_asked(self):
        versions = book(A, B, pinned=True)
        assert versions.in_effect(0) is B
        versions.add(C)
        assert versions.in_effect(10**9) is B

    def test_nothing_ever_follows(self):
        assert book(A, B, pinned=True).following(A) is None


class TestRefused:
    @pytest.mark.parametrize("other", [Target(Channel.LOGIN, 28 * DAY_S), Target(Channel.ORDER, 29 * DAY_S)])
    def test_a_model_of_another_target(self, other):
        versions = book()
        with pytest.raises(SnapshotError, match="predicts"):
            versions.enter(b"latest", published(1, target=other))
        assert versions.newest.version == COLD

    @pytest.mark.parametrize(("version", "error"), [(1, SnapshotError), (99, NewerVersionError)])
    def test_one_that_cannot_be_read(self, version, error):
        versions = book()
        with pytest.raises(error):
            versions.enter(b"latest", b'{"format":"yocho-model","version":%d}' % version)
        assert versions.newest.version == COLD
