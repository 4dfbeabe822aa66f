"""What the form of coding shows and reads: typed keys, a verbatim, codes side by side and agreement, as safe HTML."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from vocwb.share.quotes import tag_language
from vocwb.share.rows import name_language
from vocwb.share.widgets import verbatim_html
from vocwb.understand.agreement import HUMAN, NO_ASK, TOGETHER

POLARITIES = {"+": "positive", "-": "negative", "0": "neutral", "*": "mixed", "?": "cannot tell"}
"""The key of each polarity."""
ASKS = {"n": NO_ASK, "c": "complaint", "r": "request", "p": "praise", "q": "question"}
"""The key of each ask; on a keyboard without Latin letters !0 to !4."""

CODING_STYLE = """<style>
.vocwb-coding {max-width: 62rem; overflow: visible}
.vocwb-coding .widget-html-content {line-height: 1.45; height: auto; overflow-wrap: anywhere}
.vocwb-coding .widget-html {height: auto}
.vocwb-coding .widget-label {text-align: start}
.vocwb-coding .said {border-block: 1px solid #e3dfd7; padding: .5rem .2rem; min-height: 5rem; max-height: 40vh;
  overflow: auto}
.vocwb-coding .said pre {margin: 0; line-height: 1.6; word-break: normal}
.vocwb-coding .facts {color: #5b6670; margin: .1rem 0; font-size: .92em}
.vocwb-coding .facts progress {width: 12rem; vertical-align: middle; accent-color: #0b6e6e}
.vocwb-coding .jupyter-button {width: auto; min-width: 6rem; overflow: visible}
.vocwb-coding > .widget-toggle-buttons {display: flex; flex-flow: row wrap; align-items: center; height: auto;
  width: auto !important; max-width: none !important; overflow: visible}
.vocwb-coding > .widget-toggle-buttons > .widget-label {flex: none; margin-inline-end: 10px}
.vocwb-coding [role=status] {margin: 0; font-weight: bold; min-height: 1.45em}
.vocwb-categories {display: grid !important; gap: 0 1rem; overflow: visible;
  grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); flex: 1}
.vocwb-several {align-items: flex-start; overflow: visible}
.vocwb-several > .widget-html {flex: 0 0 9.2rem}
.vocwb-categories > .widget-checkbox {width: auto}
.vocwb-lists {gap: .5rem 1.5rem; flex-wrap: wrap; margin: .3rem 0 .3rem 9.5rem; overflow: visible}
.vocwb-lists > .widget-inline-hbox {flex-direction: column; height: auto; width: 10.5rem !important; margin: 2px}
.vocwb-lists > .widget-inline-hbox > .widget-label {width: auto !important; text-align: start}
.vocwb-lists select {flex: none; width: 100%; margin: 0; padding: 2px; height: auto; overflow: hidden}
.vocwb-lists option {padding: 2px 4px}
.vocwb-coding input:focus-visible, .vocwb-coding button:focus-visible, .vocwb-coding select:focus-visible,
.vocwb-coding .said:focus-visible {outline: 3px solid #0b6e6e !important; outline-offset: 1px}
.vocwb-coding table {border-collapse: collapse; margin: .4rem 0}
.vocwb-coding th, .vocwb-coding td {text-align: start; vertical-align: top; padding: .25rem 1.2rem .25rem 0;
  border-top: 1px solid #e3dfd7}
.vocwb-coding tr.differs {background: #fdf0cf; font-weight: bold}
.vocwb-coding summary {cursor: pointer}
@media (max-width: 640px) {.vocwb-lists {margin-left: 0} .vocwb-several {flex-direction: column}
  .vocwb-several > .widget-html {flex-basis: auto}}
</style>"""

_ROWS = {"category": "Category", "polarity": "Polarity", "intensity": "Intensity", "ask": "What is asked"}
_SIGNS = str.maketrans({"−": "-", "–": "-", "؟": "?", "،": ",", "、": ",", "×": "*"})
_STRONG = re.compile(r"([-+*])(\d)")


def read_keys(text: str, categories: Sequence[str]) -> dict | str:
    """Return what was typed as a code, as far as it goes, or in words what cannot be read.

    A number is a category (1 is the first); + - 0 * ? is the polarity, with the intensity directly behind + - or *;
    a letter of ASKS, or ! and its place, is the ask. Digits of any script are read.

    >>> read_keys("2 1 -4 c", ["price", "staff"])
    {'category': ['price', 'staff'], 'polarity': 'negative', 'intensity': 4, 'ask': 'complaint'}
    >>> read_keys("۲ ؟", ["price", "staff"]), read_keys("3", ["price", "staff"])
    ({'category': ['staff'], 'polarity': 'cannot tell'}, 'There is no category 3: there are 1 to 2.')
    """
    numbers, found = set(), {}
    for word in re.split(r"[\s,]+", unicodedata.normalize("NFKC", text).translate(_SIGNS).lower()):
        strong = _STRONG.fullmatch(word)
        if word.isdecimal() and int(word):
            if int(word) > len(categories):
                return f"There is no category {int(word)}: there are 1 to {len(categories)}."
            numbers.add(int(word) - 1)
        elif word.isdecimal():
            found |= {"polarity": "neutral", "intensity": 1}
        elif word in POLARITIES:
            found["polarity"] = POLARITIES[word]
        elif strong and 1 <= int(strong[2]) <= 5:
            found |= {"polarity": POLARITIES[strong[1]], "intensity": int(strong[2])}
        elif word in ASKS:
            found["ask"] = ASKS[word]
        elif word[:1] == "!" and word[1:].isdecimal() and int(word[1:]) < len(ASKS):
            found["ask"] = [*ASKS.values()][int(word[1:])]
        elif word:
            return f"“{word}” cannot be read: numbers are categories, + - 0 * ? how it feels, {' '.join(ASKS)} the ask."
    return ({"category": [categories[number] for number in sorted(numbers)]} if numbers else {}) | found


def progress_html(size: int, place: int, row: Mapping | None, *, done: int, talk: bool) -> Markup:
    """Return how many of so many are done, and which one is shown (place counts from 0).

    >>> "7 of 40 coded" in progress_html(40, 7, {"language": "fa"}, done=7, talk=False)
    True
    """
    here = "" if row is None else f" · this is number {place + 1}, {name_language(row['language'])}"
    told = f"{done} of {size} {'talked over' if talk else 'coded'}"
    bar = Markup('<progress value="{}" max="{}" aria-label="{}"></progress>').format(done, max(size, 1), told)
    return Markup('<p class="facts">{} {}{}</p>').format(bar, told, here)


def coded_verbatim_html(row: Mapping) -> Markup:
    """Return a verbatim that can be scrolled by the keyboard and cannot run, from the side it is read from.

    >>> "<b>" in coded_verbatim_html({"verbatim": "<b>late", "language": "en"})
    False
    """
    words = Markup(verbatim_html(row["verbatim"], row["language"]))
    tag = tag_language(row["verbatim"], row["language"])
    return Markup('<div class="said" tabindex="0" role="region" aria-label="Verbatim" lang="{}">{}</div>').format(
        tag, words
    )  # fmt: skip


def sides_html(codes: Mapping[str, Mapping], differs: Iterable[str]) -> Markup:
    """Return the codes of several people side by side, name -> value of a decision of kind "code".

    differs: the variables in which they are apart (coding_sample.compare_people); these rows say so.

    >>> sides = {"Ada": {"category": ["price"], "polarity": "negative"}, "<Bo>": {"category": "staff"}}
    >>> "category: differs" in sides_html(sides, ["category"]).lower(), "<Bo>" in sides_html(sides, [])
    (True, False)
    """
    differs = set(differs)
    head = Markup("").join(Markup('<th scope="col"><bdi>{}</bdi></th>').format(who) for who in codes)
    body = []
    for name, label in _ROWS.items():
        cells = Markup("").join(
            Markup("<td><bdi>{}</bdi></td>").format(_say(value.get(name), name)) for value in codes.values()
        )
        mark = Markup(' class="differs"') if name in differs else ""
        told = f"{label}: differs" if name in differs else label
        body.append(Markup('<tr{}><th scope="row">{}</th>{}</tr>').format(mark, told, cells))
    return Markup("<table><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table>").format(
        head, Markup("").join(body)
    )


def _say(value: object, name: str) -> str:
    if value is None:
        return NO_ASK if name == "ask" else "–"
    return TOGETHER.join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def agreement_html(found: pd.DataFrame, title: str) -> Markup:
    """Return agreement.measure_agreement as a table for each pair and language, its single codes folded away.

    >>> found = pd.DataFrame({"language": ["en"], "coder_a": ["human:Ada"], "coder_b": ["human:<Bo>"],
    ...     "variable": ["polarity"], "alpha": [0.61], "low": [0.5], "high": [0.7], "n": [60], "used": [60],
    ...     "agreed": [45], "agreement": [75.0], "verdict": ["too few to say"]})
    >>> html = agreement_html(found, "So far")
    >>> "0.61 (0.50 to 0.70)" in html, "45 of 60 (75%)" in html, "<Bo>" in html
    (True, True, False)
    """
    if found.empty:
        return Markup("<h4>{}</h4><p>No two people have coded the same verbatim of these yet.</p>").format(
            title
        )
    blocks = []
    for (one, other, language), rows in found.groupby(["coder_a", "coder_b", "language"], sort=False):
        names = [name.removeprefix(HUMAN) for name in (one, other)]
        spoken = "all languages" if language == "all" else name_language(language)
        single = rows["variable"].str.contains("=")
        more = Markup("<details><summary>Code by code</summary>{}</details>").format(_table(rows[single]))
        blocks.append(
            Markup("<p><b><bdi>{}</bdi> and <bdi>{}</bdi></b>, {}</p>{}{}").format(
                *names, spoken, _table(rows[~single]), more if single.any() else ""
            )
        )
    return Markup("<h4>{}</h4>{}").format(title, Markup("").join(blocks))


def _table(rows: pd.DataFrame) -> Markup:
    heads = ("", "Alike", "Alpha (95%)", "")
    line = Markup("<tr><th scope='row'><bdi>{}</bdi></th><td>{}</td><td>{}</td><td>{}</td></tr>")
    body = []
    for row in rows.to_dict("records"):
        alike = f"{row['agreed']} of {row['n']}"
        alike += "" if math.isnan(row["agreement"]) else f" ({row['agreement']:.0f}%)"
        alike += f", used in {row['used']}" if "=" in row["variable"] else ""
        alpha = "–" if math.isnan(row["alpha"]) else f"{row['alpha']:.2f}"
        alpha += "" if math.isnan(row["low"]) else f" ({row['low']:.2f} to {row['high']:.2f})"
        body.append(line.format(row["variable"].replace("=", ": "), alike, alpha, row["verdict"]))
    head = Markup("").join(Markup("<th scope='col'>{}</th>").format(one) for one in heads)
    return Markup("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>").format(
        head, Markup("").join(body)
    )
