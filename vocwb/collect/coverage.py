"""Who was heard, through what and until when, with what is absent shown as nought; and who is silent."""

import numpy as np
import pandas as pd

from vocwb.collect.panels import CONTACTS, make_panel
from vocwb.crosswalk import Source
from vocwb.programme import Programme
from vocwb.schemas import join_responses, make_findings
from vocwb.stats import compare_shares, judge_family, show_level

DIMENSIONS = {
    "channel": "channel",
    "mode": "way of listening",
    "who_started": "who started",
    "population": "population",
    "stage": "journey stage",
    "voice": "voice",
    "language": "language",
}
"""What coverage is counted by, with the words that a reader sees."""

_ORDER = ["source", "channel", "mode", "who_started", "stage", "population", "language", "voice"]
_OF_LOGS = ["source", "channel", "mode", "who_started"]
_COUNTED = ["responses", "verbatims", "events", "measurements"]
_KEY = ["voice", "dimension", "level", "counted"]


def measure_coverage(responses: pd.DataFrame, feedback: pd.DataFrame, *, month: str) -> pd.DataFrame:
    """Return findings (section "coverage"): responses of `month` by channel, mode, stage, language and so on.

    Needs the tables `responses` and `feedback` of all months: a value that occurs in another month and not in
    this one is a finding of nought. Language counts verbatims, the others responses; duplicates are left out.
    value is a count (unit "count") and n the total that it is part of; a count of what arrived is exact, so
    it has no interval, and says nothing of those who were silent.

    >>> responses = pd.DataFrame({"response_id": ["a", "b"], "month": ["2025-01", "2025-02"], "channel": ["sms", "web"],
    ...     "mode": "direct", "who_started": "company", "population": "all", "stage": None, "voice": "customer",
    ...     "duplicate_of": None})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "response_id": ["a"], "language": ["en"], "duplicate_of": None})
    >>> found = measure_coverage(responses, feedback, month="2025-02")
    >>> found.loc[found["subject"] == "channel", ["level", "value", "n"]].values.tolist()
    [['web', 1.0, 1], ['sms', 0.0, 1]]
    """
    opinions = join_responses(feedback, responses)
    kept = responses[responses["duplicate_of"].isna()]
    said = opinions.groupby("response_id")["feedback_id"].agg(list)
    rows = []
    for dimension, words in DIMENSIONS.items():
        frame, noun = (opinions, "verbatims") if dimension == "language" else (kept, "responses")
        levels = frame[dimension].fillna("not given")
        now = frame["month"] == month
        counts = levels[now].value_counts().reindex(sorted(levels.unique()), fill_value=0)
        for level, count in counts.sort_values(ascending=False, kind="stable").items():
            here = frame[now & (levels == level)]
            ids = (
                here["feedback_id"]
                if dimension == "language"
                else said.reindex(here["response_id"]).dropna().explode()
            )
            rows.append(
                {
                    "period": month,
                    "subject": dimension,
                    "measure": "count",
                    "segment": dimension,
                    "level": level,
                    "value": count,
                    "n": int(now.sum()),
                    "unit": "count",
                    "claim": f"{count:,} of {now.sum():,} {noun} in {month}: {words} {level}.",
                    "method": "count of what arrived, without duplicates",
                    "feedback_ids": sorted(ids),
                }
            )
    return make_findings(rows, section="coverage", month=month)


def count_coverage(
    responses: pd.DataFrame,
    feedback: pd.DataFrame,
    programme: Programme,
    *,
    events: pd.DataFrame | None = None,
    behaviour: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return what arrived by source, channel, mode, who started, stage, population, language and voice.

    Needs the tables `responses` and `feedback`, and the logs `events` and `behaviour` where there are any. A
    row for each level that the programme declares or the data holds, customers and staff apart: voice,
    dimension, level, counted (responses; verbatims for the language; events and measurements of logs), total,
    share (% of all that is counted so), first_day, last_day (the cut-off, in the programme's timezone), says, and
    a column of counts for each month, "undated" the last. Duplicates are left out. What is absent is 0; a count
    below the programme's minimum group is missing. Counts are exact, so they have no interval.

    says: what is declared and did not arrive, months without data in the middle, what ends before the last month.

    >>> from vocwb.programme import parse_programme
    >>> from vocwb.schemas import empty_table
    >>> programme = parse_programme('''
    ... title: T
    ... question: Why?
    ... goal: loyalty
    ... sources: [{name: mail, files: m.csv, channel: mail, who_started: customer, mode: direct, undated: true,
    ...            verbatims: {comment: text}}]''', name="t")
    >>> found = count_coverage(empty_table("responses"), empty_table("feedback"), programme)
    >>> found.loc[found["dimension"] == "channel", ["level", "total", "says"]].values.tolist()
    [['mail', 0, 'declared, nothing arrived']]
    """
    logs = {"events": events, "measurements": behaviour}
    logs = {name: _describe_log(log, programme) for name, log in logs.items() if log is not None}
    kept = responses[responses["duplicate_of"].isna()].rename(columns={"received_at": "at"})
    said = join_responses(feedback, responses).rename(columns={"received_at": "at"})
    tallies = [_tally(kept, name, "responses") for name in _ORDER if name != "language"]
    tallies.append(_tally(said, "language", "verbatims"))
    tallies += [_tally(log, name, counted) for counted, log in logs.items() for name in _OF_LOGS]
    tally = pd.concat([part for part in tallies if len(part)] or tallies[:1], ignore_index=True)

    dated = sorted(set(tally["month"]) - {"undated"})
    months = [str(month) for month in pd.period_range(dated[0], dated[-1], freq="M")] if dated else []
    months += ["undated"] * ("undated" in set(tally["month"]))
    counts = tally.pivot_table(index=_KEY, columns="month", values="size", aggfunc="sum", fill_value=0)
    declared = pd.MultiIndex.from_tuples(_list_declared(programme, logs), names=_KEY)
    counts = counts.reindex(index=declared.union(counts.index), columns=months, fill_value=0).astype("int64")
    days = tally.groupby(_KEY).agg(first_day=("min", "min"), last_day=("max", "max")).reindex(counts.index)

    table = counts.sum(axis=1).rename("total").to_frame().reset_index()
    table = table.assign(**{name: _name_days(days[name], programme) for name in days})
    minimum = table["voice"].map(
        {"customer": programme.minimum_group, "employee": programme.minimum_group_staff}
    )
    every = table.groupby(["voice", "dimension", "counted"])["total"].transform("sum")
    shown = [show_level(*both) == "percentages" for both in zip(every, minimum, strict=True)]
    hidden = table["total"].between(1, minimum - 1)
    says = [_say_months(row, months) for row in counts.to_numpy()]
    shares = (100 * table["total"] / every.where(shown)).round(1)
    table = table.assign(
        many=-table["total"],
        place=table["dimension"].map(_ORDER.index),
        last=table["counted"].map(_COUNTED.index),
        total=table["total"].astype("Int64").mask(hidden),
        share=shares.mask(hidden),
        first_day=table["first_day"].mask(hidden),
        last_day=table["last_day"].mask(hidden),
        says=pd.Series(says, dtype="str").mask(hidden, "arrived, too few to show"),
    )
    few = counts.gt(0) & counts.lt(minimum.to_numpy(), axis=0)
    table[months] = counts.astype("Int64").mask(few).to_numpy()
    table = table.sort_values(["voice", "place", "last", "many", "level"], ignore_index=True)
    return table[[*_KEY, "total", "share", "first_day", "last_day", "says", *months]].astype(
        dict.fromkeys(months, "Int64")
    )


def find_silent(
    responses: pd.DataFrame, events: pd.DataFrame, behaviour: pd.DataFrame, programme: Programme
) -> pd.DataFrame:
    """Return a panel of the customers that logs know and no response is of, and of how many answered when asked.

    Needs responses: source, channel, voice, who_started, respondent_id, received_at; events: source, channel,
    kind, respondent_id, at; behaviour: source, respondent_id, month, measure, value. Staff, and groups as of
    focus groups, are left out. Each customer counts once. For each measure (its mean over the customer's months;
    "months seen" is one) customers are split at the terciles, ties together, and the highest compared with the
    lowest: difference (percentage points), verdict by stats.judge_family over all measures, corrected together.
    Who was seen for longer had more time to speak: read the other rows beside "months seen". It is association,
    and what silent customers think is not known.

    The answer rate of a channel is of those to whom an event of `panels.CONTACTS` in the same channel was sent.

    >>> from vocwb.schemas import empty_table
    >>> tables = [empty_table(name) for name in ("responses", "events", "behaviour")]
    >>> find_silent(*tables, Programme.model_construct(sources=[]))["says"].tolist()
    ['No source says who was there and said nothing.']
    """
    minimum = programme.minimum_group
    apart = {one.name for one in programme.sources if one.voice == "employee" or one.unit == "group"}
    responses, events, behaviour = (
        frame[~frame["source"].isin(apart) & frame["respondent_id"].notna()]
        for frame in (responses[responses["voice"].eq("customer")], events, behaviour)
    )
    seen = np.union1d(events["respondent_id"].unique(), behaviour["respondent_id"].unique())
    heard = set(responses["respondent_id"])
    what = "silent, of all in a log"
    if not len(seen):
        rows = [{"what": what, "says": "No source says who was there and said nothing."}]
    elif not heard.intersection(seen):
        says = "No respondent stands in a log and in the responses: they cannot be joined."
        rows = [{"what": what, "says": says}]
    else:
        silent = pd.Series(~pd.Index(seen).isin(heard), seen)
        rows = [{"what": what, "count": silent.sum(), "n": len(silent), "estimate": True}]
        rows += _compare_silence(silent, behaviour, programme)
    rows += _rate_answers(responses, events, programme)
    return make_panel(rows, minimum=minimum)


def _describe_log(log: pd.DataFrame, programme: Programme) -> pd.DataFrame:
    """Return a log with what its sources say of it: voice, mode, who_started, channel."""
    of = {source.name: source for source in programme.sources}
    names = log["source"].unique()
    about = {
        name: log["source"].map({one: getattr(of.get(one), name, None) for one in names}).astype("str")
        for name in ("voice", "mode", "who_started", "channel")
    }
    return log.assign(**about | ({"channel": log["channel"]} if "channel" in log else {}))


def _tally(frame: pd.DataFrame, dimension: str, counted: str) -> pd.DataFrame:
    """Return how often, and from when to when, each level occurs in each month."""
    by = {
        "voice": frame["voice"].astype("str").fillna("customer"),
        "level": frame[dimension].astype("str").fillna("not given"),
        "month": frame["month"].astype("str").replace("all", "undated"),
    }
    found = frame["at"].groupby([column.rename(name) for name, column in by.items()])
    return found.agg(["size", "min", "max"]).reset_index().assign(dimension=dimension, counted=counted)


def _list_declared(programme: Programme, logs: dict[str, pd.DataFrame]) -> list[tuple]:
    """Return the keys of the rows that there must be, whatever arrived."""
    found = []
    for source in programme.sources:
        counted = "events" if source.events else "measurements" if source.measures else "responses"
        if counted != "responses" and counted not in logs:
            continue
        names = [name for name in _ORDER if name != "language"] if counted == "responses" else _OF_LOGS
        levels = {name: source.name if name == "source" else getattr(source, name) for name in names}
        found += [(source.voice, name, level, counted) for name, level in levels.items() if level]
        if counted == "responses":
            found += [(source.voice, "language", code, "verbatims") for code in programme.languages]
    return list(dict.fromkeys(found))


def _name_days(times: pd.Series, programme: Programme) -> list[str | None]:
    local = pd.to_datetime(times, utc=True).dt.tz_convert(programme.timezone)
    return pd.Series(local.dt.strftime("%Y-%m-%d")).astype("str").array


def _say_months(counts: np.ndarray, months: list[str]) -> str:
    if not counts.any():
        return "declared, nothing arrived"
    dated = [(month, count) for month, count in zip(months, counts, strict=True) if month != "undated"]
    there = [at for at, (_, count) in enumerate(dated) if count]
    if not there:
        return "without dates"
    gaps = [month for month, count in dated[there[0] : there[-1]] if not count]
    named = ", ".join(gaps) if len(gaps) <= 3 else f"{len(gaps)} months between {gaps[0]} and {gaps[-1]}"
    ended = f"nothing after {dated[there[-1]][0]}" if there[-1] < len(dated) - 1 else ""
    return "; ".join(filter(None, [gaps and f"nothing in {named}", ended]))


def _compare_silence(silent: pd.Series, behaviour: pd.DataFrame, programme: Programme) -> list[dict]:
    """Return the share of silent customers by each measure in up to three groups, the highest against the lowest."""
    if behaviour.empty:
        return []
    measures = behaviour.groupby(["respondent_id", "measure"])["value"].mean().unstack()
    measures["months seen"] = behaviour.groupby("respondent_id")["month"].nunique()
    rows, ends = [], []
    for measure in measures:
        groups = _split_thirds(measures[measure].dropna())
        if len(groups) < 2:
            continue
        counts = [(silent[ids].sum(), len(ids)) for ids in groups.values()]
        rows += [
            {"what": f"silent, by {measure}", "level": level, "count": count, "n": n, "estimate": True}
            for level, (count, n) in zip(groups, counts, strict=True)
        ]
        ends.append((len(rows) - 1, *counts[-1], *counts[0]))
    if not ends:
        return rows
    at, *pairs = (list(column) for column in zip(*ends, strict=True))
    cells = 100 * compare_shares(*pairs)
    smaller = np.minimum(pairs[1], pairs[3])
    cells = cells.assign(p=cells["p"] / 100, show=[show_level(n, programme.minimum_group) for n in smaller])
    judged = judge_family(cells, smallest=programme.smallest["share"])
    for place, cell in zip(at, judged.to_dict("records"), strict=True):
        difference, low, high = (f"{cell[name]:+.1f}" for name in ("difference", "low", "high"))
        against = f"{difference} points against the lowest ({low} to {high}): "
        says = ("" if pd.isna(cell["difference"]) else against) + cell["verdict"]
        rows[place] |= {"difference": round(cell["difference"], 1), "verdict": cell["verdict"], "says": says}
    return rows


def _split_thirds(values: pd.Series) -> dict[str, pd.Index]:
    """Return the ids of the lowest, middle and highest third; equal values stay together, so there may be two."""
    low, high = values.quantile([1 / 3, 2 / 3])
    if not (values > low).any():  # most have the highest value of all
        low = high = values[values < low].max()
    cuts = [
        (f"up to {_write(low)}", values <= low),
        (f"up to {_write(high)}", (values > low) & (values <= high)),
        (f"over {_write(high)}", values > high),
    ]
    cuts = [(level, values.index[inside]) for level, inside in cuts if inside.any()]
    names = ["lowest", *["middle"] * (len(cuts) - 2), "highest"]
    return {f"{name}: {level}": ids for name, (level, ids) in zip(names, cuts, strict=False)}


def _write(number: float) -> str:
    return f"{number:,.2f}".rstrip("0").rstrip(".")


def _rate_answers(responses: pd.DataFrame, events: pd.DataFrame, programme: Programme) -> list[dict]:
    """Return for each channel that the company asks in how many of those asked answered, where it is known."""
    asked = events[events["kind"].isin(CONTACTS)].groupby(["channel", "respondent_id"])["at"].min()
    asked = asked.rename("asked_at").reset_index()
    rows = []
    for channel in sorted({one.channel for one in programme.sources if _is_survey(one)}):
        answers = responses[responses["channel"].eq(channel)]
        of = asked[asked["channel"].eq(channel)]
        row = {"what": "answer rate", "level": channel}
        if of.empty:
            n = answers["respondent_id"].nunique()
            known = f"{n:,}" if n >= programme.minimum_group else f"fewer than {programme.minimum_group}"
            rows.append(row | {"says": f"{known} customers answered; no source says who was asked"})
            continue
        later = answers.merge(of, on="respondent_id")
        later = later[~(later["received_at"] < later["asked_at"])]
        rows.append(row | {"count": later["respondent_id"].nunique(), "n": len(of), "estimate": True})
    return rows


def _is_survey(source: Source) -> bool:
    asks = source.who_started == "company" and source.voice == "customer" and source.unit == "person"
    return asks and bool(source.channel) and not (source.events or source.measures)
