"""Twins across languages and near-duplicates within one: what is offered to people, and what is not."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import read_sources
from vocwb.programme import parse_programme
from vocwb.schemas import join_responses
from vocwb.understand.coding import code_by_rules, parse_rules
from vocwb.understand.twins import FEWEST_MEMBERS, find_duplicates, find_twins

ROOT = Path(__file__).parent.parent
MATTERS = {"T1": "delivery", "T2": "price", "T3": "staff"}  # in English; T4 to T6 are the same in Persian


def make_topics(*, persian=("delivery", "price", "staff"), encoders=("e-en", "e-fa"), size=30):
    """Return codebook, assignments, codes and opinions of three topics in each of two languages."""
    topics = [("en", *pair) for pair in MATTERS.items()]
    topics += [("fa", f"T{4 + place}", category) for place, category in enumerate(persian)]
    rows = [
        {
            "feedback_id": f"{topic}-{number:03}", "topic": topic, "language": language, "voice": "customer",
            "verbatim": "x", "category": category if number % 10 < 8 else "other", "polarity": "negative", "ask": None,
        }
        for language, topic, category in topics
        for number in range(size)
    ]  # fmt: skip
    frame = pd.DataFrame(rows)
    codebook = pd.DataFrame(
        [(topic, "customer", language, encoders[language == "fa"]) for language, topic, _ in topics],
        columns=["topic", "voice", "language", "encoder_id"],
    )
    opinions = frame[["feedback_id", "language", "voice", "verbatim"]]
    return (
        codebook,
        frame[["feedback_id", "topic"]],
        frame[["feedback_id", "category", "polarity", "ask"]],
        opinions,
    )


def pairs(found):
    return set(found[["topic", "twin"]].itertuples(index=False, name=None))


def test_topics_of_the_same_matter_are_twins_with_reasons():
    found = find_twins(*make_topics())
    assert pairs(found) == {("T1", "T4"), ("T2", "T5"), ("T3", "T6")}
    assert "delivery 80% and 80% (usual 27% and 27%)" in found.set_index("topic").at["T1", "reasons"]
    assert found["score"].is_monotonic_decreasing and found["score"].between(-1, 1).all()


def test_a_topic_without_a_counterpart_has_no_twin():
    assert pairs(find_twins(*make_topics(persian=("delivery", "billing", "staff")))) == {
        ("T1", "T4"),
        ("T3", "T6"),
    }


def test_languages_of_one_encoder_share_topics_and_have_no_twins():
    assert find_twins(*make_topics(encoders=("e", "e"))).empty


def test_topics_too_small_to_judge_are_left_out():
    assert find_twins(*make_topics(size=FEWEST_MEMBERS - 1)).empty
    assert len(find_twins(*make_topics(size=FEWEST_MEMBERS))) == 3


def test_merged_and_retired_topics_are_left_out():
    codebook, *rest = make_topics()
    codebook["merged_into"] = ["T2", None, None, None, None, None]
    codebook["retired"] = codebook["topic"] == "T6"
    assert pairs(find_twins(codebook, *rest)) == {("T2", "T5")}


def test_a_months_surge_in_both_languages_counts():
    codebook, assignments, codes, opinions = make_topics(persian=("other", "other", "other"))
    codes = codes.assign(category="other")
    month = opinions["feedback_id"].str[:2].map({"T1": "2025-01", "T4": "2025-01"}).fillna("2025-02")
    found = find_twins(codebook, assignments, codes, opinions.assign(month=month))
    assert ("T1", "T4") in pairs(found)
    assert found.iloc[0]["reasons"].startswith("2025-01 100% and 100%")


def test_the_order_of_rows_does_not_matter():
    tables = make_topics()
    shuffled = [table.sample(frac=1, random_state=1) for table in tables]
    pd.testing.assert_frame_equal(find_twins(*tables), find_twins(*shuffled))


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """The sample's opinions with the first topic that was planted in each, and their codes by rules."""
    out = tmp_path_factory.mktemp("sample")
    make = ROOT / "data" / "sample" / "make.py"
    subprocess.run([sys.executable, str(make), "--out", str(out)], check=True, capture_output=True)
    text = (make.parent / "programme.yml").read_text(encoding="utf-8")
    programme = parse_programme(text, name="sample")
    tables = make_tables(read_sources(programme, out / "raw"), programme=programme, key=b"secret")
    opinions = join_responses(tables.feedback, tables.responses)
    labels = json.loads((out / "truth.json").read_text(encoding="utf-8"))["labels"]
    planted = [
        labels.get(file, {}).get(one)
        for file, one in zip(opinions["file"], opinions["source_id"], strict=True)
    ]
    opinions["planted"] = [label[0][0] if label and label[0] else None for label in planted]
    rules = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "vocwb" / "rules").glob("*.yml")}
    return opinions, code_by_rules(opinions, parse_rules(rules)), list(programme.segments)


def test_planted_topics_of_the_sample_find_their_twins(sample):
    opinions, codes, segments = sample
    told = opinions[(opinions["voice"] == "customer") & opinions["planted"].notna()]
    assignments = told[["feedback_id"]].assign(topic=told["language"] + "-" + told["planted"])
    topics = sorted(set(assignments["topic"]))
    codebook = pd.DataFrame(
        {"topic": topics, "voice": "customer", "language": [topic[:2] for topic in topics]}
    )
    codebook["encoder_id"] = "e-" + codebook["language"]
    found = find_twins(codebook, assignments, codes, opinions, segments=segments)
    right = found["topic"].str[3:] == found["twin"].str[3:]
    assert right.mean() >= 0.85, f"{right.sum()} of {len(right)} twins are of the same planted topic"
    assert right.sum() >= 100  # of 170 that there are
    assert right[: len(right) // 2].mean() >= 0.95


def make_clusters(centres, *, spread=0.6, size=200, seed=1):
    """Return codebook and assignments of clusters on the sphere around `centres`."""
    rng = np.random.default_rng(seed)
    books, members = [], []
    for number, centre in enumerate(centres, 1):
        vectors = (
            centre / np.linalg.norm(centre)
            + spread * rng.normal(size=(size, len(centre))) / len(centre) ** 0.5
        )
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        mean = vectors.mean(axis=0) / np.linalg.norm(vectors.mean(axis=0))
        books.append({"topic": f"T{number}", "vector": mean.tolist(), "terms": [f"word{number}"]})
        members += [{"topic": f"T{number}", "similarity": value} for value in vectors @ mean]
    codebook = pd.DataFrame(books).assign(voice="customer", language="en", encoder_id="e")
    return codebook, pd.DataFrame(members)


def test_two_halves_of_one_cluster_are_duplicates_and_neighbours_are_not():
    one, other = np.eye(50)[0], np.eye(50)[1]
    codebook, assignments = make_clusters([one, one, one + other, other])
    assert pairs(find_duplicates(codebook, assignments)) == {("T1", "T2")}


def test_shared_terms_bring_near_topics_to_notice():
    one, other = np.eye(50)[0], np.eye(50)[1]
    codebook, assignments = make_clusters([one, one + 0.6 * other])
    separation = find_duplicates(codebook, assignments, ceiling=9)["separation"].iloc[0]
    codebook["terms"] = [["refund"], ["refunds"]]
    found = find_duplicates(codebook, assignments, ceiling=separation / 1.2)
    assert found["shared"].tolist() == [["refund"]]
    codebook["terms"] = [["refund"], ["parcel"]]
    assert find_duplicates(codebook, assignments, ceiling=separation / 1.2).empty


def test_other_languages_and_encoders_are_never_duplicates():
    codebook, assignments = make_clusters([np.eye(9)[0]] * 2)
    for column, value in (("language", "fa"), ("encoder_id", "f"), ("voice", "employee")):
        apart = codebook.copy()
        apart.loc[1, column] = value
        assert find_duplicates(apart, assignments).empty
