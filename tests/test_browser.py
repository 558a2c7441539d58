"""The whole app in a real browser against a real server: from the first start to a shared link."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Server, Visit, start_server, wait_until
from playwright.sync_api import expect

from gnnviz.runs import RunState, RunStore
from gnnviz.sweeps import OPENING_DEPTHS

pytestmark = pytest.mark.browser

Visits = Callable[..., Visit]
PAGES = [
    "/",
    "/graph",
    "/training",
    "/embeddings",
    "/oversmoothing",
    "/attention",
    "/neighbourhoods",
    "/runs",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = start_server(tmp_path_factory.mktemp("app") / "runs")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def runs(server: Server) -> RunStore:
    return RunStore(server.runs)


def done_runs(runs: RunStore) -> list[str]:
    return [run_id for run_id in runs.run_ids() if runs.status(run_id).state is RunState.DONE]


def drawn(visit: Visit, key: str, axis: str) -> list[list[float | None]]:
    """Return what a chart really drew: one list of numbers for each of its traces."""
    return visit.page.evaluate(
        """([key, axis]) => (document.querySelector(`[data-key="${key}"]`)._fullData || [])
             .map((trace) => Array.from(trace[axis] || [], (value) => value ?? null))""",
        [key, axis],
    )


def epochs_drawn(visit: Visit) -> int:
    return max(map(len, drawn(visit, "curves", "y")), default=0)


def test_first_start_trains_the_opening_sweep_and_draws_its_numbers(
    server: Server, runs: RunStore, visit: Visits
) -> None:
    here = visit(server.url)
    here.open("/")
    expect(here.page.get_by_text("still to come").first).to_be_visible(timeout=30_000)
    wait_until(lambda: len(done_runs(runs)) == len(OPENING_DEPTHS), "the sweep is trained", timeout=600)
    by_depth = {runs.config(run_id).model.num_layers: runs.status(run_id).best for run_id in done_runs(runs)}
    expected = [round(100 * best.test_acc, 3) for depth in OPENING_DEPTHS if (best := by_depth[depth])]
    wait_until(
        lambda: any([round(y or 0, 3) for y in trace] == expected for trace in drawn(here, "depth", "y")),
        f"the curve shows {expected}",
    )
    expect(here.page.locator("h2").first).to_contain_text(f"{expected[0]:.1f}")
    expect(here.page.locator("canvas").first).to_be_visible()
    here.assert_clean()


def test_gat_from_the_form_can_be_watched_cancelled_and_continued(
    server: Server, runs: RunStore, visit: Visits
) -> None:
    here = visit(server.url)
    here.open("/training?preset=velickovic&epochs=2000&patience=0")
    before = set(runs.run_ids())
    here.page.get_by_role("button", name="Train", exact=False).first.click()
    wait_until(lambda: set(runs.run_ids()) - before, "the run exists")
    (run_id,) = set(runs.run_ids()) - before
    wait_until(lambda: epochs_drawn(here) > 3, "the curve has begun")
    first = epochs_drawn(here)
    wait_until(lambda: epochs_drawn(here) > first + 5, "the curve moves")

    here.page.get_by_role("button", name="Cancel").first.click()
    wait_until(lambda: runs.status(run_id).state is RunState.CANCELLED, "the run is cancelled")
    stopped = runs.status(run_id).epochs_done
    here.page.get_by_role("button", name="Continue").first.click()
    wait_until(lambda: runs.status(run_id).epochs_done > stopped, "the run goes on", timeout=120)
    assert [record.epoch for record in runs.history(run_id)][: stopped + 1] == list(range(1, stopped + 2))
    here.page.get_by_role("button", name="Cancel").first.click()
    wait_until(lambda: not runs.status(run_id).state.is_active, "the run rests")
    assert f"run={run_id}" in here.page.url
    here.assert_clean()


def test_link_from_a_finished_run_opens_its_embeddings(server: Server, runs: RunStore, visit: Visits) -> None:
    wait_until(lambda: done_runs(runs), "a run is done", timeout=600)
    run_id = done_runs(runs)[-1]
    here = visit(server.url)
    here.open(f"/training?run={run_id}")
    link = here.page.get_by_role("link", name="See inside").first
    expect(link).to_have_attribute("href", re.compile(run_id))
    link.click()
    expect(here.page.locator("h2").first).to_contain_text(
        "nearest nodes are of its own class", timeout=60_000
    )
    assert f"run={run_id}" in here.page.url
    expect(here.page.locator("canvas")).to_have_count(2)
    here.assert_clean()


def test_deep_link_on_a_cold_server_shows_what_was_seen(
    server: Server, runs: RunStore, visit: Visits, tmp_path: Path
) -> None:
    wait_until(lambda: len(done_runs(runs)) >= len(OPENING_DEPTHS), "the sweep is trained", timeout=600)
    deep = next(run_id for run_id in done_runs(runs) if runs.config(run_id).model.num_layers == 8)
    cold = start_server(tmp_path / "runs", GNNVIZ_RUNS=str(server.runs))
    try:
        here = visit(cold.url)
        here.open(f"/embeddings?run={deep}&layer=3&epoch=0&colour=right_wrong")
        expect(here.page.locator("h2").first).to_contain_text("hidden layer 3", timeout=60_000)
        expect(here.page.get_by_role("combobox", name="Epoch")).to_have_value("0, untrained")
        assert re.search(r"layer=3.*epoch=0.*colour=right_wrong", here.page.url), here.page.url
        here.assert_clean()
    finally:
        cold.stop()


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(("dark", "width"), [(False, 1440), (True, 1440), (False, 390)])
def test_every_page_opens_cold_in_light_dark_and_on_a_phone(
    server: Server, visit: Visits, path: str, dark: bool, width: int
) -> None:
    here = visit(server.url, dark=dark, width=width)
    here.open(path)
    expect(here.page.locator("h2").first).to_be_visible(timeout=60_000)
    overflow = here.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0, f"{path} is {overflow} px wider than the window"
    here.assert_clean()


def test_app_process_never_imports_torch_or_scikit_learn(server: Server, visit: Visits) -> None:
    here = visit(server.url)
    for path in PAGES:
        here.open(path)
        expect(here.page.locator("h2").first).to_be_visible(timeout=60_000)
    libraries = Path(f"/proc/{server.process.pid}/maps").read_text()
    assert "numpy" in libraries, "the map lists what the process has loaded"
    assert "libtorch" not in libraries
    assert "sklearn" not in libraries


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/training?model=gnc", "There is no model 'gnc'"),
        ("/training?depth=65", "choose a whole number from 1 to 64"),
        ("/training?depth=two", "choose a whole number from 1 to 64"),
        ("/embeddings?run=0000000000000000", "There is no run '0000000000000000'"),
        ("/embeddings?layer=99", "The layer is '99' in the address"),
        ("/embeddings?epoch=77777", "There is no epoch '77777'"),
    ],
)
def test_what_an_address_gets_wrong_is_said_in_a_sentence(
    server: Server, runs: RunStore, visit: Visits, path: str, sentence: str
) -> None:
    wait_until(lambda: done_runs(runs), "a run is done", timeout=600)
    here = visit(server.url)
    here.open(path)
    expect(here.page.get_by_text(sentence).first).to_be_visible(timeout=30_000)
    here.assert_clean()
