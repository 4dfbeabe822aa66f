"""Finds the names that a source gives for a record in that record's own texts."""

import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from vocwb.collect.personal_contacts import keep_apart
from vocwb.languages import stop_words

_HAN = r"\u3400-\u9fff"
# Words that stand in name columns and name nobody.
_NOBODY_WORDS = (
    "anonymous anonym unknown none null nan guest user customer client agent support admin administrator"
    " staff team operator bot system test google facebook amazon member visitor caller patient deleted private"
    " name mr mrs ms miss dr prof sir madam анонимен клиент потребител гост оператор екип господин госпожа г-н"
    " г-жа ناشناس کاربر مشتری مهمان پشتیبان پشتیبانی اپراتور آقای خانم مجهول مستخدم عميل زائر موظف السيد"
    " السيدة 匿名 匿名用户 匿名用戶 用户 用戶 客户 客戶 客服 访客 訪客 游客 先生 小姐 女士"
)
_NOBODY = frozenset(_NOBODY_WORDS.split())
_BEFORE_NAME = (
    r"(?:آقای|آقا|خانم|جناب|سرکار|دکتر|مهندس|استاد|من|اسمم|نامم|همکارتان|همکارتون|پشتیبان|اپراتور|کارشناس"
    r"|السيدة?|الأستاذة?|الاستاذة?|الدكتورة?|دكتورة?|المهندسة?|الأخت?|أخت?ي?|اسمي|معكم?|معك|أنا|الموظفة?"
    r"|للموظفة?|الموظف|موظف[ةه]?|المندوب)\s+"
)
_EDGE = r"[\s.,:;!?،؛…\-–—()\"'«»]*"


def find_names(text: str, names: Iterable[str]) -> list[tuple[int, int, str]]:
    """Return start, end and [NAME] of each given name, and of such of its parts as can only be a name.

    A whole name is found where it is written with capitals (in scripts that have them). A part counts from
    three letters on if it is no stop word of the five languages: capitalised in Latin and Cyrillic; in
    Arabic script from six letters on, after a title or a word such as "I am", or alone between marks (a
    signature), since everyday words are given names there; in Chinese the given name of two characters,
    never a surname alone. A mask (XXXX) and words such as "anonymous" name nobody.

    >>> find_names("Thanks, Ann. Will you call?", ["Ann Will"])
    [(8, 11, '[NAME]')]
    """
    found = [
        (*match.span("name"), "[NAME]")
        for name in names
        if has_name(text, [name])
        for pattern in _patterns(name)
        for match in pattern.finditer(text)
    ]
    return keep_apart(found)


def has_name(text: str, names: Iterable[str]) -> bool:
    """Return whether a text holds a part of a name at all: quick, since most texts hold none.

    >>> has_name("prose", ["Rose Hart"]), has_name("thanks", ["Rose Hart"])
    (True, False)
    """
    lowered = text.casefold()
    for parts in map(_parts, names):
        long = [part for part in parts if len(part) > 2 and part not in _everyday()]
        is_han = bool(parts) and re.match(f"[{_HAN}]", parts[0])
        if (is_han and parts[-1][-2:] in lowered) or any(part in lowered for part in long):
            return True
        if parts and all(part in lowered for part in parts):
            return True
    return False


@lru_cache(100_000)
def _parts(name: str) -> tuple[str, ...]:
    """Return the parts of a name, in lower case; none if it names nobody."""
    parts = tuple(part for part in re.split(r"[\s.,_|/()·•‧]+", name.casefold().strip()) if part)
    letters = "".join(parts)
    if len(letters) < 2 or set(letters) <= set("x*-") or not any(map(str.isalpha, letters)):
        return ()
    return () if all(part in _NOBODY or part in _everyday() for part in parts) and len(parts) < 2 else parts


@cache
def _everyday() -> frozenset[str]:
    return _NOBODY.union(*(stop_words(language) for language in ("en", "fa", "ar", "bg", "zh")))


def _patterns(name: str) -> Iterator[re.Pattern]:
    """Yield the patterns of a whole name, then of its parts; the name itself is the group `name`."""
    parts = _parts(name)
    if all(part in _NOBODY for part in parts):
        return
    gap = r"[\s·]{0,2}" if re.search(f"[{_HAN}]", name) else r"[\s_·•‧-]{1,2}"
    ends = [r"\.?" if len(part) == 1 else "" for part in parts]
    joined = gap.join(_spell(part) + end for part, end in zip(parts, ends, strict=True))
    if re.search(f"[{_HAN}]", parts[0]):
        yield re.compile(f"(?P<name>{joined})")
        given = "".join(parts)[-2:]
        if re.fullmatch(f"[{_HAN}]{{3,4}}", "".join(parts)) and given not in _everyday():
            yield re.compile(f"(?P<name>{given})")
        return
    if len(parts) > 1:
        yield re.compile(rf"(?<!\w)(?P<name>{joined})(?!\w)")
    for part in parts:
        if len(part) < 3 or part in _everyday():
            continue
        word = rf"(?<!\w)(?P<name>{_spell(part)})(?!\w)"
        if re.search(r"[\u0600-\u06ff]", part):
            yield re.compile(f"{_BEFORE_NAME}{word}")
            yield re.compile(word if len(part) > 5 else rf"(?:^|[.!?،؛\n]){_EDGE}{word}(?={_EDGE}(?:$|\n))")
        elif len(parts) > 1 or not part.isalpha():
            yield re.compile(word)
        else:  # a display name may be any word: at the head of a sentence it has a capital by right
            yield re.compile(rf"(?:(?<=\w )|(?<=[\w ][,;:-] )){word}")
            yield re.compile(rf"(?<=[\w,.!]\n){word}(?=\s*$)")


def _spell(part: str) -> str:
    """Return the pattern of one part with its capital, or all in capitals; a script without them as it is."""
    whole = part.upper()
    if whole == part:
        return re.escape(part)
    return f"(?:{re.escape(part[:1].upper() + part[1:])}|{re.escape(whole)})"
