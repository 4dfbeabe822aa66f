"""Topics: discovery of a codebook, assignment of verbatims to it, and people's names."""

import re
import warnings
from collections import Counter
from itertools import chain

import numpy as np
import pandas as pd

from vocwb.errors import DecisionError, EncoderError
from vocwb.languages import normalise_text, tokenise_text
from vocwb.schemas import OUTLIER, check_table, empty_table

FEWEST_DOCUMENTS = 30
"""Fewer verbatims than this are read, not clustered."""

_SMALLEST_TOPIC = 5
_LARGEST_SHARE = 0.6
_FLOOR = 0.35
_TERM_SHARE = 0.03
_NEIGHBOURS = 15


def fit_codebook(
    opinions: pd.DataFrame, vectors: np.ndarray, *, language: str, encoder_id: str, codebook_id: str,
    voice: str = "customer", seed: int = 0, first_number: int = 1,
) -> pd.DataFrame:  # fmt: skip
    """Return a codebook table: the topics of the opinions of one voice and language ("multi": all languages).

    Needs feedback_id, verbatim, voice, language and month, and in `vectors` a row of length 1 for each opinion.
    Vectors go through UMAP (15 neighbours, exact, 5 dimensions) and HDBSCAN. The smallest cluster is 0.7 times
    the square root of the number of verbatims, or 0.8% of them if that is more: some 20 topics from 2,000
    verbatims, never above 125. Of HDBSCAN's two cuts of its tree, excess of mass and leaves, the one is taken
    whose relative validity (DBCV, Moulavi et al. 2014) plus one, times the share of verbatims clustered, is
    higher; a cut with more than 60% in one cluster is none. A topic's vector is the normalised mean of its
    cluster, and its floor 0.35 times the median similarity of the cluster to it. Every verbatim, HDBSCAN's
    outliers too, then goes to its nearest topic if it reaches the floor, as `assign_topics` does it: `size`
    counts these.
    Terms are BERTopic's c-TF-IDF over words that stand in two verbatims at least, each verbatim counting a
    word once. Topics are numbered by size, then by first term, from first_number on. The order of the rows
    does not matter. Fewer than 30 verbatims with a vector, or verbatims without any cluster: an empty table.

    Sources: Grootendorst 2022 (BERTopic), McInnes et al. 2018 (UMAP), Campello et al. 2013 (HDBSCAN).

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "verbatim": ["late"], "voice": "customer",
    ...                          "language": "en", "month": "all"})
    >>> len(fit_codebook(opinions, np.ones((1, 1)), language="en", encoder_id="e", codebook_id="c"))
    0
    """
    opinions = opinions.reset_index(drop=True).sort_values("feedback_id")
    opinions = opinions[
        (opinions["voice"] == voice) & (opinions["language"].eq(language) | (language == "multi"))
    ]
    opinions = opinions[vectors[opinions.index].any(axis=1)]
    vectors = np.asarray(vectors, dtype=float)[opinions.index]
    if len(opinions) < FEWEST_DOCUMENTS:
        return empty_table("codebook")
    labels = _cluster(vectors, seed)
    centres, floors = _centre(vectors, labels)
    topics, similarity = _nearest(vectors, centres, floors)
    kept = np.flatnonzero(np.bincount(topics[topics >= 0], minlength=len(centres)) >= _SMALLEST_TOPIC)
    centres, floors = centres[kept], floors[kept]
    topics, similarity = _nearest(vectors, centres, floors)
    if not len(centres):
        return empty_table("codebook")
    terms = _find_terms(opinions, topics)
    rows = []
    for topic, (centre, floor) in enumerate(zip(centres, floors, strict=True)):
        members = opinions[topics == topic].assign(similarity=similarity[topics == topic])
        central = members.sort_values(["similarity", "feedback_id"], ascending=[False, True])
        rows.append(
            {
                "codebook_id": codebook_id, "voice": voice, "language": language, "encoder_id": encoder_id,
                "name": " · ".join(terms[topic][:3]), "terms": terms[topic], "vector": centre.tolist(),
                "size": len(members), "floor": float(floor), "first_seen": members["month"].min(),
                "examples": central.drop_duplicates("verbatim")["feedback_id"].head(5).tolist(), "lineage": "new",
            }
        )  # fmt: skip
    rows.sort(key=lambda row: (-row["size"], row["terms"]))
    codebook = pd.DataFrame(rows)
    codebook["topic"] = [f"T{number:04d}" for number in range(first_number, first_number + len(rows))]
    return check_table("codebook", codebook)


def assign_topics(opinions: pd.DataFrame, codebook: pd.DataFrame, vectors: np.ndarray) -> pd.DataFrame:
    """Return assignments: each opinion with its nearest topic, or schemas.OUTLIER where it fits none.

    Needs feedback_id, verbatim, voice and language; `vectors` holds their rows of length 1, from the encoder that
    the codebook's topics of that language were made with. A topic is fit where the cosine reaches its floor;
    of equal ones the first id is taken. One row a verbatim, sorted by feedback_id; start and end span the
    whole verbatim. Topics are of the verbatim's own voice, and of its language or, where that has none, of
    "multi"; without such topics it gets OUTLIER.
    Raises EncoderError when the vectors are of another width than the topics'.

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "verbatim": ["late"], "voice": ["customer"],
    ...                          "language": ["en"]})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "voice": ["customer"],
    ...                          "language": ["en"], "encoder_id": ["e"], "vector": [[1.0, 0.0]], "floor": [0.5]})
    >>> assign_topics(opinions, codebook, np.array([[0.8, 0.6]]))[["topic", "similarity"]].values.tolist()
    [['T0001', 0.8]]
    """
    opinions = opinions.reset_index(drop=True)
    vectors = np.asarray(vectors, dtype=float)
    codebook_id = codebook["codebook_id"].iloc[0] if len(codebook) else ""
    found = pd.DataFrame(
        {
            "feedback_id": opinions["feedback_id"], "codebook_id": codebook_id, "topic": OUTLIER,
            "similarity": 0.0, "start": 0, "end": opinions["verbatim"].str.len(),
        }
    )  # fmt: skip
    space = find_space(opinions, codebook)
    for (voice, language), topics in codebook.sort_values("topic").groupby(["voice", "language"]):
        rows = np.flatnonzero((opinions["voice"] == voice) & (space == language))
        centres = np.array(topics["vector"].tolist())
        if len(rows) and centres.shape[1] != vectors.shape[1]:
            raise EncoderError(
                f"The vectors of {language!r} have {vectors.shape[1]} dimensions.",
                f"The codebook's topics have {centres.shape[1]}, from {topics['encoder_id'].iloc[0]!r}.",
                "Encode the verbatims with that encoder; one call holds the opinions of one encoder.",
            )
        best, similarity = _nearest(vectors[rows], centres, topics["floor"].to_numpy())
        names = np.append(topics["topic"].to_numpy(dtype=object), OUTLIER)
        found.loc[rows, "topic"] = names[best]
        found.loc[rows, "similarity"] = similarity
    return check_table("assignments", found.sort_values("feedback_id"))


def name_topics(codebook: pd.DataFrame, decisions: pd.DataFrame) -> pd.DataFrame:
    """Return the codebook with people's decisions applied: `name` replaced, `merged_into` and `retired` added.

    decisions: folded (kind, subject, value). topic_name: value {"name": ...}; topic_merge: {"into": topic},
    where chains end in their last topic; topic_retire. merged_into is None where a topic stands for itself.
    Raises DecisionError for a topic that the codebook does not have and for topics merged in a circle.

    >>> codebook = pd.DataFrame({"topic": ["T0001", "T0002"], "name": ["late", "delay"]})
    >>> decisions = pd.DataFrame({"kind": ["topic_name", "topic_merge"], "subject": ["T0001", "T0002"],
    ...                           "value": [{"name": "Late parcels"}, {"into": "T0001"}]})
    >>> name_topics(codebook, decisions)[["name", "merged_into"]].values.tolist()
    [['Late parcels', nan], ['delay', 'T0001']]
    """
    decisions = decisions[decisions["kind"].isin(["topic_name", "topic_merge", "topic_retire"])]
    known = set(codebook["topic"])
    by_kind = {kind: rows.set_index("subject")["value"] for kind, rows in decisions.groupby("kind")}
    names = {topic: value["name"] for topic, value in by_kind.get("topic_name", {}).items()}
    into = {topic: value["into"] for topic, value in by_kind.get("topic_merge", {}).items()}
    for topic in [*decisions["subject"], *into.values()]:
        if topic not in known:
            raise DecisionError(
                f"A decision speaks of topic {topic!r}, which the codebook in use does not have.",
                f"Topics: {', '.join(sorted(known)) or 'none'}.",
                "Decide again about one of these, or go back to the codebook that the decision was about.",
            )
    final = {}
    for topic in into:
        path = [topic]
        while path[-1] in into:
            path.append(into[path[-1]])
            if path[-1] in path[:-1]:
                raise DecisionError(
                    f"Topics are merged in a circle: {' into '.join(path)}.", None, "Take one back."
                )
        final[topic] = path[-1]
    return codebook.assign(
        name=[
            names.get(topic, name) for topic, name in zip(codebook["topic"], codebook["name"], strict=True)
        ],
        merged_into=codebook["topic"].map(final).astype("str"),
        retired=codebook["topic"].isin(by_kind.get("topic_retire", pd.Series(dtype=object)).index),
    )


def merge_topics(assignments: pd.DataFrame, named: pd.DataFrame) -> pd.DataFrame:
    """Return assignments in which a merged topic is the one it was merged into, and a retired one an outlier.

    named: from `name_topics`. Of two topics of a verbatim that become one, the more similar row is kept.

    >>> named = pd.DataFrame({"topic": ["T0001", "T0002"], "merged_into": [None, "T0001"], "retired": False})
    >>> rows = pd.DataFrame({"feedback_id": ["f"], "codebook_id": ["c"], "topic": ["T0002"], "similarity": [0.5]})
    >>> merge_topics(rows, named)["topic"].tolist()
    ['T0001']
    """
    target = dict(zip(named["topic"], named["merged_into"].fillna(named["topic"]), strict=True))
    retired = set(named.loc[named["retired"], "topic"])
    topics = assignments["topic"].map(lambda topic: target.get(topic, topic))
    topics = topics.mask(topics.isin(retired), OUTLIER)
    key = ["feedback_id", "codebook_id", "topic"]
    merged = assignments.assign(topic=topics).sort_values(
        [*key, "similarity"], ascending=[True] * 3 + [False]
    )
    return merged.drop_duplicates(key).reset_index(drop=True)


def find_space(opinions: pd.DataFrame, codebook: pd.DataFrame) -> pd.Series:
    """Return the language whose topics an opinion is set against: its own, else "multi" where there are such.

    >>> find_space(pd.DataFrame({"language": ["en", "fa"]}), pd.DataFrame({"language": ["en", "multi"]})).tolist()
    ['en', 'multi']
    """
    own = set(codebook["language"])
    other = "multi" if "multi" in own else None
    return opinions["language"].map(lambda language: language if language in own else other or language)


def _cluster(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Return HDBSCAN's labels (-1: none) on UMAP's five dimensions."""
    from hdbscan import HDBSCAN
    from sklearn.neighbors import NearestNeighbors
    from umap import UMAP

    count = len(vectors)
    neighbours = min(_NEIGHBOURS, count - 1)
    distances, indices = NearestNeighbors(n_neighbors=neighbours, algorithm="brute").fit(vectors).kneighbors()
    # The search counts no row as its own neighbour, and UMAP expects each as its first.
    indices = np.column_stack([np.arange(count), indices])[:, :neighbours]
    distances = np.column_stack([np.zeros(count), distances])[:, :neighbours].astype("f4")
    with warnings.catch_warnings():
        # The neighbours are given exactly, so there is no search index, which only new points would need.
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
        reduced = UMAP(
            n_neighbors=neighbours, n_components=min(5, count - 2), min_dist=0.0, metric="euclidean", init="pca",
            random_state=seed, n_jobs=1, precomputed_knn=(indices, distances, None),
        ).fit_transform(vectors.astype("f4"))  # fmt: skip
    size = max(_SMALLEST_TOPIC, round(0.7 * count**0.5), round(0.008 * count))
    best, best_score = np.full(count, -1), 0.0
    # Excess of mass finds topics that stand well apart; where they run into each other it takes nearly
    # everything for one, and the leaves of the tree are the better cut.
    for method in ("eom", "leaf"):
        model = HDBSCAN(
            min_cluster_size=size, min_samples=5, cluster_selection_method=method, gen_min_span_tree=True,
            core_dist_n_jobs=1,
        )  # fmt: skip
        labels = model.fit_predict(reduced)
        shares = np.bincount(labels + 1)[1:] / count
        usable = len(shares) > 1 and shares.max() <= _LARGEST_SHARE
        score = (1 + model.relative_validity_) * shares.sum() if usable else 0.0
        if score > best_score:
            best, best_score = labels, score
    return best


def _centre(vectors: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each cluster's normalised mean and its floor, at the precision that is stored."""
    sums = np.array([vectors[labels == label].sum(axis=0) for label in range(labels.max() + 1)])
    sums = sums.reshape(-1, vectors.shape[1])
    centres = (sums / np.linalg.norm(sums, axis=1, keepdims=True)).round(6)
    floors = [
        (_FLOOR * np.median(vectors[labels == label] @ centre)).round(4)
        for label, centre in enumerate(centres)
    ]
    return centres, np.array(floors)


def _nearest(vectors, centres, floors) -> tuple[np.ndarray, np.ndarray]:
    """Return each row's nearest centre (-1 where its floor is not reached) and the similarity, 4 decimals."""
    if not len(centres) or not len(vectors):
        return np.full(len(vectors), -1), np.zeros(len(vectors))
    similarity = (vectors @ centres.T).round(4)
    best = similarity.argmax(axis=1)
    highest = similarity[np.arange(len(vectors)), best]
    fits = (highest >= floors[best]) & vectors.any(axis=1)
    return np.where(fits, best, -1), highest


def _find_terms(opinions: pd.DataFrame, topics: np.ndarray) -> list[list[str]]:
    """Return up to ten terms for each topic 0, 1, ..., best first, by BERTopic's c-TF-IDF."""
    from bertopic import BERTopic
    from bertopic.cluster import BaseCluster
    from bertopic.dimensionality import BaseDimensionalityReduction
    from bertopic.vectorizers import ClassTfidfTransformer
    from sklearn.feature_extraction.text import CountVectorizer

    words = [
        sorted(set(tokenise_text(text, language)))
        for text, language in zip(opinions["verbatim"], opinions["language"], strict=True)
    ]
    spread = Counter(chain.from_iterable(words))
    documents = [" ".join(word for word in row if spread[word] > 1) for row in words]
    model = BERTopic(
        language="multilingual", top_n_words=30, umap_model=BaseDimensionalityReduction(), hdbscan_model=BaseCluster(),
        vectorizer_model=CountVectorizer(analyzer=str.split),
        ctfidf_model=ClassTfidfTransformer(reduce_frequent_words=True),
    )  # fmt: skip
    model.fit(documents, embeddings=np.zeros((len(documents), 2)), y=topics)
    numbers = dict(zip(topics, model.topics_, strict=True))
    found = []
    for topic in range(topics.max() + 1):
        rows = np.flatnonzero(topics == topic)
        said = Counter(chain.from_iterable(words[row] for row in rows))
        best = [
            word
            for word, _ in model.get_topic(numbers[topic])
            if said[word] >= max(2, _TERM_SHARE * len(rows))
        ]
        found.append(best[:10])
    if (opinions["language"] == "ar").any():
        spelling = _spell_arabic(opinions["verbatim"], {term for terms in found for term in terms})
        found = [[spelling.get(term, term) for term in terms] for terms in found]
    return found


def _spell_arabic(texts: pd.Series, terms: set[str]) -> dict[str, str]:
    """Return each term as people most often write it: أسعار for اسعار, خدمة for خدمه."""
    written = Counter(
        form
        for text in texts
        for word in re.findall(r"[\u0621-\u064a]+", text)
        for form in {word, word.removeprefix("ال"), word.removeprefix("وال")}
    )
    best: dict[str, tuple[int, str]] = {}
    for form, count in written.items():
        term = normalise_text(form, "ar")
        if term in terms:
            best[term] = max(best.get(term, (0, "")), (count, form))
    return {term: form for term, (_, form) in best.items()}
