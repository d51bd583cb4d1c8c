import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Acl, Op } from "../../src/index.ts"
import { connect, itInChroot, failure, text } from "../support/clients.ts"

describe("reads on a real server", () => {
  itInChroot("give data that does not change later", function* ({ zk }) {
    const large = new Uint8Array(300_000).fill(7)
    yield* zk.create("/large", { data: large })
    const first = yield* zk.getData("/large")
    yield* zk.set("/large", new Uint8Array(300_000).fill(8))
    yield* zk.getData("/large")
    assert.deepStrictEqual(first, large)
    yield* zk.create("/small", { data: "small" })
    assert.strictEqual((yield* zk.getData("/small")).buffer.byteLength, 5)
  })
})

describe("views on a real server", () => {
  itInChroot("track versions, of data and ACL apart, and right under a chroot", function* ({ connectString, zk }) {
    yield* zk.create("/a", { data: "0" })
    const tracked = yield* zk.trackVersions
    // Nothing was read yet: any version.
    yield* tracked.setData("/a", "1")
    yield* zk.set("/a", "2")
    yield* failure(tracked.setData("/a", "mine"), "BadVersion")
    // A look that does not show the data is no read of it.
    yield* tracked.stat("/a")
    yield* tracked.getChildrenWithStat("/a")
    yield* tracked.getAcl("/a")
    yield* failure(tracked.setData("/a", "mine"), "BadVersion")
    yield* failure(tracked.delete("/a"), "BadVersion")
    yield* tracked.setData("/a", "anyway", { version: -1 })
    yield* tracked.setAcl("/a", Acl.open)
    yield* zk.setAcl("/a", Acl.open)
    yield* failure(tracked.setAcl("/a", Acl.open), "BadVersion")
    yield* tracked.get("/a")
    yield* tracked.setData("/a", "mine")
    yield* tracked.delete("/a")
    yield* zk.create("/a")
    yield* zk.set("/a", "1")
    // It was deleted by this view, so what is there now is unknown to it.
    yield* tracked.delete("/a")
    // One effect, run twice: each run takes the version of its own time.
    yield* zk.create("/c")
    yield* tracked.get("/c")
    const write = tracked.setData("/c", "again")
    yield* write
    assert.strictEqual((yield* write).version, 2)
    // The client beside it caches nothing.
    yield* zk.create("/b")
    yield* zk.get("/b")
    yield* (yield* zk.trackVersions).setData("/b", "other")
    yield* zk.setData("/b", "mine")
    const other = yield* connect({ servers: connectString })
    yield* other.delete("/b")
    yield* other.create("/b", { data: "anew" })
    assert.strictEqual((yield* zk.setData("/b", "mine")).version, 1)
    assert.strictEqual(text(yield* other.getData("/b")), "mine")
    yield* zk.delete("/b")
  })

  itInChroot(
    "remember all their own writes: in transactions, as parents, and deletions of whole trees",
    function* ({ zk }) {
      const tracked = yield* zk.trackVersions
      /** Written by this view and then deleted by another, so that what it remembers is old. */
      const outdate = Effect.fnUntraced(function* (path: string) {
        yield* tracked.create(path)
        yield* tracked.set(path, "1")
        yield* tracked.setAcl(path, Acl.open)
        yield* zk.delete(path)
      })
      yield* outdate("/a")
      yield* tracked.transaction([Op.create("/a")])
      yield* zk.set("/a", "other")
      yield* failure(tracked.set("/a", "mine"), "BadVersion")
      yield* tracked.get("/a")
      yield* tracked.setAcl("/a", Acl.open)
      yield* tracked.delete("/a")
      const [, stat] = yield* tracked.transaction([Op.create("/a"), Op.setData("/a", "1")])
      assert.strictEqual(stat.version, 1)
      assert.strictEqual((yield* tracked.set("/a", "2")).version, 2)
      const [sequential] = yield* tracked.transaction([Op.create("/s-", { mode: "persistentSequential" })])
      yield* zk.set(sequential, "other")
      yield* failure(tracked.set(sequential, "mine"), "BadVersion")

      yield* outdate("/p")
      yield* tracked.ensurePath("/p/q")
      yield* tracked.set("/p", "mine")
      yield* tracked.setAcl("/p/q", Acl.open)
      yield* zk.set("/p/q", "other")
      yield* failure(tracked.set("/p/q", "mine"), "BadVersion")

      yield* tracked.create("/p/q/r")
      yield* tracked.deleteAll("/p")
      for (const path of ["/p", "/p/q", "/p/q/r"]) {
        yield* zk.create(path)
        yield* zk.set(path, "other")
        yield* zk.set(path, "other")
        yield* tracked.set(path, "mine")
      }
      yield* tracked.deleteAll("/p/q/r")
      yield* zk.create("/p/q/r")
      yield* tracked.set("/p/q/r", "mine")
    }
  )
})
