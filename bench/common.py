"""What the comparisons share: throw-away databases, interleaved rounds, medians. Ratios are taken inside one run."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "tests")]

from servers import Postgres  # noqa: E402 (the tests' servers are the benches' too)

from sla_service.store.migrate import upgrade  # noqa: E402

Run = Callable[[], tuple[int, float]]  # units done, seconds taken


@contextmanager
def databases(*, postgres: bool = True, sqlite: bool = True) -> Iterator[dict[str, str]]:
    """Migrated, durable databases by name: what is measured is what a hall would run."""
    with tempfile.TemporaryDirectory(prefix="sla-bench-") as folder:
        urls = {"sqlite": f"sqlite:///{folder}/bench.db"} if sqlite else {}
        if not postgres:
            [upgrade(url) for url in urls.values()]
            yield urls
            return
        with Postgres(durable=True) as server:
            urls["postgresql"] = server.url
            [upgrade(url) for url in urls.values()]
            yield urls


def rounds(runs: Mapping[str, Run], *, count: int) -> dict[str, float]:
    """Units per second of each run: median over interleaved rounds, so that a slow moment hits all alike."""
    rates: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(count):
        for name, run in runs.items():
            done, seconds = run()
            rates[name].append(done / seconds)
    return {name: statistics.median(r) for name, r in rates.items()}


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def show(title: str, rates: Mapping[str, float], base: str, *, unit: str, as_json: bool) -> None:
    """Prints each rate and its share of ``base``."""
    shares = {name: rate / rates[base] for name, rate in rates.items()}
    if as_json:
        print(json.dumps({"title": title, "unit": unit, "rates": rates, "share": shares}, ensure_ascii=False))
        return
    print(f"\n{title}")
    for name, rate in rates.items():
        print(f"  {name:<42} {rate:>12,.0f} {unit}  {shares[name]:>8.0%}")
