"""What `streamlit run app.py` starts: the application, its one asset, its start and stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pandas as pd  # noqa: F401 - imported here, by one thread: plotly looks for it from many
import plotly
import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from pages.shared.background import close_engine
from pages.shared.components.plotly_chart import ASSET_PATH
from pages.shared.front import ServerAddress

PLOTLY_JS = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"


async def plotly_js(_request: Request) -> FileResponse:
    """Serve the browser's half of plotly from the installed package, so that no network is needed."""
    headers = {"Cache-Control": "public, max-age=86400"}
    return FileResponse(PLOTLY_JS, media_type="text/javascript", headers=headers)


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[None]:
    """Close the engine when the server stops; the first page that needs it starts it."""
    yield
    close_engine()


app = st.App(
    Path(__file__).parent / "pages" / "shared" / "main.py",
    lifespan=lifespan,
    routes=[Route(ASSET_PATH, plotly_js)],
    middleware=[Middleware(ServerAddress, base_path=str(st.get_option("server.baseUrlPath")))],
)
