"""Feelings: how many are content and how many are not, and of what kind what they say is, by language."""

import pandas as pd

from vocwb.languages import LANGUAGES, describe_language
from vocwb.schemas import make_findings, unit_of
from vocwb.understand.metrics import in_report
from vocwb.understand.sizes import size_subjects

_SECTIONS = {"polarity": "feelings", "category": "categories"}


def size_feelings(
    opinions: pd.DataFrame, codes: pd.DataFrame, *, month: str, minimum: int, smallest
) -> pd.DataFrame:
    """Return findings on the share of customers who speak with each polarity, and of each category.

    opinions: feedback_id, response_id, respondent_id, voice, language, month; codes: feedback_id, category, polarity,
    of one coder a verbatim (`coders.settle_codes`). smallest: mapping with "share" in percentage points. Sections
    "feelings" (subject "negative:en") and "categories" ("price:en"). Measures and intervals are those of
    `sizes.size_topics`: "share" of the respondents heard in that language in each month, "difference" of `month`
    against all months before it, p adjusted within the section. Languages are never pooled: coders differ in how
    well they read them.

    >>> opinions = pd.DataFrame({"feedback_id": [f"f{i:02}" for i in range(40)], "respondent_id": None,
    ...     "response_id": [f"r{i:02}" for i in range(40)], "language": "en", "month": "all", "voice": "customer"})
    >>> codes = opinions[["feedback_id"]].assign(category="price", polarity=["negative"] * 10 + ["positive"] * 30)
    >>> found = size_feelings(opinions, codes, month="all", minimum=5, smallest={"share": 5})
    >>> found[["section", "subject", "value"]].values.tolist()
    [['categories', 'price:en', 100.0], ['feelings', 'negative:en', 25.0], ['feelings', 'positive:en', 75.0]]
    """
    heard = opinions[opinions["voice"].eq("customer") & in_report(opinions["month"], month)]
    heard = heard[heard["language"].isin(list(LANGUAGES))]
    heard = heard.assign(unit=unit_of(heard), space=heard["language"])
    found = []
    for column, section in _SECTIONS.items():
        said = codes[["feedback_id", column]].drop_duplicates()
        talk = heard.merge(said, on="feedback_id")
        talk["subject"] = talk[column] + ":" + talk["space"]
        subjects = talk[["subject", "space", column]].drop_duplicates().sort_values("subject")
        languages = subjects["space"].map(lambda code: describe_language(code).english_name)
        subjects = subjects.assign(name=subjects[column] + ", " + languages)[["subject", "space", "name"]]
        coded = heard[heard["feedback_id"].isin(said["feedback_id"])]
        rows = size_subjects(coded, talk, subjects, month=month, minimum=minimum, smallest=smallest["share"])
        found.append(make_findings(rows, section=section, month=month))
    return pd.concat(found, ignore_index=True).sort_values(["section", "subject"], ignore_index=True)
