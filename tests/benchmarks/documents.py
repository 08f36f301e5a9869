"""How much does a document cost? Renders PDF and e-invoice of invoices that all differ, and prints the CPU time of one.

    .venv/bin/python -m tests.benchmarks.documents --memory 1000

CPU time is that of the whole process, all threads together: the median and the best of the runs, as a busy machine
makes each slower. With `--memory` it also renders that many documents and says how the memory of the process grew.
"""

import os
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import process_time

import django

from billing.domain.documents import Document

_PAGE = os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Run the benchmark with the options of the command line."""
    options = _parse()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from billing.documents.rendering import render  # needs Django's settings

    render(_typical(0))  # reads template and fonts
    _measure("typical invoice (9 lines, 40 details)", _typical, render, options.runs)
    _measure("60 lines on 3 pages", _sixty_lines, render, options.runs)
    if options.memory:
        _watch_memory(render, options.memory)


def _measure(name: str, make: Callable[[int], Document], render: Callable[[Document], object], runs: int) -> None:
    seconds = []
    for number in range(1, runs + 1):
        document = make(number)
        started = process_time()
        render(document)
        seconds.append(process_time() - started)
    _say(f"{name}: {median(seconds) * 1000:.0f} ms of CPU (best {min(seconds) * 1000:.0f}), {runs} runs")


def _watch_memory(render: Callable[[Document], object], documents: int) -> None:
    """The first tenth fills caches; from there on memory should stay where it is."""
    warm_bytes = 0
    for number in range(documents):
        render(_typical(10_000 + number))
        if number == documents // 10:
            warm_bytes = _resident_bytes()
    _say(
        f"{documents:,} documents: {_resident_bytes() / 1e6:.0f} MB at the end, "
        f"{warm_bytes / 1e6:.0f} MB after the first tenth"
    )


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE


def _typical(number: int) -> Document:
    from tests.builders.documents import make_document, make_line, make_usage, make_usage_line

    lines = [make_line(net_cents=50_000 + number)] + [
        make_line(position=index, kind="add_on", name=f"Add-on {number}-{index}", net_cents=1_000 * index + number)
        for index in range(2, 10)
    ]
    details = [
        make_usage_line(
            meter_name=f"Instance {index}", quantity_micro=(number * 100 + index) * 10**6, amount_cents=number + index
        )
        for index in range(40)
    ]
    return make_document(number=f"F20261102-{number:06d}", lines=lines, usage=(make_usage(*details),))


def _sixty_lines(number: int) -> Document:
    from tests.builders.documents import make_document, make_line

    lines = [
        make_line(position=index, kind="one_shot", name=f"Operation {number}-{index}", net_cents=100 * index + number)
        for index in range(1, 61)
    ]
    return make_document(number=f"F20261102-{number:06d}", lines=lines, statement=None, usage=())


def _parse() -> Namespace:
    parser = ArgumentParser(prog="python -m tests.benchmarks.documents", description=__doc__)
    parser.add_argument("--runs", type=int, default=40, help="documents of each kind (40)")
    parser.add_argument("--memory", type=int, default=0, metavar="N", help="watch the memory over N documents (none)")
    return parser.parse_args()


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # what the benchmark is for


if __name__ == "__main__":
    main()
