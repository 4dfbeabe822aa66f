"""Early warning: which of many monthly series has just risen or fallen beyond a stated test.

The table of series is that of vocwb.changes: series, month, and k and n (a share) or value and error.
"""

import numpy as np
import pandas as pd
from scipy import special
from scipy import stats as distributions

from vocwb.changes import A_YEAR, check_series, number_months
from vocwb.errors import SchemaError
from vocwb.stats import TOO_FEW, adjust_p, beta_binomial_likelihood

ALARM_VERDICTS = ("rises", "falls", "no alarm", TOO_FEW)

FEWEST_BEHIND = 12
"""Under so many months behind there is no early warning."""
DIRECTIONS = ("rise", "fall", "either")

_Q = 0.05
_SPLIT = {1: 0.25, 2: 0.75}  # months looked at together: their part of the level
_PRIOR_SERIES, _PRIOR_SCALE = 10.0, 2.0  # as many series, half of which vary less than twice as sampling does
_ROUNDS = 60
_LIKE = 0.01  # p against the same calendar months of earlier years, above which it may be the season
_STEPS = np.linspace(-4, 4, 15)  # standard errors of the share
_WIDEST, _BURSTS = 0.9, 3.0  # most that answers of a month may correlate, and its share vary, in its mean


def warn_early(table: pd.DataFrame, *, month: str, behind: int = 24, direction="either") -> pd.DataFrame:
    """Return for each series whether `month` stands out from the months behind it.

    direction: which way is looked at, of DIRECTIONS: one for all, or a mapping by series. Needed are FEWEST_BEHIND
    known months among the `behind` before; the test is calibrated for 24.

    The test. The months behind (but the last, so that a shift that began then does not hide itself) say what the
    level is and how much months vary beyond sampling; that variation is shrunk towards what all the series of the
    table have (empirical Bayes; for variances: Smyth 2004, Stat. Appl. Genet. Mol. Biol. 3). p is the posterior
    predictive probability of a month, or of this and the last month together, being so far out: beta-binomial for a
    share, normal for a value. Both looks count, at 25% and 75% of the level. Where months of the same name
    stand behind, what may differ from them by chance (one-sided p > 0.01) is no alarm: it may be the season.
    p_adjusted over all series of the table (Holm 1979); alarm: p_adjusted <= 0.05, so that a month in which nothing
    changed raises any alarm with a probability of at most 5%. benchmarks/truth.py simulates how often it does, and how
    often a lasting shift is found by its second month. A trend or months that hang together are no part of the
    model, and raise more alarms.

    Gives series, month, value (% of a share), expected with low and high (95% of months as before lie there), months
    (how many are behind), p, p_adjusted, alarm and verdict: "rises", "falls", "no alarm" or "too few to say".

    >>> months = pd.period_range("2024-01", periods=25, freq="M").astype(str)
    >>> k = [9, 12, 8, 11, 10, 9, 11, 10, 9, 10, 12, 8] * 2 + [31]
    >>> found = warn_early(pd.DataFrame({"series": "late", "month": months, "k": k, "n": 100}), month="2026-01")
    >>> found[["value", "expected", "verdict"]].round(1).values.tolist()
    [[31.0, 10.0, 'rises']]
    """
    check_series(table)
    parts = []
    shares = table["k"].notna() if "k" in table else pd.Series(False, table.index)
    for counted, rows in ((True, table[shares]), (False, table[~shares])):
        if len(rows):
            names, columns = _lay_out(rows, month, behind, counted)
            parts.append(_judge_kind(names, columns, counted))
    found = (
        pd.concat(parts, ignore_index=True) if parts else _judge_kind([], np.zeros((2, 0, behind + 2)), False)
    )
    ways = (
        found["series"].map(direction) if isinstance(direction, dict) else pd.Series(direction, found.index)
    )
    if not ways.isin(DIRECTIONS).all():
        raise SchemaError(
            f"There is no direction {ways[~ways.isin(DIRECTIONS)].iloc[0]!r}.",
            f"Directions: {', '.join(DIRECTIONS)}.",
        )
    found["p"] = np.select(
        [ways == "rise", ways == "fall"],
        [found["up"], found["down"]],
        2 * found[["up", "down"]].min(axis=1, skipna=False),
    ).clip(None, 1)
    known = found["p"].notna()
    found["p_adjusted"] = adjust_p(found["p"], method="holm")
    found["alarm"] = found["p_adjusted"] <= _Q
    words = np.where(found["up"] < found["down"], *ALARM_VERDICTS[:2])
    found["verdict"] = np.select([~known, found["alarm"]], [TOO_FEW, words], ALARM_VERDICTS[2])
    found = found.assign(month=month).sort_values("series", ignore_index=True)
    return found[
        [
            "series",
            "month",
            "value",
            "expected",
            "low",
            "high",
            "months",
            "p",
            "p_adjusted",
            "alarm",
            "verdict",
        ]
    ]


def _lay_out(rows: pd.DataFrame, month: str, behind: int, counted: bool) -> tuple[list[str], np.ndarray]:
    """Return the series' names, and k and n (value and error) of each month up to `month`; NaN where there is none."""
    names, places = np.unique(rows["series"].to_numpy(dtype=str), return_inverse=True)
    steps = number_months([month])[0] - number_months(rows["month"])
    within = (steps >= 0) & (steps <= behind + 1)
    laid = np.full((2, len(names), behind + 2), np.nan)
    for part, column in zip(laid, ("k", "n") if counted else ("value", "error"), strict=True):
        part[places[within], behind + 1 - steps[within]] = rows[column].to_numpy(dtype=float)[within]
    return list(names), laid


def _judge_kind(names: list[str], laid: np.ndarray, counted: bool) -> pd.DataFrame:
    """Return for each series of one kind the p of a rise and of a fall, and what was expected."""
    months = (~np.isnan(laid[0, :, :-1])).sum(axis=1)
    usable = (months >= FEWEST_BEHIND) & ~np.isnan(laid[0, :, -1])
    found = pd.DataFrame({"series": names, "months": months})
    values = 100 * laid[0] / laid[1] if counted else laid[0]
    found["value"] = values[:, -1]
    found[["expected", "low", "high", "up", "down"]] = np.nan
    if usable.any():
        predict = _predict_shares if counted else _predict_values
        expected, spread, variances, tails = predict(*laid[:, usable])
        like = _compare_calendar(values[usable], variances)
        looks = [
            [np.where(side[length] > _LIKE, 1.0, tail[length]) / part for length, part in _SPLIT.items()]
            for tail, side in zip(tails, like, strict=True)
        ]
        up, down = (np.nanmin(look, axis=0) for look in looks)
        low, high = expected - 1.96 * spread, expected + 1.96 * spread
        if counted:
            low, high = np.clip(low, 0, 100), np.clip(high, 0, 100)
        found.loc[usable, ["expected", "low", "high", "up", "down"]] = np.column_stack(
            [expected, low, high, up, down]
        )
    return found


def _compare_calendar(values: np.ndarray, variances: np.ndarray) -> list[dict]:
    """Return p of a rise and of a fall against the same calendar months behind, by months looked at; 0 without them."""
    sides = [{}, {}]
    for length in _SPLIT:
        difference, variance = np.zeros(len(values)), np.zeros(len(values))
        for place in range(values.shape[1] - length, values.shape[1]):
            same = np.arange(place - A_YEAR, -1, -A_YEAR)
            count = (~np.isnan(values[:, same])).sum(axis=1)
            mean = np.nansum(values[:, same], axis=1) / np.maximum(count, 1)
            difference += np.where(count > 0, values[:, place] - mean, np.inf)
            own = np.nansum(variances[:, same], axis=1) / np.maximum(count, 1) ** 2
            variance += variances[:, place] + own
        score = difference / np.sqrt(variance)
        sides[0][length] = np.where(np.isinf(difference), 0, distributions.norm.sf(score))
        sides[1][length] = np.where(np.isinf(difference), 0, distributions.norm.cdf(score))
    return sides


def _spread_grid(largest: float) -> np.ndarray:
    """Return how much months may vary beyond sampling, in its standard errors: none, and up to more than was seen."""
    return np.concatenate([[0.0], np.geomspace(0.15, max(6.0, 1.5 * largest), 24)])


def _shrink_spread(likelihood: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """Return each series' posterior over the grid, its prior being what the *other* series have, and a Cauchy's half.

    The prior is found by EM, as of a nonparametric maximum likelihood estimate (Laird 1978, JASA 73).
    """
    edges = np.concatenate([[0.0], (grid[1:] + grid[:-1]) / 2, [np.inf]])
    first = np.diff(np.arctan(edges / _PRIOR_SCALE)) / (np.pi / 2)
    prior, others = np.broadcast_to(first, likelihood.shape), len(likelihood) - 1
    for _ in range(_ROUNDS):
        posterior = likelihood * prior
        posterior = posterior / posterior.sum(axis=1, keepdims=True)
        prior = (_PRIOR_SERIES * first + posterior.sum(axis=0) - posterior) / (_PRIOR_SERIES + others)
    return posterior


def _predict_values(values: np.ndarray, errors: np.ndarray):
    """Return expected and spread of the last month, each month's variance, and by length the tails up and down."""
    base, own = values[:, :-2], errors[:, :-2]
    known = ~np.isnan(base)
    typical = 1 / np.sqrt(np.nanmean(1 / own**2, axis=1))
    grid = _spread_grid(float((np.nanstd(base, axis=1) / typical).max()))
    between = (typical[:, None] * grid) ** 2
    weights = np.where(known[:, None], 1 / (own[:, None] ** 2 + between[..., None]), 0)
    total = weights.sum(axis=2)
    filled = np.where(known, base, 0)[:, None]
    level = (weights * filled).sum(axis=2) / total
    log = 0.5 * (np.log(weights, out=np.zeros_like(weights), where=weights > 0).sum(axis=2) - np.log(total))
    log -= 0.5 * (weights * (filled - level[..., None]) ** 2).sum(axis=2)
    posterior = _shrink_spread(np.exp(log - log.max(axis=1, keepdims=True)), grid)
    up, down = {}, {}
    for length in _SPLIT:
        now = 1 / (errors[:, None, -length:] ** 2 + between[..., None])
        mean = (now * values[:, None, -length:]).sum(axis=2) / now.sum(axis=2)
        score = (mean - level) / np.sqrt(1 / now.sum(axis=2) + 1 / total)
        up[length] = (posterior * distributions.norm.sf(score)).sum(axis=1)
        down[length] = (posterior * distributions.norm.cdf(score)).sum(axis=1)
    expected = (posterior * level).sum(axis=1)
    spread = np.sqrt((posterior * (errors[:, -1:] ** 2 + between + 1 / total)).sum(axis=1))
    return expected, spread, errors**2 + (posterior * between).sum(axis=1, keepdims=True), (up, down)


def _predict_shares(k: np.ndarray, n: np.ndarray):
    """Return what _predict_values does, for k of n; a beta-binomial over a grid of shares and of correlations."""
    base, size = np.nan_to_num(k[:, :-2]), np.nan_to_num(n[:, :-2])
    hits, asked = base.sum(axis=1), size.sum(axis=1)
    share = (hits + 0.5) / (asked + 1)
    plain = share * (1 - share)
    chi = np.nansum((base - size * share[:, None]) ** 2 / np.where(size > 0, size, np.nan), axis=1) / plain
    over = np.maximum(1, chi / np.maximum((size > 0).sum(axis=1) - 1, 1))
    mean_size = asked / (size > 0).sum(axis=1)
    grid = _spread_grid(float(np.sqrt(over.max())))
    p = special.expit(special.logit(share)[:, None] + np.sqrt(over / (plain * (asked + 1)))[:, None] * _STEPS)
    p = p[:, :, None]
    alike = np.minimum(grid**2 / mean_size[:, None], _WIDEST)[:, None, :]
    alike = np.minimum(alike, _BURSTS**2 * p / (1 - p))
    like = beta_binomial_likelihood(
        base[:, None, None], size[:, None, None], p[..., None], np.maximum(alike, 1e-9)[..., None]
    ).sum(axis=3)
    like[..., 0] = hits[:, None] * np.log(p[..., 0]) + (asked - hits)[:, None] * np.log1p(-p[..., 0])
    like = np.exp(like - like.max(axis=(1, 2), keepdims=True)) * np.sqrt(p * (1 - p))  # Jeffreys' prior
    of_spread = like.sum(axis=1)
    posterior = like / of_spread[:, None] * _shrink_spread(of_spread, grid)[:, None]
    up, down = {}, {}
    for length in _SPLIT:
        sizes = n[:, None, None, -length:]
        mean = p * sizes.sum(axis=3)
        variance = p * (1 - p) * (sizes * (1 + (sizes - 1) * alike[..., None])).sum(axis=3)
        up[length] = (posterior * _tail(k[:, -length:].sum(axis=1)[:, None, None], mean, variance)).sum(
            axis=(1, 2)
        )
        down[length] = 1 - up[length]
    expected = (posterior * p).sum(axis=(1, 2))
    correlation = (posterior * alike).sum(axis=(1, 2))[:, None]
    variances = (expected * (1 - expected))[:, None] / n * (1 + (n - 1) * correlation)
    level = (posterior * (p - expected[:, None, None]) ** 2).sum(axis=(1, 2))
    return 100 * expected, 100 * np.sqrt(variances[:, -1] + level), 1e4 * variances, (up, down)


def _tail(k, mean, variance) -> np.ndarray:
    """Return P(more than k) + P(k) / 2, of the binomial or negative binomial with this mean and variance."""
    ratio = variance / mean
    wide = ratio > 1 + 1e-6
    narrow = np.where(wide, 0.5, np.minimum(ratio, 1 - 1e-6))
    wider = np.where(wide, ratio, 2.0)
    asked = mean / (1 - narrow)

    def reach(x):
        below = special.betainc(np.maximum(asked - x, 1e-9), np.maximum(x, 0) + 1, narrow)
        below = np.where(x >= asked, 1, below)
        spread = special.betainc(mean / (wider - 1), np.maximum(x, 0) + 1, 1 / wider)
        return np.where(x < 0, 0, np.where(wide, spread, below))

    return 1 - (reach(k) + reach(k - 1)) / 2
