"""The report in a real browser: it opens with the network off, runs nothing of a customer's, and can be read."""

import json
import shutil
import time
from pathlib import Path

import pytest
from tables import make_tables

from vocwb.share.publish import build_report, write_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="needs Debian's chromium and chromium-driver: apt install chromium chromium-driver",
)

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--hide-scrollbars")  # fmt: skip
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(build_report(**make_tables()), path)
    return path


def open_browser(profile: Path, **capabilities):
    """Return Chromium with a profile of its own, wide as a desk's screen."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, "--window-size=1280,900", f"--user-data-dir={profile}"):
        options.add_argument(flag)
    for name, value in capabilities.items():
        options.set_capability(f"goog:{name}", value)
    return webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    logs = {"browser": "ALL", "performance": "ALL"}
    driver = open_browser(tmp_path_factory.mktemp("profile"), loggingPrefs=logs)
    yield driver
    driver.quit()


@pytest.fixture
def page(browser, report):
    """The report, opened anew on a wide screen with every chart drawn."""
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    return open_page(browser, report)


def open_page(browser, report: Path):
    browser.get(report.as_uri())
    wait_for(lambda: browser.execute_script("return document.body.dataset.drawn"))
    return browser


def wait_for(ready, seconds=60):
    for _ in range(seconds * 10):
        if ready():
            return
        time.sleep(0.1)
    raise AssertionError("the page did not get ready")


def test_it_asks_the_network_for_nothing_and_reports_no_error(browser, report):
    browser.get_log("performance"), browser.get_log("browser")
    open_page(browser, report)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"
    ]
    assert report.as_uri() in asked
    assert not [url for url in asked if not url.startswith(("file:", "data:"))]
    assert not [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_nothing_of_a_customer_runs(page):
    assert page.title == "Kalvino, <voice> of the customer: December 2025"
    assert page.execute_script("return [...document.images].length") == 0


def test_every_chart_is_drawn(page):
    drawn, charts = page.execute_script(
        "return [[...document.querySelectorAll('.plot')].map(p => p.querySelectorAll('svg path, svg text').length),"
        " document.querySelectorAll('figure.chart').length]"
    )
    assert len(drawn) == charts > 20 and min(drawn) > 5


def test_every_quote_reads_as_it_is_stored(page):
    stored = make_tables()["feedback"].set_index("feedback_id")["verbatim"]
    quotes = page.execute_script(
        "const all = [...document.querySelectorAll('[data-feedback-id]'),"
        " ...document.getElementById('quotes').content.querySelectorAll('[data-feedback-id]')];"
        "return all.map(q => [q.dataset.feedbackId, +q.dataset.start, +q.dataset.end, q.textContent])"
    )
    assert len(quotes) > 100
    assert not [one for one, start, end, text in quotes if stored[one][start:end] != text]


def test_persian_stands_on_the_right_and_english_on_the_left(page):
    shown = page.execute_script(
        "return ['fa', 'ar', 'en'].map(lang => { const q = document.querySelector(`main blockquote[lang=${lang}]`);"
        " const style = getComputedStyle(q), range = document.createRange(); range.selectNodeContents(q);"
        " const words = [...range.getClientRects()].at(-1), box = q.getBoundingClientRect();"
        " return [style.direction, style.textAlign, words.left - box.left, box.right - words.right] })"
    )
    for direction, align, left, right in shown[:2]:
        assert (direction, align) == ("rtl", "right") and right < 2 <= left
    direction, _, left, right = shown[2]
    assert direction == "ltr" and left < 2 <= right


def test_a_number_opens_quotes_that_are_stored_and_closes_again(page):
    stored = make_tables()["feedback"].set_index("feedback_id")["verbatim"]
    keys = page.execute_script(
        "return [...document.querySelectorAll('#short button.number')].map(b => b.dataset.finding)"
    )
    assert keys
    for key in keys:
        page.execute_script("document.querySelector(`#short [data-finding='${arguments[0]}']`).click()", key)
        opened, number, quotes, ids = page.execute_script(
            "const d = document.getElementById('opened');"
            "return [d.open, d.querySelector('[data-part=number]').textContent,"
            " [...d.querySelectorAll('blockquote')].map(q => [q.dataset.feedbackId, q.textContent]),"
            " d.querySelector('[data-part=ids]').textContent.split('\\n')]"
        )
        assert opened and number and quotes and set(ids) <= set(stored.index)
        assert all(one in ids and stored[one].startswith(text) for one, text in quotes)
        page.execute_script("document.querySelector('[data-close]').click()")
        assert not page.execute_script("return document.getElementById('opened').open")


def test_the_keyboard_opens_a_number_and_closes_it(page):
    from selenium.webdriver.common.keys import Keys

    page.execute_script("document.querySelector('#short button.number').focus()")
    page.switch_to.active_element.send_keys(Keys.ENTER)
    wait_for(lambda: page.execute_script("return document.getElementById('opened').open"), 5)
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_for(lambda: not page.execute_script("return document.getElementById('opened').open"), 5)
    assert page.execute_script("return document.activeElement.dataset.finding")


def test_the_numbers_of_a_cause_open_too(page):
    page.execute_script("document.querySelector('#why button[data-evidence]').click()")
    claim, quotes = page.execute_script(
        "return [document.querySelector('[data-part=claim]').textContent,"
        " document.querySelectorAll('#opened blockquote').length]"
    )
    assert claim.startswith("What speaks for: ") and quotes == 3


def test_a_phone_shows_it_without_scrolling_sideways(browser, report):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    open_page(browser, report)
    browser.execute_script("document.querySelectorAll('details').forEach(d => d.open = true)")
    width, beyond = browser.execute_script(
        "return [document.documentElement.scrollWidth, [...document.querySelectorAll('main *')]"
        ".filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('svg'))"
        ".map(e => e.outerHTML.slice(0, 90))]"
    )
    assert width == 390 and not beyond
    browser.execute_script("document.querySelector('#short button.number').click()")
    box = browser.execute_script("return document.getElementById('opened').getBoundingClientRect().toJSON()")
    assert box["left"] >= 0 and box["right"] <= 390


def test_small_text_has_contrast_enough(page):
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text; measured on what the browser computed."""
    low = page.execute_script("""
      const parse = text => text.match(/[\\d.]+/g).map(Number);
      const shine = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
      const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
        if (c.length === 3 || c[3] === 1) return c; } return [255, 255, 255]; };
      return [...document.querySelectorAll('p, td, th, li, figcaption, button, summary, dd, dt, a, h1, h2, h3, span')]
        .filter(e => e.checkVisibility() && e.innerText.trim() && !e.closest('.skip')).map(e => {
          const [a, b] = [shine(parse(getComputedStyle(e).color)), shine(ground(e))].sort((x, y) => y - x);
          return [(a + .05) / (b + .05), e.className, e.innerText.slice(0, 30)]; }).filter(([ratio]) => ratio < 4.5)""")
    assert not low


def test_it_prints_on_paper(page):
    printed = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})
    assert len(printed["data"]) > 100_000
