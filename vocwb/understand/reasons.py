"""Closed answers in words: why customers leave, by how long they had been customers, and what newcomers need."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vocwb import stats
from vocwb.collect.clean import parse_numbers
from vocwb.collect.panels import make_panel
from vocwb.errors import SchemaError
from vocwb.schemas import unit_of
from vocwb.understand.metrics import describe_difference

ALL, OTHERS, NO_GROUP = "all", "other answers", "in no group"

_COMPARED = [
    "level", "value", "compared_value", "n", "compared_n", "difference", "low", "high", "p", "p_adjusted", "verdict",
    "claim",
]  # fmt: skip

Groups = Mapping[str, Sequence[str]]


def table_reasons(
    responses: pd.DataFrame, *, reason: str, tenure: str | None = None, groups: Groups | None = None,
    separator: str | None = None, minimum: int = 5, first: float = 1, year: float = 12,
) -> pd.DataFrame:  # fmt: skip
    """Return a panel of how many respondents gave which reason, in all and by tenure, with Wilson's intervals.

    Needs response_id, respondent_id, duplicate_of and the columns that reason and tenure name. reason: an answer in
    words, several in a cell where a separator stands between them. tenure: months, as numbers, cut into up to `first`,
    between, and `year` or more; where most are no numbers, the words that stand there. groups: name -> the reasons that
    belong to it. what is the tenure, level the reason or the group, kind which of the two, group the reason's group. A
    respondent counts once a row, so shares of single reasons can sum to more than 100%.

    Tenures of fewer than `minimum` respondents are hidden, and so is the next smallest where what is hidden could be
    had by subtraction. Answers of fewer than `minimum` that no group names stand in one row, without their words.

    >>> responses = pd.DataFrame({"response_id": [f"r{i:02}" for i in range(40)], "respondent_id": None,
    ...     "duplicate_of": None, "why": ["price"] * 10 + ["moved"] * 30, "months": ["0"] * 20 + ["14"] * 20})
    >>> found = table_reasons(responses, reason="why", tenure="months", groups={"unhappy": ["price"]})
    >>> found.query("kind == 'group'")[["what", "level", "count", "n", "share"]].values.tolist()[0]
    ['all', 'unhappy', 10, 40, 25.0]
    """
    said = _list_reasons(responses, reason, tenure, groups or {}, separator, first, year)
    if said.empty:
        return make_panel([{"what": ALL, "says": "Nobody gave a reason."}]).assign(kind="", group="")
    people = said.groupby("reason")["unit"].nunique()
    named = [choice for choices in (groups or {}).values() for choice in choices]
    rare = people.index[(people < minimum) & ~people.index.isin(named)]
    of = said["reason"].mask(said["reason"].isin(rare), OTHERS)
    said = said.assign(reason=of, group=said["group"].mask(of.eq(OTHERS), NO_GROUP if groups else ""))
    sizes = said.groupby("tenure", observed=True)["unit"].nunique()
    hidden = _choose_hidden(sizes, minimum)
    order = said.groupby("reason")["unit"].nunique().sort_values(ascending=False, kind="stable").index
    rows = []
    for what, own in [(ALL, said), *said.groupby("tenure", observed=True)]:
        if what in hidden:
            rows.append({"what": what, "says": "hidden: too small a group, or one that would show it"})
            continue
        n = own["unit"].nunique()
        for kind, levels in (
            ("group", [*(groups or {}), *([NO_GROUP] if groups else [])]),
            ("reason", order),
        ):
            counts = own.groupby(kind)["unit"].nunique().reindex(levels, fill_value=0)
            rows += [
                {"what": what, "kind": kind, "level": level, "count": count, "n": n, "estimate": True}
                for level, count in counts.items()
                if count or level != NO_GROUP
            ]
    table = make_panel(rows, minimum=minimum)
    of = said.drop_duplicates("reason").set_index("reason")["group"]
    table["group"] = table["level"].map(of).where(table["kind"].eq("reason")).astype("str").fillna("")
    return table.assign(kind=table["kind"].astype("str").fillna(""))


def compare_tenures(
    responses: pd.DataFrame, *, reason: str, tenure: str, groups: Groups | None = None, separator: str | None = None,
    minimum: int = 5, smallest: float = 5, first: float = 1, year: float = 12,
) -> pd.DataFrame:  # fmt: skip
    """Return for each group of reasons (without groups, each reason) early leavers against those of a year or more.

    Takes what table_reasons takes; smallest: the difference that matters, in percentage points. Columns: level; value
    and compared_value, % of n respondents who left after up to `first` months, and of compared_n after `year` or more;
    difference, low, high (Newcombe), p (Fisher's mid-p), p_adjusted over the rows together, verdict, claim. Empty where
    tenure is not in numbers.

    >>> responses = pd.DataFrame({"response_id": [f"r{i:02}" for i in range(80)], "respondent_id": None,
    ...     "duplicate_of": None, "why": ["price"] * 30 + ["moved"] * 50, "months": ["0"] * 40 + ["14"] * 40})
    >>> found = compare_tenures(responses, reason="why", tenure="months", groups={"unhappy": ["price"]})
    >>> found[["level", "value", "compared_value", "verdict"]].values.tolist()
    [['unhappy', 75.0, 0.0, 'evidence of a difference']]
    """
    said = _list_reasons(responses, reason, tenure, groups or {}, separator, first, year)
    early, late = (said[said["tenure"].eq(band)] for band in _name_bands(first, year)[::2])
    n, compared_n = early["unit"].nunique(), late["unit"].nunique()
    kind = "group" if groups else "reason"
    levels = list(groups or sorted(said["reason"].unique()))
    if not levels or not n or not compared_n:
        return pd.DataFrame(columns=_COMPARED)
    k, other = (side.groupby(kind)["unit"].nunique().reindex(levels, fill_value=0) for side in (early, late))
    cells = stats.compare_shares(k, n, other, compared_n)
    cells[["difference", "low", "high"]] *= 100
    cells = cells.assign(
        level=levels, n=n, compared_n=compared_n, value=100 * k.to_numpy() / n,
        compared_value=100 * other.to_numpy() / compared_n, show=stats.show_level(min(n, compared_n), minimum),
    )  # fmt: skip
    cells = stats.judge_family(cells, smallest=smallest)
    here, there = (f"who left after {band}" for band in _name_bands(first, year)[::2])
    cells["claim"] = [
        describe_difference(row | {"unit": "pp"}, what=f"“{row['level']}”", here=here, there=there)
        for row in cells.to_dict("records")
    ]
    return cells[_COMPARED]


def survey_reasons(responses: pd.DataFrame, reasons: Mapping, *, minimum: int = 5) -> pd.DataFrame:
    """Return table_reasons of everything that the programme declares under `reasons`, with its label in about.

    >>> survey_reasons(pd.DataFrame(), {})["says"].tolist()
    ['The programme declares no reasons.']
    """
    if not reasons:
        none = make_panel([{"what": ALL, "says": "The programme declares no reasons."}])
        return none.assign(kind="", group="", about="")
    tables = [
        table_reasons(
            responses,
            reason=one.reason,
            tenure=one.tenure,
            groups=one.groups,
            separator=one.separator,
            minimum=minimum,
        ).assign(about=one.label)
        for one in reasons.values()
    ]
    return pd.concat(tables, ignore_index=True)


def survey_tenures(
    responses: pd.DataFrame, reasons: Mapping, *, minimum: int = 5, smallest: float = 5
) -> pd.DataFrame:
    """Return compare_tenures of everything under `reasons` that has a tenure, with its label in about.

    >>> survey_tenures(pd.DataFrame(), {}).empty
    True
    """
    tables = [
        compare_tenures(
            responses, reason=one.reason, tenure=one.tenure, groups=one.groups, separator=one.separator,
            minimum=minimum, smallest=smallest,
        ).assign(about=one.label)
        for one in reasons.values() if one.tenure
    ]  # fmt: skip
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=[*_COMPARED, "about"])


def _list_reasons(
    responses: pd.DataFrame, reason: str, tenure: str | None, groups: Groups, separator: str | None,
    first: float, year: float,
) -> pd.DataFrame:  # fmt: skip
    """Return unit, reason, group and tenure, one row for each reason that somebody gave."""
    if absent := [name for name in (reason, tenure) if name and name not in responses]:
        raise SchemaError(
            f"Reasons: {absent[0]!r} is no column of the responses.",
            f"Columns: {', '.join(map(str, responses))}.",
            "Name it among the segments of the source in programme.yml, and ingest again.",
        )
    kept = responses[responses["duplicate_of"].isna() & responses[reason].notna()]
    texts = kept[reason].astype("str")
    said = pd.DataFrame(
        {"unit": unit_of(kept), "reason": texts.str.split(separator, regex=False) if separator else texts}
    )
    said["tenure"] = _band_tenures(kept[tenure], first, year) if tenure else np.nan
    said = said.explode("reason")
    said["reason"] = said["reason"].str.strip()
    of = {choice: name for name, choices in groups.items() for choice in choices}
    said["group"] = said["reason"].map(of).astype("str").fillna(NO_GROUP if groups else "")
    return said[said["reason"].ne("")].drop_duplicates().sort_values(["unit", "reason"], ignore_index=True)


def _name_bands(first: float, year: float) -> list[str]:
    return [
        f"up to {first:g} month{'s' * (first != 1)}",
        f"between {first:g} and {year:g} months",
        f"{year:g} months or more",
    ]


def _band_tenures(values: pd.Series, first: float, year: float) -> pd.Series:
    """Return the band of each tenure, in order; the words that stand there where most are no numbers."""
    months, given = parse_numbers(values), values.notna()
    if months.notna().sum() * 2 > given.sum():
        bands = _name_bands(first, year)
        texts = pd.Series(np.select([months <= first, months >= year], bands[::2], bands[1]), values.index)
        texts = texts.mask(months.isna(), "not given")
    else:
        texts = values.astype("str").fillna("not given")
        bands = sorted(set(texts) - {"not given"})
    return pd.Series(pd.Categorical(texts, [*bands, "not given"], ordered=True), values.index)


def _choose_hidden(sizes: pd.Series, minimum: int) -> set:
    """Return the tenures that must not be shown: the small ones, and one more where they alone could be subtracted."""
    small = sizes[sizes < minimum]
    if small.empty or small.sum() >= minimum:
        return set(small.index)
    rest = sizes[sizes >= minimum].sort_values(kind="stable")
    return {*small.index, *rest.index[:1]}
