"""Replaces what points to a person by a typed mark, before anything reaches the store."""

import re
from bisect import bisect_right
from collections.abc import Iterable

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vocwb.collect.names import find_names, has_name
from vocwb.collect.personal_contacts import TAKEN, find_emails, find_handles, keep_apart, mask
from vocwb.collect.personal_numbers import find_documents, find_ibans, find_numbers
from vocwb.collect.web_addresses import find_machines, find_urls
from vocwb.programme import Programme

REGIONS = {"en": ("GB", "US"), "fa": ("IR",), "ar": ("EG", "SA", "AE"), "bg": ("BG",), "zh": ("TW", "CN")}
"""Whose telephone numbers and national ids are looked for, by declared language, where none are named."""

_FINDERS = (find_urls, find_emails, find_machines, find_ibans, find_documents, find_numbers, find_handles)
_OF_DIGITS = {find_ibans, find_documents, find_numbers}
_MARK = re.compile(r"\[[A-Z]{2,8}\]")
_DIGITS = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９"
_WIDE = "".join(map(chr, [*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B)]))  # letters of full width
_UNSEEN = "".join(
    map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x2030), *range(0x2066, 0x206A), 0xFEFF, 0xA0])
)
# One character for one, so that places in the translated text are places in the text itself.
_PLAIN = str.maketrans(dict(zip(_DIGITS, "0123456789" * 3, strict=True)))
_PLAIN |= {ord(letter): ord(letter) - 0xFEE0 for letter in _WIDE} | {ord(letter): " " for letter in _UNSEEN}
_PLAIN |= str.maketrans("－‐‑–−＠．＋（）＃", "-----@.+()#")
_DIGIT = rf"[0-9{_DIGITS}]"
# Read by RE2 on whole columns, hence no look-around and no \d, which knows ASCII only there.
_WORTH_A_LOOK = (
    rf"[@＠]|://|[wW]{{3}}\.|[A-Za-z]\.[A-Za-z]{{2,10}}/|(?:{_DIGIT}[^0-9{_DIGITS}]{{0,3}}){{6}}{_DIGIT}"
    r"|[A-Za-z][0-9]{6}|[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"
    r"|[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]|::"
    r"|(?i:[\[({<（【] ?(?:at|et|а|a|маймун|кльомба)| dot | точка | at (?:g|hot|y|ya)?mail|\bu/[a-z]|маймунка|кльомба"
    r"|[آا]ت ?ساین|艾特|小老鼠|微信|wechat|weixin|[vw]x|telegram|insta|\big[: ]|snap|skype|discord|tiktok|line ?id|抖音"
    r"|小[红紅]书|телеграм|инстаграм|скайп|تلگرام|اینستا|تليجرام|تلجرام|انستا|سناب)"
)
_SIX_DIGITS = re.compile(r"\d(?:\D{0,3}\d){5}")
_LOOK = re.compile(_WORTH_A_LOOK)


def choose_regions(languages: Iterable[str], regions: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the regions whose telephone numbers and ids are looked for: those given, else those of the languages.

    >>> choose_regions(["fa", "bg"])
    ('IR', 'BG')
    """
    if regions is not None:
        return tuple(regions)
    return tuple(region for language in languages for region in REGIONS.get(language, ()))


def find_personal_data(
    text: str, *, regions: Iterable[str] = (), keep: Iterable[str] = (), names: Iterable[str] = ()
) -> list[tuple[int, int, str]]:
    """Return start, end and mark of what points to a person in a text, sorted, none overlapping another.

    Marks: [EMAIL] [URL] [IBAN] [CARD] [ID] [IP] [MAC] [PHONE] [HANDLE] [NAME]. regions: country codes whose
    telephone numbers are known without + and whose national ids are looked for. keep: handles that stay, in
    any case (a company's own). names: what the source gives as names in this record. Cards are checked by
    Luhn's sum, IBANs by length and ISO 7064, ids by their check digits, telephone numbers by libphonenumber's
    plans. Numbers of orders, prices, dates, versions stay, and marks that stand there already; so does the
    name of a person whom the source does not name.

    >>> find_personal_data("Order 48392011, mail ann@example.com")
    [(21, 36, '[EMAIL]')]
    """
    regions, names = tuple(regions), tuple(names)
    kept = frozenset(name.lstrip("@").lower() for name in keep)
    plain = mask(text.translate(_PLAIN), [(*match.span(), "") for match in _MARK.finditer(text)])
    everything: list[tuple[int, int, str]] = []
    finders = _FINDERS if _LOOK.search(text) else ()
    # What is found can uncover more; looking until nothing is new makes a second redaction change nothing.
    for _ in range(9):
        before = len(everything)
        has_digits = _SIX_DIGITS.search(plain) is not None
        for find in finders:
            if find in _OF_DIGITS and not has_digits:
                continue
            spans = find(plain, regions, kept)
            found = keep_apart(span for span in spans if TAKEN not in plain[span[0] : span[1]])
            everything += found
            plain = mask(plain, found)
        found = find_names(plain, names) if names else []
        everything += found
        plain = mask(plain, found)
        if len(everything) == before:
            break
    return sorted(span for span in everything if span[2])


def redact_text(
    text: str, *, regions: Iterable[str] = (), keep: Iterable[str] = (), names: Iterable[str] = ()
) -> str:
    """Return the text with a typed mark where `find_personal_data` finds something.

    >>> redact_text("Order 48392011, mail ann@example.com or 07911 123456", regions=["GB"])
    'Order 48392011, mail [EMAIL] or [PHONE]'
    """
    return _put_marks(text, find_personal_data(text, regions=regions, keep=keep, names=names))


def redact_texts(
    texts: pd.Series,
    *,
    regions: Iterable[str] = (),
    keep: Iterable[str] = (),
    names: pd.DataFrame | pd.Series | None = None,
) -> pd.Series:
    """Return the texts redacted as by `redact_text`; only those that can hold something are read one by one.

    names: names that the source gives for each record, one column or several (of the reviewer, the agent),
    in the order of the texts. A name that no column gives is not found. Raises ValueError if they are not
    as many as the texts.

    >>> redact_texts(pd.Series(["thanks @ann", "fine", "Yours, Bo Li"]), names=pd.Series(["", "", "Bo Li"])).tolist()
    ['thanks [HANDLE]', 'fine', 'Yours, [NAME]']
    """
    regions, keep = tuple(regions), tuple(keep)
    # pyarrow reads the pattern in RE2; pandas would read it in Python, fifty times slower.
    suspects = pc.match_substring_regex(pa.array(texts, pa.string()), _WORTH_A_LOOK).fill_null(False)
    redacted = {
        text: redact_text(text, regions=regions, keep=keep)
        for text in texts[suspects.to_numpy(False)].unique()
    }
    result = texts.map(lambda text: redacted.get(text, text), na_action="ignore").astype("str")
    if names is None:
        return result
    named = [
        redact_text(text, regions=regions, keep=keep, names=given) if has_name(text, given) else done
        for text, done, given in zip(texts.fillna(""), result, _list_names(names), strict=True)
    ]
    return pd.Series(named, index=texts.index, dtype="str", name=texts.name)


def redact_as_told(
    texts: pd.Series, programme: Programme, *, names: pd.DataFrame | pd.Series | None = None
) -> pd.Series:
    """Return the texts redacted as by `redact_texts`, for the countries and with the handles of a programme.

    >>> programme = Programme.model_construct(languages=["en"], keep_handles=["ourshop"])
    >>> redact_as_told(pd.Series(["@ourshop 07911 123456"]), programme).tolist()
    ['@ourshop [PHONE]']
    """
    regions = choose_regions(programme.languages, programme.regions)
    return redact_texts(texts, regions=regions, keep=programme.keep_handles, names=names)


def redact_names(texts: pd.Series, names: pd.DataFrame | pd.Series) -> pd.Series:
    """Return the texts with [NAME] where one holds a name that the source gives for its own record.

    names: one column or several, in the order of the texts, as for `redact_texts`, which does both at once.

    >>> redact_names(pd.Series(["Yours, Ann", "ann@example.com"]), pd.Series(["Ann Smith", "Ann Smith"])).tolist()
    ['Yours, [NAME]', 'ann@example.com']
    """
    named = [
        _put_marks(text, find_names(text.translate(_PLAIN), given)) if has_name(text, given) else done
        for text, done, given in zip(texts.fillna(""), texts, _list_names(names), strict=True)
    ]
    return pd.Series(named, index=texts.index, dtype="str", name=texts.name)


def shift_spans(spans: Iterable[tuple[int, int]], found: list[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """Return where spans of the raw text lie in the redacted text; one that cuts into a mark covers all of it.

    found: what `find_personal_data` returns for the raw text.

    >>> shift_spans([(0, 2), (4, 10)], [(3, 8, "[NAME]")])
    [(0, 2), (3, 11)]
    """
    starts = [start for start, _, _ in found]
    # By how much the text has grown after each find.
    grown = [0]
    for start, end, new in found:
        grown.append(grown[-1] + len(new) - (end - start))

    def shift(place: int, *, is_end: bool) -> int:
        at = bisect_right(starts, place - is_end) - 1
        if at < 0 or place >= found[at][1]:
            return place + grown[at + 1]
        return found[at][0] + grown[at] + (len(found[at][2]) if is_end else 0)

    return [(shift(start, is_end=False), shift(end, is_end=True)) for start, end in spans]


def _list_names(names: pd.DataFrame | pd.Series) -> Iterable[tuple[str, ...]]:
    columns = [names] if isinstance(names, pd.Series) else [names[column] for column in names]
    return zip(*(column.astype("str").fillna("") for column in columns), strict=True)


def _put_marks(text: str, found: list[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for start, end, new in found:
        pieces += [text[at:start], new]
        at = end
    return "".join([*pieces, text[at:]])
