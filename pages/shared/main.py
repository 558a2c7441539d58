"""The script that every visit runs: it finds the page, and says errors in one sentence."""

from pathlib import Path

import streamlit as st

from gnnviz.errors import GnnvizError
from pages.shared import tour, url
from pages.shared.background import dropping_what_is_not_awaited
from pages.shared.selection import whole_page

ICON = Path(__file__).with_name("icon.svg")

# An icon of our own: Streamlit would fetch a material icon for the browser's tab from the internet.
st.set_page_config(layout="wide", page_icon=str(ICON))
page = st.navigation(tour.pages())
url.begin(page.url_path)
tour.way_up(page.url_path)
problems = st.container()
with whole_page(), dropping_what_is_not_awaited():
    try:
        page.run()
    except GnnvizError as error:
        st.error(str(error), icon=":material/error:")
    with problems:
        url.show_problems()
