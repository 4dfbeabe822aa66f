"""Vectors kept from earlier runs: a folder an encoder, a file a run, found by the hash of a text.

A file holds no text, but a vector says much of what the text said, and the hash of a short text can be guessed:
who forgets a person keeps the vectors of what is left, and no others (`keep_vectors`).
"""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from vocwb.store import write_whole

_BROKEN = (ValueError, KeyError, OSError, EOFError, IndexError, TypeError, BadZipFile)


def hash_texts(texts: Iterable[str]) -> np.ndarray:
    """Return the first 32 hex digits of each text's SHA-256, as an array of bytes.

    >>> hash_texts(["late"]).tolist()
    [b'089001a35679a33ef3db0ca350db9b9a']
    """
    return np.array(
        [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32] for text in texts], "S32"
    )


def read_vectors(texts: Sequence[str], folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return which texts have a vector in the folder (bool), and those vectors, in the order of `texts`.

    A file that cannot be read counts as not there, and is removed: it can be made again.

    >>> read_vectors(["late"], Path("/nowhere"))[0].tolist()
    [False]
    """
    keys = hash_texts(texts)
    found, rows = np.zeros(len(texts), bool), {}
    for path in sorted(folder.glob("*.npz")):
        try:
            with np.load(path, allow_pickle=False) as stored:
                places = _find(stored["keys"], keys)
                fresh = np.flatnonzero((places >= 0) & ~found)
                if len(fresh):
                    vectors = stored["vectors"]
                    rows |= dict(zip(fresh, vectors[places[fresh]].astype("f4"), strict=True))
                    found[fresh] = True
        except _BROKEN:
            path.unlink(missing_ok=True)
    return found, np.array([rows[at] for at in sorted(rows)], "f4")


def write_vectors(texts: Sequence[str], vectors: np.ndarray, folder: Path) -> None:
    """Write the vectors of different texts as one new file, whole or not at all; files that are there stay.

    >>> write_vectors(["late"], np.ones((1, 2), "f4"), folder)  # doctest: +SKIP
    """
    if len(texts):
        _write(hash_texts(texts), np.asarray(vectors, "f4"), folder)


def keep_vectors(texts: Iterable[str], folder: Path) -> int:
    """Erase all vectors but those of these texts, under all encoders of a folder of vectors; return how many.

    >>> keep_vectors(["late"], Path("/nowhere"))
    0
    """
    wanted, count = np.unique(hash_texts(texts)), 0
    for path in sorted(folder.glob("*/*.npz")):
        try:
            with np.load(path, allow_pickle=False) as stored:
                keys, vectors = stored["keys"], stored["vectors"]
            kept = np.isin(keys, wanted)
            if kept.all():
                continue
            if kept.any():
                _write(keys[kept], vectors[kept], path.parent)
            count += int((~kept).sum())
            path.unlink()
        except _BROKEN:
            path.unlink(missing_ok=True)  # what is in it cannot be known, and it can be made again
    return count


def _find(stored: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return the place of each key among sorted ones, -1 where it is not."""
    places = np.minimum(np.searchsorted(stored, keys), max(len(stored) - 1, 0))
    return np.where(stored[places] == keys, places, -1) if len(stored) else np.full(len(keys), -1)


def _write(keys: np.ndarray, vectors: np.ndarray, folder: Path) -> None:
    order = np.argsort(keys)
    name = hashlib.sha256(keys[order].tobytes()).hexdigest()[:16]

    def save(file: Path) -> None:
        with file.open("wb") as stream:
            np.savez(stream, keys=keys[order], vectors=vectors[order])

    write_whole(folder / f"{name}.npz", save)
