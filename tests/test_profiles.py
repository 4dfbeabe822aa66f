"""Groups by category, feeling and score: planted differences found, none where there is none, languages apart."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from vocwb import stats
from vocwb.explain.profiles import compare_profiles
from vocwb.schemas import make_findings
from vocwb.stats import EVIDENCE

CSAT = {"csat": SimpleNamespace(label="Satisfied?", low=1, high=5, metric="csat")}
LABELS = {"region": "Region", "source": "Source"}
OPTIONS = {"month": "2025-01", "minimum": 5, "smallest": {"share": 5, "nps": 5, "mean": 0.2}}


def make_tables(seed=0, *, size=2400, north=0.15, low=0.8):
    """North speaks of delivery more often and is less content; the source plays no part; languages differ by coder."""
    rng = np.random.default_rng(seed)
    region, source = rng.choice(["north", "south", "west"], size), rng.choice(["ad", "friend", "shop"], size)
    language = rng.choice(["en", "fa"], size)
    delivery = rng.random(size) < 0.15 + 0.3 * (language == "fa") + north * (region == "north")
    ids = [f"f{row:05}" for row in range(size)]
    opinions = pd.DataFrame({
        "feedback_id": ids, "response_id": [f"r{row:05}" for row in range(size)], "respondent_id": None,
        "language": language, "voice": "customer", "month": "2025-01", "duplicate_of": None, "population": "all",
        "region": region, "source": source,
        "csat": np.clip(np.round(4 - low * (region == "north") + rng.normal(0, 0.8, size)), 1, 5),
    })  # fmt: skip
    codes = pd.DataFrame({"feedback_id": ids, "category": np.where(delivery, "delivery", "price"),
                          "polarity": rng.choice(["negative", "positive"], size)})  # fmt: skip
    return opinions, codes


def compare(opinions, codes, questions=CSAT, **options):
    return compare_profiles(opinions, codes, opinions, questions, LABELS, **(OPTIONS | options))


def test_planted_groups_are_found_and_the_null_segment_is_not():
    found = compare(*make_tables())
    evident = found[found["verdict"] == EVIDENCE]
    assert set(zip(evident["level"], evident["subject"], strict=True)) == {
        ("north", "category:delivery"), ("north", "category:price"), ("north", "csat")
    }  # fmt: skip
    row = found.query("level == 'north' and subject == 'category:delivery'").squeeze()
    assert row["low"] < 15 < row["high"] and row["unit"] == "pp" and "within each language" in row["claim"]
    # What stands out is no part of the rest of the others.
    south = found.query("level == 'south' and subject == 'csat'").squeeze()
    assert "the rest without north" in south["claim"] and abs(south["difference"]) < 0.2


def test_numbers_are_those_of_the_stratified_difference_and_open_their_quotes():
    opinions, codes = make_tables(1)
    row = compare(opinions, codes).query("level == 'north' and subject == 'category:delivery'").squeeze()
    hit, inside = 100 * (codes["category"] == "delivery"), opinions["region"] == "north"
    expected = stats.adjust_difference(hit, inside, opinions["language"])
    assert (row["difference"], row["low"], row["high"]) == pytest.approx(expected[:3])
    assert row["value"] == pytest.approx(hit[inside].mean()) and row["n"] == inside.sum()
    assert row["feedback_ids"] == opinions.loc[(hit > 0) & inside, "feedback_id"].tolist()


def test_a_language_that_a_group_has_alone_makes_no_difference():
    opinions, codes = make_tables(2, north=0.0)
    farsi = opinions["language"] == "fa"
    opinions["region"] = np.where(farsi, "iran", opinions["region"])
    found = compare(opinions, codes)
    assert "iran" not in set(found.loc[found["subject"].str.startswith("category"), "level"])


def test_topics_and_profiles_are_one_family():
    tables = make_tables(3, north=0.12, low=0.0)
    alone = compare(*tables, {}).query("level == 'north' and subject == 'category:delivery'").squeeze()
    dull = [{"period": "2025-01", "subject": f"T{row:04}", "measure": "difference", "unit": "pp", "p": 0.9, "claim": "",
             "method": ""} for row in range(5000)]  # fmt: skip
    beside = make_findings(dull, section="segments", month="2025-01")
    both = (
        compare(*tables, {}, beside=beside)
        .query("level == 'north' and subject == 'category:delivery'")
        .squeeze()
    )
    assert both["p"] == alone["p"] and both["p_adjusted"] > alone["p_adjusted"]


def test_small_groups_are_left_out_and_nothing_gives_nothing():
    opinions, codes = make_tables(4)
    opinions.loc[:2, "region"] = "island"
    opinions.loc[3:25, "region"] = "coast"
    levels = set(compare(opinions, codes)["level"])
    assert not levels & {"island", "coast"} and {"north", "ad"} <= levels
    assert compare(opinions.head(0), codes.head(0)).empty
    found = compare(opinions, codes, personas={"Northerner by ad": {"region": ["north"], "source": ["ad"]}})
    assert "Northerner by ad" in set(found.loc[found["segment"] == "persona", "level"])
