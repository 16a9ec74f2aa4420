"""How long a child that ends waits for its next start."""

import pytest

from sla_service.supervisor.child import Child, Run


@pytest.fixture
def run():
    made = Run(Child("web", ("true",)), now=0.0)
    yield made
    made.bury()


def test_the_delay_doubles_up_to_half_a_minute(run):
    assert [run.failed(now=0.0) for _ in range(9)] == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_after_a_steady_run_the_next_failure_is_a_first_one_again(run):
    for _ in range(4):
        run.failed(now=0.0)
    run.start(now=100.0, inherit=())
    assert run.failed(now=130.0) == 0.5
    assert run.start_at == 130.5


def test_a_run_that_was_short_counts_as_one_more_failure(run):
    run.failed(now=0.0)
    run.start(now=100.0, inherit=())
    assert run.failed(now=129.0) == 1


def test_a_child_that_can_wait_starts_later_than_the_others():
    assert Run(Child("beat", ("true",), delay=1.0), now=100.0).start_at == 101.0


def test_one_that_has_just_failed_counts_as_up_only_when_it_stays(run):
    assert not run.up(now=0.0)
    run.start(now=0.0, inherit=())
    assert run.up(now=0.0)
    run.failed(now=1.0)
    run.start(now=1.5, inherit=())
    assert not run.up(now=4.0)
    assert run.up(now=4.5)
