"""Four real sets of feedback, whole, from raw files to the report; skipped where their data is not there."""

import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT, run_make

from vocwb.programme import read_programme
from vocwb.store import list_months, read_table

DATA = Path(os.environ.get("VOCWB_DATA") or ROOT.parent / "shared" / "data")

SETS = {
    # programme: (language, how many records the files hold, as pandas reads them)
    "airline_tweets": ("en", lambda folder: len(pd.read_csv(folder / "Tweets.csv"))),
    "cfpb_complaints_2019": ("en", lambda folder: len(pd.read_csv(folder / "complaints_sample.csv", skiprows=2))),
    "zh_tw_hospital_reviews_a": ("zh", lambda folder: sum(len(pd.read_excel(f)) for f in folder.glob("*.xlsx"))),
    "fa_digikala_comments": ("fa", lambda folder: sum(len(pd.read_csv(f)) for f in folder.glob("*.csv"))),
}  # fmt: skip


class Loads(HTMLParser):
    """The tags of a page that would load something; what stands inside a script is no tag."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [
            (tag, name) for name, _ in attributes if name == "src" or (tag, name) == ("link", "href")
        ]


@pytest.mark.parametrize("name", SETS)
def test_a_real_set_gives_a_report(name, tmp_path, monkeypatch):
    if not (DATA / name).is_dir():
        pytest.skip(f"the files of {name} are not in {DATA}; say where they are with VOCWB_DATA=folder")
    language, count = SETS[name]
    (tmp_path / "data" / name).mkdir(parents=True)
    (tmp_path / "data" / name / "programme.yml").write_bytes(
        (ROOT / "data" / name / "programme.yml").read_bytes()
    )
    monkeypatch.setenv("VOCWB_ROOT", str(tmp_path))

    made = run_make("report", f"PROGRAMME={name}", f"RAW={DATA}", root=tmp_path)
    assert made.returncode == 0, made.stderr
    programme = read_programme(name)
    month = list_months(programme)[-1]
    assert made.stdout.splitlines()[-1] == f"reports/{name}/{month}/report.html"

    ingested = read_table(programme, "ingested")
    assert ingested["rows_in"].sum() == count(DATA / name)
    assert (ingested["rows_in"] == ingested[["kept", "duplicates", "quarantined"]].sum(axis=1)).all()
    feedback = read_table(programme, "feedback")
    assert (feedback["language"] == language).mean() > 0.97
    assert len(read_table(programme, "codebook")) >= 5
    assignments = read_table(programme, "assignments")
    assert set(assignments["feedback_id"]) <= set(feedback["feedback_id"])

    page = (tmp_path / "reports" / name / month / "report.html").read_text(encoding="utf-8")
    assert len(page) < 2_500_000
    loads = Loads()
    loads.feed(page)
    assert loads.found == []
    quoted = set(re.findall(r'data-feedback-id="([0-9a-f]{32})"', page))
    assert len(quoted) > 5 and quoted <= set(feedback["feedback_id"])
