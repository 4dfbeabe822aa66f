"""Over time: control limits, season, change points and early warning for monthly series.

A table of series has `series` (a name), `month` (YYYY-MM) and either `k` and `n` (a share, k of n) or `value` and
`error` (its standard error); a month without either is no row. Numbers of a share are in %, those of a value in its
unit.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
import ruptures
from scipy import stats as distributions
from statsmodels.regression.linear_model import WLS

from vocwb.errors import SchemaError
from vocwb.stats import TOO_FEW, adjust_p

CHANGE_VERDICTS = ("evidence of a change", "no evidence of a change", TOO_FEW)
CHANGE, NO_CHANGE, _ = CHANGE_VERDICTS

FEWEST_MONTHS = 8
"""Under so many months nothing is said of limits and changes."""
A_YEAR = 12

_SIDE = 2  # months at least on each side of a change: a single one may be an outlier
_SHUFFLES = 4999
_Q = 0.05
_GUARD = 0.2  # p among months of the same name, above which a change may be a season that is not evident


class _Series(NamedTuple):
    """One series in order of months: value, its sampling error, and the number of each month since year 0."""

    value: np.ndarray
    error: np.ndarray
    number: np.ndarray
    month: list[str]


def gather_series(findings: pd.DataFrame) -> pd.DataFrame:
    """Return the monthly series in a table of findings: a row a number that stands for one month.

    Of measure "share" with its n it is k and n, of any other number with an interval value and error (a quarter of
    the 95% interval's width, as good as). Keeps section, subject, measure, segment, level and unit; `series` is these
    names together. What is hidden or has no interval is no row.

    >>> findings = pd.DataFrame({"section": "topics", "period": ["2025-01", "2025-01 vs before"], "subject": "T0001",
    ...     "measure": ["share", "difference"], "segment": None, "level": None, "unit": "%", "value": [12.5, 1.0],
    ...     "low": [9.0, 0.0], "high": [16.0, 2.0], "n": [400, 400]})
    >>> gather_series(findings)[["series", "month", "k", "n"]].values.tolist()
    [['topics T0001 share', '2025-01', 50.0, 400.0]]
    """
    rows = findings[findings["period"].str.fullmatch(r"\d{4}-\d{2}") & findings["value"].notna()]
    place = ["section", "subject", "measure", "segment", "level"]
    names = [" ".join(str(part) for part in row if pd.notna(part)) for row in rows[place].values.tolist()]
    share = rows["measure"].eq("share") & rows["n"].notna()
    counted = share & rows["unit"].eq("count")
    k = rows["value"].where(counted, rows["value"] * rows["n"].astype(float) / 100).round()
    found = rows[[*place, "unit"]].assign(
        series=names, month=rows["period"], k=k.where(share), n=rows["n"].astype(float).where(share),
        value=rows["value"].where(~share), error=((rows["high"] - rows["low"]) / 3.92).where(~share),
    )  # fmt: skip
    found = found[share | (found["error"] > 0)]
    return found.sort_values(["series", "month"], ignore_index=True)


def check_series(table: pd.DataFrame) -> None:
    """Raise SchemaError where a table of series lacks a column, or a series has a month twice.

    >>> check_series(pd.DataFrame({"series": ["late"], "month": ["2025-01"], "k": [9], "n": [100]}))
    """
    kinds = [pair for pair in ({"k", "n"}, {"value", "error"}) if pair <= set(table)]
    if not {"series", "month"} <= set(table) or not kinds:
        raise SchemaError(
            "A table of series has series, month, and k with n or value with error.",
            f"This has: {', '.join(map(str, table))}.",
            "Add what is missing; gather_series makes one of findings.",
        )
    twice = table[table.duplicated(["series", "month"])]
    if len(twice):
        series, month = twice[["series", "month"]].iloc[0]
        raise SchemaError(f"Series {series!r} has month {month!r} twice.", remedy="Give one row a month.")


def number_months(months) -> np.ndarray:
    """Return months (YYYY-MM) as numbers that follow each other; number % 12 is 0 in January.

    >>> np.diff(number_months(["2024-12", "2025-01", "2025-03"])).tolist()
    [1, 2]
    """
    return np.array([12 * int(month[:4]) + int(month[5:7]) - 1 for month in months], dtype=int)


def _read_series(table: pd.DataFrame) -> dict[str, _Series]:
    """Return each series by name, those of shares as % with the sampling error at the share of all months."""
    check_series(table)
    found = {}
    for name, rows in table.sort_values("month").groupby("series"):
        if "k" in rows and rows["k"].notna().all():
            k, n = rows["k"].to_numpy(dtype=float), rows["n"].to_numpy(dtype=float)
            share = (k.sum() + 0.5) / (n.sum() + 1)
            value, error = 100 * k / n, 100 * np.sqrt(share * (1 - share) / n)
        else:
            value, error = (rows[column].to_numpy(dtype=float) for column in ("value", "error"))
        found[name] = _Series(value, error, number_months(rows["month"]), rows["month"].tolist())
    return found


def _weigh(series: _Series) -> np.ndarray:
    """Return the weights of months: one over the variance of sampling and of months together.

    How much months vary beyond sampling is taken from the differences of neighbours (von Neumann 1941), which a lasting
    shift hardly moves.
    """
    steps = np.diff(series.value) ** 2 / 2 - (series.error[1:] ** 2 + series.error[:-1] ** 2) / 2
    return 1 / (series.error**2 + max(steps.mean(), 0.0))


def _span(series: _Series) -> int:
    """Return over how many months the series reaches, those without a row counted too."""
    return int(series.number[-1] - series.number[0]) + 1 if len(series.number) else 0


def _find_season(series: _Series) -> tuple[np.ndarray, float]:
    """Return what each month owes to its place in the year, and p; zeros and NaN where fewer than two years stand.

    An F test of month-of-year effects beside a straight line, weighted by the sampling errors (statsmodels' WLS).
    """
    none = np.zeros(len(series.value))
    places = series.number % A_YEAR
    line = np.column_stack([np.ones(len(places)), series.number - series.number.mean()])
    dummies = (places[:, None] == np.unique(places)[None, 1:]).astype(float)
    if _span(series) < 2 * A_YEAR or len(places) - dummies.shape[1] - 2 < A_YEAR - 2:
        return none, np.nan
    weights = 1 / series.error**2
    plain = WLS(series.value, line, weights=weights).fit()
    full = WLS(series.value, np.column_stack([line, dummies]), weights=weights).fit()
    if plain.ssr < 1e-18:
        return none, np.nan
    effects = dummies @ full.params[2:]
    return effects - np.average(effects, weights=weights), float(full.compare_f_test(plain)[1])


def find_seasons(table: pd.DataFrame) -> pd.DataFrame:
    """Return for each series whether its months differ with the time of the year: series, p, p_adjusted, seasonal.

    p: an F test of month-of-year effects beside a straight line (weighted by sampling error), where two years or more
    are there, else NaN; p_adjusted over the series (Benjamini-Hochberg). seasonal: p_adjusted <= 0.05. peak: the
    calendar month (1-12) that is highest.

    >>> months = pd.period_range("2023-01", periods=24, freq="M").astype(str)
    >>> high = [30 if month.endswith("-12") else 10 + int(month[-1]) % 2 for month in months]
    >>> find_seasons(pd.DataFrame({"series": "late", "month": months, "k": high, "n": 100}))["peak"].tolist()
    [12]
    """
    rows = []
    for name, series in _read_series(table).items():
        effects, p = _find_season(series)
        peak = series.number[effects.argmax()] % A_YEAR + 1 if len(effects) and p == p else None
        rows.append({"series": name, "p": p, "peak": peak})
    found = pd.DataFrame(rows, columns=["series", "p", "peak"]).astype({"peak": "Int64"})
    found["p_adjusted"] = adjust_p(found["p"])
    return found.assign(seasonal=found["p_adjusted"] <= _Q)


def set_limits(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with value, centre, low, high and outside: a control chart of each series.

    centre: the mean, and where the season is evident (find_seasons) what the month owes to it; low and high: three
    standard errors from it, widened or narrowed by how much neighbouring months differ beyond sampling: Laney's p'
    chart (Laney 2002, Quality Engineering 14), which for a series of values is the individuals chart of value / error.
    Of an in-control series about one month in 200 lies outside (Shewhart's 1 in 370 when all is known). NaN under
    FEWEST_MONTHS. Limits of shares keep within 0..100.

    >>> months = pd.period_range("2024-01", periods=10, freq="M").astype(str)
    >>> charted = set_limits(pd.DataFrame({"series": "late", "month": months, "k": [9, 12, 8, 11, 10] * 2, "n": 100}))
    >>> charted[["centre", "low", "high"]].iloc[0].round(1).tolist()
    [10.0, 3.2, 16.8]
    """
    seasonal = find_seasons(table).set_index("series")["seasonal"]
    parts = []
    for name, series in _read_series(table).items():
        season = _find_season(series)[0] if seasonal[name] else 0.0
        mean = np.average(series.value - season, weights=1 / series.error**2)
        scores = (series.value - season - mean) / series.error
        wide = (
            3 * series.error * np.abs(np.diff(scores)).mean() / 1.128
            if len(scores) >= FEWEST_MONTHS
            else np.nan
        )
        centre = mean + season + np.zeros(len(scores))
        limits = {"value": series.value, "centre": centre, "low": centre - wide, "high": centre + wide}
        parts.append(pd.DataFrame({"series": name, "month": series.month} | limits))
    columns = ["series", "month", "value", "centre", "low", "high"]
    limits = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    found = table.drop(columns="value", errors="ignore").merge(limits, on=["series", "month"])
    if "k" in found:
        shares = found["k"].notna()
        found.loc[shares, ["low", "high"]] = found.loc[shares, ["low", "high"]].clip(0, 100)
    return found.assign(outside=(found["value"] < found["low"]) | (found["value"] > found["high"]))


def judge_changes(table: pd.DataFrame, *, smallest, seed: int = 0) -> pd.DataFrame:
    """Return for each series whether it changed lastingly, when, by how much, and the verdict in words.

    smallest: the smallest change that matters, in % points or the unit of the values: a number, or one by series.
    The test: of all places with two months on either side, the largest t of the mean after against before (months
    weighted by sampling error and by how much they vary beyond it), against its distribution when the months are
    shuffled (4,999 times). From two years on the same with each calendar month's own mean taken out, shuffled among
    months of the same name, has to agree: wholly where the season is evident (find_seasons), else with p <= 0.2, since
    a season that is not evident can look like a change. p_adjusted over the series (Benjamini-Hochberg); evidence:
    p_adjusted <= 0.05. Further changes are looked for in the same way on either side of one that is found, at half the
    level each (the e-divisive procedure of James and Matteson 2014, J. Statistical Software 62), but in a series with
    an evident season; the places of so many are those of ruptures' dynamic programming. Without evidence it is "too
    few to say" under FEWEST_MONTHS, or where the change that could have been seen in the middle of the series is
    larger than smallest.

    Gives series, months (how many), changes (the first month of each new level), month (the largest of them), before
    and after (the levels around it), difference, low, high (which hold for whatever place is found: they reach as far
    as the 95% point of the largest t), p, p_adjusted and verdict.

    >>> months = pd.period_range("2024-01", periods=16, freq="M").astype(str)
    >>> k = [9, 12, 8, 11, 10, 9, 11, 10, 21, 19, 22, 20, 18, 21, 20, 19]
    >>> found = judge_changes(pd.DataFrame({"series": "late", "month": months, "k": k, "n": 100}), smallest=5)
    >>> found[["month", "difference", "verdict"]].round(1).values.tolist()
    [['2024-09', 10.0, 'evidence of a change']]
    """
    seasonal = find_seasons(table).set_index("series")["seasonal"]
    rows = [_judge_series(name, own, seed, seasonal[name]) for name, own in _read_series(table).items()]
    columns = [
        "series",
        "months",
        "changes",
        "month",
        "before",
        "after",
        "difference",
        "low",
        "high",
        "seen",
        "p",
    ]
    found = pd.DataFrame(rows, columns=columns)
    found["p_adjusted"] = adjust_p(found["p"])
    least = found["series"].map(smallest) if isinstance(smallest, dict | pd.Series) else smallest
    evident = found["p_adjusted"] <= _Q
    few = found["p"].isna() | (found["seen"] > least)
    found["verdict"] = np.select([evident, few], [CHANGE, TOO_FEW], NO_CHANGE)
    found["changes"] = [
        list(months) if sure else [] for months, sure in zip(found["changes"], evident, strict=True)
    ]
    return found.drop(columns="seen")


def _judge_series(name: str, series: _Series, seed: int, seasonal: bool) -> dict:
    values, places = series.value, series.number % A_YEAR
    row = {"series": name, "months": len(values), "changes": [], "p": np.nan, "seen": np.nan}
    if len(values) < FEWEST_MONTHS:
        return row
    weights = _weigh(series)
    nuisance = np.ones((len(values), 1))
    p, reach, place = _test_step(values, weights, nuisance, np.zeros(len(values), dtype=int), seed)
    if _span(series) >= 2 * A_YEAR:
        calendar = (places[:, None] == np.unique(places)).astype(float)
        like, like_reach, like_place = _test_step(values, weights, calendar, places, seed)
        p = like if seasonal else max(p, like if like > _GUARD else 0)
        if seasonal:
            reach, place, nuisance = like_reach, like_place, calendar
    after = (np.arange(len(values)) >= place).astype(float)
    fitted = WLS(values, np.column_stack([nuisance, after]), weights=weights).fit()
    values = values - (nuisance - np.average(nuisance, axis=0, weights=weights)) @ fitted.params[:-1]
    ends = [place]
    if p <= _Q and not seasonal and (count := _count_changes(values, weights, place, seed, _Q)) > 1:
        ends = _place_changes(values, weights, count)
    pieces = [np.split(part, ends) for part in (values, weights)]
    levels = [np.average(part, weights=own) for part, own in zip(*pieces, strict=True)]
    squares = sum((w * (v - level) ** 2).sum() for v, w, level in zip(*pieces, levels, strict=True))
    # Where all months are equal, sampling alone says how far they may lie from the level: weights are 1 / variance.
    error = np.sqrt(squares / (len(values) - nuisance.shape[1] - len(ends))) if squares > 1e-18 else 1.0
    sizes = np.array([own.sum() for own in pieces[1]])
    largest = int(np.abs(np.diff(levels)).argmax())
    half = reach * error * np.sqrt(1 / sizes[largest] + 1 / sizes[largest + 1])
    difference = levels[largest + 1] - levels[largest]
    middle = [part.sum() for part in np.array_split(weights, 2)]
    return row | {
        "changes": [series.month[end] for end in ends], "month": series.month[ends[largest]],
        "before": levels[largest], "after": levels[largest + 1], "difference": difference,
        "low": difference - half, "high": difference + half, "p": p,
        "seen": reach * max(error, 1) * np.sqrt(1 / middle[0] + 1 / middle[1]),  # sampling alone makes the error 1
    }  # fmt: skip


def _test_step(values, weights, nuisance, groups, seed: int) -> tuple[float, float, int]:
    """Return p of the largest t of a step, the 95% point of the shuffled months' largest, and where the step is.

    nuisance: what is fitted beside the step, a column each; groups: only months of the same group change places.
    """
    root, size = np.sqrt(weights), len(values)
    base = np.linalg.qr(nuisance * root[:, None])[0]
    steps = (np.arange(size)[:, None] >= np.arange(_SIDE, size - _SIDE + 1)) * root[:, None]
    steps = steps - base @ (base.T @ steps)
    room = np.sqrt((steps**2).sum(axis=0))
    steps = steps[:, room > 1e-9] / room[room > 1e-9]
    kept = np.flatnonzero(room > 1e-9)

    def measure(scores: np.ndarray) -> np.ndarray:
        left = scores - scores @ base @ base.T
        gain = (left @ steps) ** 2
        rest = (left**2).sum(axis=-1, keepdims=True) - gain
        return gain * (size - base.shape[1] - 1) / np.maximum(rest, 1e-12 * np.maximum(gain, 1e-300))

    fitted = values * root - base @ (base.T @ (values * root))
    if fitted @ fitted < 1e-18 * (1 + values @ values):
        return 1.0, float(distributions.norm.isf(0.025 / len(kept))), size // 2
    draw, shuffled = np.random.default_rng(seed), np.tile(fitted, (_SHUFFLES, 1))
    for group in np.unique(groups):
        shuffled[:, groups == group] = draw.permuted(shuffled[:, groups == group], axis=1)
    found, chance = measure(fitted), measure(shuffled).max(axis=-1)
    # A shuffle that gives the same order gives the same t but for rounding.
    p = (1 + np.count_nonzero(chance >= found.max() * (1 - 1e-9))) / (1 + _SHUFFLES)
    return p, float(np.sqrt(np.quantile(chance, 0.95))), int(kept[found.argmax()]) + _SIDE


def _count_changes(values, weights, place: int, seed: int, level: float) -> int:
    """Return how many changes are evident: one at this place, and so on either side of it, at half the level each."""
    count = 1
    for part, own in ((values[:place], weights[:place]), (values[place:], weights[place:])):
        if len(part) >= FEWEST_MONTHS:
            alike = np.zeros(len(part), dtype=int)
            p, _, further = _test_step(part, own, np.ones((len(part), 1)), alike, seed)
            count += _count_changes(part, own, further, seed, level / 2) if p <= level / 2 else 0
    return count


def _place_changes(values, weights, count: int) -> list[int]:
    """Return where each new level begins, for so many changes: least squares, weighted, by dynamic programming."""
    root = np.sqrt(weights / weights.mean())
    search = ruptures.Dynp(model="linear", min_size=_SIDE, jump=1).fit(np.column_stack([values * root, root]))
    return search.predict(n_bkps=count)[:-1]
