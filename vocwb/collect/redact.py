"""Replaces what points to a person by a typed mark, before anything reaches the store."""

import re
from collections.abc import Iterable

import pandas as pd
import phonenumbers

REGIONS = {"en": ("GB", "US"), "fa": ("IR",), "ar": ("EG", "SA", "AE"), "bg": ("BG",), "zh": ("TW", "CN")}
"""Whose telephone numbers are looked for, by declared language, where the programme names no regions."""

# One character for one, so that places in the translated text are places in the text itself.
_PLAIN = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹０１２３４５６７８９－‐‑–\u00a0", "0123456789" * 3 + "---- ")
_WORTH_A_LOOK = re.compile(r"@|://|www\.|\d(?:\D{0,3}\d){6}")
_EMAIL = re.compile(
    r"(?<![\w.+%-])\w[\w.+%'-]{0,63}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,6}", re.ASCII
)
_URL = re.compile(r"(?:https?://|www\.)[!#-&(-;=?-Z\[\]_a-z~|]+", re.I)
# A query, a name with password, or a long part of mixed letters and digits tells who clicked.
_TELLING = re.compile(r"[?&][^=\s]+=|//[^/\s]*@|(?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{20,}")
_HAN = r"\u3040-\u30ff\u3400-\u9fff"
_HANDLE = re.compile(
    rf"(?<![\w@/.])@(?!\d{{1,2}}(?:am|pm|h)?\b)((?:(?![{_HAN}])\w){{2,40}}|[{_HAN}]{{1,6}}(?=[\s,.:;!?，。：；！？]|$))"
)
_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11,30}", re.I)
_CARD = re.compile(r"(?<![\w-])(?:\d[ -]?){12,18}\d(?![\w-])")
# Chinese is written without spaces: a number may follow a character.
_PHONE = re.compile(
    rf"(?<![.,/#-])(?<!\d:)(?<![^\W{_HAN}])(?:\+|\(\+?)?\d(?:[ ().-]{{0,2}}\d){{6,16}}(?![^\W{_HAN}]|/|[.,:-]\d)"
)
# As North America writes them; elsewhere a number begins with + or 0, or something calls it a number.
_GROUPED = re.compile(r"(?:1[ .-]?)?\(?[2-9]\d\d\)?[ .-]{1,2}\d{3}[ .-]\d{4}")
_DATE = re.compile(
    r"(?:19|20)\d{2}[ .-]\d{1,2}[ .-]\d{1,2}(?:\D.*)?|\d{1,2}[ .-]\d{1,2}[ .-](?:19|20)\d{2}(?:\D.*)?"
    r"|(?:19|20)\d{2} ?- ?(?:19|20)\d{2}"
)
_MONEY = (
    r"(?:[$€£¥₪﷼]|usd|eur|gbp|bgn|nt\$|ntd|sar|aed|egp|irr|лв|лева|ریال|تومان|تومن|ريال|جنيه|درهم|元|塊|块)"
)
_MONEY_BEFORE, _MONEY_AFTER = re.compile(rf"{_MONEY}\s?$", re.I), re.compile(rf"\s?{_MONEY}", re.I)
_NUMBERED = re.compile(
    r"(?:order|invoice|ticket|case|ref(?:erence)?|tracking|booking|parcel|item|model|serial|id|number|no|flight"
    r"|confirmation|account|сметка|поръчка\w*|пратка\w*|товарителница\w*|фактура|номер|سفارش|فاکتور|پیگیری|مرسوله|بسته"
    r"|طلب\w*|الطلب|شحنة|الشحنة|فاتورة|الفاتورة|رقم|訂單\w*|订单\w*|單號|单号|編號|编号|包裹|№|#)[\s:.#№]*$",
    re.I,
)
_CALLED = re.compile(
    r"(?:phone|tel|call(?:ed|ing)?|mobile|cell|number is|whats\s?app|sms|text|reach me|тел\w*|gsm|обад\w*|звън\w*"
    r"|تلفن|موبایل|موبايل|همراه|تماس|زنگ|هاتفي?|الهاتف|جوالي?|الجوال|اتصل\w*|واتس\w*"
    r"|電話|电话|手機|手机|聯絡|联系|撥打|打給)\W*(?:\w+\W+)?$",
    re.I,
)
_IBAN_LENGTH = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21,
    "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GE": 22,
    "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IR": 26, "IS": 26, "IT": 27, "JO": 30, "KW": 30,
    "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MT": 31, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "XK": 20,
}  # fmt: skip


def choose_regions(languages: Iterable[str], regions: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the regions whose telephone numbers are looked for: those given, else those of the languages.

    >>> choose_regions(["fa", "bg"])
    ('IR', 'BG')
    """
    if regions is not None:
        return tuple(regions)
    return tuple(region for language in languages for region in REGIONS.get(language, ()))


def redact_text(text: str, *, regions: Iterable[str] = (), keep: Iterable[str] = ()) -> str:
    """Return the text with [EMAIL] [URL] [IBAN] [CARD] [PHONE] [HANDLE] where such a thing stood.

    regions: country codes whose numbers are known without +. keep: handles that stay, in any case (a
    company's own). Cards are checked by Luhn's sum, IBANs by length and ISO 7064, telephone numbers by
    libphonenumber's plans. A web address is replaced where it has a query, a password or a long code.
    Numbers of orders, prices and dates stay; a person's name is not found.

    >>> redact_text("Order 48392011, mail ann@example.com or 07911 123456", regions=["GB"])
    'Order 48392011, mail [EMAIL] or [PHONE]'
    """
    if not _WORTH_A_LOOK.search(text):
        return text
    kept = {name.lstrip("@").lower() for name in keep}
    marked, at = [], 0
    for start, end, mark in sorted(_find_all(text.translate(_PLAIN), tuple(regions), kept)):
        marked += [text[at:start], mark]
        at = end
    return "".join([*marked, text[at:]])


def redact_texts(texts: pd.Series, *, regions: Iterable[str] = (), keep: Iterable[str] = ()) -> pd.Series:
    """Return the texts redacted as by `redact_text`; only those with an @, an address or seven digits are read.

    >>> redact_texts(pd.Series(["thanks @ann", "fine"])).tolist()
    ['thanks [HANDLE]', 'fine']
    """
    regions, keep = tuple(regions), tuple(keep)
    redacted = {
        text: redact_text(text, regions=regions, keep=keep)
        for text in texts[texts.str.contains(_WORTH_A_LOOK, na=False)].unique()
    }
    return texts.map(lambda text: redacted.get(text, text), na_action="ignore").astype("str")


def _find_all(text: str, regions: tuple[str, ...], kept: set[str]):
    """Yield start, end and mark of each find; what one has claimed no later one takes."""
    taken = [False] * len(text)

    def claim(start: int, end: int) -> bool:
        free = not any(taken[start:end])
        if free:
            taken[start:end] = [True] * (end - start)
        return free

    for found in _URL.finditer(text):
        end = found.start() + len(found[0].rstrip(".,;:!)]"))
        if claim(found.start(), end) and _TELLING.search(found[0]):
            yield found.start(), end, "[URL]"
    for found in _EMAIL.finditer(text):
        if claim(*found.span()):
            yield *found.span(), "[EMAIL]"
    for found in _IBAN.finditer(text):
        if (end := _end_of_iban(found)) and claim(found.start(), end):
            yield found.start(), end, "[IBAN]"
    for found in _CARD.finditer(text):
        if _is_card(re.sub(r"\D", "", found[0])) and claim(*found.span()):
            yield *found.span(), "[CARD]"
    for found in _PHONE.finditer(text):
        if _is_phone(found, regions) and claim(*found.span()):
            yield *found.span(), "[PHONE]"
    for found in _HANDLE.finditer(text):
        if found[1].lower() not in kept and claim(*found.span()):
            yield *found.span(), "[HANDLE]"


def _end_of_iban(found: re.Match) -> int | None:
    """Return where the account number ends (words may follow it), or None if its sum is wrong."""
    length = _IBAN_LENGTH.get(found[0][:2].upper())
    places = [at for at, letter in enumerate(found[0]) if letter.isalnum()]
    if length is None or len(places) < length:
        return None
    code = "".join(found[0][at] for at in places[:length]).upper()
    number = "".join(str(int(letter, 36)) for letter in code[4:] + code[:4])
    return found.start() + places[length - 1] + 1 if int(number) % 97 == 1 else None


def _is_card(digits: str) -> bool:
    lengths = {"3": (14, 15), "4": (13, 16, 19), "2": (16,), "5": (16,), "6": (16, 19)}
    if len(digits) not in lengths.get(digits[0], ()):
        return False
    doubled = [int(digit) * 2 - 9 * (int(digit) > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def _is_phone(found: re.Match, regions: tuple[str, ...]) -> bool:
    number, before, after = found[0], found.string[: found.start()][-40:], found.string[found.end() :][:12]
    digits = re.sub(r"\D", "", number)
    if _DATE.fullmatch(number) or _MONEY_BEFORE.search(before) or _MONEY_AFTER.match(after):
        return False
    is_abroad, is_called = "+" in number, _CALLED.search(before) is not None
    # What counts things is no telephone number, and neither is a bare row of digits that nothing calls one.
    if not is_abroad and not is_called:
        is_dialled = (digits.startswith("0") and 9 <= len(digits) <= 15) or _GROUPED.fullmatch(number)
        if _NUMBERED.search(before) or not is_dialled:
            return False
    if is_abroad or digits.startswith("00"):
        number, regions = "+" + digits.removeprefix("00"), ("ZZ",)
    for region in regions:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        # Numbers kept for fiction (07700 900...) are in no plan.
        is_fiction = parsed.country_code == 44 and str(parsed.national_number).startswith("7700900")
        if phonenumbers.is_valid_number(parsed) or is_fiction:
            return True
        if is_abroad and phonenumbers.is_possible_number(parsed):
            return True
    return False
