"""What is settled when all files are known: what is too old or left out, copies of it, and files that are gone."""

import json

import pandas as pd
from raw import count_rows, ingest, programme_of, raw_file

from vocwb.collect.ingest import find_lost, make_tables
from vocwb.collect.settle import find_first_month

LONG = "Do not buy the kettle of this shop, it caught fire!"
DATED = "s: columns: {id: id, date: d}, verbatims: {c: t}"


def said(id, day, text=LONG, **more):
    return {"id": id, "t": text, "d": day, **more}


def originals(tables):
    """Return source_id of each response -> that of its original, "" if it is one."""
    known = tables.responses.set_index("response_id")["source_id"]
    of = tables.responses["duplicate_of"].map(known).fillna("")
    return dict(zip(tables.responses["source_id"], of, strict=True))


def test_the_first_month_is_counted_from_the_latest_of_all():
    months = [pd.Series(["2025-11", "all"]), pd.Series(["2026-02"], dtype="category")]
    assert find_first_month(months, 3) == "2025-12"
    assert find_first_month(months, None) == find_first_month([pd.Series(["all"])], 3) == ""


def test_copies_of_what_is_too_old_are_copies_of_the_first_that_stays():
    rows = [said("1", "2025-01-01"), said("2", "2025-05-01"), said("3", "2025-05-02")]
    tables = ingest(programme_of(DATED, head="retention_months: 2\n"), (rows, {}))
    assert originals(tables) == {"2": "", "3": "2"}
    assert count_rows(tables) == [[3, 1, 1, 1]]
    assert tables.quarantine["raw"].tolist() == [""]
    ids = dict(zip(tables.feedback["response_id"], tables.feedback["feedback_id"], strict=True))
    assert tables.feedback["duplicate_of"].dropna().tolist() == [
        ids[tables.responses["duplicate_of"].dropna().item()]
    ]


def test_repeats_of_an_id_that_is_too_old_leave_one_original():
    rows = [said("1", day, f"text {day}") for day in ("2025-01-01", "2025-05-01", "2025-05-02")]
    tables = ingest(programme_of(DATED, head="retention_months: 2\n"), (rows, {}))
    assert count_rows(tables) == [[3, 1, 1, 1]]
    kept = tables.responses[tables.responses["duplicate_of"].isna()]
    assert kept["received_at"].dt.day.tolist() == [1]
    assert tables.responses["duplicate_of"].dropna().tolist() == kept["response_id"].tolist()


def test_what_cannot_be_read_is_not_kept_longer_than_the_rest():
    programme = programme_of(
        "s: columns: {id: id, date: d}, answers: {a: a}",
        head="retention_months: 2\nquestions: {a: {label: A, low: 1, high: 5, metric: rating}}\n",
    )
    rows = [{"id": str(n), "d": "2025-05-01", "a": "3"} for n in range(3)]
    rows += [{"id": "7", "d": "2025-01-01", "a": "9"}, {"id": "8", "d": "2025-05-01", "a": "9"}]
    tables = ingest(programme, (rows, {}))
    assert [raw and json.loads(raw)["id"] for raw in tables.quarantine["raw"]] == ["", "8"]


def test_events_and_measures_are_kept_as_long_as_the_rest():
    programme = programme_of(
        DATED,
        "log: columns: {date: d}, events: {kinds: {sent: d, opened: o}}",
        "use: columns: {date: d, respondent: w}, measures: {n: n}",
        head="retention_months: 2\n",
    )
    log = [
        {"d": "2025-01-01", "o": "2025-05-01"},
        {"d": "2025-01-02", "o": ""},
        {"d": "2025-05-02", "o": "0"},
    ]
    use = [{"d": "2025-01-01", "w": "ann", "n": "3"}, {"d": "2025-05-01", "w": "ann", "n": "4"}]
    tables = ingest(
        programme,
        ([said("1", "2025-05-01")], {}),
        (log, {"of": 1, "file": "log.csv"}),
        (use, {"of": 2, "file": "use.csv"}),
    )
    assert sorted(tables.events["kind"]) == ["opened", "sent"]
    assert tables.behaviour["value"].tolist() == [4.0]
    assert count_rows(tables) == [[3, 2, 0, 1], [1, 1, 0, 0], [2, 1, 0, 1]]
    assert (tables.quarantine["raw"] == "").all()


def test_what_is_left_out_leaves_nothing_aside():
    programme = programme_of(
        "s: undated: true, columns: {id: id}, verbatims: {c: t}, tags: {column: g}, cut_replies: true",
        head="leave_out: [test]\n",
    )
    rows = [
        {"id": "1", "t": "test\n\nSent from my iPhone", "g": "x"},
        {"id": "2", "t": "It broke.\n\nSent from my iPhone", "g": "y"},
    ]
    tables = ingest(programme, (rows, {}))
    assert count_rows(tables) == [[2, 1, 0, 1]]
    kept = set(tables.responses["response_id"])
    assert set(tables.asides["response_id"]) == set(tables.tags["response_id"]) == kept


def test_what_stands_aside_alone_is_known_by_its_response():
    programme = programme_of("s: undated: true, columns: {id: id}, verbatims: {c: t}, cut_replies: true")
    quoted = "On 3 May 2025, Bo <bo@x.org> wrote:\n> Is it well?\n> We hope so.\n> Bo"
    tables = ingest(programme, ([{"id": "1", "t": quoted}], {}))
    assert tables.feedback.empty
    assert tables.asides["response_id"].tolist() == tables.responses["response_id"].tolist()


def lose(programme, files, gone):
    """Return the tables before and after the file `gone` has disappeared."""
    raw = {given["file"]: raw_file(programme.sources[0], rows, **given) for rows, given in files}
    before = make_tables(raw.values(), programme=programme, key=b"secret")
    left = [one for name, one in raw.items() if name != gone]
    lost = find_lost(before, left, [one.file for one in left])
    return before, make_tables(left, programme=programme, key=b"secret", lost=lost)


def test_a_lost_file_keeps_its_rows_its_tags_and_its_links():
    programme = programme_of(DATED + ", tags: {column: g}")
    files = [
        ([said("1", "2025-01-01", g="x")], {"file": "a.csv"}),
        ([said("2", "2025-01-02", g="y"), said("3", "2025-01-03", g="z")], {"file": "b.csv"}),
    ]
    before, after = lose(programme, files, "b.csv")
    for name in ("responses", "feedback", "tags", "asides"):
        pd.testing.assert_frame_equal(getattr(after, name), getattr(before, name))
    assert after.ingested["status"].tolist() == ["read", "disappeared"]
    before, after = lose(programme, files, "a.csv")
    assert originals(after) == {"1": "", "2": "1", "3": "1"}


def test_what_copied_a_response_that_is_no_longer_there_is_an_original():
    programme = programme_of(DATED)
    first = raw_file(programme.sources[0], [said("1", "2025-01-01")], file="a.csv")
    second = raw_file(programme.sources[0], [said("2", "2025-01-02")], file="b.csv")
    before = make_tables([first, second], programme=programme, key=b"secret")
    corrected = raw_file(programme.sources[0], [said("1", "2025-01-01", "Sorry, all is well.")], file="a.csv")
    lost = find_lost(before, [corrected], ["a.csv"])
    after = make_tables([corrected], programme=programme, key=b"secret", lost=lost)
    assert originals(before) == {"1": "", "2": "1"}
    assert originals(after) == {"1": "", "2": ""}
    assert after.feedback["duplicate_of"].isna().all()


def test_an_event_of_a_lost_file_that_another_file_holds_too_happened_once():
    programme = programme_of("log: columns: {date: d}, events: {kind: k}")
    clicks = [{"k": "click", "d": "2025-01-01 10:00"}, {"k": "click", "d": "2025-01-02 10:00"}]
    before, after = lose(programme, [(clicks[:1], {"file": "a.csv"}), (clicks, {"file": "b.csv"})], "a.csv")
    assert count_rows(before) == [[1, 1, 0, 0], [2, 1, 1, 0]]
    assert len(before.events) == len(after.events) == 2


def test_one_of_two_files_with_the_same_bytes_may_disappear():
    programme = programme_of("s: undated: true, columns: {id: id}, verbatims: {c: t}")
    rows = [{"id": "1", "t": "It broke."}]
    files = [(rows, {"file": "a.csv"}), (rows, {"file": "b.csv"})]
    _, after = lose(programme, files, "a.csv")
    assert after.ingested["status"].tolist() == ["disappeared", "read"]
    one = raw_file(programme.sources[0], rows, file="a.csv")
    renamed = raw_file(programme.sources[0], rows, file="renamed.csv")
    before = make_tables([one], programme=programme, key=b"secret")
    assert find_lost(before, [renamed], ["renamed.csv"]).ingested.empty
