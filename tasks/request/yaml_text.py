"""YAML as people mean it: what is not a list or a mapping is a text, as it is written.

``001``, ``1_000``, ``12:30`` and ``no`` are names like any others; the settings read their numbers from texts, as they
do from a CSV. Only what is left empty, ``null`` or ``~`` says nothing.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import chain
from typing import Any

import yaml

VALUES = 10_000_000  # with aliases written out
_AS_WRITTEN = ("str", "int", "float", "bool", "timestamp", "value")


class WrongYaml(ValueError):
    """The text cannot be read; where and why, for people."""


class _Loader(yaml.SafeLoader):
    """Scalars as they are written, and no key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise WrongYaml(f"{_at(key.start_mark)}: a key is a text, and not a list or a mapping")
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise WrongYaml(f"{_at(key.start_mark)}: {key.value!r} is given twice; leave one out")
            seen.add(key.value)
        self.flatten_mapping(node)
        pairs = [(str(key.value), self.construct_object(value, deep=deep)) for key, value in node.value]
        return dict(pairs)


def _as_written(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


for _kind in _AS_WRITTEN:
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _as_written)


class _Dumper(yaml.SafeDumper):
    """Texts without quotes, wherever the loader takes them as they are written."""


_Dumper.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag.rpartition(":")[2] not in _AS_WRITTEN]
    for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def write_yaml(document: Any) -> str:
    """The text that `read_yaml` reads this from: lists, mappings of texts, and texts."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def read_yaml(text: str) -> Any:
    """The text's one document: lists, mappings of texts, texts, and None.

    Raises:
        WrongYaml: it cannot be read, has a key twice, or stands for too many values.
    """
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _refuse_too_many(node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise WrongYaml(_told(error, text)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        character = chr(error.character)
        raise WrongYaml(f"line {line}: there is a character that YAML has no place for, {character!r}") from None


def _at(mark: yaml.Mark) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}"


def _told(error: yaml.MarkedYAMLError, text: str) -> str:
    """Where it is, and what to write instead where that can be told."""
    mark = error.problem_mark or error.context_mark
    problem = error.problem or error.context or "it is no YAML"
    if mark is None:
        return problem
    lines = text.split("\n")
    line = lines[mark.line] if mark.line < len(lines) else ""
    begin = line[: mark.column + 1]
    if problem.startswith("found character '\\t'") or "\t" in line[: len(line) - len(line.lstrip())]:
        cause = "a tab stands where YAML wants blanks; indent with blanks"
    elif "alias" in (error.context or "") or problem.startswith("found undefined alias"):
        cause = "a text that begins with * wants quotes, as in '*.jpg'"
    elif "anchor" in (error.context or ""):
        cause = "a text that begins with & wants quotes"
    elif "tag" in (error.context or "") or problem.startswith("could not determine a constructor"):
        cause = "a text that begins with ! wants quotes"
    elif "cannot start any token" in problem:
        cause = f"a text that begins with {begin[-1:]} wants quotes"
    elif problem.startswith("mapping values are not allowed"):
        cause = "a colon where none can be: a text with a colon in it wants quotes, or the line is indented wrongly"
    elif "while scanning a quoted scalar" in (error.context or ""):
        mark, cause = error.context_mark or mark, "a quote is opened and not closed"
    elif "flow" in (error.context or ""):
        mark, cause = error.context_mark or mark, "a bracket or brace is not closed, or a comma is missing in it"
    elif problem.startswith(("did not find expected", "expected <block end>", "could not find expected")):
        cause = f"the line is indented otherwise than those that it belongs to, or a colon is missing ({problem})"
    else:
        cause = problem
    return f"{_at(mark)}: {cause}"


def _refuse_too_many(document: yaml.Node) -> None:
    """Refuse a text of a few lines whose aliases stand for billions of values."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node) -> int:
        if id(node) not in sizes:
            sizes[id(node)] = VALUES  # what holds itself has no end
            parts = node.value if isinstance(node, yaml.CollectionNode) else []
            flat = chain.from_iterable(parts) if isinstance(node, yaml.MappingNode) else parts
            sizes[id(node)] = 1 + sum(map(size, flat))
        return sizes[id(node)]

    if size(document) >= VALUES:
        raise WrongYaml(f"its aliases stand for more than {VALUES:,} values")
