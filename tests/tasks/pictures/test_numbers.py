"""What the numbers of a file mean: bits, black and white, planes, alpha, profiles; right, or refused in words."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.pictures.decode import header_size, load_mask, load_picture
from tests.tasks.pictures.test_pictures import linear_grey_profile, swapped_profile

Colour = tuple[int, ...]


def grey(level: int) -> Colour:
    return level, level, level


def sides(picture: Image.Image) -> list[Colour]:
    """The colours in the middle of the left and of the right half."""
    assert picture.mode == "RGB"
    return [tuple(np.asarray(picture)[picture.height // 2, x].tolist()) for x in (8, 24)]


def halves(left: Any, right: Any, kind: str = "u1") -> np.ndarray:
    """Numbers of a picture of 32 x 24: (24, 32), or (24, 32, channels)."""
    return np.array([[left] * 16 + [right] * 16] * 24, kind)


# TIFF


def write_packed(path: Path, bits: int, left: int, right: int, photometric: int) -> None:
    """A TIFF with numbers of so many bits, put together by hand."""
    row = "".join(f"{number:0{bits}b}" for number in [left] * 16 + [right] * 16)
    data = b"".join(int(row[place : place + 8], 2).to_bytes(1, "big") for place in range(0, len(row), 8)) * 24
    tags = [(256, 32), (257, 24), (258, bits), (259, 1), (262, photometric), (273, 8), (277, 1), (278, 24)]
    tags += [(279, len(data))]
    table = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    path.write_bytes(b"II*\0" + struct.pack("<I", 8 + len(data)) + data + table + bytes(4))


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 10, 12, 14, 16, 32])
@pytest.mark.parametrize("photometric", [0, 1])
def test_grey_of_any_bits(bits: int, photometric: int, tmp_path: Path) -> None:
    path = tmp_path / "grey.tif"
    white = 2**bits - 1
    write_packed(path, bits, 0, white // 3 if bits > 1 else 1, photometric)
    left, right = 0, 85 if bits > 1 else 255
    expected = [left, right] if photometric == 1 else [255 - left, 255 - right]
    assert sides(load_picture(path)) == [grey(level) for level in expected]
    assert header_size(path) == (32, 24)


ALPHA, PREMULTIPLIED, UNKNOWN = ["unassalpha"], ["assocalpha"], ["unspecified"]


@pytest.mark.parametrize(
    ("numbers", "options", "expected"),
    [
        (halves(50 * 257, 200 * 257, "<u2"), {"photometric": "miniswhite"}, [grey(205), grey(55)]),
        (halves(50 * 257, 200 * 257, "<u2"), {"compression": "lzw", "predictor": True}, [grey(50), grey(200)]),
        (halves(50, 200), {"compression": "zlib", "tile": (16, 16)}, [grey(50), grey(200)]),
        (halves(50, 200), {"photometric": "miniswhite", "compression": "packbits"}, [grey(205), grey(55)]),
        (halves((50, 255), (200, 51)), {"extrasamples": ALPHA}, [grey(50), grey(244)]),
        (halves((50, 255), (40, 51)), {"extrasamples": PREMULTIPLIED}, [grey(50), grey(244)]),
        (halves((50, 255), (0, 0)), {"extrasamples": PREMULTIPLIED}, [grey(50), grey(255)]),
        (halves((50, 0), (200, 51)), {"extrasamples": UNKNOWN}, [grey(50), grey(200)]),
        (halves((255, 0, 0), (0, 0, 255)), {"photometric": "rgb"}, [(255, 0, 0), (0, 0, 255)]),
        (
            halves((255, 0, 0), (0, 0, 255)).transpose(2, 0, 1),
            {"photometric": "rgb", "planarconfig": "separate"},
            [(255, 0, 0), (0, 0, 255)],
        ),
        (
            (halves((255, 0, 9), (0, 7, 255), "<u2") * 257).transpose(2, 0, 1),
            {"photometric": "rgb", "planarconfig": "separate", "compression": "lzw"},
            [(255, 0, 9), (0, 7, 255)],
        ),
        (
            halves((65535, 0, 0, 65535), (0, 0, 13107, 13107), "<u2"),
            {"photometric": "rgb", "extrasamples": PREMULTIPLIED},
            [(255, 0, 0), (204, 204, 255)],
        ),
        (
            halves((255, 0, 0, 255, 7), (0, 0, 255, 51, 7)),
            {"photometric": "rgb", "extrasamples": ["unassalpha", "unspecified"]},
            [(255, 0, 0), (204, 204, 255)],
        ),
        (halves((0, 255, 255, 0), (0, 0, 0, 255)), {"photometric": "separated"}, [(255, 0, 0), grey(0)]),
        (
            halves((0, 65535, 65535, 0), (0, 0, 0, 65535), "<u2"),
            {"photometric": "separated"},
            [(255, 0, 0), grey(0)],
        ),
        (halves(True, False, "?"), {}, [grey(255), grey(0)]),
        (halves(2**31, 2**32 - 1, "<u4"), {}, [grey(128), grey(255)]),
    ],
)
def test_a_tiffs_numbers(numbers: np.ndarray, options: dict[str, Any], expected: list[Colour], tmp_path: Path) -> None:
    path = tmp_path / "numbers.tif"
    tifffile.imwrite(path, numbers, **{"photometric": "minisblack", **options})
    assert sides(load_picture(path)) == expected
    assert header_size(path) == (32, 24)


@pytest.mark.parametrize("unit", [1, 257])
def test_a_tiffs_palette(unit: int, tmp_path: Path) -> None:
    path = tmp_path / "palette.tif"
    table = np.zeros((3, 256), np.uint16)
    table[0, 3], table[2, 7] = 255 * unit, 200 * unit
    tifffile.imwrite(path, halves(3, 7), photometric="palette", colormap=table)
    assert sides(load_picture(path)) == [(255, 0, 0), (0, 0, 200)]


def test_a_tiffs_grey_profile(tmp_path: Path) -> None:
    path = tmp_path / "profile.tif"
    tifffile.imwrite(path, halves(0, 128 * 257, "<u2"), photometric="minisblack", iccprofile=linear_grey_profile())
    assert sides(load_picture(path)) == [grey(0), grey(188)]


@pytest.mark.parametrize(
    ("numbers", "options", "says"),
    [
        (halves(-5, 5, "i1"), {}, "is in signed numbers"),
        (halves(-5, 5, "<i2"), {}, "is in signed numbers"),
        (halves(-5, 70_000, "<i4"), {}, "is in signed numbers"),
        (halves(0.1, 0.9, "<f4"), {}, "is in floating point"),
        (halves(0.1, 0.9, "<f2"), {}, "is in floating point"),
        (halves(1, 2, "<u8"), {}, "has 64 bits a sample"),
        (halves(1, 2), {"photometric": "cfa"}, "has colours that are not read here"),
        (halves(1, 2), {"compression": "jpeg2000"}, "is compressed in a way that is not read here"),
    ],
)
def test_numbers_without_a_meaning_are_refused_in_words(
    numbers: np.ndarray, options: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "numbers.tif"
    tifffile.imwrite(path, numbers, **{"photometric": "minisblack", **options})
    for read in (load_picture, header_size):
        with pytest.raises(BadInput, match=f"numbers.tif {says}"):
            read(path)


@pytest.mark.parametrize(
    ("mode", "compression"),
    [
        ("1", "group4"),
        ("1", "group3"),
        ("L", "jpeg"),
        ("RGB", "jpeg"),
        ("CMYK", "jpeg"),
        ("YCbCr", "tiff_lzw"),
        ("P", None),
    ],
)
def test_tiffs_of_other_kinds(mode: str, compression: str | None, tmp_path: Path) -> None:
    path = tmp_path / "other.tif"
    Image.fromarray(halves((255, 255, 255), (0, 0, 0))).convert(mode).save(path, compression=compression)
    assert np.abs(np.subtract(sides(load_picture(path)), [grey(255), grey(0)])).max() <= 2


def test_cielab(tmp_path: Path) -> None:
    path = tmp_path / "lab.tif"
    tifffile.imwrite(path, halves((255, 0, 0), (0, 0, 0)), photometric="cielab")
    assert np.abs(np.subtract(sides(load_picture(path)), [grey(255), grey(0)])).max() <= 1
    neutral = halves((136, 0, 0), (136, 80, 60))  # L* 53.3; a* 80, b* 60: a red
    tifffile.imwrite(path, neutral, photometric="cielab")
    left, right = sides(load_picture(path))
    assert max(left) - min(left) <= 1
    assert right[0] > 200 > 80 > max(right[1:])


# PNG


def png(bits: int, colours: int, left: Any, right: Any, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of 32 x 24 with numbers of so many bits, and further chunks before its pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    numbers = np.array([[left] * 16 + [right] * 16], ">u2").ravel()
    row = "".join(f"{int(number):0{bits}b}" for number in numbers)
    packed = bytes(int(row[place : place + 8], 2) for place in range(0, len(row), 8))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 24, bits, colours, 0, 0, 0))
    between = b"".join(chunk(name, data) for name, data in chunks)
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + packed) * 24))
    return b"\x89PNG\r\n\x1a\n" + header + between + pixels + chunk(b"IEND", b"")


def icc(profile: bytes) -> tuple[bytes, bytes]:
    return b"iCCP", b"profile\0\0" + zlib.compress(profile)


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_grey_that_is_transparent(bits: int, tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    white = 2**bits - 1
    dark = white // 3 if bits > 1 else 0
    path.write_bytes(png(bits, 0, 0, white // 3 if bits > 1 else 1, (b"tRNS", struct.pack(">H", dark))))
    assert sides(load_picture(path)) == ([grey(0), grey(255)] if bits > 1 else [grey(255), grey(255)])


def test_a_transparent_grey_is_compared_in_all_of_its_bits(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    path.write_bytes(png(16, 0, 50 * 257, 50 * 257 + 1, (b"tRNS", struct.pack(">H", 50 * 257))))
    assert sides(load_picture(path)) == [grey(255), grey(50)]
    colour = 50 * 257, 0, 0
    path.write_bytes(png(16, 2, colour, (50 * 257 + 1, 0, 0), (b"tRNS", struct.pack(">3H", *colour))))
    assert sides(load_picture(path)) == [grey(255), (50, 0, 0)]


def test_a_grey_profile_below_a_transparent_grey(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    path.write_bytes(png(8, 0, 7, 128, icc(linear_grey_profile()), (b"tRNS", struct.pack(">H", 7))))
    assert sides(load_picture(path)) == [grey(255), grey(188)]


@pytest.mark.parametrize(
    ("bits", "colours", "left", "right", "expected"),
    [
        (16, 4, (50 * 257, 65535), (200 * 257, 0), [grey(50), grey(255)]),
        (16, 6, (65535, 0, 0, 65535), (0, 0, 65535, 13107), [(255, 0, 0), (204, 204, 255)]),
        (16, 2, (127, 0, 0), (129, 0, 0), [grey(0), (1, 0, 0)]),
    ],
)
def test_sixteen_bits_are_rounded(
    bits: int, colours: int, left: Any, right: Any, expected: Any, tmp_path: Path
) -> None:
    path = tmp_path / "sixteen.png"
    path.write_bytes(png(bits, colours, left, right))
    assert sides(load_picture(path)) == expected


def test_a_palettes_transparency_of_few_bits(tmp_path: Path) -> None:
    path = tmp_path / "palette.png"
    palette = (b"PLTE", bytes([255, 0, 0, 0, 0, 255, 9, 9, 9])), (b"tRNS", bytes([255, 51]))
    path.write_bytes(png(2, 3, 0, 1, *palette))
    assert sides(load_picture(path)) == [(255, 0, 0), (204, 204, 255)]


def test_a_colour_profile_on_grey_gives_its_curve(tmp_path: Path) -> None:
    path = tmp_path / "grey.png"
    path.write_bytes(png(8, 0, 50, 200, icc(swapped_profile())))
    found = np.array(sides(load_picture(path)))
    assert np.abs(found - [[50], [200]]).max() <= 1


# JPEG


@pytest.mark.parametrize("adobe", [True, False])
def test_inks_are_inverted_where_adobes_mark_says_so(adobe: bool, tmp_path: Path) -> None:
    path = tmp_path / "inks.jpg"
    buffer = io.BytesIO()
    Image.fromarray(halves((0, 255, 255, 0), (0, 0, 0, 255)), "CMYK").save(buffer, "JPEG", quality=95)
    data = buffer.getvalue()
    mark = data.index(b"\xff\xee\x00\x0eAdobe")
    path.write_bytes(data if adobe else data[:mark] + data[mark + 16 :])
    left, right = sides(load_picture(path))
    assert np.abs(np.subtract([left, right], [(255, 0, 0), grey(0)] if adobe else [grey(0), grey(0)])).max() <= 3


# Formats of extras


@pytest.mark.parametrize("orientation", [1, 6])
def test_avif(orientation: int, tmp_path: Path) -> None:
    path = tmp_path / "picture.avif"
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(halves((255, 0, 0), (0, 0, 255))).save(path, exif=exif, quality=95)
    picture = load_picture(path)
    assert picture.size == ((32, 24) if orientation == 1 else (24, 32))
    first = np.asarray(picture)[4, 4].astype(int)
    assert np.abs(first - (255, 0, 0)).max() < 12


@pytest.mark.parametrize(
    ("ending", "module", "options"),
    [("heic", "pillow_heif.HeifImagePlugin", {"quality": 95}), ("jxl", "pillow_jxl", {"lossless": True})],
)
def test_formats_of_extras(
    ending: str, module: str, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"picture.{ending}"
    pytest.importorskip(module)
    Image.fromarray(halves((255, 0, 0), (0, 0, 255))).save(path, **options)
    assert header_size(path) == (32, 24)
    assert np.abs(np.subtract(sides(load_picture(path)), [(255, 0, 0), (0, 0, 255)])).max() < 12
    monkeypatch.setattr("stylebatch.tasks.pictures.extras.import_module", lambda name: __import__("no_such_module"))
    with pytest.raises(BadInput, match=rf"picture.{ending} is .*pip install 'stylebatch\[{ending}\]'"):
        load_picture(path)


# Masks


@pytest.mark.parametrize(
    ("ending", "numbers", "mode"),
    [
        ("png", halves((255, 255, 255, 255), (255, 255, 255, 0)), "RGBA"),
        ("png", halves((255, 255), (255, 0)), "LA"),
        ("webp", halves((255, 255, 255, 255), (255, 255, 255, 0)), "RGBA"),
        ("tif", halves((255, 255), (255, 0)), "LA"),
        ("png", halves(255, 0), "L"),
    ],
)
def test_what_is_transparent_in_a_mask_is_black(ending: str, numbers: np.ndarray, mode: str, tmp_path: Path) -> None:
    path = tmp_path / f"mask.{ending}"
    options: dict[str, Any] = {"lossless": True} if ending == "webp" else {}
    Image.fromarray(numbers, mode).save(path, **options)
    mask = load_mask(path)
    assert mask.mode == "L"
    assert np.asarray(mask)[12, [8, 24]].tolist() == [255, 0]


def test_half_transparent_white_in_a_mask_is_half(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    Image.fromarray(halves((255, 255, 255, 51), (128, 128, 128, 255)), "RGBA").save(path)
    assert np.asarray(load_mask(path))[12, [8, 24]].tolist() == [51, 128]


# Bombs


def test_a_png_that_unfolds_to_gigabytes_is_refused_by_its_header(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    data = bytearray(png(16, 6, (0, 0, 0, 0), (0, 0, 0, 0)))
    struct.pack_into(">II", data, 16, 13_000, 13_000)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"bomb\.png would take 2\.7 GB of memory, over the limit of 2\.2 GB"):
        load_picture(path)


@pytest.mark.parametrize("change", [{"tile": (16, 16)}, {}])
def test_a_tiff_that_unfolds_to_gigabytes_is_refused_by_its_header(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "bomb.tif"
    tifffile.imwrite(path, halves(50, 200, "<u2"), photometric="minisblack", compression="zlib", **change)
    with tifffile.TiffFile(path, mode="r+") as file:
        for tag in ("TileWidth", "TileLength") if change else ("ImageWidth", "ImageLength"):
            file.pages.first.tags[tag].overwrite(32_768)
    for read in (load_picture, header_size):
        with pytest.raises(BadInput, match=r"bomb\.tif (would take .* over the limit|has .* over the limit)"):
            read(path)
