"""Flows over a manifest's rows: how they end in Prefect, and what their callers get."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, ParamSpec, cast

from prefect import Flow
from prefect.client.schemas.objects import State
from prefect.states import Completed, Failed

from stylebatch.flows.word import in_a_sentence
from stylebatch.tasks.runs.report import Outcomes, count

P = ParamSpec("P")

# The rows of the flow that is being called. The state of one whose end a busy server was told of twice lacks them.
_reached: ContextVar[list[Outcomes]] = ContextVar("reached")


class _FlowOverRows(Flow[P, Any]):
    def __call__(self, *args: Any, return_state: bool = False, **kwargs: Any) -> Any:  # type: ignore[override]
        reached: list[Outcomes] = []
        token = _reached.set(reached)
        try:
            state: Any = super().__call__(*args, return_state=True, **kwargs)
        finally:
            _reached.reset(token)
        if return_state:
            return state
        if reached:
            return reached[-1]
        result = state.result(raise_on_failure=False)
        if isinstance(result, BaseException):
            raise result
        return result


def over_rows(name: str, flow_run_name: str) -> Callable[[Callable[P, State[Outcomes]]], Flow[P, Outcomes]]:
    """A decorator like Prefect's, for functions that end with `verdict`.

    A run with failed rows is one that an automation sees. Who calls the flow gets what became of each row all the same.
    """

    def decorate(function: Callable[P, State[Outcomes]]) -> Flow[P, Outcomes]:
        return cast(Flow[P, Outcomes], _FlowOverRows(function, name=name, flow_run_name=flow_run_name))

    return decorate


def verdict(outcomes: Outcomes, rows: int, fail_from: float) -> State[Outcomes]:
    """The state that a run over so many rows ends in: failed where some failed, or where some are left.

    Who called the flow gets the outcomes also where Prefect loses them on the way.

    Args:
        fail_from: the share of failed rows, 0 to 1, from which on it is failed; with 0, one is enough.
    """
    _reached.get([]).append(outcomes)
    failed, left = count(outcomes)["failed"], rows - len(outcomes)
    is_failed = left or (failed and failed >= fail_from * rows)
    return (Failed if is_failed else Completed)(data=outcomes, message=in_a_sentence(outcomes, rows))
