"""Champion and challenger learn the same labels; who is better beyond doubt is published."""

import numpy as np
import pytest

from models.contest import Contest, Options
from models.open_group import OpenGroup
from models.target import DAY_S
from models.trainer import Trainer
from tests.models.histories import TARGET
from tests.models.label_log import ALONE, LOG, on_day, taught, trainer


class Known:
    """A mixture that always says the same."""

    def __init__(self, log_odds):
        self.says, self.asked, self.learnt = log_odds, 0, 0

    def log_odds(self, x):
        assert self.asked == self.learnt, "asked after it had learnt the group"
        self.asked += 1
        return np.full(len(x), self.says)

    def learn_steps(self, group):
        assert group.x.size

    def learn_horizons(self, group):
        self.learnt += 1


class TestChampionAndChallenger:
    """Both learn everything; who predicts better beyond doubt is published."""

    @staticmethod
    def duel(champion, challenger, weeks=60):
        contest = Contest(TARGET, Options())
        contest.champion, contest.challenger = Known(champion), Known(challenger)
        for week in range(weeks):
            group = OpenGroup()
            for n in range(20):
                group.add(on_day(7 * week, n, churned=n % 4 > 0))
            verdict = contest.learn(None, group.arrays("horizon"))
            if verdict:
                return verdict, contest
        return None, contest

    def test_a_better_challenger_changes_places_with_the_champion(self):
        verdict, contest = self.duel(-1.0, 1.1)
        assert (verdict.winner, contest.champion.says, contest.challenger.says) == ("challenger", 1.1, -1.0)
        assert contest.e_values["challenger"] < 2.0, "the next duel begins anew"
        assert contest.champion.learnt == contest.challenger.learnt == verdict.blocks + 1

    def test_a_worse_one_stays_where_it_is(self):
        verdict, contest = self.duel(1.1, -1.0)
        assert (verdict.winner, contest.champion.says) == ("champion", 1.1)

    def test_its_blocks_are_weeks(self):
        """With days a level that wanders for weeks promotes falsely."""
        verdict, _ = self.duel(-1.0, 1.1)
        assert verdict.at_s % (7 * DAY_S) == 0
        assert verdict.blocks >= 5

    def test_equals_give_no_verdict(self):
        assert self.duel(0.5, 0.5)[0] is None

    def test_without_a_challenger_the_champion_learns_the_same(self):
        alone, both = trainer(options=ALONE), trainer(options=Options())
        taught(alone, LOG)
        taught(both, LOG)
        assert alone.champion.to_dict() == both.champion.to_dict()
        assert (alone.challenger, both.challenger.memory_days) == (None, 90.0)


class TestOtherOptions:
    """A setting that changed takes effect without throwing away what was learnt."""

    @pytest.mark.parametrize(("before", "after"), [(Options(), ALONE), (ALONE, Options()), (
        Options(), Options(memory_days=20.0, challenger_memory_days=60.0, experts=("process", "linear")),
    )])  # fmt: skip
    def test_go_on_with_what_was_learnt_and_a_new_duel(self, before, after):
        teacher = trainer(options=before)
        taught(teacher, LOG)
        again = Trainer.from_dict(teacher.to_dict(), TARGET, 1, after)
        assert (again.positions, again.champion.n_labels) == (teacher.positions, teacher.champion.n_labels)
        assert again.champion.memory_days == after.memory_days
        assert tuple(again.champion.experts) == after.experts
        assert again.e_values == {"challenger": 1.0, "champion": 1.0}
        if after.challenger_memory_days:
            assert again.challenger.n_labels == teacher.champion.n_labels
            assert again.challenger.memory_days == after.challenger_memory_days
        else:
            assert again.challenger is None

    def test_the_same_ones_keep_the_roles_after_a_promotion(self):
        teacher = trainer(options=Options())
        contest = teacher._contest
        contest.champion, contest.challenger = contest.challenger, contest.champion
        assert Trainer.from_dict(teacher.to_dict(), TARGET, 1, Options()).champion.memory_days == 90.0

    def test_an_expert_that_is_none_is_refused(self):
        with pytest.raises(ValueError, match="experts must be"):
            trainer(options=Options(experts=("oracle",)))
