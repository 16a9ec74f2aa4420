"""What the comparisons share: throw-away databases, interleaved rounds, medians, one form of result.

Ratios are taken inside one run: what a machine does in a minute depends on its neighbours, what two programs do in
turns on one machine hardly.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent.parent), str(Path(__file__).parent.parent / "tests")]

from servers import Postgres  # noqa: E402 (the tests' servers are the benches' too)

from sla_service.store.migrate import upgrade  # noqa: E402

Run = Callable[[], tuple[int, float]]  # units done, seconds taken


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison. ``ratio`` is what ``target`` is held against: at least, or with ``most`` at most."""

    what: str
    ours: float
    raw: float
    unit: str
    ratio: float
    target: float | None = None
    most: bool = False
    against: str = ""

    @property
    def reached(self) -> bool | None:
        if self.target is None:
            return None
        return self.ratio <= self.target if self.most else self.ratio >= self.target


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
            gc.collect()  # nobody tidies up in another's time
            done, seconds = run()
            rates[name].append(done / seconds)
    return {name: statistics.median(r) for name, r in rates.items()}


def timed(work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def show(title: str, rates: Mapping[str, float], base: str, *, unit: str, as_json: bool = False) -> None:
    """Prints each rate and its share of ``base``."""
    shares = {name: rate / rates[base] for name, rate in rates.items()}
    if as_json:
        print(json.dumps({"title": title, "unit": unit, "rates": rates, "share": shares}, ensure_ascii=False))
        return
    print(f"\n{title}")
    for name, rate in rates.items():
        print(f"  {name:<42} {rate:>12,.0f} {unit}  {shares[name]:>8.0%}", flush=True)


def table(lines: Sequence[Line]) -> None:
    """What, ours, raw, ratio, target, reached."""
    width = max(len(line.what) for line in lines)
    print(f"\n{'what':<{width}}  {'ours':>12}  {'against':>12}  {'':<10} {'ratio':>9}  {'target':>9}")
    for line in lines:
        target = "" if line.target is None else f"{'≤' if line.most else '≥'} {_ratio(line.target)}"
        verdict = {True: "yes", False: "NO", None: ""}[line.reached]
        print(
            f"{line.what:<{width}}  {_figure(line.ours)}  {_figure(line.raw)}  {line.unit:<10} "
            f"{_ratio(line.ratio):>9}  {target:>9}  {verdict:<4} {line.against}"
        )


def _figure(value: float) -> str:
    return f"{value:>12,.0f}" if abs(value) >= 100 else f"{value:>12.3g}"


def _ratio(value: float) -> str:
    return f"{value:,.0f} ×" if value >= 10 else (f"{value:.2f} ×" if value > 1 else f"{value:.0%}")


def dump(lines: Sequence[Line]) -> None:
    print(json.dumps([asdict(line) | {"reached": line.reached} for line in lines], ensure_ascii=False, indent=2))


def arguments(description: str | None, **numbers: int) -> argparse.Namespace:
    """``--json`` and ``--quick``, and an option for each number with its default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--quick", action="store_true", help="smaller numbers, for a look")
    parser.add_argument("--json", action="store_true", help="only the table, machine-readable")
    return parser.parse_args()
