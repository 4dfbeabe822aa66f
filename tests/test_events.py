"""Logs and behaviour: what happened and when, what did not, and what was exported twice."""

import json

import pandas as pd
import pytest
from raw import count_rows, ingest, programme_of

from vocwb.collect.responses import hide_names
from vocwb.errors import SourceError

FUNNEL = "log: columns: {id: id, date: sent, respondent: w}, events: {kinds: {sent: sent, opened: opened}}"


def test_a_funnel_has_an_event_for_each_column_that_says_yes_at_its_own_time():
    nothing = ["", "0", "No", "none", "FALSE", "0000-00-00 00:00:00", "0.0", "۰"]
    rows = [{"id": str(n), "sent": "2025-01-01", "opened": said, "w": ""} for n, said in enumerate(nothing)]
    rows += [
        {"id": "20", "sent": "2025-01-01", "opened": said, "w": ""} for said in ("yes", "2025-01-09 10:00")
    ]
    tables = ingest(programme_of(FUNNEL), (rows, {}))
    opened = tables.events[tables.events["kind"] == "opened"]
    assert sorted(opened["at"].dt.strftime("%d %H:%M")) == ["01 00:00", "09 10:00"]
    assert count_rows(tables) == [[10, 10, 0, 0]]


def test_a_record_by_which_nothing_happened_is_kept_and_counted():
    programme = programme_of("log: undated: true, events: {kinds: {opened: o, clicked: c}}")
    tables = ingest(programme, ([{"o": "0", "c": ""}, {"o": "1", "c": "0"}], {"cut": 1}))
    assert count_rows(tables) == [[2, 2, 0, 0]]
    assert tables.events["kind"].tolist() == ["opened"]


def test_daily_exports_that_overlap_give_each_event_once():
    programme = programme_of("log: columns: {date: d}, events: {kind: k}")
    one, two = ({"k": "Click", "d": day} for day in ("2025-01-01 10:00", "2025-01-02 10:00"))
    tables = ingest(
        programme, ([one, one, two], {"file": "a.csv"}), ([two, one, one, one], {"file": "b.csv"})
    )
    assert count_rows(tables) == [[3, 3, 0, 0], [4, 1, 3, 0]], "two clicks in one file are two"
    assert tables.events["kind"].tolist() == ["click"] * 4


def test_a_record_that_says_something_new_is_no_repeat():
    first, later = ({"id": "7", "sent": "2025-01-01", "opened": opened, "w": ""} for opened in ("", "yes"))
    tables = ingest(programme_of(FUNNEL), ([first], {"file": "a.csv"}), ([later], {"file": "b.csv"}))
    assert count_rows(tables) == [[1, 1, 0, 0], [1, 1, 0, 0]]
    assert sorted(tables.events["kind"]) == ["opened", "sent"]


def test_what_an_undated_log_holds_twice_happened_in_both_files():
    programme = programme_of("log: undated: true, events: {kind: k, subject: [q]}")
    rows = [{"k": "search", "q": "refund ann@example.com"}]
    tables = ingest(programme, (rows, {"file": "a.csv"}), (rows, {"file": "b.csv"}))
    assert len(tables.events) == 2 and tables.events["month"].tolist() == ["all"] * 2
    assert tables.events["subject"].unique().tolist() == ["refund [EMAIL]"]


def test_bad_records_of_a_log_are_set_aside_and_say_why():
    programme = programme_of("log: columns: {date: d}, events: {kind: k, value: n}, keep: {bot: ['no']}")
    rows = [{"k": "search", "d": "2025-01-01", "n": "3", "bot": "No"}] * 9
    rows += [
        {"k": "", "d": "2025-01-01", "n": "3", "bot": "no"},
        {"k": "search", "d": "soon", "n": "3", "bot": "no"},
        {"k": "search", "d": "2025-01-01", "n": "many", "bot": "no"},
        {"k": "search", "d": "2025-01-01", "n": "3", "bot": "yes"},
    ]
    tables = ingest(programme, (rows, {"cut": 4}))
    assert count_rows(tables) == [[13, 9, 0, 4]]
    assert tables.quarantine["reason"].tolist() == [
        "no kind of event",
        "the date 'soon' cannot be read",
        "the value is no number",
        "left out: 'bot' is 'yes'",
    ]


def test_a_log_whose_dates_mostly_cannot_be_read_is_refused():
    programme = programme_of("log: columns: {date: d}, events: {kind: k}")
    with pytest.raises(SourceError, match="3 of 4 dates in column 'd'"):
        ingest(programme, ([{"k": "a", "d": day} for day in ("x", "y", "z", "2025-01-01")], {}))


def test_measures_are_rows_of_a_respondent_and_blanks_are_none():
    programme = programme_of("use: columns: {date: d, respondent: w}, measures: {orders: n, spent: s}")
    rows = [
        {"d": "2025-01-31", "w": "ann", "n": "3", "s": "1.234,50"},
        {"d": "2025-01-31", "w": "ben", "n": "", "s": ""},
        {"d": "2025-01-31", "w": "", "n": "1", "s": ""},
        {"d": "2025-01-31", "w": "cy", "n": "few", "s": ""},
    ]
    tables = ingest(programme, (rows, {}))
    assert sorted(zip(tables.behaviour["measure"], tables.behaviour["value"], strict=True)) == [
        ("orders", 3.0),
        ("spent", 1234.5),
    ]
    assert count_rows(tables) == [[4, 2, 0, 2]]
    assert tables.quarantine["reason"].tolist() == ["no respondent", "'n' is no number"]


def test_what_a_forgotten_person_did_is_not_kept_whatever_else_is_wrong_with_it():
    programme = programme_of(
        "log: columns: {date: d, respondent: w}, events: {kind: k}",
        "use: columns: {date: d, respondent: w}, measures: {n: n}",
    )
    ann = hide_names(pd.Series(["ann"]), b"secret", programme.sources[0]).item()
    rows = [
        {"k": "a", "d": day, "w": who, "n": "1"} for day in ("2025-01-01", "soon") for who in ("ann", "ben")
    ]
    tables = ingest(programme, (rows, {}), (rows, {"of": 1, "file": "u.csv"}), forgotten=frozenset([ann]))
    assert ann not in {*tables.events["respondent_id"], *tables.behaviour["respondent_id"]}
    assert len(tables.events) == len(tables.behaviour) == 1
    held = [raw for raw in tables.quarantine["raw"] if raw]
    assert len(held) == 2 and all(json.loads(raw)["w"] != "ben" for raw in held), "hashed there too"
    gone = tables.quarantine["reason"] == "forgotten, as the respondent asked"
    assert gone.sum() == 4 and (tables.quarantine.loc[gone, "raw"] == "").all()


def test_staff_of_a_log_are_joined_to_nobody():
    programme = programme_of(
        "log: columns: {date: d, respondent: w, session: w}, events: {kind: k}, voice: employee",
        "web: columns: {date: d, respondent: w, session: w}, events: {kind: k}",
    )
    rows = [{"k": "a", "d": "2025-01-01", "w": "ann"}]
    tables = ingest(programme, (rows, {}), (rows, {"of": 1, "file": "b.csv"}))
    assert tables.events["respondent_id"].nunique() == tables.events["session_id"].nunique() == 2
