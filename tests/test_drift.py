import numpy as np
import pandas as pd

from vocwb.stats import EVIDENCE, TOO_FEW_TO_SHOW
from vocwb.understand.drift import measure_drift

SIZE = 20
BOOK = pd.DataFrame({"topic": ["T0001", "T0002", "T0003"], "vector": np.eye(SIZE)[:3].tolist()})


def draw_month(seed, moved=0.0, counts=(200, 200, 200)):
    """Members of three topics; those of the second have moved towards another direction."""
    draw = np.random.default_rng(seed)
    centres = np.eye(SIZE)[:3].copy()
    centres[1] = np.sqrt(1 - moved**2) * centres[1] + moved * np.eye(SIZE)[9]
    rows = np.repeat([0, 1, 2], counts)
    vectors = centres[rows] + draw.normal(scale=0.1, size=(len(rows), SIZE))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = (vectors * np.eye(SIZE)[rows]).sum(axis=1)
    return pd.DataFrame({"topic": BOOK["topic"].to_numpy()[rows], "similarity": similarity}), vectors


def test_the_topic_that_moved_is_shown_and_no_other():
    fitted, _ = draw_month(0)
    month, vectors = draw_month(1, moved=0.5)
    found = measure_drift(month, vectors, fitted, BOOK)
    assert found["topic"].iloc[0] == "T0002"
    moved = found.set_index("topic")
    assert (moved["verdict"] == EVIDENCE).tolist() == [True, False, False]
    assert moved["shift"]["T0002"] > 0.1 > 0.02 > moved["shift"].drop("T0002").max()
    assert moved["difference"]["T0002"] < -0.08
    assert (moved["p_adjusted"] >= moved["p"]).all()


def test_months_that_are_alike_show_no_drift():
    verdicts = []
    for seed in range(20):
        month, vectors = draw_month(100 + seed)
        verdicts += measure_drift(month, vectors, draw_month(seed)[0], BOOK)["verdict"].tolist()
    assert verdicts.count(EVIDENCE) <= 4  # of 60 comparisons, corrected three at a time at 5%


def test_few_members_are_too_few_to_show_and_none_have_no_row():
    fitted, _ = draw_month(0)
    month, vectors = draw_month(1, counts=(200, 20, 0))
    found = measure_drift(month, vectors, fitted, BOOK).set_index("topic")
    assert set(found.index) == {"T0001", "T0002"}
    assert found["verdict"]["T0002"] == TOO_FEW_TO_SHOW
    assert measure_drift(month.head(0), vectors[:0], fitted, BOOK).empty


def test_one_person_who_says_much_is_one():
    fitted, _ = draw_month(0)
    month, vectors = draw_month(1, moved=0.3)
    people = pd.Series(range(len(month))).astype(str)
    alone = measure_drift(month.assign(unit=people), vectors, fitted.assign(unit=people + "f"), BOOK)
    crowd = month.assign(unit=np.where(month["topic"] == "T0002", "one", people))
    few = measure_drift(crowd, vectors, fitted.assign(unit=people + "f"), BOOK)
    assert alone.set_index("topic")["verdict"]["T0002"] == EVIDENCE
    assert few.set_index("topic")["verdict"]["T0002"] != EVIDENCE


def test_row_order_does_not_matter():
    fitted, _ = draw_month(0)
    month, vectors = draw_month(1, moved=0.3)
    order = np.random.default_rng(2).permutation(len(month))
    mixed = measure_drift(month.iloc[order], vectors[order], fitted.sample(frac=1, random_state=3), BOOK)
    pd.testing.assert_frame_equal(measure_drift(month, vectors, fitted, BOOK), mixed)
