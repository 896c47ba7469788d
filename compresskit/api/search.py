"""`compresskit.search`: from a model, a data set and a device to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compresskit.api.run import Run
from compresskit.errors import ConfigurationError
from compresskit.options.declare import options_of, read_options, takes
from compresskit.options.search import RunOptions, SearchCall, SearchOptions
from compresskit.options.told import Told
from compresskit.pipeline import search as pipeline
from compresskit.pipeline.settings import SearchSettings


@takes(SearchCall)
def search(**given: Any) -> Run:
    """Fine-tune a super-network, search it on the device, and write the front into the folder `output`.

    Without `resume` or `start_from`, `model`, `dataset` and `profile` are needed, here or in `config`.
    Raises CompresskitError for anything the user can correct, before anything is trained or written.
    """
    say = given.pop("say", Told.say)
    run = RunOptions(**{name: given.pop(name) for name in options_of(RunOptions) if name in given})
    asked = _asked(run, given)
    output = Path(run.output)
    if run.resume:
        pipeline.search(None, output, resume=True, say=say, changes=asked)
        return Run(output)
    more = {"force": run.force, "say": say, "warm_start": run.warm_start and Path(run.warm_start)}
    if run.start_from is not None:
        pipeline.search(None, output, changes=asked, start_from=Path(run.start_from), **more)
    else:
        missing = [name for name in ("model", "dataset", "profile") if not asked.get(name)]
        if missing:
            raise ConfigurationError(f"give --{' and --'.join(missing)}, as an option or in --config.")
        pipeline.search(SearchSettings.from_json(asked), output, **more)
    return Run(output)


def _asked(run: RunOptions, given: dict[str, Any]) -> dict[str, Any]:
    """The settings that were given, those of --config among them."""
    for name in ("warm_start", "start_from", "force"):
        if run.resume and getattr(run, name):
            flag = "--from" if name == "start_from" else f"--{name.replace('_', '-')}"
            raise ConfigurationError(f"--resume continues the run in --output; leave {flag} out.")
    asked = given if run.config is None else {**read_options(run.config, SearchOptions, RunOptions), **given}
    if asked.get("budget") and "trials" not in asked:
        asked["trials"] = None  # a time budget alone ends the search
    elif asked.get("trials") and (run.resume or run.start_from):
        asked.setdefault("budget", None)  # not that of the run, which may be spent
    return asked
