"""Profiles: how each group feels, of what kind it speaks and how it scores, against everybody else."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_effectsize

from vocwb import stats
from vocwb.crosswalk import name_pair
from vocwb.explain.hiding import find_hidden, pair_columns
from vocwb.explain.paradoxes import adjust_difference
from vocwb.explain.personas import hide_personas, mark_personas, name_persona
from vocwb.explain.segments import PERSONA
from vocwb.languages import LANGUAGES
from vocwb.schemas import describe_table, make_findings, unit_of
from vocwb.understand.answers import gather_answers, score_unit, smallest_score
from vocwb.understand.metrics import collect_quotes, format_interval, format_value, name_period

KINDS = {"category": "category", "polarity": "polarity"}
"""The columns of codes that are compared, with the word that a subject begins with."""

_FEWEST_HITS = (
    5  # expected on each side, of those who do and of those who do not (Cochran 1954, Biometrics 10)
)
_METHOD = "Mantel-Haenszel weights within {}, cluster-robust by respondent, Benjamini-Hochberg; Cohen's {}"


def compare_profiles(
    opinions: pd.DataFrame, codes: pd.DataFrame, responses: pd.DataFrame, questions: Mapping,
    segments: Mapping[str, str], *, month: str, minimum: int, smallest: Mapping[str, float],
    pairs: Iterable[Sequence[str]] = (), personas: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    beside: pd.DataFrame | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on what each group speaks of by category, how it feels and how it scores, against all others.

    opinions: feedback_id, response_id, respondent_id, language, voice, month and the segments' columns; codes:
    feedback_id, category, polarity, of one coder a verbatim; responses: response_id, respondent_id, month, voice,
    duplicate_of, population where there is one, the segments' columns and a column a question. segments: column ->
    label; pairs and personas as in explain.segments.measure_cells. Subjects "category:delivery", "polarity:negative"
    and the questions. Shares (%, difference in percentage points) are compared within each language, since coders do
    not read all equally well, and scores within each population, like with like (Mantel and Haenszel's weights,
    paradoxes.adjust_difference); value and compared_value are those of the groups as they are. Both sides need 30
    units where both sides occur, and shares five who do and five who do not on either side.
    Section "segments", measure "difference"; p is adjusted over all rows together with those of `beside`, the findings
    of compare_segments on the same feedback: with the topics it is one family. Levels that hiding.find_hidden and
    personas.hide_personas name are left out. A level that stands out is no part of the rest of the others, step by
    step, as in measure_cells.

    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:03}" for i in range(200)], "respondent_id": None,
    ...     "response_id": [f"r{i:03}" for i in range(200)], "language": "en", "voice": "customer", "month": "2025-01",
    ...     "duplicate_of": None, "plan": ["free", "paid"] * 100})
    >>> codes = opinions[["feedback_id"]].assign(category=["staff", "price", "price", "price"] * 50, polarity="mixed")
    >>> found = compare_profiles(opinions, codes, opinions, {}, {"plan": "Plan"}, month="2025-01", minimum=5,
    ...                          smallest={"share": 5, "nps": 5, "mean": 0.2})
    >>> found.query("level == 'free' and subject == 'category:price'")[["value", "compared_value"]].values.tolist()
    [[50.0, 100.0]]
    """
    pairs, personas = list(pairs), personas or {}
    groups = _Groups(segments, pairs, personas, minimum)
    rows = _compare_codes(opinions, codes, groups)
    for name, question in questions.items():
        rows += _compare_scores(responses, opinions, name, question, groups)
    if not rows:
        return make_findings([], section="segments", month=month)
    least = [
        smallest["share"] if row["unit"] == "pp" else smallest_score(questions[row["subject"]], smallest)
        for row in rows
    ]
    cells = _clear_rests(rows, least, None if beside is None else beside["p"].astype(float))
    cells["claim"] = [_tell(row, groups.labels) for row in cells.to_dict("records")]
    cells = cells.assign(measure="difference", period=name_period(opinions["month"].unique()))
    kept = [column for column in describe_table("findings").columns if column in cells]
    return make_findings(cells[kept], section="segments", month=month)


def _clear_rests(rows: list[dict], least: list[float], beside: pd.Series | None) -> pd.DataFrame:
    """Return judged cells; a level that stands out is no part of the rest of others, as in explain.segments."""
    standing: set[int] = set()
    while True:
        cells = _judge(rows, least, beside)
        new = cells[cells["verdict"].eq(stats.EVIDENCE) & ~cells.index.isin(standing)]
        new = new.sort_values(["p", "level"]).drop_duplicates(["segment", "subject"])
        new = new[new["segment"].ne(PERSONA)]
        if new.empty:
            return cells
        standing |= set(new.index)
        for segment, subject in zip(new["segment"], new["subject"], strict=True):
            own = cells.index[cells["segment"].eq(segment) & cells["subject"].eq(subject)]
            out = {rows[at]["level"] for at in own if at in standing}
            for at in own:
                if others := sorted(out - {rows[at]["level"]}):
                    found = rows[at]["again"](others)
                    rows[at] |= found | {"left_out": others} if found else {}


def _judge(rows: list[dict], least: list[float], beside: pd.Series | None) -> pd.DataFrame:
    cells = pd.DataFrame(rows).drop(columns="again").assign(show="percentages")
    cells = stats.judge_family(cells, smallest=least)
    if beside is not None and len(beside):
        cells["p_adjusted"] = stats.adjust_p(pd.concat([cells["p"], beside], ignore_index=True))[: len(cells)]
        judged = zip(cells["low"], cells["high"], least, cells["p_adjusted"], strict=True)
        cells["verdict"] = [
            stats.give_verdict(low, high, smallest=one, p_adjusted=p) for low, high, one, p in judged
        ]
    return cells


class _Groups:
    """The groups that are compared: their columns, what they are called, and which of them may be shown."""

    def __init__(self, segments, pairs, personas, minimum: int):
        self.segments, self.pairs, self.personas, self.minimum = segments, pairs, personas, minimum
        self.plain = [*segments, *(name_pair(*pair) for pair in pairs)]
        self.columns = [*self.plain, *map(name_persona, personas)]
        self.labels = {name_pair(*pair): " x ".join(segments.get(one, one) for one in pair) for pair in pairs}
        self.labels |= {PERSONA: "Persona"} | dict(segments)

    def mark(self, frame: pd.DataFrame) -> pd.DataFrame:
        return mark_personas(pair_columns(frame, self.pairs), self.personas)

    def list_levels(self, people: pd.DataFrame) -> list[tuple[str, str, str]]:
        """Return column, level, and the name of the segment, of the levels that may be shown of these people."""
        hidden = find_hidden(people, self.plain, self.pairs, minimum=self.minimum)
        hidden |= hide_personas(people, self.personas, self.plain, hidden, minimum=self.minimum)
        found = [(one, level, one) for one in self.plain for level in sorted(people[one].dropna().unique())]
        found += [(name_persona(name), name, PERSONA) for name in self.personas]
        return [one for one in found if one[:2] not in hidden]


def _compare_codes(opinions: pd.DataFrame, codes: pd.DataFrame, groups: _Groups) -> list[dict]:
    """Return a row for each group and each category and polarity that is coded; a unit counts once in a level."""
    heard = opinions[opinions["voice"].eq("customer") & opinions["language"].isin(list(LANGUAGES))]
    heard = heard[heard["feedback_id"].isin(codes["feedback_id"])].sort_values(
        "feedback_id", ignore_index=True
    )
    if heard.empty:
        return []
    heard = groups.mark(heard.assign(unit=pd.factorize(unit_of(heard))[0]))
    kinds = [
        codes[["feedback_id"]].assign(subject=word + ":" + codes[column]) for column, word in KINDS.items()
    ]
    said = heard.merge(pd.concat(kinds).drop_duplicates(), on="feedback_id")
    subjects = sorted(said["subject"].unique())
    said["place"] = pd.Categorical(said["subject"], subjects).codes
    rows = []
    for column, level, segment in groups.list_levels(heard):
        keys = ["unit", "language", column]
        people = heard[keys].dropna().drop_duplicates(ignore_index=True)
        talk = (
            said[[*keys, "place", "feedback_id"]]
            .dropna(subset=keys)
            .merge(people.reset_index(names="row"), on=keys)
        )
        values = np.zeros((len(people), len(subjects)))
        values[talk["row"], talk["place"]] = 100.0
        compare = partial(_compare, people.rename(columns={"language": "stratum"}), column, level)
        for at in range(len(subjects)):
            row = compare(values[:, at])
            if not row or not _has_enough(values[:, at], people[column].eq(level)):
                continue
            here = talk["place"].eq(at) & talk[column].eq(level)
            row |= {
                "subject": subjects[at],
                "segment": segment,
                "level": level,
                "unit": "pp",
                "within": "language",
            }
            row |= {"again": partial(compare, values[:, at]), "method": _METHOD.format("languages", "h")}
            rows.append(row | {"feedback_ids": talk.loc[here, "feedback_id"].tolist()})
    return rows


def _has_enough(values: np.ndarray, inside: pd.Series) -> bool:
    """Return whether on either side enough do and do not, were both sides alike."""
    share = (values > 0).mean()
    return min(inside.sum(), (~inside).sum()) * min(share, 1 - share) >= _FEWEST_HITS


def _compare_scores(responses, opinions, name: str, question, groups: _Groups) -> list[dict]:
    heard = responses[responses["voice"].eq("customer") & responses["duplicate_of"].isna()]
    answers = gather_answers(heard, name, question)
    if answers.empty:
        return []
    known = heard.drop_duplicates("response_id").set_index("response_id")
    people = answers.join(known[list(groups.segments)], on="response_id")
    people["unit"] = pd.factorize(people["unit"])[0]
    people["population"] = people["response_id"].map(known["population"]) if "population" in known else ""
    people = groups.mark(people)
    said = opinions.groupby("response_id")["feedback_id"].agg(list)
    rows = []
    for column, level, segment in groups.list_levels(people):
        own = people[people[column].notna()].reset_index(drop=True)
        scores = own["score"].to_numpy(dtype=float)
        compare = partial(_compare, own.rename(columns={"population": "stratum"}), column, level)
        if row := compare(scores):
            inside = own[column].eq(level).to_numpy()
            spread = np.sqrt((scores[inside].var(ddof=1) + scores[~inside].var(ddof=1)) / 2)
            row |= {"subject": name, "segment": segment, "level": level, "unit": score_unit(question)}
            row |= {"spread": spread, "within": "population"}
            row |= {"again": partial(compare, scores), "method": _METHOD.format("populations", "d")}
            row |= {"name": question.label or name, "feedback_ids": collect_quotes(said, own[inside])}
            rows.append(row)
    return rows


def _compare(
    people: pd.DataFrame, column: str, level: str, values: np.ndarray, without: Sequence[str] = ()
) -> dict | None:
    """Return the numbers of a level against the rest without some levels; None under 30 units where both sides occur.

    people: unit, stratum and the column, a row a value.
    """
    kept = ~people[column].isin(list(without)).to_numpy()
    people, values = people[kept], values[kept]
    inside = people[column].eq(level).to_numpy()
    strata = people["stratum"]
    both = strata.isin(set(strata[inside]) & set(strata[~inside])).to_numpy()
    units = people["unit"]
    if min(units[both & side].nunique() for side in (inside, ~inside)) < stats.FEWEST_FOR_PERCENTAGES:
        return None
    numbers = dict(
        zip(("difference", "low", "high", "p"), adjust_difference(values, inside, strata, units), strict=True)
    )
    counts = {"n": int(inside.sum()), "compared_n": int((~inside).sum()), "several": strata.nunique() > 1}
    return (
        numbers
        | counts
        | {"value": values[inside].mean(), "compared_value": values[~inside].mean(), "left_out": []}
    )


def _tell(row: dict, labels: Mapping[str, str]) -> str:
    unit = row["unit"]
    side = "%" if unit == "pp" else unit
    kind, _, code = row["subject"].partition(":")
    what = f"{kind} “{code}”" if unit == "pp" else row["name"]
    where = f"where {labels.get(row['segment'], row['segment'])} is {row['level']}"
    rest = f"the rest without {', '.join(row['left_out'])}" if row["left_out"] else "the rest"
    if unit == "pp":
        effect = float(proportion_effectsize(row["value"] / 100, row["compared_value"] / 100))
    else:
        effect = row["difference"] / row["spread"] if row["spread"] > 0 else np.nan
    like = f"; within each {row['within']}, like compared with like," if row["several"] else ":"
    return (
        f"{what}: {format_value(row['value'], side)} {where} (n = {row['n']:,.0f}) against"
        f" {format_value(row['compared_value'], side)} in {rest} (n = {row['compared_n']:,.0f}){like}"
        f" {format_value(row['difference'], unit, signed=True)} ({format_interval(row['low'], row['high'], unit)}),"
        f" {row['verdict']}; effect size {effect:+.2f}."
    )
