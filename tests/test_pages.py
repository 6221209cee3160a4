"""Every page as Streamlit runs it, on a small library: what is on it, and what it does with a wrong address."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from knowledge import desk as desk_room
from knowledge import index
from knowledge import library as library_room
from knowledge.index import Index
from knowledge.records import Case
from knowledge.settings import PROJECT, Settings
from knowledge.ui.components import is_here

MAIN = str(PROJECT / "knowledge" / "ui" / "main.py")
VIEWS = "views"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture
def cases(tmp_path: Path, make_case: Callable[..., Case]) -> Path:
    """A directory with two cases that differ in everything that pages show."""
    directory = tmp_path / "cases"
    directory.mkdir()
    library_room.save(make_case(), directory)
    library_room.save(
        make_case(
            id="tweede-casus",
            title="Dorp neemt het zwembad over met *sterren*",
            context="samen-op-weg",
            hurdles=["overname-voorziening"],
            obstacle="De gemeente wil het zwembad sluiten.",
        ),
        directory,
    )
    return directory


@pytest.fixture(autouse=True)
def words_only_desk(cases: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The desk that the pages share, on these cases, before its model is there: the state of a cold start."""
    monkeypatch.setenv("HORDELOPER_CASES", str(cases))
    monkeypatch.setenv("HORDELOPER_INDEX", str(tmp_path / "index"))
    desk = desk_room.open_desk(Settings())
    desk.status = desk_room.Status("words-only", reason="no model in this test")
    monkeypatch.setattr(desk_room.Desk, "start", lambda self: None)
    desk_room.shared_desk.cache_clear()
    monkeypatch.setattr(desk_room, "open_desk", lambda settings: desk)
    yield
    desk_room.shared_desk.cache_clear()


def page(view: str | None = None, **params: str) -> AppTest:
    app = AppTest.from_file(MAIN, default_timeout=60)
    app.run()
    if view:
        app.switch_page(f"{VIEWS}/{view}.py")
        for key, value in params.items():
            app.query_params[key] = value
        app.run()
    assert not app.exception, app.exception
    return app


def text_of(app: AppTest) -> str:
    """Everything that the page says, widgets and articles alike; articles as their HTML."""
    protos = [getattr(element, "proto", element) for element in app.main]
    return "\n".join(str(getattr(proto, "body", "") or proto) for proto in protos)


def remaining(cases: Path, *names: str) -> None:
    """The desk with these files only."""
    for file in cases.iterdir():
        if file.name not in names:
            file.unlink()
    desk = desk_room.shared_desk()
    desk.library = library_room.read(cases, desk.taxonomy)
    desk._use(index.words_only(desk.settings.index, desk._passages(desk.library)), desk.library)


def test_start_asks_one_question_and_counts_the_library() -> None:
    said = text_of(page())
    assert "Beschrijf jullie situatie" in said
    assert "<b>2</b> casussen" in said


@pytest.mark.parametrize(
    ("view", "said"),
    [
        (None, "Er staan nog geen casussen in deze kennisbank"),
        ("zoeken", "Er staan nog geen casussen in deze kennisbank"),
        ("uitgangssituaties", "Hier zijn nog geen casussen van."),
        ("themas", "0 lessen uit 0 casussen"),
        ("thema", "Bij dit thema zijn nog geen lessen."),
        ("over", "0 casussen"),
    ],
)
def test_an_empty_library_is_said_to_be_empty(view: str | None, said: str, cases: Path) -> None:
    remaining(cases)
    app = page(view, **({"id": "vertrouwen-en-relatie"} if view == "thema" else {}))
    assert said in text_of(app)
    assert "niets dat echt past" not in text_of(app)


@pytest.mark.parametrize("view", [None, "zoeken", "uitgangssituaties", "themas", "over"])
def test_one_case_is_not_called_casussen(view: str | None, cases: Path) -> None:
    remaining(cases, "een-casus.yaml")
    assert not re.search(r"\b1(</b>)? (casussen|lessen|groepen|gemeenten)\b", text_of(page(view)))


def test_broken_files_are_for_who_sits_at_this_computer(cases: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (cases / "kapot.yaml").write_text("id: kapot\ntitle: [\n")
    remaining(cases, "een-casus.yaml", "kapot.yaml")
    assert not page().expander
    monkeypatch.setattr("knowledge.ui.components.may_edit", lambda: True)
    app = page()
    assert app.expander[0].label == "1 bestand kon niet worden gelezen"
    assert "kapot.yaml, regel" in app.text[0].value


@pytest.mark.parametrize(
    ("url", "ip", "headers", "here"),
    [
        ("http://localhost:8501/", None, {}, True),
        ("http://127.0.0.1:8501/zoeken", None, {"Host": "127.0.0.1:8501"}, True),
        ("https://hordeloper.example/", None, {}, False),
        ("http://localhost.elders.example/", None, {}, False),
        ("http://localhost:8501/", "203.0.113.7", {}, False),  # a browser that lies about its address
        ("http://localhost:8501/", None, {"X-Forwarded-For": "203.0.113.7"}, False),
        (None, None, {}, False),
    ],
)
def test_a_visitor_from_elsewhere_is_not_at_this_computer(
    url: str | None, ip: str | None, headers: dict[str, str], here: bool
) -> None:
    assert is_here(url, ip, headers) is here


def test_a_missing_model_is_said_where_one_searches() -> None:
    assert "alleen op woorden gezocht" in page("zoeken", q="zwembad").info[0].value


def test_choosing_a_filter_changes_the_address_and_the_results() -> None:
    app = page("zoeken")
    next(box for box in app.multiselect if box.label == "Uitgangssituatie").select("samen-op-weg").run()
    assert "samen-op-weg" in app.query_params["context"]
    assert "<h2>1 casus</h2>" in text_of(app)
    assert "Wis de filters" in text_of(app)


def test_a_case_that_came_from_a_search_leads_back_to_it() -> None:
    came = page("casus", id="een-casus", van="q=mails&context=gesprek-stokt&hurdle=%3Cb%3E")
    assert 'href="/zoeken?q=mails&amp;context=gesprek-stokt"' in text_of(came)
    assert "Terug naar de resultaten" not in text_of(page("casus", id="een-casus"))


def test_a_case_that_came_from_all_cases_leads_back_to_them() -> None:
    browsed = page("zoeken").get("page_link")[0].proto.query_string
    assert browsed == "id=een-casus&van=zoeken"
    assert 'href="/zoeken"' in text_of(page("casus", id="een-casus", van="zoeken"))


def test_required_words_are_not_said_to_be_missing_where_a_case_has_them() -> None:
    assert "Geen casus heeft alle woorden" not in text_of(page("zoeken", q='"zwembad" kernfusie xqzwv'))
    assert "Geen casus heeft alle woorden" in text_of(page("zoeken", q='"kernfusie" en het zwembad'))


def test_a_page_that_fails_says_so_in_dutch_without_a_traceback() -> None:
    seen = AppTest.from_function(failing, default_timeout=60).run()
    assert "Er ging iets mis op deze pagina." in seen.error[0].value
    assert "geheim" not in str(seen.main)


def failing() -> None:
    from knowledge.ui import errors

    errors.show(RuntimeError("geheim"))


def test_a_search_shows_the_case_that_has_the_words() -> None:
    app = page("zoeken", q="zwembad sluiten")
    assert "overname-voorziening" not in text_of(app)
    assert "zwembad" in text_of(app)
    assert app.text_area[0].value == "zwembad sluiten"


def test_without_a_question_all_cases_are_there() -> None:
    assert "2 casussen" in text_of(page("zoeken"))


def test_a_filter_in_the_address_is_used_and_an_unknown_one_is_dropped() -> None:
    assert "1 casus" in text_of(page("zoeken", context="samen-op-weg"))
    assert "2 casussen" in text_of(page("zoeken", context="bestaat-niet"))


def test_nothing_found_says_so() -> None:
    assert "We vonden niets" in text_of(page("zoeken", q="xqzwv"))


def test_a_case_tells_its_story() -> None:
    said = text_of(page("casus", id="een-casus"))
    for part in ("Situatie", "Wat er in de weg zat", "Aanpak", "Resultaat", "Voor het initiatief"):
        assert part in said


@pytest.mark.parametrize("id", ["bestaat-niet", "../../etc/passwd", "<script>", ""])
def test_an_unknown_case_is_not_found(id: str) -> None:
    assert "Deze casus is er niet" in text_of(page("casus", id=id))


def test_each_theme_has_its_lessons_and_an_unknown_one_is_not_found() -> None:
    assert "Ga langs als mailen niet helpt." in text_of(page("thema", id="vertrouwen-en-relatie"))
    assert "Dit thema is er niet" in text_of(page("thema", id="bestaat-niet"))


@pytest.mark.parametrize(
    ("view", "said"),
    [
        ("uitgangssituaties", "De gemeente dendert de wijk in"),
        ("themas", "Zou deze groep ons na een jaar nog bellen?"),
        ("over", "Waar de casussen vandaan komen"),
    ],
)
def test_pages_to_read(view: str, said: str) -> None:
    assert said in text_of(page(view))


def test_signs_in_a_title_stay_signs(cases: Path) -> None:
    app = page("zoeken", q="zwembad")
    labels = [link for link in text_of(app).splitlines() if "sterren" in link]
    assert labels
    assert any("\\\\*sterren\\\\*" in label or "*sterren*" in label for label in labels)


def test_the_index_of_a_page_answers_by_words() -> None:
    search = desk_room.shared_desk().search
    assert isinstance(search.index, Index)
    assert search.index.arms == ("lexical",)
