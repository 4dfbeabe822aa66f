import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocwb.collect.forms.rows import EmptyFileError, Rows
from vocwb.collect.forms.transcripts import COLUMNS, read_chat, read_srt, read_vtt
from vocwb.errors import SourceError

CALL = """WEBVTT - call 7

STYLE
::cue { color: red }

NOTE recorded
with care

greeting
00:01.000 --> 00:04.000 align:start position:0%
<v.loud Ann Hill>Hello, <c.big>this</c> is <00:02.000>support</v>

00:00:05.000 --> 00:00:06.000
<v Bo>My bill is &lt;wrong&gt;
and late

00:06.000 --> 00:07.000
<v Bo>Again!</v>

stray

00:08.000 --> 00:09.000
<v Ann Hill>Sorry. <v Bo>No.
"""


def say(rows: Rows, record: int = 0) -> list[tuple]:
    row = dict(zip(rows.header, rows.rows[record][1], strict=True))
    turns = json.loads(row["turns"])
    assert row["n_turns"] == str(len(turns))
    return [(turn["speaker"], turn["text"], turn["start"]) for turn in turns]


def test_a_call_in_webvtt_is_one_record_of_turns():
    found = read_vtt(CALL, file="call.vtt")
    assert found.header == list(COLUMNS)
    assert say(found) == [
        ("Ann Hill", "Hello, this is support", "00:01.000"),
        ("Bo", "My bill is <wrong> and late Again!", "00:00:05.000"),
        ("Ann Hill", "Sorry.", "00:08.000"),
        ("Bo", "No.", "00:08.000"),
    ]
    assert found.rows[0][0] == 10
    assert found.rows[0][1][1:3] == ["00:01.000", "Ann Hill; Bo"]
    assert found.bad == [(20, "text outside of a cue", "stray")]


def test_srt_with_a_bom_tags_and_missing_blank_lines():
    text = (
        "\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\n{\\an8}<i>SPEAKER 1:</i> Hi\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,000\r\nSPEAKER 2: The problem is: it\r\nbreaks\r\n\r\n"
        "3\r\n00:00:05,000 --> 00:00:06,000\r\nThe thing: odd\r\n\r\n"
        "4\r\n00:00:07,000 --> 00:00:08,000\r\nSPEAKER 1: At 10:30\r\n\r\n"
        "5\r\n00:00:08,000 --> 00:00:09,000\r\nSPEAKER 2: ok"
    )
    assert say(read_srt(text, file="a.srt")) == [
        ("SPEAKER 1", "Hi", "00:00:01,000"),
        ("SPEAKER 2", "The problem is: it breaks The thing: odd", "00:00:03,000"),
        ("SPEAKER 1", "At 10:30", "00:00:07,000"),
        ("SPEAKER 2", "ok", "00:00:08,000"),
    ]


def test_cues_without_names_and_dashes():
    text = "1\n00:01:00,000 --> 00:01:01,000\nSo it broke\n\n2\n00:01:01,000 --> 00:01:02,000\non Monday.\n\n"
    text += "3\n00:01:03,000 --> 00:01:04,000\n- Which one?\n- The big one.\n"
    assert say(read_srt(text, file="a.srt")) == [
        ("", "So it broke on Monday.", "00:01:00,000"),
        ("", "Which one?", "00:01:03,000"),
        ("", "The big one.", "00:01:03,000"),
    ]


@pytest.mark.parametrize(
    ("log", "turns"),
    [
        (  # WhatsApp, Android
            "12/05/2021, 10:01 - Messages are end-to-end encrypted.\n12/05/2021, 10:02 - Ann: hi\nmore: lines\n\nend\n"
            "12/05/2021, 10:03 - +49 170 123: <Media omitted>",
            [
                ("", "Messages are end-to-end encrypted.", "12/05/2021, 10:01"),
                ("Ann", "hi\nmore: lines\n\nend", "12/05/2021, 10:02"),
                ("+49 170 123", "<Media omitted>", "12/05/2021, 10:03"),
            ],
        ),
        (  # WhatsApp, iOS, with marks of direction and a narrow space before PM
            "\u200e[03.05.21, 10:01:22\u202fPM] Ann: \u200eimage omitted\n"
            "\u200f[۰۳/۰۵/۲۰۲۱, ۱۰:۰۱:۲۲ ب.ظ] علی: می‌خواهم\u200f ۱۲ تا\u200f",
            [
                ("Ann", "\u200eimage omitted", "03.05.21, 10:01:22 PM"),
                ("علی", "می‌خواهم\u200f ۱۲ تا\u200f", "03/05/2021, 10:01:22 ب.ظ"),
            ],
        ),
        (
            "١٢‏/٥‏/٢٠٢١، ١٠:٠٢ ص - سارة: مرحبا\n١٢‏/٥‏/٢٠٢١، ١٠:٠٣ ص - علي: أهلا",
            [("سارة", "مرحبا", "12/5/2021، 10:02 ص"), ("علي", "أهلا", "12/5/2021، 10:03 ص")],
        ),
        (  # a help desk
            "(10:01:22 AM) *** Ann joined the chat ***\n(10:01:30 AM) Visitor 12: it broke\n(10:01:33 AM) Ann: oh",
            [
                ("", "*** Ann joined the chat ***", "10:01:22 AM"),
                ("Visitor 12", "it broke", "10:01:30 AM"),
                ("Ann", "oh", "10:01:33 AM"),
            ],
        ),
        (
            "Chat 7\n[10:01] Ann: hi\n[10:02] Bo: see http://x.example/a: b",
            [("", "Chat 7", ""), ("Ann", "hi", "10:01"), ("Bo", "see http://x.example/a: b", "10:02")],
        ),
        (  # names above, as Slack and Teams copy them
            "Ann Hill  10:01 AM\nhi there\nand more\nBo  10:02 AM\nhello",
            [("Ann Hill", "hi there\nand more", "10:01 AM"), ("Bo", "hello", "10:02 AM")],
        ),
        ("[10:01 AM] Ann\nhi\n[10:02 AM] Bo\nhello", [("Ann", "hi", "10:01 AM"), ("Bo", "hello", "10:02 AM")]),
        (
            "王小明：你好\n客服：您好\n王小明：坏了\n很糟：真的",
            [("王小明", "你好", ""), ("客服", "您好", ""), ("王小明", "坏了", ""), ("很糟", "真的", "")],
        ),
        (
            "Ann: hi\nBo: yes\nI mean: no\nAnn: so\nBo: https://x.example",
            [("Ann", "hi", ""), ("Bo", "yes\nI mean: no", ""), ("Ann", "so", ""), ("Bo", "https://x.example", "")],
        ),
    ],
)  # fmt: skip
def test_chat_logs(log, turns):
    found = read_chat(log, file="chat.txt")
    assert len(found.rows) == 1 and not found.bad
    assert say(found) == turns


def test_a_log_of_several_conversations():
    found = read_chat("Ann: hi\nBo: hello\n\n=====\nAnn: again\nCy: no", file="chat.txt")
    assert [say(found, record)[0][:2] for record in (0, 1)] == [("Ann", "hi"), ("Ann", "again")]
    assert [line for line, _ in found.rows] == [1, 5]
    apart = "2021-05-03 10:01:22 Ann: hi\n2021-05-03 21:00 Bo: yes\n2021-05-05 10:01 Ann: hi"
    assert [row[3] for _, row in read_chat(apart, file="chat.txt").rows] == ["2", "1"]


def test_what_is_none_of_them_is_said():
    for read in (read_vtt, read_srt, read_chat):
        with pytest.raises(EmptyFileError):
            read(" \n", file="a")
    with pytest.raises(SourceError, match=r"a.vtt: not WebVTT[^|]*'1'"):
        read_vtt("1\n00:00:01,000 --> 00:00:02,000\nHi", file="a.vtt")
    with pytest.raises(SourceError, match="no cue"):
        read_srt("Hello\nthere", file="a.srt")
    with pytest.raises(SourceError, match="no line begins a turn"):
        read_chat("I liked it.\nReally.", file="a.txt")


def test_bytes_that_do_not_fit_are_set_aside():
    found = read_srt(
        "1\n00:00:01,000 --> 00:00:02,000\ncaf\udce9\n\n2\n00:00:03,000 --> 00:00:04,000\nok", file="a"
    )
    assert found.bad == [(2, "bytes that cannot be read", "caf\\xe9")]
    assert say(found) == [("", "ok", "00:00:03,000")]
    assert read_chat("Ann: hi\nBo: caf\udce9\nAnn: ok", file="a").bad[0][0] == 2


PIECES = st.sampled_from([
    "WEBVTT", "NOTE x", "00:01.000 --> 00:02.000", "00:00:01,000 --> 00:00:02,000", "<v Ann>hi", "1", "- no", "",
    "Ann: hi", "[10:01] Bo: x", "12/05/2021, 10:02 - علی: سلام", "Ann  10:01", "====", "\u200f[۱۰:۰۱] علی: سلام",
    "客服：好", "caf\udce9",
])  # fmt: skip


@given(st.lists(PIECES | st.text(max_size=12), max_size=25), st.booleans())
def test_no_word_is_lost_in_mutated_files(pieces, vtt):
    text = "\n".join((["WEBVTT", ""] if vtt else []) + pieces)
    for read in (read_vtt, read_srt, read_chat):
        try:
            found = read(text, file="a")
        except SourceError:
            continue
        kept = "".join(row[0] for _, row in found.rows) + "".join(raw for _, _, raw in found.bad)
        for word in ("Ann", "Bo", "علی", "客服"):
            assert (word in kept) >= (word in text and read is read_chat)


def test_hostile_files_take_linear_time():
    for text in (
        "<v " * 50_000,
        "Ann: x\ny\n" * 20_000,
        "a" * 100_000 + ": x",
        "10:01" + " " * 100_000,
        "[10:01] " * 20_000,
    ):
        for read in (read_srt, read_chat):
            assert read("1\n00:00:01,000 --> 00:00:02,000\nAnn: hi\nAnn: x\n" + text, file="a").rows
