"""Widgets: the form of a workshop in which people ask why, and what all forms share.

A form decides nothing itself: it calls `on_decide(kind=..., subject=..., value=..., who=..., why=...)`, which
a notebook ties to decisions.record_decision. What customers wrote is shown escaped, never as markup.
"""

import html
from collections.abc import Callable, Iterable, Mapping

import ipywidgets
import pandas as pd

from vocwb.errors import VocwbError
from vocwb.schemas import hash_id
from vocwb.share.quotes import direction_of

STYLE = ipywidgets.HTML(
    "<style>.vocwb-form input, .vocwb-form textarea, .vocwb-form select "
    "{unicode-bidi: plaintext; text-align: start}</style>"
)
"""What is typed in Persian or Arabic stands on the right."""


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
    below = label_field(ipywidgets.Dropdown(options=options), "Below")
    statement = label_field(ipywidgets.Textarea(rows=3), "Why does this happen?")
    dissent = label_field(
        ipywidgets.Checkbox(value=False, indent=False), "I disagree with it, and this is why"
    )
    speaks_for = label_field(ipywidgets.Textarea(rows=2), "Feedback ids that speak for it")
    against = label_field(ipywidgets.Textarea(rows=2), "Feedback ids that speak against it")

    def read():
        said = statement.value.strip()
        if not said:
            return "Write your why first."
        value = {"parent": below.value, "statement": said}
        value |= {"evidence_for": speaks_for.value.split(), "evidence_against": against.value.split()}
        value |= {"dissent": True} if dissent.value else {}
        return {
            "kind": "why",
            "subject": lambda who: f"W{hash_id(below.value, said, who)[:12]}",
            "value": value,
        }

    fields = [below, statement, dissent, speaks_for, against]
    return make_form(
        fields, read, on_decide, ready=bool(options), empty="There is no cause yet to ask about."
    )


def verbatim_html(text: str, language: str) -> str:
    """Return what a customer wrote as HTML that cannot run, read from the side that its language is read from.

    >>> verbatim_html("<img src=x onerror=alert(1)>", "en").count("<")
    2
    """
    direction = direction_of(text, language)
    side = "right" if direction == "rtl" else "left"
    style = f"text-align: {side}; white-space: pre-wrap; overflow-wrap: anywhere; font: inherit; font-size: 1.15em"
    return f'<pre dir="{direction}" style="{style}">{html.escape(text)}</pre>'


def find_field(form: ipywidgets.Widget, label: str) -> ipywidgets.Widget:
    """Return the field or button of a form by the label that people see, wherever in the form it stands.

    >>> inner = ipywidgets.VBox([ipywidgets.Text(description="Who")])
    >>> find_field(ipywidgets.VBox([inner]), "Who").value
    ''
    """
    fields, pending = {}, [form]
    for widget in pending:
        pending += getattr(widget, "children", ())
        if name := getattr(widget, "description", ""):
            fields.setdefault(name, widget)
    if label not in fields:
        raise VocwbError(f"The form has no field {label!r}.", f"Fields: {', '.join(fields)}.")
    return fields[label]


def label_field(widget: ipywidgets.Widget, label: str, *, width: str = "14rem") -> ipywidgets.Widget:
    """Return the widget with a label that a click and a screen reader tie to it; width: of the label.

    >>> label_field(ipywidgets.Text(), "Who").description
    'Who'
    """
    widget.description, widget.style.description_width = label, width
    widget.layout = ipywidgets.Layout(width="100%", max_width="46rem")
    return widget


def make_form(
    fields: list, read: Callable, on_decide: Callable, *, ready: bool = True, empty: str = "",
    after: Callable = lambda: None, width: str = "14rem", more: Mapping[str, Callable] | None = None,
    last: Iterable = (),
) -> ipywidgets.VBox:  # fmt: skip
    """Return fields with who, why, a button that saves a decision, and below it what came of it.

    read() gives the decision (kind, subject, value, and replaces where it takes one back) or, as a text, what
    is still missing; subject may be a function of the person. after() is called when a decision was saved.
    more: further buttons, label -> read, with the fields of `last` above them. Not ready: nothing can be
    saved, and `empty` says why.

    >>> form = make_form([], lambda: {"kind": "memo", "subject": "T1", "value": {"text": "odd"}}, print)
    >>> find_field(form, "Save").click(), "Who" in form.children[-1].value
    (None, True)
    """
    # Sent when the field is left: what is typed is else sent in parts, and a quick Save could overtake the last.
    who = label_field(ipywidgets.Text(continuous_update=False), "Who", width=width)
    why = label_field(ipywidgets.Text(continuous_update=False), "Why you decide so", width=width)
    message = ipywidgets.HTML("" if ready else f"<p>{html.escape(empty)}</p>")

    def tell(text: str) -> None:
        message.value = f'<p role="status">{html.escape(text)}</p>'

    def decide(read: Callable) -> None:
        found = read()
        if isinstance(found, str):
            return tell(found)
        for field in (who, why):
            if not field.value.strip():
                return tell(f"Nothing was saved: fill in “{field.description}” first.")
        person = who.value.strip()
        if callable(found["subject"]):
            found = found | {"subject": found["subject"](person)}
        try:
            on_decide(**found, who=person, why=why.value.strip())
        except VocwbError as error:
            return tell(f"Nothing was saved: {error}")
        after()
        done = "Taken back" if found["value"] is None else "Saved"
        return tell(f"{done}: {person}, {found['kind'].replace('_', ' ')}.")

    buttons = []
    for label, source in {"Save": read, **(more or {})}.items():
        style = "primary" if label == "Save" else ""
        button = ipywidgets.Button(description=label, button_style=style, disabled=not ready)
        button.on_click(lambda _, source=source: decide(source))
        buttons.append(button)
    below = [buttons[0], *last, *buttons[1:]]
    return ipywidgets.VBox([STYLE, *fields, who, why, *below, message]).add_class("vocwb-form")
