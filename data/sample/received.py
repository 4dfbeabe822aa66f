"""What customers say of their own accord: tickets, calls, chats, e-mails, reviews and posts."""

import pandas as pd
import planted as plan
import words as say

WAVE_START = pd.Timestamp("2025-06-10 09:00")
TAGS = {
    "late_delivery": "delivery;time", "damaged_parcel": "packaging", "courier_conduct": "delivery;courier",
    "product_quality": "product", "wrong_item": "product;picking", "price_fees": "cost", "refund_delay": "refund;time",
    "app_trouble": "app", "app_login": "app;login", "app_crash": "app", "checkout_payment": "payment;cost",
    "support_wait": "support;time", "support_helpful": "support", "loyalty_points": "points", "product_info": "website",
    "parcel_locker": "delivery;locker",
}  # fmt: skip


def add_turns(
    turns: list[dict], sample: plan.Sample, rng, person, month, channel, points, names, key, labels
) -> None:
    """Add a conversation about `points` to `turns`, and label the turns that are not the company's.

    names: the field of the speaker, what the customer is called in it (or several names to choose from),
    what the company is called, and the field of the text.
    """
    speaker, customer, company, said = names
    talk = channel in ("interview", "group")
    asks = "interviewer" if talk else "agent"
    parts = [points[:1], points[1:2] or (points[:1] if rng.random() < 0.7 else [])]
    parts += [plan.draw_points(rng, person, month, channel)[:1] for _ in range(3 * talk)]
    for part in parts:
        asked = say.draw_sentence(sample.words, person["language"], asks)
        text, label, _, _ = plan.draw_opinion(
            sample, rng, person, month, channel, points=part, manner="short"
        )
        who = customer if isinstance(customer, str) else say.pick(rng, customer)
        turns += [{speaker: company, said: asked}, {speaker: who, said: text}]
        labels[f"{key}#{len(turns)}"] = label
    turns.append({speaker: company, said: say.draw_sentence(sample.words, person["language"], asks)})


def make_chat(sample: plan.Sample) -> tuple[plan.Export, list[tuple]]:
    """Chats, and the contacts that the survey after contact goes to."""
    rng, labels = plan.start(sample, "chat.jsonl")
    rows, contacts = [], []
    for number, month in enumerate(plan.spread_months(rng, 360)):
        person, key = plan.pick_customer(rng, sample.groups, month), f"CH-{20001 + number}"
        points = plan.draw_points(rng, person, month, "chat")
        turns = []
        names = ("from", "customer", "agent", "said")
        add_turns(turns, sample, rng, person, month, "chat", points, names, key, labels)
        opened = plan.draw_time(rng, month)
        rows.append(
            {"session": key, "opened": opened.strftime("%Y-%m-%dT%H:%M:%SZ"), "customer_id": person["id"]}
            | plan.columns_of(person, plan.CAMEL)
            | {"messages": turns}
        )
        if rng.random() < 0.6:
            contacts.append((month, person, points, key))
    return plan.Export("chat.jsonl", rows, "session", "opened"), contacts


def draw_tags(rng, topics: list[str]) -> str:
    """Draw an agent's tags: right for most tickets, left out or a slip for some."""
    if not topics or rng.random() < 0.1:
        return "other"
    topics = [say.pick(rng, list(TAGS))] if rng.random() < 0.05 else topics
    return ";".join(dict.fromkeys(tag for topic in topics for tag in TAGS[topic].split(";")))


def make_tickets(sample: plan.Sample) -> plan.Export:
    """Support tickets with several tags, opened in local time with its offset."""
    rng, labels = plan.start(sample, "support_tickets.csv")
    rows = []
    for number, month in enumerate(plan.spread_months(rng, 1300)):
        person, key = plan.pick_customer(rng, sample.groups, month), f"T-{500001 + number}"
        text, labels[key], _, _ = plan.draw_opinion(sample, rng, person, month, "ticket")
        greeting = (
            say.draw_sentence(sample.words, person["language"], "greetings") if rng.random() < 0.4 else None
        )
        body = say.join_sentences([greeting, text], person["language"]) if greeting else text
        minutes = pd.Timedelta(minutes=plan.OFFSETS[person["code"]])
        local = plan.draw_time(rng, month) + minutes
        hours, rest = divmod(plan.OFFSETS[person["code"]], 60)
        rows.append(
            {
                "ticket_id": key,
                "created_local": local.strftime("%Y-%m-%dT%H:%M:%S") + f"+{hours:02d}:{rest:02d}",
                "requester": person["id"],
                "subject": f"{say.PHRASES[person['language']][3]} KV-{rng.integers(100000, 1000000)}",
                "body": body,
                "tags": draw_tags(rng, labels[key][0]),
                "first_reply_minutes": int(rng.gamma(2.0, 180)) if rng.random() < 0.93 else None,
                **plan.columns_of(person, plan.SNAKED),
            }
        )
    return plan.Export("support_tickets.csv", rows, "ticket_id", "created_local", "body")


def make_calls(sample: plan.Sample) -> plan.Export:
    """Calls: the telephone line is for members alone, another population than the rest."""
    rng, labels = plan.start(sample, "calls.jsonl")
    rows = []
    for number, month in enumerate(plan.spread_months(rng, 320)):
        person, key = plan.pick_customer(rng, sample.groups, month, plan="member"), f"CALL{7001 + number}"
        points = plan.draw_points(rng, person, month, "call")
        turns = []
        names = ("speaker", "customer", "agent", "text")
        add_turns(turns, sample, rng, person, month, "call", points, names, key, labels)
        rows.append(
            {"call_id": key, "started_at": plan.draw_time(rng, month).strftime("%Y-%m-%dT%H:%M:%SZ")}
            | {"caller": person["id"], "seconds": int(rng.gamma(3, 120))}
            | plan.columns_of(person, plan.CAMEL)
            | {"turns": turns}
        )
    return plan.Export("calls.jsonl", rows, "call_id", "started_at")


def make_email(sample: plan.Sample) -> plan.Export:
    """E-mails with greeting and closing on lines of their own."""
    rng, labels = plan.start(sample, "email.csv")
    rows = []
    for number, month in enumerate(plan.spread_months(rng, 820)):
        person, key = plan.pick_customer(rng, sample.groups, month), f"M{80001 + number}"
        text, labels[key], _, _ = plan.draw_opinion(sample, rng, person, month, "email", manner="letter")
        subject = f"{say.PHRASES[person['language']][3]} KV-{rng.integers(100000, 1000000)}"
        sent = plan.draw_time(rng, month).strftime("%a, %d %b %Y %H:%M:%S +0000")
        rows.append(
            {"Message-ID": key, "Date": sent, "From customer": person["id"], "Subject": subject, "Body": text}
            | plan.columns_of(person, plan.TITLED)
        )
    return plan.Export("email.csv", rows, "Message-ID", "Date", "Body")


def nickname(person: dict) -> str:
    """Return the nickname of a customer outside the shop: always the same, and not the customer number."""
    return f"user{int(person['id'][2:]) * 7919 % 99991:05d}"


def make_reviews(sample: plan.Sample) -> plan.Export:
    """Reviews in the own shop (by customers) and on a third party's site (by nicknames)."""
    rng, labels = plan.start(sample, "reviews.json")
    rows = []
    for number, month in enumerate(plan.spread_months(rng, 1350)):
        person, key, own = (
            plan.pick_customer(rng, sample.groups, month),
            f"RV{40001 + number}",
            rng.random() < 0.6,
        )
        text, labels[key], points, mood = plan.draw_opinion(sample, rng, person, month, "review")
        value = plan.draw_satisfaction(rng, person, points, mood)
        known = (
            plan.columns_of(person, plan.CAMEL)
            if own
            else dict.fromkeys(plan.CAMEL) | {"country": person["market"]}
        )
        rows.append(
            {
                "reviewId": key,
                "site": "own shop" if own else "third party",
                "posted": f"{plan.draw_time(rng, month):%Y-%m-%d}",
            }
            | {
                "author": person["id"] if own else nickname(person),
                "stars": plan.score(rng, 3.6 + 1.1 * value, 1, 5),
            }
            | {"text": text}
            | known
        )
    return plan.Export("reviews.json", rows, "reviewId", "posted", "text", "stars")


def make_social(sample: plan.Sample) -> tuple[plan.Export, dict]:
    """Posts found by a search for the name, with a wave of word-for-word reposts within three days."""
    rng, labels = plan.start(sample, "social_posts.tsv")
    posts = []
    for month in plan.spread_months(rng, 950):
        person = plan.pick_customer(rng, sample.groups, month)
        text, label, _, _ = plan.draw_opinion(sample, rng, person, month, "social", manner="short")
        posts.append((plan.draw_time(rng, month), person, text, label, False))
    for language in say.LANGUAGES:
        for text in sample.words.banks[language]["wave"]:
            for _ in range(4):
                person = plan.pick_customer(rng, dict.fromkeys(say.LANGUAGES, sample.groups[language]), 18)
                when = WAVE_START + pd.Timedelta(seconds=int(rng.integers(0, 70 * 3600)))
                posts.append((when, person, " ".join(text.split()), [[], None, "negative", language], True))
    rows, wave = [], []
    for number, (when, person, text, label, again) in enumerate(sorted(posts, key=lambda post: post[0])):
        key = f"P{900001 + number}"
        labels[key] = label
        rows.append(
            {"post_id": key, "posted_utc": f"{when:%Y-%m-%d %H:%M:%S}+00:00", "handle": nickname(person)}
            | {"country": person["market"], "network": say.pick(rng, ["network A", "network B", "forum"])}
            | {"query": "kalvino", "text": " ".join(text.split())}
        )
        if again:
            wave.append(key)
    fact = {"file": "social_posts.tsv", "ids": wave, "from": f"{WAVE_START:%Y-%m-%d}", "days": 3}
    return plan.Export("social_posts.tsv", rows, "post_id", "posted_utc", "text"), fact
