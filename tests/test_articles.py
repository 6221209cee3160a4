"""Reading pages: nothing that somebody wrote is ever markup, and what is marked is what was asked for."""

import json
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge import addresses, articles, dutch, passages
from knowledge.addresses import SearchState
from knowledge.articles import Articles
from knowledge.library import Library
from knowledge.records import Case
from knowledge.search import Answer, Hit
from knowledge.taxonomy import Taxonomy
from tests import strategies

MakeCase = Callable[..., Case]
quick = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)> & &amp; \" ' </textarea></title> --> ]]> {{ 7*7 }}"


class Page(HTMLParser):
    """What a browser makes of a page: elements with their attributes, text, and what is inside scripts."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, tuple[str, ...]]] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, tuple(name for name, _value in attrs)))
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append("")
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "script":
            self.scripts[-1] += data
        else:
            self.text += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")


@pytest.fixture(scope="module")
def pages(taxonomy: Taxonomy) -> Articles:
    return Articles(taxonomy)


def hit_of(case: Case, taxonomy: Taxonomy, wanted: frozenset[str] = frozenset()) -> Hit:
    passage = next(passage for passage in passages.of_case(case, taxonomy) if passage.section == "obstacle")
    return Hit(case, passage, 0.9, "sterk", (case.obstacle,), case.hurdles[:1], case.lessons[0], wanted)


def renderings(case: Case, pages: Articles, taxonomy: Taxonomy) -> dict[str, str]:
    """Every page that shows something of a case."""
    library = Library({case.id: case}, (), "")
    hit = hit_of(case, taxonomy)
    answer = Answer((hit,), 1, True, {}, corrections={case.title: case.title}, required=(case.title,))
    state = SearchState(case.title, {"municipality": frozenset([case.place.municipality])}, 0)
    return {
        "case": pages.case(case),
        "hit": pages.hit(hit),
        "results": pages.results(answer, state, library, note=case.title),
        "nothing": pages.nothing(answer),
        "chosen": pages.chosen(state),
        "actions": pages.actions(
            case, in_app=True, back=addresses.with_params("/zoeken", addresses.search_params(state))
        ),
        "similar": pages.similar([case]),
        "contexts": pages.contexts(library),
        "theme": pages.theme(case.themes[0], library),
        "missing": pages.missing(case.title),
        "document": pages.document(
            pages.case(case),
            title=case.title,
            description=case.summary,
            canonical=addresses.case(case.id, addresses.search_params(state)),
            data=articles.case_data(case, addresses.case(case.id)),
        ),
    }


def harmless(case: Case) -> Case:
    """The same case with all its texts replaced by a word."""
    data = case.model_dump(by_alias=True, mode="json")
    for field in ("title", "summary", "initiative", "situation", "obstacle", "result"):
        data[field] = "woord"
    data["period"] = data["period"] and "woord"
    data["place"] |= {"municipality": "Assen", "neighbourhood": data["place"]["neighbourhood"] and "Lariks"}
    for field in ("approach", "recognise"):
        data[field] = ["woord"] * len(data[field])
    data["hurdle_wording"] = dict.fromkeys(data["hurdle_wording"], "woord")
    for lesson in data["lessons"]:
        lesson["text"] = "woord"
    for source in data["sources"]:
        source |= {"title": "woord", "publisher": "woord", "url": source["url"] and "https://x.nl"}
    return Case.model_validate(data)


def texts_of(case: Case) -> list[str]:
    """What a reader of the case should see."""
    return [
        case.title, case.summary, case.initiative, case.where, case.situation, case.obstacle, case.result, *case.approach,
        *case.recognise, *case.hurdle_wording.values(), *(lesson.text for lesson in case.lessons),
        *(source.title for source in case.sources), *(source.publisher for source in case.sources),
    ]  # fmt: skip


@given(case=strategies.cases())
@quick
def test_no_text_of_a_case_is_ever_markup(case: Case, pages: Articles, taxonomy: Taxonomy) -> None:
    plain = renderings(harmless(case), pages, taxonomy)
    for name, html in renderings(case, pages, taxonomy).items():
        assert Page(html).elements == Page(plain[name]).elements, name


@pytest.mark.parametrize(
    "text", [HOSTILE, '"><script>x</script>', "' onclick='x", "&#60;script&#62;", "</script><script>", "<!-- x"]
)
def test_a_hostile_text_is_shown_as_it_is(text: str, make_case: MakeCase, pages: Articles, taxonomy: Taxonomy) -> None:
    lesson = {"for": "gemeente", "text": text, "themes": ["vertrouwen-en-relatie"]}
    source = {"title": text, "publisher": text, "supports": ["result"], "url": "https://x.nl/'onclick='x"}
    case = make_case(
        **dict.fromkeys(["summary", "initiative", "situation", "obstacle", "result", "period"], text),
        title=text[:90],
        place={"municipality": text, "neighbourhood": f"{text}2", "province": "Drenthe"},
        approach=[text],
        recognise=[text],
        hurdle_wording={"geen-gehoor": text},
        lessons=[lesson],
        sources=[source, source],
    )
    plain = renderings(harmless(case), pages, taxonomy)
    for name, html in renderings(case, pages, taxonomy).items():
        page = Page(html)
        assert page.elements == Page(plain[name]).elements, name
        assert not any(attribute.startswith("on") for _tag, attribute, _value in page.attributes)
    page = Page(pages.case(case))
    for shown in texts_of(case):
        assert shown in page.text


@given(case=strategies.cases())
@quick
def test_every_text_of_a_case_is_on_its_page(case: Case, pages: Articles) -> None:
    page = Page(pages.case(case))
    assert all(text in page.text for text in texts_of(case))
    links = [value for tag, name, value in page.attributes if (tag, name) == ("a", "href")]
    assert [link for link in links if not link.startswith("/")] == [source.url for source in case.sources if source.url]


def test_links_to_other_sites_are_announced_and_tell_nothing(library: Library, pages: Articles) -> None:
    for case in library.cases.values():
        page = Page(pages.case(case))
        outside = [names for tag, names in page.elements if tag == "a" and "target" in names]
        assert len(outside) == sum(source.url is not None for source in case.sources)
        assert page.text.count("(opent in een nieuw tabblad)") == len(outside)
        assert all("rel" in names for names in outside)


# What is marked


@given(text=strategies.texts(120) | st.text(max_size=60), query=strategies.texts(40) | st.just("warmtenet script"))
@settings(max_examples=100, deadline=None)
def test_marking_changes_no_text(text: str, query: str) -> None:
    wanted = set(dutch.analysed(query))
    page = Page(str(articles.marked(text, wanted)))
    assert page.text == text
    assert {tag for tag, _names in page.elements} <= {"mark"}
    assert len(page.elements) == len(dutch.spans(text, wanted))


def test_what_matches_is_marked_also_inflected_and_inside_a_compound() -> None:
    wanted = set(dutch.analysed("warmtenet gemeente <b>"))
    assert str(articles.marked("Twee warmtenetten & <b>de gemeenteraad</b>", wanted)) == (
        "Twee <mark>warmtenetten</mark> &amp; &lt;<mark>b</mark>&gt;de <mark>gemeenteraad</mark>&lt;/<mark>b</mark>&gt;"
    )
    assert str(articles.marked("Niets hiervan", wanted)) == "Niets hiervan"
    assert str(articles.marked("", wanted)) == ""
    assert str(articles.marked("a < b", set())) == "a &lt; b"


def test_a_hit_marks_the_words_of_the_question(library: Library, pages: Articles, taxonomy: Taxonomy) -> None:
    case = library.cases["assen-lariks-zeven-projectleiders"]
    html = pages.hit(hit_of(case, taxonomy, frozenset(dutch.analysed("projectleider"))))
    assert "<mark>projectleider</mark>" in html
    assert taxonomy.strengths.label("sterk") in html
    assert "stand van 2023" in html


# Dates, and what machines read


@pytest.mark.parametrize(
    ("date", "written"),
    [
        ("2023", "2023"), ("2023-05", "mei 2023"), ("2023-05-04", "4 mei 2023"), ("2021-12-31", "31 december 2021"),
        ("2024-02-29", "29 februari 2024"), ("2020-01", "januari 2020"), ("2022-08-01", "1 augustus 2022"),
    ],
)  # fmt: skip
def test_dates_are_written_as_people_write_them(date: str, written: str) -> None:
    assert articles.written_date(date) == written


def test_a_source_shows_its_date_in_dutch(make_case: MakeCase, pages: Articles) -> None:
    source = {"title": "Brief", "publisher": "Gemeente", "supports": ["result", "lessons"], "date": "2023-05-04"}
    assert "Brief, Gemeente, 4 mei 2023" in Page(pages.case(make_case(sources=[source]))).text


@given(case=strategies.cases())
@quick
def test_data_for_machines_stays_inside_its_script_and_reads_back(case: Case, pages: Articles) -> None:
    data = articles.case_data(case, "https://hordeloper.nl/casus?id=x")
    html = pages.document("<h1>x</h1>", title=case.title, description=case.summary, canonical="/", data=data)
    page = Page(html)
    assert page.open == []
    assert [json.loads(script) for script in page.scripts if script] == [data]
    assert data["headline"] == case.title
    assert data.get("dateModified") == case.as_of
    assert len(data["citation"]) == len(case.sources)


def test_data_for_machines_cannot_close_its_script() -> None:
    data: dict[str, Any] = {"a": "</script><script>alert(1)</script><!-- & \u2028"}
    written = str(articles.json_ld(data))
    assert not set(written) & set("<>&")
    assert json.loads(written) == data
    assert articles.json_ld(None) is None


def test_a_page_without_data_has_no_script_for_it(pages: Articles) -> None:
    page = Page(pages.document("<h1>x</h1>", title="T & t", description='"d"', canonical="/x?a=1&b=2"))
    assert not any(page.scripts)
    assert ("link", "href", "/x?a=1&b=2") in page.attributes
    assert ("meta", "content", '"d"') in page.attributes
    assert ("html", "lang", "nl") in page.attributes


# Whole pages


def test_every_page_has_one_heading_of_the_first_rank(library: Library, pages: Articles, make_case: MakeCase) -> None:
    case = make_case()
    empty = Answer((), 0, False, {})
    for shown in (library, Library({}, (), "")):
        for html in (
            pages.start(shown),
            pages.case(case),
            pages.contexts(shown),
            pages.themes(shown),
            pages.theme("vertrouwen-en-relatie", shown),
            pages.about(shown),
            pages.missing("Deze casus"),
            pages.results(empty, SearchState("net", {}, 0), shown),
        ):
            page = Page(html)
            assert [tag for tag, _names in page.elements].count("h1") == 1
            assert page.open == []


def test_pages_work_with_one_case_and_with_none(make_case: MakeCase, pages: Articles) -> None:
    for library in (Library({}, (), ""), Library({"een-casus": make_case()}, (), "")):
        for html in (pages.start(library), pages.doors(library), pages.contexts(library), pages.themes(library)):
            assert "1 casussen" not in html
            assert "1 lessen" not in html
            assert "1 gemeenten" not in html


def test_a_theme_shows_the_lessons_of_that_theme_and_the_municipality_first(
    library: Library, pages: Articles, taxonomy: Taxonomy
) -> None:
    for theme in taxonomy.themes:
        page = Page(pages.theme(theme, library))
        for case in library.cases.values():
            for lesson in case.lessons:
                assert (lesson.text in page.text) == (theme in lesson.themes)
        found = [page.text.find(taxonomy.addressees.label(id)) for id in ("gemeente", "beiden", "initiatief")]
        assert (there := [place for place in found if place >= 0]) == sorted(there)


def test_no_page_shows_an_id_where_a_label_belongs(library: Library, pages: Articles, taxonomy: Taxonomy) -> None:
    ids = {id for words in (taxonomy.hurdles, taxonomy.contexts, taxonomy.themes) for id in words if "-" in id}
    shown = [pages.contexts(library), pages.themes(library), *(pages.case(case) for case in library.cases.values())]
    for html in shown:
        assert not {id for id in ids if id in Page(html).text}
