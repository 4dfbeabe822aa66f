"""Make the sample: raw exports of a fictional company, Kalvino, with a planted truth. Nobody in it is real.

    python data/sample/make.py [--out DIR] [--seed 7]

writes raw/ (17 exports), truth.json and decisions.jsonl; the same seed gives the same bytes.
truth.json is for tests and benchmarks alone; no notebook and no module of the product reads it:

- label_fields, labels: file -> record id -> [topics, cause, polarity, language]. In transcripts the id is
  "<record>#<n>", n the 1-based place of the turn among all turns of its record. A text of cause k names
  level k, and level k-1 where there is one. Texts without topic have [].
- topics; root_cause (five levels under late_delivery, with the rows that name each); new_topic; split;
  actions (what moved and what did not); segments (what differs and what does not); paradox; season; wave.
- planted_rows: rows broken or odd on purpose: file, kind, id, record (1-based, without the header) and
  line (1-based in the file; sheet row in a workbook; record in reviews.json).
- responses_without_feedback: file -> ids of scores without a text, which is legal.
"""

import argparse
import csv
import io
import json
from collections import Counter
from pathlib import Path

import asked
import numpy as np
import observed
import pandas as pd
import planted as plan
import received
import words as say
import xlsxwriter

HERE = Path(__file__).resolve().parent
EXPORTED = pd.Timestamp("2026-01-05")
SKIP = {
    "churn_survey.csv": ["Cancellation survey;all countries", "exported 2026-01-05"]
}  # lines above the header
SHEETS = {"surveys_aftercontact.xlsx": "Answers", "staff_survey.xlsx": "Staff"}
DELIMITERS = {"social_posts.tsv": "\t", "sms_replies.csv": ";"}

FAULTS = {  # file -> kind -> rows
    "surveys_relationship.csv": {
        "impossible_date": 5, "off_scale": 6, "duplicate_id": 6, "test_row": 5, "personal_data": 8, "hostile": 3,
        "mojibake": 7,
    },
    "surveys_aftercontact.xlsx": {"impossible_date": 5, "off_scale": 6, "duplicate_id": 5, "hostile": 3},
    "support_tickets.csv": {
        "ragged": 6, "impossible_date": 5, "duplicate_id": 6, "test_row": 5, "personal_data": 10, "html_entities": 8,
        "hostile": 3,
    },
    "email.csv": {"duplicate_id": 5, "personal_data": 8, "html_entities": 8, "hostile": 3},
    "reviews.json": {"impossible_date": 5, "off_scale": 5, "duplicate_id": 5, "html_entities": 6, "hostile": 5},
    "social_posts.tsv": {"ragged": 5, "test_row": 5, "hostile": 3},
    "sms_replies.csv": {"impossible_date": 5, "test_row": 5, "mojibake": 6},
    "calls.jsonl": {"truncated": 5},
    "churn_survey.csv": {"impossible_date": 5},
    "onboarding_survey.csv": {"duplicate_id": 5},
}  # fmt: skip
IMPOSSIBLE = {
    "surveys_relationship.csv": "2024-02-31 10:20", "surveys_aftercontact.xlsx": "2025-02-30 11:00",
    "support_tickets.csv": "2024-13-05T09:00:00+00:00", "reviews.json": "2025-04-31",
    "sms_replies.csv": "31.06.2025 12:00", "churn_survey.csv": "2025-00-14",
}  # fmt: skip
OFF_SCALE = {"surveys_relationship.csv": 11, "surveys_aftercontact.xlsx": 9, "reviews.json": 6}
HOSTILE = (
    '</script><script>document.title="pwned"</script> ',
    "<script>alert(1)</script> ",
    "=cmd|' /C calc'!A0 ",
    "<img src=x onerror=alert(2)> ",
    "@SUM(1+1)*cmd|' /C calc'!A0 ",
)
TESTS = ("test test", "TEST", "test - please ignore", "asdf asdf", "testing 123")
NATIVE_DIGITS = {"fa": "۰۱۲۳۴۵۶۷۸۹", "ar": "٠١٢٣٤٥٦٧٨٩"}


def garble(text: str) -> str | None:
    """Return English text as a program that took UTF-8 for Windows-1252 shows it, or None if nothing would change."""
    try:
        garbled = text.replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").encode("utf-8").decode("cp1252")
    except UnicodeDecodeError:
        return None
    return garbled if garbled != text else None


def add_contact(rng: np.random.Generator, text: str, language: str) -> str:
    """Add an address, a telephone number (of the range kept for fiction) or a card number (a known test number)."""
    number, mail, card, _ = say.PHRASES[language]
    kind = int(rng.integers(3))
    name = say.pick(rng, ["sam.lee", "a.karimi", "n.haddad", "i.petrova", "mei.lin"])
    detail = (
        f"{number} +44 7700 900{rng.integers(1000):03d}",
        f"{mail} {name}{rng.integers(100)}@example.com",
        f"{card} 4111 1111 1111 1111",
    )[kind]
    if kind == 0 and language in NATIVE_DIGITS:
        detail = detail.translate(str.maketrans("0123456789", NATIVE_DIGITS[language]))
    return say.join_sentences([text, detail], language)


def spoil_export(
    sample: plan.Sample, export: plan.Export, *, spare: set[str]
) -> tuple[list[dict], dict[int, str]]:
    """Return the rows of an export with its faults planted (but not in those to spare), and the kind by place."""
    rng, labels = np.random.default_rng([sample.seed, 1, *export.name.encode()]), sample.labels[export.name]
    rows, faults = [dict(row) for row in export.rows], {}
    order = [int(place) for place in rng.permutation(len(rows)) if rows[place][export.id] not in spare]
    wanted = FAULTS.get(export.name, {})
    for kind, number in wanted.items():
        if kind == "duplicate_id":
            continue
        done = 0
        for place in order:
            row = rows[place]
            text, label = row.get(export.text), labels.get(row[export.id])
            if done == number:
                break
            if place in faults or (export.text and text is None):
                continue
            if kind == "mojibake":
                text = garble(text) if label[3] == "en" else None
                if text is None:
                    continue
                row[export.text] = text
            elif kind == "impossible_date":
                row[export.date] = IMPOSSIBLE[export.name]
            elif kind == "off_scale":
                row[export.score] = OFF_SCALE[export.name]
            elif kind == "test_row":
                row[export.text] = TESTS[done % len(TESTS)]
                labels[row[export.id]] = [[], None, "neutral", "en"]
            elif kind == "personal_data":
                row[export.text] = add_contact(rng, text, label[3])
            elif kind == "hostile":
                row[export.text] = HOSTILE[done % len(HOSTILE)] + text
            elif kind == "html_entities":
                quoted = text.replace("&", "&amp;").replace("'", "&#39;").replace('"', "&quot;")
                row[export.text] = quoted.replace(" ", "&nbsp;", 1) + (
                    " &lt;3" if done % 2 else " &amp; &hellip;"
                )
            faults[place], done = kind, done + 1
    # A record that was exported twice stands again, further down, as it was.
    for place in [place for place in order if place not in faults][: wanted.get("duplicate_id", 0)]:
        faults[len(rows)] = "duplicate_id"
        rows.append(dict(rows[place]))
    return rows, faults


def write_table(path: Path, rows: list[dict], faults: dict[int, str]) -> list[int]:
    """Write CSV or TSV; return the line on which each row starts. A ragged row has two fields too many."""
    out, lines = io.StringIO(newline=""), []
    writer = csv.writer(out, delimiter=DELIMITERS.get(path.name, ","), lineterminator="\n")
    out.write("".join(line + "\n" for line in SKIP.get(path.name, [])))
    writer.writerow(rows[0])
    line = 2 + len(SKIP.get(path.name, []))
    for place, row in enumerate(rows):
        values = list(row.values()) + (["", "stray field"] if faults.get(place) == "ragged" else [])
        lines.append(line)
        writer.writerow(values)
        line += 1 + sum(str(value).count("\n") for value in values)
    encoding = "utf-8-sig" if path.name == "sms_replies.csv" else "utf-8"
    path.write_bytes(out.getvalue().encode(encoding))
    return lines


def write_workbook(path: Path, rows: list[dict]) -> list[int]:
    """Write a workbook; the staff survey has a title above its header. Return the sheet row of each row."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": False}
    above = 1 if path.name == "staff_survey.xlsx" else 0
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"created": EXPORTED.to_pydatetime(), "author": "Kalvino"})
        sheet, as_date = (
            book.add_worksheet(SHEETS[path.name]),
            book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        )
        if above:
            sheet.write_string(0, 0, "Kalvino staff survey, all waves")
        sheet.write_row(above, 0, list(rows[0]))
        for place, row in enumerate(rows):
            for column, value in enumerate(row.values()):
                if hasattr(value, "year"):
                    sheet.write_datetime(above + 1 + place, column, value, as_date)
                elif isinstance(value, str):
                    sheet.write_string(above + 1 + place, column, value)
                elif value is not None:
                    sheet.write_number(above + 1 + place, column, value)
    return [above + 2 + place for place in range(len(rows))]


def write_export(folder: Path, export: plan.Export, rows: list[dict], faults: dict[int, str]) -> list[int]:
    """Write one raw file by its suffix; return the line (sheet row, record) of each row."""
    path = folder / export.name
    if path.suffix in (".csv", ".tsv"):
        return write_table(path, rows, faults)
    if path.suffix == ".xlsx":
        return write_workbook(path, rows)
    if path.suffix == ".json":
        document = {"exported_on": f"{EXPORTED:%Y-%m-%d}", "reviews": rows}
        path.write_text(
            json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
        )
    else:
        texts = [json.dumps(row, ensure_ascii=False) for row in rows]
        texts = [
            text[: len(text) // 2] if faults.get(n) == "truncated" else text for n, text in enumerate(texts)
        ]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8", newline="\n")
    return list(range(1, len(rows) + 1))


def describe_truth(sample: plan.Sample, wave: dict) -> dict:
    """Return what is planted, apart from the single rows."""
    apps = ["app_trouble", "app_login", "app_crash"]

    def when(number: int) -> dict:
        return {"month": str(plan.MONTHS[number - 1]), "number": number}

    deepest = Counter(label[1] for rows in sample.labels.values() for label in rows.values() if label[1])
    levels = [
        "the parcel stood still for days in the regional depot",
        "the depot's evening sorting shift is understaffed",
        "the shift rota is fixed weeks ahead and not changed for busy days",
        "the planners of the rota have no forecast of order volume",
        "marketing's promotion calendar is not shared with operations",
    ]
    return {
        "seed": sample.seed,
        "months": [str(month) for month in plan.MONTHS],
        "topics": list(say.TOPICS),
        "staff_themes": [f"staff_{theme}" for theme in say.NEEDED_OF_STAFF],
        "root_cause": {
            "topic": "late_delivery",
            "levels": {str(level + 1): text for level, text in enumerate(levels)},
            "rows_naming": {str(level): deepest[level] + deepest[level + 1] for level in range(1, 6)},
        },
        "new_topic": {"topic": "parcel_locker"} | when(plan.LOCKER),
        "split": {"topic": "app_trouble", "into": ["app_login", "app_crash"]} | when(plan.APP_SPLIT),
        "actions": {
            "A001": {"helped": True, "question": "csat_packaging", "topic": "damaged_parcel"} | when(plan.PACKAGING),
            "A002": {"helped": False, "question": "csat_support", "topic": "support_wait"} | when(plan.LONGER_HOURS),
        },
        "segments": {
            "differ": [
                {"segment": "region", "level": "north", "topics": ["late_delivery"], "times": 2},
                {"segment": "device", "level": "android", "topics": apps, "times": 2},
            ],
            "same": ["signup_source"],
        },
        "paradox": {
            "question": "csat", "segment": "delivery_type", "level": "express", "against": "standard", "within": "area",
            "pooled": "lower", "within_each": "higher",
        },
        "season": {"topic": "late_delivery", "months_of_year": [11, 12], "direction": "higher"},
        "wave": wave,
    }  # fmt: skip


def write_decisions(path: Path) -> None:
    """Write what the people of the programme decided: two actions, and the first whys of a workshop."""
    actions = {  # title, owner, effort, registered, starts, target, cost
        "A001": (
            "Sturdier packaging", "Nadia Ferrow, warehouse", "small", "2024-10-15", "2024-12-01", "csat_packaging",
            18000.0,
        ),
        "A002": (
            "Longer support hours", "Tomas Elgin, support", "process", "2024-12-10", "2025-02-01", "csat_support",
            26000.0,
        ),
    }  # fmt: skip
    why = {
        "A001": "Broken goods cost a replacement and a customer; a stronger box is cheap.",
        "A002": "Customers say that they wait; more hours may spread the calls.",
    }
    whys = [
        ("W001", None, "Orders arrive after the promised day.", "Nadia Ferrow", "What customers say most."),
        ("W002", "W001", "Parcels stand still in the regional depot.", "Omar Selim", "Couriers told us so."),
        ("W003", "W002", "The depot has too few people in the evening.", "Nadia Ferrow", "I see it on the floor."),
        ("W004", "W001", "Customers give a wrong address.", "Petra Vold", "I disagree with W002: many labels return."),
    ]  # fmt: skip
    rows = []
    for key, (title, owner, effort, registered, starts, target, cost) in actions.items():
        value = {
            "title": title,
            "owner": owner,
            "authority": "head of operations",
            "effort": effort,
            "status": "done",
        }
        value |= {
            "registered_on": registered,
            "starts_on": starts,
            "target_kind": "question",
            "target": target,
        }
        value |= {"expected": "higher", "cost": cost}
        rows.append(
            {
                "kind": "action",
                "subject": key,
                "value": value,
                "who": owner,
                "when": f"{registered}T09:00:00Z",
                "why": why[key],
            }
        )
    for minute, (key, parent, statement, who, reason) in enumerate(whys):
        value, when = {"parent": parent, "statement": statement}, f"2025-09-17T10:{10 + 5 * minute}:00Z"
        rows.append({"kind": "why", "subject": key, "value": value, "who": who, "when": when, "why": reason})
    text = "".join(json.dumps(row | {"replaces": None}) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8", newline="\n")


def make_sample(out: Path, *, seed: int, texts: Path) -> dict:
    """Write raw/, truth.json and decisions.jsonl into `out`; return the truth."""
    customers = plan.draw_customers(np.random.default_rng([seed, 0]))
    words = say.load_words(texts, seed=seed)
    sample = plan.Sample(seed, words, customers, plan.group_customers(customers), {})
    chat, contacts = received.make_chat(sample)
    social, wave = received.make_social(sample)
    exports = [
        asked.make_relationship(sample), asked.make_aftercontact(sample, contacts), received.make_tickets(sample),
        received.make_calls(sample), chat, received.make_email(sample), received.make_reviews(sample), social,
        asked.make_sms(sample), asked.make_talks(sample, "interviews.jsonl"),
        asked.make_talks(sample, "focus_groups.jsonl"), asked.make_churn(sample), asked.make_onboarding(sample),
        asked.make_staff(sample),
    ]  # fmt: skip
    (out / "raw").mkdir(parents=True, exist_ok=True)
    planted, silent = [], {}
    for export in exports + observed.make_logs(sample):
        rows, faults = export.rows, {}
        if export.name in sample.labels:
            rows, faults = spoil_export(sample, export, spare=set(wave["ids"]))
        lines = write_export(out / "raw", export, rows, faults)
        planted += [
            {
                "file": export.name,
                "kind": faults[n],
                "id": rows[n][export.id],
                "record": n + 1,
                "line": lines[n],
            }
            for n in sorted(faults)
        ]
        if export.text and (ids := [row[export.id] for row in export.rows if row[export.text] is None]):
            silent[export.name] = ids
        print(f"{export.name}: {len(rows)} records")
    truth = describe_truth(sample, wave) | {"planted_rows": planted, "responses_without_feedback": silent}
    truth["verbatims"] = {name: len(labels) for name, labels in sample.labels.items()}
    truth |= {"label_fields": ["topics", "cause", "polarity", "language"], "labels": sample.labels}
    text = json.dumps(truth, ensure_ascii=False, separators=(",", ":")) + "\n"
    (out / "truth.json").write_text(text, encoding="utf-8", newline="\n")
    write_decisions(out / "decisions.jsonl")
    print(f"truth.json: {sum(truth['verbatims'].values())} verbatims")
    return truth


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the sample programme.")
    parser.add_argument(
        "--out", type=Path, default=HERE, help="folder for raw/, truth.json and decisions.jsonl"
    )
    parser.add_argument("--seed", type=int, default=7, help="the same seed gives the same bytes")
    parser.add_argument("--texts", type=Path, default=HERE / "texts", help="folder of the text banks")
    given = parser.parse_args()
    make_sample(given.out, seed=given.seed, texts=given.texts)
