"""Naming: what people decided holds as long as it means the same, and says so when it does not."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwb.decisions import fold_decisions, list_history, read_decisions, record_decision, undo_decision
from vocwb.errors import DecisionError
from vocwb.schemas import OUTLIER, check_table, empty_table
from vocwb.understand.naming import (
    accept_topics,
    apply_decisions,
    apply_to_assignments,
    list_standing,
    name_part,
    review_decisions,
)

TERMS = {"T0001": ["late", "parcel"], "T0002": ["slow", "courier"], "T0003": ["price", "fee"]}
BOOK = pd.DataFrame(
    {"topic": list(TERMS), "name": ["late", "slow", "price"], "terms": list(TERMS.values()),
     "language": ["en", "en", "fa"], "voice": "customer"}
)  # fmt: skip
PARTS = [{"feedback_ids": ["a", "b"], "name": "Depot"}, {"feedback_ids": ["c"]}]
DEPOT, REST = (name_part("T0001", part) for part in PARTS)


def decide(*rows):
    frame = pd.DataFrame(rows, columns=["kind", "subject", "value"])
    return frame.assign(decision_id=range(1, len(rows) + 1), who="Ada")


def assign(**topics):
    return pd.DataFrame(
        {"feedback_id": list(topics), "codebook_id": "C1", "topic": list(topics.values()), "similarity": 0.5}
    )


def placed(rows, *decisions, **options):
    found = apply_to_assignments(rows, apply_decisions(BOOK, decide(*decisions)), **options)
    return dict(zip(found["feedback_id"], found["topic"], strict=True))


def test_a_topic_gets_the_name_the_definition_and_the_state_that_people_gave_it():
    named = apply_decisions(
        BOOK,
        decide(
            ("topic_name", "T0001", {"name": "Късни пратки", "terms": TERMS["T0001"]}),
            (
                "topic_define",
                "T0001",
                {"belongs": "What arrives after the day.", "excludes": "Lost parcels."},
            ),
            ("topic_retire", "T0003", {}),
            ("why", "w1", {"statement": "not about a topic"}),
        ),
    ).set_index("topic")
    assert named["name"].tolist() == ["Късни пратки", "slow", "price"]
    assert named.loc["T0001", "definition"] == "What arrives after the day. Not: Lost parcels."
    assert named.loc["T0002", "definition"] == ""
    assert named["retired"].tolist() == [False, False, True]
    assert named["merged_into"].isna().all() and not named["split_into"].str.len().any()


def test_a_topic_has_a_name_in_each_language_and_is_called_by_the_one_that_is_asked_for():
    decisions = decide(
        ("topic_name", "T0003", {"name": "Price", "language": "en"}),
        ("topic_name", "T0003", {"name": "قیمت", "language": "fa"}),
    )
    assert apply_decisions(BOOK, decisions)["name"].iloc[2] == "قیمت", "of its own language"
    assert apply_decisions(BOOK, decisions, language="en")["name"].iloc[2] == "Price"
    assert apply_decisions(BOOK, decisions)["names"].iloc[2] == {"en": "Price", "fa": "قیمت"}


def test_merges_chain_to_the_last_topic():
    rows = ("topic_merge", "T0003", {"into": "T0002"}), ("topic_merge", "T0002", {"into": "T0001"})
    named = apply_decisions(BOOK, decide(*rows))
    assert named["merged_into"].fillna("").tolist() == ["", "T0001", "T0001"]
    assert placed(assign(f="T0003", g="T0002", h="T0001"), *rows) == dict.fromkeys("fgh", "T0001")


def test_of_merge_split_retire_and_restore_the_last_stands():
    merge, retire = ("topic_merge", "T0001", {"into": "T0002"}), ("topic_retire", "T0001", {})
    restore, split = ("topic_restore", "T0001", {}), ("topic_split", "T0001", {"parts": PARTS})
    rows = assign(a="T0001")
    assert placed(rows, merge) == {"a": "T0002"}
    assert placed(rows, merge, retire) == {"a": OUTLIER}
    assert placed(rows, retire, merge) == {"a": "T0002"}
    assert placed(rows, merge, retire, restore) == {"a": "T0001"}
    assert placed(rows, retire, split) == {"a": DEPOT}
    assert placed(rows, split, restore) == {"a": "T0001"}


def test_what_is_merged_into_a_retired_topic_fits_none():
    rows = ("topic_retire", "T0002", {}), ("topic_merge", "T0001", {"into": "T0002"})
    assert placed(assign(f="T0001"), *rows) == {"f": OUTLIER}


@pytest.mark.parametrize("ring", [["T0001"], ["T0001", "T0002"], ["T0001", "T0002", "T0003"]])
def test_a_circle_of_merges_is_refused_with_its_way(ring):
    rows = [("topic_merge", one, {"into": two}) for one, two in zip(ring, ring[1:] + ring[:1], strict=True)]
    with pytest.raises(DecisionError, match=r"circle: T000\d into (.|\n)*Take one") as error:
        apply_decisions(BOOK, decide(*rows))
    assert all(topic in error.value.what for topic in ring)


def test_a_part_that_is_merged_back_into_its_topic_is_a_circle():
    rows = ("topic_split", "T0001", {"parts": PARTS}), ("topic_merge", DEPOT, {"into": "T0001"})
    with pytest.raises(DecisionError, match="circle"):
        apply_decisions(BOOK, decide(*rows))


@given(st.lists(st.tuples(st.sampled_from(list(TERMS)), st.sampled_from(list(TERMS))), max_size=6))
def test_whatever_is_merged_nothing_turns_round_for_ever(pairs):
    rows = [("topic_merge", one, {"into": two}) for one, two in dict(pairs).items()]
    named, problems = review_decisions(BOOK, decide(*rows))
    target = dict(zip(named["topic"], named["merged_into"], strict=True))
    ends = named["merged_into"].dropna()
    assert all(not isinstance(target[end], str) for end in ends), "the end of a chain stands for itself"
    assert len(ends) + len(problems) == len(rows)


def test_customers_topics_are_not_merged_with_employees():
    book = BOOK.assign(voice=["customer", "employee", "customer"])
    with pytest.raises(DecisionError, match="customers, one of employees"):
        apply_decisions(book, decide(("topic_merge", "T0001", {"into": "T0002"})))


@pytest.mark.parametrize(
    "decision",
    [
        ("topic_name", "T0009", {"name": "x"}),
        ("topic_define", "T0009", {"belongs": "x"}),
        ("topic_merge", "T0001", {"into": "T0009"}),
        ("topic_retire", "T0009", {}),
        ("topic_split", "T0009", {"parts": PARTS}),
    ],
)
def test_a_decision_on_an_unknown_topic_is_refused_with_the_known_ones(decision):
    with pytest.raises(DecisionError, match=r"Decision 1 (.|\n)*'T0009'(.|\n)*T0001, T0002, T0003"):
        apply_decisions(BOOK, decide(decision))


def test_a_name_whose_terms_have_changed_is_refused_with_both_and_what_to_do():
    decision = ("topic_name", "T0001", {"name": "Late parcels", "terms": ["refund", "money"]})
    with pytest.raises(DecisionError) as error:
        apply_decisions(BOOK, decide(decision))
    told = str(error.value)
    for part in ("Decision 1", "T0001", "Late parcels", "refund, money", "late, parcel", "take it back"):
        assert part in told


def test_the_order_of_terms_is_no_change_of_meaning():
    decision = ("topic_name", "T0001", {"name": "Late parcels", "terms": ["parcel", "late"]})
    assert apply_decisions(BOOK, decide(decision))["name"].iloc[0] == "Late parcels"


def test_what_fits_is_applied_where_people_are_to_mend_the_rest():
    named, problems = review_decisions(
        BOOK,
        decide(
            ("topic_name", "T0001", {"name": "Old", "terms": ["refund"]}),
            ("topic_name", "T0002", {"name": "Slow couriers"}),
            ("topic_merge", "T0002", {"into": "T0003"}),
            ("topic_merge", "T0003", {"into": "T0002"}),
        ),
    )
    assert named["name"].tolist() == ["late", "Slow couriers", "price"]
    assert named["merged_into"].fillna("").tolist() == ["", "T0003", ""]
    assert problems["decision_id"].tolist() == [1, 4]


def test_a_split_gives_each_verbatim_to_the_part_that_names_it_or_is_nearest():
    vectors = {"a": [1, 0], "b": [1, 0], "c": [0, 1], "d": [0.8, 0.6], "e": [0.1, 0.99]}
    vectors = {one: np.array(vector, dtype=float) for one, vector in vectors.items()}
    rows = assign(**dict.fromkeys("abcde", "T0001"), z="T0002")
    split = ("topic_split", "T0001", {"parts": PARTS})
    assert placed(rows, split, vectors=vectors) == {
        "a": DEPOT, "b": DEPOT, "c": REST, "d": DEPOT, "e": REST, "z": "T0002",
    }  # fmt: skip
    named = apply_decisions(BOOK, decide(split)).set_index("topic")
    assert named.index.tolist() == ["T0001", DEPOT, REST, "T0002", "T0003"]
    assert named.loc["T0001", "split_into"] == [DEPOT, REST]
    assert named.loc[[DEPOT, REST], "name"].tolist() == ["Depot", "late · 2"]
    assert named.loc[[DEPOT, REST], "split_from"].tolist() == ["T0001", "T0001"]


def test_a_split_by_vectors_needs_no_examples():
    parts = [{"vector": [1.0, 0.0]}, {"vector": [0.0, 1.0]}]
    one, two = (name_part("T0001", part) for part in parts)
    vectors = {"a": np.array([0.9, 0.1]), "b": np.array([0.1, 0.9])}
    rows = assign(a="T0001", b="T0001")
    assert placed(rows, ("topic_split", "T0001", {"parts": parts}), vectors=vectors) == {"a": one, "b": two}


def test_what_has_no_vector_is_told_and_waits_only_where_that_is_asked_for():
    split = ("topic_split", "T0001", {"parts": PARTS})
    with pytest.raises(DecisionError, match=r"T0001 was split, and 1 of(.|\n)*vectors"):
        placed(assign(a="T0001", x="T0001"), split)
    assert placed(assign(a="T0001", x="T0001"), split, waiting=True) == {"a": DEPOT, "x": "T0001"}


def test_a_part_can_be_named_merged_and_retired_and_rests_when_its_split_does():
    split = ("topic_split", "T0001", {"parts": PARTS})
    name, merge = ("topic_name", DEPOT, {"name": "The depot"}), ("topic_merge", REST, {"into": "T0003"})
    rows = assign(a="T0001", c="T0001")
    assert placed(rows, split, name, merge) == {"a": DEPOT, "c": "T0003"}
    assert placed(rows, split, ("topic_retire", DEPOT, {})) == {"a": OUTLIER, "c": REST}
    assert "The depot" in apply_decisions(BOOK, decide(split, name))["name"].tolist()
    assert apply_decisions(BOOK, decide(name))["name"].tolist() == BOOK["name"].tolist()


def test_an_assignment_to_a_part_that_no_longer_stands_is_its_topic_again():
    assert placed(assign(a=DEPOT)) == {"a": "T0001"}


def test_another_split_of_the_same_topic_makes_other_topics():
    other = [{"feedback_ids": ["a"]}, {"feedback_ids": ["b", "c"]}]
    assert not {name_part("T0001", part) for part in other} & {DEPOT, REST}


def test_a_split_into_one_part_is_none():
    with pytest.raises(DecisionError, match="into 1 parts"):
        apply_decisions(BOOK, decide(("topic_split", "T0001", {"parts": PARTS[:1]})))


def test_of_two_topics_of_a_verbatim_that_become_one_the_more_similar_row_is_kept():
    rows = pd.DataFrame(
        {"feedback_id": list("ffgh"), "codebook_id": "C1", "topic": ["T0001", "T0002", "T0003", OUTLIER],
         "similarity": [0.5, 0.7, 0.6, 0.1]}
    )  # fmt: skip
    named = apply_decisions(
        BOOK, decide(("topic_merge", "T0002", {"into": "T0001"}), ("topic_retire", "T0003", {}))
    )
    merged = apply_to_assignments(rows, named)
    assert merged[["feedback_id", "topic", "similarity"]].values.tolist() == [
        ["f", "T0001", 0.7], ["g", OUTLIER, 0.6], ["h", OUTLIER, 0.1],
    ]  # fmt: skip


def test_an_empty_codebook_and_no_decision_are_left_as_they_are():
    assert apply_decisions(BOOK.head(0), decide()).empty
    assert apply_decisions(BOOK, decide())["name"].tolist() == BOOK["name"].tolist()
    assert apply_to_assignments(assign(f=OUTLIER), apply_decisions(BOOK.head(0), decide()))[
        "topic"
    ].tolist() == [OUTLIER]


def test_only_topics_that_stand_for_themselves_are_listed():
    book = pd.concat([BOOK, BOOK.head(1).assign(topic="T0004"), BOOK.head(1).assign(topic=OUTLIER)])
    assert list_standing(book)["topic"].tolist() == ["T0001", "T0002", "T0003", "T0004"]
    named = apply_decisions(
        book,
        decide(
            ("topic_split", "T0001", {"parts": PARTS}),
            ("topic_merge", "T0002", {"into": DEPOT}),
            ("topic_retire", "T0003", {}),
            ("topic_retire", REST, {}),
        ),
    )
    assert list_standing(named)["topic"].tolist() == [DEPOT, "T0004"]


# Accepted topics


def make_fitted(codebook_id="C1"):
    return check_table(
        "codebook",
        BOOK.assign(
            codebook_id=codebook_id, encoder_id="e", theme=["H01", "H02", "H02"], theme_name=["one", "two", "two"],
            vector=np.eye(3).tolist(), size=9, floor=0.5, examples=[["a"]] * 3, first_seen="2025-01", lineage="new",
        ),
    )  # fmt: skip


def make_proposals(*rows):
    """Each row: proposal, month, nearest topic, vector."""
    frame = pd.DataFrame(rows, columns=["proposal", "month", "nearest_topic", "vector"])
    return check_table(
        "proposals",
        frame.assign(
            codebook_id="C1", voice="customer", language="en", encoder_id="e", n=20, cohesion=0.6, earlier_share=0.1,
            p_adjusted=0.0, unassigned=1.0, nearest_similarity=0.5, terms=[["gift", "card"]] * len(frame), floor=0.4,
            examples=[["b"]] * len(frame), feedback_ids=[["b", "c"]] * len(frame),
        ),
    )  # fmt: skip


GIFTS, SHOPS = ("P1", "2025-03", "T0001", [0.6, 0.0, 0.8]), ("P2", "2025-04", "A0001", [0.0, 0.8, 0.6])
NOBODY = empty_table("accepted")


def accept(*subjects, **value):
    return decide(*(("topic_accept", subject, value) for subject in subjects))


def test_an_accepted_topic_has_the_number_of_its_decision_and_the_name_that_people_gave():
    decisions = pd.concat(
        [decide(("memo", "f", {"text": "x"})), accept("P1", name="Gifts").assign(decision_id=12)]
    )
    (row,) = accept_topics(make_fitted(), NOBODY, make_proposals(GIFTS), decisions).to_dict("records")
    assert (row["topic"], row["name"], row["first_seen"]) == ("A0012", "Gifts", "2025-03")
    assert (row["codebook_id"], row["theme"], row["theme_name"]) == ("C1", "H01", "one")
    assert row["terms"] == ["gift", "card"] and row["lineage"] == "accepted in 2025-03"
    named = accept_topics(make_fitted(), NOBODY, make_proposals(GIFTS), accept("P1"))
    assert named["name"].tolist() == ["gift · card"]


def test_what_is_near_an_accepted_topic_is_accepted_too_even_when_that_one_is_taken_back():
    proposals, fitted = make_proposals(GIFTS, SHOPS), make_fitted()
    both = accept_topics(fitted, NOBODY, proposals, accept("P1", "P2"))
    assert both["topic"].tolist() == ["A0001", "A0002"]
    alone = accept_topics(fitted, both, proposals, accept("P1", "P2").tail(1))
    assert alone["topic"].tolist() == ["A0002"] and alone["theme"].tolist() == ["H02"]
    again = accept_topics(fitted, NOBODY, proposals, accept("P1", "P2").tail(1))
    pd.testing.assert_frame_equal(again, alone)


def test_an_accepted_row_stays_as_it_was_written_without_its_proposal():
    written = accept_topics(make_fitted(), NOBODY, make_proposals(GIFTS), accept("P1", name="Gifts"))
    for proposals in (make_proposals(), make_proposals((*GIFTS[:3], [0.0, 0.0, 1.0]))):
        kept = accept_topics(make_fitted(), written, proposals, accept("P1", name="Other"))
        pd.testing.assert_frame_equal(kept, written)
    assert accept_topics(make_fitted(), written, make_proposals(GIFTS), accept()).empty


def test_a_proposal_of_another_codebook_is_left_out_and_an_unknown_one_is_told():
    assert accept_topics(make_fitted("C2"), NOBODY, make_proposals(GIFTS), accept("P1")).empty
    with pytest.raises(
        DecisionError, match=r"(?s)Decision 1 \(topic accept\).*'P9'.*P1, P2.*take the decision back"
    ):
        accept_topics(make_fitted(), NOBODY, make_proposals(GIFTS, SHOPS), accept("P9"))


def test_a_topic_that_a_refit_took_over_is_not_accepted_a_second_time():
    refit = pd.concat([make_fitted("C2"), make_fitted("C2").head(1).assign(topic="A0001", lineage="same")])
    assert accept_topics(refit, NOBODY, make_proposals(), accept("P1")).empty


# Taking back


ADA = {"who": "Ada", "why": "reads better"}


def name(programme, topic, **value):
    return record_decision(programme, kind="topic_name", subject=topic, value=value, **ADA)


def standing(programme):
    return [row["name"] for row in fold_decisions(read_decisions(programme), "topic_name")["value"]]


def test_the_last_decision_is_taken_back_and_what_stood_before_stands_again(small_programme):
    name(small_programme, "T0001", name="first")
    second = name(small_programme, "T0001", name="second")
    back = undo_decision(small_programme, **ADA)
    assert standing(small_programme) == ["first"]
    history = list_history(read_decisions(small_programme))
    assert history["decision_id"].tolist() == [back, second, second - 1]
    assert history["standing"].tolist() == [True, False, True]
    undo_decision(small_programme, **ADA)
    assert standing(small_programme) == []
    with pytest.raises(DecisionError, match="no decision to take back"):
        undo_decision(small_programme, **ADA)


def test_a_taking_back_can_be_taken_back(small_programme):
    name(small_programme, "T0001", name="first")
    back = undo_decision(small_programme, **ADA)
    about = {"kind": "topic_name", "subject": "T0001", "value": None, "replaces": back}
    record_decision(small_programme, **about, **ADA)
    assert standing(small_programme) == ["first"]


def test_any_standing_decision_can_be_named_and_no_other(small_programme):
    first, _ = name(small_programme, "T0001", name="a"), name(small_programme, "T0002", name="b")
    undo_decision(small_programme, first, **ADA)
    assert standing(small_programme) == ["b"]
    for wrong in (first, 99):
        with pytest.raises(DecisionError, match=f"Decision {wrong} does not stand"):
            undo_decision(small_programme, wrong, **ADA)


def test_names_stand_in_each_language_and_every_memo_stands(small_programme):
    for code in ("en", "fa", "en"):
        name(small_programme, "T0001", name=code, language=code)
    assert sorted(standing(small_programme)) == ["en", "fa"]
    for text in ("one", "two"):
        record_decision(small_programme, kind="memo", subject="f1", value={"text": text}, **ADA)
    memos = fold_decisions(read_decisions(small_programme), "memo")
    assert [memo["text"] for memo in memos["value"]] == ["one", "two"]
    undo_decision(small_programme, **ADA)
    assert len(fold_decisions(read_decisions(small_programme), "memo")) == 1
