"""The codebook's form: all that was said can be read, what is decided has a person and a reason, and nothing runs."""

import re

import pandas as pd
import pytest
from tables import HOSTILE, make_tables

from vocwb.errors import DecisionError
from vocwb.share.codebook_form import PAGE, codebook_form
from vocwb.share.codebook_values import MOST_IDS, add_row
from vocwb.share.codebook_views import draw_sparkline, list_topics, said_html
from vocwb.share.widgets import find_field
from vocwb.understand.naming import name_part

LOG = pd.DataFrame({name: [] for name in
                    ("decision_id", "kind", "subject", "value", "who", "when", "why", "replaces")})  # fmt: skip
PERSON = {"Who": "Ada", "Why_you_decide_so": "clearer"}


def assign(tables):
    """Assignments of every verbatim to one of the topics of its voice and language, taking turns."""
    by_space = tables["codebook"].groupby(["voice", "language"])["topic"].agg(list).to_dict()
    rows = tables["opinions"]
    spaces = zip(rows["voice"], rows["language"], strict=True)
    topics = [(found := by_space.get(space, ["T0000"]))[at % len(found)] for at, space in enumerate(spaces)]
    return pd.DataFrame({"feedback_id": rows["feedback_id"], "codebook_id": "C1", "topic": topics, "similarity": 0.9,
                         "start": 0, "end": rows["verbatim"].str.len()})  # fmt: skip


class Workshop:
    """A form with the log that it writes, as a notebook ties them."""

    def __init__(self, decisions=LOG, **options):
        tables = make_tables()
        self.log, self.codebook = decisions, options.pop("codebook", tables["codebook"])
        self.feedback = options.pop("feedback", tables["opinions"])
        self.assignments = options.pop("assignments", assign(tables))
        self.form = codebook_form(
            self.codebook, self.feedback, self.assignments, decisions, self.decide, **options
        )

    def decide(self, **decision):
        self.log = add_row(self.log, decision)
        return int(self.log["decision_id"].max())

    def fill(self, button="Save", **fields):
        for label, value in fields.items():
            find_field(self.form, label.replace("_", " ")).value = value
        find_field(self.form, button).click()
        return self.message

    @property
    def texts(self):
        """All that is to be read on the form, without what is hidden."""
        pending, found = [self.form], []
        for widget in pending:
            if widget.layout.display != "none":
                pending += getattr(widget, "children", ())
                found += [widget.value] if isinstance(getattr(widget, "value", None), str) else []
        return [text for text in found if "<style" not in text]

    @property
    def message(self):
        return next((text for text in self.texts if 'role="status"' in text), "")

    @property
    def history(self):
        return next(text for text in self.texts if "vocwb-history" in text)

    @property
    def page(self):
        """The feedback ids on the page, in their order."""
        return [
            re.search(r"<code>(.*?)</code>", text)[1]
            for text in self.texts
            if "vocwb-said" in text and "<code>" in text
        ]

    @property
    def decided(self):
        return [(row["kind"], row["subject"], row["value"]) for row in self.log.to_dict("records")]


def terms_of(topic):
    codebook = make_tables()["codebook"].set_index("topic")
    return list(codebook.loc[topic, "terms"])


def test_a_topic_is_named_defined_merged_retired_and_restored():
    shop = Workshop()
    shop.fill(Topics="T0002", What_to_do="topic_name", New_name="  Couriers ", **PERSON)
    shop.fill(
        What_to_do="topic_define", What_belongs_here="Who brings it.", What_does_not_belong="The depot."
    )
    shop.fill(What_to_do="topic_merge", Merge_into="T0003")
    shop.fill(What_to_do="topic_restore")
    shop.fill(What_to_do="topic_retire")
    terms = {"terms": terms_of("T0002")}
    assert shop.decided == [
        ("topic_name", "T0002", {"name": "Couriers"} | terms),
        ("topic_define", "T0002", {"belongs": "Who brings it.", "excludes": "The depot."} | terms),
        ("topic_merge", "T0002", {"into": "T0003"} | terms),
        ("topic_restore", "T0002", {}),
        ("topic_retire", "T0002", terms),
    ]
    assert set(shop.log["who"]) == {"Ada"} and set(shop.log["why"]) == {"clearer"}


def test_what_was_decided_is_seen_at_once():
    shop = Workshop()
    assert "Saved" in shop.fill(Topics="T0002", New_name="Couriers", **PERSON)
    topics = find_field(shop.form, "Topics")
    assert topics.value == "T0002" and any("Couriers" in label for label, _ in topics.options)
    assert any("<h3" in text and "Couriers" in text for text in shop.texts)
    assert all(word in shop.history for word in ("named T0002 “Couriers”", "Ada", "clearer"))
    before = len(find_field(shop.form, "Topics").options)
    shop.fill(What_to_do="topic_merge", Merge_into="T0003")
    label = next(label for label, topic in topics.options if topic == "T0002")
    assert label.endswith("(merged into T0003)") and len(topics.options) == before


@pytest.mark.parametrize(
    "code, name", [("en", "Late"), ("fa", "دیر رسیدن"), ("ar", "تأخر"), ("bg", "Късно"), ("zh", "太慢")]
)
def test_a_name_can_be_written_in_each_language(code, name):
    shop = Workshop()
    shop.fill(Topics="T0001", New_name=name, Language_of_the_name=code, **PERSON)
    assert shop.decided == [
        ("topic_name", "T0001", {"name": name, "language": code, "terms": terms_of("T0001")})
    ]
    assert any(name in label for label, _ in find_field(shop.form, "Topics").options)


def test_nothing_is_saved_without_a_person_a_reason_or_what_is_to_be_said():
    shop = Workshop(split=lambda topic: pd.DataFrame({"feedback_id": [], "part": []}))
    assert "Write a name" in shop.fill(Topics="T0001", **PERSON)
    assert "“Who”" in shop.fill(New_name="x", Who="   ")
    assert "Why you decide so" in shop.fill(Who="Ada", Why_you_decide_so="")
    assert "belongs" in shop.fill(What_to_do="topic_define", **PERSON)
    assert "Look for parts" in shop.fill(What_to_do="topic_split")
    assert "stands already" in shop.fill(What_to_do="topic_restore")
    assert "Write the memo" in shop.fill(What_to_do="memo")
    assert "nothing to take back" in shop.fill("Take back")
    assert shop.log.empty


def test_a_decision_is_taken_back_and_what_stood_before_stands_again():
    shop = Workshop()
    shop.fill(Topics="T0001", New_name="First", **PERSON)
    shop.fill(New_name="Second")
    assert "Taken back" in shop.fill("Take back", Why_you_decide_so="it misleads")
    assert shop.log.iloc[-1][["kind", "subject", "value", "replaces", "why"]].tolist() == [
        "topic_name", "T0001", None, 2, "it misleads",
    ]  # fmt: skip
    assert any("First" in label for label, _ in find_field(shop.form, "Topics").options)
    assert 'class="gone"' in shop.history and "took back decision 2" in shop.history


def test_any_standing_decision_can_be_chosen_to_be_taken_back():
    shop = Workshop()
    shop.fill(Topics="T0001", New_name="First", **PERSON)
    shop.fill(Topics="T0002", New_name="Other")
    options = find_field(shop.form, "Decision to take back").options
    assert [number for _, number in options] == [2, 1]
    shop.fill("Take back", Decision_to_take_back=1)
    assert [number for _, number in find_field(shop.form, "Decision to take back").options] == [2]


def test_a_circle_is_refused_before_it_is_decided():
    shop = Workshop()
    shop.fill(Topics="T0001", What_to_do="topic_merge", Merge_into="T0002", **PERSON)
    goals = [goal for _, goal in find_field(shop.form, "Merge into").options]
    assert "T0001" not in goals
    find_field(shop.form, "Topics").value = "T0002"
    assert "T0001" not in [goal for _, goal in find_field(shop.form, "Merge into").options]
    shop.log = add_row(
        shop.log, {"kind": "topic_merge", "subject": "T0002", "value": {"into": "T0003"}, "who": "Bo"}
    )
    again = Workshop(shop.log.iloc[:1], refresh=lambda: shop.log)
    message = again.fill(Topics="T0003", What_to_do="topic_merge", Merge_into="T0002", **PERSON)
    assert "Nothing was saved" in message and "circle" in message and len(again.log) == 1


def test_what_others_decided_meanwhile_is_seen():
    other = add_row(
        LOG, {"kind": "topic_name", "subject": "T0003", "value": {"name": "By Bo"}, "who": "Bo", "why": "x"}
    )
    shop = Workshop(refresh=lambda: pd.concat([other, shop.log]) if len(shop.log) else other)
    shop.fill(Topics="T0001", New_name="x", **PERSON)
    assert any("By Bo" in label for label, _ in find_field(shop.form, "Topics").options)


def test_what_the_store_refuses_is_told_and_the_form_stays():
    shop = Workshop()
    shop.decide = None

    def refuse(**_):
        raise DecisionError("There is no <such> topic.", remedy="Choose another.")

    form = codebook_form(shop.codebook, shop.feedback, shop.assignments, LOG, refuse)
    shop.form = form
    message = shop.fill(Topics="T0001", New_name="x", **PERSON)
    assert "Nothing was saved" in message and "&lt;such&gt;" in message and "Choose another" in message
    assert find_field(form, "New name").value == "x"


def test_all_that_was_said_can_be_paged_through():
    shop = Workshop()
    rows = shop.assignments
    wanted = set(rows.loc[rows["topic"] == "T0002", "feedback_id"]) & set(shop.feedback["feedback_id"])
    find_field(shop.form, "Topics").value = "T0002"
    seen = list(shop.page)
    assert len(seen) == PAGE and find_field(shop.form, "Previous page").disabled
    while not find_field(shop.form, "Next page").disabled:
        find_field(shop.form, "Next page").click()
        seen += shop.page
    assert len(seen) == len(set(seen)) and set(seen) == wanted


def test_another_topic_begins_at_its_first_page():
    shop = Workshop()
    find_field(shop.form, "Topics").value = "T0002"
    find_field(shop.form, "Next page").click()
    find_field(shop.form, "Topics").value = "T0001"
    assert any(text.startswith("<p>1 to") for text in shop.texts)


def one_topic(*verbatims, language="fa", **columns):
    ids = [f"f{number}" for number in range(len(verbatims))]
    feedback = pd.DataFrame({"feedback_id": ids, "language": language, "verbatim": verbatims} | columns)
    assignments = pd.DataFrame(
        {"feedback_id": ids, "codebook_id": "C1", "topic": "T0001", "similarity": 0.5, "start": 0,
         "end": [len(text) for text in verbatims]}
    )  # fmt: skip
    codebook = make_tables()["codebook"].head(1)
    return {"feedback": feedback, "assignments": assignments, "codebook": codebook}


def test_verbatims_are_searched_in_any_spelling_and_in_their_translation_too():
    texts = ["خیلي دیر رسید", "قیمت بالا بود", "بد نبود"]
    shop = Workshop(**one_topic(*texts, translation=["very late", None, "not bad"]))
    find_field(shop.form, "Find in what was said").value = "خیلی"
    assert shop.page == ["f0"], "a Persian yeh finds an Arabic one"
    find_field(shop.form, "Find in what was said").value = "NOT BAD"
    assert shop.page == ["f2"]
    find_field(shop.form, "Find in what was said").value = "nowhere"
    assert not shop.page and any("Nothing found" in text for text in shop.texts)


def test_a_translation_stands_beside_what_was_said_and_never_in_its_place():
    shop = Workshop(**one_topic("دیر رسید", "زود", translation=["<i>late</i>", "  "]))
    first, second = (text for text in shop.texts if "vocwb-said" in text)
    assert "دیر رسید" in first and "&lt;i&gt;late&lt;/i&gt;" in first and 'dir="rtl"' in first
    assert "translation" not in second


def test_the_part_of_a_verbatim_that_is_about_the_topic_is_marked_and_nothing_is_changed():
    text = "Late <again>. But kind."
    shown = said_html(
        {"feedback_id": "a", "language": "en", "verbatim": text, "start": 0, "end": 13}, number=1
    )
    assert "<mark>Late &lt;again&gt;.</mark> But kind." in shown
    assert "<mark>" not in said_html(
        {"feedback_id": "a", "language": "en", "verbatim": text, "start": 0, "end": 23}, number=1
    )


def test_a_memo_is_attached_kept_and_shown_where_it_belongs():
    shop = Workshop(**one_topic("The parcel came nine days late", "Kind.", language="en"))
    find_field(shop.form, "Memo on 2").click()
    assert (
        find_field(shop.form, "What to do").value == "memo" and find_field(shop.form, "Memo on").value == "f1"
    )
    shop.fill(**{"Memo,_in_your_own_words": "Compare with <May>"}, **PERSON)
    assert shop.decided == [("memo", "f1", {"text": "Compare with <May>"})]
    one, two = (text for text in shop.texts if "vocwb-said" in text)
    assert "Compare" not in one and "Compare with &lt;May&gt;" in two
    shop.fill(Memo_on="T0001", **{"Memo,_in_your_own_words": "A memo on the topic"})
    assert any("vocwb-topic" in text and "A memo on the topic" in text for text in shop.texts)


def test_a_memo_does_not_carry_a_verbatim_out_of_the_store():
    shop = Workshop(**one_topic("The parcel came nine days late", language="en"))
    find_field(shop.form, "Memo on 1").click()
    message = shop.fill(**{"Memo,_in_your_own_words": "She says: The parcel came nine days late"}, **PERSON)
    assert "your own words" in message and shop.log.empty


def test_what_looks_like_a_topic_is_offered_first_for_merging():
    twins = pd.DataFrame({"topic": ["T0001", "T0004"], "twin": ["T0003", "T0001"], "score": [None, 0.7],
                          "reasons": ["same <terms>", "same neighbours"]})  # fmt: skip
    shop = Workshop(twins=twins)
    find_field(shop.form, "Topics").value = "T0001"
    goals = find_field(shop.form, "Merge into").options
    assert [goal for _, goal in goals[:2]] == ["T0003", "T0004"] and "same neighbours (0.70)" in goals[1][0]
    shown = next(text for text in shop.texts if "vocwb-topic" in text)
    assert "Looks like" in shown and "same &lt;terms&gt;</bdi>" in shown


def test_a_topic_is_split_into_the_parts_that_were_shown():
    ids = [f"f{number}" for number in range(5)]
    given = one_topic("Late depot", "Late <depot>", "Late driver", "Late again", "Odd", language="en")
    shop = Workshop(**given, split=lambda topic: pd.DataFrame({"feedback_id": ids, "part": [0, 0, 1, 1, -1]}))
    shop.fill("Look for parts", Topics="T0001", What_to_do="topic_split")
    shown = next(text for text in shop.texts if "Part 1" in text)
    assert "Part 1: 2 verbatims" in shown and "Late &lt;depot&gt;" in shown and "Odd" not in shown
    shop.fill(Name_of_part_1="The depot", **PERSON)
    parts = [{"feedback_ids": ids[:2], "name": "The depot"}, {"feedback_ids": ids[2:4]}]
    assert shop.decided == [("topic_split", "T0001", {"parts": parts, "terms": terms_of("T0001")})]
    find_field(shop.form, "Topics").value = name_part("T0001", parts[0])
    assert set(shop.page) == set(ids[:2])
    find_field(shop.form, "Topics").value = "T0001"
    assert shop.page == ["f4"], "what no part names waits for its vector"


def test_a_split_holds_no_more_ids_than_it_needs():
    texts = [f"Late number {number}" for number in range(MOST_IDS + 50)]
    given = one_topic(*texts, language="en")
    parts = given["feedback"][["feedback_id"]].assign(part=[0] * (MOST_IDS + 49) + [1])
    shop = Workshop(**given, split=lambda topic: parts)
    shop.fill("Look for parts", What_to_do="topic_split")
    shop.fill(**PERSON)
    assert [len(part["feedback_ids"]) for part in shop.decided[0][2]["parts"]] == [MOST_IDS, 1]


def test_a_proposed_topic_is_read_and_accepted_under_a_name_once():
    given = one_topic("No bus", "A <strike>", "Late", language="en")
    proposals = pd.DataFrame({"proposal": ["P1", "P2"], "n": [2, 1], "nearest_topic": "T0001",
                              "feedback_ids": [["f0"], ["f1"]], "terms": [["bus"], ["strike"]]})  # fmt: skip
    shop = Workshop(**given, proposals=proposals)
    shop.fill(What_to_do="topic_accept", Proposed_topic="P2", Name_of_the_new_topic="Strikes", **PERSON)
    assert shop.decided == [("topic_accept", "P2", {"name": "Strikes", "terms": ["strike"]})]
    assert [one for _, one in find_field(shop.form, "Proposed topic").options] == ["P1"]
    assert any("No bus" in text and "Part" not in text for text in shop.texts if "vocwb-said" in text)


def test_only_what_can_be_done_is_offered():
    does = [kind for _, kind in find_field(Workshop().form, "What to do").options]
    assert "topic_split" not in does and "topic_accept" not in does and "topic_merge" in does


def test_topics_are_found_by_language_by_words_and_by_id():
    shop = Workshop()
    topics = find_field(shop.form, "Topics")
    find_field(shop.form, "Language").value = "Persian"
    persian = {topic for _, topic in topics.options}
    codebook = shop.codebook
    assert persian == set(
        codebook.loc[(codebook["language"] == "fa") & (codebook["voice"] == "customer"), "topic"]
    )
    find_field(shop.form, "Language").value = "all"
    find_field(shop.form, "Find a topic").value = "t0003"
    assert [topic for _, topic in topics.options] == ["T0003"]
    find_field(shop.form, "Find a topic").value = "no such words"
    assert topics.value is None and "Choose a topic" in shop.fill(New_name="x", **PERSON)


def test_a_list_stands_from_the_largest_to_the_smallest_with_what_does_not_stand_last():
    named = pd.DataFrame({"topic": ["T1", "T2", "T3"], "name": ["a", "دیر", "c"], "retired": [True, False, False],
                          "merged_into": None, "split_into": [[], [], []]})  # fmt: skip
    labels = list_topics(named, {"T1": 90, "T2": 1, "T3": 45})
    assert [topic for _, topic in labels] == ["T3", "T2", "T1"]
    assert labels[0][0].count("█") == 4 and labels[1][0].count("█") == 1, "what is there has a bar"
    assert "\u2068دیر\u2069" in labels[1][0]


def test_decisions_that_no_longer_fit_are_told_and_the_others_stand():
    log = add_row(
        LOG,
        {
            "kind": "topic_name",
            "subject": "T0001",
            "value": {"name": "Ancient <name>", "terms": ["gone"]},
            "who": "Bo",
        },
    )
    log = add_row(
        log, {"kind": "topic_name", "subject": "T0002", "value": {"name": "Fits"}, "who": "Bo", "why": "x"}
    )
    shop = Workshop(log)
    told = next(text for text in shop.texts if "no longer fit" in text)
    assert "Decision 1" in told and "Ancient &lt;name&gt;" in told and "gone" in told
    labels = [label for label, _ in find_field(shop.form, "Topics").options]
    assert any("Fits" in label for label in labels) and not any("Ancient" in label for label in labels)
    shop.fill(Topics="T0001", New_name="New", **PERSON)
    assert not [text for text in shop.texts if "no longer fit" in text]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_anybody_wrote_runs(text):
    log = add_row(
        LOG,
        {
            "kind": "topic_name",
            "subject": "T0001",
            "value": {"name": text},
            "who": text,
            "why": text,
            "when": "",
        },
    )
    log = add_row(
        log, {"kind": "memo", "subject": "f0", "value": {"text": text}, "who": text, "why": text, "when": ""}
    )
    twins = pd.DataFrame({"topic": ["T0001"], "twin": ["T0001"], "score": [0.9], "reasons": [text]})
    shop = Workshop(log, **one_topic(text, language="en", translation=[text]), twins=twins)
    shown = "".join(shop.texts)
    tags = set(re.findall(r"<\s*([a-zA-Z]+)", shown))
    assert tags <= {"div", "h", "p", "blockquote", "small", "code", "ul", "li", "b", "table", "caption", "thead", "tr",
                    "th", "tbody", "td", "bdi", "mark"}  # fmt: skip
    assert not re.search(r"<[^>]*\sonmouseover", shown)


def test_a_trend_is_drawn_from_two_months_on_with_its_gaps_in_place():
    trend = pd.DataFrame(
        {"month": ["2025-01", "2025-02", "2025-05"], "value": [1.0, 2.0, 4.0], "low": 0.5, "high": 4.0}
    )
    points = re.search(r'polyline points="(.*?)"', draw_sparkline(trend))[1].split()
    x = [float(point.split(",")[0]) for point in points]
    assert x[2] - x[1] == pytest.approx(3 * (x[1] - x[0]), abs=0.2)
    assert draw_sparkline(trend.head(1)) == ""


def test_a_codebook_without_topics_says_so():
    shop = Workshop(codebook=make_tables()["codebook"].head(0))
    assert find_field(shop.form, "Save").disabled
    assert any("no topic" in text for text in shop.texts)
