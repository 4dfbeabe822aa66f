"""Why a topic is spoken of: planted chains are found in order, nothing is claimed where nothing is."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from vocwb import stats
from vocwb.errors import VocwbError
from vocwb.explain.root_cause import choose_topic, drill_down
from vocwb.schemas import check_table, empty_table

WORDS = {
    "en": (
        "parcel",
        ("depot", "sorting", "forecast"),
        ("kettle", "lamp", "blue", "chair", "music", "garden"),
    ),
    "fa": ("سفارش", ("انبار", "نوبت", "کمبود"), ("کتری", "چراغ", "آبی", "صندلی", "موسیقی", "باغچه")),
}
OPTIONS = {"topic": "T0001", "month": "2025-02", "segments": {"region": "Region"}}


def make_tables(texts, inside, *, language="en", region=None, people=None, terms=()):
    """opinions, assignments, codes (empty) and codebook; inside: which of texts are of topic T0001."""
    ids = [f"f{i:06}" for i in range(len(texts))]
    opinions = pd.DataFrame(
        {
            "feedback_id": ids, "response_id": [f"r{i:06}" for i in range(len(texts))], "verbatim": texts,
            "respondent_id": pd.Series(people if people is not None else [None] * len(texts), dtype="str"),
            "language": language, "voice": "customer", "month": "2025-02",
            "region": pd.Series(region if region is not None else [None] * len(texts), dtype="str"),
        }
    )  # fmt: skip
    topic = np.where(inside, "T0001", "T0000")
    similarity = np.round(np.linspace(0.2, 0.9, len(texts)), 4)
    assigned = opinions[["feedback_id"]].assign(codebook_id="c", topic=topic, similarity=similarity)
    book = pd.DataFrame(
        {"codebook_id": ["c"], "topic": "T0001", "language": language, "name": "Late", "terms": [list(terms)]}
    )
    return opinions, assigned, empty_table("codes"), book


def make_chain(language, *, size=300, seed=1):
    """A third speaks of the topic; of these two in three name the first word, of those two in three the next."""
    rng = np.random.default_rng(seed)
    own, chain, noise = WORDS[language]
    inside, texts = np.arange(3 * size) < size, []
    for number in range(3 * size):
        words = [*rng.choice(noise, 3, replace=False)]
        if number < size:
            depth = 0
            while depth < 3 and rng.random() < 2 / 3:
                depth += 1
            words += [own, *chain[:depth]]
        texts.append(" ".join(words))
    return make_tables(texts, inside, language=language, terms=[own])


def code(ids, polarity):
    return pd.DataFrame(
        {
            "feedback_id": ids,
            "coder": "rules",
            "category": "x",
            "polarity": polarity,
            "intensity": 1,
            "ask": None,
        }
    )


@pytest.mark.parametrize("language", WORDS)
def test_a_planted_chain_is_found_in_order(language):
    tables = make_chain(language)
    causes, findings = drill_down(*tables, **OPTIONS)
    assert causes["label"].tolist() == list(WORDS[language][1]) and causes["depth"].tolist() == [1, 2, 3]
    assert causes["parent_id"].iloc[1:].tolist() == causes["cause_id"].iloc[:-1].tolist()
    assert causes["parent_id"].isna().tolist() == [True, False, False] and set(causes["kind"]) == {"term"}
    assert causes["finding_id"].tolist() == findings["finding_id"].tolist()
    check_table("causes", causes)
    check_table("findings", findings)


def test_each_level_is_measured_against_the_rest_of_the_level_above():
    opinions, *rest = make_chain("en")
    _, findings = drill_down(opinions, *rest, **OPTIONS)
    said = {word: opinions["verbatim"].str.contains(word) for word in ("parcel", "depot", "sorting")}
    k, n = (said["sorting"] & said["depot"]).sum(), said["depot"].sum()
    row = findings.iloc[1]
    low, high = stats.share_interval(k, n)
    assert row[["value", "low", "high"]].tolist() == pytest.approx([100 * k / n, 100 * low[0], 100 * high[0]])
    assert row[["n", "compared_n", "compared_value"]].tolist() == [n, said["parcel"].sum() - n, 0]
    assert row[["subject", "segment", "level", "verdict"]].tolist() == [
        "T0001", "cause", "depot › sorting", stats.EVIDENCE,
    ]  # fmt: skip
    assert (
        "speak of “Late” without “depot”" in row["claim"] and "a lead to check, not a cause" in row["claim"]
    )


def test_nothing_planted_claims_nothing_even_where_the_topic_is_told_at_length():
    told = []
    vocabulary = [f"{a}{b}{c}" for a in "bdgklm" for b in ("ra", "zo", "ni") for c in ("mel", "tov", "pux")]
    weights = 1 / np.arange(1, len(vocabulary) + 1)
    for seed in range(12):
        rng = np.random.default_rng(seed)
        inside = np.arange(600) < 200
        lengths = rng.integers(4, 20, 600) * np.where(inside, 3, 1)
        texts = [" ".join(rng.choice(vocabulary, size, p=weights / weights.sum())) for size in lengths]
        causes, _ = drill_down(
            *make_tables(texts, inside, region=rng.choice(["north", "south"], 600)), **OPTIONS
        )
        told.append(len(causes))
    assert sum(count > 0 for count in told) <= 2, told


def test_the_topics_own_terms_are_no_cause_and_a_twin_word_is_told_once():
    texts = ["parcel swollen battery"] * 60 + ["parcel fine"] * 60 + ["lamp fine"] * 120
    causes, _ = drill_down(*make_tables(texts, np.arange(240) < 120, terms=["parcel"]), **OPTIONS)
    assert causes["label"].isin(["battery", "swollen"]).tolist() == [True]


def test_a_segment_narrows_and_unknown_levels_do_not_count():
    region = ["north"] * 80 + ["south"] * 20 + [None] * 50 + ["north"] * 100 + ["south"] * 100
    tables = make_tables(
        ["parcel"] * 150 + ["lamp"] * 200, np.arange(350) < 150, region=region, terms=["parcel"]
    )
    causes, findings = drill_down(*tables, **OPTIONS)
    assert causes[["label", "kind"]].values.tolist() == [["Region: north", "segment"]]
    assert findings[["value", "n", "compared_value"]].values.tolist() == [[80.0, 100, 50.0]]
    assert causes["evidence_for"].item() == tables[0]["feedback_id"][:80].tolist()
    assert set(causes["evidence_against"].item()) == set(tables[0]["feedback_id"][80:100])


def test_evidence_is_for_and_against():
    texts = ["parcel depot"] * 50 + ["parcel"] * 50 + ["lamp"] * 100
    opinions, assigned, _, book = make_tables(texts, np.arange(200) < 100, terms=["parcel"])
    ids = opinions["feedback_id"].tolist()
    codes = pd.concat([code(ids[48:53], "positive"), code(ids[52:53], "negative")])
    causes, findings = drill_down(opinions, assigned, codes, book, **OPTIONS)
    cause = causes.squeeze()
    assert cause["evidence_for"] == findings["feedback_ids"].item() == ids[:50]
    # Two verbatims are only positive, which is too few: the most central ones without the word stand instead.
    assert cause["evidence_against"] == ids[99:79:-1]
    codes = code(ids[45:60], "positive")
    cause = drill_down(opinions, assigned, codes, book, **OPTIONS)[0].squeeze()
    assert cause["evidence_against"] == ids[59:49:-1]


def test_under_30_there_are_counts_and_under_15_nothing():
    def drill(size):
        texts = ["parcel depot"] * (size // 2) + ["parcel"] * (size - size // 2) + ["lamp"] * 200
        return drill_down(*make_tables(texts, np.arange(size + 200) < size, terms=["parcel"]), **OPTIONS)

    causes, findings = drill(20)
    row = findings.squeeze()
    assert causes["label"].tolist() == ["depot"] and row["verdict"] == stats.TOO_FEW_TO_SHOW
    assert (
        row[["value", "low", "high", "compared_value", "difference", "p"]].isna().all()
        and "%" not in row["claim"]
    )
    assert "10 have “depot”" in row["claim"]
    assert all(table.empty for table in drill(14))


def test_a_word_of_fewer_units_than_the_minimum_is_no_cause():
    texts = ["parcel depot"] * 12 + ["parcel"] * 88 + ["lamp"] * 900
    tables = make_tables(texts, np.arange(1000) < 100, terms=["parcel"])
    assert len(drill_down(*tables, **OPTIONS)[0]) == 1
    assert drill_down(*tables, **OPTIONS, minimum=13)[0].empty
    people = ["one"] * 9 + [f"p{i}" for i in range(991)]  # nine of the twelve are the same person's
    tables = make_tables(texts, np.arange(1000) < 100, terms=["parcel"], people=people)
    assert drill_down(*tables, **OPTIONS)[0].empty


def test_depth_and_branches_are_limits():
    tables = make_chain("en")
    assert drill_down(*tables, **OPTIONS, max_depth=2)[0]["depth"].max() == 2
    texts = [f"parcel {word}" for word in ("depot", "driver", "label", "strike") for _ in range(40)]
    tables = make_tables(texts + ["lamp fine"] * 200, np.arange(360) < 160, terms=["parcel"])
    assert (
        len(drill_down(*tables, **OPTIONS)[0]) == 3
        and len(drill_down(*tables, **OPTIONS, branches=1)[0]) == 1
    )


def test_the_order_of_rows_does_not_matter():
    tables = make_chain("en")
    shuffled = [table.sample(frac=1, random_state=3) for table in tables]
    for one, other in zip(drill_down(*tables, **OPTIONS), drill_down(*shuffled, **OPTIONS), strict=True):
        assert_frame_equal(one, other)


def test_nothing_to_look_at_gives_empty_tables_and_a_wrong_topic_an_error():
    opinions, assigned, codes, book = make_chain("en", size=30)
    for tables, topic in (
        ((opinions, assigned, codes, book), ""),
        ((opinions.head(0), assigned.head(0), codes, book), "T0001"),
        ((opinions, assigned, codes, book.head(0)), "T0001"),
        (make_tables(["the"] * 60, np.arange(60) < 30), "T0001"),
    ):
        causes, findings = drill_down(*tables, **OPTIONS | {"topic": topic})
        assert causes.empty and findings.empty and list(causes) == list(empty_table("causes"))
    with pytest.raises(VocwbError, match=r"no topic 'T0099'.*\n.*T0001"):
        drill_down(opinions, assigned, codes, book, **OPTIONS | {"topic": "T0099"})


def test_the_topic_chosen_is_the_one_that_most_people_complain_about():
    people = ["a"] * 4 + [f"p{i}" for i in range(6)]
    opinions, assigned, codes, book = make_tables(["x"] * 10, [True] * 10, people=people)
    assigned["topic"] = ["T0001"] * 4 + ["T0002"] * 2 + ["T0003"] * 2 + ["T0000"] * 2
    book = pd.concat([book.assign(topic=f"T000{i}") for i in (1, 2, 3)])
    ids = opinions["feedback_id"]
    assert (
        choose_topic(opinions, assigned, code(ids, "negative"), book) == "T0002"
    )  # four verbatims, one person
    assert choose_topic(opinions, assigned, code(ids[7:8], "negative"), book) == "T0003"
    book = book.assign(merged_into=None, retired=book["topic"].eq("T0002"))
    assert choose_topic(opinions, assigned, code(ids, "negative"), book) == "T0003"
    staff = opinions.assign(voice="employee")
    assert choose_topic(staff, assigned, code(ids, "negative"), book) == ""
    assert choose_topic(opinions.head(0), assigned.head(0), codes, book.head(0)) == ""
