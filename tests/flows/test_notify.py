"""A message when a run is over: to a real server on loopback, with its secrets nowhere else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from prefect.states import Completed, Crashed

from stylebatch.flows.notify import VARIABLE, check_address, notify
from stylebatch.flows.served import tell
from stylebatch.flows.word import in_a_sentence, in_lines
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.runs.report import Outcome, Outcomes
from tests.command import call
from tests.serving import Silent, serving
from tests.tasks.runs.test_report import make_record

DONE = Outcome(1, "one", "a.png", "b.png", "completed", make_record())
FAILED = Outcome(2, "two", "gone.png", "b.png", "failed", None, "BadInput", "content: there is no file 'gone.png'")
SECRET = "hunter2"


class Inbox(NamedTuple):
    """Where messages are sent to by HTTP, and what has come in."""

    url: str
    messages: list[dict[str, Any]]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    messages: list[dict[str, Any]] = []

    class Handler(Silent):
        def do_POST(self) -> None:
            messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

    with serving(Handler) as server:
        yield Inbox(f"json://me:{SECRET}@127.0.0.1:{server.server_port}/{SECRET}", messages)


def test_a_message_has_counts_failures_and_where_to_look(tmp_path: Path) -> None:
    outcomes = Outcomes([DONE, FAILED])
    assert in_a_sentence(outcomes, 3) == (
        "1 of 3 rows failed, 1 are left; the first of them, row 2 (two): content: there is no file 'gone.png'"
    )
    lines = in_lines(outcomes, tmp_path).splitlines()
    assert lines[:2] == ["1 completed, 0 cached, 1 failed", "1 failed: content: there is no file '…' (two)"]
    assert lines[2] == str(tmp_path)
    (tmp_path / "gallery").mkdir()
    (tmp_path / "gallery/index.html").touch()
    assert in_lines(outcomes, tmp_path).endswith("gallery/index.html")


def test_it_comes_in_and_nothing_of_its_address_is_logged(inbox: Inbox, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        assert notify(inbox.url, "title", "body")
        assert not notify(f"json://me:{SECRET}@127.0.0.1:9/{SECRET}", "title", "body"), "nobody is there"
    assert [(one["title"], one["message"]) for one in inbox.messages] == [("title", "body")]
    assert SECRET not in caplog.text


@pytest.mark.parametrize("url", [f"nonsense://{SECRET}", SECRET, f"slack://{SECRET}"])
@pytest.mark.usefixtures("restored_process")
def test_an_address_that_is_none_is_refused_before_anything_is_done(url: str, manifest: Path, tmp_path: Path) -> None:
    with pytest.raises(BadRequest) as error:
        check_address(url)
    told = call("run", manifest, "--out", tmp_path / "out", "--notify", url)
    assert told.exit_code == 2
    assert "no URL of a service that Apprise knows" in told.stderr
    assert SECRET not in told.output + str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "restored_process", "no_grids")
def test_the_end_of_a_run_is_told_and_the_address_is_kept_nowhere(inbox: Inbox, manifest: Path, tmp_path: Path) -> None:
    manifest.write_text(manifest.read_text() + "pairs: [{content: nowhere.jpg, style: nowhere.jpg}]\n")
    told = call("run", manifest, "--out", tmp_path / "out", "--notify", inbox.url, "--log-json")
    assert told.exit_code == 1, told.output
    (message,) = inbox.messages
    assert message["title"].startswith("out: 1 of 3 rows failed; the first of them, row 1 (row-1): content: ")
    assert message["message"].startswith("2 completed, 0 cached, 1 failed\n1 failed: content: there is no file")
    assert SECRET not in told.output
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert not [file for file in files if SECRET.encode() in file.read_bytes()]


def test_a_served_run_prints_a_line_and_sends_a_message(
    inbox: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Any = SimpleNamespace(name="my", parameters={"out": str(tmp_path)})
    monkeypatch.setenv(VARIABLE, inbox.url)
    tell(None, run, Completed(data=Outcomes([DONE]), message="1 of 1 rows are done"))
    tell(None, run, Crashed(message="Process for flow run 'my' exited with status code: -9"))
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(" my: 1 of 1 rows are done (1 completed, 0 cached, 0 failed)")
    assert second.endswith(" my: Process for flow run 'my' exited with status code: -9")
    assert [one["title"] for one in inbox.messages] == [
        "my: 1 of 1 rows are done",
        "my: Process for flow run 'my' exited with status code: -9",
    ]
