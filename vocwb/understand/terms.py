"""Terms: the words and phrases that tell the topics apart, a suggested name, and how coherent the terms are."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import chain, combinations
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from vocwb.languages import blank_noise, cut_words, describe_language, normalise_text, read_token, scan_words
from vocwb.understand.inflection import group_forms
from vocwb.understand.phrases import drop_variants, join_phrases, list_grams, write_terms

_SHARE = 0.04  # of a topic's members say a term
_LIFT = 1.25  # times as often as in all texts
_LONGEST_NAME = 40
_MOST_WORDS = 4
_COVERED = 0.5  # the first or the second term at least
_MOST_LINKS = 2  # words without a meaning of their own within a name
_NEGATIONS = {
    "en": "no|not|never|without|don't|didn't|doesn't|can't|cannot|couldn't|won't|isn't|wasn't|lack of",
    "fa": "بدون|عدم|بی|غیر|نه|هیچ",
    "ar": "لا|لم|ما|بدون|عدم|غير|مو|مش|ليس|ليست",
    "bg": "не|няма|без|никакви|никакъв|никаква|никакво|нямаше",
    "zh": "不|没|沒|没有|沒有|无|無|未|别|別",
}


_COMMAS = {"zh": "、", "fa": "، ", "ar": "، "}


class _Phrase(NamedTuple):
    tokens: frozenset[str]
    forms: Counter
    negations: Counter


class Coherence(NamedTuple):
    """How well the terms of topics hold together (-1 to 1), and the share of words that stand once (0 to 1)."""

    npmi: float
    diversity: float


def find_terms(
    texts: Sequence[str], languages: Sequence[str], topics: Sequence[int], *, top: int = 10
) -> list[list[str]]:
    """Return up to `top` terms for each topic 0, 1, ..., best first; a topic of several languages has some of each.

    texts, languages and topics are of one length; topic -1 is none. Each language gets places by its share of the
    topic's texts, at least one from 10% on; its terms are those of `find_terms_by_language`.

    >>> find_terms([*["late parcel"] * 2, "late parcels", "rude", "so rude"], ["en"] * 5, [0, 0, 0, 1, 1])
    [['late parcel'], ['rude']]
    """
    found = []
    topics, languages = np.asarray(topics), np.asarray(languages, dtype=object)
    for number, by_language in enumerate(find_terms_by_language(texts, languages, topics, top=top)):
        counts = Counter(languages[topics == number])
        total = sum(counts.values())
        places = [
            (count / total, terms)
            for language, count in counts.items()
            if (terms := by_language.get(language))
        ]
        # The k-th term of a language with share s stands at place k / s, so that each has its share of any beginning.
        ranked = sorted(
            ((rank + 0.5) / share, terms[rank])
            for share, terms in places
            for rank in range(len(terms))
            if len(places) == 1 or share >= 0.1
        )
        found.append([term for _, term in ranked[:top]])
    return found


def find_terms_by_language(
    texts: Sequence[str], languages: Sequence[str], topics: Sequence[int], *, top: int = 10
) -> list[dict[str, list[str]]]:
    """Return for each topic 0, 1, ... the terms of each language that has members in it, best first.

    c-TF-IDF of BERTopic (Grootendorst 2022, with the square root that tempers frequent words) within a language,
    each text counting a word once; a term is said in two texts at least, by 4% of the topic's, and there 1.25 times as
    often as in all texts. Forms of one word count together (`group_forms`) and are shown once, as most often
    written. Two or three neighbours take the place of a word where half of those who say it say all of them
    ("boarding pass", see `join_phrases`). No stop words, no digits; of two spellings a letter apart, the better one.

    >>> find_terms_by_language(["late", "late"], ["en", "en"], [0, 0])
    [{'en': ['late']}]
    """
    topics, languages = np.asarray(topics, dtype=int), np.asarray(languages, dtype=object)
    found: list[dict[str, list[str]]] = [{} for _ in range(topics.max(initial=-1) + 1)]
    for language in sorted(set(languages)):
        rows = np.flatnonzero(languages == language)
        for topic, terms in _find_in_language(
            [texts[row] for row in rows], language, topics[rows], top
        ).items():
            found[topic][language] = terms
    return found


def weigh_terms(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Return the c-TF-IDF of a matrix of counts, a row a topic and a column a word, as BERTopic weighs it.

    The share of the word in its topic, under a square root, times log(1 + average words a topic / count of the
    word): bertopic's ClassTfidfTransformer(reduce_frequent_words=True), without the import of all of bertopic.

    >>> weigh_terms(sparse.csr_matrix([[4.0, 0.0], [2.0, 2.0]])).toarray().round(2).tolist()
    [[0.51, 0.0], [0.36, 0.78]]
    """
    total = np.asarray(counts.sum(axis=0)).ravel()
    rarity = np.log1p(counts.sum(axis=1).mean() / np.maximum(total, 1e-12))
    return normalize(counts.astype(float), norm="l1").sqrt().multiply(rarity).tocsr()


def suggest_name(
    terms: Sequence[str], texts: Sequence[str], language: str, *, taken: Iterable[str] = ()
) -> str:
    """Return a short readable name for a topic: the phrase of its texts that says most of its terms.

    terms: best first, of that language; texts: the topic's members, or its most central examples; taken: names that
    others have. A phrase is two to four words of meaning with at most two others between ("value for money"), or one
    that most say with a negation ("no complaints"), in two texts at least; it weighs the terms in it (the k-th 1 / k)
    times the logarithm of the texts that say it, and is shown as most write it. Without a phrase that has one of
    the first two terms, they are the name. A name that is taken gets further terms, at last a number.

    >>> suggest_name(["refund", "weeks"], ["Waited weeks for a refund", "weeks for a refund!"], "en")
    'Weeks for a refund'
    """
    marked = [frozenset(_list_tokens(term, language)) for term in terms]
    wanted = frozenset(chain.from_iterable(marked))
    phrases: dict[str, _Phrase] = {}
    for text in texts:
        for name, form, tokens, negation in _list_phrases(text, language, wanted):
            phrase = phrases.setdefault(name, _Phrase(tokens, Counter(), Counter()))
            phrase.forms[form] += 1
            phrase.negations[negation] += 1
    best, best_score = None, 0.0
    for _, phrase in sorted(phrases.items()):
        if len(phrase.tokens) == 1 and phrase.negations[""] >= 0.5 * phrase.forms.total():
            continue
        covered = sum(
            1 / (1 + place) for place, tokens in enumerate(marked) if tokens and tokens <= phrase.tokens
        )
        count = phrase.forms.total()
        score = covered * np.log(count) * (0.9 if len(phrase.tokens) == _MOST_WORDS else 1)
        if covered >= _COVERED and count >= max(2, 0.01 * len(texts)) and score > best_score:
            best, best_score = phrase, score
    while best:
        # "Thanks for the quick" breaks off where most go on with "response".
        longer = [
            phrase
            for phrase in phrases.values()
            if best.tokens < phrase.tokens
            and phrase.forms.total() > 0.5 * best.forms.total()
            and any(form.casefold() in long.casefold() for form in best.forms for long in phrase.forms)
        ]
        if not longer:
            break
        best = max(longer, key=lambda phrase: (phrase.forms.total(), min(phrase.forms)))
    rest = list(terms)
    if best:
        head, count = min(best.forms.items(), key=lambda form: (-form[1], form[0]))
        head = head if count > 0.5 * best.forms.total() else head.lower()
        negation = min(best.negations, key=lambda word: (-best.negations[word], word))
        parts = [negation + head]
        rest = [term for term, tokens in zip(terms, marked, strict=True) if not tokens <= best.tokens]
    else:
        parts, rest = rest[:2], rest[2:]
    if not parts:
        common = Counter(" ".join(text.split()) for text in texts if text.strip())
        parts = [min(common, key=lambda text: (-common[text], text))[:_LONGEST_NAME]] if common else ["?"]
    return _make_unique(parts, rest, {name.casefold() for name in taken}, _COMMAS.get(language, ", "))


def score_terms(terms: Sequence[Sequence[str]], texts: Sequence[str], languages: Sequence[str]) -> Coherence:
    """Return how coherent the terms of topics are in `texts`, and how different from topic to topic.

    Both are of the first ten words of each topic's terms; a phrase is its words. npmi: the mean over topics of the
    mean over pairs of words of the normalised pointwise mutual information of standing in one text (Bouma 2009;
    Roeder et al. 2015, with whole texts as windows), -1 for a pair that never does. diversity: distinct words among
    all of them (Dieng et al. 2020). A word stands in a text in the form given, as written or as `tokenise_text`
    returns it; in Chinese a term is one word and stands where its characters do. nan where there is no pair.

    >>> score_terms([["late", "parcel"], ["rude", "parcel"]], ["late parcel", "rude", "fine"], ["en"] * 3)
    Coherence(npmi=0.0, diversity=0.75)
    """
    rows = [list(dict.fromkeys(word for term in row for word in term.split()))[:10] for row in terms]
    said = list(chain.from_iterable(rows))
    known = {word: column for column, word in enumerate(sorted(set(said)))}
    stands = _find_standing(known, texts, languages)
    together = (stands.T @ stands).toarray().astype(float)
    means = [
        np.mean(
            [
                _score_pair(known[one], known[other], together, len(texts))
                for one, other in combinations(row, 2)
            ]
        )
        for row in rows
        if len(row) > 1
    ]
    return Coherence(
        round(float(np.mean(means)), 4) if means else float("nan"),
        round(len(known) / len(said), 4) if said else float("nan"),
    )


def _score_pair(first: int, second: int, together: np.ndarray, count: int) -> float:
    """Return the NPMI of two terms: -1 never together, 0 independent, 1 always together."""
    both = together[first, second]
    if not both:
        return -1.0
    if both == count:
        return 0.0
    pmi = np.log(both * count / (together[first, first] * together[second, second]))
    return float(pmi / -np.log(both / count))


def _find_standing(
    known: Mapping[str, int], texts: Sequence[str], languages: Sequence[str]
) -> sparse.csr_matrix:
    """Return which text (row) has which word (column)."""
    rows, columns = [], []
    spelt = {
        language: {normalise_text(word, language): column for word, column in known.items()}
        for language in sorted(set(languages))
    }
    for place, (text, language) in enumerate(zip(texts, languages, strict=True)):
        own, text = spelt[language], normalise_text(text, language)
        if describe_language(language).spaced:
            words = {word for word, _ in cut_words(text, language)} | {
                word.token for word in scan_words(text, language)
            }
        else:
            words = {word for word in own if word in text}
        found = sorted({own[word] for word in words if word in own})
        rows += [place] * len(found)
        columns += found
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(texts), len(known)))


def _make_unique(parts: list[str], rest: list[str], taken: set[str], comma: str) -> str:
    """Return the parts as a name that is not taken: with further terms, at last with a number."""
    for end in range(len(rest) + 1):
        name = comma.join(parts + rest[:end])
        name = name[:1].upper() + name[1:]
        if name.casefold() not in taken:
            return name
    name = comma.join(parts)
    name = name[:1].upper() + name[1:]
    return next(f"{name} ({n})" for n in range(2, len(taken) + 3) if f"{name} ({n})".casefold() not in taken)


def _list_tokens(text: str, language: str) -> list[str]:
    """Return a text's words as they are counted, without those that have digits."""
    words = (_read_token(word, language) for word, _ in cut_words(text, language))
    return [word for word in words if word]


@lru_cache(maxsize=100_000)
def _read_token(written: str, language: str) -> str:
    token = read_token(normalise_text(written, language), language)
    return "" if any(map(str.isdigit, token)) else token


def _list_phrases(
    text: str, language: str, wanted: frozenset[str]
) -> Iterator[tuple[str, str, frozenset[str], str]]:
    """Yield each phrase that could be a name, once: normalised, as written, its tokens, the negation before it."""
    text = " ".join(blank_noise(text).split())
    words = [(word, start, _read_token(word, language)) for word, start in cut_words(text, language)]
    seen = set()
    for first, (_, start, token) in enumerate(words):
        if not token:
            continue
        tokens: list[str] = []
        for last in range(first, min(first + _MOST_WORDS + _MOST_LINKS, len(words))):
            word, place, token = words[last]
            end = place + len(word)
            gap = text[words[last - 1][1] + len(words[last - 1][0]) : place] if last > first else ""
            if gap.strip(" -\u200c") or end - start > _LONGEST_NAME or not any(map(str.isalnum, word)):
                break
            tokens += [token] if token else []
            if len(tokens) > _MOST_WORDS or last - first + 1 - len(tokens) > _MOST_LINKS:
                break
            if token and not wanted.isdisjoint(tokens):
                form = text[start:end]
                name = normalise_text(form, language)
                if name not in seen:
                    seen.add(name)
                    yield (
                        name,
                        form if not form.isupper() else form.lower(),
                        frozenset(tokens),
                        _negate(text, words, first, language),
                    )


def _negate(text: str, words: list[tuple[str, int, str]], first: int, language: str) -> str:
    """Return the negation directly before a word, with the space after it, "" where there is none."""
    if not first:
        return ""
    word, start, _ = words[first - 1]
    between = text[start + len(word) : words[first][1]]
    if between.strip() or not re.fullmatch(_NEGATIONS.get(language, "(?!)"), normalise_text(word, language)):
        return ""
    return word + between


def _find_in_language(texts: list[str], language: str, topics: np.ndarray, top: int) -> dict[int, list[str]]:
    docs = [scan_words(text, language) for text in texts]
    keys = group_forms(Counter(chain.from_iterable({word.token for word in doc} for doc in docs)), language)
    grams = [list_grams(doc, keys) for doc in docs]
    vectorizer = CountVectorizer(analyzer=lambda doc: doc, min_df=2)
    try:
        said = vectorizer.fit_transform([list(gram) for gram in grams])
    except ValueError:  # nothing is said twice
        return {int(topic): [] for topic in set(topics) if topic >= 0}
    names = vectorizer.get_feature_names_out()
    single = np.array([" " not in name for name in names])
    everywhere = dict(zip(names, np.asarray(said.sum(axis=0)).ravel(), strict=True))
    members = sparse.csr_matrix((np.ones(len(topics)), (topics + 1, np.arange(len(topics)))))
    counts = (members @ said).tocsr()
    weights = weigh_terms(counts[:, single])
    found = {}
    for topic in sorted({int(topic) for topic in topics if topic >= 0}):
        row, rows = counts[topic + 1], np.flatnonzero(topics == topic)
        spoken = dict(zip(names[row.indices], row.data, strict=True))
        weighed = dict(zip(names[single], weights[topic + 1].toarray().ravel(), strict=True))
        least = max(2, _SHARE * len(rows))
        best = sorted((-weighed[name], name) for name in weighed if spoken.get(name, 0) >= least)
        words = [name for _, name in best]
        usual = _LIFT * len(rows) / len(texts)
        typical = [name for name in words if spoken[name] >= usual * everywhere[name]]
        # A topic that is nearly all there is has no words that are more frequent in it than elsewhere.
        words = (typical if len(typical) >= 3 else words)[: 4 * top]
        ranked = join_phrases(words, spoken, everywhere, max(least, 3))[: 2 * top]
        shown = write_terms(ranked, [grams[row] for row in rows], (texts[row] for row in rows), language)
        found[topic] = drop_variants(shown)[:top]
    return found
