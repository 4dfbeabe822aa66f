"""Who says it: the share of each topic in each level of a segment, against the rest."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from vocwb import stats
from vocwb.schemas import make_findings, unit_of
from vocwb.understand.assignment import find_space
from vocwb.understand.metrics import describe_difference, name_period
from vocwb.understand.naming import list_standing


def split_by_language(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame, pd.Series]]:
    """Yield (heard, mentions, topics) for each language of the codebook, so that like is set against like.

    heard: customers' opinions in that language ("multi": in those without topics of their own) that went through
    the assignment, with `unit`, a number for each respondent (schemas.unit_of), sorted by feedback_id. An opinion
    without any assignment, not even schemas.OUTLIER, was not looked at and is left out. mentions: heard with `topic`,
    once for each topic of the opinion. topics: name by topic id, sorted; without the outliers.

    opinions: feedback_id, response_id, respondent_id, language, voice; assignments: feedback_id,
    codebook_id, topic; codebook: codebook_id, topic, language, name, and as understand.naming.apply_decisions
    gives it also merged_into and retired (such topics are left out; apply_to_assignments moves their verbatims) and
    voice (staff's topics are left out).

    >>> opinions = pd.DataFrame({"feedback_id": ["a", "b"], "response_id": ["r", "s"], "respondent_id": None,
    ...                          "language": "en", "voice": "customer"})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "queue"})
    >>> assigned = pd.DataFrame({"feedback_id": ["a", "b"], "codebook_id": "c", "topic": ["T0001", "T0000"]})
    >>> [(len(heard), len(talk)) for heard, talk, _ in split_by_language(opinions, assigned, codebook)]
    [(2, 1)]
    """
    heard = opinions[opinions["voice"] == "customer"].sort_values("feedback_id", ignore_index=True)
    heard["unit"] = pd.factorize(unit_of(heard))[0]
    assigned = assignments[assignments["codebook_id"].isin(codebook["codebook_id"].unique())]
    rows = pd.Index(heard["feedback_id"]).get_indexer(assigned["feedback_id"])
    found = pd.DataFrame({"row": rows, "topic": assigned["topic"].to_numpy()})[rows >= 0]
    looked_at = np.zeros(len(heard), dtype=bool)
    looked_at[found["row"]] = True
    known = list_standing(codebook)
    if "voice" in codebook:
        known = known[known["voice"] == "customer"]
    known = known.drop_duplicates("topic", keep="last").sort_values("topic")
    spaces = find_space(heard, known)
    for language, topics in known.groupby("language"):
        names = topics.set_index("topic")["name"]
        in_scope = looked_at & (spaces == language).to_numpy()
        talk = found.assign(topic=names.index.get_indexer(found["topic"]))
        talk = (
            talk[in_scope[talk["row"]] & (talk["topic"] >= 0)].drop_duplicates().sort_values(["row", "topic"])
        )
        mentions = heard.iloc[talk["row"]].assign(topic=pd.Categorical.from_codes(talk["topic"], names.index))
        yield heard[in_scope], mentions, names


def count_cells(heard: pd.DataFrame, mentions: pd.DataFrame, topics: pd.Index, column: str) -> pd.DataFrame:
    """Return, for each level of a segment and each topic, who mentions it in the level and in the rest.

    Takes heard and mentions of split_by_language. Gives level, topic, k of n in the level, rest_k of rest_n
    in the rest, and feedback_ids of the topic in the level. A unit counts once in each level that it has:
    counted once in the whole rest, someone with several levels would have more occasions to mention a topic
    there, and levels without any difference would differ.

    >>> heard = pd.DataFrame({"unit": [0, 1, 1], "plan": ["free", "free", "paid"],
    ...                       "feedback_id": ["a", "b", "c"]})
    >>> cells = count_cells(heard, heard.tail(1).assign(topic="T0001"), pd.Index(["T0001"]), "plan")
    >>> cells[["level", "k", "n", "rest_k", "rest_n"]].values.tolist()
    [['free', 0, 2, 1, 1], ['paid', 1, 1, 0, 2]]
    """
    kept = heard[column].notna()
    members = heard.loc[kept, ["unit", column]].drop_duplicates()
    n = members.groupby(column).size()
    talk = mentions[mentions[column].notna()]
    cell = pd.Index(topics).get_indexer(talk["topic"]) + len(topics) * n.index.get_indexer(talk[column])
    pairs = pd.DataFrame({"cell": cell, "unit": talk["unit"].to_numpy()}).drop_duplicates()
    k = np.bincount(pairs["cell"], minlength=len(n) * len(topics)).reshape(len(n), len(topics))
    order = np.argsort(cell, kind="stable")
    ends = np.cumsum(np.bincount(cell, minlength=k.size))[:-1]
    quotes = np.split(talk["feedback_id"].to_numpy(dtype=object)[order], ends) if k.size else []
    sizes = np.repeat(n.to_numpy(), len(topics))
    return pd.DataFrame(
        {
            "level": np.repeat(n.index.to_numpy(), len(topics)), "topic": np.tile(topics, len(n)),
            "k": k.ravel(), "n": sizes, "rest_k": (k.sum(axis=0) - k).ravel(), "rest_n": len(members) - sizes,
            "feedback_ids": [ids.tolist() for ids in quotes],
        }
    )  # fmt: skip


def compare_segments(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame, segments: Mapping[str, str], *,
    month: str, minimum: int, smallest: Mapping[str, float],
) -> pd.DataFrame:  # fmt: skip
    """Return findings on the share of each topic in each level of each segment, against the rest.

    Needs the columns of split_by_language, opinions also month and the segments' columns (column -> label).
    Measure "difference": value and compared_value in % of units (respondents where known), difference, low
    and high in percentage points; the rest are all other known levels. Languages are not mixed. p is adjusted
    over all cells together. Levels under `minimum`, or whose rest is, are left out. feedback_ids: the
    feedback of the topic in the level. smallest: share, in percentage points.

    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:03}" for i in range(80)], "respondent_id": None,
    ...     "response_id": [f"r{i:03}" for i in range(80)], "month": "2025-01", "language": "en",
    ...     "voice": "customer", "plan": ["free", "paid"] * 40})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "queue"})
    >>> assignments = opinions[["feedback_id"]].assign(codebook_id="c", topic=["T0001", "T0000"] * 40)
    >>> found = compare_segments(opinions, assignments, codebook, {"plan": "Plan"}, month="2025-01",
    ...                          minimum=5, smallest={"share": 5})
    >>> found[["level", "value", "compared_value", "difference"]].values.tolist()
    [['free', 100.0, 0.0, 100.0], ['paid', 0.0, 100.0, -100.0]]
    """
    tables, names = [], {}
    for heard, mentions, topics in split_by_language(opinions, assignments, codebook):
        names |= topics.to_dict()
        tables += [
            count_cells(heard, mentions, topics.index, column).assign(segment=column) for column in segments
        ]
    cells = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame({"n": [], "rest_n": []})
    cells["show"] = [stats.show_level(n, minimum) for n in np.minimum(cells["n"], cells["rest_n"])]
    cells = cells[cells["show"] != "hidden"].reset_index(drop=True)
    if cells.empty:
        return make_findings([], section="segments", month=month)
    compared = stats.compare_shares(cells["k"], cells["n"], cells["rest_k"], cells["rest_n"])
    cells[["difference", "low", "high"]] = 100 * compared[["difference", "low", "high"]]
    cells = cells.assign(
        p=compared["p"], value=100 * cells["k"] / cells["n"], unit="pp",
        compared_value=100 * cells["rest_k"] / cells["rest_n"], compared_n=cells["rest_n"],
    )  # fmt: skip
    cells = stats.judge_family(cells, smallest=smallest["share"])
    cells["claim"] = [_describe_cell(row, names, segments) for row in cells.to_dict("records")]
    cells = cells.rename(columns={"topic": "subject"}).drop(columns=["k", "rest_k", "rest_n"])
    cells = cells.assign(
        measure="difference", period=name_period(opinions["month"].unique()),
        method="Newcombe interval, Fisher mid-p, Benjamini-Hochberg",
    )  # fmt: skip
    return make_findings(cells, section="segments", month=month)


def _describe_cell(row: dict, names: Mapping[str, str], segments: Mapping[str, str]) -> str:
    what, here = f"“{names[row['topic']]}”", f"where {segments[row['segment']]} is {row['level']}"
    if row["verdict"] == stats.TOO_FEW_TO_SHOW:
        sides = (
            f"{row['k']:,} of {row['n']:,.0f} {here} and {row['rest_k']:,} of {row['rest_n']:,} of the rest"
        )
        return f"{what}: {sides} mention it; too few for percentages."
    return describe_difference(row, what=what, here=here, there="in the rest")
