"""Reads the wordings and scales of a programme's surveys as a methodologist would, and says what to mend."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from vocwb.collect.column_words import is_question, means
from vocwb.crosswalk import Question, Source
from vocwb.programme import Programme

_MOST_WORDS, _MOST_HAN = 25, 60
_MOST_ITEMS, _MOST_OPEN, _MOST_POINTS = 20, 3, 11
_COLUMNS = ["source", "item", "problem", "why", "remedy"]
_PERSIAN = re.compile("[پچژگکی]")

# Two things in one question. What people, places or a scale's ends are paired with is one thing.
_TWO = {
    "latin": r"\b(?:and/or|and|or|as well as|и|или|както и)\b|(?<=[^\W\d]{3})/(?=[^\W\d]{3})",
    "fa": r"\s(?:و|یا|و همچنین)\s",
    "ar": r"\s(?:وال\w{3,}|أو|وكذلك)\b",
    "zh": r"(?<=[\u4e00-\u9fff]{2})(?:以及|和|与|與|及)(?=[\u4e00-\u9fff]{2})",
}
_ONE = re.compile(
    r"\b\w+ or (?:dis|un|in|im)\w+|\b(?:good or bad|easy or (?:difficult|hard)|high or low)\b|\b\w+ или не\w+"
    r"|\S+ یا نا\S+|\S+ أو غير|满意或不|"
    r"\b(?:friends?|family|famil(?:y|ies)|colleagues?|relatives|others?|peers)(?: members?)? (?:and"
    r"|or)(?: \w+){0,2}"
    r" (?:friends?|family|colleagues?|relatives|others?|peers)\b|\b(?:terms and conditions"
    r"|health and safety|pros and cons"
    r"|questions? and answers?|black and white|yes or no|more or less|once or twice|one or more"
    r"|whether or not|or not"
    r"|or (?:less|more|fewer|later|older|above|below|any other|other|another)|up and running"
    r"|bed and breakfast|sales and"
    r" marketing|research and development|food and drinks?|bits and pieces|between \S+ and \S+"
    r"|and (?:why|how so))\b"
    r"|\b(?:you|we|they|i) and (?:your|our|their|my)\b|(?:прия\w+|семей\w+|колег\w+|близки\w*"
    r"|роднин\w+) (?:и|или)"
    r" (?:прия\w+|семей\w+|колег\w+|близки\w*|роднин\w+|познат\w+)|\b(?:да или не|повече или по-малко"
    r"|хора и общности)\b"
    r"|(?:دوست\S*|خانواده\S*|همکار\S*|آشنا\S*|بستگان) (?:و|یا) (?:دوست|خانواده|همکار|آشنا|بستگان)\S*"
    r"|بله یا خیر|کم و بیش"
    r"|(?:صديق\S*|الأصدقاء|أصدقاء\S*|العائلة|عائلت\S*|الأهل|زميل\S*|زملا\S*) (?:أو )?(?:و?ال)?(?:زملاء"
    r"|زميل|عائلة|أصدقاء"
    r"|أهل|صديق|أقارب)\S*|نعم أو لا"
    r"|(?:朋友|家人|同事|亲友|親友|亲人|同学)(?:和|与|與|及|或)(?:朋友|家人|同事|亲友|親友|亲人|同学)"
    r"|(?:您|你|我们|我們)(?:和|与|與)|条款(?:和|与)条件"
    r"|和(?:谐|平|善|睦)|(?:温|缓|饱|总|柔)和|与(?:否|此|会)"
    r"|涉及|普及|以及时|及(?:时|格)",
    re.I,
)
_LEADING = re.compile(
    r"\b(?:don'?t|do not|wouldn'?t|isn'?t|aren'?t|shouldn'?t|didn'?t) (?:you|it|we|they)\b"
    r"|\bas (?:you know|everyone knows)\b"
    r"|\b(?:most|many) (?:people|customers) (?:think|say|agree|prefer|love)\b|\b(?:surely|obviously"
    r"|of course|clearly)\b,?"
    r"|\bour (?:\w+ )?(?:excellent|award[- ]winning|world[- ]class|amazing|wonderful|outstanding|superb"
    r"|fantastic|great"
    r"|friendly|helpful|leading|best|popular|improved|delicious|unique|innovative)\b"
    r"|\bwould you agree that\b|\bhow (?:great"
    r"|excellent|amazing|wonderful|fantastic|awesome|delighted|impressed|pleased|delicious|terrible|bad"
    r"|poor|annoying|awful)\b"
    r"|\bhow much (?:did|do) you (?:love|enjoy|like|hate)\b"
    r"|\bне (?:мислите|смятате|намирате|е) ли\b|\bнали\b|\b(?:нашата?|нашият|нашите|нашето) (?:отличн"
    r"|прекрасн|страхотн"
    r"|невероятн|любезн|превъзходн|изключителн)\w+|\bповечето (?:хора|клиенти)\b|\bколко (?:прекрасн"
    r"|страхотн|отличн|много"
    r" (?:харес|обич))\w*|\bразбира се\b|\bочевидно\b|فکر نمی\S*کنید|موافق نیستید|قبول ندارید"
    r"|بیشتر (?:مردم|مشتریان)"
    r"|(?:عالی|فوق\S?العاده|بی\S?نظیر|ممتاز|بهترین)\S* ما\b|همه می\S?دانند|چقدر (?:عالی|لذت|فوق)\S*"
    r"|البته که|\bألا (?:توافق|تعتقد"
    r"|تظن|ترى|تتفق)\S*|\bأليس|معظم (?:الناس|العملاء)|الجميع يعرف|(?:نا|شركتنا|خدمتنا|فريقنا"
    r"|منتجنا) (?:ال)?(?:رائع|ممتاز|مذهل"
    r"|مميز|استثنائي)\S*|كم (?:استمتعت|أحببت)\S*|ما مدى (?:روعة|امتياز)"
    r"|难道|難道|不觉得|不覺得|不认为|不認為|大多数(?:人|顾客|客户)"
    r"|大多數(?:人|顧客|客戶)|大家都|众所周知|眾所周知"
    r"|我们(?:优秀|出色|卓越|一流|完美|优质|贴心)|我們(?:優秀|出色|卓越|一流|完美|優質|貼心)"
    r"|有多(?:棒|喜欢|喜歡|享受|爱|愛|满意|滿意)|多么|多麼",
    re.I,
)
_NOT = {
    "latin": r"\b(?:not|cannot|never|without)\b|\b\w{2,8}n['’]t\b|\b(?:не|няма|нямам|нямаше|без)\b",
    "fa": r"\b(?:نیست\S*|نبود\S*|ندار\S*|نداشت\S*|نکرد\S*|نشد\S*|نمی\S*|بدون)",
    "ar": r"(?:^|\s)(?:لا|لم|لن|ليس\S*|بدون|غير)\s",
    "zh": r"不|没|沒|未|无法|無法",
}
_NOT_MEANT = re.compile(
    r"\bnot (?:at all|very|so|likely|satisfied|easy|only|applicable|sure)\b|\b(?:if|or|whether) not\b"
    r"|\bwithout (?:delay|charge)"
    r"\b|\bне (?:само|на последно|съм сигур\w+|ли)\b|\b(?:или|ако) не\b|\bнезависимо\b|(?:یا|اگر) (?:نه"
    r"|نیست)|نه تنها|أم لا"
    r"|لا (?:على الإطلاق|يزال)|إن لم|غير (?:راض|محتمل|سهل)\S*|(\w)[不没沒](?:有)?\1|不(?:太|满|滿|仅|僅|断|斷|错|錯|同"
    r"|客气|管|论|論|是很)"
    r"|完全不|一点也不|未来|未來|是否|与否|沒问题|没问题|有没有|有沒有",
    re.I,
)
_ABSOLUTE = re.compile(
    r"\b(?:always|never|every ?time|everyone|everybody|nobody|no one|none of|everything)\b|\b(?:винаги"
    r"|никога|всеки път|никой"
    r"|всичко)\b|همیشه|هرگز|هیچ\s?(?:‌)?(?:وقت|گاه|کس)|دائم(?:ا|ًا|اً)|أبد(?:ا|ًا|اً)|(?:في )?كل مرة"
    r"|لا أحد|总是|總是|从不|從不|从来|從來"
    r"|每次都|永远|永遠|没有人|沒有人|所有人都",
    re.I,
)
_JARGON = re.compile(
    r"\b(?:SLAs?|CRM|ERP|UX|UI|SKUs?|KPIs?|ROI|APIs?|B2B|B2C|FCR|AHT|IVR|CES|CSAT)\b"
    r"|(?i:\b(?:omni-?channel|onboarding|touch-?points?"
    r"|stakeholders?|end-to-end|synerg\w+|value proposition|customer journey|pain points?|use cases?"
    r"|deliverables?|фронт-?офис"
    r"|омниканал\w*|стейкхолдър\w*)\b)"
    r"|触点|觸點|全渠道|痛点|痛點|赋能|闭环|نقاط تماس|سفر مشتری|نقاط الاتصال|رحلة العميل"
)
_GOOD = (
    r"(?:(?:very|extremely|completely|strongly|totally|много|напълно|изключително|خیلی|کاملا|بسیار|非常|十分"
    r"|很)\s?)?"
    r"(?:satisfied|easy|likely|good|excellent|best|agree|happy|довол\w+|лесно|вероятно|отлич\w+"
    r"|съглас\w+|راضی|آسان|موافق|عالی"
    r"|راض\S*|سهل\S*|ممتاز\S*|أوافق|满意|滿意|容易|同意|很好|最好)"
)
_REVERSED = re.compile(
    rf"(?<!\d)(?:[01]|[۰۱٠١])\s?(?:=|:|：|is|means|stands for|–|—|-|е|означава|یعنی|تعني|يعني|为|為|表示"
    rf"|代表)\s?{_GOOD}",
    re.I,
)
_SAID_SCALE = re.compile(r"(?<![\d.])([01])\s?(?:-|–|to|до|تا|إلى|至|到)\s?(10|[3-9]|100)(?![\d.])", re.I)
_ASKS = re.compile(
    r"[?？؟]|\b(?:how|what|which|would|did|do|does|are|is|was|were|please|rate)\b"
    r"|колко|как|доколко|چقدر|چه|آیا|ما مدى|كيف|هل",
    re.I,
)


class Item(NamedTuple):
    """One question as it was asked: its text, and its scale if it has one."""

    text: str
    question: Question | None


def check_questionnaire(programme: Programme) -> pd.DataFrame:
    """Return what a reader of questionnaires would mend in the surveys of a programme, one row a remark.

    Looks at each source that the company started and people answered in writing: the labels of its scaled
    questions, and the raw columns of its open ones where they hold the wording. Columns: source, item (the
    wording, or "the whole survey"), problem (no wording, double-barrelled, leading, negation, absolute word,
    jargon, too long, reversed scale, scale not as worded, NPS not as defined, too many points, mixed scales,
    asked twice, too many items, too many open questions), why, remedy. A good survey gets no row.

    Sources: Krosnick and Presser 2010 (double-barrelled, leading, negations, 5 to 7 points, one order of
    steps); Dillman, Smyth and Christian 2014 (everyday words, short, specific); Payne 1951 (25 words);
    Tourangeau, Rips and Rasinski 2000 (what is hard to understand or to judge); Galesic and Bosnjak 2009
    (length costs answers, and good ones); Reichheld 2003 (NPS on 0-10).

    >>> from vocwb.programme import read_programme
    >>> check_questionnaire(read_programme("sample"))["why"].tolist()
    ['questions of the metric loyalty are asked on 0-10, 1-5: not comparable']
    """
    rows = []
    for source in programme.sources:
        if source.who_started != "company" or source.mode != "direct" or source.turns:
            continue
        items = _list_items(source, programme)
        for item in items:
            rows += [(source.name, item.text, *remark) for remark in check_item(item.text, item.question)]
        rows += [(source.name, "the whole survey", *remark) for remark in _check_whole(items)]
    return pd.DataFrame(rows, columns=_COLUMNS, dtype="str")


def check_item(text: str, question: Question | None = None) -> Iterator[tuple[str, str, str]]:
    """Yield problem, why and remedy for one question; `question` is its scale, none if it is open.

    >>> [problem for problem, *_ in check_item("Don't you love our amazing app?")]
    ['leading']
    """
    if question and not _is_wording(text):
        if re.fullmatch(r"\S*[_\d]\S*|[A-Za-z]{1,5}", text):
            yield (
                "no wording", f"{text!r} is the name of a column: nobody can judge, or compare, what was asked",
                "Write the wording as it was asked in label:.",
            )  # fmt: skip
        return
    plain = re.sub(r"[(（\[].{0,200}?[)）\]]", " ", text)  # what stands in brackets mostly explains the scale
    script = "fa" if _PERSIAN.search(plain) else "ar" if re.search(r"[\u0600-\u06ff]", plain) else "latin"
    script = "zh" if re.search(r"[\u4e00-\u9fff]", plain) else script
    if question:
        yield from _check_scaled(plain, script)
        yield from _check_scale(text, question)
    if found := _LEADING.search(plain):
        yield (
            "leading", f"{found[0].strip()!r} suggests an answer",
            "Ask neutrally, as in 'How satisfied or dissatisfied are you with ...?'",
        )  # fmt: skip
    if found := _JARGON.search(plain):
        yield "jargon", f"{found[0]!r} is a word of the trade", "Use the customer's own words."
    han, words = len(re.findall(r"[\u4e00-\u9fff]", plain)), len(plain.split())
    if words > _MOST_WORDS or han > _MOST_HAN:
        length = f"{words} words" if words > _MOST_WORDS else f"{han} characters"
        yield "too long", f"{length}: the beginning is forgotten at the end", "Cut it to one short sentence."


def _check_scaled(plain: str, script: str) -> Iterator[tuple[str, str, str]]:
    """Check what makes an answer on a scale mean two things."""
    main = _main_clause(plain)
    once = _ONE.sub(" ", main)
    found = next(
        (found for found in re.finditer(_TWO[script], once, re.I) if not _is_name(once, found)), None
    )
    if found and not re.match(r"\s*\d", once[found.end() :]):
        yield (
            "double-barrelled", f"{found[0].strip()!r} joins two things, and one answer cannot be about both",
            "Ask one question for each, or only the one that you will act on.",
        )  # fmt: skip
    if (absolute := _ABSOLUTE.search(main)) is not None:
        yield (
            "absolute word", f"{absolute[0]!r} is hardly ever true, so most can only disagree",
            "Ask how often, or leave the word out.",
        )  # fmt: skip
    elif negation := re.search(_NOT[script], _NOT_MEANT.sub(" ", _LEADING.sub(" ", main)), re.I):
        yield (
            "negation", f"after {negation[0].strip()!r} people lose track of what agreeing means",
            "Say it positively.",
        )  # fmt: skip


def _check_scale(text: str, question: Question) -> Iterator[tuple[str, str, str]]:
    scale = f"{question.low:g}-{question.high:g}"
    said = _SAID_SCALE.search(text)
    if found := _REVERSED.search(text):
        yield (
            "reversed scale", f"{found[0]!r}: here a low number is good, and every score counts a high one as good",
            "Ask it with the best answer at the high end, or turn the numbers before ingest.",
        )  # fmt: skip
    if said and (float(said[1]), float(said[2])) != (question.low, question.high):
        yield (
            "scale not as worded", f"the wording says {said[1]}-{said[2]}, the programme {scale}",
            "Correct low and high, or the label.",
        )  # fmt: skip
    asks = means(text, "nps")
    if asks and question.metric != "nps" and re.search(r"\bNPS\b", text):
        yield (
            "NPS not as defined", f"it is called NPS and asked on {scale}; NPS is defined on 0-10 only",
            "Ask it on 0-10, or call it what it is: a rating of how likely people are to recommend.",
        )  # fmt: skip
    elif question.metric == "nps" and not asks and is_question(text):
        yield (
            "NPS not as defined", "NPS asks how likely people are to recommend, and this wording does not",
            "Ask that question, or take another metric.",
        )  # fmt: skip
    if question.high - question.low + 1 > _MOST_POINTS:
        yield (
            "too many points", f"{scale}: people use a few round numbers of so long a scale",
            "Ask on 5 or 7 steps, each with its label.",
        )  # fmt: skip


def _check_whole(items: list[Item]) -> Iterator[tuple[str, str, str]]:
    """Check what only the questions together show."""
    scaled = [item.question for item in items if item.question]
    for metric in dict.fromkeys(question.metric for question in scaled):
        scales = sorted({(question.low, question.high) for question in scaled if question.metric == metric})
        if len(scales) > 1:
            listed = ", ".join(f"{low:g}-{high:g}" for low, high in scales)
            middles = {(high - low) % 2 == 0 for low, high in scales}
            more = ", some with a middle and some without" if len(middles) > 1 else ""
            yield (
                "mixed scales", f"questions of the metric {metric} are asked on {listed}{more}: not comparable",
                "Ask all of one metric on one scale.",
            )  # fmt: skip
    seen: set[str] = set()
    for item in items:
        plain = " ".join(re.findall(r"\w+", item.text.lower()))
        if plain in seen and _is_wording(item.text):
            yield "asked twice", f"{item.text!r} stands there twice", "Take one out."
        seen.add(plain)
    if len(items) > _MOST_ITEMS:
        yield (
            "too many items", f"{len(items)} questions: the later ones are answered carelessly, or not at all",
            "Keep those whose answer would change what you do.",
        )  # fmt: skip
    opened = sum(item.question is None for item in items)
    if opened > _MOST_OPEN:
        yield (
            "too many open questions", f"{opened} open questions: each costs people a minute, and many give up",
            "Keep one or two, after the scores that they explain.",
        )  # fmt: skip


def _list_items(source: Source, programme: Programme) -> list[Item]:
    """List the questions: scaled ones by their label, open ones by their raw column if it is a wording."""
    scaled = [Item(programme.questions[name].label, programme.questions[name]) for name in source.answers]
    return scaled + [Item(column, None) for column in source.verbatims.values()]


def _is_wording(text: str) -> bool:
    """Tell a question or a statement from the name of a field."""
    han = len(re.findall(r"[\u4e00-\u9fff]", text))
    return is_question(text) or len(text.split()) >= 3 or han >= 6


def _main_clause(text: str) -> str:
    """Leave out what only sets the scene: "When you called and asked for help, how easy was it?"."""
    clauses = re.split(r"[,，،;；]|(?<=[.。])\s", text)
    asked = re.compile(
        r"[?？؟]|\b(?:how|what|which|would|did|do|does|are|is|was|were|please|rate)\b|колко|как|доколко"
        r"|چقدر|چه|آیا|ما مدى|كيف|هل",
        re.I,
    )
    found = [clause for clause in clauses if asked.search(clause)]
    return found[-1] if len(clauses) > 1 and found else text


def _is_name(text: str, found: re.Match) -> bool:
    """Tell a proper name ("Marks and Spencer") from two things."""
    before, after = text[: found.start()].split(), text[found.end() :].split()
    inside = len(before) > 1 and bool(after)
    return inside and before[-1][:1].isupper() and after[0][:1].isupper() and not before[-1].isupper()
