"""Clusters of vectors: which texts speak of one thing, on two levels, and how finely to cut."""

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import silhouette_score
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

FLOOR = 0.35
"""A text is an outlier below this part of the median similarity of its topic's texts to the topic's centre."""

_NEIGHBOURS = 15
_STEPS = 10
_DIMENSIONS = 100
_OF_LEAVES = 50
_SMALLEST = 5
_FEWEST = 12
_MOST_MAPPED = 30_000
_MOST_LEAVES = 1_500
_BLOCK = 1_000
_THREADS = 4
_JUDGED = 1_500
_STEP = 1.15
_APART = 2.0  # as far as two rows of length 1 can be
_PULL = 0.3


class Clusters(NamedTuple):
    """Each row's topic (0, 1, ...; -1 none), each topic's theme (0, 1, ...), and the granularities weighed."""

    labels: np.ndarray
    themes: np.ndarray
    alternatives: pd.DataFrame


def cluster_vectors(vectors: np.ndarray, *, seed: int = 0) -> Clusters:
    """Return the topics of vectors, the themes that the topics belong to, and the granularities weighed.

    vectors: (n, d), rows of length 1; a row of zeros is no text and gets -1. Rows that are equal count once and
    come out together, and the order of the rows does not matter.
    1. The 15 nearest neighbours by cosine about the mean, exact, weighed as UMAP weighs them; ten steps of half of
       each text's place and half of its neighbours' mean (graph smoothing; in UMAP's stead, whose layout differs
       from seed to seed and takes three times as long), the first 100 principal components, length 1. No lot is
       drawn.
    2. HDBSCAN's leaves in the first 50, of 5 texts at least: dense spots, some hundreds. Its outliers join the nearest.
    3. Ward's tree over the leaves' centres. Each cut is one granularity: its quality is the silhouette (-1 to 1)
       on the map, averaged with those of the next coarser and finer cut, less 0.3 times the square of the
       octaves between it and 4 n^0.32 topics (n: distinct texts; n / 24 at most): silhouettes peak at
       themes, at topics and at phrasings alike, and how fine people read grows with how much there is, though
       slower than it. The rule was chosen on simulated sets of 8 to 150 labels, so that a first month and four
       months together come out nearly as fine; it takes the place of the root of n/2 of Mardia, Kent & Bibby
       1979, which does not. The best quality is chosen, and k-means from its topics' centres shares out the
       leaves on their borders.
    4. The same tree cut higher gives themes, around the root of the number of topics, each silhouette for itself.
    5. A text below the floor (0.35 times the median cosine of its topic's texts to their centre) is an outlier.
    Above 30,000 distinct vectors a seeded sample of so many is clustered, and others join the nearest centre.
    alternatives: a row a granularity: n_topics, smallest (texts in its smallest topic), silhouette, quality and
    chosen. Fewer than 12 distinct vectors, or none denser than others: no topic.

    Sources: McInnes et al. 2018 (UMAP's graph), Wu et al. 2019 and Zhang et al. 2019 (smoothing over a graph),
    Campello et al. 2013 (HDBSCAN), Ward 1963, Rousseeuw 1987 (silhouette).

    >>> cluster_vectors(np.eye(3)).labels.tolist()
    [-1, -1, -1]
    """
    # Encoders may differ in the last digits by the batch a text stood in; below the fifth nothing is meant.
    rounded = np.asarray(vectors, dtype="f4").round(5) + 0.0
    distinct, inverse = np.unique(rounded, axis=0, return_inverse=True)
    known = distinct.any(axis=1)
    labels = np.full(len(distinct), -1)
    labels[known], themes, alternatives = _cluster_distinct(distinct[known], seed)
    return Clusters(labels[inverse.ravel()], themes, alternatives)


def find_neighbours(vectors: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the `count` nearest rows of each row, itself first, and their Euclidean distances, exactly.

    vectors: float32 (n, d), rows of length 1. Memory: 1,000 rows a thread, of four at most, are compared with all
    at a time.

    >>> find_neighbours(np.eye(2, dtype="f4"), 2)[0].tolist()
    [[0, 1], [1, 0]]
    """

    def search(start: int) -> tuple[np.ndarray, np.ndarray]:
        far = -(vectors[start : start + _BLOCK] @ vectors.T)
        own = np.arange(len(far))
        far[own, start + own] = -np.inf
        near = np.argpartition(far, count - 1, axis=1)[:, :count]
        cosines = np.take_along_axis(far, near, axis=1)
        order = np.argsort(cosines, axis=1, kind="stable")
        cosines = np.clip(-np.take_along_axis(cosines, order, axis=1), -1, 1)
        return np.take_along_axis(near, order, axis=1).astype(np.int32), np.sqrt(2 - 2 * cosines)

    # A block a thread: each is computed alone, so that the number of threads decides nothing.
    with threadpool_limits(1), ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as pool:
        blocks = list(pool.map(search, range(0, len(vectors), _BLOCK)))
    return np.concatenate([block[0] for block in blocks]), np.concatenate([block[1] for block in blocks])


def _cluster_distinct(vectors: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    weighed = {"n_topics": int, "smallest": int, "silhouette": float, "quality": float, "chosen": bool}
    nothing = (
        np.full(len(vectors), -1), np.zeros(0, dtype=int),
        pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in weighed.items()}),
    )  # fmt: skip
    if len(vectors) < _FEWEST:
        return nothing
    sample = np.arange(len(vectors))
    if len(vectors) > _MOST_MAPPED:
        sample = np.sort(np.random.default_rng(seed).choice(sample, _MOST_MAPPED, replace=False))
    mapped = _map(vectors[sample])
    leaves = _find_leaves(mapped)
    if leaves.max() < 1:
        return nothing
    tree = linkage(_average(mapped, leaves), "ward")
    judged = np.unique(np.linspace(0, len(mapped) - 1, _JUDGED).astype(int))
    distances = euclidean_distances(mapped[judged])
    np.fill_diagonal(distances, 0)
    expected = min(4 * len(mapped) ** 0.32, len(mapped) / 24)
    topics, alternatives = _choose_cut(tree, leaves, judged, distances, expected, 8, 3)
    themes, _ = _choose_cut(tree, leaves, judged, distances, (topics.max() + 1) ** 0.5, 2, 1)
    of_topic = np.array([themes[topics == topic][0] for topic in range(topics.max() + 1)])
    return _settle(vectors, sample, _refine(mapped, topics)), of_topic, alternatives


def _map(vectors: np.ndarray) -> np.ndarray:
    """Return coordinates in which a text lies amid its neighbours: (n, 100) or fewer, rows of length 1."""
    from umap.umap_ import fuzzy_simplicial_set

    count = len(vectors)
    # What all texts have in common says nothing of their topics, and would make far texts neighbours.
    vectors = vectors - vectors.mean(axis=0)
    near, far = find_neighbours(normalize(vectors), min(_NEIGHBOURS, count - 1))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning)
        # The neighbours are given, so that the lot, which only a search would draw from, decides nothing.
        graph = fuzzy_simplicial_set(
            vectors, near.shape[1], np.random.RandomState(0), "euclidean", knn_indices=near, knn_dists=far
        )[0]
    step = sparse.diags_array(0.5 / np.asarray(graph.sum(axis=1)).ravel()) @ graph + 0.5 * sparse.eye_array(
        count
    )
    step = step.tocsr().astype("f4")
    smoothed = vectors
    for _ in range(_STEPS):
        smoothed = step @ smoothed
    reduced = PCA(min(_DIMENSIONS, *vectors.shape), svd_solver="covariance_eigh").fit_transform(smoothed)
    return normalize(reduced)


def _find_leaves(mapped: np.ndarray) -> np.ndarray:
    """Return each row's leaf of HDBSCAN's tree, for outliers the leaf whose centre is nearest on the map.

    The tree is of the graph of the 15 nearest neighbours: leaves are dense spots, so the same come out as of all
    pairs (ARI 0.96 on 10,000 texts, which is where HDBSCAN's own two searches differ by ties), eight times faster.
    """
    from sklearn.cluster import HDBSCAN

    size = max(_SMALLEST, len(mapped) // _MOST_LEAVES // 2)
    graph = _link_neighbours(normalize(mapped[:, :_OF_LEAVES]))
    leaves = HDBSCAN(
        min_cluster_size=size, min_samples=5, metric="precomputed", cluster_selection_method="leaf", copy=True
    ).fit_predict(graph)
    if leaves.max() < 1:
        return leaves
    nearest = euclidean_distances(mapped, _average(mapped, leaves)).argmin(axis=1)
    return np.where(leaves < 0, nearest, leaves)


def _link_neighbours(rows: np.ndarray) -> sparse.csr_matrix:
    """Return the distances of each row to its 15 nearest, both ways, in one piece: parts are linked far away."""
    count = len(rows)
    near, far = find_neighbours(rows, min(_NEIGHBOURS, count))
    # A distance of nought would be no link in a sparse matrix.
    links = np.maximum(far[:, 1:].ravel().astype(float), 1e-9)
    ends = np.repeat(np.arange(count), near.shape[1] - 1), near[:, 1:].ravel()
    graph = sparse.csr_matrix((links, ends), shape=(count, count))
    _, part = sparse.csgraph.connected_components(graph, directed=False)
    first = np.unique(part, return_index=True)[1]
    if len(first) > 1:
        graph += sparse.csr_matrix(
            (np.full(len(first) - 1, _APART), (first[:-1], first[1:])), shape=graph.shape
        )
    return graph.maximum(graph.T).tocsr()


def _refine(mapped: np.ndarray, topics: np.ndarray) -> np.ndarray:
    """Return the topics after k-means from their centres: a leaf on the border may be shared out."""
    centres = _average(mapped, topics)
    # Threads add up in any order, and the last digit may then move a text.
    with threadpool_limits(1):
        refined = KMeans(len(centres), init=centres, n_init=1, max_iter=100).fit_predict(mapped)
    return refined


def _average(rows: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the mean row of each label from 0 on."""
    return np.array([rows[labels == label].mean(axis=0) for label in range(labels.max() + 1)])


def _choose_cut(tree, leaves, judged, distances, expected, spread, window) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the labels of the best cut into about `expected` clusters, and a row for each cut weighed.

    Cuts go from expected / spread to expected x spread clusters, each 15% finer than the last.
    """
    most = len(tree) + 1
    steps = np.arange(-np.log(spread), np.log(spread) + 1e-9, np.log(_STEP))
    counts = np.unique(np.clip((expected * np.exp(steps)).round().astype(int), 2, most))
    rows, cuts = [], []
    for count in counts:
        cut = fcluster(tree, count, "maxclust")[leaves] - 1
        found = np.unique(cut[judged]).size
        score = silhouette_score(distances, cut[judged], metric="precomputed") if found > 1 else 0.0
        rows.append((int(cut.max() + 1), int(np.bincount(cut).min()), round(score, 4)))
        cuts.append(cut)
    alternatives = pd.DataFrame(rows, columns=["n_topics", "smallest", "silhouette"])
    # One silhouette is noisy: with its neighbours on either side, other seeds choose the same cut more often.
    score = alternatives["silhouette"].rolling(window, center=True, min_periods=1).mean()
    octaves = np.log2(alternatives["n_topics"] / expected)
    alternatives["quality"] = (score - _PULL * octaves**2).round(4)
    best = alternatives["quality"].idxmax()
    return cuts[best], alternatives.assign(chosen=alternatives.index == best)


def _settle(vectors: np.ndarray, sample: np.ndarray, topics: np.ndarray) -> np.ndarray:
    """Return every row's topic: the sample's as found, others' by the nearest centre, -1 below the floor."""
    centres = _average(vectors[sample], topics)
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    similarity = vectors @ centres.T
    labels = similarity.argmax(axis=1)
    labels[sample] = topics
    own = similarity[np.arange(len(labels)), labels]
    floors = np.array([FLOOR * np.median(own[labels == topic]) for topic in range(len(centres))])
    return np.where(own >= floors[labels], labels, -1)
