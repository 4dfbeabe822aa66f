"""Adjusted: differences between groups with what else differs between them held equal."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from vocwb import stats
from vocwb.crosswalk import name_pair
from vocwb.explain.hiding import pair_columns
from vocwb.explain.personas import mark_personas, name_persona
from vocwb.explain.segments import PERSONA, split_by_language
from vocwb.schemas import describe_table, make_findings
from vocwb.understand.metrics import format_interval, format_value

_METHOD = "Mantel-Haenszel weights within strata, cluster-robust by respondent, Benjamini-Hochberg"


def adjust_segments(
    segments: pd.DataFrame, opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame,
    confounders: Iterable[str], labels: Mapping[str, str], *, month: str, smallest: Mapping[str, float],
    pairs: Iterable[Sequence[str]] = (), personas: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on the differences of `segments` with the confounders held equal: within each of their levels.

    segments: what compare_segments of explain.segments found of the same tables; opinions also a column a confounder;
    labels: column -> what people read. For each difference with evidence there: value is the difference from
    everybody else, difference with low and high the same within the strata of all confounders together
    (stats.adjust_difference), both in percentage points and of those whose confounders are known. A confounder
    that is the segment itself, or a part of the pair or persona, is left out; where none is left, so is the
    difference. Measure "difference_adjusted", p adjusted over all of them, verdict against smallest["share"]. What
    is not named stays as it is, so this too is association.

    >>> area = ["city"] * 100 + ["rural"] * 100
    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:03}" for i in range(200)], "respondent_id": None,
    ...     "response_id": [f"r{i:03}" for i in range(200)], "language": "en", "voice": "customer", "month": "2025-01",
    ...     "area": area, "plan": ["free"] * 80 + ["paid"] * 20 + ["free"] * 20 + ["paid"] * 80})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "queue"})
    >>> said = (["T0001"] + ["T0000"] * 9) * 10 + ["T0001", "T0000"] * 50
    >>> assigned = opinions[["feedback_id"]].assign(codebook_id="c", topic=said)
    >>> row = {"period": "2025-01", "subject": "T0001", "measure": "difference", "unit": "pp", "segment": "plan",
    ...        "level": "free", "verdict": stats.EVIDENCE, "claim": "", "method": ""}
    >>> segments = make_findings([row], section="segments", month="2025-01")
    >>> found = adjust_segments(segments, opinions, assigned, codebook, ["area"], {"area": "Area", "plan": "Plan"},
    ...                         month="2025-01", smallest={"share": 5})
    >>> found[["level", "value", "difference"]].round(1).values.tolist()
    [['free', -24.0, 0.0]]
    """
    pairs, personas, confounders = list(pairs), personas or {}, list(confounders)
    columns = {name_pair(*pair): pair for pair in pairs}
    judged = segments[segments["measure"].eq("difference") & segments["verdict"].eq(stats.EVIDENCE)]
    cells = []
    if confounders and len(judged):
        marked = mark_personas(pair_columns(opinions, pairs), personas)
        for heard, mentions, topics in split_by_language(marked, assignments, codebook):
            own = judged[judged["subject"].isin(topics.index)]
            for (segment, level), wanted in own.groupby(["segment", "level"]):
                column = name_persona(level) if segment == PERSONA else segment
                parts = personas.get(level, {}) if segment == PERSONA else columns.get(segment, [segment])
                held = [name for name in confounders if name not in parts]
                if held and column in heard:
                    cells += _adjust_level(heard, mentions, topics, column, wanted, held)
    if not cells:
        return make_findings([], section="segments", month=month)
    cells = stats.judge_family(pd.DataFrame(cells).assign(show="percentages"), smallest=smallest["share"])
    cells["claim"] = [_tell(row, {PERSONA: "Persona"} | dict(labels)) for row in cells.to_dict("records")]
    cells = cells.assign(measure="difference_adjusted", unit="pp", method=_METHOD)
    kept = [column for column in describe_table("findings").columns if column in cells]
    return make_findings(cells[kept], section="segments", month=month)


def _adjust_level(heard, mentions, topics, column: str, wanted: pd.DataFrame, held: list[str]) -> list[dict]:
    """Return a cell for each topic wanted of one level; a unit counts once in each stratum that it has."""
    keys = ["unit", column, *held]
    people = heard[keys].dropna().drop_duplicates(ignore_index=True)
    if people.empty:
        return []
    inside = people[column].eq(wanted["level"].iloc[0]).to_numpy()
    strata = people.groupby(held).ngroup()
    said = mentions[[*keys, "topic"]].dropna().drop_duplicates()
    rows = people.assign(row=range(len(people)))
    cells = []
    for row in wanted.to_dict("records"):
        places = said[said["topic"].eq(row["subject"])].merge(rows, on=keys)["row"]
        values = np.zeros(len(people))
        values[places] = 100.0
        raw = stats.adjust_difference(values, inside, None, people["unit"])
        difference, low, high, p = stats.adjust_difference(values, inside, strata, people["unit"])
        cell = {name: row[name] for name in ("subject", "segment", "level", "period", "feedback_ids")}
        cells.append(
            cell
            | {
                "name": topics[row["subject"]],
                "held": held,
                "raw": raw,
                "value": raw[0],
                "n": int(inside.sum()),
            }
            | {"difference": difference, "low": low, "high": high, "p": p}
        )
    return cells


def _tell(row: dict, labels: Mapping[str, str]) -> str:
    held = " and ".join(labels.get(name, name) for name in row["held"])
    where = f"“{row['name']}” where {labels.get(row['segment'], row['segment'])} is {row['level']}"
    raw = f"{format_value(row['raw'][0], 'pp', signed=True)} ({format_interval(*row['raw'][1:3], 'pp')})"
    if pd.isna(row["difference"]):
        return f"{where}: {raw} against everybody else; no group has both sides once {held} is held equal."
    like = f"{format_value(row['difference'], 'pp', signed=True)} ({format_interval(row['low'], row['high'], 'pp')})"
    return (
        f"{where} (n = {row['n']:,.0f}): {raw} against everybody else; like compared with like, within each level of"
        f" {held}, {like}, {row['verdict']}."
    )
