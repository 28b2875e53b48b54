"""Which model is in effect: by the stream time a version names, not by when it came."""

import itertools

import pytest

from models.churn_model import ChurnModel
from models.events import Channel
from models.scorer import COLD, Scorer
from models.snapshot import SnapshotError
from models.target import DAY_S, Target
from streams.model_book import ModelBook
from tests.streams.harness import fixed_scorer

TARGET = Target(Channel.ORDER, 28 * DAY_S)


def book(*scorers, pinned=False):
    made = ModelBook(Scorer.cold(TARGET), pinned=pinned)
    for scorer in scorers:
        made.add(scorer)
    return made


def version(name, effective_at_s):
    return fixed_scorer(TARGET, 0.0, effective_at_s, name)


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


def test_of_two_versions_that_name_the_same_second_the_one_with_more_labels_comes_last():
    fewer = ChurnModel.for_target(TARGET)
    fewer.learn_one({"order_silence": 1.0}, True)
    more = ChurnModel.restore(fewer.snapshot())
    more.learn_one({"order_silence": 2.0}, False)
    for order in ([fewer, more], [more, fewer]):
        versions = book()
        for model in order:
            versions.enter(b"k", model.snapshot(effective_at_s=100))
        assert versions.in_effect(100).n_labels == 2
        assert [versions.following(Scorer.cold(TARGET)).n_labels, versions.newest.n_labels] == [1, 2]


def test_a_version_that_is_known_already_changes_nothing():
    """Each is published under its own key and under latest, and read by everybody who starts."""
    versions = book(A)
    versions.add(version("a", 100))
    assert versions.following(A) is None


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
            versions.enter(b"latest", ChurnModel.for_target(other).snapshot())
        assert versions.newest.version == COLD

    def test_one_that_cannot_be_read(self):
        versions = book()
        with pytest.raises(SnapshotError):
            versions.enter(b"latest", {"format": "yocho-model", "version": 99})
        assert versions.newest.version == COLD
