"""Categories by example: what people coded by hand often enough decides of what kind the other verbatims are."""

import pandas as pd

from vocwb.schemas import unit_of
from vocwb.understand.learned import fit_coder, predict_codes
from vocwb.understand.rules import OTHER
from vocwb.understand.validation import enough_labels, judge_codes, validate_coder

_HAS, _LACKS = "yes", "no"


def learn_categories(
    heard: pd.DataFrame,
    codes: pd.DataFrame,
    settled: pd.DataFrame,
    *,
    language: str,
    rules: pd.DataFrame,
    seed: int = 0,
) -> tuple[pd.DataFrame, list[dict]]:
    """Return the rules' codes with the categories that people taught, and a row of `quality` for each and each coder.

    heard: feedback_id, response_id, respondent_id, month, verbatim, of one language; codes: those of the rules;
    settled: what people settled (`coding_sample.settle_codes`). A category with labels enough
    (`validation.enough_labels`: 100 verbatims coded, 20 with it and 20 without) is decided by a coder of its own, yes
    or no, where its macro-F1 by respondent is at least the rules' on the same verbatims; the others stay the rules'.
    A verbatim that is left without a category is "other". Spans are the rules', where they have one.

    >>> from vocwb.schemas import empty_table
    >>> heard = pd.DataFrame({"feedback_id": ["f"], "response_id": "r", "respondent_id": None, "month": "2025-01",
    ...                       "verbatim": ["late"]})
    >>> none = empty_table("codes")
    >>> learn_categories(heard, none, none, language="en", rules=pd.DataFrame())[1]
    []
    """
    told = heard[heard["feedback_id"].isin(settled["feedback_id"])]
    rows = []
    for category in sorted(
        set(settled.loc[settled["feedback_id"].isin(told["feedback_id"]), "category"]) - {OTHER}
    ):
        truth = _mark(told, settled, category)
        if not enough_labels(truth):
            continue
        texts, options = told["verbatim"].tolist(), {"language": language, "rules": rules, "seed": seed}
        tested = validate_coder(
            texts, truth, groups=unit_of(told).tolist(), times=told["month"].tolist(), **options
        )
        ruled = judge_codes(truth, _mark(told, codes, category), groups=unit_of(told))
        better = bool(tested["macro_f1"].iloc[0] >= ruled["macro_f1"])
        place = {"variable": f"category {category}", "truth": "human", "n": len(told)}
        rows += [place | row | {"coder": "learned", "counts": better} for row in tested.to_dict("records")]
        rows.append(
            place | ruled | {"coder": "rules", "way": "all labels", "classes": 2, "counts": not better}
        )
        if better:
            found = predict_codes(fit_coder(texts, truth, **options), heard["verbatim"].tolist())["label"]
            codes = _decide(codes, heard.loc[found.eq(_HAS).to_numpy(), "feedback_id"], category)
    return codes, rows


def _mark(told: pd.DataFrame, codes: pd.DataFrame, category: str) -> list[str]:
    has = told["feedback_id"].isin(codes.loc[codes["category"] == category, "feedback_id"])
    return has.map({True: _HAS, False: _LACKS}).tolist()


def _decide(codes: pd.DataFrame, having: pd.Series, category: str) -> pd.DataFrame:
    """Return codes in which exactly these verbatims have the category."""
    whole = codes.drop_duplicates("feedback_id").assign(start=pd.NA, end=pd.NA, span_polarity=None)
    kept = codes[codes["category"].ne(category) | codes["feedback_id"].isin(having)]
    new = having[~having.isin(codes.loc[codes["category"] == category, "feedback_id"])]
    kept = kept[~(kept["feedback_id"].isin(new) & kept["category"].eq(OTHER))]
    added = whole[whole["feedback_id"].isin(new)].assign(category=category)
    bare = whole[~whole["feedback_id"].isin([*kept["feedback_id"], *added["feedback_id"]])].assign(
        category=OTHER
    )
    return pd.concat([kept, added, bare], ignore_index=True).astype(codes.dtypes.to_dict())
