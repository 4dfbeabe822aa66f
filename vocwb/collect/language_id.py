"""Tells the language of each verbatim among the declared ones; what is none of them is "other"."""

import re
import unicodedata
from collections.abc import Iterable
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from lingua import Language, LanguageDetector, LanguageDetectorBuilder

from vocwb.collect.language_rules import CODES, NAMES, OTHER_NAMES, SCRIPTS, Script, list_words

OTHER = "other"

_COLUMNS = [*CODES, OTHER]
# What says nothing of the language. RE2, which runs it, takes linear time whatever the text.
_NOISE = (
    r"(?i:https?://|www\.)[!-~]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|@[\p{Latin}\p{Arabic}\p{Cyrillic}\p{N}_]+"
    r"|\[[A-Z_ ]+\]|&#?\w{1,8};|\b[xX]{2,}\b"
)
_LETTERS = {
    "Latin": r"\p{Latin}",
    "Arabic": "[\u0620-\u063f\u0641-\u064a\u066e-\u06d3\u06d5\u06fa-\u06ff\u0750-\u077f\u08a0-\u08b4]",
    "Cyrillic": r"\p{Cyrillic}",
    "Han": r"\p{Han}",
    "Kana": r"[\p{Hiragana}\p{Katakana}ー]",
    "Hangul": r"\p{Hangul}",
    "Else": r"\p{L}",
}
_SCRIPT = pd.CategoricalDtype([*_LETTERS, "none"])
# A Chinese character says about as much as three letters, an Arabic word is written without its vowels.
_WEIGHT = {"Han": 4, "Kana": 3, "Hangul": 3, "Arabic": 2}
# Forms of characters that only Japan writes, for Japanese without Kana.
_JAPAN = (
    "[気図発売駅込働広県続読変実楽薬帰応価総転戻検済単圧対悪歩毎姫浜渋瀬巻処弾徳悩拡挙掲桜様権歓満焼獣"
    "畑畳砕稲穂経絵継縦繊蔵覧観訳証譲豊軽辺遅酔醸釈鉄銭録険隠雑霊頼駆験髪鶏歯齢]"
)
# Nats of evidence, as a logistic regression on feedback and on sentences in twenty other languages has them:
_WORD = 2.0  # in one everyday word of a language of ours
_SHARE = 2.0  # in a text of nothing but such words
_LINGUA = 4.0  # the most that lingua may say
_KIN = 4.0  # how far Arabic leads where Persian alone is declared, and the other way round, to be believed
_CHUNK = 20_000
_PRIOR = 2.0  # the most that the rest of a source may say: 7 to 1


def identify_languages(
    texts: pd.Series, declared: Iterable[str], sources: pd.Series | None = None
) -> pd.Series:
    """Return the language of each text: one of the declared codes, or "other".

    A text without letters, in a language that is not declared, or in a romanised spelling is "other". With
    `sources` (the source of each text) the surer texts of a source decide its doubtful ones; a text of a
    word or two often stands in several languages. It is `score_languages`, then `settle_languages`.

    >>> identify_languages(pd.Series(["很好用", "عالی بود", "Très bon accueil, merci", "👍"]), ["fa", "zh"]).tolist()
    ['zh', 'fa', 'other', 'other']
    """
    return settle_languages(score_languages(texts), declared, sources)


def score_languages(texts: pd.Series) -> pd.DataFrame:
    """Return the script of each text, and by how much it speaks for each language: en, fa, ar, bg, zh, other.

    The script is what most letters are of, without web and mail addresses, handles and marks such as
    [EMAIL]. Its languages are told apart by everyday words, by letters that others lack and, in doubt, by
    lingua (Stahl 2021). Scores are log likelihoods in nats, whose differences count; -inf is a language of
    another script. A row depends on its own text only, so batches may be scored one by one and joined.

    >>> score_languages(pd.Series(["بهت زنگ می‌زنم"]))["script"].tolist()
    ['Arabic']
    """
    codes, unique = pd.factorize(texts)
    parts = [
        _score_chunk(pa.array(unique[at : at + _CHUNK], pa.string())) for at in range(0, len(unique), _CHUNK)
    ]
    nothing = _assemble(np.array(["none"]), {})  # where the text is missing, whose code is -1
    scores = pd.concat([*parts, nothing], ignore_index=True).take(codes)
    return scores.astype({"script": _SCRIPT}).set_axis(texts.index)


def settle_languages(
    scores: pd.DataFrame, declared: Iterable[str], sources: pd.Series | None = None
) -> pd.Series:
    """Return the language of each row of `score_languages`, by its own score and by the rest of its source.

    Needs all rows of a source at once. Among the sure texts of a source and script, the mix of languages is
    the prior of the doubtful ones: at most 7 to 1, and nothing where the source is evenly mixed. Between
    Persian and Arabic, the one that is not declared needs more evidence.

    >>> texts = pd.Series([*["خیلی راضی هستم از خریدم"] * 9, "مناسب"])
    >>> settle_languages(score_languages(texts), ["fa", "ar"], pd.Series("store", texts.index)).tolist()[-1]
    'fa'
    """
    declared = set(declared)
    values = scores[_COLUMNS].to_numpy("float32", copy=True)
    for at, code in enumerate(CODES):
        if code not in declared:
            kin = any(code in script.ours and declared & {*script.ours} for script in SCRIPTS.values())
            values[:, -1] = np.maximum(values[:, -1], values[:, at] - (_KIN if kin else 0))
            values[:, at] = -np.inf
    if sources is not None:
        values += _weigh_sources(values, scores["script"], sources)
    return pd.Series(np.array(_COLUMNS)[values.argmax(axis=1)], scores.index, dtype="str")


def unload_models() -> None:
    """Give back the memory of lingua's models, some 300 MB for English alone; the next text loads them again.

    >>> unload_models()
    """
    for rules in SCRIPTS.values():
        if rules.lingua:
            _detector(rules).unload_language_models()
    _detector.cache_clear()


def count_other(texts: pd.Series, languages: pd.Series) -> pd.DataFrame:
    """Return what the texts that are "other" are written in: script, n, share (of all texts, 0-1).

    >>> count_other(pd.Series(["좋아요", "ok", "👍"]), pd.Series(["other", "en", "other"])).values.tolist()
    [['Hangul', 1, 0.3333333333333333], ['none', 1, 0.3333333333333333]]
    """
    scripts = score_languages(texts[languages == OTHER])["script"].astype("str")
    counts = scripts.value_counts().rename_axis("script").rename("n").reset_index()
    counts = counts.sort_values(["n", "script"], ascending=[False, True], ignore_index=True)
    return counts.assign(share=counts["n"] / max(len(texts), 1))


def read_language_name(name: str, declared: Iterable[str]) -> str | None:
    """Return the code that a source's own name of a language stands for, "other" for one that is not declared.

    Takes ISO 639 codes with or without a region, English names and native names; None for what names no
    language.

    >>> [read_language_name(name, ["en", "fa"]) for name in ("en-US", "Farsi", "zh_TW", "n/a")]
    ['en', 'fa', 'other', None]
    """
    names = _language_names()
    words = re.findall(r"\w+", unicodedata.normalize("NFKC", name[:40]).replace("_", " ").lower())
    # A code stands first ("it-IT"); further on "it" is a word.
    found = [names[word] for at, word in enumerate(words) if word in names and (at == 0 or len(word) > 3)]
    if not found:
        return None
    return found[0] if found[0] in set(declared) else OTHER


@cache
def _language_names() -> dict[str, str]:
    names = {}
    for language in Language.all():
        code = language.iso_code_639_1.name.lower()
        for name in (language.name.lower(), code, language.iso_code_639_3.name.lower()):
            names[name] = code if code in CODES else OTHER
    return dict.fromkeys(OTHER_NAMES.split(), OTHER) | names | NAMES


def _score_chunk(texts: pa.Array) -> pd.DataFrame:
    # The cuts bound the work on texts of megabytes; a thousand letters are enough.
    texts = pc.utf8_normalize(pc.utf8_slice_codeunits(texts, 0, 20_000), "NFKC")
    texts = pc.replace_substring_regex(texts, "[\u0640\u200b\u200d-\u200f\u202a-\u202e]+", "")
    texts = pc.replace_substring_regex(texts, _NOISE, " ")
    texts = pc.utf8_lower(pc.utf8_slice_codeunits(texts, 0, 1000))
    counts = _count_letters(texts)
    weights = pd.DataFrame({name: count * _WEIGHT.get(name, 1) for name, count in counts.items()})
    script = weights.idxmax(axis="columns").mask(weights.max(axis="columns") <= 0, "none")
    # Japanese is written with more Han than Kana.
    script = script.mask((script == "Han") & (weights["Kana"] * 10 > weights["Han"]), "Kana").to_numpy()
    found = {}
    for name, rules in SCRIPTS.items():
        at = np.flatnonzero(script == name)
        if len(at):
            found[name] = (at, rules.ours, _score_script(texts.take(at), rules))
    at = np.flatnonzero(script == "Han")
    if len(at):
        japanese = pc.count_substring_regex(texts.take(at), _JAPAN).to_numpy() * 15 > counts["Han"][at]
        found["Han"] = (at, ("zh",), np.column_stack([np.where(japanese, 0, 5), np.where(japanese, 2, 0)]))
    return _assemble(script, found)


def _count_letters(texts: pa.Array) -> dict[str, np.ndarray]:
    """Return how many letters of each script each text has."""
    counts = {}
    length = pc.utf8_length(texts).to_numpy()
    for name, found in _LETTERS.items():  # taking out runs is five times as fast as counting letters
        texts = pc.replace_substring_regex(texts, found + "+", "")
        rest = pc.utf8_length(texts).to_numpy()
        counts[name], length = length - rest, rest
    return counts


def _assemble(script: np.ndarray, found: dict[str, tuple]) -> pd.DataFrame:
    scores = pd.DataFrame(-np.inf, range(len(script)), _COLUMNS, dtype="float32")
    scores[OTHER] = np.float32(0)
    for at, ours, values in found.values():
        scores.loc[at, [*ours, OTHER]] = values.astype("float32")
    return scores.assign(script=script)


def _score_script(texts: pa.Array, rules: Script) -> np.ndarray:
    """Return the scores of the script's own languages and, last, of the best of all others."""
    bare = pc.replace_substring_regex(texts, rules.dropped, "")
    for old, new in rules.same:
        bare = pc.replace_substring_regex(bare, old, new)
    bare = pc.replace_substring_regex(bare, rules.between, " ")
    bare = pc.utf8_trim(bare, " ")
    counts = _count_words(bare, rules)
    words = (pc.count_substring(bare, " ").to_numpy() + 1)[:, None]
    share = counts / words
    own = len(rules.ours)
    ours = _WORD * counts[:, :own] + _SHARE * share[:, :own]
    foreign = rules.foreign_word * counts[:, own:] + rules.foreign_share * share[:, own:]
    values = np.column_stack([ours, foreign.max(axis=1)])
    # Several words that no list has are a romanised text rather than English.
    strange = words[:, 0] - counts.max(axis=1) - 2 * counts[:, :own].max(axis=1) - 1
    values[:, -1] += rules.doubt + rules.strange * np.maximum(strange, 0)
    padded = pc.binary_join_element_wise(" ", pc.replace_substring_regex(texts, rules.between, " "), " ", "")
    for code, found, weight in rules.letters:
        seen = np.minimum(pc.count_substring_regex(padded, found).to_numpy(), 4)
        values[:, [*rules.ours, OTHER].index(code)] += weight * seen
    # lingua is slow, so it is asked only where it could change the answer.
    best = np.sort(values, axis=1)
    unsure = np.flatnonzero(best[:, -1] - best[:, -2] < _LINGUA)
    if len(unsure):
        values[unsure] += _ask_lingua(padded.take(unsure), rules)
    return values


def _count_words(texts: pa.Array, rules: Script) -> np.ndarray:
    """Return how many words of each text are everyday words of each language of the script."""
    vocabulary, member = _vocabulary(rules.name)
    words = pc.split_pattern(texts, " ")
    text = pc.list_parent_indices(words).to_numpy()
    word = pc.list_flatten(words).dictionary_encode()
    row = pc.index_in(word.dictionary, vocabulary).fill_null(len(vocabulary)).to_numpy().copy()
    # "goooood" is looked up as "good", "god" and, where that fails, with no letter doubled.
    strange = np.flatnonzero(row == len(vocabulary))
    stretched = pd.Series(word.dictionary.take(strange).to_pylist(), strange, dtype="object").str[:40]
    stretched = stretched[stretched.map(re.compile(r"(.)\1").search).notna()]
    for run, short in ((r"(.)\1\1+", r"\1\1"), (r"(.)\1\1+", r"\1"), (r"(.)\1+", r"\1")):
        tried = pa.array(stretched.str.replace(run, short, regex=True), pa.string())
        at = pc.index_in(tried, vocabulary).fill_null(len(vocabulary)).to_numpy()
        row[stretched.index] = np.minimum(row[stretched.index], at)
    rows = row[word.indices.to_numpy()]
    counts = [np.bincount(text, weights=column[rows], minlength=len(texts)) for column in member]
    return np.column_stack(counts)


@cache
def _vocabulary(script: str) -> tuple[pa.Array, np.ndarray]:
    """Return the words of all languages of a script, and language x word whether it is one of its words."""
    words = list_words(script)
    vocabulary = sorted(frozenset().union(*words.values()))
    member = np.zeros((len(words), len(vocabulary) + 1), "float32")  # the last is for words not listed
    for row, some in zip(member, words.values(), strict=True):
        row[:-1] = [word in some for word in vocabulary]
    return pa.array(vocabulary, pa.string()), member


@cache
def _detector(rules: Script) -> LanguageDetector:
    languages = [getattr(Language, name) for name in rules.lingua.split()]
    return LanguageDetectorBuilder.from_languages(*languages).build()


def _ask_lingua(texts: pa.Array, rules: Script) -> np.ndarray:
    """Return the log probabilities of the script's own languages and of the best other, by lingua."""
    names = [getattr(Language, name) for name in rules.lingua.split()]
    asked = pc.utf8_slice_codeunits(texts, 0, 150).to_pylist()
    ranked = _detector(rules).compute_language_confidence_values_in_parallel(asked)
    found = [{value.language: value.value for value in values} for values in ranked]
    values = np.array([[of[name] for name in names] for of in found])
    own = len(rules.ours)
    values = np.column_stack([values[:, :own], values[:, own:].max(axis=1)])
    return np.maximum(np.log(values + 1e-9), -_LINGUA)


def _weigh_sources(values: np.ndarray, scripts: pd.Series, sources: pd.Series) -> np.ndarray:
    """Return what to add to the scores, by the mix of sure texts of the same source and script."""
    best = np.sort(values, axis=1)
    sure = (best[:, -1] - best[:, -2]) >= 3
    group = pd.MultiIndex.from_arrays([sources.astype("str"), scripts.astype("str")]).factorize()[0]
    counts = np.zeros((group.max(initial=-1) + 1, values.shape[1]))
    np.add.at(counts, (group[sure], values.argmax(axis=1)[sure]), 1)
    prior = np.log(counts + 1)
    prior -= prior.max(axis=1, keepdims=True)
    return np.maximum(prior, -_PRIOR)[group].astype("float32")
