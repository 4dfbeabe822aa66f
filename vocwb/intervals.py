"""Estimates and differences with their 95% intervals: shares, means, NPS, and any statistic by bootstrap."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy import stats as distributions
from scipy.optimize import brentq
from scipy.optimize.elementwise import find_root
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from vocwb.errors import SchemaError

_Z = distributions.norm.ppf(0.975)
_RESAMPLES = 1999
_FAR = 1e3  # standard errors, beyond which a p is 0


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


def _freedom(codes: np.ndarray) -> float:
    """Return degrees of freedom of a cluster-robust variance: clusters - 1, fewer where their sizes differ (Kish)."""
    sizes = np.bincount(codes)
    return sizes.sum() ** 2 / np.sum(sizes**2) - 1


def _to_unit(values: np.ndarray, scale: tuple[float, float]) -> np.ndarray:
    low, high = scale
    outside = values[(values < low) | (values > high)]
    if len(outside):
        raise SchemaError(
            f"{len(outside)} answers lie outside the scale {low:g}-{high:g}, the first is {outside[0]:g}.",
            remedy="Give the lowest and the highest answer that can be given.",
        )
    return (values - low) / (high - low)


def _score_limits(mean: float, variance: float, size: float, t: float) -> tuple[float, float]:
    """Return Wilson's limits of a mean in 0..1 at the size at which a share would have its variance."""
    if not _no_spread(variance, mean):
        size = mean * (1 - mean) / variance
    centre = (mean + t**2 / (2 * size)) / (1 + t**2 / size)
    half = t / (1 + t**2 / size) * np.sqrt(mean * (1 - mean) / size + t**2 / (4 * size**2))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def mean_interval(values, clusters=None) -> tuple[float, float, float]:
    """Return mean, low and high of values, robust to values of the same cluster being alike.

    Student's t of clusters - 1 degrees of freedom on the cluster-robust (sandwich) standard error, as
    statsmodels' OLS(...).fit(cov_type="cluster", use_t=True) gives it; with no cluster twice it is the
    plain t interval. Missing values are left out. low and high are NaN where the data hold no spread:
    under two clusters, or all values equal. For answers on a scale, scale_interval holds better.

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


def scale_interval(values, scale: tuple[float, float], clusters=None) -> tuple[float, float, float]:
    """Return mean, low and high of answers on a scale from scale[0] to scale[1], the ends there can be.

    Wilson's score interval at the size at which a share would have the cluster-robust variance of the mean, with t for
    z (the effective size of Korn and Graubard 1998, Survey Methodology 24; degrees of freedom: Kish's number of
    clusters less 1). It keeps within the scale and holds where answers crowd at an end of it, as t does not; equal
    answers have the interval of a share of 0 or all. Missing values are left out; NaN under two clusters. An answer
    outside the scale raises SchemaError.

    >>> [round(x, 2) for x in scale_interval([5] * 19 + [1], (1, 5))]
    [4.8, 3.96, 4.97]
    """
    values, clusters = _known(values, clusters)
    values = _to_unit(values, scale)
    codes = _cluster_codes(clusters, len(values))
    mean, parts, groups = _cluster_sums(values, codes, len(values))
    low = high = np.nan
    if groups > 1:
        t = distributions.t.ppf(0.975, _freedom(codes))
        low, high = _score_limits(mean, np.sum(parts**2), groups, t)
    return tuple(float(scale[0] + (scale[1] - scale[0]) * x) for x in (mean, low, high))


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


def nps_interval(promoters, passives, detractors, *, method: str = "adjusted wald"):
    """Return the net promoter score (-100..100), low and high of counts: numbers, or arrays of them.

    method "adjusted wald": three answers are added, 3/4 of them promoters and 3/4 detractors, and the limits cut to
    -100..100; of the simple forms the one that covers best from small n on (Rocks 2016, The American Statistician 70).
    "score": the trinomial score interval, which is Tango's for a difference of paired shares (Tango 1998, Statistics
    in Medicine 17). Counts may be fractions (effective_size); without answers all three are NaN.

    >>> [round(x, 1) for x in nps_interval(20, 10, 10)]
    [25.0, -1.4, 47.9]
    """
    counts = np.broadcast_arrays(*(np.asarray(x, dtype=float) for x in (promoters, passives, detractors)))
    up, down, n = counts[0], counts[2], sum(counts)
    n = np.where(n > 0, n, np.nan)
    value = (up - down) / n
    if method == "adjusted wald":
        centre = (up - down) / (n + 3)
        half = _Z * np.sqrt(((up + down + 1.5) / (n + 3) - centre**2) / (n + 3))
        low, high = np.maximum(centre - half, -1), np.minimum(centre + half, 1)
    elif method == "score":
        low, high = (
            find_root(_score_distance, (np.minimum(value, end), np.maximum(value, end)), args=(up, down, n)).x
            for end in (-1.0, 1.0)
        )
        low, high = np.where(value == -1, -1, low), np.where(value == 1, 1, high)
    else:
        raise SchemaError(f"There is no interval {method!r} of NPS.", "Methods: 'adjusted wald', 'score'.")
    return tuple(x.item() if x.ndim == 0 else x for x in (100 * value, 100 * low, 100 * high))


def _score_distance(score, up, down, n):
    """Return how far beyond 1.96 standard errors a true net score lies, squared; 0 at the score limits."""
    b = (2 * n - up + down) * score - up - down
    root = np.sqrt(np.maximum(b**2 + 8 * n * down * score * (1 - score), 0))
    detractors = (root - b) / (4 * n)  # the likeliest share of them, if that were the score
    return (up - down - n * score) ** 2 - _Z**2 * n * (2 * detractors + score * (1 - score))


def effective_size(values, clusters=None) -> float:
    """Return how many independent answers tell as much of the mean as these values of clusters do: n / design effect.

    The effect is never taken as below 1; where all values are equal the size is the number of clusters.

    >>> round(effective_size([0, 0, 1, 1, 0, 1, 1, 0], [*"aabbcdef"]), 2)
    4.44
    """
    values, clusters = _known(values, clusters)
    codes = _cluster_codes(clusters, len(values))
    mean, parts, groups = _cluster_sums(values, codes, len(values))
    variance = np.sum(parts**2)
    if groups == len(values) or _no_spread(variance, mean):
        return float(groups)
    return float(min(len(values), values.var() / variance))


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


def _pair_clusters(values_a, values_b, clusters_a, clusters_b) -> tuple[np.ndarray, np.ndarray, int]:
    """Number the clusters of both groups as one; return the numbers of a, those of b, and how many there are."""
    both = None if clusters_a is None or clusters_b is None else np.concatenate([clusters_a, clusters_b])
    codes = _cluster_codes(both, len(values_a) + len(values_b))
    return codes[: len(values_a)], codes[len(values_a) :], codes.max(initial=-1) + 1


def _pool_freedom(spread_a, spread_b, freedom_a, freedom_b, most) -> float:
    """Return Welch and Satterthwaite's degrees of freedom, never more than all the clusters have."""
    total = (spread_a + spread_b) ** 2
    return min(total / (spread_a**2 / freedom_a + spread_b**2 / freedom_b), most)


def compare_means(values_a, values_b, clusters_a=None, clusters_b=None) -> tuple[float, float, float, float]:
    """Return difference (mean of a - mean of b), low, high and p, robust to clusters in and across groups.

    A cluster-robust standard error with Welch-Satterthwaite degrees of freedom counted in clusters. It is
    Welch's test where no cluster stands twice, and the paired t test where each cluster stands once in a and
    once in b. Missing values are left out; low, high and p are NaN where a group has under two clusters or
    the data hold no spread. For answers on a scale, compare_on_scale holds better.

    >>> [round(x, 3) for x in compare_means([4, 5, 6, 7], [1, 2, 3, 4])]
    [3.0, 0.766, 5.234, 0.017]
    """
    values_a, clusters_a = _known(values_a, clusters_a)
    values_b, clusters_b = _known(values_b, clusters_b)
    codes_a, codes_b, size = _pair_clusters(values_a, values_b, clusters_a, clusters_b)
    mean_a, parts_a, groups_a = _cluster_sums(values_a, codes_a, size)
    mean_b, parts_b, groups_b = _cluster_sums(values_b, codes_b, size)
    difference = float(mean_a - mean_b)
    variance = np.sum((parts_a - parts_b) ** 2)
    if _no_spread(variance, max(abs(mean_a), abs(mean_b))):
        return difference, np.nan, np.nan, np.nan
    spreads = np.sum(parts_a**2), np.sum(parts_b**2)
    freedom = _pool_freedom(*spreads, groups_a - 1, groups_b - 1, size - 1)
    error = np.sqrt(variance)
    half = distributions.t.ppf(0.975, freedom) * error
    p = 2 * distributions.t.sf(abs(difference) / error, freedom)
    return difference, float(difference - half), float(difference + half), float(p)


def compare_on_scale(
    values_a, values_b, scale: tuple[float, float], clusters_a=None, clusters_b=None
) -> tuple[float, float, float, float]:
    """Return difference (mean of a - mean of b), low, high and p of answers on a scale: see scale_interval.

    The limits of the two means are put together by the square-and-add rule (Newcombe 1998; Zou and Donner 2008,
    Statistics in Medicine 27: MOVER), with the correlation of the means where clusters stand in both groups, and Welch
    and Satterthwaite's degrees of freedom; p is the level at which the limit reaches 0. Unlike compare_means it holds
    where the answers of a small group crowd at an end of the scale. NaN where a group has under two clusters.

    >>> [round(x, 3) for x in compare_on_scale([4, 5, 6, 7], [1, 2, 3, 4], (0, 10))]
    [3.0, 0.619, 4.902, 0.021]
    """
    values_a, clusters_a = _known(values_a, clusters_a)
    values_b, clusters_b = _known(values_b, clusters_b)
    codes_a, codes_b, size = _pair_clusters(values_a, values_b, clusters_a, clusters_b)
    mean_a, parts_a, groups_a = _cluster_sums(_to_unit(values_a, scale), codes_a, size)
    mean_b, parts_b, groups_b = _cluster_sums(_to_unit(values_b, scale), codes_b, size)
    width, difference = scale[1] - scale[0], mean_a - mean_b
    if min(groups_a, groups_b) < 2:
        return float(width * difference), np.nan, np.nan, np.nan
    spread_a, spread_b = np.sum(parts_a**2), np.sum(parts_b**2)
    if _no_spread(spread_a + spread_b, 1):
        freedom = min(groups_a, groups_b) - 1
    else:
        freedom = _pool_freedom(spread_a, spread_b, _freedom(codes_a), _freedom(codes_b), size - 1)
    alike = parts_a @ parts_b / np.sqrt(max(spread_a * spread_b, 1e-300))

    def reach(t: float) -> tuple[float, float]:
        low_a, high_a = _score_limits(mean_a, spread_a, groups_a, t)
        low_b, high_b = _score_limits(mean_b, spread_b, groups_b, t)
        sides = (mean_a - low_a, high_b - mean_b), (high_a - mean_a, mean_b - low_b)
        below, above = (np.sqrt(max(x**2 + y**2 - 2 * alike * x * y, 0)) for x, y in sides)
        return difference - below, difference + above

    low, high = reach(distributions.t.ppf(0.975, freedom))
    side = int(difference < 0)  # the limit that 0 lies beyond
    far = _FAR if reach(_FAR)[side] * difference > 0 else brentq(lambda t: reach(t)[side], 0, _FAR)
    p = 2 * distributions.t.sf(far, freedom)
    return float(width * difference), float(width * low), float(width * high), float(p)


def bootstrap_interval(
    values, statistic: Callable, *, clusters=None, seed: int
) -> tuple[float, float, float]:
    """Return statistic(values), low and high by the bootstrap of whole clusters, 1,999 resamples.

    values: one row an answer, one or several columns; statistic takes such an array and returns a number.
    BCa (Efron 1987, JASA 82), by scipy, at the level that makes up for the bootstrap's narrowness in small samples
    (Hesterberg 2015, The American Statistician 69: t in place of z, times the root of G / (G - 1)); NaN limits where
    there are under two clusters or no spread. Rows are sorted first, so that their order does not matter.

    >>> import numpy as np
    >>> [round(x, 1) for x in bootstrap_interval(range(100), np.median, seed=1)]
    [49.5, 40.0, 59.5]
    """
    values = np.asarray(values)
    columns = values.reshape(len(values), -1).T
    labels = np.zeros(len(values)) if clusters is None else pd.factorize(np.asarray(clusters), sort=True)[0]
    order = np.lexsort((*columns, labels))
    values = values[order]
    codes = np.arange(len(values)) if clusters is None else labels[order]
    starts = np.flatnonzero(np.diff(codes, prepend=-2))
    sizes = np.diff(starts, append=len(values))
    value = float(statistic(values)) if len(values) else np.nan
    if len(starts) < 2:
        return value, np.nan, np.nan

    def measure(drawn: np.ndarray) -> float:
        if clusters is None:
            return statistic(values[drawn])
        # The rows of a cluster stand together: its first row, and so many after it.
        ends = np.cumsum(sizes[drawn])
        rows = np.repeat(starts[drawn] - ends + sizes[drawn], sizes[drawn]) + np.arange(ends[-1])
        return statistic(values[rows])

    wide = np.sqrt(len(starts) / (len(starts) - 1)) * distributions.t.ppf(0.975, len(starts) - 1)
    found = distributions.bootstrap(
        (np.arange(len(starts)),), measure, vectorized=False, n_resamples=_RESAMPLES, batch=100, method="BCa",
        confidence_level=1 - 2 * distributions.norm.sf(wide), rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return value, float(found.low), float(found.high)
