"""Gives every response its lasting id, and links what stands twice to the first of it."""

import pandas as pd

from vocwb.collect.clean import mark_duplicates
from vocwb.schemas import hash_id


def identify_responses(
    records: pd.DataFrame, responses: pd.DataFrame
) -> tuple[pd.DataFrame, dict[int, tuple]]:
    """Return responses with response_id and duplicate_of, and the parts that each row's ids are made of.

    Needs source, source_id, received_at, all of one source; `records` are the raw columns, with the same
    index. A record is known by its id in the source, or without one by its content; the second of the
    same id or content has its number beside it, and of the same id is a duplicate of the first. They are
    numbered by date, then content: never by their place in a file.

    >>> responses = pd.DataFrame({"source": "mail", "source_id": ["7", "7"], "received_at": pd.NaT})
    >>> found, parts = identify_responses(pd.DataFrame({"text": ["a", "b"]}), responses)
    >>> sorted(parts.values(), key=len), int(found["duplicate_of"].notna().sum())
    ([('mail', '7'), ('mail', '7', 'occurrence', 2)], 1)
    """
    ids = responses["source_id"]
    content = _hash_content(records[ids.isna() | ids.duplicated(keep=False)]).reindex(records.index)
    order = pd.DataFrame(
        {"known": ids.fillna(content), "received": responses["received_at"], "content": content}
    )
    order = order.sort_values(["known", "received", "content"], na_position="last", kind="stable")
    number = (order.groupby("known").cumcount() + 1).reindex(records.index)
    identities: dict[int, tuple] = {}
    for at, source, source_id, text, count in zip(
        records.index, responses["source"], ids, content, number, strict=True
    ):
        first = (source, source_id) if pd.notna(source_id) else (source, "content", text)
        identities[at] = first if count == 1 else (*first, "occurrence", count)
    repeated = ids.notna() & (number > 1)
    name = responses["source"].iloc[0] if len(responses) else ""
    originals = {source_id: hash_id(name, source_id) for source_id in ids[repeated].unique()}
    return responses.assign(
        response_id=[hash_id(*identities[at]) for at in records.index],
        duplicate_of=ids.where(repeated).map(originals).astype("str"),
    ), identities


def link_duplicates(
    responses: pd.DataFrame, feedback: pd.DataFrame, questions: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with `duplicate_of`: each repeated verbatim linked to the one that it repeats.

    Needs in responses: response_id, received_at, duplicate_of (of a repeated id) and the answers to
    `questions`; in feedback: feedback_id, response_id, question, language, verbatim. A response is linked
    to another if all that it says repeats that one word for word and its answers are the same; a repeat
    within any other response is linked, and the response counts.

    >>> text = "Be careful, the kettle of this shop caught fire!"
    >>> days = pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True)
    >>> responses = pd.DataFrame({"response_id": ["r1", "r2"], "received_at": days,
    ...     "duplicate_of": pd.Series([None, None], dtype="str"), "nps": [3.0, 9.0]})
    >>> feedback = pd.DataFrame({"feedback_id": ["f1", "f2"], "response_id": ["r1", "r2"], "question": "why",
    ...     "language": "en", "verbatim": text})
    >>> both = link_duplicates(responses, feedback, ["nps"])
    >>> [frame["duplicate_of"].fillna("").tolist() for frame in both]
    [['', ''], ['', 'f1']]
    """
    known = responses.set_index("response_id")
    feedback = feedback.assign(
        received_at=feedback["response_id"].map(known["received_at"]),
        original=feedback["response_id"].map(known["duplicate_of"]),
    )
    again = feedback["original"].notna()
    of_question = feedback.set_index(["response_id", "question"])["feedback_id"]
    same = pd.MultiIndex.from_frame(feedback.loc[again, ["original", "question"]])
    feedback["duplicate_of"] = mark_duplicates(feedback[~again]).reindex(feedback.index)
    feedback.loc[again, "duplicate_of"] = of_question.reindex(same).to_numpy()

    reposts = feedback[~again].assign(
        of=feedback["duplicate_of"].map(feedback.set_index("feedback_id")["response_id"])
    )
    whole = reposts.groupby("response_id")["of"].agg(["first", "nunique", "count", "size"])
    whole = whole[(whole["nunique"] == 1) & (whole["count"] == whole["size"])]["first"]
    if len(whole) and questions:
        own, others = known.loc[whole.index, questions], known.loc[whole, questions]
        whole = whole[
            ((own.values == others.values) | (own.isna().values & others.isna().values)).all(axis=1)
        ]
    found = responses["response_id"].map(whole).astype("str")
    return responses.assign(duplicate_of=responses["duplicate_of"].fillna(found)), feedback


def _hash_content(records: pd.DataFrame) -> pd.Series:
    columns = sorted(records)

    def list_parts(row: tuple) -> list[str]:
        filled = ((name, cell) for name, cell in zip(columns, row, strict=True) if pd.notna(cell) and cell)
        return [part for pair in filled for part in pair]

    rows = records[columns].itertuples(index=False, name=None)
    return pd.Series([hash_id(*list_parts(row)) for row in rows], index=records.index, dtype="str")
