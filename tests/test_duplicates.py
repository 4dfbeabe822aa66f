import random
import string

import pandas as pd
import pytest

from vocwb.collect.duplicates import fold_texts, mark_duplicates, weigh_text

LONG = "Do not buy the kettle of this shop, it caught fire!"
STORY = (
    "I waited three hours at the branch on Friday, nobody spoke to me, and then the machine at the door "
    "kept my card. The next day they told me to pay for a new one."
)
ZH = "快递员态度非常差，打了三次电话都不接，最后把包裹扔在门口就走了，里面的杯子全碎了。"


def make_feedback(**changed):
    frame = pd.DataFrame({
        "feedback_id": ["b", "a", "c", "d"], "response_id": ["1", "2", "3", "3"], "language": "en",
        "verbatim": [LONG, LONG.upper().replace(" ", "  "), LONG, LONG],
        "received_at": pd.to_datetime(["2025-01-02", "2025-01-03", "2025-01-01", "2025-01-01"], utc=True),
    })  # fmt: skip
    return frame.assign(**changed).set_axis(frame["feedback_id"].tolist())


def list_texts(texts, **changed):
    """Undated feedback in the order of its ids, each of a response of its own."""
    ids = [f"{number:05d}" for number in range(len(texts))]
    frame = pd.DataFrame({"feedback_id": ids, "response_id": ids, "language": "en", "verbatim": texts})
    undated = pd.to_datetime(pd.Series([None] * len(texts), index=frame.index), utc=True)
    return frame.assign(received_at=undated, **changed)


def mark(*texts, **given):
    return mark_duplicates(list_texts(list(texts)), **given).fillna("").tolist()


def make_texts(count, words=25, seed=3):
    lot = random.Random(seed)
    made = ["".join(lot.choices(string.ascii_lowercase, k=lot.randrange(3, 9))) for _ in range(2000)]
    return [" ".join(lot.choices(made, k=words)) for _ in range(count)]


def test_reposts_link_to_the_earliest_of_another_response():
    marked = mark_duplicates(make_feedback())
    assert marked.fillna("").to_dict() == {"b": "c", "a": "c", "c": "", "d": ""}
    shuffled = mark_duplicates(make_feedback().sample(frac=1, random_state=2))
    assert shuffled.fillna("").to_dict() == marked.fillna("").to_dict()


def test_short_texts_and_other_languages_are_no_reposts():
    assert mark_duplicates(make_feedback(verbatim="Good shop!")).isna().all()
    assert mark_duplicates(make_feedback(language=["en", "bg", "zh", "zh"])).isna().all()


@pytest.mark.parametrize(
    "copy",
    [
        f"RT @jo: {STORY}",
        f"“{STORY}” via @jo",
        f"Re-posting: {STORY}",
        f"{STORY} https://t.co/Ab12?x=1",
        f"{STORY} #fail",
        f"{STORY} [URL]",
        STORY.replace(",", " ...").replace(".", "!!!") + " 😡😡",
        STORY.replace("nobody", "NOBODYYYY").replace("three", "threeeee"),
        STORY.replace("branch", "brnach"),
        STORY + " Not good.",
        STORY[:120] + "…",
        STORY[:120] + "... https://t.co/Ab12",
        STORY.replace(" ", "\n"),
        STORY.translate(str.maketrans("aeo", "ａｅｏ")),
    ],
)
def test_a_copy_with_small_edits_is_linked(copy):
    assert mark(STORY, copy) == ["", "00000"]


@pytest.mark.parametrize(
    "copy", [ZH + "！！！", "转发：" + ZH, ZH.replace("里面", "裡面"), ZH[:28] + "……", f"{ZH}http://t.cn/x"]
)
def test_a_chinese_copy_is_linked(copy):
    assert mark(ZH, copy) == ["", "00000"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (STORY.replace("three", "3"), STORY.replace("three", "5")),
        ("Score: 20 of 100, 20 of 100, 20 of 100 for cleanliness of place",
         "Score: 20 of 100, 40 of 100, 30 of 100 for cleanliness of place"),
        (STORY, STORY[: len(STORY) // 2] + " My own story is about a loan that they refused for no reason at all."),
        ("外形外观：很漂亮\n屏幕音效：声音大\n拍照效果：清楚\n运行速度：快",
         "外形外观：一般般\n屏幕音效：有杂音\n拍照效果：模糊\n运行速度：卡"),
        ("不错" * 20, "不错" * 24),
        ("ha" * 40, "ha" * 45),
        ("Comcast data cap", "Comcast data cap"),
        ("物流很快，东西也不错", "物流很快，东西也不错"),
        ("@a_company @b_company @c_company @d_company @e_company Hurrah",
         "@a_company @b_company @c_company @d_company @e_company Oh no"),
        ("https://example.org/a/long/address/of/a/page", "https://example.org/a/long/address/of/a/page"),
    ],
)  # fmt: skip
def test_what_only_looks_alike_is_no_copy(one, other):
    assert mark(one, other) == ["", ""]


def test_thirteen_chinese_characters_say_as_much_as_forty_letters():
    assert mark("客服说三天退款到现在没有到账", "客服说三天退款到现在没有到账！") == ["", "00000"]
    assert mark("客服说三天退款到现在", "客服说三天退款到现在") == ["", ""]
    assert weigh_text("客服说三天退款到现在没有到") == 39


def test_an_original_is_never_itself_a_copy():
    words = STORY.split()
    drift = [" ".join([*(f"word{chr(97 + k)}" for k in range(n)), *words[n:]]) for n in range(len(words))]
    ids = {f"{number:05d}": text for number, text in enumerate(drift)}
    marked = mark_duplicates(list_texts(drift))
    originals = set(marked.dropna())
    assert len(originals) > 1, "the last has nothing of the first"
    assert originals <= {at for at, of in zip(ids, marked, strict=True) if pd.isna(of)}


def test_every_copy_of_a_flood_leads_to_one_original():
    lot = random.Random(5)
    letters = string.ascii_lowercase
    flood = [STORY] + [
        STORY[:k] + lot.choice(letters) + STORY[k:] for k in lot.choices(range(1, 150), k=1500)
    ]
    marked = mark(*make_texts(50), *flood)
    assert set(marked[:51]) == {""}
    assert marked[51:].count("00050") >= 1499


def test_few_copies_are_missed_and_nothing_else_is_linked():
    texts = make_texts(1000)
    edited = [text[:60] + "x" + text[61:110] + text[112:] for text in texts]
    marked = pd.Series(mark(*texts, *edited))
    assert set(marked[:1000]) == {""}
    right = marked[1000:].to_numpy() == [f"{number:05d}" for number in range(1000)]
    assert right.mean() >= 0.99
    assert set(marked[1000:][~right]) <= {""}


def test_the_order_of_rows_changes_nothing():
    texts = make_texts(40)
    frame = list_texts([*texts, *(text[:-9] for text in texts), *(text + " again" for text in texts)])
    frame["received_at"] = pd.to_datetime(
        [1_700_000_000 + n % 7 for n in range(len(frame))], unit="s", utc=True
    )
    marked = mark_duplicates(frame)
    assert marked.notna().sum() == 80
    for seed in range(3):
        assert mark_duplicates(frame.sample(frac=1, random_state=seed)).sort_index().equals(marked)


def test_a_copy_in_the_same_response_is_none():
    frame = list_texts([STORY, STORY + "!", "RT " + STORY], response_id=["x", "x", "y"])
    assert mark_duplicates(frame).fillna("").tolist() == ["", "", "00000"]


def test_hostile_and_missing_texts():
    texts = [
        None,
        "",
        "\x00" * 50,
        "a" * 100_000,
        "." * 100_000,
        "\n" * 99,
        "…" * 99,
        "𝒜" * 60,
        STORY * 300,
        STORY * 300,
    ]
    assert mark(*texts) == [""] * 9 + ["00008"]
    assert mark_duplicates(list_texts([STORY]).iloc[:0]).empty
    assert len(fold_texts(["a\nb", "", "c"])) == 3


def test_length_and_likeness_can_be_chosen():
    assert mark("Data cap is theft", "data cap  is theft!") == ["", ""]
    assert mark("Data cap is theft", "data cap  is theft!", shortest=12) == ["", "00000"]
    more = STORY + " Not good."
    assert mark(STORY, more) == ["", "00000"]
    assert mark(STORY, more, threshold=0.95) == ["", ""]


def test_no_text_folds_to_none():
    assert fold_texts([]) == []
