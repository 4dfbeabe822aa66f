"""What people code: a sample drawn for them, their codes as they decided them, and where they differ."""

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from vocwb.decisions import fold_decisions
from vocwb.schemas import empty_table, hash_id
from vocwb.understand.agreement import ADJUDICATED, HUMAN, NO_ASK, SETTLED, TOGETHER, fold_codes
from vocwb.understand.rules import CANNOT_TELL, OTHER

KEPT_SHARE = 0.5
"""The share of all feedback that is kept for measuring: of it verbatims are drawn at random and in no other way."""
RARE_SHARE = 0.05
"""A code that fewer of the coded verbatims have is rare."""
NEAR = 1
"""Steps of intensity by which two people may be apart and still have coded alike."""
TELLING = ("category", "polarity", "ask")
RANDOM, DISAGREEMENT, UNCERTAIN, RARE, REST = "random", "disagreement", "uncertain", "rare", "rest"


def keep_random(feedback_ids: Iterable[str]) -> list[bool]:
    """Return whether each verbatim is of the half that is kept for measuring, from which draw_sample draws at random.

    It depends on the id alone, so it is the same in every month, for every sample and every seed. Of this half no
    verbatim is ever chosen for what coders made of it; hence figures on its coded part hold for all feedback.

    >>> sum(keep_random(map(str, range(1000))))
    508
    """
    edge = KEPT_SHARE * 16**8
    return [int(hash_id("kept for measuring", one)[:8], 16) < edge for one in feedback_ids]


def draw_sample(
    opinions: pd.DataFrame, codes: pd.DataFrame, *, most: int, seed: int, done: Iterable[str] = ()
) -> pd.DataFrame:
    """Return at most so many opinions for people to code, the same for everybody, with drawn_by, in a mixed order.

    opinions: feedback_id and any other columns; codes: of coders, with probability (0 to 1) where it is known, whose
    people are left out, so that the sample does not change while they code. done: ids that need no more codes.

    drawn_by: half are "random", from the half of the feedback that is kept for measuring (keep_random). The others
    come from the other half, in turns: "disagreement" (coders differ in most of category, polarity and ask),
    "uncertain" (the lowest probability) and "rare" (a code that under 5% of the verbatims have, one of each). Where
    these are too few, more are random, then "rest". Measure on the random ones only.

    >>> opinions = pd.DataFrame({"feedback_id": [str(number) for number in range(100)]})
    >>> none = pd.DataFrame({"feedback_id": [], "coder": []}, dtype="str")
    >>> sample = draw_sample(opinions, none, most=10, seed=0)
    >>> sample["drawn_by"].value_counts().to_dict()
    {'random': 10}
    """
    pool = opinions[~opinions["feedback_id"].isin(list(done))]
    order = sorted(pool["feedback_id"], key=lambda one: hash_id("draw", seed, one))
    sides = list(zip(order, keep_random(order), strict=True))
    kept, others = ([one for one, keep in sides if keep is side] for side in (True, False))
    drawn = dict.fromkeys(kept[: math.ceil(KEPT_SHARE * most)], RANDOM)
    told = codes[~codes["coder"].str.startswith(HUMAN) & codes["feedback_id"].isin(opinions["feedback_id"])]
    lists = _rank_informative(told, others) if len(told) else {}
    turns = sorted(
        (turn, place, one, kind)
        for place, (kind, ids) in enumerate(lists.items())
        for turn, one in enumerate(ids)
    )
    fill = [*((one, kind) for _, _, one, kind in turns), *((one, RANDOM) for one in kept)]
    for one, kind in [*fill, *((one, REST) for one in others)]:
        if len(drawn) >= most:
            break
        drawn.setdefault(one, kind)
    sample = pool[pool["feedback_id"].isin(drawn)]
    places = sample["feedback_id"].map(lambda one: hash_id("order", seed, one))
    sample = sample.assign(drawn_by=sample["feedback_id"].map(drawn)).iloc[places.argsort(kind="stable")]
    return sample.reset_index(drop=True)


def _rank_informative(codes: pd.DataFrame, order: list[str]) -> dict[str, list[str]]:
    """Return by each reason to look the verbatims of `order` that have it, those that have it most first."""
    places = {one: place for place, one in enumerate(order)}
    folded = fold_codes(codes)
    apart = (folded.groupby("feedback_id")[list(TELLING)].nunique() > 1).sum(axis=1)
    found = {DISAGREEMENT: {one: -count for one, count in apart[apart > 0].items()}}
    if "probability" in codes:
        found[UNCERTAIN] = (
            codes.dropna(subset="probability").groupby("feedback_id")["probability"].min().to_dict()
        )
    found = {
        kind: sorted(places.keys() & score.keys(), key=lambda one, score=score: (score[one], places[one]))
        for kind, score in found.items()
    }
    split = folded.assign(category=folded["category"].str.split(TOGETHER, regex=False)).explode("category")
    long = split.melt("feedback_id", list(TELLING)).query("value != @NO_ASK").drop_duplicates()
    long["size"] = long.groupby(["variable", "value"])["feedback_id"].transform("size")
    long = long[
        (long["size"] < RARE_SHARE * codes["feedback_id"].nunique()) & long["feedback_id"].isin(places)
    ]
    long = long.assign(place=long["feedback_id"].map(places)).sort_values(["variable", "value", "place"])
    long["turn"] = long.groupby(["variable", "value"]).cumcount()
    long = long.sort_values(["turn", "size", "variable", "value"])
    return found | {RARE: long["feedback_id"].drop_duplicates().tolist()}


def fold_human_codes(log: pd.DataFrame) -> pd.DataFrame:
    """Return the human codes that stand, with coder: the last of each person, and the last adjudicated, a verbatim.

    log: of decisions.read_decisions. An adjudicated code stands beside what the same person had coded alone.

    >>> log = pd.DataFrame({"decision_id": [1, 2], "kind": "code", "subject": "f", "who": "Ada",
    ...                     "value": [{"category": "price"}, {"category": "staff", "adjudicated": True}],
    ...                     "replaces": pd.array([None, None], "Int64")})
    >>> fold_human_codes(log)["coder"].tolist()
    ['human:Ada', 'human:adjudicated']
    """
    coded = log[log["kind"] == "code"]
    together = [isinstance(value, Mapping) and bool(value.get("adjudicated")) for value in coded["value"]]
    coders = [
        ADJUDICATED if shared else HUMAN + who for shared, who in zip(together, coded["who"], strict=True)
    ]
    standing = fold_decisions(coded.assign(said_by=coded["who"], who=coders))
    return standing.rename(columns={"who": "coder", "said_by": "who"})


def gather_human_codes(log: pd.DataFrame) -> pd.DataFrame:
    """Return what people decided about verbatims as `codes`: coder "human:<who>", and "human:adjudicated".

    log: of decisions.read_decisions. Each person's last code of a verbatim stands beside the others'. Adjudicated
    are only verbatims that people had coded differently; settle_codes makes one code a verbatim of all.

    >>> log = pd.DataFrame({"decision_id": [1], "kind": "code", "subject": "f", "who": "Ada", "value":
    ...     [{"category": ["staff", "price"], "polarity": "negative", "intensity": 4, "ask": None}],
    ...     "replaces": pd.array([None], "Int64")})
    >>> gather_human_codes(log)[["coder", "category", "intensity"]].values.tolist()
    [['human:Ada', 'price', 4], ['human:Ada', 'staff', 4]]
    """
    rows = []
    for coded in fold_human_codes(log).to_dict("records"):
        value = coded["value"]
        strength = value.get("intensity")
        rest = {
            "feedback_id": coded["subject"],
            "coder": coded["coder"],
            "polarity": value.get("polarity") or CANNOT_TELL,
            "intensity": strength if strength in (1, 2, 3, 4, 5) else None,
            "ask": None if value.get("ask") in (None, "", NO_ASK) else value["ask"],
        }
        rows += [rest | {"category": one} for one in read_categories(value) or [OTHER]]
    return _as_codes(pd.DataFrame(rows, columns=None if rows else list(empty_table("codes"))))


def read_categories(value: Mapping) -> list[str]:
    """Return the categories of a decision of kind "code", in alphabetical order, be it written with one or several.

    >>> read_categories({"category": "price"}), read_categories({"category": ["staff", "price"]})
    (['price'], ['price', 'staff'])
    """
    named = value.get("category") or []
    return sorted({named} if isinstance(named, str) else set(named))


def compare_people(codes: pd.DataFrame) -> pd.DataFrame:
    """Return one row a verbatim that people coded: feedback_id, people (how many alone), differs (list), settled.

    differs: in which of category, polarity, ask and intensity they are apart; of intensity one step is none.
    settled: adjudicated, or coded alike by all, be it one. codes: of gather_human_codes; other coders are left out.

    >>> codes = pd.DataFrame({"feedback_id": "f", "coder": ["human:Ada", "human:Bo"], "category": ["price", "staff"],
    ...                       "polarity": "negative", "intensity": [3, 4], "ask": [None, None]})
    >>> compare_people(codes).values.tolist()
    [['f', 2, ['category'], False]]
    """
    folded = fold_codes(codes[codes["coder"].str.startswith(HUMAN) & codes["coder"].ne(SETTLED)])
    together = folded["coder"].eq(ADJUDICATED)
    alone = folded[~together].groupby("feedback_id")
    apart = alone[list(TELLING)].nunique() > 1
    apart["intensity"] = (
        (alone["intensity"].max() - alone["intensity"].min() > NEAR).fillna(False).astype(bool)
    )
    ids = sorted(folded["feedback_id"].unique())
    differs = [
        [name for name, far in row.items() if far]
        for row in apart.reindex(ids, fill_value=False).to_dict("records")
    ]
    people = alone.size().reindex(ids, fill_value=0).to_numpy()
    found = pd.DataFrame({"feedback_id": ids, "people": people, "differs": pd.Series(differs, dtype=object)})
    spoken = found["feedback_id"].isin(folded.loc[together, "feedback_id"])
    return found.assign(settled=spoken | found["differs"].map(len).eq(0))


def settle_codes(codes: pd.DataFrame) -> pd.DataFrame:
    """Return one human code a verbatim as `codes` of coder "human:settled": what the programme takes as true.

    The adjudicated code where there is one, else the code that all who coded it alone gave, be it one person; where
    they differ (compare_people) and did not adjudicate, none. Intensities one step apart give the lower.

    >>> codes = pd.DataFrame({"feedback_id": "f", "coder": ["human:Ada", "human:Bo"], "category": "price",
    ...                       "polarity": "negative", "intensity": [4, 3], "ask": [None, None]})
    >>> settle_codes(codes)[["coder", "category", "intensity"]].values.tolist()
    [['human:settled', 'price', 3]]
    """
    compared = compare_people(codes)
    codes = codes[codes["coder"].str.startswith(HUMAN) & codes["coder"].ne(SETTLED)]
    codes = codes[codes["feedback_id"].isin(compared.loc[compared["settled"], "feedback_id"])]
    codes = codes.assign(alone=codes["coder"].ne(ADJUDICATED)).sort_values(
        ["feedback_id", "alone", "intensity"]
    )
    # The adjudicated code stands first, else the lowest intensity; all rows of that coder are the code.
    first = codes.drop_duplicates("feedback_id").set_index("feedback_id")["coder"]
    chosen = codes[codes["coder"] == codes["feedback_id"].map(first)]
    return _as_codes(chosen.assign(coder=SETTLED))


def _as_codes(rows: pd.DataFrame) -> pd.DataFrame:
    rows = rows.assign(intensity=rows["intensity"].astype("Int64"))
    rows = rows.reindex(columns=list(empty_table("codes")))
    return rows.sort_values(["feedback_id", "coder", "category"], ignore_index=True)
