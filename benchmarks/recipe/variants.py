"""Ways of training a super-network, each one step away from the recipe that is tested."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from benchmarks.recipe.depth_parts import HEAD, NORMS
from benchmarks.recipe.distillation import EVEN, FINAL, PLACE, Mapped, Related
from benchmarks.recipe.sampling import near, progressive
from compresskit.architecture import Architecture
from compresskit.spaces import Space
from compresskit.supernet.sub_supernets import PARTS
from compresskit.training.losses import Distillation
from compresskit.training.recipe import Recipe
from compresskit.training.sampling import Draw, log_uniform, mostly_small, steady
from compresskit.training.strategies import STRATEGIES, FrozenTeacher, Strategy, make_strategy

UNIFORM, LOG, SMALL, LADDER = "uniform", "log", "small", "ladder"


@dataclass(frozen=True)
class Variant:
    """Everything that shapes a super-network but data, seed and budget.

    `apart`: an update for each network of a step; `sizes`: how sub-networks are drawn; `shrinks`: large
    ones first; `own`: parts of its own for each depth; `specialised`: share of the budget for fine-tuning
    each scored network alone, `ridge` whether that begins with ridge reconstruction.
    `hidden_width`: of a narrower network that all are a part of (0: the dense one's). `parts`: of the
    super-network, each with weights of its own; more than one are trained as a search does, by its defaults.
    `from_pretrained`: no fine-tuning first, its cost given to the super-network.
    """

    strategy: str = "teacher"
    space: str = "ranked"
    layer_policy: str = "spread"
    importance: str = "fisher"
    learning_rate: float = 4e-4
    temperature: float = 2.0
    batch_size: int = 32
    num_random: int = 2
    apart: bool = True
    full_every: int = 16
    schedule: str = "linear"
    average: float = 0.0
    distillation: Distillation = field(default_factory=Distillation)
    sizes: str = SMALL
    shrinks: bool = False
    own: tuple[str, ...] = ()
    specialised: float = 0.0
    ridge: bool = False
    from_pretrained: bool = False
    hidden_width: int = 0
    parts: int = 1

    def recipe(self, epochs: float, seed: int) -> Recipe:
        return Recipe(
            epochs=epochs,
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            temperature=self.temperature,
            seed=seed,
            schedule=self.schedule,
            distillation=self.distillation,
        )

    def make_strategy(self, space: Space, rungs: Sequence[Architecture]) -> Strategy:
        draw: Draw = space.sample_architecture
        if self.sizes in (LOG, SMALL):
            draw = (log_uniform if self.sizes == LOG else mostly_small)(draw, space.relative_size)
        elif self.sizes == LADDER:
            draw = near(rungs, draw, 0.75)
        sample = progressive(draw, space.relative_size) if self.shrinks else steady(draw)
        made = make_strategy(self.strategy, space.full, space.smallest, sample, self.num_random)
        if isinstance(made, FrozenTeacher):
            return replace(made, apart=self.apart, full_every=self.full_every)
        return made


BASE = Variant()
PAPER = Variant(
    space="small",
    strategy="full",
    layer_policy="first",
    importance="none",
    learning_rate=2e-5,
    temperature=10.0,
    sizes=UNIFORM,
)
# What the paper's strategies take in a search.
ALONE = replace(BASE, learning_rate=1e-4, sizes=UNIFORM)

RECIPES: dict[str, Variant] = {
    "base": BASE,
    "paper": PAPER,
    "paper-pretrained": replace(PAPER, from_pretrained=True),
    "paper-batch-8": replace(PAPER, batch_size=8),
    "former": ALONE,
    "lr-1e-4": replace(BASE, learning_rate=1e-4),
    "lr-2e-4": replace(BASE, learning_rate=2e-4),
    "lr-8e-4": replace(BASE, learning_rate=8e-4),
    "cosine": replace(BASE, schedule="cosine"),
    "constant": replace(BASE, schedule="constant_with_warmup"),
    "average": replace(BASE, average=0.99),
    "average-constant": replace(BASE, average=0.99, schedule="constant_with_warmup"),
    "batch-16": replace(BASE, batch_size=16),
    "t-1": replace(BASE, temperature=1.0),
    "t-5": replace(BASE, temperature=5.0),
    "importance-taylor": replace(BASE, importance="taylor"),
    "importance-magnitude": replace(BASE, importance="magnitude"),
    "importance-none": replace(BASE, importance="none"),
    "small": replace(BASE, space="small"),
    "small-first": replace(BASE, space="small", layer_policy="first"),
    "map-place": replace(BASE, distillation=Mapped(mapping=PLACE)),
    "map-even": replace(BASE, distillation=Mapped(mapping=EVEN)),
    "map-final": replace(BASE, distillation=Mapped(mapping=FINAL)),
    "no-hidden": replace(BASE, distillation=Distillation(hidden=0.0)),
    "hidden-3": replace(BASE, distillation=Distillation(hidden=3.0)),
    "hidden-10": replace(BASE, distillation=Distillation(hidden=10.0)),
    "labels-3": replace(BASE, distillation=Distillation(labels=3.0)),
    "fading": replace(BASE, distillation=Distillation(fading=True)),
    "fading-labels-3": replace(BASE, distillation=Distillation(labels=3.0, fading=True)),
    "no-logits": replace(BASE, distillation=Distillation(logits=0.0)),
    "no-labels": replace(BASE, distillation=Distillation(labels=0.0)),
    "relations": replace(BASE, distillation=Related()),
    "relations-only": replace(BASE, distillation=Related(hidden=0.0)),
    "own-norms": replace(BASE, own=(NORMS,)),
    "own-norms-head": replace(BASE, own=(NORMS, HEAD)),
    "sizes-uniform": replace(BASE, sizes=UNIFORM),
    "sizes-log": replace(BASE, sizes=LOG),
    "sizes-log-full-every-4": replace(BASE, sizes=LOG, full_every=4),
    "sizes-ladder": replace(BASE, sizes=LADDER),
    "shrinking": replace(BASE, shrinks=True),
    "together": replace(BASE, apart=False),
    "one-random": replace(BASE, num_random=1),
    "three-random": replace(BASE, num_random=3),
    "full-every-2": replace(BASE, full_every=2),
    "full-every-4": replace(BASE, full_every=4),
    "one-random-full-every-8": replace(BASE, num_random=1, full_every=8),
    "hidden-width-256": replace(BASE, hidden_width=256),
    "hidden-width-320": replace(BASE, hidden_width=320),
    "parts-2": replace(BASE, parts=2),
    "parts-4": replace(BASE, parts=PARTS),
    "specialised": replace(BASE, specialised=0.25),
    "specialised-half": replace(BASE, specialised=0.5),
    "specialised-ridge": replace(BASE, specialised=0.25, ridge=True),
    "alone": replace(BASE, specialised=1.0),
    "alone-ridge": replace(BASE, specialised=1.0, ridge=True),
}
STRATEGY_VARIANTS = {
    f"strategy-{name}": BASE if name == BASE.strategy else replace(ALONE, strategy=name)
    for name in STRATEGIES
}
SPACE_VARIANTS = {
    f"space-{name}": replace(BASE, space=name) for name in ("ranked", "small", "medium", "layer", "large")
}
AXES = {"recipe": RECIPES, "strategy": STRATEGY_VARIANTS, "space": SPACE_VARIANTS}
VARIANTS = {**RECIPES, **STRATEGY_VARIANTS, **SPACE_VARIANTS}
