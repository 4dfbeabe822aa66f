"""Assignment: each month's verbatims to the topics of a codebook, by vector and with numpy alone."""

import numpy as np
import pandas as pd

from vocwb.errors import EncoderError, SchemaError
from vocwb.schemas import OUTLIER, check_table

FLOOR_SHARE = 0.01
"""The share of a topic's own members that would fall below its floor."""
SECOND_MARGIN = 0.08
"""How much nearer a span must lie to a second topic than to the verbatim's first one."""
SECOND_SHARE = 0.8
"""A span's similarity to a second topic, as a share of the verbatim's to its first, that it must reach."""
_BLOCK = 4096


def assign_topics(
    opinions: pd.DataFrame, codebook: pd.DataFrame, vectors: np.ndarray, *, spans: pd.DataFrame | None = None,
    span_vectors: np.ndarray | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return assignments: each opinion with its topics and where it speaks of them, or schemas.OUTLIER.

    Needs feedback_id, verbatim, voice and language; `vectors` holds their rows of length 1 (zeros fit nothing),
    from the encoder that the codebook's topics of that language were made with. Topics are of the verbatim's own
    voice, and of its language or, where that has none, of "multi"; without such topics it gets OUTLIER.
    Its first topic is the nearest of those whose floor the cosine reaches; of equal ones the first id.
    It depends on the verbatim and the codebook alone: the same text has the same topic in every month.

    spans: feedback_id, start, end (`split_spans`) with their vectors in span_vectors. A span's nearest topic
    is a further topic of the verbatim where its floor is reached, where the span lies nearer to it than to
    the first topic by SECOND_MARGIN, and where its similarity is SECOND_SHARE of the verbatim's to its first
    at least, so that a half sentence without much meaning brings none. Of a topic's spans that stand together
    the most similar run gives start and end. The first topic's row spans what no further topic takes, and a
    verbatim of one topic spans it all. A verbatim that fits none as a whole has the topics of its spans.
    One row a topic of a verbatim, sorted; similarity with 4 decimals. Memory is bounded by the month's rows.
    Raises EncoderError when the vectors are of another width than the topics', SchemaError when the spans and
    their vectors are not equally many.

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "verbatim": ["late"], "voice": ["customer"],
    ...                          "language": ["en"]})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "voice": ["customer"],
    ...                          "language": ["en"], "encoder_id": ["e"], "vector": [[1.0, 0.0]], "floor": [0.5]})
    >>> assign_topics(opinions, codebook, np.array([[0.8, 0.6]]))[["topic", "similarity"]].values.tolist()
    [['T0001', 0.8]]
    """
    opinions = opinions.reset_index(drop=True)
    found = pd.DataFrame(
        {
            "feedback_id": opinions["feedback_id"],
            "codebook_id": codebook["codebook_id"].iloc[0] if len(codebook) else "",
            "topic": OUTLIER, "similarity": 0.0, "start": 0, "end": opinions["verbatim"].str.len(),
        }
    )  # fmt: skip
    pieces = [found]
    vectors = np.asarray(vectors)
    if spans is None:
        spans, span_vectors = found[["feedback_id", "start", "end"]].head(0), vectors[:0]
    spans, span_vectors = _keep_parts(spans, np.asarray(span_vectors))
    space = find_space(opinions, codebook)
    for (voice, language), topics in codebook.sort_values("topic").groupby(["voice", "language"]):
        rows = np.flatnonzero((opinions["voice"] == voice) & (space == language))
        centres, floors = np.array(topics["vector"].tolist()), topics["floor"].to_numpy()
        if len(rows) and centres.shape[1] != vectors.shape[1]:
            raise EncoderError(
                f"The vectors of {language!r} have {vectors.shape[1]} dimensions.",
                f"The codebook's topics have {centres.shape[1]}, from {topics['encoder_id'].iloc[0]!r}.",
                "Encode the verbatims with that encoder; one call holds the opinions of one encoder.",
            )
        names = np.append(topics["topic"].to_numpy(dtype=object), OUTLIER)
        best, similarity = find_nearest(vectors[rows], centres, floors)
        found.loc[rows, "topic"] = names[best]
        found.loc[rows, "similarity"] = similarity
        own = spans["feedback_id"].isin(found.loc[rows, "feedback_id"]) if len(spans) else []
        parts = np.flatnonzero(own)
        if len(parts):
            first = pd.Series(best, found.loc[rows, "feedback_id"])[
                spans["feedback_id"].iloc[parts]
            ].to_numpy()
            whole = found.set_index("feedback_id")["similarity"]
            further = _find_further(
                spans.iloc[parts], span_vectors[parts], centres, floors, first,
                whole[spans["feedback_id"].iloc[parts]].to_numpy(),
            )  # fmt: skip
            further["topic"] = names[further["topic"].to_numpy(dtype=int)]
            pieces.append(further.assign(codebook_id=found["codebook_id"].iloc[0]))
    assigned = pd.concat([piece for piece in pieces if len(piece)] or pieces, ignore_index=True)
    return check_table("assignments", _narrow_first(assigned, spans).sort_values(["feedback_id", "topic"]))


def find_space(opinions: pd.DataFrame, codebook: pd.DataFrame) -> pd.Series:
    """Return the language whose topics an opinion is set against: its own, else "multi" where there are such.

    >>> find_space(pd.DataFrame({"language": ["en", "fa"]}), pd.DataFrame({"language": ["en", "multi"]})).tolist()
    ['en', 'multi']
    """
    own = set(codebook["language"])
    other = "multi" if "multi" in own else None
    return opinions["language"].map(lambda language: language if language in own else other or language)


def find_nearest(
    vectors: np.ndarray, centres: np.ndarray, floors: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's nearest centre of those whose floor it reaches (-1: none), and the similarity to it.

    vectors (n, d) and centres (k, d): rows of length 1, a vector of zeros fits none; similarity: cosine with
    4 decimals, for -1 the highest. Of equally near centres the first is taken. Works in
    blocks: memory for 4,096 rows x k.

    >>> find_nearest(np.array([[0.8, 0.6], [0.0, -1.0]]), np.eye(2), np.array([0.5, 0.5]))
    (array([ 0, -1]), array([0.8, 0. ]))
    """
    best, highest = np.full(len(vectors), -1), np.zeros(len(vectors))
    if not len(centres):
        return best, highest
    for start in range(0, len(vectors), _BLOCK):
        rows = np.asarray(vectors[start : start + _BLOCK], dtype=float)
        similarity = (rows @ centres.T).round(4) + 0.0
        reached = similarity >= floors
        nearest = np.where(reached | ~reached.any(axis=1, keepdims=True), similarity, -2).argmax(axis=1)
        fits = reached.any(axis=1) & rows.any(axis=1)
        best[start : start + _BLOCK] = np.where(fits, nearest, -1)
        highest[start : start + _BLOCK] = similarity[np.arange(len(rows)), nearest]
    return best, highest


def learn_centres(vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre and the floor of each topic 0, 1, ..., learnt from its members, as they are stored.

    A centre is the normalised mean of the members' vectors (6 decimals). A floor is the first percentile
    (FLOOR_SHARE) of the members' similarity to the centre of the *other* members, so that no member speaks
    for itself; a topic of one member has half. labels: a topic's number a row, -1 for none.

    >>> centres, floors = learn_centres(np.array([[1.0, 0.0], [1.0, 0.0], [0.8, 0.6]]), np.array([0, 0, 0]))
    >>> centres.round(2).tolist(), floors.round(2).tolist()
    ([[0.98, 0.21]], [0.8])
    """
    count = labels.max(initial=-1) + 1
    centres, floors = np.zeros((count, vectors.shape[1])), np.full(count, 0.5)
    for topic in range(count):
        members = np.asarray(vectors[labels == topic], dtype=float)
        total = members.sum(axis=0)
        centres[topic] = total / max(np.linalg.norm(total), 1e-12)
        if len(members) > 1:
            floors[topic] = np.quantile(leave_one_out(members), FLOOR_SHARE)
    return centres.round(6), floors.round(4)


def leave_one_out(members: np.ndarray) -> np.ndarray:
    """Return each member's cosine with the mean of the other members (rows of length 1, two at least).

    >>> leave_one_out(np.array([[1.0, 0.0], [0.0, 1.0]])).tolist()
    [0.0, 0.0]
    """
    total = members.sum(axis=0)
    own = (members**2).sum(axis=1)
    along = members @ total
    length = np.sqrt(np.maximum(total @ total - 2 * along + own, 1e-12))
    return (along - own) / (length * np.sqrt(np.maximum(own, 1e-12)))


def _keep_parts(spans: pd.DataFrame, vectors: np.ndarray) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the spans, in order, of the verbatims that have several; one alone is the verbatim itself."""
    if len(spans) != len(vectors):
        raise SchemaError(
            f"There are {len(spans)} spans and {len(vectors)} vectors of spans.",
            "Each span has one vector, in the same order.",
            "Encode the texts of the spans, verbatim[start:end], and pass their vectors as span_vectors.",
        )
    spans = (
        spans[["feedback_id", "start", "end"]].reset_index(drop=True).sort_values(["feedback_id", "start"])
    )
    spans = spans[spans["feedback_id"].duplicated(keep=False)]
    return spans.reset_index(drop=True), vectors[spans.index]


def _find_further(spans, vectors, centres, floors, first, whole) -> pd.DataFrame:
    """Return a row for each further topic of a verbatim: feedback_id, topic, similarity, start, end."""
    best, similarity = find_nearest(vectors, centres, floors)
    to_first = (vectors.astype(float) * centres[first]).sum(axis=1)
    none = first < 0
    strong = (best >= 0) & (best != first)
    strong &= none | ((similarity >= to_first + SECOND_MARGIN) & (similarity >= SECOND_SHARE * whole))
    runs = spans.assign(topic=np.where(strong, best, -1), similarity=similarity)
    # Spans that stand together and share a topic are one run.
    another = (runs["topic"] != runs["topic"].shift()) | (runs["feedback_id"] != runs["feedback_id"].shift())
    runs = runs[runs["topic"] >= 0].groupby(another.cumsum()[runs["topic"] >= 0])
    runs = runs.agg(
        {"feedback_id": "first", "topic": "first", "similarity": "max", "start": "min", "end": "max"}
    )
    order = ["feedback_id", "topic", "similarity", "start"]
    runs = runs.sort_values(order, ascending=[True, True, False, True])
    return runs.drop_duplicates(["feedback_id", "topic"]).reset_index(drop=True)


def _narrow_first(assigned: pd.DataFrame, spans: pd.DataFrame) -> pd.DataFrame:
    """Return assignments whose first topics span what no further topic takes; OUTLIER goes where there is one."""
    several = assigned["feedback_id"].duplicated(keep=False)
    if not several.any():
        return assigned
    first = several & ~assigned["feedback_id"].duplicated()
    taken = assigned[several & ~first][["feedback_id", "start", "end"]]
    left = spans[spans["feedback_id"].isin(taken["feedback_id"])].merge(
        taken, on="feedback_id", suffixes=("", "_taken")
    )
    inside = (left["start"] >= left["start_taken"]) & (left["end"] <= left["end_taken"])
    left = left.assign(inside=inside).groupby(["feedback_id", "start", "end"], as_index=False)["inside"].any()
    left = left[~left["inside"]].groupby("feedback_id").agg({"start": "min", "end": "max"})
    rows = assigned.index[first & assigned["feedback_id"].isin(left.index)]
    for edge in ("start", "end"):
        assigned.loc[rows, edge] = assigned.loc[rows, "feedback_id"].map(left[edge])
    return assigned[~(first & (assigned["topic"] == OUTLIER))]
