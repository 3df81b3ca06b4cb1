"""A run's spans: what a collector of OpenTelemetry gets, as docs/schedules.md says."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from stylebatch.flows.stylize import stylize


@pytest.mark.usefixtures("prefect")
def test_spans_are_named_by_the_manifest_and_by_the_ids(
    samples: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(collected))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    manifest = tmp_path / "mine.csv"
    pair = f"{samples}/images/chelsea.jpg,{samples}/styles/swirls.jpg"
    manifest.write_text(f"id,content,style,size,steps,judge\ncat,{pair},48,1,0\n")
    stylize(manifest, tmp_path / "out", grids=False)
    scoped = [(span.instrumentation_scope, span) for span in collected.get_finished_spans()]
    spans = [span for scope, span in scoped if scope and scope.name == "prefect"]
    assert [span.name for span in spans] == ["cat", "mine"]
    assert spans[0].parent
    assert spans[0].parent.span_id == spans[1].context.span_id
