"""Topics of a whole programme: each voice and language with the encoder that serves it."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from vocwb.schemas import OUTLIER, check_table, empty_table, hash_id
from vocwb.understand.codebook import assign_topics, fit_codebook
from vocwb.understand.encoders import Encoder, encode_texts, fit_encoder


class Discovery(NamedTuple):
    """A codebook with its id, which is there even when no topic was found, and its encoders by their ids."""

    codebook_id: str
    codebook: pd.DataFrame
    encoders: dict[str, Encoder]


def discover_topics(
    opinions: pd.DataFrame, *, encoders: Mapping[str, str], seed: int = 0, first_number: int = 1
) -> Discovery:
    """Return a codebook of every voice and language, and the encoders fitted with it.

    opinions: feedback_id, voice, language, verbatim, month. encoders: language -> name of the encoder that
    serves it; languages that are not in it (such as "other") get no topics. Customers and staff have topics
    of their own. first_number: the number of the first topic, above all that were ever given (`next_number`),
    so that an id never changes its meaning. The codebook's id is a hash of what it was fitted on.

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "voice": "customer", "language": "en", "verbatim": ["late"],
    ...                          "month": "2025-01"})
    >>> len(discover_topics(opinions, encoders={"en": "tfidf-svd"}).codebook)
    0
    """
    opinions = opinions[opinions["language"].isin(list(encoders))].sort_values("feedback_id")
    codebook_id = "C" + hash_id(seed, first_number, sorted(encoders.items()), *opinions["feedback_id"])[:12]
    books, fitted = [], {}
    for (voice, language), group in opinions.groupby(["voice", "language"], sort=True):
        encoder = fit_encoder(encoders[language], group["verbatim"], language=language, seed=seed)
        book = fit_codebook(
            group,
            encode_texts(encoder, group["verbatim"]),
            voice=voice,
            language=language,
            encoder_id=encoder.encoder_id,
            codebook_id=codebook_id,
            seed=seed,
            first_number=first_number + sum(map(len, books)),
        )
        if len(book):
            books.append(book)
            fitted[encoder.encoder_id] = encoder
    codebook = pd.concat(books, ignore_index=True) if books else empty_table("codebook")
    return Discovery(codebook_id, codebook, fitted)


def next_number(codebooks: pd.DataFrame) -> int:
    """Return the first topic number that none of the codebooks so far has given.

    >>> next_number(pd.DataFrame({"topic": ["T0001", "T0012"]})), next_number(pd.DataFrame({"topic": []}))
    (13, 1)
    """
    return max((int(topic[1:]) for topic in codebooks["topic"]), default=0) + 1


def assign_opinions(
    opinions: pd.DataFrame, codebook: pd.DataFrame, encoders: Mapping[str, Encoder], *, codebook_id: str
) -> pd.DataFrame:
    """Return assignments of every verbatim to the topics of its own voice and language.

    A verbatim whose voice and language have no topics is an outlier (T0000, similarity 0).

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "voice": "customer", "language": "en", "verbatim": ["late"]})
    >>> assign_opinions(opinions, empty_table("codebook"), {}, codebook_id="C1")["topic"].tolist()
    ['T0000']
    """
    pieces = [empty_table("assignments")]
    for (voice, language), group in opinions.groupby(["voice", "language"], sort=True):
        topics = codebook[(codebook["voice"] == voice) & (codebook["language"] == language)]
        if len(topics):
            encoder = encoders[topics["encoder_id"].iloc[0]]
            pieces.append(assign_topics(group, topics, encode_texts(encoder, group["verbatim"])))
        else:
            length = group["verbatim"].str.len()
            piece = group[["feedback_id"]].assign(topic=OUTLIER, similarity=0.0, start=0, end=length)
            pieces.append(piece.assign(codebook_id=codebook_id))
    assigned = pd.concat([piece for piece in pieces if len(piece)] or pieces, ignore_index=True)
    return check_table("assignments", assigned.sort_values(["feedback_id", "topic"]))
