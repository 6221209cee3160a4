"""What the real server answers to who is no browser: ours and Streamlit's parts together."""

import urllib.request
from email.message import Message
from urllib.error import HTTPError

import pytest


def asked(url: str, method: str = "GET") -> tuple[int, Message, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


@pytest.mark.parametrize("path", ["/bestaat-niet", "/wp-login.php", "/.env", "/lees/casus/a/b", "/static/js/nee.js"])
def test_an_unknown_path_is_not_found(address: str, path: str) -> None:
    status, headers, html = asked(address + path)
    assert status == 404
    assert "Niet gevonden" in html
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/lees/casus/..%2f..%2fapp.py", "/assets/..%2f__init__.py", "/assets/../shell.py"])
def test_no_path_leads_out_of_what_is_served(address: str, path: str) -> None:
    status, _headers, text = asked(address + path)
    assert status in (400, 404)
    assert "import" not in text


def test_the_app_itself_still_answers_below_its_own_path(address: str) -> None:
    assert asked(f"{address}/_stcore/health")[0] == 200
    assert asked(f"{address}/zoeken/_stcore/health")[0] == 404


def test_the_agent_interface_of_streamlit_is_off(address: str) -> None:
    status, _headers, text = asked(f"{address}/_stcore/agent/mcp", "POST")
    assert status >= 400
    assert "not_available" in text


def test_a_page_is_served_with_its_own_head(address: str) -> None:
    status, headers, html = asked(f"{address}/casus?id=wageningen-benedenbuurt-wow-riool")
    assert status == 200
    assert "unsafe-inline" not in headers["content-security-policy"].partition("script-src")[2].partition(";")[0]
    assert '<html lang="nl"' in html
    assert html.count("<title>") == 1
