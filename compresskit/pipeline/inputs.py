"""Everything a search is given, read and checked before anything is computed or written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from compresskit.display import Display, Say
from compresskit.engine.precision import refusal
from compresskit.errors import ConfigurationError
from compresskit.families import dimensions_of
from compresskit.inputs import TOKEN_IDS
from compresskit.methods.names import BLOCK, LABELLED, NAS
from compresskit.pipeline.checkpoint.tokenizer import check_segments
from compresskit.pipeline.judge_sets import with_judges
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.store.rotation import check_dims
from compresskit.pipeline.training.dense_labels import with_dense_labels
from compresskit.pipeline.training.input_warnings import cautions
from compresskit.pipeline.training.models import Checkpoint, open_checkpoint
from compresskit.searchers.factory import make_searcher
from compresskit.searchers.objectives import Objective, make_objectives
from compresskit.searchers.proposals import GapSearcher
from compresskit.searchers.searcher import Searcher
from compresskit.spaces import PrecisionSpace, Space, make_space
from compresskit.target.open import open_target
from compresskit.target.profile import Profile
from compresskit.tasks.encoding import position_limit
from compresskit.tasks.sentence import Sentence
from compresskit.tasks.task import Task, load_task
from compresskit.training.stages import check_importance
from compresskit.training.strategies import STRATEGIES, make_strategy


@dataclass(frozen=True)
class Inputs:
    """The checkpoint, the task and the device of a search, and what is searched for in which space.

    The space is that of the model's sizes alone: `Context.space` is what the run has learnt of it.
    """

    checkpoint: Checkpoint
    task: Task
    profile: Profile
    space: Space
    objectives: tuple[Objective, ...]


def read_inputs(settings: SearchSettings, profile: Profile, display: Display) -> Inputs:
    """Read model, data and profile. Raises CompresskitError for whatever the user can correct in them."""
    with display.stage("reading model and data"):
        return _read(settings, profile, display)


def _read(settings: SearchSettings, profile: Profile, say: Say) -> Inputs:
    objectives = make_objectives(settings.objectives)
    checkpoint = open_checkpoint(settings.model)
    space = _space(settings, checkpoint, profile)
    searcher_for(settings, space, objectives)
    check_importance(settings.importance)
    make_strategy(
        settings.strategy, space.full, space.smallest, lambda *_: space.smallest, settings.num_random
    )
    with open_target(profile, say=say):
        pass  # a provider that is not there, or an agent that does not answer, is known now
    task = read_task(settings, checkpoint)
    checkpoint, profile = checkpoint.for_kind(task.kind), profile.filled(task.kind.request_sizes)
    if task.kind.reads == TOKEN_IDS:
        check_segments(
            checkpoint.source,
            checkpoint.config,
            checkpoint.inputs.names,
            checkpoint.reader,
            task.num_texts,
        )
    for note in checkpoint.notes:
        say(f"model: {note}")
    for note in task.notes:
        say(f"data: {note}")
    for caution in cautions(task, checkpoint):
        say(f"warning: {caution}")
    return Inputs(checkpoint, task, profile, space, objectives)


def searcher_for(settings: SearchSettings, space: Space, objectives: Sequence[Objective]) -> Searcher:
    """The searcher that a search of `space` asks. SearchError where it cannot serve that space."""
    searcher = make_searcher(settings.searcher, space, objectives, settings.seed)
    return GapSearcher(searcher, settings.proposals) if settings.proposals > 1 else searcher


def _space(settings: SearchSettings, checkpoint: Checkpoint, profile: Profile) -> Space:
    """The space of architectures, and of precisions where more than fp32 is searched."""
    space = make_space(
        settings.space,
        dimensions_of(checkpoint.config),
        layer_policy=settings.layer_policy,
        unit_multiple=settings.unit_multiple,
    )
    precisions = settings.precisions_on(profile)
    if precisions == ("fp32",):
        return space
    found = PrecisionSpace(space, precisions)
    for precision in precisions:
        reason = refusal(precision, profile.provider)
        if reason is not None:
            raise ConfigurationError(
                f"precision {precision!r} cannot be searched on profile {profile.name!r}: {reason}. "
                "Leave it out of --precisions."
            )
    return found


def _check_taught(settings: SearchSettings, task: Task) -> None:
    """ConfigurationError for options that need labels where there are none, or vectors."""
    kind = task.kind
    for option, does in (("pooling", "makes vectors"), ("judge", "scores vectors")):
        if getattr(settings, option) and not kind.is_vector:
            raise ConfigurationError(
                f"{option} {does} of texts, which task {kind.name} does not give; leave it out."
            )
    if not kind.is_taught:
        return
    if settings.method in LABELLED or (settings.method == BLOCK and not settings.distil):
        raise ConfigurationError(
            f"method {settings.method} learns from labels, which task {kind.name} does not have here; take "
            "one that the dense model teaches, such as nas or student."
        )
    if settings.method == NAS and not STRATEGIES[settings.strategy].needs_teacher:
        raise ConfigurationError(
            f"strategy {settings.strategy} learns from labels, which task {kind.name} does not have here; "
            "take teacher."
        )


def read_task(settings: SearchSettings, checkpoint: Checkpoint) -> Task:
    """The task of a run, the same whoever reads it."""
    sentence = checkpoint.sentence
    if settings.pooling is not None:
        sentence = replace(sentence or Sentence(), pooling=settings.pooling)
    task = load_task(
        settings.dataset,
        tokenizer=checkpoint.reader,
        text_columns=settings.text_column or None,
        label_column=settings.label_column,
        kind=settings.task,
        metric=settings.metric,
        max_length=settings.max_length,
        max_positions=position_limit(checkpoint.config.to_dict()),
        seed=settings.seed,
        label2id=checkpoint.label2id,
        head_task=checkpoint.head_task,
        head_problem=checkpoint.config.problem_type,
        inputs=checkpoint.inputs,
        sentence=sentence,
    )
    _check_taught(settings, task)
    for dims in settings.dims:
        check_dims(dims, task, checkpoint.config)
    task = with_judges(task, settings.judge, checkpoint.reader)
    return with_dense_labels(task, checkpoint, settings.seed) if task.kind.is_taught else task
