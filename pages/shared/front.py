"""Small corrections of what the server sends to the browser, made before Streamlit's own page runs."""

from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

# On a deep link such as /embeddings the browser would look for the server under /embeddings/ first,
# and report two missing files; told where the server is, it asks there at once.
_SERVER_ADDRESS = """<script>
  window.__streamlit = { BACKEND_BASE_URL: new URL("%s", window.location.origin).href };
</script>
</head>"""


class ServerAddress(BaseHTTPMiddleware):
    """Tells every page that is sent where its server is.

    Args:
        base_path: the path that the app is served under, "" for the root.
    """

    def __init__(self, app: object, base_path: str) -> None:
        super().__init__(app)  # type: ignore[arg-type]
        self._script = _SERVER_ADDRESS % f"/{base_path.strip('/')}"

    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        """Pass the request on; add the address to an answer that is a page."""
        if "text/html" in request.headers.get("accept", ""):
            headers = request.scope["headers"]  # asked for uncompressed, since it is read here
            request.scope["headers"] = [item for item in headers if item[0] != b"accept-encoding"]
        response = await call_next(request)
        if not response.headers.get("content-type", "").startswith("text/html"):
            return response
        body = b"".join([part async for part in response.body_iterator])  # type: ignore[attr-defined]
        page = body.decode().replace("</head>", self._script, 1)
        kept = {
            name: value for name, value in response.headers.items() if name not in ("content-length", "etag")
        }
        return HTMLResponse(page, response.status_code, kept)
