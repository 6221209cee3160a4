"""What machines, crawlers and browsers without scripts get: the shell of the app, reading pages, files for robots."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
import streamlit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from knowledge import articles, web
from knowledge import desk as desk_room
from knowledge import library as library_room
from knowledge.records import Case
from knowledge.settings import Settings

SHELL = (Path(streamlit.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
PAGES = ("/", "/zoeken", "/casus?id=een-casus", "/uitgangssituaties", "/themas", "/thema?id=rollen-en-regie", "/over")
HTML = {"accept": "text/html"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, make_case: Callable[..., Case]) -> Iterator[TestClient]:
    """Our routes and middleware around Streamlit's own shell, on one case, before the model is there."""
    cases = tmp_path_factory.mktemp("cases")
    library_room.save(make_case(), cases)
    desk = desk_room.open_desk(Settings(cases=cases, index=cases / "index"))
    desk.status = desk_room.Status("words-only", reason="no model in this test")

    async def shell(_request: object) -> Response:
        return HTMLResponse(SHELL)

    app = Starlette(routes=[*web.routes(), Route("/{path:path}", shell)], middleware=list(web.middleware()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(desk_room, "open_desk", lambda settings: desk)
        patch.setattr(desk_room.Desk, "start", lambda self: None)
        desk_room.shared_desk.cache_clear()
        yield TestClient(app, headers=HTML)
    desk_room.shared_desk.cache_clear()


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_dutch_titled_described_and_readable_before_the_app(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert '<html lang="nl"' in answer.text
    assert re.search(r"<title>[^<]*Hordeloper[^<]*</title>", answer.text)
    assert '<meta name="description" content="' in answer.text
    assert answer.text.index("<h1") < answer.text.index('<div id="root">')
    assert "You need to enable JavaScript" not in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_only_our_own_and_known_scripts_may_run(client: TestClient, path: str) -> None:
    policy = client.get(path).headers["content-security-policy"]
    scripts = re.search(r"script-src ([^;]*)", policy)
    assert scripts
    assert "unsafe-inline" not in scripts.group(1)
    assert "http" not in policy


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
@pytest.mark.parametrize(
    "path",
    [
        *("/bestaat-niet", "/casus?id=bestaat-niet", "/thema?id=x", "/lees/casus/bestaat-niet", "/casus", "/ZOEKEN"),
        *("/wp-login.php", "/.env", "/index.html", "/zoeken/verder", "/lees/iets", "/lees/casus/een-casus/meer"),
    ],
)
def test_an_address_that_leads_nowhere_is_not_found_in_dutch(client: TestClient, path: str, accept: str) -> None:
    answer = client.get(path, headers={"accept": accept})
    assert answer.status_code == 404
    assert "Niet gevonden" in answer.text
    assert '<html lang="nl"' in answer.text


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("/", "/"),
        ("/zoeken?meer=0&q=mails&x=y&context=onzin", "/zoeken?q=mails"),
        ("/casus?id=een-casus&van=q%3Dmails", "/lees/casus/een-casus"),
        ("/thema?id=rollen-en-regie", "/thema?id=rollen-en-regie"),
        ("/lees/casus/een-casus", "/lees/casus/een-casus"),
    ],
)
def test_a_page_says_which_of_its_addresses_is_the_best(client: TestClient, path: str, canonical: str) -> None:
    assert f'<link rel="canonical" href="http://testserver{canonical}">' in client.get(path).text


@pytest.mark.parametrize("path", [*PAGES, "/lees/casus/een-casus", "/bestaat-niet"])
def test_every_page_is_sent_with_headers_that_protect_its_reader(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert "geolocation=()" in headers["permissions-policy"]
    for rule in ("default-src 'self'", "object-src 'none'", "base-uri 'self'", "frame-ancestors 'none'"):
        assert rule in headers["content-security-policy"]


@pytest.mark.parametrize(
    "path", ["/", "/lees/casus/een-casus", "/assets/hordeloper.js", "/healthz", "/robots.txt", "/sitemap.xml", "/nee"]
)
def test_no_browser_may_guess_what_a_file_is(client: TestClient, path: str) -> None:
    assert client.get(path).headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", PAGES)
def test_the_shell_has_no_english_left(client: TestClient, path: str) -> None:
    html = re.sub(r"<script.*?</script>|<style.*?</style>|<!--.*?-->", "", client.get(path).text, flags=re.DOTALL)
    words = set(re.findall(r"[a-z]+", re.sub(r"<[^>]*>", " ", html).lower()))
    named = " ".join(re.findall(r'(?:aria-label|title|alt|placeholder)="([^"]*)"', html)).lower()
    english = {"the", "you", "need", "enable", "javascript", "streamlit", "skip", "search", "loading", "please"}
    assert not english & (words | set(named.split()))


def test_the_reading_page_needs_no_script(client: TestClient) -> None:
    html = client.get("/lees/casus/een-casus").text
    links = re.findall(r'<a [^>]*href="([^"]*)"', html)
    assert "/casus?id=een-casus" in links
    assert "/zoeken" in links
    assert all(link.startswith(("/", "#", "https://")) for link in links)
    assert "onclick" not in html


def test_a_search_from_the_first_page_keeps_its_filters(client: TestClient) -> None:
    html = client.get("/zoeken", params={"context": "gesprek-stokt", "q": "mails"}).text
    assert re.search(r'<input type="hidden" name="context" value="gesprek-stokt">', html)
    assert "Wis de filters" in html


def test_the_first_page_of_a_case_leads_back_to_its_search(client: TestClient) -> None:
    html = client.get("/casus", params={"id": "een-casus", "van": "q=mails&context=gesprek-stokt"}).text
    assert '<a href="/zoeken?q=mails&amp;context=gesprek-stokt">← Terug naar de resultaten</a>' in html


def test_a_head_request_is_answered_like_a_get(client: TestClient) -> None:
    for path in ("/", "/nee"):
        head, get = client.head(path), client.get(path)
        assert (head.status_code, head.headers["content-type"]) == (get.status_code, get.headers["content-type"])


@pytest.mark.parametrize("id", ["..%2F..%2Fapp", "%2e%2e%2fapp.py", "een-casus.yaml", "een-casus/../een-casus%00"])
def test_case_id_in_address_cannot_leave_cases(client: TestClient, id: str) -> None:
    assert client.get(f"/lees/casus/{id}").status_code == 404


def test_the_reading_page_has_the_whole_case_and_tells_machines(client: TestClient) -> None:
    answer = client.get("/lees/casus/een-casus")
    assert answer.status_code == 200
    for part in ("Niemand bij de gemeente antwoordt op mails.", "Ga langs als mailen niet helpt.", "Opgetekend"):
        assert part in answer.text
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', answer.text, re.DOTALL)
    assert found
    data = json.loads(found.group(1))
    assert data["inLanguage"] == "nl"
    assert data["headline"] == "Bewoners krijgen geen antwoord en gaan naar het spreekuur"
    assert '<link rel="canonical" href="http://testserver/lees/casus/een-casus">' in answer.text


def test_a_search_works_without_scripts(client: TestClient) -> None:
    start = client.get("/").text
    assert re.search(r'<form[^>]*action="/zoeken"[^>]*method="get"', start)
    assert "een-casus" in client.get("/zoeken", params={"q": "niemand antwoordt op mails"}).text


def test_the_sitemap_lists_every_case(client: TestClient) -> None:
    places = [element.text or "" for element in ElementTree.fromstring(client.get("/sitemap.xml").text).iter()]
    assert any(place.endswith("/lees/casus/een-casus") for place in places)


def test_robots_find_the_sitemap(client: TestClient) -> None:
    assert "Sitemap: http://testserver/sitemap.xml" in client.get("/robots.txt").text


def test_health_tells_how_far_the_server_is(client: TestClient) -> None:
    health = client.get("/healthz").json()
    assert health["status"] == "words-only"
    assert health["cases"] == 1


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile=st.text(alphabet=st.sampled_from("<>\"'&/= abcscript()onerror;`%{}\\"), max_size=60))
def test_nothing_from_an_address_becomes_markup(client: TestClient, hostile: str) -> None:
    text = client.get("/zoeken", params={"q": f"<b id=q>{hostile}", "context": hostile, "meer": hostile}).text
    assert "<b id=q>" not in text


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(hostile=st.text(max_size=80), name=st.sampled_from(["q", "id", "van", "context", "municipality", "meer", "x"]))
def test_no_address_makes_a_page_fail(client: TestClient, hostile: str, name: str) -> None:
    for path in ("/zoeken", "/casus", "/thema"):
        answer = client.get(path, params={"id": "een-casus", name: hostile.encode("utf-8", "replace")})
        assert answer.status_code in (200, 404)
        assert len(re.findall("<h1", answer.text)) == 1


def test_a_case_cannot_end_the_script_element_that_describes_it(make_case: Callable[..., Case]) -> None:
    data = articles.json_ld(articles.case_data(make_case(title="</script><b>&"), "http://testserver/"))
    assert "</script>" not in str(data)
    assert json.loads(str(data))["headline"] == "</script><b>&"
