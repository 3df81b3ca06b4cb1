"""What ``--devices`` asks for, and what leases make of it."""

from __future__ import annotations

import threading
from contextlib import suppress

import psutil
import pytest
import torch

from stylebatch.tasks.devices import slots as devices
from stylebatch.tasks.devices.leases import Pool, WorkersOwn
from stylebatch.tasks.devices.slots import Slot, make_slots
from stylebatch.tasks.errors import BadRequest


def test_the_processor_is_one_slot_or_several_that_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert make_slots("cpu") == [Slot("cpu")]
    for text in ("4×cpu", "4xcpu", "4 * cpu", "cpu, 3×cpu"):
        assert make_slots(text) == [Slot("cpu", threads=2, share=0.25)] * 4
    assert make_slots("16×cpu")[0].threads == 1


def test_auto_takes_every_cuda_device_or_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert make_slots("auto") == [Slot("cpu")]
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert make_slots("auto") == [Slot("cuda:0"), Slot("cuda:1")]
    assert make_slots("cuda:1,cpu") == [Slot("cuda:1"), Slot("cpu")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("gpu", "write cuda:0, with a number, or auto for every CUDA device"),
        ("tpu", "write it as auto, cpu, 2×cpu, or cuda:0,cuda:1; not 'tpu'"),
        ("", "not ''"),
        ("0×cpu", "not '0×cpu'"),
        ("2×cuda:0", "not '2×cuda:0'"),
        ("cuda:0,cuda:0", "cuda:0 is named twice"),
        ("cuda:7", "there is no cuda:7 on this machine; it has cuda:0, cuda:1"),
    ],
)
def test_what_is_not_there_is_refused(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(BadRequest, match="--devices") as error:
        make_slots(text)
    assert message in str(error.value)


def test_a_pool_gives_a_slot_to_one_at_a_time_and_takes_it_back_after_an_error() -> None:
    pool = Pool([Slot("cpu", threads=1)])
    taken = threading.Event()

    def wait_for_it() -> None:
        with pool.lease():
            taken.set()

    before = torch.get_num_threads()
    other = threading.Thread(target=wait_for_it)
    with suppress(RuntimeError), pool.lease() as slot:
        assert slot == Slot("cpu", threads=1)
        other.start()
        assert not taken.wait(0.2)
        raise RuntimeError("the pair's")
    other.join(20)
    assert taken.is_set()
    torch.set_num_threads(before)


def test_a_worker_takes_its_own_device_and_its_share_of_the_cores() -> None:
    before = torch.get_num_threads()
    with WorkersOwn(share=1e-9).lease() as slot:
        assert (slot.device, slot.threads, slot.share) == (devices.available_devices()[0], 1, 1e-9)
        assert torch.get_num_threads() == 1
    with WorkersOwn().lease() as slot:
        assert slot.threads == len(psutil.Process().cpu_affinity() or [])
    with WorkersOwn(threads=3).lease() as slot:
        assert slot.threads == 3
    torch.set_num_threads(before)


def test_on_a_gpu_float32_is_float32_and_the_same_is_done_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", False)
    with Pool([Slot("cpu")]).lease():
        assert torch.backends.cudnn.allow_tf32
    with Pool([Slot("cuda:0")]).lease():
        assert not torch.backends.cudnn.allow_tf32
        assert torch.backends.cudnn.deterministic


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device")
def test_every_cuda_device_computes() -> None:
    pool = Pool(make_slots("auto"))
    with pool.lease() as slot:
        assert torch.ones(2, device=slot.device).sum().item() == 2


def test_a_device_is_named_as_this_process_was_given_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert [devices.cuda_name(name) for name in ("cuda:1", "cpu")] == ["1", ""]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2, GPU-5f3")
    assert [devices.cuda_name(name) for name in ("cuda:0", "cuda:1", "cpu")] == ["2", "GPU-5f3", ""]
