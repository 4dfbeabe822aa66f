"""Encoders: texts to vectors of length 1. This room and the store alone touch an encoder's files."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.preprocessing import normalize

from vocwb.errors import EncoderError
from vocwb.languages import tokenise_text
from vocwb.store import write_whole

ENCODERS = ("tfidf-svd",)
DIMENSIONS = 200
MOST_FEATURES = 10_000
_GRAM = "#"
_GRAM_WEIGHT = 0.6


@dataclass(frozen=True, eq=False)
class Encoder:
    """A fitted encoder: its id (name, language and the first 12 hex digits of its contents' SHA-256)."""

    encoder_id: str
    name: str
    language: str
    vocabulary: tuple[str, ...]
    arrays: Mapping[str, np.ndarray]


def fit_encoder(name: str, texts: Iterable[str], *, language: str, seed: int = 0) -> Encoder:
    """Return an encoder fitted on `texts` of one language; the same texts in any order give the same encoder.

    "tfidf-svd": words and their 3- and 4-letter parts (Chinese: 1 and 2), the parts at 0.6 of the weight, because
    they bring inflected and misspelt forms together; 1 + log(tf), times idf; then the first 200 directions of
    a truncated singular value decomposition (latent semantic analysis, Deerwester et al. 1990). With up
    to 200 distinct words and parts, each is a direction of its own. Equal texts count once.
    Raises EncoderError for a name that is not in ENCODERS.

    >>> encoder = fit_encoder("tfidf-svd", ["late bus", "rude driver"], language="en")
    >>> encoder.name, encoder.arrays["components"].shape[0] > 1
    ('tfidf-svd', True)
    """
    if name not in ENCODERS:
        raise EncoderError(
            f"There is no encoder {name!r}.",
            f"Encoders: {', '.join(ENCODERS)}.",
            f"Write one of these under `encoders` in programme.yml, as in `encoders: {{{language}: {ENCODERS[0]}}}`.",
        )
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
        return build_encoder(name, language, (), np.zeros(0, "f4"), np.zeros((1, 0), "f4"))
    vocabulary = tuple(counter.get_feature_names_out().tolist())
    weights = TfidfTransformer().fit(counts).idf_ * [
        _GRAM_WEIGHT if feature.startswith(_GRAM) else 1.0 for feature in vocabulary
    ]
    dimensions = min(DIMENSIONS, *counts.shape)
    if len(vocabulary) <= DIMENSIONS:
        components = np.eye(len(vocabulary))
    else:
        components = TruncatedSVD(dimensions, random_state=seed).fit(_weigh(counts, weights)).components_
    return build_encoder(name, language, vocabulary, weights.astype("f4"), components.astype("f4"))


def encode_texts(encoder: Encoder, texts: Iterable[str]) -> np.ndarray:
    """Return a float32 array with a row of length 1 for each text, in the order of `texts`.

    A text has the same vector whatever stands beside it. A text without any known word has a row of zeros,
    and so fits no topic.

    >>> encoder = fit_encoder("tfidf-svd", ["late bus", "rude driver"], language="en")
    >>> encode_texts(encoder, ["late bus", "zzz"]).any(axis=1).tolist()
    [True, False]
    """
    components = encoder.arrays["components"]
    codes, unique = pd.factorize(np.asarray(list(texts), dtype=object))
    if not len(unique) or not encoder.vocabulary:
        return np.zeros((len(codes), len(components)), "f4")
    counter = CountVectorizer(
        analyzer=lambda text: _features(text, encoder.language), vocabulary=list(encoder.vocabulary)
    )
    features = _weigh(counter.transform(unique), encoder.arrays["weights"])
    return normalize(features @ components.T.astype("f8")).astype("f4")[codes]


def save_encoder(encoder: Encoder, folder: Path | str) -> Path:
    """Write an encoder as <encoder_id>.npz and <encoder_id>.json (no pickle), whole or not at all.

    >>> import tempfile
    >>> encoder = fit_encoder("tfidf-svd", ["late bus", "rude driver"], language="en")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_encoder(encoder, folder)
    ...     load_encoder(encoder.encoder_id, folder).vocabulary == encoder.vocabulary
    True
    """
    facts = {"name": encoder.name, "language": encoder.language, "vocabulary": encoder.vocabulary}
    path = Path(folder) / f"{encoder.encoder_id}.npz"
    write_whole(path.with_suffix(".json"), lambda file: file.write_text(json.dumps(facts), encoding="utf-8"))
    write_whole(path, lambda file: _write_arrays(file, encoder.arrays))
    return path


def _write_arrays(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    with file.open("wb") as stream:
        np.savez(stream, **arrays)


def load_encoder(encoder_id: str, folder: Path | str) -> Encoder:
    """Read an encoder that `save_encoder` wrote.

    Raises EncoderError when it is not there (and lists those that are) or when its contents are not those
    that its id was made from.

    >>> load_encoder("tfidf-svd-en-0", "/nowhere")
    Traceback (most recent call last):
    vocwb.errors.EncoderError: There is no encoder 'tfidf-svd-en-0' in /nowhere.
    Encoders there: none.
    Fit the codebook again, or bring back the encoder's two files from a backup.
    """
    path = Path(folder) / f"{encoder_id}.npz"
    remedy = "Fit the codebook again, or bring back the encoder's two files from a backup."
    if not path.exists() or not path.with_suffix(".json").exists():
        there = ", ".join(sorted(file.stem for file in Path(folder).glob("*.npz"))) or "none"
        raise EncoderError(
            f"There is no encoder {encoder_id!r} in {folder}.", f"Encoders there: {there}.", remedy
        )
    try:
        facts = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        with np.load(path, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in ("weights", "components")}
        encoder = build_encoder(facts["name"], facts["language"], tuple(facts["vocabulary"]), **arrays)
    except (ValueError, KeyError, OSError, TypeError, BadZipFile) as error:
        raise EncoderError(
            f"The files of encoder {encoder_id!r} in {folder} cannot be read: {error}.", None, remedy
        ) from error
    if encoder.encoder_id != encoder_id:
        raise EncoderError(
            f"The files of encoder {encoder_id!r} in {folder} were changed.",
            f"Their contents are those of {encoder.encoder_id!r}.",
            remedy,
        )
    return encoder


def load_encoders(encoder_ids: Iterable[str], folder: Path | str) -> dict[str, Encoder]:
    """Return each encoder once, by its id, read by `load_encoder`.

    >>> load_encoders([], "/nowhere")
    {}
    """
    return {encoder_id: load_encoder(encoder_id, folder) for encoder_id in sorted(set(encoder_ids))}


def build_encoder(name, language, vocabulary, weights, components) -> Encoder:
    """Return an encoder of these arrays, with the id that is the hash of all that it holds.

    >>> build_encoder("tfidf-svd", "en", ("late",), np.ones(1, "f4"), np.ones((1, 1), "f4")).language
    'en'
    """
    arrays = {"weights": weights, "components": components}
    contents = json.dumps([name, language, vocabulary, list(components.shape)]).encode()
    digest = hashlib.sha256(contents + b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    return Encoder(f"{name}-{language}-{digest[:12]}", name, language, vocabulary, arrays)


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
