"""Widgets: the forms of a workshop, in which people name topics, code verbatims and ask why.

A form decides nothing itself: it calls `on_decide(kind=..., subject=..., value=..., who=..., why=...)`, which
a notebook ties to decisions.record_decision. What customers wrote is shown escaped, never as markup.
"""

import html
from collections.abc import Callable, Iterable

import ipywidgets
import pandas as pd

from vocwb.errors import VocwbError
from vocwb.schemas import hash_id
from vocwb.share.quotes import direction_of

POLARITIES = ("negative", "positive", "neutral", "mixed", "cannot tell")
ASKS = ("none", "complaint", "request", "praise", "question")
_WIDE = ipywidgets.Layout(width="100%", max_width="46rem")
_STYLE = ipywidgets.HTML(
    "<style>.vocwb-form input, .vocwb-form textarea, .vocwb-form select "
    "{unicode-bidi: plaintext; text-align: start}</style>"
)
"""What is typed in Persian or Arabic stands on the right."""


def name_topic_form(codebook: pd.DataFrame, on_decide: Callable) -> ipywidgets.VBox:
    """Return a form that names a topic, merges it into another, or retires it.

    Needs topic, name, language, terms and size. Decides kind "topic_name" with value {"name": ...},
    "topic_merge" with {"into": topic} or "topic_retire" with {}; the subject is the topic.

    >>> codebook = pd.DataFrame({"topic": ["T0001"], "name": ["late · parcel"], "language": ["en"],
    ...                          "terms": [["late", "parcel"]], "size": [9]})
    >>> form = name_topic_form(codebook, lambda **decision: print(decision["value"]))
    >>> for label, text in (("New name", "Late parcels"), ("Who", "Ada"), ("Why you decide so", "clearer")):
    ...     find_field(form, label).value = text
    >>> find_field(form, "Save").click()
    {'name': 'Late parcels'}
    """
    rows = codebook.sort_values(["language", "topic"]).to_dict("records")
    topics = {
        f"{row['topic']} ({row['language']}, {row['size']:,}): {row['name']}": row["topic"] for row in rows
    }
    by_topic = {row["topic"]: row for row in rows}
    topic = _field(ipywidgets.Dropdown(options=list(topics.items())), "Topic")
    shown = ipywidgets.HTML()
    what = _field(ipywidgets.Dropdown(options=["give a name", "merge into", "retire"]), "What to do")
    name = _field(ipywidgets.Text(), "New name")
    into = _field(ipywidgets.Dropdown(options=list(topics.items())), "Merge into")

    def show(_=None):
        row = by_topic[topic.value]
        shown.value = verbatim_html(" · ".join(row["terms"]), row["language"])

    def read():
        if what.value == "merge into":
            if into.value == topic.value:
                return "A topic cannot be merged into itself: choose another one."
            return "topic_merge", topic.value, {"into": into.value}
        if what.value == "retire":
            return "topic_retire", topic.value, {}
        if not name.value.strip():
            return "Write a name first."
        return "topic_name", topic.value, {"name": name.value.strip()}

    topic.observe(show, "value")
    if rows:
        show()
    return _form(
        [topic, shown, what, name, into],
        read,
        on_decide,
        ready=bool(rows),
        empty="There is no topic to name.",
    )


def code_verbatims_form(
    feedback: pd.DataFrame, categories: Iterable[str], on_decide: Callable
) -> ipywidgets.VBox:
    """Return a form that codes one verbatim after another; saving one shows the next.

    Needs feedback_id, language and verbatim. Decides kind "code" with the feedback_id as subject and value
    {"category", "polarity", "intensity" (1-5, None for "cannot tell"), "ask" (None for none)}.

    >>> feedback = pd.DataFrame({"feedback_id": ["a"], "language": ["en"], "verbatim": ["<b>late</b>"]})
    >>> form = code_verbatims_form(feedback, ["delivery"], print)
    >>> "<b>late" in find_field(form, "Verbatim").value
    False
    """
    rows, place = feedback.sort_values("feedback_id").to_dict("records"), 0
    shown = _field(ipywidgets.HTML(), "Verbatim")
    category = _field(ipywidgets.Dropdown(options=list(categories)), "Category")
    polarity = _field(ipywidgets.ToggleButtons(options=list(POLARITIES)), "Polarity")
    intensity = _field(ipywidgets.IntSlider(value=3, min=1, max=5), "Intensity, 1 to 5")
    ask = _field(ipywidgets.Dropdown(options=list(ASKS)), "What is asked")

    def show():
        if place < len(rows):
            row = rows[place]
            shown.value = f"<p>{place + 1} of {len(rows)}</p>" + verbatim_html(
                row["verbatim"], row["language"]
            )
        else:
            shown.value = "<p>All of these verbatims are coded. Thank you.</p>"

    def read():
        if place >= len(rows):
            return "There is no verbatim left to code."
        told = polarity.value != "cannot tell"
        value = {
            "category": category.value,
            "polarity": polarity.value,
            "intensity": intensity.value if told else None,
        }
        return "code", rows[place]["feedback_id"], value | {"ask": None if ask.value == "none" else ask.value}

    def forward():
        nonlocal place
        place += 1
        show()

    show()
    fields = [shown, category, polarity, intensity, ask]
    return _form(
        fields, read, on_decide, after=forward, ready=bool(rows), empty="There is no verbatim to code."
    )


def five_whys_form(causes: pd.DataFrame, whys: pd.DataFrame, on_decide: Callable) -> ipywidgets.VBox:
    """Return a form that adds a why below a cause or below another why, or disagrees with one.

    causes: cause_id, depth and label; whys: subject (a why's id) and value (with statement). Decides kind
    "why" with value {"parent", "statement", "evidence_for", "evidence_against"} (lists of feedback ids), and
    "dissent": True where somebody disagrees, so that what others said stays. The subject is made of parent,
    statement and person: the same why said twice by one person is one why.

    >>> causes = pd.DataFrame({"cause_id": ["c1"], "depth": [1], "label": ["depot"]})
    >>> form = five_whys_form(causes, pd.DataFrame({"subject": [], "value": []}), print)
    >>> find_field(form, "Below").options
    (('1. depot', 'c1'),)
    """
    options = [(f"{row.depth}. {row.label}", row.cause_id) for row in causes.itertuples()]
    options += [(f"why: {row.value.get('statement')}", row.subject) for row in whys.itertuples() if row.value]
    below = _field(ipywidgets.Dropdown(options=options), "Below")
    statement = _field(ipywidgets.Textarea(rows=3), "Why does this happen?")
    dissent = _field(ipywidgets.Checkbox(value=False, indent=False), "I disagree with it, and this is why")
    speaks_for = _field(ipywidgets.Textarea(rows=2), "Feedback ids that speak for it")
    against = _field(ipywidgets.Textarea(rows=2), "Feedback ids that speak against it")

    def read():
        said = statement.value.strip()
        if not said:
            return "Write your why first."
        value = {"parent": below.value, "statement": said}
        value |= {"evidence_for": speaks_for.value.split(), "evidence_against": against.value.split()}
        value |= {"dissent": True} if dissent.value else {}
        return "why", lambda who: f"W{hash_id(below.value, said, who)[:12]}", value

    fields = [below, statement, dissent, speaks_for, against]
    return _form(fields, read, on_decide, ready=bool(options), empty="There is no cause yet to ask about.")


def verbatim_html(text: str, language: str) -> str:
    """Return what a customer wrote as HTML that cannot run, read from the side that its language is read from.

    >>> verbatim_html("<img src=x onerror=alert(1)>", "en").count("<")
    2
    """
    direction = direction_of(text, language)
    side = "right" if direction == "rtl" else "left"
    style = f"text-align: {side}; white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; font-size: 1.15em"
    return f'<pre dir="{direction}" style="{style}">{html.escape(text)}</pre>'


def find_field(form: ipywidgets.VBox, label: str) -> ipywidgets.Widget:
    """Return the field or button of a form by the label that people see.

    >>> find_field(ipywidgets.VBox([ipywidgets.Text(description="Who")]), "Who").value
    ''
    """
    fields = {child.description: child for child in form.children if getattr(child, "description", "")}
    if label not in fields:
        raise VocwbError(f"The form has no field {label!r}.", f"Fields: {', '.join(fields)}.")
    return fields[label]


def _field(widget: ipywidgets.Widget, label: str) -> ipywidgets.Widget:
    widget.description, widget.style.description_width, widget.layout = label, "14rem", _WIDE
    return widget


def _form(
    fields: list,
    read: Callable,
    on_decide: Callable,
    *,
    after: Callable = lambda: None,
    ready: bool,
    empty: str,
) -> ipywidgets.VBox:
    """Return fields with who, why and a button. read() gives (kind, subject, value), or what is still missing."""
    who = _field(ipywidgets.Text(), "Who")
    why = _field(ipywidgets.Text(), "Why you decide so")
    save = ipywidgets.Button(description="Save", button_style="primary", disabled=not ready)
    message = ipywidgets.HTML("" if ready else f"<p>{html.escape(empty)}</p>")

    def tell(text: str) -> None:
        message.value = f'<p role="status">{html.escape(text)}</p>'

    def decide(_) -> None:
        found = read()
        if isinstance(found, str):
            return tell(found)
        for field in (who, why):
            if not field.value.strip():
                return tell(f"Nothing was saved: fill in “{field.description}” first.")
        kind, subject, value = found
        person = who.value.strip()
        subject = subject(person) if callable(subject) else subject
        try:
            on_decide(kind=kind, subject=subject, value=value, who=person, why=why.value.strip())
        except VocwbError as error:
            return tell(f"Nothing was saved: {error}")
        after()
        return tell(f"Saved: {person}, {kind.replace('_', ' ')}.")

    save.on_click(decide)
    form = ipywidgets.VBox([_STYLE, *fields, who, why, save, message])
    return form.add_class("vocwb-form")
