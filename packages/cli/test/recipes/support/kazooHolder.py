"""Holds a lock by kazoo, while another of its clients waits, and works on the first item of a queue with two. Prints the two
sessions, and stays until its input ends. The arguments are host:port, the path of the lock, and that of the queue."""
import sys
import threading
import time

from kazoo.client import KazooClient
from kazoo.recipe.lock import Lock
from kazoo.recipe.queue import LockingQueue


def connect():
    zk = KazooClient(hosts=sys.argv[1], timeout=10)
    zk.start()
    return zk


path, queue = sys.argv[2:]
holder, waiter = connect(), connect()
Lock(holder, path, "holder").acquire()
threading.Thread(target=Lock(waiter, path, "waiter").acquire, daemon=True).start()
items = LockingQueue(holder, queue)
items.put(b"first")
items.put(b"second", 200)
items.get(10)
while len(holder.get_children(path)) < 2:
    time.sleep(0.01)
print(*("%x" % zk.client_id[0] for zk in (holder, waiter)), flush=True)
sys.stdin.read()
