"""Into what a topic could be split."""

import numpy as np
import pandas as pd
import pytest

from vocwb.understand.splitting import MOST_PARTS, split_topic

BOOK = pd.DataFrame({"topic": ["T0001"], "encoder_id": ["e"]})


def draw(count, centres, seed=0):
    """Vectors of length 1 around some axes of a space of 20 dimensions, unevenly many of each."""
    random = np.random.default_rng(seed)
    which = np.sort(random.choice(centres, count, p=np.arange(1, centres + 1) / sum(range(centres + 1))))
    rows = np.eye(20)[which] + random.normal(scale=0.08, size=(count, 20))
    return which, rows / np.linalg.norm(rows, axis=1, keepdims=True)


def split(vectors, order=None):
    ids = [f"f{number:03}" for number in range(len(vectors))]
    opinions = pd.DataFrame({"feedback_id": ids, "verbatim": ids})
    if order is not None:
        opinions = opinions.iloc[order]
    rows = opinions[["feedback_id"]].assign(topic="T0001")
    by_id = dict(zip(ids, vectors, strict=True))
    return split_topic(
        opinions, rows, BOOK, {"e": None}, lambda _, texts: np.array([by_id[t] for t in texts]), "T0001"
    )


@pytest.mark.parametrize("centres", [2, 3, 5])
def test_planted_parts_are_found_the_largest_first(centres):
    which, vectors = draw(150, centres)
    found = split(vectors)
    assert found["part"].nunique() == centres
    assert found["part"].value_counts().sort_index().is_monotonic_decreasing
    assert pd.crosstab(which, found["part"]).gt(0).sum().eq(1).all()


def test_the_order_of_rows_does_not_matter():
    _, vectors = draw(60, 3)
    shuffled = np.random.default_rng(1).permutation(60)
    pd.testing.assert_frame_equal(split(vectors), split(vectors, order=shuffled))


@pytest.mark.parametrize("count", [1, 2, 3, 50])
def test_what_is_alike_is_one_part(count):
    assert split(np.ones((count, 1)))["part"].tolist() == [0] * count


def test_no_more_parts_than_people_can_name():
    _, vectors = draw(300, 12)
    assert split(vectors)["part"].nunique() <= MOST_PARTS


def test_an_unknown_topic_has_no_parts():
    nothing = pd.DataFrame({"feedback_id": [], "topic": [], "verbatim": []})
    assert split_topic(nothing, nothing, BOOK, {}, lambda *_: np.zeros((0, 1)), "T0009").empty
