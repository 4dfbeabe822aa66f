"""Puts text and numbers of any export into one form."""

import html
import re
import unicodedata
from collections.abc import Iterable

import ftfy
import numpy as np
import pandas as pd
from ftfy.chardata import CHARMAP_ENCODINGS

EMPTY_WORDS = ("", "na", "n/a", "#n/a", "nan", "null", "-", "--", "—", "–")
"""What stands in a cell that has no answer (in any case)."""

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫٬", "01234567890123456789.,")
_NUMERALS = _DIGITS | str.maketrans("٬−０１２３４５６７８９．，", "'-0123456789.,")
_GROUP = "[ '\u00a0\u2009\u202f’]"
_WHOLE = r"([+-]?\d+(?:[.,]\d+)?)"
# What people and survey tools write around a number without changing it; else the number is not sure.
_WORDED = re.compile(
    rf"""{_WHOLE}\s*(?:
        (?:/|\bout\ of\b|\bof\b|\bvon\b|\bsur\b|\bот\b|\bиз\b|از|من)\s*(?P<of>\d+)
      | (?:%|٪|％|stars?|points?|pts|分|颗星|星|ستاره|امتیاز|نجوم|نجمة|نجمات|звезд[аи]?|точк[аи])
      | (?:[-–—:=.]|(?=\())\s*\(?[^\W\d_].*
    )|[^\W\d_][^()\d]*\({_WHOLE}\)""",
    re.X | re.I | re.S,
)
_STARS = re.compile("((?:[★⭐🌟]\ufe0f?)*)(½?)(?:☆\ufe0f?)*")

# Only what breaks text is mended: full-width and curly punctuation is how Chinese and typographers write.
_MEND = ftfy.TextFixerConfig(
    unescape_html=False, fix_character_width=False, fix_latin_ligatures=False, uncurl_quotes=False
)
_CONTROL = "\x00-\x08\x0b-\x1f\x7f-\x9f\ufeff\u200b\u206a-\u206f\ufff9-\ufffc\ud800-\udfff"
_UNWANTED = re.compile(f"[{_CONTROL}]")
_UNTIDY = re.compile(f"[{_CONTROL}\t\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.I)


def _read_as(code: Iterable[int], *code_pages: str) -> str:
    """Return, as a class of a pattern, what bytes look like in the code pages (all that ftfy knows)."""
    shown = {letter for page in code_pages or CHARMAP_ENCODINGS for letter in bytes(code).decode(page)}
    return f"[{''.join(map(re.escape, sorted(shown)))}]"


# ftfy takes its time on every text beyond ASCII. It can mend only where the first byte of a UTF-8 sequence and
# one that goes on (or what became of it) stand side by side in a code page that it knows: Persian, Arabic and
# Chinese texts never have that, and few others.
_FIRST, _NEXT = _read_as(range(0xC2, 0xF5)), _read_as(range(0x80, 0xC0))
_MAYBE_MENDED = re.compile(
    f"{_FIRST}(?:{_NEXT}|[\ufffd?])|{_read_as([0xC2, 0xC3, 0xC5, 0xCE, 0xD0, 0xD9])} "
    f"|{_read_as([0xE2, 0xE3, 0xF0])} {_NEXT}|[\x80-\x9f\x1b\ufffd\ud800-\udfff]"
)
_HIGH_RUN = re.compile("[À-ÿ\x81\x8d\x8e\x90\x98\x9d\x9f]{3,}")


def _find_misread(page: str) -> re.Pattern:
    """Return a pattern of UTF-8 beyond ASCII that was read in a code page: three short letters or two long ones."""
    lead, then = _read_as(range(0xC2, 0xF0), page), _read_as(range(0x80, 0xC0), page)
    return re.compile(f"{lead}{then}(?:{lead}{then}{lead}{then}|{then}{lead}{then}{then})")


# ftfy does not know the second page, and mends in the first what was Cyrillic, not what was Arabic or Chinese.
_MISREAD = {page: _find_misread(page) for page in ("sloppy-windows-1251", "cp1256")}

_SURE_MARKUP = re.compile(
    r"</(?:a|b|blockquote|body|center|code|div|em|font|h[1-6]|html|i|li|ol|p|pre|small|span|strong|su[bp]|t[adhr]\w*|u|ul)"
    r"\s*>|<(?:br|p|div|hr|li|img|html|body|span|table|tr|td|blockquote|a)\b[^<>]*>|<!(?:--|doctype\b)",
    re.I,
)
_TAG_NAMES = (
    "a|abbr|acronym|address|area|article|aside|b|base|basefont|bdi|bdo|big|blockquote|body|br|button|caption|center"
    "|cite|code|col|colgroup|dd|del|details|dfn|dir|div|dl|dt|em|fieldset|figcaption|figure|font|footer|form|h[1-6]"
    "|head|header|hr|html|i|iframe|img|input|ins|kbd|label|legend|li|link|main|map|mark|menu|meta|nav|noscript|object"
    "|ol|optgroup|option|p|param|picture|pre|q|s|samp|script|section|select|small|source|span|strike|strong|style|sub"
    "|summary|sup|svg|table|tbody|td|template|textarea|tfoot|th|thead|time|title|tr|tt|u|ul|var|video|wbr"
    "|[ovwm]:[a-z]+|st1:[a-z]+"
)
# Python's own html.parser takes quadratic time on unclosed comments and tags. No part of this pattern passes
# the next "<", so that all tags of a text are found in linear time.
_TAG = re.compile(
    rf"<(?P<open>!--)|<(?P<end>/?)(?P<name>{_TAG_NAMES})(?=[\s/>])"
    r"(?P<rest>(?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+(?=>)|[^<>]*)>|<[!?][^<>]*>",
    re.I,
)
_BLOCKS = re.compile(
    "address|article|aside|blockquote|body|caption|center|d[dlt]|details|dir|div|fieldset|figure|footer|form|h[1-6]"
    "|header|hr|html|legend|li|main|menu|nav|ol|option|p|pre|section|table|tbody|tfoot|thead|tr|ul"
)
_UNSEEN = frozenset(("head", "script", "style", "svg", "template", "title"))
_UNSEEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|\bhidden(?=[\s/=]|$)", re.I
)
_VOID = frozenset(
    ("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "param", "source", "wbr")
)
_ALT = re.compile(r"\balt\s*=\s*(?:\"([^\"]*)\"|'([^']*)')", re.I)
_DEEPEST = 9  # quotes within quotes


def blank_to_missing(values: pd.Series) -> pd.Series:
    """Return the values stripped, with NA, N/A, null, - and blanks as missing.

    >>> blank_to_missing(pd.Series([" yes ", "N/A", "-"])).isna().tolist()
    [False, True, True]
    """
    values = values.astype("str").str.strip()
    return values.mask(values.str.lower().isin(EMPTY_WORDS))


def parse_numbers(values: pd.Series) -> pd.Series:
    """Return the values as numbers where that is sure; the rest is missing.

    Reads digits of all five languages, groups of three, a decimal comma, "4/5", "4 out of 5", "85%", "5 stars",
    "★★★★☆", "10 - extremely likely" and "Very good (5)". "1,234" is read as the other values of the column say:
    1.234 if they have decimal commas, 1234 if decimal points, else it is missing.

    >>> parse_numbers(pd.Series(["۷", "4,5", "1.234,5", "4 out of 5", "★★★☆☆", "4 – Good", "eight"])).tolist()
    [7.0, 4.5, 1234.5, 4.0, 3.0, 4.0, nan]
    """
    texts = values.astype("str").str.strip()
    if not texts.dropna().str.isascii().all():
        texts = texts.str.translate(_NUMERALS)
    plain = texts.str.fullmatch(r"[+-]?\d+(?:\.\d*)?", na=False)
    others = texts[~plain & (texts.str.len() <= 80)].unique()
    with_comma = any(re.fullmatch(r"[+-]?[\d.]+,(?:\d\d?|\d{4,})", text) for text in others)
    with_point = texts.str.fullmatch(r"[+-]?[\d,]+\.\d+", na=False).any()
    read = {text: _read_number(text, with_comma=with_comma, with_point=with_point) for text in others}
    numbers = pd.to_numeric(texts.where(plain), errors="coerce").astype("float64")
    numbers = numbers.where(plain, texts.map(read).astype("float64"))
    return numbers.where(np.isfinite(numbers))


def _read_number(text: str, *, with_comma: bool, with_point: bool) -> float:
    """Return the number that a cell says in more than digits and a decimal point, or NaN."""
    stars = _STARS.fullmatch(text)
    if stars:
        return len(stars[1].replace("\ufe0f", "")) + len(stars[2]) / 2
    worded = _WORDED.fullmatch(text)
    if worded:
        text = worded[1] or worded[3]
    number = re.sub(rf"(?<=\d){_GROUP}(?=\d{{3}}(?!\d))", "", text)
    if re.fullmatch(r"[+-]?\d{1,3}(?:,\d{3})+\.\d+|[+-]?\d{1,3}(?:,\d{3}){2,}", number):
        number = number.replace(",", "")
    elif re.fullmatch(r"[+-]?\d{1,3}(?:\.\d{3})+,\d+|[+-]?\d{1,3}(?:\.\d{3}){2,}", number):
        number = number.replace(".", "").replace(",", ".")
    elif re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", number):
        if with_comma == with_point:
            return np.nan
        number = number.replace(",", "." if with_comma else "")
    else:
        number = number.replace(",", ".")
    value = float(number) if re.fullmatch(r"[+-]?\d+(?:\.\d*)?", number) else np.nan
    return np.nan if worded and worded["of"] and value > float(worded["of"]) else value


def repair_text(text: str) -> str:
    """Return the text that a person wrote: encoding accidents mended, HTML as text, white space in order.

    Keeps ZWNJ, right-to-left marks, emoji, new lines and what only looks like a tag ("<3", "a < b", "<name>").
    Mending is ftfy's (Speer 2019), without its changes to punctuation and full-width letters; Cyrillic and
    Arabic that were read as Latin-1 are mended too. The "=" that a spreadsheet writes before "@" goes.

    >>> repair_text("It&#39;s  <b>late</b><br>sheâ€™s sad <3")
    "It's late\\nshe’s sad <3"
    """
    if "<" in text and _SURE_MARKUP.search(text):
        text = html_to_text(text)
    elif "&" in text:
        text = _unescape(text)
    if text.startswith("=@"):
        text = text[1:]
    if not text.isascii():
        text = _mend_encoding(text)
    untidy = "  " in text
    if not untidy and not text.isprintable():  # of what cannot be printed, ZWNJ, marks and new lines stay
        untidy = any(pair in text for pair in (" \n", "\n ", "\n\n\n")) or _UNTIDY.search(text) is not None
    return _tidy_space(text) if untidy else text.strip()


def repair_texts(texts: pd.Series) -> pd.Series:
    """Return the texts repaired, and missing where nothing is left; each different text is repaired once.

    >>> repair_texts(pd.Series(["<p>fine</p>", "n/a"])).fillna("").tolist()
    ['fine', '']
    """
    texts = blank_to_missing(texts)
    repaired = {text: repair_text(text) for text in texts.dropna().unique()}
    return blank_to_missing(texts.map(repaired))


def html_to_text(markup: str) -> str:
    """Return what a reader of the HTML sees, in lines: links' text, cells with a space between, quotes as "> ".

    Scripts, styles, comments and hidden elements are left out; an emoji's picture becomes its letters. What is
    no tag of HTML stays ("a < b", "<name>"). Takes linear time on any input; nothing in it is run or fetched.

    >>> html_to_text("<p>Dear all,<br>see <a href='x'>this</a></p><blockquote>No!</blockquote><ul><li>1<li>2</ul>")
    'Dear all,\\nsee this\\n> No!\\n1\\n2'
    """
    written: list[str] = []
    open_unseen: tuple[str, int] | None = None  # name and where its text begins, to be cut when it is closed
    depth = same = preformatted = place = 0
    at_start, missing_ends = True, set()
    wraps = re.search(r"<(?:p|div|br|tr|li|html|body|pre)\b", markup, re.I) is not None

    while True:
        tag = _TAG.search(markup, place)
        words = _unescape(markup[place : tag.start() if tag else None])
        quoted = "> " * min(depth, _DEEPEST)
        if wraps and not preformatted:
            words = re.sub(r"[ \t\r\n\f]+", " ", words)
        if words and not (at_start and words.isspace()):
            written.append((quoted if at_start else "") + words.replace("\n", "\n" + quoted))
            at_start = False
        if not tag:
            break
        place = tag.end()
        name, is_end = (tag["name"] or "").lower(), bool(tag["end"])
        closing = (
            "-->" if tag["open"] else f"</{name}" if name in ("script", "style") and not is_end else None
        )
        if closing:
            # What is never closed is text, and is not looked for again.
            found = (
                None
                if closing in missing_ends
                else re.compile(re.escape(closing), re.I).search(markup, place)
            )
            if found:
                place = markup.find(">", found.end() - 1) + 1 or len(markup)
                written.append("" if tag["open"] else " ")
            else:
                missing_ends.add(closing)
                written.append(tag[0])
            continue
        if not name:
            continue
        if open_unseen is None and not is_end and name not in _VOID:
            if name in _UNSEEN or _UNSEEN_STYLE.search(tag["rest"]):
                open_unseen, same = (name, len(written)), 1
        elif open_unseen and name == open_unseen[0]:
            same += -1 if is_end else 1
            if same == 0:
                del written[open_unseen[1] :]
                open_unseen = None
        if name == "blockquote":
            depth = max(depth + (-1 if is_end else 1), 0)
        elif name == "pre":
            preformatted = max(preformatted + (-1 if is_end else 1), 0)
        if name == "br" or (not at_start and _BLOCKS.fullmatch(name)):
            written.append("\n")
            at_start = True
        elif name in ("td", "th") and not at_start:
            written.append(" ")
        elif name == "img" and (alt := _ALT.search(tag["rest"])):
            seen = html.unescape(alt[1] or alt[2] or "")
            if seen and (re.search("emoji|emoticon|smil", tag["rest"], re.I) or not re.search(r"\w", seen)):
                written.append((quoted if at_start else "") + seen)
                at_start = False
    lines = "".join(written).split("\n")
    return _tidy_space("\n".join("" if not line.strip("> ") else line for line in lines))


def _unescape(text: str) -> str:
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), text) if "&" in text else text


def _tidy_space(text: str) -> str:
    text = _UNWANTED.sub("", re.sub("\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", text))
    text = "\n".join(" ".join(line.split()) for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _mend_encoding(text: str) -> str:
    for page, misread in _MISREAD.items():
        if misread.search(text):
            try:
                text = text.encode(page).decode("utf-8")  # that it fits to the end cannot be chance
            except UnicodeError:
                continue
    if _HIGH_RUN.search(text):
        text = _mend_code_page(text)
    if _MAYBE_MENDED.search(text):
        text = ftfy.fix_text(text, _MEND)
    return unicodedata.normalize("NFC", text)


def _mend_code_page(text: str) -> str:
    """Return Cyrillic or Arabic that was read as Latin-1 as it was written.

    Done only where no other reading makes sense: words without one ASCII letter stand in no language of Latin
    script; what they become must be all Arabic letters with the frequent ones among them, or Cyrillic words with
    capitals where capitals stand.
    """
    runs = "".join(_HIGH_RUN.findall(text))
    letters = sum(character.isalpha() for character in text)
    if len(set(runs)) < 5 or len(runs) * 5 < letters * 3:
        return text
    for page in ("latin-1", "sloppy-windows-1252"):
        try:
            written = text.encode(page)
            break
        except UnicodeError:
            continue
    else:
        return text
    arabic, cyrillic = written.decode("cp1256", "replace"), written.decode("cp1251", "replace")
    strange = re.findall(r"[^\W\d_a-zA-Z]", arabic)
    frequent = sum(map("".join(strange).count, "لمنهوىي"))
    if frequent * 7 >= len(strange) and all("\u0600" <= letter <= "\u06ff" for letter in strange):
        return arabic
    words = re.findall(r"[^\W\d_a-zA-Z]{2,}", cyrillic)
    cased = sum(re.fullmatch("[А-Я]?[а-я]+|[А-Я]+", word) is not None for word in words)
    return cyrillic if words and cased * 10 >= len(words) * 9 else text
