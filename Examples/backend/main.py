"""A backend that keeps its sessions in its own memory, as many do: the one of the example.

It knows nothing of Lychgate. What Lychgate relies on is `/health`, which tells who this process
is. A session lives in a dictionary, so a restart forgets them all; whoever comes back with one
is a zombie request, which is logged, and counted in the file that EXAMPLE_ZOMBIE_FILE names.

Two demo switches make the rarer answers of `/api/session/status` reachable:

    POST /demo/snowflake?state=unreachable   503 snowflake-unreachable
    POST /demo/snowflake?state=rejects       401 auth-error
    POST /demo/snowflake?state=ok            200 again

and with EXAMPLE_RESTARTABLE=1, `POST /demo/restart` kills this process the hard way.
"""

import argparse
import logging
import os
import pathlib
import signal
import sys
import threading
import uuid
from datetime import datetime, timezone

import uvicorn
from fastapi import FastAPI, Header, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "web"))
from serve import page

SERVER_INSTANCE_ID = str(uuid.uuid4())
SERVER_START_TIME = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
SERVER_START_TIME = SERVER_START_TIME.replace("+00:00", "Z")

TABLES = {
    "ORDERS": [{"ID": 1, "ITEM": "lantern"}, {"ID": 2, "ITEM": "oak gate"}],
    "VISITORS": [{"ID": 1, "NAME": "Ada"}, {"ID": 2, "NAME": "Grace"}, {"ID": 3, "NAME": "Alan"}],
}

logger = logging.getLogger("uvicorn.error")
sessions: dict[str, dict] = {}
ended: set[str] = set()
snowflake = {"state": "ok"}
logging.getLogger("uvicorn.access").addFilter(
    lambda line: "/api/" in line.getMessage() or "/demo/" in line.getMessage()
)
app = FastAPI(title="Example backend", docs_url=None, redoc_url=None)
app.add_middleware(
    CORSMiddleware,
    # The page on a port of its own, as while it is being developed.
    allow_origin_regex=r"http://(localhost|127\.0\.0\.1):\d+",
    allow_credentials=True,
    allow_methods=["*"],
    allow_headers=["*"],
)


def problem(status: int, valid: bool, reason: str, message: str) -> JSONResponse:
    return JSONResponse({"valid": valid, "reason": reason, "message": message}, status)


def find_session(session_id: str | None) -> dict | JSONResponse:
    """The session, or the answer that says why there is none."""
    if not session_id:
        return problem(401, False, "NO_SESSION_ID", "No session ID provided")
    session = sessions.get(session_id)
    if session is None:
        return problem(
            401, False, "SESSION_NOT_FOUND", "Session not found - please reconnect"
        )
    return session


@app.middleware("http")
async def notice_zombies(request: Request, call_next):
    """Records each request whose session another instance issued: with Lychgate, none."""
    session_id = request.headers.get("x-session-id")
    if session_id and session_id not in sessions and session_id not in ended:
        line = f"{request.method} {request.url.path} {session_id[:8]}..."
        logger.warning("ZOMBIE REQUEST %s (issued by another instance)", line)
        if file := os.environ.get("EXAMPLE_ZOMBIE_FILE"):
            with open(file, "a", encoding="utf-8") as zombies:
                zombies.write(line + "\n")
    return await call_next(request)


@app.get("/health")
async def health_check():
    return {
        "status": "healthy",
        "serverInstanceId": SERVER_INSTANCE_ID,
        "startedAt": SERVER_START_TIME,
    }


@app.post("/api/connect")
async def connect():
    session_id = str(uuid.uuid4())
    sessions[session_id] = {"user": "DEMO", "queries": 0}
    logger.info("[Connect] session %s... issued", session_id[:8])
    return JSONResponse(
        {"sessionId": session_id, "user": "DEMO"}, headers={"X-Session-ID": session_id}
    )


@app.get("/api/session/status")
async def session_status(x_session_id: str | None = Header(None)):
    session = find_session(x_session_id)
    if isinstance(session, JSONResponse):
        return session
    if snowflake["state"] == "rejects":
        return problem(401, False, "auth-error", "Snowflake rejected the session")
    if snowflake["state"] == "unreachable":
        return problem(503, True, "snowflake-unreachable", "Snowflake unreachable - try again later")
    return {"valid": True, "user": session["user"], "queries": session["queries"]}


@app.get("/api/tables")
async def tables(x_session_id: str | None = Header(None)):
    session = find_session(x_session_id)
    if isinstance(session, JSONResponse):
        return session
    return {"tables": [{"name": name, "rows": len(rows)} for name, rows in TABLES.items()]}


@app.post("/api/query")
async def query(request: Request, x_session_id: str | None = Header(None)):
    session = find_session(x_session_id)
    if isinstance(session, JSONResponse):
        return session
    try:
        table = str((await request.json())["table"]).upper()
    except (ValueError, KeyError, TypeError):
        return JSONResponse({"error": 'expected {"table": "ORDERS"}'}, 400)
    if table not in TABLES:
        return JSONResponse({"error": f"no table {table}"}, 404)
    session["queries"] += 1
    return {"table": table, "rows": TABLES[table], "queryNumber": session["queries"]}


@app.post("/api/disconnect")
async def disconnect(x_session_id: str | None = Header(None)):
    session = find_session(x_session_id)
    if isinstance(session, JSONResponse):
        return session
    del sessions[x_session_id]
    ended.add(x_session_id)
    return {"disconnected": True}


@app.post("/demo/snowflake")
async def demo_snowflake(state: str):
    if state not in ("ok", "unreachable", "rejects"):
        return JSONResponse({"error": "state is ok, unreachable or rejects"}, 400)
    snowflake["state"] = state
    return {"state": state}


@app.post("/demo/restart")
async def demo_restart():
    if os.environ.get("EXAMPLE_RESTARTABLE") != "1":
        return JSONResponse({"error": "nobody would start me again"}, 404)
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGKILL)).start()
    return JSONResponse({"restarting": True}, 202)


# Last, since it takes whatever is left: the same page as on a port of its own.
app.mount("/", page())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    uvicorn.run(app, host=arguments.host, port=arguments.port, server_header=False)
