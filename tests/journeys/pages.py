"""What a visitor sees and does, by role and visible name."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

DEADLINE = 30_000
"""Milliseconds; the machine may be busy with other tests."""
expect.set_options(timeout=DEADLINE)


class Visitor:
    """Somebody with a browser."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address

    def goes_to(self, path: str, **params: str) -> "Visitor":
        """Opens an address of the app and waits until the app itself is there."""
        self.page.goto(f"{self.address}{path}{'?' + urlencode(params) if params else ''}")
        return self.in_app()

    def reads(self, path: str) -> "Visitor":
        """Opens an address and does not wait for the app."""
        self.page.goto(f"{self.address}{path}", wait_until="domcontentloaded")
        return self

    def in_app(self) -> "Visitor":
        expect(self.page.locator("body")).to_have_class(re.compile("hl-ready"))
        expect(self.page.locator("#root h1")).to_be_visible()
        return self

    def back(self) -> "Visitor":
        self.page.go_back(wait_until="commit")
        return self.in_app()

    def forward(self) -> "Visitor":
        self.page.go_forward(wait_until="commit")
        return self.in_app()

    def reloads(self) -> "Visitor":
        self.page.reload()
        return self.in_app()

    @property
    def params(self) -> dict[str, str]:
        """What the address says."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.page.url).query).items()}

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    @property
    def question(self) -> Locator:
        return self.page.get_by_role("textbox", name="Beschrijf jullie situatie")

    @property
    def heading(self) -> Locator:
        return self.page.get_by_role("heading", level=1)

    @property
    def results(self) -> Locator:
        """The titles of the results, each a link to its case."""
        return self.page.get_by_role("main").locator('a[href*="casus?id="]').filter(visible=True)

    @property
    def result_count(self) -> Locator:
        return self.page.get_by_role("heading", level=2, name=re.compile(r"^\d+ casus"))

    def asks(self, question: str) -> "Visitor":
        self.question.fill(question)
        self.page.get_by_role("button", name="Zoek casussen").click()
        return self

    def titles(self) -> list[str]:
        expect(self.results.first).to_be_visible()
        return self.results.all_inner_texts()

    def opens_filters(self) -> "Visitor":
        self.page.get_by_text("Filters", exact=True).click()
        return self

    def shows(self, text: str | re.Pattern[str], *, within: float = DEADLINE / 1000) -> "Visitor":
        """Waits until the page says this, for so many seconds."""
        said = self.page.get_by_role("main").filter(visible=True).get_by_text(text)
        expect(said.first).to_be_visible(timeout=within * 1000)
        return self

    def is_at(self, path: str, **params: str) -> "Visitor":
        """Waits until the address is this one."""
        self.page.wait_for_function(
            "([path, params]) => location.pathname === path &&"
            " JSON.stringify([...new URLSearchParams(location.search)].sort()) === JSON.stringify(params)",
            arg=[path, sorted(map(list, params.items()))],
        )
        return self

    def scrolled(self) -> float:
        """How far down the page the visitor is, in pixels."""
        return float(self.page.evaluate("document.querySelector('.stMain')?.scrollTop ?? scrollY"))

    def is_scrolled_to(self, place: float) -> "Visitor":
        self.page.wait_for_function(
            "place => Math.abs(document.querySelector('.stMain').scrollTop - place) < 80", arg=place
        )
        return self

    def facet(self, name: str) -> Locator:
        return self.page.get_by_role("combobox", name=name)

    def option(self, facet: str, option: str | re.Pattern[str]) -> Locator:
        """An option of a filter, in an open list."""
        found = self.page.get_by_role("option", name=option).first
        for _ in range(5):  # the list closes when the page is drawn again meanwhile; a person opens it once more
            self.facet(facet).click()
            try:
                found.wait_for(timeout=DEADLINE / 5)
            except PlaywrightTimeout:
                continue
            return found
        raise AssertionError(f"{facet} does not offer {option}")

    def chooses(self, facet: str, option: str | re.Pattern[str]) -> "Visitor":
        self.option(facet, option).click()
        return self

    def follows(self, name: str | re.Pattern[str]) -> "Visitor":
        self.page.get_by_role("link", name=name).filter(visible=True).first.click()
        return self
