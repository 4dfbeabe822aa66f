"""Finds and confirms the encoding of a file, and decodes it block by block: a wrong guess is worse than a question."""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from vocwb.collect.forms.likelihood import NAMES, Likelihood, weigh_text
from vocwb.collect.forms.rows import BAD
from vocwb.errors import SourceError

MIXTURE = "iso-8859-1 + cp850"
"""Western European text that a DOS program wrote into: bytes 0x80 to 0x9F at letters are of code page 850."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_WEST = ("en", "fr", "de", "es", "it", "pt", "nl", "sv", "da", "no", "fi", "ca")
_EAST = ("pl", "cs", "sk", "hu", "ro", "hr", "sl", "de")
_CYRILLIC, _ARABIC = ("bg", "ru", "uk"), ("ar", "fa", "ur")
# The languages of each encoding, and the bits by which it is rarer than others of its script. Of readings
# that give the same text the first stands, so a Windows page goes before the standard that it extends.
_CANDIDATES = {
    "windows-1252": (_WEST, 0), "iso-8859-15": (_WEST, 6), "cp850": (_WEST, 8), MIXTURE: (_WEST, 10),
    "mac-roman": (_WEST, 10), "windows-1250": (_EAST, 6), "iso-8859-2": (_EAST, 8), "cp852": (_EAST, 12),
    "windows-1254": (("tr",), 6), "windows-1257": (("lv", "lt", "et"), 8),
    "windows-1251": (_CYRILLIC, 0), "koi8-r": (_CYRILLIC, 4), "koi8-u": (_CYRILLIC, 6),
    "cp866": (_CYRILLIC, 6), "iso-8859-5": (_CYRILLIC, 8), "mac-cyrillic": (_CYRILLIC, 16),
    "windows-1256": (_ARABIC, 0), "iso-8859-6": (_ARABIC, 8),
    "windows-1253": (("el",), 0), "iso-8859-7": (("el",), 2),
    "windows-1255": (("he",), 0), "iso-8859-8": (("he",), 6), "cp874": (("th",), 0),
    "gb18030": (("zh", "zh-Hant"), 0), "cp950": (("zh-Hant",), 0), "cp949": (("ko",), 0),
    "cp932": (("ja",), 0), "euc_jp": (("ja",), 4),
}  # fmt: skip
_UTF8 = {"utf-8": (tuple(NAMES), 0)}
_WIDE = _UTF8 | dict.fromkeys(("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"), (tuple(NAMES), 0))
_SEVEN_BIT = ("iso2022_jp_2", "iso2022_kr")
# A reading stands where it is 2^20 times as likely as the next; the encoding of its siblings is 2^30 times
# likelier than others, which a hundred letters outweigh.
_LEAD, _PRIOR = 20.0, 30.0
_BLOCK, _HEAD, _SAMPLE, _WEIGHED = 1 << 20, 1 << 16, 1 << 20, 1 << 16


def _mark_unfit(error: UnicodeDecodeError) -> tuple[str, int]:
    unfit = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in unfit), error.end


codecs.register_error("vocwb-mark", _mark_unfit)


class Encoding(NamedTuple):
    """The encoding of a file, as `decode_blocks` takes it, and a sentence for people on why it is that one."""

    name: str
    evidence: str


class _Survey(NamedTuple):
    """What one pass over a file finds: its head, lines, lines beyond ASCII and those of them that are not UTF-8."""

    head: bytes
    lines: int
    beyond: int
    unfit: int
    sample: list[bytes]


class _Reading(NamedTuple):
    name: str
    bits: float
    likelihood: Likelihood


def find_encoding(
    data: bytes | Iterable[bytes], *, file: str, declared: str | None = None, like: str | None = None
) -> Encoding:
    """Return the encoding of a file: the declared one, else by BOM, else UTF-8, else the one likeliest by far.

    `data` are the bytes or their blocks, read once; `like` is the encoding of the file's siblings, and
    counts as evidence. A legacy encoding stands where its text is as likely as real writing in one of its
    languages, and 2^20 times as likely as in any other encoding (Bayes factor; Kass and Raftery 1995).
    Raises SourceError where none is, where a declared encoding does not fit, or is unknown; it names what
    was tried and what to write.

    >>> find_encoding("Много добре, препоръчвам на всички!".encode("cp1251"), file="a.csv").name
    'windows-1251'
    """
    survey = _survey_blocks(_cut_blocks(data))
    by_bom = next((name for bom, name in _BOMS if survey.head.startswith(bom)), None)
    if declared:
        return _confirm_declared(declared, survey, by_bom, file)
    if by_bom:
        unfit, beyond = _count_unfit(by_bom, survey)
        if unfit * 2 > beyond:
            raise _doubt(file, [f"{by_bom} (by the byte order mark; {_show_unfit(unfit, beyond)})"])
        return Encoding(
            by_bom, f"{by_bom}: the file begins with its byte order mark; {_show_unfit(unfit, beyond)}."
        )
    if _has_controls(survey.head):
        return _choose_likeliest(_rank_readings(survey.head, _WIDE | _CANDIDATES, like), survey, file)
    if not survey.beyond:
        whole = survey.head[: survey.head.rfind(b"\n") + 1] or survey.head
        for name in _SEVEN_BIT if b"\x1b$" in whole else ():
            if not BAD.search(_decode_part(whole, name)):
                return Encoding(name, f"{name}: its escape sequences switch between character sets.")
        return Encoding("utf-8", "utf-8: the file holds ASCII characters only.")
    if survey.unfit * 10 <= survey.beyond:
        return Encoding("utf-8", f"utf-8: no byte order mark; {_show_unfit(survey.unfit, survey.beyond)}.")
    # As many lines as can be weighed, from everywhere in the sample.
    step = sum(map(len, survey.sample)) // _WEIGHED + 1
    sample = b"\n".join(survey.sample[::step])[: 2 * _WEIGHED]
    candidates = _CANDIDATES if survey.unfit * 2 > survey.beyond else _CANDIDATES | _UTF8
    return _choose_likeliest(_rank_readings(sample, candidates, like), survey, file)


def decode_blocks(blocks: Iterable[bytes], encoding: Encoding | str) -> Iterator[str]:
    """Yield the text of blocks of bytes, however they are cut; bytes that do not fit stand as marks (BAD).

    >>> "".join(decode_blocks([b"\\xd0", b"\\xb4\\xff"], "utf-8"))
    'д\\udcff'
    """
    name = encoding.name if isinstance(encoding, Encoding) else encoding
    if name == MIXTURE:
        yield from _decode_mixture(blocks)
        return
    if codecs.lookup(name).name.startswith("iso2022"):  # mail; CPython cannot cut its escape sequences
        yield b"".join(blocks).decode(name, "vocwb-mark")
        return
    decoder = codecs.getincrementaldecoder(name)("vocwb-mark")
    for block in blocks:
        if text := decoder.decode(block):
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def decode_text(
    data: bytes, *, file: str, declared: str | None = None, like: str | None = None
) -> tuple[str, str]:
    """Return the text of a small file and the name of its encoding; see `find_encoding` and `decode_blocks`.

    >>> decode_text("добре".encode("cp1251"), file="a.csv", declared="cp1251")
    ('добре', 'cp1251')
    """
    encoding = find_encoding(data, file=file, declared=declared, like=like)
    return "".join(decode_blocks([data], encoding)), encoding.name


def _cut_blocks(data: bytes | Iterable[bytes]) -> Iterable[bytes]:
    if isinstance(data, bytes | bytearray):
        return (bytes(data[start : start + _BLOCK]) for start in range(0, len(data), _BLOCK))
    return data


def _survey_blocks(blocks: Iterable[bytes]) -> _Survey:
    """Check that blocks are UTF-8 at the codec's speed; from the first that is not on, look at each line."""
    head, rest, sample, taken = bytearray(), b"", [], 0
    lines = beyond = unfit = 0
    strict: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8")()
    for block in chain(filter(None, blocks), [b""]):
        head += block[: max(_HEAD - len(head), 0)]
        lines += (found := block.count(b"\n"))
        if strict:
            rest = strict.getstate()[0]
            try:
                text = strict.decode(block, final=not block)
            except UnicodeDecodeError:
                strict = None
            else:
                if not text.isascii():
                    beyond += min(found + (block[-1:] != b"\n"), len(rest) + len(block) - len(text))
                continue
        part, newline, rest = (rest + block).rpartition(b"\n")
        if not block or (not newline and len(rest) > _BLOCK):
            part, rest = part + newline + rest, b""
        for line in part.split(b"\n"):
            if not line.isascii():
                beyond += 1
                unfit += BAD.search(line.decode("utf-8", "surrogateescape")) is not None
                if taken < _SAMPLE:
                    sample.append(line[: _SAMPLE - taken])
                    taken += len(line)
        if unfit > 20_000 and unfit * 10 > beyond * 9 and taken >= _SAMPLE:
            break  # surely not UTF-8, and enough of it
    return _Survey(bytes(head), lines, beyond, unfit, sample)


def _confirm_declared(name: str, survey: _Survey, by_bom: str | None, file: str) -> Encoding:
    try:
        canonical = codecs.lookup("iso-8859-1" if name == MIXTURE else name).name
        letter = "a".encode(canonical)  # refuses what makes bytes of bytes, like base64
        codecs.getincrementaldecoder(canonical)("vocwb-mark").decode(letter, final=True)
    except (LookupError, TypeError, ValueError) as error:
        raise SourceError(
            f"{file}: there is no encoding {name!r}.", remedy="Write one like utf-8, windows-1251 or gb18030."
        ) from error
    if by_bom and by_bom.removesuffix("-sig") == canonical.removesuffix("-le").removesuffix("-be"):
        name = by_bom
    elif canonical in ("utf-16", "utf-32"):
        ends = {end: _WIDE[end] for end in (f"{canonical}-le", f"{canonical}-be")}
        name = _rank_readings(survey.head, ends, None)[0].name
    elif canonical not in ("utf-8", "utf-8-sig") and survey.beyond >= 10 and not survey.unfit:
        raise _doubt(file, [f"{name} (declared, but all {survey.beyond} lines beyond ASCII are UTF-8)"])
    unfit, beyond = _count_unfit(name, survey)
    # Who declares an encoding is believed, as long as few lines speak against it.
    if unfit * 2 > beyond and unfit * 10 > survey.lines:
        raise _doubt(file, [f"{name} (declared; {_show_unfit(unfit, beyond)})"])
    return Encoding(name, f"{name}: as declared; {_show_unfit(unfit, beyond)}.")


def _count_unfit(name: str, survey: _Survey) -> tuple[int, int]:
    """Return how many of how many lines beyond ASCII hold bytes that do not fit, as far as they were sampled."""
    plain = name.lower().replace("_", "-")
    if plain in ("utf-8", "utf8", "utf-8-sig"):
        return survey.unfit, survey.beyond
    if plain.startswith(("utf-16", "utf-32", "utf16", "utf32")):
        texts = _decode_part(survey.head, name).split("\n")
    else:
        texts = [_decode_part(line, name) for line in survey.sample]
    return sum(BAD.search(text) is not None for text in texts), sum(not text.isascii() for text in texts)


def _show_unfit(unfit: int, beyond: int) -> str:
    if not unfit:
        return "every byte fits"
    return f"{unfit} of {beyond} lines with letters beyond ASCII do not fit"


def _has_controls(head: bytes) -> bool:
    """Say whether control characters stand in the bytes as in no text of one byte a letter: two or four then."""
    return len(re.findall(rb"[\x00-\x08\x0e-\x19]", head)) * 200 > len(head)


def _decode_part(data: bytes, name: str) -> str:
    return "".join(decode_blocks([data], name))


def _rank_readings(sample: bytes, candidates: dict[str, tuple], like: str | None) -> list[_Reading]:
    """Return the different readings of a sample, the likeliest first."""
    readings, seen = [], set()
    like = like and (MIXTURE if like == MIXTURE else codecs.lookup(like).name)
    for name, (languages, rarity) in candidates.items():
        text = _decode_part(sample, name)
        if text in seen:
            continue
        seen.add(text)
        found = weigh_text(text, languages)
        known = name if name == MIXTURE else codecs.lookup(name).name
        bits = found.bits + rarity - _PRIOR * (known == like)
        if name == MIXTURE:  # each byte that it reads otherwise is a fault of its own
            bits += 2.0 * sum("\x80" <= character < "\xa0" for character in sample.decode("iso-8859-1"))
        readings.append(_Reading(name, bits, found))
    return sorted(readings, key=lambda reading: reading.bits)


def _choose_likeliest(readings: list[_Reading], survey: _Survey, file: str) -> Encoding:
    best, following = readings[:2]
    lead = following.bits - best.bits
    found = best.likelihood
    is_writing = found.bits_per_character <= found.most
    if best.name in _UTF8:  # proven by the form of its sequences, though broken ones are unlike any writing
        is_writing = True
    elif best.name in _WIDE:  # in a language that is not known here, a letter is still a letter
        most = 22.0 if lead > 2.0 * len(survey.head) else 12.0
        is_writing = found.bits_per_character <= most
    unfit = _show_unfit(survey.unfit, survey.beyond)
    if lead < _LEAD or not is_writing:
        tried = [
            f"{reading.name} ({_show_likelihood(reading.likelihood)}; "
            f"{reading.bits - best.bits:.0f} bits behind the likeliest)"
            for reading in readings[:4]
        ]
        raise _doubt(file, [f"utf-8 ({unfit})", *tried])
    why = [unfit if best.name == "utf-8" else "not UTF-8", f"likeliest {_show_likelihood(found)}"]
    why.append(f"next {following.name}, {lead:.0f} bits behind")
    if best.name == MIXTURE:
        dos = sum(re.search(rb"[\x80-\x9f]", line) is not None for line in survey.sample)
        why.append(f"of the first {len(survey.sample)} lines with accents {dos} hold code page 850")
    return Encoding(best.name, f"{best.name}: no byte order mark; {'; '.join(why)}.")


def _show_likelihood(found: Likelihood) -> str:
    return (
        f"as {NAMES[found.language]}, {found.bits_per_character:.1f} bits a letter where real writing has "
        f"{found.most:.1f} at most"
    )


def _doubt(file: str, tried: list[str]) -> SourceError:
    return SourceError(
        f"{file}: its encoding is in doubt.",
        f"Tried: {', '.join(tried)}.",
        "Write encoding: windows-1256 (or what the exporting system says) in the source, or export as UTF-8.",
    )


def _decode_mixture(blocks: Iterable[bytes]) -> Iterator[str]:
    """Read ISO 8859-1, and bytes 0x80 to 0x9F by their neighbours: at letters code page 850, else Windows-1252."""
    before = held = ""
    for block in chain(blocks, [None]):
        text = before + held + ("" if block is None else block.decode("iso-8859-1"))
        end = (
            len(text) if block is None else max(len(text) - 1, len(before))
        )  # the last waits for its neighbour
        start = len(before)
        if end > start:
            yield re.sub("[\x80-\x9f]", _read_mixed, text[: end + 1])[start:end]
        before, held = text[max(end - 1, 0) : end], text[end:]


def _read_mixed(found: re.Match) -> str:
    code, text, at = ord(found[0]), found.string, found.start()
    left, right = text[max(at - 1, 0) : at], text[at + 1 : at + 2]
    after, ahead = _is_letter(left), _is_letter(right)
    byte = bytes([code])
    if code in (0x81, 0x8D, 0x8F, 0x90, 0x9D):  # undefined in windows-1252
        is_dos = True
    elif 0x91 <= code <= 0x94:  # quotes there
        is_dos = after and ahead and code > 0x92
    elif code in (0x95, 0x96, 0x97, 0x99):  # bullet, dashes and trade mark there
        is_dos = after
    elif code == 0x80:  # the euro sign there
        is_dos = (after or ahead) and not left.isdigit()
    else:
        is_dos = after or ahead or code == 0x85
    return byte.decode("cp850" if is_dos else "windows-1252")


def _is_letter(character: str) -> bool:
    if "\x80" <= character < "\xa0":
        character = character.encode("iso-8859-1").decode("cp850")
    return character.isalpha()
