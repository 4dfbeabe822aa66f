"""Codebook: the topics of one voice and language, as a table that lasts."""

import numpy as np
import pandas as pd

from vocwb.schemas import check_table, empty_table
from vocwb.understand.assignment import find_nearest, learn_centres
from vocwb.understand.clusters import Clusters, cluster_vectors
from vocwb.understand.terms import find_terms, suggest_name

FEWEST_DOCUMENTS = 30
"""Fewer verbatims than this are read, not clustered."""

_SMALLEST_TOPIC = 5
_EXAMPLES = 5
_NAMED_BY = 60  # the most central members of a topic, whose phrases may name it


def fit_codebook(
    opinions: pd.DataFrame, vectors: np.ndarray, *, language: str, encoder_id: str, codebook_id: str,
    voice: str = "customer", seed: int = 0, first_number: int = 1, clusters: Clusters | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return a codebook table: the topics of the opinions of one voice and language ("multi": all languages).

    Needs feedback_id, verbatim, voice, language and month, and in `vectors` a row of length 1 for each opinion.
    clusters: of these vectors, if they are known already; else `cluster_vectors` finds them. A topic's vector
    and floor are learnt from its cluster (`learn_centres`). Every verbatim, outliers too, then goes to its
    nearest topic if it reaches the floor, as `assign_topics` does it: `size` counts these, and a topic of fewer
    than five of them is none. Terms are BERTopic's c-TF-IDF (`find_terms`); they and the 60 members nearest to
    the centre suggest the name. Topics are numbered by size, then by first term, from first_number on; themes
    ("H01", ...) group them and are numbered likewise, within this voice and language. Neither the order of the
    rows nor who else is in the store matters. Fewer than 30 verbatims with a vector, or verbatims without any
    cluster: an empty table.

    Source: Grootendorst 2022 (BERTopic), with the changes that `clusters` states.

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "verbatim": ["late"], "voice": "customer",
    ...                          "language": "en", "month": "all"})
    >>> len(fit_codebook(opinions, np.ones((1, 1)), language="en", encoder_id="e", codebook_id="c"))
    0
    """
    opinions, vectors = opinions.reset_index(drop=True), np.asarray(vectors, dtype="f4")
    wanted = (opinions["voice"] == voice) & (opinions["language"].eq(language) | (language == "multi"))
    opinions = opinions[wanted & vectors.any(axis=1)].sort_values("feedback_id")
    rows = opinions.index.to_numpy()
    if len(opinions) < FEWEST_DOCUMENTS:
        return empty_table("codebook")
    vectors = vectors[rows]
    labels, themes, _ = cluster_vectors(vectors, seed=seed) if clusters is None else clusters
    centres, floors = learn_centres(vectors, labels if clusters is None else labels[rows])
    sizes = np.bincount(find_nearest(vectors, centres, floors)[0] + 1, minlength=len(centres) + 1)[1:]
    kept = sizes >= _SMALLEST_TOPIC
    centres, floors, themes = centres[kept], floors[kept], themes[kept]
    if not len(centres):
        return empty_table("codebook")
    topics, similarity = find_nearest(vectors, centres, floors)
    terms = find_terms(opinions["verbatim"].tolist(), opinions["language"].tolist(), topics)
    found = []
    for topic, (centre, floor) in enumerate(zip(centres, floors, strict=True)):
        members = opinions[topics == topic].assign(similarity=similarity[topics == topic])
        central = members.sort_values(["similarity", "feedback_id"], ascending=[False, True])
        found.append(
            {
                "codebook_id": codebook_id, "voice": voice, "language": language, "encoder_id": encoder_id,
                "terms": terms[topic], "vector": centre.tolist(), "size": len(members), "floor": float(floor),
                "first_seen": members["month"].min(), "lineage": "new", "theme": themes[topic],
                "examples": central.drop_duplicates("verbatim")["feedback_id"].head(_EXAMPLES).tolist(),
                "members": central.head(_NAMED_BY),
            }
        )  # fmt: skip
    found.sort(key=lambda row: (-row["size"], row["terms"]))
    codebook = pd.DataFrame(found)
    codebook["topic"] = [f"T{number:04d}" for number in range(first_number, first_number + len(found))]
    codebook["name"] = _suggest_names(codebook)
    return check_table("codebook", _number_themes(codebook).drop(columns="members"))


def _suggest_names(codebook: pd.DataFrame) -> list[str]:
    """Return a name for each topic, in the language that most of its members speak; none stands twice."""
    names: list[str] = []
    for terms, members in zip(codebook["terms"], codebook["members"], strict=True):
        language = members["language"].mode().iloc[0]
        texts = members.loc[members["language"] == language, "verbatim"].tolist()
        names.append(suggest_name(terms, texts, language, taken=names))
    return names


def _number_themes(codebook: pd.DataFrame) -> pd.DataFrame:
    """Return the codebook with its themes as H01, H02, ..., the largest first, each named after its largest topics."""
    sizes = codebook.groupby("theme")["size"].sum().sort_values(ascending=False, kind="stable")
    numbers = {theme: f"H{number:02d}" for number, theme in enumerate(sizes.index, 1)}
    names = codebook.groupby("theme")["name"].agg(lambda own: " / ".join(own.head(2)))
    return codebook.assign(theme_name=codebook["theme"].map(names), theme=codebook["theme"].map(numbers))
