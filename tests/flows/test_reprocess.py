"""Carrying out a run again: what is chosen, why, and what is left of the results that did not change."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from stylebatch.flows.reprocess import reprocess
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.again.reprocess import Plan, make_plan
from stylebatch.tasks.devices.slots import Slot
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.plan import batches
from stylebatch.tasks.results.store import Store
from stylebatch.tasks.runs.process import this_process
from stylebatch.tasks.runs.status import read_status
from tests.conftest import AtServer

ROWS = [
    "a,a.jpg,swirls.jpg",
    "b,b.jpg,swirls.jpg",
    ",a.jpg,glass.jpg",
    "d,d.jpg,glass.jpg",
]


def write_manifest(folder: Path, rows: list[str]) -> None:
    lines = ["id,content,style,size,steps", *(f"{row},64,1" for row in rows)]
    (folder / "rows.csv").write_text("\n".join(lines))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, samples: Path, at_server: AtServer) -> Path:
    """A run of four rows, of which the last has failed: its picture is not there."""
    folder = tmp_path_factory.mktemp("finished")
    for name, file in (("a", "images/chelsea"), ("b", "images/coffee"), ("swirls", "styles/swirls")):
        shutil.copy(samples / f"{file}.jpg", folder / f"{name}.jpg")
    shutil.copy(samples / "styles/glass.jpg", folder)
    write_manifest(folder, ROWS)
    with at_server(), pytest.MonkeyPatch.context() as patched:
        patched.setattr(batches, "IN_COMPANY", {"float32": 0, "bfloat16": 0, "cuda": 0})  # a record of its own for each
        stylize(folder / "rows.csv", folder / "out")
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, as if it had been made there."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    file = folder / "out/run.json"
    file.write_text(file.read_text().replace(str(finished), str(folder)))
    return folder


def plan(run: Path, failed: bool = False, where: str = "", **overrides: str) -> Plan:
    return make_plan(run / "out", failed, where, overrides, Slot("cpu"))


def report(run: Path) -> pd.DataFrame:
    return pd.read_parquet(run / "out/report.parquet")


def third(run: Path) -> str:
    """The id that the third row was given."""
    return str(report(run)["id"][2])


# What is planned, and why


def test_what_is_bad_stays_bad_and_the_rest_is_done(run: Path) -> None:
    before = sorted(run.rglob("*"))
    found = plan(run)
    assert found.reasons == {"bad input, to be put right first": ["d"]}
    assert (found.unchanged, found.left_alone, found.gone) == (3, 0, 0)
    assert {*run.rglob("*")} - {*before} <= {run / "out/.store/verified"}


def test_what_failed_is_done_once_its_picture_is_there(run: Path) -> None:
    Image.effect_noise((80, 60), 50).convert("RGB").save(run / "d.jpg")
    assert plan(run).reasons == plan(run, failed=True).reasons == {"failed before": ["d"]}
    assert plan(run, failed=True).left_alone == 3


def test_inputs_count_by_their_bytes_and_not_by_their_dates(run: Path) -> None:
    os.utime(run / "a.jpg", (1, 1))
    Image.effect_noise((80, 60), 50).convert("RGB").save(run / "b.jpg")
    found = plan(run)
    assert found.reasons["content changed"] == ["b"]
    assert found.unchanged == 2
    Image.effect_noise((80, 60), 50).convert("RGB").save(run / "swirls.jpg")
    found = plan(run)
    assert found.reasons["style changed"] == ["a"]
    assert found.reasons["content and style changed"] == ["b"]


def test_a_result_that_is_gone_or_altered_is_made_again(run: Path) -> None:
    store = Store(run / "out")
    keys = dict(zip(report(run)["id"], report(run)["key"], strict=True))
    store.picture(keys["a"], "png").unlink()
    (store.records / keys["b"]).write_text("torn")
    assert sorted(plan(run).reasons["its result is gone or damaged"]) == ["a", "b"]


def test_a_manifest_that_was_edited(run: Path) -> None:
    write_manifest(run, ["n,a.jpg,a.jpg", *ROWS[1:]])
    found = plan(run)
    assert found.reasons["new in the manifest"] == ["n"]
    assert (found.unchanged, found.gone) == (2, 1)
    write_manifest(run, [",b.jpg,glass.jpg", *ROWS[2:], *ROWS[:2]])
    found = plan(run, where='style == "glass"')
    assert found.reasons == {"bad input, to be put right first": ["d"]}
    assert {outcome.row: outcome.id for outcome in found.work.settled} == {4: "a", 5: "b", 3: "d"}
    assert [job.row for job in found.work.jobs] == [2]


def test_a_run_that_did_not_come_to_its_end(run: Path) -> None:
    file = run / "out/report.parquet"
    report(run).drop(index=1).to_parquet(file)
    assert plan(run).unchanged == 3, "its result is there, whatever the report says"
    for record in Store(run / "out").records.iterdir():
        record.unlink()
    assert plan(run).reasons["not done yet"] == ["b"]


def test_a_condition_and_new_settings(run: Path) -> None:
    found = plan(run, where='content == "a" and style_loss > 0', steps="2")
    assert list(found.reasons) == ["other settings: steps"]
    assert found.reasons["other settings: steps"][0] == "a"
    assert (found.unchanged, found.left_alone) == (0, 2)
    assert plan(run, where='content == "a"').reasons == {}
    everything = plan(run, size="80")
    assert len(everything.reasons["other settings: size"]) == 3
    assert everything.overrides == {"size": "80"}
    assert not everything.changes


def test_picks_choose_by_id_or_by_content_and_style(run: Path) -> None:
    picks = run / "picks.csv"

    def chosen(*rows: str) -> list[str]:
        picks.write_text("\r\n".join(["id,content,style,size,note", *rows]))
        found = make_plan(run / "out", False, "", {"steps": "2"}, Slot("cpu"), only=picks)
        assert found.left_alone == 4 - len(rows)
        assert not found.overrides
        return sorted(found.reasons["other settings: steps"])

    assert chosen('b,moved/b.jpg,swirls.jpg,64,"the blue, please"', "a,a.jpg,swirls.jpg,64,") == ["a", "b"]
    assert chosen(",a.jpg,swirls.jpg,,") == ["a"]
    with pytest.raises(BadRequest, match=r"picks.csv, row 2: the run has no row with the id 'bb'; did you mean 'b'"):
        chosen("a,a.jpg,swirls.jpg,64,", "bb,b.jpg,swirls.jpg,64,")
    with pytest.raises(BadRequest, match="row 1: the run has no row of that content and style"):
        chosen(",a.jpg,other.jpg,64,")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda run: (run / "rows.csv").unlink(), "there is no manifest"),
        (lambda run: (run / "out/run.json").unlink(), "there is no run in"),
        (lambda run: (run / "out/report.parquet").write_text("x"), "cannot be read"),
        (lambda run: (run / "out/run.json").write_text("[" * 10**6), "cannot be read"),
        (lambda run: (run / "out/run.json").write_text('{"set": 3}'), "cannot be read"),
    ],
)
def test_a_run_that_cannot_be_carried_out_again(change: object, message: str, run: Path) -> None:
    change(run)  # type: ignore[operator]
    with pytest.raises(BadRequest, match=message):
        plan(run)


def test_a_run_that_goes_on_is_left_to_itself(run: Path) -> None:
    file = run / "out/run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"state": "running"} | this_process()))
    with pytest.raises(BadRequest, match="a run is going on in"):
        plan(run)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"process_started": 0.0}))
    assert plan(run).unchanged == 3, "it has crashed"


# What is done


@pytest.mark.usefixtures("prefect", "no_grids")
def test_only_the_rows_that_are_chosen_get_new_settings_and_keep_them(run: Path) -> None:
    before = report(run).set_index("id")
    outcomes = reprocess(run / "out", where='id == "a"', overrides={"steps": "2"})
    assert [outcome.status for outcome in outcomes] == ["completed", "cached", "cached", "failed"]
    after = report(run).set_index("id")
    assert list(after.index) == list(before.index)
    assert list(after["row"]) == [1, 2, 3, 4]
    assert list(after["steps"][:3]) == [2, 1, 1]
    kept = ["b", third(run)]
    assert list(after.columns.difference(before.columns)) == ["set_steps"]  # which varies now
    same = before.columns.drop("status")
    pd.testing.assert_frame_equal(after.loc[kept, same], before.loc[kept, same])
    assert list(after["error"]) == list(before["error"])

    # Later calls know of the settings, and new ones for all rows win over them.
    again = reprocess(run / "out")
    assert [outcome.status for outcome in again] == ["cached", "cached", "cached", "failed"]
    assert list(report(run)["steps"][:3]) == [2, 1, 1]
    for_all = reprocess(run / "out", overrides={"steps": "1"})
    assert [outcome.status for outcome in for_all] == ["cached", "cached", "cached", "failed"]
    assert list(report(run)["steps"][:3]) == [1, 1, 1]


@pytest.mark.usefixtures("prefect", "no_grids")
def test_failed_rows_alone(run: Path) -> None:
    Image.effect_noise((80, 60), 60).convert("RGB").save(run / "d.jpg")
    Image.effect_noise((80, 60), 50).convert("RGB").save(run / "b.jpg")
    outcomes = reprocess(run / "out", failed=True)
    assert [outcome.status for outcome in outcomes] == ["cached", "cached", "cached", "completed"]
    assert plan(run).reasons == {"content changed": ["b"]}
    assert report(run)["error"].isna().all()


@pytest.mark.usefixtures("prefect", "no_grids")
def test_rows_that_were_not_come_to_keep_what_they_had(run: Path, finished: Path) -> None:
    before = report(run)
    assert [outcome.id for outcome in reprocess(run / "out", overrides={"steps": "2"}, max_failures=1)] == ["d"]
    after = report(run)
    # The run was copied there from another folder, which the message of the last row names.
    before["error"] = before["error"].str.replace(str(finished), str(run), regex=False)
    pd.testing.assert_frame_equal(after.drop(columns="status"), before.drop(columns="status"))
    status = read_status(run / "out")
    assert (status.state, status.remaining) == ("stopped", 3)
    assert len(plan(run).reasons["other settings: steps"]) == 3
