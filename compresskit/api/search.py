"""`compresskit.search`: from a model, a data set and a device to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from compresskit.api.run import Run
from compresskit.display import display_of
from compresskit.errors import ConfigurationError
from compresskit.options.declare import flag_of, options_of, read_options, takes
from compresskit.options.search import RunOptions, SearchCall, SearchOptions
from compresskit.options.told import Told
from compresskit.pipeline import search as pipeline
from compresskit.pipeline.check import check
from compresskit.pipeline.preview import Preview
from compresskit.pipeline.preview import preview as describe
from compresskit.pipeline.settings import SearchSettings


@takes(SearchCall)
def search(**given: Any) -> Run:
    """Fine-tune a super-network, search it on the device, and write the front into the folder `output`.

    Without `resume` or `start_from`, `model`, `dataset` and `profile` are needed, here or in `config`.
    Raises CompresskitError for anything the user can correct, before anything is trained or written.
    """
    say = given.pop("say", Told.say)
    settings, output, how = _asked(given)
    pipeline.search(settings, output, say=say, **how)
    return Run(output)


@takes(SearchCall)
def preview(**given: Any) -> Preview:
    """What `search` would do with these options: data, labels, device, checks and time. Nothing is written.

    All that `search` checks before it begins is checked, and raises the same errors.
    """
    say = given.pop("say", Told.say)
    settings, output, how = _asked(given)
    if how.get("resume"):
        raise ConfigurationError("--dry-run is for a search that is new; leave --resume out.")
    return describe(check(settings, output, display=display_of(say), **how), output)


def _asked(given: dict[str, Any]) -> tuple[SearchSettings | None, Path, dict[str, Any]]:
    """Settings of a new search, the folder of the run, and how `pipeline.search` is to begin."""
    run = RunOptions(**{name: given.pop(name) for name in options_of(RunOptions) if name in given})
    for name, (_, option) in options_of(RunOptions).items():
        if run.resume and name in ("warm_start", "start_from", "force") and getattr(run, name):
            raise ConfigurationError(
                f"--resume continues the run in --output; leave {flag_of(name, option)} out."
            )
    asked = given if run.config is None else {**read_options(run.config, SearchOptions, RunOptions), **given}
    if asked.get("budget") and "trials" not in asked:
        asked["trials"] = None  # a time budget alone ends the search
    elif asked.get("trials") and (run.resume or run.start_from):
        asked.setdefault("budget", None)  # not that of the run, which may be spent
    output = Path(run.output)
    if run.resume:
        return None, output, {"resume": True, "changes": asked}
    how: dict[str, Any] = {"force": run.force, "warm_start": run.warm_start and Path(run.warm_start)}
    if run.start_from is not None:
        return None, output, {**how, "changes": asked, "start_from": Path(run.start_from)}
    missing = [name for name in ("model", "dataset", "profile") if not asked.get(name)]
    if missing:
        raise ConfigurationError(f"give --{' and --'.join(missing)}, as an option or in --config.")
    return SearchSettings.from_json(asked), output, how
