"""Every interval, test and verdict in the product; intervals are 95% ones."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats as distributions
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

VERDICTS = ("evidence of a difference", "no evidence of a difference", "too few to say")
EVIDENCE, NO_EVIDENCE, TOO_FEW = VERDICTS

HIDDEN = "hidden"
TOO_FEW_TO_SHOW = "too few to show"
FEWEST_FOR_PERCENTAGES = 30


def show_level(n: int, minimum: int = 5) -> str:
    """Return what may be shown of a group of n: "hidden", "counts" or, from 30 on, "percentages".

    >>> [show_level(n) for n in (4, 5, 29, 30)]
    ['hidden', 'counts', 'counts', 'percentages']
    """
    if not n >= minimum:
        return "hidden"
    return "percentages" if n >= FEWEST_FOR_PERCENTAGES else "counts"


def _as_arrays(*numbers) -> tuple[np.ndarray, ...]:
    return np.broadcast_arrays(*(np.atleast_1d(np.asarray(x, dtype=float)) for x in numbers))


def share_interval(k, n) -> tuple[np.ndarray, np.ndarray]:
    """Return low and high of the share k of n, as arrays in 0..1; NaN where n is 0 or missing.

    Wilson's score interval (Wilson 1927, JASA 22), statsmodels' proportion_confint.

    >>> low, high = share_interval([8, 0], [10, 0])
    >>> low.round(4).tolist(), high.round(4).tolist()
    ([0.4902, nan], [0.9433, nan])
    """
    k, n = _as_arrays(k, n)
    return proportion_confint(k, np.where(n > 0, n, np.nan), method="wilson")


def _cluster_codes(clusters, size: int) -> np.ndarray:
    """Number the clusters 0, 1, ...; without clusters, and where one is missing, each value stands alone."""
    if clusters is None:
        return np.arange(size)
    codes = pd.factorize(np.asarray(clusters))[0]
    alone = codes < 0
    codes[alone] = codes.max(initial=-1) + 1 + np.arange(alone.sum())
    return codes


def _cluster_sums(values: np.ndarray, codes: np.ndarray, size: int) -> tuple[float, np.ndarray, int]:
    """Return the mean, what each cluster adds to its error (corrected by G / (G - 1)), and G.

    The sum of squares of these parts is the cluster-robust variance of the mean.
    """
    groups = np.count_nonzero(np.bincount(codes, minlength=size))
    mean = values.mean() if len(values) else np.nan
    parts = np.bincount(codes, weights=values - mean, minlength=size) / max(len(values), 1)
    return mean, parts * np.sqrt(groups / (groups - 1)) if groups > 1 else parts * np.nan, groups


def _known(values, clusters) -> tuple[np.ndarray, np.ndarray | None]:
    values = np.asarray(values, dtype=float)
    known = ~np.isnan(values)
    return values[known], None if clusters is None else np.asarray(clusters)[known]


def _no_spread(variance: float, mean: float) -> bool:
    # Equal answers leave a rounding error, not a variance; an interval of no width would claim certainty.
    return not variance > 1e-24 * (1 + mean**2)


def mean_interval(values, clusters=None) -> tuple[float, float, float]:
    """Return mean, low and high of values, robust to values of the same cluster being alike.

    Student's t of clusters - 1 degrees of freedom on the cluster-robust (sandwich) standard error, as
    statsmodels' OLS(...).fit(cov_type="cluster", use_t=True) gives it; with no cluster twice it is the
    plain t interval. Missing values are left out. low and high are NaN where the data hold no spread:
    under two clusters, or all values equal.

    >>> [round(x, 3) for x in mean_interval([1, 2, 3, 4, 5])]
    [3.0, 1.037, 4.963]
    """
    values, clusters = _known(values, clusters)
    codes = _cluster_codes(clusters, len(values))
    mean, parts, groups = _cluster_sums(values, codes, len(values))
    variance = np.sum(parts**2)
    if _no_spread(variance, mean):
        return float(mean), np.nan, np.nan
    half = distributions.t.ppf(0.975, groups - 1) * np.sqrt(variance)
    return float(mean), float(mean - half), float(mean + half)


def effective_counts(hits, clusters=None) -> tuple[float, float]:
    """Return k and n of independent answers that tell as much as these hits (true or false) of clusters do.

    n is the number of answers divided by the design effect (Korn and Graubard 1998, Survey Methodology 24),
    which is never taken as below 1; where all or none are hits, the number of clusters. With no cluster twice
    they are the plain counts.

    >>> effective_counts([1, 1, 0, 0], ["a", "b", "c", "d"])
    (2.0, 4.0)
    """
    hits, clusters = _known(hits, clusters)
    codes = _cluster_codes(clusters, len(hits))
    share, parts, groups = _cluster_sums(hits, codes, len(hits))
    variance = np.sum(parts**2)
    size = len(hits)
    if groups < size:
        size = groups if _no_spread(variance, share) else min(size, share * (1 - share) / variance)
    return float(share * size), float(size)


def cluster_share_interval(hits, clusters=None) -> tuple[float, float, float]:
    """Return share, low and high (0..1) of hits (true or false, one an answer) given by clusters.

    Wilson's interval at the effective sample size n / design effect (Korn and Graubard 1998, Survey
    Methodology 24); the effect is never taken as below 1. Where all or none are hits, n is the number of
    clusters. With no cluster twice it is share_interval.

    >>> [round(x, 4) for x in cluster_share_interval([1] * 8 + [0] * 2)]
    [0.8, 0.4902, 0.9433]
    """
    k, n = effective_counts(hits, clusters)
    low, high = share_interval(k, n)
    return k / n if n else np.nan, float(low[0]), float(high[0])


def compare_shares(k1, n1, k2, n2) -> pd.DataFrame:
    """Return difference (k1/n1 - k2/n2, in -1..1), low, high and p for two independent groups, a row a pair.

    Takes numbers or arrays; effective counts may be fractions (p rounds them). NaN where a group is empty.
    Interval: Newcombe's hybrid score, method 10 of Newcombe (1998, Statistics in Medicine 17:873), by
    statsmodels. p: twice the smaller mid-p tail of Fisher's exact test (Lancaster 1961, JASA 56); the
    chi-square's p is far too small for rare topics, which is where many comparisons look.

    >>> compare_shares(56, 70, 48, 80).round(4).values.tolist()
    [[0.2, 0.0524, 0.3339, 0.0084]]
    """
    k1, n1, k2, n2 = _as_arrays(k1, n1, k2, n2)
    usable = (n1 > 0) & (n2 > 0) & ~np.isnan(k1 + k2)
    k1, n1, k2, n2 = (np.where(usable, x, np.nan) for x in (k1, n1, k2, n2))
    low, high = confint_proportions_2indep(k1, n1, k2, n2, method="newcomb")
    k1, n1, k2, n2 = (np.where(usable, x, 1) for x in (k1, n1, k2, n2))
    hits, others, first, second = (np.rint(x).astype(np.int64) for x in (k1, k2, n1, n2))
    margins = first + second, hits + others, first
    exact = distributions.hypergeom
    tail = np.minimum(exact.sf(hits, *margins), exact.cdf(hits - 1, *margins))
    p = np.where(usable, np.minimum(1, 2 * tail + exact.pmf(hits, *margins)), np.nan)
    difference = np.where(usable, k1 / n1 - k2 / n2, np.nan)
    return pd.DataFrame({"difference": difference, "low": low, "high": high, "p": p})


def compare_means(values_a, values_b, clusters_a=None, clusters_b=None) -> tuple[float, float, float, float]:
    """Return difference (mean of a - mean of b), low, high and p, robust to clusters in and across groups.

    A cluster-robust standard error with Welch-Satterthwaite degrees of freedom counted in clusters. It is
    Welch's test where no cluster stands twice, and the paired t test where each cluster stands once in a and
    once in b. Missing values are left out; low, high and p are NaN where a group has under two clusters or
    there is no spread. Sources: Welch 1947, Biometrika 34; Cameron and Miller 2015, J. Human Resources 50.

    >>> [round(x, 4) for x in compare_means([1, 2, 3, 4], [3, 4, 5, 6, 7])]
    [-2.5, -4.7652, -0.2348, 0.0349]
    """
    values_a, clusters_a = _known(values_a, clusters_a)
    values_b, clusters_b = _known(values_b, clusters_b)
    both = None if clusters_a is None or clusters_b is None else np.concatenate([clusters_a, clusters_b])
    codes = _cluster_codes(both, len(values_a) + len(values_b))
    size = codes.max(initial=-1) + 1
    mean_a, parts_a, groups_a = _cluster_sums(values_a, codes[: len(values_a)], size)
    mean_b, parts_b, groups_b = _cluster_sums(values_b, codes[len(values_a) :], size)
    difference = float(mean_a - mean_b)
    variance = np.sum((parts_a - parts_b) ** 2)
    if _no_spread(variance, max(abs(mean_a), abs(mean_b))):
        return difference, np.nan, np.nan, np.nan
    spread_a, spread_b = np.sum(parts_a**2), np.sum(parts_b**2)
    freedom = (spread_a + spread_b) ** 2 / (spread_a**2 / (groups_a - 1) + spread_b**2 / (groups_b - 1))
    freedom = min(freedom, size - 1)
    error = np.sqrt(variance)
    half = distributions.t.ppf(0.975, freedom) * error
    p = 2 * distributions.t.sf(abs(difference) / error, freedom)
    return difference, float(difference - half), float(difference + half), float(p)


def bootstrap_interval(
    values, statistic: Callable, *, clusters=None, seed: int
) -> tuple[float, float, float]:
    """Return statistic(values), low and high by the bootstrap of whole clusters, 1,999 resamples.

    values: one row an answer, one or several columns; statistic takes such an array and returns a number.
    BCa (Efron 1987, JASA 82), by scipy; NaN limits where there are under two clusters or no spread. Rows are
    sorted first, so that their order does not matter.

    >>> import numpy as np
    >>> [round(x, 1) for x in bootstrap_interval(range(100), np.median, seed=1)]
    [49.5, 40.0, 59.0]
    """
    values = np.asarray(values)
    columns = values.reshape(len(values), -1).T
    labels = np.zeros(len(values)) if clusters is None else pd.factorize(np.asarray(clusters), sort=True)[0]
    order = np.lexsort((*columns, labels))
    values = values[order]
    codes = np.arange(len(values)) if clusters is None else labels[order]
    rows = np.split(np.arange(len(values)), np.flatnonzero(np.diff(codes)) + 1)
    value = float(statistic(values)) if len(values) else np.nan
    if len(rows) < 2:
        return value, np.nan, np.nan
    found = distributions.bootstrap(
        (np.arange(len(rows)),),
        lambda drawn: statistic(values[np.concatenate([rows[i] for i in drawn])]),
        vectorized=False,
        n_resamples=1999,
        method="BCa",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return value, float(found.low), float(found.high)


def adjust_p(p) -> np.ndarray:
    """Return p adjusted for the number of comparisons made together (Benjamini-Hochberg); NaN stays NaN.

    Source: Benjamini and Hochberg 1995, JRSS B 57, by statsmodels' multipletests.

    >>> adjust_p([0.01, 0.04, float("nan"), 0.03]).round(3).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    p = np.array(p, dtype=float)
    known = ~np.isnan(p)
    if known.any():
        p[known] = multipletests(p[known], method="fdr_bh")[1]
    return p


def give_verdict(
    low: float, high: float, *, smallest: float, p_adjusted: float | None = None, q: float = 0.05
) -> str:
    """Return one of VERDICTS for a difference whose interval is low..high.

    smallest: the smallest difference that matters, in the unit of low and high. Evidence needs an interval
    without zero and, where p_adjusted is given, p_adjusted <= q. Otherwise a half-width above smallest means
    too few to say. Without an interval (NaN) it is too few to say.

    >>> give_verdict(-1, 9, smallest=3), give_verdict(-1, 2, smallest=3), give_verdict(1, 9, smallest=3)
    ('too few to say', 'no evidence of a difference', 'evidence of a difference')
    """
    if np.isnan(low) or np.isnan(high):
        return TOO_FEW
    if (low > 0 or high < 0) and (p_adjusted is None or p_adjusted <= q):
        return EVIDENCE
    return TOO_FEW if (high - low) / 2 > smallest else NO_EVIDENCE


def judge_family(cells: pd.DataFrame, *, smallest, q: float = 0.05) -> pd.DataFrame:
    """Return comparisons made together with p_adjusted and verdict, and without what may not be shown.

    cells: one row a comparison, with low, high, p and show (from show_level, of the smaller side), and any
    of value, compared_value, difference, n, compared_n. Only rows with show "percentages" are compared; the
    others lose their numbers, and those with "hidden" also n, compared_n and feedback_ids. smallest: a
    number, or one a row. Adds p_adjusted and verdict, drops show.

    >>> cells = pd.DataFrame({"low": [1.0, 1.0], "high": [5.0, 5.0], "p": [0.01, 0.01], "n": [99, 3],
    ...                       "show": ["percentages", "hidden"]})
    >>> judge_family(cells, smallest=2)[["n", "p_adjusted", "verdict"]].values.tolist()
    [[99.0, 0.01, 'evidence of a difference'], [nan, nan, 'hidden']]
    """
    cells = cells.reset_index(drop=True)
    shown, hidden = cells["show"].eq("percentages"), cells["show"].eq("hidden")
    numbers = [c for c in ("value", "compared_value", "difference", "low", "high", "p") if c in cells]
    cells[numbers] = cells[numbers].astype(float).where(shown, axis=0)
    counts = [c for c in ("n", "compared_n") if c in cells]
    cells[counts] = cells[counts].astype(float).mask(hidden, axis=0)
    if "feedback_ids" in cells:
        cells["feedback_ids"] = cells["feedback_ids"].where(~hidden, hidden.map(lambda _: []))
    cells["p_adjusted"] = adjust_p(cells["p"])
    matters = np.broadcast_to(np.asarray(smallest, dtype=float), len(cells))
    judged = zip(cells["low"], cells["high"], matters, cells["p_adjusted"], cells["show"], strict=True)
    words = {"hidden": HIDDEN, "counts": TOO_FEW_TO_SHOW}
    cells["verdict"] = [
        words.get(show) or give_verdict(low, high, smallest=least, p_adjusted=p, q=q)
        for low, high, least, p, show in judged
    ]
    return cells.drop(columns="show")
