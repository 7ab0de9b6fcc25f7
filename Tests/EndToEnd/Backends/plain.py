"""workers.py behind servers that close each connection: plain.py werkzeug|wsgiref PORT"""

import sys
from wsgiref.simple_server import WSGIRequestHandler, make_server

import workers


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


if sys.argv[1] == "wsgiref":
    make_server("127.0.0.1", int(sys.argv[2]), workers.wsgi, handler_class=Quiet).serve_forever()
else:
    from werkzeug.serving import WSGIRequestHandler as Handler
    from werkzeug.serving import make_server as make_werkzeug

    class QuietWerkzeug(Handler):
        def log(self, *_):
            pass

    make_werkzeug(
        "127.0.0.1", int(sys.argv[2]), workers.wsgi, request_handler=QuietWerkzeug
    ).serve_forever()
