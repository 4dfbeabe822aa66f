"""The one spelling in which rules and verbatims meet: scripts, dialects and habits of writing are evened out."""

import re

from vocwb.languages import ZWNJ, normalise_text
from vocwb.understand.han import SIMPLIFIED

_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_LATIN_WORD = re.compile(r"[0-9]*[a-z][a-z0-9]*")
_CYRILLIC = re.compile(r"[\u0400-\u04ff]")
# Bulgarian in Latin letters (shlyokavitsa), longest first; 4 and 6 stand for sounds only inside a word.
_SOUNDS = {
    "sht": "щ", "6t": "щ", "dzh": "дж", "dj": "дж", "zh": "ж", "ch": "ч", "sh": "ш", "ts": "ц", "tz": "ц", "kh": "х",
    "ya": "я", "ia": "я", "yu": "ю", "iu": "ю", "yo": "йо", "4": "ч", "6": "ш",
    **dict(zip("abcdefghijklmnopqrstuvwxz", "абцдефгхижклмнопярстуввхз", strict=True)),
}  # fmt: skip
_SOUND = re.compile("|".join(sorted(_SOUNDS, key=len, reverse=True)))
_YOT = re.compile(r"(?<=[aeiou])y(?![auo])|y(?=[ei])")
# Who writes in Latin letters writes ъ as a, u or y, and й as i: of these letters one is kept.
_SKELETON = str.maketrans({"ъ": "а", "у": "а", "й": "и", "ь": "и"})


def spell_text(text: str, language: str) -> str:
    """Return a text, or a pattern of a rule, in the spelling in which they are compared; it is never stored.

    `languages.normalise_text`, and besides: no web addresses, ' for ’; Chinese in simplified characters; Bulgarian
    words in Latin letters in Cyrillic ones ("mnogo" -> "много"). Not evened out: Persian in Latin letters
    (Finglish), Arabic in Latin letters and digits (Arabizi).

    >>> spell_text("服務很慢", "zh"), spell_text("mnogo dobre, 4ovek", "bg")
    ('服务很慢', 'много добре, човек')
    """
    text = normalise_text(text, language).replace("’", "'").strip()
    if "/" in text or "www." in text:
        text = _ADDRESS.sub(" ", text)
    if language == "zh":
        return text.translate(SIMPLIFIED)
    if language == "bg":
        return _LATIN_WORD.sub(_transliterate, text)
    return text


def is_latin_bulgarian(text: str) -> bool:
    """Tell whether a text that is said to be Bulgarian is written in Latin letters alone.

    >>> is_latin_bulgarian("mnogo dobre"), is_latin_bulgarian("много dobre"), is_latin_bulgarian("5")
    (True, False, False)
    """
    return not _CYRILLIC.search(text.casefold()) and bool(_LATIN_WORD.search(text.casefold()))


def skeleton_of(text: str) -> str:
    """Return a Bulgarian text, as `spell_text` returns it, with letters as one that Latin spelling does not tell apart.

    >>> skeleton_of("добър") == skeleton_of(spell_text("dobur", "bg")) == skeleton_of(spell_text("dobar", "bg"))
    True
    """
    return text.translate(_SKELETON).replace("ия", "я")


def join_parts(text: str, language: str) -> str:
    """Return a key of a spelt text: Persian compounds are written with a ZWNJ, a space or joined.

    >>> join_parts("بی کیفیت", "fa")
    'بیکیفیت'
    """
    return text.replace(ZWNJ, "").replace(" ", "") if language == "fa" else text


def _transliterate(match: re.Match) -> str:
    word = _YOT.sub("й", match[0]) if "y" in match[0] else match[0]
    return _SOUND.sub(lambda sound: _SOUNDS[sound[0]], word).replace("y", "ъ")
