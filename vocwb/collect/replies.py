"""Cuts from a mail what its writer did not say in it: quoted replies, forwarded parts, signatures."""

import re
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

# Marks of direction, and the bold of a mail that was HTML, stand before the words that mail programs write.
_DECORATION = re.compile("[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069*]")
_LONGEST_MARK = 400  # what is longer is no line that a mail program wrote
_HEAD_LINES, _SIGNATURE_LINES, _SHORT_LINE, _DEEPEST = 10, 12, 60, 10

_FIELDS = {
    "from": "from|von|de|da|van|od|från|от|изпратил|подател|از|فرستنده|من|المرسل|发件人|寄件者|寄件人",
    "sent": "sent|date|gesendet|datum|envoyé|enviado(?: el)?|fecha|inviato|verzonden|изпратено|дата"
    "|تاریخ(?: ارسال)?|ارسال(?: شده)?|فرستاده شده|زمان ارسال|ت[مّ]+ الإرسال|تم الارسال|التاريخ|تاريخ(?: الإرسال)?|أرسلت"
    "|发送时间|发送日期|日期|时间|寄件日期|傳送時間|傳送日期|時間",
    "to": "to|an|à|para|a|aan|до|кому|получател|به|گیرنده|إلى|الى|المستلم|收件人|收件者",
    "cc": "cc|kopie|copie|копие|رونوشت|نسخة(?: إلى)?|抄送|副本",
    "subject": "subject|betreff|objet|asunto|oggetto|onderwerp|относно|тема|موضوع|الموضوع|主题|主旨|主題",
}
_FIELD = re.compile(
    rf"(?:{'|'.join(f'(?P<{name}>{words})' for name, words in _FIELDS.items())})\s?[:：](?P<value>.*)", re.I
)

_STARTS = re.compile(r"(?:on|am|le|el|em|il|op|на|в|در|في|فى|بتاريخ|在|于|於)[\s\d]", re.I)
_WROTE = re.compile(
    r"(?:\b(?:wrote|writes|schrieb|a écrit|escribió|escreveu|ha scritto|schreef|skrev|написал?а?|писа|пише)\b.{0,80}"
    r"|(?:نوشت|نوشته است|نوشته‌است|كتب|کتب|كتبت|تمت كتابة ما يلي بواسطة).{0,80}|写道|寫道|写到|寫到)\s*[:：]$",
    re.I,
)
_DATED_ADDRESS = re.compile(r"\d{4}.{1,80}<[^<>]{3,80}>\s*[:：]$")  # as Gmail once wrote, without a verb
_ADDRESS = re.compile(r"@|<[^<>]+ at [^<>]+>|\[mailto:")
_TIME = re.compile(r"\d{4}.*\d[:：.]\d\d|\d[:：.]\d\d.*\d{4}")

_DASHED = re.compile(r"[-=_—]{2,}\s*(.{3,60}?)\s*[-=_—]{2,}")
_RULE = re.compile("[_-]{20,}")
_ORIGINAL = re.compile(
    "original (?:message|appointment|mail|e-?mail)|reply message|ursprüngliche nachricht|original-?nachricht"
    "|message d'origine|mensaje original|messaggio originale|oorspronkelijk bericht"
    "|پیام اصلی|پیغام اصلی|الرسالة الأصلية|رسالة أصلية|оригинално съобщение|първоначално съобщение"
    "|原始邮件|原邮件|原始郵件|原始訊息|原始信件|回复的原邮件",
    re.I,
)
_FORWARDED = re.compile(
    "forwarded (?:message|mail|by .{1,50})|weitergeleitete nachricht|message (?:transféré|réexpédié)|mensaje reenviado"
    "|messaggio inoltrato|doorgestuurd bericht|پیام (?:ارسال|هدایت|بازارسال|فوروارد)[\\s\u200c]?شده|پیام ارسالی"
    "|(?:ال)?رسالة (?:ال)?(?:محولة|معاد توجيهها|مُعاد توجيهها|معاد إرسالها)|الرسالة المعاد توجيهها"
    "|препратено съобщение|препратен(?:о|а) (?:писмо|поща)|转发邮件(?:信息)?|转发的邮件|轉寄郵件|轉寄的郵件|轉寄信件",
    re.I,
)
_BEGIN_FORWARDED = re.compile(
    "begin forwarded message|anfang der weitergeleiteten (?:nachricht|e-mail)|début du message (?:transféré|réexpédié)"
    "|inicio del mensaje reenviado|начало на препратеното съобщение|开始转发的邮件|開始轉寄郵件|下面是被转发的邮件"
    "|بداية الرسالة (?:المحولة|المعاد توجيهها)|شروع پیام (?:هدایت|ارسال|بازارسال)[\\s\u200c]?شده",
    re.I,
)

_DEVICE = (
    r"(?:i?phone|i?pad|ipod|android|samsung|galaxy|huawei|xiaomi|redmi|honor|oneplus|pixel|nokia|blackberry|windows|mail"
    r"|outlook|yahoo|gmail|aol|proton|device|mobile|smartphone|handy|telefon|téléphone|móvil|celular|cellulare|мобил"
    r"|телефон|айфон|таблет|устройство|آیفون|آیپد|گوشی|موبایل|تلفن|هاتف|آيفون|الآيفون|جهاز|جوال|手机|手機|移动|行動|平板)"
)
_SENT_FROM = re.compile(
    r"(?:sent (?:from|via|using|with) (?:my )?|get outlook for |von meinem |gesendet (?:von|mit) "
    r"|envoyé (?:de|depuis|à partir d)|enviado (?:desde|do|de) |inviato da|verzonden (?:van|vanaf) "
    r"|изпратено (?:от|с|чрез) |(?:ارسال|فرستاده)[\s\u200c]?(?:شده)? ?(?:از|با|توسط) "
    r"|(?:أ?رسلت?|مرسلة?|تم الإرسال|أرسلت) من |发自|發自|从|從|来自|來自|傳送自|寄自|使用)"
    rf".{{0,40}}{_DEVICE}.{{0,40}}|von meinem .{{2,30}} gesendet",
    re.I,
)
_CLOSING = re.compile(
    r"(?:(?:with )?(?:(?:my|our) )?(?:best|kind|kindest|warm|warmest)? ?regards|best wishes|all the best"
    r"|(?:yours )?sincerely(?: yours)?|yours (?:faithfully|truly)|respectfully(?: yours)?"
    r"|(?:mit )?(?:freundlichen?|viele|beste|herzliche) grüßen?|mfg|(?:bien )?cordialement|sincères salutations"
    r"|saludos(?: cordiales)?|atentamente|cordiali saluti"
    r"|(?:с )?(?:сърдечни |най-добри |приятелски )?поздрави|с уважение|с почит|с най-добри пожелания"
    r"|با (?:تقدیم )?احترام(?: فراوان)?|ارادتمند(?: شما)?|با سپاس(?: فراوان)?|با آرزوی موفقیت"
    r"|(?:و?مع )?(?:أطيب|أجمل|خالص) (?:ال)?(?:تحيات|تحية|تحياتي)|تحياتي(?: لكم)?"
    r"|مع (?:ال)?(?:تحية|تحياتي|تحيات)(?: والتقدير)?|مع فائق الاحترام(?: والتقدير)?"
    r"|و?تفضلوا بقبول (?:فائق |خالص |وافر )?(?:ال)?احترام(?: والتقدير)?"
    r"|此致(?:敬礼|敬禮)?|敬礼|敬禮|祝好|[顺順][颂頌祝]商祺|敬祝商祺|商祺|谨启|謹啟|敬上|谨上)",
    re.I,
)
_AFTER_CLOSING = re.compile(r"\s*[,.!،。，！]?(?:[\s,.،，]+\S+){0,4}\s*")
_DISCLAIMER = re.compile(
    r"(?:confidentiality notice|disclaimer|legal notice|this (?:e-?mail|message|communication|transmission)"
    r"|the information (?:contained )?in this|diese (?:e-?mail|nachricht)|ce (?:message|courriel|mail)"
    r"|este (?:mensaje|correo)|(?:това|настоящото) (?:съобщение|писмо)|този (?:имейл|е-?мейл)"
    r"|این (?:ایمیل|پیام|پیغام|رایانامه|نامه)|(?:إن )?هذ(?:ه الرسالة|ا البريد)|تنبيه"
    r"|[本此](?:电子|電子)?[邮郵]件|[声聲]明).{0,600}?"
    r"(?:confidential|privileged|intended (?:solely|only|recipient)|vertraulich|confidentiel|confidencial"
    r"|поверителн|конфиденциалн|محرمانه|سرية|سري |خصوصية|保密|机密|機密)",
    re.I | re.S,
)
_PRINTING = re.compile("(?:please )?(?:consider|think (?:of|about)) the environment before printing", re.I)

_SAID, _QUOTED, _SIGNATURE, _FORWARD = range(4)


class MailParts(NamedTuple):
    """The parts of a mail, each with its lines in order: no line is lost, and none stands in two parts."""

    said: str
    quoted: str
    signature: str
    forwarded: str


def cut_replies(text: str) -> MailParts:
    """Return what the writer of a mail said in it, and what is quoted, a signature or forwarded.

    Knows what mail programs write in English, Persian, Arabic, Bulgarian, Chinese (both scripts), and much of
    German, French and Spanish. Only whole lines are cut, and only where a program's marks stand together: ">"
    at three lines or below a line that says who wrote, a head of From, Sent and Subject, "-- ", a closing with
    short lines to the end. Answers between quoted lines are all said. Where nothing is said above a forwarded
    mail, its text is what is said, and its head is kept aside. Takes linear time.

    >>> parts = cut_replies("Still broken!\\n-- \\nAnn\\n\\nOn 3 May 2025, Bo <bo@x.org> wrote:\\n> Is it well?")
    >>> parts.said, parts.signature, parts.quoted
    ('Still broken!', '-- \\nAnn', 'On 3 May 2025, Bo <bo@x.org> wrote:\\n> Is it well?')
    """
    lines = text.split("\n")
    labels = _label_lines(lines) if len(lines) > 1 else [_SAID]
    parts = (
        "\n".join(line for line, label in zip(lines, labels, strict=True) if label == part)
        for part in range(4)
    )
    return MailParts(*(part.strip("\n") if part.strip() else "" for part in parts))


def cut_all(texts: pd.Series) -> pd.DataFrame:
    """Return the parts of each mail in columns said, quoted, signature, forwarded; empty parts are missing.

    >>> cut_all(pd.Series(["Fine.\\n\\nSent from my iPhone", None])).fillna("").values.tolist()
    [['Fine.', '', 'Sent from my iPhone', ''], ['', '', '', '']]
    """
    parts = {text: cut_replies(text) for text in texts.dropna().unique()}
    nothing = MailParts("", "", "", "")
    rows = [parts.get(text, nothing) if isinstance(text, str) else nothing for text in texts]
    frame = pd.DataFrame(rows, index=texts.index, columns=list(MailParts._fields), dtype="str")
    return frame.mask(frame == "")


def _label_lines(lines: list[str], depth: int = 0) -> list[int]:
    marks = [line.strip() for line in lines]
    marks = [line if len(line) <= _LONGEST_MARK else line[:_LONGEST_MARK] + "…" for line in marks]
    marks = [
        line if line.isascii() and "*" not in line else _DECORATION.sub("", line).strip() for line in marks
    ]
    labels = [_SAID] * len(lines)
    quoted = [line.startswith(">") for line in marks]
    # "> 5 days" and one arrow are no quote by themselves.
    quotes = sum(re.match(r">+\s?(?!\d)\S", line) is not None for line in marks) >= 3
    at, end = 0, len(lines)
    while at < end:
        intro = 0 if quoted[at] else _count_intro(marks, at)
        below = next((k for k in range(at + intro, min(at + intro + 3, end)) if marks[k]), None)
        if quoted[at]:
            last = at
            while last + 1 < end and (quoted[last + 1] or not marks[last + 1]):
                last += 1
            if quotes or (at and labels[at - 1] == _QUOTED):
                labels[at : last + 1] = [_QUOTED] * (last + 1 - at)
            at = last + 1
            continue
        if intro and below is not None and quoted[below]:
            labels[at:below] = [_QUOTED] * (below - at)
            at = below
            continue
        cut = _begins_cut(marks, at, intro)
        if cut:
            head, label = cut
            labels[at:] = [label] * (end - at)
            _label_signature(marks, labels, at)
            nothing = not any(marks[above] and labels[above] == _SAID for above in range(at))
            # A head of Outlook with nothing above it is a forwarded mail: only who answers has something to say.
            if nothing and not intro and depth < _DEEPEST:
                labels[at : at + head] = [_FORWARD] * head
                labels[at + head :] = _label_lines(lines[at + head :], depth + 1)
            break
        at += 1
    else:
        _label_signature(marks, labels, end)
    for number in range(1, len(lines)):
        if not marks[number] and not lines[number].strip():
            labels[number] = labels[number - 1]
    return labels


def _count_intro(marks: list[str], at: int) -> int:
    """Return of how many lines the line "On ... wrote:" is that begins here, 0 if none does."""
    for count in (1, 2, 3):
        lines = marks[at : at + count]
        if len(lines) < count or not all(lines):
            return 0
        if not lines[-1].endswith((":", "：")):
            continue
        if count > 1 and not (_STARTS.match(lines[0]) or _ADDRESS.search(lines[0])):
            return 0
        joined = " ".join(lines)
        if _WROTE.search(joined) or _DATED_ADDRESS.search(joined):
            return count
    return 0


def _begins_cut(marks: list[str], at: int, intro: int) -> tuple[int, int] | None:
    """Return, where all that follows is another mail, how many lines its head has, and what it is."""
    line = marks[at]
    if not line:
        return None
    if intro:
        joined = " ".join(marks[at : at + intro])
        dated = _STARTS.match(joined) and _TIME.search(joined)
        return (intro, _QUOTED) if _ADDRESS.search(joined) or dated else None
    if ":" not in line and "：" not in line and line[0] not in "-=_—":
        return None  # what most lines are
    dashed = _DASHED.fullmatch(line)
    words = dashed[1] if dashed else ""
    if _BEGIN_FORWARDED.fullmatch(line.rstrip(":： ")) or _FORWARDED.fullmatch(words):
        return 1 + _count_head(marks, at + 1), _FORWARD
    if _ORIGINAL.fullmatch(words):
        return 1 + _count_head(marks, at + 1), _QUOTED
    head = _count_head(marks, at + 1 if _RULE.fullmatch(line) else at)
    if head:
        return head + (_RULE.fullmatch(line) is not None), _QUOTED
    return None


def _count_head(marks: list[str], at: int) -> int:
    """Return how many lines a mail's head has here (From, Sent, To, Subject), with blank ones before it; or 0."""
    start = at
    while at < min(start + 2, len(marks)) and not marks[at]:
        at += 1
    found: dict[str, str] = {}
    last = at
    for number in range(at, min(at + _HEAD_LINES, len(marks))):
        line = _FIELD.fullmatch(marks[number])
        if line is None:
            # A long list of addresses goes on in the next line.
            if found and marks[number] and number == last and "@" in marks[number]:
                last = number + 1
                continue
            break
        found.setdefault(next(filter(line.group, _FIELDS)), line["value"])
        last = number + 1
    if next(iter(found), None) not in ("from", "sent", "subject") or "from" not in found:
        return 0
    dated = re.search(r"\d", found.get("sent", "")) is not None
    is_head = ("subject" in found and dated) or ("@" in found["from"] and len(found) >= 3)
    return last - start if is_head else 0


def _label_signature(marks: list[str], labels: list[int], end: int) -> None:
    """Label the signature in the lines that are said before `end`."""
    said = [number for number in range(end) if labels[number] == _SAID and marks[number]]
    # What stands after the last quoted line is where a signature can be; so is the part above the first.
    for block in _split_blocks(said, labels):
        _label_block(marks, labels, block)


def _split_blocks(said: Iterable[int], labels: list[int]) -> list[list[int]]:
    blocks: list[list[int]] = []
    for number in said:
        if not blocks or any(label == _QUOTED for label in labels[blocks[-1][-1] : number]):
            blocks.append([])
        blocks[-1].append(number)
    return blocks


def _label_block(marks: list[str], labels: list[int], block: list[int]) -> None:
    _label_disclaimers(marks, labels, block)
    block = [number for number in block if labels[number] == _SAID]
    tail = block[-_SIGNATURE_LINES - 1 :]
    start = None
    for place, number in enumerate(tail):
        rest = tail[place + 1 :]
        if marks[number] in ("--", "–", "—") and rest:
            start = place
            break
        closing = _CLOSING.match(marks[number])
        is_closing = closing and _AFTER_CLOSING.fullmatch(marks[number], closing.end())
        if is_closing and number != block[0] and all(_is_short(marks[later]) for later in rest):
            start = place
            break
    for number in tail[start:] if start is not None else ():
        labels[number] = _SIGNATURE
    for number in block:
        if _SENT_FROM.fullmatch(marks[number]) or _PRINTING.match(marks[number]):
            labels[number] = _SIGNATURE


def _is_short(line: str) -> bool:
    return len(line) <= _SHORT_LINE and (len(line.split()) <= 8 or "|" in line)


def _label_disclaimers(marks: list[str], labels: list[int], block: list[int]) -> None:
    """Label a paragraph that begins as a disclaimer and speaks of confidence; the first said line is none."""
    paragraph: list[int] = []
    for number in [*block[1:], None]:
        if paragraph and (number is None or number != paragraph[-1] + 1):
            if _DISCLAIMER.match(" ".join(marks[each] for each in paragraph)):
                for each in paragraph:
                    labels[each] = _SIGNATURE
            paragraph = []
        if number is not None:
            paragraph.append(number)
