"""The choice of the number format: what the library reports, and what the clock says."""

from __future__ import annotations

import pytest
import torch

from stylebatch.tasks.nst import precision


@pytest.fixture(autouse=True)
def ask_anew() -> None:
    precision.fastest_precision.cache_clear()


def rates(bfloat16: float) -> dict[torch.dtype, float]:
    return {torch.float32: 100e9, torch.bfloat16: bfloat16}


@pytest.mark.parametrize(
    ("instructions", "rate", "expected"),
    [(True, 250e9, "bfloat16"), (True, 60e9, "float32"), (False, 250e9, "float32")],
)
def test_bfloat16_needs_instructions_and_a_faster_clock(
    instructions: bool, rate: float, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one place where the machine itself has to be played: a test cannot choose its processor.
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": instructions})
    monkeypatch.setattr(precision, "core_rate", lambda dtype: rates(rate)[dtype])
    assert precision.fastest_precision("cpu") == expected


def test_this_machine_has_an_answer_that_holds() -> None:
    first = precision.fastest_precision("cpu")
    precision.fastest_precision.cache_clear()
    assert first == precision.fastest_precision("cpu")


def test_the_rate_is_that_of_a_processor_and_leaves_the_threads_as_they_were() -> None:
    before = torch.get_num_threads()
    assert 1e8 < precision.core_rate(torch.float32, size=256) < 1e15
    assert torch.get_num_threads() == before


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_cuda_is_asked_for_its_own_support() -> None:
    expected = "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    assert precision.fastest_precision("cuda:0") == expected
