"""A real Label Studio server on loopback, for tests, benchmarks and screenshots.

It is installed once, in a virtual environment of its own: its dependencies and ours do not go
together. A migrated data folder is kept as a template, so that a server starts in seconds.
"""

import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

VERSION = "1.23.2"
USER = "manager@example.com"
PASSWORD = "labelmix-pilot"
_FIRST_START = 180.0  # seconds; migrations take most of them


class CannotRunError(Exception):
    """Label Studio cannot be installed or started here; the message says why, in one line."""


def cache_folder() -> Path:
    """Where the installation is kept: LABELMIX_TEST_CACHE, or ~/.cache/labelmix-tests."""
    base = os.environ.get("LABELMIX_TEST_CACHE")
    folder = Path(base) if base else Path.home() / ".cache" / "labelmix-tests"
    return folder / f"label-studio-{VERSION}"


class LabelStudioProcess:
    """A server with a data folder of its own, made from the template; ends with the block.

    `url` is its address, `token` the manager's legacy token, `process` the process.

    Raises CannotRunError if it cannot be installed or does not start.
    """

    def __init__(self, folder: Path) -> None:
        cache = _prepared()
        self.token = (cache / "token").read_text(encoding="utf-8")
        self.folder = folder
        shutil.copytree(cache / "template", folder, dirs_exist_ok=True)
        self.process, self.url = _started(cache, folder, self.token, 60.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        _stop(self.process)


def _prepared() -> Path:
    """The cache folder with installation, token and template in it."""
    cache = cache_folder()
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotRunError(f"{cache}: cannot be made: {error}") from None
    with _locked(cache / "lock"):
        program = cache / "venv" / "bin" / "label-studio"
        if not ((cache / "installed").exists() and program.exists()):
            _install(cache)
            (cache / "installed").touch()
        if not (cache / "migrated").exists():
            _make_template(cache)
            (cache / "migrated").touch()
    return cache


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Only one process at a time installs."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _install(cache: Path) -> None:
    commands = (
        [sys.executable, "-m", "venv", "--clear", str(cache / "venv")],
        [
            str(cache / "venv" / "bin" / "python"),
            *("-m", "pip", "install", "-q", "--disable-pip-version-check"),
            f"label-studio=={VERSION}",
        ],
    )
    for command in commands:
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise CannotRunError(f"label-studio {VERSION} cannot be installed: {last}")


def _make_template(cache: Path) -> None:
    shutil.rmtree(cache / "template", ignore_errors=True)
    token = secrets.token_hex(20)
    (cache / "token").write_text(token, encoding="utf-8")
    (cache / "template").mkdir()
    process, _ = _started(cache, cache / "template", token, _FIRST_START)
    _stop(process)


def _started(
    cache: Path, folder: Path, token: str, patience: float
) -> tuple[subprocess.Popen[bytes], str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **{name: value for name, value in os.environ.items() if "LABEL_STUDIO" not in name},
        "LABEL_STUDIO_USERNAME": USER,
        "LABEL_STUDIO_PASSWORD": PASSWORD,
        "LABEL_STUDIO_USER_TOKEN": token,
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LATEST_VERSION_CHECK": "false",
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        # Webhooks to loopback are refused otherwise.
        "LABEL_STUDIO_SSRF_PROTECTION_ENABLED": "false",
    }
    command = [
        str(cache / "venv" / "bin" / "label-studio"),
        *("start", "--no-browser", "--data-dir", str(folder), "--internal-host", "127.0.0.1"),
        *("--port", str(port), "--log-level", "WARNING"),
    ]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(process, url, patience)
    except BaseException:
        _stop(process)
        raise
    return process, url


def _wait_until_healthy(process: subprocess.Popen[bytes], url: str, patience: float) -> None:
    give_up = time.monotonic() + patience
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise CannotRunError(f"label-studio ended with code {process.returncode} at its start")
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
                if b"UP" in answer.read():
                    return
        except (urllib.error.URLError, OSError):
            pass
        time.sleep(0.25)
    raise CannotRunError(f"label-studio did not come up within {patience:.0f} s")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
