"""Guesses what each column of an unseen export holds, and says by what, and what is in doubt."""

import re
from typing import NamedTuple

import pandas as pd

from vocwb.collect.clean import parse_numbers
from vocwb.collect.column_words import is_a, is_question, means
from vocwb.collect.language_id import read_language_name
from vocwb.collect.looks import (
    Look,
    choose_segments,
    find_fault_of_ids,
    find_tags,
    find_turns,
    is_copy,
    list_common,
    look_at,
    tell_customer_side,
)
from vocwb.collect.scales import guess_scale, is_worded
from vocwb.programme import LANGUAGES

_CHANNEL_VALUE = re.compile(
    r"(?:web|e-?mail|phone|call|chat|fax|mail|letter|sms|api|twitter|x|facebook|instagram|whatsapp|telegram|app|mobile"
    r"|in[- ]person|store|kiosk|internet|online|social|referral|survey|form|portal|telephone|postal|ios|android)\b.*",
    re.I,
)
SAID = ("verbatim", "turns", "answer", "event", "funnel", "measure")
"""The roles of which a source needs one."""
_CODE = r"[\w.:<>@-]{0,60}\d[\w.:<>@-]{2,60}"
_PERSON_VALUE = re.compile(r"@?[\w.'-]{2,30}(?:\s[\w.'-]{1,30}){0,3}")


class Guess(NamedTuple):
    """One guess: the role of a column, by what it was told, what is in doubt, and what else the role needs."""

    role: str
    column: str
    evidence: str
    doubt: str = ""
    more: object = None


def guess_roles(records: pd.DataFrame) -> list[Guess]:
    """Return the likely roles of raw columns, in the order in which a crosswalk names them.

    Needs raw columns as text, with blanks as missing. Roles: turns, verbatim (the main one first), date
    (more: its date_format, or "ago" where it is told by its distance), id, respondent, session, language,
    stage, channel, names, tags (more: the separator), keep (more: the values to keep), answer (more: a
    Scale), segment, event (more: subjects and value), funnel, measure; and "refused" for a column that looks
    like a role and is not fit for it, "worded" for answers in words.

    >>> records = pd.DataFrame({"id": list("abcde"), "stars": list("51234")})
    >>> [(guess.role, guess.column, guess.evidence) for guess in guess_roles(records)]
    [('id', 'id', 'by its name; each value stands once'), ('answer', 'stars', 'values 1 to 5')]
    """
    looks = {
        name: look_at(name, values)
        for name in records
        if len(values := records[name]) and values.notna().any()
    }
    found: list[Guess] = []
    left = dict(looks)

    def take(guess: Guess) -> None:
        found.append(guess)
        left.pop(guess.column, None)

    for name in [name for name, look in looks.items() if look.turns]:
        if keys := find_turns(looks[name].values):
            take(Guess("turns", name, "a list of turns in each record", more=keys))
            break
    for guess in _guess_dates(left):
        take(guess)
    dates = [guess.column for guess in found if guess.role in ("date", "other date")]
    left = {name: look for name, look in left.items() if not look.date}
    for name, evidence, separator in find_tags(left):
        take(Guess("tags", name, evidence, more=separator))
    for guess in _guess_direction(left):
        take(guess)
    if not any(guess.role == "turns" for guess in found):
        for guess in _guess_texts(left, has_event=_find_event(left) is not None and bool(dates)):
            take(guess)
    for guess in [*_guess_ids(left), *_guess_people(left), *_guess_places(left)]:
        if guess.column in left or guess.role == "names":
            found.append(guess)
            if guess.role not in ("names", "refused"):
                left.pop(guess.column)
    people = {guess.column for guess in found if guess.role in ("names", "refused")}
    left = {name: look for name, look in left.items() if name not in people}
    said = any(guess.role in ("verbatim", "turns") for guess in found)
    scores = {
        name: scale
        for name, look in left.items()
        # What stands above a record in a tree tells of its subject, and is no answer of the customer.
        if look.filled > 0.02 and not name.startswith("_in_") and (scale := guess_scale(name, look.values))
    }
    for name in sorted(scores, key=lambda name: -scores[name].rank):
        take(Guess("answer", name, scores[name].evidence, scores[name].doubt, scores[name]))
    if not said and (not scores or _find_event(left)):
        acts = _guess_acts(left, found, dated=bool(dates))
        if acts:
            return [guess for guess in found if guess.role not in ("answer", "segment")] + acts
    for name, look in left.items():
        if look.different <= 11 and is_worded(look.values):
            found.append(Guess("worded", name, f"answers in words: {list_common(look.values, 4)}"))
    found += [Guess("segment", name, evidence) for name, evidence in choose_segments(left)]
    return found


def _guess_dates(looks: dict[str, Look]) -> list[Guess]:
    """Choose the date of the record: not the one of an answer to it, of a change, or of a birth."""
    dated = {name: look for name, look in looks.items() if look.date}

    def rank(name: str) -> tuple:
        first, other = means(name, "date_first"), means(name, "date_other")
        told_by_day = not dated[name].date.startswith("clock")
        return (
            told_by_day,
            dated[name].filled > 0.5,
            first - 2 * other + means(name, "date") - 2 * means(name, "reply"),
        )

    fit = [name for name in dated if not means(name, "private") and not dated[name].date.startswith("clock")]
    if not fit:
        return []
    best = max(fit, key=rank)
    if dated[best].filled < 0.2 or rank(best)[2] <= -2:
        return [Guess("refused", best, "dates, but not of when it was said")]
    others = [name for name in fit if name != best]
    doubt = f"or {', '.join(map(repr, others[:4]))}" if others else ""
    if dated[best].filled < 0.98:
        doubt = "; ".join(filter(None, [doubt, f"{1 - dated[best].filled:.0%} of the records have none"]))
    return [Guess("date", best, dated[best].date, doubt, dated[best].date_format)]


def _guess_texts(looks: dict[str, Look], *, has_event: bool) -> list[Guess]:
    """Choose the main verbatim, and further open questions that are neither title nor reply nor copy."""
    weights = {name: weight for name, look in looks.items() if (weight := _weigh_text(name, look)) > 0}
    if has_event:  # what is typed into a search box of a log is no verbatim
        weights = {name: weight for name, weight in weights.items() if means(name, "text")}
    if not weights:
        return []
    ranked = sorted(weights, key=lambda name: -weights[name])
    main, chosen, unsure = ranked[0], [ranked[0]], []
    for name in ranked[1:]:
        is_open = (is_question(name) or means(name, "text")) and not _is_other_text(name)
        rest = looks[name]
        if (
            is_open
            and rest.words >= 2
            and not any(is_copy(looks[have].values, rest.values) for have in chosen)
        ):
            chosen.append(name)
        elif weights[name] > weights[main] / 10:
            unsure.append(name)
    guesses = []
    for name in chosen:
        look = looks[name]
        evidence = f"{look.length:.0f} characters on average, {look.distinct:.0%} different"
        evidence += "" if look.filled > 0.98 else f", {look.filled:.0%} filled"
        doubt = f"not taken: {', '.join(map(repr, unsure[:4]))}" if name == main and unsure else ""
        if name != main:
            doubt = "a further open question? take it out if the customer did not write it"
        guesses.append(Guess("verbatim", name, evidence, doubt))
    return guesses


def _is_other_text(name: str) -> bool:
    """Return whether a name says that a text is a title, somebody's reply, or a copy of another text."""
    if means(name, "copy") or (means(name, "reply") and not is_question(name)):
        return True
    return not is_question(name) and any(
        is_a(name, other) for other in ("title", "not_text", "person", "name")
    )


def _weigh_text(name: str, look: Look) -> float:
    different = look.different
    if look.words <= 3:  # counters and stamps ("12 days", "Ticket 7") are many, and not different
        different = look.values.str.replace(r"\d+", "", regex=True).nunique()
    varied = different >= min(20, max(3, 0.5 * len(look.values)))
    if (
        look.number
        or look.url
        or look.email
        or look.turns
        or look.words < 1.5
        or not varied
        or look.length < 4
    ):
        return 0
    hint = 2.0 if means(name, "text") or is_question(name) else 1.0
    if means(name, "title") and not is_question(name):
        hint = 0.4
    elif not is_question(name) and any(is_a(name, other) for other in ("person", "name", "date")):
        hint *= 0.1
    elif means(name, "not_text") and not is_question(name) and not is_a(name, "text"):
        hint *= 0.25
    if _is_other_text(name):
        hint *= 0.3
    if means(name, "text") and means(name, "staff"):
        hint *= 0.5
    return min(look.length, 300) * min(1, look.distinct * 1.5) * hint * look.filled**0.35


def _guess_ids(looks: dict[str, Look]) -> list[Guess]:
    """Choose the column that tells the records apart for good; refuse ruined, repeated and row numbers."""
    fit, refused = [], []
    for name, look in looks.items():
        if (
            look.length > 80
            or look.url
            or (look.words > 1.5 and not means(name, "id"))
            or means(name, "private")
        ):
            continue
        named = means(name, "id") or means(name, "row")
        fault = find_fault_of_ids(name, look.values)
        if named and fault and (is_a(name, "id") or means(name, "row")):
            refused.append(Guess("refused", name, fault))
        elif fault or look.filled < 0.99 or look.distinct < 0.95:
            continue
        elif (means(name, "id") and not is_a(name, "count")) or is_a(name, "id"):
            fit.append((2 + 2 * (look.distinct == 1) - means(name, "person"), name))
        elif look.distinct > 0.97 and _are_codes(look):
            fit.append((-means(name, "person") - look.number, name))
    if not fit:
        return refused[:3]
    name = max(fit, key=lambda pair: pair[0])[1]
    look = looks[name]
    repeats = len(look.values) - look.different
    evidence = ("by its name; " if means(name, "id") else "") + (
        f"{repeats} values repeat" if repeats else "each value stands once"
    )
    numbers = parse_numbers(look.values)
    counting = bool(len(numbers) > 20 and look.number and (numbers.diff().dropna() == 1).mean() > 0.95)
    doubt = (
        "a running number: keep it only if a record keeps its number in the next export" if counting else ""
    )
    return [Guess("id", name, evidence, doubt), *refused[:3]]


def _are_codes(look: Look) -> bool:
    """Tell ids without a telling name from amounts and counts, which are as different: ids are long and whole."""
    is_amount = look.number and (look.length <= 5 or look.values.str.contains("[.,]").any())
    return not is_amount and bool(look.values.head(300).str.fullmatch(_CODE).all())


def _guess_people(looks: dict[str, Look]) -> list[Guess]:
    """Choose who speaks, and the columns that hold names of people."""
    guesses, fit = [], []
    for name, look in looks.items():
        if look.length > 60 or look.url or (means(name, "thing") and not means(name, "person")):
            continue
        is_staff = means(name, "staff")
        heads = any(is_a(name, head) for head in ("person", "id", "name"))
        is_person = means(name, "person") and heads
        looks_named = not look.number and look.values.head(300).str.fullmatch(_PERSON_VALUE).mean() > 0.3
        lettered = look.values.head(300).str.contains(r"[^\W\d_]{2}").mean() > 0.5
        coded = look.values.head(300).str.fullmatch(r"[A-Z]{0,6}[-_]?\d+|[0-9a-fA-F-]{12,}").mean() > 0.5
        names = (
            is_a(name, "name")
            and not look.number
            and not means(name, "thing")
            and not is_a(name, "id")
            and not coded
        )
        if names and looks_named and lettered and look.different > 5 and look.words < 5:
            guesses.append(Guess("names", name, "by its name; names of people, to be redacted in the texts"))
        if (
            (is_person or names)
            and not is_staff
            and look.different > 3
            and look.distinct > 0.02
            and look.words < 5
        ):
            fit.append((2 * is_a(name, "id") + look.number + is_person + look.email, look.distinct, name))
        if look.email and means(name, "person") and not is_staff:
            fit.append((0, look.distinct, name))
    if fit:
        name = max(fit)[2]
        coded = looks[name].number or looks[name].email or looks[name].values.str.contains(r"\d").mean() > 0.9
        doubt = "" if means(name, "id") or coded else "two people may share it"
        guesses.append(Guess("respondent", name, f"by its name; {looks[name].different} different", doubt))
    return guesses


def _guess_places(looks: dict[str, Look]) -> list[Guess]:
    """Choose the columns of session, language, channel and stage."""
    guesses = []
    for name, look in looks.items():
        sample = look.values.head(300)
        if means(name, "session") and look.words < 2 and look.different > 5:
            guesses.append(Guess("session", name, f"by its name; {look.different} different"))
        elif means(name, "language") and (
            sample.map(lambda value: read_language_name(value, LANGUAGES) is not None).mean() > 0.8
        ):
            guesses.append(Guess("language", name, f"names of languages, like {sample.iloc[0]!r}"))
        elif look.different > 30 or look.distinct > 0.5 or look.number:
            continue
        elif means(name, "channel") and sample.str.fullmatch(_CHANNEL_VALUE).mean() > 0.5:
            guesses.append(Guess("channel", name, f"like {list_common(look.values, 3)}"))
        elif means(name, "stage"):
            guesses.append(Guess("stage", name, f"like {list_common(look.values, 3)}"))
    one = {guess.role: guess for guess in reversed(guesses)}
    return [one[role] for role in ("session", "language", "stage", "channel") if role in one]


def _guess_direction(looks: dict[str, Look]) -> list[Guess]:
    for name, look in looks.items():
        if (
            means(name, "direction")
            and look.different <= 6
            and (kept := tell_customer_side(name, look.values))
        ):
            others = sorted(set(look.values) - set(kept))
            return [
                Guess(
                    "keep",
                    name,
                    f"the customer's side; set aside: {', '.join(others)}",
                    "check the side",
                    kept,
                )
            ]
    return []


def _find_event(looks: dict[str, Look]) -> str | None:
    for name, look in looks.items():
        if means(name, "event") and 2 <= look.different <= 60 and look.words < 4 and look.distinct < 0.5:
            return name
    return None


def _guess_acts(looks: dict[str, Look], found: list[Guess], *, dated: bool) -> list[Guess]:
    """Read a log, a message funnel or a table of behaviour: what was done, where nothing was said."""
    if dated and (event := _find_event(looks)):
        subjects = [
            name
            for name, look in looks.items()
            if name != event and means(name, "subject") and not look.number and look.different > 1
        ]
        values = [name for name, look in looks.items() if name != event and look.number]
        return [
            Guess(
                "event",
                event,
                f"what happened: {list_common(looks[event].values, 5)}",
                more=(subjects, values[:1]),
            )
        ]
    steps = [name for name, look in looks.items() if means(name, "funnel") and _is_flag(look)]
    if dated and len(steps) >= 2:
        subjects = [name for name in looks if name not in steps and means(name, "subject")]
        return [
            Guess("funnel", name, f"happened in {_share_true(looks[name]):.0%}", more=subjects)
            for name in steps
        ]
    if any(guess.role == "respondent" for guess in found):
        numbers = [name for name, look in looks.items() if look.number and not is_a(name, "id")]
        return [Guess("measure", name, f"a number, {looks[name].different} different") for name in numbers]
    return []


def _is_flag(look: Look) -> bool:
    return bool(look.values.str.lower().isin(["0", "1", "yes", "no", "true", "false", "y", "n"]).all())


def _share_true(look: Look) -> float:
    return float(look.values.str.lower().isin(["1", "yes", "true", "y"]).mean())
