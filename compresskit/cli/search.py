"""`compresskit search`: from a model, a data set and a device to a front."""

from __future__ import annotations

from typing import Any

from compresskit.cli.options import command
from compresskit.cli.output import emit, say
from compresskit.options.search import SearchCall


def run(given: dict[str, Any], *, as_json: bool) -> None:
    """Fine-tune a super-network, search it on the device, and write the front."""
    with say.stage("loading libraries"):
        from compresskit.api.search import search
        from compresskit.report.tables import front_with_verdict

    found = search(**given, say=say)
    front, verdict = found.front.record, found.verdict
    shown = {**front.to_json(), "verdict": verdict.to_json()}
    emit(shown, as_json, lambda: front_with_verdict(front, verdict))


main = command(SearchCall, run)
