"""Sections over time: what stands out this month, what changed lastingly, and the control charts of both."""

from collections.abc import Callable, Mapping

import pandas as pd
from markupsafe import Markup

from vocwb.changes import CHANGE
from vocwb.share.charts import chart_html
from vocwb.share.charts_time import chart_limits
from vocwb.share.rows import list_records, name_month
from vocwb.stats import TOO_FEW
from vocwb.understand.movements import tally_movements
from vocwb.understand.registry import SCORES

_MOST_CHARTS, _MOST_TOLD = 6, 8
_SIDES = {"above": "above the limits", "below": "below the limits", "inside": "inside"}


def lay_limits(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the months of each number that stands out, changed or has a season, as charts_time.chart_limits takes.

    rows: what prepare_rows makes of the sections topics, scores and movements. Alarms come first, then the latest
    lasting changes, then seasons; among equals the surest.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> lay_limits(prepare_rows(empty_table("findings")))
    []
    """
    rows = rows.assign(key=_key(rows))
    moves = rows[rows["section"].eq("movements")]
    limits = {
        key: own.set_index("period")
        for key, own in moves[moves["measure"].eq("control_limits")].groupby("key")
    }
    shown = rows["section"].eq("topics") & rows["measure"].eq("share")
    shown |= rows["section"].eq("scores") & rows["measure"].isin(SCORES)
    months = dict(tuple(rows[shown & rows["key"].isin(list(limits))].groupby("key")))
    starts = moves[moves["measure"].isin(["change_point", "change_also"]) & moves["verdict"].eq(CHANGE)]
    starts = starts.assign(start=starts["period"].str[:7]).groupby("key")["start"].agg(set).to_dict()
    found = []
    for key in _order_keys(moves):
        if key not in months:
            continue
        own = months[key].sort_values("period")
        of = limits[key].reindex(own["period"])
        own = own.assign(
            centre=of["value"].to_numpy(), limit_low=of["low"].to_numpy(), limit_high=of["high"].to_numpy(),
            limits=of["interval"].fillna("").to_numpy(), middle=of["number"].fillna("").to_numpy(),
            where=of["verdict"].to_numpy(), changed=own["period"].isin(starts.get(key, ())),
        )  # fmt: skip
        found.append(own.assign(value=own["value"].where(own["unit"].ne("count"))))
    return found


def _key(rows: pd.DataFrame) -> pd.Series:
    return rows["subject"] + "\n" + rows["level"].fillna("")


def _order_keys(moves: pd.DataFrame) -> list[str]:
    ranked = moves[moves["measure"].isin(["early_warning", "change_point", "season"])]
    ranked = ranked[ranked["verdict"].str.startswith("evidence", na=False)]
    kinds = ranked["measure"].map({"early_warning": 0, "change_point": 1, "season": 2})
    since = -ranked["period"].str[:7].str.replace("-", "").astype(int)
    ranked = ranked.assign(kind=kinds, since=since.where(kinds.eq(1), 0))
    ranked = ranked.sort_values(["kind", "since", "p_adjusted", "finding_id"])
    return list(dict.fromkeys(ranked["key"]))


def read_movements(rows: pd.DataFrame, quote: Callable[[Mapping, int], list[Markup]]) -> dict:
    """Return alarms, changes and seasons (rows with said and quotes), how many more there are, charts and a summary.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_movements(prepare_rows(empty_table("findings")), None)["alarms"]
    []
    """
    moves = rows[rows["section"].eq("movements")]
    evident = moves[moves["verdict"].str.startswith("evidence", na=False)].assign(key=lambda own: _key(own))
    order = {key: place for place, key in enumerate(_order_keys(evident))}
    evident = evident.assign(place=evident["key"].map(order)).sort_values(["place", "finding_id"])
    told = {}
    for name, measure in (("alarms", "early_warning"), ("changes", "change_point"), ("seasons", "season")):
        own = list_records(evident[evident["measure"].eq(measure)])
        told[f"{name}_more"] = max(len(own) - _MOST_TOLD, 0)
        told[name] = [row | {"said": _say(row), "quotes": quote(row, 2)} for row in own[:_MOST_TOLD]]
    warnings = moves.loc[moves["measure"].eq("early_warning"), "verdict"]
    told["few"] = bool(len(warnings)) and warnings.eq(TOO_FEW).all()
    charts = [_draw(own) for own in lay_limits(rows)[:_MOST_CHARTS]]
    return told | {"charts": charts, "summary": tally_movements(moves) if len(moves) else ""}


def _say(row: Mapping) -> str:
    side = {"higher": 0, "lower": 1}.get(row["mark"])
    if row["measure"] == "early_warning":
        return "stands out" if side is None else ("rises", "falls")[side]
    if row["measure"] == "change_point":
        return f"has been {('higher', 'lower')[side or 0]} since {name_month(row['period'][:7])}"
    return "goes with the time of the year"


def _draw(rows: pd.DataFrame) -> dict:
    last = rows.iloc[-1]
    outside = int(rows["where"].isin(["above", "below"]).sum())
    starts = [name_month(month) for month in rows.loc[rows["changed"], "period"]]
    title = f"{last['label']} · {last['level']}" if pd.notna(last["level"]) else last["label"]
    spoken = (
        f"{title}, from {name_month(rows['period'].iloc[0])} to {name_month(last['period'])} with its control limits:"
        f" {outside} of {len(rows)} months lie outside"
        f"{'; it changed in ' + ' and '.join(starts) if starts else ''}. The table below holds the numbers."
    )
    chart = chart_html(chart_limits(rows), title=title, description=spoken, table=False)
    records = [
        row | {"side": _SIDES.get(row["where"], "not judged")}
        for row in list_records(rows.sort_values("period", ascending=False))
    ]
    return {"title": title, "chart": chart, "rows": records}
