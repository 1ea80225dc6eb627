"""Habits that keep strangers out, looked for in the code itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    file.relative_to(ROOT)
    for package in ("flows", "tasks", "mtl_models", "warehouse")
    for file in (ROOT / package).rglob("*.py")
)
RUNS_SQL = {"execute", "executemany", "sql"}
# What makes a word safe within SQL.
QUOTES = {"quote", "literal", "path_literal", "quoted_list"}
# Words for what comes from feeds, files, settings or people: a value, which is bound or quoted, never a part of SQL.
A_VALUE = re.compile(
    r"(^|_)(id|ids|at|date|day|path|file|folder|link|home|title|reason|message|password|secret|url|spec|location|value|text"
    r"|source|user|product|word)$"
)
# Expressions that bear such a name and are SQL, made of the columns of a contract; each was looked at.
REVIEWED = {
    "warehouse/formats/parquet.py": {"file"},
    "warehouse/release_file.py": {"source"},
    "warehouse/validation/freshness.py": {"newest_date"},
    "warehouse/validation/rerun.py": {"as_text"},
}
# Loading a model, a page or a setting must not run what is in it.
RUNS_CODE = {"eval", "exec", "compile", "torch.load", "yaml.load", "os.system", "joblib.load"}


def name_of(node: ast.expr) -> str:
    return ".".join(
        [*([name_of(node.value)] if isinstance(node, ast.Attribute) else []), getattr(node, "attr", "")]
    ) or (getattr(node, "id", ""))


def interpolated(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """(the text before, the expression) of every place in an f-string that a function hands to the database, or that
    becomes a part of what it hands over."""
    for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
        assigned: dict[str, list[ast.expr]] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                for target in [target for target in node.targets if isinstance(target, ast.Name)]:
                    assigned.setdefault(target.id, []).append(node.value)
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in RUNS_SQL:
                for argument in call.args[:1]:
                    yield from places(argument, assigned, frozenset())


def places(node: ast.expr, assigned: dict[str, list[ast.expr]], seen: frozenset[str]) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Call):
        name = name_of(node.func).rpartition(".")[2]
        if name == "format":
            yield "'", ast.unparse(node)
        elif name not in QUOTES:
            for argument in node.args:
                yield from places(argument, assigned, seen)
    elif isinstance(node, ast.JoinedStr):
        before = ""
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                if not (isinstance(part.value, ast.Call) and name_of(part.value.func).rpartition(".")[2] in QUOTES):
                    yield before, ast.unparse(part.value)
                yield from places(part.value, assigned, seen)
            else:
                before = part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""
    elif isinstance(node, ast.Name) and node.id in assigned and node.id not in seen:
        for value in assigned[node.id]:
            yield from places(value, assigned, seen | {node.id})
    elif isinstance(node, ast.BinOp | ast.IfExp | ast.List | ast.Tuple | ast.Starred):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from places(child, assigned, seen)
    elif isinstance(node, ast.GeneratorExp | ast.ListComp):
        yield from places(node.elt, assigned, seen)


def unsafe(source: str) -> list[str]:
    """The expressions that would let a value become SQL."""
    found = []
    for before, expression in interpolated(ast.parse(source)):
        last = re.split(r"\W+", expression.rstrip(")]'\""))[-1]
        if before.endswith("'") or A_VALUE.search(last) or "%" in expression:
            found.append(expression)
    return found


@pytest.mark.parametrize(
    "body",
    [
        """con.execute(f"select 1 from t where run_id = '{run}'")""",
        """con.execute(f"select 1 from t where run_id = {night.run_id}")""",
        """query = f"delete from t where title = {product_title}"; con.execute(query)""",
        """where = f"day > {as_of_date}"; con.execute("select 1 where " + where)""",
        """con.execute("select '{}'".format(anything))""",
        """con.execute(f"from read_csv({path})")""",
        """con.sql(f"from t where {', '.join(f'x = {user_id}' for user_id in ids)}")""",
    ],
)
def test_the_search_finds_what_it_is_for(body: str) -> None:
    assert unsafe(f"def function(con, night, path):\n    {body}")


def test_the_search_lets_pass_what_is_bound_or_quoted() -> None:
    body = (
        'con.execute(f"from {quote(user_id)} where x = $1 and y = {literal(path)} and {table.qualified_name}", [title])'
    )
    assert unsafe(f"def function(con):\n    {body}") == []


@pytest.mark.parametrize("file", MODULES, ids=str)
def test_no_value_becomes_sql(file: Path) -> None:
    assert set(unsafe((ROOT / file).read_text())) <= REVIEWED.get(str(file), set())


@pytest.mark.parametrize("file", MODULES, ids=str)
def test_nothing_that_is_loaded_runs(file: Path) -> None:
    text = (ROOT / file).read_text()
    calls = {name_of(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)}
    assert calls & RUNS_CODE == set()
    assert not re.search(r"(shell|allow_pickle)\s*=\s*True|(weights_only|verify)\s*=\s*False", text)


def test_servers_are_started_on_the_machine_itself() -> None:
    texts = {str(file): (ROOT / file).read_text() for file in MODULES}
    assert [file for file, text in texts.items() if "0.0.0.0" in text] == []
    assert '"--host", "127.0.0.1"' in texts["flows/prefect_server.py"]
    assert 'host="127.0.0.1"' in texts["flows/temporary_server.py"]
