"""Reads records from XML: elements with what stands in them, around them, and on which line."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from xml.parsers import expat

from vocwb.collect.forms.encodings import decode_text
from vocwb.collect.forms.rows import BAD, EmptyFileError, Rows, show_bytes
from vocwb.errors import SourceError

TEXT = "_text"
"""The column of a record's own text, which stands directly in its element."""
TAG = "_tag"
"""The column of a record's tag, where the record_path leaves it open."""
_LIKELY = re.compile(
    r"review|comment|feedback|opinion|response|answer|ticket|complaint|post|message|entry|record", re.I
)
_DEEPEST = 100
_MOST_CONTEXT = 100
_DECLARED = re.compile(rb"<\?xml[^>]*?\sencoding\s*=\s*[\"']([\w.:-]+)")
# Marks of unfit bytes and control characters are no XML: they pass the parser as characters that no one uses.
_UNFIT = re.compile("[\udc00-\udcff\0-\x08\x0b\x0c\x0e-\x1f]")
_HIDDEN = re.compile("[\U0010fc00-\U0010fdff]")
_BREAKS = {"br", "p", "div", "li", "tr"}

Node = tuple[str, dict[str, str], list, int, int]
"""An element: tag, attributes, texts and elements in it, its line, and where it starts."""


class NoElementError(EmptyFileError):
    """An XML file in which no element is of the tag of the records: one of several exports may hold none."""

    def __init__(self, file: str, path: Sequence[str], there: str):
        SourceError.__init__(
            self,
            f"{file}: there is no element {'/'.join(path)}.",
            f"Elements: {there}.",
            "Correct record_path in the source.",
        )


class Tree(NamedTuple):
    """What the text says: top elements, those left open at a fault, the fault, its line and place, the text."""

    top: list[Node]
    open: list[Node]
    fault: str | None
    line: int
    place: int
    text: bytes


def read_xml(data: bytes, *, file: str, record_path: Sequence[str], encoding: str | None = None) -> Rows:
    """Return the elements that `record_path` names, as records, each with the line on which it begins.

    One step (["Review"]) names elements of that tag wherever they stand, several steps (["Reviews",
    "Review"]) those inside one another; a step may hold "*" ("*_Review"), and if the last one does, `_tag`
    is the tag of each record. Prefixes of names are cut. An element that is nested in a record is part of it.

    Columns: attributes of the record by their name, its own text as `_text`, a child's text by its tag, a
    child's attribute as "tag@name", what is nested deeper with dots. A child that comes more than once in
    some record of the file gives its texts, one a line, as "tag", and, if it has attributes or children, a
    JSON list of objects as "tag[]" (each with its text as "text"). Text mixed with elements is joined.
    Attributes of the elements around a record are `_in_Tag@name`; of their children, those that come once
    and hold no elements are `_in_Tag.child`.

    The encoding is `encoding`, or the declared one, or as found. A record with bytes that do not fit is set
    aside; at a fault of the XML the records before it are kept, and all from the record on in which it
    stands is one bad row. Raises NoElementError (an EmptyFileError) where no element is named so, and
    SourceError where the fault stands before the end of the first record, or where entities are declared
    (a few bytes may stand for gigabytes, or for another file).

    >>> read_xml(b'<P title="Mug"><R stars="5"><by>Jo</by> fine</R></P>', file="a.xml", record_path=["R"]).rows
    [(1, {'stars': '5', '_text': 'Jo fine', 'by': 'Jo', '_in_P@title': 'Mug'})]
    """
    tree = _parse(data, file, encoding)
    if not record_path:
        raise SourceError(
            f"{file}: which elements are the records?",
            f"Elements: {_count_tags(tree)}.",
            "Write record_path: [the tag of a record] in the source.",
        )
    unfinished = {id(node) for node in tree.open}
    found = list(_find_elements(tree.top, list(record_path)))
    records = [(node, context) for node, context in found if id(node) not in unfinished]
    if not records:
        if tree.fault:
            raise SourceError(f"{file}: not XML: {tree.fault}.", remedy="Mend that line, or export it again.")
        raise NoElementError(file, record_path, _count_tags(tree))
    repeated, structured = _find_repeated([node for node, _ in records])
    rows: list[tuple[int, list | dict]] = []
    bad: list[tuple[int, str, str]] = []
    for node, context in records:
        record = _name_keys(_flatten(node, repeated, structured), TEXT)
        if not any(value is not None for value in record.values()):
            bad.append((node[3], "an empty record", f"<{node[0]}>"))
            continue
        if "*" in record_path[-1]:
            _put(record, TAG, node[0])
        for key, value in context.items():
            _put(record, key, value)
        for key, value in record.items():
            if isinstance(value, list):
                record[key] = json.dumps(value, ensure_ascii=False)
        if any(value and _HIDDEN.search(value) for value in record.values()):
            record = {key: value and _show(value) for key, value in record.items()}
            if any(value and BAD.search(value) for value in record.values()):
                raw = json.dumps(record, ensure_ascii=False)
                bad.append((node[3], "bytes that are not of the file's encoding", show_bytes(raw)))
                continue
        rows.append((node[3], record))
    if tree.fault:
        broken = next((node for node, _ in found if id(node) in unfinished), None)
        line, start = (broken[3], broken[4]) if broken else (tree.line, tree.place)
        raw = show_bytes(_show(tree.text[start:].decode("utf-8", "replace")))
        bad.append((line, f"not XML from here on: {tree.fault}", raw))
    return Rows(None, rows, bad)


def find_records(data: bytes, *, file: str, encoding: str | None = None) -> list[str]:
    """Return the record_path of an XML text as it seems to be: the repeated element that holds most text.

    A tag that says so (review, comment, ticket ...) and holds a tenth of the words comes first; else it is
    the element with most words of its own, or the one in which that comes once. [] where no element with
    text is repeated. Raises what `read_xml` raises of the text.

    >>> find_records(b"<Shop><R><t>it is late</t></R><R><t>it is</t><t>fine</t></R></Shop>", file="a.xml")
    ['R']
    """
    count: Counter[str] = Counter()
    words: Counter[str] = Counter()
    leaves: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    parents: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for node, around in _walk(_parse(data, file, encoding).top):
        here = sum(len(part.split()) for part in node[2] if isinstance(part, str))
        count[node[0]] += 1
        leaves[node[0]] += here
        plain[node[0]] += not node[1]
        for tag in {node[0], *around}:
            words[tag] += here
        if around:
            parents[node[0]][around[-1]] += 1
    repeated = {tag for tag in count if count[tag] > 1 and words[tag] >= 2 * count[tag]}
    likely = [tag for tag in repeated if _LIKELY.search(tag) and words[tag] * 10 >= sum(leaves.values())]
    if likely:
        best = max(likely, key=lambda tag: (words[tag], count[tag], tag))
        kind = re.split("[_-]", best)[-1]  # Critical_Review and General_Review are both reviews
        same = [tag for tag in likely if re.split("[_-]", tag)[-1] == kind and best not in parents[tag]]
        return [best if len(same) == 1 else f"*{best[-len(kind) - 1 :]}"]
    if not repeated:
        return []
    best = max(repeated, key=lambda tag: (leaves[tag], tag))
    # A field comes once in its record, or is a paragraph: what comes several times and has attributes is a record.
    seen: set[str] = set()
    while best not in seen:
        seen.add(best)
        outer, times = parents[best].most_common(1)[0] if parents[best] else ("", 0)
        if outer in repeated and (times <= count[outer] or (len(seen) == 1 and plain[best] == count[best])):
            best = outer
    return [best]


def _parse(data: bytes, file: str, encoding: str | None) -> Tree:
    if not data.strip():
        raise EmptyFileError(file)
    declared = _DECLARED.search(data[:1000].replace(b"\0", b""))
    name = encoding or (declared[1].decode() if declared else None)
    if name and name.lower().replace("_", "-").startswith(("utf-16", "utf16", "ucs-2", "utf-32")):
        name = None  # a mark of byte order tells more, and some write it above a text in UTF-8
    text, _ = decode_text(data, file=file, declared=name)
    text = _UNFIT.sub(
        lambda c: chr(0x10FC00 + (ord(c[0]) - 0xDC00 if c[0] > " " else 0x100 + ord(c[0]))), text
    )
    text = text.removeprefix("\ufeff").replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
    body = re.sub("[\ud800-\udfff]", "\ufffd", text).lstrip()
    return _build_tree(body.encode(), file, text[: len(text) - len(body)].count("\n"))


def _build_tree(text: bytes, file: str, above: int) -> Tree:
    top: list[Node] = []
    stack: list[Node] = []
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True

    def open_element(tag: str, attributes: dict[str, str]) -> None:
        if len(stack) == _DEEPEST:
            raise RecursionError(f"elements are nested more than {_DEEPEST} deep")
        given = {
            key.rpartition(":")[2]: value for key, value in attributes.items() if not key.startswith("xmlns")
        }
        node = (tag.rpartition(":")[2], given, [], above + parser.CurrentLineNumber, parser.CurrentByteIndex)
        (stack[-1][2] if stack else top).append(node)
        stack.append(node)

    def refuse_entity(name: str, *_: Any) -> None:
        raise SourceError(
            f"{file}: it declares the entity {name!r}, which is not read.",
            remedy="Export it without a DOCTYPE that declares entities.",
        )

    parser.StartElementHandler = open_element
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = lambda said: stack[-1][2].append(said)
    parser.EntityDeclHandler = refuse_entity
    parser.SkippedEntityHandler = lambda name, _: stack[-1][2].append(f"&{name};")
    fault = None
    try:
        parser.Parse(text, True)
    except expat.ExpatError as error:
        fault = f"{expat.ErrorString(error.code)}, line {above + error.lineno} column {error.offset + 1}"
    except RecursionError as error:
        fault = f"{error}, line {above + parser.CurrentLineNumber}"
    # Where a parser's handler or its text ends, it stands at the last byte that it has understood.
    return Tree(
        top, list(stack), fault, above + parser.CurrentLineNumber, max(parser.CurrentByteIndex, 0), text
    )


def _walk(nodes: list[Node]) -> Iterator[tuple[Node, list[str]]]:
    """Yield each element with the tags around it."""
    waiting: list[tuple[Node, list[str]]] = [(node, []) for node in reversed(nodes)]
    while waiting:
        node, around = waiting.pop()
        yield node, around
        inner = [*around, node[0]]
        waiting += [(child, inner) for child in reversed(node[2]) if not isinstance(child, str)]


def _find_elements(top: list[Node], steps: list[str]) -> Iterator[tuple[Node, dict[str, str]]]:
    """Yield the outermost elements that the steps name, each with what the elements around it say."""
    waiting: list[tuple[Node, list[str], dict[str, str]]] = [(node, [], {}) for node in reversed(top)]
    while waiting:
        node, around, context = waiting.pop()
        tags = [*around, node[0]]
        if len(tags) >= len(steps) and all(map(fnmatchcase, tags[-len(steps) :], steps)):
            yield node, context
            continue
        children = [child for child in node[2] if not isinstance(child, str)]
        if children:
            context = context | _describe(node, children, steps[-1])
            waiting += [(child, tags, context) for child in reversed(children)]


def _describe(node: Node, children: list[Node], record: str) -> dict[str, str]:
    said = {f"@{key}": value for key, value in node[1].items()}
    times = Counter(child[0] for child in children)
    for child in children:
        is_leaf = all(isinstance(part, str) for part in child[2])
        if times[child[0]] == 1 and is_leaf and not fnmatchcase(child[0], record):
            said |= {f".{child[0]}@{key}": value for key, value in child[1].items()}
            if text := _join_text(child):
                said[f".{child[0]}"] = text
    return {f"_in_{node[0]}{key}": value for key, value in list(said.items())[:_MOST_CONTEXT]}


def _find_repeated(records: list[Node]) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Return which (parent, child) come more than once in a parent, and which have attributes or children.

    Over all records: the columns of a file must not change from record to record.
    """
    repeated, structured = set(), set()
    for node, _ in _walk(records):
        children = [child for child in node[2] if not isinstance(child, str)]
        for tag, times in Counter(child[0] for child in children).items():
            if times > 1:
                repeated.add((node[0], tag))
        structured |= {(node[0], c[0]) for c in children if c[1] or any(not isinstance(p, str) for p in c[2])}
    return repeated, structured & repeated


def _flatten(node: Node, repeated: set, structured: set) -> dict[str, Any]:
    """Return what an element says: "@name" its attributes, "" its text, ".tag" and so on what is in it."""
    flat: dict[str, Any] = {f"@{key}": value for key, value in node[1].items()}
    children = [part for part in node[2] if not isinstance(part, str)]
    own = any(part.strip() for part in node[2] if isinstance(part, str))
    if own or not children:
        flat[""] = _join_text(node)
    groups: dict[str, list[Node]] = {}
    for child in children:
        groups.setdefault(child[0], []).append(child)
    for tag, group in groups.items():
        kind = (node[0], tag)
        if kind not in repeated:
            for key, value in _flatten(group[0], repeated, structured).items():
                flat[f".{tag}{key}"] = value
            continue
        flat[f".{tag}"] = "\n".join(filter(None, map(_join_text, group))) or None
        if kind in structured:
            flat[f".{tag}[]"] = [_name_keys(_flatten(child, repeated, structured), "text") for child in group]
    return flat


def _name_keys(flat: dict[str, Any], own: str) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for key, value in flat.items():
        _put(named, key.lstrip("@.") or own, value)
    return named


def _put(record: dict[str, Any], name: str, value: Any) -> None:
    """Add a value, under a numbered name where an attribute and a child have the same."""
    number, start = 1, name
    while name in record:
        number += 1
        name = f"{start} ({number})"
    record[name] = value


def _join_text(node: Node) -> str | None:
    """Return all text in an element; elements that are lines or fields of their own begin a new line."""
    parts: list[str] = []
    waiting: list[Any] = [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            parts.append(part)
            continue
        is_mixed = any(isinstance(inner, str) and inner.strip() for inner in part[2])
        for inner in reversed(part[2]):
            is_line = not isinstance(inner, str) and (not is_mixed or inner[0].lower() in _BREAKS)
            waiting += [inner, "\n"] if is_line else [inner]
    text = "".join(parts).strip()
    return re.sub(r"\n[ \t]*(?:\n[ \t]*)+", "\n", text) if len(parts) > 1 else text or None


def _count_tags(tree: Tree) -> str:
    count = Counter(node[0] for node, _ in _walk(tree.top))
    return ", ".join(f"{tag} ({times})" for tag, times in count.most_common(20)) or "none"


def _show(text: str) -> str:
    """Bring back the characters that the parser does not pass."""
    return _HIDDEN.sub(
        lambda c: chr(0xDC00 + ord(c[0]) - 0x10FC00 if c[0] < "\U0010fd00" else ord(c[0]) - 0x10FD00), text
    )
