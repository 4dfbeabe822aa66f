"""The codebook's form in a real browser: what people type and click becomes a decision, and is taken back."""

import os
import socket
import subprocess
import sys

import pandas as pd
import pytest
from conftest import ROOT, SMALL
from test_browser_report import CHROMIUM, DRIVER, open_browser, wait_for

from vocwb.decisions import fold_decisions, read_decisions, record_decision
from vocwb.paths import encoder_folder
from vocwb.programme import read_programme
from vocwb.schemas import check_table
from vocwb.store import write_table
from vocwb.understand.encoders import encode_texts, fit_encoder, save_encoder

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs Debian's chromium and chromium-driver: apt install chromium chromium-driver",
)
SAID = {
    "en": {"The parcel came {} days late": "late", "The courier was rude on day {}": "rude"},
    "fa": {"بسته {} روز دیر رسید": "late", "پیک روز {} بی‌ادب بود": "rude"},
}
NAMES = {"en": ["parcel · late", "courier · rude"], "fa": ["بسته · دیر", "پیک · بی‌ادب"]}


@pytest.fixture(scope="module")
def workshop(tmp_path_factory):
    """A small store with a codebook in use, and the programme that it is of."""
    root = tmp_path_factory.mktemp("workshop")
    before = os.environ.get("VOCWB_ROOT")
    os.environ["VOCWB_ROOT"] = str(root)
    folder = root / "data" / "sample"
    (folder / "raw").mkdir(parents=True)
    (folder / "programme.yml").write_text(SMALL.replace("[en]", "[en, fa]"), encoding="utf-8")
    programme = read_programme("sample")
    fill_store(programme)
    yield programme
    os.environ.pop("VOCWB_ROOT")
    if before is not None:
        os.environ["VOCWB_ROOT"] = before


def fill_store(programme):
    texts = [
        (language, text.format(number))
        for language, said in SAID.items()
        for text in said
        for number in range(3, 43)
    ]
    ids = [f"{number:032x}" for number in range(len(texts))]
    responses = pd.DataFrame({
        "response_id": ids, "source": "survey", "file": "survey.csv", "source_id": ids,
        "received_at": pd.Timestamp("2025-01-15", tz="UTC"), "month": "2025-01", "channel": "survey",
        "who_started": "company", "mode": "direct", "population": "all", "voice": "customer", "stage": None,
        "respondent_id": None, "session_id": None, "duplicate_of": None, "plan": "a", "nps": 5.0,
    })  # fmt: skip
    extra = {"plan": "str", "nps": "float"}
    write_table(programme, "responses", check_table("responses", responses, extra=extra))
    feedback = pd.DataFrame({
        "feedback_id": ids, "response_id": ids, "question": "reason", "language": [language for language, _ in texts],
        "verbatim": [text for _, text in texts], "flag": None, "duplicate_of": None,
    })  # fmt: skip
    write_table(programme, "feedback", check_table("feedback", feedback))
    opinions = feedback.drop(columns="duplicate_of").assign(month="2025-01", voice="customer")
    books = []
    for language in SAID:
        said = opinions.loc[opinions["language"] == language, "verbatim"]
        encoder = fit_encoder("tfidf-svd", said, language=language, seed=0)
        save_encoder(encoder, encoder_folder(programme.name))
        vectors = encode_texts(encoder, said)
        for half, name in enumerate(NAMES[language]):
            books.append({
                "codebook_id": "C1", "topic": f"T{len(books) + 1:04d}", "voice": "customer", "language": language,
                "encoder_id": encoder.encoder_id, "name": name, "theme": f"H{half + 1:02d}",
                "theme_name": name, "terms": name.split(" · "),
                "vector": vectors[40 * half : 40 * half + 40].mean(axis=0).astype(float).tolist(), "size": 40,
                "floor": 0.1, "examples": [], "first_seen": "2025-01", "lineage": "new",
            })  # fmt: skip
    write_table(programme, "codebook", check_table("codebook", pd.DataFrame(books)), part="C1")
    topics = [f"T000{1 + number // 40}" for number in range(len(texts))]
    assignments = opinions[["feedback_id"]].assign(
        codebook_id="C1", topic=topics, similarity=0.5, start=0, end=opinions["verbatim"].str.len()
    )
    write_table(programme, "assignments", check_table("assignments", assignments), part="C1/2025-01")
    points = opinions[["feedback_id", "voice", "language"]].assign(codebook_id="C1")
    points["x"] = [float(number // 40) + number % 7 / 20 for number in range(len(texts))]
    points["y"] = [number % 5 / 10 for number in range(len(texts))]
    write_table(programme, "points", check_table("points", points), part="C1")
    record_decision(
        programme, kind="codebook_in_use", subject="C1", value={"reviewed": True}, who="Ada", why="first"
    )


@pytest.fixture(scope="module")
def address(workshop, tmp_path_factory):
    """The address of the form, served by Voila as `make workshop` serves it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "voila", str(ROOT / "notebooks" / "workshop" / "codebook.ipynb"), "--no-browser",
               f"--port={port}", "--Voila.ip=127.0.0.1"]  # fmt: skip
    log = tmp_path_factory.mktemp("voila") / "log"
    with log.open("w") as output:
        server = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

        def answers():
            assert server.poll() is None, log.read_text()
            with socket.socket() as knock:
                return knock.connect_ex(("127.0.0.1", port)) == 0

        try:
            wait_for(answers, 240)
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(timeout=30)


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    driver = open_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, address):
    """The form, opened anew, with its list of topics filled."""
    return open_form(browser, address)


@pytest.fixture(scope="module")
def opened(browser, address):
    """The form, opened once for the tests that only look."""
    return open_form(browser, address)


def open_form(browser, address):
    browser.get(address)
    count = "return document.querySelectorAll('.vocwb-topics option').length"
    wait_for(lambda: browser.execute_script(count) == 4, 240)
    return browser


def field(page, label):
    """The input that a label is tied to."""
    found = [one for one in page.find_elements("css selector", ".vocwb-form label")
             if one.is_displayed() and one.text.strip() == label]  # fmt: skip
    assert len(found) == 1, f"{len(found)} fields are labelled {label!r}"
    return page.find_element("id", found[0].get_attribute("for"))


def choose(page, label, word):
    from selenium.webdriver.support.ui import Select

    chosen = Select(field(page, label))
    text = next(option.text for option in chosen.options if word in option.text)
    chosen.select_by_visible_text(text)


def write(page, **fields):
    for label, text in fields.items():
        box = field(page, label.replace("_", " "))
        box.clear()
        box.send_keys(text)


def click(page, label):
    button = next(
        one for one in page.find_elements("css selector", ".vocwb-form button") if one.text == label
    )
    page.execute_script("arguments[0].scrollIntoView({block: 'center'})", button)
    button.click()


def message(page):
    return page.execute_script(
        "return document.querySelector('.vocwb-form [role=status]')?.textContent || ''"
    )


def test_a_name_is_typed_saved_kept_and_taken_back(page, workshop):
    choose(page, "Topics", "T0003")
    write(page, New_name="بسته‌های دیر", Who="Ada", Why_you_decide_so="people say it so")
    click(page, "Save")
    wait_for(lambda: message(page) == "Saved: Ada, topic name.", 120)
    kept = fold_decisions(read_decisions(workshop), "topic_name").iloc[-1]
    assert (kept["subject"], kept["who"], kept["why"]) == ("T0003", "Ada", "people say it so")
    assert kept["value"] == {"name": "بسته‌های دیر", "terms": ["بسته", "دیر"]}
    options = (
        "return [...document.querySelectorAll('.vocwb-topics option')].map(o => o.textContent).join()"
        ".replaceAll('\\u00a0', ' ')"
    )
    assert "بسته‌های دیر" in page.execute_script(options)
    click(page, "Take back")
    wait_for(lambda: message(page).startswith("Taken back"), 120)
    assert fold_decisions(read_decisions(workshop), "topic_name").empty
    assert "بسته · دیر" in page.execute_script(options)
    assert "took back decision" in page.execute_script(
        "return document.querySelector('.vocwb-history').textContent"
    )


def test_nothing_is_saved_without_a_name(page, workshop):
    before = len(read_decisions(workshop))
    write(page, New_name="Nobody")
    click(page, "Save")
    wait_for(lambda: "Who" in message(page), 120)
    assert len(read_decisions(workshop)) == before


def test_a_topic_is_merged_by_the_keyboard_alone(page, workshop):
    from selenium.webdriver.common.keys import Keys

    field(page, "Topics").send_keys(Keys.HOME)
    does = field(page, "What to do")
    does.send_keys("merge")
    wait_for(
        lambda: any(one.text == "Merge into" for one in page.find_elements("css selector", "label")), 120
    )
    field(page, "Merge into").send_keys("T0002")
    write(page, Who="Bo", Why_you_decide_so="the same")
    page.switch_to.active_element.send_keys(Keys.TAB)
    assert page.switch_to.active_element.text == "Save"
    page.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(lambda: message(page) == "Saved: Bo, topic merge.", 120)
    kept = fold_decisions(read_decisions(workshop), "topic_merge")
    assert kept[["subject"]].values.tolist() == [["T0001"]] and kept["value"].iloc[0]["into"] == "T0002"


def test_all_that_was_said_is_paged_from_the_side_it_is_read_from(opened):
    choose(opened, "Topics", "T0004")
    first = (
        "return [...document.querySelectorAll('.vocwb-line .vocwb-said')].filter(e => e.checkVisibility())"
    )
    told = first + ".every(e => e.textContent.includes('پیک'))"
    wait_for(lambda: opened.execute_script(told), 120)
    sides = opened.execute_script(
        first + ".map(e => { const q = e.querySelector('blockquote'), range = document.createRange();"
        " range.selectNodeContents(q); const words = [...range.getClientRects()].at(-1);"
        " const box = q.getBoundingClientRect();"
        " return [getComputedStyle(q).direction, box.right - words.right, words.left - box.left] })"
    )
    assert len(sides) == 10 and all(side == "rtl" and right < 2 < left for side, right, left in sides)
    ids = first + ".map(e => e.querySelector('code').textContent)"
    seen = set(opened.execute_script(ids))
    click(opened, "Next page")
    wait_for(lambda: not seen & set(opened.execute_script(ids)), 120)


def test_what_is_typed_in_persian_stands_on_the_right(opened):
    write(opened, New_name="بسته")
    shown = "const s = getComputedStyle(arguments[0]); return [s.unicodeBidi, s.textAlign]"
    assert opened.execute_script(shown, field(opened, "New name")) == ["plaintext", "start"]


@pytest.mark.parametrize("width", [1280, 1024])
def test_nothing_is_cut_off(opened, width):
    opened.set_window_size(width, 900)
    try:
        wide, cut = opened.execute_script(
            "const parts = [...document.querySelectorAll('.vocwb-form button, .vocwb-form input, .vocwb-form select,"
            " .vocwb-form label')].filter(e => e.checkVisibility());"
            "const cut = e => e.tagName != 'SELECT' && e.scrollWidth > e.clientWidth + 2;"
            "const box = e => e.getBoundingClientRect();"
            "return [document.documentElement.scrollWidth, parts.filter(e => box(e).right > innerWidth + 1 || cut(e)"
            " || box(e).height < 16).map(e => e.outerHTML.slice(0, 120))]"
        )
    finally:
        opened.set_window_size(1280, 900)
    assert wide <= width and not cut


def test_a_region_of_the_map_is_read(opened):
    from selenium.webdriver import ActionChains

    found = "iframe[title='A map of what was said']"
    wait_for(lambda: opened.find_elements("css selector", found), 60)
    frame = opened.find_element("css selector", found)
    opened.execute_script("arguments[0].scrollIntoView()", frame)
    opened.switch_to.frame(frame)
    try:
        wait_for(lambda: opened.execute_script("return document.body.dataset.drawn"), 30)
        lines = "return [...document.querySelectorAll('svg text')].map(t => t.textContent)"
        before = opened.execute_script(lines)
        box = opened.find_element("css selector", ".mark-group.role-frame, svg")
        width, height = box.size["width"], box.size["height"]
        pull = (
            ActionChains(opened).move_to_element_with_offset(box, -width // 3, -height // 3).click_and_hold()
        )
        pull.move_by_offset(20, 20).move_by_offset(width // 4, height // 8).release().perform()
        wait_for(lambda: opened.execute_script(lines) != before, 120)
        assert opened.execute_script("return document.images.length") == 0
    finally:
        opened.switch_to.default_content()
