"""The words that set the levels of a segment apart."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import stats as distributions

from vocwb import stats
from vocwb.explain.hiding import find_hidden
from vocwb.languages import LANGUAGES, tokenise_text
from vocwb.schemas import describe_table, make_findings, unit_of
from vocwb.understand.metrics import name_period

_PRIOR = 0.1
"""What the prior weighs, of the words that are counted in a level."""


def weigh_words(k, rest_k) -> pd.DataFrame:
    """Return how much more each word is used here than in the rest: log_odds, low, high and p, a row a word.

    k, rest_k: how often each word is used. The difference of log odds with an informative Dirichlet prior (Monroe,
    Colaresi and Quinn 2008, Political Analysis 16): each word has on either side, beforehand, its share of all words
    times a tenth of the words here, so that rare words have to earn their place. Natural logarithm; above 0: more
    here.

    >>> weigh_words([30, 70, 0], [30, 369, 1]).round(2)["log_odds"].tolist()
    [1.57, -1.54, -2.62]
    """
    k, rest_k = np.asarray(k, dtype=float), np.asarray(rest_k, dtype=float)
    prior = _PRIOR * k.sum() * (k + rest_k) / max((k + rest_k).sum(), 1)
    here, there = k + prior, rest_k + prior
    with np.errstate(divide="ignore", invalid="ignore"):  # a single word has no odds against others: NaN
        log_odds = np.log(here / (here.sum() - here)) - np.log(there / (there.sum() - there))
    error = np.sqrt(1 / here + 1 / there)
    half = distributions.norm.ppf(0.975) * error
    p = 2 * distributions.norm.sf(np.abs(log_odds) / error)
    return pd.DataFrame({"log_odds": log_odds, "low": log_odds - half, "high": log_odds + half, "p": p})


def contrast_words(
    opinions: pd.DataFrame, segments: Mapping[str, str], *, month: str, minimum: int, top: int = 10
) -> pd.DataFrame:
    """Return findings on the words that set each level of a segment apart from the rest, in each language.

    opinions: feedback_id, response_id, respondent_id, language, voice, month, verbatim, and the segments' columns
    (column -> label). Customers' words as languages.tokenise_text gives them (no stop words); a unit (respondent where
    known) counts once for a word in a level, however often it says it. Looked at are words that `minimum` units say in
    the language. Subject "en:word", measure "log_odds": difference with low and high (weigh_words), value and
    compared_value in % of units here and in the rest; p adjusted over all words, levels and segments together
    (Benjamini-Hochberg). Returned are, for each level, up to `top` words that are used more there with evidence, the
    surest first; feedback_ids: where they are said. Levels under 30 units, those whose rest is, and those that
    hiding.find_hidden names are left out.

    >>> said = ["the app crashed again", "it crashed", "nice staff", "staff was kind"] * 20
    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:02}" for i in range(80)], "respondent_id": None,
    ...     "response_id": [f"r{i:02}" for i in range(80)], "language": "en", "voice": "customer", "month": "2025-01",
    ...     "verbatim": said, "device": ["android", "android", "web", "web"] * 20})
    >>> found = contrast_words(opinions, {"device": "Device"}, month="2025-01", minimum=5)
    >>> found[["level", "subject"]].values.tolist()
    [['android', 'en:crashed'], ['android', 'en:app'], ['web', 'en:staff'], ['web', 'en:nice']]
    """
    heard = opinions[opinions["voice"].eq("customer") & opinions["language"].isin(list(LANGUAGES))]
    heard = heard.assign(unit=pd.factorize(unit_of(heard))[0]).sort_values("feedback_id", ignore_index=True)
    uses = {language: _list_uses(rows, language, minimum) for language, rows in heard.groupby("language")}
    tables = [
        table.assign(language=language)
        for language, rows in heard.groupby("language")
        for table in _contrast_levels(rows, uses[language], segments, minimum)
    ]
    if not tables:
        return make_findings([], section="segments", month=month)
    cells = pd.concat(tables, ignore_index=True)
    cells["p_adjusted"] = stats.adjust_p(cells["p"])
    cells = cells[(cells["p_adjusted"] <= 0.05) & (cells["low"] > 0)]
    cells = cells.sort_values(["segment", "level", "language", "p", "word"])
    told = []
    for row in cells.groupby(["segment", "level", "language"]).head(top).to_dict("records"):
        said = uses[row["language"]]
        here = said[(said["word"] == row["word"]) & (said[row["segment"]] == row["level"])]
        row |= {"subject": f"{row['language']}:{row['word']}", "feedback_ids": here["feedback_id"].tolist()}
        told.append(row | {"claim": _tell(row, segments[row["segment"]])})
    found = pd.DataFrame(told, columns=None if told else ["subject"]).rename(
        columns={"log_odds": "difference"}
    )
    found = found.assign(
        measure="log_odds", unit="log odds", verdict=stats.EVIDENCE, period=name_period(heard["month"].unique()),
        method="log odds with an informative Dirichlet prior, Benjamini-Hochberg",
    )  # fmt: skip
    kept = [column for column in describe_table("findings").columns if column in found]
    return make_findings(found[kept], section="segments", month=month)


def _list_uses(rows: pd.DataFrame, language: str, minimum: int) -> pd.DataFrame:
    """Return rows once for each different word in them that `minimum` units say, with `word`."""
    words = [sorted(set(tokenise_text(text, language))) for text in rows["verbatim"]]
    said = rows.assign(word=words).explode("word").dropna(subset="word")
    spread = said[["unit", "word"]].drop_duplicates().groupby("word").size()
    return said[said["word"].isin(spread.index[spread >= minimum])]


def _contrast_levels(
    rows: pd.DataFrame, said: pd.DataFrame, segments: Mapping[str, str], minimum: int
) -> Iterator[pd.DataFrame]:
    """Yield for each level that may be compared all words, weighed against the rest, with segment and level."""
    hidden = find_hidden(rows, list(segments), minimum=minimum)
    for column in segments:
        sizes = rows[["unit", column]].dropna().drop_duplicates().groupby(column).size()
        pairs = said[["unit", column, "word"]].dropna().drop_duplicates()
        counts = pairs.groupby([column, "word"]).size().unstack(fill_value=0)
        for level in counts.index:
            n, rest = sizes[level], sizes.sum() - sizes[level]
            if (column, level) in hidden or min(n, rest) < stats.FEWEST_FOR_PERCENTAGES:
                continue
            k = counts.loc[level].to_numpy()
            rest_k = counts.sum().to_numpy() - k
            yield weigh_words(k, rest_k).assign(
                segment=column, level=level, word=counts.columns, value=100 * k / n, n=n,
                compared_value=100 * rest_k / rest, compared_n=rest,
            )  # fmt: skip


def _tell(row: dict, label: str) -> str:
    return (
        f"“{row['word']}” is said by {row['value']:.1f}% where {label} is {row['level']} (n = {row['n']:,}) and by"
        f" {row['compared_value']:.1f}% in the rest (n = {row['compared_n']:,}): log odds {row['log_odds']:+.2f}"
        f" (95% interval {row['low']:.2f} to {row['high']:.2f})."
    )
