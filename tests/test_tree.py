"""The house that a stranger knows: few modules in a folder, each where its folder says, and no two of one name."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = sorted(path.parent for top in ("flows", "subscribers") for path in (ROOT / top).rglob("__init__.py"))
MOST = {"flows": 16, "subscribers": 10}
IN_A_PACKAGE = 20
DEPTH = 3
ONE_FILE_EACH = {
    "flows/papers/sources",
    "flows/sending/transports",
    "subscribers/web/routes",
    "flows/incoming/providers",
}
"""Folders whose files are all of one kind: their description says what each must have, not which there are."""
SAME_KIND = {"model": "the values of a package"}
"""Names that stand in several packages, and the one kind of thing that they are in each."""


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def modules(package: Path) -> list[str]:
    return sorted(path.stem for path in package.glob("*.py") if path.stem not in ("__init__", "__main__"))


def description(package: Path) -> str:
    return ast.get_docstring(ast.parse((package / "__init__.py").read_text(encoding="utf-8"))) or ""


EVERY = {f"{name_of(package)}/{module}": module for package in PACKAGES for module in modules(package)}


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_folder_is_small(package: Path) -> None:
    found = modules(package)
    most = MOST.get(name_of(package), IN_A_PACKAGE)
    assert len(found) <= most, f"{name_of(package)} has {len(found)} modules, {most} at most: {', '.join(found)}."
    assert len(package.relative_to(ROOT).parts) <= DEPTH


def test_every_folder_of_modules_is_a_package() -> None:
    """Migrations aside, which are read as files."""
    folders = {path.parent for top in ("flows", "subscribers") for path in (ROOT / top).rglob("*.py")}
    assert sorted(name_of(folder) for folder in folders - set(PACKAGES)) == [
        "flows/storage/migrations",
        "flows/storage/migrations/versions",
    ]


@pytest.mark.parametrize("package", PACKAGES, ids=name_of)
def test_a_folder_says_what_stands_in_it(package: Path) -> None:
    """Its description names each of its modules and folders, and nothing that is not there."""
    words = description(package)
    assert words, f"{name_of(package)}/__init__.py has no docstring: say what stands in the folder."
    if name_of(package) in ONE_FILE_EACH:
        return
    inside = {path.parent.name for path in package.glob("*/__init__.py")}
    missing = {*modules(package), *inside} - set(re.findall(r"\w+", words))
    assert not missing, f"The docstring of {name_of(package)} does not name {', '.join(sorted(missing))}."
    named = set(re.findall(r"`(\w+)/?`", words))
    assert named <= {*modules(package), *inside, "paperround", "subscribers", "demo", "up"}


def test_tests_stand_in_the_folders_of_what_they_test() -> None:
    """But for those of the whole: in a browser, and by crashes."""
    folders = {path.parent.relative_to(ROOT / "tests").as_posix() for path in (ROOT / "tests").rglob("test_*.py")}
    ours = {name_of(package).removeprefix("flows/") for package in PACKAGES}
    assert folders - ours == {".", "browser", "crashes"}


def behaves(path: Path) -> bool:
    """Whether a module has a function that does more than to name a value: a field, a constant."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(
        not _names_a_value(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def _names_a_value(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    match [one for one in function.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]:
        case [] | [ast.Pass()]:
            return True
        case [ast.Return(value=ast.Name() | ast.Attribute() | ast.Constant())]:
            return True
    return False


@pytest.mark.parametrize("folder", [name_of(package) for package in PACKAGES])
def test_a_module_has_a_test_file_of_its_name(folder: str) -> None:
    """Unless it holds nothing but values and tables."""
    there = {path.name for path in (ROOT / "tests" / folder.removeprefix("flows").removeprefix("/")).glob("test_*.py")}
    wanted = {f"test_{module}.py" for module in modules(ROOT / folder) if behaves(ROOT / folder / f"{module}.py")}
    assert wanted - there == set()


def test_no_name_stands_twice() -> None:
    where = defaultdict(list)
    for path, module in EVERY.items():
        where[module].append(path)
    twice = {name: paths for name, paths in where.items() if len(paths) > 1 and name not in SAME_KIND}
    assert twice == {}, "Rename the one whose name is not given from outside, as a provider's or a source's is."


SAME_CLASS = {"Delivery": "one message to one reader, as the ledger has it and as the sender sees it"}
"""Classes that stand in two folders, and the one thing that they are in both."""


def test_no_class_stands_twice() -> None:
    where = defaultdict(list)
    for path in EVERY:
        for node in ast.parse((ROOT / f"{path}.py").read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(path)
    assert {name: paths for name, paths in where.items() if len(paths) > 1 and name not in SAME_CLASS} == {}


def test_no_two_names_differ_by_an_ending_alone() -> None:
    """As `summary` and `summaries` would."""
    stems = defaultdict(list)
    for path, module in EVERY.items():
        stems[re.sub(r"(ies|y|ings?|s|ed|er)$", "", module)].append(path)
    assert [paths for paths in stems.values() if len({path.rpartition("/")[2] for path in paths}) > 1] == []


def test_no_module_is_named_like_one_of_the_standard_library() -> None:
    assert [path for path, module in EVERY.items() if module in sys.stdlib_module_names] == []
