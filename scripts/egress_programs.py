"""Checks of real programs through the gateway, and of large transfers."""

import contextlib
import os
import shutil
import subprocess
import time

from testbed import TOP, Failure
from world import OTHER4

HOSTS = ["tls", "git", "pypi", "redis", "db", "socket", "h2", "bulk", "api"]
WAIT_SECONDS = 20


@contextlib.contextmanager
def server(stage, words, port, **options):
    """A program that serves in the world; ready when it takes connections."""
    log = f"{stage.world.directory}/{os.path.basename(words[0])}.log"
    with open(log, "wb") as out:
        child = stage.world.child([*stage.world.in_net, *words], stdout=out, stderr=out, **options)
    try:
        end = time.monotonic() + WAIT_SECONDS
        knock = f"import socket; socket.create_connection(('{OTHER4}', {port}), 1)"
        while subprocess.run([*stage.world.in_net, "/usr/bin/python3", "-c", knock],
                             capture_output=True, check=False).returncode:
            if time.monotonic() > end or child.poll() is not None:
                with open(log, encoding="utf-8", errors="replace") as told:
                    raise Failure(f"{words[0]} does not serve: {told.read()[-400:]}")
            time.sleep(0.05)
        yield
    finally:
        child.terminate()
        child.wait(WAIT_SECONDS)


def must_hold(said, word, what):
    if word not in said:
        raise Failure(f"{what} said {said[-400:]!r}")


def curl(stage):
    ca = ["--cacert", f"{stage.files}/ca.pem"]
    said = stage.run("programs", "/usr/bin/curl", "-sS", *ca, "https://tls.world.test/hello")
    must_hold(said, "hello from the world", "curl")
    said = stage.run("programs", "/usr/bin/curl", "-sS", "http://tls.world.test/host")
    must_hold(said, "tls.world.test", "curl")
    refused = stage.run("programs", "/usr/bin/curl", "-sS", "--max-time", "10", *ca, "--resolve",
                        f"denied.world.org:443:{OTHER4}", "https://denied.world.org/hello",
                        status=None)
    if "hello" in refused:
        raise Failure("a name that no entry grants was reached at an allowed address")
    return "https with a CA of its own, http, and no other name at the same address"


def fronting(stage):
    """Another name inside the connection than the one that was resolved."""
    ca = ["--cacert", f"{stage.files}/ca.pem"]
    said = stage.run("names", "/usr/bin/curl", "-sS", "--max-time", "10", "-H",
                     "Host: denied.world.org", "http://web.world.test/host", status=None)
    if "denied.world.org" in said:
        raise Failure("a Host that no entry grants went through")
    said = stage.run("names", "/usr/bin/curl", "-sSk", "--max-time", "10", *ca, "--connect-to",
                     "evil.world.test:443:web.world.test:443", "https://evil.world.test/hello",
                     status=None)
    if "hello" in said:
        raise Failure("a server name that no entry grants went through")
    return "neither a Host nor a TLS server name that is not the granted one"


def openssl(stage):
    said = stage.run(
        "programs", "/usr/bin/openssl", "s_client", "-connect", "tls.world.test:443", "-CAfile",
        f"{stage.files}/ca.pem", "-verify_return_error", "-servername", "tls.world.test")
    must_hold(said, "Verify return code: 0 (ok)", "openssl s_client")
    return "certificate verified"


def git(stage):
    said = stage.run(
        "programs", "/bin/sh", "-c", f"git -c http.sslCAInfo={stage.files}/ca.pem clone -q "
        "https://git.world.test/project.git /tmp/p && cat /tmp/p/README")
    must_hold(said, "cloned through the gateway", "git clone")
    return "cloned over https"


def pip(stage):
    said = stage.run(
        "programs", "/bin/sh", "-c", "/usr/bin/python3 -m pip download --disable-pip-version-check "
        f"--cert {stage.files}/ca.pem --index-url https://pypi.world.test/simple --no-deps "
        "-d /tmp/down corral-world==1.0 2>&1; ls /tmp/down")
    must_hold(said, "corral_world-1.0-py3-none-any.whl", "pip download")
    return "downloaded from an index over https"


def redis(stage):
    if not shutil.which("redis-server"):
        raise Failure("no redis-server here (scripts/setup.sh redis-server redis-tools)")
    with server(stage, ["/usr/bin/redis-server", "--port", "6379", "--protected-mode", "no",
                        "--bind", "0.0.0.0", "::", "--save", "", "--dir",
                        stage.world.directory], 6379):
        said = stage.run("programs", "/bin/sh", "-c",
                         "redis-cli -h redis.world.test set k v; redis-cli -h redis.world.test "
                         "get k; redis-cli -h redis.world.test -r 1000 incr n | tail -1")
    must_hold(said, "OK\nv\n1000", "redis-cli")
    return "1,002 commands"


def psql(stage):
    programs = sorted(os.listdir("/usr/lib/postgresql"))[-1]
    programs = f"/usr/lib/postgresql/{programs}/bin"
    data = f"{stage.world.directory}/postgres"
    os.mkdir(data, 0o700)
    shutil.chown(data, "postgres", "postgres")
    key = f"{data}-key.pem"
    shutil.copy(f"{stage.world.directory}/keys/server.key", key)
    os.chmod(key, 0o600)
    shutil.chown(key, "postgres", "postgres")
    be = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    subprocess.run([*be, f"{programs}/initdb", "-D", data, "-A", "trust", "--no-sync"], check=True,
                   capture_output=True, cwd="/")
    with open(f"{data}/pg_hba.conf", "a", encoding="ascii") as file:
        file.write("hostssl all all all trust\n")
    options = {"listen_addresses": "*", "unix_socket_directories": "", "ssl": "on", "fsync": "off",
               "ssl_cert_file": f"{stage.world.directory}/keys/server.pem", "ssl_key_file": key}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    with server(stage, [*be, f"{programs}/postgres", "-D", data, *words], 5432, cwd="/"):
        for host in ("db.world.test", "db.internal"):
            said = stage.run(
                "programs", "/usr/bin/psql", f"host={host} user=postgres dbname=postgres "
                f"sslmode=verify-full sslrootcert={stage.files}/ca.pem", "-Atc",
                "select sum(g) from generate_series(1, 100000) g")
            must_hold(said, "5000050000", f"psql at {host}")
    return "verified TLS, at a public name and at a private one"


NODE = """
const fs = require('fs');
fetch('https://api.world.test/hello').then(r => r.text()).then(t => {
  console.log('fetched ' + t.trim());
  const h2 = require('http2').connect('https://h2.world.test:8444',
                                      {ca: fs.readFileSync(process.argv[1])});
  const stream = h2.request({':path': '/'});
  let said = '';
  stream.on('data', d => said += d).on('end', () => { console.log(said); h2.close(); });
}).catch(e => { console.log('failed ' + e + ' ' + (e.cause || '')); process.exit(1); });
"""
H2_SERVER = """
const fs = require('fs'), k = process.argv[1];
require('http2').createSecureServer({key: fs.readFileSync(k + '/server.key'),
  cert: fs.readFileSync(k + '/server.pem')}, (request, answer) => {
    answer.end('HTTP/' + request.httpVersion); }).listen(8444, '::');
"""


def node(stage):
    keys = f"{stage.world.directory}/keys"
    ca = f"{stage.files}/ca.pem"
    with server(stage, ["/usr/bin/node", "-e", H2_SERVER, keys], 8444):
        said = stage.run("programs", "/usr/bin/env", f"NODE_EXTRA_CA_CERTS={ca}", "/usr/bin/node",
                         "-e", NODE, ca)
        must_hold(said, "fetched hello from the world\nHTTP/2", "node")
        said = stage.run("programs", "/usr/bin/curl", "-sS", "--http2", "--cacert", ca, "-w",
                         " %{http_version}", "https://h2.world.test:8444/")
        must_hold(said, "HTTP/2.0 2", "curl --http2")
    return "fetch, which knows no proxy variables; HTTP/2 by node and by curl"


SOCKET_SERVER = """
import asyncio, ssl, sys, websockets
async def echo(peer):
    async for text in peer: await peer.send(text[::-1])
async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1] + "/server.pem", sys.argv[1] + "/server.key")
    async with websockets.serve(echo, "0.0.0.0", 8445, ssl=context): await asyncio.Future()
asyncio.run(main())
"""
SOCKET = """
import asyncio, ssl, sys, websockets
async def main():
    context = ssl.create_default_context(cafile=sys.argv[1])
    async with websockets.connect("wss://socket.world.test:8445", ssl=context) as peer:
        for number in range(500):
            await peer.send(f"message {number}")
            assert await peer.recv() == f"message {number}"[::-1]
        await peer.send("x" * 900000)
        assert len(await peer.recv()) == 900000
    print("talked")
asyncio.run(main())
"""


def websocket(stage):
    keys = f"{stage.world.directory}/keys"
    with server(stage, ["/usr/bin/python3", "-c", SOCKET_SERVER, keys], 8445):
        said = stage.run("programs", "/usr/bin/python3", "-c", SOCKET, f"{stage.files}/ca.pem")
    must_hold(said, "talked", "the WebSocket")
    return "501 messages there and back"


def requests(stage):
    script = ("import requests, sys\nwith requests.Session() as s:\n"
              " for _ in range(50): t = s.get('https://api.world.test/hello', "
              "verify=sys.argv[1]).text\n"
              " n = s.post('https://api.world.test/length', data=b'x' * 5000000, "
              "verify=sys.argv[1]).text\nprint(t, n)")
    said = stage.run("programs", "/usr/bin/python3", "-c", script, f"{stage.files}/ca.pem")
    must_hold(said, "hello from the world\n 5000000", "requests")
    return "50 pages and 5 MB up over one connection"


def compiled(stage):
    """A program without libc's resolver, if there is one in Go; one in C, linked statically."""
    source = ("#include <stdio.h>\n#include <netdb.h>\n#include <unistd.h>\n"
              "#include <arpa/inet.h>\n#include <string.h>\nint main(void) {\n"
              " struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(13)};\n"
              " char c = 0;\n"
              f' inet_pton(AF_INET, "{OTHER4}", &a.sin_addr);\n'
              " int s = socket(AF_INET, SOCK_STREAM, 0);\n"
              " if (connect(s, (void *)&a, sizeof a) || read(s, &c, 1) != 1) return 1;\n"
              " putchar(c); return 0; }\n")
    program = f"{stage.files}/static"
    subprocess.run(["gcc", "-static", "-O1", "-x", "c", "-", "-o", program], input=source,
                   text=True, check=True, capture_output=True)
    os.chmod(program, 0o755)
    must_hold(stage.run("open", program), "!", "a static program")
    if not shutil.which("go"):
        return "a static C program (no Go compiler here)"
    with open(f"{stage.files}/main.go", "w", encoding="ascii") as file:
        file.write('package main\nimport ("fmt"; "io"; "net/http")\nfunc main() {\n'
                   ' r, e := http.Get("https://api.world.test/hello")\n'
                   ' if e != nil { fmt.Println(e); return }\n'
                   ' b, _ := io.ReadAll(r.Body); fmt.Print(string(b)) }\n')
    subprocess.run(["go", "build", "-o", f"{stage.files}/go", f"{stage.files}/main.go"], check=True,
                   capture_output=True, cwd=stage.files,
                   env={"PATH": os.environ["PATH"], "HOME": stage.world.directory,
                        "GOCACHE": f"{TOP}/.build/go-cache", "CGO_ENABLED": "0"})
    os.chmod(f"{stage.files}/go", 0o755)
    said = stage.run("programs", "/usr/bin/env", f"SSL_CERT_FILE={stage.files}/ca.pem",
                     f"{stage.files}/go")
    must_hold(said, "hello from the world", "a program in Go")
    return "a static C program, and one in Go with its own resolver and TLS"


def transfer(stage):
    speeds = []
    for command, port in (("download", 19), ("upload", 9)):
        began = time.monotonic()
        said = stage.inside("programs", command, "bulk.world.test", port, stage.bytes)
        if said != {"whole": True, "bytes": stage.bytes}:
            raise Failure(f"{command}: {said}")
        speeds.append(f"{command} {stage.bytes / (time.monotonic() - began) / 1e6:.0f} MB/s")
    return f"{stage.bytes} bytes each way arrive whole ({', '.join(speeds)} with SHA-256)"


CHECKS = {function.__name__: function for function in (
    curl, fronting, openssl, git, pip, redis, psql, node, websocket, requests, compiled, transfer)}
