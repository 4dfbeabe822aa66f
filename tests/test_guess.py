import pandas as pd
import pytest
from exports import EXPORTS, make, pick, said

from vocwb.collect.guess import guess_roles
from vocwb.collect.looks import describe_dates


@pytest.mark.parametrize("system", EXPORTS)
def test_the_columns_of_an_export_are_told(system):
    columns, right = EXPORTS[system]
    guesses = guess_roles(make(columns))
    found = {}
    for guess in guesses:
        found.setdefault(guess.role, []).append(guess.column)
    assert sorted(found.get("verbatim", [])) == sorted(right["verbatim"])
    assert found.get("verbatim", [None])[0] == right["verbatim"][0]
    date = right["date"] if isinstance(right["date"], tuple) else (right["date"],)
    assert found.get("date", [None])[0] in date
    assert found.get("answer", [None])[0] == right["answer"]
    for role in set(right) - {"verbatim", "date", "answer"}:
        assert right[role] in found.get(role, []), role


def roles_of(columns, rows=90):
    found = {}
    for guess in guess_roles(make(columns, rows)):
        found.setdefault(guess.role, []).append(guess)
    return found


def only(columns, role):
    return {guess.column for guess in roles_of(columns).get(role, [])}


@pytest.mark.parametrize(
    ("values", "reason"),
    [(pick("5.70306E+17", "5.70301E+17"), "cut"), (lambda n: f"{570251142942171 + n}000", "rounded")],
)
def test_an_id_that_a_spreadsheet_ruined_is_refused_with_the_reason(values, reason):
    found = roles_of({"tweet_id": values, "text": said()})
    assert "id" not in found
    assert reason in found["refused"][0].evidence


def test_the_number_of_a_row_is_no_id():
    found = roles_of({"Unnamed: 0": lambda n: n, "comment": said()})
    assert "id" not in found and "row" in found["refused"][0].evidence


def test_an_id_that_repeats_is_a_respondent_and_no_id():
    found = roles_of({"customer_id": lambda n: f"K{n % 30:04}", "comment": said()})
    assert "id" not in found and found["respondent"][0].column == "customer_id"


@pytest.mark.parametrize(
    ("name", "values", "right"),
    [
        ("How likely are you to recommend us?", pick(*range(11)), (0, 10, "nps")),
        ("nps", pick(*range(1, 11)), (1, 10, "rating")),
        ("nps", pick(*range(0, 7)), (0, 6, "rating")),
        ("nps", pick(1, 2, 3, 4, 5), (1, 5, "rating")),
        ("Overall satisfaction", pick(1, 2, 3, 4, 5), (1, 5, "csat")),
        ("It was easy to order", pick(1, 2, 3, 4, 5, 6, 7), (1, 7, "ces")),
        ("I would buy again", pick(1, 2, 3, 4, 5), (1, 5, "loyalty")),
        ("rating", pick("0.5", "1.5", "3", "4.5", "5", "0"), (0, 5, "rating")),
        ("User_Rating", pick("0.5", "1", "2.5", "5"), (0, 5, "rating")),
        ("عدد النجوم", pick(1, 2, 3, 4, 5), (1, 5, "rating")),
        ("CSAT %", lambda n: f"{n % 11 * 10}%", (0, 100, "csat")),
        ("stars", pick("★★★★★", "★★★☆☆", "★☆☆☆☆"), (1, 5, "rating")),
        ("note", pick("8/10", "7/10", "10/10", "3/10"), (0, 10, "rating")),
        ("满意度", pick("5分", "4分", "1分", "3分"), (1, 5, "csat")),
        ("میزان رضایت", pick("۱", "۲", "۳", "۴", "۵"), (1, 5, "csat")),
        ("Доволни ли сте от доставката? (1-5)", pick(1, 2, 3, 4, 5), (1, 5, "csat")),
    ],
)
def test_the_likely_scale_and_metric(name, values, right):
    found = roles_of({name: values, "comment": said()})["answer"][0].more
    assert (found.low, found.high, found.metric) == right


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("label", pick(0, 1)),
        ("polarity", pick(-1, 0, 1)),
        ("sentiment", pick(1, 2, 3, 4, 5)),
        ("category", pick(0, 1, 2)),
        ("thumbs_up", pick(0, 1, 2, 3, 4, 5)),
        ("retweet_count", pick(0, 1, 2, 3)),
        ("age", lambda n: 18 + n % 50),
        ("hotel average score", pick("8.1", "8.9", "9.4")),
        ("nights", pick(1, 2, 3, 4, 5)),
        ("month", lambda n: n % 12 + 1),
    ],
)
def test_labels_and_counts_are_no_ratings(name, values):
    assert only({name: values, "comment": said()}, "answer") == set()


def test_doubts_about_a_scale_are_said():
    doubts = {
        name: roles_of({name: values, "comment": said()})["answer"][0].doubt
        for name, values in {"nps": pick(*range(1, 11)), "stars": pick(0, 1, 2, 3, 4, 5)}.items()
    }
    assert "1-10 is not the 0-10 of NPS" in doubts["nps"] and "0 mean no answer" in doubts["stars"]


def test_segments_are_few_useful_and_not_personal():
    columns = {
        "comment": said(),
        "country": pick("UK", "BG", "IR"),
        "country code": pick("44", "359", "98"),
        "e-mail": lambda n: f"p{n % 5}@x.org",
        "phone": pick("0201", "0302"),
        "constant": lambda n: "x" if n else "y",
        "price": lambda n: f"{n * 1.5:.2f}",
    } | {f"flag {n}": pick(*range(n + 2)) for n in range(12)}
    found = only(columns, "segment")
    assert len(found) == 8 and len(found & {"country", "country code"}) == 1
    assert not found & {"e-mail", "phone", "constant", "price"}


def test_tags_are_told_from_sentences_and_lists_of_ids():
    columns = {
        "comment": said(),
        "topics": pick("late|dear", "late", "dear|rude|late"),
        "answers": lambda n: f"{n * 7};{n * 9}",
    }
    guess = roles_of(columns)["tags"][0]
    assert (guess.column, guess.more) == ("topics", "|")


def test_a_few_answers_off_the_scale_do_not_widen_it():
    stars = pd.Series([str(n % 5 + 1) for n in range(1000)] + ["9"])
    guess = guess_roles(pd.DataFrame({"stars": stars}))[0]
    assert guess.evidence == "values 1 to 5" and "like 9" in guess.doubt


def test_relative_dates_are_told_from_dates():
    guess = guess_roles(pd.DataFrame({"review_date": ["3 個月前", "1 天前"] * 20}))[0]
    assert (guess.role, guess.column, guess.more) == ("date", "review_date", "ago")


@pytest.mark.parametrize(
    ("name", "values", "date_format"),
    [
        ("Review date", ["May 2024", "June 2024"], "%B %Y"),
        ("month", ["2025-01", "2025-02"], "%Y-%m"),
        ("reviewTime", ["09 13, 2009", "01 5, 2010"], "%m %d, %Y"),
        (
            "date",
            ["Date of experience: August 3, 2023", "Date of experience: May 13, 2023"],
            "Date of experience: %B %d, %Y",
        ),
    ],
)
def test_a_form_that_needs_to_be_declared_is_found(name, values, date_format):
    assert describe_dates(name, pd.Series(values * 9))[1] in (date_format, None)
    assert describe_dates(name, pd.Series(values * 9))[0]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("order id", ["1735900000", "1735900911"]),
        ("time", ["10:20", "03:53:50 PM"]),
        ("version", ["1.2.3", "4.5.6"]),
        ("days", ["45000", "45100"]),
        ("phone", ["07700900123", "07700900456"]),
        ("age", ["18-25", "26-40"]),
        ("size", ["10-12", "12-14"]),
    ],
)
def test_what_looks_like_a_date_and_is_none(name, values):
    told = describe_dates(name, pd.Series(values * 9))[0]
    assert told == "" or told.startswith("clock")
