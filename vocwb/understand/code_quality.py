"""How far codes can be trusted: rules against their examples and against people, stars against words."""

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from vocwb import stats
from vocwb.languages import describe_language
from vocwb.understand.agreement import HUMAN
from vocwb.understand.coding import GROUPS, code_by_rules, weigh_words
from vocwb.understand.matching import make_finder
from vocwb.understand.rules import KINDS, parse_rules, read_examples

BAD_WITH_PRAISE = "bad score, positive words"
GOOD_WITH_BLAME = "good score, negative words"
_FEELINGS = {value: kind for kind in GROUPS[1] for value in KINDS[kind]}
_END = 0.2  # the part of a scale at each end that contradicts the words

_CONTRADICTS = ["question", "feedback_id", "coder", "answer", "polarity", "intensity", "direction", "strength", "n",
                 "of", "verbatim"]  # fmt: skip


def check_rules(texts: Mapping[str, str], *, categories: Iterable[str] = ()) -> pd.DataFrame:
    """Return the examples of rule files that do not hold: language, text, expected, found; a row an expectation.

    texts and categories: as for `rules.parse_rules`, whose errors are raised; examples: see `rules.read_examples`.

    >>> rules = "{category: {price: [price*]}, examples: [{text: A priceless view, not: price}]}"
    >>> check_rules({"en": rules})[["expected", "found"]].values.tolist()
    [['not category price', 'price']]
    """
    categories = list(categories)
    rules, examples = parse_rules(texts, categories=categories), read_examples(texts, categories=categories)
    said = examples[["language", "text"]].drop_duplicates(ignore_index=True)
    said = said.assign(feedback_id=[f"{number:06}" for number in range(len(said))])
    codes = code_by_rules(said.rename(columns={"text": "verbatim"}), rules)
    rows = []
    for example in examples.merge(said, on=["language", "text"]).itertuples(index=False):
        found = set(codes.loc[codes["feedback_id"] == example.feedback_id, example.kind].dropna())
        if (example.value in found) != example.holds:
            expected = f"{'' if example.holds else 'not '}{example.kind} {example.value}"
            rows.append((example.language, example.text, expected, ", ".join(sorted(found)) or "none"))
    return pd.DataFrame(rows, columns=["language", "text", "expected", "found"], dtype="str")


def measure_rules(
    opinions: pd.DataFrame, rules: pd.DataFrame, human_codes: pd.DataFrame, *, minimum: int = 5
) -> pd.DataFrame:
    """Return what each rule finds, and how often people agree: a row a rule, in the order of `rules`.

    opinions: feedback_id, language, verbatim; human_codes: feedback_id, coder ("human:<who>"; others are left out),
    category, polarity, ask. Adds to language, kind, value and pattern: hits (verbatims in which the rule counts:
    the longest pattern at its place, and no negation turns it), n (hits that people coded), right (of these, those to
    which at least half of their coders gave the value), precision (right / n), coded (verbatims of the language that
    people gave the value), recall (right / coded), both in 0-1 with Wilson's interval in _low and _high. A share of
    under 30 is empty, and under `minimum` its counts are too (`stats.show_level`). Negations and intensifiers have
    hits only.

    >>> rules = parse_rules({"en": "category: {price: [fee*], staff: [crew]}"})
    >>> said = pd.DataFrame({"feedback_id": ["a", "b"], "language": "en", "verbatim": ["High fees", "A fee"]})
    >>> human = pd.DataFrame({"feedback_id": ["a"], "coder": "human:eve", "category": "price", "polarity": "negative",
    ...                       "ask": None})
    >>> measure_rules(said, rules, human, minimum=1)[["pattern", "hits", "n", "right"]].values.tolist()
    [['fee*', 2, 1, 1], ['crew', 0, <NA>, <NA>]]
    """
    opinions = opinions.drop_duplicates("feedback_id")
    truth = _gather_truth(human_codes[human_codes["feedback_id"].isin(opinions["feedback_id"])])
    language = opinions.set_index("feedback_id")["language"]
    keys = ["language", "kind", "value"]
    hits = pd.DataFrame(_find_hits(opinions, rules), columns=["feedback_id", *keys, "pattern"], dtype="str")
    hits = hits.drop_duplicates().merge(truth.assign(right=True), "left", on=["feedback_id", "kind", "value"])
    hits["n"] = hits["feedback_id"].isin(truth["feedback_id"]) & hits["kind"].isin(truth["kind"])
    hits["right"] = hits["right"].notna()
    counts = hits.groupby([*keys, "pattern"]).agg(
        hits=("feedback_id", "size"), n=("n", "sum"), right=("right", "sum")
    )
    coded = truth.assign(language=truth["feedback_id"].map(language)).groupby(keys).size().rename("coded")
    table = rules.merge(counts.reset_index(), "left", on=[*keys, "pattern"]).merge(
        coded.reset_index(), "left", on=keys
    )
    numbers = ["hits", "n", "right", "coded"]
    table[numbers] = table[numbers].fillna(0).astype("Int64")
    right, hidden = table["right"].astype(float), {}
    for share, of in (("precision", "n"), ("recall", "coded")):
        level = table[of].map(lambda n: stats.show_level(n, minimum))
        count = table[of].astype(float)
        low, high = stats.share_interval(right, count)
        for column, value in ((share, right / count), (f"{share}_low", low), (f"{share}_high", high)):
            table[column] = np.where(level == "percentages", value, np.nan)
        hidden[of] = level == "hidden"
    table[["n", "right"]] = table[["n", "right"]].mask(hidden["n"], axis=0)
    return table.assign(coded=table["coded"].mask(hidden["coded"]))


def list_disagreements(opinions: pd.DataFrame, codes: pd.DataFrame, questions: Mapping) -> pd.DataFrame:
    """Return verbatims whose words contradict a score that came with them, strongest first.

    opinions: feedback_id, verbatim and a column a question; codes: feedback_id, coder, polarity, intensity;
    questions: name -> low and high, the ends of its scale, and better where low is the good one. A score in the worst
    fifth of the scale with positive words, or in the best with negative ones, contradicts. Columns: question,
    feedback_id, coder, answer, polarity, intensity, direction (BAD_WITH_PRAISE, GOOD_WITH_BLAME), strength (0-2, how
    far score and words lie apart, each put on -1 to 1), n (verbatims of that direction by that coder), of (those coded
    at that end of the scale), verbatim. It is a place to look, not an error rate: an irony, a scale that was read
    upside down, or a coder's slip.

    >>> from types import SimpleNamespace
    >>> said = pd.DataFrame({"feedback_id": ["a", "b"], "verbatim": ["Great!", "Great"], "stars": [1.0, 5.0]})
    >>> codes = pd.DataFrame({"feedback_id": ["a", "b"], "coder": "rules", "polarity": "positive", "intensity": 3})
    >>> found = list_disagreements(said, codes, {"stars": SimpleNamespace(low=1, high=5)})
    >>> found[["feedback_id", "direction", "n", "of"]].values.tolist()
    [['a', 'bad score, positive words', 1, 1]]
    """
    found = [
        _contradict(opinions, codes, name, question)
        for name, question in questions.items()
        if name in opinions
    ]
    if not found:
        return pd.DataFrame(columns=_CONTRADICTS)
    order = {"by": ["strength", "question", "feedback_id", "coder"], "ascending": [False, True, True, True]}
    return pd.concat(found, ignore_index=True).sort_values(**order, ignore_index=True)


def _contradict(opinions: pd.DataFrame, codes: pd.DataFrame, name: str, question) -> pd.DataFrame:
    said = opinions[["feedback_id", "verbatim", name]].rename(columns={name: "answer"})
    said = said.dropna(subset="answer").drop_duplicates("feedback_id")
    heard = codes[["feedback_id", "coder", "polarity", "intensity"]].drop_duplicates(["feedback_id", "coder"])
    both = said.merge(heard, on="feedback_id")
    place = (both["answer"].astype(float) - question.low) / (question.high - question.low)
    place = 1 - place if getattr(question, "better", None) == "low" else place
    both["direction"] = np.select([place <= _END, place >= 1 - _END], [BAD_WITH_PRAISE, GOOD_WITH_BLAME], "")
    both = both[both["direction"] != ""]
    side = both["polarity"].map({"positive": 1.0, "negative": -1.0}).astype(float)
    both["of"] = both.groupby(["coder", "direction"])["feedback_id"].transform("size")
    felt = side * both["intensity"].astype("Float64").fillna(1).astype(float) / 5
    both["strength"] = (2 * place[both.index] - 1 - felt).abs().round(4)
    against = both[side.eq(both["direction"].map({BAD_WITH_PRAISE: 1.0, GOOD_WITH_BLAME: -1.0}))]
    against = against.assign(n=against.groupby(["coder", "direction"])["feedback_id"].transform("size"))
    return against.assign(question=name)[_CONTRADICTS]


def _gather_truth(human_codes: pd.DataFrame) -> pd.DataFrame:
    """Return feedback_id, kind and value of what at least half of a verbatim's coders gave it."""
    people = human_codes[human_codes["coder"].str.startswith(HUMAN)]
    coders = people.groupby("feedback_id")["coder"].nunique().rename("coders")
    given = people.melt(["feedback_id", "coder"], ["category", "polarity", "ask"], var_name="kind").dropna()
    votes = given.drop_duplicates().groupby(["feedback_id", "kind", "value"]).size().rename("votes")
    table = votes.reset_index().merge(coders.reset_index(), on="feedback_id")
    return table.loc[2 * table["votes"] >= table["coders"], ["feedback_id", "kind", "value"]]


def _find_hits(opinions: pd.DataFrame, rules: pd.DataFrame) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield feedback_id, language, kind, value and pattern of the rules that count in each verbatim."""
    for language, group in opinions.groupby("language", sort=True):
        own = rules[rules["language"] == language]
        if own.empty:
            continue
        choose = make_finder([own[own["kind"].isin(kinds)] for kinds in GROUPS], language)
        spaced = describe_language(language).spaced
        for feedback_id, verbatim in zip(group["feedback_id"], group["verbatim"], strict=True):
            finder = choose(verbatim)
            text = finder.spell(verbatim)
            categories, feelings, asks = finder.find(text)
            turned = {hit for hit, side, _ in weigh_words(text, feelings, spaced=spaced) if side != hit[2]}
            counted = {"category": categories, "": set(feelings) - turned, "ask": asks}
            for kind, hits in counted.items():
                for _, _, value, pattern in hits:
                    yield feedback_id, language, kind or _FEELINGS[value], value, pattern
