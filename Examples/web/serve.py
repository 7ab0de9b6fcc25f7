"""Serves the page as its files stand; React comes from Debian's packages, nothing is built.

    python serve.py [--port 5173]

LYCHGATE_PORT and BACKEND_PORT in the environment tell the page where those two listen.
"""

import argparse
import os
import pathlib

import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

WEB = pathlib.Path(__file__).resolve().parent
REACT = pathlib.Path("/usr/share/nodejs")


class Files(StaticFiles):
    """Files that the browser asks for anew each time, since people edit them."""

    def file_response(self, *arguments, **options):
        response = super().file_response(*arguments, **options)
        response.headers["Cache-Control"] = "no-cache"
        return response


async def environment(request) -> Response:
    text = (WEB / "src" / "env.js").read_text()
    for name, default in (("BACKEND_PORT", "8000"), ("LYCHGATE_PORT", "8080")):
        port = int(os.environ.get(name, default))
        text = text.replace(f"{name} = {default}", f"{name} = {port}")
    return Response(text, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def page() -> Starlette:
    return Starlette(routes=[
        Route("/src/env.js", environment),
        Mount("/react", Files(directory=REACT / "react" / "umd", check_dir=False)),
        Mount("/react-dom", Files(directory=REACT / "react-dom" / "umd", check_dir=False)),
        Mount("/", Files(directory=WEB, html=True)),
    ])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5173)
    arguments = parser.parse_args()
    uvicorn.run(
        page(), host=arguments.host, port=arguments.port, access_log=False, server_header=False
    )
