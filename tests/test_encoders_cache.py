"""Vectors that are kept from one run to the next, found by the hash of a text."""

import numpy as np
import pytest
from test_encoders_models import WORDS, make_model

from vocwb.understand.encoders import encode_texts, fit_encoder
from vocwb.understand.vectors import keep_vectors, read_vectors, write_vectors

KNOWN = WORDS[4:8]


@pytest.fixture
def encoder(tmp_path):
    return fit_encoder(f"onnx:{make_model(tmp_path / 'model')}", [], language="en")


def files_of(cache):
    return sorted(cache.glob("*/*.npz"))


def test_what_is_kept_is_what_would_be_encoded(encoder, tmp_path):
    cache = tmp_path / "vectors"
    for texts in (KNOWN[:2], [*KNOWN, "bus", KNOWN[0]], KNOWN[::-1], []):
        vectors = encode_texts(encoder, texts, cache=cache)
        assert np.abs(vectors - encode_texts(encoder, texts)).max(initial=0) <= 1e-6
        assert len(vectors) == len(texts) and vectors.dtype == np.float32
    assert len(files_of(cache)) == 2
    assert {path.parent.name for path in files_of(cache)} == {encoder.encoder_id}


def test_a_kept_vector_is_used_and_its_text_is_not_in_the_file(encoder, tmp_path):
    cache = tmp_path / "vectors"
    known = np.eye(8, dtype="f4")[:1]
    write_vectors(["rude driver"], known, cache / encoder.encoder_id)
    vectors = encode_texts(encoder, ["bus", "rude driver"], cache=cache)
    assert (vectors[1] == known[0]).all() and (vectors[0] != known[0]).any()
    assert not any(b"rude" in path.read_bytes() for path in files_of(cache))


@pytest.mark.parametrize("harm", ["cut", "empty", "other arrays", "short"])
def test_a_broken_file_is_made_again(encoder, tmp_path, harm):
    cache = tmp_path / "vectors"
    expected = encode_texts(encoder, KNOWN, cache=cache)
    (path,) = files_of(cache)
    data = path.read_bytes()
    if harm in ("cut", "empty"):
        path.write_bytes(data[: len(data) // 2] if harm == "cut" else b"")
    else:
        with np.load(path) as stored:
            keys = stored["keys"]
        with path.open("wb") as stream:
            np.savez(stream, keys=keys, **({"vectors": expected[:1]} if harm == "short" else {}))
    assert (encode_texts(encoder, KNOWN, cache=cache) == expected).all()
    assert read_vectors(KNOWN, cache / encoder.encoder_id)[0].all()


def test_a_person_is_erased_by_their_texts_under_every_encoder(encoder, tmp_path):
    cache = tmp_path / "vectors"
    encode_texts(encoder, KNOWN, cache=cache)
    encode_texts(encoder, ["bus late"], cache=cache)
    write_vectors(["bus", "other"], np.ones((2, 3), "f4"), cache / "another")
    left = [*KNOWN, "other"]
    left.remove("bus")
    assert keep_vectors(left, cache) == 3
    found, vectors = read_vectors(KNOWN, cache / encoder.encoder_id)
    assert found.tolist() == [text != "bus" for text in KNOWN]
    assert (vectors == encode_texts(encoder, [text for text in KNOWN if text != "bus"])).all()
    assert not read_vectors(["bus late"], cache / encoder.encoder_id)[0].any()
    assert read_vectors(["bus", "other"], cache / "another")[0].tolist() == [False, True]
    assert keep_vectors(left, cache) == 0


def test_a_file_that_cannot_be_read_goes_when_somebody_is_erased(tmp_path):
    write_vectors(["bus"], np.ones((1, 3), "f4"), tmp_path / "one")
    (path,) = files_of(tmp_path)
    path.write_bytes(path.read_bytes()[:100])
    keep_vectors(["late"], tmp_path)
    assert files_of(tmp_path) == []


def test_counted_words_are_not_kept(tmp_path):
    encoder = fit_encoder("tfidf-svd", ["late bus", "rude driver"], language="en")
    assert encode_texts(encoder, ["late"], cache=tmp_path / "vectors").any()
    assert not (tmp_path / "vectors").exists()
