"""Tells the language of each verbatim among the declared ones; what is none of them is "other"."""

import re
from collections.abc import Iterable
from functools import cache, partial

import pandas as pd
from lingua import ConfidenceValue, Language, LanguageDetector, LanguageDetectorBuilder
from stopwordsiso import stopwords

OTHER = "other"

# Which languages are told apart within a script. lingua alone, without neighbours to confuse a language
# with, calls every text of the script by the one name it knows (STACK: every Latin text is English at 1.0).
_NEIGHBOURS = {
    "Latin": "ENGLISH FRENCH GERMAN SPANISH ITALIAN PORTUGUESE DUTCH TURKISH POLISH INDONESIAN ROMANIAN SWEDISH",
    "Arabic": "ARABIC PERSIAN URDU",
    "Cyrillic": "BULGARIAN RUSSIAN UKRAINIAN MACEDONIAN SERBIAN",
}
_OURS = {"ENGLISH": "en", "PERSIAN": "fa", "ARABIC": "ar", "BULGARIAN": "bg", "CHINESE": "zh"}
_NATIVE = {
    "farsi": "fa", "فارسی": "fa", "per": "fa", "العربية": "ar", "عربي": "ar", "български": "bg", "中文": "zh",
    "繁體中文": "zh", "简体中文": "zh", "mandarin": "zh", "cmn": "zh", "chi": "zh",
}  # fmt: skip
_NOISE = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\w+|@\w+|\[[A-Z]+\]")
_SCRIPTS = {
    "Latin": re.compile(r"[A-Za-zÀ-ɏ]"),
    "Arabic": re.compile(r"[\u0620-\u065f\u066e-\u06d3\u06fa-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]"),
    "Cyrillic": re.compile(r"[\u0400-\u052f]"),
    "Han": re.compile(r"[\u3400-\u9fff\uf900-\ufaff]"),
    "Kana": re.compile(r"[\u3040-\u30ff]"),
    "Hangul": re.compile(r"[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]"),
    "Else": re.compile(r"[\u0370-\u03ff\u0530-\u05ff\u0900-\u10ff]"),
}
# A Chinese character says about as much as three letters, an Arabic word is written without its vowels.
_WEIGHT = {"Han": 3, "Kana": 3, "Hangul": 3, "Arabic": 1.5}
_NOT_OURS = {
    "Arabic": re.compile(r"[ٹڈڑںےہھۓڵڕێۆەټډړښځڅڼ]"),  # Urdu, Kurdish, Pashto
    "Cyrillic": re.compile(
        r"[ыэёіїєґўјљњћђџќѓѕ]", re.I
    ),  # Russian, Ukrainian, Belarusian, Serbian, Macedonian
}
_PERSIAN = re.compile(r"[پچژگیک\u200c]")
_ARABIC = re.compile(r"[ةىيكأإؤئ]|\bال|\bوال|\bبال")
_PERSIAN_WORD = re.compile(
    r"\b(?:از|که|این|را|رو|با|برای|خیلی|است|بود|هم|من|ولی|اما|شد|نیست|های?|می\w*|نمی\w*|خوب|بد|اصلا)\b"
)
_ARABIC_WORD = re.compile(
    r"\b(?:من|في|على|هذا|هذه|لا|ما|لم|جدا|كان|التي|الذي|مع|عن|إلى|الى|مش|مو|ولا|بس|كل)\b"
)


def identify_languages(texts: pd.Series, declared: Iterable[str]) -> pd.Series:
    """Return the language of each text: one of the declared codes, or "other".

    The script is counted first, without web addresses, handles and mail addresses; letters that only one
    language has come next, then lingua (Stahl 2021) among the languages of that script. A text without
    letters, in a language that is not declared, or in a romanised spelling is "other".

    >>> identify_languages(pd.Series(["很好用", "عالی بود", "Très bon accueil, merci", "👍"]), ["fa", "zh"]).tolist()
    ['zh', 'fa', 'other', 'other']
    """
    declared = set(declared)
    unique = pd.Series(texts.dropna().unique(), dtype="str")
    # A thousand letters are enough, and lingua takes seconds over a very long word.
    plain = unique.str[:3000].str.replace(_NOISE, " ", regex=True).str[:1000]
    weights = pd.DataFrame(
        {name: plain.str.count(found) * _WEIGHT.get(name, 1) for name, found in _SCRIPTS.items()}
    )
    script = weights.idxmax(axis="columns").where(weights.max(axis="columns") > 0, "none")
    # Japanese is written with more Han than Kana.
    script = script.mask((script == "Han") & (weights["Kana"] * 10 > weights["Han"]), "Kana")
    language = pd.Series(OTHER, index=unique.index, dtype="str")
    language[script == "Han"] = "zh"
    tells = {
        "Latin": _tell_latin,
        "Arabic": partial(_tell_arabic, declared=declared),
        "Cyrillic": _tell_cyrillic,
    }
    for name, tell in tells.items():
        at = plain.index[script == name]
        if len(at):
            language[at] = tell(plain[at])
    language = language.where(language.isin(declared), OTHER)
    return texts.map(dict(zip(unique, language, strict=True))).fillna(OTHER).astype("str")


def read_language_name(name: str, declared: Iterable[str]) -> str | None:
    """Return the code that a source's own name of a language stands for, "other" for one that is not declared.

    Takes ISO 639 codes with or without a region, English names and native names; None for what names no
    language.

    >>> [read_language_name(name, ["en", "fa"]) for name in ("en-US", "Farsi", "zh_TW", "n/a")]
    ['en', 'fa', 'other', None]
    """
    words = re.split(r"[-_(,;/\s]", name.strip().lower(), maxsplit=1)
    code = _language_names().get(words[0])
    return code if code is None or code in set(declared) else OTHER


@cache
def _language_names() -> dict[str, str]:
    names = dict(_NATIVE)
    for language in Language.all():
        code = _OURS.get(language.name, OTHER)
        for name in (language.name, language.iso_code_639_1.name, language.iso_code_639_3.name):
            names[name.lower()] = code
    return names


@cache
def _detector(script: str) -> LanguageDetector:
    languages = [getattr(Language, name) for name in _NEIGHBOURS[script].split()]
    return LanguageDetectorBuilder.from_languages(*languages).build()


def _rank(texts: pd.Series, script: str) -> list[list[ConfidenceValue]]:
    return _detector(script).compute_language_confidence_values_in_parallel(texts.tolist())


@cache
def _english_words() -> frozenset[str]:
    # Those that feedback of two or three words is made of, and that the list of function words lacks.
    more = (
        "love nice poor slow late fast quick easy staff friendly helpful price delivery refund customer thnx"
    )
    return frozenset(word for word in stopwords("en") if len(word) > 1) | {"i", "a", *more.split()}


def _tell_latin(texts: pd.Series) -> list[str]:
    """Call English what has everyday English words, or what lingua calls English and is too short to have any.

    Romanised Persian and Arabic get any name from lingua, but have no English function words.
    """
    common = [_share_common(text) for text in texts]
    # Half everyday English words in a whole sentence leave nothing to ask of lingua, which is slow.
    plain = pd.Series([count >= 5 and share >= 0.5 for count, share in common], texts.index)
    ranks = iter(_rank(texts[~plain], "Latin"))
    result = []
    for (count, share), is_english in zip(common, plain, strict=True):
        if not is_english:
            ranked = next(ranks)
            best = ranked[0]
            if best.language == Language.ENGLISH:
                is_english = share >= 0.15 or count <= 4 or (count <= 8 and best.value > 0.8)
            else:  # a short English text is often called something else, but seldom surely
                sure = best.value - max(v.value for v in ranked if v.language == Language.ENGLISH)
                is_english = share >= 0.5 or (share >= 0.25 and sure < 0.3) or (count <= 2 and sure < 0.15)
        result.append("en" if is_english else OTHER)
    return result


def _share_common(text: str) -> tuple[int, float]:
    words = re.findall(r"[a-zà-ɏ]+", text.lower().replace("'", "").replace("’", ""))
    return len(words), sum(word in _english_words() for word in words) / max(len(words), 1)


def _tell_arabic(texts: pd.Series, *, declared: set[str]) -> list[str]:
    """Tell Persian from Arabic by letters, everyday words and lingua; in doubt it is the one that is declared."""
    result = []
    for text, ranked in zip(texts, _rank(texts, "Arabic"), strict=True):
        letters = len(_SCRIPTS["Arabic"].findall(text))
        if len(_NOT_OURS["Arabic"].findall(text)) * 20 > letters:
            result.append(OTHER)
            continue
        persian = len(_PERSIAN.findall(text)) + 3 * len(_PERSIAN_WORD.findall(text))
        arabic = len(_ARABIC.findall(text)) + 3 * len(_ARABIC_WORD.findall(text))
        value = {v.language: v.value for v in ranked}
        persian += letters / 8 * value[Language.PERSIAN]
        arabic += letters / 8 * value[Language.ARABIC]
        doubt = 4 * (("fa" in declared) - ("ar" in declared))
        result.append("fa" if persian + doubt > arabic else "ar")
    return result


def _tell_cyrillic(texts: pd.Series) -> list[str]:
    """Call Bulgarian what has no letter of its neighbours, unless lingua is sure of a longer text."""
    result = []
    for text, ranked in zip(texts, _rank(texts, "Cyrillic"), strict=True):
        letters = len(_SCRIPTS["Cyrillic"].findall(text))
        if len(_NOT_OURS["Cyrillic"].findall(text)) * 40 > letters:
            result.append(OTHER)
            continue
        value = {v.language: v.value for v in ranked}
        lead = ranked[0].value - value[Language.BULGARIAN]
        result.append(OTHER if lead > (0.8 if letters < 20 else 0.5) else "bg")
    return result
