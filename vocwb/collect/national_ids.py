"""Checks of numbers that carry a check digit: cards, bank accounts, national ids of the programme's countries."""

import datetime
import re
from collections.abc import Iterable

_IBAN_LENGTH = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "CH": 21,
    "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GE": 22,
    "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IR": 26, "IS": 26, "IT": 27, "JO": 30, "KW": 30,
    "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
    "MT": 31, "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24, "TR": 26, "UA": 29, "XK": 20,
}  # fmt: skip
# First digits and lengths of the networks: Visa, Mastercard, American Express, Diners, JCB, UnionPay, Maestro, Mir,
# Troy and the Iranian banks. Visa's old thirteen digits are left to texts that say card: bar codes have as many.
_CARD = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})|5\d{15}|2[2-7]\d{14}|3[47]\d{13}|3[0689]\d{12}|35\d{14}|6\d{15,18}|9\d{15}"
)
_EGYPTIAN_PLACES = {*range(1, 5), *range(11, 20), *range(21, 30), *range(31, 36), 88}
_TAIWANESE_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # in the order of their values, from 10


def is_luhn(digits: str) -> bool:
    """Return whether the last digit is Luhn's check digit (ISO/IEC 7812-1, annex B).

    >>> is_luhn("4111111111111111"), is_luhn("4111111111111112")
    (True, False)
    """
    doubled = [int(digit) * 2 - 9 * (int(digit) > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def is_card(digits: str) -> bool:
    """Return whether it is a payment card's number: 13 to 19 digits as a network gives them, and Luhn's sum.

    >>> is_card("4111111111111111"), is_card("1111111111111117")
    (True, False)
    """
    return bool(_CARD.fullmatch(digits)) and len(set(digits)) > 1 and is_luhn(digits)


def measure_iban(code: str) -> int:
    """Return how many of the leading letters and digits are an account number by ISO 13616; 0 if none are.

    The length is the country's, the remainder by 97 is 1 (ISO/IEC 7064).

    >>> measure_iban("GB29NWBK60161331926819PLEASE")
    22
    """
    length = _IBAN_LENGTH.get(code[:2].upper(), 0)
    if not length or len(code) < length:
        return 0
    code = code[:length].upper()
    number = "".join(str(int(letter, 36)) for letter in code[4:] + code[:4])
    return length if int(number) % 97 == 1 else 0


def is_national_id(code: str, regions: Iterable[str]) -> bool:
    """Return whether the letters and digits are a person's number in one of the regions, by its check digit.

    Known: AE, BG (EGN), CN, EG, GB (NHS number), IR, SA, TW. Some are as short as any number of an order
    (ten digits): see `is_telling_id`.

    >>> is_national_id("7512311231", ["BG"]), is_national_id("7512311232", ["BG"])
    (True, False)
    """
    return any(region in _CHECKS and _CHECKS[region](code.upper()) for region in regions)


def is_telling_id(code: str, regions: Iterable[str]) -> bool:
    """Return whether it is a person's number that nothing need announce: birth date or letter, and check digit.

    >>> is_telling_id("11010519491231002X", ["CN"]), is_telling_id("9434765919", ["GB"])
    (True, False)
    """
    return is_national_id(code, [region for region in regions if region not in {"GB", "IR", "SA"}])


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        return 1900 <= datetime.date(year, month, day).year < 2100
    except ValueError:
        return False


def _weigh(digits: str, weights: Iterable[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _is_emirati(code: str) -> bool:
    return bool(re.fullmatch(r"784(?:19|20)\d{10}", code)) and is_luhn(code)


def _is_bulgarian(code: str) -> bool:
    # Born from 2000 on, the month is written with 40 more.
    if not re.fullmatch(r"\d{10}", code):
        return False
    year, month, day = int(code[:2]), int(code[2:4]), int(code[4:6])
    born = (2000 + year, month - 40, day) if month > 40 else (1900 + year, month, day)
    return _is_date(*born) and _weigh(code, (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10 == int(code[9])


def _is_chinese(code: str) -> bool:
    # GB 11643, whose check letter is that of ISO/IEC 7064 MOD 11-2.
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", code):
        return False
    last = 10 if code[17] == "X" else int(code[17])
    is_right = (_weigh(code, [2 ** (17 - at) for at in range(17)]) + last) % 11 == 1
    return is_right and _is_date(int(code[6:10]), int(code[10:12]), int(code[12:14]))


def _is_egyptian(code: str) -> bool:
    # Century, birth date, governorate; how the check digit is reckoned was never published.
    if not re.fullmatch(r"[23]\d{13}", code):
        return False
    century = 1700 + 100 * int(code[0])
    is_born = _is_date(century + int(code[1:3]), int(code[3:5]), int(code[5:7]))
    return is_born and int(code[7:9]) in _EGYPTIAN_PLACES


def _is_british(code: str) -> bool:
    # The NHS number of England, Wales and the Isle of Man: modulus 11.
    return bool(re.fullmatch(r"\d{10}", code)) and (11 - _weigh(code, range(10, 1, -1)) % 11) % 11 == int(
        code[9]
    )


def _is_iranian(code: str) -> bool:
    if not re.fullmatch(r"\d{10}", code) or len(set(code)) == 1:
        return False
    rest = _weigh(code, range(10, 1, -1)) % 11
    return int(code[9]) == (rest if rest < 2 else 11 - rest)


def _is_saudi(code: str) -> bool:
    return bool(re.fullmatch(r"[12]\d{9}", code)) and is_luhn(code)


def _is_taiwanese(code: str) -> bool:
    # A citizen's 1 or 2, a resident's 8 or 9 (from 2021), a resident's second letter (until then).
    if not re.fullmatch(r"[A-Z][1289A-D]\d{8}", code):
        return False
    first = _TAIWANESE_LETTERS.index(code[0]) + 10
    second = str(_TAIWANESE_LETTERS.index(code[1]) % 10) if code[1].isalpha() else code[1]
    return (first // 10 + _weigh(f"{first % 10}{second}{code[2:]}", (9, 8, 7, 6, 5, 4, 3, 2, 1, 1))) % 10 == 0


_CHECKS = {
    "AE": _is_emirati, "BG": _is_bulgarian, "CN": _is_chinese, "EG": _is_egyptian, "GB": _is_british,
    "IR": _is_iranian, "SA": _is_saudi, "TW": _is_taiwanese,
}  # fmt: skip
