"""The verifyd of `verifyd run -- pytest`, as fixtures."""

import json
import os
import urllib.parse
import urllib.request

import pytest


def call(method, path, **query):
    url = os.environ["VERIFYD_URL"] + path + "?" + urllib.parse.urlencode(query)
    with urllib.request.urlopen(urllib.request.Request(url, method=method)) as answer:
        return answer.read()


@pytest.fixture
def code_for():
    """A function: the code that a number was sent, as soon as it has been."""

    def code_for(to):
        found = json.loads(call("GET", "/dev/inbox", to=to, pending="true", wait="10s", limit=1))
        return found["messages"][0]["code"]

    return code_for


@pytest.fixture
def advance():
    """A function that moves verifyd's time on: advance("10m")."""
    return lambda by: call("POST", "/dev/clock", advance=by)


@pytest.fixture(autouse=True)
def empty():
    """Every test begins with nothing."""
    call("POST", "/dev/reset")
