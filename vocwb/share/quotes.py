"""Quotes: which verbatims stand beside a number, and the proof that each was really said."""

import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser

import pandas as pd
from markupsafe import Markup, escape

from vocwb.errors import ReportError
from vocwb.languages import describe_language, text_direction
from vocwb.schemas import unit_of
from vocwb.share.rows import name_language

READABLE = (30, 280)
"""The lengths, in characters, between which a quote is read with ease; Chinese says it in 2/5 of them."""

_QUOTE = ["feedback_id", "language", "channel", "text", "start", "end", "stored"]
_SENTENCE_END = re.compile(r"[.!?…؟۔。！？]+[\s\"'”»）)]*|\n+")
_RIGHT_TO_LEFT = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


def choose_quotes(opinions: pd.DataFrame, feedback_ids: list[str], *, most: int = 3) -> pd.DataFrame:
    """Return up to `most` quotes from the feedback of `feedback_ids`: readable, of several people, diverse.

    Needs in opinions: feedback_id, verbatim, language, channel, respondent_id, response_id. Returns
    feedback_id, language, channel, text, start, end (character offsets of the text in the verbatim) and
    stored (the verbatim's length).
    Nobody picks by hand: first the texts of readable length, then the long ones (cut at a sentence), then
    the short; within these, languages and channels take turns, one person speaks once before anybody speaks
    twice, and what is left is decided by feedback_id, a hash, which is as good as a lot.

    >>> opinions = pd.DataFrame({"feedback_id": ["a", "b"], "verbatim": ["ok", "The parcel came a week late, again."],
    ...     "language": "en", "channel": "survey", "respondent_id": None, "response_id": ["1", "2"]})
    >>> choose_quotes(opinions, ["a", "b"], most=1)["text"].item()
    'The parcel came a week late, again.'
    """
    said = opinions[opinions["feedback_id"].isin(feedback_ids)]
    columns = (said[name].tolist() for name in ("feedback_id", "verbatim", "language", "channel"))
    seen, rows = set(), []
    for feedback_id, text, language, channel, person in sorted(
        zip(*columns, unit_of(said).tolist(), strict=True)
    ):
        if (words := text.strip().casefold()) not in seen:
            length = len(text) * (2.5 if language == "zh" else 1)
            band = 1 if length > READABLE[1] else 2 if length < READABLE[0] else 0
            rows.append((band, feedback_id, text, language, channel, person))
            seen.add(words)
    times, ranked = Counter(), []
    for row in sorted(rows):
        band, feedback_id, _, language, channel, person = row
        group = (band, language, channel)
        ranked.append(((band, times["person", person], times[group], feedback_id), row))
        times.update([("person", person), group])
    quotes = []
    for _, (_, feedback_id, text, language, channel, _) in sorted(ranked)[:most]:
        end = _cut(text, language)
        quotes.append([feedback_id, language, channel, text[:end], 0, end, len(text)])
    return pd.DataFrame(quotes, columns=_QUOTE)


def _cut(text: str, language: str) -> int:
    """Return where a quote of `text` ends: its end, or in a long text the last sentence or word that fits."""
    room = int(READABLE[1] / 2.5) if language == "zh" else READABLE[1]
    if len(text) <= room:
        return len(text)
    ends = [match.end() for match in _SENTENCE_END.finditer(text, 0, room) if match.end() > room // 3]
    space = text.rfind(" ", room // 3, room)
    return len(text[: ends[-1]].rstrip()) if ends else space if space > 0 else room


def check_quotes(quotes: pd.DataFrame, feedback: pd.DataFrame) -> pd.DataFrame:
    """Return `quotes` if each one's text equals the stored verbatim, or its [start:end], byte for byte.

    Needs in quotes: feedback_id, text, and start, end where the text is a part; in feedback: feedback_id,
    verbatim. Raises ReportError naming the feedback_id of the first that fails.

    >>> feedback = pd.DataFrame({"feedback_id": ["a"], "verbatim": ["Late again."]})
    >>> check_quotes(pd.DataFrame({"feedback_id": ["a"], "text": ["Late agian."]}), feedback)
    Traceback (most recent call last):
    ...
    vocwb.errors.ReportError: The quote of feedback a is not what was said: 'Late agian.'
    Stored: 'Late again.'
    Show the verbatim as it is stored, or an exact part of it; nothing was written.
    """
    stored = dict(zip(feedback["feedback_id"], feedback["verbatim"], strict=True))
    spans = quotes[["start", "end"]].values.tolist() if "start" in quotes else [(0, None)] * len(quotes)
    for feedback_id, text, (start, end) in zip(quotes["feedback_id"], quotes["text"], spans, strict=True):
        if feedback_id not in stored:
            raise ReportError(
                f"A quote carries the feedback id {feedback_id}, which is not in the store.",
                f"The store holds {len(stored)} verbatims.",
                "Quote from the table `feedback` of this programme; nothing was written.",
            )
        if stored[feedback_id][start:end] != text:
            raise ReportError(
                f"The quote of feedback {feedback_id} is not what was said: {text!r}",
                f"Stored: {stored[feedback_id][start:end]!r}",
                "Show the verbatim as it is stored, or an exact part of it; nothing was written.",
            )
    return quotes


def check_page(html: str, feedback: pd.DataFrame) -> int:
    """Read a finished page again and return how many quotes stand in it, each equal to what is stored.

    A quote is an element with data-feedback-id (and data-start, data-end if it is a part); its text is
    compared as a browser would read it. Raises ReportError as `check_quotes` does.

    >>> feedback = pd.DataFrame({"feedback_id": ["a"], "verbatim": ["3 < 4"]})
    >>> check_page('<p data-feedback-id="a">3 &lt; 4</p>', feedback)
    1
    """
    reader = _QuoteReader()
    reader.feed(html)
    reader.close()
    columns = ["feedback_id", "start", "end", "text"]
    if reader.quotes:
        check_quotes(pd.DataFrame(reader.quotes, columns=columns, dtype=object), feedback)
    return len(reader.quotes)


class _QuoteReader(HTMLParser):
    """Collects (feedback_id, start, end, text) of every element that carries data-feedback-id."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.quotes, self._tag, self._depth = [], None, 0

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if self._tag is None and "data-feedback-id" in given:
            end = given.get("data-end")
            start = int(given.get("data-start", 0))
            self.quotes.append([given["data-feedback-id"], start, None if end is None else int(end), ""])
            self._tag, self._depth = tag, 1
        elif tag == self._tag:
            self._depth += 1

    def handle_endtag(self, tag):
        if tag == self._tag:
            self._depth -= 1
            self._tag = self._tag if self._depth else None

    def handle_data(self, data):
        if self._tag is not None:
            self.quotes[-1][3] += data


def direction_of(text: str, language: str) -> str:
    """Return "rtl" or "ltr" for showing `text`: as its language runs, if it has a letter of that script.

    A Persian sentence that begins with a Latin brand name is still read from the right.

    >>> direction_of("Kalvino خیلی دیر آورد", "fa"), direction_of("ok", "fa"), direction_of("سلام", "other")
    ('rtl', 'ltr', 'rtl')
    """
    if language != "other" and describe_language(language).direction == "rtl" and _RIGHT_TO_LEFT.search(text):
        return "rtl"
    return text_direction(text)


def tag_language(text: str, language: str) -> str:
    """Return the BCP 47 tag that makes a browser choose the right letter shapes; Chinese is told apart.

    A text with letters that only the Traditional set (Big5) or only the Simplified set (GB 2312) has is of it.

    >>> tag_language("服務很好", "zh"), tag_language("服务很好", "zh"), tag_language("?", "other")
    ('zh-Hant', 'zh-Hans', 'und')
    """
    if language != "zh":
        return "und" if language == "other" else language
    only = [sum(_has(letter, own) and not _has(letter, other) for letter in text)
            for own, other in (("big5", "gb2312"), ("gb2312", "big5"))]  # fmt: skip
    return "zh" if only[0] == only[1] else "zh-Hant" if only[0] > only[1] else "zh-Hans"


def _has(letter: str, encoding: str) -> bool:
    try:
        return bool(letter.encode(encoding))
    except UnicodeEncodeError:
        return False


def quote_html(quote: Mapping) -> Markup:
    """Return a chosen quote as HTML: what was said, its language, channel and feedback id.

    >>> quote = dict(feedback_id="a", language="fa", channel="sms", text="<b>دیر", start=0, end=6, stored=6)
    >>> "&lt;b&gt;" in quote_html(quote), 'dir="rtl"' in quote_html(quote)
    (True, True)
    """
    # A browser turns a bare carriage return into a line feed, which would no longer be what was said.
    text = Markup(escape(quote["text"]).replace("\r", Markup("&#13;")))
    return Markup(
        '<figure class="quote" data-quote="{id}"><blockquote lang="{lang}" dir="{direction}" data-feedback-id="{id}"'
        ' data-start="{start}" data-end="{end}"{part}>{text}</blockquote>'
        '<figcaption>{language} · {channel} <code dir="ltr">{id}</code></figcaption></figure>'
    ).format(
        id=quote["feedback_id"],
        lang=tag_language(quote["text"], quote["language"]),
        direction=direction_of(quote["text"], quote["language"]),
        start=quote["start"],
        end=quote["end"],
        part=Markup(' class="part"') if quote["end"] < quote["stored"] else "",
        text=text,
        language=name_language(quote["language"]),
        channel=quote["channel"],
    )
