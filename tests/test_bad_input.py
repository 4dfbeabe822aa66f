"""Bad input: a clear error that names the file, the line or key and the remedy; the store as it was."""

import nbformat
import pytest
from conftest import SMALL

from vocwb.collect.ingest import make_tables
from vocwb.collect.sources import read_sources
from vocwb.errors import VocwbError
from vocwb.paths import notebook_folder, programme_folder, raw_folder, report_folder, store_folder
from vocwb.programme import read_key, read_programme
from vocwb.run import NOTEBOOKS, main, run_notebook
from vocwb.store import read_table, write_table

HEADER = "id,date,customer,reason,nps,plan\n"
ROWS = "".join(
    f"{number},2025-0{1 + number % 3}-1{number % 9},c{number},The parcel number {number} was late and wet,"
    f"{number % 11},{'paid' if number % 2 else 'free'}\n"
    for number in range(24)
)


def run_cells(name, **parameters):
    """Run the cells of a notebook in this process: a kernel for each costs 5 s, and other tests start enough."""
    names = {}
    for cell in nbformat.read(notebook_folder() / f"{name}.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, names)
        if "parameters" in cell.metadata.get("tags", []):
            assert set(names) >= set(parameters)
            names |= parameters


def read_store():
    return {path: path.read_bytes() for path in store_folder("small").rglob("*") if path.is_file()}


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
    return read_store()


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
        (
            spoil_missing,
            ["no file fits 'survey.csv'", "Files there: surveys.csv", "Did you mean 'surveys.csv'"],
        ),
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
        run_cells("01_ingest", programme="small", raw="")
    for part in says:
        assert part.lower() in str(error.value).lower(), str(error.value)
    assert read_store() == kept_store


def test_the_message_comes_through_the_kernel(kept_store):
    spoil_scale(raw_folder("small"), programme_folder("small"))
    with pytest.raises(VocwbError, match=r"(?s)01_ingest failed.*survey\.csv.*'nps'.*0-10"):
        run_notebook(
            notebook_folder() / "01_ingest.ipynb",
            {"programme": "small", "raw": ""},
            folder=programme_folder("small") / "out",
        )
    assert read_store() == kept_store


def test_a_handful_of_answers_still_gives_a_report_that_claims_nothing(kept_store):
    settings = {
        "programme": "small", "raw": "", "month": "2025-03", "until": "2025-02", "who": "Ada", "where": "", "seed": 0,
        "months_back": 12, "topic": "",
    }  # fmt: skip
    for name, needed in NOTEBOOKS.items():
        run_cells(name, **{key: settings[key] for key in needed})
    assert (report_folder("small", "2025-03") / "report.html").is_file()
    found = read_table(read_programme("small"), "findings", part="2025-03")
    assert {"coverage", "topics", "scores"} <= set(found["section"])
    assert not found["verdict"].eq("evidence of a difference").any()
    assert found.loc[found["measure"] == "nps", "verdict"].eq("too few to show").all()


def test_no_feedback_at_all_is_said(small_programme, capsys):
    (raw_folder("small") / "survey.csv").write_text(HEADER + "1,2025-01-01,c1,,9,paid\n", encoding="utf-8")
    run_cells("01_ingest", programme="small", raw="")
    assert main(["report", "--programme", "small", "--from", "02"]) == 1
    assert "holds no feedback" in capsys.readouterr().err
