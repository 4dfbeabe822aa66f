"""Gather: reads from the store what a report is built from."""

import pandas as pd

from vocwb.decisions import fold_decisions
from vocwb.programme import Programme
from vocwb.schemas import join_responses, select_months
from vocwb.store import find_commit, hash_tables, list_versions, read_table


def gather_tables(
    programme: Programme, *, month: str, codebook: pd.DataFrame, decisions: pd.DataFrame
) -> dict[str, object]:
    """Return what `publish.build_report` needs beside the findings and the codebook, by the names it gives it.

    Needs the store after notebook 07 of the month. cut_off is the time of the last response of the month;
    reviewed says whether people have named, merged or retired a topic of this codebook, or marked it as
    reviewed; passport says what the report was made from: no clock, so the same input gives the same page.

    >>> gather_tables(programme, month="2025-12", codebook=codebook, decisions=decisions)  # doctest: +SKIP
    """
    responses, feedback = read_table(programme, "responses"), read_table(programme, "feedback")
    standing = fold_decisions(decisions)
    on_topics = standing[standing["kind"].str.startswith("topic_")]["subject"]
    in_use = standing[standing["kind"] == "codebook_in_use"]["value"]
    last = select_months(responses, month)["received_at"].max()
    inputs = hash_tables(programme, "responses", "feedback")
    opinions = join_responses(feedback, responses)
    return {
        "causes": read_table(programme, "causes", part=month),
        "actions": read_table(programme, "actions", part=month),
        "quality": read_table(programme, "quality", part=month, empty=True),
        "opinions": select_months(opinions, month),
        "undated": 0 if month == "all" else int(opinions["month"].eq("all").sum()),
        "feedback": feedback,
        "ingested": read_table(programme, "ingested"),
        "quarantine": read_table(programme, "quarantine"),
        "whys": standing[standing["kind"] == "why"],
        "reviewed": bool(on_topics.isin(codebook["topic"]).any())
        or any(value.get("reviewed") for value in in_use),
        "cut_off": "the data has no dates" if pd.isna(last) else f"{last:%Y-%m-%d %H:%M} UTC",
        "passport": {
            "programme": programme.name,
            "month": month,
            "codebook": codebook["codebook_id"].iloc[0] if len(codebook) else "no topics were found",
            "encoders": ", ".join(sorted(codebook["encoder_id"].unique())) or "none",
            "code": find_commit(),
        }
        | {f"{name}, SHA-256": digest for name, digest in inputs.items()}
        | list_versions(),
    }
