"""Fixtures: one environment for each module, and the four kinds of clients, each with an environment of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from tests.support.environment import ApiClient, Environment, in_process, over_a_socket
from tests.support.target import Target

set_hypothesis_home_dir(Path(__file__).parents[2] / ".cache" / "hypothesis")


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment without a socket."""
    with in_process(tmp_path_factory.mktemp("environment")) as made:
        yield made


@pytest.fixture(scope="module")
def target(environment: Environment) -> Target:
    """One of everything, in the environment without a socket."""
    return Target.of(environment)


@pytest.fixture(scope="module", params=[in_process, over_a_socket], ids=["in process", "socket"])
def each_environment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """An environment without a socket, and one behind a server."""
    with request.param(tmp_path_factory.mktemp("environment")) as made:
        yield made


@pytest.fixture(scope="module", params=["in process, bare", "in process, SDK", "socket, bare", "socket, SDK"])
def client(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiClient]:
    """A bare HTTP client and the SDK's client, each without a socket and with one."""
    made = over_a_socket if request.param.startswith("socket") else in_process
    with made(tmp_path_factory.mktemp("environment")) as environment:
        is_raw = request.param.endswith("bare")
        yield ApiClient(environment, environment.call if is_raw else environment.call_by_sdk, is_raw)
