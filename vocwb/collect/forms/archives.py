"""Opens zip and gz files in memory: each member with its name, and nothing that would fill the machine."""

import io
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from vocwb.collect.forms.rows import EmptyFileError
from vocwb.errors import SourceError

MOST_BYTES = 4 * 2**30
"""The most that one archive may hold once it is unpacked."""
MOST_RATIO = 200
"""The most by which a member of 10 MB and more may shrink: text shrinks 3 to 50 times, a bomb 1000."""
_SMALL = 10 * 2**20
_CHUNK = 2**20
# In a zip without UTF-8 mark a name stands in the code page of the system that packed it. A code page is
# believed if all that it makes of the name are common characters, and no letters within Latin words.
_ARABIC, _CYRILLIC = "[ء-يپچژکگی\u200c]", "[А-яЁё]"
_CODE_PAGES = (
    ("gbk", rb"[\xb0-\xd7][\xa1-\xfe]", ""), ("big5", rb"[\xa4-\xc6][\x40-\x7e\xa1-\xfe]", ""),
    ("cp720", rb"[\x80-\xff]", _ARABIC), ("cp1256", rb"[\x80-\xff]", _ARABIC),
    ("cp866", rb"[\x80-\xff]", _CYRILLIC), ("cp1251", rb"[\x80-\xff]", _CYRILLIC),
)  # fmt: skip


def open_archive(data: bytes, *, file: str, only: str | None = None) -> Iterator[tuple[str, bytes]]:
    """Yield the name and the bytes of each member of a zip or gz file; of a zip in it too, one level deep.

    Folders, README, hidden files and what systems add (__MACOSX, Thumbs.db) are left out. A name is only a
    label: steps such as .. are cut from it, and a second member of the same name is numbered. `only` is the
    name of the one member to yield, and spares the work of unpacking the others. Raises SourceError where
    the file is no whole archive, a member is encrypted or packed by an unknown method, the archive unpacks
    to more than 4 GB, or a member of 10 MB and more to over 200 times its size.

    >>> with zipfile.ZipFile(stream := io.BytesIO(), "w") as packed:
    ...     packed.writestr("../2025/a.csv", "id,text")
    ...     packed.writestr("__MACOSX/._a.csv", "")
    >>> list(open_archive(stream.getvalue(), file="a.zip"))
    [('2025/a.csv', b'id,text')]
    """
    taken: Counter[str] = Counter()
    unpacked = 0
    for name, content in _open_level(data, file, 1, only):
        unpacked += len(content)
        if unpacked > MOST_BYTES:
            raise _say_bomb(file)
        label, path = name, PurePosixPath(name)
        while label in taken:
            taken[name] += 1
            label = str(path.with_name(f"{path.stem} ({taken[name]}){path.suffix}"))
        taken[label] = 1
        if only in (None, label):
            yield label, content


def is_archive(name: str) -> bool:
    """Return whether a file is opened as an archive, by the ending of its name.

    >>> is_archive("2025.ZIP"), is_archive("a.csv")
    (True, False)
    """
    return name.lower().endswith((".zip", ".gz"))


def check_members(members: Iterable[zipfile.ZipInfo], *, file: str, most: int = MOST_BYTES) -> None:
    """Raise SourceError where members of a zip are encrypted or would unpack to more than a machine holds.

    `most` is in bytes. The sizes are those that the zip declares; zipfile never unpacks more than that.

    >>> check_members([], file="a.zip")
    """
    members = list(members)
    locked = next((member.filename for member in members if member.flag_bits & 1), None)
    if locked is not None:
        raise SourceError(
            f"{file}: {locked!r} in it is encrypted.", remedy="Unpack it, and put the files there instead."
        )
    grown = any(m.file_size > max(_SMALL, m.compress_size * MOST_RATIO) for m in members)
    if grown or sum(member.file_size for member in members) > most:
        raise _say_bomb(file, most)


def _open_level(data: bytes, file: str, level: int, only: str | None = None) -> Iterator[tuple[str, bytes]]:
    if not data:
        raise EmptyFileError(file)
    if data.startswith(b"\x1f\x8b"):
        content = _inflate(data, file)
        if content[257:262] == b"ustar":
            raise SourceError(f"{file}: a tar archive, which is not read.", remedy="Pack the files as .zip.")
        label = re.sub(r"\.gz$", "", PurePosixPath(file).name, flags=re.IGNORECASE)
        members: Iterable[tuple[str, bytes]] = [(label, content)]
    else:
        members = _unzip(data, file, only)
    for name, content in members:
        packed = is_archive(name) or content.startswith(b"\x1f\x8b")
        if packed and content and level == 2:
            raise SourceError(
                f"{file}: {name!r} is an archive in an archive in an archive.",
                remedy="Unpack it, and put the files there instead.",
            )
        if packed and content:
            folder = "" if data.startswith(b"\x1f\x8b") else f"{name}/"
            for inner, inside in _open_level(content, f"{file}/{name}", level + 1):
                yield folder + inner, inside
        else:
            yield name, content


def _unzip(data: bytes, file: str, only: str | None) -> Iterator[tuple[str, bytes]]:
    try:
        packed = zipfile.ZipFile(io.BytesIO(data))
        members = [member for member in packed.infolist() if not member.is_dir()]
    except Exception as error:  # of broken bytes the library raises a dozen kinds
        raise _say_broken(file, error) from error
    check_members(members, file=file)
    if sum(member.compress_size for member in members) > len(data):
        raise _say_bomb(file)  # members that share their bytes
    for member in members:
        name = _clean_name(_decode_name(member))
        if not name:
            continue
        # The wanted one may be numbered, or lie in this one.
        is_wanted = only is None or only.startswith(name.rpartition(".")[0] or name)
        try:
            content = packed.read(member) if is_wanted else b""
        except Exception as error:
            raise _say_broken(f"{file}: {name}", error) from error
        yield name, content


def _inflate(data: bytes, file: str) -> bytes:
    parts, size, most = [], 0, min(MOST_BYTES, max(_SMALL, len(data) * MOST_RATIO))
    rest = data
    while rest.startswith(b"\x1f\x8b"):  # a gz file may hold several, one after the other
        stream = zlib.decompressobj(wbits=31)
        while not stream.eof:
            try:
                part = stream.decompress(rest, _CHUNK)
            except zlib.error as error:
                raise _say_broken(file, error) from error
            rest = stream.unconsumed_tail or stream.unused_data
            if not part and not rest and not stream.eof:
                raise _say_broken(file, "it ends before its end")
            parts.append(part)
            size += len(part)
            if size > most:
                raise _say_bomb(file)
    if rest.strip(b"\0"):
        raise _say_broken(file, f"{len(rest)} bytes after its end")
    return b"".join(parts)


def _decode_name(member: zipfile.ZipInfo) -> str:
    """Return the name of a member in the letters of the system that packed it."""
    name, extra = member.filename, member.extra
    while len(extra) >= 4:  # the field 0x7075 holds the name in UTF-8 (APPNOTE.TXT 4.6.9)
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == 0x7075 and size > 5:
            return extra[9 : 4 + size].decode("utf-8", "replace")
        extra = extra[4 + size :]
    if member.flag_bits & 0x800 or name.isascii():
        return name
    raw = name.encode("cp437", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    for code_page, common, letters in _CODE_PAGES:
        if not re.fullmatch(rb"(?:[\x20-\x7e]|%b)+" % common, raw):
            continue
        decoded = raw.decode(code_page, "replace")
        beyond = "".join(character for character in decoded if not character.isascii())
        if not letters or (
            re.fullmatch(f"{letters}+", beyond)
            and not re.search(f"[A-Za-z]{letters}|{letters}[A-Za-z]", decoded)
        ):
            return decoded
    return name


def _clean_name(name: str) -> str:
    """Return a member's path without steps out of the archive, or nothing where it is no export."""
    steps = [step for step in re.split(r"[/\\]|^[A-Za-z]:", name) if step not in ("", ".", "..")]
    notes = ("__macosx", "thumbs.db", "desktop.ini")
    if any(step.startswith((".", "~$")) or step.lower() in notes for step in steps):
        return ""
    return "" if steps and steps[-1].upper().startswith("README") else "/".join(steps)


def _say_broken(file: str, fault: object) -> SourceError:
    return SourceError(
        f"{file}: not an archive that can be opened ({fault}).",
        remedy="Export or copy it again, or unpack it and put the files there instead.",
    )


def _say_bomb(file: str, most: int = MOST_BYTES) -> SourceError:
    return SourceError(
        f"{file}: it unpacks to far more than an export holds.",
        f"Limits: {most / 2**30:g} GB in all, and for a part of 10 MB and more {MOST_RATIO} times its size.",
        "If it is a true export, unpack it and put the files there instead.",
    )
