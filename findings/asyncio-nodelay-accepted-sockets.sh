#!/bin/bash
# asyncio leaves Nagle's algorithm on for connections of a listening socket from socket.create_server.
#
# A good guess: asyncio sets TCP_NODELAY on every TCP connection (so its documentation, since Python 3.6), and so a
# server that writes head and body of an answer apart, as uvicorn with h11 does, answers at once on a kept connection.
# What happens: asyncio sets it only where `sock.proto == IPPROTO_TCP`. A socket that socket.create_server (or
# socket.socket without a third argument) made has proto 0, and what it accepts has, too: TCP_NODELAY stays off, and each
# answer after the first waits for the client's delayed acknowledgement, about 40 ms on Linux. uvicorn handed such a
# socket (uvicorn.Server.run(sockets=[...])) shows it; uvicorn given host and port does not.
# Versions: CPython 3.11.7; uvicorn 0.35.0, h11 0.16.0, httpx 0.28.1.
# Source: Lib/asyncio/base_events.py, _set_nodelay; Lib/socket.py, accept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvicorn==0.35.0 h11==0.16.0 httpx==0.28.1
cat > "$folder/show.py" <<'PY'
import platform, socket, statistics, sys, threading, time
import httpx, uvicorn

async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

def median_ms(listener):
    config = uvicorn.Config(app, http="h11", loop="asyncio", lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    with httpx.Client(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}", trust_env=False) as client:
        client.get("/")
        times = []
        for _ in range(30):
            start = time.perf_counter()
            client.get("/")
            times.append(1e3 * (time.perf_counter() - start))
    server.should_exit = True
    thread.join()
    return statistics.median(times)

plain = socket.create_server(("127.0.0.1", 0))
said = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
said.bind(("127.0.0.1", 0))
said.listen()
print("Python", platform.python_version(), "uvicorn", uvicorn.__version__)
print("proto of socket.create_server's socket:", plain.proto, "and of one made with IPPROTO_TCP:", said.proto)
slow, quick = median_ms(plain), median_ms(said)
print(f"answer on a kept connection, median: {slow:.1f} ms with proto {plain.proto}, {quick:.1f} ms with IPPROTO_TCP")
sys.exit(0 if plain.proto == 0 and slow > 20 > quick else 1)
PY
"$folder/venv/bin/python" "$folder/show.py"
