"""Sections on groups: paradoxes, words that set groups apart, adjusted differences, and the stages of the journey."""

from collections.abc import Callable, Mapping

import pandas as pd
from markupsafe import Markup

from vocwb.share.charts import chart_differences, chart_html
from vocwb.share.charts_cells import chart_cells
from vocwb.share.rows import format_number, list_records, name_language, shorten_label
from vocwb.stats import HIDDEN

_MOST_PARADOXES, _MOST_WORDS = 6, 6
_OVER_ALL = "over all"


def label_groups(findings: pd.DataFrame, labels: Mapping[str, str]) -> dict[str, str]:
    """Return what people read for words that set groups apart, for categories of groups, and for levels of paradoxes.

    >>> findings = pd.DataFrame({"measure": ["log_odds", "paradox"], "subject": ["en:late", "csat"],
    ...                          "level": ["north", "express, within area"]})
    >>> label_groups(findings, {"area": "City or rural"})
    {'en:late': 'late', 'express, within area': 'express, within “City or rural”'}
    """
    words = findings.loc[findings["measure"].eq("log_odds"), "subject"]
    named = {text: text.partition(":")[2] for text in words}
    kinds = findings.loc[findings["subject"].str.match("(?:category|polarity):"), "subject"]
    named |= {text: text.capitalize().replace(":", ": ") for text in kinds}
    for level in dict.fromkeys(findings.loc[findings["measure"].str.startswith("paradox"), "level"]):
        inner, _, rest = level.rpartition(", within ")
        column, _, stratum = rest.partition(": ")
        where = f"“{labels.get(column, column)}”"
        named[level] = f"{inner}, within {where}{': ' + stratum if stratum else ''}"
    return named


def read_paradoxes(rows: pd.DataFrame, quote: Callable[[Mapping, int], list[Markup]]) -> list[dict]:
    """Return each difference that turns round: its row, over_all and like side by side, within, chart and quotes.

    rows: from prepare_rows. Of a segment with two levels, whose paradoxes mirror each other, one is shown.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_paradoxes(prepare_rows(empty_table("findings")), None)
    []
    """
    of = rows[rows["section"].eq("segments") & rows["measure"].str.startswith("paradox")]
    records, found, seen = list_records(of.sort_values(["subject", "level", "finding_id"])), [], set()
    mains = sorted(
        (row for row in records if row["measure"] == "paradox"),
        key=lambda row: (row["p_adjusted"], row["level"]),
    )
    for row in mains:
        within = row["level"].rpartition(", within ")[2]
        mirror = (row["subject"], row["segment"], within, round(abs(row["value"]), 9))
        parts = [
            one for one in records
            if (one["subject"], one["segment"]) == (row["subject"], row["segment"])
            and (one["level"] == row["level"] or one["level"].startswith(f"{row['level']}: "))
        ]  # fmt: skip
        over_all = [one for one in parts if one["measure"] == "paradox_over_all"]
        if mirror in seen or not over_all:
            continue
        seen.add(mirror)
        inner = [one for one in parts if one["measure"] == "paradox_within"]
        names = [_OVER_ALL, f"within each level of {within}"]
        names += [f"only {one['level'].removeprefix(row['level'] + ': ')}" for one in inner]
        drawn = [
            one | {"label": name, "short": shorten_label(name), "level": None, "mark": _point(one)}
            for one, name in zip([*over_all, row, *inner], names, strict=True)
        ]
        found.append(
            row | {"group": row["level"].rpartition(", within ")[0], "within": within, "parts": drawn}
            | {"chart": _draw_paradox(drawn, row["label"]), "quotes": quote(row, 2)}
        )  # fmt: skip
    return found[:_MOST_PARADOXES]


def _point(row: Mapping) -> str:
    if row["low"] is None:
        return "not compared"
    return "higher" if row["low"] > 0 else "lower" if row["high"] < 0 else "too few to say"


def _draw_paradox(drawn: list[dict], label: str) -> Markup:
    order = pd.DataFrame(drawn)
    # They stay in this order: what is seen at first, then what is behind it.
    chart = chart_differences(order, title="less or more than the rest, with 95% interval", ordered=True)
    spoken = (
        f"{label}: the difference over all, within each level, and in each level alone; the table below holds the"
        " numbers."
    )
    title = "Against the rest: over all, and among people who are alike"
    return chart_html(chart, title=title, description=spoken, table=False)


def read_words(rows: pd.DataFrame, quote: Callable[[Mapping, int], list[Markup]]) -> list[dict]:
    """Return for each group and language the words that set it apart, the surest first, and a quote.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_words(prepare_rows(empty_table("findings")), None)
    []
    """
    of = rows[rows["section"].eq("segments") & rows["measure"].eq("log_odds")]
    of = of.assign(language=of["subject"].str.split(":").str[0]).sort_values(
        ["segment", "level", "language", "p", "subject"]
    )
    found = []
    for (segment, level, language), own in of.groupby(["segment", "level", "language"], sort=False):
        words = [
            row | {"number": row["label"], "here": format_number(row["share"], "%")}
            | {"there": format_number(row["compared_value"], "%")}
            for row in list_records(own.head(_MOST_WORDS).assign(share=own["value"]))
        ]  # fmt: skip
        found.append(
            {"segment": segment, "level": level, "language": name_language(language), "words": words,
             "quotes": quote(words[0], 1)}
        )  # fmt: skip
    return found


def read_adjusted(rows: pd.DataFrame, groups: list[dict]) -> list[dict]:
    """Return the adjusted differences of the groups shown, each with `raw`, the difference that was not adjusted.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_adjusted(prepare_rows(empty_table("findings")), [])
    []
    """
    of = rows[rows["section"].eq("segments") & rows["measure"].eq("difference_adjusted")]
    by = {(row["subject"], row["segment"], row["level"]): row for row in list_records(of)}
    pairs = [(row, by.get((row["subject"], row["segment"], row["level"]))) for row in groups]
    return [like | {"raw": row} for row, like in pairs if like]


def read_stages(rows: pd.DataFrame, codebook: pd.DataFrame, stages: list[str]) -> list[dict]:
    """Return for each language its stages, its topics with a cell a stage, the chart, and what helps and hinders.

    stages: in the order that the programme declares; others follow.

    >>> from vocwb.schemas import empty_table
    >>> from vocwb.share.rows import prepare_rows
    >>> read_stages(prepare_rows(empty_table("findings")), empty_table("codebook"), [])
    []
    """
    of = rows[rows["section"].eq("stages")]
    found = []
    language_of = dict(zip(codebook["topic"], codebook["language"], strict=True))
    languages = of["subject"].map(language_of).fillna(of["subject"].str.split(":").str[-1])
    for language, own in sorted(dict(tuple(of.groupby(languages))).items()):
        places = [*stages, *sorted(set(own["level"]) - set(stages))]
        heard = {row["level"]: row for row in list_records(own[own["measure"].eq("heard")])}
        cells = _fill_cells(own[own["measure"].eq("share")], places)
        if cells.empty:
            continue
        name = name_language(language)
        spoken = (
            f"{name}: the share that mentions each topic at each stage; the table below holds the numbers."
        )
        title = f"Share of respondents at a stage who mention a topic, {name}"
        chart = chart_cells(cells, levels=places, title="% of those heard at the stage")
        factors = {
            side: _list_factors(own[own["measure"].eq(side)], places) for side in ("helping", "hindering")
        }
        strips = [list_records(strip) for _, strip in cells.groupby("row")]
        found.append(
            {"language": name, "stages": [heard[stage] for stage in places if stage in heard], "strips": strips,
             "empty": [stage for stage in places if stage in heard and heard[stage]["value"] == 0],
             "chart": chart_html(chart, title=title, description=spoken, table=False),
             "factors": [(stage, factors["helping"].get(stage, []), factors["hindering"].get(stage, []))
                         for stage in places if stage in factors["helping"] or stage in factors["hindering"]]}
        )  # fmt: skip
    return found


def _fill_cells(shares: pd.DataFrame, places: list[str]) -> pd.DataFrame:
    """Return the cells with the topic's place, the largest first, and what is written in each."""
    size = shares.assign(
        k=shares["value"].where(shares["unit"].eq("count"), shares["value"] * shares["n"].astype(float) / 100)
    )
    size = size.groupby("subject")["k"].sum().sort_index().sort_values(ascending=False, kind="stable")
    state = (
        pd.Series("share", shares.index)
        .mask(shares["unit"].eq("count"), "count")
        .mask(shares["n"].eq(0), "empty")
    )
    state = state.mask(shares["verdict"].eq(HIDDEN), "hidden")
    written = shares["number"].where(
        state.isin(["share", "count"]), state.map({"hidden": "hidden", "empty": "–"})
    )
    cells = shares.assign(
        row=shares["subject"].map({topic: place for place, topic in enumerate(size.index)}),
        short=[shorten_label(label) for label in shares["label"]],
        state=state, number=written, value=shares["value"].where(state.eq("share")),
        place=shares["level"].map({stage: place for place, stage in enumerate(places)}),
    )  # fmt: skip
    return cells.sort_values(["row", "place"], ignore_index=True)


def _list_factors(rows: pd.DataFrame, places: list[str]) -> dict[str, list[dict]]:
    rows = rows[rows["value"].gt(0)]
    rows = rows.sort_values(["value", "subject"], ascending=[False, True])
    return {
        stage: list_records(rows[rows["level"].eq(stage)])
        for stage in places
        if rows["level"].eq(stage).any()
    }
