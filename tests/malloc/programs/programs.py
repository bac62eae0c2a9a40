"""Programs of the distribution, run to the end inside one fixed pool.

    programs.py BITFIT SOURCES HELPERS PROGRAM [OPTION...]

Runs PROGRAM without bitfit and under `bitfit run --pool`: every byte of output
and the exit code must be the same, every process that reports must have stayed
in its pool, and no request may have failed. SOURCES is the project's root,
HELPERS the folder of this test's own programs; the OPTIONS go to `bitfit run`.
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

LIMIT = 120  # seconds, for each program

THREADS = """
import hashlib, json, queue, threading
answers, tasks = {}, queue.Queue()
def work():
    while (task := tasks.get()) is not None:
        text = json.dumps([{"n": i, "s": "x" * (i % 99)} for i in range(task)])
        answers[task] = hashlib.sha256(text.encode()).hexdigest()
crowd = [threading.Thread(target=work) for _ in range(8)]
for thread in crowd: thread.start()
for task in range(100, 2100, 10): tasks.put(task)
for thread in crowd: tasks.put(None)
for thread in crowd: thread.join()
print(hashlib.sha256(repr(sorted(answers.items())).encode()).hexdigest())
"""

NODE = """
const { Worker, isMainThread, parentPort } = require('worker_threads');
const crypto = require('crypto'), zlib = require('zlib');
function work(seed) {
  const parts = [];
  for (let i = 0; i < 3000; i++)
    parts.push({ n: i * seed % 977, text: 'x'.repeat(i % 211) });
  const packed = zlib.deflateSync(Buffer.from(JSON.stringify(parts)));
  const text = zlib.inflateSync(packed).toString();
  return crypto.createHash('sha256').update(text).digest('hex');
}
if (isMainThread) {
  const worker = new Worker(__filename);
  worker.on('message', answer => console.log(work(3), answer));
} else {
  parentPort.postMessage(work(5));
}
"""

GIT = """
set -e
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a \
    GIT_COMMITTER_EMAIL=a@b GIT_AUTHOR_DATE='1700000000 +0000' \
    GIT_COMMITTER_DATE='1700000000 +0000' GIT_CONFIG_GLOBAL=/dev/null
git init -q -b main .
for i in 1 2 3 4 5 6 7 8; do
    cp "$SOURCES"/src/*.c .
    seq $((i * 1000)) >numbers
    git add .
    git commit -q -m "commit $i"
done
git log --stat | cat
git gc -q
git fsck --strict
git diff HEAD~3 --stat | cat
git rev-parse HEAD
"""


class Place:
    """Where one run happens: its folder, and what stands before a command."""

    def __init__(self, folder, sources, helpers, front=()):
        self.folder = pathlib.Path(folder)
        self.sources = sources
        self.helpers = helpers
        self.front = list(front)
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C",
            "PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0",
            "PERL_HASH_SEED": "0", "SOURCES": str(sources)}

    def run(self, *argv):
        """Output and errors of a command, which has to succeed."""
        done = subprocess.run(
            [*self.front, *map(str, argv)], cwd=self.folder, timeout=LIMIT,
            env=self.environment, capture_output=True, check=False)
        assert done.returncode == 0, (argv, done.returncode, done.stderr)
        return done.stdout, done.stderr

    def start(self, *argv):
        return subprocess.Popen(
            [*self.front, *map(str, argv)], cwd=self.folder,
            env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def workload(self, name):
        return self.sources / "bench" / "workloads" / name


def sqlite3(place):
    return place.run("sqlite3", "my.db",
                     f".read {place.workload('orders.sql')}")


def lua(place):
    return place.run("lua5.4", place.workload("words.lua"))


def perl(place):
    return place.run("perl", place.workload("records.pl"))


def python3(place):
    return place.run("/usr/bin/python3", "-S", "-c", THREADS)


def gcc(place):
    answer = place.run("gcc", "-O2", f"-I{place.sources}/include", "-c",
                       place.sources / "src" / "bitfit.c", "-o", "bitfit.o")
    return answer, (place.folder / "bitfit.o").read_bytes()


def git(place):
    return place.run("sh", place.write("../work.sh", GIT))


def cplusplus(place):
    return place.run(place.helpers / "threaded")


def node(place):
    return place.run("node", place.write("work.js", NODE))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def wait_for(port):
    for _ in range(3000):
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", int(port)), 1).close()
            return
        time.sleep(0.02)
    raise SystemExit("redis-server does not answer")


def ask(port, *commands):
    """The client is no part of the test and runs without a pool."""
    return subprocess.run(
        ["redis-cli", "-p", port], input="\n".join(commands).encode(),
        capture_output=True, timeout=LIMIT, check=True).stdout


def redis(place):
    port = free_port()
    # Under this name it is the server; that package would start a service.
    program = place.folder / "redis-server"
    program.symlink_to(shutil.which("redis-check-rdb"))
    server = place.start(program, "--port", port, "--bind",
                         "127.0.0.1", "--save", "", "--appendonly", "no")
    try:
        wait_for(port)
        subprocess.run(
            ["redis-benchmark", "-p", port, "-q", "-n", "20000", "-r", "5000",
             "-d", "300", "-P", "8", "-t", "set,get,lpush,lpop,hset,zadd"],
            stdout=subprocess.DEVNULL, timeout=LIMIT, check=True)
        answers = ask(port, "flushall", *(f"set key{i} value{i * i}"
                                          for i in range(2000)),
                      "dbsize", "get key1234", "debug digest")
        ask(port, "shutdown nosave")
        return server.wait(LIMIT), answers
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait(LIMIT)


POOLS = {
    "sqlite3": (sqlite3, "4M"),
    "lua": (lua, "4M"),
    "perl": (perl, "8M"),
    "python3": (python3, "32M"),
    "gcc": (gcc, "32M"),
    "git": (git, "64M"),
    "redis": (redis, "64M"),
    "cplusplus": (cplusplus, "32M"),
    "node": (node, "256M"),
}


def in_new_folder(work, folder, **how):
    folder.mkdir(parents=True)
    return work(Place(folder, **how))


def check_report(path, pool):
    parts = json.loads(path.read_text())["processes"]
    assert parts, "no process reported"
    for part in parts:
        assert part["budget"] == int(pool[:-1]) << 20, part
        assert 0 < part["peak"] <= part["high_water"] <= part["budget"], part
        assert part["failures"] == 0, part
    return parts


def main():
    bitfit, sources, helpers, name, *options = sys.argv[1:]
    work, pool = POOLS[name]
    how = {"sources": pathlib.Path(sources), "helpers": pathlib.Path(helpers)}
    with tempfile.TemporaryDirectory() as top:
        # The same path for both: programs print it.
        folder = pathlib.Path(top, "work", "here")
        plain = in_new_folder(work, folder, **how)
        folder.rename(pathlib.Path(top, "plain"))
        report = pathlib.Path(top, "report.json")
        pooled = in_new_folder(
            work, folder, **how,
            front=[bitfit, "run", "--pool", pool, "--json", "--report",
                   str(report), *options, "--"])
        assert plain == pooled, f"without:\n{plain}\nin the pool:\n{pooled}"
        parts = check_report(report, pool)
        print(f"{name}: {len(parts)} processes, high-water mark "
              f"{max(part['high_water'] for part in parts)} of {pool}")


if __name__ == "__main__":
    main()
