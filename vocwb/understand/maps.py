"""Maps: vectors laid out in two dimensions, for people to look at; nothing is computed from a map."""

import warnings

import numpy as np
from sklearn.decomposition import PCA

from vocwb.understand.clusters import find_neighbours

_NEIGHBOURS = 15


def map_vectors(vectors: np.ndarray, *, seed: int = 0) -> np.ndarray:
    """Return x and y for each vector, float (n, 2): what is alike lies together, and distances say little else.

    vectors: (n, d), rows of length 1, in an order of their own (sorted ids), on which the map depends. UMAP of
    the 15 exact nearest neighbours, begun from principal components; under 5 vectors, these alone. Source:
    McInnes et al. 2018 (UMAP).

    >>> map_vectors(np.eye(3)).shape
    (3, 2)
    """
    vectors = np.asarray(vectors, dtype="f4")
    if len(vectors) < 5:
        padded = np.vstack([vectors, np.zeros((2, vectors.shape[1]), "f4")])
        return PCA(2, svd_solver="full").fit_transform(padded)[: len(vectors)].astype(float)
    from umap import UMAP

    neighbours = min(_NEIGHBOURS, len(vectors) - 1)
    with warnings.catch_warnings():
        # The neighbours are given exactly, so there is no search index, which only new points would need.
        warnings.filterwarnings("ignore", "precomputed_knn", UserWarning)
        return UMAP(
            n_neighbors=neighbours, n_components=2, min_dist=0.1, metric="euclidean", init="pca", random_state=seed,
            n_jobs=1, precomputed_knn=(*find_neighbours(vectors, neighbours), None),
        ).fit_transform(vectors).astype(float)  # fmt: skip
