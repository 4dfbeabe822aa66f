import base64
import quopri

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocwb.collect.forms.mail import COLUMNS, read_mail
from vocwb.collect.forms.rows import EmptyFileError, Rows
from vocwb.errors import SourceError

HEAD = (
    b"Message-ID: <1@x.example>\nDate: Mon, 3 May 2021 10:00:00 +0200\n"
    b"From: Ann Hill <Ann@X.example>\nSubject: Kettle\n"
)


def read_one(raw: bytes) -> dict:
    found = read_mail(raw, file="a.eml", box=False)
    assert found.header == list(COLUMNS) and not found.bad and len(found.rows) == 1
    return dict(zip(COLUMNS, found.rows[0][1], strict=True))


def make_mail(
    body: bytes, *, kind: str = "text/plain", charset: str = "utf-8", coding: str = "8bit"
) -> bytes:
    return (
        HEAD
        + f"Content-Type: {kind}; charset={charset}\nContent-Transfer-Encoding: {coding}\n\n".encode()
        + body
    )


def join_parts(kind: str, *parts: bytes) -> bytes:
    pieces = b"".join(b"--cut\n" + part + b"\n" for part in parts)
    return f'Content-Type: multipart/{kind}; boundary="cut"\n\n'.encode() + pieces + b"--cut--\n"


def test_the_headers_of_a_mail():
    raw = HEAD + (
        b"To: Shop <help@shop.example>,\n\tBo <bo@x.example>\nCc: c@x.example\n"
        b"Reply-To: r@x.example\nIn-Reply-To: <0@x>\n"
        b"References: <0@x> <00@x>\nList-Id: Users <u.x.example>\n\nIt leaks.\r\nStill.\r\n"
    )
    row = read_one(raw)
    assert row["message_id"] == "<1@x.example>"
    assert row["date"] == "Mon, 3 May 2021 10:00:00 +0200"
    assert (row["from"], row["from_name"]) == ("ann@x.example", "Ann Hill")
    assert row["to"] == "Shop <help@shop.example>, Bo <bo@x.example>"
    assert (row["cc"], row["reply_to"], row["in_reply_to"]) == ("c@x.example", "r@x.example", "<0@x>")
    assert (row["references"], row["list_id"]) == ("<0@x> <00@x>", "Users <u.x.example>")
    assert row["body"] == "It leaks.\nStill."
    assert row["attachments"] is None and row["auto_submitted"] is None


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Все още тече, „чайник“", "windows-1251"), ("الغلاية تسرب", "windows-1256"), ("水壶漏水", "gb18030"),
        ("水壺漏水", "big5"), ("やかんが漏れる", "shift_jis"), ("やかんが漏れる", "iso-2022-jp"),
        ("주전자가 샌다", "ks_c_5601-1987"), ("کتری نشتی دارد می‌خواهم", "utf-8"), ("théière cassée", "iso-8859-1"),
    ],
)  # fmt: skip
def test_charsets_and_codings(text, charset):
    codec = {"ks_c_5601-1987": "cp949", "iso-2022-jp": "iso2022_jp"}.get(charset, charset)
    data = text.encode(codec)
    codings = {
        "8bit": data,
        "base64": base64.encodebytes(data),
        "quoted-printable": quopri.encodestring(data),
    }
    for coding, body in codings.items():
        assert read_one(make_mail(body, charset=charset, coding=coding))["body"] == text


def test_charsets_that_do_not_fit_are_said():
    assert read_one(make_mail("чай".encode(), charset="us-ascii"))["body"] == "чай"
    assert read_one(make_mail("чай".encode(), charset="x-none-such"))["body"] == "чай"
    for charset in ("hex", "utf-8\x00", "unicode_escape", "utf-16-\xff"):
        assert read_one(make_mail(b"It \\x41 leaks", charset=charset))["body"] == "It \\x41 leaks"
    row = read_one(make_mail(b"It leaks \xff badly", charset="utf-8"))
    assert row["body"] == "It leaks \ufffd badly" and row["charset"] == "utf-8 (1 bytes do not fit)"
    broken = read_one(make_mail(base64.b64encode(b"It leaks badly")[:-3] + b"*", coding="base64"))
    assert broken["body"].startswith("It leaks")
    assert read_one(make_mail(b"It leaks, really!", coding="base64"))["body"] == "It leaks, really!"


def test_words_of_headers_are_read():
    half = "чайник".encode()
    cut = base64.b64encode(half[:5]).decode(), base64.b64encode(half[5:]).decode()
    raw = (
        f"From: =?utf-8?q?Ann=2C_=C3=89va?= <a@x.example>\nSubject: Re: =?utf-8?B?{cut[0]}?=\n"
        f" =?utf-8?B?{cut[1]}?= (=?x?q?a=41?=) =?utf-8?b?!!?= =?broken\nDate: today?\n\nx"
    )
    row = read_one(raw.encode())
    assert (row["from"], row["from_name"]) == ("a@x.example", "Ann, Éva")
    assert row["subject"].startswith("Re: чайник (aA)") and row["subject"].endswith("=?broken")
    assert row["date"] == "today?" and row["message_id"] is None
    assert read_one("From: a@x.example\nSubject: чай\n\nx".encode())["subject"] == "чай"


def test_plain_text_is_preferred_and_html_becomes_text():
    plain, page = (
        b"Content-Type: text/plain\n\nPlain words",
        b"Content-Type: text/html\n\n<p>Page</p><script>x()</script>",
    )
    assert read_one(HEAD + join_parts("alternative", plain, page))["body"] == "Plain words"
    assert read_one(HEAD + join_parts("alternative", page, plain))["body"] == "Plain words"
    assert (
        read_one(HEAD + join_parts("alternative", b"Content-Type: text/plain\n\n \n", page))["body"] == "Page"
    )
    page = b"<p>No!</p><div>On Monday, Bo &lt;b@x&gt; wrote:<blockquote>Fine?</blockquote></div>"
    assert read_one(make_mail(page, kind="text/html"))["body"] == "No!\nOn Monday, Bo <b@x> wrote:\n> Fine?"


def test_parts_attachments_and_mails_in_mails():
    inner = b"From: Bo <bo@x.example>\nSubject: Old\nDate: Sun, 2 May 2021 09:00:00 +0000\n\nIt broke."
    raw = HEAD + join_parts(
        "mixed",
        b"Content-Type: text/plain\n\nSee this:",
        b"Content-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\nAAAA",
        b"Content-Type: text/plain\nContent-Disposition: attachment; filename*=utf-8''%D1%87%D0%B0%D0%B9.txt\n\nno",
        b"Content-Type: message/rfc822\n\n" + inner,
    )
    row = read_one(raw)
    assert row["attachments"] == "a.png; чай.txt"
    assert row["body"] == (
        "See this:\n\n---------- Forwarded message ----------\nFrom: bo@x.example\n"
        "Date: Sun, 2 May 2021 09:00:00 +0000\nSubject: Old\n\nIt broke."
    )


def test_flowed_text_is_unwrapped():
    body = b"This goes on \nhere.\n> quoted goes \n> on\nend\n-- \nAnn"
    raw = HEAD + b"Content-Type: text/plain; format=flowed\n\n" + body
    assert read_one(raw)["body"] == "This goes on here.\n> quoted goes on\nend\n-- \nAnn"


def test_automatic_mails_are_told():
    cases = {
        b"Auto-Submitted: auto-replied": "auto-replied",
        b"Auto-Submitted: no": None,
        b"Return-Path: <>": "empty sender",
        b"Precedence: auto_reply": "auto-reply",
        b"Content-Type: multipart/report; boundary=cut": "report",
    }
    for header, word in cases.items():
        assert read_one(HEAD + header + b"\n\nAway.")["auto_submitted"] == word


def test_broken_heads_lose_nothing():
    row = read_one(
        b"Received: by x; Sun, 2 May 2021 09:00:00 +0000\nno header at all\n" + HEAD[26:] + b"\nbody"
    )
    assert (row["subject"], row["body"]) == ("Kettle", "body")
    row = read_one(b"Received: by x;\n Sun, 2 May 2021 09:00:00 +0000\nFrom: a@x.example\n\nbody")
    assert row["date"] == "Sun, 2 May 2021 09:00:00 +0000"
    row = read_one(
        b"\xef\xbb\xbf\nFrom: a@x.example\nContent-Type: multipart/mixed; boundary=none\n\nnever cut"
    )
    assert row["body"] == "never cut"


def test_what_is_no_mail_is_set_aside():
    found = read_mail(b"caf\xe9 and tea\n\nwords", file="a.eml", box=False)
    assert found.rows == [] and found.bad == [
        (1, "no header of a mail (From, To, Date, Subject)", "caf\\xe9 and tea\n\nwords")
    ]
    with pytest.raises(EmptyFileError):
        read_mail(b" \r\n", file="a.eml", box=False)
    with pytest.raises(SourceError, match="not an MBOX"):
        read_mail(b"just words\n", file="a.mbox", box=True)


BOX = (
    b"From ann@x.example Mon May  3 10:00:00 2021\nFrom: ann@x.example\nSubject: 1\n\nFrom the shop I had\n"
    b"From: nothing\n>From here\n>>From there\n\n"
    b"From bo at x.example  Mon May  3 11:00:00 2021\r\nFrom: bo at x.example (Bo Ray)\r\nSubject: 2\r\n\r\nSecond\r\n"
    b"From - Mon May  3 12:00:00 2021\nSubject: 3\n\nThird\n"
)


def read_box(data: bytes) -> Rows:
    return read_mail(data, file="a.mbox", box=True)


def test_a_box_of_mails():
    found = read_box(BOX)
    rows = [(line, dict(zip(COLUMNS, row, strict=True))) for line, row in found.rows]
    assert [(line, row["subject"]) for line, row in rows] == [(1, "1"), (10, "2"), (15, "3")]
    assert rows[0][1]["body"] == "From the shop I had\nFrom: nothing\nFrom here\n>From there"
    assert (rows[1][1]["from"], rows[1][1]["from_name"]) == ("bo@x.example", "Bo Ray")
    assert not found.bad
    loose = read_box(b"lost words\n" + BOX)
    assert len(loose.rows) == 3 and [(line, raw) for line, _, raw in loose.bad] == [(1, "lost words\n")]


@settings(max_examples=50)  # 1,500 were run once
@given(st.data())
def test_mutated_mails_are_read_or_set_aside(data):
    parts = join_parts(
        "alternative",
        b"Content-Type: text/plain; charset=gb2312\n\n\xc4\xe3",
        b"Content-Type: text/html\n\n<b>x",
    )
    whole = bytearray(
        HEAD + b"To: =?utf-8?b?w4nDqQ==?= <a@x>\n" + join_parts("mixed", parts, parts, b"\n=E9") + BOX
    )
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(whole) - 1))
        piece = data.draw(
            st.binary(max_size=4)
            | st.sampled_from([b"\n", b"\n\n", b"=?", b"?=", b"--cut", b";", b'"', b"*0="])
        )
        whole[at : at + data.draw(st.integers(0, 12))] = piece
    found = read_mail(bytes(whole), file="a.eml", box=False)
    assert len(found.rows) + len(found.bad) == 1
    for row in found.rows:
        assert all(value is None or value.encode("utf-8") is not None for value in row[1])
    boxed = read_box(b"From ann@x.example Mon May  3 10:00:00 2021\nSubject: x\n\n" + bytes(whole))
    assert len(boxed.rows) + len(boxed.bad) >= 1


def test_hostile_mails_end():
    deep = b"".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n".encode() for n in range(3000))
    mails = (
        HEAD + deep, HEAD + b"X: " + b"=?" * 50_000 + b"\n\nx", b"no header\n" * 50_000 + HEAD + b"\nx",
        HEAD + b"\n" + b"From a@b\n" * 50_000, HEAD + b"Content-Type: text/html\n\n" + b"<a <!-- " * 50_000,
        HEAD + b"Content-Type: message/rfc822\n\n" * 2000,
    )  # fmt: skip
    for raw in mails:
        found = read_mail(raw, file="a.eml", box=False)
        assert len(found.rows) + len(found.bad) == 1
        assert len(read_box(BOX + raw).rows) >= 3
