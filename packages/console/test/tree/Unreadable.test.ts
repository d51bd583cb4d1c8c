/** Znodes that may not be read, or have more children than a reply may have, beside others: on an embedded ZooKeeper 3.9. */
import * as Acl from "@effect-zookeeper/client/Acl"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import { pullFrom } from "@effect-zookeeper/test-kit/Expectations"
import { testOn } from "@effect-zookeeper/test-kit/TestWith"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { SearchEvent } from "../../src/SearchModels.ts"
import { firstOf, start } from "../support/console.ts"

const main = { cluster: "main" } as const

/** A console whose session takes replies of 16 KiB at most, and a client of the same server that takes any. */
const inConsole = testOn(
  it.live,
  EmbeddedServer.layer({ version: "3.9" }),
  Effect.gen(function* () {
    const { connectString } = yield* EmbeddedServer.EmbeddedServer
    const connect = (maxFrameSize: number) =>
      Effect.map(
        Layer.build(Layer.fresh(ZooKeeper.layer({ servers: connectString, sessionExpiry: "recreate", maxFrameSize }))),
        (context) => Context.get(context, ZooKeeper.ZooKeeper)
      )
    const cluster = { name: "main", servers: connectString, readOnly: undefined, connect: connect(16_384) }
    const running = yield* start({ clusters: [cluster], write: true })
    return { zk: yield* connect(4 * 1024 * 1024), page: yield* running.open }
  })
)

const isFound = ({ _tag }: SearchEvent) => _tag === "found"

const text = { ...main, inNames: true, inData: true, ignoreCase: true } as const

describe("a znode that may not be read", () => {
  inConsole("is a row of its own, and the others go on", function* ({ page, zk }) {
    yield* zk.create("/hidden", { acl: [Acl.world("cdwa")] })
    yield* zk.create("/shown")
    const next = yield* pullFrom(page.rows({ ...main, paths: ["/hidden", "/shown"] }).pipe(Stream.flattenIterable))
    const first = [yield* next, yield* next].toSorted((a, b) => a.path.localeCompare(b.path))
    assert.deepStrictEqual(first[0], { path: "/hidden", isForbidden: true })
    assert.strictEqual(first[1]?.stat?.version, 0)
    yield* zk.set("/shown", "1")
    assert.strictEqual((yield* next).stat?.version, 1)
  })

  inConsole("is listed as forbidden", function* ({ page, zk }) {
    yield* zk.create("/hidden", { acl: [Acl.world("cdwa")] })
    const listed = yield* firstOf(page.directory({ ...main, path: "/hidden", limit: 10 }))
    assert.strictEqual(listed._tag, "forbidden")
  })

  inConsole("is counted by a search and by the size of a subtree, which go on", function* ({ page, zk }) {
    yield* zk.create("/app")
    yield* zk.create("/app/hidden", { data: "dark", acl: [Acl.world("cdwa")] })
    yield* zk.create("/app/shown", { data: "dark" })
    const events = yield* Stream.runCollect(page.search({ ...text, path: "/app", text: "dark" }))
    assert.deepStrictEqual(
      events.flatMap((event) => (event._tag === "found" ? [event.path] : [])),
      ["/app/shown"]
    )
    assert.deepInclude(events.at(-1), { _tag: "done", forbidden: 1, isComplete: true })
    const named = yield* Stream.runCollect(page.search({ ...text, path: "/app", text: "hidden" }))
    assert.deepInclude(named.find(isFound), { _tag: "found", path: "/app/hidden", where: "name" })
    assert.deepStrictEqual(yield* page.subtreeSize({ ...main, path: "/app" }), { znodes: 3, bytes: 4 })
  })

  inConsole("does not keep a znode below it from being created with its parents", function* ({ page, zk }) {
    yield* zk.create("/hidden", { acl: [Acl.world("cdwa")] })
    const created = { data: new Uint8Array(), mode: "persistent", parents: true } as const
    const { path } = yield* page.create({ ...main, path: "/hidden/a/b", ...created })
    assert.strictEqual(path, "/hidden/a/b")
  })
})

describe("a directory whose names are larger than a reply may be", () => {
  const fill = Effect.fnUntraced(function* (zk: ZooKeeper.Service) {
    yield* zk.create("/large")
    yield* zk.create("/other", { data: "dark" })
    const names = Array.from({ length: 100 }, (_, index) => `/large/${"n".repeat(200)}-${index}`)
    yield* Effect.forEach(names, (name) => zk.create(name), { concurrency: "unbounded", discard: true })
    return names
  })

  inConsole("is asked for once, until it has fewer children", function* ({ page, zk }) {
    const names = yield* fill(zk)
    const states: Array<string> = []
    yield* page.clusters().pipe(
      Stream.runForEach(([first]) => Effect.sync(() => void states.push(first?.state ?? ""))),
      Effect.forkScoped
    )
    const next = yield* pullFrom(page.directory({ ...main, path: "/large", limit: 10 }))
    const first = yield* next
    assert(first._tag === "tooMany" && first.stat.numChildren === 100)
    yield* zk.create("/large/another")
    const second = yield* next
    assert(second._tag === "tooMany" && second.stat.numChildren === 101)
    // The touches of the connection that was lost have come by then.
    yield* Effect.sleep("500 millis")
    assert.strictEqual(states.filter((state) => state === "disconnected").length, 1, states.join())
    yield* Effect.forEach(names.slice(0, 60), (name) => zk.delete(name), { discard: true })
    const listed = yield* Effect.repeat(next, { until: ({ _tag }) => _tag === "listed" })
    assert.strictEqual(listed._tag, "listed")
  })

  inConsole("does not end a search above it, which says that it is not complete", function* ({ page, zk }) {
    yield* fill(zk)
    const events = yield* Stream.runCollect(page.search({ ...text, path: "/", text: "dark" }))
    assert.deepInclude(events.find(isFound), { _tag: "found", path: "/other" })
    assert.deepInclude(events.at(-1), { _tag: "done", isComplete: false })
  })
})
