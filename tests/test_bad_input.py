"""Bad input: a clear error that names the file, the line or key and the remedy; the store as it was."""

import pytest
from conftest import SMALL

from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import read_sources
from vocwb.errors import VocwbError
from vocwb.paths import notebook_folder, programme_folder, raw_folder, store_folder
from vocwb.programme import read_key, read_programme
from vocwb.run import main, run_notebook
from vocwb.store import read_table, write_table

HEADER = "id,date,customer,reason,nps,plan\n"
ROWS = "".join(
    f"{number},2025-0{1 + number % 3}-1{number % 9},c{number},The parcel number {number} was late and wet,"
    f"{number % 11},{'paid' if number % 2 else 'free'}\n"
    for number in range(24)
)


@pytest.fixture
def kept_store(small_programme):
    """The small programme with a good file ingested, and the bytes of its store."""
    raw = raw_folder("small")
    (raw / "survey.csv").write_text(HEADER + ROWS, encoding="utf-8")
    tables = make_tables(
        read_sources(small_programme, raw), programme=small_programme, key=read_key(small_programme)
    )
    for name, table in tables._asdict().items():
        write_table(small_programme, name, table)
    return {path: path.read_bytes() for path in store_folder("small").rglob("*") if path.is_file()}


def spoil_missing(raw, folder):
    (raw / "survey.csv").rename(raw / "surveys.csv")


def spoil_empty(raw, folder):
    (raw / "survey.csv").write_text("")


def spoil_columns(raw, folder):
    (raw / "survey.csv").write_text(HEADER.replace("reason", "Reason given") + ROWS)


def spoil_scale(raw, folder):
    (raw / "survey.csv").write_text(HEADER + ROWS.replace(",paid", "0,paid").replace(",free", "0,free"))


def spoil_key(raw, folder):
    (folder / "programme.yml").write_text(SMALL.replace("verbatims:", "verbatim:"))


def spoil_question(raw, folder):
    (folder / "programme.yml").write_text(SMALL.replace("answers: {nps: nps}", "answers: {ces: nps}"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (spoil_missing, ["no file fits 'survey.csv'", "surveys.csv", "Put the export there"]),
        (spoil_empty, ["survey.csv", "empty"]),
        (spoil_columns, ["survey.csv", "'reason'", "Reason given", "crosswalk"]),
        (spoil_scale, ["survey.csv", "'nps'", "0-10"]),
        (
            spoil_key,
            ["data/small/programme.yml line 16", "'verbatim' is not a key", "Did you mean 'verbatims'"],
        ),
        (spoil_question, ["data/small/programme.yml line", "['ces'] not declared", "low, high, metric"]),
    ],
)
def test_bad_input_says_what_to_do_and_leaves_the_store(kept_store, spoil, says):
    spoil(raw_folder("small"), programme_folder("small"))
    with pytest.raises(VocwbError) as error:
        run_notebook(
            notebook_folder() / "01_ingest.ipynb",
            {"programme": "small", "raw": ""},
            folder=programme_folder("small") / "out",
        )
    for part in says:
        assert part.lower() in str(error.value).lower(), str(error.value)
    assert {
        path: path.read_bytes() for path in store_folder("small").rglob("*") if path.is_file()
    } == kept_store


def test_a_handful_of_answers_still_gives_a_report_that_claims_nothing(kept_store, capsys):
    assert main(["report", "--programme", "small"]) == 0
    path = capsys.readouterr().out.strip()
    assert path == "reports/small/2025-03/report.html"
    found = read_table(read_programme("small"), "findings", part="2025-03")
    assert {"coverage", "topics", "scores"} <= set(found["section"])
    assert not found["verdict"].eq("evidence of a difference").any()
    assert found.loc[found["measure"] == "nps", "verdict"].eq("too few to show").all()


def test_no_feedback_at_all_is_said(small_programme, capsys):
    (raw_folder("small") / "survey.csv").write_text(HEADER + "1,2025-01-01,c1,,9,paid\n", encoding="utf-8")
    assert main(["report", "--programme", "small"]) == 1
    assert "holds no feedback" in capsys.readouterr().err
