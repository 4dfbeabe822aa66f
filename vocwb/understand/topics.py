"""Topics of a whole programme: each voice and space of languages with the encoder that serves it.

A space is the languages that share an encoder's vectors: "en" alone, or "multi" for all that one multilingual
model serves. Topics are of one voice and one space.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from vocwb.errors import EncoderError
from vocwb.schemas import OUTLIER, check_table, describe_table, empty_table, hash_id, unit_of
from vocwb.understand.assignment import assign_topics, find_nearest, find_space
from vocwb.understand.clusters import cluster_vectors
from vocwb.understand.codebook import fit_codebook
from vocwb.understand.drift import measure_drift
from vocwb.understand.encoders import MULTI, Encoder, fit_encoder
from vocwb.understand.maps import map_vectors
from vocwb.understand.proposals import ACCEPTED, propose_topics
from vocwb.understand.spans import split_spans
from vocwb.understand.terms import find_terms

_MOST_DRAWN = 3_000

Encode = Callable[[Encoder, list[str]], np.ndarray]
"""Texts to vectors by an encoder: `encode_texts`, with the cache that the caller keeps."""


class Discovery(NamedTuple):
    """A codebook with its id, which is there even when no topic was found, and its encoders by their ids.

    granularities: how finely each space could have been cut (table granularities); points: a map of its
    verbatims (table points).
    """

    codebook_id: str
    codebook: pd.DataFrame
    encoders: dict[str, Encoder]
    granularities: pd.DataFrame
    points: pd.DataFrame


def discover_topics(
    opinions: pd.DataFrame,
    *,
    encoders: Mapping[str, str],
    encode: Encode,
    seed: int = 0,
    first_number: int = 1,
) -> Discovery:
    """Return a codebook of every voice and space, the encoders fitted with it, and what else it could have been.

    opinions: feedback_id, voice, language, verbatim, month. encoders: language -> name of the encoder that
    serves it; languages that are not in it (such as "other") get no topics, and those served by one multilingual
    model share theirs. Customers and staff have topics of their own. first_number: the number of the first topic,
    above all that were ever given (`next_number`), so that an id never changes its meaning. The codebook's id
    is a hash of what it was fitted on. Raises EncoderError where two multilingual models serve two or more
    languages each.

    >>> from vocwb.understand.encoders import encode_texts
    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "voice": "customer", "language": "en", "verbatim": ["late"],
    ...                          "month": "2025-01"})
    >>> len(discover_topics(opinions, encoders={"en": "tfidf-svd"}, encode=encode_texts).codebook)
    0
    """
    space_of = _name_spaces(encoders)
    opinions = opinions[opinions["language"].isin(list(encoders))].sort_values(
        "feedback_id", ignore_index=True
    )
    codebook_id = "C" + hash_id(seed, first_number, sorted(encoders.items()), *opinions["feedback_id"])[:12]
    books, fitted = [empty_table("codebook")], {}
    cuts, maps = [empty_table("granularities")], [empty_table("points")]
    for (voice, space), group in opinions.groupby(["voice", opinions["language"].map(space_of)], sort=True):
        name = encoders[group["language"].iloc[0]]
        language = group["language"].iloc[0] if space == MULTI else space
        encoder = fit_encoder(name, group["verbatim"], language=language, seed=seed)
        vectors = encode(encoder, group["verbatim"].tolist())
        clusters = cluster_vectors(vectors, seed=seed)
        place = {"codebook_id": codebook_id, "voice": voice, "language": space}
        book = fit_codebook(
            group, vectors, voice=voice, language=space, encoder_id=encoder.encoder_id, codebook_id=codebook_id,
            first_number=first_number + sum(map(len, books)), clusters=clusters,
        )  # fmt: skip
        if len(book):
            books.append(book)
            fitted[encoder.encoder_id] = encoder
            cuts.append(clusters.alternatives.assign(**place))
            maps.append(_draw_map(group, vectors, seed).assign(**place))
    return Discovery(
        codebook_id,
        _stack(books),
        fitted,
        check_table("granularities", _stack(cuts)),
        check_table("points", _stack(maps)),
    )


def next_number(codebooks: pd.DataFrame) -> int:
    """Return the first topic number that none of the codebooks so far has given; accepted topics have none.

    >>> next_number(pd.DataFrame({"topic": ["T0001", "T0012", "A0099"]})), next_number(pd.DataFrame({"topic": []}))
    (13, 1)
    """
    return max((int(topic[1:]) for topic in codebooks["topic"] if topic[0] == "T"), default=0) + 1


def assign_opinions(
    opinions: pd.DataFrame,
    codebook: pd.DataFrame,
    encoders: Mapping[str, Encoder],
    *,
    encode: Encode,
    codebook_id: str,
) -> pd.DataFrame:
    """Return assignments of every verbatim to the topics of its own voice and space, several where it has several.

    Needs feedback_id, voice, language, month, verbatim. A topic that people accepted serves from the month on in
    which it was proposed, so that what was assigned before stays as it was. A verbatim whose voice and space
    have no topics is an outlier (T0000, similarity 0).

    >>> from vocwb.understand.encoders import encode_texts
    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "voice": "customer", "language": "en", "month": "2025-01",
    ...                          "verbatim": ["late"]})
    >>> assign_opinions(opinions, empty_table("codebook"), {}, encode=encode_texts, codebook_id="C1")["topic"].tolist()
    ['T0000']
    """
    pieces, placed = [empty_table("assignments")], opinions["feedback_id"].head(0)
    for group, topics in _match_topics(opinions, codebook):
        encoder = encoders[topics["encoder_id"].iloc[0]]
        placed = pd.concat([placed, group["feedback_id"]])
        for month, rows in group.groupby("month", sort=True):
            spans = _cut_spans(rows)
            vectors = encode(encoder, [*rows["verbatim"], *spans["text"]])
            whole, parts = np.split(vectors, [len(rows)])
            late = topics["lineage"].str.startswith(ACCEPTED) & (topics["first_seen"] > month)
            pieces.append(assign_topics(rows, topics[~late], whole, spans=spans, span_vectors=parts))
    rest = opinions[~opinions["feedback_id"].isin(placed)]
    length = rest["verbatim"].str.len()
    rest = rest[["feedback_id"]].assign(topic=OUTLIER, similarity=0.0, start=0, end=length)
    assigned = _stack([*pieces, rest.assign(codebook_id=codebook_id)])
    return check_table("assignments", assigned.sort_values(["feedback_id", "topic"]))


def propose_opinions(
    opinions: pd.DataFrame,
    assignments: pd.DataFrame,
    codebook: pd.DataFrame,
    encoders: Mapping[str, Encoder],
    *,
    encode: Encode,
    month: str,
) -> pd.DataFrame:
    """Return the new topics that a month proposes (table proposals), for people to accept or not.

    Needs in opinions: feedback_id, voice, language, month, verbatim, of that month and of those before it;
    assignments: feedback_id, topic, similarity, of all of these. Of each voice and space `propose_topics` looks
    at what is dense this month and was not before.

    >>> from vocwb.understand.encoders import encode_texts
    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "voice": "customer", "language": "en", "month": "2025-01",
    ...                          "verbatim": ["late"]})
    >>> book, rows = empty_table("codebook"), empty_table("assignments")
    >>> len(propose_opinions(opinions, rows, book, {}, encode=encode_texts, month="2025-01"))
    0
    """
    first = assignments.sort_values(["similarity", "topic"], ascending=[False, True])
    first = first.drop_duplicates("feedback_id").set_index("feedback_id")["topic"]
    found = [empty_table("proposals")]
    for group, topics in _match_topics(opinions, codebook):
        vectors = encode(encoders[topics["encoder_id"].iloc[0]], group["verbatim"].tolist())
        now, before = (group["month"] == month).to_numpy(), (group["month"] < month).to_numpy()
        rows = group[["feedback_id", "month"]].assign(topic=group["feedback_id"].map(first).astype("str"))
        proposed = propose_topics(
            group[now].assign(language=topics["language"].iloc[0]), vectors[now], rows[now], topics, rows[before],
            vectors[before],
        )  # fmt: skip
        if len(proposed):
            found.append(proposed.assign(terms=_name_terms(proposed, group)))
    return check_table("proposals", _stack(found))


def drift_opinions(
    opinions: pd.DataFrame,
    codebook: pd.DataFrame,
    encoders: Mapping[str, Encoder],
    *,
    encode: Encode,
    month: str,
    until: str,
) -> pd.DataFrame:
    """Return how far a month's members of each topic have moved from those it was fitted on (table drift).

    Needs in opinions: feedback_id, response_id, respondent_id, voice, language, month, verbatim. The codebook was
    fitted on the months up to `until`, and a topic that was accepted on the month it was first seen in; the
    month itself is none of these. Vectors of one month are held at a time.

    >>> from vocwb.understand.encoders import encode_texts
    >>> opinions = pd.DataFrame({"voice": [], "language": [], "month": []}, dtype="str")
    >>> book = empty_table("codebook")
    >>> len(drift_opinions(opinions, book, {}, encode=encode_texts, month="2025-02", until="2025-01"))
    0
    """
    found = [empty_table("drift")]
    for group, topics in _match_topics(opinions, codebook):
        encoder, topics = encoders[topics["encoder_id"].iloc[0]], topics.sort_values("topic")
        centres, floors = np.array(topics["vector"].tolist()), topics["floor"].to_numpy()
        late = topics["first_seen"].where(topics["lineage"].str.startswith(ACCEPTED)).to_numpy()
        before, now, there = [], None, None
        for one, rows in group.groupby("month", sort=True):
            if one != month and one > until and one not in late:
                continue
            vectors = encode(encoder, rows["verbatim"].tolist())
            best, similarity = find_nearest(vectors, centres, floors)
            fits = best >= 0
            said = {"topic": topics["topic"].to_numpy()[best[fits]], "similarity": similarity[fits]}
            members = pd.DataFrame(said | {"unit": unit_of(rows)[fits].to_numpy()})
            if one == month:
                now, there = members, vectors[fits]
            else:
                since = late[best[fits]]
                before.append(members[np.where(pd.isna(since), one <= until, since == one)])
        if now is not None and before:
            fitted = pd.concat(before)
            # An accepted topic has nothing to be set against in the month that it began in.
            found.append(measure_drift(now, there, fitted, topics[topics["topic"].isin(fitted["topic"])]))
    drift = _stack(found)
    drift = drift.assign(codebook_id="".join(codebook["codebook_id"].head(1)), month=month)
    return check_table("drift", drift.reindex(columns=list(describe_table("drift").columns)))


def encode_split(
    opinions: pd.DataFrame, assignments: pd.DataFrame, named: pd.DataFrame, encoders: Mapping[str, Encoder], *,
    encode: Encode,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Return the vectors, by feedback_id, of the verbatims of topics that people split (`naming.apply_to_assignments`).

    And of the examples that people gave the parts, where `opinions` has them: give it those of all months, so that
    a month read again comes out as it was.

    >>> from vocwb.understand.encoders import encode_texts
    >>> named = pd.DataFrame({"topic": ["T0001"], "split_into": [[]], "encoder_id": "e", "merged_into": None})
    >>> rows = pd.DataFrame({"feedback_id": ["f"], "topic": ["T0001"]})
    >>> encode_split(pd.DataFrame({"feedback_id": ["f"], "verbatim": ["late"]}), rows, named, {}, encode=encode_texts)
    {}
    """
    found: dict[str, np.ndarray] = {}
    split = named[named["split_into"].map(len) > 0]
    # What was merged into a split topic is split with it.
    into = dict(zip(named["topic"], named["merged_into"].fillna(named["topic"]), strict=True))
    for encoder_id, topics in split.groupby("encoder_id", sort=True):
        own = assignments["topic"].isin(topics["topic"]) | assignments["topic"].map(into).isin(
            topics["topic"]
        )
        # A part lies where its examples do, whatever topic these have now.
        examples = named.loc[named["split_from"].isin(topics["topic"]), "part_ids"].explode()
        wanted = {*assignments.loc[own, "feedback_id"], *examples}
        rows = opinions[opinions["feedback_id"].isin(wanted)]
        vectors = encode(encoders[encoder_id], rows["verbatim"].tolist())
        found |= dict(zip(rows["feedback_id"], vectors, strict=True))
    return found


def list_texts(feedback: pd.DataFrame) -> list[str]:
    """Return all texts that get a vector: each verbatim, and its spans where it has several.

    >>> list_texts(pd.DataFrame({"feedback_id": ["f"], "verbatim": ["Late."], "language": ["en"]}))
    ['Late.']
    """
    return [*feedback["verbatim"], *_cut_spans(feedback)["text"]]


def _name_spaces(encoders: Mapping[str, str]) -> dict[str, str]:
    """Return language -> space: "multi" for the languages that share a model, else the language itself."""
    shared = {name for name in encoders.values() if ":" in name and list(encoders.values()).count(name) > 1}
    if len(shared) > 1:
        raise EncoderError(
            f"Two multilingual encoders serve several languages each: {', '.join(sorted(shared))}.",
            "Languages with one model share topics, and a programme has one such group.",
            "Give all of these languages one model under `encoders` in programme.yml.",
        )
    return {language: MULTI if name in shared else language for language, name in encoders.items()}


def _match_topics(
    opinions: pd.DataFrame, codebook: pd.DataFrame
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """Yield the opinions of each voice and space, in the order of their ids, with the topics of that space."""
    for (voice, space), topics in codebook.groupby(["voice", "language"], sort=True):
        own = codebook[codebook["voice"] == voice]
        mine = (opinions["voice"] == voice) & (find_space(opinions, own) == space)
        if mine.any():
            yield opinions[mine].sort_values("feedback_id", ignore_index=True), topics


def _cut_spans(opinions: pd.DataFrame) -> pd.DataFrame:
    """Return feedback_id, start, end and text of the spans of the verbatims that have several."""
    said = (opinions[column] for column in ("feedback_id", "verbatim", "language"))
    rows = [
        (feedback_id, start, end, verbatim[start:end])
        for feedback_id, verbatim, language in zip(*said, strict=True)
        if len(spans := split_spans(verbatim, language)) > 1
        for start, end in spans
    ]
    found = pd.DataFrame(rows, columns=["feedback_id", "start", "end", "text"])
    return found.astype({"feedback_id": "str", "start": "int64", "end": "int64"})


def _name_terms(proposed: pd.DataFrame, opinions: pd.DataFrame) -> list[list[str]]:
    """Return the terms of each proposal against all else that is said."""
    of = {one: number for number, ids in enumerate(proposed["feedback_ids"]) for one in ids}
    topics = opinions["feedback_id"].map(of).fillna(len(proposed)).astype("int64")
    found = find_terms(opinions["verbatim"].tolist(), opinions["language"].tolist(), topics.to_numpy())
    return found[: len(proposed)]


def _draw_map(opinions: pd.DataFrame, vectors: np.ndarray, seed: int) -> pd.DataFrame:
    """Return feedback_id, x and y of the verbatims, of thousands at most: ids are hashes, so the first are a sample."""
    known = np.flatnonzero(vectors.any(axis=1))[:_MOST_DRAWN]
    flat = map_vectors(vectors[known], seed=seed)
    return opinions[["feedback_id"]].iloc[known].assign(x=flat[:, 0], y=flat[:, 1])


def _stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
