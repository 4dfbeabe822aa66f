"""Panels of the logs: contact pressure, the funnel of messages, and what the help centre shows.

A panel is a table for reading. Its columns: what, level, count, n (that the count is part of), share, low and high
(% of n), says. A share is shown from 30 on, and has a 95% interval where it estimates what others would do; what
was merely counted is exact and has none. A group below the programme's minimum loses its numbers.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from vocwb.stats import cluster_share_interval, share_interval, show_level

CONTACTS = ("sent", "invited", "reminded", "called")
"""The kinds of events by which the company turns to a respondent."""

STEPS = ("sent", "opened", "clicked", "answered", "unsubscribed")
"""The steps of a message's funnel; each is counted among those to whom it was sent."""

_PANEL = ["what", "level", "count", "n", "share", "low", "high", "says"]
_VISITOR = ["respondent_id", "session_id"]


def make_panel(rows: Iterable[dict] | pd.DataFrame, *, minimum: int = 5) -> pd.DataFrame:
    """Return rows as a panel: with share, low and high in %, and without the numbers of groups below `minimum`.

    Needs in each row: what; and any of level, count, n, says, low and high (0-1, of an interval made elsewhere),
    estimate (true: Wilson's interval of count in n). Further columns are kept. A row without n only says.

    >>> rows = [{"what": "silent", "level": level, "count": 3, "n": n, "estimate": True}
    ...         for level, n in (("a", 30), ("b", 4))]
    >>> make_panel(rows)[["level", "count", "n", "share", "low"]].fillna(0).values.tolist()
    [['a', 3, 30, 10.0, 3.5], ['b', 0, 0, 0.0, 0.0]]
    """
    frame = pd.DataFrame(rows if isinstance(rows, pd.DataFrame) else list(rows))
    frame = frame.reindex(columns=list(dict.fromkeys([*_PANEL, "estimate", *frame]))).reset_index(drop=True)
    count, n = frame["count"].astype(float), frame["n"].astype(float)
    shown = n.map(lambda size: show_level(size, minimum))
    hidden = n.notna() & shown.eq("hidden")
    low, high = share_interval(count, n)
    wilson = frame.pop("estimate").eq(True)
    numbers = {
        "share": count / n.where(n > 0),
        "low": frame["low"].astype(float).mask(wilson, low),
        "high": frame["high"].astype(float).mask(wilson, high),
    }
    for name, values in numbers.items():
        frame[name] = (100 * values).where(shown.eq("percentages")).round(1)
    says = frame["says"].astype("str").fillna("")
    return frame.assign(
        count=count.mask(hidden).round().astype("Int64"),
        n=n.mask(hidden).round().astype("Int64"),
        says=says.mask(hidden, f"hidden: fewer than {minimum}"),
        level=frame["level"].astype("str").fillna(""),
    )


def measure_pressure(
    events: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    minimum: int = 5,
    cap: int = 4,
    within: int = 30,
    kinds: Iterable[str] = CONTACTS,
) -> pd.DataFrame:
    """Return a panel of how often the company turns to a customer, and how many then unsubscribe.

    Needs events: channel, kind, subject, respondent_id, at, month; responses: channel, who_started, voice,
    respondent_id, received_at, month, duplicate_of. A contact is an event of `kinds`, and a response that the
    company asked for, in channels whose invitations no log holds; who was asked and did not answer is then
    unknown, so pressure is at least what it says. `cap` is the number of contacts a month to be kept to.

    Rows: contacts of a customer in a month; customers above the cap in some month; the share that unsubscribed
    after the first, second ... contact `within` days (of those who had not before: a discrete hazard, Singer
    and Willett 1993, J. Educational Statistics 18); customers contacted in a channel that they had unsubscribed from.

    >>> days = pd.to_datetime(["2025-01-01", "2025-01-09"], utc=True)
    >>> events = pd.DataFrame({"channel": "mail", "kind": "sent", "subject": ["a", "b"], "respondent_id": "p",
    ...                        "at": days, "month": "2025-01"})
    >>> none = pd.DataFrame(columns=["channel", "who_started", "voice", "respondent_id", "received_at", "month",
    ...                              "duplicate_of"])
    >>> measure_pressure(events, none, minimum=1)[["level", "count", "n"]].values.tolist()[1]
    ['2', 1, 1]
    """
    contacts = _list_contacts(events, responses, kinds)
    if contacts.empty:
        return make_panel(
            [{"what": "contacts", "says": "No source says whom the company wrote to or asked."}]
        )
    dated = contacts[contacts["at"].notna()].sort_values(
        ["respondent_id", "at", "channel"], ignore_index=True
    )
    by_month = dated.groupby(["respondent_id", "month"]).size()
    levels = [*map(str, range(1, cap + 1)), f"more than {cap}"]
    month_counts = np.bincount(by_month.clip(upper=cap + 1), minlength=cap + 2)[1:]
    rows = [
        {"what": "contacts of a customer in a month", "level": level, "count": count, "n": len(by_month)}
        for level, count in zip(levels, month_counts, strict=True)
    ]
    above = by_month[by_month > cap].index.get_level_values(0).nunique()
    people = dated["respondent_id"].nunique()
    rows.append(
        {"what": "customers above the cap in some month", "level": levels[-1], "count": above, "n": people}
    )
    if len(dated) < len(contacts):
        undated = len(contacts) - len(dated)
        rows.append({"what": "contacts without a date", "count": undated, "n": len(contacts)})

    left = events[events["kind"].eq("unsubscribed") & events["respondent_id"].notna() & events["at"].notna()]
    if left.empty:
        rows.append({"what": "unsubscribed after a contact", "says": "No log says who unsubscribed."})
        return make_panel(rows, minimum=minimum)
    first = left.groupby("respondent_id")["at"].min()
    dated["left_at"] = dated["respondent_id"].map(first)
    at_risk = dated[~(dated["at"] > dated["left_at"])]
    pressure = _count_recent(dated, within)[at_risk.index]
    last = ~at_risk["respondent_id"].duplicated(keep="last")
    left_then = last & at_risk["left_at"].notna()
    rows += [
        {
            "what": f"unsubscribed after a contact, by contacts within {within} days",
            "level": level,
            "count": left_then[group].sum(),
            "n": group.sum(),
            "estimate": True,
        }
        for at, level in enumerate(levels, 1)
        if (group := pressure.clip(upper=cap + 1).eq(at)).any()
    ]
    gone = left.groupby(["respondent_id", "channel"])["at"].min().rename("gone_at").reset_index()
    again = gone.merge(dated[["respondent_id", "channel", "at"]])
    again = again.loc[again["at"] > again["gone_at"], ["respondent_id", "channel"]].drop_duplicates()
    rows.append(
        {"what": "contacted in a channel after unsubscribing from it", "count": len(again), "n": len(gone)}
    )
    return make_panel(rows, minimum=minimum)


def count_funnel(events: pd.DataFrame, *, minimum: int = 5, steps: Iterable[str] = STEPS) -> pd.DataFrame:
    """Return a panel of what became of the messages sent, in all and by message; level is the step.

    Needs channel, kind, subject, respondent_id, session_id. Each respondent counts once a message and step, and
    only if the message was sent to them, so every step is part of n, the sent. The rows of all messages of a
    channel come first; their intervals hold that one customer gets several (cluster_share_interval). A step that no
    log of the channel knows has no row: it is unknown, not nought. Adds channel and message.

    >>> events = pd.DataFrame({"channel": "mail", "kind": ["sent", "opened", "opened"], "subject": "N1",
    ...                        "respondent_id": "p", "session_id": None})
    >>> count_funnel(events, minimum=1)[["message", "level", "count", "n"]].values.tolist()[:2]
    [['all messages', 'sent', 1, 1], ['all messages', 'opened', 1, 1]]
    """
    steps = list(steps)
    frame = pd.DataFrame({
        "channel": events["channel"], "message": events["subject"].fillna("without a name"),
        "unit": _name_visitors(events), "kind": events["kind"],
    }).drop_duplicates()  # fmt: skip
    sent = frame[frame["kind"].eq(steps[0]) & frame["unit"].notna()]
    if sent.empty:
        return make_panel([{"what": "messages", "says": "No source says to whom a message was sent."}])
    sent = sent.drop(columns="kind").sort_values(["channel", "message", "unit"], ignore_index=True)
    rows = []
    for channel, of_channel in sent.groupby("channel", sort=True):
        known = frame[frame["channel"].eq(channel)]
        hits = of_channel[["message", "unit"]].reset_index(drop=True)
        for step in steps:
            done = known.loc[known["kind"].eq(step), ["message", "unit"]]
            if len(done):
                hits[step] = pd.MultiIndex.from_frame(hits[["message", "unit"]]).isin(
                    pd.MultiIndex.from_frame(done)
                )
        counts = hits.drop(columns="unit").groupby("message").sum()
        for step in hits.columns[2:]:
            _, low, high = cluster_share_interval(hits[step], hits["unit"])
            row = {"what": "messages", "channel": channel, "level": step, "estimate": False}
            ends = {} if step == steps[0] else {"low": low, "high": high}
            rows.append(row | ends | {"message": "all messages", "count": hits[step].sum(), "n": len(hits)})
            rows += [
                row | {"message": message, "count": count, "n": n, "estimate": step != steps[0]}
                for message, count, n in zip(counts.index, counts[step], counts[steps[0]], strict=True)
            ]
    panel = pd.DataFrame(rows)
    panel["all"] = panel["message"].ne("all messages")
    panel["step"] = panel["level"].map({step: at for at, step in enumerate(steps)})
    panel = panel.sort_values(["channel", "all", "message", "step"]).drop(columns=["all", "step"])
    return make_panel(panel, minimum=minimum)


def read_help_log(
    events: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    minimum: int = 5,
    days: int = 7,
    articles: Iterable[str] = ("article", "read"),
    searches: Iterable[str] = ("search",),
    tickets: Iterable[str] = ("ticket",),
) -> pd.DataFrame:
    """Return a panel of what visitors of the help centre read and search, and after what they write a ticket.

    Needs events: event_id, kind, subject, value, respondent_id, session_id, at; responses: channel,
    respondent_id, session_id, received_at, duplicate_of. articles, searches: kinds of events; tickets: kinds of
    events and channels of responses. A search with value 0 found nothing; one without a value is not counted
    among them. A visitor is a respondent, else a session, and counts once an article or query; a ticket follows
    if the same respondent or session wrote one within `days` after. An article or a query of fewer than
    `minimum` visitors stands in one row with the others, without its words: a query can identify a person.

    >>> events = pd.DataFrame({"event_id": ["1", "2"], "kind": ["article", "ticket"], "subject": ["KB-1", None],
    ...     "value": None, "respondent_id": None, "session_id": "s",
    ...     "at": pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True)})
    >>> responses = pd.DataFrame(columns=["channel", "respondent_id", "session_id", "received_at", "duplicate_of"])
    >>> read_help_log(events, responses, minimum=1)[["what", "level", "count", "n"]].values.tolist()[:2]
    [['article read', 'KB-1', 1, 1], ['ticket after reading', 'all articles', 1, 1]]
    """
    log = events[events["kind"].isin([*articles, *searches])]
    if log.empty:
        return make_panel([{"what": "help centre", "says": "No source logs what is read or searched for."}])
    log = log.assign(visitor=_name_visitors(log), what=_fold_spaces(log["subject"]).fillna("without a name"))
    log = _follow(log, _list_tickets(events, responses, tickets), days)
    reads, asked = log[log["kind"].isin(articles)], log[log["kind"].isin(searches) & log["value"].notna()]
    asked = asked.assign(none=asked["value"].eq(0), what=asked["what"].str.lower())
    parts = []
    if len(reads):
        parts.append(_rank_subjects(reads, "article read", minimum))
        parts.append(_count_tickets(reads, "ticket after reading", "all articles"))
        known = reads[reads["followed"] & reads["visitor"].notna()]
        pairs = known.groupby(["what", "visitor"])["ticket"].any()
        found = pairs.groupby("what").agg(["sum", "size"]).set_axis(["count", "n"], axis=1).reset_index()
        found = found[found["n"] >= minimum].sort_values(["n", "what"], ascending=[False, True])
        parts.append(
            found.rename(columns={"what": "level"}).assign(what="ticket after reading", estimate=True)
        )
    if len(asked):
        parts.append(
            _count_tickets(asked.assign(followed=True, ticket=asked["none"]), "search without result", "all")
        )
        parts.append(_rank_subjects(asked[asked["none"]], "searched for in vain", minimum, of=asked))
        for found, level in ((False, "something was found"), (True, "nothing was found")):
            parts.append(_count_tickets(asked[asked["none"].eq(found)], "ticket after a search", level))
    return make_panel(pd.concat([part for part in parts if len(part)], ignore_index=True), minimum=minimum)


def measure_deflection(
    events: pd.DataFrame,
    responses: pd.DataFrame,
    *,
    minimum: int = 5,
    days: int = 7,
    visits: Iterable[str] = ("article", "read", "search"),
    tickets: Iterable[str] = ("ticket",),
    resolutions: Iterable[str] = ("resolved",),
) -> pd.DataFrame:
    """Return a panel of the three figures that are published as ticket deflection; they cannot be compared.

    Needs the columns of `read_help_log`, and month. A visit is a session, without one what a visitor did on a day;
    visits, resolutions: kinds of events; tickets: channels of responses, where there are none kinds of events.
    Only months that have both are counted. level names the variant of the registry of metrics:
    - deflection_sessions: count visits, and says how many for each user with a ticket; a ratio of what was logged;
    - deflection_visits: visits that no ticket of the same respondent or session follows within `days`, of those that
      can be joined to tickets (a visitor who gives up counts among them);
    - deflection_resolved: resolutions, of resolutions and tickets.

    >>> events = pd.DataFrame({"kind": ["article", "article", "ticket"], "month": "2025-01", "respondent_id": None,
    ...     "session_id": ["s", "t", "t"], "at": pd.to_datetime(["2025-01-01"] * 3, utc=True)})
    >>> none = pd.DataFrame(columns=["channel", "respondent_id", "session_id", "received_at", "month", "duplicate_of"])
    >>> measure_deflection(events, none, minimum=1)[["level", "count", "n"]].values.tolist()[:2]
    [['deflection_sessions', 2, <NA>], ['deflection_visits', 1, 2]]
    """
    log, solved = (events[events["kind"].isin(list(kinds))] for kinds in (visits, resolutions))
    asked = responses["channel"].isin(list(tickets))
    written = _list_tickets(events.head(0) if asked.any() else events, responses, tickets)
    names = "help-centre sessions for each user with a ticket", "visits that no contact follows"
    says = "No source logs visits." if log.empty else "No month has both visits and tickets."
    both = set(log["month"]) & set(written["month"])
    log, solved, written = (one[one["month"].isin(both)] for one in (log, solved, written))
    rows = [{"what": name, "says": says} for name in names]
    if both:
        log = _follow(log, written, days)
        log = log.assign(visitor=_name_visitors(log), day=log["at"].dt.strftime("%Y-%m-%d"))
        log["visit"] = log["session_id"].astype("str").fillna(log["visitor"] + " " + log["day"])
        seen = log.groupby("visit").agg({"visitor": "first", "ticket": "any", "followed": "any"})
        users = _name_visitors(written).nunique()
        ratio = f"{len(seen) / max(users, 1):.1f} for each of {users:,} users with a ticket"
        rows[0] |= {"count": len(seen), "says": ratio}
        if users < minimum:
            rows[0] |= {"count": None, "says": f"hidden: fewer than {minimum}"}
        rows[1] = _count_tickets(seen.assign(ticket=~seen["ticket"]), names[1], "").iloc[0].to_dict()
    resolved = {"what": "resolutions among resolutions and tickets"}
    if solved.empty:
        rows.append(resolved | {"says": "No log says what was resolved without a ticket."})
    else:
        ended = pd.concat([solved.assign(ticket=True), written.assign(ticket=False)])
        ended = ended.assign(visitor=_name_visitors(ended), followed=True)
        rows.append(_count_tickets(ended, resolved["what"], "").iloc[0].to_dict())
    variants = "deflection_sessions", "deflection_visits", "deflection_resolved"
    return make_panel(pd.DataFrame(rows).assign(level=variants), minimum=minimum)


def _name_visitors(events: pd.DataFrame) -> pd.Series:
    return events["respondent_id"].astype("str").fillna(events["session_id"].astype("str"))


def _fold_spaces(texts: pd.Series) -> pd.Series:
    return texts.astype("str").str.normalize("NFKC").str.split().str.join(" ")


def _list_contacts(events: pd.DataFrame, responses: pd.DataFrame, kinds: Iterable[str]) -> pd.DataFrame:
    """Return respondent_id, channel, at and month of each contact."""
    logged = events[events["kind"].isin(list(kinds))]
    asked = responses[responses["who_started"].eq("company") & responses["voice"].eq("customer")]
    asked = asked[asked["duplicate_of"].isna() & ~asked["channel"].isin(logged["channel"])]
    columns = ["respondent_id", "channel", "at", "month"]
    logged = logged.drop_duplicates([*columns, "subject"])
    parts = [logged[columns], asked.rename(columns={"received_at": "at"})[columns]]
    contacts = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return contacts[contacts["respondent_id"].notna()]


def _count_recent(contacts: pd.DataFrame, days: int) -> pd.Series:
    """Return how many contacts the same respondent had in the `days` before each, itself included (sorted rows)."""
    seconds = (contacts["at"] - contacts["at"].min()).dt.total_seconds().to_numpy()
    people = pd.factorize(contacts["respondent_id"])[0]
    # People stand so far apart on one line that no window reaches from one into the next.
    line = people * (seconds.max() + 2 * days * 86_400) + seconds
    first = np.searchsorted(line, line - days * 86_400, side="right")
    return pd.Series(np.arange(len(line)) - first + 1, contacts.index)


def _list_tickets(events: pd.DataFrame, responses: pd.DataFrame, kinds: Iterable[str]) -> pd.DataFrame:
    columns = [*_VISITOR, "at", "month"]
    logged = events[events["kind"].isin(list(kinds))].reindex(columns=columns)
    written = responses[responses["channel"].isin(list(kinds)) & responses["duplicate_of"].isna()]
    written = written.rename(columns={"received_at": "at"}).reindex(columns=columns)
    both = pd.concat([part for part in (logged, written) if len(part)] or [logged], ignore_index=True)
    return both[both["at"].notna()]


def _follow(log: pd.DataFrame, tickets: pd.DataFrame, days: int) -> pd.DataFrame:
    """Return a log with ticket (one follows within `days`) and followed (one could be seen to)."""
    joined = [log[name].notna() & tickets[name].notna().any() for name in _VISITOR]
    followed = log["at"].notna() & np.logical_or.reduce(joined)
    return log.assign(ticket=_is_followed(log, tickets, days), followed=followed)


def _is_followed(log: pd.DataFrame, tickets: pd.DataFrame, days: int) -> pd.Series:
    """Return whether the same respondent or session wrote a ticket within `days` after each event."""
    followed = pd.Series(False, log.index)
    for name in _VISITOR:
        seen, written = (
            frame.loc[frame[name].notna() & frame["at"].notna(), [name, "at"]]
            .astype({name: "str"})
            .sort_values("at")
            for frame in (log, tickets)
        )
        if seen.empty or written.empty:
            continue
        found = pd.merge_asof(
            seen.rename_axis("row").reset_index(), written.assign(ticket=True), on="at", by=name,
            direction="forward", tolerance=pd.Timedelta(days=days),
        )  # fmt: skip
        followed[found.loc[found["ticket"].eq(True), "row"]] = True
    return followed


def _rank_subjects(
    log: pd.DataFrame, what: str, minimum: int, of: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return how many visitors each subject had, the most first; of: the log whose visitors of the subject are n."""
    visitors = log.groupby("what")["visitor"].nunique()
    times = log.groupby("what").size()
    every = visitors * 0 + log["visitor"].nunique() if of is None else of.groupby("what")["visitor"].nunique()
    frame = pd.DataFrame(
        {"count": visitors, "n": every.reindex(visitors.index), "times": times}
    ).reset_index()
    frame = frame.sort_values(["count", "times", "what"], ascending=[False, False, True])
    rare, frame = frame[frame["count"] < minimum], frame[frame["count"] >= minimum]
    frame = frame.assign(level=frame["what"], says=[f"{times:,} times" for times in frame["times"]])
    if len(rare):
        says = f"{len(rare):,} of fewer than {minimum} known visitors each, {rare['times'].sum():,} times: not shown"
        frame = pd.concat([frame, pd.DataFrame([{"level": "others", "says": says}])], ignore_index=True)
    return frame.assign(what=what).drop(columns="times")


def _count_tickets(log: pd.DataFrame, what: str, level: str) -> pd.DataFrame:
    """Return one row: how many of the events that can be followed were followed by a ticket."""
    known = log[log["followed"]]
    if known.empty:
        says = "" if log.empty else "Tickets and the log share no respondent or session."
        return pd.DataFrame([{"what": what, "level": level, "says": says}])
    _, low, high = cluster_share_interval(known["ticket"], known["visitor"])
    count = {"count": known["ticket"].sum(), "n": len(known), "low": low, "high": high}
    return pd.DataFrame([{"what": what, "level": level} | count])
