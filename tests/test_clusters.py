import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score
from sklearn.metrics.pairwise import cosine_similarity

from vocwb.understand import clusters
from vocwb.understand.clusters import cluster_vectors, find_neighbours


def scale(rows):
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype("f4")


def draw_vectors(themes, topics, each, *, seed=0, spread=0.9, width=64):
    """Return vectors around topics around themes, the topic and the theme of each."""
    draw = np.random.default_rng(seed)
    directions = scale(draw.normal(size=(themes + topics, width)))
    theme_of = np.arange(topics) % themes
    centres = directions[theme_of] + 0.7 * directions[themes:]
    labels = np.repeat(np.arange(topics), each)
    noise = scale(draw.normal(size=(len(labels), width))) * spread
    return scale(centres[labels] + noise), labels, theme_of[labels]


@pytest.fixture(scope="module")
def drawn():
    return draw_vectors(4, 16, 40)


@pytest.fixture(scope="module")
def found(drawn):
    return cluster_vectors(drawn[0])


def test_topics_are_those_that_were_drawn(drawn, found):
    _, labels, _ = drawn
    assert adjusted_mutual_info_score(labels, found.labels) > 0.9
    assert 11 <= found.labels.max() + 1 <= 23


def test_themes_gather_the_topics_of_one_theme(drawn, found):
    _, _, themes = drawn
    assert found.themes.shape == (found.labels.max() + 1,)
    assert sorted(set(found.themes.tolist())) == list(range(found.themes.max() + 1))
    assert found.themes.max() + 1 < found.labels.max() + 1
    own = np.where(found.labels < 0, -1, found.themes[found.labels])
    assert adjusted_rand_score(themes, own) > 0.8


def test_topics_are_numbered_from_nought_without_a_gap(found):
    assert set(found.labels.tolist()) - {-1} == set(range(len(found.themes)))


def test_one_granularity_is_chosen_and_its_neighbours_are_told(found):
    assert found.alternatives.columns.tolist() == ["n_topics", "smallest", "silhouette", "quality", "chosen"]
    assert found.alternatives["chosen"].sum() == 1
    chosen = found.alternatives[found.alternatives["chosen"]].iloc[0]
    assert chosen["n_topics"] == found.labels.max() + 1
    assert chosen["quality"] == found.alternatives["quality"].max()
    assert len(found.alternatives) > 5
    assert found.alternatives["n_topics"].is_monotonic_increasing


def test_order_and_copies_of_rows_do_not_matter(drawn, found):
    vectors = drawn[0]
    order = np.random.default_rng(5).permutation(len(vectors))
    twice = np.concatenate([vectors[order], vectors[order]])
    again = cluster_vectors(twice)
    assert again.labels[: len(order)].tolist() == found.labels[order].tolist()
    assert again.labels[len(order) :].tolist() == found.labels[order].tolist()
    assert again.themes.tolist() == found.themes.tolist()


def test_a_seed_repeats_and_others_agree(drawn, found):
    vectors = drawn[0]
    assert cluster_vectors(vectors).labels.tolist() == found.labels.tolist()
    assert adjusted_rand_score(cluster_vectors(vectors, seed=3).labels, found.labels) > 0.8


def test_noise_of_the_last_digits_changes_nothing(drawn, found):
    vectors = drawn[0].round(5).astype("f8") + 1e-7
    assert cluster_vectors(vectors).labels.tolist() == found.labels.tolist()


def test_a_text_that_fits_nothing_stays_out_and_the_rest_do_not(drawn):
    vectors, labels, _ = drawn
    strange = np.zeros((1, vectors.shape[1]), "f4")
    strange[0] = scale(-vectors.mean(axis=0, keepdims=True))
    found = cluster_vectors(np.concatenate([vectors, strange, np.zeros_like(strange)]))
    assert found.labels[-2:].tolist() == [-1, -1]
    assert (found.labels[: len(labels)] < 0).mean() <= 0.05


@pytest.mark.parametrize("count", [0, 1, 11, 30])
def test_few_or_equal_texts_are_no_topics_or_whole_ones(count):
    vectors = scale(np.ones((count, 8)) if count == 30 else np.eye(12)[:count] + 1e-9)
    found = cluster_vectors(vectors)
    assert found.labels.tolist() == [-1] * count
    assert len(found.themes) == len(found.alternatives) == 0


def test_above_the_limit_others_join_the_nearest_topic(drawn, monkeypatch):
    vectors, labels, _ = drawn
    monkeypatch.setattr(clusters, "_MOST_MAPPED", 400)
    found = cluster_vectors(vectors)
    assert adjusted_mutual_info_score(labels, found.labels) > 0.85
    assert (found.labels < 0).mean() <= 0.05


def test_neighbours_are_the_exact_ones(monkeypatch):
    monkeypatch.setattr(clusters, "_BLOCK", 7)
    vectors = scale(np.random.default_rng(1).normal(size=(50, 6)))
    indices, distances = find_neighbours(vectors, 5)
    cosines = cosine_similarity(vectors)
    np.fill_diagonal(cosines, 2)
    assert indices.tolist() == np.argsort(-cosines, axis=1)[:, :5].tolist()
    apart = np.linalg.norm(vectors[:, None] - vectors[indices], axis=2)
    assert np.abs(distances - apart).max() < 1e-3
