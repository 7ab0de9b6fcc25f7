"""One application with sessions in memory, for servers that people run: as ASGI and as WSGI.

Each process has an instance ID of its own, made when this module is loaded: after the fork, unless
the server loads it before (`gunicorn --preload`), and then all its processes have the same one.
Every request is written to the file that LYCHGATE_RECORD names, as backend.py does.
"""

import json
import os
import time
import urllib.parse

INSTANCE = os.urandom(8).hex() + "-" + str(os.getpid())
issued = set()
record = os.open(os.environ["LYCHGATE_RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)


def respond(method, path, query, session):
    """The status, the fields and the content of the answer to a request."""
    kind = "anonymous"
    if path == "/health":
        kind = "health"
    elif session is not None:
        # A session ID tells who issued it.
        is_own = session in issued
        kind = "session" if is_own else "zombie"
        if not is_own and session.endswith("-" + INSTANCE):
            kind = "sibling"
    os.write(record, f"{kind} {INSTANCE} {method} {path} {session or '-'}\n".encode())
    fields = []
    status, answer = 200, {"instance": INSTANCE, "pid": os.getpid()}
    if path == "/health":
        answer = {"status": "healthy", "serverInstanceId": INSTANCE}
    elif path == "/api/connect":
        issued_now = "s-" + os.urandom(12).hex() + "-" + INSTANCE
        issued.add(issued_now)
        fields = [("X-Session-ID", issued_now)]
        answer["sessionId"] = issued_now
    elif path == "/slow":
        time.sleep(int(query.get("ms", "100")) / 1000)
    elif session is not None and session not in issued:
        status = 401
        answer = {"valid": False, "reason": "SESSION_NOT_FOUND", "message": "no such session"}
    return status, fields, json.dumps(answer).encode()


def parameters(query):
    return dict(urllib.parse.parse_qsl(query))


def wsgi(environ, start_response):
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    status, fields, content = respond(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"],
        parameters(environ.get("QUERY_STRING", "")),
        environ.get("HTTP_X_SESSION_ID"),
    )
    fields += [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    start_response(f"{status} Answer", fields)
    return [content]


async def asgi(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    while (await receive()).get("more_body"):
        pass
    session = dict(scope["headers"]).get(b"x-session-id")
    status, fields, content = respond(
        scope["method"],
        scope["path"],
        parameters(scope["query_string"].decode()),
        session.decode() if session is not None else None,
    )
    fields += [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.lower().encode(), value.encode()) for name, value in fields],
        }
    )
    await send({"type": "http.response.body", "body": content})
