"""Stages: where in the journey each topic is spoken of, and what helps and hinders at each stage."""

from collections.abc import Iterable

import pandas as pd

from vocwb import stats
from vocwb.explain.hiding import find_hidden
from vocwb.explain.segments import split_by_language
from vocwb.schemas import describe_table, make_findings
from vocwb.understand.metrics import format_interval, format_value, name_period

STAGE = "stage"
SIDES = {"helping": "positive", "hindering": "negative"}
"""What helps is what people mention with praise, what hinders with complaint."""

_METHOD = "share of respondents, Wilson interval"
_WORDS = {"share": "mention", "helping": "mention with praise", "hindering": "mention with complaint"}


def measure_stages(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame, codes: pd.DataFrame,
    stages: Iterable[str], *, month: str, minimum: int, topics: int = 12, factors: int = 3,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on who mentions each topic at each stage of the journey, and on what helps and hinders there.

    Needs what explain.segments.split_by_language needs, opinions also stage and month; codes: feedback_id, polarity, of
    one coder a verbatim; stages: those that the programme declares, in their order: those where nobody was heard stand
    here too. Languages are not mixed. Section "stages", segment "stage", level the stage. Measures, in % of the
    units (respondents where known) heard at the stage in the language, with Wilson's interval:
    - "heard", subject "all:<language>": how many units that is (unit "count");
    - "share" of the `topics` largest topics of each language;
    - "helping" and "hindering": who mentions a topic in a verbatim that is coded positive, or negative; the
      `factors` topics that most do so at each stage. What is coded mixed or otherwise is neither.
    A stage of 5 to 29 units is told in counts; those that hiding.find_hidden names are hidden.

    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:02}" for i in range(40)], "respondent_id": None,
    ...     "response_id": [f"r{i:02}" for i in range(40)], "month": "2025-01", "language": "en",
    ...     "voice": "customer", "stage": "delivery"})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "late"})
    >>> assigned = opinions[["feedback_id"]].assign(codebook_id="c", topic=["T0001", "T0000"] * 20)
    >>> codes = opinions[["feedback_id"]].assign(polarity="negative")
    >>> found = measure_stages(opinions, assigned, codebook, codes, ["joining", "delivery"], month="2025-01", minimum=5)
    >>> found[["measure", "level", "value"]].fillna(0).values.tolist()[:2]
    [['heard', 'joining', 0.0], ['heard', 'delivery', 40.0]]
    """
    feelings = codes.drop_duplicates("feedback_id").set_index("feedback_id")["polarity"]
    rows = []
    if len(opinions) and opinions[STAGE].notna().any():
        places = list(dict.fromkeys([*stages, *sorted(opinions[STAGE].dropna().unique())]))
        for heard, mentions, names in split_by_language(opinions, assignments, codebook):
            language = codebook.set_index("topic").at[names.index[0], "language"]
            of = _Language(
                heard, mentions.assign(side=mentions["feedback_id"].map(feelings)), places, minimum
            )
            largest = _list_largest(mentions, topics)
            rows += [of.tell_stage(stage) | {"subject": f"all:{language}"} for stage in places]
            rows += [
                of.tell("share", stage, topic, names[topic], of.mentions[of.mentions["topic"] == topic])
                for topic in largest
                for stage in places
            ]
            for measure, side in SIDES.items():
                said = of.mentions[of.mentions["side"] == side]
                for stage in of.shown:
                    here = said[said[STAGE] == stage]
                    rows += [
                        of.tell(measure, stage, topic, names[topic], said[said["topic"] == topic])
                        for topic in _list_largest(here, factors)
                    ]
    if not rows:
        return make_findings([], section="stages", month=month)
    frame = pd.DataFrame(rows).assign(
        period=name_period(opinions["month"].unique()), segment=STAGE, method=_METHOD
    )
    kept = [column for column in describe_table("findings").columns if column in frame]
    return make_findings(frame[kept], section="stages", month=month)


def _list_largest(mentions: pd.DataFrame, most: int) -> list[str]:
    units = mentions[["topic", "unit"]].astype({"topic": "str"}).drop_duplicates().groupby("topic").size()
    return sorted(units.index, key=lambda topic: (-units[topic], topic))[:most]


class _Language:
    """What was heard in one language, and which of its stages may be shown."""

    def __init__(self, heard: pd.DataFrame, mentions: pd.DataFrame, places: list[str], minimum: int):
        sizes = heard[["unit", STAGE]].dropna().drop_duplicates().groupby(STAGE).size()
        self.sizes = {stage: int(sizes.get(stage, 0)) for stage in places}
        self.hidden = {level for _, level in find_hidden(heard, [STAGE], minimum=minimum)}
        if len(sizes) == 1 and sizes.iloc[0] >= minimum:  # an empty rest tells of nobody
            self.hidden = set()
        self.shown = [stage for stage in places if self.sizes[stage] and stage not in self.hidden]
        self.heard, self.mentions, self.minimum = heard, mentions, minimum

    def tell_stage(self, stage: str) -> dict:
        row = {"measure": "heard", "level": stage, "unit": "count"}
        if stage in self.hidden:
            claim = f"At the stage {stage} too small a group was heard to be shown."
            return row | {"verdict": stats.HIDDEN, "claim": claim}
        n = self.sizes[stage]
        ids = self.heard.loc[self.heard[STAGE] == stage, "feedback_id"].tolist()
        claim = f"At the stage {stage} {n:,} were heard." if n else f"At the stage {stage} nobody was heard."
        return row | {"value": n, "n": n, "feedback_ids": ids, "claim": claim}

    def tell(self, measure: str, stage: str, topic: str, name: str, said: pd.DataFrame) -> dict:
        row = {"measure": measure, "level": stage, "subject": topic, "unit": "%"}
        n, what = self.sizes[stage], f"“{name}” at the stage {stage}:"
        if stage in self.hidden:
            return row | {"verdict": stats.HIDDEN, "claim": f"{what} hidden, because too few were heard."}
        if not n:
            return row | {"n": 0, "claim": f"{what} nobody was heard there."}
        here = said[said[STAGE] == stage]
        k = int(here["unit"].nunique())
        row |= {"n": n, "feedback_ids": sorted(here["feedback_id"])}
        words = f"{_WORDS[measure]} it"
        if stats.show_level(n, self.minimum) == "counts":
            few = {"value": k, "unit": "count", "verdict": stats.TOO_FEW_TO_SHOW}
            return row | few | {"claim": f"{what} {k:,} of {n:,} {words}; too few for percentages."}
        low, high = (100 * float(limit[0]) for limit in stats.share_interval(k, n))
        span = format_interval(low, high, "%")
        claim = f"{what} {format_value(100 * k / n, '%')} of {n:,} {words} ({span})."
        return row | {"value": 100 * k / n, "low": low, "high": high, "claim": claim}
