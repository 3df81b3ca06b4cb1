"""CSV and JSON as other programs write them: read where they mean one thing, else the right cause is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.request.manifest import read_manifest

ROW = {"id": "x1", "content": "a.jpg", "style": "b.jpg"}


def read(folder: Path, text: str | bytes, name: str = "rows.csv") -> list[dict[str, object]]:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return list(read_manifest(path).rows)


@pytest.mark.parametrize(
    "text",
    [
        "id,content,style\nx1, a.jpg ,  b.jpg\n",
        " id , content , style\nx1,a.jpg,b.jpg\n\n   \n,,\n\n",
        "id;content;style\r\nx1;a.jpg;b.jpg\r\n",
        "id\tcontent\tstyle\nx1\ta.jpg\tb.jpg\n",
        "sep=,\r\nid,content,style\r\nx1,a.jpg,b.jpg\r\n",
        "sep=;\nid;content;style\nx1;a.jpg;b.jpg\n",
        '"id","content","style"\n"x1", "a.jpg","b.jpg"\n',
        ",id,content,style\n0,x1,a.jpg,b.jpg\n",
        "Unnamed: 0,id,content,style\n0,x1,a.jpg,b.jpg\n",
        "id,content,style,\nx1,a.jpg,b.jpg,\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_a_table_as_a_spreadsheet_writes_it(text: str, encoding: str, tmp_path: Path) -> None:
    assert read(tmp_path, text.encode(encoding)) == [ROW]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_umlauts_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    rows = read(tmp_path, "content;style\nmünchen.jpg;café.jpg\n".encode(encoding))
    assert rows == [{"content": "münchen.jpg", "style": "café.jpg"}]


def test_decimal_commas_are_read_where_commas_are_not_between_fields(tmp_path: Path) -> None:
    rows = read(tmp_path, "content;style;style_weight;style_layers\na,1.jpg;b.jpg;2,5;relu1_1, relu2_1\n")
    assert rows == [{"content": "a,1.jpg", "style": "b.jpg", "style_weight": "2.5", "style_layers": "relu1_1, relu2_1"}]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            "content,style,style_weight\na.jpg,b.jpg,2,5\n",
            "row 1: more fields than columns, 4 and 3; write decimals with",
        ),
        (
            "content,style\na,1.jpg,b.jpg\n",
            "row 1: more fields than columns, 3 and 2; put a field with a comma in quotes",
        ),
        ("content;style\na;1.jpg;b.jpg\n", "put a field with a ';' in quotes"),
        ("content,style,note;more\na.jpg,b.jpg,c,d\n", "the header has ';' between its names"),
        ("content,style,\na.jpg,b.jpg,x\n", "a column without a name has values, such as 'x'"),
        ("image,painting\na.jpg,b.jpg\n", "no column or setting 'image'; required are content and style"),
        ("content,styles\na.jpg,b.jpg\n", "'styles'; did you mean 'style'?; required are content and style"),
    ],
)
def test_the_right_cause_is_named(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl"])
def test_an_array_is_read_as_lines_are(name: str, tmp_path: Path) -> None:
    line = '{"id": "x1", "content": "a.jpg", "style": "b.jpg"}'
    assert read(tmp_path, f"[{line},\n {line}]", name) == read(tmp_path, f"{line}\n{line}\n", name) == [ROW, ROW]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"content": "a"}\n{"content": "a", "style": "b", "content": "c"}', "line 2: 'content' is given twice"),
        ('[{"content": "a", "content": "b"}]', "'content' is given twice"),
        ('{"content": "a", "style": {"b": 1, "b": 2}}', "line 1: 'b' is given twice"),
        ('[{"content": "a"}, 3]', "row 2 of the array: a row is an object"),
        ('[{"content": "a"},\n {"content": }]', "line 2, column 14: not JSON"),
        (
            '{\n"content": "a"\n}',
            "line 1: not JSON: Expecting property name enclosed in double quotes; each line is one",
        ),
    ],
)
def test_wrong_json_says_where(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as caught:
        read(tmp_path, text, "rows.jsonl")
    assert says in str(caught.value)
