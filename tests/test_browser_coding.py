"""The form of coding in a real browser: by the keyboard alone, blind, from the side a text is read from."""

import os
import socket
import subprocess
import sys

import pandas as pd
import pytest
from conftest import ROOT, SMALL
from test_browser_report import CHROMIUM, DRIVER, open_browser, wait_for

from vocwb.decisions import read_decisions
from vocwb.programme import read_programme
from vocwb.schemas import check_table, empty_table
from vocwb.store import write_table
from vocwb.understand.coding_sample import gather_human_codes
from vocwb.understand.rules import CATEGORIES, OTHER

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs Debian's chromium and chromium-driver: apt install chromium chromium-driver",
)
SAID = {
    "en": ["The parcel came nine days late and nobody told me why: {}.", "<img src=x onerror=document.title=1> {}"],
    "fa": ["سفارش شمارهٔ {} ده روز دیرتر از موعد رسید و هیچ‌کس پاسخ‌گو نبود.", "Kalvino خیلی دیر می‌فرستد؛ بار {} بود."],
    "zh": ["訂單 {} 說三天到，結果等了兩個禮拜，客服也說不清楚原因。", "物流太慢 {}"],
}  # fmt: skip
SIZE = 8


@pytest.fixture(scope="module")
def programme(tmp_path_factory):
    """A small store of three languages, in which the rules have coded and nobody else."""
    root = tmp_path_factory.mktemp("coding")
    before = os.environ.get("VOCWB_ROOT")
    os.environ["VOCWB_ROOT"] = str(root)
    folder = root / "data" / "sample"
    (folder / "raw").mkdir(parents=True)
    (folder / "programme.yml").write_text(SMALL.replace("[en]", "[en, fa, zh]"), encoding="utf-8")
    programme = read_programme("sample")
    texts = [(language, said.format(number)) for language, both in SAID.items() for said in both
             for number in range(9)]  # fmt: skip
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
    codes = pd.DataFrame(
        {"feedback_id": ids, "coder": "rules", "category": "delivery", "polarity": "negative"}
    )
    codes = codes.reindex(columns=list(empty_table("codes")))
    write_table(programme, "codes", check_table("codes", codes), part="2025-01")
    yield programme
    os.environ.pop("VOCWB_ROOT")
    if before is not None:
        os.environ["VOCWB_ROOT"] = before


@pytest.fixture(scope="module")
def address(programme, tmp_path_factory):
    """The address of the form, served by Voila as `make workshop` serves it, with a short sample."""
    folder = tmp_path_factory.mktemp("voila")
    text = (ROOT / "notebooks" / "workshop" / "coding.ipynb").read_text(encoding="utf-8")
    (folder / "coding.ipynb").write_text(
        text.replace("most: int = 60", f"most: int = {SIZE}"), encoding="utf-8"
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "voila", str(folder / "coding.ipynb"), "--no-browser", f"--port={port}",
               "--Voila.ip=127.0.0.1"]  # fmt: skip
    log = folder / "log"
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


@pytest.fixture(scope="module")
def opened(browser, address):
    """The form, opened once: who sits at it changes from test to test."""
    browser.get(address)
    wait_for(
        lambda: browser.execute_script("return document.querySelectorAll('.vocwb-coding .said').length"), 90
    )
    return browser


def field(page, label):
    """The input that a label is tied to."""
    found = [one for one in page.find_elements("css selector", ".vocwb-coding label")
             if one.is_displayed() and one.text.strip() == label]  # fmt: skip
    assert len(found) == 1, f"{len(found)} fields are labelled {label!r}"
    return page.find_element("id", found[0].get_attribute("for"))


def press(page, *keys):
    page.switch_to.active_element.send_keys(*keys)


def active(page):
    return page.execute_script(
        "const e = document.activeElement; return e.labels?.[0]?.textContent || e.textContent"
    )


def text_of(page, selector):
    return page.execute_script("return document.querySelector(arguments[0])?.textContent || ''", selector)


def message(page):
    return text_of(page, ".vocwb-coding [role=status]")


def sit(page, who, mode="Code alone"):
    """Sit down as a person: the name is typed over the last one's, and Enter leads to the keys."""
    from selenium.webdriver.common.keys import Keys

    button = next(
        one for one in page.find_elements("css selector", ".vocwb-coding button") if one.text == mode
    )
    page.execute_script("arguments[0].focus()", button)
    press(page, Keys.SPACE)
    wait_for(lambda: "mod-active" in button.get_attribute("class"), 120)
    box = field(page, "Who")
    box.clear()
    box.send_keys(who, Keys.ENTER)


def codes_of(programme, who):
    log = read_decisions(programme)
    return log.loc[log["who"] == who, "value"].tolist()


def test_a_code_is_typed_and_entered_and_the_keys_wait_for_the_next(opened, programme):
    from selenium.webdriver.common.keys import Keys

    sit(opened, "Ada")
    wait_for(lambda: active(opened) == "Keys", 120)
    for number, typed in enumerate(("3 5 -4 c", "۱۴ ؟", "14 0 !2"), start=1):
        press(opened, typed, Keys.ENTER)
        wait_for(
            lambda number=number: f"{number} of {SIZE} coded" in text_of(opened, ".vocwb-coding .facts"), 20
        )
        assert active(opened) == "Keys" and message(opened).startswith("Saved: Ada, coded as")
    assert codes_of(programme, "Ada") == [
        {"category": ["delivery", "staff"], "polarity": "negative", "intensity": 4, "ask": "complaint"},
        {"category": [OTHER], "polarity": "cannot tell", "intensity": None, "ask": None},
        {"category": [OTHER], "polarity": "neutral", "intensity": 1, "ask": "request"},
    ]
    assert gather_human_codes(read_decisions(programme))["coder"].eq("human:Ada").all()
    assert field(opened, "Who").get_attribute("value") == "Ada"


def test_tab_space_letters_and_arrows_reach_and_do_everything(opened, programme):
    from selenium.webdriver.common.keys import Keys

    sit(opened, "Bo")
    wait_for(lambda: active(opened) == "Keys", 120)
    wait_for(lambda: "0 of" in text_of(opened, ".vocwb-coding .facts"), 120)
    stops = []
    for _ in range(len(CATEGORIES) + 1 + 5):
        press(opened, Keys.TAB)
        stops.append(active(opened))
        does = {"1 price": Keys.SPACE, "Polarity": "m", "Intensity": "3", "What is asked": Keys.DOWN}
        press(opened, *([does[stops[-1]]] if stops[-1] in does else []))
    boxes = [f"{number} {name}" for number, name in enumerate((*CATEGORIES, OTHER), start=1)]
    assert stops == [*boxes, "Polarity", "Intensity", "What is asked", "Note", "Save"]
    press(opened, Keys.ENTER)
    wait_for(lambda: message(opened) == "Saved: Bo, coded as price, mixed, 3, complaint.", 120)
    assert active(opened) == "Keys"
    for stop in ("Back", "Skip"):
        button = next(one for one in opened.find_elements("css selector", "button") if one.text == stop)
        assert button.is_enabled() and button.get_attribute("tabindex") != "-1"


def test_what_is_said_in_persian_stands_on_the_right_and_nothing_of_a_customer_runs(opened):
    from selenium.webdriver.support.ui import Select

    Select(field(opened, "Language")).select_by_visible_text("Persian")
    told = "return document.querySelector('.vocwb-coding .said pre').textContent"
    wait_for(lambda: opened.execute_script(told)[:1] in "سK", 120)
    direction, lang, right, left = opened.execute_script(
        "const q = document.querySelector('.vocwb-coding .said pre'), range = document.createRange();"
        "range.selectNodeContents(q); const words = [...range.getClientRects()].at(-1);"
        "const box = q.getBoundingClientRect();"
        "const side = getComputedStyle(q).direction, lang = q.closest('[lang]').lang;"
        "return [side, lang, box.right - words.right, words.left - box.left]"
    )
    assert (direction, lang) == ("rtl", "fa") and right < 2 < left
    Select(field(opened, "Language")).select_by_visible_text("English")
    wait_for(lambda: "English" in text_of(opened, ".vocwb-coding .facts"), 120)
    assert opened.execute_script("return document.images.length") == 0 and opened.title != "1"
    Select(field(opened, "Language")).select_by_visible_text("all")


def test_two_who_differ_talk_it_over_by_the_keyboard(opened, programme):
    from selenium.webdriver.common.keys import Keys

    sit(opened, "Cy", "Talk over")
    wait_for(lambda: "Nothing to talk over" in text_of(opened, ".vocwb-coding"), 120)
    assert "Ada" not in text_of(opened, ".vocwb-coding table")
    sit(opened, "Bo", "Talk over")
    wait_for(lambda: "0 of 1 talked over" in text_of(opened, ".vocwb-coding .facts"), 120)
    sides = text_of(opened, ".vocwb-coding table")
    assert "AdaBo" in sides and "Category: differs" in sides
    field(opened, "Keys").send_keys("3 -4 c", Keys.ENTER)
    wait_for(lambda: active(opened) == "Why you decide so", 120)
    press(opened, "it is the parcel", Keys.TAB, Keys.ENTER)
    wait_for(lambda: message(opened) == "Saved: Bo, adjudicated as delivery, negative, 4, complaint.", 120)
    log = read_decisions(programme)
    assert (
        log.iloc[-1][["who", "why"]].tolist() == ["Bo", "it is the parcel"]
        and log.iloc[-1]["value"]["adjudicated"]
    )
    assert "human:adjudicated" in set(gather_human_codes(log)["coder"])
    sit(opened, "Bo", "Agreement")
    wait_for(lambda: "Ada and Bo" in text_of(opened, ".vocwb-coding"), 120)


@pytest.mark.parametrize("width", [1280, 700])
def test_nothing_is_cut_off(opened, width):
    sit(opened, "Ada")
    wait_for(lambda: "coded" in text_of(opened, ".vocwb-coding .facts"), 120)
    opened.set_window_size(width, 900)
    try:
        wide, cut = opened.execute_script(
            "const parts = [...document.querySelectorAll('.vocwb-coding button, .vocwb-coding input,"
            " .vocwb-coding select, .vocwb-coding label')].filter(e => e.checkVisibility());"
            "const box = e => e.getBoundingClientRect(), words = e => ['LABEL', 'BUTTON'].includes(e.tagName);"
            "return [document.documentElement.scrollWidth, parts.filter(e => box(e).right > innerWidth + 1 ||"
            " words(e) && e.scrollWidth > e.clientWidth + 2 || box(e).height < 12)"
            ".map(e => e.outerHTML.slice(0, 120))]"
        )
    finally:
        opened.set_window_size(1280, 900)
    assert wide <= width and not cut
