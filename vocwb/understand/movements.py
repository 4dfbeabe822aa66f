"""Movements: which topics and scores stand out this month, since when each is where it is, and what is its season."""

from collections.abc import Mapping

import pandas as pd

from vocwb import stats
from vocwb.alarms import FEWEST_BEHIND, warn_early
from vocwb.changes import (
    CHANGE,
    FEWEST_MONTHS,
    NO_CHANGE,
    find_seasons,
    gather_series,
    judge_changes,
    set_limits,
)
from vocwb.schemas import OUTLIER, make_findings
from vocwb.understand.metrics import format_interval, format_value, in_report, name_period
from vocwb.understand.registry import SCORES, describe_metric

SHARE = "share"
_PLACE = ["section", "subject", "measure", "segment", "level"]
_SMALLEST = {SHARE: "share", "cli_rescaled": "share", "nps": "nps", "nps_1_10": "nps"}
_WARNING = "posterior predictive of the months behind (empirical Bayes), Holm over all numbers"
_CHANGE = "largest t of a step among shuffled months, Benjamini-Hochberg"
_SEASON = "F test of month-of-year effects beside a line, Benjamini-Hochberg"
_LIMITS = "control chart, three standard errors (Laney's p' chart, individuals chart)"


def list_series(findings: pd.DataFrame, *, month: str) -> pd.DataFrame:
    """Return the monthly series of customers' topics and of the main figure of each score, up to `month`.

    findings: sections "topics" and "scores". Gives what changes.gather_series gives, and of the finding that each
    month comes from n_shown (its n), shown_low, shown_high and feedback_ids. What fits no topic is left out.

    >>> findings = make_findings([{"period": "2025-01", "subject": "T0001", "measure": "share", "unit": "%", "n": 400,
    ...     "value": 12.5, "low": 9.0, "high": 16.0, "claim": "", "method": ""}], section="topics", month="2025-01")
    >>> list_series(findings, month="2025-01")[["series", "month", "k", "n"]].values.tolist()
    [['topics T0001 share', '2025-01', 50.0, 400.0]]
    """
    wanted = (findings["section"].eq("topics") & findings["measure"].eq(SHARE)) | (
        findings["section"].eq("scores") & findings["measure"].isin(SCORES)
    )
    kept = findings[wanted & ~findings["subject"].str.startswith(OUTLIER)]
    kept = kept[kept["period"].ne("all") & in_report(kept["period"], month)]
    source = kept[[*_PLACE, "period", "n", "low", "high", "feedback_ids"]].rename(
        columns={"period": "month", "n": "n_shown", "low": "shown_low", "high": "shown_high"}
    )
    return gather_series(kept).merge(source, on=[*_PLACE, "month"], validate="one_to_one")


def name_subjects(codebook: pd.DataFrame, questions: Mapping) -> dict[str, str]:
    """Return what people read for the subjects of topics and scores: topic -> name, question or index -> label.

    >>> codebook = pd.DataFrame({"topic": ["T0001"], "name": ["Late parcels"]})
    >>> name_subjects(codebook, {})
    {'T0001': 'Late parcels'}
    """
    names = dict(zip(codebook["topic"], codebook["name"], strict=True))
    return names | {name: question.label or name for name, question in questions.items()}


def tell_movements(
    findings: pd.DataFrame, *, month: str, smallest: Mapping[str, float], names: Mapping[str, str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on how each topic and score moves: of `month` against those behind it, and of all months.

    findings: sections "topics" and "scores" of all months up to `month` (`list_series` chooses from them); smallest:
    the programme's smallest differences (share, nps, mean); names: subject -> what people read. Measures:
    - "early_warning": value is the month's, with its own interval; compared_value what the months behind lead to
      expect; evidence of a change is an alarm (alarms.warn_early). Only of series that have the month.
    - "change_point": value and compared_value are the levels after and before the largest lasting change
      (changes.judge_changes), difference, low and high how far they lie apart (of shares in percentage points),
      n and compared_n the sums of n of the months on either side, 30 at least; the period begins in the month of the
      change.
      "change_also": the other changes of such a series, by their period alone.
    - "season": series whose months go with the time of the year (changes.find_seasons), from two years on.
    - "control_limits": of each series with an alarm, a change or a season, for each month the centre with low and
      high, and compared_value the month's value (changes.set_limits), with verdict "above", "below" or "inside".
    p is adjusted over all series together. Small groups: a month that is hidden stands in no series; one of 5 to 29
    is told as a count.

    >>> share = {"subject": "T0001", "measure": "share", "unit": "%", "n": 400, "claim": "", "method": ""}
    >>> months = pd.period_range("2024-01", periods=20, freq="M").astype(str)
    >>> rows = [share | {"period": month, "value": 10.0 + (place % 3) + 15 * (month > "2025-07"), "low": 8.0,
    ...                  "high": 14.0} for place, month in enumerate(months)]
    >>> found = tell_movements(make_findings(rows, section="topics", month="2025-08"), month="2025-08",
    ...                        smallest={"share": 5, "nps": 5, "mean": 0.2})
    >>> found[["measure", "verdict"]].values.tolist()[:2]
    [['early_warning', 'evidence of a change'], ['change_point', 'too few to say']]
    """
    series = list_series(findings, month=month)
    if series.empty:
        return make_findings([], section="movements", month=month)
    series["name"] = [_name_series(row, names or {}) for row in series.to_dict("records")]
    places = series.drop_duplicates("series").set_index("series")
    least = {name: smallest[_SMALLEST.get(measure, "mean")] for name, measure in places["measure"].items()}
    now = series[series["month"] == month].set_index("series")
    warned = warn_early(series, month=month)
    rows = [
        _tell_warning(now.loc[row["series"]].to_dict() | row)
        for row in warned[warned["series"].isin(now.index)].to_dict("records")
    ]
    of = dict(tuple(series.groupby("series")))
    changed = judge_changes(series, smallest=least, seed=seed)
    for row in changed.to_dict("records"):
        rows += _tell_change(
            places.loc[row["series"]].to_dict() | row, of[row["series"]], least[row["series"]]
        )
    seasons = find_seasons(series)
    rows += [
        _tell_season(places.loc[row["series"]].to_dict() | row, of[row["series"]])
        for row in seasons[seasons["seasonal"]].to_dict("records")
    ]
    moved = {row["series"] for row in rows if row["verdict"] in (CHANGE, stats.EVIDENCE)}
    limits = set_limits(series)
    rows += [_tell_limits(row) for row in limits[limits["series"].isin(moved)].to_dict("records")]
    found = pd.DataFrame(rows).drop(columns="series")
    return make_findings(found, section="movements", month=month)


def tally_movements(movements: pd.DataFrame) -> str:
    """Return how the early warnings and the search for lasting changes ended, in sentences for everybody.

    >>> tally_movements(pd.DataFrame({"measure": "early_warning", "verdict": ["too few to say"] * 2}))
    'Of 2 numbers, 0 stand out this month, 0 do not, and 2 have too few months behind them (12 are needed).'
    """
    said = []
    for measure, words in (
        ("early_warning", f"stand out this month, {{}} do not, and {{}} have too few months behind them"
                          f" ({FEWEST_BEHIND} are needed)."),
        ("change_point", "changed lastingly, {} did not as far as can be seen, and of {} too little is known to say."),
    ):  # fmt: skip
        verdicts = movements.loc[movements["measure"].eq(measure), "verdict"]
        if len(verdicts):
            counts = [int(verdicts.eq(verdict).sum()) for verdict in (NO_CHANGE, stats.TOO_FEW)]
            evident = len(verdicts) - sum(counts)
            said.append(f"Of {len(verdicts):,} numbers, {evident:,} {words.format(*counts)}")
    return " ".join(said) or "No number can be followed: there are no months."


def _name_series(row: dict, names: Mapping[str, str]) -> str:
    name = names.get(row["subject"], row["subject"])
    if row["measure"] == SHARE:
        return f"“{name}”"
    place = f", population {row['level']}" if pd.notna(row["level"]) else ""
    return f"{name}{place}, {describe_metric(row['measure']).label}"


def _begin(row: dict, measure: str, period: str, method: str) -> dict:
    return {
        "subject": row["subject"], "segment": row["segment"], "level": row["level"], "unit": row["unit"],
        "measure": measure, "period": period, "method": method, "series": row["series"],
    }  # fmt: skip


def _unit(row: dict) -> str:
    """Return the unit of a series: that of its shares is %, also where a month is told as a count."""
    return "%" if row["measure"] == SHARE else row["unit"]


def _say_value(row: dict) -> str:
    """Return what a month has, as a claim says it: a count where it is too small for a percentage."""
    if row["unit"] == "count":
        return f"{row['k']:,.0f} of {row['n_shown']:,}"
    span = format_interval(row["shown_low"], row["shown_high"], row["unit"])
    return f"{format_value(row['value'], row['unit'])} ({span}, n = {row['n_shown']:,})"


def _tell_warning(row: dict) -> dict:
    what, behind, unit = f"{row['name']}, {row['month']}:", f"{row['months']:,} months behind it", _unit(row)
    told = _begin(row, "early_warning", row["month"], _WARNING)
    told |= {
        "n": row["n_shown"],
        "feedback_ids": row["feedback_ids"],
        "p": row["p"],
        "p_adjusted": row["p_adjusted"],
    }
    if row["unit"] == "count":
        told |= {"value": row["k"]}
    else:
        told |= {"value": row["value"], "low": row["shown_low"], "high": row["shown_high"]}
    if row["verdict"] == stats.TOO_FEW:
        claim = (
            f"{what} {_say_value(row)}; {row['months']:,} months stand behind it, and a warning needs"
            f" {FEWEST_BEHIND}."
        )
        return told | {"verdict": stats.TOO_FEW, "claim": claim}
    usual = (
        f"{format_value(row['expected'], unit)}, and 95 of 100 months like them between"
        f" {format_value(row['low'], unit)} and {format_value(row['high'], unit)}"
    )
    told |= {"compared_value": row["expected"]}
    if not row["alarm"]:
        claim = f"{what} {_say_value(row)}; the {behind} lead to expect {usual}: {NO_CHANGE}."
        return told | {"verdict": NO_CHANGE, "claim": claim}
    rises = row["verdict"] == "rises"
    claim = (
        f"{what} {'rises' if rises else 'falls'}: {_say_value(row)}; the {behind} lead to expect {usual}. Alone, or"
        f" together with the month before it, it lies {'above' if rises else 'below'} what chance explains (p ="
        f" {row['p_adjusted']:.2g}, corrected for all numbers that are followed): {CHANGE}."
    )
    # Where two months make the alarm, the month alone may lie on the other side of what was expected.
    difference = row["value"] - row["expected"]
    difference = difference if (difference > 0) == rises else None
    return told | {"verdict": CHANGE, "difference": difference, "claim": claim}


def _tell_change(row: dict, months: pd.DataFrame, least: float) -> list[dict]:
    unit = _unit(row)
    apart = "pp" if unit == "%" else unit
    told = _begin(row, "change_point", name_period(months["month"]), _CHANGE)
    told |= {"unit": apart, "verdict": row["verdict"]}
    if pd.isna(row["p"]):
        claim = (
            f"{row['name']}: {row['months']:,} months are too few to say whether it changed; {FEWEST_MONTHS} are"
            " needed."
        )
        return [told | {"claim": claim}]
    starts = [months["month"].min(), *(row["changes"] or [row["month"]])]
    levels = [
        months[(months["month"] >= start) & (months["month"] < end)]
        for start, end in zip(starts, [*starts[1:], "9999"], strict=True)
    ]
    place = starts.index(row["month"], 1)
    before, since = levels[place - 1 : place + 1]
    fewest = int(min(level["n_shown"].sum() for level in (before, since)))
    if fewest < stats.FEWEST_FOR_PERCENTAGES:
        claim = f"{row['name']}: too few were heard to say whether it changed, {fewest} on one side of {row['month']}."
        return [told | {"verdict": stats.TOO_FEW, "claim": claim}]
    told |= {name: row[name] for name in ("difference", "low", "high", "p", "p_adjusted")}
    told |= {"value": row["after"], "compared_value": row["before"], "period": name_period(since["month"])}
    told |= {"n": int(since["n_shown"].sum()), "compared_n": int(before["n_shown"].sum())}
    told["feedback_ids"] = sorted({one for ids in since["feedback_ids"] for one in ids})
    step = (
        f"{format_value(row['difference'], apart, signed=True)}"
        f" ({format_interval(row['low'], row['high'], apart)})"
    )
    if row["verdict"] != CHANGE:
        claim = (
            f"{row['name']}: the largest step in {row['months']:,} months, in {row['month']}, is {step}:"
            f" {row['verdict']}"
        )
        unseen = f"; a lasting change of {format_value(least, apart)} could be there unseen"
        return [told | {"claim": f"{claim}{unseen if row['verdict'] == stats.TOO_FEW else ''}."}]
    until = f" up to {since['month'].max()}" if place < len(starts) - 1 else ""
    claim = (
        f"{row['name']}: since {row['month']}{until} {format_value(row['after'], unit)} (months: {len(since)}, n ="
        f" {told['n']:,}), before {format_value(row['before'], unit)} (months: {len(before)}, n ="
        f" {told['compared_n']:,}): {step}, {CHANGE}."
    )
    others = [
        _begin(row, "change_also", name_period(level["month"]), _CHANGE)
        | {"unit": apart, "verdict": CHANGE, "claim": f"{row['name']} changed in {start} too."}
        for start, level in zip(starts[1:], levels[1:], strict=True)
        if start != row["month"]
    ]
    return [told | {"claim": claim}, *others]


def _tell_season(row: dict, months: pd.DataFrame) -> dict:
    peak = f"{pd.Timestamp(2000, row['peak'], 1):%B}"
    claim = (
        f"{row['name']} goes with the time of the year: in {len(months)} months, those of the same name are more alike"
        f" than others (p = {row['p_adjusted']:.2g}, corrected), and {peak} is the highest."
    )
    told = _begin(row, "season", name_period(months["month"]), _SEASON) | {"n": int(months["n_shown"].sum())}
    return told | {"p": row["p"], "p_adjusted": row["p_adjusted"], "verdict": stats.EVIDENCE, "claim": claim}


def _tell_limits(row: dict) -> dict:
    told = _begin(row, "control_limits", row["month"], _LIMITS) | {"unit": _unit(row), "n": row["n_shown"]}
    told |= {"feedback_ids": row["feedback_ids"], "value": row["centre"]}
    what = f"{row['name']}, {row['month']}: {_say_value(row)}"
    if pd.isna(row["low"]):
        return told | {"claim": f"{what}; under {FEWEST_MONTHS} months have no control limits."}
    where = "above" if row["value"] > row["high"] else "below" if row["value"] < row["low"] else "inside"
    span = " to ".join(format_value(row[end], told["unit"]) for end in ("low", "high"))
    claim = f"{what}, {where} the control limits {span} about {format_value(row['centre'], told['unit'])}."
    told |= {"low": row["low"], "high": row["high"], "verdict": where, "claim": claim}
    return told | ({} if row["unit"] == "count" else {"compared_value": row["value"]})
