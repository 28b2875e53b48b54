"""The alert policy as stories a marketer can read, and the laws that hold in every story."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from models.levels import LEVELS, Level
from models.life_cycle import step
from models.policy import (
    MAX_NUMBER,
    STEP_EXPIRED,
    STEP_RECOVERED,
    Cause,
    Episode,
    Moment,
    Policy,
    Transition,
    TransitionType,
    alert_id,
)
from models.target import DAY_S

POLICY = Policy(dwell_s=3 * DAY_S, expire_s=182 * DAY_S, enter=(0.60, 0.75, 0.90), exit=(0.50, 0.65, 0.80))


class Story:
    """One customer, told by day and probability; `news` collects what is published."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy, self.episode = policy, Episode()
        self.last_activity_at_s = 0
        self.transitions: list[Transition] = []

    def orders(self, day: float, p: float = 0.1) -> "Story":
        self.last_activity_at_s = int(day * DAY_S)
        return self._look(day, p, Cause.MAIN_EVENT)

    def logs_in(self, day: float, p: float) -> "Story":
        self.last_activity_at_s = int(day * DAY_S)
        return self._look(day, p, Cause.ACTIVITY)

    def is_silent_until(self, day: float, p: float) -> "Story":
        return self._look(day, p, Cause.SILENCE)

    def is_given_up(self, day: float) -> "Story":
        return self._look(day, 0.99, Cause.EXPIRY)

    @property
    def news(self) -> list[str]:
        return [f"{transition.type} {LEVELS[transition.level].name}" for transition in self.transitions]

    def _look(self, day: float, p: float, cause: Cause) -> "Story":
        moment = Moment(int(day * DAY_S), p, cause, self.last_activity_at_s)
        self.episode, transitions = step(self.policy, self.episode, moment)
        self.transitions += transitions
        return self


def test_somebody_who_goes_silent_is_reported_level_by_level():
    story = Story().orders(1).is_silent_until(20, 0.6).is_silent_until(30, 0.75).is_silent_until(50, 0.9)
    assert story.news == ["opened watch", "escalated at_risk", "escalated critical"]


def test_a_risk_below_the_first_threshold_is_no_news():
    assert Story().orders(1).is_silent_until(20, 0.5999).news == []


def test_a_risk_that_jumps_two_levels_opens_at_the_higher_one():
    assert Story().orders(1).is_silent_until(20, 0.8).news == ["opened at_risk"]


def test_an_open_episode_that_jumps_escalates_once_to_the_top():
    assert Story().is_silent_until(20, 0.6).is_silent_until(21, 0.95).news == [
        "opened watch",
        "escalated critical",
    ]


def test_somebody_who_was_here_within_the_dwell_time_is_not_reported_however_high_the_risk():
    story = Story().orders(1).logs_in(20, p=0.95).is_silent_until(22.9, 0.95)
    assert story.news == []
    assert story.is_silent_until(23, 0.95).news == ["opened critical"]


def test_no_event_ever_raises_a_level():
    story = Story().is_silent_until(20, 0.6).logs_in(21, p=0.99)
    assert story.news == ["opened watch"]
    assert Story().logs_in(21, p=0.99).orders(22, p=0.99).news == []


def test_an_order_ends_the_episode_even_if_the_risk_stays_high():
    story = Story().is_silent_until(20, 0.95).orders(21, p=0.93)
    assert story.news == ["opened critical", "recovered healthy"]
    assert story.transitions[-1].previous_level == Level.CRITICAL
    assert not story.episode.is_open


def test_an_order_from_before_the_silence_that_arrives_late_ends_the_episode_only_by_its_effect_on_the_risk():
    """In order of time it would have been there already when the episode opened."""
    story = Story().logs_in(9, p=0.3).is_silent_until(20, 0.95)
    late = Moment(8 * DAY_S, 0.9, Cause.MAIN_EVENT, 9 * DAY_S)
    assert step(POLICY, story.episode, late) == (story.episode, ())
    assert step(POLICY, story.episode, replace(late, probability=0.3))[1][0].type == TransitionType.RECOVERED
    given_up = story.is_given_up(200).episode
    assert step(POLICY, given_up, late) == (given_up, ())


def test_a_login_that_brings_the_risk_below_the_exit_of_watch_ends_the_episode():
    assert Story().is_silent_until(20, 0.7).logs_in(21, p=0.49).news == ["opened watch", "recovered healthy"]


def test_a_login_that_leaves_the_risk_between_exit_and_enter_changes_nothing():
    story = Story().is_silent_until(20, 0.6).logs_in(21, p=0.5)
    assert story.news == ["opened watch"]
    assert story.episode.level == Level.WATCH


def test_a_login_may_lower_the_level_quietly_and_the_way_back_up_is_no_news():
    story = Story().is_silent_until(20, 0.92).logs_in(21, p=0.6)
    assert story.episode.level == Level.WATCH
    story.is_silent_until(30, 0.8).is_silent_until(40, 0.95)
    assert story.episode.level == Level.CRITICAL
    assert story.news == ["opened critical"]


def test_after_a_quiet_fall_only_a_level_never_told_before_is_news():
    story = Story().is_silent_until(20, 0.8).logs_in(21, p=0.55).is_silent_until(30, 0.76)
    assert story.is_silent_until(40, 0.9).news == ["opened at_risk", "escalated critical"]


def test_silence_alone_never_recovers_anyone():
    story = Story().is_silent_until(20, 0.95).is_silent_until(21, 0.01)
    assert story.news == ["opened critical"]
    assert story.episode.level == Level.WATCH


def test_a_customer_gone_for_good_is_reported_once_and_then_left_in_peace():
    story = Story().orders(1).is_silent_until(60, 0.95).is_given_up(183).is_given_up(184)
    story.is_silent_until(300, 0.99).logs_in(301, p=0.2).is_silent_until(400, 0.99)
    assert story.news == ["opened critical", "expired churned"]


def test_a_lost_customer_who_orders_again_is_news_and_can_be_reported_anew():
    story = Story().is_silent_until(60, 0.95).is_given_up(183).orders(200).is_silent_until(260, 0.6)
    assert story.news == ["opened critical", "expired churned", "recovered healthy", "opened watch"]
    assert [transition.number for transition in story.transitions] == [1, 1, 1, 2]
    assert story.transitions[2].previous_level == Level.CHURNED


def test_a_customer_nobody_was_told_about_expires_and_returns_without_a_word():
    story = Story().orders(1).is_given_up(183)
    assert story.episode.expired
    assert story.orders(200).news == []
    assert not story.episode.expired


def test_a_finished_episode_does_not_make_a_later_quiet_expiry_news():
    story = Story().is_silent_until(60, 0.7).orders(61).is_given_up(250).orders(260)
    assert story.news == ["opened watch", "recovered healthy"]


def test_two_stretches_of_trouble_are_two_episodes_with_their_own_ids():
    story = Story().is_silent_until(60, 0.7).orders(61).is_silent_until(120, 0.7).orders(121)
    assert story.news == ["opened watch", "recovered healthy"] * 2
    assert [transition.number for transition in story.transitions] == [1, 1, 2, 2]
    assert len(set(ids(story, "c1"))) == 4


def test_a_transition_says_since_when_and_what_came_before():
    (opened,) = Story().orders(1).logs_in(9, p=0.3).is_silent_until(20, 0.7).transitions
    assert opened == Transition(
        type=TransitionType.OPENED,
        level=Level.WATCH,
        previous_level=Level.HEALTHY,
        at_s=20 * DAY_S,
        number=1,
        step=1,
        opened_at_s=20 * DAY_S,
        anchor_at_s=9 * DAY_S,
        cause=Cause.SILENCE,
    )


def test_the_episode_number_wraps_within_sixteen_bits_and_never_becomes_zero():
    story = Story()
    story.episode = Episode(number=MAX_NUMBER, step=STEP_RECOVERED)
    assert story.is_silent_until(20, 0.7).episode.number == 1


# The laws: they hold in every story, whatever happens and in whatever order.

PROBABILITIES = st.one_of(
    st.floats(0.0, 1.0),
    st.sampled_from([0.5, 0.6, 0.65, 0.75, 0.8, 0.9]),  # thresholds exactly
)
SILENCES_AND_EVENTS = [Cause.SILENCE, Cause.ACTIVITY, Cause.MAIN_EVENT, Cause.EXPIRY]
CUSTOMER_CAUSES = (Cause.SILENCE, Cause.ACTIVITY, Cause.MAIN_EVENT, Cause.EXPIRY)  # a command is said once or twice
LOOKS = st.lists(st.tuples(st.sampled_from(SILENCES_AND_EVENTS), PROBABILITIES, st.floats(0.0, 9.0)), max_size=40)


def ids(story: Story, customer_id: str) -> list[str]:
    return [alert_id(customer_id, t.number, t.anchor_at_s, t.step, t.type) for t in story.transitions]


def lived(looks) -> Story:
    story, day = Story(), 1.0
    for cause, p, gap_days in looks:
        day += gap_days
        match cause:
            case Cause.SILENCE:
                story.is_silent_until(day, p)
            case Cause.ACTIVITY:
                story.logs_in(day, p)
            case Cause.MAIN_EVENT:
                story.orders(day, p)
            case Cause.EXPIRY:
                story.is_given_up(day)
    return story


@given(LOOKS)
def test_an_episode_opens_first_rises_strictly_and_ends_at_most_twice(looks):
    """Expired, then recovered, is the only double end; after any end nothing of that episode rises again."""
    stories: dict[int, list[Transition]] = {}
    for transition in lived(looks).transitions:
        stories.setdefault(transition.number, []).append(transition)
    assert list(stories) == list(range(1, len(stories) + 1))
    for told in stories.values():
        kinds = [transition.type for transition in told]
        rising = [transition for transition in told if transition.step <= Level.CRITICAL]
        assert kinds[0] == TransitionType.OPENED
        assert set(kinds[1 : len(rising)]) <= {TransitionType.ESCALATED}
        assert kinds[len(rising) :] in ([], ["recovered"], ["expired"], ["expired", "recovered"])
        assert all(a.level < b.level for a, b in itertools.pairwise(rising))
        assert all(a.step < b.step for a, b in itertools.pairwise(told))
        assert len(told) <= 5


@given(LOOKS)
def test_a_new_episode_opens_only_after_the_last_one_has_ended(looks):
    open_number = None
    for transition in lived(looks).transitions:
        if transition.type == TransitionType.OPENED:
            assert open_number is None
            open_number = transition.number
        elif transition.type == TransitionType.ESCALATED:
            assert transition.number == open_number
        else:
            open_number = None


@given(LOOKS)
def test_every_alert_of_a_customer_has_its_own_id_and_a_replay_gives_the_same_ids(looks):
    first, replay = lived(looks), lived(looks)
    assert len(set(ids(first, "c1"))) == len(first.transitions)
    assert ids(first, "c1") == ids(replay, "c1")
    assert not set(ids(first, "c1")) & set(ids(first, "c2"))


@given(LOOKS, st.sampled_from(CUSTOMER_CAUSES), PROBABILITIES, st.floats(0.0, 9.0))
def test_looking_twice_at_the_same_moment_changes_nothing_more(looks, cause, p, gap_days):
    story = lived(looks)
    moment = Moment(story.last_activity_at_s + int(gap_days * DAY_S), p, cause, story.last_activity_at_s)
    once, _ = step(POLICY, story.episode, moment)
    assert step(POLICY, once, moment) == (once, ())


@given(LOOKS)
def test_what_an_episode_remembers_never_contradicts_itself(looks):
    episode = lived(looks).episode
    assert episode.level <= Level.CRITICAL
    if episode.is_open:
        assert episode.level <= episode.step <= Level.CRITICAL
        assert not episode.expired
        assert episode.opened_at_s - episode.anchor_at_s >= POLICY.dwell_s
    else:
        assert episode.step in {0, STEP_EXPIRED, STEP_RECOVERED}
        assert episode.expired or episode.step != STEP_EXPIRED
    assert (episode.number == 0) == (episode.step == 0)
