"""Who says it: the share of each topic in each level of a segment, against the rest."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_effectsize

from vocwb import stats
from vocwb.crosswalk import label_pairs, name_pair
from vocwb.explain.hiding import find_hidden, pair_columns
from vocwb.explain.personas import hide_personas, mark_personas, name_persona
from vocwb.schemas import describe_table, make_findings, unit_of
from vocwb.understand.assignment import find_space
from vocwb.understand.metrics import describe_difference, format_interval, format_value, name_period
from vocwb.understand.naming import list_standing

PERSONA = "persona"
"""The segment whose levels are the programme's personas."""


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
    rows = _locate(assigned["feedback_id"], heard["feedback_id"])
    found = pd.DataFrame({"row": rows, "topic": assigned["topic"].to_numpy()})[rows >= 0]
    looked_at = np.zeros(len(heard), dtype=bool)
    looked_at[found["row"]] = True
    known = list_standing(codebook)
    if "voice" in codebook:
        known = known[known["voice"] == "customer"]
    known = known.drop_duplicates("topic", keep="last").sort_values("topic")
    spoken, languages = pd.factorize(heard["language"])
    spaces = find_space(pd.DataFrame({"language": languages}), known).to_numpy(dtype=object)[spoken]
    for language, topics in known.groupby("language"):
        names = topics.set_index("topic")["name"]
        in_scope = looked_at & (spaces == language)
        talk = found.assign(topic=_locate(found["topic"], names.index))
        talk = (
            talk[in_scope[talk["row"]] & (talk["topic"] >= 0)].drop_duplicates().sort_values(["row", "topic"])
        )
        mentions = heard.iloc[talk["row"]].assign(topic=pd.Categorical.from_codes(talk["topic"], names.index))
        yield heard[in_scope], mentions, names


def _locate(values: pd.Series, among: pd.Series | pd.Index) -> np.ndarray:
    """Return where each value stands among those, which differ; -1: nowhere. Faster on strings than get_indexer."""
    both = pd.concat([pd.Series(part, dtype="str").reset_index(drop=True) for part in (among, values)])
    codes = pd.factorize(both)[0]
    found = codes[len(among) :]
    return np.where(found < len(among), found, -1)


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
    cell = _locate(talk["topic"], topics) + len(topics) * _locate(talk[column], n.index)
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


def measure_cells(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame, segments: Iterable[str], *,
    minimum: int, smallest: Mapping[str, float], pairs: Iterable[Sequence[str]] = (),
    personas: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return a row for each topic in each level of each segment, with all that is known of it against the rest.

    Needs the columns of split_by_language, opinions also the segments' columns. pairs: segments of two columns, as
    ("plan", "region"), whose levels are "free x north". personas: name -> segment -> values (personas.mark_personas),
    which are levels of a segment "persona", each compared with all who are not in it. Gives segment, level, topic,
    name, k of n units (respondents where known), rest_k of compared_n in the rest, value and compared_value (%),
    difference with low and high (percentage points, compare_shares), effect_size (Cohen's h: 0.2 small, 0.5 medium,
    0.8 large; Cohen 1988), p,
    p_adjusted (over all rows), verdict, feedback_ids of the topic in the level, and shrunk with shrunk_low and
    shrunk_high: the level's share in the light of the other levels' (%, stats.shrink_shares), which is given from the
    programme's minimum on, where percentages begin only at 30. Languages are not mixed. Levels that hiding.find_hidden
    names are not there, though they count in the rest of others. smallest: share, in percentage points.

    The rest are all other known levels, but for those that stand out themselves (left_out): step by step, the level
    with the smallest p of those with evidence is left out of the rest of the others, where 30 units are left. Else
    one level that is high makes all others "lower than the rest", which says the same thing again.

    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:03}" for i in range(80)], "respondent_id": None,
    ...     "response_id": [f"r{i:03}" for i in range(80)], "language": "en", "voice": "customer",
    ...     "plan": ["free", "paid"] * 40})
    >>> codebook = pd.DataFrame({"codebook_id": ["c"], "topic": ["T0001"], "language": "en", "name": "queue"})
    >>> assignments = opinions[["feedback_id"]].assign(codebook_id="c", topic=["T0001", "T0000"] * 20 + ["T0000"] * 40)
    >>> found = measure_cells(opinions, assignments, codebook, ["plan"], minimum=5, smallest={"share": 5})
    >>> found[["level", "value", "compared_value", "effect_size", "shrunk"]].round(2).values.tolist()
    [['free', 50.0, 0.0, 1.57, 49.0], ['paid', 0.0, 50.0, -1.57, 0.71]]
    """
    segments, pairs, personas = list(segments), list(pairs), personas or {}
    named = [column for pair in pairs for column in pair]
    named += [column for rule in personas.values() for column in rule]
    parents = [column for column in dict.fromkeys(named) if column not in segments]
    needed = ["feedback_id", "response_id", "respondent_id", "language", "voice", *segments, *parents]
    opinions = mark_personas(pair_columns(opinions[needed], pairs), personas)
    plain = [*segments, *(name_pair(*pair) for pair in pairs)]
    of_persona = {name_persona(name): name for name in personas}
    columns = [*plain, *of_persona]
    tables = []
    for heard, mentions, topics in split_by_language(opinions, assignments, codebook):
        hidden = find_hidden(heard, [*columns, *parents], pairs, minimum=minimum)
        hidden |= hide_personas(heard, personas, [*plain, *parents], hidden, minimum=minimum)
        for column in columns:
            cells = count_cells(heard, mentions, topics.index, column)
            cells = cells[~cells["level"].isin([level for of, level in hidden if of == column])]
            sides = (cells[name].to_numpy().reshape(-1, len(topics)) for name in ("k", "n"))
            shrunk = (100 * part.ravel() for part in stats.shrink_shares(*sides))
            cells = cells.assign(**dict(zip(("shrunk", "shrunk_low", "shrunk_high"), shrunk, strict=True)))
            cells = cells[cells["level"].eq(of_persona.get(column, cells["level"]))]
            tables.append(cells.assign(segment=column, name=cells["topic"].map(topics)))
    cells = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()
    if cells.empty:
        return cells
    cells = cells.rename(columns={"rest_n": "compared_n"}).assign(
        unit="pp", left_out=[[] for _ in range(len(cells))]
    )
    whole = cells[["rest_k", "compared_n"]]
    standing = pd.Series(False, cells.index)
    while True:
        cells = _judge_cells(cells, minimum, smallest["share"])
        # One at a time, the surest first: beside it the others are seen as they are.
        new = cells[cells["verdict"].eq(stats.EVIDENCE) & ~standing].sort_values(["p", "level"])
        new = new.drop_duplicates(["segment", "topic"]).index
        if new.empty:
            return cells.assign(segment=cells["segment"].replace(dict.fromkeys(of_persona, PERSONA)))
        standing[new] = True
        cells = _clear_rest(cells.assign(**whole), standing)


def _judge_cells(cells: pd.DataFrame, minimum: int, smallest: float) -> pd.DataFrame:
    """Return cells with everything that k of n against rest_k of compared_n tells."""
    compared = stats.compare_shares(cells["k"], cells["n"], cells["rest_k"], cells["compared_n"])
    shares = cells["k"] / cells["n"], cells["rest_k"] / cells["compared_n"]
    cells = cells.assign(
        difference=100 * compared["difference"], low=100 * compared["low"], high=100 * compared["high"],
        p=compared["p"], value=100 * shares[0], compared_value=100 * shares[1],
        show=[stats.show_level(n, minimum) for n in np.minimum(cells["n"], cells["compared_n"])],
    )  # fmt: skip
    effects = pd.Series(proportion_effectsize(*shares), index=cells.index)
    cells["effect_size"] = effects.where(cells["show"] == "percentages")
    return stats.judge_family(cells, smallest=smallest)


def _clear_rest(cells: pd.DataFrame, standing: pd.Series) -> pd.DataFrame:
    """Return cells whose rest has no other level that stands out itself; where too few would be left, as they were."""
    counts = cells[["k", "n"]].where(standing, 0)
    out = counts.groupby([cells["segment"], cells["topic"]]).transform("sum") - counts
    enough = (cells["compared_n"] - out["n"] >= stats.FEWEST_FOR_PERCENTAGES) & (out["n"] > 0)
    out = out.where(enough, 0)
    names = cells[standing].groupby(["segment", "topic"])["level"].agg(list).to_dict()
    places = zip(cells["segment"], cells["topic"], cells["level"], enough, strict=True)
    left_out = [
        sorted(set(names[segment, topic]) - {level}) if cleared else []
        for segment, topic, level, cleared in places
    ]
    return cells.assign(
        rest_k=cells["rest_k"] - out["k"], compared_n=cells["compared_n"] - out["n"], left_out=left_out
    )


def compare_segments(
    opinions: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame, segments: Mapping[str, str], *,
    month: str, minimum: int, smallest: Mapping[str, float], pairs: Iterable[Sequence[str]] = (),
    personas: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Return findings on the share of each topic in each level of each segment, against the rest: see measure_cells.

    Needs what measure_cells needs, opinions also month; segments: column -> label, with those of pairs' columns.
    Measure "difference": value and compared_value in % of units, difference, low and high in percentage points.
    The claim has the effect size too, and of a group of 5 to 29 the shrunk share.

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
    pairs = list(pairs)
    groups = {"pairs": pairs, "personas": personas}
    cells = measure_cells(
        opinions, assignments, codebook, segments, minimum=minimum, smallest=smallest, **groups
    )
    if cells.empty:
        return make_findings([], section="segments", month=month)
    labels = label_pairs(segments, pairs) | {PERSONA: "Persona"} | dict(segments)
    cells["claim"] = [_describe_cell(row, labels[row["segment"]]) for row in cells.to_dict("records")]
    cells = cells.rename(columns={"topic": "subject"}).assign(
        measure="difference", period=name_period(opinions["month"].unique()),
        method="Newcombe interval, Fisher mid-p, Benjamini-Hochberg; Cohen's h; empirical Bayes",
    )  # fmt: skip
    kept = [column for column in describe_table("findings").columns if column in cells]
    return make_findings(cells[kept], section="segments", month=month)


def _describe_cell(row: dict, label: str) -> str:
    what, here = f"“{row['name']}”", f"where {label} is {row['level']}"
    if row["verdict"] == stats.TOO_FEW_TO_SHOW:
        span = format_interval(row["shrunk_low"], row["shrunk_high"], "%")
        return (
            f"{what}: {row['k']:,} of {row['n']:,.0f} {here} and {row['rest_k']:,} of {row['compared_n']:,.0f} of the"
            f" rest mention it; too few for percentages. In the light of the other groups {here}:"
            f" {format_value(row['shrunk'], '%')} ({span}), empirical Bayes."
        )
    there = (
        f"in the rest without {', '.join(map(str, row['left_out']))}" if row["left_out"] else "in the rest"
    )
    claim = describe_difference(row, what=what, here=here, there=there)
    return f"{claim.removesuffix('.')}; effect size h = {row['effect_size']:+.2f}."
