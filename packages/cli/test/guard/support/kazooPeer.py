"""Contends by kazoo, with its own names. `hold-lock`, `hold-election` and `hold-semaphore` print a line when they have it, and
hold until the input ends. `turns` takes a lock so many times, makes a folder meanwhile that may not be there, and prints how
often it was there. The arguments are host:port, what to do, the path, and for `turns` the folder and the number."""
import os
import sys
import time

from kazoo.client import KazooClient

zk = KazooClient(hosts=sys.argv[1], timeout=10)
zk.start()
path = sys.argv[3]


def hold():
    print("holds", flush=True)
    sys.stdin.read()


def turns(folder, number):
    clashes = 0
    for _ in range(number):
        with zk.Lock(path):
            try:
                os.mkdir(folder)
            except FileExistsError:
                clashes += 1
                continue
            time.sleep(0.05)
            os.rmdir(folder)
    print(clashes, flush=True)


if sys.argv[2] == "hold-lock":
    with zk.Lock(path):
        hold()
elif sys.argv[2] == "hold-election":
    zk.Election(path).run(hold)
elif sys.argv[2] == "hold-semaphore":
    with zk.Semaphore(path, max_leases=2):
        hold()
else:
    turns(sys.argv[4], int(sys.argv[5]))
zk.stop()
