"""Web, worker and scheduler in one process, for one person on one machine."""

import logging
import signal
import socket
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from types import FrameType
from typing import Any

from celery import Celery, current_app
from celery.beat import Scheduler, Service
from celery.worker import WorkController, state
from django.core.management.base import BaseCommand, CommandError
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler, get_internal_wsgi_application
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

HOST = "127.0.0.1"
STOP_WITHIN_SECONDS = 8


class Command(BaseCommand):
    help = "Run web, worker and scheduler in one process on 127.0.0.1, until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="port of the web pages (default: 8000)")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        _check_migrations()
        server = _web_server(port)
        for number in (signal.SIGINT, signal.SIGTERM):  # a shell's background job starts with SIGINT ignored
            signal.signal(number, _interrupt)
        try:
            with _worker(current_app), _scheduler(current_app):
                self.stdout.write(self.style.SUCCESS(f"Serving on http://{HOST}:{port}/ (Ctrl-C stops it)"))
                self.stdout.flush()
                server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        finally:
            server.server_close()


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _check_migrations() -> None:
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is not up to date: run `manage.py migrate` first.")
    connections.close_all()


class _QuietHandler(WSGIRequestHandler):
    """Logs what went wrong, not every page."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        if str(code) >= "500":
            super().log_request(code, size)


def _web_server(port: int) -> ThreadedWSGIServer:
    try:
        server = ThreadedWSGIServer((HOST, port), _QuietHandler)
    except (OSError, OverflowError) as error:
        raise CommandError(f"Cannot listen on {HOST}:{port}: {error}. Another port: --port 8001") from error
    server.set_app(get_internal_wsgi_application())
    return server


@contextmanager
def _worker(app: Celery) -> Iterator[None]:
    """A worker thread that takes one task at a time.

    It gets a few seconds to finish its task; work that takes longer is cut off, and taken up again after the next
    start, because its state is in the database.
    """
    state.should_stop = None
    worker = WorkController(
        app=app,
        hostname=f"embedded@{socket.gethostname()}",
        pool="solo",
        loglevel=logging.INFO,
        without_heartbeat=True,
        without_mingle=True,
        without_gossip=True,
    )
    thread = Thread(target=worker.start, name="worker", daemon=True)
    thread.start()
    try:
        yield
    finally:
        state.should_stop = 0  # type: ignore[assignment]  # the exit code to stop with
        thread.join(STOP_WITHIN_SECONDS)


@contextmanager
def _scheduler(app: Celery) -> Iterator[None]:
    """A beat thread that keeps its schedule in memory, so everything scheduled is also due once at the start."""
    for entry in app.conf.beat_schedule.values():
        app.send_task(entry["task"])
    service = Service(app, max_interval=60, scheduler_cls=Scheduler)
    Thread(target=service.start, name="scheduler", daemon=True).start()
    try:
        yield
    finally:
        service.stop()
