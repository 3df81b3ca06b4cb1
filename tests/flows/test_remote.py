"""Runs whose manifest, pictures and results lie in an object store: a real S3 endpoint, which may fail now and then."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import s3fs
import typer
from PIL import Image
from upath import UPath

from stylebatch.flows.cli.terminal import clear_errors
from stylebatch.flows.gallery import gallery
from stylebatch.flows.reprocess import reprocess
from stylebatch.flows.stylize import stylize
from stylebatch.tasks.errors import BadRequest
from stylebatch.tasks.progress import Pending, Settled, Watcher, watcher
from stylebatch.tasks.runs.report import Outcome
from stylebatch.tasks.storage import cache, object_stores
from stylebatch.tasks.stylizing import pair_task
from stylebatch.tasks.training import engines
from tests.command import call
from tests.object_store import ACCESS_KEY, SECRET, Bucket
from tests.waiting import FUSE, wait_for

COMMAND = str(Path(sys.executable).parent / "stylebatch")


def start(server: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, *map(str, arguments)],
        env=os.environ | {"PREFECT_API_URL": server} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def statuses(outcomes: Sequence[Outcome]) -> list[str]:
    return [outcome.status for outcome in outcomes]


def report_of(bucket: Bucket, out: str = "out") -> pd.DataFrame:
    return pd.read_parquet(io.BytesIO(bucket.get(f"{out}/report.parquet")))


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "alone")
def test_a_run_from_and_to_a_bucket_and_the_next_one_computes_nothing(bucket: Bucket) -> None:
    manifest, out = UPath(bucket.url("in/my.yaml")), UPath(bucket.url("out"))
    assert statuses(stylize(manifest, out, trace=True)) == ["completed"] * 4
    report = report_of(bucket)
    assert list(report["content"]) == ["images/chelsea.jpg"] * 2 + ["images/coffee.jpg"] * 2
    for output, digest, key in zip(report["output"], report["output_sha256"], report["key"], strict=True):
        picture = bucket.get(f"out/{output}")
        assert Image.open(io.BytesIO(picture)).size == (64, 43)
        assert bucket.get(f"out/.store/pictures/{key}.png") == picture
        assert json.loads(json.loads(bucket.get(f"out/.store/records/{key}"))["result"])["output_sha256"] == digest
    assert {"out/grids/grid-001.png", "out/run.json", "out/traces.parquet"} < set(bucket.names("out"))
    assert len(pd.read_parquet(io.BytesIO(bucket.get("out/traces.parquet")))) == 4 * 3
    assert json.loads(bucket.get("out/run.json"))["manifest"] == bucket.url("in/my.yaml")

    pages = bucket.files.info(f"{bucket.name}/out/grids/grid-001.png")
    shutil.rmtree(cache.folder() / "files")
    bucket.store.requests.clear()
    assert statuses(stylize(manifest, out)) == ["cached"] * 4
    asked = list(bucket.store.requests)
    assert bucket.files.info(f"{bucket.name}/out/grids/grid-001.png") == pages, "drawn again"
    again = report_of(bucket)
    pd.testing.assert_frame_equal(again.drop(columns="status"), report.drop(columns="status"))
    for name in report["key"]:
        assert sum(name in line for line in asked) == 1, "one request a row: for its record"
    read = [line for line in asked if line.startswith("GET") and line.endswith((".png?", ".jpg?"))]
    assert set(read) == {f"GET /{bucket.name}/out/grids/grid-001.png?"}, "a picture was read to see that all is done"


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_many_rows_are_listed_and_not_asked_for_one_by_one(bucket: Bucket) -> None:
    for number in range(24):
        buffer = io.BytesIO()
        Image.new("RGB", (40, 30), (number * 10, 0, 0)).save(buffer, "PNG")
        bucket.put(f"many/{number:02}.png", buffer.getvalue())
    manifest, out = UPath(bucket.url("in/many.yaml")), UPath(bucket.url("many-out"))
    settings = "{size: 32, steps: 1, content_layers: relu1_1, style_layers: relu1_1}"
    contents = f"contents: {bucket.url('many/*.png')}\nstyles: ../in/styles/glass.jpg\n"
    bucket.put("in/many.yaml", f"defaults: {settings}\n{contents}")
    assert statuses(stylize(manifest, out)) == ["completed"] * 24
    bucket.store.requests.clear()
    assert statuses(stylize(manifest, out)) == ["cached"] * 24
    assert len(bucket.store.requests) < 24 + 40, "one a row, and some for the run"


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_network_is_tuned_into_a_bucket_and_painted_with_from_there(
    bucket: Bucket, small_network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUNDLED", small_network)
    monkeypatch.setattr(engines, "TUNING_STEPS", 2)  # which is quicker than optimizing even these few
    manifest, out = UPath(bucket.url("in/my.yaml")), UPath(bucket.url("auto"))
    asked: dict[str, str | int | float] = {"engine": "auto", "steps": 500, "precision": "float32"}
    outcomes = stylize(manifest, out, asked)
    assert statuses(outcomes) == ["completed"] * 4
    models = {outcome.record.settings.model for outcome in outcomes if outcome.record}
    assert len(models) == 2, "one a style"
    assert {model.removeprefix(f"{bucket.url('')}") for model in models} == {
        name for name in bucket.names("auto/.store/networks") if name.endswith(".safetensors")
    }
    assert statuses(stylize(manifest, out, asked)) == ["cached"] * 4


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_local_and_remote_go_together(bucket: Bucket, tmp_path: Path, samples: Path) -> None:
    mask = io.BytesIO()
    Image.new("L", (8, 8), 255).save(mask, "PNG")
    bucket.put("in/mask.png", mask.getvalue())
    style, init = bucket.url("in/styles/glass.jpg"), bucket.url("in/images/coffee.jpg")
    content = bucket.url("in/images/chelsea.jpg")
    rows = [
        {"id": "remote-content", "content": content, "style": f"{samples}/styles/glass.jpg"},
        {"id": "remote-style", "content": f"{samples}/images/chelsea.jpg", "style": style},
        {"id": "masked", "content": f"{samples}/images/chelsea.jpg", "style": style, "init": init,
         "masks": bucket.url("in/mask.png")},
        {"id": "missing", "content": bucket.url("in/images/none.jpg"), "style": style},
        {"id": "no-bucket", "content": "s3://no-such-bucket-here/a.jpg", "style": style},
        {"id": "no-package", "content": "gs://bucket/a.jpg", "style": style},
        {"id": "no-protocol", "content": "foo://bucket/a.jpg", "style": style},
    ]  # fmt: skip
    manifest = tmp_path / "rows.jsonl"
    manifest.write_text("\n".join(json.dumps({**row, "size": 64, "steps": 1}) for row in rows))
    outcomes = stylize(manifest, tmp_path / "out")
    assert statuses(outcomes) == ["completed"] * 3 + ["failed"] * 4
    first, second = outcomes[0].record, outcomes[1].record
    assert first
    assert second
    assert first.key == second.key, "the same bytes, wherever they lie"
    assert [outcome.error for outcome in outcomes[3:]] == [
        "content: there is no file none.jpg",
        "content: there is no bucket s3://no-such-bucket-here",
        "content: gs:// needs a package that is not there: pip install 'stylebatch[gs]'",
        "content: foo://bucket/a.jpg: there is no protocol foo://; there are s3, s3a, gs, gcs, az, abfs, memory, http, "
        "https",
    ]
    assert (tmp_path / "out/images/masked.png").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_weights_by_url(bucket: Bucket, tmp_path: Path) -> None:
    from tests.random_weights import make_model, save

    bucket.put("in/own.safetensors", save(make_model("squeezenet"), tmp_path / "own.safetensors").read_bytes())
    overrides = {"network": "squeezenet", "weights": "own.safetensors", "steps": "1"}
    outcomes = stylize(UPath(bucket.url("in/my.yaml")), tmp_path / "out", overrides)
    assert statuses(outcomes) == ["completed"] * 4
    bucket.put("in/bad.safetensors", b"no weights")
    refused = stylize(UPath(bucket.url("in/my.yaml")), tmp_path / "out", overrides | {"weights": "bad.safetensors"})
    assert statuses(refused) == ["failed"] * 4
    assert "bad.safetensors is damaged, or no file of weights" in str(refused[0].error)


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_reprocess_and_gallery_of_a_remote_run(bucket: Bucket, tmp_path: Path) -> None:
    manifest, out = UPath(bucket.url("in/my.yaml")), UPath(bucket.url("out"))
    first = stylize(manifest, out)
    bucket.put("in/images/coffee.jpg", bucket.get("in/images/chelsea.jpg"))
    record = first[0].record
    assert record
    bucket.remove(f"out/.store/pictures/{record.key}.png")
    assert statuses(reprocess(out)) == ["completed", "cached", "completed", "cached"], "two of them are the same now"
    page = gallery([out])
    assert str(page) == bucket.url("out/gallery/index.html")
    pictures = bucket.names("out/gallery/pictures")
    assert pictures
    assert b"stylebatch gallery" in bucket.get("out/gallery/index.html")
    bucket.put("out/gallery/pictures/" + "0" * 32 + "-320.webp", b"of another day")
    bucket.store.requests.clear()
    gallery([out])
    assert not [line for line in bucket.store.requests if line.startswith("PUT") and "/pictures/" in line]
    assert bucket.names("out/gallery/pictures") == pictures
    assert gallery([out], tmp_path / "here").exists()
    bucket.put("out/gallery/index.html", "a page of somebody else")
    with pytest.raises(BadRequest, match="choose another folder with --out"):
        gallery([out])


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_an_endpoint_that_fails_now_and_then(bucket: Bucket) -> None:
    def fault(number: int, line: str) -> str:
        return "503 Slow Down" if number % 11 == 0 else "drop" if number % 17 == 0 else ""

    with bucket.store.failing(fault):
        outcomes = stylize(UPath(bucket.url("in/my.yaml")), UPath(bucket.url("out")), {"steps": "1"})
    assert statuses(outcomes) == ["completed"] * 4
    assert {f"out/{outcome.output}" for outcome in outcomes} == set(bucket.names("out/images"))


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """File systems that are made anew within the test, by the environment that it sets."""
    monkeypatch.setattr(object_stores, "_file_systems", {})
    s3fs.S3FileSystem.clear_instance_cache()
    yield monkeypatch
    s3fs.S3FileSystem.clear_instance_cache()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_pair_is_tried_again_when_the_store_stays_away_for_longer(bucket: Bucket, fresh: pytest.MonkeyPatch) -> None:
    fresh.setenv("AWS_MAX_ATTEMPTS", "1")
    fresh.setattr(pair_task.stylize_pair, "retry_delay_seconds", [0.1, 0.1, 0.1])
    failed: list[str] = []

    def fault(number: int, line: str) -> str:
        if line.startswith("PUT") and "/pictures/" in line and len(failed) < 2:
            failed.append(line)
            return "drop"
        return ""

    manifest = UPath(bucket.url("in/one.csv"))
    bucket.put("in/one.csv", "content,style,size,steps\nimages/coffee.jpg,styles/glass.jpg,64,1\n")
    # A connection that is dropped is tried again by aiohttp, botocore and s3fs, each in its own way.
    fresh.setattr(s3fs.S3FileSystem, "retries", 1)
    with bucket.store.failing(fault):
        (outcome,) = stylize(manifest, UPath(bucket.url("out")))
    assert outcome.record
    assert outcome.record.attempts > 1


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_store_that_goes_away_ends_the_run_with_a_sentence(
    bucket: Bucket, fresh: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(number: int, line: str) -> str:
        return "403 Forbidden" if line.startswith("PUT") and "report.parquet" in line else ""

    fresh.setenv("COLUMNS", "200")
    with bucket.store.failing(fault), pytest.raises(typer.Exit) as ended, clear_errors(verbose=False):
        stylize(UPath(bucket.url("in/my.yaml")), UPath(bucket.url("out")), {"steps": "1"})
    assert ended.value.exit_code == 2
    assert "report.parquet; what is done is kept: run the same command again" in capsys.readouterr().err
    assert len(bucket.names("out/images")) == 4


class Meddler(Watcher):
    """Takes pictures away, and what was read of them, once the run has looked at all and before it computes."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def planned(self, jobs: Sequence[Pending], settled: Sequence[Settled]) -> None:
        self._bucket.remove("in/images/coffee.jpg")
        self._bucket.put("in/images/chelsea.jpg", self._bucket.get("in/styles/glass.jpg"))
        shutil.rmtree(cache.folder() / "files")
        cache.forget()


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_a_picture_that_changes_or_vanishes_during_the_run(bucket: Bucket) -> None:
    bucket.put(
        "in/two.csv", "content,style,size,steps\n"
        "images/chelsea.jpg,styles/swirls.jpg,64,1\nimages/coffee.jpg,styles/swirls.jpg,64,1\n"
    )  # fmt: skip
    token = watcher.set(Meddler(bucket))
    try:
        changed, vanished = stylize(UPath(bucket.url("in/two.csv")), UPath(bucket.url("out")))
    finally:
        watcher.reset(token)
    assert changed.error == "chelsea.jpg was changed while the run was going on; run again"
    assert vanished.error == "there is no file coffee.jpg"


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "alone")
def test_altered_pictures_and_records_are_no_hits(bucket: Bucket) -> None:
    manifest, out = UPath(bucket.url("in/my.yaml")), UPath(bucket.url("out"))
    first = stylize(manifest, out, {"steps": "1"})
    keys = [outcome.record.key for outcome in first if outcome.record]
    bucket.put(f"out/.store/pictures/{keys[0]}.png", b"altered")
    bucket.put(f"out/.store/records/{keys[1]}", b"{}")
    bucket.remove(f"out/images/{first[2].id}.png")
    again = stylize(manifest, out, {"steps": "1"})
    assert statuses(again) == ["completed", "completed", "cached", "cached"]
    assert json.loads(bucket.get("out/run.json"))["damaged"] == [first[0].id, first[1].id]
    for outcome in again:
        assert outcome.record
        assert bucket.get(f"out/{outcome.output}") == bucket.get(f"out/.store/pictures/{outcome.record.key}.png")


@pytest.mark.slow
@pytest.mark.usefixtures("prefect", "restored_process")
def test_killed_and_run_again(bucket: Bucket, prefect_server: str) -> None:
    rows = ["one,1,0", "two,1,1", "endless,100000,2"]
    lines = [
        f"{name},images/chelsea.jpg,styles/glass.jpg,64,{rest}" for name, rest in (row.split(",", 1) for row in rows)
    ]
    bucket.put("in/rows.csv", "\n".join(["id,content,style,size,steps,seed", *lines]))
    process = start(prefect_server, "run", bucket.url("in/rows.csv"), "--out", bucket.url("out"))
    try:
        two = {"out/images/one.png", "out/images/two.png"}
        wait_for(lambda: two <= set(bucket.names("out/images")), "two pictures are there", process)
    finally:
        process.kill()
    assert process.wait() == -signal.SIGKILL
    for name in bucket.names("out"):
        if name.endswith(".png"):
            Image.open(io.BytesIO(bucket.get(name))).load()
    status = call("status", bucket.url("out"))
    assert (status.exit_code, "crashed" in status.stdout) == (0, True)
    again = call("reprocess", bucket.url("out"), "--set", "steps=1", "--json")
    found = json.loads(again.stdout)
    assert (again.exit_code, found["completed"], found["cached"], found["out"]) == (0, 1, 2, bucket.url("out"))


def written_by_prefect() -> bytes:
    home = Path(os.environ["PREFECT_HOME"])
    return b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


@pytest.mark.slow
def test_workers_need_only_the_url_and_no_secret_is_written_anywhere(
    bucket: Bucket, tmp_path: Path, prefect_server: str
) -> None:
    out = bucket.url("out")
    # The workers' cache is another one, as on another machine: nothing of this machine's may be in what they get.
    options = ["--out", out, "--runner", "dask", "--devices", "cpu", "-v"]
    process = start(
        prefect_server, "run", bucket.url("in/my.yaml"), *options, PREFECT_LOGGING_LEVEL="DEBUG",
        PREFECT_LOGGING_TO_API_ENABLED="true", STYLEBATCH_CACHE=str(tmp_path / "cache"),
    )  # fmt: skip
    stdout, stderr = process.communicate(timeout=FUSE)
    assert process.returncode == 0, stderr
    assert list(report_of(bucket)["status"]) == ["completed"] * 4
    everything = stdout.encode() + stderr.encode() + written_by_prefect()
    everything += b"".join(bucket.get(name) for name in bucket.names())
    everything += b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    for secret in (SECRET, ACCESS_KEY):
        assert secret.encode() not in everything
    assert str(tmp_path).encode() not in b"".join(bucket.get(name) for name in bucket.names("out"))


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["run", "s3://{bucket}/in/none.yaml"], {}, "there is no manifest s3://"),
        (["check", "s3://no-such-bucket-here/a.yaml"], {}, "there is no bucket s3://no-such-bucket-here"),
        (["check", "gs://bucket/a.yaml"], {}, "pip install 'stylebatch[gs]'"),
        (["check", "foo://bucket/a.yaml"], {}, "there is no protocol foo://"),
        (["check", f"s3://{ACCESS_KEY}:{SECRET}@bucket/a.yaml"], {}, "give credentials by the environment"),
        (["check", "https://example.org/a.yaml"], {}, "unless --allow-http is given"),
        (["status", "s3://{bucket}/nowhere"], {}, "there is no run in s3://"),
        (["reprocess", "s3://{bucket}/nowhere"], {}, "there is no run in s3://"),
        (["gallery", "s3://{bucket}/nowhere"], {}, "there is no run in s3://"),
        (["check", "s3://{bucket}/in/my.yaml"], {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
         "no credentials in the environment: set AWS_ACCESS_KEY_ID"),
        (["check", "s3://{bucket}/in/my.yaml"], {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"},
         "the store does not answer as it should: Could not connect to the endpoint"),
        (["check", "s3://{bucket}/in/my.yaml"], {"STYLEBATCH_CACHE_GB": "much"}, "it is the size of the cache in GB"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_out_is_told_in_a_sentence(
    arguments: list[str], environment: dict[str, str], message: str, bucket: Bucket, fresh: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        fresh.setenv(name, value)
    found = call(*(argument.format(bucket=bucket.name) for argument in arguments))
    assert found.exit_code == 2, found.output
    assert isinstance(found.exception, SystemExit)
    assert message in re.sub(r"[\s│]+", " ", found.output), found.output
    assert SECRET not in found.output


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_an_out_that_cannot_be_written_to_is_refused(bucket: Bucket) -> None:
    manifest = UPath(bucket.url("in/my.yaml"))
    with pytest.raises(BadRequest, match="there is no bucket s3://no-such-bucket-here; choose another with --out"):
        stylize(manifest, UPath("s3://no-such-bucket-here/out"))
    with pytest.raises(BadRequest, match="nothing can be written over http"):
        stylize(manifest, UPath("https://example.org/out"))
    refused = bucket.store.failing(lambda number, line: "403 Forbidden" if line.startswith("PUT") else "")
    with refused, pytest.raises(BadRequest, match="access denied"):
        stylize(manifest, UPath(bucket.url("out")))


@pytest.mark.slow
@pytest.mark.usefixtures("prefect")
def test_what_is_secret_in_a_manifest_stays_out_of_the_report(
    bucket: Bucket, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest = tmp_path / "rows.csv"
    signed = "https://example.org/a.jpg?X-Amz-Signature=0123abcd"
    rows = [
        "s3://KEY:pass/phrase-x@b/a.jpg,a.jpg,",
        f"{signed},a.jpg,",
        "a.jpg,a.jpg,https://name:pass/phrase-x@h/a.jpg",
    ]
    manifest.write_text("\n".join(["content,style,init", *rows]))
    for allow_http in (False, True):
        outcomes = stylize(manifest, UPath(bucket.url("out")), allow_http=allow_http)
        assert statuses(outcomes) == ["failed"] * 3
    gallery([UPath(bucket.url("out"))])
    written: dict[str, Any] = {name: bucket.get(name) for name in bucket.names("out")}
    for name, data in written.items():
        assert b"phrase-x" not in data, name
        assert b"0123abcd" not in data, name
    assert "phrase-x" not in repr(report_of(bucket).to_dict()) + capsys.readouterr().out
