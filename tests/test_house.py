"""The walls of the house, read from the source: who may import whom, and what a page may hold."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CORE = sorted((ROOT / "gnnviz").rglob("*.py"))
PAGES = sorted((ROOT / "pages").rglob("*.py"))
FIGURES = sorted((ROOT / "gnnviz" / "figures").glob("*.py"))
HEAVY = {"torch", "sklearn", "torch_geometric"}


def imports(path: Path, *, top_level_only: bool = False) -> set[str]:
    """Return the dotted names that a file imports; those inside functions, too, unless told otherwise."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in _module_level(tree) if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _module_level(tree: ast.Module) -> list[ast.stmt]:
    """Return the statements that run on import: not those in functions or under TYPE_CHECKING."""
    found: list[ast.stmt] = []
    waiting = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        found.append(node)
        waiting.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
    return found


def roots(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def module_file(name: str) -> Path | None:
    path = ROOT / Path(*name.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    return None


def test_core_never_imports_streamlit() -> None:
    assert CORE
    assert {path.name: roots(imports(path)) for path in CORE if "streamlit" in roots(imports(path))} == {}


def test_figures_import_numpy_plotly_and_light_core_modules_only() -> None:
    import sys

    allowed = {"numpy", "plotly", "gnnviz"} | set(sys.stdlib_module_names)
    assert FIGURES
    assert {path.name: roots(imports(path)) - allowed for path in FIGURES} == {p.name: set() for p in FIGURES}


def test_pages_hold_no_figures_and_no_torch() -> None:
    for path in PAGES:
        names = imports(path)
        assert not roots(names) & HEAVY, path
        assert "go.Figure(" not in path.read_text(encoding="utf-8"), f"{path} builds a figure of its own"


def test_nothing_the_app_loads_imports_torch_or_scikit_learn() -> None:
    seen: set[Path] = set()
    waiting = [ROOT / "app.py", *PAGES]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        names = imports(path, top_level_only=True)
        assert not roots(names) & HEAVY, f"{path.relative_to(ROOT)} imports {roots(names) & HEAVY}"
        waiting.extend(file for name in names if (file := module_file(name)))
    assert ROOT / "gnnviz" / "runs.py" in seen


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "base"])
def test_there_is_no_drawer_file(name: str) -> None:
    assert not [path for path in [*CORE, *PAGES] if path.stem == name]


def test_readme_and_ci_run_the_same_test_command() -> None:
    command = "pip install -r requirements-dev.txt && pytest"
    assert command in (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
