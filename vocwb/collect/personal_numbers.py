"""Finds cards, bank accounts, national ids and telephone numbers, by their sums and by what a text calls them."""

import re
from collections.abc import Iterator
from functools import cache

import phonenumbers

from vocwb.collect.national_ids import is_card, is_national_id, is_telling_id, measure_iban
from vocwb.collect.personal_contacts import HAN, TAKEN, Span, is_amount

_ID_WORDS = (
    r"\b(?:ssn|social(?: security)?(?: no| number)?|national insurance|nino|ni (?=no|number)|nhs (?=no|number)|nhs(?=[\s:#]{1,3}\d)|passport|national (?:id|code|no|number)"
    r"|identity (?:card|no|number)|id card|emirates id|iqama|driving licence|driver'?s licen[sc]e|егн|egn|лнч|лична(?:та)?(?: (?:ми|му|ѝ|й))? карта"
    r"|л\.? ?к\b|паспорт\w*)|کد ?ملی|شماره ملی|کارت ملی|گذرنامه|پاسپورت|شناسنامه|هوي[ةه]|هويت|[إا]قام[ةه]|[إا]قامت|قومي|جواز"
    r"|身份证|身份證|身分證|身分证|护照|護照|居留[證证]|統一證號|证件|證件"
)
_PHONE_WORDS = (
    r"\b(?:tele?phone|phone|tel|call(?:ed|ing|s)?|mobile|mob|cell|whats ?app|viber|sms|text(?:ed)? (?:me|him|her|us)|reach (?:me|us)|r[ia]ng|dial(?:led)?"
    r"|contact|fax|(?:my|our|his|her|their|me on) (?:number|no)|тел\w*|gsm|джиесем|моб\w*|обад\w*|обажда\w*|звън\w*|вайбър|ватсап|смс"
    r"|номер\w* (?:ми|му|ѝ|й|си)|мо[йя]т? номер|факс)\b|تلفن|موبایل|موبايل|همراه(?!\w)|تماس|زنگ|شماره ?(?:من|مون|اش|ش|ام|م)(?!\w)|واتس|پیامک|خط(?!\w)"
    r"|هاتف|جوال|اتصل|تواصل|رقمي|تليفون|تلفون|كلم(?:ني|وني)|فاكس|電話|电话|手機|手机|聯絡|联系|聯繫|連絡|撥打|拨打|打給|打给|致电|致電|来电|來電|回電|回电"
    r"|固话|固話|市話|傳真|传真|座机"
)
_THING_WORDS = (
    r"\b(?:orders?|invoices?|tickets?|cases?|ref(?:erence)?|tracking|bookings?|parcels?|items?|models?|serial|flights?|confirmation|accounts?|acct"
    r"|transactions?|sku|isbn|ean|upc|barcode|part|product|version|firmware|build|policy|claims?|batch|lot|receipt|vin|usps|fedex|dhl|ups|imei|zip"
    r"|поръчк\w*|пратк\w*|товарителниц\w*|фактур\w*|сметк\w*|билет\w*|баркод\w*|парцел\w*|партид\w*|сери\w+|клиентск\w*|абонат\w*|вх|изх|еик|булстат"
    r"|код\w*|модел\w*|верси\w*|глоб\w*|договор\w*|преписк\w*|координат\w*|показани\w*|(?:user|device|session|request) id)\b(?: ids?\b)?"
    r"|سفارش|فاکتور|پیگیری|رهگیری|مرسوله|بسته|سریال|بارکد|تیکت|مدل|نسخه|بلیط|پرواز|قبض|اشتراک|پارت|مختصات|پستی|تخفیف|کد|شناسه"
    r"|طلب|شحن[ةه]|فاتور[ةه]|تتبع|حجز|تذكر[ةه]|مرجع|باركود|تسلسلي|كود|منتج|مخالف[ةه]|موديل|إصدار|رحل[ةه]|عداد|بوليص[ةه]|معامل[ةه]|بلاغ"
    r"|订单|訂單|单号|單號|编号|編號|包裹|快递单|運單|运单|工单|批号|批號|会员|會員|序列|條碼|条码|型号|型號|发票|發票|统一编号|統一編號|統編|版本|座標|坐标"
    r"|参考号|商品|产品|產品|航班|案號|案件|保單|保单|流水|交易|取件|病歷|病历"
)
_CALLS = re.compile(
    rf"(?:(?P<id>{_ID_WORDS})|(?P<phone>{_PHONE_WORDS})|(?P<thing>{_THING_WORDS})|\b(?P<weak>id|ид)\b)[\u0600-\u06ff]*",
    re.I,
)
# What may stand between a number and the word for it: words that say nothing, and numbers before it.
_FILLER = re.compile(
    r"\d[\d ().-]*|\b(?:number|no|nr|num|is|was|on|me|at|номер\w*|е|ми|и|and|or|или|code|of|my|на)\b"
    r"|(?<!\w)(?:رقم|الرقم|شماره|هو|هي|است|هست|من|ام|و|أو|یا|با)(?!\w)|号码|號碼|字號|號|号|是|为|為|我的?|和|或",
    re.I,
)  # fmt: skip


def _called(text: str, start: int, end: int) -> str:
    """Return what the words before a number (or just after it) call it: id, phone, thing, or nothing."""
    before = text[max(0, start - 48) : start].rpartition(TAKEN)[2]
    last = None
    for match in _CALLS.finditer(before):
        last = match
    if last:
        gap = before[last.end() :]
        words = re.findall(rf"[{HAN}]{{1,4}}|[^\W{HAN}]+", _FILLER.sub(" ", gap))
        # A sentence's end parts the two; a full stop right behind the word only shortens it. "Orders 12345678
        # and 12345679" are both orders, "order 12345678, 07700 900123" are not.
        size = sum(map(str.isdigit, text[start:end]))
        is_near = len(words) <= (1 if last.lastgroup == "thing" else 2) and not re.search(
            r"[!?。！？]|.\.\s", gap
        )
        is_alike = all(sum(map(str.isdigit, other)) == size for other in re.findall(r"\d[\d ().-]*", gap))
        if is_near and (is_alike or last.lastgroup == "phone"):
            return last.lastgroup
    elif re.search(r"[#№] ?$", before):
        return "thing"
    after = re.match(r"\s{0,2}(?:is|هو|هذا|این)?\s?(?:my\s)?(.{0,12})", text[end : end + 20])
    match = after and _CALLS.match(after[1])
    return "phone" if match and match.lastgroup == "phone" else ""


_IBAN = re.compile(rf"(?<![A-Za-z0-9{TAKEN}])[A-Z]{{2}} ?\d{{2}}(?:[ -]?[A-Z0-9]){{11,30}}", re.I)
_LETTERED = re.compile(
    rf"(?<![A-Za-z0-9{TAKEN}_-])(?:[A-Z][1289A-D]\d{{8}}|[A-Z]{{2}}(?:\d{{6}}| \d\d \d\d \d\d )[A-D])(?![A-Za-z0-9_-])",
    re.I,
)
_NINO = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)(?:QQ|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z])\d{6}[A-D]")
_SSN = re.compile(r"(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}")
# As it is printed on the card, with one kind of separator.
_CARD_GROUPS = re.compile(
    r"\d+|\d{4}([ -])(?:\d{4}\1){2}\d{1,4}(?:\1\d{1,3})?|\d{4}([ -])\d{6}\2\d{4,5}|\d{6}([ -])\d{10,13}"
)
_EMIRATES = re.compile(r"784-(?:19|20)\d\d-\d{7}-\d")
_DOCUMENT = re.compile(
    rf"(?<![A-Za-z0-9{TAKEN}_])(?:[A-Z]{{1,3}} ?|[a-z]{{1,3}})?\d(?:[ -]?\d){{4,17}}[A-Za-z]?(?![A-Za-z0-9_])"
)
_RUN = re.compile(r"\+?\(?\+?\d+(?:[ ().\-/]{1,3}\d+)*")
_GROUP = re.compile(r"\d+")
_DATE = re.compile(
    r"(?:19|20|1[34])\d{2}[ ./-]\d{1,2}[ ./-]\d{1,2}(?:\D.*)?|\d{1,2}[ ./-]\d{1,2}[ ./-](?:19|20|1[34])\d{2}(?:\D.*)?"
    r"|(?:19|20)\d{2} ?[-/] ?(?:19|20)\d{2}"
)
_EXTENSION = re.compile(
    r"\s?,?\s?(?:ext(?:ension)?\.?|x|#|доб\.?|вътр\.?|داخلی|تحويلة|轉|转|分機|分机)[\s:：.]{0,2}\d{1,6}(?!\d)",
    re.I,
)
_AMERICAN = re.compile(r"(?:1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}")


def find_ibans(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield the account numbers of ISO 13616, and Iranian ones written without IR."""
    for match in _IBAN.finditer(text):
        places = [at for at, letter in enumerate(match[0]) if letter.isalnum()]
        length = measure_iban("".join(match[0][at] for at in places))
        code = match[0][: places[length - 1] + 1] if length else ""
        # "at 120 years" could pass the sum, too: with spaces it is in capitals or in groups of four.
        if code and (code.isupper() or re.fullmatch(r"\w{5,}|(?:\w{4}[ -])+\w{1,4}", code)):
            yield match.start(), match.start() + places[length - 1] + 1, "[IBAN]"
    for match in re.finditer(r"(?<!\w)\d{24}(?!\w)", text):
        if re.search(r"شبا|sheba|shaba", text[max(0, match.start() - 30) : match.start()]) and measure_iban(
            "IR" + match[0]
        ):
            yield *match.span(), "[IBAN]"


def find_documents(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield ids with letters, and what the text itself calls a passport or a national id."""
    for match in _LETTERED.finditer(text):
        code = match[0].replace(" ", "").upper()
        is_id = is_telling_id(code, regions) or (
            "GB" in regions and _NINO.fullmatch(code) and match[0].isupper()
        )
        if is_id and _called(text, *match.span()) != "thing":
            yield *match.span(), "[ID]"
    for match in _DOCUMENT.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        is_dialled = len(digits) == 11 and digits[0] == "0"
        if (
            not is_dialled
            and not _DATE.fullmatch(match[0])
            and not is_amount(text, *match.span())
            and len(digits) > 5
            and text[match.start() - 1 : match.start()] != "+"
            and _called(text, *match.span()) == "id"
        ):
            yield *match.span(), "[ID]"


def find_numbers(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield cards, national ids and telephone numbers among the digits."""
    for run in _RUN.finditer(text):
        groups = [
            (match.start() + run.start(), match.end() + run.start()) for match in _GROUP.finditer(run[0])
        ]
        if groups[-1][1] - groups[0][0] < 7:
            continue
        # A long table of figures is no number in pieces: there each group stands for itself.
        reach = 1 if len(groups) > 40 else 20
        at = 0
        while at < len(groups):
            step = 1
            for to in range(min(len(groups), at + reach) - 1, at - 1, -1):
                if groups[to][1] - groups[at][0] <= 34 and (
                    found := _name_number(text, groups, at, to, regions)
                ):
                    yield found
                    step = to - at + 1
                    break
            at += step


def _name_number(
    text: str, groups: list[tuple[int, int]], at: int, to: int, regions: tuple[str, ...]
) -> Span | None:
    """Return the groups `at` to `to` with their mark, if together they are one number that is personal."""
    start, end = groups[at][0], groups[to][1]
    digits = re.sub(r"\D", "", text[start:end])
    if not 7 <= len(digits) <= 19 or _is_cut(text, start, end):
        return None
    sizes = [last - first for first, last in groups[at : to + 1]]
    called, number = _called(text, start, end), text[start:end]
    is_plain = not re.search(r"[^\d -]|  |--", number)
    if called != "thing" and is_plain:
        if is_card(digits) and _CARD_GROUPS.fullmatch(number) and not is_amount(text, start, end):
            return start, end, "[CARD]"
        if called != "phone" and _is_id(number, digits, called, regions):
            return start, end, "[ID]"
        if len(digits) == 17 and text[end : end + 1] in "xX" and is_telling_id(digits + "X", regions):
            return start, end + 1, "[ID]"
    # The plus and the bracket before the first digit belong to the number.
    while start and text[start - 1] in "+(" and (text[start - 1] == "+" or ")" in number):
        start -= 1
    if text[start:end].count("(") == text[start:end].count(")") and _is_phone(
        text, start, end, called, regions
    ):
        extension = _EXTENSION.match(text[end : end + 24])
        return start, end + (extension.end() if extension else 0), "[PHONE]"
    return None


def _is_id(number: str, digits: str, called: str, regions: tuple[str, ...]) -> bool:
    if ("US" in regions and _SSN.fullmatch(number)) or ("AE" in regions and _EMIRATES.fullmatch(number)):
        return True
    is_whole = number.isdigit() or re.fullmatch(
        r"\d{6}[ -]\d{8}[ -]\d{3,4}|784[ -]\d{4}[ -]\d{7}[ -]\d", number
    )
    return bool(is_whole) and (
        is_telling_id(digits, regions) or (called == "weak" and is_national_id(digits, regions))
    )


def _is_cut(text: str, start: int, end: int) -> bool:
    """Return whether the digits are a piece of something larger: a code, a decimal, a time, a path."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    if re.search(rf"[A-Za-z_{TAKEN}]$|\d[.,:/-]$|[/#=&]$|[A-Za-z]-$", before):
        return not (
            re.search(r"[A-Za-z]$|#$", before)
            and re.search(r"(?:tel|gsm|mob|phone|cell)$", text[max(0, start - 6) : start], re.I)
        )
    if re.match(rf"[{TAKEN}_%°]|[.,:/-]\d|-[A-Za-z]", after):
        return not re.match(r"[,/]\s?0?\d{6}", text[end : end + 9])
    return bool(
        re.match(r"[A-Za-z]", after)
        and not re.match(r"x\s?\d", after, re.I)
        and not after.upper().startswith("X")
    )


def _is_phone(text: str, start: int, end: int, called: str, regions: tuple[str, ...]) -> bool:
    number = text[start:end]
    digits, is_abroad = re.sub(r"\D", "", number), "+" in number
    if _DATE.fullmatch(number) or is_amount(text, start, end) or len(set(digits)) < 3 or len(digits) > 16:
        return False
    if re.match(r"0\.", number) or (
        "/" in number and not re.match(r"\(?0\d{1,4}\)? ?/ ?\d[\d .-]+$", number)
    ):
        return False
    if is_abroad:
        return _fits_plan("+" + digits, ("ZZ",), possible=True)
    if called in ("thing", "id", "weak"):
        return False
    if digits.startswith("00"):
        return _fits_plan("+" + digits[2:], ("ZZ",), possible=called == "phone")
    if called == "phone":
        return _fits_plan(digits, regions, possible=len(digits) > 8) or _fits_plan(
            "+" + digits, ("ZZ",), mobile=True
        )
    if digits.startswith("0"):
        return len(digits) > 8 and _fits_plan(digits, regions)
    if "US" in regions and _AMERICAN.fullmatch(number):
        return True
    # Chinese mobiles are dialled as they are written; others are known by their country's code without its plus.
    if "CN" in regions and re.fullmatch(r"1[3-9]\d(?:\d{8}|([ -])\d{4}\1\d{4})", number):
        return True
    return (
        len(digits) > 10
        and number.isdigit()
        and digits[0] != "1"
        and _fits_plan("+" + digits, regions, mobile=True)
    )


@cache
def _codes(regions: tuple[str, ...]) -> frozenset[int]:
    return frozenset(phonenumbers.country_code_for_region(region) for region in regions)


def _fits_plan(
    number: str, regions: tuple[str, ...], *, possible: bool = False, mobile: bool = False
) -> bool:
    """Return whether a region's numbering plan has such a number (libphonenumber)."""
    for region in regions if number[0] != "+" else ("ZZ",):
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if mobile:
            if "ZZ" not in regions and parsed.country_code not in _codes(regions):
                return False
            return phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
        # Numbers kept for fiction (07700 900...) are in no plan.
        is_fiction = parsed.country_code == 44 and str(parsed.national_number).startswith("7700900")
        if (
            is_fiction
            or phonenumbers.is_valid_number(parsed)
            or (possible and phonenumbers.is_possible_number(parsed))
        ):
            return True
    return False
