"""What is true in the sample: the people, the calendar of changes, and the draws of topics, opinions and scores.

Months are numbered 1 (2024-01) to 24 (2025-12). make.py writes these facts to truth.json.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from words import LANGUAGES, TOPICS, Words, compose, join_polarity, pick

MARKETS = {"en": "UK", "fa": "Iran", "ar": "Egypt", "bg": "Bulgaria", "zh": "Taiwan"}
SHARES = {"en": 0.30, "fa": 0.20, "ar": 0.17, "bg": 0.16, "zh": 0.17}
OFFSETS = {"en": 0, "fa": 210, "ar": 120, "bg": 120, "zh": 480}  # minutes, without summer time
MONTHS = pd.period_range("2024-01", "2025-12", freq="M")
PACKAGING, LONGER_HOURS, APP_SPLIT, LOCKER = 12, 14, 16, 20  # the month in which each begins

WEIGHTS = {  # how often a topic is spoken of; support_wait has a share of its own, so that nothing else moves it
    "late_delivery": 1.45, "damaged_parcel": 1.15, "courier_conduct": 0.75, "product_quality": 1.0, "wrong_item": 0.7,
    "price_fees": 0.9, "refund_delay": 0.8, "app_trouble": 0.85, "app_login": 0.6, "app_crash": 0.6,
    "checkout_payment": 0.6, "support_helpful": 0.7, "loyalty_points": 0.55, "product_info": 0.65,
    "parcel_locker": 1.3,
}  # fmt: skip
WAIT_SHARE = 0.075
TILT = {  # some matters are said more in some channels
    "review": {"product_quality": 1.7, "product_info": 1.5, "refund_delay": 0.7},
    "ticket": {"refund_delay": 1.4, "checkout_payment": 1.3, "price_fees": 0.7},
    "call": {"late_delivery": 1.3},
    "interview": {"late_delivery": 1.8},
    "group": {"late_delivery": 1.5},
}
SEVERITY = {  # what a complaint takes from satisfaction, beyond that it is a complaint
    "late_delivery": 0.55, "damaged_parcel": 0.35, "refund_delay": 0.5, "product_quality": 0.4, "support_wait": 0.35,
    "courier_conduct": 0.25, "checkout_payment": 0.3, "wrong_item": 0.2, "app_trouble": 0.2, "app_login": 0.2,
    "app_crash": 0.2,
}  # fmt: skip
POLARITY = {  # share of complaints, and of questions, by channel; the rest is praise
    "relationship": (0.42, 0.05), "aftercontact": (0.42, 0.05), "ticket": (0.76, 0.18), "call": (0.72, 0.15),
    "chat": (0.62, 0.26), "email": (0.70, 0.16), "review": (0.38, 0.03), "social": (0.56, 0.10),
    "sms": (0.44, 0.06), "interview": (0.55, 0.06), "group": (0.56, 0.06), "churn": (0.92, 0.02),
}  # fmt: skip
CAUSE_OF_LATE = {  # odds that a complaint about late delivery says why, and how deep
    "public": (0.30, (0.58, 0.20, 0.12, 0.06, 0.04)),
    "contact": (0.42, (0.44, 0.20, 0.16, 0.11, 0.09)),
    "told": (0.80, (0.16, 0.21, 0.24, 0.21, 0.18)),
}
DEPTH = {"ticket": "contact", "email": "contact", "call": "contact", "chat": "contact"} | dict.fromkeys(
    ("interview", "group", "staff"), "told"
)
SEGMENTS = ("market", "region", "device", "plan", "age_band", "signup_source", "area", "delivery_type")
TITLED = ("Country", "Region", "Device", "Plan", "Age group", "Came through", "Area", "Delivery")
SNAKED = (
    "cust_country",
    "cust_region",
    "cust_device",
    "cust_plan",
    "cust_age",
    "cust_source",
    "cust_area",
    "ship_type",
)
CAMEL = (
    "country",
    "regionName",
    "deviceOs",
    "planType",
    "ageBand",
    "signupSource",
    "areaType",
    "deliveryType",
)


class Export(NamedTuple):
    """One raw file: its rows, and which columns hold the id, date, text and main score."""

    name: str
    rows: list[dict]
    id: str
    date: str
    text: str | None = None
    score: str | None = None


class Sample(NamedTuple):
    """What the exports are drawn from, and the labels that they leave behind."""

    seed: int
    words: Words
    customers: list[dict]
    groups: dict
    labels: dict[str, dict]


def draw_customers(rng: np.random.Generator, number: int = 2600) -> list[dict]:
    """Draw the customers: markets in fixed shares, segments independent but for delivery_type, which goes by area."""
    markets = [code for code in LANGUAGES for _ in range(round(number * SHARES[code]))]
    customers = []
    for place, market in enumerate(markets):
        area = "rural" if rng.random() < 0.45 else "city"
        joined = int(rng.integers(1, 25)) if rng.random() < 0.3 else -int(rng.integers(0, 48))
        leaves = rng.random() < 0.4
        stays = int(rng.exponential(3)) if rng.random() < 0.3 else int(rng.integers(4, 66))
        customers.append(
            {
                "id": f"KC{10000 + place * 7 % len(markets)}",
                "language": "en" if rng.random() < 0.03 else market,
                "market": MARKETS[market],
                "code": market,
                "region": pick(rng, ["north", "south", "east", "west"]),
                "device": str(rng.choice(["android", "ios", "web"], p=[0.45, 0.33, 0.22])),
                "plan": "member" if rng.random() < 0.4 else "guest",
                "age_band": str(rng.choice(["18-29", "30-44", "45-59", "60+"], p=[0.25, 0.35, 0.25, 0.15])),
                "signup_source": str(
                    rng.choice(["advert", "friend", "search", "shop"], p=[0.3, 0.25, 0.3, 0.15])
                ),
                "area": area,
                "delivery_type": "express"
                if rng.random() < (0.75 if area == "rural" else 0.15)
                else "standard",
                "joined": joined,
                "left": joined + stays if leaves and joined + stays > 0 else 99,
                "mood": float(rng.normal(0, 0.35)),
                "activity": float(rng.gamma(2.0, 0.5)),
            }
        )
    return customers


def group_customers(customers: list[dict]) -> dict[str, tuple[list[dict], np.ndarray]]:
    """Return, for each market, its customers and the running sum of how much each speaks."""
    groups = {}
    for code in LANGUAGES:
        members = [person for person in customers if person["code"] == code]
        weights = np.cumsum([person["activity"] for person in members])
        groups[code] = (members, weights / weights[-1])
    return groups


def pick_customer(rng: np.random.Generator, groups: dict, month: int, *, plan: str | None = None) -> dict:
    """Draw who speaks in a month: someone who has joined and has not left (and has this plan)."""
    code = str(rng.choice(LANGUAGES, p=[SHARES[code] for code in LANGUAGES]))
    members, running = groups[code]
    while True:
        person = members[min(int(np.searchsorted(running, rng.random())), len(members) - 1)]
        if person["joined"] <= month <= person["left"] and plan in (None, person["plan"]):
            return person


def spread_months(rng: np.random.Generator, number: int) -> list[int]:
    """Return `number` months, as even as can be, in order."""
    return sorted(int(month) for month in rng.permutation(np.resize(np.arange(1, 25), number)))


def draw_time(rng: np.random.Generator, month: int) -> pd.Timestamp:
    """Draw a moment (UTC) of a month, by day, so that every market's clock and London's agree on the month."""
    first = MONTHS[month - 1].start_time
    day = int(rng.integers(MONTHS[month - 1].days_in_month))
    return first + pd.Timedelta(days=day, seconds=int(rng.integers(7 * 3600, 15 * 3600)))


def draw_topic(rng: np.random.Generator, person: dict, month: int, channel: str) -> str:
    """Draw what a customer speaks of in a month."""
    if rng.random() < WAIT_SHARE:
        return "support_wait"
    weights = {**WEIGHTS}
    for topic, tilt in TILT.get(channel, {}).items():
        weights[topic] *= tilt
    for topic in ("app_login", "app_crash") if month < APP_SPLIT else ("app_trouble",):
        weights[topic] = 0
    if month < LOCKER:
        weights["parcel_locker"] = 0
    if month >= PACKAGING:
        weights["damaged_parcel"] *= 0.36
    if month % 12 in (11, 0):
        weights["late_delivery"] *= 1.6
    if person["region"] == "north":
        weights["late_delivery"] *= 2.5
    if person["device"] == "android":
        for topic in ("app_trouble", "app_login", "app_crash"):
            weights[topic] *= 2.3
    running = np.cumsum([weights.get(topic, 0) for topic in TOPICS])
    return TOPICS[int(np.searchsorted(running, rng.random() * running[-1], side="right"))]


def draw_polarity(rng: np.random.Generator, person: dict, channel: str, topic: str | None) -> str:
    """Draw how it is said: channel first; rural customers complain more, express customers less."""
    complaints, questions = POLARITY[channel]
    if topic == "support_helpful":
        return "positive" if rng.random() < 0.85 else "negative"
    if rng.random() < questions:
        return "neutral"
    odds = np.log(complaints / max(0.02, 1 - complaints - questions)) - person["mood"]
    odds += (0.55 if person["area"] == "rural" else -0.45) - (
        0.25 if person["delivery_type"] == "express" else 0
    )
    return "negative" if rng.random() < 1 / (1 + np.exp(-odds)) else "positive"


def draw_points(rng: np.random.Generator, person: dict, month: int, channel: str) -> list[tuple[str, str]]:
    """Draw the (topic, polarity) points of a text: none in a tenth of texts, two in a quarter, else one."""
    if rng.random() < 0.10:
        return []
    first = draw_topic(rng, person, month, channel)
    points = [(first, draw_polarity(rng, person, channel, first))]
    if rng.random() < 0.28:
        second = draw_topic(rng, person, month, channel)
        polarity = points[0][1] if rng.random() < 0.55 else draw_polarity(rng, person, channel, second)
        if second != first:
            points.append((second, polarity))
    return points


def draw_cause(
    rng: np.random.Generator, person: dict, channel: str, points: list[tuple[str, str]]
) -> int | None:
    """Draw the level of cause (1-5) that a complaint about late delivery names, or None."""
    if ("late_delivery", "negative") not in points:
        return None
    odds, depths = CAUSE_OF_LATE[DEPTH.get(channel, "public")]
    if rng.random() > odds:
        return None
    return int(rng.choice(5, p=depths)) + 1


def draw_satisfaction(
    rng: np.random.Generator, person: dict, points: list[tuple[str, str]], mood: str
) -> float:
    """Return how satisfied a speaker is (around 0, most within 2), noisily after what they say."""
    value = person["mood"] + rng.normal(0, 0.45)
    polarities = [polarity for _, polarity in points] or [mood]
    value += float(np.mean([{"positive": 0.85, "negative": -0.75}.get(p, 0.0) for p in polarities]))
    return value - sum(SEVERITY.get(topic, 0.0) for topic, polarity in points if polarity == "negative")


def score(rng: np.random.Generator, value: float, low: int, high: int) -> int:
    """Round a value, noisily, to a whole step of a scale."""
    return int(np.clip(round(value + rng.normal(0, 0.35)), low, high))


def score_csat(rng: np.random.Generator, person: dict, satisfaction: float) -> int:
    """Score overall satisfaction 1-5: much lower in rural areas, higher with express within an area."""
    rural, express = person["area"] == "rural", person["delivery_type"] == "express"
    return score(rng, 3.8 + 0.8 * satisfaction - 1.05 * rural + 0.5 * express, 1, 5)


def score_packaging(rng: np.random.Generator, person: dict, points: list[tuple[str, str]], month: int) -> int:
    """Score the packaging 1-5: about 0.7 higher since the sturdier packaging."""
    said = {"negative": -1.2, "positive": 0.5}.get(dict(points).get("damaged_parcel"), 0)
    return score(
        rng, 3.15 + 0.4 * person["mood"] + said + 0.66 * (month >= PACKAGING) + rng.normal(0, 0.7), 1, 5
    )


def score_support(rng: np.random.Generator, person: dict, points: list[tuple[str, str]]) -> int:
    """Score the support 1-5: the same before and after the longer hours."""
    said = dict(points)
    value = 3.6 - 1.0 * (said.get("support_wait") == "negative")
    value += {"positive": 0.7, "negative": -1.2}.get(said.get("support_helpful"), 0)
    return score(rng, value + 0.4 * person["mood"] + rng.normal(0, 0.7), 1, 5)


def start(sample: Sample, name: str) -> tuple[np.random.Generator, dict]:
    """Return a stream of chance of its own for a file (so that files do not shift one another) and its labels."""
    return np.random.default_rng([sample.seed, *name.encode()]), sample.labels.setdefault(name, {})


def columns_of(person: dict, names: tuple[str, ...]) -> dict:
    """Return a customer's segments under an export's own column names."""
    return {name: person[segment] for name, segment in zip(names, SEGMENTS, strict=True)}


def draw_mood(rng, person: dict, channel: str) -> str:
    """Draw the mood of a text without topic."""
    return "neutral" if rng.random() < 0.3 else draw_polarity(rng, person, channel, None)


def draw_opinion(
    sample: Sample, rng, person: dict, month: int, channel: str, *, manner="plain", points=None, lead=()
):
    """Draw what a customer says: (text, label, points, mood)."""
    points = draw_points(rng, person, month, channel) if points is None else points
    mood = draw_mood(rng, person, channel)
    cause = draw_cause(rng, person, channel, points)
    text = compose(
        sample.words, person["language"], points=points, cause=cause, lead=lead, mood=mood, manner=manner
    )
    polarity = join_polarity(points) if points else mood
    return text, [[topic for topic, _ in points], cause, polarity, person["language"]], points, mood
