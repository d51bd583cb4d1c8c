"""What an application does with kazoo; prints what it sees. The argument is host:port."""
import sys
import time

from kazoo.client import KazooClient
from kazoo.exceptions import BadVersionError, NoAuthError, NodeExistsError, NoNodeError, NotEmptyError
from kazoo.security import CREATOR_ALL_ACL

zk = KazooClient(hosts=sys.argv[1], timeout=10)
zk.start()
print(zk.server_version(), zk.command(b"ruok"))

print(zk.create("/app", b"one"), zk.create("/app/s-", sequence=True, ephemeral=True))
print(zk.get("/app"), zk.get_children("/app"))

seen = []
zk.get("/app", watch=lambda event: seen.append(event))
print(zk.set("/app", b"two"))
zk.sync("/app")
# Watchers run in a thread of their own.
deadline = time.time() + 10
while not seen and time.time() < deadline:
    time.sleep(0.01)
print(seen)

for failing in (
    lambda: zk.create("/app"),
    lambda: zk.delete("/app"),
    lambda: zk.delete("/none"),
    lambda: zk.set("/app", b"", version=7),
):
    try:
        failing()
    except (BadVersionError, NodeExistsError, NoNodeError, NotEmptyError) as error:
        print(type(error).__name__)

transaction = zk.transaction()
transaction.create("/app/t")
transaction.check("/app", 1)
transaction.set_data("/app", b"three")
print(transaction.commit())
transaction = zk.transaction()
transaction.delete("/app/t")
transaction.check("/app", 1)
print([type(result).__name__ for result in transaction.commit()])

zk.add_auth("digest", "bob:secret")
zk.create("/private", acl=CREATOR_ALL_ACL)
print(zk.get_acls("/private"))
stranger = KazooClient(hosts=sys.argv[1], timeout=10)
stranger.start()
try:
    stranger.get("/private")
except NoAuthError as error:
    print(type(error).__name__)

with zk.Lock("/lock", "me"):
    print(zk.Lock("/lock").contenders(), stranger.Lock("/lock", "other").acquire(blocking=False))
queue = zk.Queue("/queue")
queue.put(b"item")
print(stranger.Queue("/queue").get())
counter = zk.Counter("/counter")
counter += 3
print(counter.value)

stranger.stop()
zk.delete("/app", recursive=True)
print(zk.exists("/app"), sorted(zk.get_children("/")))
zk.stop()
