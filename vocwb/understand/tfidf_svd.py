"""tfidf-svd: weighted words and their parts, projected by a singular value decomposition; serves any language."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

from vocwb.languages import tokenise_text

DIMENSIONS = 200
MOST_FEATURES = 10_000
_GRAM = "#"
_GRAM_WEIGHT = 0.6


class Projection(NamedTuple):
    """What a fit gives: features, a weight for each, and the directions (n_dimensions, n_features)."""

    vocabulary: tuple[str, ...]
    weights: np.ndarray
    components: np.ndarray


def fit_projection(texts: Iterable[str], *, language: str, seed: int = 0) -> Projection:
    """Return the projection fitted on `texts` of one language; the same texts in any order give the same one.

    Words and their 3- and 4-letter parts (Chinese: 1 and 2), the parts at 0.6 of the weight, because they bring
    inflected and misspelt forms together; 1 + log(tf), times idf; then the first 200 directions of a truncated
    singular value decomposition (latent semantic analysis, Deerwester et al. 1990). With up to 200 distinct
    words and parts, each is a direction of its own. Equal texts count once.

    >>> fit_projection(["late bus", "rude driver"], language="en").components.shape[0] > 1
    True
    """
    texts = sorted(set(texts))
    # Below 20 texts, a word that stands twice is rare and one that stands in half of them is not yet common.
    counter = CountVectorizer(
        analyzer=lambda text: _features(text, language),
        min_df=2 if len(texts) >= 20 else 1,
        max_df=0.5 if len(texts) >= 20 else 1.0,
        max_features=MOST_FEATURES,
    )
    try:
        counts = counter.fit_transform(texts)
    except ValueError:  # no word is left
        return Projection((), np.zeros(0, "f4"), np.zeros((1, 0), "f4"))
    vocabulary = tuple(counter.get_feature_names_out().tolist())
    weights = TfidfTransformer().fit(counts).idf_ * [
        _GRAM_WEIGHT if feature.startswith(_GRAM) else 1.0 for feature in vocabulary
    ]
    dimensions = min(DIMENSIONS, *counts.shape)
    if len(vocabulary) <= DIMENSIONS:
        components = np.eye(len(vocabulary))
    else:
        components = TruncatedSVD(dimensions, random_state=seed).fit(_weigh(counts, weights)).components_
    return Projection(vocabulary, weights.astype("f4"), components.astype("f4"))


def project_texts(projection: Projection, texts: Sequence[str], *, language: str) -> np.ndarray:
    """Return a float32 row of length 1 for each text, of zeros for one without any known word.

    >>> projection = fit_projection(["late bus", "rude driver"], language="en")
    >>> project_texts(projection, ["late bus", "zzz"], language="en").any(axis=1).tolist()
    [True, False]
    """
    if not len(texts) or not projection.vocabulary:
        return np.zeros((len(texts), len(projection.components)), "f4")
    counter = CountVectorizer(
        analyzer=lambda text: _features(text, language), vocabulary=list(projection.vocabulary)
    )
    features = _weigh(counter.transform(texts), projection.weights)
    return normalize(features @ projection.components.T.astype("f8")).astype("f4")


def _features(text: str, language: str) -> list[str]:
    """Return the words of a text and, marked with #, their parts, within which _ is a word's edge."""
    words = tokenise_text(text, language)
    sizes, edge = ((1, 2), "") if language == "zh" else ((3, 4), "_")
    padded = [edge + word + edge for word in words]
    parts = [
        _GRAM + word[start : start + size]
        for word in padded
        for size in sizes
        for start in range(len(word) - size + 1)
    ]
    return words + parts


def _weigh(counts, weights):
    """Return (1 + log count) x weight with rows of length 1 (sublinear tf-idf, Salton & Buckley 1988)."""
    weighted = counts.astype("f8")
    weighted.data = 1 + np.log(weighted.data)
    return normalize(weighted.multiply(weights.astype("f8")).tocsr())
