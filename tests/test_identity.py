"""A response keeps its id, whatever is added, and two records of one id are told apart."""

import pandas as pd

from vocwb.collect.identity import hash_texts, link_duplicates, number_repeats, write_identities
from vocwb.schemas import hash_id

LONG = "Do not buy the kettle of this shop, it caught fire!"


def test_a_record_without_id_is_known_by_its_filled_columns_alone():
    first = pd.DataFrame({"a": ["x"], "b": ["y"]})
    later = pd.DataFrame({"b": ["y"], "new": [""], "a": ["x"], "other": pd.Series([None], dtype="str")})
    none = pd.Series([None], dtype="str")
    assert write_identities("s", none, first).tolist() == write_identities("s", none, later).tolist()
    assert write_identities("s", none, first).tolist() != write_identities("t", none, first).tolist()


def test_values_cannot_be_moved_between_columns_or_sources():
    none = pd.Series([None, None], dtype="str")
    records = pd.DataFrame({"a": ["x", "xb1:y"], "b": ["y", ""]})
    assert write_identities("s", none, records).nunique() == 2
    ids = pd.Series(["b"])
    assert (
        write_identities("sa", ids, records[:1]).item()
        != write_identities("s", "a" + ids, records[:1]).item()
    )


def test_an_id_that_reads_like_content_is_an_id():
    records = pd.DataFrame({"a": ["x"]})
    content = write_identities("s", pd.Series([None], dtype="str"), records).item()
    hashed = content.rpartition(":")[2]
    assert write_identities("s", pd.Series([f"content{hashed}"]), records).item() != content
    assert hash_texts(pd.Series([content])).tolist() == [hash_id("s", "content", hashed)]


def test_the_earliest_of_one_id_is_the_original_in_any_order():
    responses = pd.DataFrame({
        "response_id": "r", "source_id": "7", "file": list("abc"), "line": [2, 3, 4], "nps": [3.0, 2.0, 1.0],
        "received_at": pd.to_datetime(["2025-01-02", None, "2025-01-01"], utc=True),
    })  # fmt: skip
    feedback = pd.DataFrame({"at": [0], "question": ["why"], "verbatim": ["a"]})
    found = {}
    for step in (1, -1):
        turned = responses[::step].reset_index(drop=True)
        said = feedback.assign(at=turned.index[turned["nps"] == 3.0])
        numbered = number_repeats(turned, said)
        found[step] = dict(zip(numbered["nps"], numbered["response_id"], strict=True))
        assert numbered.loc[numbered["duplicate_of"].isna(), "nps"].tolist() == [1.0]
    assert found[1] == found[-1] and found[1][1.0] == "r"


def test_a_copy_by_another_known_person_counts():
    days = pd.to_datetime(["2025-01-01", "2025-01-02", "2025-01-03"], utc=True)
    responses = pd.DataFrame({
        "response_id": ["r1", "r2", "r3"], "received_at": days, "respondent_id": ["ann", "ben", "ann"],
        "duplicate_of": pd.Series([None] * 3, dtype="str"),
    })  # fmt: skip
    feedback = pd.DataFrame({
        "feedback_id": ["f1", "f2", "f3"], "response_id": ["r1", "r2", "r3"], "question": "why", "language": "en",
        "verbatim": LONG,
    })  # fmt: skip
    linked, said = link_duplicates(responses, feedback, [])
    assert linked["duplicate_of"].fillna("").tolist() == ["", "", "r1"]
    assert said["duplicate_of"].fillna("").tolist() == ["", "f1", "f1"]
