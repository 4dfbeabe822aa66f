"""Intervals, tests and verdicts: against statsmodels, scipy, published examples and simulation."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from scipy import stats as scipy_stats
from scipy.optimize import minimize_scalar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from vocwb import stats
from vocwb.errors import SchemaError


@pytest.mark.parametrize(
    "k, n, low, high",
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_share_interval_is_wilsons_as_newcombe_printed_it(k, n, low, high):
    """Newcombe 1998, Statistics in Medicine 17:857, Table I, method 3."""
    found = stats.share_interval(k, n)
    assert found[0][0] == pytest.approx(low, abs=5e-5)
    assert found[1][0] == pytest.approx(high, abs=5e-5)


@pytest.mark.parametrize(
    "k1, n1, k2, n2, low, high",
    [
        (56, 70, 48, 80, 0.0524, 0.3339),
        (9, 10, 3, 10, 0.1705, 0.8090),
        (10, 10, 0, 20, 0.6791, 1.0000),
        (10, 10, 0, 10, 0.6075, 1.0000),
    ],
)
def test_compare_shares_is_newcombes_method_10_as_he_printed_it(k1, n1, k2, n2, low, high):
    """Newcombe 1998, Statistics in Medicine 17:873, Table II, method 10."""
    found = stats.compare_shares(k1, n1, k2, n2).iloc[0]
    assert found["difference"] == pytest.approx(k1 / n1 - k2 / n2)
    assert (found["low"], found["high"]) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_compare_shares_of_many_cells_is_that_of_each_cell():
    rng = np.random.default_rng(0)
    n1, n2 = rng.integers(5, 400, 50), rng.integers(5, 400, 50)
    k1, k2 = rng.binomial(n1, 0.1), rng.binomial(n2, 0.2)
    found = stats.compare_shares(k1, n1, k2, n2)
    for i in range(50):
        low, high = confint_proportions_2indep(
            int(k1[i]), int(n1[i]), int(k2[i]), int(n2[i]), method="newcomb"
        )
        table = [[k1[i], n1[i] - k1[i]], [k2[i], n2[i] - k2[i]]]
        less, greater = (scipy_stats.fisher_exact(table, side).pvalue for side in ("less", "greater"))
        at = less + greater - 1
        mid_p = min(1, 2 * min(less - at / 2, greater - at / 2))
        assert found.iloc[i][["low", "high", "p"]].tolist() == pytest.approx([low, high, mid_p], abs=1e-8)


def test_swapping_the_sides_only_turns_the_sign():
    there, back = stats.compare_shares(3, 40, 9, 50).iloc[0], stats.compare_shares(9, 50, 3, 40).iloc[0]
    assert back.tolist() == pytest.approx([-there["difference"], -there["high"], -there["low"], there["p"]])


def test_an_empty_side_gives_no_number_and_too_few_to_say():
    found = stats.compare_shares([0, 5], [0, 10], [3, np.nan], [9, 10])
    assert found.isna().all(axis=None)
    assert stats.give_verdict(*found.loc[0, ["low", "high"]], smallest=5) == stats.TOO_FEW
    assert np.isnan(stats.share_interval(0, 0)).all()
    for answer in (stats.mean_interval([]), stats.mean_interval([np.nan]), stats.cluster_share_interval([])):
        assert np.isnan(answer).all()
    assert np.isnan(stats.compare_means([], [1, 2, 3])).all()
    assert np.isnan(stats.compare_means([4], [1, 2, 3])[1:]).all()


def test_equal_answers_claim_no_certainty():
    assert stats.mean_interval([0.1] * 40)[0] == pytest.approx(0.1)
    assert np.isnan(stats.mean_interval([0.1] * 40)[1:]).all()
    assert stats.compare_means([5] * 40, [4] * 40)[0] == 1
    assert np.isnan(stats.compare_means([5] * 40, [4] * 40)[1:]).all()


def _panel(seed: int, size: int = 300, people: int = 60):
    rng = np.random.default_rng(seed)
    clusters = rng.integers(0, people, size)
    return rng.normal(size=people)[clusters] + rng.normal(size=size), clusters


def test_mean_interval_is_the_cluster_robust_one_of_statsmodels():
    values, clusters = _panel(1)
    fitted = sm.OLS(values, np.ones(len(values))).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
    )
    assert stats.mean_interval(values, clusters) == pytest.approx(
        (values.mean(), *fitted.conf_int()[0]), abs=1e-9
    )


def test_mean_interval_without_repeats_is_the_plain_t_interval():
    values = np.random.default_rng(2).normal(size=40)
    expected = scipy_stats.ttest_1samp(values, 0).confidence_interval()
    assert stats.mean_interval(values, np.arange(40))[1:] == pytest.approx(expected)
    assert stats.mean_interval([*values, np.nan])[1:] == pytest.approx(expected)


def test_compare_means_is_welch_without_repeats():
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 1, 35), rng.normal(0.5, 3, 80)
    expected = scipy_stats.ttest_ind(a, b, equal_var=False)
    found = stats.compare_means(a, b)
    assert found == pytest.approx((a.mean() - b.mean(), *expected.confidence_interval(), expected.pvalue))
    assert stats.compare_means(a, b, np.arange(35), np.arange(35, 115)) == pytest.approx(found)


def test_compare_means_is_the_paired_t_test_when_each_person_answers_twice():
    rng = np.random.default_rng(4)
    a = rng.normal(size=50)
    b = a + rng.normal(0.2, 0.3, 50)
    expected = scipy_stats.ttest_rel(a, b)
    found = stats.compare_means(a, b, np.arange(50), np.arange(50))
    assert found[1:] == pytest.approx((*expected.confidence_interval(), expected.pvalue))


def test_compare_means_with_repeats_agrees_with_the_sandwich_of_statsmodels():
    """Regression on the group, clusters in both groups; the small-sample factors differ by about 1 / G."""
    values, clusters = _panel(5, size=4000, people=800)
    group = np.random.default_rng(6).random(4000) < 0.3
    fitted = sm.OLS(values, sm.add_constant(group.astype(float))).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
    )
    found = stats.compare_means(values[group], values[~group], clusters[group], clusters[~group])
    assert found[0] == pytest.approx(fitted.params[1])
    assert found[1:3] == pytest.approx(fitted.conf_int()[1], rel=0.01)


def test_a_missing_cluster_stands_alone():
    values = [1.0, 2.0, 4.0, 7.0]
    assert stats.mean_interval(values, pd.Series([None] * 4, dtype="str")) == pytest.approx(
        stats.mean_interval(values)
    )


def test_cluster_share_interval_is_wilsons_at_the_effective_size():
    hits = np.random.default_rng(7).random(100) < 0.3
    doubled = stats.cluster_share_interval(np.repeat(hits, 2), np.repeat(np.arange(100), 2))
    plain = stats.share_interval(hits.sum(), 100)
    # Everyone counted twice carries the information of 100 people, up to the factor G / (G - 1).
    assert doubled[1:] == pytest.approx((plain[0][0], plain[1][0]), abs=0.002)
    everyone = stats.cluster_share_interval([1] * 40, np.repeat(np.arange(20), 2))
    assert everyone == pytest.approx((1, stats.share_interval(20, 20)[0][0], 1))


def _covered(found, truth: float) -> float:
    return np.mean([low <= truth <= high for *_, low, high in found])


@pytest.mark.parametrize("n", [20, 300])
def test_mean_intervals_cover_with_and_without_clusters(n):
    rng = np.random.default_rng(n)
    plain = [stats.mean_interval(rng.choice([1, 2, 3, 4, 5], n)) for _ in range(1000)]
    assert 0.93 < _covered(plain, 3) < 0.97
    people = np.repeat(np.arange(n), 3)
    clustered = [stats.mean_interval(np.repeat(rng.normal(size=n), 3), people) for _ in range(1000)]
    assert 0.93 < _covered(clustered, 0) < 0.97


def test_difference_intervals_cover_with_a_small_and_a_large_side():
    rng = np.random.default_rng(8)
    people = [np.repeat(np.arange(15), 2), 15 + np.repeat(np.arange(200), 2)]
    found = []
    for _ in range(1000):
        a, b = (rng.normal(size=len(p) // 2)[p - p.min()] + rng.normal(size=len(p)) for p in people)
        found.append(stats.compare_means(a, b, *people)[:3])
    assert 0.93 < _covered(found, 0) < 0.97
    shares = [stats.compare_shares(k, 60, m, 600) for k, m in rng.binomial([60, 600], [0.2, 0.1], (1000, 2))]
    assert 0.93 < _covered([row.iloc[0][["difference", "low", "high"]] for row in shares], 0.1) < 0.98


def test_bootstrap_covers_resamples_people_and_forgets_row_order():
    rng = np.random.default_rng(9)
    found = [stats.bootstrap_interval(rng.exponential(size=50), np.mean, seed=1) for _ in range(60)]
    assert _covered(found, 1) > 0.85
    values, clusters = np.repeat(rng.normal(size=80), 4), np.repeat(np.arange(80), 4)
    low, high = stats.bootstrap_interval(values, np.mean, clusters=clusters, seed=2)[1:]
    assert (low, high) == pytest.approx(stats.mean_interval(values, clusters)[1:], abs=0.05)
    order = rng.permutation(len(values))
    shuffled = stats.bootstrap_interval(values[order], np.mean, clusters=clusters[order], seed=2)
    assert shuffled == (pytest.approx(values.mean()), low, high)
    assert np.isnan(stats.bootstrap_interval([1.0], np.mean, seed=1)[1:]).all()


def test_bootstrap_takes_several_columns():
    rng = np.random.default_rng(10)
    pairs = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 200)
    value, low, high = stats.bootstrap_interval(pairs, lambda rows: np.corrcoef(rows.T)[0, 1], seed=3)
    assert low < 0.6 < high and value == pytest.approx(np.corrcoef(pairs.T)[0, 1])


def test_nps_score_interval_is_tangos_as_printed():
    """Fagerland, Lydersen and Laake 2014, Statistics in Medicine 33:2850: airway responses, 1 and 7 of 21."""
    value, low, high = stats.nps_interval(1, 13, 7, method="score")
    assert value == pytest.approx(-100 * 6 / 21)
    assert (low, high) == (pytest.approx(-51.7, abs=0.05), pytest.approx(-2.6, abs=0.05))


@pytest.mark.parametrize("counts", [(30, 50, 20), (5, 3, 40), (200, 0, 100), (0, 12, 8)])
def test_nps_score_limits_lie_196_standard_errors_away_at_the_likeliest_shares(counts):
    """The definition, with the likeliest trinomial under the limit found by a search."""
    up, _, down = counts
    n = sum(counts)
    for limit in stats.nps_interval(*counts, method="score")[1:]:
        score = limit / 100

        def unlikely(detractors, score=score):
            shares = np.array([detractors + score, 1 - 2 * detractors - score, detractors])
            return -np.sum(np.array(counts) * np.log(np.maximum(shares, 1e-300)))

        bounds = (max(0, -score), (1 - score) / 2)
        detractors = minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
        error = np.sqrt((2 * detractors + score - score**2) / n)
        assert abs((up - down) / n - score) / error == pytest.approx(1.959964, abs=1e-4)


def test_nps_adjusted_wald_is_walds_with_three_answers_added():
    """Rocks 2016: the mean of -1, 0 and 1, with three quarters of an answer more at either end, and 1.5 between."""
    value, low, high = stats.nps_interval([20, 40], [10, 0], [10, 0])
    answers = sm.stats.DescrStatsW([1, 0, -1], weights=[20.75, 11.5, 10.75])
    half = 1.959963984540054 * np.sqrt(answers.var / 43)
    assert value.tolist() == [25, 100]
    assert (low[0], high[0]) == pytest.approx(
        (100 * (answers.mean - half), 100 * (answers.mean + half)), abs=1e-8
    )
    assert high[1] == 100 and 80 < low[1] < 95
    assert np.isnan(stats.nps_interval(0, 0, 0)).all()
    with pytest.raises(SchemaError, match="adjusted wald"):
        stats.nps_interval(1, 1, 1, method="wald")


def test_scale_interval_of_two_answers_is_wilsons_with_t():
    """Of 0 and 1 the variance is that of a share of n - 1, so Wilson's interval by statsmodels is the reference."""
    hits = np.arange(40) < 9
    level = 2 * scipy_stats.norm.sf(scipy_stats.t.ppf(0.975, 39))
    expected = proportion_confint(39 * 9 / 40, 39, alpha=level, method="wilson")
    assert stats.scale_interval(hits, (0, 1))[1:] == pytest.approx(expected, abs=1e-8)
    moved = stats.scale_interval(1 + 4 * hits, (1, 5))
    assert moved == pytest.approx([1 + 4 * x for x in (9 / 40, *expected)], abs=1e-8)


def test_scale_interval_keeps_within_the_scale_and_has_one_where_all_agree():
    mean, low, high = stats.scale_interval([5] * 40, (1, 5))
    assert mean == high == 5 and 4.5 < low < 5
    assert stats.scale_interval([1] * 39 + [2], (1, 5))[1] >= 1
    assert np.isnan(stats.scale_interval([3], (1, 5))[1:]).all()
    assert np.isnan(stats.scale_interval([], (1, 5))).all()
    with pytest.raises(SchemaError, match="outside the scale 1-5"):
        stats.scale_interval([1, 6], (1, 5))


def test_scale_interval_takes_a_person_who_answers_twice_alike_as_one():
    answers = np.random.default_rng(13).integers(0, 11, 60)
    twice, people = np.repeat(answers, 2), np.repeat(np.arange(60), 2)
    assert stats.scale_interval(twice, (0, 10), people) == pytest.approx(
        stats.scale_interval(answers, (0, 10))
    )
    assert stats.effective_size(twice, people) == pytest.approx(59)
    assert stats.effective_size(answers) == 60


SKEWED = [0.02, 0.03, 0.02, 0.08, 0.85]
"""How often 1 to 5 are answered, where most give the best answer."""


@pytest.mark.parametrize("n", [20, 200])
def test_scale_intervals_cover_where_answers_crowd_at_an_end(n):
    """The t interval holds the mean in 8 to 9 of 10 such samples of 20."""
    rng = np.random.default_rng(n)
    found = [stats.scale_interval(rng.choice(5, n, p=SKEWED) + 1, (1, 5)) for _ in range(1000)]
    assert 0.93 < _covered(found, np.dot(SKEWED, [1, 2, 3, 4, 5])) < 0.985


def test_compare_on_scale_is_right_in_the_tail_where_welch_is_not():
    """30 against 600, the answers skewed: Welch's p is below 0.01 in some 5% of samples without a difference."""
    rng = np.random.default_rng(14)
    p, welch = [], []
    for _ in range(600):
        sides = [rng.choice(5, n, p=SKEWED) + 1 for n in (30, 600)]
        p.append(stats.compare_on_scale(*sides, (1, 5))[3])
        welch.append(stats.compare_means(*sides)[3])
    assert np.mean(np.array(p) <= 0.01) < 0.03 < np.mean(np.array(welch) <= 0.01)


def test_compare_on_scale_says_the_same_by_interval_and_by_p():
    rng = np.random.default_rng(15)
    for _ in range(60):
        a, b = rng.integers(1, 6, rng.integers(5, 60)), rng.integers(1, 6, rng.integers(5, 60))
        difference, low, high, p = stats.compare_on_scale(a, b, (1, 5))
        assert difference == pytest.approx(a.mean() - b.mean())
        assert (low > 0 or high < 0) == (p < 0.05)
        assert stats.compare_on_scale(b, a, (1, 5)) == pytest.approx((-difference, -high, -low, p))


def test_compare_on_scale_agrees_with_newcombe_on_shares_and_with_t_in_the_middle():
    hits = [np.arange(400) < 60, np.arange(300) < 90]
    newcombe = stats.compare_shares(60, 400, 90, 300).iloc[0]
    found = stats.compare_on_scale(*hits, (0, 1))
    assert found[:3] == pytest.approx(newcombe[["difference", "low", "high"]].tolist(), abs=0.002)
    rng = np.random.default_rng(16)
    a, b = rng.integers(0, 11, 500), rng.integers(0, 11, 400)
    assert stats.compare_on_scale(a, b, (0, 10)) == pytest.approx(stats.compare_means(a, b), abs=0.01)


@pytest.mark.parametrize("sizes, hits", [((40, 60), (3, 21)), ((30, 600), (29, 400)), ((12, 15), (6, 1))])
def test_compare_on_scale_is_square_and_add_of_wilsons_limits(sizes, hits):
    """Newcombe 1998, from statsmodels' Wilson limits of n - 1 at Welch and Satterthwaite's t, in each limit."""
    shares = np.array(hits) / sizes
    spreads = shares * (1 - shares) / (np.array(sizes) - 1)
    freedom = spreads.sum() ** 2 / (spreads**2 / (np.array(sizes) - 1)).sum()
    level = 2 * scipy_stats.norm.sf(scipy_stats.t.ppf(0.975, freedom))
    (low_a, high_a), (low_b, high_b) = (
        proportion_confint(share * (n - 1), n - 1, alpha=level, method="wilson")
        for share, n in zip(shares, sizes, strict=True)
    )
    difference = shares[0] - shares[1]
    below = np.hypot(shares[0] - low_a, high_b - shares[1])
    above = np.hypot(high_a - shares[0], shares[1] - low_b)
    found = stats.compare_on_scale(*(np.arange(n) < k for n, k in zip(sizes, hits, strict=True)), (0, 1))
    assert found[:3] == pytest.approx((difference, difference - below, difference + above), abs=1e-8)


def test_compare_on_scale_knows_that_the_same_people_answered():
    rng = np.random.default_rng(17)
    before = rng.integers(2, 9, 80)
    after = np.clip(before + rng.integers(0, 2, 80), 0, 10)
    people = np.arange(80)
    _, low, high, p = stats.compare_on_scale(after, before, (0, 10), people, people)
    paired = scipy_stats.ttest_rel(after, before)
    assert (low, high) == pytest.approx(tuple(paired.confidence_interval()), abs=0.03) and p < 1e-6
    assert stats.compare_on_scale(after, before, (0, 10))[3] > p
    assert stats.compare_on_scale(before, before, (0, 10), people, people)[3] == pytest.approx(1)
    assert np.isnan(stats.compare_on_scale([4], [1, 2, 3], (0, 10))[1:]).all()


def test_compare_on_scale_has_an_interval_where_each_side_agrees():
    difference, low, high, p = stats.compare_on_scale([5] * 40, [4] * 40, (1, 5))
    assert difference == 1 and 0 < low < 1 < high and p < 0.05


def test_beta_binomial_likelihood_is_scipys():
    k, n = np.array([0, 3, 20]), np.array([5, 9, 20])
    a, b = 0.3 * (1 / 0.2 - 1), 0.7 * (1 / 0.2 - 1)
    constant = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
    expected = scipy_stats.betabinom.logpmf(k, n, a, b) - constant
    assert stats.beta_binomial_likelihood(k, n, 0.3, 0.2) == pytest.approx(expected, abs=1e-8)


def test_shrink_shares_finds_the_prior_that_many_groups_have():
    """With 400 groups the prior is known, and the estimate is that of the beta-binomial: (k + a) / (n + a + b)."""
    rng = np.random.default_rng(18)
    n = rng.integers(5, 60, (400, 1))
    k = rng.binomial(n, rng.beta(3, 17, (400, 1)))
    shrunk, low, high = stats.shrink_shares(k, n)
    assert shrunk == pytest.approx((k + 3) / (n + 20), abs=0.03)
    expected = scipy_stats.beta.ppf([[0.025], [0.975]], (k + 3).T, (n - k + 17).T)
    assert np.abs(low.T - expected[0]).mean() < 0.02 and np.abs(high.T - expected[1]).mean() < 0.02


def test_shrink_shares_draws_small_groups_more_and_covers():
    rng = np.random.default_rng(19)
    shrunk = stats.shrink_shares([[4], [400], [100], [120]], [[10], [1000], [1000], [1000]])[0].ravel()
    assert 0.4 - shrunk[0] > 5 * (0.4 - shrunk[1]) >= 0
    held = []
    for _ in range(100):
        truth, n = rng.beta(2, 18, (8, 5)), rng.integers(5, 100, (8, 1))
        _, low, high = stats.shrink_shares(rng.binomial(n, truth), n)
        held.append((low <= truth) & (truth <= high))
    assert 0.93 < np.mean(held) < 0.98
    none = stats.shrink_shares([[0], [0]], [[10], [0]])
    assert 0 < none[0][0, 0] < 0.1 and np.isnan(stats.shrink_shares([[0]], [[0]])).all()


def test_adjust_p_is_benjamini_hochbergs_own_example():
    """Benjamini and Hochberg 1995, section 3.1: 15 p values, of which four are rejected at 0.05."""
    small = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
    p = [*small, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]
    assert (stats.adjust_p(p) <= 0.05).sum() == 4
    assert stats.adjust_p([*p, np.nan])[:-1] == pytest.approx(multipletests(p, method="fdr_bh")[1])
    assert np.isnan(stats.adjust_p([np.nan])).all() and len(stats.adjust_p([])) == 0


@given(st.floats(-50, 50), st.floats(0, 50), st.floats(0.1, 20), st.floats(0, 1) | st.none())
def test_verdicts_follow_the_promise(centre, half, smallest, p):
    low, high = centre - half, centre + half
    verdict = stats.give_verdict(low, high, smallest=smallest, p_adjusted=p)
    if (low > 0 or high < 0) and (p is None or p <= 0.05):
        assert verdict == stats.EVIDENCE
    else:
        assert verdict == (stats.TOO_FEW if (high - low) / 2 > smallest else stats.NO_EVIDENCE)


def test_null_families_with_rare_topics_claim_nothing():
    """Rare topics are where a chi-square test claims too much: families that claim must stay near 5%."""
    rng = np.random.default_rng(11)
    families = 300
    sizes, shares = rng.integers(30, 300, 60), rng.uniform(0.001, 0.05, 60)
    claims = 0
    for _ in range(families):
        k1, k2 = rng.binomial(sizes, shares), rng.binomial(3000, shares)
        cells = stats.compare_shares(k1, sizes, k2, np.full(60, 3000)).assign(show="percentages")
        claims += stats.judge_family(cells, smallest=0.05)["verdict"].eq(stats.EVIDENCE).any()
    assert scipy_stats.binomtest(claims, families).proportion_ci(0.9).low <= 0.05


def test_planted_differences_are_found():
    rng = np.random.default_rng(12)
    shares = np.where(np.arange(600) < 20, 0.10, 0.05)
    k1, k2 = rng.binomial(700, shares), rng.binomial(6300, 0.05, 600)
    cells = stats.compare_shares(k1, np.full(600, 700), k2, np.full(600, 6300)).assign(show="percentages")
    found = stats.judge_family(cells, smallest=0.05)["verdict"].eq(stats.EVIDENCE)
    assert found[:20].sum() >= 16 and found[20:].sum() <= 3


def test_judge_family_hides_small_groups_and_leaves_them_out_of_the_family():
    cells = pd.DataFrame(
        {"value": 9.0, "difference": 3.0, "low": 1.0, "high": 5.0, "p": [0.03, 0.001, 0.001],
         "n": [50, 12, 3], "show": [stats.show_level(n) for n in (50, 12, 3)],
         "feedback_ids": [["a"], ["b"], ["c"]]}
    )  # fmt: skip
    found = stats.judge_family(cells, smallest=1)
    assert found["verdict"].tolist() == [stats.EVIDENCE, stats.TOO_FEW_TO_SHOW, stats.HIDDEN]
    assert found.loc[0, "p_adjusted"] == pytest.approx(0.03)
    assert found.loc[1:, ["value", "difference", "low", "high", "p", "p_adjusted"]].isna().all(axis=None)
    assert found["n"].tolist()[:2] == [50, 12] and np.isnan(found.loc[2, "n"])
    assert found["feedback_ids"].tolist() == [["a"], ["b"], []]
    assert "show" not in found and "show" in cells


def test_show_level_follows_the_programmes_minimum():
    assert stats.show_level(9, minimum=10) == "hidden"
    assert stats.show_level(np.nan) == "hidden"
