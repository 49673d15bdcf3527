"""`sojourn serve`: everything under supervision, or one process."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Coroutine

import structlog
import uvloop

from sojourn.settings import Layout, Settings
from sojourn.supervise import Process, Supervisor, sole_use

from .ambient import SystemClock
from .installation import (
    next_signing_key,
    prepare,
    read_catalogue,
    read_settings,
    require_installation,
    require_open,
    second_signing_key,
    signing_key,
)
from .settled import settings_as_read, settings_when_readable


def serve(layout: Layout, only: str | None = None) -> int:
    """Run all processes under supervision, or one of them. Returns the exit code.

    Raises SojournError when the directory, its settings or its configuration will not do.
    """
    require_installation(layout)
    require_open(layout)
    configure_logging()
    if only is None:
        settings = _settings(layout)
        from sojourn.scribe.process import check_socket_path

        from .gateway import check_door
        from .publisher import published_bucket
        from .timestamps import timestamp_tasks
        from .witnesses import witness_policy

        check_socket_path(layout)
        # What a bucket or an authority needs may not be there, and that is better said here than by processes that end.
        published_bucket(settings)
        timestamp_tasks(layout, settings, None)
        read_catalogue(layout)
        witness_policy(settings)
        layout.run.mkdir(mode=0o700, exist_ok=True)
        with sole_use(layout):
            prepare(layout, settings)
            check_door(layout, settings)
            # A key that is away is better said here than by a scribe that ends again and again.
            signing_key(layout, settings)
            next_signing_key(layout, settings)
            second_signing_key(layout, settings)
            Supervisor(layout=layout, say=structlog.get_logger("serve").info).run()
        return 0
    process = Process(only)
    # The scribe has to serve a record that cannot be read, as far as it goes; nobody else starts under a guess.
    settings = _settings(layout) if process is Process.SCRIBE else settings_when_readable(layout)
    prepare(layout, settings)
    match process:
        case Process.SCRIBE:
            return _run_scribe(layout, settings)
        case Process.PUBLISHER:
            from .publisher import run_publisher_process

            return _run_until_told(lambda: run_publisher_process(layout, settings))
        case Process.CONTROL:
            from .control import run_control

            return _run_until_told(lambda: run_control(layout, settings))
        case Process.GATEWAY:
            from .gateway import run_gateway_process

            return _run_until_told(lambda: run_gateway_process(layout, settings))


def configure_logging() -> None:
    """Logs go to standard error, one line each; they are for operators and never evidence."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
    )


def _settings(layout: Layout) -> Settings:
    return settings_as_read(layout, lambda error: structlog.get_logger("serve").warning("settings", text=str(error)))


def _run_scribe(layout: Layout, settings: Settings) -> int:
    from sojourn.scribe import process

    from .anchors import anchors, read_anchors
    from .compromised import read_before

    key = signing_key(layout, settings)
    # Asked are those that the record names and those that the file does: a store that was put back may name fewer.
    asked = {
        one.place: one for own in (settings, read_settings(layout)) for one in anchors(layout, own, key.verifier())
    }
    seen = read_anchors(tuple(asked.values()), structlog.get_logger("scribe").warning)
    return process.run(
        layout,
        settings.scribe,
        key,
        SystemClock().now,
        stop_descriptor=sys.stdin.fileno(),
        seen=seen,
        new_key=next_signing_key(layout, settings),
        before=read_before(layout),
        second_key=second_signing_key(layout, settings),
    )


def _run_until_told(work: Callable[[], Coroutine[object, object, None]]) -> int:
    """Run `work` until SIGTERM, SIGINT, or the end of standard input (the supervisor's death)."""

    async def supervised() -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(work())
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, task.cancel)
        if not sys.stdin.isatty():
            loop.add_reader(sys.stdin.fileno(), lambda: os.read(sys.stdin.fileno(), 4096) or task.cancel())
        with contextlib.suppress(asyncio.CancelledError):
            await task

    uvloop.run(supervised())
    return 0
