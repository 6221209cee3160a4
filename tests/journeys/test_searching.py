"""Somebody with a question: asks, chooses, opens, comes back, shares."""

import re

from playwright.sync_api import expect

from tests.journeys.conftest import BY_MEANING, QUESTION, READY_WITHIN, Browsing
from tests.journeys.pages import Visitor

THREE = re.compile(r"^3 casussen passen hierbij$")


def test_a_search_survives_opening_a_case_and_going_back(visitor: Visitor) -> None:
    visitor.goes_to("/").asks(QUESTION).in_app().is_at("/zoeken", q=QUESTION).shows(THREE)
    titles = visitor.titles()
    visitor.results.last.scroll_into_view_if_needed()
    visitor.is_scrolled_to(place := visitor.scrolled())
    assert place > 200
    visitor.results.last.click()
    expect(visitor.heading).to_have_text(titles[-1])
    visitor.back().is_at("/zoeken", q=QUESTION).shows(THREE)
    expect(visitor.question).to_have_value(QUESTION)
    visitor.is_scrolled_to(place)
    assert visitor.titles() == titles
    visitor.forward()
    expect(visitor.heading).to_have_text(titles[-1])
    visitor.reloads()
    expect(visitor.heading).to_have_text(titles[-1])
    visitor.back().shows(THREE).back()
    expect(visitor.heading).to_contain_text("Kijk hoe anderen verder kwamen")


def test_back_from_a_second_question_shows_the_first(visitor: Visitor) -> None:
    visitor.goes_to("/zoeken", q=QUESTION).shows(THREE)
    visitor.asks("Kwispeldam").is_at("/zoeken", q="Kwispeldam").shows("1 casus past hierbij")
    visitor.back().is_at("/zoeken", q=QUESTION).shows(THREE)
    expect(visitor.question).to_have_value(QUESTION)
    visitor.forward().shows("1 casus past hierbij").reloads().shows("1 casus past hierbij")
    expect(visitor.question).to_have_value("Kwispeldam")


def test_a_copied_link_of_a_search_shows_the_same_elsewhere(fresh: Browsing) -> None:
    first = (
        fresh().goes_to("/zoeken", q=QUESTION).opens_filters().chooses("Uitgangssituatie", re.compile("Samen op weg"))
    )
    first.is_at("/zoeken", q=QUESTION, context="samen-op-weg").shows("Alleen:")
    other = fresh()
    other.page.goto(first.page.evaluate("location.href"))
    other.in_app().shows("Alleen:")
    expect(other.question).to_have_value(QUESTION)
    assert other.titles() == first.titles()


def test_a_copied_link_of_a_case_leads_back_to_its_results_elsewhere(fresh: Browsing) -> None:
    first = fresh().goes_to("/zoeken", q=QUESTION, context="gemeente-voorop,samen-op-weg").shows("Alleen:")
    title = first.titles()[0]
    first.results.first.click()
    expect(first.heading).to_have_text(title)
    other = fresh()
    other.page.goto(first.page.evaluate("location.href"))
    expect(other.in_app().heading).to_have_text(title)
    other.follows("Terug naar de resultaten").in_app()
    other.is_at("/zoeken", q=QUESTION, context="gemeente-voorop,samen-op-weg")
    expect(other.question).to_have_value(QUESTION)
    assert title in other.titles()


def test_filters_say_how_many_and_can_be_undone(visitor: Visitor) -> None:
    visitor.goes_to("/zoeken").opens_filters()
    option = visitor.option("Uitgangssituatie", re.compile("De gemeente loopt voorop"))
    label = option.inner_text()
    count = re.search(r"\((\d+)\)$", label)
    assert count, label
    option.click()
    visitor.is_at("/zoeken", context="gemeente-voorop").shows(f"{count[1]} casussen")
    # The filters stay open, and the keyboard stays where it was.
    expect(visitor.facet("Uitgangssituatie")).to_be_focused()
    visitor.chooses("Horde", re.compile("Het plan ligt al klaar"))
    visitor.is_at("/zoeken", context="gemeente-voorop", hurdle="plan-ligt-al-klaar")
    expect(visitor.result_count).not_to_have_text(f"{count[1]} casussen")
    visitor.back().is_at("/zoeken", context="gemeente-voorop").shows(f"{count[1]} casussen")
    visitor.follows("Wis de filters").in_app().is_at("/zoeken")


def test_more_results_come_when_asked_for_and_stay_after_back(visitor: Visitor) -> None:
    visitor.goes_to("/zoeken")
    expect(visitor.results).to_have_count(10)
    visitor.page.get_by_role("button", name=re.compile("^Toon meer")).click()
    visitor.is_at("/zoeken", meer="1")
    expect(visitor.results).to_have_count(20)
    title = visitor.results.last.inner_text()
    visitor.results.last.click()
    expect(visitor.heading).to_have_text(title)
    visitor.back()
    expect(visitor.results).to_have_count(20)


def test_nothing_fits_is_said_and_leads_on(visitor: Visitor) -> None:
    visitor.goes_to("/").asks("recept voor appeltaart met slagroom").in_app()
    visitor.shows("We vonden niets dat echt past").shows("Deze horden komen er het dichtst bij:")
    visitor.page.locator("#root").get_by_role("main").locator('a[href*="hurdle="]').first.click()
    visitor.in_app()
    expect(visitor.result_count).to_be_visible()
    assert visitor.titles()


def test_quoted_words_are_required(visitor: Visitor) -> None:
    visitor.goes_to("/zoeken", q='zonnepanelen op de molen van "Kwispeldam"')
    expect(visitor.results).to_have_count(1)  # whether it fits or not: it is the one with the word
    visitor.asks('zonnepanelen op de molen van "Kwispelhuizen"')
    visitor.shows("Geen casus heeft alle woorden die tussen aanhalingstekens staan")


def test_results_get_better_by_themselves_when_the_model_is_there(opening: str, fresh: Browsing) -> None:
    visitor = fresh(address=opening).reads("/zoeken?q=" + QUESTION.replace(" ", "+")).in_app()
    visitor.shows("De kennisbank wordt nog geladen").shows("Casussen met dezelfde woorden")
    assert BY_MEANING not in visitor.titles()
    visitor.shows(THREE, within=READY_WITHIN)
    expect(visitor.page.get_by_text("De kennisbank wordt nog geladen")).to_have_count(0)
    assert BY_MEANING in visitor.titles()
    expect(visitor.page.get_by_text(re.compile("^Past (sterk|redelijk)")).first).to_be_visible()
