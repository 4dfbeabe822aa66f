"""Reads mails (EML, and MBOX with many) to one row each: headers, what was written, names of attachments."""

import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import suppress
from email import message_from_bytes
from email.message import Message
from email.utils import parseaddr
from typing import Any, NamedTuple

from vocwb.collect.clean import html_to_text
from vocwb.collect.forms.encodings import find_encoding
from vocwb.collect.forms.rows import BAD, EmptyFileError, Rows, show_bytes
from vocwb.errors import SourceError

COLUMNS = (
    "message_id", "date", "from", "from_name", "to", "cc", "reply_to", "subject", "in_reply_to", "references",
    "list_id", "auto_submitted", "body", "attachments", "charset",
)  # fmt: skip
"""The columns of a mail. charset is what the body was read as, and how many bytes did not fit."""

# Names of what mailers write under a narrower or an own name.
_WIDER = {
    "us-ascii": "utf-8", "ascii": "utf-8", "iso-8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252",
    "iso-8859-9": "cp1254", "iso-8859-8-i": "iso-8859-8", "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030",
    "big5": "cp950", "x-x-big5": "cp950", "shift_jis": "cp932", "x-sjis": "cp932", "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "iso-2022-jp": "iso2022_jp_ext", "tis-620": "cp874",
}  # fmt: skip
# Codecs of Python that are no charset of a mail, or only on one system.
_NO_CHARSET = re.compile("escape|idna|punycode|undefined|mbcs|oem|rot", re.I)
_ENCODED_WORD = re.compile(r"=\?([^?\s]{1,40})\?([bq])\?([^?]*)\?=", re.I)
_BETWEEN_WORDS = re.compile(r"(?<=\?=)\s+(?==\?)")
_BOX_LINE = re.compile(rb"^From [^\r\n]*\r?\n(?=[!-9;-~]+:|>From )", re.M)
_BOX_DATE = re.compile(rb"From (?:.*\d\d:\d\d.*|-|\S+@\S+|\S+ at \S+)\s*")
_HEADER = re.compile(rb"[!-9;-~]+:|[ \t]|>?From ")
_KNOWN = re.compile(
    rb"^(?:from|to|date|subject|message-id|received|content-type|mime-version)[ \t]*:", re.I | re.M
)


class _Part(NamedTuple):
    """What a part of a mail says: its text, whether that was HTML, and the names of attachments in it."""

    text: str
    is_html: bool
    attachments: list[str]


def read_mail(data: bytes, *, file: str, box: bool) -> Rows:
    """Return one row for each mail, with the columns COLUMNS: the one of an EML, or all of an MBOX (`box`).

    The body is the plain text, or the HTML as text where there is only that; parts follow one another, a mail
    attached to it is marked as a forwarded message. `from` is the address in small letters. Without a Date the
    day it was received counts. auto_submitted (RFC 3834) is missing for what a person sent; else it says how it
    was found: the header's word, "report" (a bounce), "empty sender" or "auto-reply". Where the declared charset
    does not fit, UTF-8 or a sure guess is taken; what still does not fit becomes U+FFFD, and charset says so.
    A message that is none, or cannot be read, is set aside with its line. In an MBOX a message begins with a
    line "From ", a sender or date in it, before a header; one ">" before "From " is taken off (mboxrd).
    Raises EmptyFileError; SourceError where an MBOX has no message.

    >>> mail = b"From: Ann <Ann@x.org>\\nSubject: =?utf-8?q?caf=C3=A9?=\\n\\nLate!\\n"
    >>> found = read_mail(mail, file="a.eml", box=False)
    >>> row = dict(zip(found.header, found.rows[0][1]))
    >>> row["from"], row["from_name"], row["subject"], row["body"]
    ('ann@x.org', 'Ann', 'café', 'Late!')
    """
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise EmptyFileError(file)
    if b"\n" not in data:
        data = data.replace(b"\r", b"\n")
    rows, bad = [], []
    for line, raw in _split_box(data, file) if box else [(1, data)]:
        try:
            message = message_from_bytes(_mend_headers(raw))
            if not _KNOWN.search(b"\n".join(f"{name}:".encode("ascii", "replace") for name in message)):
                bad.append((line, "no header of a mail (From, To, Date, Subject)", _show(raw)))
                continue
            values = _describe(message)
            rows.append((line, [values[name] for name in COLUMNS]))
        except Exception as error:  # the parser of the standard library fails in many ways on broken mails
            bad.append((line, f"the mail cannot be read: {type(error).__name__}: {error}", _show(raw)))
    return Rows(list(COLUMNS), rows, bad)


def _split_box(data: bytes, file: str) -> Iterator[tuple[int, bytes]]:
    starts = [found.start() for found in _BOX_LINE.finditer(data) if _BOX_DATE.fullmatch(found[0])]
    if not starts:
        if not _KNOWN.match(data.lstrip()):
            raise SourceError(
                f"{file}: not an MBOX: no message in it.",
                "Each message begins with a line like 'From ann@example.org Sat Nov 14 21:29:28 2015'.",
                "Export the mails as MBOX or EML, or correct form in the source.",
            )
        starts = [0]
    if data[: starts[0]].strip():
        starts.insert(0, 0)
    line, before = 1, 0
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        line += data.count(b"\n", before, start)
        before = start
        yield line, re.sub(rb"^>(>*From )", rb"\1", data[start:end], flags=re.M)


def _show(raw: bytes) -> str:
    return show_bytes(raw.decode("utf-8", "surrogateescape"))


def _mend_headers(raw: bytes) -> bytes:
    """Return the mail with every line of its head a header: one that is none would make the rest of them body."""
    raw = raw.lstrip(b"\r\n")
    head = re.search(rb"\r?\n\r?\n", raw)
    lines = raw[: head.start()].split(b"\n") if head else []
    last = max((number for number, line in enumerate(lines) if _KNOWN.match(line)), default=0)
    for number, line in enumerate(lines[:last]):
        if not _HEADER.match(line):
            lines[number] = b"X-No-Header: " + line
    return b"\n".join(lines) + raw[head.start() :] if head else raw


def _describe(message: Message) -> dict[str, str | None]:
    headers: dict[str, list[str]] = {}
    for name, value in message.raw_items():
        headers.setdefault(name.lower(), []).append(re.sub(r"[ \t]*\r?\n[ \t]*", " ", str(value)).strip())

    def say(name: str) -> str | None:
        return _clean(", ".join(_decode_words(value) for value in headers.get(name, ()) if value))

    def first(name: str) -> str | None:
        return next((_clean(_decode_words(value)) for value in headers.get(name, ()) if value), None)

    sender = re.sub(r"^(\S+) at (\S+\.\S+)", r"\1@\2", next(iter(headers.get("from", [])), ""))
    name, address = _try(lambda: parseaddr(sender)) or ("", "")
    if "@" not in address:
        name, address = "", _decode_words(sender)
    part = _read_part(message)
    received = headers.get("received", [""])[0].rpartition(";")[2].strip()
    return {
        **{name: first(name.replace("_", "-")) for name in COLUMNS},
        "to": say("to"),
        "cc": say("cc"),
        "date": first("date") or _clean(_decode_words(received)),
        "from": _clean(address.lower()),
        "from_name": _clean(_decode_words(name)),
        "auto_submitted": _tell_automatic(message, headers),
        "body": _clean(part.text.strip()),
        "attachments": _clean("; ".join(part.attachments)),
        "charset": _name_charsets(message),
    }


def _tell_automatic(message: Message, headers: dict[str, list[str]]) -> str | None:
    declared = headers.get("auto-submitted", [""])[0].partition(";")[0].strip().lower()
    if declared and declared != "no":
        return declared
    if message.get_content_type() == "multipart/report":
        return "report"
    if headers.get("return-path") == ["<>"]:
        return "empty sender"
    is_reply = headers.get("precedence", [""])[0].strip().lower() == "auto_reply"
    return "auto-reply" if is_reply or {"x-autoreply", "x-autorespond"} & set(headers) else None


def _try(call: Callable[[], Any]) -> Any:
    """Return what a call gives, or None: the standard library raises nearly anything on broken headers."""
    try:
        return call()
    except Exception:
        return None


def _clean(text: str | None) -> str | None:
    return re.sub("[\ud800-\udfff]", "\ufffd", text) if text else None


def _decode(data: bytes, charset: str | None) -> tuple[str, str]:
    """Return the text of bytes and what they were read as, with the number of bytes that do not fit."""
    declared = (charset or "").strip("\"' ").lower()
    declared = _WIDER.get(declared, declared)
    names = [name for name in (declared, "utf-8") if name and not _NO_CHARSET.search(name)]
    for name in names:
        try:
            text = data.decode(name)
            return text, name
        except (LookupError, ValueError):
            continue
    with suppress(SourceError):  # in doubt the declared one stands
        names.insert(0, find_encoding(data[:100_000], file="mail").name)
    for name in names:
        try:
            text = data.decode(name, "replace")
            unfit = text.count("\ufffd")
            return text, f"{name} ({unfit} bytes do not fit)" if unfit else name
        except (LookupError, ValueError):
            continue
    return data.decode("ascii", "replace"), "unknown"


def _decode_words(raw: str) -> str:
    """Return a header with its encoded words read (RFC 2047), broken ones as they stand."""
    if BAD.search(raw):
        raw = _decode(raw.encode("utf-8", "surrogateescape"), None)[0]
    if "=?" not in raw:
        return raw
    shown, place, pending, before = [], 0, b"", ""
    raw = _BETWEEN_WORDS.sub("", raw)
    for word in _ENCODED_WORD.finditer(raw):
        charset = word[1].partition("*")[0]
        coded = word[3] if word[2] in "bB" else word[3].replace("_", " ")
        holder = Message()
        holder["Content-Transfer-Encoding"] = "base64" if word[2] in "bB" else "quoted-printable"
        holder.set_payload(coded)
        # A letter may be cut between two words, so that neighbours are read together.
        if pending and (word.start() != place or charset.lower() != before.lower()):
            shown.append(_decode(pending, before)[0])
            pending = b""
        shown.append(raw[place : word.start()])
        pending += _try(lambda holder=holder: holder.get_payload(decode=True)) or b""
        before, place = charset, word.end()
    shown.append(_decode(pending, before)[0] if pending else "")
    return "".join(shown) + raw[place:]


def _name_charsets(message: Message) -> str | None:
    parts = [
        part for part in message.walk() if part.get_content_maintype() == "text" and not part.is_multipart()
    ]
    used = {_decode_payload(part)[1] for part in parts if not _name_attachment(part)}
    return ", ".join(sorted(used)) or None


def _decode_payload(part: Message) -> tuple[str, str]:
    payload = _try(lambda: part.get_payload(decode=True))
    raw = _try(lambda: str(part.get_payload()).encode("utf-8", "surrogateescape"))
    if raw and str(part.get("Content-Transfer-Encoding")).strip().lower() == "base64":
        payload = _decode_base64(raw)
    return _decode(payload or raw or b"", _try(part.get_content_charset))


def _decode_base64(raw: bytes) -> bytes:
    """Return what base64 says, as far as it goes, or the bytes as they are where they are none."""
    letters = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
    if len(re.findall(rb"[^A-Za-z0-9+/=\r\n]", raw)) * 10 > len(raw):  # as words with spaces have
        return raw
    letters = letters[: len(letters) - (len(letters) % 4 == 1)]
    return b64decode(letters + b"=" * (-len(letters) % 4))


def _name_attachment(part: Message) -> str | None:
    """Return the name of a part that is no text of the mail."""
    name = _try(part.get_filename)
    if name:
        return _decode_words(name)
    is_text = part.get_content_type() in ("text/plain", "text/html", "text/enriched", "text/markdown")
    if _try(part.get_content_disposition) == "attachment" or not is_text:
        return part.get_content_type()
    return None


def _read_part(part: Message) -> _Part:
    kind = part.get_content_type()
    if kind == "message/rfc822" and part.is_multipart():
        inner = part.get_payload(0)
        told = _describe(inner)
        head = [f"{name.title()}: {told[name]}" for name in ("from", "date", "subject", "to") if told[name]]
        lines = ["---------- Forwarded message ----------", *head, "", told["body"] or ""]
        return _Part("\n".join(lines), False, [told["attachments"]] if told["attachments"] else [])
    if part.is_multipart() and kind.startswith("multipart/"):
        inner = [_read_part(each) for each in part.get_payload()]
        attachments = [name for each in inner for name in each.attachments]
        said = [each for each in inner if each.text.strip()]
        if kind == "multipart/alternative":
            said = sorted(said, key=lambda each: each.is_html)[:1]
        return _Part(
            "\n\n".join(each.text.strip("\n") for each in said), bool(said) and said[0].is_html, attachments
        )
    attachment = _name_attachment(part) if not kind.startswith("multipart/") else None
    if attachment:
        return _Part("", False, [attachment])
    text = _decode_payload(part)[0].replace("\r\n", "\n").replace("\r", "\n")
    if kind in ("text/html", "text/enriched"):
        return _Part(html_to_text(text), True, [])
    if str(_try(lambda: part.get_param("format"))).lower() == "flowed":
        text = _unwrap(text, "" if str(_try(lambda: part.get_param("delsp"))).lower() == "yes" else " ")
    return _Part(text, False, [])


def _unwrap(text: str, space: str) -> str:
    """Return flowed text (RFC 3676) with its soft line breaks taken out."""
    lines: list[str] = []
    depth, flows = 0, False
    for line in text.split("\n"):
        quote = re.match(">*", line)[0]
        words = line[len(quote) :].removeprefix(" ")
        if flows and len(quote) == depth and words != "-- ":
            lines[-1] += space + words.rstrip(" ")
        else:
            lines.append((f"{quote} " if quote else "") + (words if words == "-- " else words.rstrip(" ")))
        depth, flows = len(quote), words.endswith(" ") and words != "-- "
    return "\n".join(lines)
