"""Finds cards, bank accounts, national ids and telephone numbers by their sums and by what a text calls them."""

import re
from collections.abc import Iterator

import phonenumbers

from vocwb.collect.national_ids import is_card, is_national_id, is_telling_id, measure_iban
from vocwb.collect.personal_contacts import HAN, TAKEN, Span, is_amount

_ID_WORDS = (
    r"\b(?:ssn|social security(?: no| number)?|(?:my|your|his|her) social|national insurance|nino|ni (?=no|number)"
    r"|nhs (?=no|number)|nhs(?=\W{0,3}$)|passport|national (?:id|code|no|number)|identity (?:card|no|number)|id card"
    r"|emirates id|iqama|driving licence|driver'?s licen[sc]e|егн|egn|лнч|лична(?:та)?(?: (?:ми|му|ѝ|й))? карта"
    r"|л\.? ?к\b|паспорт\w*)|کد ?ملی|شماره ملی|کارت ملی|گذرنامه|پاسپورت|شناسنامه|هوي[ةه]|هويت"
    r"|[إا]قام[ةه]|[إا]قامت|قومي|جواز|身份[证證]|身分[证證]|护照|護照|居留[證证]|統一證號|证件|證件"
)
_PHONE_WORDS = (
    r"\b(?:tele?phone|phone|tel|call(?:ed|ing|s)?|mobile|mob|cell|whats ?app|viber|sms"
    r"|text(?:ed)? (?:me|him|her|us)|reach (?:me|us)|r[ia]ng|dial(?:led)?|contact|fax"
    r"|(?:my|our|his|her|their|me on) (?:number|no)|тел\w*|gsm|джиесем|моб\w*|обад\w*|обажда\w*|звън\w*"
    r"|вайбър|ватсап|смс|номер\w* (?:ми|му|ѝ|й|си)|мо[йя]т? номер|факс)\b|تلفن|موبایل|موبايل|همراه(?!\w)"
    r"|تماس|زنگ|شماره ?(?:من|مون|اش|ش|ام|م)(?!\w)|واتس|پیامک|خط(?!\w)|هاتف|جوال|اتصل|تواصل|رقمي|تليفون|تلفون"
    r"|كلم(?:ني|وني)|فاكس|電話|电话|手機|手机|聯絡|联系|聯繫|連絡|撥打|拨打|打給|打给|致电|致電|来电|來電|回電|回电|固话|固話|市話|傳真|传真|座机"
)
_THING_WORDS = (
    r"\b(?:orders?|invoices?|tickets?|cases?|ref(?:erence)?|tracking|bookings?|parcels?|items?|models?"
    r"|serial|flights?|confirmation|accounts?|acct|transactions?|sku|isbn|ean|upc|barcode|part|product"
    r"|version|firmware|build|policy|claims?|batch|lot|receipt|vin|usps|fedex|dhl|ups|imei|zip|поръчк\w*"
    r"|пратк\w*|товарителниц\w*|фактур\w*|сметк\w*|билет\w*|баркод\w*|парцел\w*|партид\w*|сери\w+"
    r"|клиентск\w*|абонат\w*|вх|изх|еик|булстат|код\w*|модел\w*|верси\w*|глоб\w*|договор\w*|преписк\w*"
    r"|координат\w*|показани\w*|(?:user|device|session|request) id)\b(?: ids?\b)?|سفارش|فاکتور|پیگیری|رهگیری"
    r"|مرسوله|بسته|سریال|بارکد|تیکت|مدل|نسخه|بلیط|پرواز|قبض|اشتراک|پارت|مختصات|پستی|تخفیف|کد|شناسه|طلب"
    r"|شحن[ةه]|فاتور[ةه]|تتبع|حجز|تذكر[ةه]|مرجع|باركود|تسلسلي|كود|منتج|مخالف[ةه]|موديل|إصدار|رحل[ةه]|عداد"
    r"|بوليص[ةه]|معامل[ةه]|بلاغ|订单|訂單|单号|單號|编号|編號|包裹|快递单|運單|运单|工单|批号|批號|会员|會員|序列|條碼|条码|型号|型號|发票|發票|统一编号|統一編號"
    r"|統編|版本|座標|坐标|参考号|商品|产品|產品|航班|案號|案件|保單|保单|流水|交易|取件|病歷|病历"
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
_PARTED = re.compile(r"[!?。！？]|.\.\s")


def _called(text: str, start: int, end: int) -> str:
    """Return what the words before a number call it: id, phone, thing, weak (an id of something), or nothing."""
    before = text[max(0, start - 48) : start].rpartition(TAKEN)[2]
    last = None
    for match in _CALLS.finditer(before):
        last = match
    if last:
        gap = before[last.end() :]
        words = re.findall(rf"[{HAN}]{{1,4}}|[^\W{HAN}]+", _FILLER.sub(" ", gap))
        # A sentence's end parts the two; a full stop right behind the word only shortens it. "Orders 12345678
        # and 12345679" are both orders, "order 12345678, 07700 900123" are not.
        size = len(re.sub(r"\D", "", text[start:end]))
        is_alike = all(len(re.sub(r"\D", "", other)) == size for other in re.findall(r"\d[\d ().-]*", gap))
        is_near = len(words) <= (1 if last.lastgroup == "thing" else 2) and not _PARTED.search(gap)
        if is_near and (is_alike or last.lastgroup == "phone"):
            return last.lastgroup
    elif re.search(r"[#№] ?$", before):
        return "thing"
    return ""


def _called_after(text: str, end: int) -> str:
    """Return what the words behind a number call it ("... is my number")."""
    behind = re.match(r"\s{0,2}(?:(?:is|my|e|е|هو|هذا|این|شماره|رقم) |是|我的?){0,2}", text[end : end + 24])
    match = _CALLS.match(text[end + behind.end() : end + 24])
    return match.lastgroup if match else ""


_IBAN = re.compile(rf"(?<![A-Za-z0-9{TAKEN}])[A-Z]{{2}} ?\d{{2}}(?:[ -]?[A-Z0-9]){{11,30}}", re.I)
_SHEBA = re.compile(rf"(?:شبا|sheba|shaba)[^\d{TAKEN}]{{0,20}}(?<!\w)(\d{{24}})(?!\w)", re.I)
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
_ID_GROUPS = re.compile(r"\d{6}([ -])\d{8}\1\d{3,4}|784([ -])\d{4}\2\d{7}\2\d")
_EMIRATES = re.compile(r"784-(?:19|20)\d\d-\d{7}-\d")
_DOCUMENT = re.compile(
    rf"(?<![A-Za-z0-9{TAKEN}_])(?:[A-Za-z]{{1,3}})?\d(?:[ -]?\d){{4,17}}[A-Za-z]?(?![A-Za-z0-9_])"
)
_RUN = re.compile(r"\+?\(?\+?\d+(?:[ ().\-/]{1,3}\d+)*")
_GROUP = re.compile(r"\d+")
_DATE = re.compile(
    r"(?:19|20|1[34])\d{2}[ ./-]\d{1,2}[ ./-]\d{1,2}(?:\D.*)?|\d{1,2}[ ./-]\d{1,2}[ ./-](?:19|20"
    r"|1[34])\d{2}(?:\D.*)?"
    r"|(?:19|20)\d{2} ?[-/] ?(?:19|20)\d{2}"
)
_EXTENSION = re.compile(
    r"\s?,?\s?(?:ext(?:ension)?\.?|x|#|доб\.?|вътр\.?|داخلی|تحويلة|轉|转|分機|分机)[\s:：.]{0,2}\d{1,6}(?!\d)",
    re.I,
)
_CHINESE = re.compile(r"1[3-9]\d(?:\d{8}|([ -])\d{4}\1\d{4})")
_STROKE = re.compile(r"\(?0\d{1,4}\)? ?/ ?\d[\d .-]+$")
_AMERICAN = re.compile(r"(?:1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])\d{3}[ .-]\d{4}")


def find_ibans(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield the account numbers of ISO 13616, and Iranian ones written without IR.

    >>> list(find_ibans("pay GB82 WEST 1234 5698 7654 32 back", ("GB",), frozenset()))
    [(4, 31, '[IBAN]')]
    """
    for match in _IBAN.finditer(text):
        places = [at for at, letter in enumerate(match[0]) if letter.isalnum()]
        length = measure_iban("".join(match[0][at] for at in places))
        code = match[0][: places[length - 1] + 1] if length else ""
        # "at 120 years" could pass the sum, too: with spaces it is in capitals or in groups of four.
        if code and (code.isupper() or re.fullmatch(r"\w{5,}|(?:\w{4}[ -])+\w{1,4}", code)):
            yield match.start(), match.start() + places[length - 1] + 1, "[IBAN]"
    for match in _SHEBA.finditer(text):
        if measure_iban("IR" + match[1]):
            yield *match.span(1), "[IBAN]"


def find_documents(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield ids with letters, and what the text itself calls a passport or a national id.

    >>> list(find_documents("my passport is 533401372, order 533401372", ("GB",), frozenset()))
    [(15, 24, '[ID]')]
    """
    for match in _LETTERED.finditer(text):
        code = match[0].replace(" ", "")
        is_british = "GB" in regions and _NINO.fullmatch(code)
        if (is_british or is_telling_id(code, regions)) and _called(text, *match.span()) != "thing":
            yield *match.span(), "[ID]"
    for match in _DOCUMENT.finditer(text):
        digits = re.sub(r"\D", "", match[0])
        is_dialled = text[match.start() - 1 : match.start()] == "+" or (
            len(digits) == 11 and digits[0] == "0"
        )
        if (
            len(digits) < 6
            or len(set(digits)) < 3
            or is_dialled
            or _DATE.fullmatch(match[0])
            or is_amount(text, *match.span())
        ):
            continue
        if "id" in (_called(text, *match.span()), _called_after(text, match.end())):
            yield *match.span(), "[ID]"


def find_numbers(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield cards, national ids and telephone numbers among the digits.

    >>> list(find_numbers("ring 07700 900123 about order 07700 900123", ("GB",), frozenset()))
    [(5, 17, '[PHONE]')]
    """
    for run in _RUN.finditer(text):
        groups = [
            (run.start() + group.start(), run.start() + group.end()) for group in _GROUP.finditer(run[0])
        ]
        # A long table of figures is no number in pieces: there each group stands for itself.
        reach = 1 if len(groups) > 40 else 20
        at = 0
        while at < len(groups):
            ends = [end for _, end in groups[at : at + reach] if 7 <= end - groups[at][0] <= 34]
            spans = (_name_number(text, groups[at][0], end, regions) for end in reversed(ends))
            if found := next(filter(None, spans), None):
                yield found
            at += 1
            while found and at < len(groups) and groups[at][0] < found[1]:
                at += 1


def _name_number(text: str, start: int, end: int, regions: tuple[str, ...]) -> Span | None:
    """Return the digits there with their mark, if together they are one number that is personal."""
    number = text[start:end]
    digits = re.sub(r"\D", "", number)
    if not 7 <= len(digits) <= 19 or _is_cut(text, start, end):
        return None
    called = _called(text, start, end)
    if called != "thing" and re.fullmatch(r"\d(?:[ -]?\d)*", number):
        if is_card(digits) and _CARD_GROUPS.fullmatch(number) and not is_amount(text, start, end):
            return start, end, "[CARD]"
        if called != "phone" and _is_id(number, digits, called, regions):
            return start, end, "[ID]"
        if len(digits) == 17 and text[end : end + 1] in "xX" and is_telling_id(digits + "X", regions):
            return start, end + 1, "[ID]"
    if not called and _called_after(text, end) in ("id", "phone"):
        called = _called_after(text, end)
    # The plus and the bracket before the first digit belong to the number.
    while start and text[start - 1] in "+(" and (text[start - 1] == "+" or ")" in number):
        start -= 1
    is_balanced = text[start:end].count("(") == text[start:end].count(")")
    if is_balanced and _is_phone(text, start, end, called, regions):
        extension = _EXTENSION.match(text[end : end + 24])
        return start, end + (extension.end() if extension else 0), "[PHONE]"
    return None


def _is_id(number: str, digits: str, called: str, regions: tuple[str, ...]) -> bool:
    if ("US" in regions and _SSN.fullmatch(number)) or ("AE" in regions and _EMIRATES.fullmatch(number)):
        return True
    if not number.isdigit() and not _ID_GROUPS.fullmatch(number):
        return False
    return is_telling_id(digits, regions) or (called == "weak" and is_national_id(digits, regions))


def _is_cut(text: str, start: int, end: int) -> bool:
    """Return whether the digits are a piece of something larger: a code, a decimal, a time, a path."""
    before, after = text[max(0, start - 4) : start], text[end : end + 5]
    is_next = re.search(r"\d{3}[,/]$", before) and text[start] == "0"  # of several numbers: 0888..., 0899...
    if not is_next and re.search(rf"[A-Za-z_{TAKEN}/#=&]$|\d[.,:-]$|[A-Za-z]-$", before):
        return True
    if re.match(rf"[{TAKEN}_%°A-WYZa-wyz]|-[A-Za-z]", after):  # x begins an extension, or ends a Chinese id
        return True
    return bool(re.match(r"[.,:/-]\d", after) and not re.match(r"[,/](?:0\d\d|\d{4})", after))


def _is_phone(text: str, start: int, end: int, called: str, regions: tuple[str, ...]) -> bool:
    number = text[start:end]
    digits = re.sub(r"\D", "", number)
    if _DATE.fullmatch(number) or is_amount(text, start, end) or len(set(digits)) < 3 or len(digits) > 16:
        return False
    # A stroke stands behind an area code only: 02/981 12 34.
    if number.startswith("0.") or ("/" in number and not _STROKE.match(number)):
        return False
    if "+" in number:
        return _fits_plan("+" + digits, ("ZZ",), "possible")
    if called in ("thing", "id", "weak"):
        return False
    if digits.startswith("00"):
        return _fits_plan("+" + digits[2:], ("ZZ",), "possible" if called == "phone" else "valid")
    if called == "phone":
        how = "possible" if len(digits) > 8 else "valid"
        return _fits_plan(digits, regions, how) or _fits_plan("+" + digits, ("ZZ",), "mobile")
    if digits.startswith("0"):
        return len(digits) > 8 and _fits_plan(digits, regions, "valid")
    # North Americans and Chinese mobiles are dialled as they are written.
    if "US" in regions and _AMERICAN.fullmatch(number):
        return True
    # "TotalPageFile: 19527397376" has the form, too.
    if (
        "CN" in regions
        and _CHINESE.fullmatch(number)
        and not re.search(r"[a-z][:=]\s?$", text[max(0, start - 3) : start])
    ):
        return True
    is_bare = number.isdigit() and len(digits) > 10 and digits[0] != "1"
    return is_bare and _has_code(digits, regions) and _fits_plan("+" + digits, ("ZZ",), "mobile")


def _has_code(digits: str, regions: tuple[str, ...]) -> bool:
    return any(digits.startswith(str(phonenumbers.country_code_for_region(region))) for region in regions)


def _fits_plan(number: str, regions: tuple[str, ...], how: str) -> bool:
    """Return whether a numbering plan (libphonenumber's) has such a number: possible, valid, or of a mobile."""
    for region in regions:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if how == "mobile":
            is_one = phonenumbers.number_type(parsed) == phonenumbers.PhoneNumberType.MOBILE
        elif how == "possible":
            is_one = (
                phonenumbers.is_possible_number_with_reason(parsed)
                == phonenumbers.ValidationResult.IS_POSSIBLE
            )
        else:
            is_one = phonenumbers.is_valid_number(parsed)
        # Numbers kept for fiction (07700 900...) are in no plan.
        if is_one or (parsed.country_code == 44 and str(parsed.national_number).startswith("7700900")):
            return True
    return False
