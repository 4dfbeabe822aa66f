"""The words of the sample: reads the text banks, names what a bank lacks, and composes verbatims from them."""

import re
import string
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml

LANGUAGES = ("en", "fa", "ar", "bg", "zh")
TOPICS = (
    "late_delivery", "damaged_parcel", "courier_conduct", "product_quality", "wrong_item", "price_fees",
    "refund_delay", "app_trouble", "app_login", "app_crash", "checkout_payment", "support_wait",
    "support_helpful", "loyalty_points", "product_info", "parcel_locker",
)  # fmt: skip
SLOTS = ("item", "city", "days", "amount", "order")
KINDS = {"positive": "positive", "negative": "negative", "neutral": "question"}
PHRASES = {  # what a person writes before a contact detail, and the word for an order in a subject line
    "en": ("My number is", "write to me at", "my card number is", "Order"),
    "fa": ("شماره‌ام", "ایمیلم", "شماره کارتم", "سفارش"),
    "ar": ("رقمي", "بريدي الإلكتروني", "رقم بطاقتي", "طلب"),
    "bg": ("Телефонът ми е", "имейлът ми е", "картата ми е с номер", "Поръчка"),
    "zh": ("我的電話是", "我的信箱是", "我的卡號是", "訂單"),
}
NEEDED = {
    "filler": 20, "generic_positive": 15, "generic_negative": 12, "greetings": 8, "closings": 8, "agent": 15,
    "interviewer": 8, "needs": 12, "churn_unhappy": 10, "churn_no_need": 10, "wave": 3,
}  # fmt: skip
NEEDED_OF_TOPIC = {"negative": 16, "positive": 6, "question": 4, "detail": 8}
NEEDED_OF_STAFF = {"workload": 10, "tools": 10, "manager": 8, "positive": 8, "parcels_wait": 8}
NEEDED_OF_SLOTS = {"item": 25, "city": 12, "days": 8, "amount": 10}


class Words(NamedTuple):
    """The banks, what has been said already (both by language), and a stream of chance for wording alone.

    Wording has its own stream so that a bank may be corrected without another truth being drawn.
    """

    banks: dict[str, dict]
    said: dict[str, set[str]]
    rng: np.random.Generator


def read_bank(folder: Path, language: str) -> dict:
    """Read one bank; every level of `causes` becomes an int."""
    bank = yaml.safe_load((folder / f"{language}.yml").read_text(encoding="utf-8"))
    bank["causes"] = {int(level): sentences for level, sentences in bank.get("causes", {}).items()}
    return bank


def check_bank(bank: dict, *, strict: bool = True) -> list[str]:
    """Return what a bank lacks or has wrong, one line a matter; an empty list is a good bank.

    strict: ask for the full number of sentences of each list; otherwise one is enough.
    """
    wanted = {(key,): count for key, count in NEEDED.items()}
    wanted |= {("topics", topic, kind): n for topic in TOPICS for kind, n in NEEDED_OF_TOPIC.items()}
    wanted |= {("causes", level): 8 for level in range(1, 6)}
    wanted |= {("staff", theme): n for theme, n in NEEDED_OF_STAFF.items()}
    wanted |= {("slots", slot): n for slot, n in NEEDED_OF_SLOTS.items()}
    faults = []
    for path, count in wanted.items():
        name, found = ".".join(map(str, path)), bank
        for key in path:
            found = found.get(key, {}) if isinstance(found, dict) else {}
        if not isinstance(found, list) or len(found) < (count if strict else 1):
            faults.append(f"{name}: {len(found)} of {count} sentences")
            continue
        for sentence in found:
            if not isinstance(sentence, str) or not sentence.strip():
                faults.append(f"{name}: {sentence!r} is not a text")
                continue
            unknown = [
                slot for _, slot, _, _ in string.Formatter().parse(sentence) if slot and slot not in SLOTS
            ]
            if unknown:
                faults.append(f"{name}: no slot {unknown} (slots: {', '.join(SLOTS)}): {sentence}")
        if len(set(found)) < len(found):
            faults.append(f"{name}: a sentence stands twice")
    return faults


def load_words(folder: Path, *, seed: int, strict: bool = True) -> Words:
    """Read all banks; a missing bank or one that lacks something stops with a list of what is missing."""
    absent = [f"{language}.yml" for language in LANGUAGES if not (folder / f"{language}.yml").exists()]
    if absent:
        raise SystemExit(f"No text bank {', '.join(absent)} in {folder}.")
    banks = {language: read_bank(folder, language) for language in LANGUAGES}
    faults = [
        f"{language}.yml {fault}"
        for language in LANGUAGES
        for fault in check_bank(banks[language], strict=strict)
    ]
    if faults:
        raise SystemExit("The text banks are not complete:\n" + "\n".join(faults))
    return Words(banks, {language: set() for language in LANGUAGES}, np.random.default_rng([seed, 3]))


def pick(rng: np.random.Generator, choices: list):
    """Draw one of a list."""
    return choices[int(rng.integers(len(choices)))]


def fill_slots(rng: np.random.Generator, sentence: str, bank: dict) -> str:
    """Fill {item} {city} {days} {amount} {order}; a slot at the start gets a capital where there are capitals."""

    def value(match: re.Match) -> str:
        slot = match.group(1)
        text = (
            f"KV-{rng.integers(100000, 1000000)}" if slot == "order" else str(pick(rng, bank["slots"][slot]))
        )
        return text[:1].upper() + text[1:] if match.start() == 0 else text

    return re.sub(r"\{(\w+)\}", value, str(sentence).strip())


def draw_sentence(words: Words, language: str, kind: str) -> str:
    """Draw one sentence of a plain list of the bank (agent, interviewer, greetings), its slots filled."""
    bank = words.banks[language]
    return fill_slots(words.rng, pick(words.rng, bank[kind]), bank)


def join_sentences(sentences: list[str], language: str) -> str:
    """Join sentences as people do, ending an open one with the language's full stop."""
    stop, space = ("。", "") if language == "zh" else (".", " ")
    closed = [text + stop if text[-1].isalnum() and text is not sentences[-1] else text for text in sentences]
    return space.join(closed)


def say_topic(rng: np.random.Generator, bank: dict, topic: str, polarity: str) -> str:
    """Draw a sentence of a topic. Before the split, sign-in was a part of app_trouble: so are its sentences."""
    if topic == "app_trouble" and rng.random() < 0.35:
        topic = "app_login"
    return pick(rng, bank["topics"][topic][KINDS[polarity]])


def join_polarity(points: list[tuple[str, str]]) -> str:
    """Return the polarity of a text from those of its points: mixed where there is praise and complaint."""
    polarities = {polarity for _, polarity in points}
    if {"positive", "negative"} <= polarities:
        return "mixed"
    return next((p for p in ("negative", "positive") if p in polarities), "neutral")


def compose(
    words: Words,
    language: str,
    *,
    points: list[tuple[str, str]] = (),
    cause: int | None = None,
    lead: list[str] = (),
    more: list[str] | None = None,
    mood: str = "neutral",
    manner: str = "plain",
) -> str:
    """Compose a text that nobody in this language has said yet.

    points: (topic, polarity) pairs, a sentence each. cause: after the points, the sentence of this cause
    and of the one above it (a person who knows why level 4 happened says what level 3 was). lead: a list
    of the bank to draw a first sentence from. more: where to draw fillers from (default `filler`).
    mood: of a text without topic. manner: short, plain, or letter (with greeting and closing on lines of
    their own).
    """
    bank, rng = words.banks[language], words.rng
    for attempt in range(60):
        body = [pick(rng, lead)] if lead else []
        body += [say_topic(rng, bank, topic, polarity) for topic, polarity in points]
        if cause:
            body += [pick(rng, bank["causes"][level]) for level in range(max(1, cause - 1), cause + 1)]
        elif (
            len(points) == 1
            and points[0][1] == "negative"
            and rng.random() < (0.15 if manner == "short" else 0.45)
        ):
            body.append(pick(rng, bank["topics"][points[0][0]]["detail"]))
        if not body:
            body.append(pick(rng, bank["filler" if mood == "neutral" else f"generic_{mood}"]))
        # A text that stands already is tried again, and after a few tries a little longer.
        fillers = int(rng.random() < {"short": 0.02, "plain": 0.06, "letter": 0.1}[manner]) + attempt // 12
        said = [pick(rng, more or bank["filler"]) for _ in range(fillers)]
        body = said + body if rng.random() < 0.5 else body + said
        sentences = [fill_slots(rng, sentence, bank) for sentence in body]
        text = finish(rng, join_sentences(list(dict.fromkeys(sentences)), language), language)
        if manner == "letter":
            text = f"{pick(rng, bank['greetings'])}\n\n{text}\n\n{pick(rng, bank['closings'])}"
        key = re.sub(r"[\W_]+", "", text).lower()
        if key not in words.said[language]:
            break
    words.said[language].add(key)
    return text


def finish(rng: np.random.Generator, text: str, language: str) -> str:
    """Leave the last full stop out now and then, and write some English and Bulgarian without capitals."""
    if rng.random() < 0.2 and text[-1] in ".。":
        text = text[:-1]
    if language in ("en", "bg") and rng.random() < 0.06:
        text = re.sub(r"\bkv-", "KV-", text.lower())
    return text
