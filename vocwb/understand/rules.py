"""Rules of coding as people write them: words and phrases by language, kind and value, in YAML files."""

import difflib
from collections.abc import Iterable, Mapping

import pandas as pd
import yaml

from vocwb.errors import ProgrammeError
from vocwb.languages import describe_language
from vocwb.understand.spelling import join_parts, spell_text

CATEGORIES = (
    "price", "quality", "delivery", "service", "staff", "usability", "reliability", "billing", "returns",
    "communication", "safety", "choice", "environment",
)  # fmt: skip
OTHER = "other"
"""The category of a verbatim in which no rule finds one."""
CANNOT_TELL = "cannot tell"
POLARITIES = ("positive", "negative", "neutral", "mixed", CANNOT_TELL)

KINDS = {
    "category": CATEGORIES,
    "polarity": ("positive", "negative", "neutral", "none"),
    "negation": ("before", "after"),
    "intensifier": ("strong", "weak"),
    "ask": ("request", "complaint", "praise", "question"),
}
"""The kinds of rule, and the values of each.

A negation stands before or after the word that it turns. Of polarity none is what feels nothing, though it holds
a word that does ("kind regards").
"""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as quick, where PyYAML was built with it
_EXAMPLE = {
    "text": "",
    "category": CATEGORIES,
    "not": CATEGORIES,
    "polarity": POLARITIES,
    "ask": KINDS["ask"],
}


def parse_rules(texts: Mapping[str, str], *, categories: Iterable[str] = ()) -> pd.DataFrame:
    """Return the rules of several languages as one table: language, kind, value, pattern.

    texts: language -> YAML text of `kind: {value: [pattern, ...]}`. A pattern is a word or a phrase; `*` at
    its end stands for any ending. `examples` are for `read_examples` and give no rules. A text that begins with
    `extends: true` is followed by `---` and the text that it adds to (`programme.read_rules` puts it there): where
    both have a pattern of one kind, the first text's values count. categories: the programme's own ones.
    Raises ProgrammeError, naming the language and the key, where a text is not YAML, a kind or a value is
    unknown, a pattern is empty or no text, or a pattern means both positive and negative.

    >>> parse_rules({"en": "polarity: {positive: [good, great*]}"})["pattern"].tolist()
    ['good', 'great*']
    >>> parse_rules({"en": "category: {parking: [car park]}"}, categories=["parking"])["value"].tolist()
    ['parking']
    """
    kinds = _list_values(categories)
    rows = []
    for language in sorted(texts):
        describe_language(language)
        file = f"rules/{language}.yml"
        given: dict[tuple[str, str], set[str]] = {}
        for document in _read_documents(texts[language], file):
            own: dict[tuple[str, str], set[str]] = {}
            for kind, value, pattern in _list_patterns(document, kinds, language, file):
                spelt = (kind, join_parts(spell_text(pattern, language), language))
                if spelt in given or value in own.setdefault(spelt, set()):
                    continue
                own[spelt].add(value)
                if kind == "polarity" and len(own[spelt]) > 1:
                    other = min(own[spelt] - {value})
                    what = f"{file}: {kind}.{value}: {pattern!r} is under {other} too."
                    raise ProgrammeError(what, remedy="Keep it on one side.")
                rows.append((language, kind, value, pattern))
            given |= own
    return pd.DataFrame(rows, columns=["language", "kind", "value", "pattern"], dtype="str")


def read_examples(texts: Mapping[str, str], *, categories: Iterable[str] = ()) -> pd.DataFrame:
    """Return what the examples of rule files say: language, text, kind, value, holds (false: it is *not* so).

    An example is `{text: "The fee is too high", category: price, not: [staff, billing], polarity: negative}`:
    category are those that must be found, not those that must not, polarity and ask the only right ones; each
    may be left out. Raises ProgrammeError where an example has another key or a value that there is not.

    >>> text = 'examples: [{text: "A fair price", category: price, not: staff}]'
    >>> read_examples({"en": text})[["kind", "value", "holds"]].values.tolist()
    [['category', 'price', True], ['category', 'staff', False]]
    """
    known = _EXAMPLE | {key: (*_list_values(categories)["category"], OTHER) for key in ("category", "not")}
    rows = []
    for language in sorted(texts):
        file = f"rules/{language}.yml"
        for document in _read_documents(texts[language], file):
            for number, example in enumerate(document.get("examples") or [], start=1):
                where = f"{file}: example {number}"
                if not isinstance(example, dict) or not isinstance(example.get("text"), str):
                    what = f"{where} has no text."
                    raise ProgrammeError(what, remedy='Write: - {text: "What was said", category: price}')
                for key, values in example.items():
                    _check_name(key, known, f"{where}: {key!r} is not a key of an example.")
                    for value in (values if isinstance(values, list) else [values]) if key != "text" else []:
                        _check_name(value, known[key], f"{where}: {value!r} is not a value of {key}.")
                        kind = "category" if key == "not" else key
                        rows.append((language, example["text"], kind, value, key != "not"))
    columns = ["language", "text", "kind", "value", "holds"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(columns[:4], "str") | {"holds": bool})


def list_categories(rules: pd.DataFrame, own: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return what a verbatim can be coded as, name -> what readers see: those of the rules, the own ones, "other".

    own: `categories` of programme.yml. The common ones come first; one of them that no rule names is left out.

    >>> list_categories(parse_rules({"en": "category: {staff: [crew]}"}), {"parking": "Car park"})
    {'staff': 'staff', 'parking': 'Car park', 'other': 'other'}
    """
    own = own or {}
    ruled = set(rules.loc[rules["kind"] == "category", "value"])
    names = [*(name for name in CATEGORIES if name in ruled), *own, *sorted(ruled - set(CATEGORIES))]
    return {name: own.get(name, name) for name in dict.fromkeys([*names, OTHER])}


def _list_values(categories: Iterable[str]) -> dict[str, tuple[str, ...]]:
    return KINDS | {"category": tuple(dict.fromkeys([*CATEGORIES, *categories]))}


def _list_patterns(document: dict, kinds: Mapping[str, Iterable[str]], language: str, file: str):
    """Yield kind, value and pattern of a rule file."""
    for kind, values in document.items():
        if kind in ("examples", "extends"):
            continue
        _check_name(kind, [*kinds, "examples", "extends"], f"{file}: {kind!r} is not a kind of rule.")
        for value, patterns in _check_type(values, dict, f"{file}: {kind}").items():
            where = f"{file}: {kind}.{value}"
            own = " It may be added under `categories` in programme.yml." if kind == "category" else ""
            _check_name(value, kinds[kind], f"{where}: {value!r} is not a value of {kind}.{own}")
            for pattern in _check_type(patterns, list, where):
                yield kind, value, _check_pattern(pattern, language, where)


def _read_documents(text: str, file: str) -> list[dict]:
    """Return the mappings of a YAML text, after a look for keys that stand twice (YAML would keep the last)."""
    try:
        nodes = list(yaml.compose_all(text, Loader=_Loader))
        documents = list(yaml.load_all(text, Loader=_Loader))
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", 0) + 1
        raise ProgrammeError(f"{file} line {line}: not YAML.", remedy="Mend that line.") from error
    for node, values in zip(nodes, documents, strict=True):
        _check_type(values, dict, file)
        for mapping in (node, *(value for _, value in node.value if isinstance(value, yaml.MappingNode))):
            keys = [key.value for key, _ in mapping.value]
            if twice := sorted({key for key in keys if keys.count(key) > 1}):
                raise ProgrammeError(
                    f"{file}: key {twice[0]!r} stands twice.", remedy="Make one list of both."
                )
    if not documents:
        _check_type(None, dict, file)
    for place, values in enumerate(documents):
        if not isinstance(values.get("extends", False), bool):
            raise ProgrammeError(f"{file}: extends is {values['extends']!r}.", remedy="Write true or false.")
        if values.get("extends", False) == (place + 1 == len(documents)):
            what = f"{file}: `extends: true` belongs at the top of a file that adds to the rules of vocwb."
            raise ProgrammeError(
                what, remedy="Keep one file a language, and read it with read_rules(programme)."
            )
    return documents


def _check_type(found: object, wanted: type, where: str):
    if not isinstance(found, wanted):
        what = f"{where}: empty, or not a {'list of patterns' if wanted is list else 'list of key: value'}."
        raise ProgrammeError(what, remedy="Write: kind: {value: [word, two words, prefix*]}")
    return found


def _check_name(name: object, known: Iterable[str], what: str) -> None:
    if name not in (known := list(known)):
        near = difflib.get_close_matches(str(name), known, n=1)
        remedy = f"Did you mean {near[0]!r}?" if near else "Use one of these."
        raise ProgrammeError(what, f"There are: {', '.join(known)}.", remedy)


def _check_pattern(pattern: object, language: str, where: str) -> str:
    if not isinstance(pattern, str):
        remedy = "Put it in quotes: YAML reads no, yes, on, off and numbers as something else."
        raise ProgrammeError(f"{where}: {pattern!r} is not a text.", remedy=remedy)
    if not (bare := spell_text(pattern.removesuffix("*"), language)) or "*" in bare:
        remedy = "Remove it; a pattern is a word or phrase, and * may stand only at its end."
        raise ProgrammeError(f"{where}: {pattern!r} is an empty pattern or has * inside.", remedy=remedy)
    return pattern
