"""Who may see the page, and which of its forms are its own: one signed cookie, nothing kept.

The cookie holds a random word and its signature. A form carries a second signature of the same word
(the synchroniser token of OWASP's cheat sheet on cross-site request forgery), which no other site
can know.
"""

import hashlib
import hmac
import secrets

from starlette.requests import HTTPConnection
from starlette.responses import Response

from budget.web.settings import WebSettings

_DAYS = 30
_WORD_BYTES = 18


class Sessions:
    """Signs and checks cookies and forms.

    With a token the key is made of it, so that a restart signs nobody out; without one it is drawn
    anew.
    """

    def __init__(self, settings: WebSettings) -> None:
        self._token = settings.token
        # Browsers send a cookie to every port of a machine.
        self._cookie = f"labelmix-{settings.port}"
        self._key = (
            secrets.token_bytes(32)
            if self._token is None
            else hashlib.scrypt(self._token.encode(), salt=b"labelmix app", n=2**14, r=8, p=1)
        )

    @property
    def needs_token(self) -> bool:
        """Whether somebody has to sign in."""
        return self._token is not None

    def is_token(self, given: str) -> bool:
        """Whether it is the token; takes as long for one that is nearly right."""
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())

    def word(self, request: HTTPConnection) -> str | None:
        """The word of a cookie that was signed here; None where there is none."""
        word, _, signature = request.cookies.get(self._cookie, "").partition(".")
        return word if hmac.compare_digest(signature, self._sign("session", word)) else None

    def may_see(self, request: HTTPConnection) -> bool:
        """Whether the token is not needed, or was given: by the cookie or as a bearer token."""
        if not self.needs_token or self.word(request) is not None:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and self.is_token(given.strip())

    def begin(self) -> str:
        """A new word."""
        return secrets.token_urlsafe(_WORD_BYTES)

    def keep(self, response: Response, word: str) -> None:
        """Send the word as a cookie that scripts cannot read and other sites cannot use."""
        response.set_cookie(
            self._cookie,
            f"{word}.{self._sign('session', word)}",
            max_age=_DAYS * 24 * 3600,
            httponly=True,
            samesite="strict",
        )

    def form_token(self, word: str) -> str:
        """What the forms of this browser carry."""
        return self._sign("form", word)

    def is_form_token(self, request: HTTPConnection, given: str) -> bool:
        """Whether a form was made here, for this browser."""
        word = self.word(request)
        return word is not None and hmac.compare_digest(
            given.encode(), self.form_token(word).encode()
        )

    def _sign(self, purpose: str, word: str) -> str:
        return hmac.new(self._key, f"{purpose}:{word}".encode(), hashlib.sha256).hexdigest()
