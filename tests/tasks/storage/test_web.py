"""Pictures from the web: no private address is ever spoken to, and nothing goes on for ever."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from stylebatch.tasks.errors import BadInput
from stylebatch.tasks.plan.rows import check_rows
from stylebatch.tasks.request.manifest import Manifest
from stylebatch.tasks.storage import cache, web
from stylebatch.tasks.storage.addresses import is_public
from stylebatch.tasks.stylizing.stylize import is_transient
from tests.serving import Server, Silent, serving


class Handler(Silent):
    """Answers as the path says: ``/status/404``, ``/to/<address>``, ``/bytes/100``."""

    server: Server

    def do_GET(self) -> None:
        _, kind, rest = self.path.split("/", 2)
        self.server.asked.append(self.path)
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.end_headers()
        elif kind == "status":
            self.send_error(int(rest))
        else:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * int(rest.partition("?")[0]))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(Handler) as server:
        yield server


@pytest.fixture
def public(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take this machine for a public one: no test speaks to another."""
    monkeypatch.setattr(
        "stylebatch.tasks.storage.web.is_public", lambda address: address == "127.0.0.1" or is_public(address)
    )


def get(path: str, server: Server, names: dict[str, list[str]] | None = None) -> bytes:
    def resolve(host: str, port: int) -> list[str]:
        return (names or {}).get(host, ["127.0.0.1"])

    file = io.BytesIO()
    web.fetch(f"http://pictures.example:{server.server_port}{path}", file, resolve)
    return file.getvalue()


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "192.1.0.1",
        "198.20.0.1",
        "2606:4700:4700::1111",
        "::ffff:8.8.8.8",
        "64:ff9b::808:808",
        "2002:808:808::1",
    ],
)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fd00:ec2::254", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1", "nonsense",
        "192.0.0.192", "192.0.0.9", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "192.0.2.1", "0.1.2.3",
        "fec0::1", "feff::1", "fc00::1", "64:ff9b:1::1", "64:ff9b:1::808:808", "::8.8.8.8", "::10.0.0.1", "100::1",
        "::ffff:0:8.8.8.8", "2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "3fff::1", "5f00::1", "4000::1",
        "2002:a00:1::1", "64:ff9b::a9fe:a9fe", "2001:470::5efe:a00:1", "2001:470::200:5efe:7f00:1",
        "::ffff:192.0.0.192",
    ],
)  # fmt: skip
def test_private_addresses(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(BadInput, match="h is at a private address"):
        web.fetch("https://h/a.jpg", io.BytesIO(), lambda host, port: ["8.8.8.8", address])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "127.1", "[::1]"])
def test_a_server_of_this_machine_is_not_spoken_to(host: str, server: Server) -> None:
    with pytest.raises((BadInput, OSError), match=r"private address|cannot be read"):
        web.fetch(f"http://{host}:{server.server_port}/bytes/3", io.BytesIO())
    assert not server.asked


@pytest.mark.usefixtures("public")
def test_bytes_come_also_by_a_redirect(server: Server) -> None:
    assert get("/bytes/100000", server) == b"x" * 100_000
    assert get("/to//bytes/3", server) == b"xxx"


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    "target", ["http://inner.example/bytes/3", "http://169.254.169.254/latest/meta-data", "//192.168.0.1/a"]
)
def test_a_redirect_to_a_private_address_is_refused(target: str, server: Server) -> None:
    names = {"inner.example": ["10.0.0.1"], "169.254.169.254": ["169.254.169.254"], "192.168.0.1": ["192.168.0.1"]}
    with pytest.raises(BadInput, match="is at a private address"):
        get(f"/to/{target}", server, names)


@pytest.mark.usefixtures("public")
def test_the_address_that_was_looked_at_is_the_one_that_is_spoken_to(server: Server) -> None:
    answers = [["127.0.0.1"], ["10.0.0.1"]]

    def rebinding(host: str, port: int) -> list[str]:
        return answers.pop(0)

    file = io.BytesIO()
    web.fetch(f"http://rebinding.example:{server.server_port}/bytes/3", file, rebinding)
    assert file.getvalue() == b"xxx"
    assert len(answers) == 1, "the name was resolved once"


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize(
    ("path", "message", "transient"),
    [
        ("/status/404", "the server answers with 404", False),
        ("/status/503", "the server answers with 503", True),
        ("/to/ftp://pictures.example/a.jpg", "leads away from the web", False),
        ("/bytes/5000", "is larger than 0 MB", False),
    ],
)
def test_what_does_not_work_is_told(
    path: str, message: str, transient: bool, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LARGEST", 1000)
    with pytest.raises((BadInput, OSError), match=message) as error:
        get(path, server)
    assert is_transient(error.value) is transient


@pytest.mark.usefixtures("public")
def test_redirects_have_an_end(server: Server) -> None:
    loop = "/to/" * 8 + "/bytes/3"
    with pytest.raises(BadInput, match="more than 5 redirects"):
        get(loop, server)


@pytest.mark.usefixtures("public")
def test_time_has_an_end(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "LONGEST", -1.0)
    with pytest.raises(OSError, match="took longer than"):
        get("/bytes/3", server)


@pytest.mark.usefixtures("public")
def test_a_row_by_http(server: Server, samples: Path, tmp_path: Path) -> None:
    cache.forget()
    address = server.address
    rows = [{"content": f"{address}/bytes/30", "style": str(samples / "styles/glass.jpg")}]
    _, (off,) = check_rows(Manifest(tmp_path / "a.csv", rows), {})
    assert (
        off.message == f"content: {address}/bytes/30: pictures are not read over http(s) unless --allow-http is given"
    )
    assert not server.asked
    _, (on,) = check_rows(Manifest(tmp_path / "a.csv", rows, allow_http=True), {})
    assert on.message == "content: 30 is not a picture (JPEG, PNG, WebP, TIFF, BMP, GIF or AVIF)"


@pytest.mark.parametrize(
    "address",
    ["http://h:99999/x", "http://x]/a", "http://[::1/a", "http://h:x/a", "http://[zz]/a", "http://" + "a" * 70 + "/x"],
)
def test_an_address_that_cannot_be_costs_its_row(address: str, samples: Path, tmp_path: Path) -> None:
    good = {"content": str(samples / "images/coffee.jpg"), "style": str(samples / "styles/glass.jpg")}
    rows = [{**good, "content": address}, {**good, "style": address}, {**good, "init": address}, good]
    pairs, bad_rows = check_rows(Manifest(tmp_path / "a.csv", rows, allow_http=True), {})
    assert [pair.row for pair in pairs] == [4]
    assert all("is no address" in bad.message or "private address" in bad.message for bad in bad_rows), bad_rows


@pytest.mark.usefixtures("public")
@pytest.mark.parametrize("target", ["http://h:99999/x", "http://x]/a", "//[::1/a"])
def test_a_redirect_to_what_cannot_be_is_told(target: str, server: Server) -> None:
    with pytest.raises((BadInput, OSError), match=r"is no address|private address|cannot be read"):
        get(f"/to/{target}", server)


@pytest.mark.usefixtures("public")
def test_a_host_and_a_path_of_any_letters(server: Server) -> None:
    file = io.BytesIO()
    address = f"http://bücher.example:{server.server_port}/bytes/3?große=ü%20x"
    web.fetch(address, file, lambda host, port: ["127.0.0.1"] if host == "xn--bcher-kva.example" else [])
    assert file.getvalue() == b"xxx"
