/** Servers that came back with less than was seen, where `ensembleReset: "accept"` takes them as they are. */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { Transport } from "@effect-zookeeper/transport/Transport"
import { connectTo } from "@effect-zookeeper/test-kit/conformance/Target"
import { assert } from "@effect/vitest"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as ChildrenCache from "../../src/ChildrenCache.ts"
import * as NodeCache from "../../src/NodeCache.ts"
import * as TreeCache from "../../src/TreeCache.ts"
import { watchingWays } from "../support/caches.ts"
import { withClient, awaitCondition, text, gather } from "../support/targets.ts"

const start = Layer.build(Layer.fresh(EmbeddedServer.layerMemory))

const clientOf = (transport: Transport["Service"]) =>
  connectTo({ servers: "memory:2181", transport }, { connectTimeout: "1 second", ensembleReset: "accept" })

/** A client whose servers can be others from one moment to the next. */
const movable = Effect.fnUntraced(function* (first: Transport["Service"]) {
  let current = first
  const zk = yield* clientOf({
    ...first,
    resolve: (server) => Effect.suspend(() => current.resolve(server)),
    connect: (address, name) => Effect.suspend(() => current.connect(address, name))
  })
  const moveTo = (next: Transport["Service"]) => Effect.sync(() => void (current = next))
  return { zk, moveTo }
})

for (const [how, mode] of watchingWays) {
  itLive(`after an accepted reset streams and caches show the present znodes, by ${how}`, function* () {
    const [before, after] = [yield* start, yield* start]
    const [rich, poor] = [Context.get(before, Transport), Context.get(after, Transport)]
    const { moveTo, zk: client } = yield* movable(rich)
    const zk = mode(client)
    // All transactions of what comes back are older than those that are seen before.
    const other = yield* clientOf(poor)
    yield* other.create("/a", { data: "after" })
    yield* other.create("/a/new")
    yield* other.create("/a/both", { data: "after" })
    for (let i = 0; i < 20; i++) yield* zk.create(`/filler${i}`)
    yield* zk.create("/a", { data: "before" })
    yield* zk.create("/a/both", { data: "before" })
    yield* zk.create("/a/gone")

    const node = yield* withClient(zk)(NodeCache.make("/a", { jitter: 0 }))
    const children = yield* withClient(zk)(ChildrenCache.make("/a", { jitter: 0 }))
    const tree = yield* withClient(zk)(TreeCache.make("/a", { jitter: 0 }))
    const data = yield* gather(
      Stream.map(zk.dataChanges("/a"), Option.match({ onNone: () => "-", onSome: ({ data }) => text(data) }))
    )
    const names = yield* gather(
      Stream.map(
        zk.childrenChanges("/a"),
        Option.match({ onNone: () => "-", onSome: ({ children }) => children.toSorted().join() })
      )
    )
    yield* awaitCondition(() => data.length === 1 && names.length === 1)
    assert.strictEqual(zk.session.history, 0)

    yield* moveTo(poor)
    yield* Context.get(before, EmbeddedServer.EmbeddedServer).disconnectAll
    yield* awaitCondition(() => data.at(-1) === "after" && names.at(-1) === "both,new")
    assert.strictEqual(zk.session.history, 1)
    assert.deepStrictEqual(data, ["before", "after"])
    assert.deepStrictEqual(names, ["both,gone", "both,new"])
    yield* awaitCondition(() => Option.exists(node.get(), (znode) => text(znode.data) === "after"))
    yield* awaitCondition(() => [...children.get().keys()].sort().join() === "both,new")
    yield* awaitCondition(() => text(children.get().get("both")!.data) === "after")
    yield* awaitCondition(() => Option.exists(tree.get("/a/both"), (znode) => text(znode.data) === "after"))

    // From here on they follow as before.
    yield* other.setData("/a", "later")
    yield* other.delete("/a/new")
    yield* awaitCondition(() => data.at(-1) === "later" && names.at(-1) === "both")
    yield* awaitCondition(() => Option.exists(node.get(), (znode) => text(znode.data) === "later"))
    yield* awaitCondition(() => children.get().size === 1 && Option.isNone(tree.get("/a/new")))
  })
}

itLive("after an accepted reset a view that tracks versions has forgotten all of them", function* () {
  const [before, after] = [yield* start, yield* start]
  const { moveTo, zk } = yield* movable(Context.get(before, Transport))
  const tracked = yield* zk.trackVersions
  for (let i = 0; i < 20; i++) yield* zk.create(`/filler${i}`)
  for (const path of ["/set", "/delete", "/acl"]) {
    yield* tracked.create(path)
    yield* tracked.set(path, "1")
    yield* tracked.setAcl(path, Acl.open)
  }
  yield* moveTo(Context.get(after, Transport))
  yield* Context.get(before, EmbeddedServer.EmbeddedServer).disconnectAll
  yield* awaitCondition(() => zk.session.history === 1 && zk.session.state._tag === "Connected")
  for (const path of ["/set", "/delete", "/acl"]) yield* zk.create(path)

  // The znodes have begun at version 0, and nothing of them is known.
  assert.strictEqual((yield* tracked.setData("/set", "mine")).version, 1)
  assert.strictEqual((yield* tracked.setAcl("/acl", Acl.open)).aversion, 1)
  yield* tracked.delete("/delete")
  // From here on it remembers as before.
  yield* zk.set("/set", "other")
  assert.strictEqual((yield* Effect.flip(tracked.setData("/set", "mine")))._tag, "BadVersion")
})
