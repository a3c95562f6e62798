"""Plain GET requests to this machine, past any proxy of the user's."""

import json
import urllib.error
import urllib.request
from http.client import HTTPException
from typing import Any

from understudy.errors import UnderstudyError

_TIMEOUT_S = 35.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get_json(url: str) -> Any:  # noqa: ANN401 - JSON has no narrower type
    """Returns the document at `url`.

    Raises:
        UnderstudyError: nothing answers there, or no document.
    """
    try:
        with _OPENER.open(url, timeout=_TIMEOUT_S) as answer:
            return json.load(answer)
    except (OSError, HTTPException, ValueError) as exc:
        if isinstance(exc, urllib.error.HTTPError):
            exc.close()
        raise UnderstudyError(
            "no-document", f"{url} answers with no document: {exc}", hint="./understudy status", where=url
        ) from exc


def first_answer(url: str) -> None:
    """Returns once `url` answers anything but a server error.

    Raises:
        UnderstudyError: it answers with one, or not at all.
    """
    try:
        with _OPENER.open(url, timeout=_TIMEOUT_S):
            return
    except urllib.error.HTTPError as exc:
        with exc:
            if exc.code < 500:
                return
            problem = f"answers {exc.code}: {exc.read(300).decode(errors='replace')}"
    except (OSError, HTTPException) as exc:
        problem = f"does not answer: {exc}"
    raise UnderstudyError("first-request", f"{url} {problem}", hint="./understudy logs", where=url)
