"""The form of coding: people code verbatims alone, blind to one another, then talk over where they differ.

The form decides nothing itself: it calls `on_decide`, which a notebook ties to decisions.record_decision. Of each
verbatim the last code of each person stands, and beside these the last adjudicated one.
"""

from collections.abc import Callable, Iterable, Mapping
from types import SimpleNamespace

import ipywidgets
import pandas as pd
from markupsafe import Markup

from vocwb.errors import VocwbError
from vocwb.share.codebook_values import add_row
from vocwb.share.coding_views import (
    ASKS,
    CODING_STYLE,
    POLARITIES,
    agreement_html,
    coded_verbatim_html,
    progress_html,
    read_keys,
    sides_html,
)
from vocwb.share.rows import name_language
from vocwb.share.widgets import STYLE, label_field
from vocwb.understand.agreement import ADJUDICATED, HUMAN, NO_ASK, SETTLED, TOGETHER, measure_agreement
from vocwb.understand.coding_sample import (
    compare_people,
    fold_human_codes,
    gather_human_codes,
    keep_random,
    read_categories,
)
from vocwb.understand.rules import CANNOT_TELL

CODE, TALK, AGREE = "Code alone", "Talk over", "Agreement"
ALONE = "coded alone"
"""The reason of a code to which no note was written."""
_NO_PERSON = {name.removeprefix(HUMAN) for name in (ADJUDICATED, SETTLED)}
_WIDTH = "9rem"
_HELP = Markup(
    "<p class='facts'>Numbers of categories, how it feels and how strongly, what is asked: “2 5 -4 c” is categories 2 "
    "and 5, negative, 4, a complaint. Enter saves it, Tab only fills it in below. Without Latin letters !1 is a "
    "complaint, !2 a request. Below, space, arrows and first letters choose.</p>"
)
_ALPHA = Markup(
    "<p class='facts'>Krippendorff's alpha is 1 where all is coded alike and 0 where chance would give as much; "
    "reliable from 0.8, tentative from 0.667. Below 30 verbatims there are counts alone.</p>"
)


def coding_form(
    sample: pd.DataFrame, categories: Iterable[str] | Mapping[str, str], decisions: pd.DataFrame,
    on_decide: Callable, *, refresh: Callable[[], pd.DataFrame] | None = None,
    opinions: pd.DataFrame | None = None, seed: int = 0,
) -> ipywidgets.VBox:  # fmt: skip
    """Return a form in which people code verbatims alone, talk over what they coded differently, and see agreement.

    sample: feedback_id, language, verbatim, in the order to code them (coding_sample.draw_sample); categories:
    names, or name -> what people see; decisions: the whole log; refresh: reads it again, so that codes of others are
    seen. opinions: feedback_id and language of all feedback, on whose random half agreement is measured (on the
    sample's if not given); seed: of its intervals.

    Decides kind "code": subject a feedback_id, value {"category" (a list), "polarity", "intensity" (1 to 5, None for
    "cannot tell"), "ask" (None for none)}, and "adjudicated": True for what was decided together. Nobody sees what
    another coded before having coded the verbatim too, except who leads the talk and codes none. Where it was seen,
    the own code can no more be corrected.

    >>> sample = pd.DataFrame({"feedback_id": ["f"], "language": ["en"], "verbatim": ["<b>late</b>"]})
    >>> log = pd.DataFrame({name: [] for name in ("decision_id", "kind", "subject", "value", "who", "when", "why",
    ...                                           "replaces")})
    >>> form = coding_form(sample, ["delivery"], log, lambda **decision: print(decision["value"]))
    >>> from vocwb.share.widgets import find_field
    >>> for label, text in (("Who", "Ada"), ("Keys", "1 -4 c")):
    ...     find_field(form, label).value = text
    >>> find_field(form, "Save").click()
    {'category': ['delivery'], 'polarity': 'negative', 'intensity': 4, 'ask': 'complaint'}
    """
    now = SimpleNamespace(sample=sample, log=decisions, refresh=refresh, queue=[], place=0, seen=set())
    who = label_field(ipywidgets.Text(continuous_update=False), "Who", width=_WIDTH)
    spoken = [(name_language(code), code) for code in dict.fromkeys(sample["language"])]
    language = label_field(ipywidgets.Dropdown(options=[("all", ""), *spoken]), "Language", width=_WIDTH)
    does = label_field(ipywidgets.ToggleButtons(options=[CODE, TALK, AGREE]), "What to do", width=_WIDTH)
    leads = label_field(ipywidgets.Checkbox(), "I lead the talk and code none of these", width=_WIDTH)
    progress, said, sides, agreement, message = (ipywidgets.HTML() for _ in range(5))
    # What is typed is sent whole when one leaves the field: sent by letters, it could come after the button's click.
    note = label_field(ipywidgets.Text(continuous_update=False), "Note", width=_WIDTH)
    save, back, skip = (ipywidgets.Button(description=word) for word in ("Save", "Back", "Skip"))
    save.button_style = "primary"

    def tell(text: str) -> None:
        message.value = Markup('<p role="status">{}</p>').format(text)

    def show() -> None:
        row = _row(now)
        value, codes = _find_value(now, row)
        fields.fill(value)
        progress.value = progress_html(len(now.queue), now.place, row, done=_count_done(now), talk=now.talk)
        said.value = coded_verbatim_html(row) if row else Markup("<p>{}</p>").format(_tell_end(now))
        sides.value = sides_html(codes, now.differs.get(row["feedback_id"], ())) if now.talk and row else ""
        now.seen |= {row["feedback_id"]} if now.talk and row else set()
        agreement.value = _measure(now, opinions, seed) if does.value == AGREE else ""
        note.description = "Why you decide so" if now.talk else "Note"
        back.disabled, skip.disabled = now.place == 0, row is None
        alone = does.value != AGREE
        shown = {leads: now.talk, language: alone and len(spoken) > 1, agreement: not alone}
        coding = (progress, said, sides, fields.box, note, buttons)
        for widget, seen in (shown | dict.fromkeys(coding, alone)).items():
            widget.layout.display = "" if seen else "none"

    def arrange(_=None) -> None:
        now.talk = does.value == TALK
        _look(now)
        now.person = _name_person(now, who.value)
        now.queue = _list_rows(now, language.value, leads.value)
        now.place, message.value = _find_next(now, 0), ""
        show()

    def keep(_=None) -> None:
        _look(now)
        row, value = _row(now), fields.read()
        problem = _find_problem(now, row) or (value if isinstance(value, str) else "")
        if now.talk and not (problem or note.value.strip()):
            problem = "Fill in “Why you decide so” first."
            note.focus()
        if problem:
            return tell(f"Nothing was saved: {problem}")
        value |= {"adjudicated": True} if now.talk else {}
        decision = {"kind": "code", "subject": row["feedback_id"], "value": value, "who": now.person}
        decision |= {"why": note.value.strip() or ALONE}
        try:
            number = on_decide(**decision)
        except VocwbError as error:
            return tell(f"Nothing was saved: {error}")
        if not refresh:
            now.log = add_row(now.log, decision, number)
        _look(now)
        note.value, now.place = "", _find_next(now, now.place + 1)
        show()
        tell(f"Saved: {now.person}, {'adjudicated' if now.talk else 'coded'} as {_say_code(value)}.")
        return fields.keys.focus()

    def move(step: int) -> None:
        now.place += step
        show()

    labels = categories if isinstance(categories, Mapping) else {name: name for name in categories}
    fields = _make_fields(labels, keep)
    buttons = ipywidgets.HBox([save, back, skip])
    save.on_click(keep)
    back.on_click(lambda _: move(-1))
    skip.on_click(lambda _: move(1))
    for field in (who, does, language, leads):
        field.observe(arrange, "value")
    who.on_msg(lambda _, content, __: fields.keys.focus() if content.get("event") == "submit" else None)
    arrange()
    above = [STYLE, ipywidgets.HTML(CODING_STYLE), who, language, does, leads, progress, message, said, sides]
    form = ipywidgets.VBox([*above, fields.box, note, buttons, agreement])
    return form.add_class("vocwb-form").add_class("vocwb-coding")


def _make_fields(labels: Mapping[str, str], on_enter: Callable) -> SimpleNamespace:
    """Return the fields of one code: read() gives its value, or in words what is missing; fill(value) shows one."""
    keys = label_field(ipywidgets.Text(continuous_update=False), "Keys", width=_WIDTH)
    hint, enter = ipywidgets.HTML(_HELP), SimpleNamespace(pressed=False)
    categories = list(labels)
    boxes = {
        name: ipywidgets.Checkbox(description=f"{number} {label}", indent=False)
        for number, (name, label) in enumerate(labels.items(), start=1)
    }
    options = {
        "polarity": ("Polarity", [(f"{name} ({key})", name) for key, name in POLARITIES.items()]),
        "intensity": ("Intensity", [(str(step), step) for step in range(1, 6)]),
        "ask": ("What is asked", [(f"{name} ({key})", name) for key, name in ASKS.items()]),
    }
    # Lists, not radio buttons: these are one stop of the Tab key each, and arrows and letters choose.
    lists = {
        name: label_field(ipywidgets.Select(options=given, value=None, rows=5), label)
        for name, (label, given) in options.items()
    }
    offered = {name: {value for _, value in given} for name, (_, given) in options.items()}

    def apply(code: Mapping) -> None:
        for name, box in boxes.items():
            box.value = name in code["category"] if "category" in code else box.value
        for name, choice in lists.items():
            told = code.get(name, choice.value)
            choice.value = told if told in offered[name] else None

    def press(_, content: Mapping, __) -> None:
        enter.pressed = content.get("event") == "submit"

    def notice(_) -> None:
        # The browser tells of Enter first and then what was typed: only together they are a whole code.
        found, pressed = read_keys(keys.value, categories), enter.pressed
        if not keys.value:
            return
        enter.pressed = False
        hint.value = Markup("<p class='facts'>{}</p>").format(found) if isinstance(found, str) else _HELP
        if isinstance(found, dict):
            apply(found)
            keys.value = ""
        if pressed:
            on_enter()

    def suppose(_) -> None:
        if lists["polarity"].value == "neutral" and lists["intensity"].value is None:
            lists["intensity"].value = 1

    def fill(value: Mapping) -> None:
        keys.value, hint.value, enter.pressed = "", _HELP, False
        apply(dict.fromkeys(lists) | dict(value) | {"category": read_categories(value)})

    def read() -> dict | str:
        found = read_keys(keys.value, categories)
        named = [name for name, box in boxes.items() if box.value]
        told = {name: choice.value for name, choice in lists.items()}
        if isinstance(found, str):
            return found
        if not named:
            return f"Choose a category first, {categories[-1]} where none fits."
        if told["polarity"] is None:
            return "Say how it feels first."
        if told["intensity"] is None and told["polarity"] != CANNOT_TELL:
            return "Say how strongly first, from 1 to 5."
        if told["ask"] is None:
            return "Say what is asked first."
        told |= {"intensity": None} if told["polarity"] == CANNOT_TELL else {}
        return {"category": named} | told | ({"ask": None} if told["ask"] == NO_ASK else {})

    keys.observe(notice, "value")
    lists["polarity"].observe(suppose, "value")
    keys.on_msg(press)
    grid = ipywidgets.VBox(list(boxes.values())).add_class("vocwb-categories")
    several = ipywidgets.HBox([ipywidgets.HTML("Category, several where several fit"), grid]).add_class(
        "vocwb-several"
    )
    row = ipywidgets.HBox(list(lists.values())).add_class("vocwb-lists")
    box = ipywidgets.VBox([keys, hint, several, row])
    return SimpleNamespace(box=box, keys=keys, fill=fill, read=read)


def _look(now: SimpleNamespace) -> None:
    """Read the log again: who coded what of the sample, and where people differ."""
    now.log = now.refresh() if now.refresh else now.log
    own = now.log[(now.log["kind"] == "code") & now.log["subject"].isin(now.sample["feedback_id"])]
    standing = fold_human_codes(own)
    now.codes = {(row["subject"], row["coder"]): row["value"] for row in standing.to_dict("records")}
    if now.talk:
        now.differs = compare_people(gather_human_codes(own)).set_index("feedback_id")["differs"].to_dict()


def _name_person(now: SimpleNamespace, typed: str) -> str:
    """Return who is there as this person was written before: ada and Ada are one, not two who agree."""
    typed = " ".join(typed.split())
    known = sorted({coder.removeprefix(HUMAN) for _, coder in now.codes})
    return next((name for name in known if name.casefold() == typed.casefold()), typed)


def _coded_by(now: SimpleNamespace, coder: str) -> set[str]:
    return {subject for subject, by in now.codes if by == coder}


def _done(now: SimpleNamespace) -> set[str]:
    return _coded_by(now, ADJUDICATED if now.talk else HUMAN + now.person)


def _list_rows(now: SimpleNamespace, language: str, leads: bool) -> list[dict]:
    """Return the verbatims that this person may see here: to talk over only what is coded, unless the person leads."""
    rows = now.sample
    if language:
        rows = rows[rows["language"] == language]
    if now.talk:
        mine = _coded_by(now, HUMAN + now.person)
        shown = {feedback_id for feedback_id, names in now.differs.items() if names}
        rows = rows[rows["feedback_id"].isin(shown if leads and now.person and not mine else shown & mine)]
    return rows.to_dict("records")


def _row(now: SimpleNamespace) -> dict | None:
    return now.queue[now.place] if now.place < len(now.queue) else None


def _find_next(now: SimpleNamespace, start: int) -> int:
    """Return the place of the next verbatim that is not done, from `start` on and round, or the end."""
    finished = _done(now)
    order = [*range(start, len(now.queue)), *range(min(start, len(now.queue)))]
    return next((at for at in order if now.queue[at]["feedback_id"] not in finished), len(now.queue))


def _count_done(now: SimpleNamespace) -> int:
    finished = _done(now)
    return sum(row["feedback_id"] in finished for row in now.queue)


def _find_value(now: SimpleNamespace, row: Mapping | None) -> tuple[dict, dict]:
    """Return what the fields begin with, and who coded it how; to talk over they begin with what all have said."""
    empty = {"ask": NO_ASK}
    if row is None:
        return empty, {}
    codes = {by.removeprefix(HUMAN): value for (subject, by), value in sorted(now.codes.items(), key=lambda one: one[0])
             if subject == row["feedback_id"]}  # fmt: skip
    chosen = codes.get(ADJUDICATED.removeprefix(HUMAN) if now.talk else now.person)
    if chosen:
        return chosen | {"ask": chosen.get("ask") or NO_ASK}, codes
    return (_find_shared(list(codes.values()) or [{}]) if now.talk else empty), codes


def _find_shared(values: list[Mapping]) -> dict:
    shared = {"category": sorted(set.intersection(*(set(read_categories(one)) for one in values)))}
    for name in ("polarity", "intensity", "ask"):
        told = {one.get(name) or (NO_ASK if name == "ask" else None) for one in values}
        shared[name] = told.pop() if len(told) == 1 else None
    return shared


def _say_code(value: Mapping) -> str:
    parts = [TOGETHER.join(value["category"]), value["polarity"], value["intensity"], value["ask"]]
    return ", ".join(str(part) for part in parts if part)


def _find_problem(now: SimpleNamespace, row: Mapping | None) -> str:
    """Return in words why nothing can be saved here, or ""."""
    if not now.person:
        return "Fill in “Who” first."
    if now.person.casefold() in _NO_PERSON:
        return f"“{now.person}” is no person's name here; choose another."
    if row is None:
        return "There is no verbatim here."
    if not now.talk and (row["feedback_id"] in now.seen or (row["feedback_id"], ADJUDICATED) in now.codes):
        return f"It was talked over, so your own code of it stays; change it under “{TALK}”."
    return ""


def _tell_end(now: SimpleNamespace) -> str:
    if now.talk and not now.person:
        return "Fill in “Who” first."
    if now.talk and not now.queue:
        return "Nothing to talk over yet: of what you coded, nobody else has coded anything differently."
    if not now.queue:
        return "There is no verbatim to code."
    return "All of these are talked over." if now.talk else f"All of these are coded. Go on with “{TALK}”."


def _measure(now: SimpleNamespace, opinions: pd.DataFrame | None, seed: int) -> Markup:
    codes = gather_human_codes(now.log)
    heard = now.sample if opinions is None else opinions
    drawn = measure_agreement(codes, heard[keep_random(heard["feedback_id"])], seed=seed)
    here = measure_agreement(codes, now.sample, seed=seed)
    return Markup("{}{}{}").format(
        _ALPHA,
        agreement_html(drawn, "On what was drawn at random: this holds for all feedback"),
        agreement_html(here, "On this sample, half of it chosen for being hard: for the talk alone"),
    )
