"""The duel: by chance it promotes seldom, on merit it promotes, and watching it all the time changes nothing."""

import itertools
import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.metrics import CLIP
from models.promotion import ALPHA, LOSS_MAX, STAKES, Duel
from models.target import DAY_S

probabilities = st.floats(0.001, 0.999)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def losses(churned, p):
    return -np.log(np.where(churned, p, 1 - p))


def fight(duel, champion, challenger, first_day=0):
    """Feed losses of shape (days, labels) until somebody wins."""
    for day, (ours, theirs) in enumerate(zip(champion.tolist(), challenger.tolist(), strict=True), start=first_day):
        for one, other in zip(ours, theirs, strict=True):
            if verdict := duel.update(one, other, day * DAY_S):
                return verdict
    return None


def promotions(duels, days, labels, play):
    """Share of duels that promote; `play` gives outcomes and both predictions, shape (days, labels)."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(duels):
        churned, champion, challenger = play(rng, (days, labels))
        verdict = fight(Duel(), losses(churned, champion), losses(churned, challenger))
        found.append(bool(verdict) and verdict.winner == "challenger")
    return float(np.mean(found))


class TestNullIsKept:
    """A challenger that is not better is promoted with probability alpha at most, however often one looks."""

    def test_when_each_day_is_a_fair_coin(self):
        """Nothing swings more than one label a day on which the two say the opposite."""

        def coins(rng, shape):
            return rng.random(shape) < 0.5, np.full(shape, 0.4), np.full(shape, 0.6)

        share = promotions(600, 150, 1, coins)
        assert 0.0 < share <= ALPHA

    def test_when_both_are_the_truth_and_noise(self):
        def twins(rng, shape):
            z = rng.normal(1.0, 1.2, shape)
            noisy = [sigmoid(z + rng.normal(0, 0.5, shape)) for _ in range(2)]
            return rng.random(shape) < sigmoid(z), *noisy

        assert promotions(100, 60, 5, twins) <= ALPHA

    def test_when_the_champion_is_the_truth(self):
        def worse(rng, shape):
            z = rng.normal(1.0, 1.2, shape)
            return rng.random(shape) < sigmoid(z), sigmoid(z), sigmoid(z + 0.3)

        assert promotions(100, 60, 5, worse) <= ALPHA

    def test_when_the_labels_of_a_day_share_one_fate_which_is_why_a_day_is_one_block(self):
        """Five labels that are one in truth: counted singly, they would promote by chance several times too often."""

        def herd(rng, shape):
            fate = np.broadcast_to(rng.random((shape[0], 1)) < 0.5, shape)
            return fate, np.full(shape, 0.45), np.full(shape, 0.55)

        def singly(rng, shape):
            churned, *said = herd(rng, (shape[0] // 5, 5))
            return tuple(values.reshape(-1, 1) for values in (churned, *said))

        assert promotions(300, 100, 5, herd) <= ALPHA
        assert promotions(300, 500, 1, singly) > 2 * ALPHA

    @given(probabilities, probabilities, st.integers(1, 3))
    def test_when_the_champion_is_the_truth_the_bet_is_not_worth_taking(self, p, q, labels):
        """The law behind all of them, exact: over the two outcomes of a day, the capital does not grow on average."""
        expected = 0.0
        for churned, chance in ((True, p), (False, 1 - p)):
            duel = Duel(alpha=1e-9)
            for at_s in (*range(labels), DAY_S):
                duel.update(*[-math.log(said if churned else 1 - said) for said in (p, q)], at_s)
            expected += chance * duel.e_values["challenger"]
        assert expected <= 1.0 + 1e-9


class TestMeritIsFound:
    @pytest.mark.parametrize("flaw", ["too low", "noisy"])
    def test_a_better_challenger_is_promoted_within_ninety_days(self, flaw):
        """The champion loses 0.03 nats: its log-odds are 0.6 too low, or have noise of 0.6 in them; 50 labels a day."""
        rng, days = np.random.default_rng(5), []
        for _ in range(10):
            z = rng.normal(1.0, 1.2, (200, 50))
            churned = rng.random(z.shape) < sigmoid(z)
            champion = sigmoid(z - 0.6 if flaw == "too low" else z + rng.normal(0, 0.6, z.shape))
            verdict = fight(Duel(), losses(churned, champion), losses(churned, sigmoid(z)))
            assert verdict.winner == "challenger"
            assert verdict.difference > 0.01
            days.append(verdict.blocks)
        assert max(days) <= 90

    def test_a_worse_one_is_told_so_as_quickly(self):
        rng = np.random.default_rng(5)
        z = rng.normal(1.0, 1.2, (200, 50))
        churned = rng.random(z.shape) < sigmoid(z)
        truth, biased = losses(churned, sigmoid(z)), losses(churned, sigmoid(z - 0.6))
        lost, won = fight(Duel(), truth, biased), fight(Duel(), biased, truth)
        assert (lost.winner, won.winner) == ("champion", "challenger")
        assert (lost.blocks, lost.e_value, lost.difference) == (won.blocks, won.e_value, -won.difference)

    def test_a_long_draw_does_not_tire_the_bold(self):
        """A year of two equals, then a season that only the challenger understands."""
        rng, duel = np.random.default_rng(8), Duel()
        churned = rng.random((365, 20)) < 0.7
        one, other = (losses(churned, sigmoid(0.85 + rng.normal(0, 0.3, churned.shape))) for _ in range(2))
        assert fight(duel, one, other) is None
        churned = rng.random((150, 20)) < 0.85
        said = [losses(churned, np.full(churned.shape, p)) for p in (0.7, 0.85)]
        verdict = fight(duel, *said, first_day=365)
        assert verdict.winner == "challenger"
        assert verdict.blocks < 365 + 100


class TestBlocks:
    @given(st.lists(st.tuples(probabilities, probabilities, st.booleans()), min_size=2, max_size=8), st.integers(2, 5))
    def test_a_day_with_more_labels_of_the_same_counts_no_more(self, days, copies):
        once, often = Duel(alpha=1e-9), Duel(alpha=1e-9)
        for day, (p, q, churned) in enumerate(days):
            pair = [-math.log(said if churned else 1 - said) for said in (p, q)]
            once.update(*pair, day * DAY_S)
            for label in range(copies):
                often.update(*pair, day * DAY_S + label)
        assert often.e_values == pytest.approx(once.e_values, rel=1e-9)

    def test_a_label_of_a_partition_that_lags_counts_in_the_open_block(self):
        ordered, lagging = Duel(), Duel()
        for duel, times in ((ordered, [5, 5, 5, 6]), (lagging, [5, 4, 3, 6])):
            for day, loss in zip(times, [0.2, 0.9, 0.4, 0.1], strict=True):
                duel.update(loss, 0.5, day * DAY_S)
        assert lagging.to_dict() == ordered.to_dict()
        assert lagging.to_dict()["blocks"] == 1

    def test_nothing_is_decided_before_a_block_is_complete(self):
        duel = Duel(alpha=0.5)
        for label in range(1_000):
            assert duel.update(6.9, 0.7, label) is None
        assert duel.e_values == {"challenger": 1.0, "champion": 1.0}
        assert duel.update(6.9, 0.7, DAY_S).blocks == 1

    @given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 50)), min_size=1, max_size=50))
    def test_no_loss_ruins_anybody(self, pairs):
        """Losses need not even belong together: a prediction may have been certain and wrong."""
        duel = Duel(alpha=1e-300)
        for day, pair in enumerate(pairs):
            duel.update(*pair, day * DAY_S)
        assert all(0.0 < value < math.inf for value in duel.e_values.values())

    def test_twins_that_differ_by_rounding_never_decide(self):
        duel, rng = Duel(), np.random.default_rng(1)
        for day, loss in enumerate(rng.exponential(0.5, 2_000).tolist()):
            assert duel.update(loss, loss * (1 + 1e-12), day * DAY_S) is None

    def test_losses_are_clipped_as_the_metrics_clip_them(self):
        assert pytest.approx(-math.log(CLIP)) == LOSS_MAX
        far, near = Duel(), Duel()
        far.update(1e6, 0.0, 0)
        near.update(LOSS_MAX, -math.log(1 - CLIP), 0)
        assert far.to_dict() == near.to_dict()


class TestVerdict:
    @pytest.fixture()
    def log(self):
        rng = np.random.default_rng(2)
        churned = rng.random((100, 3)) < 0.9
        return losses(churned, np.full(churned.shape, 0.5)), losses(churned, np.full(churned.shape, 0.9))

    def test_it_counts_what_was_seen_and_says_why_in_a_line(self, log):
        verdict = fight(Duel(), *log)
        seen = [values[: verdict.blocks] for values in log]
        assert verdict.labels == 3 * verdict.blocks
        assert verdict.difference == pytest.approx(float((seen[0] - seen[1]).mean()))
        assert verdict.e_value >= 1 / ALPHA
        assert verdict.at_s == verdict.blocks * DAY_S  # the end of the last block
        assert verdict.why == (
            f"challenger promoted: e-value {verdict.e_value:.1f} reached 20.0 after {verdict.labels} labels in "
            f"{verdict.blocks} blocks; the challenger's log loss was {verdict.difference:.4f} nats lower"
        )
        back = fight(Duel(), *log[::-1])
        assert back.why.startswith("champion stays: ")
        assert back.why.endswith(" nats higher")

    def test_the_next_duel_starts_anew_with_the_label_that_ended_this_one(self, log):
        duel, fresh = Duel(), Duel()
        verdict = fight(duel, *log)
        fresh.update(log[0][verdict.blocks, 0], log[1][verdict.blocks, 0], verdict.at_s)
        assert duel.to_dict() == fresh.to_dict()


class TestNumbers:
    @given(st.integers(0, 10_000), st.integers(0, 300))
    @settings(max_examples=30)
    def test_saved_and_read_again_it_goes_on_as_if_never_stopped(self, seed, cut):
        rng = np.random.default_rng(seed)
        pairs = [(*pair, i * 20_000) for i, pair in enumerate(rng.exponential([0.8, 0.4], (300, 2)).tolist())]
        whole, first = Duel(), Duel()
        expected = [whole.update(*pair) for pair in pairs]
        found = [first.update(*pair) for pair in pairs[:cut]]
        second = Duel.from_dict(json.loads(json.dumps(first.to_dict())))
        assert found + [second.update(*pair) for pair in pairs[cut:]] == expected
        assert second.to_dict() == whole.to_dict()

    @pytest.mark.parametrize(
        ("name", "bad"),
        [
            *itertools.product(["difference", "alpha"], [math.nan, math.inf, "0", None]),
            *itertools.product(["labels", "blocks", "block_s"], [-1, 0.5, None]),
            *itertools.product(
                ["challenger", "champion"],
                [[1.0], [1.0] * (len(STAKES) + 1), [math.nan] * len(STAKES), [-1.0] * len(STAKES), None],
            ),
            ("alpha", 0.0),
            ("alpha", 1.0),
            ("block_s", 0),
            ("open", []),
            ("open", {"number": 0, "labels": 0, "difference": 0.0, "challenger_risk": 1.0, "champion_risk": 1.0}),
            ("open", {"number": 0, "labels": 1, "difference": math.nan, "challenger_risk": 1.0, "champion_risk": 1.0}),
            ("open", {"number": 0, "labels": 1, "difference": 0.0, "challenger_risk": 0.0, "champion_risk": 1.0}),
        ],
    )
    def test_damaged_numbers_are_refused(self, name, bad):
        plain = Duel().to_dict()
        with pytest.raises(ValueError, match="Expected"):
            Duel.from_dict(plain | {name: bad})
        del plain[name]
        with pytest.raises(ValueError, match="missing"):
            Duel.from_dict(plain)

    @pytest.mark.parametrize("bad", [math.nan, math.inf, -1e-9])
    def test_a_loss_that_is_none_is_refused_and_leaves_no_trace(self, bad):
        duel = Duel()
        for pair in ((bad, 0.5), (0.5, bad)):
            with pytest.raises(ValueError, match="finite"):
                duel.update(*pair, 0)
        assert duel.to_dict() == Duel().to_dict()

    @pytest.mark.parametrize(("alpha", "block_s"), [(0.0, 1), (1.0, 1), (math.nan, 1), (0.05, 0)])
    def test_parameters_out_of_range_are_refused(self, alpha, block_s):
        with pytest.raises(ValueError, match="alpha"):
            Duel(alpha, block_s)
