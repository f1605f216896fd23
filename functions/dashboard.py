"""The dashboard: its page, and the files that the page is made of. The page itself fetches its data from the HTTP API.

Page and files need no key: they are the same for every caller, are public with the source, and hold no data. Every call
that the page makes for data needs one. That way a key in the page's address need not stay there: the page takes it
out, keeps it for the browser tab, and a reload finds the page without it (docs/dashboard.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from http import HTTPStatus

import azure.functions as func

from functions.routing import GET, route

blueprint = func.Blueprint()

PAGE = "index.html"
FILES = "/api/dashboard/files/"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    # No text may become markup or script, also after a later change to the page.
    "require-trusted-types-for": "'script'",
    "trusted-types": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Robots-Tag": "noindex",
}


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is served. `etag` changes with its content."""

    content: bytes
    kind: str
    etag: str


@cache
def files() -> dict[str, File]:
    """Every file by its name: what is not in here cannot be asked for."""
    import hashlib
    from importlib import resources

    found = {}
    for entry in resources.files("functions").joinpath("dashboard_files").iterdir():
        kind = KINDS.get("." + entry.name.rpartition(".")[2])
        if kind is not None:
            content = entry.read_bytes()
            found[entry.name] = File(content, kind, f'"{hashlib.sha256(content).hexdigest()[:32]}"')
    return found


@cache
def build() -> str:
    """Names these files: part of their addresses, so that a browser keeps each until another version is there."""
    import hashlib

    named = "".join(f"{name}{file.etag}" for name, file in sorted(files().items()))
    return hashlib.sha256(named.encode()).hexdigest()[:16]


@cache
def page() -> bytes:
    """The page, with the addresses of this build's files; scripts are asked for at once, not one after the other."""
    folder = f"{FILES}{build()}/"
    early = "".join(
        f'    <link rel="modulepreload" href="{folder}{name}">\n' for name in sorted(files()) if name.endswith(".js")
    )
    text = files()[PAGE].content.decode().replace(FILES, folder)
    return text.replace("  </head>", f"{early}  </head>").encode()


@route(blueprint, GET, "dashboard", "The page of all connections.", answers="text/html", keyed=False)
async def dashboard(req: func.HttpRequest) -> func.HttpResponse:
    """The page; it shows all connections."""
    del req
    return _page()


@route(blueprint, GET, "dashboard/{id}", "The page of one connection.", answers="text/html", keyed=False)
async def dashboard_connection(req: func.HttpRequest) -> func.HttpResponse:
    """The same page; it reads from its own address which connection to show."""
    del req
    return _page()


@route(
    blueprint,
    GET,
    "dashboard/files/{build}/{name}",
    "A file of the page.",
    answers="text/css, text/javascript, image/svg+xml",
    keyed=False,
)
async def dashboard_file(req: func.HttpRequest) -> func.HttpResponse:
    """One file of the page; a browser keeps it, and asks for it under another address once it has changed."""
    name = req.route_params["name"]
    file = files().get(name)
    if file is None or name == PAGE:
        from functions.errors import FileNotServed

        raise FileNotServed("The dashboard has no such file.", on=name[:80])
    # Another build's address: while two versions run side by side, this one's file is better than none.
    kept = "public, max-age=31536000, immutable" if req.route_params["build"] == build() else "no-cache"
    headers = HEADERS | {"ETag": file.etag, "Cache-Control": kept}
    if file.etag in req.headers.get("if-none-match", ""):
        return func.HttpResponse(status_code=int(HTTPStatus.NOT_MODIFIED), headers=headers, mimetype=file.kind)
    return func.HttpResponse(file.content, headers=headers, mimetype=file.kind, charset="utf-8")


def _page() -> func.HttpResponse:
    # Not stored: the address that it was asked by may hold a key.
    headers = HEADERS | {"Cache-Control": "no-store"}
    return func.HttpResponse(page(), headers=headers, mimetype=KINDS[".html"], charset="utf-8")
