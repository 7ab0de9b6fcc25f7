"""The Python SDK's client of the Model Context Protocol, through Lychgate; checked at every step.

    mcp_client.py BASE STATE

It begins a session and works in it, says `connected`, and waits until the file STATE is there: the
server has been restarted by then. Its next call has to fail as the protocol has it, on which it
begins another session. Exits 0 if all was as it should be.
"""

import asyncio
import os
import sys

import httpx
from mcp import ClientSession, McpError
from mcp.client.streamable_http import streamablehttp_client

base, state = sys.argv[1:]
answers = []


def check(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found!r} instead of {wanted!r}")


def new_client(headers=None, timeout=None, auth=None):
    """An HTTP client as the SDK makes it, whose answers are kept."""

    async def keep(response):
        answers.append(response)

    return httpx.AsyncClient(
        headers=headers, timeout=timeout, auth=auth, event_hooks={"response": [keep]}
    )


def text(result):
    return result.content[0].text


async def call(session, tool, **arguments):
    return text(await asyncio.wait_for(session.call_tool(tool, arguments), 20))


async def lost_session():
    """A session that does not outlive the server; returns its ID."""
    said = []

    async def on_log(message):
        said.append(message.data)

    url = base + "/mcp"
    async with streamablehttp_client(url, httpx_client_factory=new_client) as (r, w, session_id):
        async with ClientSession(r, w, logging_callback=on_log) as session:
            await session.initialize()
            check("remember", await call(session, "remember", text="before"), "ok")
            check("what the stream said", said, ["remembering before"])
            check("recall", await call(session, "recall"), "before")
            lost = session_id()
            print("connected", flush=True)
            while not os.path.exists(state):
                await asyncio.sleep(0.05)
            answers.clear()
            try:
                await call(session, "recall")
                sys.exit("a call of a session that is lost was answered")
            except McpError as error:
                check("the error", error.error.message, "Session terminated")
            refused = [a for a in answers if a.headers.get("x-session-cleared")]
            for answer in refused:
                check("the status", answer.status_code, 404)
                check("why", answer.headers["x-session-cleared"], "backend-restart")
                check("no way to authenticate", answer.headers.get("www-authenticate"), None)
                check("no cookie", answer.headers.get("set-cookie"), None)
            check("somebody refused", len(refused) > 0, True)
    return lost


async def fresh_session(lost):
    """What a client does then: it initializes again, and everything works."""
    url = base + "/mcp"
    async with streamablehttp_client(url, httpx_client_factory=new_client) as (r, w, session_id):
        async with ClientSession(r, w) as session:
            await session.initialize()
            check("another session", session_id() not in (None, lost), True)
            check("nothing is left", await call(session, "recall"), "nothing")
            check("remember", await call(session, "remember", text="after"), "ok")
            check("recall", await call(session, "recall"), "after")
            ended = session_id()
    # The end of the block has sent DELETE.
    return ended


async def raw(ended):
    """What the protocol says of sessions that are gone, byte for byte."""
    headers = {"Accept": "application/json, text/event-stream", "Mcp-Session-Id": ended}
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/list"}
    async with httpx.AsyncClient() as client:
        answer = await client.post(base + "/mcp", headers=headers, json=call)
        check("after DELETE", answer.status_code, 404)
        check("why", answer.headers.get("x-session-cleared"), "expired")
        check("the error", answer.json(), {
            "jsonrpc": "2.0", "id": None,
            "error": {
                "code": -32600, "message": "Session not found",
                "data": {"reason": "SESSION_NOT_FOUND"},
            },
        })
        check("a length", answer.headers.get("content-length"), str(len(answer.content)))
        # What nobody here has issued only the server can judge, and one without passes as well.
        headers["Mcp-Session-Id"] = "made-up"
        answer = await client.post(base + "/mcp", headers=headers, json=call)
        check("an unknown one", answer.status_code, 404)
        check("by the server", answer.headers.get("x-session-cleared"), None)
        del headers["Mcp-Session-Id"]
        answer = await client.post(base + "/mcp", headers=headers, json=call)
        check("none", answer.status_code, 400)
        check("no cookie", answer.headers.get("set-cookie"), None)


async def main():
    await raw(await fresh_session(await lost_session()))


asyncio.run(main())
