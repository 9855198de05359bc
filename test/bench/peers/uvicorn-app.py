"""The same work for uvicorn, as a bare ASGI application; the values of work.ts are repeated here."""

GREETING = b"Hello from TSAGI"
STREAM_BYTES = 2**30
STREAM_CHUNK = b"x" * 65536
READ_HEADERS = (b"x-request-id", b"authorization", b"accept-language")
BINARY = (b"content-type", b"application/octet-stream")


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise RuntimeError("unsupported scope: " + scope["type"])
    path = scope["path"]
    if path == "/":
        await greet(200, send)
    elif path == "/headers":
        found = dict(scope["headers"])
        await greet(200 if all(found.get(name) for name in READ_HEADERS) else 400, send)
    elif path == "/echo":
        await echo(receive, send)
    elif path == "/stream":
        await stream(send)
    else:
        await greet(404, send)


async def greet(status, send):
    headers = [(b"content-type", b"text/plain"), (b"content-length", b"16")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": GREETING})


async def echo(receive, send):
    body = b""
    more = True
    while more:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    headers = [BINARY, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def stream(send):
    await send({"type": "http.response.start", "status": 200, "headers": [BINARY]})
    for _ in range(STREAM_BYTES // len(STREAM_CHUNK)):
        await send({"type": "http.response.body", "body": STREAM_CHUNK, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
