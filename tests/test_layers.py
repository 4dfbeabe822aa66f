"""The house reads from left to right: a room imports only the ground and rooms to its left."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vocwb"
GROUND = [
    "errors", "paths", "schemas", "crosswalk", "programme", "store", "decisions", "intervals", "stats", "changes",
    "alarms", "languages",
]  # fmt: skip
ROOMS = ["collect", "understand", "explain", "act", "share", "erase", "forget", "run"]
ORDER = [*GROUND, *ROOMS]
TOUCH_FILES = {
    "programme", "store", "decisions", "collect.sources", "collect.open_export", "collect.draft",
    "understand.encoders", "understand.hub_coders", "understand.hub_models", "understand.minilm", "understand.vectors",
    "share.publish", "erase", "forget", "paths", "run",
}  # fmt: skip
CLOCKS = {
    "time",
    "datetime.now",
    "datetime.today",
    "date.today",
    "Timestamp.now",
    "Timestamp.today",
    "utcnow",
}


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")


def name_of(path):
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def imports_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the layer"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def find_module(imported, known):
    """Return the module that an import names, or takes something from."""
    parts = imported.split(".")[1:]
    names = [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
    return next((name for name in names if name in known), None)


def test_every_module_has_a_place():
    assert {name_of(path).split(".")[0] for path in modules()} <= set(ORDER)


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_imports_only_what_lies_left_or_below(path):
    own = name_of(path).split(".")[0]
    known = {name_of(other) for other in modules()}
    for imported in imports_of(ast.parse(path.read_text(encoding="utf-8"))):
        parts = imported.split(".")
        if parts[0] != "vocwb" or len(parts) == 1:
            continue
        room = parts[1]
        if own in ROOMS and own != "run" and room == own:
            packages = {f"vocwb.{name.rpartition('.')[0]}" for name in known if name.startswith(own)}
            assert find_module(imported, known) or imported in packages
            continue
        assert ORDER.index(room) < ORDER.index(own), (
            f"{name_of(path)} imports {imported}, which lies to its right"
        )


def test_no_circles_within_a_room():
    known = {name_of(path) for path in modules()}
    graph = {
        name_of(path): {
            find_module(imported, known)
            for imported in imports_of(ast.parse(path.read_text(encoding="utf-8")))
            if imported.startswith("vocwb.")
        }
        - {name_of(path), None}
        for path in modules()
    }

    def walk(name, seen):
        assert name not in seen, f"a circle: {' -> '.join([*seen, name])}"
        for other in graph.get(name, ()):
            walk(other, [*seen, name])

    for name in graph:
        walk(name, [])


@pytest.mark.parametrize("path", modules(), ids=name_of)
def test_a_module_stays_small(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{name_of(path)} has {lines} lines: it is two modules, or holds what a library does"


@pytest.mark.parametrize(
    "path", [path for path in modules() if name_of(path) not in TOUCH_FILES], ids=name_of
)
def test_a_room_touches_no_file_clock_or_global_randomness(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        if called == "open" or called.split(".")[-1] in {
            "read_text",
            "write_text",
            "read_bytes",
            "write_bytes",
        }:
            raise AssertionError(f"{name_of(path)} line {node.lineno} touches a file: {called}")
        assert called.split(".")[-2:] != ["random", "seed"], f"{name_of(path)} seeds a global generator"
        ends = ".".join(called.split(".")[-2:])
        assert ends not in CLOCKS and not called.startswith("time."), (
            f"{name_of(path)} reads a clock: {called}"
        )
