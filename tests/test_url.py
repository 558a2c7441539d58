"""The address of a page: what arrives is taken once, what is ours is not taken for a link."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def page() -> None:
    import streamlit as st

    from pages.shared import url

    url.begin("page")
    if st.session_state.setdefault("interrupt", False):
        st.session_state.interrupt = False
        st.rerun()
    url.whole("depth", 1, 64, 2, "The depth")
    url.show_problems()
    url.publish({"depth": st.session_state.depth}, {"depth": 2})
    st.header(str(st.session_state.depth))


def opened(**query: str) -> AppTest:
    app = AppTest.from_function(page)
    app.query_params.update(query)
    return app


def test_a_link_sets_the_value_and_stays_in_the_address():
    app = opened(depth="9").run()
    assert app.header[0].value == "9"
    assert app.query_params["depth"] in ("9", ["9"])


def test_a_link_survives_a_first_run_that_ends_early():
    app = opened(depth="9")
    app.session_state["interrupt"] = True
    assert app.run().header[0].value == "9"


def test_an_older_address_of_ours_does_not_undo_a_choice():
    app = opened(depth="9").run()
    app.session_state["depth"] = 5
    assert app.run().header[0].value == "5"
    app.query_params["depth"] = "9"  # the browser had not heard of 5 yet
    app.session_state["depth"] = 6
    assert app.run().header[0].value == "6"


def test_another_link_to_the_same_page_is_taken():
    app = opened(depth="9").run()
    app.query_params["depth"] = "12"
    assert app.run().header[0].value == "12"


def test_what_cannot_be_used_is_said_until_the_user_goes_on():
    app = opened(depth="65").run()
    assert app.header[0].value == "2"
    assert "choose a whole number from 1 to 64" in app.warning[0].value
    app.session_state["depth"] = 3
    assert not app.run().run().warning


def two_pages() -> None:
    import streamlit as st

    from pages.shared import url

    name = st.session_state.setdefault("page", "first")
    url.begin(name)
    url.choice("colour", ["red", "green", "blue"], "red", "colour")
    st.selectbox("Colour", ["red", "green", "blue"], key="colour", persist_state="session")
    url.publish({"colour": st.session_state.colour})


def test_what_a_link_has_set_is_put_into_the_widget_of_the_next_page():
    app = AppTest.from_function(two_pages)
    app.query_params["colour"] = "blue"
    app.run()
    app.session_state["page"] = "second"
    del app.query_params["colour"]
    assert app.run().selectbox[0].value == "blue"


def test_of_many_options_a_complaint_names_the_first_ones_and_counts_the_rest():
    def page() -> None:
        from pages.shared import url

        url.begin("page")
        url.choice("run", [f"run{number}" for number in range(100)], "run0", "run")
        url.several("others", [], (), "run")
        url.show_problems()

    app = AppTest.from_function(page)
    app.query_params.update({"run": "run100", "others": "run1"})
    said = " ".join(warning.value for warning in app.run().warning)
    assert "There is no run 'run100' here; choose from run0, run1, " in said
    assert "run29 or 70 more." in said
    assert "There is no run 'run1' here; nothing can be chosen yet." in said
