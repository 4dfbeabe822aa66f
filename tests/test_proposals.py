import numpy as np
import pandas as pd
import pytest

from vocwb.schemas import check_table
from vocwb.understand.assignment import assign_topics, learn_centres
from vocwb.understand.proposals import accept_proposals, propose_topics

SIZE = 48
NAMES = [f"T{number:04d}" for number in range(1, 7)]


def draw_vectors(centre, count, draw, noise=0.14):
    rows = centre + draw.normal(scale=noise, size=(count, SIZE))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def near(centre, other, share):
    """A centre at this cosine from another."""
    return share * centre + np.sqrt(1 - share**2) * other


@pytest.fixture(scope="module")
def world():
    """Six topics of 100 a month for two months; in the third 60 of a seventh that is nested beside the first."""
    draw = np.random.default_rng(1)
    axes = np.eye(SIZE)
    rows, vectors = [], []
    for month in ("2025-01", "2025-02", "2025-03"):
        for number in range(6):
            vectors.append(draw_vectors(axes[number], 100, draw))
            rows += [(month, NAMES[number])] * 100
    vectors.append(draw_vectors(near(axes[0], axes[10], 0.85), 60, draw))
    rows += [("2025-03", "new")] * 60
    frame = pd.DataFrame(rows, columns=["month", "planted"])
    frame["feedback_id"] = [f"f{i:05}" for i in draw.permutation(len(frame))]
    frame = frame.assign(verbatim="x", voice="customer", language="en")
    vectors = np.vstack(vectors).astype("f4")
    first = (frame["month"] == "2025-01").to_numpy()
    centres, floors = learn_centres(vectors[first], frame.loc[first, "planted"].map(NAMES.index).to_numpy())
    book = pd.DataFrame(
        {"codebook_id": "C1", "topic": NAMES, "voice": "customer", "language": "en", "encoder_id": "e", "name": "n",
         "theme": ["H01"] * 3 + ["H02"] * 3, "theme_name": ["one"] * 3 + ["two"] * 3,
         "terms": [["a"]] * 6, "vector": centres.tolist(), "size": 100, "floor": floors, "examples": [[]] * 6,
         "first_seen": "2025-01", "lineage": "new"}
    )  # fmt: skip
    return frame, vectors, book


def propose(frame, vectors, book, month):
    now, before = (frame["month"] == month).to_numpy(), (frame["month"] < month).to_numpy()
    assigned = assign_topics(frame[now], book, vectors[now])
    earlier = frame[before].merge(
        assign_topics(frame[before], book, vectors[before])[["feedback_id", "topic"]]
    )
    return propose_topics(frame[now], vectors[now], assigned, book, earlier, vectors[before])


def test_a_new_topic_within_the_floor_of_an_old_one_is_proposed_with_its_evidence(world):
    frame, vectors, book = world
    month = frame[frame["month"] == "2025-03"]
    assigned = assign_topics(month, book, vectors[month.index])
    hidden = assigned["feedback_id"].isin(month.loc[month["planted"] == "new", "feedback_id"])
    assert (
        assigned.loc[hidden, "topic"] == "T0001"
    ).mean() > 0.5  # similarity alone takes it for the old one
    proposed = propose(frame, vectors, book, "2025-03")
    assert len(proposed) == 1
    row = proposed.iloc[0]
    planted = frame.set_index("feedback_id")["planted"][row["feedback_ids"]]
    assert (planted == "new").mean() > 0.9 and (planted == "new").sum() > 25
    assert row["n"] == len(row["feedback_ids"])
    assert row["nearest_topic"] == "T0001" and 0.6 < row["nearest_similarity"] < 0.95
    assert row["earlier_share"] < 0.2 and row["p_adjusted"] < 0.01
    assert set(row["examples"]) <= set(row["feedback_ids"]) and len(row["examples"]) == 5
    assert 0 <= row["unassigned"] < 0.5


def test_a_month_like_the_others_brings_no_proposal(world):
    assert propose(*world, "2025-02").empty


def test_an_old_topic_that_grows_is_not_new(world):
    frame, vectors, book = world
    draw = np.random.default_rng(2)
    grown = np.vstack([vectors, draw_vectors(np.eye(SIZE)[2], 400, draw).astype("f4")])
    more = frame.iloc[[0] * 400].assign(month="2025-02", feedback_id=[f"g{i}" for i in range(400)])
    assert propose(pd.concat([frame, more], ignore_index=True), grown, book, "2025-02").empty


def test_what_never_had_a_topic_is_proposed_when_it_gathers(world):
    frame, vectors, book = world
    draw = np.random.default_rng(3)
    far = draw_vectors(np.eye(SIZE)[20], 70, draw).astype("f4")
    more = frame.iloc[[0] * 70].assign(
        month=["2025-01"] * 10 + ["2025-02"] * 60, feedback_id=[f"h{i:03}" for i in range(70)]
    )
    proposed = propose(
        pd.concat([frame, more], ignore_index=True), np.vstack([vectors, far]), book, "2025-02"
    )
    assert len(proposed) == 1 and set(proposed["feedback_ids"].iloc[0]) <= set(more["feedback_id"])
    assert proposed["unassigned"].iloc[0] == 1


def test_row_order_does_not_matter(world):
    frame, vectors, book = world
    order = np.random.default_rng(4).permutation(len(frame))
    mixed = frame.iloc[order].reset_index(drop=True), vectors[order], book
    pd.testing.assert_frame_equal(propose(*world, "2025-03"), propose(*mixed, "2025-03"))


def test_accepting_appends_and_moves_nothing_that_was_there(world):
    frame, vectors, book = world
    proposed = propose(frame, vectors, book, "2025-03")
    proposed["terms"] = [["refund", "card", "gift", "late"]]
    grown = accept_proposals(book, proposed, topics=["T0012"])
    pd.testing.assert_frame_equal(grown.head(6), check_table("codebook", book))
    assert grown["topic"].tolist() == [*NAMES, "T0012"]
    added = grown.iloc[6]
    assert added["name"] == "refund · card · gift" and added["first_seen"] == "2025-03"
    assert added["theme"] == "H01" and added["theme_name"] == "one"
    month = frame[frame["month"] == "2025-03"]
    topics = assign_topics(month, grown, vectors[month.index]).set_index("feedback_id")["topic"]
    assert (topics[month.loc[month["planted"] == "new", "feedback_id"]] == "T0012").mean() > 0.9
    assert (topics[month.loc[month["planted"] == "T0001", "feedback_id"]] == "T0001").mean() > 0.9


def test_an_accepted_topic_is_not_proposed_again_next_month(world):
    frame, vectors, book = world
    grown = accept_proposals(book, propose(frame, vectors, book, "2025-03"), topics=["A0007"])
    now = (frame["month"] == "2025-03").to_numpy()
    draw = np.random.default_rng(5)
    centres = [*np.eye(SIZE)[:6], near(np.eye(SIZE)[0], np.eye(SIZE)[10], 0.85)]
    fresh = np.vstack([draw_vectors(centre, 80, draw) for centre in centres]).astype("f4")
    month = frame[now].iloc[[0] * len(fresh)]
    month = month.assign(month="2025-04", feedback_id=[f"k{i:04}" for i in range(len(fresh))])
    everything = pd.concat([frame, month], ignore_index=True), np.vstack([vectors, fresh]), grown
    assert propose(*everything, "2025-04").empty


def test_too_little_to_compare_brings_nothing(world):
    frame, vectors, book = world
    few = pd.concat([frame[frame["month"] == "2025-01"], frame[frame["month"] == "2025-02"].head(5)])
    assert propose(few.reset_index(drop=True), vectors[few.index], book, "2025-02").empty
    assert accept_proposals(book, propose(frame, vectors, book, "2025-01"), topics=[]) is book
