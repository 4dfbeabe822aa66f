# ruff: noqa: E501 (sentences of five languages, one a line)
"""Tables of a fictional programme in five languages, made by the rooms' own functions, with hostile words in them."""

import random
from functools import cache

import pandas as pd

from vocwb.act.actions import list_actions, rank_actions
from vocwb.act.outcomes import judge_outcomes
from vocwb.collect.coverage import measure_coverage
from vocwb.explain.adjusted import adjust_segments
from vocwb.explain.contrasts import contrast_words
from vocwb.explain.drivers import rank_drivers
from vocwb.explain.importance import weigh_drivers
from vocwb.explain.profiles import compare_profiles
from vocwb.explain.segments import compare_segments
from vocwb.explain.stages import measure_stages
from vocwb.programme import parse_programme
from vocwb.schemas import check_table, empty_table, hash_id, join_responses, make_findings
from vocwb.understand.feelings import size_feelings
from vocwb.understand.metrics import compute_scores
from vocwb.understand.movements import name_subjects, tell_movements
from vocwb.understand.news import tell_news
from vocwb.understand.sizes import size_topics

MONTH = "2025-12"
MONTHS = [str(month) for month in pd.period_range("2025-01", MONTH, freq="M")]

HOSTILE = [
    "</script><script>document.title='pwned'</script> the parcel never came",
    "<img src=x onerror=\"document.title='pwned'\"> and nobody answered my calls",
    "{{7*7}} {% for x in y %} ${7*7} <%= 7*7 %> was printed on the invoice I was sent",
    "=cmd|' /C calc'!A0 was what the refund form showed me, twice",
    '{"signal": "alert(1)", "expr": "datum.x"} came up when I signed in to the app',
    "Late\u2028and later\u2029still, and a line\r\nbroken as Windows breaks it, \rand as old Macs did",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 3,
    "\u202eright to left override, and then the rest of the sentence \u2066isolated without an end",
    '" onmouseover="document.title=\'pwned\'" data-finding="x" \'single\' and &amp; &lt;b&gt; stay as typed',
]

TEXTS = {
    "en": {
        "Late parcels": ["My parcel came nine days late and nobody told me why.", "Third order in a row that arrives after the promised day.",
                         "Waited in all Friday, again no delivery. I gave up and bought the lamp elsewhere."],
        "Rude courier": ["The courier left the box in the rain without ringing.", "Driver shouted at my mother because the lift was broken."],
        "Refund takes long": ["I returned the kettle five weeks ago and still have no money back.", "Refund promised in 5 days, it is day 23 now."],
        "App signs me out": ["The app signs me out every single time I open it.", "The code by SMS never arrives, so I cannot log in at all."],
        "Kind support": ["Talked to a very kind agent who sorted it in two minutes. Thank you!", "Support called me back the same day, wonderful."],
        "</script><b>Price · {{fees}}": ["Delivery fee appeared only on the last page of the checkout, not nice.", "Good value for the price, I would buy the chair again."],
    },
    "fa": {
        "دیر رسیدن سفارش": ["سفارشم ده روز دیرتر از موعد رسید و هیچ‌کس پاسخ‌گو نبود.", "قرار بود شنبه برسه، دوشنبهٔ هفتهٔ بعد رسید!",
                            "Kalvino خیلی دیر می‌فرستد؛ این بار ۱۲ روز طول کشید."],
        "برخورد پیک": ["پیک بسته رو جلوی در انداخت و رفت، حتی زنگ هم نزد.", "راننده خیلی بی‌ادب بود و حاضر نشد تا طبقهٔ سوم بیاد."],
        "بازگشت پول": ["یک ماهه کالا رو برگردوندم ولی هنوز پولم رو پس ندادن.", "برای پس گرفتن ۲٬۵۰۰٬۰۰۰ تومان شش بار تماس گرفتم."],
        "ورود به برنامه": ["کد پیامکی نمی‌آید و نمی‌توانم وارد برنامه شوم.", "برنامه هر بار منو بیرون می‌ندازه و باید از اول وارد شم."],
        "پشتیبانی مهربان": ["خانمی که جواب داد خیلی مهربون بود و کارم رو زود راه انداخت، ممنون.", "پشتیبانی همون روز زنگ زد و مشکل حل شد."],
    },
    "ar": {
        "تأخر الشحنة": ["وصلت الشحنة بعد أسبوعين من الموعد ولم يخبرني أحد بالسبب.", "كل مرة نفس المشكلة، الطلب بيوصل متأخر جدا."],
        "سلوك المندوب": ["المندوب رمى الكرتونة قدام الباب ومشي من غير ما يرن.", "مندوب التوصيل كان مهذبا وساعدني في حمل الصندوق."],
        "استرداد المبلغ": ["رجعت المنتج من شهر ولسه فلوسي ما رجعتش.", "طلبوا مني الانتظار ١٤ يوما لاسترداد المبلغ ثم نسوا الطلب."],
        "مشاكل التطبيق": ["التطبيق يطلب تسجيل الدخول في كل مرة والرمز لا يصل.", "بعد التحديث الأخير صار التطبيق بطيئا ويغلق وحده."],
    },
    "bg": {
        "Закъсняла доставка": ["Пратката дойде с цяла седмица закъснение и никой не се обади.", "За трети път чакам вкъщи, а куриерът не идва."],
        "Груб куриер": ["Куриерът остави кашона на дъжда и дори не звънна.", "Шофьорът беше много груб с майка ми."],
        "Бавно връщане на пари": ["Върнах чайника преди месец, парите още ги няма.", "Обещаха ми сумата до 5 дни, минаха 20."],
        "Приложението": ["Приложението ме изхвърля всеки път, когато го отворя.", "Кодът за вход изобщо не пристига."],
    },
    "zh": {
        "出貨太慢": ["訂單說三天到，結果等了兩個禮拜，客服也說不清楚原因。", "每次都延遲，下次不會再買了，真的很失望。"],
        "物流態度": ["司機把箱子丟在門口淋雨，連電鈴都沒按，東西都濕了。", "送貨大哥人很好，還幫我搬上五樓，謝謝。"],
        "退款很久": ["退貨一個月了，錢還沒有退回來，打電話都要等很久。", "說好五個工作天退款，已經過了二十天，太誇張。"],
        "App 登入": ["驗證碼一直收不到，App 根本登不進去，很麻煩。", "更新之後常常閃退，購物車裡的東西也不見了。"],
    },
}  # fmt: skip
STAFF = {
    "Evening shift": ["Nobody is left in the depot to sort after six in the evening.", "The rota is fixed weeks ahead, whatever the sale brings."],
    "Old tools": ["The scanner freezes and I write the numbers on paper.", "The agents' screen takes a minute to find an order."],
}  # fmt: skip

PROGRAMME = """
title: "Kalvino, <voice> of the customer"
question: Why do customers of Kalvino leave, and did what we changed help?
goal: less_churn
people: {sponsor: "Helena Marsh, managing director", asks: Petra Vold, analyses: Idris Calloway, explains: Nadia Ferrow}
segments: {plan: Plan, area: City or rural}
adjust_for: [plan]
questions:
  nps: {label: "How likely are you to recommend Kalvino?", low: 0, high: 10, metric: nps}
  csat: {label: "How satisfied were you with this contact?", low: 1, high: 5, metric: csat}
  content: {label: "How content are you at work?", low: 1, high: 5, metric: csat}
sources:
  - {name: survey, files: survey.csv, channel: survey, who_started: company, mode: direct,
     columns: {id: id, date: date}, verbatims: {reason: reason}}
"""


@cache
def make_programme():
    return parse_programme(PROGRAMME, name="kalvino")


@cache
def make_tables(rows_a_month: int = 60) -> dict:
    """Return every argument of build_report for MONTH; topics and scores move on purpose in the last month."""
    lot = random.Random(7)
    programme = make_programme()
    responses, feedback, assignments, books, numbers = [], [], [], [], iter(range(1, 999))
    groups = [("customer", language, topics) for language, topics in TEXTS.items()] + [
        ("employee", "en", STAFF)
    ]
    for voice, language, topics in groups:
        ids = {name: f"T{next(numbers):04d}" for name in topics}
        for name, topic in ids.items():
            books.append({"codebook_id": "C1", "topic": topic, "language": language, "encoder_id": "e", "name": name,
                          "terms": name.split(), "vector": [1.0], "size": 9, "floor": 0.1, "examples": [],
                          "first_seen": MONTHS[0], "lineage": "new", "voice": voice})  # fmt: skip
        for month in MONTHS:
            for number in range(rows_a_month * (2 if language == "en" and voice == "customer" else 1)):
                plan, area = lot.choice(["member", "guest"]), lot.choice(["city", "rural"])
                weights = [1.0] * len(topics)
                weights[0] = 7.0 if month == MONTH and language in ("en", "fa") else 1.0
                weights[1] = 4.0 if area == "rural" else 0.4
                name = lot.choices(list(topics), weights)[0]
                text = lot.choice(topics[name])
                if voice == "customer" and language == "en" and number < (9 if month == MONTH else 2):
                    text = HOSTILE[(MONTHS.index(month) * 2 + number) % len(HOSTILE)]
                if number % 7 == 0:
                    text = " ".join(
                        dict.fromkeys([text, lot.choice([t for texts in topics.values() for t in texts])])
                    )
                if number == 5:
                    text = " ".join(
                        lot.choice([t for texts in topics.values() for t in texts]) for _ in range(9)
                    )
                key = hash_id(voice, language, month, number)
                happy = name in ("Kind support", "پشتیبانی مهربان")
                bad = name == next(iter(topics))
                answer = min(10, max(0, round(lot.gauss(9 if happy else 4 if bad else 7, 2))))
                responses.append({
                    "response_id": key, "source": "survey", "file": "survey.csv", "source_id": str(number),
                    "received_at": pd.Timestamp(f"{month}-15", tz="UTC"), "month": month,
                    "channel": lot.choice(["survey", "email", "chat"]) if month != MONTH else lot.choice(["survey", "chat"]),
                    "who_started": "company", "mode": "direct", "population": "all", "voice": voice,
                    "stage": lot.choice(["buying", "delivery", "after sales"]), "respondent_id": None, "session_id": None,
                    "duplicate_of": None,
                    "plan": plan, "area": area if voice == "customer" else None,
                    "nps": float(answer) if voice == "customer" else None,
                    "csat": float(1 + answer // 2.5) if voice == "customer" and number % 3 == 0 else None,
                    "content": float(1 + answer // 2.5) if voice == "employee" else None,
                })  # fmt: skip
                feedback_id = hash_id(key, "reason")
                feedback.append({"feedback_id": feedback_id, "response_id": key, "question": "reason", "language": language,
                                 "verbatim": text, "flag": None, "duplicate_of": None})  # fmt: skip
                topic = ids[name] if lot.random() > 0.12 else "T0000"
                assignments.append({"feedback_id": feedback_id, "codebook_id": "C1", "topic": topic, "similarity": 0.9,
                                    "start": 0, "end": len(text)})  # fmt: skip
    extra = {"plan": "str", "area": "str", "nps": "float", "csat": "float", "content": "float"}
    responses = check_table("responses", pd.DataFrame(responses), extra=extra)
    feedback = check_table("feedback", pd.DataFrame(feedback))
    strange = feedback.index[feedback["verbatim"].str.contains("Donau")]
    feedback.loc[strange, "language"] = "other"
    assigned = pd.DataFrame(assignments)
    assigned = assigned[~assigned["feedback_id"].isin(feedback.loc[strange, "feedback_id"])]
    return _add_results(programme, responses, feedback, assigned, pd.DataFrame(books))


def _add_results(programme, responses, feedback, assignments, codebook) -> dict:
    smallest = {"share": 5, "nps": 5, "mean": 0.2}
    common = {"month": MONTH, "minimum": 5, "smallest": smallest}
    opinions = join_responses(feedback, responses)
    customers = codebook[codebook["voice"] == "customer"]
    now = opinions[opinions["month"] == MONTH]
    late = codebook["topic"].iloc[0]
    actions = list_actions(make_decisions(late))
    findings = pd.concat([
        measure_coverage(responses, feedback, month=MONTH),
        size_topics(opinions, assignments, codebook, **common),
        make_news(now, assignments, codebook),
        size_feelings(opinions, make_codes(opinions), **common),
        compute_scores(responses, feedback, programme.questions, **common),
        *compare_groups(now, responses, assignments, customers, programme, common),
        rank_drivers(now, assignments, customers, programme.questions, **common),
        weigh_drivers(opinions, assignments, customers, programme.questions, make_codes(opinions), **common),
        judge_outcomes(actions, responses, feedback, assignments, programme.questions, month=MONTH, smallest=smallest),
    ], ignore_index=True)  # fmt: skip
    names = name_subjects(codebook, programme.questions)
    moved = tell_movements(findings, month=MONTH, smallest=smallest, names=names)
    findings = pd.concat([findings, moved, rank_actions(actions, findings, month=MONTH)], ignore_index=True)
    about_late = assignments.loc[assignments["topic"] == late, "feedback_id"].tolist()
    causes, found = make_causes(late, [one for one in about_late if one in set(now["feedback_id"])])
    findings = pd.concat([findings, found], ignore_index=True)
    whys = pd.DataFrame({
        "decision_id": [11, 12], "subject": ["w1", "w2"], "who": ["Nadia Ferrow", "Petra <b>Vold</b>"],
        "value": [
            {"parent": causes["cause_id"].iloc[-1], "statement": "Planners do not know when a sale starts",
             "evidence_for": about_late[:3], "evidence_against": []},
            {"parent": "w1", "statement": "The calendar of sales is shared; nobody reads it", "dissent": True},
        ],
    })  # fmt: skip
    ingested = pd.DataFrame({"source": ["survey"], "file": ["survey.csv"], "sha256": ["0" * 64], "rows_in": [len(responses) + 9],
                             "kept": [len(responses)], "duplicates": [6], "quarantined": [3], "status": "read", "read_as": "csv"})  # fmt: skip
    quarantine = pd.DataFrame({"source": "survey", "file": "survey.csv", "line": [4, 9, 12], "reason": ["no date", "no date", "not <UTF-8>"],
                               "raw": ["a", "b", "c"]})  # fmt: skip
    return {
        "programme": programme, "month": MONTH, "findings": check_table("findings", findings), "causes": causes,
        "actions": actions, "codebook": codebook, "opinions": opinions, "feedback": feedback,
        "ingested": check_table("ingested", ingested), "quarantine": check_table("quarantine", quarantine), "whys": whys,
        "quality": make_quality(),
        "reviewed": False, "cut_off": "31 December 2025, 23:59 (Europe/London)",
        "passport": {"month": MONTH, "seed": "7", "raw files": "e3b0c44298fc1c149afbf4c8996fb924", "vocwb": "0.1.0"},
    }  # fmt: skip


def compare_groups(now, responses, assignments, codebook, programme, common) -> list[pd.DataFrame]:
    """What notebook 05 finds of groups, words and stages; the verbatims of the countryside share a word."""
    labels, fewest = programme.segments, {"month": MONTH, "minimum": 5}
    codes, tables = make_codes(now), (now, assignments, codebook)
    segments = compare_segments(*tables, labels, **common)
    of_month = responses[responses["month"] == MONTH]
    rural = now["area"].eq("rural") & now["language"].isin(["en", "fa"])
    spoken = now.assign(verbatim=now["verbatim"].where(~rural, now["verbatim"] + " tractor تراکتور"))
    return [
        segments,
        compare_profiles(now, codes, of_month, programme.questions, labels, beside=segments, **common),
        adjust_segments(
            segments, *tables, programme.adjust_for, labels, month=MONTH, smallest=common["smallest"]
        ),
        contrast_words(spoken, labels, **fewest),
        measure_stages(*tables, codes, ["joining", "buying"], **fewest),
    ]


def make_news(now: pd.DataFrame, assignments: pd.DataFrame, codebook: pd.DataFrame) -> pd.DataFrame:
    """News of a proposal in Persian, and of one whose words are hostile."""
    rows = [
        {"proposal": f"N{number}", "terms": terms, "voice": "customer", "nearest_topic": codebook["topic"].iloc[0],
         "earlier_share": 0.1, "p_adjusted": 0.001,
         "feedback_ids": now.loc[(now["language"] == language) & (now["voice"] == "customer"), "feedback_id"].tolist()[:20]}
        for number, (language, terms) in enumerate([("fa", ["پیک", "کمد", "رمز"]), ("en", ["<b>locker</b>", "{{code}}"])])
    ]  # fmt: skip
    nothing = empty_table("drift")
    return tell_news(pd.DataFrame(rows), nothing, assignments, now, codebook, month=MONTH, minimum=5)


def make_codes(opinions: pd.DataFrame) -> pd.DataFrame:
    """Polarity and category of customers' verbatims: by their score, and by chance."""
    polarity = pd.cut(opinions["nps"], [-1, 4, 6, 10], labels=["negative", "mixed", "positive"]).astype("str")
    lot = random.Random(3)
    names = [lot.choice(["delivery", "staff", "returns", "price"]) for _ in range(len(opinions))]
    codes = opinions[["feedback_id"]].assign(polarity=polarity, category=names)
    return codes[opinions["nps"].notna() & opinions["language"].ne("other")]


def make_quality() -> pd.DataFrame:
    judged = {
        "variable": "polarity",
        "truth": "rating",
        "classes": 3,
        "accuracy": 0.86,
        "macro_f1": 0.79,
        "low": 0.75,
        "high": 0.82,
    }
    rows = [
        judged | {"language": "en", "coder": "learned", "way": "by respondent", "n": 812, "ece": 0.03, "counts": True},
        judged | {"language": "en", "coder": "rules", "way": "all labels", "n": 812, "macro_f1": 0.61, "ece": None, "counts": False},
        {"language": "fa", "variable": "polarity", "truth": "none", "coder": "rules", "n": 0, "counts": True,
         "way": "too little to learn from: 0 verbatims with a rating or a code"},
    ]  # fmt: skip
    return check_table("quality", pd.DataFrame(rows, columns=list(empty_table("quality").columns)))


def make_decisions(target: str) -> pd.DataFrame:
    value = {"title": "A second evening shift in the depot", "owner": "Nadia Ferrow", "effort": "process", "status": "running",
             "registered_on": "2025-05-02", "starts_on": "2025-07-01", "target_kind": "topic", "target": target,
             "expected": "lower", "cost": 12000, "authority": "may hire for the evening"}  # fmt: skip
    planned = value | {"title": "Ask <both> markets again", "status": "planned", "starts_on": "2025-12-01", "target_kind": "question",
                       "target": "csat", "expected": "higher", "cost": None, "effort": "small"}  # fmt: skip
    return pd.DataFrame(
        {"decision_id": [1, 2], "kind": "action", "subject": ["A1", "A2"], "value": [value, planned]}
    )


def make_causes(topic: str, ids: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, parent = [], None
    for depth, (label, kind) in enumerate(
        [("depot", "term"), ("evening sorting", "term"), ("Area: rural", "segment")], start=1
    ):
        rows.append({"cause_id": f"cause{depth}", "parent_id": parent, "depth": depth, "month": MONTH, "topic": topic, "label": label,
                     "kind": kind, "finding_id": None, "author": None, "evidence_for": ids[: 20 // depth],
                     "evidence_against": ids[20 : 20 + depth]})  # fmt: skip
        parent = f"cause{depth}"
    found = make_findings(
        [{"period": MONTH, "subject": "cause1", "measure": "difference", "unit": "pp", "value": 30.0, "compared_value": 12.0,
          "difference": 18.0, "low": 6.0, "high": 30.0, "n": 90, "compared_n": 200, "verdict": "evidence of a difference",
          "claim": "“depot” stands in 30.0% of verbatims on the topic and in 12.0% of the others.", "method": "Newcombe interval",
          "feedback_ids": ids[:20]}],
        section="root_cause", month=MONTH,
    )  # fmt: skip
    rows[0]["finding_id"] = found["finding_id"].item()
    return check_table("causes", pd.DataFrame(rows)) if rows else empty_table("causes"), found
