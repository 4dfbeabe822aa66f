"""Finds e-mail addresses and handles; what every finder of personal data shares."""

import re
from collections.abc import Iterable, Iterator

Span = tuple[int, int, str]

TAKEN = "\u01c0"
"""Stands for each character of what was found already: a letter that no pattern here takes."""

HAN = r"\u3040-\u30ff\u3400-\u9fff"
_LETTER = r"A-Za-z0-9\u0400-\u04ff"


_MAILERS = r"(?:gmail|yahoo|ymail|hotmail|outlook|icloud|live|msn|aol|proton(?:mail)?|mail|abv|qq|163|126|sina|foxmail)"
_LOCAL = rf"(?<![{_LETTER}._%+@{TAKEN}-])[{_LETTER}_](?:[{_LETTER}._%+'-]{{0,99}}[{_LETTER}_+-])?"
_HOST = rf"[{_LETTER}-]{{1,63}}"
_EMAIL = re.compile(
    rf"{_LOCAL}@{_HOST}(?:\.{_HOST}){{0,5}}\.(?:[A-Za-z]{{2,24}}|[\u0400-\u04ff]{{2,9}}|xn--\w{{2,20}})"
)
# A space beside the sign, or no ending: only where the host is one that gives out addresses.
_LOOSE_EMAIL = re.compile(
    rf"{_LOCAL}(?:(?: @ |@ ?){_MAILERS} ?[.,] ?[a-z]{{2,3}}\b|@{_MAILERS})(?![\w-])", re.I
)
_AT_WORD = r"at|et|а|a|@|кльомба|маймун\w{1,8}|[آا]ت(?: ?ساین)?|آت|艾特|小老鼠|在"
_DOT_WORD = r"dot|точка|нокта|нقطة|نقطه|نقطة|دات|دوت|点|點"
_OPEN, _CLOSE = r"[\[({<（【]", r"[\])}>）】]"
_AT = rf"(?: ?{_OPEN} ?(?:{_AT_WORD}) ?{_CLOSE} ?)"
_BARE_AT = r"(?: at | маймунка | кльомба | [آا]ت ساین | ?艾特 ?| ?小老鼠 ?)"
_DOT = rf"(?: ?{_OPEN} ?(?:\.|{_DOT_WORD}) ?{_CLOSE} ?| (?:{_DOT_WORD}) |点|點)"
_NAME = rf"(?<![{_LETTER}._%+@{TAKEN}-])[A-Za-z0-9_](?:[A-Za-z0-9._+-]{{0,63}}[A-Za-z0-9_])?"
# Searching for plain words first is ten times faster than a pattern of many branches.
_AT_HINTS = ("(", "[", "{", "<", "【", " dot ", "маймун", "кльомба", "ساین", "艾特", "小老鼠")
_AT_MAILER = re.compile(rf" at {_MAILERS}\.")
_HIDDEN_EMAIL = re.compile(
    rf"{_NAME}(?:{_DOT}[A-Za-z0-9_]{{1,63}}){{0,2}}"
    rf"(?:{_AT}[A-Za-z0-9-]{{1,63}}(?:(?:\.|{_DOT})[A-Za-z0-9-]{{1,63}}){{0,3}}(?:\.|{_DOT})[A-Za-z]{{2,24}}"
    rf"|{_BARE_AT}[A-Za-z0-9-]{{1,63}}(?:{_DOT}[A-Za-z0-9-]{{2,24}}){{1,3}}"
    rf"|{_BARE_AT}{_MAILERS}\.[A-Za-z]{{2,3}}\b)",
    re.I,
)


def _has(text: str, words: tuple[str, ...]) -> bool:
    lowered = text.lower()
    return any(word in lowered for word in words)


def find_emails(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield the e-mail addresses, also "ann (at) example dot com" and its like in the five languages.

    >>> list(find_emails("ask ann (at) example dot com", ("GB",), frozenset()))
    [(4, 28, '[EMAIL]')]
    """
    patterns = (_EMAIL, _LOOSE_EMAIL) if "@" in text else ()
    for pattern in (
        (*patterns, _HIDDEN_EMAIL) if _has(text, _AT_HINTS) or _AT_MAILER.search(text) else patterns
    ):
        found = [(*match.span(), "[EMAIL]") for match in pattern.finditer(text)]
        yield from found
        text = mask(text, found)


def keep_apart(found: Iterable[Span]) -> list[Span]:
    """Return what was found in order, and of two that overlap the one that begins first, or is longer.

    >>> keep_apart([(7, 9, "[IP]"), (3, 8, "[ID]"), (0, 3, "[URL]"), (0, 4, "[PHONE]")])
    [(0, 4, '[PHONE]'), (7, 9, '[IP]')]
    """
    apart: list[Span] = []
    for span in sorted(found, key=lambda span: (span[0], -span[1])):
        if not apart or span[0] >= apart[-1][1]:
            apart.append(span)
    return apart


def mask(text: str, found: list[Span]) -> str:
    """Return the text with what was found taken out of sight, every place where it was.

    >>> mask("ask ann@example.com now", [(4, 19, "[EMAIL]")]) == "ask " + TAKEN * 15 + " now"
    True
    """
    pieces, at = [], 0
    for start, end, _ in sorted(found):
        pieces += [text[at:start], TAKEN * (end - start)]
        at = end
    return "".join([*pieces, text[at:]])


_HANDLE = re.compile(
    rf"(?<![{_LETTER}@./{TAKEN}\])}}*])@(?:([A-Za-z0-9_]{{2,40}}(?:[.-][a-z0-9_]{{1,40}}){{0,3}}(?:@{_HOST}(?:\.{_HOST}){{1,4}})?)"
    rf"|((?:[^\W{HAN}{TAKEN}]){{2,40}})|([{HAN}][{HAN}A-Za-z0-9_-]{{0,13}}(?=[\s,.:;!?，。：；！？、）)]|$)))"
    rf"|(?<![\w/])/?u/([A-Za-z0-9_-]{{3,20}})\b"
)
_QUANTITY = re.compile(
    r"\d{1,4}(?:am|pm|h|hrs?|hz|gb|mb|k|rs|rmb|usd|eur|gbp|lv|each|pcs|x|st|nd|rd|th|min)?|\d+(?:rs|usd|eur|gbp|lv|each)",
    re.I,
)
_NOBODY = {
    "home",
    "work",
    "school",
    "night",
    "least",
    "all",
    "everyone",
    "everybody",
    "here",
    "noon",
    "the",
    "my",
    "our",
}
_HOST_END = re.compile(r"\.(?:com|net|org|edu|gov)$")

_SERVICES = (
    r"微信|wechat|weixin|(?<![a-z])[vw]x|telegram|insta(?:gram)?|\big\b|snap(?:chat)?|skype|discord|tiktok"
    r"|抖音|小[红紅]书|line ?id"
    r"|телеграм|инстаграм|скайп|تلگرام|اینستا(?:گرام)?|تليجرام|تلجرام|انستا(?:جرام)?|سناب(?:شات)?"
)
_SERVICE_HINTS = (
    "微信", "wechat", "weixin", "vx", "wx", "telegram", "insta", "ig ", "ig:", "snap", "skype", "discord", "tiktok",
    "抖音", "小红书", "小紅書", "line id", "lineid", "телеграм", "инстаграм", "скайп", "تلگرام", "اینستا", "تليجرام",
    "تلجرام", "انستا", "سناب",
)  # fmt: skip
_CONTACT = re.compile(
    rf"(?:{_SERVICES})م?(?: ?(?:id|号码?|號碼?|帳號|账号|username|user|handle|آیدی)[ :：]{{0,3}}|[:：]\s?| is "
    rf"|(?<=微信)(?!v\d)|(?<=line id)\s|(?<=lineid)\s)"
    r"(?=[A-Za-z0-9_.-]{0,30}[0-9_])([A-Za-z][A-Za-z0-9_.-]{2,30}[A-Za-z0-9_])(?![A-Za-z0-9@])",
    re.I,
)


def find_handles(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield @names of any script, u/names, and names that a service's name announces (微信号 ann_88).

    >>> list(find_handles("thanks @ann_88, 微信号 ann_88", ("CN",), frozenset()))
    [(7, 14, '[HANDLE]'), (20, 26, '[HANDLE]')]
    """
    if "@" in text or "u/" in text:
        for match in _HANDLE.finditer(text):
            name = match[match.lastindex].lower()
            first = re.split(r"[.@-]", name)[0]
            # "@gmail.com" is where a mail goes, not who gets it.
            is_host = "@" not in name and (_HOST_END.search(name) or re.fullmatch(_MAILERS, first))
            is_number = _QUANTITY.fullmatch(first) or (name.isdigit() and is_amount(text, *match.span()))
            if not ({name, first} & kept or is_number or is_host or name in _NOBODY):
                yield *match.span(), "[HANDLE]"
    for match in _CONTACT.finditer(text) if _has(text, _SERVICE_HINTS) else ():
        if match[1].lower() not in kept:
            yield *match.span(1), "[HANDLE]"


_MONEY = (
    r"(?:[$€£¥₪﷼]|usd|eur|gbp|bgn|nt\$|ntd|rmb|sar|aed|egp|irr|rs\b|rials?|tomans?"
    r"|лв|лева|ریال|تومان|تومن|ريال|جنيه|درهم|元|塊|块|万|萬)"
)
_MONEY_BEFORE, _MONEY_AFTER = re.compile(rf"{_MONEY}\s?$", re.I), re.compile(rf"\s?{_MONEY}", re.I)


def is_amount(text: str, start: int, end: int) -> bool:
    """Return whether a currency stands before or after the digits.

    >>> is_amount("paid 120 EUR", 5, 8), is_amount("room 120", 5, 8)
    (True, False)
    """
    before, after = text[max(0, start - 6) : start], text[end : end + 8]
    return bool(_MONEY_BEFORE.search(before) or _MONEY_AFTER.match(after))
