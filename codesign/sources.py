# SPDX-License-Identifier: Apache-2.0
"""Which source files a stage depends on: found by reading the import statements, without importing anything.

A stage body's module and every ``codesign`` module it imports, directly or not, at the top or inside a function, count
as inputs of the stage; so do the data files (SystemVerilog, C++, HTML) that lie in the packages reached. Imports under
``if TYPE_CHECKING:`` do not count, but show in a package what its lazy names depend on.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from codesign.paths import PACKAGE, hls_templates

_ROOT = PACKAGE.name


def digest(files: dict[str, Path]) -> str:
    """Return one SHA-256 over names and contents."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{file_hash(files[name])}\n".encode())
    return total.hexdigest()


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    with path.open("rb") as stream:
        total = hashlib.sha256()
        while block := stream.read(1 << 20):
            total.update(block)
    return total.hexdigest()


@cache
def source_hash(module: str) -> str:
    """Return the hash of everything the code of ``module`` depends on."""
    return digest(source_files(module))


def source_files(module: str) -> dict[str, Path]:
    """Return the source and data files that ``module`` reaches, by name relative to the package."""
    if module.partition(".")[0] != _ROOT:
        spec = importlib.util.find_spec(module)
        return {module: Path(spec.origin)} if spec and spec.origin else {}
    files: dict[str, Path] = {}
    waiting, seen = [module], set[Path]()
    while waiting:
        path = _path(waiting.pop())
        if path is None or path in seen:
            continue
        seen.add(path)
        if path.name == "__init__.py":
            files |= {str(data.relative_to(PACKAGE)): data for data in _data_files(path.parent)}
            if _only_a_face(path):
                continue
        files[str(path.relative_to(PACKAGE))] = path
        waiting += _imports(path)
    if "hls4ml_plugin/writer/templates.py" in files:
        files |= {f"hls_templates/{path.name}": path for path in hls_templates().glob("*.h")}
    return files


def _path(module: str) -> Path | None:
    """Return the file of a ``codesign`` module; None if the dotted name is not a module (but a name in one)."""
    base = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (base / "__init__.py", base.with_suffix(".py")):
        if path.is_file() and base.name:
            return path
    return None


def _data_files(package: Path) -> Iterator[Path]:
    """Yield the files of a package that are not Python, but not those of its subpackages or of the top package."""
    for path in package.rglob("*"):
        owner = next(folder for folder in path.parents if (folder / "__init__.py").is_file())
        if owner == package != PACKAGE and path.is_file() and path.suffix not in (".py", ".pyc"):
            yield path


def imported_modules(path: Path) -> list[str]:
    """Return the modules of the package that a file imports itself, by their names without ``codesign.``."""
    found: list[str] = []
    for base, names in _statements(path):
        face = _face(base)
        inner = [module for name in names if _path(module := face.get(name, f"{base}.{name}"))]
        found += inner if len(inner) == len(names) and names else [*inner, base]
    return [module.removeprefix(f"{_ROOT}.") for module in found if module != _ROOT and _path(module)]


def _imports(path: Path) -> list[str]:
    """Return the dotted names a file imports from the package: modules, their parents, and names in them."""
    found: list[str] = []
    for base, names in _statements(path):
        face = _face(base)
        for name in (base, *(f"{base}.{name}" for name in names), *(face[name] for name in names if name in face)):
            parts = name.split(".")
            found += [".".join(parts[:length]) for length in range(2, len(parts) + 1)]
    return found


def _only_a_face(path: Path) -> bool:
    """Return whether a package computes nothing itself: a change of where its names are changes the files, too."""
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.ImportFrom):
            allowed = node.module in ("__future__", "typing", "codesign.face")
        elif isinstance(node, ast.Assign):
            allowed = ast.unparse(node.targets[0]) in ("__all__", "(__getattr__, __dir__)")
        else:
            allowed = isinstance(node, ast.If | ast.Expr)
        if not allowed:
            return False
    return True


@cache
def _face(package: str) -> dict[str, str]:
    """Return the names that a package imports under ``if TYPE_CHECKING:``, and their modules; see `codesign.face`."""
    path = _path(package)
    if path is None or path.name != "__init__.py":
        return {}
    body = ast.parse(path.read_bytes()).body
    blocks = [node for node in body if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom) and node.module]
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def _statements(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each module of the package that a file imports or imports from, and the names it imports from it."""
    for node in _live_nodes(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found = [(alias.name, list[str]()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found = [(node.module, [alias.name for alias in node.names])]
        else:
            continue
        yield from (item for item in found if item[0].partition(".")[0] == _ROOT)


def _live_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Walk the tree without the bodies of ``if TYPE_CHECKING:``."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from _live_nodes(node)
