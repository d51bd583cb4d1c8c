import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import { runInNewContext } from "node:vm"
import * as PersistentNode from "../../src/PersistentNode.ts"
import { closable } from "../support/persistentNodes.ts"
import { getChildrenOrNone } from "../support/holds.ts"
import {
  withClient,
  describeOnServers,
  awaitCondition,
  eventually,
  failure,
  awaitNextSession,
  pullFrom,
  text,
  now
} from "../support/targets.ts"

const ownerOf = (zk: ZooKeeper.Service, path: string) =>
  Effect.map(zk.stat(path), (stat) => Option.getOrUndefined(stat)?.ephemeralOwner)

const dataOf = (zk: ZooKeeper.Service, path: string) =>
  zk.getData(path).pipe(
    Effect.map(text),
    Effect.catchTag("NoNode", () => Effect.undefined)
  )

describeOnServers("a persistent node", (it) => {
  it.inChroot(
    "is there with its data and its parents when it is made, and gone when its Scope closes",
    function* ({ zk }) {
      const { close, node } = yield* closable(zk, "/some/where/node", { data: "here" })
      assert.isTrue(node.isPresent)
      assert.deepStrictEqual(node.actualPath, Option.some("/some/where/node"))
      assert.strictEqual(yield* dataOf(zk, "/some/where/node"), "here")
      assert.strictEqual(yield* ownerOf(zk, "/some/where/node"), zk.session.id)
      yield* close
      assert.strictEqual(node.status._tag, "Closed")
      assert.isFalse(yield* zk.exists("/some/where/node"))
      assert.strictEqual((yield* failure(node.setData("late"), "SessionClosed"))._tag, "SessionClosed")
    }
  )

  it.inChroot("is there once, also with bytes of another realm, as test runners have them", function* ({ zk }) {
    const foreign: Uint8Array = runInNewContext("new Uint8Array([104, 105])")
    yield* closable(zk, "/node", { data: foreign, restore: true })
    assert.strictEqual(yield* dataOf(zk, "/node"), "hi")
    assert.strictEqual((yield* zk.get("/node")).stat.version, 0)
  })

  it.inChroot("comes back under each of five sessions in a row", function* ({ another, expire, zk }) {
    const mine = yield* another()
    const { node } = yield* closable(mine, "/node", { data: "here" })
    for (let round = 0; round < 5; round++) {
      const before = mine.session.id
      yield* expire(mine)
      yield* awaitNextSession(mine, before)
      yield* eventually(ownerOf(zk, "/node"), (owner) => owner === mine.session.id)
      assert.strictEqual(yield* dataOf(zk, "/node"), "here")
    }
    yield* awaitCondition(() => node.isPresent)
  })

  it.inChroot("comes back when it is deleted, and says so", function* ({ another, zk }) {
    const mine = yield* another()
    const { close, node } = yield* closable(mine, "/node")
    const next = yield* pullFrom(node.changes)
    const first = yield* next
    assert.strictEqual(first._tag, "Present")
    yield* zk.delete("/node")
    assert.strictEqual((yield* next)._tag, "Absent")
    const again = yield* next
    assert.isTrue(first._tag === "Present" && again._tag === "Present" && again.czxid > first.czxid)
    yield* close
    assert.strictEqual((yield* next)._tag, "Closed")
  })

  it.inChroot(
    "waits for the znode of another session, and is there when that has expired",
    function* ({ another, expire, zk }) {
      // Curator's testRecreatesNodeWhenEphemeralOwnerSessionExpires: a process that was started again at once.
      const former = yield* another()
      yield* former.create("/node", { mode: "ephemeral", data: "former" })
      const { node } = yield* closable(zk, "/node", { data: "present", wait: false })
      yield* awaitCondition(() => node.status._tag === "Blocked" && node.status.owner === former.session.id)
      yield* former.set("/node", "changed")
      assert.strictEqual(yield* dataOf(zk, "/node"), "changed")
      yield* expire(former)
      assert.strictEqual(yield* node.present, "/node")
      assert.strictEqual(yield* ownerOf(zk, "/node"), zk.session.id)
      assert.strictEqual(yield* dataOf(zk, "/node"), "present")
    }
  )

  it.inChroot("does not delete the znode of another when it is closed", function* ({ another, zk }) {
    const other = yield* another()
    yield* other.create("/node", { mode: "ephemeral" })
    const { close, node } = yield* closable(zk, "/node", { wait: false })
    yield* awaitCondition(() => node.status._tag === "Blocked")
    yield* close
    assert.strictEqual(yield* ownerOf(zk, "/node"), other.session.id)
  })

  it.inChroot("adopts its own znode when the reply of the create was lost", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    yield* link.loseReply(Operations.create)
    const next = yield* pullFrom(zk.childrenChanges("/"))
    assert.deepStrictEqual(
      Option.map(yield* next, ({ children }) => children),
      Option.some([])
    )
    yield* closable(mine, "/node", { data: "here" })
    const stat = yield* zk.stat("/node")
    assert.deepStrictEqual(
      Option.map(stat, ({ ephemeralOwner, version }) => [ephemeralOwner, version]),
      Option.some([mine.session.id, 0])
    )
    // Created once: the list has changed once.
    const list = yield* zk.getChildrenWithStat("/")
    assert.strictEqual(list.stat.cversion, 1)
  })

  it.inChroot("writes the data that was set last while there was no connection", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const { node } = yield* closable(mine, "/node", { data: "0" })
    yield* link.cut
    const first = yield* Effect.forkChild(node.setData("1"), now)
    const second = yield* Effect.forkChild(node.setData("2"), now)
    yield* Fiber.interrupt(first)
    yield* link.heal
    yield* Fiber.join(second)
    assert.strictEqual(yield* dataOf(zk, "/node"), "2")
    yield* node.setData("3")
    assert.strictEqual(yield* dataOf(zk, "/node"), "3")
  })

  it.inChroot("leaves the data that others write until it is set again, or replaces it", function* ({ another, zk }) {
    const mine = yield* another()
    const { node } = yield* closable(mine, "/lenient", { data: "mine" })
    yield* closable(mine, "/strict", { data: "mine", restore: true })
    yield* zk.set("/lenient", "theirs")
    yield* zk.set("/strict", "theirs")
    yield* eventually(dataOf(zk, "/strict"), (data) => data === "mine")
    assert.strictEqual(yield* dataOf(zk, "/lenient"), "theirs")
    yield* node.setData("mine again")
    assert.strictEqual(yield* dataOf(zk, "/lenient"), "mine again")
  })

  it.inChroot(
    "keeps its number over expiries, and is one znode over lost connections",
    function* ({ breakable, expire, zk }) {
      // Curator's testEphemeralSequentialWithProtectionReconnection.
      const { link, zk: mine } = yield* breakable()
      yield* zk.create("/parent")
      yield* link.loseReply(Operations.create)
      const { close, node } = yield* closable(mine, "/parent/node-", { mode: "ephemeralSequential", data: "here" })
      const path = Option.getOrThrow(node.actualPath)
      assert.match(path, /^\/parent\/_c_[0-9a-f-]{36}-node-\d{10}$/)
      assert.lengthOf(yield* getChildrenOrNone(zk, "/parent"), 1)
      yield* link.cut
      yield* link.heal
      yield* expire(mine)
      yield* eventually(ownerOf(zk, path), (owner) => owner === mine.session.id)
      assert.deepStrictEqual(yield* getChildrenOrNone(zk, "/parent"), [path.slice("/parent/".length)])
      yield* close
      assert.deepStrictEqual(yield* getChildrenOrNone(zk, "/parent"), [])
    }
  )

  it.inChroot("leaves nothing behind when it is closed while it is created", function* ({ breakable, zk }) {
    // Curator's testQuickClose and testQuickCloseNodeExists.
    const { link, zk: mine } = yield* breakable()
    yield* zk.create("/parent")
    for (const mode of ["ephemeral", "ephemeralSequential", "persistent"] as const) {
      for (let round = 0; round < 10; round++) {
        const { close } = yield* closable(mine, "/parent/node", { wait: false, mode })
        yield* close
      }
      yield* link.loseReply(mode === "persistent" ? Operations.create2 : Operations.create)
      const { close } = yield* closable(mine, "/parent/node", { wait: false, mode })
      yield* close
    }
    yield* mine.sync("/")
    yield* eventually(getChildrenOrNone(zk, "/parent"), (names) => names.length === 0)
  })

  it.inChroot("is deleted as soon as possible when it was closed while it was cut off", function* ({ breakable, zk }) {
    const { link, zk: mine } = yield* breakable()
    const { close } = yield* closable(mine, "/node", { mode: "persistent" })
    yield* link.cut
    yield* close
    assert.isTrue(yield* zk.exists("/node"))
    yield* link.heal
    yield* eventually(zk.exists("/node"), (there) => !there)
  })

  it.inChroot("fails with the server's refusal, and does not ask again and again", function* ({ another, zk }) {
    const mine = yield* another()
    yield* zk.create("/closed", { acl: [Acl.world("ra")] })
    assert.strictEqual(
      (yield* failure(withClient(mine)(PersistentNode.make("/closed/node")), "NoAuth")).path,
      "/closed/node"
    )
    const { node } = yield* closable(mine, "/closed/node", { wait: false })
    yield* awaitCondition(() => node.status._tag === "Refused" && node.status.error._tag === "NoAuth")
    const next = yield* pullFrom(node.changes)
    assert.strictEqual((yield* next)._tag, "Refused")
    yield* zk.setAcl("/closed", Acl.open)
    assert.strictEqual(node.status._tag, "Refused")
    yield* node.setData("now")
    assert.strictEqual(yield* dataOf(zk, "/closed/node"), "now")
    assert.strictEqual((yield* next)._tag, "Present")
  })

  it.inChroot(
    "says that its parent is missing where it must not create it, and is there when another client does",
    function* ({ zk }) {
      yield* failure(withClient(zk)(PersistentNode.make("/parent/node", { parents: false })), "NoNode")
      const { node } = yield* closable(zk, "/parent/node", { parents: false, wait: false })
      yield* awaitCondition(() => node.status._tag === "Refused" && node.status.error._tag === "NoNode")
      yield* zk.create("/parent")
      yield* awaitCondition(() => node.isPresent)
    }
  )

  it.inChroot("fails for a mistake in an argument, whether it waits or not", function* ({ zk }) {
    for (const wait of [true, false]) {
      assert.strictEqual(
        (yield* failure(withClient(zk)(PersistentNode.make("node", { wait })), "InvalidArgument")).argument,
        "path"
      )
      assert.strictEqual(
        (yield* failure(
          withClient(zk)(PersistentNode.make("/node", { wait, mode: "persistentWithTtl" })),
          "InvalidArgument"
        )).argument,
        "ttl"
      )
    }
    assert.deepStrictEqual(yield* zk.getChildren("/"), [])
  })

  it.since("3.5.3")("outlives its time to live for as long as it is kept, and no longer", function* ({ zk }) {
    const { close, node } = yield* closable(zk, "/node", {
      mode: "persistentWithTtl",
      ttl: "1500 millis",
      deleteOnClose: false
    })
    const created = node.status
    yield* Effect.sleep("3500 millis")
    assert.deepStrictEqual(node.status, created)
    assert.strictEqual(created._tag, "Present")
    yield* close
    assert.isTrue(yield* zk.exists("/node"))
    yield* eventually(zk.exists("/node"), (there) => !there)
  })
})

describeOnServers("a persistent node whose session has ended for good", (it) => {
  it.inChroot("fails a call that sets its data, instead of letting it wait forever", function* ({ another, expire }) {
    const zk = yield* another({ sessionExpiry: "fail" })
    const node = yield* withClient(zk)(PersistentNode.make("/node"))
    yield* expire(zk)
    yield* awaitCondition(() => node.status._tag === "Refused")
    yield* failure(Effect.timeout(node.setData("late"), "15 seconds"), "SessionExpired")
  })
})
