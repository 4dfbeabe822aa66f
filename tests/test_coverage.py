"""Coverage and silence: what is declared and absent is shown, and who is not heard is counted."""

import pandas as pd
import pytest
from test_panels import events, fill

from vocwb.collect.coverage import count_coverage, find_silent, measure_coverage
from vocwb.programme import parse_programme
from vocwb.schemas import empty_table
from vocwb.share.charts_ingest import chart_coverage, chart_panel

PROGRAMME = """
title: T
question: Why?
goal: loyalty
timezone: Europe/Sofia
languages: [en, fa]
minimum_group: 5
minimum_group_staff: 10
sources:
  - {name: mails, files: a, channel: email, who_started: customer, mode: direct, stage: use,
     undated: true, verbatims: {c: c}}
  - {name: texts, files: b, channel: sms, who_started: company, mode: direct, stage: leaving,
     undated: true, verbatims: {c: c}}
  - {name: staff, files: c, channel: intranet, who_started: company, mode: direct, population: staff, voice: employee,
     undated: true, verbatims: {c: c}}
  - {name: log, files: d, channel: help, who_started: nobody, mode: behaviour, undated: true, events: {kind: k}}
"""


@pytest.fixture(scope="module")
def programme():
    return parse_programme(PROGRAMME, name="t")


def mails(*months, each=6, **same):
    days = [f"{month}-15" for month in months for _ in range(each)]
    about = {"source": "mails", "channel": "email", "who_started": "customer", "mode": "direct", "stage": "use",
             "population": "all", "voice": "customer"}  # fmt: skip
    return fill("responses", {"received_at": days}, **about | same)


def said(responses, language="en"):
    return fill("feedback", {"response_id": responses["response_id"]}, language=language, verbatim="x")


def row(table, dimension, level, voice="customer"):
    return table[table["dimension"].eq(dimension) & table["level"].eq(level) & table["voice"].eq(voice)].iloc[
        0
    ]


def test_what_is_declared_and_absent_is_shown_in_every_dimension(programme):
    responses = mails("2025-01", "2025-02")
    table = count_coverage(responses, said(responses), programme)
    absent = table[table["says"].eq("declared, nothing arrived")]
    customers = absent[absent["voice"].eq("customer")]
    assert set(zip(customers["dimension"], customers["level"], strict=True)) == {
        ("source", "texts"), ("channel", "sms"), ("who_started", "company"), ("stage", "leaving"), ("language", "fa"),
    }  # fmt: skip
    assert (absent["total"] == 0).all() and (absent[["2025-01", "2025-02"]] == 0).all(axis=None)
    assert row(table, "channel", "intranet", "employee")["total"] == 0
    assert row(table, "channel", "email")[["total", "2025-01", "2025-02", "says"]].tolist() == [12, 6, 6, ""]
    assert row(table, "mode", "direct")["total"] == 12


def test_gaps_ends_and_the_cut_off_are_said(programme):
    long, short = mails("2025-01", "2025-04"), mails("2025-01", source="texts", channel="sms")
    responses = pd.concat([long, short.assign(response_id="s" + short["response_id"])], ignore_index=True)
    table = count_coverage(responses, said(responses), programme)
    assert row(table, "source", "mails")["says"] == "nothing in 2025-02, 2025-03"
    assert row(table, "source", "texts")["says"] == "nothing after 2025-01"
    assert row(table, "source", "mails")[["first_day", "last_day"]].tolist() == ["2025-01-15", "2025-04-15"]


def test_the_cut_off_is_a_day_of_the_programmes_timezone(programme):
    responses = mails("2025-01").assign(
        received_at=pd.Timestamp("2025-01-31 23:30", tz="UTC"), month="2025-02"
    )
    assert (
        row(count_coverage(responses, said(responses), programme), "source", "mails")["last_day"]
        == "2025-02-01"
    )


def test_counts_of_few_are_hidden_and_staff_have_a_minimum_of_their_own(programme):
    few = mails("2025-01", each=4)
    staff = mails("2025-01", each=9, voice="employee", source="staff", channel="intranet")
    responses = pd.concat([few, staff.assign(response_id="s" + staff["response_id"])], ignore_index=True)
    table = count_coverage(responses, said(responses), programme)
    for dimension, level, voice in (("channel", "email", "customer"), ("channel", "intranet", "employee")):
        found = row(table, dimension, level, voice)
        assert found[["total", "share", "first_day", "last_day", "2025-01"]].isna().all()
        assert found["says"] == "arrived, too few to show"
    enough = mails("2025-01", each=5)
    assert row(count_coverage(enough, said(enough), programme), "channel", "email")["total"] == 5


def test_customers_and_staff_are_never_added_up(programme):
    ours = mails("2025-01")
    staff = mails("2025-01", each=10, voice="employee", source="staff", channel="intranet")
    responses = pd.concat([ours, staff.assign(response_id="s" + staff["response_id"])], ignore_index=True)
    table = count_coverage(responses, said(responses), programme)
    assert row(table, "mode", "direct")["total"] == 6
    assert row(table, "mode", "direct", "employee")["total"] == 10
    assert row(table, "language", "en", "employee")["total"] == 10


def test_duplicates_do_not_count_and_undated_data_has_a_column(programme):
    responses = mails("2025-01").assign(month="all", received_at=pd.NaT)
    again = responses.assign(
        response_id="d" + responses["response_id"], duplicate_of=responses["response_id"].iloc[0]
    )
    both = pd.concat([responses, again], ignore_index=True)
    table = count_coverage(both, said(both), programme)
    assert row(table, "channel", "email")[["total", "undated", "says"]].tolist() == [6, 6, "without dates"]


def test_logs_are_counted_as_events_and_declared_only_where_they_are_given(programme):
    responses = mails("2025-01")
    log = events(*[("article", "KB", "a", "2025-01-02")] * 6, source="log", channel="help")
    table = count_coverage(responses, said(responses), programme, events=log)
    assert row(table, "channel", "help")[["counted", "total"]].tolist() == ["events", 6]
    assert row(table, "mode", "behaviour")["total"] == 6
    assert "help" not in set(count_coverage(responses, said(responses), programme)["level"])
    none = count_coverage(responses, said(responses), programme, events=empty_table("events"))
    assert row(none, "channel", "help")["says"] == "declared, nothing arrived"


def test_an_empty_store_and_any_order_of_rows_are_fine(programme):
    empty = count_coverage(empty_table("responses"), empty_table("feedback"), programme)
    assert set(empty["says"]) == {"declared, nothing arrived"}
    assert len(chart_coverage(empty).data) == 2, "both channels of customers, without months"
    responses = mails("2025-01", "2025-03")
    table = count_coverage(responses, said(responses), programme)
    pd.testing.assert_frame_equal(table, count_coverage(responses[::-1], said(responses)[::-1], programme))


def test_the_heat_map_shows_every_month_of_every_channel(programme):
    responses = mails("2025-01", "2025-03")
    cells = chart_coverage(count_coverage(responses, said(responses), programme)).data
    assert len(cells) == 2 * 3
    counts = cells.set_index(["label", "period"])["value"]
    assert counts["email"].to_dict() == {"2025-01": 6, "2025-02": 0, "2025-03": 6}
    assert (counts["sms"] == 0).all() and cells.loc[cells["label"].eq("sms"), "number"].unique() == [
        "nothing"
    ]


def test_measure_coverage_still_counts_a_month(programme):
    responses = mails("2025-01", "2025-02")
    found = measure_coverage(responses, said(responses), month="2025-02")
    assert found.loc[found["subject"].eq("channel"), "value"].tolist() == [6]


# -- who is silent


def measures(orders, **same):
    rows = [
        {"respondent_id": f"p{at}", "value": value, "behaviour_id": f"b{at}"}
        for at, value in enumerate(orders)
    ]
    return fill("behaviour", rows, **{"measure": "orders", "at": "2025-01-10", "source": "shop"} | same)


def answers(people, **same):
    same = {"source": "mails", "channel": "email", "voice": "customer", "received_at": "2025-01-20"} | same
    return fill("responses", {"respondent_id": people}, **same)


def test_the_silent_are_those_of_the_log_without_a_response(programme):
    panel = find_silent(
        answers([f"p{at}" for at in range(30)] + ["stranger"]),
        empty_table("events"),
        measures(range(100)),
        programme,
    )
    every = panel.iloc[0]
    assert [every["count"], every["n"], every["share"]] == [70, 100, 70.0]
    # The 30 heard are the ones with the fewest orders: 4 of the lowest 34 are silent, and all of the highest.
    thirds = panel[panel["what"].eq("silent, by orders")]
    assert thirds[["count", "n"]].values.tolist() == [[4, 34], [33, 33], [33, 33]]
    last = thirds.iloc[-1]
    assert (
        last["difference"] == round(100 * (1 - 4 / 34), 1) and last["verdict"] == "evidence of a difference"
    )
    assert chart_panel(panel, about="silent, by").data["short"].iloc[0] == "orders · lowest: up to 33"


def test_customers_with_equal_measures_stay_together(programme):
    panel = find_silent(answers(["p0"]), empty_table("events"), measures([0] * 60 + [1] * 40), programme)
    groups = panel[panel["what"].eq("silent, by orders")]
    assert groups["n"].tolist() == [60, 40] and groups["level"].str.split(":").str[0].tolist() == [
        "lowest",
        "highest",
    ]
    most = find_silent(answers(["p0"]), empty_table("events"), measures([0] * 10 + [1] * 90), programme)
    assert most[most["what"].eq("silent, by orders")]["n"].tolist() == [10, 90]
    equal = find_silent(answers(["p0"]), empty_table("events"), measures([3] * 90), programme)
    assert equal["what"].ne("silent, by orders").all()


def test_groups_of_few_are_hidden_and_not_compared(programme):
    panel = find_silent(answers(["p0"]), empty_table("events"), measures(range(9)), programme)
    thirds = panel[panel["what"].eq("silent, by orders")]
    assert thirds["n"].isna().all() and thirds["says"].str.startswith("hidden").all()
    assert thirds["verdict"].iloc[-1] == "hidden" and pd.isna(thirds["difference"].iloc[-1])


def test_staff_are_never_joined_to_a_log(programme):
    staff = answers(["p0", "p1"], voice="employee", source="staff")
    panel = find_silent(pd.concat([staff]), empty_table("events"), measures(range(50)), programme)
    assert panel.iloc[0]["says"].startswith("No respondent stands in a log and in the responses")


def test_the_answer_rate_is_known_only_where_a_log_says_who_was_asked(programme):
    asked = events(
        *[("invited", "S", f"p{at}", "2025-01-10") for at in range(40)], channel="sms", source="log"
    )
    heard = answers([*(f"p{at}" for at in range(10)), "p0", "stranger"], channel="sms", source="texts")
    early = answers(["p39"], channel="sms", source="texts", received_at="2025-01-01").assign(
        response_id="early"
    )
    panel = find_silent(pd.concat([heard, early]), asked, empty_table("behaviour"), programme)
    rate = panel[panel["what"].eq("answer rate")].iloc[0]
    assert [rate["level"], rate["count"], rate["n"], rate["share"]] == ["sms", 10, 40, 25.0]
    unknown = find_silent(heard, empty_table("events"), empty_table("behaviour"), programme)
    assert unknown["says"].tolist() == [
        "No source says who was there and said nothing.",
        "11 customers answered; no source says who was asked",
    ]
    assert unknown[["count", "n", "share"]].isna().all(axis=None)
