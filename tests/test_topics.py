"""Topics of a whole programme over its months: found, assigned, proposed, accepted, watched and fitted again."""

import numpy as np
import pandas as pd
import pytest
import test_encoders_models
from test_codebook import POOLS

from vocwb.decisions import fold_decisions, read_decisions, record_decision, undo_decision
from vocwb.errors import EncoderError
from vocwb.explain.segments import split_by_language
from vocwb.schemas import OUTLIER, check_table, empty_table, hash_id
from vocwb.stats import EVIDENCE
from vocwb.understand.assignment import find_space
from vocwb.understand.clusters import Clusters
from vocwb.understand.codebook import fit_codebook
from vocwb.understand.encoders import encode_texts, fit_encoder
from vocwb.understand.lineage import restate_month, trace_lineage
from vocwb.understand.naming import accept_topics, apply_decisions, apply_to_assignments, name_part
from vocwb.understand.topics import (
    Discovery,
    assign_opinions,
    discover_topics,
    drift_opinions,
    encode_split,
    list_texts,
    next_number,
    propose_opinions,
)

ENCODERS = dict.fromkeys(["en", "fa", "zh"], "tfidf-svd")
MARKS = {"en": (" ", ". "), "fa": (" ", ". "), "zh": ("、", "。")}
UNTIL = "2025-02"
# These words stand scattered in all months, so that the encoder knows them, and gather in the third.
NEW = [
    "gift", "voucher", "birthday", "wrapping", "ribbon", "card", "present", "code", "balance", "expired", "shop",
    "till",
]  # fmt: skip


def say(language, pool, draw, count=6):
    words = pool.split() if isinstance(pool, str) else pool
    return MARKS[language][0].join(draw.choice(words, count, replace=False))


def make_rows(language, month, plan, draw, voice="customer"):
    """Verbatims of a month; plan: pool -> how many."""
    rows = [
        (str(number), say(language, pool, draw))
        for number, (pool, count) in enumerate(plan.items())
        for _ in range(count)
    ]
    if language == "en":
        rows = [(planted, f"{text} {draw.choice(NEW)}") for planted, text in rows]
    frame = pd.DataFrame(rows, columns=["planted", "verbatim"])
    ids = [hash_id(language, month, voice, number) for number in range(len(frame))]
    return frame.assign(
        feedback_id=ids, response_id=ids, respondent_id=None, language=language, voice=voice, month=month
    )


def make_opinions():
    """Four months of customers in three languages, and of staff; the third month brings what is new, and drift."""
    draw = np.random.default_rng(3)
    pieces = []
    for month in ("2025-01", "2025-02", "2025-03", "2025-04"):
        for language, each in (("en", 40), ("fa", 36), ("zh", 25)):
            pieces.append(make_rows(language, month, dict.fromkeys(POOLS[language], each), draw))
        pieces.append(make_rows("en", month, dict.fromkeys(POOLS["en"][:2], 25), draw, voice="employee"))
        if month > UNTIL:
            fresh = make_rows("en", f"{month} new", {" ".join(NEW): 40}, draw)
            pieces.append(fresh.assign(planted="new", month=month))
    opinions = pd.concat(pieces, ignore_index=True)
    # Of money people say much or little; from the third month on little only.
    money = (opinions["language"] == "fa") & (opinions["planted"] == "2")
    sizes = np.where(opinions.loc[money, "month"] > UNTIL, 4, draw.integers(3, 10, money.sum()))
    opinions.loc[money, "verbatim"] = [say("fa", POOLS["fa"][2], draw, size) for size in sizes]
    return opinions.sort_values("feedback_id", ignore_index=True)


def encode(encoder, texts):
    return encode_texts(encoder, texts)


@pytest.fixture(scope="module")
def opinions():
    return make_opinions()


@pytest.fixture(scope="module")
def discovered(opinions):
    return discover_topics(opinions[opinions["month"] <= UNTIL], encoders=ENCODERS, encode=encode)


@pytest.fixture(scope="module")
def found(opinions):
    return fit_planted(opinions[opinions["month"] <= UNTIL], "C1", 1)


def fit_planted(opinions, codebook_id, first_number):
    """The codebook of exactly what was planted, however finely clusters would be cut."""
    books, encoders = [], {}
    for (voice, language), rows in opinions.groupby(["voice", "language"]):
        encoder = fit_encoder("tfidf-svd", rows["verbatim"], language=language)
        labels = pd.factorize(rows["planted"], sort=True)[0]
        clusters = Clusters(labels, np.zeros(labels.max() + 1, dtype=int), pd.DataFrame())
        book = fit_codebook(
            rows, encode(encoder, rows["verbatim"]), voice=voice, language=language, encoder_id=encoder.encoder_id,
            codebook_id=codebook_id, first_number=first_number + sum(map(len, books)), clusters=clusters,
        )  # fmt: skip
        books.append(book)
        encoders[encoder.encoder_id] = encoder
    nothing = empty_table("granularities"), empty_table("points")
    return Discovery(codebook_id, pd.concat(books, ignore_index=True), encoders, *nothing)


@pytest.fixture(scope="module")
def assigned(opinions, found):
    return assign(opinions, found)


@pytest.fixture(scope="module")
def proposed(opinions, found, assigned):
    return propose(opinions, found, assigned, "2025-03")


def assign(opinions, found, book=None):
    book = found.codebook if book is None else book
    return assign_opinions(opinions, book, found.encoders, encode=encode, codebook_id=found.codebook_id)


def propose(opinions, found, assigned, month, book=None):
    book = found.codebook if book is None else book
    so_far = opinions[opinions["month"] <= month]
    return propose_opinions(so_far, assigned, book, found.encoders, encode=encode, month=month)


def first_topics(assigned):
    best = assigned.sort_values(["similarity", "topic"], ascending=[False, True])
    return best.drop_duplicates("feedback_id").set_index("feedback_id")["topic"]


def same_rows(one, other):
    pd.testing.assert_frame_equal(
        *(rows.sort_values(["feedback_id", "topic"], ignore_index=True) for rows in (one, other))
    )


# Discovery


def test_each_voice_and_language_has_topics_of_its_own(opinions, discovered):
    book = discovered.codebook
    places = book.groupby(["voice", "language"])["encoder_id"].unique()
    assert set(places.index) == {
        ("customer", "en"),
        ("customer", "fa"),
        ("customer", "zh"),
        ("employee", "en"),
    }
    assert all(len(ids) == 1 for ids in places) and set(discovered.encoders) == set(book["encoder_id"])
    assert len(discovered.encoders) == 4, "customers and staff are not encoded by each other's words"
    assert book["topic"].tolist() == [f"T{number:04d}" for number in range(1, len(book) + 1)]
    assigned = assign(opinions, discovered)
    for row in (
        assigned[assigned["topic"] != OUTLIER]
        .merge(book, on="topic")
        .merge(opinions, on="feedback_id")[["voice_x", "voice_y", "language_x", "language_y"]]
        .drop_duplicates()
        .itertuples(index=False)
    ):
        assert row.voice_x == row.voice_y and row.language_x == row.language_y


def test_what_was_planted_is_found(opinions, discovered):
    old = opinions[opinions["month"] <= UNTIL]
    topic = old["feedback_id"].map(first_topics(assign(opinions, discovered)))
    assert (topic == OUTLIER).mean() < 0.05
    for _, rows in old.assign(topic=topic).groupby(["voice", "language"]):
        counts = pd.crosstab(rows["topic"], rows["planted"])
        assert counts.max(axis=1).sum() >= 0.95 * len(rows)
        assert set(counts.idxmax(axis=1)) == set(rows["planted"])
        assert len(counts) <= 5 * rows["planted"].nunique()


def test_themes_maps_and_granularities_are_there_and_whole(opinions, discovered):
    for name in ("codebook", "granularities", "points"):
        table = getattr(discovered, name)
        pd.testing.assert_frame_equal(check_table(name, table), table)
        assert set(table["codebook_id"]) == {discovered.codebook_id}
    place = ["voice", "language"]
    assert discovered.codebook["theme"].str.fullmatch(r"H\d\d").all()
    names = discovered.codebook.groupby([*place, "theme"])["theme_name"].unique()
    assert all(len(name) == 1 and name[0] for name in names)
    chosen = discovered.granularities[discovered.granularities["chosen"]]
    assert not chosen.duplicated(place).any() and len(chosen) == 4
    assert (discovered.granularities.groupby(place).size() > 2).all(), "the alternatives are stated"
    seen = opinions[opinions["month"] <= UNTIL].set_index("feedback_id")
    assert set(discovered.points["feedback_id"]) == set(seen.index)
    assert (discovered.points["language"] == discovered.points["feedback_id"].map(seen["language"])).all()
    assert np.isfinite(discovered.points[["x", "y"]]).all().all()


def test_the_order_of_the_rows_does_not_matter(opinions):
    some = opinions[(opinions["month"] <= UNTIL) & (opinions["language"] == "en")]
    one, other = (
        discover_topics(rows, encoders={"en": "tfidf-svd"}, encode=encode, first_number=5)
        for rows in (some, some.sample(frac=1, random_state=4))
    )
    assert one.codebook_id == other.codebook_id and one.codebook["topic"].iloc[0] == "T0005"
    for name in ("codebook", "granularities", "points"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name))


def test_other_feedback_or_another_seed_is_another_codebook():
    draw = np.random.default_rng(1)
    few = make_rows("en", "2025-01", {POOLS["en"][0]: 5}, draw)
    ids = [
        discover_topics(rows, encoders={"en": name}, encode=encode, **options).codebook_id
        for rows, name, options in (
            (few, "tfidf-svd", {}), (few.head(4), "tfidf-svd", {}), (few, "tfidf-svd", {"seed": 1}),
            (few, "tfidf-svd", {"first_number": 9}),
        )
    ]  # fmt: skip
    assert len(set(ids)) == 4


def test_languages_without_an_encoder_and_too_little_feedback_have_no_topics(opinions):
    few = opinions[opinions["month"] <= UNTIL].groupby(["voice", "language"]).head(20)
    empty = discover_topics(few, encoders=ENCODERS, encode=encode)
    assert empty.codebook.empty and empty.points.empty and empty.granularities.empty and not empty.encoders
    everything = assign(few, empty)
    assert set(everything["topic"]) == {OUTLIER} and set(everything["codebook_id"]) == {empty.codebook_id}
    assert set(everything["feedback_id"]) == set(few["feedback_id"])
    none = discover_topics(opinions.assign(language="other"), encoders=ENCODERS, encode=encode)
    assert none.codebook.empty


def test_two_multilingual_models_are_refused_before_anything_is_encoded(opinions):
    wrong = {"en": "onnx:a", "fa": "onnx:a", "ar": "onnx:b", "bg": "onnx:b"}
    with pytest.raises(EncoderError, match=r"(?s)onnx:a, onnx:b.*one such group.*programme\.yml"):
        discover_topics(opinions, encoders=wrong, encode=encode)


# Several languages in one space


# The words of both that a tokeniser of BERT leaves as they are.
SHARED = {
    language: [
        [word for word in pool.split() if not set(word) & set("أآئؤ\u200c")] for pool in POOLS[language][:3]
    ]
    for language in ("en", "fa")
}


@pytest.fixture(scope="module")
def multi(tmp_path_factory):
    """A model that places words of one pool beside each other, and translations on one spot, and what it finds."""
    draw = np.random.default_rng(8)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    rows = [np.zeros(16)] * 4
    for number, pools in enumerate(zip(*SHARED.values(), strict=True)):
        places = np.eye(16)[number] + draw.normal(scale=0.2, size=(12, 16))
        for pool in pools:
            words += pool
            rows += list(places[: len(pool)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_encoders_models, "WORDS", words)
        folder = test_encoders_models.make_model(
            tmp_path_factory.mktemp("topics") / "model",
            graph=test_encoders_models.build_sums(np.array(rows)),
        )
    name = f"onnx:{folder}"
    draw = np.random.default_rng(9)
    opinions = pd.concat(
        [
            make_rows(language, "2025-01", {" ".join(pool): 30 for pool in pools}, draw).assign(
                language=language
            )
            for language, pools in SHARED.items()
        ]
        + [make_rows("zh", "2025-01", dict.fromkeys(POOLS["zh"][:3], 30), draw)],
        ignore_index=True,
    )
    encoders = {"en": name, "fa": name, "zh": "tfidf-svd"}
    return opinions, discover_topics(opinions, encoders=encoders, encode=encode)


def test_languages_that_share_a_model_share_topics(multi):
    opinions, found = multi
    book = found.codebook
    assert set(book["language"]) == {"multi", "zh"}
    assert book.loc[book["language"] == "multi", "encoder_id"].nunique() == 1
    rows = opinions.assign(topic=opinions["feedback_id"].map(first_topics(assign(opinions, found))))
    shared = rows[rows["language"] != "zh"]
    assert (shared["topic"] != OUTLIER).mean() > 0.95
    spoken = shared[shared["topic"] != OUTLIER].groupby("topic")["language"].nunique()
    assert shared["topic"].isin(spoken.index[spoken == 2]).mean() > 0.8
    purity = pd.crosstab(shared["topic"], shared["planted"]).max(axis=1).sum() / len(shared)
    assert purity > 0.95
    terms = [term for terms in book.loc[book["language"] == "multi", "terms"] for term in terms]
    assert any(term.isascii() for term in terms) and not all(term.isascii() for term in terms)
    own = set(book.loc[book["language"] == "zh", "topic"])
    assert set(rows.loc[rows["language"] == "zh", "topic"]) <= own | {OUTLIER}


def test_what_comes_after_reads_the_shared_space_as_one(multi):
    opinions, found = multi
    assigned = assign(opinions, found)
    assert set(find_space(opinions, found.codebook)[opinions["language"] != "zh"]) == {"multi"}
    heard = list(split_by_language(opinions, assigned, found.codebook))
    assert [len(rows) for rows, _, _ in heard] == [180, 90]
    assert set(heard[0][0]["language"]) == {"en", "fa"} and set(heard[1][0]["language"]) == {"zh"}
    refit = trace_lineage(found.codebook, assigned, found.codebook, assigned, first_number=99)
    shown = restate_month(opinions, assigned, refit)
    assert set(shown["language"]) == {"multi", "zh"} and (shown["difference"] == 0).all()


# Assignment


def test_months_one_by_one_come_out_as_all_at_once_and_a_new_month_changes_nothing(opinions, found, assigned):
    by_month = [assign(rows, found) for _, rows in opinions.groupby("month")]
    same_rows(pd.concat(by_month), assigned)
    early = opinions["month"] <= "2025-03"
    same_rows(
        assign(opinions[early].sample(frac=1, random_state=2), found),
        assigned[assigned["feedback_id"].isin(opinions.loc[early, "feedback_id"])],
    )
    assert set(assigned["feedback_id"]) == set(opinions["feedback_id"])


def test_a_voice_or_language_without_topics_fits_none(opinions, found):
    strange = [
        opinions[opinions["language"] == "fa"].head(3).assign(voice="employee"),
        opinions[opinions["language"] == "en"].head(3).assign(language="bg"),
        opinions[opinions["language"] == "zh"].head(3).assign(language="other"),
    ]
    rows = assign(pd.concat(strange), found)
    assert len(rows) == 9 and set(rows["topic"]) == {OUTLIER} and (rows["similarity"] == 0).all()
    length = pd.concat(strange).set_index("feedback_id")["verbatim"].str.len()
    assert (rows["end"] == rows["feedback_id"].map(length)).all() and (rows["start"] == 0).all()


@pytest.mark.parametrize("language", list(MARKS))
def test_a_verbatim_of_two_parts_has_both_topics_where_they_stand(language, opinions, found, assigned):
    draw = np.random.default_rng(6)
    stop = MARKS[language][1]
    halves = [[say(language, POOLS[language][pool], draw) for _ in range(15)] for pool in (0, 2)]
    texts = [f"  {one}{stop}{two}{stop}" for one, two in zip(*halves, strict=True)]
    rows = pd.DataFrame({"feedback_id": [hash_id(text) for text in texts], "verbatim": texts})
    rows = rows.assign(language=language, voice="customer", month="2025-03")
    several = (
        assign(rows, found)
        .merge(rows, on="feedback_id")
        .merge(found.codebook[["topic", "language"]], on="topic")
    )
    assert (several["language_x"] == several["language_y"]).all()
    assert (several.groupby("feedback_id").size() == 2).mean() > 0.9
    pool_of = dict(zip(opinions["feedback_id"], opinions["planted"], strict=True))
    fitted = assigned[assigned["feedback_id"].isin(opinions.loc[opinions["month"] <= UNTIL, "feedback_id"])]
    planted = fitted["feedback_id"].map(pool_of).groupby(fitted["topic"]).agg(lambda own: own.mode()[0])
    for row in several[several["feedback_id"].duplicated(keep=False)].itertuples():
        said = row.verbatim[row.start : row.end]
        assert said == said.strip()
        assert said.rstrip(stop) == halves[{"0": 0, "2": 1}[planted[row.topic]]][texts.index(row.verbatim)]


# What is new


def test_a_theme_that_begins_is_proposed_with_its_terms_and_nothing_else_is(opinions, found, proposed):
    assert len(proposed) == 1
    row = proposed.iloc[0]
    planted = opinions.set_index("feedback_id")["planted"][row["feedback_ids"]]
    assert (planted == "new").mean() > 0.9 and len(planted) > 20
    assert row["terms"] and {word for term in row["terms"] for word in term.split()} <= set(NEW)
    assert (row["voice"], row["language"], row["month"]) == ("customer", "en", "2025-03")
    assert row["codebook_id"] == found.codebook_id and row["nearest_topic"] in set(found.codebook["topic"])
    pd.testing.assert_frame_equal(check_table("proposals", proposed), proposed)


def test_a_quiet_month_and_a_first_one_propose_nothing(opinions, found, assigned):
    assert propose(opinions, found, assigned, "2025-02").empty
    assert propose(opinions, found, assigned, "2025-01").empty


def test_the_order_of_rows_does_not_matter_to_a_proposal(opinions, found, assigned, proposed):
    mixed = opinions.sample(frac=1, random_state=7), found, assigned.sample(frac=1, random_state=8)
    pd.testing.assert_frame_equal(propose(*mixed, "2025-03"), proposed)


@pytest.fixture
def accepted(small_programme, found, proposed):
    """The proposed topic as people accepted it, its decision's number, and the programme that holds the decision."""
    record_decision(small_programme, kind="memo", subject="f", value={"text": "x"}, who="Ada", why="x")
    number = record_decision(
        small_programme, kind="topic_accept", subject=proposed["proposal"].item(), value={"name": "Gifts"},
        who="Ada", why="it is new",
    )  # fmt: skip
    decisions = fold_decisions(read_decisions(small_programme))
    return accept_topics(found.codebook, empty_table("accepted"), proposed, decisions), number


def test_an_accepted_topic_serves_from_its_month_on_and_moves_no_earlier_row(
    opinions, found, assigned, proposed, accepted
):
    topics, number = accepted
    assert number == 2 and topics[["topic", "name"]].to_numpy().tolist() == [["A0002", "Gifts"]]
    book = pd.concat([found.codebook, topics], ignore_index=True)
    after = assign(opinions, found, book)
    month = opinions.set_index("feedback_id")["month"]
    early = [rows[rows["feedback_id"].map(month) < "2025-03"] for rows in (assigned, after)]
    same_rows(*early)
    new = opinions[opinions["planted"] == "new"]
    for _, rows in new.groupby("month"):
        assert (rows["feedback_id"].map(first_topics(after)) == "A0002").mean() > 0.9
    rest = opinions[opinions["planted"] != "new"]
    kept = rest["feedback_id"].map(first_topics(after)) == rest["feedback_id"].map(first_topics(assigned))
    assert kept.mean() > 0.99


def test_an_accepted_topic_is_not_proposed_again_next_month(opinions, found, assigned, accepted):
    book = pd.concat([found.codebook, accepted[0]], ignore_index=True)
    assert propose(opinions, found, assign(opinions, found, book), "2025-04", book).empty


def test_its_own_month_run_again_holds_the_same_proposal(opinions, found, assigned, proposed, accepted):
    book = pd.concat([found.codebook, accepted[0]], ignore_index=True)
    again = propose(opinions, found, assign(opinions, found, book), "2025-03", book)
    assert again["proposal"].tolist() == proposed["proposal"].tolist(), "the decision is still about it"


def test_taking_the_decision_back_takes_the_topic_away(
    small_programme, opinions, found, assigned, proposed, accepted
):
    undo_decision(small_programme, accepted[1], who="Ada", why="no topic after all")
    decisions = fold_decisions(read_decisions(small_programme))
    left = accept_topics(found.codebook, accepted[0], proposed, decisions)
    assert left.empty
    same_rows(assign(opinions, found, pd.concat([found.codebook, left])), assigned)


# Drift


def drift(opinions, found, book=None, month="2025-03"):
    book = found.codebook if book is None else book
    return drift_opinions(opinions, book, found.encoders, encode=encode, month=month, until=UNTIL)


def test_the_topic_whose_words_changed_drifts_and_no_steady_one_does(opinions, found, assigned):
    found_drift = drift(opinions, found)
    pd.testing.assert_frame_equal(check_table("drift", found_drift), found_drift)
    assert set(found_drift["topic"]) <= set(found.codebook["topic"])
    money = (opinions["language"] == "fa") & (opinions["planted"] == "2")
    moved = opinions[money & (opinions["month"] <= UNTIL)]
    topic = moved["feedback_id"].map(first_topics(assigned)).mode()[0]
    lost = found_drift[(found_drift["verdict"] == EVIDENCE) & (found_drift["difference"] < 0)]
    assert lost["topic"].tolist() == [topic]
    assert set(zip(found_drift["codebook_id"], found_drift["month"], strict=True)) == {("C1", "2025-03")}


def test_later_months_and_the_order_of_rows_do_not_change_a_months_drift(opinions, found):
    early = opinions[opinions["month"] <= "2025-03"].sample(frac=1, random_state=1)
    pd.testing.assert_frame_equal(drift(opinions, found), drift(early, found))


def test_an_accepted_topic_is_measured_against_the_month_it_began_in(opinions, found, accepted):
    book = pd.concat([found.codebook, accepted[0]], ignore_index=True)
    assert "A0002" not in set(drift(opinions, found, book)["topic"]), "its own month has nothing before it"
    row = drift(opinions, found, book, month="2025-04").set_index("topic").loc["A0002"]
    assert row["n"] >= 30 and row["fitted_n"] >= 30 and row["verdict"] != EVIDENCE


# Splitting


def split_topic(book, topic, parts):
    value = {"parts": [{"feedback_ids": list(ids)} for ids in parts]}
    row = {"decision_id": 1, "kind": "topic_split", "subject": topic, "value": value}
    return apply_decisions(book, pd.DataFrame([row])), [name_part(topic, part) for part in value["parts"]]


def split_rows(opinions, assigned, named, found):
    vectors = encode_split(opinions, assigned, named, found.encoders, encode=encode)
    return apply_to_assignments(assigned, named, vectors), vectors


def test_a_split_moves_each_member_to_the_nearest_part_and_nobody_else(opinions, found, assigned):
    topic = found.codebook.loc[found.codebook["language"] == "fa", "topic"].iloc[0]
    members = assigned.loc[assigned["topic"] == topic, "feedback_id"].tolist()
    examples = members[:4], members[4:8]
    named, parts = split_topic(found.codebook, topic, examples)
    after, vectors = split_rows(opinions, assigned, named, found)
    assert set(vectors) == set(members)
    placed = after[after["topic"].isin(parts)].set_index("feedback_id")["topic"]
    assert set(placed.index) == set(members) and topic not in set(after["topic"])
    centres = np.array([np.sum([vectors[one] for one in ids], axis=0) for ids in examples])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    for one in members[8:]:
        near = centres @ vectors[one]
        assert placed[one] == parts[int(near[1] > near[0])] or abs(near[0] - near[1]) < 1e-4
    assert [set(placed[list(ids)]) for ids in examples] == [{part} for part in parts]
    same_rows(after[~after["feedback_id"].isin(members)], assigned[~assigned["feedback_id"].isin(members)])


def test_a_part_keeps_its_place_when_its_examples_have_another_topic_or_month(opinions, found, assigned):
    english = found.codebook[(found.codebook["language"] == "en") & (found.codebook["voice"] == "customer")]
    topic, other = english["topic"].iloc[:2]
    month = assigned["feedback_id"].map(opinions.set_index("feedback_id")["month"])
    late = assigned[(month == "2025-04").to_numpy()]
    ids = [late.loc[late["topic"] == one, "feedback_id"] for one in (topic, other)]
    named, parts = split_topic(found.codebook, topic, [ids[0][:3], ids[1][:3]])
    together, vectors = split_rows(opinions, assigned, named, found)
    assert set(ids[0][:3]) | set(ids[1][:3]) <= set(vectors)
    assert set(together["topic"]) & set(parts) == {parts[0]}, "nobody lies nearer to what another topic says"
    early = assigned[(month == "2025-01").to_numpy()]
    alone, _ = split_rows(opinions, early, named, found)
    same_rows(alone, together[together["feedback_id"].isin(early["feedback_id"])])


def test_what_is_merged_into_a_split_topic_is_split_with_it(opinions, found, assigned):
    chinese = found.codebook[found.codebook["language"] == "zh"]["topic"].tolist()
    members = [assigned.loc[assigned["topic"] == topic, "feedback_id"] for topic in chinese[:2]]
    rows = [
        ("topic_split", chinese[0], {"parts": [{"feedback_ids": ids.head(5).tolist()} for ids in members]}),
        ("topic_merge", chinese[1], {"into": chinese[0]}),
    ]
    decisions = pd.DataFrame(rows, columns=["kind", "subject", "value"]).assign(decision_id=[1, 2])
    after, _ = split_rows(opinions, assigned, apply_decisions(found.codebook, decisions), found)
    parts = [name_part(chinese[0], part) for part in rows[0][2]["parts"]]
    for ids, part in zip(members, parts, strict=True):
        assert (after.loc[after["feedback_id"].isin(ids), "topic"] == part).mean() > 0.95


def test_texts_with_a_vector_are_verbatims_and_their_several_spans():
    said = ["The room was lovely and clean. The breakfast was cold and late.", "Late."]
    listed = list_texts(pd.DataFrame({"feedback_id": ["a", "b"], "verbatim": said, "language": "en"}))
    assert listed == [*said, "The room was lovely and clean.", "The breakfast was cold and late."]


# A refit


@pytest.fixture(scope="module")
def grown(found, proposed):
    """The codebook in use with a topic that was accepted in March."""
    value = {"kind": "topic_accept", "value": [{"name": "Gifts"}]}
    decisions = pd.DataFrame({"decision_id": [2], "subject": proposed["proposal"]} | value)
    topics = accept_topics(found.codebook, empty_table("accepted"), proposed, decisions)
    return pd.concat([found.codebook, topics], ignore_index=True)


def test_records_under_same_keep_their_topic_after_a_refit_on_more_months():
    draw = np.random.default_rng(2)
    words = [word for pool in POOLS["en"] for word in pool.split()]
    kinds = [words[start : start + 4] for start in range(0, len(words), 4)]
    rows = [
        (month, f"{say('en', kind, draw, 3)} {say('en', NEW, draw, 2)}")
        for month in ("2025-01", "2025-02", "2025-03") for kind in kinds for _ in range(12)
    ]  # fmt: skip
    said = pd.DataFrame(rows, columns=["month", "verbatim"]).assign(voice="customer", language="en")
    said["feedback_id"] = [hash_id(number) for number in range(len(said))]
    first = discover_topics(said[said["month"] <= UNTIL], encoders=ENCODERS, encode=encode)
    number = next_number(first.codebook)
    refit = discover_topics(said, encoders=ENCODERS, encode=encode, seed=1, first_number=number)
    before, after = assign(said, first), assign(said, refit)
    traced = trace_lineage(first.codebook, before, refit.codebook, after, first_number=number)
    same = set(traced.lineage.loc[traced.lineage["relation"] == "same", "topic"])
    old, new = first_topics(before), first_topics(traced.assignments)
    under = old.isin(same)
    assert under.mean() > 0.3 and (old[under] == new[old.index][under]).mean() >= 0.95
    went_on = set(traced.lineage.loc[traced.lineage["relation"].isin(["same", "renamed"]), "topic"])
    assert set(traced.codebook["topic"]) & set(first.codebook["topic"]) == went_on


@pytest.fixture(scope="module")
def refitted(opinions, grown, found):
    first = next_number(grown)
    refit = fit_planted(opinions, "C2", first)
    before = assign(opinions, found, grown)
    return before, trace_lineage(grown, before, refit.codebook, assign(opinions, refit), first_number=first)


def test_topics_that_went_on_keep_id_terms_and_name_and_the_accepted_one_too(grown, refitted):
    _, traced = refitted
    same = traced.codebook[traced.codebook["lineage"] == "same"].set_index("topic")
    assert "A0002" in same.index and len(same) >= 10
    earlier = grown.set_index("topic").loc[same.index]
    for column in ("name", "terms", "voice", "language", "first_seen"):
        assert same[column].tolist() == earlier[column].tolist(), column
    decisions = pd.DataFrame(
        {"kind": "topic_name", "subject": same.index,
         "value": [{"name": f"Our {topic}", "terms": earlier.at[topic, "terms"]} for topic in same.index]}
    )  # fmt: skip
    named = apply_decisions(traced.codebook, decisions).set_index("topic")["name"]
    assert (named[same.index] == "Our " + same.index.to_series()).all()
    later = pd.concat([grown, traced.codebook])
    numbers = later["topic"][later["topic"].str.startswith("T")].str[1:].astype(int)
    assert next_number(later) == numbers.max() + 1


def test_last_month_reads_as_printed_beside_the_refit(opinions, refitted):
    before, traced = refitted
    month = opinions[opinions["month"] == "2025-04"]
    shown = restate_month(month, before, traced)
    assert set(map(tuple, shown[["voice", "language"]].to_numpy())) == {
        ("customer", "en"), ("customer", "fa"), ("customer", "zh"), ("employee", "en"),
    }  # fmt: skip
    assert not shown.duplicated(["voice", "language", "topic"]).any()
    english = month[(month["language"] == "en") & (month["voice"] == "customer")]
    own = shown[(shown["language"] == "en") & (shown["voice"] == "customer")].set_index("topic")
    assert (own["n"] == len(english)).all()
    for column, rows in (("printed", before), ("restated", traced.assignments)):
        counted = rows[rows["feedback_id"].isin(english["feedback_id"])]["topic"].value_counts()
        assert own[column].dropna().to_dict() == pytest.approx((100 * counted / len(english)).to_dict())
    assert (own["difference"].dropna() == (own["restated"] - own["printed"]).dropna()).all()
    size = shown["difference"].abs().dropna()
    assert size.is_monotonic_decreasing and restate_month(month.head(0), before, traced).empty
