"""What every search space promises; each space's tests subclass this."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from compresskit.architecture import Architecture, Dimensions
from compresskit.errors import ArchitectureError, ConfigurationError
from compresskit.spaces import Space, make_space
from compresskit.spaces.base import LEAST_SIZE

DIMS = Dimensions(num_layers=6, num_heads=4, head_size=8, num_units=32, hidden_size=32)


class SpaceContract:
    name: str

    def make(self, dims: Dimensions = DIMS, **options: Any) -> Space:
        return make_space(self.name, dims, **options)

    def samples(self, space: Space, count: int = 200) -> list[Architecture]:
        rng = np.random.default_rng(0)
        return [space.sample_architecture(rng) for _ in range(count)]

    @pytest.mark.parametrize("policy", ["first", "spread"])
    @pytest.mark.parametrize("multiple", [1, 8])
    def test_encode_is_the_inverse_of_decode(self, policy: str, multiple: int) -> None:
        space = self.make(layer_policy=policy, unit_multiple=multiple)
        for architecture in self.samples(space, 50):
            config = space.encode(architecture)
            assert space.decode(config) == architecture
            assert space.canonical(config) == config

    def test_samples_are_inside_and_keep_a_layer(self) -> None:
        space = self.make(unit_multiple=8)
        rng = np.random.default_rng(1)
        for _ in range(100):
            architecture = space.decode(space.sample(rng))
            architecture.check(DIMS)
            assert architecture.kept_layers
            assert all(units % 8 == 0 for _, units in architecture.shapes)

    def test_sampled_sizes_spread_over_all_quartiles(self) -> None:
        space = self.make()
        sizes = [space.relative_size(architecture) for architecture in self.samples(space, 400)]
        counts, _ = np.histogram(sizes, bins=4, range=(0, 1))
        assert counts.min() >= 0.1 * len(sizes), counts

    def test_sizes_drawn_as_ratios_are_small_more_often(self) -> None:
        space, rng = self.make(), np.random.default_rng(5)
        even = [space.relative_size(architecture) for architecture in self.samples(space, 400)]
        drawn = [space.relative_size(space.decode(space.sample_ratio(rng))) for _ in range(400)]
        assert np.median(drawn) < np.median(even)
        assert min(drawn) <= max(min(even), 2 * LEAST_SIZE) and max(drawn) > 0.5

    def test_a_sample_has_about_the_size_it_is_given(self) -> None:
        space, rng = self.make(), np.random.default_rng(6)
        for size in (0.25, 0.5, 0.9):
            drawn = [space.relative_size(space.decode(space.sample(rng, size))) for _ in range(100)]
            assert abs(float(np.mean(drawn)) - size) < 0.15

    def test_equal_generators_sample_equally(self) -> None:
        space = self.make()
        first, second = np.random.default_rng(3), np.random.default_rng(3)
        assert [space.sample(first) for _ in range(5)] == [space.sample(second) for _ in range(5)]

    def test_initial_configs_are_full_smallest_middle(self) -> None:
        space = self.make()
        full, smallest, middle = map(space.decode, space.initial_configs())
        assert full == Architecture.full(DIMS)
        assert len(smallest.kept_layers) == 1
        sizes = [space.relative_size(architecture) for architecture in (smallest, middle, full)]
        assert sizes == sorted(sizes)
        assert 0.2 < sizes[1] < 0.6

    def test_config_space_agrees_with_the_parameters(self) -> None:
        space = self.make(unit_multiple=8)
        domains = space.config_space()
        assert list(domains) == [p.name for p in space.parameters]
        state = np.random.RandomState(0)
        for _ in range(20):
            config = {name: domain.sample(random_state=state) for name, domain in domains.items()}
            assert space.decode(config).kept_layers
        for p in space.parameters:
            assert (domains[p.name].lower, domains[p.name].upper) == (p.lower, p.upper)

    def test_least_values_still_keep_something(self) -> None:
        space = self.make()
        assert space.decode({p.name: p.lower for p in space.parameters}) == space.smallest

    def test_values_outside_are_refused(self) -> None:
        space = self.make()
        config = space.initial_configs()[0]
        first = space.parameters[0]
        with pytest.raises(ArchitectureError, match=f"{first.name} is .*permitted"):
            space.decode({**config, first.name: first.upper + 1})
        with pytest.raises(ArchitectureError, match=first.name):
            space.decode({**config, first.name: 0.5})
        with pytest.raises(ArchitectureError, match="parameters"):
            space.decode({**config, "unknown": 1})

    def test_architecture_of_another_model_is_refused(self) -> None:
        other = Dimensions(num_layers=2, num_heads=4, head_size=8, num_units=32, hidden_size=32)
        with pytest.raises(ArchitectureError):
            self.make().encode(Architecture.full(other))

    def test_mutation_changes_something_and_stays_inside(self) -> None:
        space = self.make(unit_multiple=8)
        rng = np.random.default_rng(0)
        config = space.initial_configs()[2]
        changed = 0
        for _ in range(30):
            before, config = config, space.mutate(config, rng)
            assert space.canonical(config) == config
            changed += config != before
        assert changed >= 29  # a repaired mutation may fall back on what it was

    def test_misfitting_multiple_and_policy_are_refused(self) -> None:
        with pytest.raises(ConfigurationError, match=r"multiples of 5.*32 units"):
            self.make(unit_multiple=5)
        with pytest.raises(ConfigurationError, match="first, spread"):
            self.make(layer_policy="last")
