"""What all tests share: a Prefect of their own, sample pictures, and a small manifest."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.request import urlopen

import certifi
import hypothesis
import pytest

from tests.waiting import FUSE, wait_for

if TYPE_CHECKING:
    from stylebatch.tasks.networks.models import Network
    from tests.object_store import Bucket, ObjectStore

# Before anything imports Prefect: the tests must not write to the user's own.
_prefect_home = tempfile.TemporaryDirectory(prefix="stylebatch-prefect-", ignore_cleanup_errors=True)
os.environ |= {
    "PREFECT_HOME": _prefect_home.name,
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # as the command gives it
    "DO_NOT_TRACK": "1",
}
os.environ.pop("PREFECT_API_URL", None)
_cache = tempfile.TemporaryDirectory(prefix="stylebatch-cache-", ignore_cleanup_errors=True)
os.environ["STYLEBATCH_CACHE"] = _cache.name
# Hugging Face's `datasets` reads what is exported, and asks nobody on the net.
os.environ |= {"HF_HUB_OFFLINE": "1", "HF_HOME": f"{_cache.name}/huggingface"}
# Each of Prefect's clients reads all authorities of TLS, which nothing here speaks: one is quicker than a hundred.
_authority = Path(_cache.name) / "authority.pem"
_authority.write_text("".join(Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----")[:2]))
os.environ["PREFECT_API_SSL_CERT_FILE"] = str(_authority)
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    # The cores are shared out among the workers, or torch's threads would wait for each other.
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // int(workers)))

# The same examples every time, and none is refused because the machine was slow to make it.
hypothesis.settings.register_profile(
    "steady", derandomize=True, deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("steady")

ROOT = Path(__file__).parent.parent
AtServer = Callable[[], AbstractContextManager[object]]
# Where tests run commands or networks, which takes a second; elsewhere it takes some thousandths.
COMPUTING = ("tests/flows", *(f"tests/tasks/{room}" for room in ("networks", "nst", "stylizing", "training")))


def pytest_itemcollected(item: pytest.Item) -> None:
    """A module's tests go to one process, which makes what they share (``--dist loadgroup``).

    Those of a Prefect server go to one together: to start a second server takes as long as ten tests. While a flow
    waits for its server, the other process computes. What is slow is worth a second one.

    As soon as a test is found: when all are, xdist has looked at the marks already.
    """
    if isinstance(item, pytest.Function) and not item.get_closest_marker("xdist_group"):
        at_server = "prefect_server" in item.fixturenames and not item.get_closest_marker("slow")
        item.add_marker(pytest.mark.xdist_group("prefect" if at_server else item.location[0]))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long begins, and what takes moments fills up the end, so that both processes end together."""

    def place(item: pytest.Item) -> int:
        mark = item.get_closest_marker("xdist_group")
        if mark and mark.args == ("prefect",):
            return 0
        return 1 if item.location[0].startswith(COMPUTING) else 2

    items.sort(key=place)


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of the sample manifests, with ``images/`` and ``styles/``."""
    return ROOT / "manifests"


@pytest.fixture(scope="session", autouse=True)
def _weights_in_memory() -> Iterator[None]:
    """The bundled weights are read and digested once a process; each encoder of a test is still made of them."""
    from stylebatch.tasks.networks import weights as files
    from stylebatch.tasks.nst import weights
    from stylebatch.tasks.storage.files import sha256_of

    read, bundled = cache(weights._read_palette), weights.bundled_weights()
    sha256 = sha256_of(bundled)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(weights, "_read_palette", lambda path: {**read(path)})
        patched.setattr(files, "sha256_of", lambda file: sha256 if file == bundled else sha256_of(file))
        yield


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pairs are optimized in company within this test, but each by a task of its own."""
    monkeypatch.setattr("stylebatch.tasks.plan.batches.IN_COMPANY", {"float32": 0, "bfloat16": 0, "cuda": 0})


@pytest.fixture
def no_grids(monkeypatch: pytest.MonkeyPatch) -> None:
    """No run of this test draws its results in grids, which takes as long as to paint some of them."""
    monkeypatch.setattr("stylebatch.flows.settling.write_grids", lambda *_: [])


@pytest.fixture
def manifest(tmp_path: Path, samples: Path) -> Path:
    """Two contents in one style, at 64 px and three steps."""
    path = tmp_path / "pairs.yaml"
    path.write_text(
        "defaults: {size: 64, steps: 3}\n"
        f"contents: [{samples}/images/chelsea.jpg, {samples}/images/coffee.jpg]\n"
        f"styles: [{samples}/styles/swirls.jpg]\n"
    )
    return path


def _write_untrained(path: Path, network: Network, **said: Any) -> None:
    """The file of a network that has learned nothing, with what else is to be said of it."""
    from stylebatch.tasks.networks.models import Trained, described, write_model
    from stylebatch.tasks.request.settings import Settings

    counts = dict.fromkeys(("contents", "styles", "held_out", "steps", "samples"), 0)
    figures = {"seconds": 0.0, "structure": 0.5, "style_distance": 0.5}
    trained = Trained(architecture=described(network), settings=Settings(size=64), **counts, **figures, **said)
    write_model(path, network, trained)


def _small_any_style(path: Path, seed: int, **said: Any) -> Path:
    import torch

    from stylebatch.tasks.nst.any_style import AnyStyleNetwork, Architecture

    torch.manual_seed(seed)
    network = AnyStyleNetwork(Architecture(outer=8, middle=8, trunk=16, blocks=1, width=16))
    _write_untrained(path, network, smallest=32, largest=96, **said)
    return path


@pytest.fixture(scope="session")
def small_network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a network for any style that is small and has learned nothing yet: it gives colours alone."""
    path = tmp_path_factory.mktemp("networks") / "small.safetensors"
    return _small_any_style(path, seed=0, style="", style_sha256="")


@pytest.fixture(scope="session")
def tuned_network(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """Another, which says that it is tuned to ``swirls``."""
    from stylebatch.tasks.storage.files import sha256_of

    path = tmp_path_factory.mktemp("networks") / "swirls.safetensors"
    digest = sha256_of(samples / "styles/swirls.jpg")
    return _small_any_style(path, seed=1, style="swirls.jpg", style_sha256=digest)


@pytest.fixture(scope="session")
def paintings(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """A folder with a collection: eight small pieces of two painted styles, and a text beside them."""
    from PIL import Image

    folder = tmp_path_factory.mktemp("paintings")
    for name in ("swirls", "waves"):
        whole = Image.open(samples / f"styles/{name}.jpg").resize((160, 160))
        for number in range(4):
            left, top = 80 * (number % 2), 80 * (number // 2)
            whole.crop((left, top, left + 80, top + 72)).save(folder / f"{name}-{number}.png")
    (folder / "SOURCES.txt").write_text("none of them is a painting")
    return folder


@pytest.fixture(scope="session")
def collection_network(tmp_path_factory: pytest.TempPathFactory, paintings: Path) -> Path:
    """The file of a small network that paints as that collection does, or would if it had learned something."""
    import torch
    from PIL import Image

    from stylebatch.tasks.networks.models import OF_COLLECTION
    from stylebatch.tasks.nst.collection_network import CollectionNetwork
    from stylebatch.tasks.nst.ground import statistics
    from stylebatch.tasks.nst.transformation import TransformationArchitecture
    from stylebatch.tasks.request.collections import digest
    from stylebatch.tasks.storage.files import sha256_of
    from stylebatch.tasks.stylizing.objective import to_tensor

    torch.manual_seed(0)
    network = CollectionNetwork(TransformationArchitecture(outer=8, middle=8, trunk=8, blocks=1))
    torch.nn.init.normal_(network.painter.weight, std=0.3)
    seen = [Image.open(path) for path in paintings.glob("*.png")]
    network.statistics.copy_(torch.cat([statistics(to_tensor(one, "cpu")) for one in seen]).mean(0))
    digests = tuple(sorted(map(sha256_of, paintings.glob("*.png"))))
    path = tmp_path_factory.mktemp("networks") / "painters.safetensors"
    name, whole = "a collection of 8 paintings", digest(digests)
    said = {"format": OF_COLLECTION, "style": name, "style_sha256": whole, "paintings": digests}
    _write_untrained(path, network, **said, smallest=48, largest=80)
    return path


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """The folder of a user who has a ``tasks.py`` and a ``flows/`` of their own, and a script beside them."""
    folder = tmp_path / "workplace"
    (folder / "flows").mkdir(parents=True)
    for name in ("tasks.py", "flows/__init__.py"):
        (folder / name).write_text('raise RuntimeError("this is the user\'s own")\n')
    (folder / "script.py").write_text('from stylebatch.flows.cli import app\n\nif __name__ == "__main__":\n    app()\n')
    return folder


@pytest.fixture(scope="session")
def prefect_server(pytestconfig: pytest.Config) -> Iterator[str]:
    """A real Prefect server on loopback, as a user would run one; its API's address."""
    database = Path(_prefect_home.name) / "prefect.db"
    # An empty database is kept from one time to the next: to make it takes as long as a dozen tests.
    empty = pytestconfig.cache.mkdir("prefect") / f"{version('prefect')}.db" if pytestconfig.cache else None
    if empty and empty.exists() and not database.exists():
        shutil.copy(empty, database)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "prefect", "server", "start", "--no-ui", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/api"
    try:
        wait_for(lambda: _answers(url), "the Prefect server answers", server)
        if empty and not empty.exists():
            _copy(database, empty)
        with pytest.MonkeyPatch.context() as patched:
            # At its end each flow of this process would wait for its heart, which sleeps for a second at a time.
            patched.setattr("prefect.flow_engine.BaseFlowRunEngine.heartbeat_seconds", None)
            yield url
    finally:
        server.terminate()
        server.wait(timeout=FUSE)


def _copy(database: Path, target: Path) -> None:
    """Also of one that is in use, and whole or not at all."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copy = Path(folder) / "copy.db"
        with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(copy)) as destination:
            source.backup(destination)
        copy.replace(target)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/health", timeout=FUSE) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="session")
def at_server(prefect_server: str) -> AtServer:
    """Within what it gives, flows of this process run against the real server."""
    from prefect.context import SettingsContext, get_settings_context
    from prefect.settings import PREFECT_API_URL, temporary_settings

    # Made once: it takes Prefect a tenth of a second.
    with temporary_settings({PREFECT_API_URL: prefect_server}) as settings:
        return partial(SettingsContext, profile=get_settings_context().profile, settings=settings)


@pytest.fixture
def prefect(at_server: AtServer) -> Iterator[None]:
    """Flows of this test, in this process, run against the real server."""
    with at_server():
        yield


@pytest.fixture
def restored_process() -> Iterator[None]:
    """Signals, environment and memory as they were, which a command takes over for the rest of its process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    told = signal.set_wakeup_fd(-1)
    with mock.patch.dict(os.environ):
        yield
    gc.unfreeze()
    signal.set_wakeup_fd(told)
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """A real S3 endpoint on loopback, to which the environment leads as long as the tests go on."""
    from tests.object_store import ObjectStore, environment

    store = ObjectStore()
    with environment(store.environment):
        yield store
    store.close()


@pytest.fixture
def bucket(object_store: ObjectStore) -> Bucket:
    """A new bucket there: two photographs, two styles, and a manifest of all pairs at 64 px and three steps."""
    from tests.object_store import Bucket

    bucket = Bucket(object_store)
    for folder, names in (("images", ("chelsea", "coffee")), ("styles", ("swirls", "glass"))):
        for name in names:
            bucket.put(f"in/{folder}/{name}.jpg", (ROOT / f"manifests/{folder}/{name}.jpg").read_bytes())
    bucket.put("in/my.yaml", "defaults: {size: 64, steps: 3}\ncontents: images/*.jpg\nstyles: [styles/*.jpg]\n")
    return bucket
