"""Shares queues and a counter with ours by kazoo: takes two items of each queue and puts one, and counts three. Prints what it
took. The arguments are host:port and the path in which they stand."""
import json
import sys

from kazoo.client import KazooClient
from kazoo.recipe.counter import Counter
from kazoo.recipe.queue import LockingQueue, Queue

zk = KazooClient(hosts=sys.argv[1], timeout=10)
zk.start()
path = sys.argv[2]
taken = []

plain = Queue(zk, path + "/plain")
taken += [plain.get().decode(), plain.get().decode()]
plain.put(b"urgent, of kazoo", 10)

locking = LockingQueue(zk, path + "/locking")
for _ in range(2):
    taken.append(locking.get(30).decode())
    assert locking.consume()
locking.put(b"of kazoo")

whole = Counter(zk, path + "/whole")
whole += 3
real = Counter(zk, path + "/real", default=0.0)
real += 0.5
shared = Counter(zk, path + "/shared", support_curator=True)
shared += 3
print(json.dumps(taken), flush=True)
zk.stop()
