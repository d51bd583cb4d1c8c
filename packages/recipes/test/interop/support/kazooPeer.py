"""A process that shares paths with ours by kazoo. Reads commands, one a line, "lock /path 8", and answers "done" and how
often it saw another where none may be. The argument is host:port."""
import sys
import time

from kazoo.client import KazooClient
from kazoo.exceptions import NodeExistsError
from kazoo.recipe.lock import Lock

zk = KazooClient(hosts=sys.argv[1], timeout=10)
zk.start()
print("ready", flush=True)


class SharedWithCurator(Lock):
    """kazoo's lock with names that Curator can sort."""

    _NODE_NAME = "-lock-"
    _EXCLUDE_NAMES = ["-lock-"]


def lock_of(recipe, path):
    if recipe == "lock":
        return SharedWithCurator(zk, path)
    # kazoo's own names, as an application has them today.
    return Lock(zk, path, extra_lock_patterns=("-lock-",))


def alone(path):
    try:
        zk.create(path + "-owner", ephemeral=True)
    except NodeExistsError:
        return 1
    time.sleep(0.002)
    zk.delete(path + "-owner")
    return 0


for line in sys.stdin:
    recipe, path, turns = line.split()
    clashes = 0
    for _ in range(int(turns)):
        with lock_of(recipe, path):
            clashes += alone(path)
    print("done", clashes, flush=True)
zk.stop()
