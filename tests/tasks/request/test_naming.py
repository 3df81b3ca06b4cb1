"""Names by a pattern: a tree is mirrored, and a pattern that cannot name pictures is refused as a whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadInput, BadRequest
from stylebatch.tasks.plan.jobs import make_jobs
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest, read_manifest
from stylebatch.tasks.request.naming import parse_naming

TREE = ("tree/beach/img_0000.jpg", "tree/beach/img_0001.jpg", "tree/forest/img_0000.jpg", "tree/sea/Adria (1)/x.jpg")


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str], Manifest]:
    """Read a YAML manifest beside a tree of photographs and two styles."""
    for name in (*TREE, "styles/night.png", "styles/glass.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), "teal").save(tmp_path / name)

    def read(text: str) -> Manifest:
        path = tmp_path / "my.yaml"
        path.write_text(text)
        return read_manifest(path)

    return read


def ids(manifest: Manifest) -> list[str]:
    return [row["id"] for row in manifest.rows]


Read = Callable[[str], Manifest]


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("tree/*/*.jpg", ["beach/img_0000", "beach/img_0001", "forest/img_0000"]),
        ("tree/**/*.jpg", ["beach/img_0000", "beach/img_0001", "forest/img_0000", "sea/Adria-1/x"]),
        ("t*/**/x.jpg", ["tree/sea/Adria-1/x"]),
        ("tree/beach/*.jpg", ["img_0000", "img_0001"]),
        (
            "[tree/beach/*0.jpg, tree/forest/img_0000.jpg, tree/sea/*/x.jpg]",
            ["img_0000", "forest/img_0000", "Adria-1/x"],
        ),
    ],
)
def test_a_tree_is_mirrored(contents: str, expected: list[str], read: Read) -> None:
    text = f'name: "{{folder}}/{{stem}}"\ncontents: {contents}\nstyles: styles/night.png\n'
    assert ids(read(text)) == expected
    pairs, bad_rows = check_rows(read(text), {})
    assert bad_rows == []
    assert [pair.id for pair in pairs] == expected


def test_a_tree_by_its_whole_path_is_mirrored_in_the_same_way(read: Read, tmp_path: Path) -> None:
    text = f'name: "{{folder}}/{{stem}}"\ncontents: {tmp_path}/tree/*/*.jpg\nstyles: styles/night.png\n'
    assert ids(read(text)) == ["beach/img_0000", "beach/img_0001", "forest/img_0000"]


def test_every_field_has_its_place(read: Read) -> None:
    text = 'name: "all/{style}/{folder}-{stem}_{n}, {key}"\ncontents: tree/forest/*.jpg\nstyles: '
    manifest = read(f"{text}[styles/*.png, [styles/night.png, styles/glass.png]]\nsweep: {{seed: [1, 2]}}")
    styles = [style for style in ("glass", "night", "night+glass") for _ in range(2)]
    asked = [f"all/{style}/-img_0000_{n}, {{key}}" for n, style in enumerate(styles, start=1)]
    assert ids(manifest) == asked
    pairs, bad_rows = check_rows(manifest, {})
    assert len(bad_rows) == 6, "a part may not begin with -"
    manifest = read(f"{text.replace('{folder}-', '')}styles/night.png\ndefaults: {{size: 64}}")
    pairs, _ = check_rows(manifest, {})
    (job,), _ = make_jobs(manifest, pairs, Slot("cpu"))
    assert job.id == f"all/night/img_0000_1, {job.key[:8]}"


def test_single_rows_are_named_too_and_keep_the_ids_that_they_have(read: Read) -> None:
    text = (
        "pairs:\n"
        "  - {content: tree/forest/img_0000.jpg, style: styles/night.png}\n"
        "  - {content: tree/forest/img_0000.jpg, style: styles/night.png, id: mine}\n"
        'name: "{folder}/{stem}-{n}"\ncontents: tree/*/*0.jpg\nstyles: styles/glass.png\n'
    )
    assert ids(read(text)) == ["forest/img_0000-1", "mine", "beach/img_0000-1", "forest/img_0000-3"]


def test_rows_that_would_be_one_file_are_told(read: Read, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "tree/beach/IMG_0000.png")
    text = 'name: "{folder}/{stem}"\ncontents: [tree/*/*0.jpg, tree/*/*.png]\nstyles: styles/glass.png\n'
    _, (bad,) = check_rows(read(text), {})
    assert (bad.row, bad.message) == (3, "id: 'beach/IMG_0000' is that of row 1 already")


def test_a_name_that_several_pictures_would_have_is_refused(read: Read) -> None:
    text = 'name: "{folder}/{stem}"\ncontents: tree/*/*.jpg\nstyles: '
    with pytest.raises(BadRequest, match=r"gives one name to 2 pictures of each content; add \{style\}, \{n\} or"):
        read(f"{text}styles/*.png")
    with pytest.raises(BadRequest, match=r"gives one name to 2 pictures of each content; add \{n\} or \{key\}"):
        read(f"{text.replace('stem}', 'stem}-{style}')}styles/night.png\nsweep: {{seed: [1, 2]}}")


@pytest.mark.parametrize(
    ("pattern", "says"),
    [
        ("{folder}/{stam}", "there is no field {stam}; did you mean 'stem'?; there are {folder}, {stem}, {style}, {n}"),
        ("{stem}-{}", "there is no field {};"),
        ("{stem}-{0}", "there is no field {0};"),
        ("{n:03}-{stem}", "there is no field {n:03}"),
        ("{stem!r}", "there is no field {stem!r}"),
        ("{stem.__class__}", "there is no field {stem.__class__}"),
        ("{folder", "a brace is opened and not closed"),
        ("stem}", "a brace is opened and not closed, or"),
        ("../{stem}", "not safe"),
        ("/{stem}", "not safe"),
        ("{stem}/", "not safe"),
        ("{stem}:{style}", "not safe"),
        ("{{stem}}", "not safe"),
        ("{stem}.png/{n}", "ends as a picture does"),
        ("", "name is a pattern such as"),
        (["{stem}"], "name is a pattern such as"),
    ],
)
def test_a_wrong_pattern_is_one_sentence(pattern: object, says: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse_naming(pattern)
    assert says in str(caught.value)


def test_a_wrong_pattern_costs_the_manifest(read: Read) -> None:
    with pytest.raises(BadRequest, match=r"my\.yaml: name '\{foldr\}/x': there is no field \{foldr\}; did you mean"):
        read('name: "{foldr}/x"\ncontents: tree/*/*.jpg\nstyles: styles/night.png\n')
