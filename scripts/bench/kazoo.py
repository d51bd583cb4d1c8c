"""The process of kazoo, Debian's Python client: `kazoo.py <servers>`, with the jobs and answers of `child.ts`."""
import json
import os
import resource
import sys
import threading
import time

# This file would otherwise be found in place of the package of the same name.
sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
from kazoo.client import KazooClient  # noqa: E402

SERVERS = sys.argv[1]
TIMEOUT = 600.0
DATA = bytes(100)


def tell(answer):
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def connect():
    client = KazooClient(hosts=SERVERS, timeout=TIMEOUT)
    client.start(timeout=30)
    return client


def cpu():
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def rss():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def measured(count, latencies, work):
    begun_cpu, begun = cpu(), time.monotonic()
    work()
    wall, used = time.monotonic() - begun, cpu() - begun_cpu
    ordered = sorted(latencies)
    at = lambda share: ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e6 if ordered else 0
    return {
        "operations": count,
        "wallMicros": wall * 1e6,
        "cpuMicros": used * 1e6,
        "p50": at(0.5),
        "p99": at(0.99),
        "rss": rss(),
        "heap": 0,
    }


class Runner:
    def __init__(self):
        self.client = connect()
        self.fired = threading.Semaphore(0)

    def asking(self, step):
        client, op = self.client, step["op"]
        if op == "get":
            return lambda index: client.get_async(step["path"])
        if op == "children":
            return lambda index: client.get_children_async(step["path"])
        paths = ["%s/%d" % (step["root"], index) for index in range(step["count"])]
        if op == "create":
            return lambda index: client.create_async(paths[index], DATA)
        if op == "set":
            return lambda index: client.set_async(paths[index], DATA)
        if op == "delete":
            return lambda index: client.delete_async(paths[index])
        if op == "watch":
            return lambda index: client.get_async(paths[index], watch=lambda event: self.fired.release())

        def transaction(index):
            request = client.transaction()
            for path in paths[index * step["size"] : (index + 1) * step["size"]]:
                request.create(path, DATA)
            return request.commit_async()

        return transaction

    def step(self, step, stride):
        ask = self.asking(step)
        total = step["count"]
        if step["op"] == "transaction":
            total = -(-total // step["size"])
        latencies = []

        def work():
            room = threading.Semaphore(step["inFlight"])
            failed = []
            for index in range(total):
                room.acquire()
                begun = time.monotonic()

                def done(result, index=index, begun=begun):
                    if result.exception is not None:
                        failed.append(result.exception)
                    if stride and index % stride == 0:
                        latencies.append(time.monotonic() - begun)
                    room.release()

                ask(index).rawlink(done)
            for _ in range(step["inFlight"]):
                room.acquire()
            if failed:
                raise failed[0]

        return measured(step["count"], latencies, work)

    def deliver(self, count):
        def work():
            tell({"is": "ready"})
            for _ in range(count):
                self.fired.acquire()

        return measured(count, [], work)

    def sessions(self, count, path):
        latencies = []

        def work():
            for _ in range(count):
                begun = time.monotonic()
                client = connect()
                client.get(path)
                latencies.append(time.monotonic() - begun)
                client.stop()
                client.close()

        return measured(count, latencies, work)


runner = Runner()
tell({"is": "ready"})
for line in sys.stdin:
    job = json.loads(line)
    if job["job"] == "close":
        break
    try:
        if job["job"] == "step":
            sample = runner.step(job["step"], job["stride"])
        elif job["job"] == "deliver":
            sample = runner.deliver(job["count"])
        elif job["job"] == "sessions":
            sample = runner.sessions(job["count"], job["path"])
        elif job["job"] == "warm":
            # There is no compiler that had to do its work.
            sample = measured(1, [], lambda: None)
        else:
            raise ValueError("kazoo does not register watches again after a drop")
        tell({"is": "sample", "sample": sample})
    except Exception as error:
        tell({"is": "failed", "reason": repr(error)})
runner.client.stop()
runner.client.close()
