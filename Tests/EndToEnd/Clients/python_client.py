"""A session through Lychgate with a well-known Python client, checked at every step.

    python_client.py requests|httpx before|after BASE STATE

`before` logs in and moves content in every framing; `after` runs once the backend has restarted.
STATE is a file that keeps the cookies in between. Exits 0 if all was as it should be.
"""

import json
import os
import sys


# What each of them calls the content of a request.
NAME_OF_CONTENT = {"requests": "data", "httpx": "content"}


def check(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r} instead of {wanted!r}")


def new_client(library):
    if library == "requests":
        import requests

        return requests.Session()
    import httpx

    return httpx.Client()


def chunked(data):
    for start in range(0, len(data), 1000):
        yield data[start : start + 1000]


def before(library, client, base):
    answer = client.post(base + "/api/connect")
    check("log-in", answer.status_code, 200)
    check("the session ID stays hidden", "lychgate" in client.cookies, True)
    for _ in range(3):
        check("work", client.get(base + "/api/work").json()["valid"], True)
    data = os.urandom(300_000)
    for content in (data, chunked(data)):
        answer = client.post(base + "/echo", **{NAME_OF_CONTENT[library]: content})
        check("upload", answer.json()["count"], len(data))
    for target, count in (("/bytes", 1_000_000), ("/chunked", 100_000), ("/until-close", 50_000)):
        answer = client.get(f"{base}{target}?n={count}")
        check(target, (answer.status_code, len(answer.content)), (200, count))
    answer = client.head(base + "/bytes?n=10")
    check("HEAD", (answer.headers["Content-Length"], answer.content), ("10", b""))
    check("204", client.get(base + "/204").status_code, 204)
    check("still there", client.get(base + "/api/work").status_code, 200)


def after(client, base):
    answer = client.get(base + "/api/work")
    check("the one 401", answer.status_code, 401)
    check("why", answer.headers["X-Session-Cleared"], "backend-restart")
    check("reason", answer.json()["reason"], "SESSION_NOT_FOUND")
    check("the cookie is gone", "lychgate" in client.cookies, False)
    check("anonymous", client.get(base + "/api/work").json()["reason"], "NO_SESSION_ID")
    check("log-in", client.post(base + "/api/connect").status_code, 200)
    check("work", client.get(base + "/api/work").status_code, 200)


def main():
    library, phase, base, state = sys.argv[1:]
    client = new_client(library)
    if phase == "before":
        before(library, client, base)
        with open(state, "w") as file:
            json.dump(client.cookies.get("lychgate"), file)
    else:
        with open(state) as file:
            host = base.split("/")[2].split(":")[0]
            client.cookies.set("lychgate", json.load(file), domain=host, path="/")
        after(client, base)


main()
