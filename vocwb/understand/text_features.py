"""Texts as counts of word and letter sequences, held in sorted arrays so that a text is looked up without a loop."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp

from vocwb.languages import ZWNJ, describe_language, normalise_text

WORD_ORDERS = 3
LETTER_ORDERS = 5
CHARACTER_ORDERS = 4
_TOKEN = re.compile(rf"\w+(?:[{ZWNJ}'’]\w+)*|[^\w\s]+")
_START, _END, _UNKNOWN = 0, 1, 2
_RESERVED = 3


class Grams(NamedTuple):
    """The sequences ("grams") that stand at least twice in the texts fitted.

    units: unit (a word, a letter) -> number; 0 and 1 are the start and
    the end of a text and 2 is any unit that is not here.
    keys: for 2, 3, ... units the sorted keys of the grams, each the number of the gram without its last unit,
    times the number of units, plus that unit. A gram's number is its place among the keys.
    shorter: for 2, 3, ... units the number of each gram without its first unit, among those one unit shorter.
    """

    units: dict[str, int]
    keys: tuple[np.ndarray, ...]
    shorter: tuple[np.ndarray, ...]

    @property
    def n_units(self) -> int:
        """How many units there are, the start, the end and the unknown among them."""
        return len(self.units) + _RESERVED

    @property
    def sizes(self) -> list[int]:
        """How many grams there are of 1, 2, ... units."""
        return [self.n_units, *map(len, self.keys)]


class Places(NamedTuple):
    """Texts laid end to end: for each place its text, its place within it, and the gram of each order ending there.

    grams: one array an order, -1 where the gram is not known.
    """

    owners: np.ndarray
    offsets: np.ndarray
    grams: list[np.ndarray]


def split_letters(text: str, language: str) -> str:
    """Return the letters, marks and single spaces of a text, as `normalise_text` spells them.

    >>> split_letters(" OK  then", "en")
    'ok then'
    """
    return normalise_text(text, language).strip()


def split_texts(texts: Iterable[str], language: str) -> list[tuple[list, int]]:
    """Return the texts as words and as letters, each with the units of its longest gram: 3 words, 5 letters.

    Chinese is returned once, as characters, of which a gram has up to 4.

    >>> split_texts(["So late!"], "en")
    [([['so', 'late', '!']], 3), (['so late!'], 5)]
    """
    texts = list(texts)
    letters = [split_letters(text, language) for text in texts]
    if not describe_language(language).spaced:
        return [(letters, CHARACTER_ORDERS)]
    return [([_TOKEN.findall(text) for text in letters], WORD_ORDERS), (letters, LETTER_ORDERS)]


def fit_grams(sequences: Sequence[Sequence[str]], *, orders: int) -> Grams:
    """Return the grams of 1 to `orders` units that stand at least twice in the sequences.

    >>> fit_grams([["a", "b"], ["a", "b", "c"]], orders=2).units
    {'a': 3, 'b': 4}
    """
    times = Counter(chain.from_iterable(sequences))
    known = sorted(unit for unit, n in times.items() if n > 1)
    grams = Grams({unit: number for number, unit in enumerate(known, start=_RESERVED)}, (), ())
    places = locate_grams(grams, sequences)
    for _ in range(orders - 1):
        here, keys = _key_places(places, grams.n_units)
        found, times = np.unique(keys, return_counts=True)
        kept = found[times > 1]
        numbers = _look_up(kept, here, keys, len(places.owners))
        shorter = np.zeros(len(kept), dtype=np.int64)
        shorter[numbers[numbers >= 0]] = places.grams[-1][numbers >= 0]
        grams = Grams(grams.units, (*grams.keys, kept), (*grams.shorter, shorter))
        places = Places(*places[:2], [*places.grams, numbers])
    return grams


def locate_grams(grams: Grams, sequences: Sequence[Sequence[str]]) -> Places:
    """Return where in the sequences each gram ends; a border stands before and after each sequence.

    >>> grams = fit_grams([["a", "b"], ["a", "b"]], orders=2)
    >>> locate_grams(grams, ["ax"]).grams[0].tolist()
    [0, 3, 2, 1]
    """
    numbers = grams.units
    flat, lengths = [], []
    for sequence in sequences:
        flat += [_START, *[numbers.get(unit, _UNKNOWN) for unit in sequence], _END]
        lengths.append(len(sequence) + 2)
    lengths = np.array(lengths, dtype=np.int64)
    owners = np.repeat(np.arange(len(sequences)), lengths)
    offsets = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    places = Places(owners, offsets, [np.array(flat, dtype=np.int64)])
    for known in grams.keys:
        here, keys = _key_places(places, grams.n_units)
        places = Places(owners, offsets, [*places.grams, _look_up(known, here, keys, len(flat))])
    return places


def count_grams(grams: Grams, places: Places, n_texts: int) -> sp.csr_array:
    """Return how often each gram stands in each text: (n_texts, n_grams), float32.

    >>> grams = fit_grams([["a", "b"], ["a", "b"]], orders=1)
    >>> count_grams(grams, locate_grams(grams, [["a", "a"]]), 1).toarray().tolist()
    [[1.0, 1.0, 0.0, 2.0, 0.0]]
    """
    starts = np.cumsum([0, *grams.sizes])
    rows, columns = [], []
    for start, found in zip(starts, places.grams, strict=False):
        here = np.flatnonzero(found >= 0)
        rows.append(places.owners[here])
        columns.append(found[here] + start)
    rows, columns = (np.concatenate(part).astype(np.int32) for part in (rows, columns))
    shape = n_texts, sum(grams.sizes)
    return sp.coo_array((np.ones(len(rows), dtype=np.float32), (rows, columns)), shape=shape).tocsr()


def count_longest(grams: Grams, places: Places, n_texts: int) -> sp.csr_array:
    """Return how often each gram is the longest known one that ends at a place: (n_texts, n_grams), float32.

    Over the root of the number of places of the text, since the words of a text repeat one verdict.

    >>> grams = fit_grams([["a", "b"], ["a", "b"]], orders=1)
    >>> count_longest(grams, locate_grams(grams, [["a", "a"]]), 1).toarray().round(2).tolist()
    [[0.0, 0.5, 0.0, 1.0, 0.0]]
    """
    longest = np.zeros(len(places.owners), dtype=np.int64)
    for start, found in zip(np.cumsum([0, *grams.sizes]), places.grams, strict=False):
        longest[found >= 0] = found[found >= 0] + start
    here = np.flatnonzero(places.offsets > 0)
    weights = 1 / np.sqrt(np.bincount(places.owners, minlength=n_texts))
    rows, columns = places.owners[here].astype(np.int32), longest[here].astype(np.int32)
    shape = n_texts, sum(grams.sizes)
    return sp.coo_array((weights[rows].astype(np.float32), (rows, columns)), shape=shape).tocsr()


def _key_places(places: Places, n_units: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places where a known gram goes on by one unit, and the key of what it becomes."""
    longest, units = places.grams[-1], places.grams[0]
    here = np.flatnonzero((places.offsets[1:] > 0) & (longest[:-1] >= 0)) + 1
    return here, longest[here - 1] * np.int64(n_units) + units[here]


def _look_up(known: np.ndarray, here: np.ndarray, keys: np.ndarray, n_places: int) -> np.ndarray:
    found = np.full(n_places, -1, dtype=np.int64)
    if len(known):
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        found[here] = np.where(known[at] == keys, at, -1)
    return found


def share_unseen(
    grams: Grams, places: Places, n_texts: int, *, folds: np.ndarray | None = None
) -> np.ndarray:
    """Return for each text the share (0-1) of its words, in Chinese of its pairs of characters, that are not known.

    folds: for the texts that the grams were fitted on, a number each; a gram is then known only if it stands twice
    in the other folds. A text without words has 0.

    >>> grams = fit_grams([["a", "b"], ["a", "b"]], orders=3)
    >>> share_unseen(grams, locate_grams(grams, [["a", "x"]]), 1).tolist()
    [0.5]
    """
    order = 0 if len(grams.sizes) == WORD_ORDERS else 1
    found, units = places.grams[order], places.grams[0]
    here = (places.offsets > order) & (units != _END)
    new = (found < 0) | (units == _UNKNOWN)
    if folds is not None:
        own = folds[places.owners]
        times = np.bincount(found[~new], minlength=grams.sizes[order])
        for fold in np.unique(folds):
            mine = ~new & (own == fold)
            elsewhere = times - np.bincount(found[mine], minlength=grams.sizes[order])
            new[mine] = elsewhere[found[mine]] < 2
    lengths = np.bincount(places.owners[here], minlength=n_texts)
    return np.bincount(places.owners[here], new[here], minlength=n_texts) / np.maximum(lengths, 1)
