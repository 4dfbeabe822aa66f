import numpy as np
import pandas as pd
import pytest

from vocwb.errors import SchemaError
from vocwb.schemas import OUTLIER, empty_table
from vocwb.understand.lineage import KEPT, Lineage, restate_month, restate_shares, trace_lineage


def make_book(topics, terms=None, **columns):
    terms = terms or [[f"{topic} word", "more"] for topic in topics]
    return pd.DataFrame(
        {"topic": topics, "terms": terms, "voice": "customer", "language": "en", "lineage": "new", **columns}
    )


def make_rows(topics):
    ids = [f"f{number:04}" for number in range(len(topics))]
    return pd.DataFrame({"feedback_id": ids, "topic": topics, "similarity": 0.8})


def trace(before, after, first_number=50, terms=None, new_terms=None):
    old = make_book(sorted(set(before) - {OUTLIER}), terms)
    new = make_book(sorted(set(after) - {OUTLIER}), new_terms or [["a"]] * len(set(after) - {OUTLIER}))
    if new_terms is None:
        new["terms"], old["terms"] = [["a"]] * len(new), [["a"]] * len(old)
    return trace_lineage(old, make_rows(before), new, make_rows(after), first_number=first_number)


def relations(traced):
    return {(row.topic, row.earlier_topic): row.relation for row in traced.lineage.itertuples()}


def test_each_relation_is_told_with_its_score():
    before = (
        ["T0001"] * 40 + ["T0002"] * 40 + ["T0003"] * 30 + ["T0004"] * 30 + ["T0005"] * 10 + [OUTLIER] * 20
    )
    after = (
        ["T0009"] * 40  # T0001 under another number
        + ["T0008"] * 25 + ["T0007"] * 15  # T0002 in two
        + ["T0006"] * 60  # T0003 and T0004 in one
        + [OUTLIER] * 10  # T0005 is gone
        + ["T0005"] * 20  # what no topic had
    )  # fmt: skip
    traced = trace(before, after)
    names = traced.assignments.groupby(pd.Series(after))["topic"].first()
    assert names["T0009"] == "T0001" and names["T0008"] == "T0002"
    # T0006 holds T0003 and T0004 in equal parts: it goes on as the one, and the other is merged into it.
    heir = names["T0006"]
    assert heir in {"T0003", "T0004"}
    other = ({"T0003", "T0004"} - {heir}).pop()
    found = relations(traced)
    assert found[("T0001", "T0001")] == "same"
    assert found[(names["T0007"], "T0002")] == "split"
    assert found[(heir, other)] == "merged"
    assert found[("", "T0005")] == "retired"
    assert found[(names["T0005"], "")] == "new"
    score = traced.lineage.set_index(["topic", "earlier_topic"])["score"]
    assert score[("T0002", "T0002")] == pytest.approx(25 / 40)
    assert score[(names["T0007"], "T0002")] == 1 and score[(heir, other)] == 1
    assert traced.lineage["score"].between(0, 1).all()
    said = traced.codebook.set_index("topic")["lineage"]
    assert said["T0001"] == "same" and said[names["T0007"]] == "split from T0002"


def test_a_new_id_is_never_one_that_was_given():
    traced = trace(
        ["T0001"] * 30 + ["T0002"] * 30, ["T0001"] * 10 + ["T0002"] * 10 + ["T0003"] * 10 + ["T0004"] * 30, 13
    )
    fresh = set(traced.codebook["topic"]) - {"T0001", "T0002"}
    assert fresh == {"T0013", "T0014", "T0015"}
    assert traced.codebook["topic"].is_unique
    assert set(traced.assignments["topic"]) <= set(traced.codebook["topic"])


def test_records_under_same_keep_their_topic():
    draw = np.random.default_rng(0)
    before = np.repeat([f"T{number:04d}" for number in range(1, 21)], 100)
    wrong = draw.random(2000) < np.repeat(np.linspace(0, 0.25, 20), 100)
    after = np.where(wrong, draw.choice(before, 2000), before)
    shuffled = pd.Series(after).map(
        dict(zip(sorted(set(after)), draw.permutation(sorted(set(after))), strict=True))
    )
    traced = trace(before.tolist(), shuffled.tolist())
    same = set(traced.lineage.loc[traced.lineage["relation"] == "same", "topic"])
    under = np.isin(before, list(same))
    assert len(same) >= 5
    assert (traced.assignments["topic"].to_numpy()[under] == before[under]).mean() >= KEPT
    assert set(relations(traced).values()) == {"same", "renamed"}
    assert (traced.assignments["topic"].to_numpy() == after).all()


def test_other_terms_ask_people_to_look_at_the_name():
    before = ["T0001"] * 30 + ["T0002"] * 30
    old, new = [["late", "parcel"], ["rude", "driver"]], [["late", "parcel", "days"], ["app", "crash"]]
    assert list(relations(trace(before, before, terms=old, new_terms=new)).values()) == ["same", "renamed"]


def test_only_documents_that_both_have_seen_count():
    old, new = make_book(["T0001"]), make_book(["T0001", "T0002"])
    before = make_rows(["T0001"] * 30)
    after = make_rows(["T0002"] * 30 + ["T0001"] * 300)
    traced = trace_lineage(old, before, new.assign(terms=[["x"], ["T0001 word"]]), after, first_number=2)
    assert relations(traced) == {("T0001", "T0001"): "same", ("T0002", ""): "new"}
    with pytest.raises(SchemaError, match="no document in common"):
        trace_lineage(old, before, new, after.tail(300), first_number=2)


def test_voices_and_languages_are_never_matched():
    old, new = make_book(["T0001"]), make_book(["T0001"], voice="employee")
    rows = make_rows(["T0001"] * 30)
    assert relations(trace_lineage(old, rows, new, rows, first_number=2)) == {
        ("T0002", ""): "new", ("", "T0001"): "retired",
    }  # fmt: skip


def test_row_order_does_not_matter():
    draw = np.random.default_rng(1)
    before, after = (
        make_rows(draw.choice(["T0001", "T0002", "T0003"], 300)),
        make_rows(draw.choice(["T0001", "T0002"], 300)),
    )
    old, new = make_book(["T0001", "T0002", "T0003"]), make_book(["T0001", "T0002"])
    one = trace_lineage(old, before, new, after, first_number=4).lineage
    other = trace_lineage(
        old, before.sample(frac=1, random_state=1), new, after.sample(frac=1, random_state=2), first_number=4
    ).lineage
    pd.testing.assert_frame_equal(one, other)


def test_last_month_is_restated_beside_what_was_printed():
    before = make_rows(["T0001"] * 60 + ["T0002"] * 40)
    after = make_rows(["T0001"] * 50 + ["T0003"] * 10 + ["T0002"] * 40)
    lineage = pd.DataFrame(
        [("T0001", "T0001", "same"), ("T0003", "T0001", "split"), ("T0002", "T0002", "same")],
        columns=["topic", "earlier_topic", "relation"],
    )
    units = pd.Series([f"p{number}" for number in range(100)], index=before["feedback_id"])
    table = restate_shares(before, after, units, lineage).set_index("topic")
    assert table["printed"].fillna(-1).to_dict() == {"T0001": 60, "T0002": 40, "T0003": -1}
    assert table["restated"].to_dict() == {"T0001": 50, "T0002": 40, "T0003": 10}
    assert table["relation"].to_dict() == {"T0001": "same", "T0002": "same", "T0003": "split"}
    assert (table["n"] == 100).all()
    # Wilson's interval of 60 of 100, from R's binom::binom.wilson
    assert table.loc["T0001", ["printed_low", "printed_high"]].tolist() == pytest.approx(
        [50.2, 69.1], abs=0.06
    )
    one = restate_shares(before, after, units.map(lambda unit: "the same person"), lineage)
    assert one["restated"].tolist() == [100, 100, 100]


def test_what_is_the_same_keeps_its_terms_and_name_and_what_is_renamed_gets_new_ones():
    before = ["T0001"] * 30 + ["T0002"] * 30
    old = make_book(
        ["T0001", "T0002"], [["late", "parcel"], ["rude", "driver"]], name=["Parcels", "Drivers"],
        first_seen=["2024-03", "2024-05"],
    )  # fmt: skip
    new = make_book(
        ["T0009", "T0008"], [["parcel", "late", "days"], ["app", "crash"]], name=["new a", "new b"],
        first_seen=["2025-01", "2025-02"], size=[31, 32],
    )  # fmt: skip
    after = pd.Series(before).map({"T0001": "T0009", "T0002": "T0008"}).tolist()
    traced = trace_lineage(old, make_rows(before), new, make_rows(after), first_number=3).codebook
    traced = traced.set_index("topic")
    assert traced["lineage"].to_dict() == {"T0001": "same", "T0002": "renamed"}
    assert traced["terms"].tolist() == [["late", "parcel"], ["app", "crash"]]
    assert traced["name"].tolist() == ["Parcels", "new b"]
    assert traced["first_seen"].tolist() == ["2024-03", "2024-05"], "both go on"
    assert traced["size"].tolist() == [31, 32]


def test_of_a_first_codebook_every_topic_is_new_and_keeps_its_number():
    new, rows = make_book(["T0001", "T0002"]), make_rows(["T0001"] * 5 + ["T0002"] * 5 + [OUTLIER])
    none = empty_table("codebook"), empty_table("assignments")
    traced = trace_lineage(*none, new, rows, first_number=1)
    assert relations(traced) == {("T0001", ""): "new", ("T0002", ""): "new"}
    pd.testing.assert_frame_equal(traced.codebook, new)
    pd.testing.assert_frame_equal(traced.assignments, rows)
    assert traced.lineage[["score", "shared"]].to_numpy().sum() == 0
    assert trace_lineage(*none, new.head(0), rows.head(0), first_number=1).lineage.empty


def test_a_refit_that_finds_no_topic_retires_all():
    old, rows = make_book(["T0001"]), make_rows(["T0001"] * 9)
    traced = trace_lineage(old, rows, old.head(0), rows.assign(topic=OUTLIER), first_number=2)
    assert relations(traced) == {("", "T0001"): "retired"} and traced.codebook.empty
    assert set(traced.assignments["topic"]) == {OUTLIER}


def test_a_month_is_restated_for_each_voice_and_space_of_languages_apart():
    languages = ["en"] * 10 + ["fa"] * 5 + ["bg"] * 5 + ["en"] * 4
    voices = ["customer"] * 20 + ["employee"] * 4
    before = make_rows(["T0001"] * 6 + ["T0002"] * 4 + ["T0003"] * 10 + ["T0009"] * 4)
    after = make_rows(["T0001"] * 9 + [OUTLIER] + ["T0003"] * 5 + ["T0004"] * 5 + ["T0009"] * 4)
    opinions = before[["feedback_id"]].assign(
        voice=voices, language=languages, response_id=before["feedback_id"], respondent_id=None
    )
    book = make_book(["T0001", "T0003", "T0004", "T0009"], language=["en", "multi", "multi", "en"])
    book["voice"] = ["customer"] * 3 + ["employee"]
    rows = [("T0001", "T0002", "merged"), ("T0004", "T0003", "split")]
    lineage = pd.DataFrame(rows, columns=["topic", "earlier_topic", "relation"])
    shown = restate_month(opinions, before, Lineage(book, after, lineage))
    shown = shown.set_index(["voice", "language", "topic"])
    figures = shown[["relation", "printed", "restated", "n"]].fillna(-1)
    assert {key: tuple(row) for key, row in zip(figures.index, figures.to_numpy(), strict=True)} == {
        ("customer", "en", "T0000"): ("same", -1, 10, 10),
        ("customer", "en", "T0001"): ("same", 60, 90, 10),
        ("customer", "en", "T0002"): ("merged", 40, -1, 10),
        ("customer", "multi", "T0003"): ("same", 100, 50, 10),
        ("customer", "multi", "T0004"): ("split", -1, 50, 10),
        ("employee", "en", "T0009"): ("same", 100, 100, 4),
    }
    unseen = opinions.assign(feedback_id=opinions["feedback_id"] + "x")
    assert restate_month(unseen, before, Lineage(book, after, lineage)).empty
