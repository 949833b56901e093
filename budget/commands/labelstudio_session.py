"""What the commands of `labelmix labelstudio` open, read and show."""

import os
import secrets
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from annotation.errors import InputError
from annotation.judgments.table_files import write_judgments
from annotation.label_studio.connection import Connection
from annotation.label_studio.identity import identity_of
from annotation.label_studio.project import adopt_project
from annotation.label_studio.pull import PullSummary, judgment_table
from annotation.label_studio.push import PushSummary
from annotation.label_studio.retries import RetryPolicy
from annotation.label_studio.server import LabelStudioServer
from annotation.label_studio.state import PilotState
from annotation.label_studio.token import find_token
from annotation.label_studio.watch import Bell
from annotation.label_studio.webhook import SECRET_HEADER, Deliver, WebhookReceiver

SECRET_VARIABLE = "LABELMIX_WEBHOOK_SECRET"
_SHORTEST_SECRET = 16  # characters
PARTING = 5.0  # seconds to wait for a server that does not answer when we are told to end
_SHOWN = 5  # annotations that are left out, named on the screen


@contextmanager
def opened_server(
    url: str | None, token_file: Path | None, patience: float
) -> Iterator[LabelStudioServer]:
    """A server that has answered once.

    Raises InputError if there is no address or token, or the server does not take it.
    """
    if not url:
        raise InputError("no address of Label Studio; set LABEL_STUDIO_URL, or give --url.")
    policy = RetryPolicy(patience=patience)
    with Connection(url, find_token(token_file), policy) as connection:
        connection.first_contact()
        yield LabelStudioServer(connection)


def opened_state(path: Path, new: bool) -> PilotState:
    """The state in a pilot's folder.

    Raises InputError if it is not there, unless `new`, or cannot be opened.
    """
    if not new and not path.is_file():
        raise InputError(
            f"{path}: no such file; 'labelmix labelstudio push' makes it, or give --title to "
            "fetch from a project that is there."
        )
    return PilotState(path)


@contextmanager
def opened_pilot(
    path: Path, url: str | None, title: str | None, token_file: Path | None, patience: float
) -> Iterator[tuple[LabelStudioServer, PilotState]]:
    """A server, and the state in a pilot's folder, which is made for a `title` where it is absent.

    It is made once the server has answered: a pull that was refused leaves nothing. Without a
    `url` the server is the one that the state tells.

    Raises InputError as `opened_server` and `opened_state` do.
    """
    if title is not None and not path.exists():
        with (
            opened_server(url, token_file, patience) as server,
            opened_state(path, new=True) as state,
        ):
            yield server, state
    else:
        with (
            opened_state(path, new=title is not None) as state,
            opened_server(url or state.about("url"), token_file, patience) as server,
        ):
            yield server, state


def adopt(server: LabelStudioServer, state: PilotState, title: str | None) -> str | None:
    """Bind a new state to an existing project, where one is named; what to know of it, or None."""
    if title is None:
        return None
    project = adopt_project(server, state, title)
    if identity_of(project) in (None, state.about("pilot_identity")):
        return None
    return (
        f"project {title!r} is the pilot of another folder, which alone knows the answers of its "
        "gold questions; the judgments here are without them."
    )


def check_table_name(path: Path) -> None:
    """Raise InputError, before anything is fetched, if no judgment table is written so."""
    if path.suffix.lower() not in (".csv", ".parquet"):
        raise InputError(f"{path}: judgments are written as .csv or .parquet; name it so.")


def anonymity(state: PilotState, chosen: bool | None) -> bool:
    """Whether annotators stay unnamed: as chosen, or else as chosen the last time.

    Who asked once for a table without addresses should not find them there after the next pull.
    """
    if chosen is None:
        return state.about("anonymous") is not None
    with state.transaction():
        state.remember(anonymous="yes" if chosen else None)
    return chosen


def write_table(state: PilotState, path: Path, anonymous: bool) -> None:
    """Write the judgment table of a state, whole or not at all."""
    write_judgments(judgment_table(state, anonymous), path)


def push_lines(summary: PushSummary) -> list[str]:
    """What a push did, for people."""
    before = f", {summary.others:,} of earlier pushes" if summary.others else ""
    lines = [
        f"project {summary.title!r} holds {summary.tasks + summary.others:,} tasks: "
        f"{summary.tasks:,} asked for now ({summary.sent:,} sent, {summary.already_there:,} were "
        f"there){before}; {summary.gold_questions:,} of these {summary.tasks:,} are gold questions"
    ]
    if summary.overlap_before is not None:
        lines.append(
            f"annotators asked for each task: {summary.overlap} instead of "
            f"{summary.overlap_before}, of all tasks"
        )
    if summary.sent_elsewhere:
        lines.append(
            f"{summary.sent_elsewhere:,} of the tasks were sent from another folder: if there are "
            "gold questions among them, their answers are known there alone"
        )
    if summary.namesakes:
        numbers = ", ".join(str(number) for number in summary.namesakes)
        lines.append(
            f"other projects of this title hold tasks too (number {numbers}); if nobody needs "
            "them, delete them before they are answered and paid as well"
        )
    if summary.predictions_sent:
        lines.append(f"{summary.predictions_sent:,} predictions sent")
    return lines


@dataclass(frozen=True)
class Callback:
    """How Label Studio calls a receiver of webhooks.

    Attributes
    ----------
    address : what it calls
    headers : what it has to send
    """

    address: str
    headers: Mapping[str, str]


@contextmanager
def receiving(
    listen: str | None, callback: str | None, deliver: Deliver
) -> Iterator[Callback | None]:
    """Listen for webhooks where `listen` says HOST:PORT; how they are to be sent.

    Raises InputError if the address is malformed or taken.
    """
    if listen is None:
        if callback is not None:
            raise InputError("--callback goes with --listen.")
        yield None
        return
    host, port = _host_and_port(listen)
    with WebhookReceiver(host, port, "/", _secret(), deliver) as receiver:
        shown = f"[{host}]" if ":" in host else host
        address = callback or f"http://{shown}:{receiver.port}/"
        yield Callback(address, {SECRET_HEADER: receiver.secret})


@contextmanager
def listening(
    server: LabelStudioServer,
    state: PilotState,
    listen: str | None,
    callback: str | None,
    bell: Bell,
) -> Iterator[str | None]:
    """Listen for webhooks and have the server send them, where `listen` says HOST:PORT.

    Gives the address that the server calls. The webhook is taken back at the end.

    Raises InputError if the address is malformed or taken, or the server refuses.
    """
    with receiving(listen, callback, bell.deliver) as called:
        if called is None:
            yield None
            return
        project = int(state.about("project_id") or 0)
        webhook = server.set_webhook(project, called.address, called.headers)
        try:
            yield called.address
        finally:
            server.connection.limit_patience(PARTING)
            with suppress(InputError):  # left behind, it is set anew the next time
                server.delete_webhook(webhook.id)


def _host_and_port(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    if not host or not (port.isascii() and port.isdecimal()) or int(port[:6]) > 65535:
        raise InputError(f"--listen '{listen}': should be HOST:PORT, e.g. 127.0.0.1:8090.")
    return host, int(port)


def _secret() -> str:
    given = os.environ.get(SECRET_VARIABLE, "")
    if not given:
        return secrets.token_urlsafe(32)
    if len(given) < _SHORTEST_SECRET or not given.isascii() or not given.isprintable():
        raise InputError(
            f"{SECRET_VARIABLE} should have at least {_SHORTEST_SECRET} plain characters."
        )
    return given


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let the signal that service managers send end the block as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def pull_lines(summary: PullSummary, is_new: bool = False) -> list[str]:
    """What a pull found, for people; `is_new`: the table had not been written before."""
    since = "the table is new" if is_new else f"{summary.changed:,} changed since the last pull"
    lines = [
        f"{summary.labels:,} labels and {summary.cancelled:,} cancelled by "
        f"{summary.annotators:,} annotators, on {summary.tasks:,} tasks; {since}"
    ]
    left_out = summary.left_out
    if left_out:
        lines.append(f"{len(left_out):,} annotations are left out:")
        lines += [f"  {text}" for text in left_out[:_SHOWN]]
        if len(left_out) > _SHOWN:
            lines.append(f"  and {len(left_out) - _SHOWN:,} more; --json names them all")
    return lines
