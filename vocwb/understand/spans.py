"""Spans: where the sentences and clauses of a verbatim lie, so that each can have a topic of its own."""

import re
from bisect import bisect_left, bisect_right
from functools import cache
from itertools import accumulate, pairwise

SHORTEST_SENTENCE = 8
"""Letters below which a sentence joins its neighbour; a Han character counts as three."""
SHORTEST_CLAUSE = 15
"""Letters that both sides of a comma must have."""
SHORTEST_OPPOSED = 9
"""Letters that both sides of a contrastive conjunction must have, and of a space between Chinese clauses."""
LONGEST_SPAN = 300
"""Letters above which a run-on span is cut at the next best place."""

_HAN = "\u3400-\u9fff"
_CLOSERS = "\"'”’»)\\]」』】）"
_EMOJI = "\u2600-\u27bf\U0001f1e6-\U0001f1ff\U0001f300-\U0001faff"
_BREAKS = "\n\r\v\f\x85\u2028\u2029"
_END = 3  # of a sentence; a contrastive conjunction is 2, a clause 1, and the rest serves only to cut run-ons
_CONTRAST, _CLAUSE, _WEAK = 2, 1, 0

_CONTRASTS = {
    "en": r"(?<!nothing )(?<!anything )(?<!help )(?<!all )but(?! also\b)|however|although|though|whereas|nevertheless"
    r"|nonetheless|on the other hand|except that|even though",
    "fa": r"اما|ولی|ولیکن|لیکن|منتها|منتهی|هر ?چند|با این (?:حال|وجود|همه)|بااین[\u200c ]?حال"
    r"|در حالی[\u200c ]?که|در عوض",
    "ar": r"و?لكن(?:ه|ها|هم|ني|نا|ك)?|و?لاكن|بس|و?مع ذلك|[إا]لا [أا]ن\w{0,4}|غير [أا]ن\w{0,4}|بينما|رغم|بالرغم"
    r"|في المقابل",
    "bg": r"но|обаче|ама|ала|въпреки|макар|за сметка на това|от друга страна|за съжаление",
    "zh": r"但是|(?<![不非])但(?![愿願凡])|可是|(?<![好只])不[過过](?!如此|[于於是])|然而|可惜|反而"
    r"|雖然|虽然|儘管|尽管",
}
# A comma before or after such a clause does not part it from what it depends on: Bulgarian must write one.
_DEPENDENTS = {
    "en": r"when|if|as|after|before|since|because|once|until|unless|while|which|who|whom|whose|where|that|to|so|such|i"
    r" think|including|especially|even|for example|e\.?g|i\.e|despite|in order|due to|at least|please|thanks|thank you",
    "fa": r"که|وقتی|اگر|اگه|چون|تا|زمانی|هنگامی|برای|مثل|مثلا|یعنی|حتی|به ?جز|با توجه|به دلیل|به خاطر",
    "ar": r"عندما|لما|[إا]ذا|لو|ل?[أا]ن\w{0,3}|حيث|التي|الذي|اللي|حتى|كي|لكي|مثل|بعد|قبل|بسبب|يعني|مع العلم",
    "bg": r"че|който|която|което|които|когато|ако|за да|защото|тъй|докато|да|където|както|като|понеже|щом|след като"
    r"|преди да|дето|освен|така|колкото|чи[ийяе]т?о|дори|например|без да|с ко[ийяе]то",
    "zh": r"因[為为]|如果|[當当]|由於|由于|例如|比如|甚至|所以|因此|[連连]",
}
_LINKS = {
    "en": "and|because|so|then|or|also|plus|when|which|while",
    "fa": "و|که|چون|تا|یا|هم|همچنین|بعد|پس|وقتی",
    "ar": "ثم|لان|لأن|عشان|او|أو|حتى|كما|ايضا|أيضا|و(?=[^\\W\\d_]{3})",
    "bg": "и|а|да|че|защото|после|или|като|когато|също",
    "zh": "而且|並且|并且|然[後后]|還有|还有|所以|因[為为]|另外|[後后][來来]",
}
_TITLES = re.compile(
    r"mrs?|ms|dr|prof|st|vs|approx|dept|ext|fig|e\.?g|i\.?e|инж|проф|др|арх|ул|бул|гр|кв|напр|вкл|т\.е|[^\W\d_iгч]"
)
_SHORTENED = re.compile(
    r"etc|[ap]\.?m|u\.[sk]|inc|ltd|corp?|jr|sr|no|min|max|hrs?|est|ave|rd|[гч]|лв|стр?|бр|мин|сек|тел|ет|ап|пр|хр|н\.е|т\.н(?:ар)?"
)
_WORD_BEFORE = re.compile(r"(?:[^\W_]+\.)*[^\W_]+$")


def split_spans(text: str, language: str) -> list[tuple[int, int]]:
    """Return where the sentences and clauses of a verbatim lie, as offsets into it, in their order.

    text[start:end] has no white space at its ends; spans do not overlap, and every letter lies in one. A text
    without a letter is one span, an empty one none. Sentences end at full stops, question and exclamation marks
    of the five languages, line breaks (not those of a wrapped line) and bullets, not at abbreviations, decimals,
    times or addresses. Clauses end at commas, semicolons, ellipses, dashes, pictograms and double spaces where at
    least 15 letters stand on both sides and neither depends on the other; and before contrastive conjunctions (but,
    اما, لكن, но, 但是), and at spaces in Chinese, with 9 on both. A sentence under 8 letters joins the one before it.
    Nothing stays longer than 300 letters: it is cut at the next best place. A Han character counts as three
    letters. The time is linear in the length. A language that is not in the table is split at marks alone.

    >>> text = "Lovely room. Breakfast was cold and late, but the staff were kind!"
    >>> [text[start:end] for start, end in split_spans(text, "en")]
    ['Lovely room.', 'Breakfast was cold and late,', 'but the staff were kind!']
    """
    letters = _count_letters(text)
    marks = _find_marks(text, language, letters)
    cuts = [0, *_cut_sentences(text, marks, letters), len(text)]
    cuts = _cut_clauses(cuts, text, language, marks, letters)
    cuts = _cut_long(cuts, text, marks, letters)
    return [span for start, end in pairwise(cuts) if (span := _strip(text, start, end))]


def _count_letters(text: str) -> list[int]:
    """Return, for each offset, how many letters and digits stand before it."""
    sizes = ((3 if "\u3400" <= c <= "\u9fff" else 1) if c.isalnum() else 0 for c in text)
    return list(accumulate(sizes, initial=0))


@cache
def _make_pattern(language: str) -> re.Pattern:
    spaced = language != "zh"
    border, after = (r"(?<![\w\u200c])", r"(?![\w\u200c])") if spaced else ("", "")
    words = [
        rf"(?P<{name}>{border}(?:{table[language]}){after})"
        for name, table in (("contrast", _CONTRASTS), ("link", _LINKS))
        if language in table
    ]
    # Each part begins with a fixed character or class, and none can be tried twice on the same run of it.
    parts = [
        r"(?P<address>https?:/\S*[\w/]|www\.\S*[\w/]|&#?\w{1,8};)",
        rf"(?P<line>[{_BREAKS}]+\s*)",
        rf"(?P<end>[.!?…。！？؟｡]+[{_CLOSERS}]*)",
        rf"(?P<clause>[,;،؛，；]+|(?<=\s)[-–—|/•·*~+]+(?=\s)|—+|(?<=\S)[^\S{_BREAKS}]{{2,}})",
        rf"(?P<emoji>[{_EMOJI}][{_EMOJI}\ufe0f\u200d]*)",
        rf"(?P<space>(?<=[{_HAN}])[^\S{_BREAKS}]+(?=[{_HAN}]))",
        *words,
    ]
    return re.compile("|".join(parts), re.IGNORECASE)


def _find_marks(text: str, language: str, letters: list[int]) -> list[tuple[int, int]]:
    """Return (offset, rank) of every place where the text can be cut, in order, the best at each place."""
    marks: dict[int, tuple[int, int]] = {}
    for match in _make_pattern(language).finditer(text):
        kind, start, end = match.lastgroup, match.start(), match.end()
        place, rank = end, _CLAUSE
        if kind == "address":
            continue
        if kind == "line":
            place, rank = end, _WEAK if _is_wrapped(text, start, end) else _END
        elif kind == "end":
            rank = _rank_end(text, start, end)
        elif kind == "clause" and text[start] in ",،" and _between_digits(text, start, end):
            continue
        elif kind == "space":
            rank = _CONTRAST
        elif kind == "contrast":
            place, rank = start, _CONTRAST
        elif kind == "link":
            place, rank = start, _WEAK
        if rank is None:
            continue
        # Marks with no letter between them are one place: ", but" is cut before the comma's space, "?!\n" at its end.
        known = marks.get(letters[place])
        if known is None or rank > known[1] or (rank == known[1] == _END):
            marks[letters[place]] = (place, rank)
    return list(marks.values())


def _rank_end(text: str, start: int, end: int) -> int | None:
    """Return the rank of a full stop or the like, None where it ends nothing."""
    run = text[start:end]
    if "…" in run or run.startswith(".."):
        return _CLAUSE if end == len(text) or not text[end].isalnum() or text[end] > "\u0600" else None
    if run[0] != ".":
        return _END
    before, after = _WORD_BEFORE.search(text[max(0, start - 30) : start]), text[end : end + 1]
    word = before[0] if before else ""
    if after and not after.isspace():
        # Without a space: "nice.But", and scripts without capitals; elsewhere it is a decimal or an address.
        if not word:
            return _END if after.isupper() and text[end + 1 : end + 2].islower() else None
        word = word.rpartition(".")[2]
        long = len(word) > 2 and word.isalpha() and after.isalpha()
        return _END if long and (after > "\u0600" or (after.isupper() and word[-1].islower())) else None
    following = text[end : end + 8].lstrip()[:1]
    word = word.casefold()
    if _TITLES.fullmatch(word) or (_SHORTENED.fullmatch(word) and not following.isupper()):
        return None
    if word.isdigit() and (following.islower() or _opens_line(text, start - len(word))):
        return None
    return _END


def _opens_line(text: str, start: int) -> bool:
    return not text[max(0, start - 3) : start].strip(" \t") or text[start - 1] in _BREAKS


def _between_digits(text: str, start: int, end: int) -> bool:
    return start > 0 and text[start - 1].isdigit() and text[end : end + 1].isdigit()


def _is_wrapped(text: str, start: int, end: int) -> bool:
    """Tell whether a line break only wraps a long line, as mail programs do."""
    if text[start:end].strip(" \t") not in ("\n", "\r\n", "\r") or not text[end : end + 1].isalpha():
        return False
    line = text[max(0, start - 100) : start]
    width = len(line) - max(line.rfind(mark) for mark in "\n\r") - 1
    return width >= 60 and text[start - 1] not in ".!?…。！？؟:" and not text[end].isupper()


def _cut_sentences(text: str, marks: list[tuple[int, int]], letters: list[int]) -> list[int]:
    """Return the cuts between sentences; a short sentence joins the one before it, the first the next."""
    cuts: list[int] = []
    last = 0
    for place, _ in (mark for mark in marks if mark[1] == _END):
        if letters[place] - letters[last] >= SHORTEST_SENTENCE:
            cuts.append(place)
            last = place
        elif cuts and not _ends_line(text, last):
            cuts[-1] = last = place
    if cuts and letters[-1] - letters[cuts[-1]] < SHORTEST_SENTENCE:
        cuts.pop()
    return cuts


def _ends_line(text: str, place: int) -> bool:
    """Tell whether a line break stands before or after `place`."""
    return any(mark in _BREAKS for mark in text[max(0, place - 2) : place + 1])


def _cut_clauses(cuts, text: str, language: str, marks, letters: list[int]) -> list[int]:
    """Return the cuts with those between clauses that are long enough on both sides."""
    dependent = _make_dependent(language)
    places = [place for place, _ in marks]
    found = [0]
    for start, end in pairwise(cuts):
        last = start
        for place, rank in marks[bisect_right(places, start) : bisect_left(places, end)]:
            need = SHORTEST_CLAUSE if rank == _CLAUSE else SHORTEST_OPPOSED
            if rank == _WEAK or letters[place] - letters[last] < need or letters[end] - letters[place] < need:
                continue
            if (
                rank == _CLAUSE
                and dependent
                and (dependent.match(text, place) or dependent.match(text, last))
            ):
                continue
            found.append(place)
            last = place
        found.append(end)
    return found


@cache
def _make_dependent(language: str) -> re.Pattern | None:
    if language not in _DEPENDENTS:
        return None
    after = "" if language == "zh" else r"(?![\w\u200c])"
    return re.compile(rf"\W{{0,5}}(?:{_DEPENDENTS[language]}){after}", re.IGNORECASE)


def _cut_long(cuts, text: str, marks, letters: list[int]) -> list[int]:
    """Return the cuts with those that run-ons need: at the best mark, else the last space, of the second half."""
    places = [place for place, _ in marks]
    found = [0]
    for start, end in pairwise(cuts):
        while letters[end] - letters[start] > LONGEST_SPAN:
            low = bisect_left(letters, letters[start] + LONGEST_SPAN // 2, start, end)
            high = bisect_right(letters, letters[start] + LONGEST_SPAN, start, end) - 1
            inside = marks[bisect_left(places, low) : bisect_right(places, high)]
            if inside:
                start = max(inside, key=lambda mark: (mark[1], mark[0]))[0]
            else:
                spaces = [
                    place for place in range(low, min(high, low + 4 * LONGEST_SPAN)) if text[place].isspace()
                ]
                start = spaces[-1] + 1 if spaces else high
            found.append(start)
        found.append(end)
    return found


def _strip(text: str, start: int, end: int) -> tuple[int, int] | None:
    part = text[start:end]
    start += len(part) - len(part.lstrip())
    stripped = part.strip()
    return (start, start + len(stripped)) if stripped else None
