"""Conditions on the report's columns, of ``--where`` and ``keep``: in Python's notation, carried out by Arrow.

The text is parsed into a syntax tree, of which comparisons, ``and``, ``or``, ``not``, ``in``, arithmetic, numbers and
texts are taken over into an expression of Arrow's; whatever else is in it is refused. A comparison with a gap, such
as the loss of a failed row, is neither true nor false, and chooses no row.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.collections import stem_of
from stylebatch.tasks.request.settings import nearest
from stylebatch.tasks.request.styles import styles_of

COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
# Comparisons by size, and whether their left side is to be the larger one.
ORDERS: Mapping[type[ast.cmpop], bool] = {ast.Lt: False, ast.LtE: False, ast.Gt: True, ast.GtE: True}
PICTURES = ("content", "style")
LONGEST = 2000  # characters: deeper nesting than they can hold would exhaust the parser


def choose(report: pa.Table, condition: str, asker: str = "--where") -> pa.Table:
    """The rows of the report for which the condition holds.

    A text that is compared with ``content`` or ``style`` stands for every picture of which it is the whole name, the
    file's name, or that without its ending: ``style == "swirls"``.

    Args:
        asker: what the condition was given to, for the text of an error.

    Raises:
        BadRequest: the condition cannot be read, names what is no column, or compares what cannot be compared.
    """
    with _told(asker, condition):
        chosen: pa.Table = report.filter(_Reader(report, asker).read(_parse(condition, asker)))
        return chosen


def nearest_row(report: pa.Table, condition: str, asker: str) -> int:
    """The first of the rows that fall the least short of the condition.

    A comparison falls short by the difference of its sides, and all that are joined by ``and`` by their sum. Of those
    that are joined by ``or``, the nearest counts. What else does not hold falls short by 1, and a gap by more than all.

    Raises:
        BadRequest: as `choose`.
    """
    from pyarrow.dataset import dataset  # it takes its time, and most runs have no such condition

    with _told(asker, condition):
        short = _Reader(report, asker).shortfall(_parse(condition, asker))
        found: list[float | None] = dataset(report).to_table(columns={"short": short})["short"].to_pylist()
    return min(range(len(found)), key=lambda row: math.inf if (value := found[row]) is None else value)


def _parse(condition: str, asker: str) -> ast.expr:
    if len(condition) > LONGEST:
        raise BadRequest(f"{asker}: longer than {LONGEST} characters")
    try:
        return ast.parse(condition.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else str(error)
        raise BadRequest(f"{asker} {condition}: {reason}; write it as {asker} 'structure < 0.6'") from None


@contextmanager
def _told(asker: str, condition: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, TypeError, OverflowError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadRequest(f"{asker} {condition}: {reason}") from None


class _Reader:
    """Makes Arrow's expressions of a syntax tree."""

    def __init__(self, report: pa.Table, asker: str) -> None:
        self._report, self._asker = report, asker

    def shortfall(self, node: ast.expr) -> Any:
        """How far ``node`` is from holding, 0 or more, as `nearest_row` counts it."""
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return reduce(operator.add, map(self.shortfall, values))
            case ast.BoolOp(values=values):
                return reduce(lambda one, other: pc.min_element_wise(one, other), map(self.shortfall, values))
            case ast.Compare(left=left, ops=ops, comparators=rights) if all(type(op) in ORDERS for op in ops):
                sides = [self.read(side) for side in (left, *rights)]
                gaps = [
                    sides[place + 1] - sides[place] if ORDERS[type(op)] else sides[place] - sides[place + 1]
                    for place, op in enumerate(ops)
                ]
                nothing = pc.scalar(0.0)
                return reduce(operator.add, (pc.if_else(gap > nothing, gap.cast("double"), nothing) for gap in gaps))
        return pc.if_else(self.read(node), pc.scalar(0.0), pc.scalar(1.0))

    def read(self, node: ast.expr) -> Any:
        """The expression that stands for ``node``."""
        match node:
            case ast.BoolOp(op=ast.And(), values=values):
                return reduce(operator.and_, map(self.read, values))
            case ast.BoolOp(values=values):
                return reduce(operator.or_, map(self.read, values))
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return ~self.read(operand)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
                return pc.scalar(-value)
            case ast.Compare(left=left, ops=ops, comparators=rights):
                sides = [left, *rights]
                return reduce(operator.and_, map(self._compare, ops, sides, sides[1:]))
            case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
                return ARITHMETIC[type(op)](self.read(left), self.read(right))
            case ast.Name(id=name):
                return pc.field(self._column(name))
            case ast.Constant(value=bool() | int() | float() | str() as value):
                return pc.scalar(value)
        raise BadRequest(
            f"{self._asker}: {ast.unparse(node)!r} is more than a condition on columns; there are comparisons, and, "
            "or, not, in, + - * /, numbers and texts"
        )

    def _compare(self, op: ast.cmpop, left: ast.expr, right: ast.expr) -> Any:
        match op, left, right:
            case (ast.Eq() | ast.Is(), _, ast.Constant(value=None)):
                return self.read(left).is_null()
            case (ast.NotEq() | ast.IsNot(), _, ast.Constant(value=None)):
                return self.read(left).is_valid()
            case (ast.In(), _, ast.List() | ast.Tuple() | ast.Set()):
                return self._is_in(left, right.elts)
            case (ast.NotIn(), _, ast.List() | ast.Tuple() | ast.Set()):
                return ~self._is_in(left, right.elts)
            case (ast.Eq(), ast.Name(id=name), ast.Constant(value=str())) if name in PICTURES:
                return self._is_in(left, [right])
            case (ast.NotEq(), ast.Name(id=name), ast.Constant(value=str())) if name in PICTURES:
                return ~self._is_in(left, [right])
        if type(op) in COMPARISONS:
            return COMPARISONS[type(op)](self.read(left), self.read(right))
        raise BadRequest(f"{self._asker}: write what is within brackets behind in: {ast.unparse(left)} in (1, 2)")

    def _is_in(self, left: ast.expr, elements: Sequence[ast.expr]) -> Any:
        values = [one.value if isinstance(one, ast.Constant) else None for one in elements]
        if None in values:
            raise BadRequest(f"{self._asker}: behind in there are numbers or texts in brackets")
        if isinstance(left, ast.Name) and left.id in PICTURES:
            cells = self._report[left.id].unique().to_pylist()
            values = [cell for cell in cells if cell is not None and any(_names(cell, text) for text in values)]
            return self.read(left).isin(pa.array(values, pa.string()))
        return self.read(left).isin(values)

    def _column(self, name: str) -> str:
        if name not in self._report.column_names:
            known = self._report.column_names
            raise BadRequest(f"{self._asker}: the report has no column {name!r}{nearest(name, known)}")
        return name


def _names(cell: str, text: Any) -> bool:
    """Whether ``text`` stands for a picture in a cell of the report."""
    names = [style.name for style in styles_of(cell)]
    return text == cell or any(text in (name, Path(name).name, stem_of(name)) for name in names)
