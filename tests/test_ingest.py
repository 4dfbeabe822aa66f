import json

import pandas as pd
import pytest
from raw import HEAD, SOURCE, count_rows, programme_of
from raw import ingest as ingest_rows

from vocwb.collect.identity import link_duplicates
from vocwb.collect.ingest import make_tables
from vocwb.collect.responses import hide_names
from vocwb.collect.sources import read_sources
from vocwb.errors import ProgrammeError, SourceError
from vocwb.programme import parse_programme

PROGRAMME = """
title: T
question: Why?
goal: loyalty
timezone: Europe/Sofia
languages: [en, bg]
segments: {plan: Plan}
questions:
  nps: {label: N, low: 0, high: 10, metric: nps}
  stars: {label: S, low: 1, high: 5, metric: rating}
sources:
  - name: survey
    files: "survey*.csv"
    channel: survey
    who_started: company
    mode: direct
    stage: use
    columns: {id: id, date: date, respondent: who, channel: via}
    verbatims: {why: why, more: more}
    segments: {plan: plan}
    answers: {nps: nps}
"""
COLUMNS = ["id", "date", "who", "via", "why", "more", "plan", "nps"]
LONG = "Do not buy the kettle of this shop, it caught fire!"


def ingest(folder, *rows, text=PROGRAMME, file="survey.csv", columns=COLUMNS):
    if rows:
        pd.DataFrame(rows, columns=columns).to_csv(folder / file, index=False)
    programme = parse_programme(text, name="t")
    return make_tables(read_sources(programme, folder), programme=programme, key=b"secret")


def row(
    id, date="2025-01-31 23:30", who="ann", via="", why="The parcel was late", more="", plan="gold", nps="7"
):
    return [id, date, who, via, why, more, plan, nps]


def counts(tables):
    return tables.ingested[["rows_in", "kept", "duplicates", "quarantined"]].sum().tolist()


def test_a_record_becomes_a_response_and_what_it_says(tmp_path):
    tables = ingest(
        tmp_path, row("1", via="phone", more="See you"), row("2", why="", nps="", plan="NA", who="")
    )
    first = tables.responses.set_index("source_id").loc["1"]
    assert first[["month", "channel", "stage", "plan", "nps"]].tolist() == [
        "2025-01",
        "phone",
        "use",
        "gold",
        7.0,
    ]
    assert first["received_at"] == pd.Timestamp("2025-01-31 21:30", tz="UTC")
    second = tables.responses.set_index("source_id").loc["2"]
    assert second[["nps", "plan", "respondent_id", "stars"]].isna().all(), "a silent response is kept"
    assert sorted(tables.feedback["question"]) == ["more", "why"]
    assert set(tables.feedback["response_id"]) == {first["response_id"]}
    assert counts(tables) == [2, 2, 0, 0]


def test_a_segment_may_be_told_by_the_files_name(tmp_path):
    ingest(tmp_path, row("1"), file="survey_sofia.csv")
    text = PROGRAMME.replace("segments: {plan: plan}", "segments: {plan: _file}")
    tables = ingest(tmp_path, row("2"), file="survey_varna.csv", text=text)
    by_id = tables.responses.set_index("source_id")["plan"]
    assert by_id.to_dict() == {"1": "survey_sofia", "2": "survey_varna"}


def test_months_are_those_of_the_programme(tmp_path):
    tables = ingest(tmp_path, row("1", date="2025-01-31T22:30:00Z"), row("2", date="2025-01-31T21:30:00Z"))
    assert tables.responses.set_index("source_id")["month"].to_dict() == {"1": "2025-02", "2": "2025-01"}


def test_respondents_are_hidden_behind_the_key(tmp_path):
    rows = [row("1", who=" ann@example.com "), row("2", who="ann@example.com"), row("3", who="ben")]
    tables = ingest(tmp_path, *rows)
    ids = tables.responses.set_index("source_id")["respondent_id"]
    assert ids["1"] == ids["2"] != ids["3"]
    programme = parse_programme(PROGRAMME, name="t")
    other = make_tables(read_sources(programme, tmp_path), programme=programme, key=b"another")
    assert not set(other.responses["respondent_id"]) & set(ids)
    assert "ann@" not in tables.responses.to_csv() + tables.feedback.to_csv()


def test_a_second_ingest_gives_the_same_bytes_and_so_do_shuffled_rows(tmp_path):
    rows = [row(str(n % 7), nps=str(n % 5 + 6), why=LONG if n % 3 else f"text {n}") for n in range(20)]
    first = ingest(tmp_path, *rows)
    assert all(a.equals(b) for a, b in zip(first, ingest(tmp_path), strict=True))
    again = ingest(tmp_path, *rows[::-1])
    for a, b in zip(first[:2], again[:2], strict=True):
        assert a.equals(b)


def test_a_repeated_id_is_a_duplicate_and_not_lost(tmp_path):
    tables = ingest(tmp_path, row("1"), row("1", nps="9", date="2025-02-01"), row("1"), row("2"))
    assert counts(tables) == [4, 2, 2, 0]
    known = tables.responses[tables.responses["source_id"] == "1"]
    original = known[known["duplicate_of"].isna()]
    assert set(known["duplicate_of"].dropna()) == set(original["response_id"])
    said = tables.feedback.set_index("response_id")
    assert said.loc[known.loc[known["duplicate_of"].notna(), "response_id"], "duplicate_of"].notna().all()
    alone = ingest(tmp_path, row("1"), row("2"))
    assert set(alone.responses["response_id"]) <= set(tables.responses["response_id"]), "ids outlive repeats"


def test_records_without_id_are_known_by_content_and_not_by_place(tmp_path):
    text = PROGRAMME.replace("id: id, ", "")
    first = ingest(tmp_path, row("", why="a"), row("", why="b"), row("", why="b"), text=text)
    assert counts(first) == [3, 3, 0, 0], "two short answers that are the same are two answers"
    assert first.responses["response_id"].is_unique
    later = ingest(
        tmp_path, row("", why="c"), row("", why="b"), row("", why="a"), row("", why="b"), text=text
    )
    assert set(first.responses["response_id"]) < set(later.responses["response_id"])


def test_a_corrected_file_replaces_its_rows(tmp_path):
    before = ingest(tmp_path, row("1", nps="7"), row("2"))
    after = ingest(tmp_path, row("1", nps="3"))
    assert set(after.responses["response_id"]) < set(before.responses["response_id"])
    assert after.responses["nps"].tolist() == [3.0]


def test_a_repost_is_linked_and_the_response_counts_if_its_score_differs(tmp_path):
    tables = ingest(
        tmp_path,
        row("1", why=LONG),
        row("2", why=LONG.upper(), nps="9", date="2025-02-01"),
        row("3", why=LONG, date="2025-02-02"),
    )
    responses = tables.responses.set_index("source_id")
    assert responses["duplicate_of"].notna().to_dict() == {"1": False, "2": False, "3": True}
    assert responses.loc["3", "duplicate_of"] == responses.loc["1", "response_id"]
    original = tables.feedback[tables.feedback["response_id"] == responses.loc["1", "response_id"]][
        "feedback_id"
    ]
    assert set(tables.feedback["duplicate_of"].dropna()) == set(original)
    assert counts(tables) == [3, 2, 1, 0]


def test_a_response_that_also_says_something_of_its_own_is_no_duplicate(tmp_path):
    later = row("2", why=LONG, more="And the post was rude", date="2025-02-01")
    tables = ingest(tmp_path, row("1", why=LONG), later)
    assert counts(tables) == [2, 2, 0, 0]
    assert tables.feedback["duplicate_of"].notna().sum() == 1


def test_links_do_not_depend_on_row_order():
    days = pd.to_datetime(["2025-01-03", "2025-01-02", "2025-01-01"], utc=True)
    ids = ["r1", "r2", "r3"]
    responses = pd.DataFrame({"response_id": ids, "received_at": days}).assign(
        respondent_id=None, duplicate_of=None
    )
    feedback = pd.DataFrame({
        "feedback_id": ["f1", "f2", "f3"], "response_id": ["r1", "r2", "r3"], "question": "why", "language": "en",
        "verbatim": LONG,
    })  # fmt: skip
    for step in (1, -1):
        found, _ = link_duplicates(responses[::step], feedback[::step], [])
        assert found.set_index("response_id")["duplicate_of"].fillna("").to_dict() == {
            "r1": "r3",
            "r2": "r3",
            "r3": "",
        }


def test_bad_dates_and_answers_are_quarantined_with_line_and_reason(tmp_path):
    rows = [row(str(n)) for n in range(8)]
    rows += [
        row("8", date="2025-02-30"),
        row("9", nps="11"),
        row("10", nps="good", date=""),
        row("11", nps="NA"),
    ]
    tables = ingest(tmp_path, *rows)
    assert counts(tables) == [12, 9, 0, 3]
    quarantine = tables.quarantine.set_index("line")
    assert quarantine["reason"].to_dict() == {
        10: "the date '2025-02-30' cannot be read",
        11: "the answer to 'nps' is '11', not a number of 0-10",
        12: "no date; the answer to 'nps' is 'good', not a number of 0-10",
    }
    assert json.loads(quarantine.loc[11, "raw"])["id"] == "9"


def test_what_is_quarantined_is_redacted_too(tmp_path):
    (tmp_path / "survey.csv").write_text(
        ",".join(COLUMNS) + "\n1,2025-01-01,a,,mail ann@example.com,,gold,7\n2,mail ben@example.com\n"
        "3,2025-99-01,a,,mail cat@example.com,,gold,7\n4,2025-01-01,a,,x,,gold,7\n"
    )
    tables = ingest(tmp_path)
    assert counts(tables) == [4, 2, 0, 2]
    assert tables.quarantine["raw"].str.contains("[EMAIL]", regex=False).all()
    assert "example.com" not in tables.quarantine.to_csv() + tables.feedback.to_csv()


def test_a_wrong_scale_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"survey\.csv.*3 of 4 answers to 'nps'.*0-10[\s\S]*low, high"):
        ingest(tmp_path, row("1", nps="70"), row("2", nps="80"), row("3", nps="95"), row("4", nps="5"))


def test_an_nps_of_0_to_6_is_refused_from_50_answers_on(tmp_path):
    rows = [row(str(n), nps=str(n % 7)) for n in range(60)]
    assert counts(ingest(tmp_path, *rows[:40])) == [40, 40, 0, 0]
    with pytest.raises(SourceError, match="above 6"):
        ingest(tmp_path, *rows)


def test_dates_that_mostly_cannot_be_read_are_refused(tmp_path):
    with pytest.raises(SourceError, match=r"2 of 3 dates in column 'date'.*\n.*'soon'.*\n.*date_format"):
        ingest(tmp_path, row("1", date="soon"), row("2", date="later"), row("3"))


def test_relative_dates_without_export_day_make_the_file_undated(tmp_path):
    rows = [row("1", date="3 months ago"), row("2", date="2 days ago")]
    assert set(ingest(tmp_path, *rows).responses["month"]) == {"all"}
    text = PROGRAMME.replace("    stage: use", "    exported_on: 2025-06-01\n    stage: use")
    assert ingest(tmp_path, *rows, text=text).responses["month"].tolist().count("all") == 0


def test_an_undated_source_has_one_period(tmp_path):
    text = PROGRAMME.replace("date: date, ", "").replace("    stage: use", "    undated: true")
    tables = ingest(tmp_path, row("1", date="x"), text=text)
    assert tables.responses[["month", "received_at"]].isna().values.tolist() == [[False, True]]
    assert tables.responses["month"].tolist() == ["all"]


def test_the_language_that_a_source_names_wins(tmp_path):
    text = PROGRAMME.replace("channel: via}", "channel: via, language: via}")
    said = "The parcel was late again"
    tables = ingest(
        tmp_path, row("1", via="bg-BG", why=said), row("2", via="German"), row("3", via="?"), text=text
    )
    found = tables.feedback.merge(tables.responses, on="response_id").set_index("source_id")["language"]
    assert found.to_dict() == {"1": "bg", "2": "other", "3": "en"}


TURNS = """
title: T
question: Why?
goal: loyalty
languages: [en]
sources:
  - name: chat
    files: chat.jsonl
    channel: chat
    who_started: customer
    mode: direct
    undated: true
    columns: {id: id}
    turns: {column: said, speaker: who, text: words, customer: [Customer]}
"""


def test_only_customers_turns_are_feedback_and_all_turns_are_counted(tmp_path):
    said = [
        {"who": "agent", "words": "Hello, how can I help?"},
        {"who": "customer", "words": "My parcel is late"},
        {"who": "agent", "words": "I am sorry"},
        {"who": " CUSTOMER", "words": "Thank you"},
        {"who": "customer", "words": ""},
    ]
    records = [
        {"id": 1, "said": said},
        {"id": 2, "said": []},
        {"id": 3, "said": "hello"},
        {"id": 4, "said": [{"x": 1}]},
    ]
    (tmp_path / "chat.jsonl").write_text("\n".join(map(json.dumps, records)))
    tables = ingest(tmp_path, text=TURNS)
    assert dict(zip(tables.feedback["question"], tables.feedback["verbatim"], strict=True)) == {
        "turn 2": "My parcel is late",
        "turn 4": "Thank you",
    }
    assert counts(tables) == [4, 2, 0, 2]
    assert tables.quarantine["line"].tolist() == [3, 4]


def test_files_of_one_source_are_accounted_for_each(tmp_path):
    ingest(tmp_path, row("1"), row("2"), file="survey_a.csv")
    tables = ingest(tmp_path, row("2"), row("3"), row("4", nps="99"), file="survey_b.csv")
    columns = ["file", "rows_in", "kept", "duplicates", "quarantined"]
    found = tables.ingested[columns].values.tolist()
    assert found == [["survey_a.csv", 2, 2, 0, 0], ["survey_b.csv", 3, 1, 1, 1]]
    assert tables.ingested["sha256"].str.len().tolist() == [64, 64]


def test_one_bad_cell_in_a_small_file_does_not_stop_the_others(tmp_path):
    ingest(tmp_path, *(row(str(n)) for n in range(9)), file="survey_a.csv")
    tables = ingest(tmp_path, row("10", date="soon", nps="99"), file="survey_b.csv")
    assert counts(tables) == [10, 9, 0, 1]
    with pytest.raises(SourceError, match=r"survey_c\.csv.*12 of 12 dates"):
        ingest(tmp_path, *(row(str(n), date="soon") for n in range(20, 32)), file="survey_c.csv")


def test_an_nps_of_0_to_6_in_daily_files_is_refused_by_all_of_them(tmp_path):
    for day in range(4):
        rows = [row(f"{day}-{n}", nps=str(n % 7)) for n in range(20)]
        pd.DataFrame(rows, columns=COLUMNS).to_csv(tmp_path / f"survey_{day}.csv", index=False)
    with pytest.raises(SourceError, match=r"4 files: source 'survey'.*above 6"):
        ingest(tmp_path)


def test_names_of_questions_are_no_patterns():
    text = "s: undated: true, columns: {id: id}, answers: {'nps (0-10': a}"
    question = "questions: {'nps (0-10': {label: N, low: 0, high: 10, metric: nps}}\n"
    rows = [{"id": str(n), "a": value} for n, value in enumerate(["1", "2", "11"])]
    assert count_rows(ingest_rows(programme_of(text, head=question), (rows, {}))) == [[3, 2, 0, 1]]


def test_bad_records_of_one_line_and_reason_are_each_counted():
    programme = programme_of("s: undated: true, columns: {id: id}, verbatims: {c: t}")
    bad = [(1, "not JSON", "{x"), (1, "not JSON", "{x"), (1, "not JSON", "{y")]
    tables = ingest_rows(programme, ([], {"bad": bad}))
    assert count_rows(tables) == [[3, 0, 0, 3]] and len(tables.quarantine) == 3


def test_the_raw_record_of_a_bad_row_hides_who_it_is():
    programme = programme_of("s: columns: {id: id, date: d, respondent: w}, verbatims: {c: t}, names: [n]")
    rows = [
        {"id": str(n), "d": "2025-01-01", "w": "customer-77", "n": "Ann Blake", "t": "x"} for n in range(3)
    ]
    rows += [
        {"id": "9", "d": "on ann@example.com", "w": "customer-77", "n": "Ann Blake", "t": "I am Ann Blake"}
    ]
    tables = ingest_rows(programme, (rows, {}))
    raw = json.loads(tables.quarantine["raw"].item())
    assert raw == {
        "id": "9", "d": "on [EMAIL]", "t": "I am [NAME]", "n": "[NAME]",
        "w": tables.responses["respondent_id"].unique().item(),
    }  # fmt: skip
    assert tables.quarantine["reason"].item() == "the date 'on [EMAIL]' cannot be read"


def test_a_reason_does_not_hold_a_whole_text():
    programme = programme_of("s: columns: {id: id, date: d}, verbatims: {c: t}, keep: {k: [1, true]}")
    rows = [{"id": str(n), "d": "2025-01-01", "t": "x", "k": "TRUE"} for n in range(3)]
    rows += [
        {"id": "8", "d": "late " * 999, "t": "x", "k": "1"},
        {"id": "9", "d": "2025-01-01", "t": "x", "k": ""},
    ]
    tables = ingest_rows(programme, (rows, {}))
    assert tables.quarantine["reason"].str.len().max() < 100
    assert tables.quarantine["reason"].tolist()[1] == "left out: 'k' is ''"


@pytest.mark.parametrize("unit", ["person", "group"])
def test_a_forgotten_person_leaves_nothing_even_of_a_bad_record(unit):
    programme = programme_of(
        f"s: unit: {unit}, columns: {{id: id, date: d, respondent: w}}, verbatims: {{c: t}}, tags: {{column: t}}"
    )
    ann = hide_names(pd.Series(["ann"]), b"secret", programme.sources[0]).item()
    rows = [
        {"id": str(n), "d": day, "w": "ann", "t": "my words"} for n, day in enumerate(["2025-01-01", "soon"])
    ]
    rows += [{"id": "7", "d": "2025-01-01", "w": "ben", "t": "fine"}]
    tables = ingest_rows(programme, (rows, {}), forgotten=frozenset([ann]))
    assert count_rows(tables) == [[3, 1, 0, 2]]
    assert not any("my words" in table.to_csv() for table in tables)
    assert tables.quarantine["reason"].unique().tolist() == ["forgotten, as the respondent asked"]
    assert tables.responses["respondent_id"].isna().all() == (unit == "group")


def test_tags_may_be_a_list_in_json_and_count_once():
    programme = programme_of(
        "s: undated: true, columns: {id: id}, verbatims: {c: t}, tags: {column: g, separator: ','}"
    )
    rows = [
        {"id": "1", "t": "x", "g": '["a, b", "c", "c"]'},
        {"id": "2", "t": "x", "g": "c,, d ,c,ann@example.com"},
    ]
    tags = ingest_rows(programme, (rows, {})).tags
    assert sorted(tags["tag"]) == ["[EMAIL]", "a, b", "c", "c", "d"]


def test_a_turn_of_nobody_does_not_spoil_a_conversation():
    programme = programme_of("s: undated: true, columns: {id: id}, turns: {column: t}")
    turns = [{"event": "joined"}, {"speaker": "customer", "text": "It broke"}, {"speaker": None, "text": "x"}]
    rows = [
        {"id": str(n), "t": json.dumps(said)} for n, said in enumerate([turns, {"a": 1}, [1], [{"x": 1}]])
    ]
    tables = ingest_rows(programme, (rows, {}))
    assert tables.feedback["question"].tolist() == ["turn 2"]
    assert count_rows(tables) == [[4, 1, 0, 3]]


@pytest.mark.parametrize("name", ["file", "line", "flag", "session_id", "reason", "unit"])
def test_names_that_the_tables_need_are_refused(name):
    with pytest.raises(ProgrammeError, match=f"'{name}'.*taken"):
        programme_of("s: undated: true, verbatims: {c: t}", head=f"segments: {{{name}: X}}\n")


@pytest.mark.parametrize("name", ["en", "other", "script", "part", "tag", "text", "known", "first"])
def test_a_segment_may_have_a_name_that_only_our_work_has(name):
    programme = programme_of(
        f"s: undated: true, columns: {{id: id}}, verbatims: {{c: t}}, cut_replies: true, segments: {{{name}: p}}",
        head=f"segments: {{{name}: X}}\n",
    )
    rows = [{"id": str(n % 3), "t": LONG, "p": str(n)} for n in range(4)]
    assert sorted(ingest_rows(programme, (rows, {})).responses[name]) == ["0", "1", "2", "3"]


@pytest.mark.parametrize(
    "source",
    [
        "s: columns: {id: id, date: d}, verbatims: {c: t}, cut_replies: true, tags: {column: t}, names: [t]",
        "s: columns: {date: d}, events: {kinds: {a: t}}",
        "s: columns: {date: d, respondent: id}, measures: {n: t}",
        "s: columns: {id: id, date: d}, turns: {column: t}",
    ],
)
@pytest.mark.parametrize("rows", [[], [{"id": "1", "d": "soon", "t": "x"}]])
def test_a_file_of_nothing_that_can_be_used_gives_empty_tables(source, rows):
    tables = ingest_rows(programme_of(source), (rows, {}))
    assert counts(tables) == [len(rows), 0, 0, len(rows)]
    assert sum(map(len, tables)) == 1 + len(rows)


def test_json_records_of_a_later_part_may_lack_a_column(tmp_path, monkeypatch):
    monkeypatch.setattr("vocwb.collect.sources._ROWS", 2)
    records = [{"id": 1, "t": "a"}, {"id": 2}, {"id": 3}, {"id": 4}, {"id": 5, "t": "b", "late": "c"}]
    (tmp_path / "a.json").write_text(json.dumps(records))
    text = (
        HEAD
        + "sources:\n"
        + SOURCE.replace("x.csv", "a.json").replace(
            "REST", "undated: true, columns: {id: id}, verbatims: {c: t, more: late}"
        )
    )
    assert sorted(ingest(tmp_path, text=text).feedback["verbatim"]) == ["a", "b", "c"]


def test_nothing_but_unreadable_records_still_gives_tables(tmp_path):
    (tmp_path / "survey.csv").write_text(",".join(COLUMNS) + "\n1,2\n")
    tables = ingest(tmp_path)
    assert counts(tables) == [1, 0, 0, 1]
    assert tables.responses.empty and tables.feedback.empty and "nps" in tables.responses


def test_hostile_verbatims_stay_what_they_are(tmp_path):
    hostile = [
        "=HYPERLINK(1)",
        "'; DROP TABLE x; --",
        "{{7*7}}",
        "</script> hi",
        "\u202eevil",
        "%s%n",
        "a" * 100_000,
    ]
    tables = ingest(tmp_path, *(row(str(n), why=text) for n, text in enumerate(hostile)))
    assert set(tables.feedback["verbatim"]) == set(hostile)


def test_a_translation_stands_beside_what_was_said_and_never_in_its_place():
    known = programme_of(
        "s: columns: {id: id, date: d}, verbatims: {why: t}, translations: {why: e}, cut_replies: true"
    )
    rows = [
        {"id": "1", "d": "2025-04-14", "t": "بسته دیر رسید", "e": "The parcel came late, write to bo@x.org"},
        {"id": "2", "d": "2025-04-14", "t": "پیک مودب بود", "e": " "},
        {"id": "3", "d": "2025-04-14", "t": "", "e": "Nothing was said"},
    ]
    tables = ingest_rows(known, (rows, {"file": "a.csv"}))
    said = tables.feedback.set_index("verbatim")["feedback_id"]
    assert set(said.index) == {"بسته دیر رسید", "پیک مودب بود"}
    told = tables.asides[tables.asides["part"] == "translation"]
    assert told["feedback_id"].tolist() == [said["بسته دیر رسید"]]
    assert told["text"].tolist() == ["The parcel came late, write to [EMAIL]"]


def test_a_translation_of_a_question_that_is_not_asked_is_refused():
    with pytest.raises(ProgrammeError, match="translations of what is none of the verbatims: other"):
        programme_of("s: columns: {id: id, date: d}, verbatims: {why: t}, translations: {other: e}")
