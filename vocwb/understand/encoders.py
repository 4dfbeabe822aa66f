"""Encoders: texts to vectors of length 1. These modules and the store alone touch an encoder's files.

tfidf-svd      any language; fitted with the codebook and stored with it
minilm-en      English only; reads the first 256 word pieces (about 190 words) of a text, and no more
onnx:FOLDER, fastembed:NAME, sentence-transformers:NAME or FOLDER      see hub_models
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from vocwb.errors import EncoderError
from vocwb.store import write_whole
from vocwb.understand import hub_models, minilm
from vocwb.understand.onnx_models import encode_with_onnx
from vocwb.understand.tfidf_svd import Projection, fit_projection, project_texts
from vocwb.understand.vectors import read_vectors, write_vectors

ENCODERS = ("tfidf-svd", "minilm-en", "onnx:FOLDER", "fastembed:NAME", "sentence-transformers:NAME or FOLDER")
MULTI = "multi"
"""The language of an encoder that serves several: they share its vectors, and so may share topics."""


@dataclass(frozen=True, eq=False)
class Encoder:
    """An encoder: its id (name, language and the first 12 hex digits of its contents' SHA-256).

    The same id means the same vectors. Only tfidf-svd is fitted, and has a vocabulary and arrays.
    """

    encoder_id: str
    name: str
    language: str
    vocabulary: tuple[str, ...] = ()
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)


def fit_encoder(name: str, texts: Iterable[str], *, language: str, seed: int = 0) -> Encoder:
    """Return an encoder; "tfidf-svd" is fitted on `texts` of one language, the same in any order, others are made.

    minilm-en serves English. A model of hub_models serves every language, and its language is "multi".
    Raises EncoderError for a name that is not in ENCODERS, for minilm-en and another language, and for a
    model that cannot be had.

    >>> encoder = fit_encoder("tfidf-svd", ["late bus", "rude driver"], language="en")
    >>> encoder.name, encoder.arrays["components"].shape[0] > 1
    ('tfidf-svd', True)
    """
    if name == "tfidf-svd":
        return build_encoder(name, language, *fit_projection(texts, language=language, seed=seed))
    if name == "minilm-en":
        if language != "en":
            raise EncoderError(
                f"The encoder minilm-en cannot serve {language!r}.",
                "all-MiniLM-L6-v2 is an English model: in other languages its vectors are at chance.",
                f"Write `{language}: tfidf-svd` under `encoders` in programme.yml, or a multilingual model, "
                "such as onnx:FOLDER.",
            )
        minilm.minilm_folder()
        return Encoder(f"{name}-{minilm.DIGEST[:12]}", name, language)
    if name.partition(":")[0] in hub_models.LIBRARIES and name.partition(":")[2].strip():
        return Encoder(_name_model(name, hub_models.open_model(name).digest), name, MULTI)
    raise EncoderError(
        f"There is no encoder {name!r}.",
        f"Encoders: {', '.join(ENCODERS)}.",
        f"Write one of these under `encoders` in programme.yml, as in `encoders: {{{language}: tfidf-svd}}`.",
    )


def encode_texts(encoder: Encoder, texts: Iterable[str], *, cache: Path | None = None) -> np.ndarray:
    """Return a float32 array with a row of length 1 for each text, in the order of `texts`.

    A text has the same vector whatever stands beside it, and equal texts are encoded once. A text without
    anything that the encoder knows has a row of zeros, and so fits no topic.
    cache: a folder that keeps the vectors of models from one run to the next; whatever is missing or broken in
    it is made again. Words counted by tfidf-svd are as quick as reading, and are not kept.
    Raises EncoderError when a model is not there, or is not the one that the encoder's id was made from.

    >>> encoder = fit_encoder("tfidf-svd", ["late bus", "rude driver"], language="en")
    >>> encode_texts(encoder, ["late bus", "zzz"]).any(axis=1).tolist()
    [True, False]
    """
    codes, unique = pd.factorize(np.asarray(list(texts), dtype=object))
    if encoder.name == "tfidf-svd":
        projection = Projection(encoder.vocabulary, **encoder.arrays)
        return project_texts(projection, unique, language=encoder.language)[codes]
    if cache is None:
        return _encode_with_model(encoder, unique)[codes]
    folder = Path(cache) / encoder.encoder_id
    found, kept = read_vectors(unique, folder)
    if len(found) and found.all():
        return kept[codes]
    fresh = _encode_with_model(encoder, unique[~found])
    write_vectors(unique[~found], fresh, folder)
    vectors = np.zeros((len(unique), fresh.shape[1]), "f4")
    vectors[~found] = fresh
    if found.any():
        vectors[found] = kept
    return vectors[codes]


def _encode_with_model(encoder: Encoder, texts: np.ndarray) -> np.ndarray:
    """Return the vectors of different texts by a model, which must be the one that the id was made from."""
    if encoder.name == "minilm-en":
        encoder_id, encode = f"minilm-en-{minilm.DIGEST[:12]}", None
    else:
        model = hub_models.open_model(encoder.name)
        encoder_id, encode = _name_model(encoder.name, model.digest), model.encode
    if encoder_id != encoder.encoder_id:
        raise EncoderError(
            f"The model {encoder.name!r} is not the one that the codebook was fitted with.",
            f"The codebook needs {encoder.encoder_id!r}, and the model there is {encoder_id!r}.",
            "Bring back the files of the model as they were, or fit the codebook again.",
        )
    return encode(texts) if encode else encode_with_onnx(minilm.open_minilm(), texts)


def _name_model(name: str, digest: str) -> str:
    """Return the id of a model's encoder: of its name only what a file's name can hold."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower())[-60:].strip("-")
    return f"{plain}-{MULTI}-{digest[:12]}"


def save_encoder(encoder: Encoder, folder: Path | str) -> Path:
    """Write an encoder as <encoder_id>.npz and <encoder_id>.json (no pickle), whole or not at all.

    Of a model only name and language are written: its weights stay where they are.

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
    """Read an encoder that `save_encoder` wrote; a model itself is opened when it first encodes.

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
        name, language = facts["name"], facts["language"]
        with np.load(path, allow_pickle=False) as stored:
            arrays = {array: stored[array] for array in stored.files}
        if name == "tfidf-svd":
            encoder = build_encoder(name, language, tuple(facts["vocabulary"]), **arrays)
        else:
            encoder = Encoder(encoder_id, name, language)
    except (ValueError, KeyError, OSError, EOFError, TypeError, AttributeError, BadZipFile) as error:
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
    """Return a fitted encoder of these arrays, with the id that is the hash of all that it holds.

    >>> build_encoder("tfidf-svd", "en", ("late",), np.ones(1, "f4"), np.ones((1, 1), "f4")).language
    'en'
    """
    arrays = {"weights": weights, "components": components}
    contents = json.dumps([name, language, vocabulary, list(components.shape)]).encode()
    digest = hashlib.sha256(contents + b"".join(array.tobytes() for array in arrays.values())).hexdigest()
    return Encoder(f"{name}-{language}-{digest[:12]}", name, language, vocabulary, arrays)
