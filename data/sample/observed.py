"""What was seen, not said: the logs of the help centre, of messages, and of each customer's months."""

import numpy as np
import pandas as pd
import planted as plan
import words as say


def make_logs(sample: plan.Sample) -> list[plan.Export]:
    """What was seen, not said: help centre, messages, and each customer's months."""
    rng, banks = np.random.default_rng([sample.seed, 2]), sample.words.banks
    help_rows, message_rows, month_rows = [], [], []
    for number, month in enumerate(plan.spread_months(rng, 3000)):
        person, when = plan.pick_customer(rng, sample.groups, month), plan.draw_time(rng, month)
        visit = {"visit": f"V{number:05d}", "customer": person["id"] if rng.random() < 0.6 else None}
        steps = (
            ["search"] * int(rng.random() < 0.6)
            + ["article"] * int(rng.integers(1, 4))
            + ["ticket"] * int(rng.random() < 0.18)
        )
        for step in steps:
            query = (
                say.pick(sample.words.rng, banks[person["language"]]["slots"]["item"])
                if step == "search"
                else None
            )
            results = (0 if rng.random() < 0.14 else int(rng.integers(1, 12))) if step == "search" else None
            article = f"KB-{int(40 * rng.random() ** 2) + 1:02d}" if step == "article" else None
            when += pd.Timedelta(seconds=int(rng.integers(5, 240)))
            event = {
                "at": f"{when:%Y-%m-%d %H:%M:%S}",
                "event": step,
                "query": query,
                "results": results,
                "article": article,
            }
            help_rows.append(visit | event)
    for month in range(1, 25):
        sent = plan.MONTHS[month - 1].start_time + pd.Timedelta(days=int(rng.integers(8, 13)), hours=9)
        known = [person for person in sample.customers if person["joined"] <= month <= person["left"]]
        for place in sorted(int(p) for p in rng.choice(len(known), size=260, replace=False)):
            opened = rng.random() < 0.34
            clicked = opened and rng.random() < 0.22
            message_rows.append(
                {"message": f"N{month:02d}", "customer": known[place]["id"], "sent": f"{sent:%Y-%m-%d %H:%M}"}
                | {
                    "opened": int(opened),
                    "clicked": int(clicked),
                    "answered": int(clicked and rng.random() < 0.3),
                }
                | {"unsubscribed": int(rng.random() < (0.012 if opened else 0.003))}
            )
    for person in sorted(sample.customers, key=lambda person: person["id"]):
        months = np.arange(max(1, person["joined"]), min(24, person["left"]) + 1)
        # Who is about to leave buys less in the last two months.
        rate = 0.9 * np.exp(0.4 * person["mood"]) * np.where(months >= person["left"] - 1, 0.4, 1.0)
        orders = rng.poisson(rate)
        value = np.round(orders * rng.gamma(3, 14, len(months)), 2)
        visits, carts, recurs = rng.poisson(3 + 2 * rate), rng.poisson(0.5, len(months)), rng.random() < 0.2
        for n, month in enumerate(months):
            month_rows.append(
                {"customer": person["id"], "month": str(plan.MONTHS[month - 1]), "orders": int(orders[n])}
                | {"value": float(value[n]), "visits": int(visits[n]), "carts_abandoned": int(carts[n])}
                | {"recurring_payment": int(recurs)}
            )
    return [
        plan.Export("help_centre_log.csv", help_rows, "visit", "at"),
        plan.Export("message_funnel.csv", message_rows, "message", "sent"),
        plan.Export("behaviour.csv", month_rows, "customer", "month"),
    ]
