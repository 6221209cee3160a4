"""What needs no websocket, in the same process as Streamlit: reading pages, what machines ask for, the first page.

Streamlit answers every page address with the same English shell and needs more than a second before it shows a word.
The middleware fills that shell: language, title, description and a first page rendered here, which a script takes away
when the app has something to show, and which stays where scripts or websockets do not work.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio.to_thread
from markupsafe import escape
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from knowledge import addresses, articles
from knowledge.desk import shared_desk
from knowledge.web.first_page import STILL_LOADING, page
from knowledge.web.shell import HEADERS, Shell

ASSETS = Path(__file__).parent / "assets"


def routes() -> Sequence[BaseRoute]:
    return (
        Route("/lees/casus/{id}", _case),
        Route("/healthz", _health),
        Route("/robots.txt", _robots),
        Route("/sitemap.xml", _sitemap),
        Mount("/assets", _CachedFiles(directory=ASSETS)),
    )


def middleware() -> Sequence[Middleware]:
    return (Middleware(Shell),)


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Opens the desk in a thread, so that the first visitor meets cases that are read and a model that is loading."""
    desk = await anyio.to_thread.run_sync(shared_desk)
    yield
    desk.stop()


class _CachedFiles(StaticFiles):
    """Style, script and fonts: asked for again when they changed, at most an hour later."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=3600"
        return response


async def _case(request: Request) -> Response:
    return await anyio.to_thread.run_sync(_case_page, request.path_params["id"], str(request.base_url).rstrip("/"))


def _case_page(id: str, base: str) -> Response:
    desk = shared_desk()
    case = desk.library.cases.get(id)
    if case is None:
        return not_found("Deze casus", base)
    pages = articles.Articles(desk.taxonomy)
    similar = desk.similar(case) if desk.status.step == "ready" else ()
    actions = pages.actions(case, in_app=False)
    html = pages.document(
        actions + pages.case(case) + pages.similar(similar),
        title=f"{case.title} | {articles.NAME}",
        description=case.summary,
        canonical=base + addresses.reading(case.id),
        data=articles.case_data(case, base + addresses.reading(case.id)),
    )
    return HTMLResponse(html, headers=HEADERS)


def not_found(what: str, base: str) -> Response:
    pages = articles.Articles(shared_desk().taxonomy)
    html = pages.document(
        pages.missing(what),
        title="Niet gevonden",
        description="Deze pagina is er niet.",
        canonical=base + addresses.START,
    )
    return HTMLResponse(html, status_code=404, headers=HEADERS)


async def _health(_request: Request) -> Response:
    desk = shared_desk()
    return JSONResponse(
        {
            "status": desk.status.step,
            "cases": len(desk.library.cases),
            "problems": len(desk.library.problems),
            "arms": list(desk.search.index.arms) if desk.status.step in ("ready", "words-only") else [],
        }
    )


async def _robots(request: Request) -> Response:
    return PlainTextResponse(f"User-agent: *\nDisallow: /_stcore/\nSitemap: {request.base_url}sitemap.xml\n")


async def _sitemap(request: Request) -> Response:
    desk = shared_desk()
    base = str(request.base_url).rstrip("/")
    paths = [addresses.START, addresses.CONTEXTS, addresses.THEMES, addresses.ABOUT]
    paths += [addresses.theme(id) for id in desk.taxonomy.themes]
    entries = [f"<url><loc>{escape(base + path)}</loc></url>" for path in paths]
    entries += [
        f"<url><loc>{escape(base + addresses.reading(case.id))}</loc></url>"
        for _id, case in sorted(desk.library.cases.items())
    ]
    body = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return Response(body + "\n".join(entries) + "\n</urlset>\n", media_type="application/xml")


__all__ = ["STILL_LOADING", "lifespan", "middleware", "not_found", "page", "routes"]
