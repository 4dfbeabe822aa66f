"""Finds addresses of the web and of machines, and tells those that lead to one person from the others."""

import ipaddress
import re
from collections.abc import Iterator

from vocwb.collect.personal_contacts import TAKEN, Span

# What an address may hold, without quotes, strokes, angle brackets and letters that are not ASCII.
_SAFE = r"!#-&(-;=?-Z\[\]_a-z~"
_URL = re.compile(
    rf"(?:https?|ftp)://[{_SAFE}]+|(?<![^\W{TAKEN}])www\.[{_SAFE}]+"
    rf"|(?<![\w@./{TAKEN}-])(?:[a-z0-9-]{{1,63}}\.){{1,4}}[a-z]{{2,10}}/[{_SAFE}]*",
    re.I,
)
_PARTS = re.compile(
    r"(?:[a-z]+://)?(?P<host>[^/?#]*)(?P<path>[^?#]*)\??(?P<query>[^#]*)#?(?P<fragment>.*)", re.I | re.S
)
_SECRET_KEY = re.compile(
    r"token|sess|^sid$|auth|^sig|signature|passw|^pw$|otp|user|^u(?:id)?$|mail|phone|tel$|mobile|^msisdn|hash|secret|jwt"
    r"|(?:full|first|last|customer)_?name|login|ssn|reset|verify|confirm|invite|api_?key|^key$|^code$|respondent|subscriber|unsub",
    re.I,
)
_RECORD_KEY = re.compile(
    r"order|invoice|booking|ticket|customer|client|account|^acc|member|patient|card|track", re.I
)
_PERSONAL = (
    "u user users usr profile profiles account accounts member members customer customers people person in"
    " order orders invoice invoices track tracking ticket tickets booking bookings reset verify confirm"
    " confirmation unsubscribe invite share shared my patient patients claim claims delivery survey feedback"
    " case cases"
)
_PAGES = (
    "new edit list login signin signup register help about faq settings home index search privacy terms"
    " contact status history returns return all view detail details password orders order track tracking info"
    " support form start"
)
_PERSONAL_FOLDER, _PAGE_WORDS = frozenset(_PERSONAL.split()), frozenset(_PAGES.split())
_PAGE_KEYS = frozenset(
    {"v", "id", "product", "product_id", "item", "sku", "asin", "variant", "model", "q", "list", "p", "page"}
)
_SOCIAL = re.compile(
    r"(?:^|\.)(?:facebook|fb|instagram|twitter|x|t|telegram|tiktok|vk|weibo|snapchat|threads|wa|linktr|line)\.(?:com|me|net|ee|ru)$",
    re.I,
)
_TURN = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)


def find_urls(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield the web addresses: marked [URL] where they tell whose they are, with no mark if they are plain pages.

    >>> list(find_urls("I opened https://shop.example/reset?token=a81c.", ("GB",), frozenset()))
    [(9, 46, '[URL]')]
    """
    if "/" not in text and "www." not in text.lower():
        return
    for match in _URL.finditer(text):
        address = match[0].rstrip(".,;:!?" if "(" in match[0] else ".,;:!?)")
        yield match.start(), match.start() + len(address), "[URL]" if is_telling_url(address, kept) else ""


def is_telling_url(address: str, kept: frozenset[str] = frozenset()) -> bool:
    """Return whether an address leads to one person: a token, a password, an id in the query, a personal path.

    >>> is_telling_url("https://shop.example/reset?token=a81c"), is_telling_url("https://shop.example/kettles?page=2")
    (True, False)
    """
    parts = _PARTS.match(address)
    if "@" in parts["host"] or "%40" in address or "@" in parts["path"]:
        return True
    for pair in re.split("[&;]", f"{parts['query']}&{parts['fragment']}"):
        key, has_value, value = pair.partition("=")
        if has_value and value and _is_telling_pair(key, value):
            return True
    segments = [segment for segment in parts["path"].split("/") if segment]
    is_social = _SOCIAL.search(parts["host"])
    if (
        is_social
        and segments
        and segments[0].lower() not in _PAGE_WORDS | kept | {"groups", "pages", "hashtag", "p", "watch", "r"}
    ):
        return True
    for folder, segment in zip([""] + [segment.lower() for segment in segments], segments, strict=False):
        if _UUID.fullmatch(segment) or segment.startswith("~") or _is_code(segment, length=14, turns=3):
            return True
        if folder in _PERSONAL_FOLDER and segment.lower() not in _PAGE_WORDS | _PERSONAL_FOLDER | kept:
            is_name = folder in {
                "u",
                "user",
                "users",
                "profile",
                "profiles",
                "member",
                "members",
                "people",
                "person",
                "in",
            }
            if is_name or re.search(r"\d{3}|\d[A-Za-z]|[A-Za-z]\d", segment):
                return True
    return False


def _is_code(text: str, *, length: int, turns: int) -> bool:
    """Return whether a word in it is too long, and turns between letters and digits too often, to mean a thing."""
    return any(
        len(word) >= length and len(_TURN.findall(word)) >= turns for word in re.split(r"[-_.,+%]", text)
    )


def _is_telling_pair(key: str, value: str) -> bool:
    if _SECRET_KEY.search(key) or (_RECORD_KEY.search(key) and re.search(r"\d{3}", value)):
        return True
    # What a shop's pages are numbered by (v of a film, a product's id) is nobody's.
    if key.lower().startswith("utm_") or key.lower() in _PAGE_KEYS:
        return False
    return bool(_UUID.search(value) or _is_code(value, length=8, turns=2) or re.fullmatch(r"\d{9,}", value))


_IPV4 = re.compile(rf"(?<![\w.:/{TAKEN}-])(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?![\w-]|\.\w)")
_IPV6 = re.compile(
    rf"(?<![\w:.{TAKEN}])(?:[0-9a-f]{{1,4}}:|::)(?:[0-9a-f]{{0,4}}:){{1,7}}[0-9a-f]{{0,4}}(?![\w:])", re.I
)
_MAC = re.compile(rf"(?<![\w:-]){'[:-]'.join(['[0-9a-f]{2}'] * 6)}(?![\w:-])", re.I)
_VERSION = re.compile(
    r"(?:\bv\.?|version|firmware|build|release|update|driver|ios|android|верси\w|нسخه|نسخه|نسخة|ورژن|إصدار|版本)\W{0,3}(?:\w+\W+)?$",
    re.I,
)
_CALLED_IP = re.compile(
    r"(?:\bips?\b|آی ?پی|ايبي|айпи|addr\w*|адрес\w*|عنوان|from)\W{0,3}(?:\w+\W+){0,2}$", re.I
)


def find_machines(text: str, regions: tuple[str, ...], kept: frozenset[str]) -> Iterator[Span]:
    """Yield IP addresses that are not a home network's and not a version, and MAC addresses.

    >>> list(find_machines("from 203.0.113.9, on build 203.0.113.9", ("GB",), frozenset()))
    [(5, 16, '[IP]')]
    """
    for match in _IPV4.finditer(text) if text.count(".") > 2 else ():
        before, parts = (
            text[max(0, match.start() - 30) : match.start()].rpartition(TAKEN)[2],
            [int(part) for part in match[0].split(".")],
        )
        is_called = _CALLED_IP.search(before) is not None
        # Versions count up from small numbers; addresses mostly do not.
        if (
            max(parts) < 256
            and (is_called or (parts[0] > 30 and not _VERSION.search(before)))
            and not _is_local(match[0])
        ):
            yield *match.span(), "[IP]"
    if text.count(":") > 1 or text.count("-") > 4:
        for match in _IPV6.finditer(text):
            if sum(map(bool, match[0].split(":"))) > 2 and not _is_local(match[0]):
                yield *match.span(), "[IP]"
        for match in _MAC.finditer(text):
            yield *match.span(), "[MAC]"


def _is_local(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return True
    homes = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "0.0.0.0/8", "255.0.0.0/8")
    return found.version == 4 and any(found in ipaddress.ip_network(home) for home in homes)
