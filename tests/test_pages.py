"""Every page as Streamlit runs it, on a small library: what is on it, and what it does with a wrong address."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from knowledge import desk as desk_room
from knowledge import library as library_room
from knowledge.index import Index
from knowledge.records import Case
from knowledge.settings import PROJECT, Settings

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
    """Everything that the page says, widgets and articles alike."""
    return "\n".join(str(getattr(element, "proto", element)) for element in app.main)


def test_start_asks_one_question_and_counts_the_library() -> None:
    said = text_of(page())
    assert "Beschrijf jullie situatie" in said
    assert "<b>2</b> casussen" in said


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
