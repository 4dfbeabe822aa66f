"""What customers and staff say when they are asked: surveys, text messages, interviews and focus groups."""

import planted as plan
import words as say
from received import add_turns


def make_relationship(sample: plan.Sample) -> plan.Export:
    """NPS with its reason; twice a year also the loyalty items."""
    rng, labels = plan.start(sample, "surveys_relationship.csv")
    rows = []
    for number, month in enumerate(plan.spread_months(rng, 1900)):
        person = plan.pick_customer(rng, sample.groups, month)
        text, label, points, mood = plan.draw_opinion(sample, rng, person, month, "relationship")
        value = plan.draw_satisfaction(rng, person, points, mood)
        key, asked, silent = f"RS{100001 + number}", month % 6 == 0, rng.random() < 0.2
        rows.append(
            {
                "Response": key,
                "Submitted": plan.draw_time(rng, month).strftime("%Y-%m-%d %H:%M"),
                "Customer no": person["id"],
                "lang": person["language"],
                "How likely are you to recommend Kalvino?": plan.score(rng, 7.1 + 2.2 * value, 0, 10),
                "What is the reason for your score?": None if silent else text,
                "Likely to buy again": plan.score(rng, 7.2 + 1.9 * value, 0, 10) if asked else None,
                "Would try our other products": plan.score(rng, 3.3 + 0.7 * value, 1, 5) if asked else None,
                **plan.columns_of(person, plan.TITLED),
            }
        )
        if not silent:
            labels[key] = label
    question = "How likely are you to recommend Kalvino?"
    return plan.Export(
        "surveys_relationship.csv",
        rows,
        "Response",
        "Submitted",
        "What is the reason for your score?",
        question,
    )


def make_aftercontact(sample: plan.Sample, contacts: list[tuple]) -> plan.Export:
    """CSAT, CES, packaging and support after a contact; some join to a chat by its session."""
    rng, labels = plan.start(sample, "surveys_aftercontact.xlsx")
    contacts = [(*contact, "chat") for contact in contacts]
    for month in plan.spread_months(rng, 2200 - len(contacts)):
        person = plan.pick_customer(rng, sample.groups, month)
        how = str(rng.choice(["phone", "e-mail"]))
        contacts.append((month, person, plan.draw_points(rng, person, month, "aftercontact"), None, how))
    rows = []
    for number, (month, person, points, session, how) in enumerate(sorted(contacts, key=lambda c: c[0])):
        text, label, _, mood = plan.draw_opinion(
            sample, rng, person, month, "aftercontact", points=points, manner="short"
        )
        value, key, silent = (
            plan.draw_satisfaction(rng, person, points, mood),
            f"AC{300001 + number}",
            rng.random() < 0.35,
        )
        hard = {"app_trouble", "app_login", "app_crash", "support_wait", "checkout_payment"} & {
            t for t, p in points
        }
        rows.append(
            {
                "Response ID": key,
                "Answered at": plan.draw_time(rng, month).to_pydatetime(),
                "Customer": person["id"],
                "Contact": how,
                "Chat session": session,
                "Overall satisfaction (1-5)": plan.score_csat(rng, person, value),
                "Kalvino made it easy for me (1-7)": plan.score(
                    rng, 4.9 + 1.1 * value - 0.8 * bool(hard), 1, 7
                ),
                "Packaging (1-5)": plan.score_packaging(rng, person, points, month)
                if rng.random() < 0.8
                else None,
                "Support (1-5)": plan.score_support(rng, person, points) if rng.random() < 0.9 else None,
                "Comment": None if silent else text,
                **plan.columns_of(person, plan.TITLED),
            }
        )
        if not silent:
            labels[key] = label
    return plan.Export(
        "surveys_aftercontact.xlsx",
        rows,
        "Response ID",
        "Answered at",
        "Comment",
        "Overall satisfaction (1-5)",
    )


def make_sms(sample: plan.Sample) -> plan.Export:
    """Short replies to a message after delivery."""
    rng, labels = plan.start(sample, "sms_replies.csv")
    rows = []
    for number, month in enumerate(plan.spread_months(rng, 520)):
        person, key = plan.pick_customer(rng, sample.groups, month), f"S{60001 + number}"
        points = plan.draw_points(rng, person, month, "sms")[:1]
        text, labels[key], _, _ = plan.draw_opinion(
            sample, rng, person, month, "sms", manner="short", points=points
        )
        rows.append(
            {"Ref": key, "Received": f"{plan.draw_time(rng, month):%d.%m.%Y %H:%M}", "Customer": person["id"]}
            | {"Reply": text}
            | plan.columns_of(person, plan.TITLED)
        )
    return plan.Export("sms_replies.csv", rows, "Ref", "Received", "Reply")


def make_talks(sample: plan.Sample, name: str) -> plan.Export:
    """Interviews with single persons, or focus groups: one record a group, whose unit is the group."""
    rng, labels = plan.start(sample, name)
    single, rows = name == "interviews.jsonl", []
    for number, month in enumerate(plan.spread_months(rng, 60 if single else 24)):
        person, key = (
            plan.pick_customer(rng, sample.groups, month),
            f"{'IV' if single else 'FG'}{101 + number}",
        )
        channel, day = "interview" if single else "group", f"{plan.draw_time(rng, month):%Y-%m-%d}"
        if single:
            head = {"interview": key, "held_on": day, "person": person["id"]} | plan.columns_of(
                person, plan.CAMEL
            )
            names = ("who", "participant", "interviewer", "words")
        else:
            size = int(rng.integers(5, 8))
            head = {"group": key, "held_on": day, "country": person["market"], "participants": size}
            names = ("who", [f"P{place}" for place in range(1, size + 1)], "moderator", "words")
        turns = []
        for _ in range(1 if single else 2):
            points = plan.draw_points(rng, person, month, channel)
            add_turns(turns, sample, rng, person, month, channel, points, names, key, labels)
        rows.append(head | {"turns": turns})
    return plan.Export(name, rows, "interview" if single else "group", "held_on")


def make_churn(sample: plan.Sample) -> plan.Export:
    """Leavers: in the first months mostly unhappy, after a year mostly without need of the shop any more."""
    rng, labels = plan.start(sample, "churn_survey.csv")
    rows = []
    leavers = sorted(
        (person for person in sample.customers if person["left"] <= 24), key=lambda p: (p["left"], p["id"])
    )
    for number, person in enumerate(leavers):
        month, tenure = max(1, person["left"]), max(0, person["left"] - person["joined"])
        unhappy = rng.random() < (0.72 if tenure <= 3 else 0.38 if tenure >= 12 else 0.55)
        key, silent = f"CS{7000 + number}", rng.random() < 0.1
        lead = sample.words.banks[person["language"]]["churn_unhappy" if unhappy else "churn_no_need"]
        points = plan.draw_points(rng, person, month, "churn")[:1] if unhappy and rng.random() < 0.7 else []
        text, label, points, _ = plan.draw_opinion(
            sample, rng, person, month, "churn", points=points, lead=lead
        )
        if not points:
            label[2] = "negative" if unhappy else "neutral"
        closed = ("I am not satisfied", "Price") if unhappy else ("I do not need it any more", "I moved away")
        rows.append(
            {
                "answer": key,
                "cancelled_on": f"{plan.draw_time(rng, month):%Y-%m-%d}",
                "customer": person["id"],
            }
            | {"main_reason": closed[int(rng.random() < 0.2)], "tenure_months": tenure}
            | {"in_your_words": None if silent else text}
            | plan.columns_of(person, plan.SNAKED)
        )
        if not silent:
            labels[key] = label
    return plan.Export("churn_survey.csv", rows, "answer", "cancelled_on", "in_your_words")


def make_onboarding(sample: plan.Sample) -> plan.Export:
    """What new customers hope that the shop will offer: requests, about a service not used yet."""
    rng, labels = plan.start(sample, "onboarding_survey.csv")
    rows = []
    joiners = sorted(
        (person for person in sample.customers if person["joined"] >= 1), key=lambda p: (p["joined"], p["id"])
    )
    for number, person in enumerate(joiners):
        if rng.random() < 0.35:
            continue
        needs = sample.words.banks[person["language"]]["needs"]
        key = f"ON{3000 + number}"
        text = say.compose(sample.words, person["language"], lead=needs, more=needs)
        rows.append(
            {
                "welcome_id": key,
                "filled_in": f"{plan.draw_time(rng, person['joined']):%d/%m/%Y}",
                "new_customer": person["id"],
            }
            | {"what_should_we_offer": text}
            | plan.columns_of(person, plan.SNAKED)
        )
        labels[key] = [["need"], None, "neutral", person["language"]]
    return plan.Export("onboarding_survey.csv", rows, "welcome_id", "filled_in", "what_should_we_offer")


def make_staff(sample: plan.Sample) -> plan.Export:
    """The staff survey of each quarter: how content, and why. One team has four people."""
    rng, labels = plan.start(sample, "staff_survey.xlsx")
    teams = ["support"] * 24 + ["warehouse"] * 20 + ["couriers"] * 14 + ["shop and app"] * 10 + ["studio"] * 4
    markets = [
        str(code)
        for code in rng.choice(say.LANGUAGES, size=len(teams), p=[plan.SHARES[c] for c in say.LANGUAGES])
    ]
    content = {"positive": 4.4, "workload": 2.5, "tools": 2.8, "manager": 2.4, "parcels_wait": 2.7}
    odds = {"positive": 0.24, "workload": 0.22, "tools": 0.18, "manager": 0.12, "parcels_wait": 0.24}
    rows = []
    for wave in range(3, 25, 3):
        for place, (team, language) in enumerate(zip(teams, markets, strict=True)):
            if rng.random() < 0.35:
                continue
            theme, key, silent = (
                str(rng.choice(list(odds), p=list(odds.values()))),
                f"E{1001 + len(rows)}",
                rng.random() < 0.15,
            )
            cause = (
                plan.draw_cause(rng, {}, "staff", [("late_delivery", "negative")])
                if theme == "parcels_wait"
                else None
            )
            bank = sample.words.banks[language]["staff"][theme]
            text = say.compose(sample.words, language, lead=bank, more=bank, cause=cause)
            rows.append(
                {
                    "Answer": key,
                    "Date": plan.draw_time(rng, wave).to_pydatetime(),
                    "Staff id": f"ST{201 + place}",
                    "Team": team,
                    "Country": plan.MARKETS[language],
                    "How content are you (1-5)": plan.score(rng, content[theme] + rng.normal(0, 0.5), 1, 5),
                    "What should we know?": None if silent else text,
                }
            )
            if not silent:
                polarity = "positive" if theme == "positive" else "negative"
                labels[key] = [[f"staff_{theme}"], cause, polarity, language]
    return plan.Export(
        "staff_survey.xlsx", rows, "Answer", "Date", "What should we know?", "How content are you (1-5)"
    )
