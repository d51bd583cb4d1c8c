import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stm from "../../src/Stm.ts"
import { getChildrenOrNone } from "../support/holds.ts"
import {
  awaitNextSession,
  awaitNoWatches,
  describeOnServers,
  eventually,
  failure,
  text,
  withClient
} from "../support/targets.ts"

/** A transaction whose steps are those of `Effect.gen`. */
const transact = <Eff extends Effect.Effect<any, any, any>, A>(
  { atomically }: Stm.Stm,
  steps: (tx: Stm.Transaction) => Generator<Eff, A, never>
) => atomically((tx) => Effect.gen(() => steps(tx)))

const stmOf = (zk: ZooKeeper.Service, options?: Stm.Options) => withClient(zk)(Stm.make("/stm", options))

const numberIn = (tx: Stm.Transaction, path: string) =>
  Effect.map(tx.get(path), (data) => Number(text(Option.getOrElse(data, () => new Uint8Array()))))

const dataOf = (zk: ZooKeeper.Service, path: string) => Effect.map(zk.getData(path), text)

/** Runs `interfere` in the first run of a transaction, at the place where it is yielded. */
const once = <A, E, R>(interfere: Effect.Effect<A, E, R>) => {
  let isDone = false
  return Effect.suspend(() => {
    if (isDone) return Effect.void
    isDone = true
    return Effect.asVoid(Effect.orDie(interfere))
  })
}

const accounts = ["/a", "/b", "/c", "/d"]

describeOnServers("a transaction", (it) => {
  it.inChroot("reads and writes several znodes, and sees its own writes", function* ({ zk }) {
    yield* zk.create("/a", { data: "1" })
    yield* zk.create("/old")
    const stm = yield* stmOf(zk)
    const result = yield* transact(stm, function* (tx) {
      const a = yield* numberIn(tx, "/a")
      yield* tx.set("/a", String(a + 1))
      assert.strictEqual(yield* numberIn(tx, "/a"), 2)
      assert.isTrue(Option.isNone(yield* tx.get("/new/child")))
      yield* tx.create("/new", { data: "parent" })
      yield* tx.create("/new/child")
      yield* tx.set("/new/child", "child")
      yield* tx.delete("/old")
      assert.isTrue(Option.isNone(yield* tx.get("/old")))
      yield* tx.create("/gone")
      yield* tx.delete("/gone")
      return "done"
    })
    assert.strictEqual(result, "done")
    assert.strictEqual(yield* dataOf(zk, "/a"), "2")
    assert.strictEqual(yield* dataOf(zk, "/new/child"), "child")
    assert.isFalse(yield* zk.exists("/old"))
    assert.isFalse(yield* zk.exists("/gone"))
  })

  it.inChroot("says what is not there and what is, and applies nothing then", function* ({ zk }) {
    yield* zk.create("/a")
    yield* zk.create("/a/child")
    const { atomically } = yield* stmOf(zk)
    const fails = <E extends { readonly _tag: string }>(
      f: (tx: Stm.Transaction) => Effect.Effect<unknown, E>,
      tag: string
    ) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(atomically((tx) => Effect.andThen(tx.create("/b"), f(tx))))
        assert.strictEqual(error._tag, tag)
        assert.isFalse(yield* zk.exists("/b"))
      })
    yield* fails((tx) => tx.set("/none", ""), "NoNode")
    yield* fails((tx) => tx.delete("/none"), "NoNode")
    yield* fails((tx) => tx.create("/a"), "NodeExists")
    yield* fails((tx) => tx.create("/none/child"), "NoNode")
    yield* fails((tx) => tx.delete("/a"), "NotEmpty")
    yield* fails((tx) => Effect.andThen(tx.create("/a/child/new"), tx.delete("/a/child")), "NotEmpty")
    yield* fails((tx) => Effect.andThen(tx.create("/b/new"), tx.delete("/b")), "NotEmpty")
    yield* fails((tx) => tx.get("none"), "InvalidArgument")
    yield* fails((tx) => tx.create("/c", { mode: "persistentSequential" as never }), "InvalidArgument")
    assert.strictEqual(
      yield* Effect.flip(atomically((tx) => Effect.andThen(tx.create("/b"), Effect.fail("own")))),
      "own"
    )
    assert.isFalse(yield* zk.exists("/b"))
  })

  it.inChroot("runs again when another client has written what it had read", function* ({ zk }) {
    yield* zk.create("/a", { data: "1" })
    yield* zk.create("/b", { data: "1" })
    const stm = yield* stmOf(zk)
    let runs = 0
    const change = once(zk.set("/a", "5"))
    yield* transact(stm, function* (tx) {
      runs++
      const a = yield* numberIn(tx, "/a")
      yield* change
      yield* tx.set("/b", String(a))
    })
    assert.strictEqual(runs, 2)
    assert.strictEqual(yield* dataOf(zk, "/b"), "5")
  })

  it.inChroot("never sees a part of what another client has written", function* ({ another, zk }) {
    const clients = [zk, yield* another(), yield* another()]
    for (const path of accounts) yield* zk.create(path, { data: "100" })
    let observed = 0
    const transfer = (stm: Stm.Stm) =>
      Effect.gen(function* () {
        const [from = "", to = ""] = yield* Random.shuffle(accounts)
        const amount = yield* Random.nextIntBetween(1, 10)
        yield* transact(stm, function* (tx) {
          const [x, y] = [yield* numberIn(tx, from), yield* numberIn(tx, to)]
          yield* tx.set(from, String(x - amount))
          yield* tx.set(to, String(y + amount))
        })
      })
    const observe = ({ atomically }: Stm.Stm) =>
      atomically((tx) =>
        Effect.map(
          Effect.forEach(accounts, (path) => numberIn(tx, path)),
          (all) => {
            observed++
            assert.strictEqual(
              all.reduce((sum, each) => sum + each, 0),
              400
            )
          }
        )
      )
    yield* Effect.forEach(
      clients,
      (client) =>
        Effect.flatMap(stmOf(client), (stm) =>
          Effect.all([Effect.repeat(transfer(stm), { times: 9 }), Effect.repeat(observe(stm), { times: 9 })], {
            concurrency: "unbounded"
          })
        ),
      { concurrency: "unbounded" }
    )
    assert.isAtLeast(observed, 30)
    const total = yield* Effect.forEach(accounts, (path) => dataOf(zk, path))
    assert.strictEqual(
      total.reduce((sum, each) => sum + Number(each), 0),
      400
    )
  })

  it.inChroot("depends on what it has only read", function* ({ another, zk }) {
    // Each may take one off call if another is on call: never both.
    yield* zk.create("/x", { data: "on" })
    yield* zk.create("/y", { data: "on" })
    const leave = (stm: Stm.Stm, own: string, other: string) =>
      transact(stm, function* (tx) {
        if (text(Option.getOrThrow(yield* tx.get(other))) === "on") yield* tx.set(own, "off")
      })
    const [one, two] = [yield* stmOf(zk), yield* stmOf(yield* another())]
    for (let round = 0; round < 5; round++) {
      yield* zk.set("/x", "on")
      yield* zk.set("/y", "on")
      yield* Effect.all([leave(one, "/x", "/y"), leave(two, "/y", "/x")], { concurrency: "unbounded" })
      assert.deepStrictEqual([yield* dataOf(zk, "/x"), yield* dataOf(zk, "/y")].toSorted(), ["off", "on"])
    }
  })

  it.inChroot("depends on what was not there", function* ({ another, zk }) {
    yield* zk.create("/log", { data: "" })
    const claim = (stm: Stm.Stm, name: string) =>
      transact(stm, function* (tx) {
        // The other one writes elsewhere, and not what this one reads.
        if (Option.isSome(yield* tx.get("/claims/other"))) return "late"
        const log = text(Option.getOrThrow(yield* tx.get("/log")))
        yield* tx.set("/log", `${log}${name}`)
        return "first"
      })
    const stm = yield* stmOf(zk)
    const other = yield* another()
    let runs = 0
    const create = once(other.createWithParents("/claims/other"))
    const outcome = yield* transact(stm, function* (tx) {
      runs++
      const isThere = Option.isSome(yield* tx.get("/claims/other"))
      yield* create
      if (!isThere) yield* tx.set("/log", "claimed")
      return isThere
    })
    assert.isTrue(outcome)
    assert.strictEqual(runs, 2)
    assert.strictEqual(yield* dataOf(zk, "/log"), "")
    assert.strictEqual(yield* claim(yield* stmOf(zk), "a"), "late")
    yield* other.deleteAll("/claims")
    assert.strictEqual(yield* claim(yield* stmOf(zk), "a"), "first")
    assert.isFalse(yield* zk.exists("/claims"))
  })

  it.inChroot("notices that another transaction has deleted a znode and created it again", function* ({ another, zk }) {
    yield* zk.create("/a", { data: "old" })
    yield* zk.create("/b", { data: "" })
    const stm = yield* stmOf(zk)
    const other = yield* stmOf(yield* another())
    const replace = once(
      Effect.andThen(
        other.atomically((tx) => tx.delete("/a")),
        other.atomically((tx) => tx.create("/a", { data: "new" }))
      )
    )
    yield* transact(stm, function* (tx) {
      const a = text(Option.getOrThrow(yield* tx.get("/a")))
      yield* replace
      yield* tx.set("/b", a)
    })
    assert.strictEqual((yield* zk.get("/a")).stat.version, 0)
    assert.strictEqual(yield* dataOf(zk, "/b"), "new")
  })

  it.inChroot("replaces a znode by a new one", function* ({ zk }) {
    yield* zk.create("/a", { data: "old" })
    const before = (yield* zk.get("/a")).stat.czxid
    const stm = yield* stmOf(zk)
    yield* transact(stm, function* (tx) {
      yield* tx.delete("/a")
      yield* tx.create("/a", { data: "new", mode: "ephemeral" })
    })
    const { data, stat } = yield* zk.get("/a")
    assert.strictEqual(text(data), "new")
    assert.isTrue(stat.czxid > before)
    assert.strictEqual(stat.ephemeralOwner, zk.session.id)
  })

  it.inChroot("waits until what it has read changes", function* ({ another, watches, zk }) {
    const stm = yield* stmOf(zk)
    const ready = yield* Deferred.make<void>()
    const waiting = yield* Effect.forkChild(
      transact(stm, function* (tx) {
        const found = yield* tx.get("/inbox")
        yield* Deferred.succeed(ready, undefined)
        if (Option.isNone(found) || text(found.value) !== "letter") return yield* tx.retry
        yield* tx.delete("/inbox")
        return text(found.value)
      })
    )
    yield* Deferred.await(ready)
    const other = yield* another()
    yield* other.create("/inbox", { data: "flyer" })
    yield* Effect.sleep(50)
    yield* other.set("/inbox", "letter")
    assert.strictEqual(yield* Fiber.join(waiting), "letter")
    assert.isFalse(yield* zk.exists("/inbox"))
    yield* awaitNoWatches(watches)
  })

  it.inChroot("sends no write when it has only read", function* ({ zk }) {
    yield* zk.create("/a", { data: "1" })
    const { atomically } = yield* stmOf(zk)
    yield* atomically((tx) => tx.get("/a"))
    const { mzxid } = (yield* zk.get("/a")).stat
    assert.strictEqual(yield* atomically((tx) => Effect.andThen(tx.get("/none"), numberIn(tx, "/a"))), 1)
    const next = yield* zk.createWithStat("/next")
    assert.isTrue(next.stat.czxid > mzxid)
    assert.deepStrictEqual(yield* getChildrenOrNone(zk, "/stm/markers"), [])
  })

  it.inChroot("may read at the same time", function* ({ zk }) {
    for (const path of accounts) yield* zk.create(path, { data: "1" })
    const { atomically } = yield* stmOf(zk)
    const all = yield* atomically((tx) =>
      Effect.forEach(accounts, (path) => numberIn(tx, path), { concurrency: "unbounded" })
    )
    assert.deepStrictEqual(all, [1, 1, 1, 1])
  })

  it.inChroot("fails when others come between at each attempt", function* ({ another, zk }) {
    yield* zk.create("/a", { data: "1" })
    const other = yield* another()
    const stm = yield* stmOf(zk, { attempts: 3 })
    const error = yield* failure(
      transact(stm, function* (tx) {
        yield* tx.get("/a")
        yield* Effect.orDie(other.set("/a", "2"))
        yield* tx.set("/a", "3")
      }),
      "Contended"
    )
    assert.strictEqual(error.attempts, 3)
    assert.strictEqual(yield* dataOf(zk, "/a"), "2")
  })

  it.inChroot("is applied once, whichever reply or request is lost", function* ({ breakable, watches, zk }) {
    const { link, zk: broken } = yield* breakable({ sessionTimeout: "20 seconds" })
    yield* zk.create("/a", { data: "0" })
    yield* zk.create("/b", { data: "0" })
    const stm = yield* stmOf(broken)
    const increment = transact(stm, function* (tx) {
      const a = yield* numberIn(tx, "/a")
      const b = yield* numberIn(tx, "/b")
      yield* tx.set("/a", String(a + 1))
      yield* tx.set("/b", String(b + 1))
    })
    let count = 0
    for (const operation of [Operations.multi, Operations.getData, Operations.exists]) {
      for (const lose of [link.loseReply, link.loseRequest]) {
        yield* lose(operation)
        yield* increment
        count++
        assert.strictEqual(yield* dataOf(zk, "/a"), String(count))
        assert.strictEqual(yield* dataOf(zk, "/b"), String(count))
      }
    }
    yield* awaitNoWatches(watches)
  })

  it.inChroot("goes on in the session that replaces an expired one", function* ({ another, expire, zk }) {
    yield* zk.create("/a", { data: "0" })
    const other = yield* another()
    const stm = yield* stmOf(other)
    const before = other.session.id
    const expiring = once(Effect.andThen(expire(other), awaitNextSession(other, before)))
    yield* transact(stm, function* (tx) {
      const a = yield* numberIn(tx, "/a")
      yield* expiring
      yield* tx.set("/a", String(a + 1))
    })
    assert.strictEqual(yield* dataOf(zk, "/a"), "1")
  })

  it.inChroot("leaves nothing behind when it is interrupted while it waits", function* ({ watches, zk }) {
    const { atomically } = yield* stmOf(zk)
    const waiting = yield* Effect.forkChild(atomically((tx) => Effect.andThen(tx.get("/none"), tx.retry)))
    yield* eventually(watches, (count) => count === 1)
    yield* Fiber.interrupt(waiting)
    yield* awaitNoWatches(watches)
  })
})
