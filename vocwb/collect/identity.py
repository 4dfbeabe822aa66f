"""Gives every response its lasting id, and links what stands twice to the first of it."""

import hashlib
from collections.abc import Callable

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from vocwb.collect.duplicates import mark_duplicates
from vocwb.schemas import hash_id


def write_identities(source: str, source_ids: pd.Series, records: pd.DataFrame) -> pd.Series:
    """Return the text whose hash is a response's id, as `schemas.hash_id` writes its parts.

    A record is known by the source and its id there, or without an id by its content: the names and values
    of its filled columns. So an id does not depend on the place in a file.

    >>> known = write_identities("mail", pd.Series(["7"]), pd.DataFrame({"text": ["a"]}))
    >>> hash_texts(known).tolist() == [hash_id("mail", "7")]
    True
    """
    unknown = source_ids.isna()
    texts = prefix_length(source_ids)
    if unknown.any():
        hashed = hash_texts(_write_content(records[unknown]))
        texts = texts.mask(unknown, "7:content" + prefix_length(hashed))
    return f"{len(source)}:{source}" + texts


def hash_texts(texts: pd.Series, *, new: Callable = hashlib.sha256) -> pd.Series:
    """Return the first 32 hex digits of the hash of each text, by default of its SHA-256.

    >>> hash_texts(pd.Series(["2:ab1:c"])).tolist() == [hash_id("ab", "c")]
    True
    """
    # The digits of all ids are written at once: written id by id they take longer than their hashes.
    digests = [one.digest()[:16] for one in map(new, map(str.encode, texts.to_numpy().tolist()))]
    digits = pa.py_buffer(b"".join(digests).hex().encode())
    ends = pa.py_buffer(np.arange(0, 32 * len(texts) + 1, 32))
    ids = pa.LargeStringArray.from_buffers(len(texts), ends, digits)
    return pd.Series(pd.array(ids, dtype="str"), texts.index)


def identify_said(identities: pd.Series, questions: pd.Series) -> pd.Series:
    """Return the feedback_id of what was said: of the identity of its response and the question or turn.

    >>> identify_said(pd.Series(["4:mail1:7"]), pd.Series(["why"])).tolist() == [hash_id("mail", "7", "why")]
    True
    """
    codes, names = pd.factorize(questions)
    parts = pd.array([f"{len(name)}:{name}" for name in names], dtype="str").take(codes)
    return hash_texts(pd.Series(identities.array + parts, questions.index))


def number_repeats(responses: pd.DataFrame, feedback: pd.DataFrame) -> pd.DataFrame:
    """Return responses with an id of its own for each record that has the id of another, and duplicate_of.

    Needs in responses: response_id, source_id, received_at, and what else was answered; in feedback: at (the
    row of its response), question, verbatim. Records of one id in the source are duplicates of the first: the
    earliest, then by what they hold, never by their place in a file. Records without an id and of the same
    content are answers that happen to be the same.

    >>> responses = pd.DataFrame({"response_id": ["r", "r"], "source_id": ["7", "7"], "nps": [3.0, 2.0],
    ...     "received_at": pd.to_datetime(["2025-01-02", "2025-01-01"], utc=True)})
    >>> feedback = pd.DataFrame({"at": [0], "question": ["why"], "verbatim": ["a"]})
    >>> number_repeats(responses, feedback)["duplicate_of"].tolist()
    ['r', nan]
    """
    responses = responses.assign(duplicate_of=pd.Series(None, index=responses.index, dtype="str"))
    again = responses["response_id"].duplicated(keep=False)
    if not again.any():
        return responses
    repeated = responses[again]
    said = feedback[feedback["at"].isin(repeated.index)]
    texts = said["question"].astype("str") + ":" + said["verbatim"]
    texts = texts.groupby(said["at"]).agg(lambda one: "|".join(sorted(one)))
    answers = repeated.drop(columns=["response_id", "received_at", "line", "file"], errors="ignore")
    content = answers.astype("str").fillna("").agg("|".join, axis="columns")
    order = pd.DataFrame({
        "known": repeated["response_id"], "received": repeated["received_at"],
        "content": content + texts.reindex(repeated.index).fillna(""),
    }).sort_values(["known", "received", "content"], na_position="last", kind="stable")  # fmt: skip
    number = (order.groupby("known").cumcount() + 1).reindex(repeated.index)
    later = repeated[number > 1]
    fresh = [
        hash_id(known, "occurrence", count)
        for known, count in zip(later["response_id"], number[later.index], strict=True)
    ]
    same = later["source_id"].notna()
    responses.loc[later.index[same], "duplicate_of"] = later.loc[same, "response_id"]
    responses.loc[later.index, "response_id"] = fresh
    return responses


def identify_again(feedback: pd.DataFrame, response_ids: pd.Series, changed: pd.Series) -> pd.Series:
    """Return the feedback_id of each row, a new one where its response has got an id of its own.

    Needs at (the row of its response), question, feedback_id; `changed` says of which responses.

    >>> feedback = pd.DataFrame({"at": [0, 1], "question": "why", "feedback_id": ["f", "f"]})
    >>> found = identify_again(feedback, pd.Series(["r", "r2"]), pd.Series([False, True]))
    >>> found.tolist() == ["f", hash_id("r2", "why")]
    True
    """
    moved = feedback[changed.reindex(feedback["at"]).to_numpy()]
    fresh = [
        hash_id(response_ids[at], question)
        for at, question in zip(moved["at"], moved["question"], strict=True)
    ]
    found = feedback["feedback_id"].astype("str")
    found.loc[moved.index] = fresh
    return found


def find_rows(ids: pd.Series, among: pd.Series) -> np.ndarray:
    """Return the row of `among` in which each id stands, -1 where it stands in none; it takes no index of objects.

    >>> find_rows(pd.Series(["b", "x"]), pd.Series(["a", "b"])).tolist()
    [1, -1]
    """
    found = pc.index_in(pa.array(ids.astype("str")), value_set=pa.array(among.astype("str")))
    return found.fill_null(-1).to_numpy(zero_copy_only=False).astype("int64")


def link_duplicates(
    responses: pd.DataFrame, feedback: pd.DataFrame, questions: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both tables with `duplicate_of`: each copied verbatim linked to the one that it copies.

    Needs in responses: response_id, received_at, respondent_id, duplicate_of (of a repeated id) and the answers
    to `questions`; in feedback: feedback_id, response_id, question, language, verbatim. What a copy is says
    `duplicates.mark_duplicates`. A response is linked to another if all that it says copies that one, its
    answers are the same and the two are not known to be of different people; a copy within any other response
    is linked, and the response counts.

    >>> text = "Be careful, the kettle of this shop caught fire!"
    >>> days = pd.to_datetime(["2025-01-01", "2025-01-02"], utc=True)
    >>> responses = pd.DataFrame({"response_id": ["r1", "r2"], "received_at": days, "respondent_id": None,
    ...     "duplicate_of": pd.Series([None, None], dtype="str"), "nps": [3.0, 9.0]})
    >>> feedback = pd.DataFrame({"feedback_id": ["f1", "f2"], "response_id": ["r1", "r2"], "question": "why",
    ...     "language": "en", "verbatim": text})
    >>> both = link_duplicates(responses, feedback, ["nps"])
    >>> [frame["duplicate_of"].fillna("").tolist() for frame in both]
    [['', ''], ['', 'f1']]
    """
    rows = find_rows(feedback["response_id"], responses["response_id"])
    feedback = feedback.assign(received_at=responses["received_at"].take(rows).to_numpy())
    known = responses.set_index("response_id")
    repeated = known["duplicate_of"].dropna()
    again = feedback["response_id"].isin(repeated.index)
    found = mark_duplicates(feedback[~again]).reindex(feedback.index)
    if again.any():
        of_question = feedback.set_index(["response_id", "question"])["feedback_id"]
        same = [
            feedback.loc[again, "response_id"].map(repeated),
            feedback.loc[again, "question"].astype("str"),
        ]
        found[again] = of_question.reindex(pd.MultiIndex.from_arrays(same)).to_numpy()
    feedback["duplicate_of"] = found

    copied = feedback["response_id"].isin(feedback.loc[found.notna() & ~again, "response_id"])
    copies = feedback[copied & ~again]
    said_in = find_rows(copies["duplicate_of"], feedback["feedback_id"])
    said_in = feedback["response_id"].array.take(said_in, allow_fill=True)
    whole = copies.assign(of=said_in).groupby("response_id")["of"].agg(["first", "nunique", "count", "size"])
    whole = whole[(whole["nunique"] == 1) & (whole["count"] == whole["size"])]["first"]
    if len(whole):
        own, others = known.loc[whole.index], known.loc[whole]
        same = own["respondent_id"].isna().to_numpy() | others["respondent_id"].isna().to_numpy()
        same |= own["respondent_id"].to_numpy() == others["respondent_id"].to_numpy()
        for question in questions:
            one, other = own[question].to_numpy(), others[question].to_numpy()
            same &= (one == other) | (pd.isna(one) & pd.isna(other))
        whole = whole[same]
    originals = responses["response_id"].map(whole).astype("str")
    return responses.assign(duplicate_of=responses["duplicate_of"].fillna(originals)), feedback


def prefix_length(texts: pd.Series) -> pd.Series:
    """Return each text after its length, so that two texts put together stay apart (as in `schemas.hash_id`).

    >>> prefix_length(pd.Series(["ab"])).tolist()
    ['2:ab']
    """
    return texts.str.len().astype("Int64").astype("str") + ":" + texts


def _write_content(records: pd.DataFrame) -> pd.Series:
    """Write names and values of the filled columns of each record, as `schemas.hash_id` does."""
    whole = pd.Series("", index=records.index, dtype="str")
    for name in sorted(records):
        cells = records[name]
        filled = cells.notna() & (cells != "")
        if filled.any():
            part = f"{len(name)}:{name}" + prefix_length(cells.where(filled))
            whole = whole + part.fillna("")
    return whole
