# SPDX-License-Identifier: Apache-2.0
"""Public names are lazy, are where type checkers find them, and old modules are found under their old names."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import codesign
from codesign.moved import MOVED, new_name
from codesign.paths import PACKAGE

FACES = sorted(path for path in PACKAGE.rglob("__init__.py") if "lazy(" in path.read_text())


def names(block: ast.If) -> dict[str, str]:
    return {
        alias.name: node.module or "" for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }


@pytest.mark.parametrize("path", FACES, ids=lambda path: path.parent.name)
def test_what_type_checkers_see_is_what_is_there(path: Path) -> None:
    tree = ast.parse(path.read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    (call,) = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "lazy")
    table = ast.literal_eval(call.args[1])
    assert table == names(block)
    modules = {item.stem for item in path.parent.glob("*.py")} | {item.name for item in path.parent.iterdir()}
    assert not set(table) & modules  # a module takes the place of a name as soon as it is imported
    package = importlib.import_module(".".join(("codesign", *path.parent.relative_to(PACKAGE).parts)))
    assert {name for name in package.__all__ if not name.startswith("__")} == set(table)
    for name in table:
        assert getattr(package, name) is not None
    assert set(table) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing  # noqa: B018


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import sys, codesign; codesign.Graph; assert not {'tensorflow', 'keras', 'hls4ml'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize("old", MOVED)
def test_old_names_warn_and_are_the_same_things(old: str) -> None:
    sys.modules.pop(f"codesign.{old}", None)
    with pytest.warns(DeprecationWarning, match=f"codesign.{MOVED[old]}"):
        module = importlib.import_module(f"codesign.{old}")
    new = importlib.import_module(f"codesign.{MOVED[old]}")
    public = [name for name in vars(new) if not name.startswith("_")]
    assert public or (PACKAGE / MOVED[old]).is_dir()
    assert all(getattr(module, name) is getattr(new, name) for name in public)


def test_modules_of_a_package_that_moved_are_found() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        client = importlib.import_module("codesign.board.client")
    assert client.Board is codesign.Board
    assert new_name("codesign.board.client") == "codesign.host.client"
    assert new_name("codesign.graph.ir") is None


def test_a_function_that_was_called_as_its_module_stays_callable() -> None:
    code = """
import warnings
warnings.simplefilter("ignore", DeprecationWarning)
import codesign.rtl.emit  # the old module takes the place of the function of the package
from codesign.rtl import emit
try:
    emit(None)
except AttributeError as error:
    assert "name" in str(error), error  # of a graph
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
