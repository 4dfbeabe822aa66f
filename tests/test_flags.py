import pandas as pd
import pytest

from vocwb.collect.flags import cut_boilerplate, find_boilerplate, flag_feedback

STORY = "I waited three hours at the branch on Friday, nobody spoke to me, and then the machine kept my card."
ADVERT = (
    "Best embroidered badges and patches for your staff, superior to the ones you use: www.badges.example"
)


def flag(texts, dates=None, people=None, of=None):
    ids = [f"f{number}" for number in range(len(texts))]
    return flag_feedback(pd.DataFrame({
        "feedback_id": ids, "verbatim": texts, "duplicate_of": of or [None] * len(texts),
        "received_at": pd.to_datetime(dates or [None] * len(texts), utc=True),
        "respondent_id": people or [None] * len(texts),
    })).fillna("").tolist()  # fmt: skip


def wave(text, dates=None, people=None, size=6):
    return set(flag([text] * size, dates, people, [None] + ["f0"] * (size - 1)))


@pytest.mark.parametrize(
    "text",
    ["test",
     "TEST please ignore", "This is a test.", "Testing 1 2 3", "123 test", "test test", "asdf asdf", "asdfasdf",
     "qwertyuiop", "xxx", "Lorem ipsum dolor sit amet, consectetur", "тест", "Това е тест", "фыва", "явертъ", "уеиш",
     "تست", "تست ۱۲۳", "این یک تست است", "شسیب شسیب", "اختبار", "هذا اختبار", "شسيب", "ضصثق", "测试", "測試一下",
     "这是一个测试，请忽略", "测试测试"],
)  # fmt: skip
def test_what_people_type_to_try_a_form(text):
    assert flag([text]) == ["test"]


@pytest.mark.parametrize(
    "text",
    ["The test drive was great", "testing my patience", "Blood test", "Test results came late", "No tests done", "were",
     "Will Smith", "Смит", "kiss xx", "Hello xxx", "Tests", "Good", "123", "10", "😀", "?", "a", "nothing",
     "please ignore my last message",
     "Филмът е тест за нервите", "الاختبار صعب", "آزمایش خون", "测试版不稳定", "先测试一下再说", "好好好", "hello", "",
     "power", "property", "trees", "sad", "asd", "I am a test user of the beta and it fails"],
)  # fmt: skip
def test_what_customers_say_is_no_test(text):
    assert flag([text]) == [""]


def test_a_missing_text_has_no_flag():
    assert flag([None, "\x00"]) == ["", ""]


def test_an_advert_copied_within_a_week_is_spam():
    days = [f"2025-01-0{day}" for day in range(1, 7)]
    assert wave(ADVERT, days) == {"spam"}
    assert wave(ADVERT.replace("www.badges.example", "[URL]"), days) == {"spam"}
    assert wave(ADVERT.replace("www.badges.example", "call 0700 123 4567"), days) == {"spam"}
    assert wave(ADVERT) == {"spam"}, "without dates the address tells"
    assert wave(ADVERT, [f"2025-0{month}-01" for month in range(1, 7)]) == {""}, "a month apart is no wave"
    assert wave(ADVERT, days[:4], size=4) == {""}


def test_only_the_copies_of_the_wave_are_flagged():
    dates = ["2024-01-01", *(f"2025-01-0{day}" for day in range(1, 6))]
    assert flag([ADVERT] * 6, dates, of=[None] + ["f0"] * 5) == ["", *["spam"] * 5]


def test_one_respondent_who_repeats_a_text_all_day_is_spam():
    hours = [f"2025-01-01 0{hour}:00" for hour in range(6)]
    assert wave(STORY, hours, ["p"] * 6) == {"spam"}
    assert wave(STORY, [f"2025-01-0{day}" for day in range(1, 7)], ["p"] * 6) == {""}


def test_an_outage_is_no_spam():
    hours = [f"2025-01-01 0{hour}:00" for hour in range(6)]
    people = list("pqrstu")
    assert wave(STORY, hours, people) == {""}, "one letter of many people, without an address"
    assert set(flag([f"The app is down, see www.status.example {n}" for n in range(6)], hours, people)) == {
        ""
    }


def test_no_feedback_has_no_flags():
    assert flag([]) == []


def test_flags_do_not_depend_on_row_order():
    frame = pd.DataFrame({
        "feedback_id": list("abcdef"), "verbatim": [ADVERT] * 5 + ["test"], "duplicate_of": [None, *"aaaa", None],
        "received_at": pd.to_datetime(["2025-01-01"] * 6, utc=True), "respondent_id": None,
    })  # fmt: skip
    flags = flag_feedback(frame)
    assert flags.tolist() == ["spam"] * 5 + ["test"]
    assert flag_feedback(frame.sample(frac=1, random_state=1)).sort_index().equals(flags)


FOOTER = "This e-mail is confidential and meant for its addressee alone. If you are not the addressee, delete it now."


def make_mails(footer, count=40, head=""):
    return pd.Series(
        [f"{head}Order {n} came late and broken.\nI want {n} dollars back{footer}" for n in range(count)]
    )


@pytest.mark.parametrize(
    ("footer", "cut"),
    [
        ("\nSent from my iPhone", "Sent from my iPhone"),
        (".\n\n" + FOOTER, FOOTER),
        (". Read less", "Read less"),
        (" Read less", "Read less"),
        (
            ".\n\nThis e-mail is strictly confidential.\nIf it reached you by mistake please delete it.",
            "This e-mail is strictly confidential.\nIf it reached you by mistake please delete it.",
        ),
        ("。\n发自我的iPhone", "发自我的iPhone"),
        ("\nИзпратено от моя телефон", "Изпратено от моя телефон"),
        (
            "。您的评价对我们很重要，本调查由客户服务中心自动发送。",
            "您的评价对我们很重要，本调查由客户服务中心自动发送。",
        ),
    ],
)
def test_what_a_system_adds_is_found_and_kept_aside(footer, cut):
    mails = make_mails(footer)
    found = find_boilerplate(mails)
    assert set(found["place"]) == {"end"} and set(found["count"]) == {40}
    kept, aside = cut_boilerplate(mails, found)
    assert kept[3].rstrip(".。") == "Order 3 came late and broken.\nI want 3 dollars back"
    assert set(aside) == {cut}


def test_a_header_is_found_at_the_start():
    mails = make_mails("", head="(Translated by Google) ")
    kept, aside = cut_boilerplate(mails, find_boilerplate(mails))
    assert kept[0].startswith("Order 0") and set(aside) == {"(Translated by Google)"}


def test_what_people_say_often_stays():
    thanks = "\nThank you very much in advance for all your kind help with this matter."
    assert find_boilerplate(make_mails(thanks)).empty
    assert find_boilerplate(make_mails("\nNever again!")).empty, "short"
    often = "\nI would not recommend this company to my friends or to my family"
    ways = pd.concat([make_mails(often), make_mails(often.upper(), 50)[40:]])
    assert find_boilerplate(ways).empty, "people spell it in ways of their own"


def test_few_texts_copies_or_respondents_are_no_evidence():
    assert find_boilerplate(make_mails("\n" + FOOTER, count=19)).empty
    assert find_boilerplate(pd.Series(["Late.\n" + FOOTER] * 50)).empty
    mails = make_mails("\n" + FOOTER)
    assert find_boilerplate(mails, pd.Series(["p", "q"] * 20)).empty, "two people's signature"
    assert not find_boilerplate(mails, pd.Series(range(40))).empty


def test_a_whole_verbatim_is_never_cut_and_nothing_is_lost():
    texts = pd.Series(["Read less", "Fine. Read less\nRead less", None, "Read less is what I want", "  "])
    known = pd.DataFrame({"text": ["Read less"], "place": ["end"]})
    kept, aside = cut_boilerplate(texts, known)
    assert kept.fillna("-").tolist() == ["Read less", "Fine.", "-", "Read less is what I want", "  "]
    assert aside.fillna("-").tolist() == ["-", "Read less\nRead less", "-", "-", "-"]


def test_nothing_to_find_gives_an_empty_table():
    assert find_boilerplate(pd.Series([], dtype="str")).empty
    assert list(find_boilerplate(pd.Series(["one.", None]))) == ["text", "place", "count", "share"]
