"""Streamlit's HTML shell, filled: Dutch, titled, described, safe, and with something to read from the first moment."""

import base64
import hashlib
import re
from collections.abc import Mapping

import anyio.to_thread
from markupsafe import escape
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from knowledge import addresses, articles
from knowledge.articles import Articles
from knowledge.desk import shared_desk
from knowledge.web.first_page import FirstPage, page

HEADERS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "strict-origin-when-cross-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "content-security-policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'",
}
"""For pages that we render whole."""

_STREAMLITS_OWN = ("/_stcore/", "/media/", "/component/")
_HERE = "<script>window.__streamlit = { BACKEND_BASE_URL: location.origin }</script>"
"""Where the app answers. Untold, the client first asks below the page's own path, and loses half a second over a 404."""
_INLINE_SCRIPT = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)


class Shell:
    """Middleware: fills the shell for the pages of the app, and answers 404 where there is no page."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        path = scope["path"].rstrip("/") or "/"
        if path in addresses.TITLES and path == scope["path"]:
            await self._filled(path, scope, receive, send)
        else:
            await self._answered(scope, receive, send)

    async def _answered(self, scope: Scope, receive: Receive, send: Send) -> None:
        """What is not a page of the app. For any path that it does not know Streamlit answers its shell and 200."""
        is_shell = False

        async def unless_shell(message: Message) -> None:
            nonlocal is_shell
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                is_shell = (
                    headers.get("content-type", "").startswith("text/html")
                    and "content-security-policy" not in headers
                    and not scope["path"].startswith(_STREAMLITS_OWN)
                )
                MutableHeaders(scope=message).setdefault("x-content-type-options", "nosniff")
            if not is_shell:
                await send(message)

        await self._app(scope, receive, unless_shell)
        if is_shell:
            base = str(Request(scope).base_url).rstrip("/")
            response = await anyio.to_thread.run_sync(_not_found, base)
            await response(scope, receive, send)

    async def _filled(self, path: str, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        base = str(request.base_url).rstrip("/")
        first = await anyio.to_thread.run_sync(page, path, dict(request.query_params), shared_desk())
        shell = await self._shell(scope, receive)
        if shell is None:
            await self._app(scope, receive, send)
            return
        html = _fill(shell, first, base)
        headers = {**HEADERS, "content-security-policy": _policy(shell), "cache-control": "no-cache"}
        response: Response = HTMLResponse(html, status_code=200 if first.found else 404, headers=headers)
        await response(scope, receive, send)

    async def _shell(self, scope: Scope, receive: Receive) -> str | None:
        """What Streamlit answers, as text; None when that is no HTML. It is gzipped below us unless nobody takes gzip."""
        asked = MutableHeaders(raw=list(scope["headers"]))
        for name in ("accept-encoding", "if-none-match", "if-modified-since"):
            del asked[name]
        started: Message = {}
        body = bytearray()

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                started.update(message)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        await self._app({**scope, "method": "GET", "headers": asked.raw}, receive, keep)
        content_type = Headers(raw=started.get("headers", [])).get("content-type", "")
        if started.get("status") != 200 or not content_type.startswith("text/html"):
            return None
        return body.decode("utf-8")


def _fill(shell: str, first: FirstPage, base: str) -> str:
    pages = Articles(shared_desk().taxonomy)
    title, description = escape(first.title), escape(first.description)
    canonical = escape(base + first.canonical)
    head = (
        f'<meta name="description" content="{description}"><link rel="canonical" href="{canonical}">'
        f'<meta property="og:title" content="{title}"><meta property="og:description" content="{description}">'
        f'<meta property="og:site_name" content="{articles.NAME}"><meta property="og:locale" content="nl_NL">'
        '<link rel="icon" href="/assets/hordeloper.svg" type="image/svg+xml">'
        '<link rel="stylesheet" href="/assets/hordeloper.css"><script src="/assets/hordeloper.js" defer></script>'
    )
    body = (
        f'<div class="hl-first hl-document"><a class="hl-skip" href="#inhoud">Naar de inhoud</a>{pages.header()}'
        f'<main class="hl-main" id="inhoud">{first.main}</main></div>'
    )
    shell = re.sub(r'<html lang="[^"]*"', '<html lang="nl"', shell, count=1)
    shell = re.sub(r"<title>.*?</title>", lambda _: f"<title>{title}</title>", shell, count=1, flags=re.DOTALL)
    shell = re.sub(r"<noscript>.*?</noscript>", "", shell, flags=re.DOTALL)
    shell = re.sub(r'<link rel="(?:shortcut icon|service-desc)"[^>]*>', "", shell)
    shell = shell.replace("<head>", f"<head>{_HERE}", 1)
    shell = shell.replace("</head>", f"{head}</head>", 1)
    return re.sub(r"<body[^>]*>", lambda match: match.group() + body, shell, count=1)


def _policy(shell: str) -> str:
    """What a browser may load: from here only, and of scripts inside the page only Streamlit's own and `_HERE`."""
    hashes = {
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in _INLINE_SCRIPT.findall(shell + _HERE)
        if script.strip()
    }
    inline = " ".join(f"'sha256-{digest}'" for digest in sorted(hashes))
    return (
        f"default-src 'self'; script-src 'self' 'wasm-unsafe-eval' {inline}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'"
    )


def _not_found(base: str) -> Response:
    from knowledge.web import not_found

    return not_found("Deze pagina", base)
