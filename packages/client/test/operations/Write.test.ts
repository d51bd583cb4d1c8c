import { connectString as shared } from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type { CreateError, SetDataError } from "../../src/Errors.ts"
import { Acl } from "../../src/index.ts"
import { connect, connectFresh, failure, text } from "../support/clients.ts"

const locked = [Acl.world("r")]

describe("create on a real server", () => {
  it.live("gives the path, and the znode has the data that was written", () =>
    Effect.gen(function* () {
      const { chroot, zk } = yield* connectFresh("create")
      assert.strictEqual(yield* zk.create("/text", { data: "schön" }), "/text")
      assert.strictEqual(text((yield* zk.get("/text")).data), "schön")
      yield* zk.create("/bytes", { data: Uint8Array.of(0, 255) })
      assert.deepStrictEqual(yield* zk.getData("/bytes"), Uint8Array.of(0, 255))
      yield* zk.create("/none")
      assert.deepStrictEqual(yield* zk.getData("/none"), new Uint8Array(0))
      const { path, stat } = yield* zk.createWithStat("/stat", { data: "abc" })
      assert.strictEqual(path, "/stat")
      assert.strictEqual(stat.dataLength, 3)
      const outside = yield* connect({ servers: shared() })
      assert.isTrue(yield* outside.exists(`${chroot}/stat`))
    })
  )

  it.live("fails with each error of its row", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("create-errors")
      yield* zk.create("/a")
      const exists = yield* failure(zk.create("/a"), "NodeExists")
      assert.strictEqual(exists.path, "/a")
      assert.strictEqual(exists.operation, "create")
      assert.strictEqual((yield* failure(zk.create("/no/a"), "NoNode")).path, "/no/a")
      yield* zk.create("/locked", { acl: locked })
      yield* failure(zk.create("/locked/a"), "NoAuth")
      yield* failure(zk.create("/auth", { acl: Acl.creator }), "InvalidACL")
      yield* zk.create("/ephemeral", { mode: "ephemeral" })
      yield* failure(zk.create("/ephemeral/a"), "NoChildrenForEphemerals")
      yield* failure(zk.createWithStat("/a"), "NodeExists")
    })
  )

  it.live("fails with QuotaExceeded where quotas are enforced", () =>
    Effect.gen(function* () {
      const server = yield* ZooKeeperServer.make({ enforceQuota: true })
      const zk = yield* connect({ servers: server.connectString })
      yield* zk.create("/q")
      yield* zk.createWithParents("/zookeeper/quota/q/zookeeper_limits", {
        data: "count=1,bytes=-1=;byteHardLimit=-1;countHardLimit=1"
      })
      yield* zk.createWithParents("/zookeeper/quota/q/zookeeper_stats", { data: "count=1,bytes=0" })
      yield* failure(zk.create("/q/a"), "QuotaExceeded")
    })
  )

  it.live("fails with QuotaExceeded in all methods that write data, where quotas of bytes are enforced", () =>
    Effect.gen(function* () {
      const server = yield* ZooKeeperServer.make({ enforceQuota: true })
      const zk = yield* connect({ servers: server.connectString })
      yield* zk.create("/b")
      yield* zk.createWithParents("/zookeeper/quota/b/zookeeper_limits", {
        data: "count=-1,bytes=-1=;byteHardLimit=10;countHardLimit=-1"
      })
      yield* zk.createWithParents("/zookeeper/quota/b/zookeeper_stats", { data: "count=1,bytes=0" })
      const large = "x".repeat(11)
      const writes: ReadonlyArray<Effect.Effect<unknown, SetDataError | CreateError>> = [
        zk.set("/b", large),
        zk.setData("/b", large),
        zk.setData("/b", large, { idempotent: true }),
        zk.update("/b", () => large),
        zk.createOrSet("/b", large)
      ]
      for (const write of writes) {
        const error = yield* failure(write, "QuotaExceeded")
        assert.strictEqual(error.path, "/b")
        assert.strictEqual(error.operation, "setData")
      }
      assert.strictEqual((yield* zk.getData("/b")).byteLength, 0)
    })
  )

  it.live("makes sequential names in a directory whose prefix ends with a slash", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("sequential")
      yield* zk.create("/seq")
      assert.strictEqual(yield* zk.create("/seq/", { mode: "persistentSequential" }), "/seq/0000000000")
      assert.strictEqual(yield* zk.create("/seq/n-", { mode: "ephemeralSequential" }), "/seq/n-0000000001")
      assert.strictEqual((yield* zk.createWithStat("/seq/", { mode: "persistentSequential" })).path, "/seq/0000000002")
      assert.match(yield* zk.create("/", { mode: "persistentSequential" }), /^\/\d{10}$/)
    })
  )

  it.live("makes containers that the server reaps, and znodes with a time to live", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("container")
      yield* zk.create("/container", { mode: "container" })
      yield* zk.create("/container/child")
      yield* zk.delete("/container/child")
      yield* zk.create("/ttl", { mode: "persistentWithTtl", ttl: "200 millis" })
      assert.match(yield* zk.create("/ttl-", { mode: "persistentSequentialWithTtl", ttl: 60_000 }), /^\/ttl-\d{10}$/)
      const gone = Effect.map(Effect.all([zk.exists("/container"), zk.exists("/ttl")]), ([a, b]) => !a && !b)
      assert.isTrue(
        yield* Effect.repeat(gone, { until: (done) => done, schedule: Schedule.spaced("100 millis") }).pipe(
          Effect.timeout("15 seconds")
        )
      )
    })
  )

  it.live("gives ephemerals to the session, and they end with it", () =>
    Effect.gen(function* () {
      const { connectString, zk } = yield* connectFresh("ephemeral")
      yield* Effect.scoped(
        Effect.gen(function* () {
          const other = yield* connect({ servers: connectString })
          const { stat } = yield* other.createWithStat("/e", { mode: "ephemeral" })
          assert.strictEqual(stat.ephemeralOwner, other.session.id)
          assert.isTrue(yield* zk.exists("/e"))
        })
      )
      assert.isFalse(yield* zk.exists("/e"))
    })
  )

  it.live("puts an id into protected names", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("protected")
      const path = yield* zk.create("/lock-", { mode: "ephemeralSequential", protected: true })
      assert.match(path, /^\/_c_[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}-lock-\d{10}$/)
      assert.isTrue(yield* zk.exists(path))
    })
  )

  it.live("uses the client's default ACL", () =>
    Effect.gen(function* () {
      const { connectString, zk } = yield* connectFresh("default-acl")
      const other = yield* connect({ servers: connectString, defaultAcl: locked })
      yield* other.create("/a")
      assert.deepStrictEqual((yield* zk.getAcl("/a")).acl, locked)
    })
  )
})

describe("set and update on a real server", () => {
  it.live("writes any version, or the one that is given, where 0 is a version", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("set")
      yield* zk.create("/a", { data: "0" })
      assert.strictEqual((yield* zk.set("/a", "1", 0)).version, 1)
      assert.strictEqual((yield* failure(zk.set("/a", "2", 0), "BadVersion")).path, "/a")
      assert.strictEqual((yield* zk.set("/a", "2")).version, 2)
      assert.strictEqual((yield* zk.setData("/a", "asdf", { version: -1 })).dataLength, 4)
      yield* failure(zk.setData("/a", "x", { version: 1 }), "BadVersion")
      assert.strictEqual((yield* zk.setData("/a", "idem", { version: 3, idempotent: true })).version, 4)
    })
  )

  it.live("fails with each error of its row", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("set-errors")
      yield* failure(zk.set("/no", ""), "NoNode")
      yield* zk.create("/locked", { acl: locked })
      yield* failure(zk.set("/locked", ""), "NoAuth")
    })
  )

  it.live("updates by compare-and-set without losing a step", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("update")
      yield* zk.create("/n", { data: "0" })
      const increment = zk.update("/n", ({ data }) => String(Number(text(data)) + 1))
      yield* Effect.all(
        Array.from({ length: 20 }, () => increment),
        { concurrency: "unbounded" }
      )
      const { data, stat } = yield* zk.get("/n")
      assert.strictEqual(text(data), "20")
      assert.strictEqual(stat.version, 20)
      yield* failure(
        zk.update("/no", () => ""),
        "NoNode"
      )
    })
  )

  it.live("gives up an update with BadVersion when its schedule ends", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("update-ends")
      yield* zk.create("/n", { data: "0" })
      let runs = 0
      const contended = zk.update(
        "/n",
        () => {
          runs++
          Effect.runFork(zk.set("/n", "other"))
          return "mine"
        },
        { retry: Schedule.recurs(2) }
      )
      yield* failure(contended, "BadVersion")
      assert.strictEqual(runs, 3)
    })
  )

  it.live("creates or sets", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("create-or-set")
      assert.strictEqual((yield* zk.createOrSet("/a/b/c", "1")).version, 0)
      assert.strictEqual((yield* zk.createOrSet("/a/b/c", "2")).version, 1)
      assert.strictEqual(text(yield* zk.getData("/a/b/c")), "2")
    })
  )
})

describe("delete on a real server", () => {
  it.live("deletes any version, or the one that is given, where 0 is a version", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("delete")
      yield* zk.create("/a")
      yield* zk.set("/a", "1")
      yield* failure(zk.delete("/a", { version: 0 }), "BadVersion")
      yield* zk.delete("/a", { version: 1 })
      assert.isFalse(yield* zk.exists("/a"))
      yield* failure(zk.delete("/a"), "NoNode")
      yield* zk.create("/p")
      yield* zk.create("/p/c")
      yield* failure(zk.delete("/p"), "NotEmpty")
      yield* zk.create("/locked", { acl: locked })
      yield* failure(zk.delete("/locked/c"), "NoAuth")
      yield* zk.delete("/p/c", { guaranteed: true })
      yield* failure(zk.delete("/p/c", { guaranteed: true }), "NoNode")
      yield* zk.delete("/p", { idempotent: true })
      assert.isFalse(yield* zk.exists("/p"))
    })
  )
})

describe("ACLs on a real server", () => {
  it.live("compares the ACL's own version", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("acl")
      yield* zk.create("/a")
      yield* zk.set("/a", "1")
      const { acl, stat } = yield* zk.getAcl("/a")
      assert.deepStrictEqual(acl, Acl.open)
      assert.strictEqual(stat.version, 1)
      assert.strictEqual(stat.aversion, 0)
      assert.strictEqual((yield* zk.setAcl("/a", [...Acl.open, Acl.ip("10.0.0.1", "r")], { version: 0 })).aversion, 1)
      yield* failure(zk.setAcl("/a", Acl.open, { version: 0 }), "BadVersion")
      assert.strictEqual((yield* zk.setAcl("/a", Acl.open)).aversion, 2)
    })
  )

  it.live("fails with each error of its row", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("acl-errors")
      yield* failure(zk.getAcl("/no"), "NoNode")
      yield* failure(zk.setAcl("/no", Acl.open), "NoNode")
      yield* zk.create("/a")
      yield* failure(zk.setAcl("/a", Acl.creator), "InvalidACL")
      yield* zk.create("/locked", { acl: locked })
      yield* failure(zk.setAcl("/locked", Acl.open), "NoAuth")
      yield* zk.create("/hidden", { acl: [Acl.world("w")] })
      yield* failure(zk.getAcl("/hidden"), "NoAuth")
    })
  )

  it.live("adds identities", () =>
    Effect.gen(function* () {
      const { zk } = yield* connectFresh("auth")
      yield* zk.addAuth("digest", Redacted.make("bob:secret"))
      assert.isTrue((yield* zk.whoAmI).some(({ id, scheme }) => scheme === "digest" && id === "bob"))
      yield* zk.create("/mine", { acl: Acl.creator })
      const other = yield* connectFresh("auth-other")
      assert.deepStrictEqual(Option.getOrUndefined(yield* other.zk.stat("/mine")), undefined)
      yield* failure(other.zk.addAuth("unheard-of", Redacted.make("x")), "AuthFailed")
    })
  )
})
