/** Changes by the version that a person saw. */
import * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import { failure } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { describeOnServers, firstOf, start } from "../support/console.ts"

const main = { cluster: "main" } as const
const bytes = (text: string) => new TextEncoder().encode(text)

/** Creates a znode, as the changes name it. */
const born = (zk: Service, path: string, data = "") =>
  Effect.map(zk.createWithStat(path, { data }), ({ stat }) => ({ path, czxid: stat.czxid }))

describeOnServers("a page", (it) => {
  it.console("creates, saves and deletes", function* ({ page, zk }) {
    const created = yield* page.create({ ...main, path: "/a/b", data: bytes("1"), mode: "persistent", parents: true })
    assert.strictEqual(created.path, "/a/b")
    const { czxid } = created.stat
    const saved = yield* page.save({ ...main, path: "/a/b", czxid, version: 0, data: bytes("2") })
    assert.strictEqual(saved.version, 1)
    assert.strictEqual(new TextDecoder().decode(yield* zk.getData("/a/b")), "2")
    assert.deepStrictEqual(yield* page.remove({ ...main, path: "/a/b", czxid, version: 1 }), { deleted: 1 })
    assert.isFalse(yield* zk.exists("/a/b"))
    const numbered = yield* page.create({
      ...main,
      path: "/job-",
      data: bytes(""),
      mode: "persistentSequential",
      parents: false
    })
    assert.match(numbered.path, /^\/job-\d{10}$/)
    const again = page.create({ ...main, path: "/a", data: bytes(""), mode: "persistent", parents: false })
    assert.strictEqual((yield* failure(again, "AlreadyExists")).path, "/a")
  })

  it.console("creates missing ancestors that stay, with the ACL of the next one above", function* ({ page, zk }) {
    const alice = Acl.digestId("alice:0123456789012345678901234560", "r")
    const closed = [{ scheme: "world", id: "anyone", perms: 29 }, alice]
    yield* zk.create("/closed", { acl: closed })
    yield* page.create({ ...main, path: "/closed/a/b", data: bytes(""), mode: "persistent", parents: true })
    for (const path of ["/closed/a", "/closed/a/b"]) {
      const { acl, stat } = yield* zk.getAcl(path)
      assert.deepStrictEqual(acl, closed)
      assert.strictEqual(stat.ephemeralOwner, 0n)
    }
  })

  it.console("gives no znode an ACL with hashes that the console cannot see", function* ({ page, zk }) {
    // Without READ and ADMIN servers hide the hash.
    const alice = Acl.digestId("alice:0123456789012345678901234560", "cdrwa")
    yield* zk.create("/masked", { acl: [{ scheme: "world", id: "anyone", perms: 5 }, alice] })
    const { acl } = yield* zk.getAcl("/masked")
    const creating = page.create({
      ...main,
      path: "/masked/a",
      data: bytes(""),
      mode: "persistent",
      parents: false
    })
    if (acl[1]?.id === alice.id) yield* creating
    else assert.include((yield* failure(creating, "Refused")).message, "/masked")
  })

  it.console("that saves what another has saved meanwhile is told both", function* ({ open, page, zk }) {
    const flag = { ...main, ...(yield* born(zk, "/flag", "off")) }
    const other = yield* open
    const exits = yield* Effect.all(
      [page, other].map((each, index) => Effect.exit(each.save({ ...flag, version: 0, data: bytes(`by ${index}`) }))),
      { concurrency: "unbounded" }
    )
    assert.strictEqual(exits.filter(Exit.isSuccess).length, 1)
    const winner = new TextDecoder().decode(yield* zk.getData("/flag"))
    const conflict = yield* failure(page.save({ ...flag, version: 0, data: bytes("x") }), "Conflict")
    assert.strictEqual(conflict.current?.stat.version, 1)
    assert.strictEqual(new TextDecoder().decode(conflict.current?.data), winner)
    assert.include(conflict.message, "/flag")
    yield* zk.delete("/flag")
    const gone = yield* failure(page.save({ ...flag, version: 1, data: bytes("x") }), "Conflict")
    assert.isUndefined(gone.current)
    assert.isFalse(yield* zk.exists("/flag"))
  })

  it.console("changes no znode that was created in the place of the one that was seen", function* ({ page, zk }) {
    const seen = { ...main, ...(yield* born(zk, "/flag", "off")) }
    yield* zk.delete("/flag")
    const current = yield* born(zk, "/flag", "theirs")
    const acl = [{ scheme: "world", id: "anyone", perms: "r" }]
    for (const change of [
      Effect.asVoid(page.save({ ...seen, version: 0, data: bytes("on") })),
      Effect.asVoid(page.saveAcl({ ...seen, aversion: 0, acl })),
      Effect.asVoid(page.remove({ ...seen, version: 0 })),
      Effect.asVoid(page.remove({ ...seen, version: 0, subtree: { znodes: 1 } }))
    ]) {
      const conflict = yield* failure(change, "Conflict")
      assert.strictEqual(conflict.czxid, seen.czxid)
      assert.strictEqual(conflict.current?.stat.czxid, current.czxid)
      assert.strictEqual(new TextDecoder().decode(conflict.current?.data), "theirs")
      assert.include(conflict.message, "created again")
    }
    const { data, stat } = yield* zk.get("/flag")
    assert.strictEqual(new TextDecoder().decode(data), "theirs")
    assert.deepInclude(stat, { version: 0, aversion: 0 })
    yield* page.save({ ...main, ...current, version: 0, data: bytes("on") })
  })

  it.console("cannot say that any version will do", function* ({ page, zk }) {
    const a = { ...main, ...(yield* born(zk, "/a", "1")) }
    for (const change of [
      Effect.asVoid(page.save({ ...a, version: -1, data: bytes("2") })),
      Effect.asVoid(page.remove({ ...a, version: -1 })),
      Effect.asVoid(page.saveAcl({ ...a, aversion: -1, acl: [] }))
    ]) {
      assert.strictEqual((yield* failure(change, "Refused")).reason, "invalid")
    }
    assert.strictEqual((yield* zk.get("/a")).stat.version, 0)
  })

  it.console("deletes a subtree of as many znodes as the person was told", function* ({ page, zk }) {
    const t = { ...main, ...(yield* born(zk, "/t")) }
    for (const path of ["/t/a", "/t/a/b", "/t/c"]) yield* zk.create(path)
    const size = yield* page.subtreeSize({ ...main, path: "/t" })
    assert.strictEqual(size.znodes, 4)
    const alone = yield* failure(page.remove({ ...t, version: 0 }), "MoreBelow")
    assert.strictEqual(alone.znodes, 4)
    yield* zk.create("/t/d")
    const more = yield* failure(page.remove({ ...t, version: 0, subtree: size }), "MoreBelow")
    assert.strictEqual(more.znodes, 5)
    yield* zk.set("/t", "changed")
    const subtree = { znodes: 5 }
    yield* failure(page.remove({ ...t, version: 0, subtree }), "Conflict")
    assert.strictEqual((yield* zk.getChildren("/t")).length, 3)
    assert.deepStrictEqual(yield* page.remove({ ...t, version: 1, subtree }), { deleted: 5 })
    assert.isFalse(yield* zk.exists("/t"))
  })

  it.console("sees no hash of a password, and keeps the entries that it cannot see", function* ({ page, zk }) {
    const secret = Acl.digestId("alice:0123456789012345678901234560", "rw")
    yield* zk.create("/s", { acl: [...Acl.open, secret] })
    const seen = yield* firstOf(page.znode({ ...main, path: "/s", limit: 10 }))
    assert(seen._tag === "present")
    assert.notInclude(JSON.stringify(seen.acl), "0123456789")
    const { czxid } = seen.stat
    assert.deepStrictEqual(seen.acl?.[1], { scheme: "digest", id: "alice", perms: "rw" })
    const stat = yield* page.saveAcl({
      ...main,
      path: "/s",
      czxid,
      aversion: 0,
      acl: [
        { scheme: "world", id: "anyone", perms: "ra" },
        { scheme: "digest", id: "alice", perms: "cdrw", keeps: 1 },
        { scheme: "digest", id: "bob", perms: "r", password: "hunter2" }
      ]
    })
    assert.strictEqual(stat.aversion, 1)
    const { acl } = yield* zk.getAcl("/s")
    assert.strictEqual(acl[1]?.id, secret.id)
    assert.strictEqual(acl[1]?.perms, 15)
    assert.match(acl[2]?.id ?? "", /^bob:[\w+/]{27}=$/)
    yield* failure(page.saveAcl({ ...main, path: "/s", czxid, aversion: 0, acl: [] }), "Conflict")
    const unknown = [{ scheme: "digest", id: "alice", perms: "r", keeps: 9 }]
    yield* failure(page.saveAcl({ ...main, path: "/s", czxid, aversion: 1, acl: unknown }), "Refused")
  })
})

describeOnServers("a console without --write", (it) => {
  it.console("changes nothing, whatever a page asks", function* ({ zk }) {
    const a = { ...main, ...(yield* born(zk, "/a", "1")) }
    const cluster = (name: string, readOnly: string | undefined) => ({
      name,
      servers: "somewhere",
      readOnly,
      connect: Effect.succeed(zk)
    })
    for (const options of [
      { clusters: [cluster("main", undefined)], write: false },
      { clusters: [cluster("main", "the profile main")], write: true }
    ]) {
      const page = yield* (yield* start(options)).open
      for (const change of [
        Effect.asVoid(page.create({ ...main, path: "/b", data: bytes(""), mode: "persistent", parents: true })),
        Effect.asVoid(page.save({ ...a, version: 0, data: bytes("2") })),
        Effect.asVoid(page.saveAcl({ ...a, aversion: 0, acl: [{ scheme: "world", id: "anyone", perms: "r" }] })),
        Effect.asVoid(page.remove({ ...a, version: 0, subtree: { znodes: 10 } })),
        Effect.asVoid(page.copySubtree({ ...main, path: "/a", to: "/b", isTrial: false })),
        Effect.asVoid(page.importSubtree({ ...main, path: "/b", file: bytes(""), isTrial: false }))
      ]) {
        const { source } = yield* failure(change, "ReadOnly")
        assert.match(source, /--write|the profile main/)
      }
      assert.strictEqual((yield* page.hello()).canWrite, options.write)
    }
    assert.deepStrictEqual(yield* zk.getChildren("/"), ["a"])
    assert.strictEqual((yield* zk.get("/a")).stat.version, 0)
  })
})
