"""Flags what is no customer's voice (tests of a form, spam), and finds and cuts what a system adds to texts."""

import re
from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vocwb.collect.duplicates import fold_texts, weigh_text

_TESTS = {
    "test", "testing", "тест", "тества", "тествам", "تست", "تستی", "اختبار", "test123",
    "testtest", "тесттест", "testing123",
}  # fmt: skip
_FILLERS = {
    "a", "abc", "again", "am", "an", "and", "comment", "data", "delete", "disregard", "email", "entry", "feedback",
    "form", "from", "hello", "hi", "i", "ignore", "is", "it", "just", "mail", "message", "my", "of", "one", "only",
    "page", "please", "pls", "response", "review", "row", "sample", "survey", "text", "the", "this", "three",
    "ticket", "to", "two", "user", "xx", "xxx", "това", "е", "само", "моля", "игнорирайте", "здравейте", "съобщение",
    "این", "یک", "است", "فقط", "پیام", "لطفا", "نادیده", "بگیرید", "هذا", "هذه", "رسالة", "مجرد", "تجاهل",
    "يرجى", "الرجاء", "تجريبي", "تجريبية",
}  # fmt: skip
_HAN_TEST = re.compile(
    "(?:这|這|这只|這只)?(?:只)?是?(?:一?[个個条條])?(?:测试|測試)"
    "(?:一下|而已|中|用|数据|資料|文字|消息|訊息|信息|评论|評論|邮件|郵件|测试|測試)*(?:[请請](?:忽略|勿回复|勿回覆))?"
)
_LATIN = "qwertyuiop asdfghjkl zxcvbnm"
_KEYBOARDS = {
    "QWERTY": _LATIN,
    "Bulgarian (BDS 5237)": "уеишщксдзц ьяаожгтнвмч юйъэфхпрлб",
    "Bulgarian phonetic": "явертъуиопшщ асдфгхйкл зьцжбнм",
    "Russian": "йцукенгшщзхъ фывапролджэ ячсмитьбю",
    "Persian": "ضصثقفغعهخحجچ شسیبلاتنمکگ ظطزرذدپو",
    "Arabic": "ضصثقفغعهخحجد شسيبلاتنمكط ئءؤرىةوزظ",
}
_ROWS = tuple({row for rows in _KEYBOARDS.values() for row in rows.split()})
_LOREM = re.compile(r"lorem\W+ipsum\W+dolor", re.I)
_ADDRESS = re.compile(r"https?://|www\.|\[(?:URL|EMAIL|PHONE)\]|\b(?:t|wa)\.me/|\d(?:[ ()-]{0,2}\d){8}", re.I)

_LINE = re.compile(r"\s*\n\s*")
_SENTENCE = re.compile(
    r"(?<=[.!?…؟])\s+|(?<=[。！？])(?!$)\s*|(?<=\))\s+|\s*\n\s*|\s+(?=(?:Read|Show|See) (?:more|less)$)"
)
_SYSTEM = re.compile(
    r"sent (?:from|via|with) (?:my |the )?\w|get outlook for|(?:read|show|see) (?:more|less)\W*$"
    r"|\(?translated (?:by|from)\b|\(original\)|изпратено от (?:моя|iphone)|\(?преведено от google"
    r"|ارسال شده از|\(?ترجمه شده|[أا]رسلت من|مرسل من|\(?ترجمة google|[发發]自我的|[從从]我的 ?\w+ ?(?:傳送|寄出|发送)"
    r"|\(?(?:由|已由) ?google|\(原文\)|\(原始",
    re.I,
)
_LONG = 25
_PLACES = {0: "start", -1: "end"}
_COURTESY = re.compile(
    r"thank|regard|sincerely|cheers|best wishes|appreciat|благодар|поздрав|уважени|ممنون|متشکر|سپاس|تشکر|شكر|تحيات"
    r"|谢|謝|祝",
    re.I,
)


def flag_feedback(feedback: pd.DataFrame, *, fewest: int = 5) -> pd.Series:
    """Return for each verbatim "test", "spam" or missing; a flag is for people to look at and removes nothing.

    Needs feedback_id, verbatim, duplicate_of (as `mark_duplicates` finds it), received_at, respondent_id
    (missing where unknown), without repeats of one record of the source.

    "test": the whole verbatim is what people type to try a form: words for test, with or without words such as
    "please ignore"; a run of neighbouring keys of a Latin, Bulgarian, Russian, Persian or Arabic keyboard (4
    from the end of a row, or 6); xxx; lorem ipsum.

    "spam": copies of one long text, `fewest` or more: of one respondent within a day; or of any, within a
    week (or without dates), of which half carry a web or mail address or a telephone number. What many people
    say in words of their own, or in one letter without an address, is no spam.

    >>> flag_feedback(pd.DataFrame({"feedback_id": ["a", "b", "c"], "duplicate_of": None, "respondent_id": None,
    ...     "verbatim": ["TEST, please ignore", "asdf asdf", "The test drive was great"],
    ...     "received_at": pd.to_datetime([None] * 3, utc=True)})).fillna("").tolist()
    ['test', 'test', '']
    """
    frame = feedback.reset_index(drop=True).astype({"verbatim": "str"})
    tests = frame["verbatim"].isin([text for text in _list_short(frame["verbatim"]) if _is_test(text)])
    copies = frame.assign(original=frame["duplicate_of"].fillna(frame["feedback_id"]))
    copies = copies[copies["original"].duplicated(keep=False)].sort_values(["received_at", "feedback_id"])
    address = copies["verbatim"].str.contains(_ADDRESS).groupby(copies["original"]).transform("mean") >= 0.5
    adverts, known = copies[address], copies[copies["respondent_id"].notna()]
    undated = adverts[adverts["received_at"].isna()]
    undated = undated[undated.groupby("original")["original"].transform("size") >= fewest]
    spam = undated.index.union(_find_crowds(adverts, ["original"], fewest, "7D"))
    spam = spam.union(_find_crowds(known, ["original", "respondent_id"], fewest, "1D"))
    flags = pd.Series(None, index=frame.index, dtype="str", name="flag")
    flags[spam] = "spam"
    return flags.mask(tests, "test").set_axis(feedback.index)


def _list_short(texts: pd.Series) -> Iterable[str]:
    """Return the different texts that are short enough for a test, or hold lorem ipsum: the others are no test."""
    array = pa.chunked_array(pa.array(texts))
    short = pc.less_equal(pc.count_substring_regex(array, r"\pL+"), 10)
    lorem = pc.match_substring(array, "lorem", ignore_case=True)
    return pc.unique(array.filter(pc.or_(short, lorem))).to_pylist()


def _find_crowds(copies: pd.DataFrame, by: list[str], fewest: int, within: str) -> pd.Index:
    """Return the rows (sorted by time) of which `fewest` of one group stand within a time."""
    copies = copies[copies["received_at"].notna()]
    groups = copies.groupby(by, sort=False)["received_at"]
    starts = groups.shift(1 - fewest) - copies["received_at"] <= pd.Timedelta(within)
    starts = starts.groupby([copies[name] for name in by], sort=False)
    found = pd.concat([starts.shift(k, fill_value=False) for k in range(fewest)], axis="columns").any(axis=1)
    return copies.index[found]


def _is_test(text: str) -> bool:
    if _LOREM.search(text):
        return True
    if len(text) > 200:
        return False
    words = re.findall(r"[^\W\d_]+", text.lower())
    if not words or len(words) > 10:
        return False
    if _HAN_TEST.fullmatch("".join(words)):
        return True
    typed = [word in _TESTS or _is_walk(word) for word in words]
    if not any(typed):
        return all(re.fullmatch("x{3,}", word) for word in words)
    return all(sure or word in _FILLERS for sure, word in zip(typed, words, strict=True))


def _is_walk(word: str) -> bool:
    """Return whether a word is one run along a row of keys, once or again and again ("asdfasdf")."""
    for times in range(1, len(word) // 4 + 1):
        run, rest = word[: -(-len(word) // times)], word
        if len(run) < 4 or not (run * times).startswith(rest):
            continue
        for row in _ROWS:
            if (len(run) >= 6 and (run in row or run in row[::-1])) or row.startswith(run):
                return True
    return False


def find_boilerplate(
    texts: pd.Series, respondents: pd.Series | None = None, *, fewest: int = 20, share: float = 0.005
) -> pd.DataFrame:
    """Return what a system seems to add to the texts of one source: text, place (start, end), count, share (0-1).

    A line or sentence is boilerplate if it opens or closes `fewest` different texts or more, `share` of them
    or more, and those of `fewest` respondents where `respondents` (same index) are known; if hardly any
    of them (1 in 20) writes it in another way, as people do with what they type; and if it is either worded
    as only systems speak ("Sent from my ...", "Read less") or has 25 letters (8 of Chinese) and no thanks or
    greeting. Longer headers and footers are found part by part, from the outside. `share` is of the
    different texts. The table is for a person to check before `cut_boilerplate`.

    >>> texts = pd.Series([f"Item {n} broke.\\nSent from my phone" for n in range(20)])
    >>> find_boilerplate(texts).values.tolist()
    [['Sent from my phone', 'end', 20, 1.0]]
    """
    texts = texts.dropna().astype("str").str.strip().drop_duplicates()
    people = pd.Series(None, index=texts.index) if respondents is None else respondents.reindex(texts.index)
    rest, found = texts, pd.DataFrame(columns=["text", "place", "count", "share"])
    enough = max(fewest, share * len(texts))
    levels = [_LINE, _SENTENCE]
    while levels:
        units = _count_ends(rest, people, levels[0])
        known = units["unknown"] | (units["people"] >= fewest)
        units = units[known & (units["count"] >= enough) & (units["count"] >= 0.95 * units["alike"])]
        units = units[[_is_system(*names) for names in zip(units["text"], units["folded"], strict=True)]]
        if units.empty:
            levels = levels[1:]
            continue
        found = pd.concat([found, units.assign(share=units["count"] / len(texts))[list(found)]])
        rest, _ = cut_boilerplate(rest, found)
    return found.sort_values(["place", "count", "text"], ascending=[True, False, True], ignore_index=True)


def cut_boilerplate(texts: pd.Series, boilerplate: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Return the texts without what `boilerplate` (text, place) opens and closes them with, and what was cut.

    Cut parts of one text stand in their order, a line each; missing where nothing was. A text that holds
    nothing else stays whole, for somebody may have meant it.

    >>> known = pd.DataFrame({"text": ["Sent from my phone"], "place": ["end"]})
    >>> [kept.tolist() for kept in cut_boilerplate(pd.Series(["Late again!\\nSent from my phone"]), known)]
    [['Late again!'], ['Sent from my phone']]
    """
    known = {place: set(boilerplate.loc[boilerplate["place"] == place, "text"]) for place in _PLACES.values()}
    pieces = {text: _peel(text, known["start"], known["end"]) for text in texts.dropna().unique()}
    kept = texts.map({text: kept for text, (kept, _) in pieces.items()}).astype("str")
    return kept, texts.map({text: cut for text, (_, cut) in pieces.items()}).astype("str").rename("cut")


def _count_ends(texts: pd.Series, people: pd.Series, breaks: re.Pattern) -> pd.DataFrame:
    """Count what opens and what closes the texts: as it is written, and as it is folded (alike)."""
    parts = texts.map(breaks.split)
    ends = [pd.DataFrame({"text": parts.str[at], "place": place}) for at, place in _PLACES.items()]
    ends = pd.concat([end[parts.str.len() > 1] for end in ends])
    ends = ends.assign(by=people.reindex(ends.index), folded=fold_texts(ends["text"]))
    ends = ends.assign(
        alike=ends.groupby(["folded", "place"])["text"].transform("size"), unknown=ends["by"].isna()
    )
    return ends.groupby(["text", "place"], as_index=False).agg(
        count=("text", "size"), people=("by", "nunique"), unknown=("unknown", "any"), alike=("alike", "first"),
        folded=("folded", "first"),
    )  # fmt: skip


def _is_system(text: str, folded: str) -> bool:
    return _SYSTEM.match(text) is not None or (weigh_text(folded) >= _LONG and not _COURTESY.search(text))


def _peel(text: str, opens: set[str], closes: set[str]) -> tuple[str, str | None]:
    rest, before, after = text.strip(), [], []
    while True:
        first = next((unit for unit in _units(rest, 0) if unit in opens), None)
        last = next((unit for unit in _units(rest, -1) if unit in closes), None)
        if rest in (first, last):
            return text, None
        if first:
            before.append(first)
            rest = rest.removeprefix(first).lstrip()
        elif last:
            after.insert(0, last)
            rest = rest.removesuffix(last).rstrip()
        else:
            return (rest, "\n".join(before + after)) if before or after else (text, None)


def _units(text: str, at: int) -> list[str]:
    return [breaks.split(text)[at] for breaks in (_LINE, _SENTENCE)]
