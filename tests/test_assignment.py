import numpy as np
import pandas as pd
import pytest

from vocwb.errors import EncoderError, SchemaError
from vocwb.schemas import OUTLIER
from vocwb.understand.assignment import assign_topics, find_nearest, learn_centres, leave_one_out

CENTRES = np.eye(4)


def make_codebook(floors=(0.5, 0.5, 0.5), **columns):
    names = [f"T{number:04d}" for number in range(1, len(floors) + 1)]
    return pd.DataFrame(
        {"codebook_id": "C1", "topic": names, "voice": "customer", "language": "en", "encoder_id": "e",
         "vector": CENTRES[: len(floors)].tolist(), "floor": floors} | columns
    )  # fmt: skip


def make_opinions(texts, **columns):
    ids = [f"f{number:02}" for number in range(len(texts))]
    return pd.DataFrame(
        {"feedback_id": ids, "verbatim": texts, "voice": "customer", "language": "en"} | columns
    )


def unit(*numbers):
    return np.array(numbers) / np.linalg.norm(numbers)


def spread(centre, count, noise, seed=0):
    rows = np.asarray(centre) + np.random.default_rng(seed).normal(scale=noise, size=(count, len(centre)))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_each_row_goes_to_the_nearest_topic_that_reaches_its_floor():
    vectors = np.array([unit(1, 0.2, 0, 0), unit(0, 1, 0.9, 0), unit(0, 0, 0.3, 1), np.zeros(4)])
    assigned = assign_topics(make_opinions(["a", "bb", "ccc", ""]), make_codebook(), vectors)
    assert assigned["topic"].tolist() == ["T0001", "T0002", OUTLIER, OUTLIER]
    assert assigned["similarity"].tolist() == [0.9806, 0.7433, 0.2873, 0.0]
    assert assigned[["start", "end"]].values.tolist() == [[0, 1], [0, 2], [0, 3], [0, 0]]


def test_the_same_text_has_the_same_topic_in_any_month_and_order():
    draw = np.random.default_rng(3)
    vectors = draw.normal(size=(9000, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    everything = assign_topics(make_opinions(["x"] * 9000), make_codebook(), vectors)
    some = draw.permutation(9000)[:500]
    month = make_opinions(["x"] * 9000).iloc[some]
    again = assign_topics(month, make_codebook(), vectors[some])
    expected = everything[everything["feedback_id"].isin(month["feedback_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, expected)


def test_a_topic_appended_to_the_codebook_takes_only_what_lies_nearer_to_it():
    vectors = spread(CENTRES[0], 100, 0.2)
    opinions = make_opinions(["x"] * 100)
    before = assign_topics(opinions, make_codebook(), vectors)
    after = assign_topics(opinions, make_codebook(floors=(0.5, 0.5, 0.5, 0.5)), vectors)
    assert (before["topic"] == "T0001").all()
    changed = after["topic"] != before["topic"]
    assert (changed == (vectors[:, 3] > vectors[:, 0])).all()


def test_voices_and_languages_keep_to_their_topics_and_multi_serves_the_rest():
    vectors = np.array([CENTRES[0]])
    for columns in ({"voice": "employee"}, {"language": "bg"}):
        assigned = assign_topics(make_opinions(["x"], **columns), make_codebook(), vectors)
        assert assigned["topic"].tolist() == [OUTLIER]
    assigned = assign_topics(make_opinions(["x"], language="fa"), make_codebook(language="multi"), vectors)
    assert assigned["topic"].tolist() == ["T0001"]


def test_vectors_of_another_encoder_are_refused():
    with pytest.raises(EncoderError, match=r"3 dimensions(.|\n)*4, from 'e'"):
        assign_topics(make_opinions(["x"]), make_codebook(), np.ones((1, 3)))


# Several topics of a verbatim

TEXT = "The parcel came late. The driver was rude."


def make_spans(*edges):
    return pd.DataFrame({"feedback_id": "f00", "start": [a for a, _ in edges], "end": [b for _, b in edges]})


def assign_spans(whole, edges, vectors, text=TEXT):
    return assign_topics(
        make_opinions([text]), make_codebook(), np.array([whole]), spans=make_spans(*edges),
        span_vectors=np.array(vectors),
    )[["topic", "similarity", "start", "end"]].values.tolist()  # fmt: skip


def test_a_verbatim_of_two_topics_has_a_row_and_a_span_for_each():
    whole, late, rude = unit(1, 0.8, 0, 0), unit(1, 0.1, 0, 0.2), unit(0.1, 1, 0, 0.2)
    found = assign_spans(whole, [(0, 21), (22, 42)], [late, rude])
    assert found == [["T0001", 0.7809, 0, 21], ["T0002", 0.9759, 22, 42]]
    assert [TEXT[start:end] for *_, start, end in found] == ["The parcel came late.", "The driver was rude."]


def test_spans_of_the_first_topic_or_too_weak_ones_bring_no_second_topic():
    whole = unit(1, 0.3, 0, 0)
    one = [["T0001", 0.9578, 0, 42]]
    assert assign_spans(whole, [(0, 21), (22, 42)], [unit(1, 0.1, 0, 0), unit(1, 0.4, 0, 0)]) == one
    barely = unit(0.50, 0.52, 0, 0.6)  # nearer to the second, but by little
    assert assign_spans(whole, [(0, 21), (22, 42)], [whole, barely]) == one
    faint = unit(0, 0.55, 0, 0.8)  # over the floor, but says little of anything
    assert assign_spans(whole, [(0, 21), (22, 42)], [whole, faint]) == one


def test_neighbouring_spans_of_a_topic_are_one_and_a_lone_span_is_the_verbatim():
    whole, rude = unit(1, 0.8, 0, 0), unit(0.1, 1, 0, 0)
    found = assign_spans(whole, [(0, 10), (11, 21), (22, 42)], [unit(1, 0, 0, 0.1), rude, rude])
    assert [row[2:] for row in found] == [[0, 10], [11, 42]]
    assert assign_spans(whole, [(0, 42)], [rude]) == [["T0001", 0.7809, 0, 42]]


def test_a_verbatim_that_fits_none_as_a_whole_has_the_topics_of_its_parts():
    whole = unit(0.45, 0, 0, 1)
    found = assign_spans(whole, [(0, 21), (22, 42)], [unit(1, 0, 0, 0.2), unit(0, 0, 0, 1)])
    assert found == [["T0001", 0.9806, 0, 21]]


def test_spans_without_their_vectors_are_refused():
    with pytest.raises(SchemaError, match="2 spans and 1 vectors"):
        assign_spans(CENTRES[0], [(0, 21), (22, 42)], [CENTRES[0]])


# Centres and floors


def test_a_floor_keeps_nearly_all_members_and_turns_strangers_away():
    members = spread(np.eye(30)[0], 2000, 0.1)
    (centre,), (floor,) = learn_centres(members, np.zeros(2000, int))
    assert centre @ np.eye(30)[0] > 0.99
    fresh = spread(np.eye(30)[0], 2000, 0.1, seed=1) @ centre
    assert 0.98 <= (fresh >= floor).mean() < 1
    assert (spread(np.zeros(30), 2000, 1, seed=2) @ centre >= floor).mean() < 0.03


def test_members_do_not_speak_for_themselves():
    members = np.eye(3)
    assert leave_one_out(members).tolist() == [0, 0, 0]
    drawn = spread(unit(1, 1, 1), 3, 0.3)
    expected = [row @ unit(*(drawn.sum(0) - row)) for row in drawn]
    assert leave_one_out(drawn) == pytest.approx(expected)


def test_nothing_to_assign_and_no_topics():
    assert find_nearest(np.zeros((0, 4)), CENTRES, np.ones(4))[0].tolist() == []
    assert find_nearest(np.eye(4), np.zeros((0, 4)), np.ones(0))[0].tolist() == [-1] * 4
    assert learn_centres(np.zeros((0, 4)), np.zeros(0, int))[0].shape == (0, 4)
