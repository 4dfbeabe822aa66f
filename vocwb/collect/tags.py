"""Tags of tickets: how many by ticket and by tag, and which of them are one tag written in several ways."""

import re
from collections import defaultdict

import pandas as pd

from vocwb.collect.panels import make_panel
from vocwb.languages import normalise_text


def count_tags(tags: pd.DataFrame, responses: pd.DataFrame, *, minimum: int = 5) -> pd.DataFrame:
    """Return a panel of tags: by ticket and by tag, with tickets without a tag, and tags written in several ways.

    Needs tags: response_id, tag; responses: response_id, source, duplicate_of. A ticket is a response of a
    source that has tags. share is of the tickets, so a ticket with three tags counts in three rows and the
    shares add up to more than 100; share_of_tags is of the tags given, and adds up to 100. Spellings are the same
    tag if they differ in case, white space, punctuation, letter forms (ي ی), a plural (-s, -es, -ies, ها), or,
    with five letters or more and none of them a digit, by one letter more, fewer, other or swapped where one is
    at most a fifth as frequent; a person decides.

    >>> tags = pd.DataFrame({"response_id": ["1", "1", "2"], "tag": ["Cost", "time", "cost"]})
    >>> responses = pd.DataFrame({"response_id": ["1", "2", "3"], "source": "desk", "duplicate_of": None})
    >>> count_tags(tags, responses, minimum=1)[["what", "level", "count", "n"]].values.tolist()[-1]
    ['written in several ways', 'Cost', 2, 3]
    """
    kept = responses.loc[responses["duplicate_of"].isna(), ["response_id", "source"]]
    tags = tags[["response_id", "tag"]].drop_duplicates().merge(kept, on="response_id")
    if tags.empty:
        return make_panel([{"what": "tags", "says": "No source has tags."}])
    n = int(kept["source"].isin(tags["source"].unique()).sum())
    per_ticket = tags.groupby("response_id").size()
    rows = [
        {"what": "tickets", "level": level, "count": count, "n": n}
        for level, count in (
            ("with a tag", len(per_ticket)),
            ("with several tags", (per_ticket > 1).sum()),
            ("without a tag", n - len(per_ticket)),
        )
    ]
    counts = tags["tag"].value_counts()
    counts = counts.loc[sorted(counts.index, key=lambda tag: (-counts[tag], tag))]
    shown = counts[counts >= minimum]
    rows += [
        {"what": "tag", "level": tag, "count": count, "n": n, "share_of_tags": 100 * count / len(tags)}
        for tag, count in shown.items()
    ]
    rare = counts[counts < minimum]
    if len(rare):
        some = tags[tags["tag"].isin(rare.index)]["response_id"].nunique()
        says = f"{len(rare):,} tags of fewer than {minimum} tickets each"
        rows.append({"what": "tag", "level": "rare tags", "count": some, "n": n, "says": says,
                     "share_of_tags": 100 * rare.sum() / len(tags)})  # fmt: skip
    for group in _group_spellings(counts):
        count = tags.loc[tags["tag"].isin(group), "response_id"].nunique()
        if count >= minimum:
            others = ", ".join(f"{tag} ({counts[tag]:,})" for tag in group[1:])
            says = f"{counts[group[0]]:,} times so, and also: {others}"
            rows.append(
                {"what": "written in several ways", "level": group[0], "count": count, "n": n, "says": says}
            )
    panel = make_panel(rows, minimum=minimum)
    return panel.assign(
        share_of_tags=panel.get("share_of_tags", pd.Series(dtype=float)).astype(float).round(1)
    )


def _group_spellings(counts: pd.Series) -> list[list[str]]:
    """Return groups of tags that seem to be one, each with the most frequent first (as `counts` is sorted)."""
    root = {tag: tag for tag in counts.index}
    by_key: dict[str, str] = {}
    for tag in counts.index:
        key = re.sub(r"[\W_]+", "", normalise_text(tag, "fa")) or tag
        key = re.sub(r"(?<=\w\w)ies$", "y", key)
        key = re.sub(r"(?:(?<=[sxz])es|(?<=ch)es|(?<=sh)es|(?<=[^\Ws])s|های?)$", "", key) or key
        root[tag] = by_key.setdefault(key, tag)
    cuts = defaultdict(list)
    for key, tag in by_key.items():  # in the order of frequency
        if len(key) < 5 or re.search(r"\d", key):
            continue
        short = {key, *(key[:at] + key[at + 1 :] for at in range(len(key)))}
        near = {other for cut in short for other in cuts[cut] if _is_near(key, other)}
        common = [other for other in near if counts[by_key[other]] >= 5 * counts[tag]]
        if common:
            root[tag] = root[by_key[min(common, key=lambda other: (-counts[by_key[other]], other))]]
        for cut in short:
            cuts[cut].append(key)
    groups = defaultdict(list)
    for tag in counts.index:
        last = root[tag]
        groups[root[last]].append(tag)
    return [group for group in groups.values() if len(group) > 1]


def _is_near(one: str, other: str) -> bool:
    """Return whether two words differ by one letter more, fewer, other, or by two neighbours swapped."""
    start = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return abs(len(one) - len(other)) <= 1
    a, b = one[start:], other[start:]
    return a[1:] == b[1:] or a[1:] == b or a == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
