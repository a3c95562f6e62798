"""Plain GET requests: to this machine past any proxy of the user's, to elsewhere through it."""

import json
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from understudy.errors import UnderstudyError
from understudy.reconcile import loopback
from understudy.reconcile.rollout.checks import Answer

_TIMEOUT_S = 35.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_SHOWN = 300


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


def first_answer(url: str) -> bool:
    """Whether there is something at `url`, once it answers anything but a server error.

    Raises:
        UnderstudyError: it answers with one, or not at all.
    """
    try:
        with _OPENER.open(url, timeout=_TIMEOUT_S):
            return True
    except urllib.error.HTTPError as exc:
        with exc:
            if exc.code < 500:
                return exc.code != HTTPStatus.NOT_FOUND
            problem = f"answers {exc.code}: {exc.read(300).decode(errors='replace')}"
    except (OSError, HTTPException) as exc:
        problem = f"does not answer: {exc}"
    raise UnderstudyError("first-request", f"{url} {problem}", hint="./understudy logs", where=url)


def answer(url: str, timeout_s: float) -> Answer:
    """What `url` answers, whatever that is."""
    began = time.monotonic()
    is_here = loopback.is_loopback(urlsplit(url).hostname)
    opener = _OPENER if is_here else urllib.request.build_opener()
    try:
        with opener.open(url, timeout=timeout_s) as found:
            status, text = found.status, found.read(_SHOWN).decode(errors="replace")
    except urllib.error.HTTPError as exc:
        with exc:
            status, text = exc.code, exc.read(_SHOWN).decode(errors="replace")
    except (OSError, HTTPException) as exc:
        status, text = 0, str(exc)
    return Answer(status=status, seconds=time.monotonic() - began, text=text)
