"""The form of the codebook: topics, all that was said behind each, and what people decide about them.

The form decides nothing itself: it calls `on_decide`, which a notebook ties to decisions.record_decision, and
shows what came of it. What a decision would break is told before it is made.
"""

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import ipywidgets
import numpy as np
import pandas as pd

from vocwb.decisions import fold_decisions, list_history
from vocwb.languages import LANGUAGES
from vocwb.share.codebook_values import (
    add_row,
    check_fit,
    find_said,
    find_twins,
    has_words,
    list_goals,
    list_proposals,
    read_value,
)
from vocwb.share.codebook_views import (
    CODEBOOK_STYLE,
    history_html,
    list_topics,
    problems_html,
    said_html,
    said_list,
    split_html,
    tell_decision,
    topic_html,
)
from vocwb.share.rows import name_language
from vocwb.share.widgets import label_field, make_form
from vocwb.understand.naming import TOPIC_KINDS, apply_to_assignments, review_decisions

PAGE = 10
"""How many verbatims stand on a page."""

_DOES = {
    "give it a name": "topic_name",
    "define it": "topic_define",
    "merge it into another": "topic_merge",
    "split it into parts": "topic_split",
    "retire it": "topic_retire",
    "restore it": "topic_restore",
    "accept a proposed topic": "topic_accept",
    "write a memo": "memo",
}


def codebook_form(
    codebook: pd.DataFrame, feedback: pd.DataFrame, assignments: pd.DataFrame, decisions: pd.DataFrame,
    on_decide: Callable, *, refresh: Callable[[], pd.DataFrame] | None = None, twins: pd.DataFrame | None = None,
    split: Callable[[str], pd.DataFrame] | None = None, proposals: pd.DataFrame | None = None,
    trends: pd.DataFrame | None = None, vectors: Mapping[str, np.ndarray] | None = None,
) -> ipywidgets.VBox:  # fmt: skip
    """Return a form in which people read what stands behind each topic, and decide about it.

    They name, define, merge, split, retire, restore and accept topics, attach memos, and take any of this back.

    codebook and assignments as stored; feedback: feedback_id, language, verbatim, and where there are such
    month, channel and translation; decisions: the whole log. refresh: reads the log again after a decision,
    so that those of others are seen too. twins: topic, twin, reasons, score: what is offered first for merging.
    split: topic -> feedback_id, part (below 0: none). proposals: of proposals.propose_topics (proposal, n,
    nearest_topic, feedback_ids), and terms where there are such. trends: topic, month, value, low, high.
    vectors: feedback_id -> vector, to show a split topic whole. on_decide gets kind, subject, value, who, why,
    and replaces to take something back.

    >>> codebook = pd.DataFrame({"topic": ["T0001"], "name": ["late · parcel"], "language": ["en"],
    ...                          "terms": [["late", "parcel"]]})
    >>> feedback = pd.DataFrame({"feedback_id": ["f"], "language": ["en"], "verbatim": ["Late."]})
    >>> rows = pd.DataFrame({"feedback_id": ["f"], "codebook_id": ["c"], "topic": ["T0001"], "similarity": [0.9]})
    >>> log = pd.DataFrame({name: [] for name in ("decision_id", "kind", "subject", "value", "who", "when", "why",
    ...                                           "replaces")})
    >>> form = codebook_form(codebook, feedback, rows, log, lambda **decision: print(decision["value"]))
    >>> from vocwb.share.widgets import find_field
    >>> for label, text in (("New name", "Late parcels"), ("Who", "Ada"), ("Why you decide so", "clearer")):
    ...     find_field(form, label).value = text
    >>> find_field(form, "Save").click()
    {'name': 'Late parcels', 'terms': ['late', 'parcel']}
    """
    now = SimpleNamespace(
        page=0, feedback=feedback, twins=twins, trends=trends, proposals=proposals, split=split
    )

    def look(log: pd.DataFrame) -> None:
        review = review_decisions(codebook, fold_decisions(log))
        now.log, now.named, now.problems = log, review.named, review.problems
        now.rows = {row["topic"]: row for row in review.named.to_dict("records")}
        now.placed = apply_to_assignments(assignments, review.named, vectors, waiting=True)
        counts = now.placed["topic"].value_counts().to_dict()
        now.sizes = {topic: counts.get(topic, 0) for topic in now.rows}
        memos = fold_decisions(log, "memo").to_dict("records")
        now.memos = {memo["subject"]: [] for memo in memos}
        for memo in memos:
            now.memos[memo["subject"]].append(memo)

    def decide(**decision) -> None:
        look(refresh() if refresh else now.log)
        check_fit(codebook, now.log, decision)
        number = on_decide(**decision)
        look(refresh() if refresh else add_row(now.log, decision, number))

    def show() -> None:
        shelf.fill()
        reading.show()
        actions.fill()
        banner.value, history.value = problems_html(now.problems), history_html(list_history(now.log, _KINDS))

    def choose() -> None:
        reading.turn(0)
        actions.fill()

    look(decisions)
    banner, history = ipywidgets.HTML(), ipywidgets.HTML()
    shelf = _make_shelf(now, lambda: choose())
    reading = _make_reading(now, shelf.topics)
    actions = _make_actions(now, shelf.topics, reading, decide, show)
    reading.on_memo = actions.start_memo
    show()
    columns = ipywidgets.HBox([shelf.box, reading.box, actions.box]).add_class("vocwb-book")
    form = ipywidgets.VBox([ipywidgets.HTML(CODEBOOK_STYLE), banner, columns, history])
    return form.add_class("vocwb-form")


_KINDS = (*TOPIC_KINDS, "topic_accept", "memo")


def _make_shelf(now: SimpleNamespace, on_choose: Callable) -> SimpleNamespace:
    """Return the list of topics with its filters; on_choose() is called when another topic is chosen."""
    find = label_field(ipywidgets.Text(continuous_update=True), "Find a topic")
    spaces = list(dict.fromkeys(_name_space(row) for row in now.rows.values()))
    language = label_field(ipywidgets.Dropdown(options=["all", *spaces]), "Language")
    topics = label_field(ipywidgets.Select(rows=24), "Topics").add_class("vocwb-topics")
    count = ipywidgets.HTML()

    chosen = SimpleNamespace(topic=None, filling=False)

    def fill() -> None:
        wanted = [
            topic for topic, row in now.rows.items()
            if language.value in ("all", _name_space(row)) and has_words(row, find.value)
        ]  # fmt: skip
        chosen.filling = True  # other options choose the first for a moment, which nobody did
        _offer(topics, list_topics(now.named[now.named["topic"].isin(wanted)], now.sizes))
        chosen.filling = False
        count.value = f"<p class='facts'>{len(wanted):,} of {len(now.rows):,} topics</p>"

    def notice(_=None) -> None:
        if not chosen.filling and chosen.topic != topics.value:
            chosen.topic = topics.value
            on_choose()

    def narrow(_) -> None:
        fill()
        notice()

    find.observe(narrow, "value")
    language.observe(narrow, "value")
    topics.observe(notice, "value")
    box = ipywidgets.VBox([language, find, topics, count])
    return SimpleNamespace(box=box, topics=topics, fill=fill)


def _make_reading(now: SimpleNamespace, topics: ipywidgets.Select) -> SimpleNamespace:
    """Return the topic that is chosen, with all that was said about it, page by page."""
    about = ipywidgets.HTML()
    find = label_field(ipywidgets.Text(), "Find in what was said")
    place = ipywidgets.HTML()
    before, after = (ipywidgets.Button(description=word) for word in ("Previous page", "Next page"))
    slots = [(ipywidgets.HTML(), ipywidgets.Button(description=f"Memo on {n}")) for n in range(1, PAGE + 1)]
    lines = [ipywidgets.HBox(slot).add_class("vocwb-line") for slot in slots]
    pane = SimpleNamespace(shown=[], on_memo=lambda feedback_id: None)

    def show() -> None:
        row = now.rows.get(topics.value)
        if row is None:
            about.value, pane.shown, rows = "<p>There is no such topic.</p>", [], pd.DataFrame()
        else:
            notes = now.memos.get(row["topic"], [])
            near = find_twins(now.twins, row["topic"], now.rows)
            told = [f"{now.rows[twin]['name']} ({twin}): {why}" for twin, why in near]
            trend = None if now.trends is None else now.trends[now.trends["topic"] == row["topic"]]
            size = now.sizes[row["topic"]]
            about.value = topic_html(row, size=size, twins=told, trend=trend, memos=notes)
            rows = find_said(now.placed, now.feedback, row["topic"], find.value)
        first = now.page * PAGE
        pane.shown = rows[first : first + PAGE].to_dict("records")
        for number, (words, button) in enumerate(slots):
            shown = number < len(pane.shown)
            lines[number].layout.display = "" if shown else "none"
            if shown:
                said = pane.shown[number]
                memos = now.memos.get(said["feedback_id"], [])
                words.value = said_html(said, number=first + number + 1, memos=memos)
                button.description = f"Memo on {first + number + 1}"
        last = min(first + PAGE, len(rows))
        place.value = (
            f"<p>{first + 1:,} to {last:,} of {len(rows):,}</p>" if len(rows) else "<p>Nothing found.</p>"
        )
        before.disabled, after.disabled = first == 0, last >= len(rows)

    def turn(page: int) -> None:
        now.page = page
        show()

    find.observe(lambda _: turn(0), "value")
    before.on_click(lambda _: turn(now.page - 1))
    after.on_click(lambda _: turn(now.page + 1))
    for number, (_, button) in enumerate(slots):
        button.on_click(lambda _, number=number: pane.on_memo(pane.shown[number]["feedback_id"]))
    turning = ipywidgets.HBox([before, after, place]).add_class("vocwb-turn")
    pane.box, pane.show, pane.turn = ipywidgets.VBox([about, find, turning, *lines]), show, turn
    return pane


def _make_actions(
    now: SimpleNamespace,
    topics: ipywidgets.Select,
    reading: SimpleNamespace,
    decide: Callable,
    after: Callable,
) -> SimpleNamespace:
    """Return what can be done with the topic that is chosen, with who and why."""
    needs = {"topic_split": now.split, "topic_accept": now.proposals}
    offered = [(word, kind) for word, kind in _DOES.items() if needs.get(kind, now) is not None]
    does = label_field(ipywidgets.Dropdown(options=offered), "What to do")
    codes = [("any", ""), *((name_language(code), code) for code in LANGUAGES)]
    name = label_field(ipywidgets.Text(), "New name")
    spoken = label_field(ipywidgets.Dropdown(options=codes), "Language of the name")
    belongs = label_field(ipywidgets.Textarea(rows=3), "What belongs here")
    excludes = label_field(ipywidgets.Textarea(rows=2), "What does not belong")
    into = label_field(ipywidgets.Dropdown(), "Merge into")
    look = ipywidgets.Button(description="Look for parts")
    parts, part_names = ipywidgets.HTML(), ipywidgets.VBox()
    proposed = label_field(ipywidgets.Dropdown(), "Proposed topic")
    evidence = ipywidgets.HTML()
    accepted = label_field(ipywidgets.Text(), "Name of the new topic")
    memo_on = label_field(ipywidgets.Dropdown(), "Memo on")
    memo = label_field(ipywidgets.Textarea(rows=4), "Memo, in your own words")
    undo = label_field(ipywidgets.Dropdown(), "Decision to take back")
    fields = {
        "topic_name": [name, spoken], "topic_define": [belongs, excludes], "topic_merge": [into],
        "topic_split": [look, parts, part_names], "topic_accept": [proposed, evidence, accepted],
        "memo": [memo_on, memo],
    }  # fmt: skip
    found = SimpleNamespace(topic=None, parts=[])

    def show_fields(_=None) -> None:
        for kind, widgets in fields.items():
            for widget in widgets:
                widget.layout.display = "" if kind == does.value else "none"

    def fill() -> None:
        same = found.topic == topics.value
        if not same:
            found.topic, found.parts, part_names.children, parts.value = topics.value, [], (), ""
            memo_on.options = [(f"topic {topics.value}", topics.value)] if topics.value else []
        _offer(into, list_goals(now.rows, topics.value, now.twins), keep=same, first=False)
        standing = list_history(now.log, _KINDS).query("standing").to_dict("records")
        told = [(f"{row['decision_id']}. {row['who']} {tell_decision(row)}"[:90], row["decision_id"])
                for row in standing if isinstance(row["value"], dict)]  # fmt: skip
        _offer(undo, told, keep=False)
        _offer(proposed, list_proposals(now.proposals, fold_decisions(now.log, "topic_accept")["subject"]))

    def show_evidence(_) -> None:
        rows = now.feedback.head(0)
        if proposed.value is not None:
            ids = now.proposals.set_index("proposal").at[proposed.value, "feedback_ids"]
            rows = now.feedback[now.feedback["feedback_id"].isin(ids)]
        evidence.value = said_list(rows)

    def find_parts(_) -> None:
        rows = find_said(now.placed, now.feedback, topics.value).merge(
            now.split(topics.value), on="feedback_id"
        )
        rows = rows[rows["part"] >= 0]
        found.parts = [group for _, group in rows.groupby("part", sort=True)]
        parts.value = split_html(found.parts)
        part_names.children = [
            label_field(ipywidgets.Text(), f"Name of part {number}")
            for number in range(1, len(found.parts) + 1)
        ]

    def read() -> dict | str:
        if topics.value is None:
            return "Choose a topic first."
        given = {
            "name": name.value, "language": spoken.value, "belongs": belongs.value, "excludes": excludes.value,
            "into": into.value, "names": [field.value for field in part_names.children], "proposed": proposed.value,
            "accepted": accepted.value, "memo_on": memo_on.value, "memo": memo.value,
        }  # fmt: skip
        value = read_value(
            does.value, now.rows[topics.value], given, feedback=now.feedback, parts=found.parts, proposals=now.proposals
        )  # fmt: skip
        subject = {"topic_accept": proposed.value, "memo": memo_on.value}.get(does.value, topics.value)
        return value if isinstance(value, str) else {"kind": does.value, "subject": subject, "value": value}

    def take_back() -> dict | str:
        rows = now.log[now.log["decision_id"] == undo.value]
        if rows.empty:
            return "There is nothing to take back."
        about = {name: rows[name].iloc[0] for name in ("kind", "subject")}
        return about | {"value": None, "replaces": int(undo.value)}

    def clear() -> None:
        for field in (name, belongs, excludes, accepted, memo):
            field.value = ""
        found.topic = None
        after()

    def start_memo(feedback_id: str) -> None:
        does.value = "memo"
        memo_on.options = [
            (f"topic {topics.value}", topics.value),
            (f"verbatim {feedback_id[:8]}", feedback_id),
        ]
        memo_on.value = feedback_id
        memo.focus()

    does.observe(show_fields, "value")
    proposed.observe(show_evidence, "value")
    look.on_click(find_parts)
    show_fields()
    rows = [does, *(field for group in fields.values() for field in group)]
    form = make_form(
        rows, read, decide, after=clear, more={"Take back": take_back}, last=[undo], ready=bool(now.rows),
        empty="There is no topic to decide about.",
    )  # fmt: skip
    return SimpleNamespace(box=form.add_class("vocwb-acts"), fill=fill, start_memo=start_memo)


def _name_space(row: Mapping) -> str:
    return name_language(row["language"]) + (" · employees" if row.get("voice") == "employee" else "")


def _offer(choice: ipywidgets.Widget, options: list[tuple], *, keep: bool = True, first: bool = True) -> None:
    """Give a list other options; what was chosen stays chosen (keep), else the first is, or none."""
    kept, values = choice.value, [value for _, value in options]
    choice.options = options
    choice.value = kept if keep and kept in values else values[0] if first and values else None
