"""Reads what was said in turns: call transcripts (WebVTT, SRT) and chat logs, one record for each conversation."""

import html
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from vocwb.collect.forms.rows import BAD, EmptyFileError, Rows, show_bytes
from vocwb.errors import SourceError

COLUMNS = ("turns", "started", "speakers", "n_turns")
"""turns is JSON [{"speaker", "text", "start"}]; started is the day and time of the first turn as written."""

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
# Marks of direction and the narrow spaces that exports put around times.
_GONE = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\ufeff"))
_MARKS = {**_GONE, 0x202F: " ", 0xA0: " "}
_TIME = r"(?:\d{1,4}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
_CUE = re.compile(rf"\s*({_TIME})\s*-->\s*({_TIME})(?:[ \t].*)?")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]*)>")
_CUE_TAG = re.compile(r"</?(?:[cbiuv]|ruby|rt|lang|font)\b[^<>]*>|<\d[\d:.]*>|\{\\[^{}]*\}", re.I)
_ENTITY = re.compile(r"&(?:amp|lt|gt|nbsp|lrm|rlm|quot|#\d{1,6}|#x[0-9a-f]{1,6});", re.I)
_NAME = r"[^\W\d_][^:：\n\[\]<>{}|]{0,39}?"
_SPEAKER = re.compile(rf"\s*(?:-\s+)?(?:>>\s*)?\[?({_NAME})\]?\s*[:：](?!//)\s*(.*)", re.S)

_HALF = (
    r"[ap]\.?\s?m\.?|[صم]|[قب]\.ظ\.?|上午|下午|قبل[\s\u200c]از[\s\u200c]?ظهر|بعد[\s\u200c]?از[\s\u200c]?ظهر"
)
_CLOCK = rf"\d{{1,2}}[:.]\d{{2}}(?:[:.]\d{{2}})?(?:\s?(?:{_HALF}))?"
_DAY = r"\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\.?(?:\s?г\.)?"
_STAMPED = (
    # WhatsApp on iOS: [03.05.21, 10:01:22] Ann: hi; and on Android: 03/05/2021, 10:01 - Ann: hi
    re.compile(rf"\[({_DAY}[,،]?\s(?:上午|下午)?{_CLOCK})\]\s?(?:([^:：\n]{{1,60}})[:：]\s?)?(.*)", re.I),
    re.compile(rf"({_DAY}[,،]?\s(?:上午|下午)?{_CLOCK})\s[-–]\s(?:([^:：\n]{{1,60}})[:：]\s)?(.*)", re.I),
    # help desks: (10:01:22) Ann: hi; [10:01] Ann: hi; 10:01 Ann: hi; 2021-05-03 10:01:22 Ann: hi
    re.compile(
        rf"[(\[]((?:{_DAY}[,،]?\s|\d{{4}}-\d\d-\d\dT)?{_CLOCK}Z?)[)\]]\s?(?:([^:：\n]{{1,60}})[:：]\s?)?(.*)",
        re.I,
    ),
    re.compile(
        rf"((?:{_DAY}[,،]?\s|\d{{4}}-\d\d-\d\dT)?{_CLOCK}Z?)\s+[-–]?\s?(?:([^:：\d\n]{{1,60}})[:：]\s?)(.*)",
        re.I,
    ),
)
# Slack and Teams: the name and the time stand above what is said.
_ABOVE = (
    re.compile(rf"(?P<name>{_NAME})\s{{1,4}}\[?(?P<start>(?:{_DAY}[,،]?\s)?{_CLOCK})\]?", re.I),
    re.compile(rf"\[?(?P<start>(?:{_DAY}[,،]?\s)?{_CLOCK})\]?\s{{1,4}}(?P<name>{_NAME})", re.I),
)
_PLAIN = re.compile(rf"({_NAME})\s?[:：](?!//)\s?(.*)")
_ISO_DAY = re.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})\D{1,3}(\d{1,2}):(\d{2})")
_RULE = re.compile(r"[-=_]{3,}.*|#{1,3}\s.*")
_APART = timedelta(hours=12)


class _Turn(NamedTuple):
    """Who speaks, since when, and the lines that are said."""

    start: str
    speaker: str
    said: list[str]


def read_vtt(text: str, *, file: str) -> Rows:
    """Return a WebVTT file (W3C Recommendation) as one record, its cues joined into turns.

    Columns COLUMNS. The speaker is named by a voice tag (<v Ann>) or by "Ann: " at the beginning of a cue; a cue
    without a speaker goes on with the last one's turn, and a dash begins another's. Notes, styles and settings
    are left out; text outside of cues is set aside with its line. `start` is the time in the call of the turn's
    first cue. Raises EmptyFileError; SourceError where there is no header WEBVTT or no cue.

    >>> found = read_vtt("WEBVTT\\n\\n00:01.000 --> 00:02.000\\n<v Ann>Hi &amp; bye", file="a.vtt")
    >>> found.rows[0][1][0]
    '[{"speaker": "Ann", "text": "Hi & bye", "start": "00:01.000"}]'
    """
    if not text.strip("\ufeff \r\n\t"):
        raise EmptyFileError(file)
    lines = _split_lines(text)
    if not re.match(r"WEBVTT(?:[ \t]|$)", lines[0]):
        raise SourceError(
            f"{file}: not WebVTT.",
            f"The first line is {show_bytes(lines[0][:60])!r}; it must be WEBVTT.",
            "Write form: srt or chat in the source if it is one, or export the transcript as WebVTT.",
        )
    return _read_cues(lines, file=file, first=1)


def read_srt(text: str, *, file: str) -> Rows:
    """Return a SubRip file as one record, as `read_vtt` does; missing blank lines between cues are no matter.

    >>> found = read_srt("1\\n00:00:01,000 --> 00:00:02,000\\nAnn: Hi\\nthere\\n", file="a.srt")
    >>> found.rows[0][1][0]
    '[{"speaker": "Ann", "text": "Hi there", "start": "00:00:01,000"}]'
    """
    if not text.strip("\ufeff \r\n\t"):
        raise EmptyFileError(file)
    return _read_cues(_split_lines(text), file=file, first=0)


def read_chat(text: str, *, file: str) -> Rows:
    """Return a chat log as one record for each conversation in it.

    Columns COLUMNS. Reads logs of WhatsApp (Android, iOS), of help desks ("[10:01] Ann: hi", "(10:01:22) Ann: hi",
    "2021-05-03 10:01 Ann: hi"), copies of Slack and Teams (name and time above), and "Ann: hi"; digits of all
    five languages, and "：". The form is the one that most lines are in. What follows a turn's line belongs to it.
    A line with a time but no speaker ("Ann joined"), and what stands before the first turn, is a turn of speaker
    "". Consecutive messages of one speaker stay turns of their own. A new conversation begins after a line of
    dashes or "=", and where twelve hours passed between two turns with ISO dates. Lines with bytes that do not fit
    are set aside. Raises EmptyFileError; SourceError where no line begins a turn in any of the forms.

    >>> read_chat("[10:01] Ann: hi\\n[10:02] Bo: hello\\nthere", file="a.txt").rows[0][1][2:]
    ['Ann; Bo', '2']
    """
    if not text.strip("\ufeff \r\n\t"):
        raise EmptyFileError(file)
    lines = _split_lines(text)
    shown = [line.translate(_MARKS).translate(_DIGITS) for line in lines]
    form = _choose_form(shown)
    if form is None:
        raise SourceError(
            f"{file}: no chat log: no line begins a turn.",
            "Expected lines like '[10:01] Ann: hi', '03/05/2021, 10:01 - Ann: hi' or 'Ann: hi'.",
            "Write form: text in the source if it is no conversation, or export it as CSV or JSON.",
        )
    names = _find_names(_PLAIN, shown)
    rows: list[tuple[int, list]] = []
    bad: list[tuple[int, str, str]] = []
    turns: list[_Turn] = []
    first, before = 1, None
    for number, (line, plain) in enumerate(zip(lines, shown, strict=True), 1):
        if BAD.search(line):
            bad.append((number, "bytes that cannot be read", show_bytes(line)))
            continue
        found = _begin_turn(form, plain, line, names)
        moment = _read_moment(found.start) if found else None
        is_rule = found is None and _RULE.fullmatch(plain.strip()) is not None
        if turns and (is_rule or (moment and before and abs(moment - before) > _APART)):
            rows.append((first, _write_turns(turns, "\n")))
            turns = []
        first = first if turns else number
        before = moment or before
        if found:
            turns.append(found)
        elif turns:
            turns[-1].said.append(line.strip())
        elif re.search(r"\w", plain):
            turns.append(_Turn("", "", [line.strip()]))
    if turns:
        rows.append((first, _write_turns(turns, "\n")))
    return Rows(list(COLUMNS), rows, bad)


def _split_lines(text: str) -> list[str]:
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _write_turns(turns: Iterable[_Turn], between: str) -> list[str | None]:
    listed = [
        {"speaker": turn.speaker, "text": between.join(turn.said).strip(), "start": turn.start}
        for turn in turns
    ]
    speakers = dict.fromkeys(turn["speaker"] for turn in listed if turn["speaker"])
    started = next((turn["start"] for turn in listed if turn["start"]), None)
    return [json.dumps(listed, ensure_ascii=False), started, "; ".join(speakers) or None, str(len(listed))]


def _find_names(form: re.Pattern, texts: Iterable[str]) -> set[str]:
    """Return what stands before a colon and is a speaker: it comes again, or most texts begin with one.

    Of those that come once, "Ann Hill" is a name and "The problem" is none.
    """
    begun = [form.fullmatch(text.strip()) for text in texts if text.strip()]
    counts = Counter(found[1].strip() for found in begun if found)
    most = counts.total() * 2 >= len(begun)
    return {
        name
        for name, count in counts.items()
        if count > 1 or (most and not any(word[0].islower() for word in name.split()[1:]))
    }


def _read_cues(lines: list[str], *, file: str, first: int) -> Rows:
    bad: list[tuple[int, str, str]] = []
    cues = list(_list_cues(lines, first, bad))
    if not cues:
        raise SourceError(
            f"{file}: no cue with a time.",
            "Expected lines like '00:00:01.000 --> 00:00:02.500' above each text.",
            "Export the transcript again, or write form: chat or text in the source.",
        )
    names = _find_names(_SPEAKER, (_clean_cue("\n".join(words)) for _, _, words in cues))
    turns: list[_Turn] = []
    for number, start, words in cues:
        if BAD.search("".join(words)):
            bad.append((number, "bytes that cannot be read", show_bytes("\n".join(words))))
            continue
        for speaker, said in _split_voices("\n".join(words), names):
            if turns and speaker in (None, turns[-1].speaker) and speaker != "":
                turns[-1].said.append(said)
            else:
                turns.append(_Turn(start, speaker or "", [said]))
    return Rows(list(COLUMNS), [(cues[0][0], _write_turns(turns, " "))] if turns else [], sorted(bad))


def _list_cues(
    lines: list[str], first: int, bad: list[tuple[int, str, str]]
) -> Iterator[tuple[int, str, list[str]]]:
    """Give the line, time and text of each cue; what is neither cue nor note goes to `bad`."""
    at = first
    if first:  # the head of a WebVTT file goes to the first blank line
        while at < len(lines) and lines[at].strip() and not _CUE.fullmatch(lines[at]):
            at += 1
    above: tuple[int, str] | None = None  # the number or name of a cue stands right above its time
    while at < len(lines):
        line, cue = lines[at], _CUE.fullmatch(lines[at])
        if above and not cue:
            bad.append((above[0], "text outside of a cue", show_bytes(above[1])))
        above = None
        if cue:
            words, begun = [], at + 1
            while at + 1 < len(lines) and lines[at + 1].strip() and not _CUE.fullmatch(lines[at + 1]):
                at += 1
                words.append(lines[at])
            if at + 1 < len(lines) and lines[at + 1].strip() and words and words[-1].strip().isdigit():
                words.pop()  # no blank line stands before the number of the next cue
            yield begun, cue[1], words
        elif first and re.match(r"(?:NOTE|STYLE|REGION)(?:\s|$)", line):
            while at + 1 < len(lines) and lines[at + 1].strip():
                at += 1
        elif line.strip():
            above = (at + 1, line)
        at += 1
    if above:
        bad.append((above[0], "text outside of a cue", show_bytes(above[1])))


def _clean_cue(text: str) -> str:
    return _ENTITY.sub(lambda entity: html.unescape(entity[0]), _CUE_TAG.sub("", text)).translate(_MARKS)


def _split_voices(text: str, names: set[str]) -> Iterator[tuple[str | None, str]]:
    """Give who speaks in a cue, None for the one before and "" for another without name, and what is said."""
    pieces = _VOICE.split(text)  # text, name, text, name, text ...
    for place in range(0, len(pieces), 2):
        voice = pieces[place - 1].strip() if place else None
        for part in re.split(r"\n(?=-\s?\S|>>)", _clean_cue(pieces[place])):
            named = _SPEAKER.fullmatch(part)
            dashed = re.fullmatch(r"\s*(?:-\s?|>>\s*)(.+)", part, re.S)
            speaker = voice
            if voice is None and named and named[1].strip() in names:
                speaker, part = named[1].strip(), named[2]
            elif voice is None and dashed:
                speaker, part = "", dashed[1]
            part = " ".join(part.split())
            if part:
                yield speaker, part


def _choose_form(lines: list[str]) -> int | None:
    """Return the form in which most lines begin a turn (-1 for "Ann: hi"), or None."""
    names = _find_names(_PLAIN, lines)
    forms = [*range(len(_STAMPED) + len(_ABOVE)), -1]
    begun = {form: [_begin_turn(form, line, line, names) for line in lines] for form in forms}
    counts = {form: sum(turn is not None and turn.speaker != "" for turn in begun[form]) for form in forms}
    best = max(forms, key=lambda form: counts[form])
    return best if counts[best] else None


def _begin_turn(form: int, plain: str, line: str, names: set[str]) -> _Turn | None:
    """Return the turn that a line begins in a form, or None; what is said keeps its own digits and marks."""
    words = plain.strip()
    if form >= len(_STAMPED):
        found = _ABOVE[form - len(_STAMPED)].fullmatch(words)
        return _Turn(found["start"], found["name"].strip(), []) if found else None
    if form < 0:
        found = _PLAIN.fullmatch(words)
        if not found or found[1].strip() not in names:
            return None
        start, speaker, said = "", found[1], 2
    else:
        found = _STAMPED[form].fullmatch(words)
        if not found:
            return None
        start, speaker, said = found[1], found[2] or "", 3
    skip = found.start(said) + len(plain) - len(plain.lstrip())
    for at, character in enumerate(line):
        if skip == 0:
            return _Turn(start, speaker.strip().lstrip("~ "), [line[at:].strip()])
        skip -= ord(character) not in _GONE
    return _Turn(start, speaker.strip().lstrip("~ "), [])


def _read_moment(start: str) -> datetime | None:
    found = _ISO_DAY.match(start)
    try:
        return datetime(*map(int, found.groups())) if found else None
    except ValueError:
        return None
