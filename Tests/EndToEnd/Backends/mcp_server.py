"""A Model Context Protocol server (the Python SDK's) that remembers something for each session.

    mcp_server.py PORT RECORD

It tells its instance under /health, with the few lines that the README shows. Every request with a
session is written to RECORD, so that a test sees what reached which instance:

    INSTANCE METHOD SESSION known|unknown
"""

import os
import sys
import threading
import uuid

import uvicorn
from mcp.server.fastmcp import Context, FastMCP
from starlette.responses import JSONResponse

port, record = int(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
instance = str(uuid.uuid4())
mcp = FastMCP("memory", port=port)
memory = {}


@mcp.custom_route("/health", methods=["GET"])
async def health(request):
    return JSONResponse({"serverInstanceId": instance})


@mcp.tool()
async def remember(text: str, context: Context) -> str:
    """Keeps a text for this session alone, and says so on the way."""
    memory[id(context.session)] = text
    await context.info(f"remembering {text}")
    return "ok"


@mcp.tool()
async def recall(context: Context) -> str:
    """What this session has kept."""
    return memory.get(id(context.session), "nothing")


def recorded(app):
    """Notes each request that carries a session."""

    async def wrapped(scope, receive, send):
        session = dict(scope.get("headers", [])).get(b"mcp-session-id", b"").decode("latin-1")
        known = session in mcp.session_manager._server_instances
        if session:
            text = f"{instance} {scope['method']} {session} {'known' if known else 'unknown'}\n"
            os.write(record, text.encode())
        await app(scope, receive, send)

    return wrapped


def end_with_parent():
    """The test holds the other end of standard input; when it goes, so does this."""
    sys.stdin.buffer.read()
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()
uvicorn.run(recorded(mcp.streamable_http_app()), port=port, log_level="warning")
