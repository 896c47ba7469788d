from __future__ import annotations

from tests.contracts.method import Explored, MethodContract


class TestUniform(MethodContract):
    name = "uniform"

    def test_all_layers_are_alike(self, explored: Explored) -> None:
        for record in explored.records:
            shapes = record.candidate.architecture.shapes
            assert len(shapes) == 4
            assert len(set(shapes)) == 1


class TestMagnitudeOneShot(MethodContract):
    name = "magnitude-one-shot"


class TestFisherOneShot(MethodContract):
    name = "fisher-one-shot"

    def test_kept_members_were_moved_to_the_front(self, explored: Explored) -> None:
        for record in explored.records:
            assert all(isinstance(count, int) for count in record.architecture["units"])
