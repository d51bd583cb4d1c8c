/** The tree as pages see it. */
import type { DirectoryEvent } from "@effect-zookeeper/console/Models"
import { eventually, failure, pullFrom } from "@effect-zookeeper/test-kit/Expectations"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import { describeOnServers, firstOf } from "../support/console.ts"

const main = { cluster: "main" } as const

describeOnServers("a directory", (it) => {
  it.console("lists its names in order, and tells what comes and goes", function* ({ page, zk }) {
    for (const name of ["b", "d", "a"]) yield* zk.create(`/${name}`)
    const next = yield* pullFrom(page.directory({ ...main, path: "/", limit: 10 }))
    const listed = yield* next
    assert(listed._tag === "listed")
    assert.deepInclude(listed, { total: 3, matching: 3, names: ["a", "b", "d"] })
    yield* zk.create("/c")
    assert.deepInclude(yield* next, { _tag: "changed", total: 4, gone: [], come: [{ index: 2, name: "c" }] })
    yield* zk.delete("/a")
    assert.deepInclude(yield* next, { _tag: "changed", total: 3, gone: [{ index: 0, name: "a" }], come: [] })
  })

  it.console("gives the first names, and others by pages of the same revision", function* ({ page, zk }) {
    const names = Array.from({ length: 60 }, (_, index) => `n${String(index).padStart(2, "0")}`)
    yield* Effect.forEach(names, (name) => zk.create(`/${name}`), { concurrency: "unbounded" })
    const next = yield* pullFrom(page.directory({ ...main, path: "/", limit: 10 }))
    const listed = yield* next
    assert(listed._tag === "listed")
    assert.deepStrictEqual(listed.names, names.slice(0, 10))
    const found = yield* page.directoryPage({ ...main, path: "/", offset: 50, limit: 20 })
    assert.deepStrictEqual(found, { revision: listed.revision, matching: 60, offset: 50, names: names.slice(50) })
    const filtered = yield* firstOf(page.directory({ ...main, path: "/", filter: "N1", limit: 3 }))
    assert.deepInclude(filtered, { total: 60, matching: 10, names: ["n10", "n11", "n12"] })
  })

  it.console("replayed from its changes, is what is there", function* ({ page, zk }) {
    let names: Array<string> = []
    const follow = (event: DirectoryEvent) => {
      if (event._tag === "listed") names = [...event.names]
      if (event._tag !== "changed") return
      for (const { index, name } of event.gone.toReversed()) assert.deepStrictEqual(names.splice(index, 1), [name])
      for (const { index, name } of event.come) names.splice(index, 0, name)
      assert.strictEqual(names.length, event.total)
    }
    yield* page.directory({ ...main, path: "/", limit: 1000 }).pipe(
      Stream.runForEach((event) => Effect.sync(() => follow(event))),
      Effect.forkScoped
    )
    for (let round = 0; round < 60; round++) {
      yield* zk.create(`/x${(round * 7) % 60}`)
      if (round % 3 === 2) yield* zk.delete(`/x${((round - 1) * 7) % 60}`)
    }
    const there = (yield* zk.getChildren("/")).toSorted()
    yield* eventually(
      Effect.sync(() => names),
      (seen) => seen.join() === there.join()
    )
  })

  it.console("that is deleted and created again goes on", function* ({ page, zk }) {
    const next = yield* pullFrom(page.directory({ ...main, path: "/later", limit: 10 }))
    assert.strictEqual((yield* next)._tag, "gone")
    yield* zk.create("/later")
    assert.strictEqual((yield* next)._tag, "listed")
    yield* zk.delete("/later")
    assert.strictEqual((yield* next)._tag, "gone")
  })

  it.console("goes on by itself when the connection was lost", function* ({ link, page, zk }) {
    const next = yield* pullFrom(page.directory({ ...main, path: "/", limit: 10 }))
    assert.strictEqual((yield* next)._tag, "listed")
    yield* link.cut
    const state = yield* page.clusters().pipe(
      Stream.filter(([first]) => first?.state === "disconnected"),
      firstOf
    )
    assert.isDefined(state[0]?.problem)
    yield* zk.create("/meanwhile")
    yield* link.heal
    assert.deepInclude(yield* next, { _tag: "changed", come: [{ index: 0, name: "meanwhile" }] })
  })

  it.console("is refused when its path is invalid", function* ({ page }) {
    const refused = yield* failure(firstOf(page.directory({ ...main, path: "/a/../b", limit: 1 })), "Refused")
    assert.strictEqual(refused.reason, "invalid")
    const unknown = yield* failure(firstOf(page.directory({ cluster: "other", path: "/", limit: 1 })), "NoSuchCluster")
    assert.strictEqual(unknown.cluster, "other")
  })
})

/** It takes a minute to fill the directory. */
const isLong = process.env["ZK_LONG"] === "1"

describeOnServers("a large directory", (it) => {
  it.console(
    isLong ? "of 100,000 children is listed by pages" : "of 100,000 children is listed by pages (needs ZK_LONG=1)",
    { skip: !isLong, timeout: 300_000 },
    function* ({ page, zk }) {
      const names = Array.from({ length: 100_000 }, (_, index) => `order-${String(index).padStart(6, "0")}`)
      yield* Effect.forEach(names, (name) => zk.create(`/${name}`), { concurrency: 500, discard: true })
      const next = yield* pullFrom(page.directory({ ...main, path: "/", limit: 200 }))
      const listed = yield* next
      assert(listed._tag === "listed" && listed.total === names.length && listed.names.length === 200)
      const middle = yield* page.directoryPage({ ...main, path: "/", offset: 50_000, limit: 200 })
      assert.deepStrictEqual(middle.names, names.slice(50_000, 50_200))
      yield* zk.create("/order-050000-a")
      assert.deepInclude(yield* next, { come: [{ index: 50_001, name: "order-050000-a" }], total: 100_001 })
    }
  )
})

describeOnServers("rows", (it) => {
  it.console("tell the stat, its changes and the end of each znode", function* ({ page, zk }) {
    yield* zk.create("/a", { data: "12" })
    const next = yield* pullFrom(page.rows({ ...main, paths: ["/a", "/b"] }).pipe(Stream.flattenIterable))
    const first = [yield* next, yield* next]
    assert.deepStrictEqual(first.map(({ path, stat }) => [path, stat?.dataLength]).toSorted(), [
      ["/a", 2],
      ["/b", undefined]
    ])
    yield* zk.set("/a", "123")
    assert.strictEqual((yield* next).stat?.dataLength, 3)
    yield* zk.create("/a/child")
    assert.strictEqual((yield* next).stat?.numChildren, 1)
    yield* zk.create("/b", { mode: "ephemeral" })
    const owner = yield* next
    assert.strictEqual(owner.path, "/b")
    assert.strictEqual(owner.stat?.ephemeralOwner, zk.session.id)
    yield* zk.delete("/b")
    assert.deepStrictEqual(yield* next, { path: "/b" })
  })

  it.console("are so many at most", function* ({ page }) {
    const { limits } = yield* page.hello()
    const paths = Array.from({ length: limits.rows + 1 }, (_, index) => `/${index}`)
    const refused = yield* failure(firstOf(page.rows({ ...main, paths })), "Refused")
    assert.strictEqual(refused.reason, "tooMuch")
  })
})

describeOnServers("a znode", (it) => {
  it.console("is shown with data and ACL, as it changes", function* ({ page, zk }) {
    const next = yield* pullFrom(page.znode({ ...main, path: "/z", limit: 4 }))
    assert.strictEqual((yield* next)._tag, "gone")
    yield* zk.create("/z", { data: "abc" })
    const seen = yield* next
    assert(seen._tag === "present")
    assert.strictEqual(new TextDecoder().decode(seen.data), "abc")
    assert.deepStrictEqual(seen.acl, [{ scheme: "world", id: "anyone", perms: "cdrwa" }])
    yield* zk.set("/z", "abcdef")
    const long = yield* next
    assert(long._tag === "present" && long.isTruncated)
    assert.strictEqual(new TextDecoder().decode(long.data), "abcd")
    assert.strictEqual(long.stat.dataLength, 6)
  })

  it.console(
    "is shown by a Schema of the application, or with the reason why it does not fit",
    function* ({ page, zk }) {
      yield* zk.create("/flags")
      yield* zk.create("/flags/a", { data: '{"enabled":true}' })
      const next = yield* pullFrom(page.znode({ ...main, path: "/flags/a", limit: 100 }))
      const fits = yield* next
      assert(fits._tag === "present")
      assert.deepStrictEqual(fits.formatted, { format: "Flag", text: '{\n  "enabled": true\n}' })
      yield* zk.set("/flags/a", '{"enabled":"yes"}')
      const other = yield* next
      assert(other._tag === "present")
      assert.include(other.formatted?.problem, "enabled")
      yield* zk.set("/flags/a", '{"enabled":true,"key":"hunter2"}')
      const secret = yield* next
      assert(secret._tag === "present")
      assert.notInclude(JSON.stringify(secret.formatted), "hunter2")
      const elsewhere = yield* firstOf(page.znode({ ...main, path: "/flags", limit: 100 }))
      assert(elsewhere._tag === "present" && elsewhere.formatted === undefined)
    }
  )

  it.console("of one megabyte arrives whole", function* ({ page, zk }) {
    const data = Uint8Array.from({ length: 1_000_000 }, (_, index) => index % 251)
    yield* zk.create("/large", { data })
    const seen = yield* firstOf(page.znode({ ...main, path: "/large", limit: 2_000_000 }))
    assert(seen._tag === "present" && !seen.isTruncated)
    // The assertions of arrays take seconds for so many.
    assert.isTrue(Buffer.from(seen.data ?? []).equals(data))
  })

  it.console("may have any name that servers take", function* ({ page, zk }) {
    const names = ["<script>alert(1)<script>", "\u202Etxt.exe", "象", "a b", "%2e%2e", "toString"].toSorted()
    for (const name of names) yield* zk.create(`/${name}`, { data: name })
    const listed = yield* firstOf(page.directory({ ...main, path: "/", limit: 10 }))
    assert(listed._tag === "listed")
    assert.deepStrictEqual(listed.names, names)
    for (const name of names) {
      const seen = yield* firstOf(page.znode({ ...main, path: `/${name}`, limit: 100 }))
      assert(seen._tag === "present" && new TextDecoder().decode(seen.data) === name, name)
    }
  })
})

describeOnServers("a search", (it) => {
  const text = { ...main, path: "/", inNames: true, inData: true, ignoreCase: true } as const

  it.console("finds names and data, and tells how far it went", function* ({ page, zk }) {
    yield* zk.create("/flags")
    yield* zk.create("/flags/dark-mode", { data: "on" })
    yield* zk.create("/flags/other", { data: "prefers DARK colours" })
    const events = yield* Stream.runCollect(page.search({ ...text, text: "dark" }))
    const found = events.flatMap((event) => (event._tag === "found" ? [[event.path, event.where, event.excerpt]] : []))
    assert.deepStrictEqual(found.toSorted(), [
      ["/flags/dark-mode", "name", undefined],
      ["/flags/other", "data", "prefers DARK colours"]
    ])
    assert.deepInclude(events.at(-1), { _tag: "done", found: 2, isComplete: true })
  })

  it.console("stops at a number of matches", function* ({ page, zk }) {
    yield* zk.create("/many")
    const numbers = Array.from({ length: 1_100 }, (_, index) => index)
    yield* Effect.forEach(numbers, (index) => zk.create(`/many/match-${index}`), { concurrency: "unbounded" })
    const events = yield* Stream.runCollect(page.search({ ...text, inData: false, text: "match" }))
    assert.deepInclude(events.at(-1), { _tag: "done", found: 1_000, isComplete: false })
  })
})

describeOnServers("the events of a subtree", (it) => {
  const since = { console: TestServer.since("3.6.0", it.console) }

  since.console("are told with their paths", function* ({ page, zk }) {
    yield* zk.create("/app")
    const next = yield* pullFrom(
      page.events({ ...main, path: "/app" }).pipe(
        Stream.flattenIterable,
        Stream.map(({ event, path }) => [event, path])
      )
    )
    assert.deepStrictEqual(yield* next, ["ready", "/app"])
    yield* zk.create("/app/a")
    yield* zk.set("/app/a", "1")
    yield* zk.delete("/app/a")
    assert.deepStrictEqual(yield* next, ["created", "/app/a"])
    assert.deepStrictEqual(yield* next, ["changed", "/app/a"])
    assert.deepStrictEqual(yield* next, ["deleted", "/app/a"])
  })

  since.console("say where some may be missing", function* ({ link, page }) {
    const next = yield* pullFrom(page.events({ ...main, path: "/" }).pipe(Stream.flattenIterable))
    assert.strictEqual((yield* next).event, "ready")
    yield* link.cut
    yield* link.heal
    assert.strictEqual((yield* next).event, "gap")
  })
})

describeOnServers("the clusters", (it) => {
  it.console("have one session for all pages, made when the first looks", function* ({ connects, open, page, zk }) {
    assert.strictEqual((yield* firstOf(page.clusters()))[0]?.state, "idle")
    assert.strictEqual(connects(), 0)
    const other = yield* open
    yield* zk.create("/seen")
    for (const each of [page, other]) {
      const listed = yield* firstOf(each.directory({ ...main, path: "/", limit: 5 }))
      assert.deepInclude(listed, { names: ["seen"] })
    }
    assert.strictEqual(connects(), 1)
    const [state] = yield* other.clusters().pipe(
      Stream.filter(([first]) => first?.state === "connected"),
      firstOf
    )
    assert.isDefined(state?.session)
  })

  it.console("tell an outage to a page that waits, and go on", function* ({ link, page, zk }) {
    yield* zk.create("/there")
    yield* link.cut
    const waiting = yield* Effect.forkScoped(firstOf(page.directory({ ...main, path: "/", limit: 5 })))
    const states = yield* page.clusters().pipe(
      Stream.filter(([first]) => first?.problem !== undefined),
      firstOf
    )
    assert.strictEqual(states[0]?.state, "connecting")
    yield* link.heal
    assert.deepInclude(yield* Fiber.join(waiting), { names: ["there"] })
  })
})
