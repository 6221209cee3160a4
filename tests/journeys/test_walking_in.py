"""Somebody who rather walks in than asks, also where only plain HTML works."""

import re

from playwright.sync_api import Route, expect

from tests.journeys.conftest import QUESTION, Browsing
from tests.journeys.pages import Visitor


def test_a_context_leads_to_a_case_in_two_steps(visitor: Visitor) -> None:
    visitor.goes_to("/").follows(re.compile("De gemeente dendert de wijk in")).in_app()
    visitor.is_at("/zoeken", context="gemeente-voorop")
    title = visitor.titles()[0]
    visitor.results.first.click()
    expect(visitor.heading).to_have_text(title)


def test_a_municipality_reaches_a_lesson_and_its_case_in_three_steps(visitor: Visitor) -> None:
    visitor.goes_to("/").follows(re.compile("^Ik werk bij een gemeente")).in_app()
    visitor.follows(re.compile("^Tijdig betrekken")).in_app()
    expect(visitor.heading).to_have_text("Tijdig betrekken")
    expect(visitor.page.get_by_role("heading", level=2).filter(visible=True).first).to_contain_text("Voor de gemeente")
    link = visitor.results.first
    title = link.inner_text()
    link.click()
    expect(visitor.in_app().heading).to_have_text(title)


def test_a_coach_finds_a_hurdle_by_its_context(visitor: Visitor) -> None:
    visitor.goes_to("/").follows(re.compile("^Ik begeleid een groep")).in_app()
    visitor.follows("Het plan ligt al klaar").in_app().shows("Alleen:")
    assert visitor.params == {"context": "gemeente-voorop", "hurdle": "plan-ligt-al-klaar"}
    assert visitor.titles()


def test_an_example_question_shows_what_searching_gives(visitor: Visitor) -> None:
    visitor.goes_to("/").follows(QUESTION).in_app().shows("3 casussen passen hierbij")
    expect(visitor.question).to_have_value(QUESTION)


def test_the_first_page_can_be_read_before_the_app_is_there(visitor: Visitor) -> None:
    for path, heading in (
        ("/", "Kijk hoe anderen verder kwamen"),
        ("/zoeken?q=warmtenet", "Zoeken"),
        ("/themas", "Thema’s"),
        ("/casus?id=wageningen-benedenbuurt-wow-riool", "riool"),
    ):
        html = visitor.page.request.get(visitor.address + path).text()
        assert re.search(rf"<h1>[^<]*{heading}", html), path


def test_a_network_without_websockets_still_lets_one_search_and_read(fresh: Browsing) -> None:
    fresh.watched.expected = re.compile("[Ww]eb[Ss]ocket")
    visitor = fresh()
    visitor.page.route_web_socket(re.compile(".*"), lambda socket: socket.close())
    reads_and_searches(visitor)


def test_a_browser_without_scripts_still_lets_one_search_and_read(fresh: Browsing) -> None:
    fresh.watched.expected = re.compile(r"\.js: csp$|script")  # Chromium reports every script it does not run
    reads_and_searches(fresh(scripts=False))


def reads_and_searches(visitor: Visitor) -> None:
    visitor.reads("/").shows("Waar staan jullie nu?")
    visitor.asks(QUESTION).shows("3 casussen passen hierbij")
    title = visitor.titles()[0]
    visitor.results.first.click()
    expect(visitor.heading).to_have_text(title)
    visitor.follows("Terug naar de resultaten").shows("3 casussen passen hierbij")
    visitor.results.first.click()
    visitor.follows("Leespagina om te printen of te bewaren")
    expect(visitor.heading).to_have_text(title)
    visitor.page.wait_for_url(re.compile("/lees/casus/"))


def test_who_types_before_the_app_is_there_loses_nothing(visitor: Visitor) -> None:
    held: list[Route] = []
    visitor.page.route(re.compile("/_stcore/health"), lambda route: held.append(route))
    with visitor.page.expect_request(re.compile("/_stcore/health")):
        visitor.reads("/")
    visitor.question.fill("Wij willen zelf")
    for route in held:
        route.continue_()
    visitor.page.unroute_all()
    visitor.in_app()
    expect(visitor.question).to_have_value("Wij willen zelf")
    expect(visitor.question).to_be_focused()
    visitor.page.keyboard.type(" een warmtenet")
    visitor.page.keyboard.press("Control+Enter")
    visitor.is_at("/zoeken", q="Wij willen zelf een warmtenet")


def test_who_keeps_the_library_sees_which_files_are_broken(visitor: Visitor) -> None:
    visitor.goes_to("/").page.get_by_text("1 bestand kon niet worden gelezen").click()
    visitor.shows(re.compile("kapot.yaml, regel 3"))


def test_an_unknown_case_says_so_and_leads_on(fresh: Browsing) -> None:
    fresh.watched.expected = re.compile("404")
    visitor = fresh()
    for path in ("/casus?id=bestaat-niet", "/thema?id=bestaat-niet"):
        visitor.reads(path).in_app()
        expect(visitor.heading).to_have_text("Niet gevonden")
        expect(visitor.page).to_have_title("Niet gevonden")
    visitor.reads("/bestaat-niet")
    expect(visitor.heading).to_have_text("Niet gevonden")
    visitor.follows("Zoek in alle casussen").in_app()
    assert visitor.titles()
