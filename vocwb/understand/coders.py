"""Coders: what ratings and people teach a coder, how far each coder can be trusted, and whose code counts."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vocwb.languages import LANGUAGES
from vocwb.schemas import check_table, empty_table, unit_of
from vocwb.stats import FEWEST_FOR_PERCENTAGES
from vocwb.understand.agreement import HUMAN, SETTLED
from vocwb.understand.coding_sample import settle_codes
from vocwb.understand.domains import measure_novelty
from vocwb.understand.hub_coders import HubCoder, code_by_model
from vocwb.understand.learned import Coder, fit_coder, predict_codes
from vocwb.understand.learned_categories import learn_categories
from vocwb.understand.validation import enough_labels, judge_codes, validate_coder

LEARNED, RULES = "learned", "rules"
LEARNT = ("negative", "neutral", "positive")
"""The polarities that a coder learns; "mixed" and "cannot tell" are for people and rules to say."""

_CONTENT, _DISCONTENT = 0.7, 0.3  # of the way from the low end of a scale to the high one


def gather_labels(opinions: pd.DataFrame, questions: Mapping, human: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of the polarity of verbatims: feedback_id, polarity, truth ("human" or "rating").

    opinions: feedback_id and a column a question; questions: name -> low, high, metric; human: codes of people
    (`coding_sample.gather_human_codes`). What people settled counts; else the answer to the first question of
    satisfaction, loyalty or rating that the response has: NPS by its groups (0-6, 7-8, 9-10), others by the place on
    the scale (up to 30% of the way negative, from 70% on positive, else neutral). An effort score says nothing of a
    side and is left out. A rating is of the whole response, so of several verbatims in one response each gets it:
    that is noise in training and in testing alike.

    >>> from types import SimpleNamespace
    >>> opinions = pd.DataFrame({"feedback_id": ["a", "b", "c"], "stars": [5.0, 1.0, None]})
    >>> question = SimpleNamespace(low=1, high=5, metric="rating")
    >>> gather_labels(opinions, {"stars": question}, empty_table("codes"))["polarity"].tolist()
    ['positive', 'negative']
    """
    found = opinions[["feedback_id"]].assign(
        polarity=pd.Series(None, opinions.index, dtype="str"), truth="rating"
    )
    for name, question in questions.items():
        if question.metric == "ces" or name not in opinions:
            continue
        answer = opinions[name].astype(float)
        place = (answer - question.low) / (question.high - question.low)
        low, high = (0.65, 0.85) if question.metric == "nps" else (_DISCONTENT, _CONTENT)
        side = np.select([place <= low, place >= high], ["negative", "positive"], "neutral")
        found["polarity"] = found["polarity"].fillna(
            pd.Series(side, opinions.index, dtype="str").where(answer.notna())
        )
    settled = settle_codes(human).drop_duplicates("feedback_id").set_index("feedback_id")["polarity"]
    people = found["feedback_id"].map(settled).astype("str")
    found = found.assign(
        polarity=people.fillna(found["polarity"]), truth=np.where(people.notna(), "human", "rating")
    )
    found = found[found["polarity"].notna()].astype("str")
    return found.sort_values("feedback_id", ignore_index=True)


def code_by_learning(
    opinions: pd.DataFrame, codes: pd.DataFrame, labels: pd.DataFrame, human: pd.DataFrame, rules: pd.DataFrame,
    *, seed: int = 0,
) -> tuple[pd.DataFrame, pd.DataFrame]:  # fmt: skip
    """Return codes of coder "learned", and how far the learned coder and the rules can be trusted, by language.

    opinions: feedback_id, response_id, respondent_id, language, channel, month, verbatim; codes: those of the rules;
    labels: as `gather_labels` gives them; human: codes of people; rules: as `rules.parse_rules` gives them. In each
    language with labels enough (`validation.enough_labels`) a coder is trained on all of them, with the rules beside
    them (`learned.fit_coder`), and codes every verbatim's polarity, with its probability; a verbatim that it was
    trained on too, so that what stars and words say apart is told by the rules (`list_disagreements`). Categories are
    the rules' but for those that people coded often enough (`learned_categories.learn_categories`). Span and ask are
    the rules'; so is the intensity where both feel alike, else it is empty. Elsewhere there is no learned code.

    quality: the table of that name: accuracy, macro_f1 with its interval, and calibration error (ece) of the learned
    coder on respondents and on months that it was not trained on (`validation.validate_coder`), of the rules on the
    same labels, and which of the two `counts`: the learned one where its macro-F1 by respondent is the higher; but in
    a channel whose texts without a label are of another domain than those it learned from
    (`domains.measure_novelty`) the rules count, since its figures say nothing there. A language without labels enough
    says so in `way`.

    >>> from vocwb.understand.rules import parse_rules
    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "response_id": ["r"], "respondent_id": [None], "channel": "sms",
    ...                          "language": ["en"], "month": ["2025-01"], "verbatim": ["late"]})
    >>> labels = pd.DataFrame({"feedback_id": ["f"], "polarity": ["negative"], "truth": ["rating"]})
    >>> none = empty_table("codes")
    >>> _, quality = code_by_learning(opinions, none, labels, none, parse_rules({}))
    >>> quality[["language", "coder", "counts"]].values.tolist()
    [['en', 'rules', True]]
    """
    found, rows = [empty_table("codes")], []
    opinions = opinions[opinions["language"].isin(list(LANGUAGES))].sort_values("feedback_id")
    known = opinions.merge(labels[labels["polarity"].isin(LEARNT)], on="feedback_id")
    feelings = codes.drop_duplicates("feedback_id").set_index("feedback_id")["polarity"]
    settled = settle_codes(human)
    for language, heard in opinions.groupby("language", sort=True):
        own = known[known["language"] == language]
        ruled = _judge(own, own["feedback_id"].map(feelings)) if len(own) else {}
        place = {"language": language, "variable": "polarity", "truth": _name_truth(own), "n": len(own)}
        if not enough_labels(own["polarity"]):
            way = f"too little to learn from: {len(own):,} verbatims with a rating or a code"
            rows.append(place | ruled | {"coder": RULES, "way": way, "counts": True})
            continue
        texts, said = own["verbatim"].tolist(), own["polarity"].tolist()
        options = {"language": language, "rules": rules, "seed": seed}
        who = {"groups": unit_of(own).tolist(), "times": own["month"].tolist()}
        tested = validate_coder(texts, said, **options, **who)
        better = bool(tested["macro_f1"].iloc[0] >= ruled["macro_f1"])
        rows += [place | row | {"coder": LEARNED, "counts": better} for row in tested.to_dict("records")]
        rows.append(place | ruled | {"coder": RULES, "way": "all labels", "counts": not better})
        coder = fit_coder(texts, said, **options)
        if better:
            unlabelled = heard[~heard["feedback_id"].isin(own["feedback_id"])]
            rows += [place | row for row in _find_new_channels(coder, unlabelled)]
        chosen = codes[codes["feedback_id"].isin(heard["feedback_id"])]
        chosen, judged = learn_categories(heard, chosen, settled, **options)
        rows += [place | row for row in judged]
        found.append(
            _fill_codes(heard["feedback_id"], predict_codes(coder, heard["verbatim"].tolist()), chosen)
        )
    quality = pd.DataFrame(rows, columns=list(empty_table("quality").columns))
    learned = pd.concat([frame for frame in found if len(frame)] or found, ignore_index=True)
    order = ["feedback_id", "coder", "category"]
    return check_table("codes", learned.sort_values(order, ignore_index=True)), check_table(
        "quality", quality
    )


def code_by_models(
    opinions: pd.DataFrame, models: Mapping[str, HubCoder], codes: pd.DataFrame
) -> pd.DataFrame:
    """Return the codes of the hub models that serve some of the languages (`hub_coders.code_by_model`).

    opinions: feedback_id, language, verbatim; models: language -> model; codes: those of the rules.

    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "language": ["en"], "verbatim": ["late"]})
    >>> len(code_by_models(opinions, {}, empty_table("codes")))
    0
    """
    found = [
        code_by_model(opinions[opinions["language"] == one], model, codes=codes)
        for one, model in models.items()
    ]
    return pd.concat([empty_table("codes"), *found], ignore_index=True) if found else empty_table("codes")


def choose_codes(codes: pd.DataFrame, quality: pd.DataFrame, opinions: pd.DataFrame) -> pd.DataFrame:
    """Return the codes that reports count, of one coder a verbatim.

    What people settled first (coder "human:settled"), then the coder that `quality` says counts in the language,
    and the channel, then a hub model's, then the rules'. opinions: feedback_id, language, channel.

    >>> codes = pd.DataFrame({"feedback_id": "f", "coder": ["human:a", "rules"], "category": "price",
    ...                       "polarity": "negative", "intensity": 3, "ask": None})
    >>> opinions = pd.DataFrame({"feedback_id": ["f"], "language": ["en"], "channel": ["survey"]})
    >>> choose_codes(codes, empty_table("quality"), opinions)["coder"].tolist()
    ['human:settled']
    """
    settled = settle_codes(codes)
    codes = pd.concat([settled, codes[~codes["coder"].str.startswith(HUMAN)]], ignore_index=True)
    counting = quality[quality["counts"] & quality["variable"].eq("polarity")].drop_duplicates(
        ["language", "channel"]
    )
    of_channel = counting.dropna(subset="channel").set_index(["language", "channel"])["coder"]
    of_language = counting[counting["channel"].isna()].set_index("language")["coder"]
    places = opinions.set_index("feedback_id")[["language", "channel"]]
    best = pd.Series(of_channel.reindex(pd.MultiIndex.from_frame(places)).to_numpy(), places.index)
    best = codes["feedback_id"].map(best.fillna(places["language"].map(of_language)))
    kinds = [
        codes["coder"].eq(SETTLED), codes["coder"].eq(best), codes["coder"].str.startswith("model:"),
        codes["coder"].eq(RULES),
    ]  # fmt: skip
    ranked = codes.assign(rank=np.select(kinds, range(len(kinds)), len(kinds)))
    first = ranked.sort_values(["rank", "coder"], kind="stable").drop_duplicates("feedback_id")
    kept = codes.merge(first[["feedback_id", "coder"]], on=["feedback_id", "coder"])
    return kept.sort_values(["feedback_id", "category"], ignore_index=True)


def _judge(own: pd.DataFrame, coded: pd.Series) -> dict:
    """Return the figures of codes against labels; a verbatim without a code is wrong."""
    judged = judge_codes(own["polarity"], coded.astype("str").fillna(""), groups=unit_of(own))
    return {"classes": own["polarity"].nunique()} | judged


def _find_new_channels(coder: Coder, unlabelled: pd.DataFrame) -> list[dict]:
    """Return a row of quality for each channel that is of another domain than what the coder learned from."""
    rows = []
    for channel, said in unlabelled.groupby("channel", sort=True):
        if len(said) < FEWEST_FOR_PERCENTAGES:
            continue
        new = measure_novelty(coder, said["verbatim"])
        if new.is_new_domain:
            way = (
                f"a new domain for the learned coder: {new.unseen:.0%} of the words of {new.n:,} verbatims are new to"
                f" it, where {new.expected:.0%} would be expected"
            )
            rows.append(
                {"channel": channel, "n": new.n, "truth": "none", "coder": RULES, "way": way, "counts": True}
            )
    return rows


def _name_truth(own: pd.DataFrame) -> str:
    return " and ".join(sorted(own["truth"].unique())) or "none"


def _fill_codes(ids: pd.Series, predicted: pd.DataFrame, codes: pd.DataFrame) -> pd.DataFrame:
    """Return the rules' rows of these verbatims with the learned polarity in the place of theirs."""
    learned = predicted[["label", "probability"]].set_index(ids.to_numpy())
    rows = codes[codes["feedback_id"].isin(ids)]
    polarity = rows["feedback_id"].map(learned["label"])
    return rows.assign(
        coder=LEARNED, polarity=polarity, probability=rows["feedback_id"].map(learned["probability"]).round(4),
        intensity=rows["intensity"].where(polarity == rows["polarity"]), span_polarity=None,
    )  # fmt: skip
