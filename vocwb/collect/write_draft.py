"""Writes the draft of a programme.yml: every guess on a line of its own, with its evidence and its doubt."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from vocwb.collect.column_words import is_question, means, split_name
from vocwb.collect.guess import Guess
from vocwb.collect.language_id import identify_languages
from vocwb.collect.scales import Scale
from vocwb.programme import GOALS, LANGUAGES
from vocwb.schemas import TABLES

_CHANNELS = (
    ("focus_group", r"focus.?groups?"), ("interview", r"interviews?|интервю|مصاحبه|مقابل|访谈|訪談"),
    ("social", r"tweets?|twitter|social|facebook|instagram|posts?|weibo|微博|reddit|telegram"),
    ("chat", r"chats?|messenger|whatsapp|intercom|чат|چت|دردشة|聊天"),
    ("call", r"calls?|transcripts?|обаждани\w*|通话"),
    ("email", r"e-?mails?|mbox|eml|inbox|имейл\w*"), ("sms", r"sms"),
    ("ticket", r"tickets?|support|cases?|zendesk|freshdesk|helpdesk|questions|тикет\w*|تیکت|تذكرة|工单"),
    ("complaint", r"complaints?|cfpb|оплаквани\w*|شکایت|شكاوى|投诉|投訴"),
    ("survey", r"surveys?|nps|csat|questionnaires?|responses|forms?|typeform|qualtrics"),
    ("survey", r"анкета\w*|نظرسنجی|استبيان|问卷|問卷"),
    ("review", r"reviews?|ratings?|stars?|comments?|trustpilot|yelp"),
    ("review", r"отзив\w*|коментар\w*|评论|評論|评价|評分|تقييم|نظرات"),
)  # fmt: skip
_LOG_CHANNELS = (("help_centre", r"help|article|search|faq"), ("message", r"message|campaign|funnel|mail"))
_FORM_CHANNELS = {"eml": "email", "mbox": "email", "vtt": "call", "srt": "call", "chat": "chat"}
_NOT_CUSTOMER = re.compile(
    r"agent|moderator|interviewer|advis|support|staff|bot\b|operator|assistant|company|host\b|system|facilitator"
    r"|researcher|оператор|модератор|客服|اپراتور|کارشناس|موظف",
    re.I,
)
_QUOTED = r"(?m)^\s?>|^-{2,}\s?Original Message|\bwrote:\s*$|^From: "
_EFFORT = re.compile(  # asked how much it cost, and not how easy it was
    r"^(?!.*(?:eas[ey]|score|лес|容易|轻松|輕鬆|آسان|سهل|سهول)).*(?:effort|усили|费力|費力|تلاش|جهد)",
    re.I | re.S,
)
_TAKEN = {"file"} | set(TABLES["responses"].columns) | set(TABLES["feedback"].columns)
_MOST_QUESTIONS = 40
_COLUMNS = ("id", "date", "respondent", "session", "language", "stage", "channel")


class Drafted(NamedTuple):
    """One source of the draft: its files and the pattern that fits them, how they are read, guesses and notes."""

    files: list[str]
    patterns: list[str]
    how: dict[str, str | int | list]
    guesses: list[Guess]
    notes: list[str]
    records: pd.DataFrame
    folders: int
    number: int


def write_programme(title: str, drafts: list[Drafted], unread: Iterable[str]) -> str:
    """Return the text of a programme.yml whose sources are drafted, and what was left out as comments.

    >>> write_programme("shop", [], ["Not read: a.doc: no form"]).splitlines()[-2:]
    ['sources: []  # no file could be read', '# Not read: a.doc: no form']
    """
    segments: dict[str, str] = {}
    questions: dict[str, str] = {}
    names: Counter[str] = Counter()
    body: list[str] = []
    for draft in drafts:
        first = Path(draft.files[0])
        sheet = str(draft.how.get("sheet", "*"))
        stem = (
            first.stem
            if len(draft.files) == 1
            else (first.parent.name if draft.folders == 1 else "") or title
        )
        name = _slug(stem if sheet == "*" else f"{stem}_{sheet}")
        names[name] += 1
        name += f"_{names[name]}" if names[name] > 1 else ""
        body += ["", *_write_source(title, name, draft, segments, questions)]
    lines = [*_write_head(title, drafts), "", "segments:" if segments else "segments: {}"]
    lines += [f"  {_quote(slug)}: {_quote(label)}" for slug, label in segments.items()]
    if len(segments) > 1:
        lines.append(
            "# pairs: [[{0}, {1}]], personas: {{Name: {{{0}: value, {1}: [value, value]}}}}, adjust_for: [{0}]: see"
            " README.md".format(*map(_quote, segments))
        )
    lines.append("questions:" if questions else "questions: {}")
    lines += [f"  {_quote(slug)}: {scale}" for slug, scale in questions.items()]
    lines += ["", "sources:" if body else "sources: []  # no file could be read", *body[1:]]
    return "\n".join([*lines, *(f"# {_one_line(note)}" for note in unread), ""])


def _write_head(title: str, drafts: list[Drafted]) -> list[str]:
    said = [
        draft.records[guess.column].dropna().head(300)
        for draft in drafts
        for guess in draft.guesses
        if guess.role == "verbatim"
    ]
    texts = pd.concat(said) if said else pd.Series(dtype="str")
    languages = identify_languages(texts, LANGUAGES).value_counts(normalize=True)
    spoken = [code for code in LANGUAGES if languages.get(code, 0) >= 0.02] or list(LANGUAGES)
    shares = ", ".join(f"{code} {share:.0%}" for code, share in languages.items())
    return [
        "# A first draft, from the look of the files. Check every line: what stands behind a # is the evidence,",
        "# and the doubt. Then write question and goal; without them nothing runs.",
        f"title: {_quote(title)}  # the name of the folder; readers of the report see it",
        "question:  # required: what is to be found out?",
        f"goal:  # required: one of {', '.join(GOALS)}",
        "timezone: UTC  # a guess: where a day begins, and what times without a zone mean (as Europe/London)",
        f"languages: [{', '.join(spoken)}]  # found: {shares or 'no texts'}",
    ]


def _write_source(
    title: str, name: str, draft: Drafted, segments: dict[str, str], questions: dict[str, str]
) -> list[str]:
    by_role: dict[str, list[Guess]] = {}
    for guess in draft.guesses:
        by_role.setdefault(guess.role, []).append(guess)
    lines = [f"  - name: {_quote(name)}"]
    if len(draft.patterns) == 1:
        more = f"  # {len(draft.files)} files with the same columns" if len(draft.files) > 1 else ""
        lines.append(f"    files: {_quote(draft.patterns[0])}{more}")
    else:
        lines.append(f"    files:  # {len(draft.files)} files with the same columns")
        lines += [f"      - {_quote(file)}" for file in draft.patterns]
    lines += [f"    # {_one_line(note)}" for note in draft.notes]
    lines += [f"    {key}: {_write_value(value)}{_say_how(key)}" for key, value in draft.how.items()]
    for guess in by_role.get("keep", [])[:1]:
        values = ", ".join(_quote(value) for value in guess.more)
        lines.append(f"    keep: {{{_quote(guess.column)}: [{values}]}}  {_say(guess)}")
    lines += _write_kind(title, draft, by_role)
    lines += _write_date(by_role)
    columns = [by_role[role][0] for role in _COLUMNS if role in by_role]
    if columns:
        lines.append("    columns:")
        lines += [f"      {guess.role}: {_quote(guess.column)}  {_say(guess)}" for guess in columns]
    if "id" not in by_role and not any(role in by_role for role in ("event", "funnel", "measure")):
        lines.append("    # no id: a record is known again by its content")
    if "names" in by_role:
        listed = ", ".join(_quote(guess.column) for guess in by_role["names"])
        lines.append(f"    names: [{listed}]  # names of people, to be redacted in the texts")
    lines += _write_said(draft, by_role, segments, questions)
    lines += _write_acts(by_role)
    for guess in by_role.get("refused", []):
        lines.append(f"    # not used: {_one_line(guess.column)}: {_one_line(guess.evidence)}")
    for guess in by_role.get("worded", []):
        lines.append(
            f"    # {_one_line(guess.column)}: {_one_line(guess.evidence)}; to report a score, export its numbers"
        )
    return lines


def _write_kind(title: str, draft: Drafted, by_role: dict[str, list[Guess]]) -> list[str]:
    """Write channel, who started, mode, voice and unit."""
    columns = [str(name) for name in draft.records]
    telling = [
        guess.column for role in ("id", "verbatim", "turns", "answer") for guess in by_role.get(role, [])
    ]
    words = [text.replace("_", " ") for text in (draft.files[0], title, " ".join(telling))]
    acts = any(role in by_role for role in ("event", "funnel", "measure"))
    table = _LOG_CHANNELS if acts else _CHANNELS
    channel = _FORM_CHANNELS.get(str(draft.how.get("form"))) or next(
        (
            kind
            for text in words
            for kind, found in table
            if re.search(rf"(?<![^\W_])(?:{found})(?![^\W_])", text, re.I)
        ),
        "behaviour" if acts else "survey" if any(map(is_question, columns)) else "feedback",
    )
    clues = [name for name in columns if means(name, "employee") and not means(name, "thing")]
    told = [text for text in words[:2] if means(text, "employee")]
    is_staff = (
        channel in ("survey", "interview", "focus_group") and not acts and len(clues) + 2 * len(told) >= 2
    )
    started = "company" if channel in ("survey", "interview", "focus_group", "message") else "customer"
    mode = "behaviour" if acts else "indirect" if channel in ("social", "review") else "direct"
    lines = []
    if "channel" not in by_role:
        by = "a guess, from the names of files and columns"
        by = "no name says it: is it survey, review, ticket, call, chat ...?" if channel == "feedback" else by
        lines.append(f"    channel: {channel}  # {by}")
    lines.append(
        f"    who_started: {'nobody' if channel == 'behaviour' else started}  # customer, company or nobody"
    )
    lines.append(f"    mode: {mode}  # direct (they told us), indirect (they told others) or behaviour")
    if is_staff:
        clue = ", ".join(map(_one_line, (told + clues)[:4]))
        lines.append(f"    voice: employee  # by {clue}: staff are kept apart from customers")
    if channel == "focus_group":
        lines.append("    unit: group  # a group is counted once, whoever spoke in it")
    texts = [draft.records[guess.column].dropna() for guess in by_role.get("verbatim", [])[:1]]
    quoted = float(texts[0].str.contains(_QUOTED).mean()) if texts else 0.0
    if channel == "email" or quoted > 0.02:
        lines.append(
            f"    cut_replies: true  # quoted replies and signatures are kept aside; {quoted:.0%} hold some"
        )
    return lines


def _names_channel(found: str, text: str) -> bool:
    """Words of alphabets stand alone; Arabic and Chinese ones are found inside longer ones."""
    whole = re.search(rf"(?<!\w)(?:{found})(?!\w)", text, re.I)
    return bool(
        whole or any(one in text for one in found.split("|") if not one[0].isascii() and one[0] > "\u0500")
    )


def _write_date(by_role: dict[str, list[Guess]]) -> list[str]:
    if "date" not in by_role:
        return ["    undated: true  # no column of dates was found; all is reported as one period"]
    date_format = by_role["date"][0].more
    if date_format == "ago":
        return [
            "    exported_on:  # required: the day of the export, as 2025-03-31; the dates are told by their distance",
            "    # from it, and without it all is reported as one period",
        ]
    return [f"    date_format: {json.dumps(date_format)}  # the form of its dates"] if date_format else []


def _write_said(
    draft: Drafted, by_role: dict[str, list[Guess]], segments: dict[str, str], questions: dict[str, str]
) -> list[str]:
    """Write verbatims or turns, tags, segments and answers."""
    lines = []
    for guess in by_role.get("turns", []):
        lines.append(f"    turns: {_write_turns(guess, draft.records[guess.column])}")
    if "verbatim" in by_role:
        lines.append("    verbatims:")
        slugs: Counter[str] = Counter()
        for guess in by_role["verbatim"]:
            slug = _slug(guess.column)
            slugs[slug] += 1
            slug += f"_{slugs[slug]}" if slugs[slug] > 1 else ""
            lines.append(f"      {_quote(slug)}: {_quote(guess.column)}  {_say(guess)}")
    for guess in by_role.get("tags", [])[:1]:
        separator = json.dumps(guess.more, ensure_ascii=False)
        lines.append(f"    tags: {{column: {_quote(guess.column)}, separator: {separator}}}  {_say(guess)}")
    chosen = by_role.get("segment", [])
    if 1 < draft.folders <= 60:
        chosen = [
            Guess("segment", "_folder", f"the folder that a file lies in; {draft.folders} folders"),
            *chosen,
        ]
    elif 1 < len(draft.files) <= 60 and not any(re.search(r"\d{4}-?\d{2}", file) for file in draft.files):
        told = Guess(
            "segment", "_file", f"the file; {len(draft.files)} files", "take it out if it says nothing"
        )
        chosen = [told, *chosen]
    if chosen:
        lines.append("    segments:")
    for guess in chosen:
        label = guess.column.removeprefix("_") if guess.column in ("_file", "_folder") else guess.column
        slug = _declare(label, label, segments, {**segments, **questions})
        lines.append(f"      {_quote(slug)}: {_quote(guess.column)}  {_say(guess)}")
    if "answer" in by_role:
        lines.append("    answers:")
    for guess in by_role.get("answer", [])[:_MOST_QUESTIONS]:
        slug = _declare(
            guess.column, _write_scale(guess.column, guess.more), questions, {**segments, **questions}
        )
        lines.append(f"      {_quote(slug)}: {_quote(guess.column)}  {_say(guess)}")
    if len(by_role.get("answer", [])) > _MOST_QUESTIONS:
        rest = ", ".join(_one_line(guess.column) for guess in by_role["answer"][_MOST_QUESTIONS:])
        lines.append(f"    # more columns of scores, not taken: {rest[:1000]}")
    return lines


def _write_acts(by_role: dict[str, list[Guess]]) -> list[str]:
    """Write events or measures."""
    for guess in by_role.get("event", []):
        subjects, values = guess.more
        lines = ["    events:", f"      kind: {_quote(guess.column)}  {_say(guess)}"]
        if subjects:
            lines.append(f"      subject: [{', '.join(map(_quote, subjects))}]  # of what: the first filled")
        return lines + [f"      value: {_quote(name)}  # a number that goes with it" for name in values]
    if funnel := by_role.get("funnel"):
        lines = ["    events:", "      kinds:"]
        lines += [
            f"        {_quote(_slug(guess.column))}: {_quote(guess.column)}  {_say(guess)}"
            for guess in funnel
        ]
        if funnel[0].more:
            lines.append(f"      subject: [{', '.join(map(_quote, funnel[0].more))}]  # what it happened to")
        return lines
    measures = by_role.get("measure", [])
    lines = ["    measures:"] if measures else []
    return lines + [
        f"      {_quote(_slug(guess.column))}: {_quote(guess.column)}  {_say(guess)}" for guess in measures
    ]


def _say_how(key: str) -> str:
    said = {
        "encoding": "found in its bytes",
        "skip_lines": "lines above the header",
        "header_rows": "the names of the columns stand in so many rows",
        "record_path": "the longest list of records; * goes through keys that are data (_key_1, _key_2 ...)",
    }
    return f"  # {said[key]}" if key in said else ""


def _say(guess: Guess) -> str:
    return f"# {_one_line(guess.evidence)}" + (f"; doubt: {_one_line(guess.doubt)}" if guess.doubt else "")


def _one_line(text: str) -> str:
    """Keep a comment on its line: whatever stands in a file is data and never becomes a key."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]", " ", text).split())[:300]


def _write_scale(column: str, scale: Scale) -> str:
    label = _quote(" ".join(column.split()))
    doubt = f"; doubt: {scale.doubt}" if scale.doubt else ""
    better = ""
    if scale.metric == "ces":
        better = f", better: {'low' if _EFFORT.search(column) else 'high'}"
        doubt += "; doubt: which end is good? low of effort, high of ease"
    return (
        f"{{label: {label}, low: {scale.low:g}, high: {scale.high:g}, metric: {scale.metric}{better}}}"
        f"  # {scale.evidence}{_one_line(doubt)}"
    )


def _write_value(value: str | int | list) -> str:
    return _quote(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _declare(column: str, value: str, declared: dict[str, str], taken: dict[str, str]) -> str:
    """Return the name under which a segment or question is declared, a new one where its name means another."""
    slug = start = _slug(column) if _slug(column) not in _TAKEN else f"{_slug(column)}_given"
    number = 1
    while taken.get(slug, value) != value or (slug in taken and slug not in declared):
        number += 1
        slug = f"{start}_{number}"
    declared[slug] = value
    return slug


def _write_turns(guess: Guess, values: pd.Series) -> str:
    """Return speaker, text and customer of transcripts, and who speaks in them."""
    speaker, text = guess.more
    turns = [
        turn for value in values.dropna().head(100) for turn in json.loads(value) if isinstance(turn, dict)
    ]
    who = pd.Series([str(turn[speaker]) for turn in turns if turn.get(speaker)], dtype="str").value_counts()
    names = who.index.tolist()[:30]
    customers = [name for name in names if not _NOT_CUSTOMER.search(name)] or names[:1]
    listed = ", ".join(_quote(name) for name in customers)
    speakers = ", ".join(names[:5])
    return (
        f"{{column: {_quote(guess.column)}, speaker: {_quote(speaker)}, text: {_quote(text)}, customer: [{listed}]}}"
        f"  # speakers: {_one_line(speakers)}; doubt: who of them is a customer?"
    )


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", split_name(name)).strip("_")[:40].strip("_") or "column"


def _quote(name: str) -> str:
    """Write a name so that YAML reads it as that text."""
    plain = re.fullmatch(r"[A-Za-z][\w./-]*(?: [\w./-]+)*", name, re.ASCII)
    is_word = name.lower() in ("yes", "no", "on", "off", "true", "false", "null", "y", "n")
    return name if plain and not is_word else json.dumps(name, ensure_ascii=False)
