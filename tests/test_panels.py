"""Panels of logs, tags and quality: hand-made tables whose truth is counted by hand."""

import pandas as pd
import pytest

from vocwb.collect.ingest import Tables
from vocwb.collect.panels import count_funnel, make_panel, measure_deflection, measure_pressure, read_help_log
from vocwb.collect.quality import check_quality
from vocwb.collect.tags import count_tags
from vocwb.schemas import check_table, empty_table
from vocwb.share.charts_ingest import chart_funnel, chart_panel
from vocwb.stats import cluster_share_interval


def fill(name, rows, **same):
    """A table of the schema from rows that name only the columns they have; ids are numbers."""
    frame = pd.DataFrame(rows).assign(**same)
    table = empty_table(name)
    for column in table:
        if column not in frame:
            needed = {"str": "", "float64": 0.0, "int64": 0}.get(str(table[column].dtype))
            key = column in ("event_id", "response_id", "feedback_id")
            may_be_empty = column in ("respondent_id", "session_id", "source_id", "duplicate_of", "flag", "stage",
                                      "subject", "value", "received_at", "at")  # fmt: skip
            frame[column] = (
                [f"{name}{at}" for at in range(len(frame))] if key else None if may_be_empty else needed
            )
    for column in ("at", "received_at"):
        if column in frame:
            frame[column] = pd.to_datetime(frame[column], utc=True)
    if "month" in frame:
        of = frame["at" if "at" in frame else "received_at"]
        frame["month"] = of.dt.strftime("%Y-%m").fillna("all")
    return check_table(name, frame[list(table)])


def events(*rows, **same):
    return fill(
        "events",
        [dict(zip(("kind", "subject", "respondent_id", "at"), row, strict=False)) for row in rows],
        **same,
    )


NOBODY = empty_table("responses")


def find(panel, what, level=None):
    rows = panel[panel["what"].eq(what)]
    return rows if level is None else rows[rows["level"].eq(level)].iloc[0]


def numbers(row):
    return [row["count"], row["n"]]


def test_a_group_below_the_minimum_loses_its_numbers_and_a_small_one_its_share():
    rows = [{"what": "x", "level": str(n), "count": 2, "n": n, "estimate": True} for n in (4, 5, 29, 30)]
    panel = make_panel(rows)
    assert panel.loc[0, ["count", "n", "share", "low"]].isna().all()
    assert panel.loc[0, "says"] == "hidden: fewer than 5"
    assert panel["n"].tolist()[1:] == [5, 29, 30]
    assert panel["share"].notna().tolist() == [False, False, False, True]
    # Wilson 1927 for 2 of 30: 1.8 to 21.3
    assert panel.loc[3, ["share", "low", "high"]].tolist() == [6.7, 1.8, 21.3]


# -- funnel


def sent_to(people, *others):
    return events(*[("sent", "N1", person, "2025-01-01") for person in people], *others, channel="mail")


def test_a_respondent_counts_once_a_message_and_step():
    log = sent_to(
        "abcde",
        *[("opened", "N1", "a", f"2025-01-0{day}") for day in range(1, 6)],
        ("sent", "N1", "a", "2025-01-02"),
    )
    panel = count_funnel(log)
    one = panel[panel["message"].eq("N1")].set_index("level")
    assert one[["count", "n"]].values.tolist() == [[5, 5], [1, 5]]
    assert panel.loc[panel["message"].eq("all messages"), "count"].tolist() == [5, 1]


def test_all_messages_count_each_message_of_a_respondent():
    log = pd.concat(
        [sent_to("abcde", ("opened", "N1", "a", "2025-01-02")), sent_to("abcde").assign(subject="N2")]
    )
    panel = count_funnel(log)
    assert numbers(panel[panel["message"].eq("all messages") & panel["level"].eq("opened")].iloc[0]) == [
        1,
        10,
    ]


def test_who_was_not_sent_a_message_is_in_no_step_and_an_unknown_step_has_no_row():
    panel = count_funnel(
        sent_to("abcde", ("opened", "N1", "stranger", "2025-01-02"), ("opened", "N1", "b", "2025-01-02"))
    )
    assert panel.loc[panel["message"].eq("N1"), "count"].tolist() == [5, 1]
    assert set(panel["level"]) == {"sent", "opened"}, "nobody logged clicks: they are unknown, not nought"


def test_a_message_to_few_is_hidden():
    panel = count_funnel(sent_to("abc"))
    assert panel["count"].isna().all() and panel["n"].isna().all()


def test_without_messages_the_funnel_says_so():
    panel = count_funnel(empty_table("events"))
    assert panel["says"].tolist() == ["No source says to whom a message was sent."]
    assert chart_funnel(panel).to_dict()["height"]


# -- contact pressure


def test_contacts_are_counted_by_customer_and_month():
    log = events(*[("sent", f"N{n}", person, f"2025-01-{n + 1:02d}") for person in "abcde" for n in range(3)],
                 ("sent", "N9", "a", "2025-02-01"), ("opened", "N1", "a", "2025-01-03"), channel="mail")  # fmt: skip
    panel = measure_pressure(log, NOBODY, cap=2)
    months = find(panel, "contacts of a customer in a month")
    assert months["level"].tolist() == ["1", "2", "more than 2"]
    assert months["count"].tolist() == [1, 0, 5] and set(months["n"]) == {6}
    assert numbers(find(panel, "customers above the cap in some month").iloc[0]) == [5, 5]
    assert "No log says who unsubscribed." in set(panel["says"])


def test_an_answered_survey_is_a_contact_unless_its_invitations_are_logged():
    people = list("abcdef")
    answers = fill("responses", {"respondent_id": people}, channel="survey", who_started="company", voice="customer",
                   received_at="2025-01-05")  # fmt: skip
    alone = measure_pressure(events(("sent", "N1", "z", "2025-01-01"), channel="mail"), answers)
    assert find(alone, "contacts of a customer in a month", "1")["count"] == 7
    invited = measure_pressure(
        events(*[("invited", "S", one, "2025-01-01") for one in "abcde"], channel="survey"), answers
    )
    assert find(invited, "contacts of a customer in a month", "1")["count"] == 5
    staff = measure_pressure(empty_table("events"), answers.assign(voice="employee"))
    assert staff["says"].tolist() == ["No source says whom the company wrote to or asked."]


def test_who_unsubscribed_is_no_longer_at_risk_and_is_counted_after_the_last_contact_before():
    # Ten customers with a message on days 1 and 5; three unsubscribe after the first, two after the second.
    people = "abcdefghij"
    log = [("sent", "N1", one, "2025-01-01") for one in people] + [
        ("sent", "N2", one, "2025-01-05") for one in people
    ]
    log += [("unsubscribed", "N1", one, "2025-01-02") for one in "abc"]
    log += [("unsubscribed", "N2", one, "2025-01-05") for one in "de"]
    panel = measure_pressure(events(*log, channel="mail"), NOBODY)
    rate = find(panel, "unsubscribed after a contact, by contacts within 30 days")
    assert rate[["level", "count", "n"]].values.tolist() == [["1", 3, 10], ["2", 2, 7]]
    after = find(panel, "contacted in a channel after unsubscribing from it").iloc[0]
    assert numbers(after) == [3, 5], "a, b and c got the second message"


def test_contacts_long_ago_are_no_pressure():
    log = [("sent", f"N{month}", one, f"2025-{month:02d}-01") for one in "abcde" for month in (1, 4)]
    panel = measure_pressure(events(*log, ("unsubscribed", "N4", "a", "2025-04-02"), channel="mail"), NOBODY)
    rate = find(panel, "unsubscribed after a contact, by contacts within 30 days")
    assert rate[["level", "count", "n"]].values.tolist() == [["1", 1, 10]]


# -- help centre


def searches(query, people, value):
    rows = [
        {"kind": "search", "subject": query, "session_id": one, "at": "2025-01-01 10:00", "value": value}
        for one in people
    ]
    return fill("events", rows, channel="help")


def stack(*parts):
    frame = pd.concat(parts, ignore_index=True)
    return frame.assign(event_id=[f"e{at}" for at in range(len(frame))])


def test_a_query_of_few_is_never_shown():
    log = stack(searches("Sofa  BED", "abc", 0), searches("sofa bed", "de", 0), searches("john smith iban", "fghi", 0),
                searches("john smith iban", "f", 0), searches("lamp", "abcde", 3))  # fmt: skip
    panel = read_help_log(log, NOBODY)
    vain = find(panel, "searched for in vain")
    assert vain["level"].tolist() == ["sofa bed", "others"]
    assert numbers(vain.iloc[0]) == [5, 5]
    assert "john" not in panel.to_csv()
    assert "1 of fewer than 5 known visitors each, 5 times" in vain["says"].iloc[1]
    assert numbers(find(panel, "search without result", "all")) == [10, 15]


def test_a_search_without_a_number_of_results_is_not_one_in_vain():
    panel = read_help_log(stack(searches("lamp", "abcde", None), searches("sofa", "abcde", 0)), NOBODY)
    assert numbers(find(panel, "search without result", "all")) == [5, 5]


def test_a_ticket_follows_within_days_of_the_same_respondent_or_session():
    reads = [("article", "KB-1", one, "2025-01-10") for one in "abcdef"]
    log = events(*reads, ("article", "KB-1", "a", "2025-01-11"), channel="help")
    tickets = [
        ("a", "2025-01-12"),
        ("b", "2025-01-17"),
        ("c", "2025-01-18"),
        ("d", "2025-01-09"),
        ("stranger", "2025-01-11"),
    ]
    written = fill(
        "responses", [{"respondent_id": one, "received_at": at} for one, at in tickets], channel="ticket"
    )
    panel = read_help_log(log, written)
    assert numbers(find(panel, "article read", "KB-1")) == [6, 6]
    assert find(panel, "article read", "KB-1")["says"] == "7 times"
    assert numbers(find(panel, "ticket after reading", "KB-1")) == [2, 6], (
        "a and b: c is a day late, d came before"
    )
    assert numbers(find(panel, "ticket after reading", "all articles")) == [3, 7]


def test_tickets_that_share_no_id_with_the_log_are_said_to_be_so():
    log = fill("events", {"session_id": list("abcde")}, kind="article", subject="KB-1", at="2025-01-10")
    panel = read_help_log(
        log, fill("responses", {"respondent_id": ["a"]}, received_at="2025-01-11", channel="ticket")
    )
    assert find(panel, "ticket after reading")["says"].tolist() == [
        "Tickets and the log share no respondent or session."
    ]


@pytest.mark.parametrize(
    "panel",
    [make(empty_table("events"), NOBODY) for make in (read_help_log, measure_pressure, measure_deflection)],
)
def test_without_events_nothing_is_invented(panel):
    assert panel["count"].isna().all() and panel["says"].str.match("No (source|log) ").all()


def visits(*rows, **same):
    columns = ("kind", "session_id", "respondent_id", "at")
    return fill("events", [dict(zip(columns, row, strict=True)) for row in rows], **same)


def test_the_three_figures_called_ticket_deflection_stand_apart():
    """Twelve visits of ten people (one read twice in a visit); six write tickets, five of them after a visit."""
    reads = [("article", f"s{one}", one, "2025-01-10 10:00") for one in "abcdefghij"]
    again = [
        ("search", "sa", "a", "2025-01-10 10:05"),
        ("article", "s2a", "a", "2025-01-20 09:00"),
        ("read", "s2b", "b", "2025-01-21 09:00"),
    ]
    solved = [("resolved", f"s{one}", one, "2025-01-10 10:10") for one in "fghi"]
    late = [("article", "s9", "a", "2025-02-10 09:00")]  # a month without tickets
    tickets = [(one, "2025-01-11") for one in "abcde"] + [("stranger", "2025-01-11"), ("a", "2025-01-12")]
    written = fill(
        "responses", [{"respondent_id": one, "received_at": at} for one, at in tickets], channel="ticket"
    )
    panel = measure_deflection(visits(*reads, *again, *solved, *late), written).set_index("level")
    assert panel.loc["deflection_sessions", "count"] == 12
    assert panel.loc["deflection_sessions", "says"] == "2.0 for each of 6 users with a ticket"
    assert numbers(panel.loc["deflection_visits"]) == [7, 12]
    assert numbers(panel.loc["deflection_resolved"]) == [4, 11]
    assert panel["share"].isna().all(), "percentages begin at 30"


def test_deflection_has_the_interval_of_visitors_and_hides_few():
    reads = [("article", f"s{visit}", f"p{visit % 30}", "2025-01-10") for visit in range(60)]
    written = fill(
        "responses",
        {"respondent_id": [f"p{i}" for i in range(12)]},
        received_at="2025-01-11",
        channel="ticket",
    )
    row = measure_deflection(visits(*reads), written).set_index("level").loc["deflection_visits"]
    _, low, high = cluster_share_interval([i % 30 >= 12 for i in range(60)], [i % 30 for i in range(60)])
    assert (row["count"], row["n"]) == (36, 60)
    assert row[["low", "high"]].tolist() == pytest.approx([100 * low, 100 * high], abs=0.051)
    few = measure_deflection(visits(*reads), written.head(4)).set_index("level")
    assert (
        pd.isna(few.loc["deflection_sessions", "count"])
        and "hidden" in few.loc["deflection_sessions", "says"]
    )


def test_tickets_that_the_log_and_the_desk_both_hold_count_once():
    log = visits(*[("article", f"s{i}", f"p{i}", "2025-01-10") for i in range(12)],
                 *[("ticket", f"s{i}", f"p{i}", "2025-01-10") for i in range(6)])  # fmt: skip
    written = fill(
        "responses",
        {"respondent_id": [f"p{i}" for i in range(6)]},
        received_at="2025-01-10",
        channel="ticket",
    )
    for responses in (NOBODY, written):
        panel = measure_deflection(log, responses).set_index("level")
        assert panel.loc["deflection_sessions", "says"] == "2.0 for each of 6 users with a ticket"
        assert numbers(panel.loc["deflection_visits"]) == [6, 12]
    assert panel.loc["deflection_resolved", "says"] == "No log says what was resolved without a ticket."


# -- tags


def tag(*pairs):
    return pd.DataFrame(pairs, columns=["response_id", "tag"])


def tickets(n, **same):
    return pd.DataFrame({"response_id": [str(at) for at in range(n)]}).assign(
        source="desk", duplicate_of=None, **same
    )


def test_tickets_with_several_tags_count_once_a_ticket_and_once_a_tag():
    pairs = [(str(at), "cost") for at in range(6)] + [(str(at), "time") for at in range(6)]
    panel = count_tags(tag(*pairs), tickets(10))
    assert [
        find(panel, "tickets", level)["count"]
        for level in ("with a tag", "with several tags", "without a tag")
    ] == [6, 6, 4]
    assert numbers(find(panel, "tag", "cost")) == [6, 10]
    assert find(panel, "tag")["share_of_tags"].tolist() == [50.0, 50.0]


def test_tags_of_duplicates_and_of_sources_without_tags_do_not_count():
    responses = pd.concat([tickets(6), tickets(4).assign(response_id=list("wxyz"), source="survey")])
    responses.loc[responses["response_id"].eq("5"), "duplicate_of"] = "4"
    panel = count_tags(tag(*[(str(at), "cost") for at in range(6)]), responses)
    assert numbers(find(panel, "tag", "cost")) == [5, 5]


def test_one_tag_written_in_several_ways_is_found_and_its_tickets_counted_once():
    pairs = [(str(at), "Delivery") for at in range(20)] + [
        ("0", "delivery "),
        ("20", "deliveries"),
        ("21", "delivrey"),
    ]
    pairs += [(str(at), "cost") for at in range(6)] + [(str(at), "post") for at in range(6)]
    pairs += [(str(at), "هزینه‌ی ارسال") for at in range(5)] + [("6", "هزینه ي ارسال")]
    panel = count_tags(tag(*pairs), tickets(30))
    ways = find(panel, "written in several ways").set_index("level")
    assert ways["count"].to_dict() == {"Delivery": 22, "هزینه‌ی ارسال": 6}
    assert all(
        word in ways.loc["Delivery", "says"] for word in ("delivery  (1)", "deliveries (1)", "delivrey (1)")
    )


def test_tags_that_differ_by_a_number_or_are_both_frequent_are_two_tags():
    pairs = [(str(at), name) for name in ("level 1", "level 2", "price", "prize") for at in range(6)]
    assert find(count_tags(tag(*pairs), tickets(9)), "written in several ways").empty


def test_rare_tags_stand_together_without_their_names():
    pairs = [(str(at), "cost") for at in range(6)] + [
        ("7", "Mrs Miller"),
        ("8", "angry man"),
        ("8", "Mrs Miller"),
    ]
    panel = count_tags(tag(*pairs), tickets(9))
    assert "Miller" not in panel.to_csv()
    assert find(panel, "tag", "rare tags")["says"] == "2 tags of fewer than 5 tickets each"


# -- quality


def tables_of(n, source="a", every="1h", start="2025-01-01", **columns):
    """n responses an hour apart, each with a text of its own."""
    days = pd.date_range(start, periods=n, freq=every, tz="UTC")
    ids = [f"{source}{at}" for at in range(n)]
    responses = fill("responses", {"response_id": ids, "source_id": ids, "received_at": days}, source=source)
    said = {"feedback_id": ids, "response_id": ids, "verbatim": [f"word {one}" for one in ids]}
    ingested = fill(
        "ingested", [{"rows_in": n, "kept": n}], source=source, file=f"{source}.csv", status="read"
    )
    made = {name: empty_table(name) for name in Tables._fields}
    made |= {"responses": responses, "feedback": fill("feedback", said, language="en"), "ingested": ingested}
    return made


def check(made):
    return check_quality(
        *(made[name] for name in ("responses", "feedback", "ingested", "quarantine", "asides"))
    )


def level_of(found, name, source="a"):
    return found[found["check"].eq(name) & found["source"].eq(source)].iloc[0]


def test_a_clean_source_has_nothing_to_do():
    found = check(tables_of(100))
    assert set(found["level"]) == {"ok"} and set(found["says"]) == {"Nothing to do."}


def test_quarantine_names_its_top_reason_without_what_somebody_wrote():
    made = tables_of(100)
    reasons = [
        "the date 'ann@x.org' cannot be read",
        "the date 'b' cannot be read",
        "no date",
        "left out: 'inbound' is 'x'",
    ]
    made["quarantine"] = fill("quarantine", {"reason": reasons, "line": range(4)}, source="a", file="a.csv")
    found = check(made)
    row = level_of(found, "quarantined")
    assert [row["count"], row["n"], row["level"]] == [3, 100, "look"]
    assert row["says"].startswith("2 of 3: the date … cannot be read.") and "ann@" not in found.to_csv()
    assert level_of(found, "set aside on purpose")["count"] == 1
    assert found.loc[0, "check"] == "quarantined", "what is worth a look stands first"


def test_copies_near_copies_repeated_ids_and_blanks_are_told_apart():
    made = tables_of(10)
    responses, said = made["responses"].copy(), made["feedback"].copy()
    said.loc[said["feedback_id"].isin(["a1", "a2"]), "duplicate_of"] = "a0"
    said.loc[said["feedback_id"].eq("a1"), "verbatim"] = "Word A0!"
    again = responses["response_id"].eq("a3")
    responses.loc[again, ["source_id", "duplicate_of"]] = ["a4", "a4"]
    said.loc[said["feedback_id"].eq("a3"), "duplicate_of"] = "a4"
    said.loc[said["feedback_id"].eq("a5"), "verbatim"] = "👍 10/10"
    made |= {"responses": responses, "feedback": said[~said["feedback_id"].eq("a9")]}
    found = check(made)
    names = (
        "ids that stand again", "copied texts", "nearly copied texts", "responses without a word",
        "texts without a letter",
    )  # fmt: skip
    assert [level_of(found, name)["count"] for name in names] == [1, 1, 1, 1, 1]
    assert [level_of(found, name)["n"] for name in ("copied texts", "responses without a word")] == [8, 9]


def test_other_languages_are_named_by_their_script():
    made = tables_of(10)
    korean = made["feedback"]["feedback_id"].isin(["a1", "a2", "a3", "a4", "a5"])
    made["feedback"] = made["feedback"].assign(
        language=made["feedback"]["language"].mask(korean, "other"),
        verbatim=made["feedback"]["verbatim"].mask(korean, "배송이 너무 늦었어요"),
    )
    row = level_of(check(made), "in no declared language")
    assert [row["count"], row["level"]] == [5, "stop"] and "5 of 5 in Hangul" in row["says"]


def test_dates_later_than_every_other_source_and_before_1990_are_seen():
    one, other = tables_of(100), tables_of(100, source="b")
    made = {name: pd.concat([one[name], other[name]], ignore_index=True) for name in one}
    times = made["responses"].set_index("response_id")["received_at"]
    times["a7"], times["b7"] = pd.Timestamp("2052-01-01", tz="UTC"), pd.Timestamp("1970-01-01", tz="UTC")
    made["responses"] = made["responses"].assign(received_at=times.to_numpy())
    found = check(made)
    assert [level_of(found, "later than others", source)["count"] for source in "ab"] == [1, 0]
    assert [level_of(found, "before 1990", source)["count"] for source in "ab"] == [0, 1]
    assert "2052-01-01" in level_of(found, "later than others")["says"]


def test_a_late_date_of_a_source_alone_is_seen_and_a_long_history_is_not_one():
    made = tables_of(300, every="24h")
    assert level_of(check(made), "later than others")["count"] == 0
    times = made["responses"]["received_at"].copy()
    times.iloc[0] = pd.Timestamp("2030-01-01", tz="UTC")
    made["responses"] = made["responses"].assign(received_at=times)
    assert level_of(check(made), "later than others")["count"] == 1


def test_a_hole_in_a_daily_source_is_a_gap_and_a_survey_in_waves_is_none():
    made = tables_of(200, every="24h")
    hole = made["responses"]["received_at"].between("2025-03-01", "2025-04-09 23:00")
    made["responses"] = made["responses"][~hole]
    row = level_of(check(made), "gaps in time")
    assert row["count"] == 1 and "nothing from 2025-02-28 to 2025-04-10" in row["says"]
    assert level_of(check(tables_of(24, every="MS")), "gaps in time")["count"] == 0


def test_an_import_in_one_second_is_a_burst_and_dates_without_time_are_not():
    made = tables_of(200, every="7min")
    times = made["responses"]["received_at"].where(
        made["responses"].index >= 40, pd.Timestamp("2025-03-03 03:03:03", tz="UTC")
    )
    made["responses"] = made["responses"].assign(received_at=times)
    row = level_of(check(made), "bursts in a second")
    assert [row["count"], row["level"]] == [40, "look"]
    made["responses"] = made["responses"].assign(received_at=times.dt.floor("D"))
    assert check(made)["check"].ne("bursts in a second").all()


def test_flags_and_cuts_are_counted_by_text():
    made = tables_of(50)
    made["feedback"]["flag"] = made["feedback"]["flag"].mask(made["feedback"]["feedback_id"].eq("a0"), "test")
    parts = [("a1", "signature"), ("a1", "reply"), ("a2", "boilerplate")]
    made["asides"] = pd.DataFrame([(*part, "x") for part in parts], columns=["feedback_id", "part", "text"])
    found = check(made)
    names = ("looks like a test", "looks like spam", "replies and signatures cut", "boilerplate cut")
    assert [level_of(found, name)["count"] for name in names] == [1, 0, 1, 1]


def test_charts_keep_hostile_labels_in_their_data():
    label = "</script><script>x</script>"
    panel = pd.DataFrame([{"what": label, "level": label, "count": 9, "n": 30, "estimate": True}])
    specification = chart_panel(make_panel(panel)).to_dict()
    assert "script>" not in str({name: part for name, part in specification.items() if name != "datasets"})
