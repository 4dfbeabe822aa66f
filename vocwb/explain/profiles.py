"""Profiles: how each group feels, of what kind it speaks and how it scores, against everybody else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_effectsize

from vocwb import stats
from vocwb.crosswalk import label_pairs, name_pair
from vocwb.explain.hiding import find_hidden, pair_columns
from vocwb.explain.personas import hide_personas, mark_personas, name_persona
from vocwb.explain.segments import PERSONA
from vocwb.languages import LANGUAGES
from vocwb.schemas import describe_table, make_findings, unit_of
from vocwb.understand.answers import gather_answers, score_unit, smallest_score
from vocwb.understand.metrics import collect_quotes, format_interval, format_value, name_period

KINDS = ("category", "polarity")
"""The columns of codes that are compared; a subject begins with one of them."""

_FEWEST_HITS = (
    5  # expected on each side, of those who do and of those who do not (Cochran 1954, Biometrics 10)
)
_METHOD = "Mantel-Haenszel weights within {}, cluster-robust by respondent, Benjamini-Hochberg; Cohen's {}"


def compare_profiles(
    opinions: pd.DataFrame, codes: pd.DataFrame, responses: pd.DataFrame, questions: Mapping,
    segments: Mapping[str, str], *, month: str, minimum: int, smallest: Mapping[str, float],
    pairs: Iterable[Sequence[str]] = (), personas: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
    beside: pd.DataFrame | None = None, held: Sequence[str] = (),
) -> pd.DataFrame:  # fmt: skip
    """Return findings on what each group speaks of by category, how it feels and how it scores, against all others.

    opinions: feedback_id, response_id, respondent_id, language, voice, month and the segments' columns; codes:
    feedback_id, category, polarity, of one coder a verbatim; responses: response_id, respondent_id, month, voice,
    duplicate_of, population where there is one, the segments' columns and a column a question. segments: column ->
    label; pairs and personas as in explain.segments.measure_cells. Subjects "category:delivery", "polarity:negative"
    and the questions. Shares (%, difference in percentage points) are compared within each language, since coders do
    not read all equally well, and scores within each population, like with like (Mantel and Haenszel's weights,
    stats.adjust_difference); value and compared_value are those of the groups as they are. Both sides need 30
    units where both sides occur, and shares five who do and five who do not on either side.
    Section "segments", measure "difference"; p is adjusted over all rows together with those of `beside`, the findings
    of compare_segments on the same feedback: with the topics it is one family. Levels that hiding.find_hidden and
    personas.hide_personas name are left out. A level that stands out is no part of the rest of the others, step by
    step, as in measure_cells. held: segments that are held equal too; the measure is then "difference_adjusted", and
    of a group that is made of them alone nothing is said.

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
    groups = _Groups(segments, pairs, personas, list(held), minimum)
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
    measure = "difference_adjusted" if held else "difference"
    cells = cells.assign(measure=measure, period=name_period(opinions["month"].unique()))
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
                    for found in rows[at]["again"](others):
                        rows[at] |= found


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
    """The groups that are compared: their columns, what they are called, which may be shown, what is held equal."""

    def __init__(self, segments, pairs, personas, held, minimum: int):
        self.segments, self.pairs, self.personas, self.held, self.minimum = (
            segments,
            pairs,
            personas,
            held,
            minimum,
        )
        self.plain = [*segments, *(name_pair(*pair) for pair in pairs)]
        self.parts = {one: [one] for one in segments} | {name_pair(*pair): list(pair) for pair in pairs}
        self.parts |= {name_persona(name): list(rule) for name, rule in personas.items()}
        self.labels = label_pairs(segments, pairs) | {PERSONA: "Persona"} | dict(segments)

    def mark(self, frame: pd.DataFrame) -> pd.DataFrame:
        return mark_personas(pair_columns(frame, self.pairs), self.personas)

    def list_columns(self, people: pd.DataFrame) -> Iterator[tuple[str, list[str], list[tuple[str, str]]]]:
        """Yield each column with what is held equal in it, and its levels that may be shown: (level, segment)."""
        hidden = find_hidden(people, self.plain, self.pairs, minimum=self.minimum)
        hidden |= hide_personas(people, self.personas, self.plain, hidden, minimum=self.minimum)
        for column, parts in self.parts.items():
            held = [name for name in self.held if name not in parts]
            if column in self.plain:
                levels = [(level, column) for level in sorted(people[column].dropna().unique())]
            else:
                levels = [(column.removeprefix(name_persona("")), PERSONA)]
            levels = [one for one in levels if (column, one[0]) not in hidden]
            if levels and (held or not self.held):
                yield column, held, levels

    def say_within(self, first: str, held: list[str]) -> str:
        return " and ".join([first, *(self.labels.get(name, name) for name in held)])


class _People(NamedTuple):
    """Those of whom a column is known: their level, and numbers of their unit and of their stratum."""

    level: np.ndarray
    unit: np.ndarray
    stratum: np.ndarray


def _lay_people(people: pd.DataFrame, column: str, strata: list[str]) -> _People:
    stratum = people.groupby(strata, dropna=False).ngroup().to_numpy()
    return _People(people[column].to_numpy(dtype=object), pd.factorize(people["unit"])[0], stratum)


def _compare(people: _People, level: str, values: np.ndarray, without: Sequence[str] = ()) -> list[dict]:
    """Return the numbers of a level against the rest without some levels, of each column of values.

    Nothing where either side has under 30 units in the strata that have both.
    """
    kept = ~np.isin(people.level, list(without))
    people, values = _People(*(part[kept] for part in people)), values[kept]
    inside = people.level == level
    both = np.isin(people.stratum, np.intersect1d(people.stratum[inside], people.stratum[~inside]))
    if (
        min(len(np.unique(people.unit[both & side])) for side in (inside, ~inside))
        < stats.FEWEST_FOR_PERCENTAGES
    ):
        return []
    counts = {"n": int(inside.sum()), "compared_n": int((~inside).sum()), "left_out": list(without)}
    counts["several"] = len(np.unique(people.stratum)) > 1
    found = []
    for column in values.T:
        numbers = stats.adjust_difference(column, inside, people.stratum, people.unit)
        row = dict(zip(("difference", "low", "high", "p"), numbers, strict=True))
        found.append(
            counts | row | {"value": column[inside].mean(), "compared_value": column[~inside].mean()}
        )
    return found


def _compare_codes(opinions: pd.DataFrame, codes: pd.DataFrame, groups: _Groups) -> list[dict]:
    """Return a row for each group and each category and polarity that is coded; a unit counts once in a level."""
    heard = opinions[opinions["voice"].eq("customer") & opinions["language"].isin(list(LANGUAGES))]
    heard = heard[heard["feedback_id"].isin(codes["feedback_id"])]
    if heard.empty:
        return []
    heard = heard.sort_values("feedback_id", ignore_index=True)
    heard = groups.mark(heard.assign(unit=pd.factorize(unit_of(heard))[0]))
    kinds = [codes[["feedback_id"]].assign(subject=f"{one}:" + codes[one]) for one in KINDS]
    said = heard.merge(pd.concat(kinds).drop_duplicates(), on="feedback_id")
    subjects = sorted(said["subject"].unique())
    said["place"] = pd.Categorical(said["subject"], subjects).codes
    rows = []
    for column, held, levels in groups.list_columns(heard):
        keys = list(dict.fromkeys(["unit", "language", column, *held]))
        people = heard[keys].dropna().drop_duplicates(ignore_index=True)
        talk = said[[*keys, "place", "feedback_id"]].merge(people.reset_index(names="row"), on=keys)
        values = np.zeros((len(people), len(subjects)))
        values[talk["row"], talk["place"]] = 100.0
        laid = _lay_people(people, column, ["language", *held])
        place = {
            "unit": "pp",
            "within": groups.say_within("language", held),
            "method": _METHOD.format("languages", "h"),
        }
        for level, segment in levels:
            enough = _have_enough(values, laid.level == level)
            ids = talk[talk[column].eq(level)].groupby("place")["feedback_id"].agg(list)
            found = _compare(laid, level, values[:, enough])
            for at, row in zip(enough, found, strict=bool(found)):
                row |= place | {"subject": subjects[at], "segment": segment, "level": level}
                row |= {"again": partial(_compare, laid, level, values[:, [at]])}
                rows.append(row | {"feedback_ids": ids.get(at, [])})
    return rows


def _have_enough(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return the columns in which, were both sides alike, enough of either side do and enough do not."""
    share = (values > 0).mean(axis=0)
    return np.flatnonzero(min(inside.sum(), (~inside).sum()) * np.minimum(share, 1 - share) >= _FEWEST_HITS)


def _compare_scores(responses, opinions, name: str, question, groups: _Groups) -> list[dict]:
    heard = responses[responses["voice"].eq("customer") & responses["duplicate_of"].isna()]
    answers = gather_answers(heard, name, question)
    if answers.empty:
        return []
    known = heard.drop_duplicates("response_id").set_index("response_id")
    people = answers.join(known[list(groups.segments)], on="response_id")
    people["population"] = people["response_id"].map(known["population"]) if "population" in known else ""
    people = groups.mark(people)
    said = opinions.groupby("response_id")["feedback_id"].agg(list)
    rows = []
    for column, held, levels in groups.list_columns(people):
        own = people.dropna(subset=[column, *held]).reset_index(drop=True)
        scores, laid = own[["score"]].to_numpy(dtype=float), _lay_people(own, column, ["population", *held])
        place = {
            "within": groups.say_within("population", held),
            "method": _METHOD.format("populations", "d"),
        }
        place |= {"subject": name, "name": question.label or name, "unit": score_unit(question)}
        for level, segment in levels:
            inside = laid.level == level
            for row in _compare(laid, level, scores):
                spread = np.sqrt((scores[inside].var(ddof=1) + scores[~inside].var(ddof=1)) / 2)
                row |= place | {"segment": segment, "level": level, "spread": spread}
                row |= {"again": partial(_compare, laid, level, scores)}
                rows.append(row | {"feedback_ids": collect_quotes(said, own[inside])})
    return rows


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
