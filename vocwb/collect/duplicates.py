"""Links what is said again, word for word or nearly so, to the first who said it."""

import hashlib
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from itertools import groupby

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import binom

_BANDS, _BAND, _MARKS = 20, 6, 3
_PRIME = np.uint32(2_654_435_761)
_PERMUTATIONS = np.random.default_rng(20).integers(2**32, size=(_BANDS, _BAND, 2), dtype="uint32")
_PERMUTATIONS[..., 1] |= 1  # an odd factor modulo 2**32 maps no two numbers to one
_CHUNK = 4_000
_NOISE = re.compile(r"(?:rt )?@\w{1,20}|https?://\S*|www\.\S*|\[[a-z]{2,8}\]")
_DENSE = re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]")
_NUMBER = re.compile(r"\d+")
_CUT, _LETTER = "…", 2


def mark_duplicates(feedback: pd.DataFrame, *, shortest: int = 36, threshold: float = 0.8) -> pd.Series:
    """Return for each verbatim the feedback_id of the original that it copies, or missing.

    Needs feedback_id, response_id, language, verbatim, received_at. Two verbatims of one language and of
    different responses are copies if, in letters and digits alone (no case, white space, punctuation, emoji,
    doubled letter, web address, "RT", @name or mark of redaction), each has `shortest` of them or more and

    - they are the same; or
    - the Jaccard similarity of their shingles is `threshold` (0-1) or more, and not each has a number that
      the other lacks (a form letter with another amount is no copy); or
    - one ends in "…" where the other goes on.

    A shingle is 4 characters, or 2 in Chinese, Japanese and Korean, of which one counts as 3 for `shortest`:
    a translation into Chinese has about a third of the letters. The original is the earliest, then the one
    with the smallest feedback_id, and never itself a copy. Candidates come from MinHash (Broder 1997) in 20
    bands of 6 (Leskovec, Rajaraman, Ullman 2014, ch. 3), which miss 1 pair in 400 at a similarity of 0.8, and
    1 in 12 at 0.7; each is then compared exactly. The order of the rows does not matter.

    >>> text = "Be careful, the kettle of this shop caught fire in our kitchen!"
    >>> marked = mark_duplicates(pd.DataFrame({"feedback_id": ["b", "a"], "response_id": ["2", "1"],
    ...     "language": "en", "verbatim": [text, "RT @jo: " + text.upper() + " :-("],
    ...     "received_at": pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True)}))
    >>> marked.fillna("").tolist()
    ['', 'b']
    """
    by_time = pa.Table.from_pandas(feedback[["received_at", "feedback_id"]], preserve_index=False)
    keys = [("received_at", "ascending"), ("feedback_id", "ascending")]
    order = pc.sort_indices(by_time, sort_keys=keys).to_numpy().astype("int64")
    # From here on a text is its place in this order: the smaller of two is the earlier.
    language = pd.factorize(feedback["language"])[0][order].astype("uint32")

    # One text is taken at a time, and from an array in many pieces that would look through them all.
    texts = pa.array(feedback["verbatim"])
    texts = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts

    def read(places: np.ndarray) -> list[str]:
        return fold_texts(texts.take(pa.array(order[places])).fill_null("").to_pylist())

    rows, wholes, bands, marks = _sketch_texts(read, language, shortest)
    _, first, group = np.unique(wholes, return_index=True, return_inverse=True)
    heads = np.sort(first)
    pairs = _keep_likely(_pair_up(bands, heads), marks, heads, threshold)
    linked = _link_pairs(pairs, rows[heads], read, language, threshold)
    head = rows[first[group]].tolist()
    original = np.array([linked.get(at, at) for at in head], dtype="int64")
    again, original = order[rows[original != rows]], order[original[original != rows]]
    said_in = feedback["response_id"].array
    other = np.asarray(said_in.take(again) != said_in.take(original), dtype=bool)
    of = np.full(len(feedback), -1)
    of[again[other]] = original[other]
    found = feedback["feedback_id"].array.take(of, allow_fill=True)
    return pd.Series(found, index=feedback.index, dtype="str", name="duplicate_of")


def fold_texts(texts: Iterable[str]) -> list[str]:
    """Return of each text its letters and digits alone, in which copies are compared, and "…" where it is cut.

    >>> fold_texts(["RT @jo: Sooo  good :-) https://a.b/c", "It was goo…"])
    ['sogod', 'itwasgo…']
    """
    plain = [text if text.isascii() else unicodedata.normalize("NFKC", text) for text in texts]
    if not plain:
        return []
    lines = _NOISE.sub(" ", "\n".join(text.replace("\n", " ") for text in plain).lower())
    cut = [line.rstrip(" '\"”’»)]").endswith("...") for line in lines.split("\n")]
    letters = np.frombuffer(lines.encode("utf-32-le"), "<u4")
    letters = letters[_letter_table()[letters] > 0]
    repeated = (letters[1:] == letters[:-1]) & (_letter_table()[letters[1:]] == _LETTER)
    letters = letters[np.concatenate([[True], ~repeated])[: len(letters)]]
    folded = letters.tobytes().decode("utf-32-le").split("\n")
    return [text + _CUT if ends else text for text, ends in zip(folded, cut, strict=True)]


@cache
def _letter_table() -> np.ndarray:
    """Return for each code point 0 if it is to go, 1 if it stays as often as it stands, 2 if it stays once."""
    points = map(chr, range(sys.maxunicode + 1))
    table = np.array([_LETTER * point.isalnum() - point.isdigit() for point in points], "int8")
    table[ord("\n")] = 1
    return table


def weigh_text(folded: str) -> int:
    """Return how much is said in Latin letters; nothing where one syllable is repeated ("不错不错不错").

    >>> weigh_text("theparcelwaslate"), weigh_text("客服说三天退款没有到"), weigh_text("不错不错不错")
    (16, 30, 0)
    """
    if len(set(folded)) < 8:
        return 0
    return len(folded) + 2 * len(_DENSE.findall(folded)) - folded.endswith(_CUT)


def _shingle_size(folded: str) -> int:
    return 2 if 2 * len(_DENSE.findall(folded)) > len(folded) else 4


def _sketch_texts(
    read: Callable[[np.ndarray], list[str]], language: np.ndarray, shortest: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the places of the texts that are long enough, a hash of each, its key in each band, and its marks.

    Marks are a byte of every second of its minima, or noughts alone for a text that is cut.
    """
    rows, wholes = np.empty(len(language), "int64"), np.empty(len(language), "uint64")
    bands, n = np.empty((_BANDS, len(language)), "uint32"), 0
    marks = np.zeros((len(language), _BANDS * _MARKS), "uint8")
    for start in range(0, len(language), _CHUNK):
        folded = read(np.arange(start, min(start + _CHUNK, len(language))))
        kept = [at for at, text in enumerate(folded) if weigh_text(text) >= shortest and len(text) >= 4]
        folded = [folded[at] for at in kept]
        to = slice(n, n + len(kept))
        rows[to] = np.array(kept, dtype="int64") + start
        spoken = language[rows[to]] * _PRIME
        wholes[to] = [_hash_whole(text) for text in folded]
        wholes[to] ^= spoken
        sizes = np.array([_shingle_size(text) for text in folded])
        for size in np.unique(sizes):
            at = np.flatnonzero(sizes == size)
            keys, marks[n + at] = _hash_bands([folded[k] for k in at], int(size))
            bands[:, n + at] = keys ^ spoken[at]
        marks[n + np.flatnonzero([text.endswith(_CUT) for text in folded])] = 0
        n += len(kept)
    return rows[:n], wholes[:n], bands[:, :n], marks[:n]


def _hash_whole(folded: str) -> int:
    return int.from_bytes(hashlib.blake2b(folded.rstrip(_CUT).encode(), digest_size=8).digest(), "little")


def _hash_bands(folded: list[str], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the key of each text in each band, one hash of the minima of its shingles, and the marks of each."""
    grams, wide = np.frombuffer("".join(folded).encode("utf-32-le"), "<u4").astype("uint32"), 1
    while wide < size:
        grams = grams[:-wide] * _PRIME**wide + grams[wide:]
        wide *= 2
    for shift in (16, 13, 16):
        grams = (grams ^ (grams >> shift)) * _PRIME
    lengths = np.array([len(text) for text in folded])
    inside = np.ones(len(grams), bool)
    inside[(np.cumsum(lengths)[:-1, None] - np.arange(1, size)).ravel()] = False
    counts = lengths - size + 1
    grams, starts = grams[inside], np.cumsum(counts) - counts
    keys = np.zeros((_BANDS, len(folded)), "uint32")
    marks = np.empty((len(folded), _BANDS, _MARKS), "uint8")
    for at, (key, band) in enumerate(zip(keys, _PERMUTATIONS, strict=True)):
        for number, (flip, times) in enumerate(band):
            lowest = np.minimum.reduceat((grams ^ flip) * times, starts)
            key *= _PRIME
            key += lowest
            if number < _MARKS:
                marks[:, at, number] = lowest % 255 + 1
    return keys, marks.reshape(len(folded), -1)


def _pair_up(bands: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Return pairs (later, earlier) of heads that share a key, sorted: each with the first and the last before it.

    All pairs would be the square of a flood; who copies neither of these two meets others in other bands.
    """
    n = len(heads)
    found = np.empty(0, "int64")
    for band in bands:
        keys = band[heads]
        by = np.argsort(keys, kind="stable")
        again = np.flatnonzero(keys[by[1:]] == keys[by[:-1]]) + 1
        start = np.arange(n)
        start[again] = 0
        start = np.maximum.accumulate(start)[again]
        earlier = np.concatenate([by[start], by[again - 1]])
        # Two sorted runs are merged, which for many pairs takes a tenth of the time of np.union1d.
        found = np.sort(np.concatenate([found, np.sort(np.tile(by[again], 2) * n + earlier)]), kind="stable")
        found = found[np.diff(found, prepend=-1) > 0]
    return np.stack(np.divmod(found, max(n, 1)), axis=1)


def _keep_likely(pairs: np.ndarray, marks: np.ndarray, heads: np.ndarray, threshold: float) -> np.ndarray:
    """Return the pairs of heads of which as many marks agree as of nearly all pairs at the threshold, and cut texts.

    How many agree estimates the similarity (b-bit minwise hashing, Li and König 2010).
    """
    count = marks.shape[1]
    fewest = binom.ppf(1 / 2000, count, threshold)
    kept = [
        ((one == other).sum(axis=1) >= fewest) | (one[:, 0] == 0) | (other[:, 0] == 0)
        for some in np.array_split(pairs, len(pairs) // 100_000 + 1)
        for one, other in [(marks[heads[some[:, 0]]], marks[heads[some[:, 1]]])]
    ]
    return pairs[np.concatenate(kept)]


def _link_pairs(
    pairs: np.ndarray,
    rows: np.ndarray,
    read: Callable[[np.ndarray], list[str]],
    language: np.ndarray,
    threshold: float,
) -> dict[int, int]:
    """Return copy -> original: of the originals that a text may copy, the earliest that it does copy."""
    texts: dict[int, str] = {}

    @lru_cache(maxsize=_CHUNK)
    def shingle(at: int) -> tuple[str, set[str], Counter]:
        size = _shingle_size(texts[at])
        shingles = {texts[at][k : k + size] for k in range(len(texts[at]) - size + 1)}
        return texts[at], shingles, Counter(_NUMBER.findall(texts[at]))

    linked: dict[int, int] = {}
    starts = np.flatnonzero(np.diff(pairs[:, 0], prepend=-1))  # of all pairs of one text
    for part in np.split(pairs, starts[_CHUNK::_CHUNK]):
        part = rows[part]
        # What an original of this part is, is one of its texts or what one of them was linked to before.
        places = {linked.get(at, at) for at in part[:, 1].tolist()} | set(part[:, 0].tolist())
        missing = np.array(sorted(places - texts.keys()), dtype="int64")
        texts = {at: texts[at] for at in places & texts.keys()} | dict(
            zip(missing.tolist(), read(missing), strict=True)
        )
        for at, earlier in groupby(part.tolist(), key=lambda pair: pair[0]):
            for original in sorted({linked.get(other, other) for _, other in earlier}):
                if language[original] == language[at] and _is_copy(shingle(original), shingle(at), threshold):
                    linked[at] = original
                    break
    return linked


def _is_copy(one: tuple[str, set, Counter], other: tuple[str, set, Counter], threshold: float) -> bool:
    (text, shingles, numbers), (text_2, shingles_2, numbers_2) = one, other
    if any(a.endswith(_CUT) and b.startswith(a[:-1]) for a, b in ((text, text_2), (text_2, text))):
        return True
    if numbers - numbers_2 and numbers_2 - numbers:
        return False
    shared = len(shingles & shingles_2)
    return shared >= threshold * (len(shingles) + len(shingles_2) - shared)
