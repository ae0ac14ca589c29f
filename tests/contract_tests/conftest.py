"""Fixtures: one world for each module, and the four ways of calling, each with a world of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from tests.support.environment import Lane, World, in_process, over_a_socket
from tests.support.target import Target

set_hypothesis_home_dir(Path(__file__).parents[2] / ".cache" / "hypothesis")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world without a socket."""
    with in_process(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="module")
def target(world: World) -> Target:
    """One of everything, in the world without a socket."""
    return Target.of(world)


@pytest.fixture(scope="module", params=[in_process, over_a_socket], ids=["in process", "socket"])
def each_world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world without a socket, and one behind the service's server."""
    with request.param(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture(scope="module", params=["in process, bare", "in process, SDK", "socket, bare", "socket, SDK"])
def lane(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """Each way of calling: the application itself or its server, by a bare HTTP client or by the SDK's client."""
    made = over_a_socket if request.param.startswith("socket") else in_process
    with made(tmp_path_factory.mktemp("world")) as world:
        is_raw = request.param.endswith("bare")
        yield Lane(world, world.call if is_raw else world.call_by_sdk, is_raw)
