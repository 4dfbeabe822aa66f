"""Wordings labelled by hand: faults that the textbooks name, and good questions that must get no remark."""

import pandas as pd
import pytest

from vocwb.collect.questionnaire import check_item, check_questionnaire
from vocwb.crosswalk import Question
from vocwb.programme import Programme

FAULTY = [
    ("double-barrelled", "How satisfied are you with the speed and quality of the delivery?"),
    ("double-barrelled", "How easy was it to find the product or pay for it?"),
    ("double-barrelled", "The staff were friendly and knowledgeable"),
    ("double-barrelled", "How would you rate our prices/selection?"),
    ("double-barrelled", "Доколко сте доволни от цената и качеството?"),
    ("double-barrelled", "Колко лесно беше да поръчате или върнете стоката?"),
    ("double-barrelled", "چقدر از سرعت و کیفیت ارسال راضی هستید؟"),
    ("double-barrelled", "آیا سفارش یا پرداخت برای شما آسان بود؟"),
    ("double-barrelled", "ما مدى رضاك عن السرعة والجودة؟"),
    ("double-barrelled", "هل كان الطلب أو الدفع سهلا؟"),
    ("double-barrelled", "您对配送速度和商品质量满意吗？"),
    ("double-barrelled", "您對服務態度與環境衛生的評價如何？"),
    ("leading", "Don't you think our new app is easier?"),
    ("leading", "How much did you love your stay?"),
    ("leading", "How would you rate our award-winning service?"),
    ("leading", "Most people say our shops are clean. How clean was yours?"),
    ("leading", "How great was your visit today?"),
    ("leading", "Не мислите ли, че новият сайт е по-добър?"),
    ("leading", "Как оценявате нашето отлично обслужване?"),
    ("leading", "فکر نمی‌کنید برنامه جدید بهتر است؟"),
    ("leading", "از خدمات عالی ما چقدر راضی هستید؟"),
    ("leading", "ألا تعتقد أن خدمتنا أفضل الآن؟"),
    ("leading", "难道您不觉得新版本更好用吗？"),
    ("leading", "您有多喜欢我们的新产品？"),
    ("negation", "The staff did not keep me waiting"),
    ("negation", "I could not find what I needed on the site"),
    ("negation", "Служителите не ме накараха да чакам"),
    ("negation", "کارکنان مرا منتظر نگه نمی‌داشتند"),
    ("negation", "الموظف لم يتركني أنتظر طويلا"),
    ("negation", "店员没有让我等很久"),
    ("absolute word", "The app always works when I need it"),
    ("absolute word", "Our agents never keep you waiting"),
    ("absolute word", "Служителите винаги са учтиви"),
    ("absolute word", "کارکنان همیشه مودب هستند"),
    ("absolute word", "الموظفون دائما مهذبون معي"),
    ("absolute word", "店员总是很有礼貌"),
    ("jargon", "How satisfied are you with our omnichannel experience?"),
    ("jargon", "Does our support keep its SLA?"),
    ("reversed scale", "How satisfied are you? (1 = very satisfied, 5 = very dissatisfied)"),
    ("reversed scale", "您对服务满意吗？（1=非常满意，5=非常不满意）"),
    ("reversed scale", "Доколко сте доволни? (1 = много доволен, 5 = недоволен)"),
    ("scale not as worded", "How satisfied are you, from 1 to 7?"),
    ("no wording", "csat_support"),
    ("no wording", "Q12"),
    (
        "too long",
        "Thinking back to the last time that you called our customer service line about a problem with an order that"
        " you had placed on our website in the past twelve months how satisfied were you?",
    ),
]  # fmt: skip
GOOD = [
    "How satisfied or dissatisfied are you with the delivery?",
    "How likely are you to recommend us to a friend or colleague?",
    "How likely are you to recommend us to friends and family?",
    "Overall, how would you rate your visit?",
    "How easy was it to find what you were looking for?",
    "When you called and spoke to an agent, how well was your question answered?",
    "Kalvino made it easy for me to return the goods",
    "How clean was the room?",
    "How satisfied are you with Marks and Spencer?",
    "How likely are you to order again within a year?",
    "On a scale of 1 to 5, how helpful was the answer?",
    "How satisfied are you with the packaging (1 = not at all satisfied, 5 = very satisfied)?",
    "How well did the agent understand your question?",
    "How would you rate the terms and conditions of your contract?",
    "Overall satisfaction (1-5)",
    "Доколко сте доволни от доставката?",
    "Колко вероятно е да ни препоръчате на приятел или колега?",
    "Как оценявате обслужването в магазина?",
    "Колко лесно беше да намерите търсеното?",
    "چقدر از ارسال سفارش راضی هستید؟",
    "چقدر احتمال دارد ما را به دوستان و آشنایان توصیه کنید؟",
    "پیدا کردن کالا چقدر آسان بود؟",
    "از برخورد کارکنان چقدر راضی بودید؟",
    "ما مدى رضاك عن التوصيل؟",
    "ما مدى احتمال أن توصي بنا لصديق أو زميل؟",
    "كيف تقيم نظافة الغرفة؟",
    "ما مدى سهولة العثور على ما تريد؟",
    "您对配送速度满意吗？",
    "您有多大可能向朋友或同事推荐我们？",
    "您对店员的服务态度评价如何？",
    "您對房間的整潔程度滿意嗎？",
    "您觉得找到所需商品容易吗？",
    "Was it easy or difficult to order?",
    "Доволни или недоволни сте от цената?",
    "از قیمت راضی یا ناراضی هستید؟",
    "هل أنت راض أو غير راض عن السعر؟",
]
OPEN_AND_GOOD = [
    "What is the reason for your score?", "What could we do better?", "What did you like and what did you not like?",
    "Why did you not finish your order?", "Какво можем да подобрим?", "چه چیزی را می‌توانیم بهتر کنیم؟",
    "ما الذي يمكننا تحسينه؟", "我们在哪些方面可以做得更好？", "comment", "in_your_words",
]  # fmt: skip
FIVE = Question(label="x", low=1, high=5, metric="csat")


@pytest.mark.parametrize(("problem", "wording"), FAULTY)
def test_a_fault_is_named(problem, wording):
    assert [found for found, *_ in check_item(wording, FIVE)] == [problem]


@pytest.mark.parametrize("wording", GOOD)
def test_a_good_question_gets_no_remark(wording):
    assert list(check_item(wording, FIVE)) == []


@pytest.mark.parametrize("wording", OPEN_AND_GOOD)
def test_a_good_open_question_gets_no_remark(wording):
    assert list(check_item(wording)) == []


def make_programme(questions, verbatims=("What could we do better?",), **changes):
    source = {
        "name": "survey", "files": "a.csv", "channel": "survey", "who_started": "company", "mode": "direct",
        "undated": True, "verbatims": {f"o{n}": text for n, text in enumerate(verbatims)},
        "answers": {name: name for name in questions},
    }  # fmt: skip
    return Programme(
        name="t", title="t", question="Why?", goal="loyalty", questions=questions, sources=[source | changes]
    )


def scale(label, low=1, high=5, metric="csat"):
    return {"label": label, "low": low, "high": high, "metric": metric}


def find(programme):
    return check_questionnaire(programme)["problem"].tolist()


def test_a_good_survey_gets_no_row():
    good = {
        "nps": scale("How likely are you to recommend us?", 0, 10, "nps"),
        "csat": scale("How satisfied are you with the delivery?"),
        "ces": scale("How easy was it to order?", 1, 7, "ces") | {"better": "high"},
    }
    found = check_questionnaire(make_programme(good))
    assert found.empty and list(found) == ["source", "item", "problem", "why", "remedy"]


def test_what_only_the_whole_survey_shows():
    mixed = {"a": scale("How satisfied are you with us?"), "b": scale("How satisfied were you then?", 1, 10)}
    assert find(make_programme(mixed)) == ["mixed scales"]
    twice = {"a": scale("How clean was the room?"), "b": scale("How clean was the room?")}
    assert find(make_programme(twice)) == ["asked twice"]
    many = {f"q{n}": scale(f"How satisfied are you with shop {n}?") for n in range(25)}
    assert find(make_programme(many)) == ["too many items"]
    assert find(make_programme({}, [f"What about shop {n}?" for n in range(4)])) == [
        "too many open questions"
    ]


def test_nps_is_what_its_authors_say():
    assert find(make_programme({"a": scale("NPS: would you recommend us?", 1, 5, "rating")})) == [
        "NPS not as defined"
    ]
    assert find(make_programme({"a": scale("How satisfied are you with us?", 0, 10, "nps")})) == [
        "NPS not as defined"
    ]


def test_a_scale_of_a_hundred_points_is_too_long():
    assert find(make_programme({"a": scale("How satisfied are you with us?", 0, 100)})) == ["too many points"]


@pytest.mark.parametrize("changes", [{"who_started": "customer"}, {"mode": "indirect"}])
def test_only_what_the_company_asked_is_checked(changes):
    asked = {"a": scale("How great were the price and quality?")}
    assert find(make_programme(asked, **changes)) == []
    assert set(find(make_programme(asked))) == {"double-barrelled", "leading"}


def test_a_remark_names_source_and_wording():
    row = check_questionnaire(make_programme({"a": scale("The price and the quality are right")})).iloc[0]
    assert isinstance(row, pd.Series)
    assert (row["source"], row["item"]) == ("survey", "The price and the quality are right")
    assert "'and'" in row["why"] and row["remedy"]
