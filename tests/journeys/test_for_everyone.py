"""What holds on every page: readable, operable without a mouse, on a phone, in the dark, on paper, and in Dutch."""

import re
from collections.abc import Iterator, Mapping
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import QUESTION, Browsing, browsing
from tests.journeys.pages import Visitor

CASE = "wageningen-benedenbuurt-wow-riool"
PAGES: Mapping[str, Mapping[str, str]] = {
    "/": {},
    "/zoeken": {"q": QUESTION},
    "/casus": {"id": CASE, "van": "q=riool"},
    "/uitgangssituaties": {},
    "/themas": {},
    "/thema": {"id": "vertrouwen-en-relatie"},
    "/over": {},
}
ENGLISH = re.compile(
    r"\b(the|and|of|to|for|your|you|app|main|page|pages|sidebar|navigate|expand|collapse|choose|select|selected|"
    r"options?|available|press|enter|apply|submit|search|results?|skip|content|view|more|less|show|hide|clear|all|remove|"
    r"close|dismiss|copy|running|loading|connecting|connection|error|deploy|settings|rerun|heading|fullscreen|values)\b",
    re.IGNORECASE,
)
TEXTS = """() => {
  const found = [];
  const ours = ".hl, .stText, textarea, input, [data-testid=stPageLink], script, style, noscript";
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());)
    if (node.data.trim() && !node.parentElement.closest(ours)) found.push(node.data.trim());
  for (const element of document.querySelectorAll("*"))
    for (const name of ["aria-label", "title", "placeholder", "alt", "aria-description"])
      if (element.getAttribute(name)) found.push(element.getAttribute(name));
  return found.filter((text) => !text.startsWith("keyboard_"));
}"""
CONTRASTS = """(selectors) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const over = (front, back) => front.slice(0, 3).map((v, i) => v * front[3] / 255 + back[i] * (1 - front[3] / 255));
  const behind = (element) => {
    const layers = [];
    for (let at = element; at; at = at.parentElement) layers.unshift(rgba(getComputedStyle(at).backgroundColor));
    return layers.reduce((back, front) => over(front, back), [255, 255, 255]);
  };
  const light = (color) => {
    const [r, g, b] = color.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const selector of selectors)
    for (const element of document.querySelectorAll(selector)) {
      if (!element.checkVisibility() || !element.innerText?.trim()) continue;
      const back = behind(element), text = over(rgba(getComputedStyle(element).color), back);
      const [low, high] = [light(text), light(back)].sort((a, b) => a - b);
      found.push([selector, element.innerText.slice(0, 30), (high + 0.05) / (low + 0.05)]);
    }
  return found;
}"""
PAINTED = [
    "h1",
    "h2",
    "p",
    "a",
    "button",
    "li",
    "dt",
    "dd",
    ".hl-chip",
    ".hl-outcome",
    ".hl-strength",
    ".hl-small",
    "mark",
]


def opened(visitor: Visitor, path: str) -> Page:
    return visitor.goes_to(path, **PAGES[path]).page


@pytest.fixture(scope="module", params=PAGES)
def standing(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """Every page in turn, open in a browser. Look and do not touch: several tests look at the same one."""
    with browsing(browser, address) as fresh:
        yield opened(fresh(), request.param)


def test_a_page_speaks_dutch_only(standing: Page) -> None:
    expect(standing.locator("html")).to_have_attribute("lang", "nl")
    assert english(standing) == []


def test_headings_are_a_ladder(standing: Page) -> None:
    levels = standing.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].filter(h => h.checkVisibility()).map(h => +h.tagName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(lower - upper <= 1 for upper, lower in pairwise(levels)), levels


def test_axe_finds_nothing_serious(standing: Page) -> None:
    serious = [
        (found["id"], [node["html"] for node in found["nodes"]][:3])
        for found in Axe().run(standing).response["violations"]
        if found["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_everything_can_be_told_from_what_is_behind_it(standing: Page) -> None:
    told_apart(standing, "rgb(251, 248, 242)")


@pytest.mark.parametrize("path", PAGES)
def test_everything_can_be_told_from_what_is_behind_it_in_the_dark(fresh: Browsing, path: str) -> None:
    told_apart(opened(fresh(dark=True), path), "rgb(18, 32, 31)")


def told_apart(page: Page, background: str) -> None:
    assert page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor") == background
    found = page.evaluate(CONTRASTS, PAINTED)
    assert len(found) > 10
    assert [contrast for contrast in found if contrast[2] < 4.5] == []


def test_filters_and_menu_speak_dutch_only(visitor: Visitor) -> None:
    page = opened(visitor, "/zoeken")
    visitor.opens_filters()
    for facet in ("Uitgangssituatie", "Gemeente"):
        visitor.facet(facet).click()
        expect(page.get_by_role("option").first).to_be_visible()
        assert english(page) == []
        page.keyboard.press("Escape")
    visitor.facet("Horde").fill("zzzz")
    expect(page.get_by_text("Niets gevonden")).to_be_visible()
    assert english(page) == []
    visitor.facet("Horde").fill("")
    page.keyboard.press("Escape")
    visitor.chooses("Uitgangssituatie", re.compile("Samen op weg")).shows("Alleen:")
    assert english(page) == []
    page.get_by_role("button", name=re.compile("^Verwijder Samen op weg")).click()
    expect(page.get_by_text("Alleen:")).to_have_count(0)


def english(page: Page) -> list[str]:
    return [text for text in page.evaluate(TEXTS) if ENGLISH.search(text) or text == "Open"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_what_is_there_before_the_app_can_be_told_from_what_is_behind_it(fresh: Browsing, dark: bool) -> None:
    page = fresh(dark=dark).reads(f"/lees/casus/{CASE}").page
    assert [contrast for contrast in page.evaluate(CONTRASTS, PAINTED) if contrast[2] < 4.5] == []


def test_on_a_phone_nothing_sticks_out(fresh: Browsing) -> None:
    visitor = fresh(phone=True)
    for path in PAGES:
        page = opened(visitor, path)
        widths = page.evaluate("[document.documentElement, document.querySelector('.stMain')].map(e => e.scrollWidth)")
        assert max(widths) <= 390, path
    page = visitor.reads(f"/lees/casus/{CASE}").page
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_one_reaches_every_page_and_searches(fresh: Browsing) -> None:
    visitor = fresh(phone=True).goes_to("/")
    visitor.page.get_by_role("button", name="Menu openen").click()
    visitor.follows("Thema’s").is_at("/themas")
    expect(visitor.heading).to_have_text("Thema’s")
    expect(visitor.page.get_by_role("button", name="Menu sluiten")).not_to_be_in_viewport()
    visitor.goes_to("/").asks(QUESTION).in_app().shows("3 casussen passen hierbij")
    title = visitor.titles()[0]
    visitor.results.first.click()
    expect(visitor.heading).to_have_text(title)


def test_the_keyboard_alone_finds_and_opens_a_case(visitor: Visitor) -> None:
    page = visitor.goes_to("/").page
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Naar de inhoud")).to_be_focused()
    page.keyboard.press("Enter")
    tab_until(page, "Beschrijf jullie situatie")
    page.keyboard.type(QUESTION)
    tab_until(page, "Zoek casussen")
    page.keyboard.press("Enter")
    visitor.in_app().shows("3 casussen passen hierbij")
    title = visitor.titles()[0]
    tab_until(page, title)
    page.keyboard.press("Enter")
    expect(visitor.heading).to_have_text(title)
    expect(visitor.heading).to_be_focused()


def test_a_new_answer_on_the_same_page_is_heard(visitor: Visitor) -> None:
    visitor.goes_to("/zoeken").asks("Kwispeldam").shows("1 casus past hierbij")
    expect(visitor.result_count).to_be_focused()


def tab_until(page: Page, name: str) -> None:
    """Presses Tab until something with this name has the focus."""
    named = "(at => at.ariaLabel || at.labels?.[0]?.innerText || at.innerText || '')(document.activeElement)"
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(named).strip())
        if seen[-1].startswith(name):
            return
    pytest.fail(f"Tab never came to {name!r}, only to {seen}")


def test_the_reading_page_prints_whole(visitor: Visitor) -> None:
    page = visitor.reads(f"/lees/casus/{CASE}").page
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf())) >= 2
    page.emulate_media(media="print")
    for heading in ("Situatie", "Aanpak", "Resultaat", "Lessen", "Waar dit vandaan komt"):
        expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
    expect(page.get_by_role("listitem").last).to_be_visible()
    expect(page.get_by_role("navigation")).to_be_hidden()
    clipped = (
        "[...document.querySelectorAll('main, main *')]"
        ".some(e => getComputedStyle(e).overflowY !== 'visible' && !e.matches('.hl-sr'))"
    )
    assert not page.evaluate(clipped)


def test_what_a_writer_typed_is_shown_and_not_done(fresh: Browsing) -> None:
    title = "Tekens: *sterren* :red[rood] $x$ <b>vet</b> ~weg~ `code`"
    image = "![plaatje](https://elders.example/plaatje.png)"
    visitor = fresh().goes_to("/zoeken", q='"Kwispeldam"')
    assert visitor.titles() == [title]
    visitor.shows(image)
    visitor.results.first.click()
    expect(visitor.heading).to_have_text(title)
    expect(visitor.page).to_have_title(f"{title} | Hordeloper")
    visitor.shows(image).shows("<script>document.title = 'gekaapt'</script>").shows("# Geen kop")
    visitor.goes_to("/thema", id="vertrouwen-en-relatie")
    visitor.shows(f"Les met *sterren* en <b>vet</b> en {image}").shows(title)
    visitor.reads("/lees/casus/assen-tekens-letterlijk")
    expect(visitor.heading).to_have_text(title)
    visitor.shows(image)
    expect(visitor.page).to_have_title(f"{title} | Hordeloper")
    assert fresh.watched.foreign == []


def test_a_link_can_be_copied_from_a_case(visitor: Visitor) -> None:
    visitor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = opened(visitor, "/casus")
    page.get_by_role("button", name="Kopieer de link").click()
    expect(page.get_by_role("button", name="Gekopieerd")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f"{visitor.address}/casus?id={CASE}"
