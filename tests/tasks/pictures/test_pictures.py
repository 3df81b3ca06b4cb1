"""Pictures: every usual format, mode, orientation and profile gives the right RGB; bad files say what is wrong."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.decode import PIXEL_LIMIT, header_size, load_picture
from stylebatch.tasks.pictures.encode import write_png
from stylebatch.tasks.pictures.resize import resize, scaled_size

RED, BLUE, WHITE = (255, 0, 0), (0, 0, 255), (255, 255, 255)


def halves(left: Any = RED, right: Any = BLUE, mode: str = "RGB") -> Image.Image:
    """A picture of 32 x 24 in two colours."""
    picture = Image.new(mode, (32, 24), left)
    picture.paste(right, (16, 0, 32, 24))
    return picture


def colours(picture: Image.Image) -> list[tuple[int, ...]]:
    """The colours in the middle of the left and of the right half."""
    assert picture.mode == "RGB"
    return [tuple(np.asarray(picture)[picture.height // 2, x].tolist()) for x in (8, 24)]


def close(picture: Image.Image, expected: list[tuple[int, ...]], tolerance: int) -> bool:
    return bool(np.abs(np.subtract(colours(picture), expected)).max() <= tolerance)


# Formats


@pytest.mark.parametrize(
    ("ending", "tolerance", "options"),
    [
        ("jpg", 3, {"quality": 95}),
        ("png", 0, {}),
        ("webp", 0, {"lossless": True}),
        ("tiff", 0, {}),
        ("tif", 0, {"compression": "tiff_lzw"}),
        ("bmp", 0, {}),
        ("gif", 0, {}),
    ],
)
def test_every_format_gives_its_colours(ending: str, tolerance: int, options: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / f"picture.{ending}"
    halves().save(path, **options)
    picture = load_picture(path)
    assert picture.size == header_size(path) == (32, 24)
    assert close(picture, [RED, BLUE], tolerance)


@pytest.mark.parametrize("ending", ["gif", "webp", "tiff", "png"])
def test_the_first_frame_counts(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"frames.{ending}"
    options: dict[str, Any] = {"lossless": True} if ending == "webp" else {}
    halves().save(path, save_all=True, append_images=[halves(BLUE, RED), halves(WHITE, WHITE)], **options)
    with Image.open(path) as written:
        assert getattr(written, "n_frames", 1) == 3
    assert colours(load_picture(path)) == [RED, BLUE]


def test_a_phones_picture_of_several_pictures_is_a_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    halves().save(path, "MPO", save_all=True, append_images=[halves(BLUE, RED)])
    assert close(load_picture(path), [RED, BLUE], 8)


def test_the_ending_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "picture.jpg"
    halves().save(path, "PNG")
    assert colours(load_picture(path)) == [RED, BLUE]


# Orientation


def stored(upright: np.ndarray, orientation: int) -> np.ndarray:
    """The pixels as they lie in the file, by the EXIF standard's table of what the first row and column show."""
    flipped = {
        1: upright,  # the first row is the top, the first column the left side
        2: upright[:, ::-1],  # top, right
        3: upright[::-1, ::-1],  # bottom, right
        4: upright[::-1],  # bottom, left
    }
    if orientation in flipped:
        return flipped[orientation]
    turned = upright.transpose(1, 0, 2)
    return {
        5: turned,  # left, top
        6: turned[::-1],  # right, top
        7: turned[::-1, ::-1],  # right, bottom
        8: turned[:, ::-1],  # left, bottom
    }[orientation]


def write_oriented(path: Path, orientation: int) -> np.ndarray:
    """Write a picture in which no two corners are alike; returns what is to be seen, (24, 32, 3)."""
    upright = np.zeros((24, 32, 3), np.uint8)
    upright[:12, :16], upright[:12, 16:], upright[12:, :16] = RED, BLUE, WHITE
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {".jpg": {"quality": 95, "subsampling": 0}, ".webp": {"lossless": True}}
    picture = Image.fromarray(np.ascontiguousarray(stored(upright, orientation)))
    picture.save(path, exif=exif, **options.get(path.suffix, {}))
    return upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff"])
def test_pictures_are_turned_upright(ending: str, orientation: int, tmp_path: Path) -> None:
    path = tmp_path / f"turned.{ending}"
    upright = write_oriented(path, orientation)
    picture = load_picture(path)
    assert picture.size == (32, 24)
    # The middles of the quarters: JPEG blurs the edges between them.
    middles = np.ix_([6, 18], [8, 24])
    np.testing.assert_allclose(np.asarray(picture)[middles], upright[middles], atol=3)


@pytest.mark.parametrize(
    ("ending", "orientation"),
    [
        *((ending, orientation) for ending in ("jpg", "png", "webp") for orientation in range(1, 9)),
        *(("tiff", orientation) for orientation in range(1, 5)),
        *(pytest.param("tiff", orientation) for orientation in range(5, 9)),
    ],
)
def test_the_headers_sides_are_those_of_the_upright_picture(ending: str, orientation: int, tmp_path: Path) -> None:
    path = tmp_path / f"turned.{ending}"
    write_oriented(path, orientation)
    assert set(header_size(path)) == set(load_picture(path).size) == {32, 24}


def test_unreadable_exif_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    halves().save(path, exif=b"Exif\0\0" + 4 * b"junk")
    assert colours(load_picture(path)) == [RED, BLUE]
    assert header_size(path) == (32, 24)


def write_with_unwritable_tags(path: Path, orientation: int) -> np.ndarray:
    """As `write_oriented`, with tags of types that the standard does not give them, which Pillow cannot write again."""
    upright = write_oriented(path, 1)
    entries = [(0x0112, 3, 1, struct.pack("<HH", orientation, 0)), (0x011A, 2, 3, b"72\0\0")]
    entries += [(0x0128, 2, 2, b"in\0\0"), (0x0131, 12, 1, struct.pack("<I", 8)), (0x8769, 2, 4, b"abc\0")]
    table = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in entries)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + table + bytes(4) + bytes(8)
    picture = Image.fromarray(np.ascontiguousarray(stored(upright, orientation)))
    options: dict[str, Any] = {".jpg": {"quality": 95, "subsampling": 0}, ".webp": {"lossless": True}}
    picture.save(path, exif=exif, **options.get(path.suffix, {}))
    return upright


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_other_tags_do_not_keep_a_picture_on_its_side(ending: str, orientation: int, tmp_path: Path) -> None:
    path = tmp_path / f"turned.{ending}"
    upright = write_with_unwritable_tags(path, orientation)
    middles = np.ix_([6, 18], [8, 24])
    np.testing.assert_allclose(np.asarray(load_picture(path))[middles], upright[middles], atol=12)


# Modes


def grey(level: int) -> tuple[int, int, int]:
    return level, level, level


def sixteen_bits(left: int, right: int, kind: str = "<u2") -> Image.Image:
    return Image.fromarray(np.repeat([[left] * 16 + [right] * 16], 24, axis=0).astype(kind))


def palette_with_transparency() -> Image.Image:
    picture = Image.new("P", (32, 24), 0)
    picture.putpalette([*RED, *BLUE])
    picture.paste(1, (16, 0, 32, 24))
    picture.info["transparency"] = 1
    return picture


@pytest.mark.parametrize(
    ("name", "make", "expected"),
    [
        ("grey.png", lambda: halves(50, 200, "L"), [grey(50), grey(200)]),
        ("grey.jpg", lambda: halves(50, 200, "L"), [grey(50), grey(200)]),
        ("one-bit.png", lambda: halves(0, 1, "1"), [grey(0), WHITE]),
        ("one-bit.tiff", lambda: halves(0, 1, "1"), [grey(0), WHITE]),
        ("palette.png", lambda: halves().quantize(2), [RED, BLUE]),
        ("palette-transparent.png", palette_with_transparency, [RED, WHITE]),
        ("palette-transparent.gif", palette_with_transparency, [RED, WHITE]),
        ("grey-alpha.png", lambda: halves((50, 255), (0, 51), "LA"), [grey(50), grey(204)]),
        ("alpha.png", lambda: halves((255, 0, 0, 255), (0, 0, 255, 51), "RGBA"), [RED, (204, 204, 255)]),
        ("alpha.webp", lambda: halves((255, 0, 0, 255), (0, 0, 255, 0), "RGBA"), [RED, WHITE]),
        ("alpha.tiff", lambda: halves((255, 0, 0, 255), (0, 0, 255, 0), "RGBA"), [RED, WHITE]),
        ("cmyk.jpg", lambda: halves((0, 255, 255, 0), (0, 0, 0, 255), "CMYK"), [RED, grey(0)]),
        ("cmyk.tiff", lambda: halves((0, 255, 255, 0), (0, 0, 0, 255), "CMYK"), [RED, grey(0)]),
        ("sixteen.png", lambda: sixteen_bits(50 * 257, 65535), [grey(50), WHITE]),
        ("sixteen.tiff", lambda: sixteen_bits(50 * 257, 200 * 257), [grey(50), grey(200)]),
        ("sixteen-big.tiff", lambda: sixteen_bits(50 * 257, 200 * 257, ">u2"), [grey(50), grey(200)]),
    ],
)
def test_every_mode_becomes_rgb(
    name: str, make: Callable[[], Image.Image], expected: list[tuple[int, ...]], tmp_path: Path
) -> None:
    path = tmp_path / name
    make().save(path)
    assert close(load_picture(path), expected, 3 if path.suffix in (".jpg", ".webp") else 0)


def test_floating_point_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "float.tiff"
    Image.new("F", (32, 24), 0.5).save(path)
    with pytest.raises(BadInput, match=r"float\.tiff is in floating point"):
        load_picture(path)


# Colour profiles


def swapped_profile() -> bytes:
    """sRGB with red and green exchanged, by exchanging their names in the profile's table of tags."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????", 1).replace(b"gXYZ", b"rXYZ", 1).replace(b"????", b"gXYZ", 1)


def linear_grey_profile() -> bytes:
    """A grey profile without a gamma, put together by hand: Pillow makes none."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", *(round(value * 65536) for value in (0.9642, 1.0, 0.8249)))
    curve = b"curv\0\0\0\0" + struct.pack(">I", 0)
    tags = {b"wtpt": white, b"kTRC": curve}
    start = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(data), len(value))
        data += value
    header = bytearray(128)
    struct.pack_into(">I4sI4s4s4s", header, 0, start + len(data), b"", 0x02400000, b"mntr", b"GRAY", b"XYZ ")
    header[36:40] = b"acsp"
    header[68:80] = white[8:]
    return bytes(header) + table + data


@pytest.mark.parametrize(("mode", "ending"), [("RGB", "png"), ("RGB", "jpg"), ("RGB", "tiff"), ("P", "png")])
def test_an_embedded_profile_is_applied(mode: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"picture.{ending}"
    picture = halves() if mode == "RGB" else halves().quantize(2)
    picture.save(path, icc_profile=swapped_profile())
    assert close(load_picture(path), [(0, 255, 0), BLUE], 4)


def test_an_embedded_profile_is_applied_below_transparency(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    halves((255, 0, 0, 255), (255, 0, 0, 0), "RGBA").save(path, icc_profile=swapped_profile())
    assert close(load_picture(path), [(0, 255, 0), WHITE], 1)


@pytest.mark.parametrize(
    "mode",
    [
        "L",
        pytest.param("LA"),
    ],
)
def test_a_grey_profile_is_applied(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    halves(0, 128, "L").convert(mode).save(path, icc_profile=linear_grey_profile())
    # Half the light is 188 in sRGB's curve: 1.055 * (128 / 255) ** (1 / 2.4) - 0.055 of 255.
    assert close(load_picture(path), [grey(0), grey(188)], 1)


# With names of their own: a profile has the second in it at which it was made.
@pytest.mark.parametrize(
    "profile",
    [b"no profile at all", swapped_profile()[:200], linear_grey_profile()],
    ids=["none", "cut off", "of grey"],
)
def test_a_profile_that_cannot_be_used_is_ignored(profile: bytes, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    halves().save(path, icc_profile=profile)
    assert colours(load_picture(path)) == [RED, BLUE]


# Bad files


def png_of(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to have any size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("read", [load_picture, header_size])
def test_a_picture_over_the_limit_is_refused_by_its_header(read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png_of(200_000, 100_000))  # 60 GB, were it decoded
    with pytest.raises(BadInput, match=r"huge\.png has 200000x100000 pixels, over the limit"):
        read(path)


def test_the_limit_is_where_it_says(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(png_of(PIXEL_LIMIT + 1, 1))
    with pytest.raises(BadInput, match="over the limit"):
        load_picture(path)
    # A size within the limit gets as far as the pixels, which are not there.
    path.write_bytes(png_of(1000, 1000))
    with pytest.raises(BadInput, match="truncated or damaged"):
        load_picture(path)


@pytest.mark.parametrize("read", [load_picture, header_size])
@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("empty.png", b"", "is not a picture"),
        ("text.jpg", b"to be painted", "is not a picture"),
        ("start.jpg", b"\xff\xd8\xff\xe0\0\x10JFIF", "truncated or damaged"),
        ("pdf.png", b"%PDF-1.7\n", "is not a picture"),
    ],
)
def test_a_file_that_is_no_picture_is_named(
    read: Callable[[Path], object], name: str, data: bytes, says: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(BadInput) as caught:
        read(path)
    assert says in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("read", [load_picture, header_size])
def test_a_path_that_is_no_file_is_named(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"there is no file .*gone\.png"):
        read(tmp_path / "gone.png")
    folder = tmp_path / "folder.png"
    folder.mkdir()
    with pytest.raises(BadInput, match=r"folder\.png is a folder"):
        read(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    path = tmp_path / "secret.png"
    halves().save(path)
    path.chmod(0)
    with pytest.raises(BadInput, match=r"secret\.png may not be read"):
        load_picture(path)


def write_cut(path: Path) -> None:
    """Write the first half of a picture's file."""
    whole = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(whole, Image.registered_extensions()[path.suffix])
    path.write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff", "bmp", "gif"])
def test_a_truncated_picture_is_named(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{ending}"
    write_cut(path)
    with pytest.raises(BadInput) as caught:
        load_picture(path)
    assert f"cut.{ending} is truncated or damaged" in str(caught.value)


@pytest.mark.parametrize(
    "ending",
    [
        "jpg",
        "tiff",
        "bmp",
        "gif",
        pytest.param("png"),
    ],
)
def test_the_size_needs_the_header_alone(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"cut.{ending}"
    write_cut(path)
    assert header_size(path) == (64, 64)


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_no_damage_of_any_byte_gets_through_as_another_error(ending: str, tmp_path: Path) -> None:
    whole = io.BytesIO()
    halves().save(whole, Image.registered_extensions()[f".{ending}"])
    random = np.random.default_rng(0)
    path = tmp_path / f"damaged.{ending}"
    refusals = []
    for _ in range(300):
        data = bytearray(whole.getvalue())
        for place in random.integers(0, len(data), 4):
            data[place] = random.integers(256)
        path.write_bytes(data)
        try:
            load_picture(path)
        except BadInput as error:
            refusals.append(str(error))
    assert refusals
    assert all(path.name in refusal for refusal in refusals)


def test_a_picture_that_was_changed_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    halves().save(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert colours(load_picture(path, digest)) == [RED, BLUE]
    halves(BLUE, RED).save(path)
    with pytest.raises(BadInput, match=r"picture\.png was changed"):
        load_picture(path, digest)
    path.unlink()
    with pytest.raises(BadInput, match="there is no file"):
        load_picture(path, digest)


# Sizes


@pytest.mark.parametrize(
    ("size", "longer", "expected"),
    [
        ((640, 480), 320, (320, 240)),
        ((480, 640), 320, (240, 320)),
        ((600, 400), 64, (64, 43)),  # 42.67
        ((451, 300), 64, (64, 43)),  # 42.57
        ((451, 298), 64, (64, 42)),  # 42.29
        ((10, 20), 40, (20, 40)),
        ((5000, 3), 16, (16, 1)),
        ((300, 200), 76.8, (77, 51)),  # a style_scale of 1.2
        ((33, 33), 33, (33, 33)),
    ],
)
def test_a_size_keeps_its_aspect(size: tuple[int, int], longer: float, expected: tuple[int, int]) -> None:
    assert scaled_size(*size, longer) == expected
    assert resize(Image.new("RGB", size), longer).size == expected


def test_shrinking_averages() -> None:
    """Stripes of one pixel become an even grey: nothing is left out, as it would be without a filter."""
    stripes = Image.fromarray(np.tile(np.array([[0], [255]], np.uint8), (64, 96))).convert("RGB")
    inner = np.asarray(resize(stripes, 24))[2:-2]
    assert np.abs(inner.astype(int) - 127).max() <= 5


# Writing


def test_a_written_picture_is_read_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "new" / "picture.png"
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    digest = write_png(Image.fromarray(noise), path)
    assert digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert np.array_equal(np.asarray(load_picture(path, digest)), noise)
    assert list(path.parent.iterdir()) == [path]


def test_a_written_picture_replaces_the_old_one_in_one_go(tmp_path: Path) -> None:
    path, link = tmp_path / "picture.png", tmp_path / "link.png"
    write_png(halves(), path)
    os.link(path, link)
    write_png(halves(BLUE, RED), path)
    assert colours(load_picture(path)) == [BLUE, RED]
    # Another name of the old file still has the old picture: it was not written into.
    assert colours(load_picture(link)) == [RED, BLUE]


def test_a_picture_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.mkdir()
    with pytest.raises(OSError, match="picture"):
        write_png(halves(), path)
    assert list(tmp_path.iterdir()) == [path]
