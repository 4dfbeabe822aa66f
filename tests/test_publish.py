"""The report: every number opens quotes that were said, and nothing that a customer wrote becomes markup."""

import json
import re
import stat
from html.parser import HTMLParser
from itertools import pairwise

import openpyxl
import pandas as pd
import pytest
from tables import HOSTILE, MONTH, make_tables

from vocwb.errors import ReportError
from vocwb.schemas import empty_table
from vocwb.share.publish import build_report, export_findings, write_report


class Page(HTMLParser):
    """The elements of a page in their order: (tag, attributes, text directly below)."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.comments = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append([tag, dict(attrs), ""])

    def handle_data(self, data):
        if self.elements:
            self.elements[-1][2] += data

    def handle_comment(self, data):
        self.comments.append(data)

    def all(self, tag):
        return [element for element in self.elements if element[0] == tag]

    def carrying(self, attribute):
        return [element for element in self.elements if attribute in element[1]]


@pytest.fixture(scope="module")
def html():
    return build_report(**make_tables())


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


@pytest.fixture(scope="module")
def evidence(html):
    return json.loads(re.search(r'id="evidence">(.*?)</script>', html, re.S)[1])


def ids_of(evidence, key):
    place, ids = 0, []
    for step in evidence["sets"][evidence["items"][key]["set"]]:
        place += step
        ids.append(evidence["ids"][place])
    return ids


def change(**changed):
    return build_report(**(make_tables() | changed))


def test_every_number_carries_a_finding_whose_feedback_the_page_knows(page, evidence):
    findings = make_tables()["findings"].set_index("finding_id")
    numbers = page.carrying("data-finding")
    assert len(numbers) > 300
    for _, attributes, text in numbers:
        row = findings.loc[attributes["data-finding"]]
        assert ids_of(evidence, attributes["data-finding"]) == sorted(set(row["feedback_ids"]))
        assert text.strip()


def test_every_share_in_a_table_stands_with_its_interval_and_n(html):
    findings = make_tables()["findings"]
    now = findings[
        findings["section"].eq("topics") & findings["measure"].eq("share") & findings["period"].eq(MONTH)
    ]
    section = re.search(r'<section id="topics".*?<section id="trends"', html, re.S)[0]
    for row in now.to_dict("records"):
        cells = rf"<tr>(?:(?!<tr>).)*?data-finding=.{row['finding_id']}.*?</tr>"
        shown = re.search(cells, section, re.S)[0]
        assert (
            f"{row['value']:.1f}%" in shown
            and f"{row['low']:.1f} to {row['high']:.1f}" in shown
            and f">{row['n']}<" in shown
        )


def test_every_quote_is_stored_and_every_number_with_customers_words_has_one(page, evidence):
    tables = make_tables()
    stored = tables["feedback"].set_index("feedback_id")["verbatim"]
    quotes = page.carrying("data-feedback-id")
    assert len(quotes) > 50
    for _, attributes, text in quotes:
        assert (
            stored[attributes["data-feedback-id"]][
                int(attributes["data-start"]) : int(attributes["data-end"])
            ]
            == text
        )
    kept = {attributes["data-quote"] for _, attributes, _ in page.carrying("data-quote")}
    customers = set(tables["opinions"].loc[tables["opinions"]["voice"].eq("customer"), "feedback_id"])
    for key, item in evidence["items"].items():
        shown = [evidence["ids"][place] for place in item["quotes"]]
        assert set(shown) <= set(ids_of(evidence, key)) & kept
        assert shown or not customers & set(ids_of(evidence, key))


def test_staff_and_customers_are_never_mixed(html):
    voice = make_tables()["opinions"].set_index("feedback_id")["voice"]
    staff = re.search(r'<section id="staff".*?<section id="limits"', html, re.S)[0]
    rest = html.split('<section id="staff"')[0]
    quoted = r'data-feedback-id="([0-9a-f]{32})"'
    assert {voice[one] for one in re.findall(quoted, staff)} == {"employee"}
    assert {voice[one] for one in re.findall(quoted, rest)} == {"customer"}


def test_staff_are_not_quoted_from_a_small_group():
    tables = make_tables()
    staff = tables["opinions"]["voice"].eq("employee")
    one_person = tables["opinions"].assign(
        respondent_id=tables["opinions"]["respondent_id"].mask(staff, "p1")
    )
    html = change(opinions=one_person)
    assert not set(re.findall(r'data-feedback-id="([0-9a-f]{32})"', html)) & set(
        tables["opinions"].loc[staff, "feedback_id"]
    )


def test_hostile_words_add_no_element_and_no_attribute_that_runs(html, page):
    scripts = page.all("script")
    assert [attributes.get("type") for _, attributes, _ in scripts].count(None) == 2
    assert not [
        attributes for _, attributes, _ in page.elements if any(name.startswith("on") for name in attributes)
    ]
    assert not page.all("img") and not page.all("iframe") and not page.all("link") and not page.comments
    assert not [
        one
        for one in page.elements
        if "src" in one[1] or (one[0] == "a" and not one[1]["href"].startswith("#"))
    ]
    assert html.count("</script>") == len(scripts)
    quoted = {text for _, _, text in page.carrying("data-feedback-id")}
    assert len(quoted & set(HOSTILE)) >= 3


def test_the_policy_allows_the_two_scripts_by_hash_and_nothing_else(page):
    policy = next(
        one[1]["content"] for one in page.all("meta") if one[1].get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'; script-src 'sha256-") and policy.count("sha256-") == 2
    assert "unsafe-eval" not in policy and "unsafe-inline" not in policy.split("style-src")[0]


def test_headings_go_down_one_step_at_a_time_and_everything_is_labelled(page):
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    body = levels[: len(levels) - 1]  # the dialog's own heading stands last
    assert body[0] == 1 and body.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(body))
    assert page.all("html")[0][1]["lang"] == "en"
    assert all(one[1].get("aria-label") for one in page.carrying("role") if one[1]["role"] == "img")
    assert len(page.all("caption")) == len(page.all("table"))
    ids = [one[1]["id"] for one in page.carrying("id")]
    assert len(ids) == len(set(ids))
    assert {one[1]["href"][1:] for one in page.all("a")} <= set(ids)


def test_the_size_stays_mailable(html):
    assert len(html.encode()) < 2_500_000


def test_the_same_tables_give_the_same_page_whatever_their_order(html):
    tables = make_tables()
    names = ("findings", "opinions", "feedback", "codebook", "causes", "actions")
    mixed = {name: tables[name].sample(frac=1, random_state=3).reset_index(drop=True) for name in names}
    assert build_report(**(tables | mixed)) == html


def test_a_finding_that_rests_on_unknown_feedback_stops_the_report():
    findings = make_tables()["findings"].copy()
    at = findings.index[findings["section"].eq("topics")][0]
    findings.at[at, "feedback_ids"] = [*findings.at[at, "feedback_ids"], "f" * 32]
    with pytest.raises(ReportError, match=findings.at[at, "finding_id"]):
        change(findings=findings)


def test_a_quote_that_is_not_what_is_stored_stops_the_report():
    opinions = make_tables()["opinions"].copy()
    opinions["verbatim"] = opinions["verbatim"] + "!"
    with pytest.raises(ReportError, match="is not what was said"):
        change(opinions=opinions)


def test_a_month_in_which_nothing_changed_says_so():
    findings = make_tables()["findings"]
    calm = findings[findings["verdict"].ne("evidence of a difference")]
    html = change(findings=calm.reset_index(drop=True), causes=empty_table("causes"))
    assert "Nothing changed with evidence in December 2025." in html
    assert "No group differs from the rest with evidence." in html


def test_empty_tables_are_shown_as_empty():
    empty = {name: empty_table(name) for name in ("findings", "causes", "actions", "ingested", "quarantine")}
    html = change(**empty, whys=make_tables()["whys"].head(0))
    for words in ("No action is registered.", "No action can be judged yet.", "Nobody has asked why yet",
                  "No topic was counted", "No staff feedback", "only one period"):  # fmt: skip
        assert words in html


def test_an_undated_programme_gets_its_one_period():
    tables = make_tables()
    opinions = tables["opinions"].assign(month="all")
    share = tables["findings"]
    share = share[share["section"].eq("topics") & share["measure"].eq("share") & share["period"].eq(MONTH)]
    html = change(
        month="all",
        opinions=opinions,
        findings=share.assign(month="all", period="all"),
        causes=empty_table("causes"),
    )
    assert "the whole period" in html and "only one period to show" in html


def cut(html, section):
    return re.search(rf'<section id="{section}".*?</section>\s*\n\s*<section id="', html, re.S)[0]


def test_what_moves_is_told_in_words_with_control_charts(html):
    told = cut(html, "movements")
    assert "12 are needed" in told and "too few months stand behind December 2025" in told
    calm = change(findings=make_tables()["findings"].query("section != 'movements'"))
    assert "Nothing can be followed" in cut(calm, "movements")


def test_groups_are_shown_with_their_words_and_like_with_like(html):
    told = cut(html, "segments")
    assert "tractor" in told and "تراکتور" in told and "<bdi>Plan</bdi> held equal" in told


def test_stages_are_shown_also_where_nobody_was_heard(html):
    told = cut(html, "stages")
    assert "Nobody was heard at: <bdi>joining</bdi>" in told and "nobody heard" in told
    assert told.count("What helps and what hinders at each stage") == 5 and "data-finding" in told
    none = change(findings=make_tables()["findings"].query("section != 'stages'"))
    assert "No source says where in the journey" in cut(none, "stages")


def test_a_hidden_number_opens_nothing(html, evidence):
    findings = make_tables()["findings"]
    hidden = set(findings.loc[findings["verdict"].eq("hidden"), "finding_id"])
    assert not hidden & set(evidence["items"])


def test_what_people_said_in_the_workshop_stands_with_name_and_dissent(html):
    why = re.search(r'<section id="why".*?<section id="actions"', html, re.S)[0]
    assert "said by <bdi>Nadia Ferrow</bdi>" in re.sub(r"\s+", " ", why)
    assert "disagrees: <bdi>Petra &lt;b&gt;Vold&lt;/b&gt;</bdi>" in re.sub(r"\s+", " ", why)


def test_a_why_in_a_circle_or_without_its_parent_is_not_lost():
    whys = pd.DataFrame({
        "decision_id": [1, 2, 3], "subject": ["a", "b", "c"], "who": "Ada",
        "value": [{"parent": "b", "statement": "first of a ring"}, {"parent": "a", "statement": "second of a ring"},
                  {"parent": "gone", "statement": "an orphan"}],
    })  # fmt: skip
    html = change(whys=whys)
    assert all(words in html for words in ("first of a ring", "second of a ring", "an orphan"))


def test_an_action_takes_its_topic_off_the_decisions_due(html):
    due = html.split("Decisions due</h3>")[1].split("</section>")[0]
    assert "Late parcels" not in due and "دیر رسیدن سفارش" in due
    none = change(actions=empty_table("actions"))
    assert "Late parcels" in none.split("Decisions due</h3>")[1].split("</section>")[0]


def test_the_limits_name_an_unreviewed_codebook_and_unread_languages(html):
    assert "No person has reviewed this codebook" in html and "have no topics" in html
    assert "No person has reviewed this codebook" not in change(reviewed=True)


def test_records_in_are_kept_duplicates_and_quarantined(html):
    coverage = re.search(r'<section id="coverage".*?<section id="topics"', html, re.S)[0]
    numbers = [
        int(cell.replace(",", ""))
        for cell in re.findall(r'<td data-head="[A-Z][^"]*">([\d,]+)</td>', coverage)
    ]
    rows = [numbers[place : place + 4] for place in range(0, len(numbers), 4)]
    assert rows and all(
        rows_in == kept + duplicates + quarantined for rows_in, kept, duplicates, quarantined in rows
    )
    assert "not &lt;UTF-8&gt;" in coverage


def test_what_was_silent_is_named(html):
    coverage = re.search(r'<section id="coverage".*?<section id="topics"', html, re.S)[0]
    assert re.search(r"Silent: <bdi>email</bdi>", coverage)


def test_a_report_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "reports" / "kalvino" / "report.html"
    write_report("first\r\nپیام", path)
    assert path.read_bytes() == "first\r\nپیام".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    with pytest.raises(UnicodeEncodeError):
        write_report("half \ud800", path)
    assert path.read_bytes() == "first\r\nپیام".encode()
    assert [one.name for one in path.parent.iterdir()] == ["report.html"]


def test_a_spreadsheet_of_findings_holds_no_formula(tmp_path):
    findings = make_tables()["findings"].head(20).assign(claim=[*HOSTILE, *["https://example.com"] * 11])
    export_findings(findings, tmp_path / "findings.xlsx")
    export_findings(findings, tmp_path / "again" / "findings.xlsx")
    assert (tmp_path / "findings.xlsx").read_bytes() == (tmp_path / "again" / "findings.xlsx").read_bytes()
    sheet = openpyxl.load_workbook(tmp_path / "findings.xlsx").active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n"} and not [cell for cell in cells if cell.hyperlink]
    place = list(findings).index("claim")
    assert [row[place].value for row in sheet.iter_rows(min_row=2)][3] == HOSTILE[3]
