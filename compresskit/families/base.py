"""What a model family is: where its heads, units and layers live. Names and rules, no tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# What a module that computes nothing returns in place of its output.
FIRST = "first"  # its first argument
SECOND = "second"  # its second argument (a residual)
FIRST_PAIR = "first_pair"  # (its first argument, None), as attention modules return
ZERO = "zero"  # 0: the residual is added by the caller
ZERO_PAIR = "zero_pair"  # (0, None)

_STAGES = "stage_names"
HEADS, UNITS = "heads", "units"  # the members of attention and of feed-forward
QUERY, KEY, VALUE, UP, GATE = "query", "key", "value", "up", "gate"


# Projections as most models since Llama name them: apart, and of gated units the one that is activated first.
APART = {"self_attn.q_proj": (QUERY,), "self_attn.k_proj": (KEY,), "self_attn.v_proj": (VALUE,)}
GATED = {"mlp.gate_proj": (UP,), "mlp.up_proj": (GATE,)}


@dataclass(frozen=True)
class ToldHeads:
    """A module of a layer that is told which heads it has: its weights alone do not say.

    `width`: its attribute that holds how many columns `Block.writes` has. `shared`: place of its argument
    (batch, heads, length, length), counted from 0, that all layers are given alike, such as a bias of
    scores from a table that they share: of the dense layer's heads a layer takes its own.
    """

    module: str
    width: str
    shared: int


@dataclass(frozen=True)
class Patches:
    """How a model turns an image of its one size into tokens.

    `projection`: the convolution that is applied to each patch. `positions`: the parameter with a row a
    token, (..., tokens, hidden), of which `special` stand for no patch.
    """

    projection: str
    positions: str
    special: int


@dataclass(frozen=True)
class Distances:
    """Embeddings of the distances between tokens, with which queries and keys are multiplied as well.

    `table`: module that holds one row a distance. `reads`: projections of it, as `Block.reads` gives those of
    the stream; a model that has none of them sends the table through its projections of queries and keys.
    """

    table: str
    reads: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Block:
    """One sub-layer: attention, whose members are heads, or feed-forward, whose members are units.

    Module names are relative to a layer. `reads`: each projection of the residual stream, and what its rows
    hold, one after another, each of all members. `writes`: the projection back, whose columns are members.
    """

    reads: Mapping[str, tuple[str, ...]]
    writes: str
    owns: tuple[str, ...]  # prefixes of all parameters that belong to the block
    empty: Mapping[str, str]  # module -> what it returns when no member stays
    norm_before: str = ""  # the norm between stream and `reads`; post-norm blocks have none
    told: ToldHeads | None = None
    count: str = ""  # attribute of one of its modules that says how many members there are
    distances: Distances | None = None


@dataclass(frozen=True)
class Family:
    """A model type's encoder: layers of attention and feed-forward, each added to the residual stream."""

    model_type: str
    stem: str  # the list of layers, e.g. "bert.encoder.layer"
    attention: Block
    feed_forward: Block
    once_linears: tuple[str, ...]  # Linear layers applied once a text, after the encoder
    token_linears: tuple[str, ...] = ()  # Linear layers applied to each token before the encoder
    inputs: tuple[str, ...] = ("input_ids", "attention_mask")  # of its graph
    last_token_head: str = ""  # of classifiers that pool at a text's last token, the Linear that they apply
    rotary: bool = False  # positions are rotations of queries and keys, and no table
    positions_after_padding: bool = False  # position 0 comes behind the padding id in the table
    padding_id: int | None = None  # that positions come behind, whatever the configuration's is
    layer_lists: tuple[str, ...] = ()  # attributes of the configuration with one entry a layer
    module: str = ""  # imported to tell transformers of the model's classes, where it has none
    patches: Patches | None = None  # of models that read images
    num_units: Callable[[Any], int] | None = None  # of a configuration that does not say
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)  # of every configuration
    unread: tuple[str, ...] = ()  # weights that no task reads, and that models of these `settings` lack
    # Attribute of the configuration -> the only value with which a model is what is described here.
    needs: Mapping[str, object] = field(default_factory=dict)

    @property
    def blocks(self) -> dict[str, Block]:
        """By the kind of their members."""
        return {HEADS: self.attention, UNITS: self.feed_forward}

    def max_tokens(self, positions: int, pad_id: int | None) -> int:
        """Tokens of the longest text, for a configuration with so many positions."""
        padding = pad_id or 0 if self.padding_id is None else self.padding_id
        return positions - (padding + 1 if self.positions_after_padding else 0)

    def set_layers(self, config: Any, layers: Sequence[int]) -> None:
        """Let a transformers configuration name these of its layers, in this order, repeats included."""
        for name in self.layer_lists:
            entries = getattr(config, name)
            setattr(config, name, [entries[layer] for layer in layers])
        if hasattr(config, _STAGES):  # of backbones: what comes first, and each layer
            setattr(config, _STAGES, getattr(config, _STAGES)[: len(layers) + 1])
            config.set_output_features_output_indices(out_features=None, out_indices=None)
        config.num_hidden_layers = len(layers)  # transformers' attribute map serves every family

    def layer_kinds(self, config: Any) -> list[int]:
        """One layer of each kind that a transformers configuration lists."""
        lists = [getattr(config, name) for name in self.layer_lists]
        first: dict[tuple[Any, ...], int] = {}
        for layer in range(config.num_hidden_layers):
            first.setdefault(tuple(entries[layer] for entries in lists), layer)
        return list(first.values())


def bert_like(
    model_type: str,
    stem: str,
    once_linears: tuple[str, ...],
    token_linears: tuple[str, ...] = (),
    *,
    segments: bool = False,
    positions_after_padding: bool = False,
) -> Family:
    """A family whose layers, listed at `stem`, are laid out as BERT's; the rest is around them."""
    return Family(
        model_type=model_type,
        stem=stem,
        attention=Block(
            reads={f"attention.self.{part}": (part,) for part in (QUERY, KEY, VALUE)},
            writes="attention.output.dense",
            owns=("attention.",),
            empty={"attention": FIRST_PAIR},
        ),
        feed_forward=Block(
            reads={"intermediate.dense": (UP,)},
            writes="output.dense",
            owns=("intermediate.", "output."),
            empty={"intermediate": FIRST, "output": SECOND},
        ),
        once_linears=once_linears,
        token_linears=token_linears,
        inputs=("input_ids", "attention_mask", *(("token_type_ids",) if segments else ())),
        positions_after_padding=positions_after_padding,
    )
