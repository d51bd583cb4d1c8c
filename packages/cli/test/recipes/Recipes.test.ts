/** What zk shows of locks, elections, semaphores and queues, of this library and of others. */
import * as Acl from "@effect-zookeeper/client/Acl"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Lease from "@effect-zookeeper/recipes/Lease"
import * as LeaderElection from "@effect-zookeeper/recipes/LeaderElection"
import * as Lock from "@effect-zookeeper/recipes/Lock"
import * as PriorityQueue from "@effect-zookeeper/recipes/PriorityQueue"
import * as Queue from "@effect-zookeeper/recipes/Queue"
import * as ReadWriteLock from "@effect-zookeeper/recipes/ReadWriteLock"
import * as Semaphore from "@effect-zookeeper/recipes/Semaphore"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Output from "../../src/Output.ts"
import { age, oneLine } from "../../src/internal/output/short.ts"
import { describeOnServers } from "../support/zk.ts"

const contentions = (out: string) =>
  out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Schema.decodeUnknownSync(Schema.fromJsonString(Output.Contention))(line))

const queue = Schema.decodeUnknownSync(Schema.fromJsonString(Output.Queue))

/** The output without times, sessions and spaces that depend on them. */
const masked = (out: string): string =>
  out
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, "TIME")
    .replaceAll(/0x[0-9a-f]+/g, "SESSION")
    .replaceAll(/\b\d+s\b/g, "AGE")
    .replaceAll(/([^ \n]) {2,}/g, "$1  ")

const via = <A, E, R>(zk: ZooKeeper.Service, effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, ZooKeeper.ZooKeeper, zk)

/** Waits until a znode has so many children. */
const children = Effect.fnUntraced(function* (zk: ZooKeeper.Service, path: string, number: number) {
  while (true) {
    const names = yield* Effect.catchTag(zk.getChildren(path), "NoNode", () => Effect.succeed([]))
    if (names.length >= number) return
    yield* Effect.sleep("10 millis")
  }
})

const id = "8f4a25d40f3b4f4a9c8e9f5f2d2b1c7"

describeOnServers("zk locks", (it) => {
  it.inChroot("shows the holder of a lock and those who wait, in all layouts", function* ({ another, run, zk }) {
    const other = yield* another()
    for (const layout of ["curator", "go", "kazoo", "aiozk"] as const) {
      const path = `/${layout}`
      const held = yield* via(zk, Lock.make(path, { layout, identifier: "db1\n:4711" }))
      yield* held.acquire()
      const waiting = yield* via(other, Lock.make(path, { layout, identifier: "db2" }))
      yield* Effect.forkScoped(waiting.acquire())
      yield* children(zk, path, 2)
      const { code, err, out } = yield* run(["locks", path])
      assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
      const expected = [
        `${path}  lock, 1 held, 1 waiting`,
        `  holds  came AGE ago  TIME  SESSION  ${layout}  db1 ⏎ :4711`,
        `  waits  came AGE ago  TIME  SESSION  ${layout}  db2`,
        ""
      ]
      assert.strictEqual(masked(out), expected.join("\n"))
    }
    const [found] = contentions((yield* run(["locks", "/go", "--ndjson"])).out)
    assert.deepStrictEqual(
      found?.contenders.map(({ kind, layout, session, state }) => ({ kind, layout, session, state })),
      [
        { kind: "lock", layout: "go", session: zk.session.id, state: "holds" },
        { kind: "lock", layout: "go", session: other.session.id, state: "waits" }
      ]
    )
    const all = contentions((yield* run(["locks", "--ndjson"])).out)
    assert.deepStrictEqual(
      all.map(({ path }) => path),
      ["/aiozk", "/curator", "/go", "/kazoo"]
    )
  })

  it.inChroot("shows the clients of sessions, where the servers tell them", function* ({ another, run, zk }) {
    yield* (yield* via(zk, Lock.make("/lock", { identifier: "db1" }))).acquire()
    yield* Effect.forkScoped((yield* via(yield* another(), Lock.make("/lock", { identifier: "db2" }))).acquire())
    yield* children(zk, "/lock", 2)
    const { code, err, out } = yield* run(["locks", "/lock", "--clients"])
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    const row = (state: string, name: string) =>
      ` {2}${state} {2}came AGE ago {2}TIME {2}SESSION {2}127\\.0\\.0\\.1:\\d+ {2}curator {2}${name}\n`
    assert.match(
      masked(out),
      new RegExp(`^/lock {2}lock, 1 held, 1 waiting\n${row("holds", "db1")}${row("waits", "db2")}$`)
    )
    const [found] = contentions((yield* run(["locks", "/lock", "--clients", "--ndjson"])).out)
    assert.match(found?.contenders[0]?.client ?? "", /^127\.0\.0\.1:\d+$/)
    const help = yield* run(["locks", "--help"])
    assert.include(help.out, "the lock is free")
  })

  it.inChroot("shows readers and writers, and candidates", function* ({ another, run, zk }) {
    const lock = yield* via(zk, ReadWriteLock.make("/rw", { identifier: "me" }))
    yield* lock.read.acquire()
    yield* lock.read.acquire()
    yield* Effect.forkScoped(lock.write.acquire())
    yield* children(zk, "/rw", 3)
    yield* Effect.forkScoped((yield* via(yield* another(), ReadWriteLock.make("/rw"))).read.acquire())
    yield* children(zk, "/rw", 4)
    const rw = yield* run(["locks", "/rw"])
    const lines = masked(rw.out)
      .split("\n")
      .map((line) => line.trim().split(/ {2,}/).slice(0, 2).join(" "))
    assert.deepStrictEqual(lines, [
      "/rw read-write lock, 2 held, 2 waiting",
      "holds to read",
      "holds to read",
      "waits to write",
      "waits to read",
      ""
    ])
    const election = yield* via(zk, LeaderElection.make("/election", { identifier: "one" }))
    yield* election.acquire()
    const [found] = contentions((yield* run(["locks", "/election", "--ndjson"])).out)
    assert.deepInclude(found, { path: "/election", recipe: "election" })
    assert.deepInclude(found?.contenders[0], { state: "holds", kind: "candidate", identifier: "one" })
  })

  it.inChroot("says where contenders of one library do not wait for those of another", function* ({ run, zk }) {
    for (const name of [`_c_${id}0-lock-`, `${id}1__lock__`]) {
      yield* zk.createWithParents(`/l/${name}`, { mode: "ephemeralSequential" })
      yield* zk.createWithParents(`/${name.includes("_c_") ? "go" : "kazoo"}/${name}`, { mode: "ephemeralSequential" })
    }
    const remark = "  kazoo does not wait for go, except in this library: two may hold it at a time\n"
    assert.include((yield* run(["locks", "/l"])).out, `\n${remark}`)
    for (const path of ["/go", "/kazoo"]) assert.notInclude((yield* run(["locks", path])).out, "does not wait")
  })

  it.inChroot("shows the permits of kazoo beside other znodes", function* ({ run, zk }) {
    yield* zk.create("/kazoo", { data: "2" })
    yield* zk.create(`/kazoo/${id}1`, { mode: "ephemeral", data: "py1" })
    // Left by a client of another layout.
    yield* zk.create("/kazoo/leases")
    const { code, out } = yield* run(["locks", "/kazoo"])
    assert.strictEqual(code, 0)
    assert.match(out, /^\/kazoo {2}semaphore, 1 of 2 permits held\n/)
  })

  it.inChroot("shows the permits of a semaphore, of this library and of kazoo", function* ({ another, run, zk }) {
    const semaphore = yield* via(zk, Semaphore.make("/ours", { permits: 2, identifier: "one" }))
    yield* semaphore.acquireMany(2)
    for (const identifier of ["two", "three"]) {
      const other = yield* via(yield* another(), Semaphore.make("/ours", { permits: 2, identifier }))
      yield* Effect.forkScoped(other.acquire())
      yield* children(zk, "/ours/locks", identifier === "two" ? 1 : 2)
    }
    yield* children(zk, "/ours/leases", 3)
    // The layout of kazoo's Semaphore.
    yield* zk.create("/kazoo", { data: "1" })
    yield* zk.create(`/kazoo/${id}1`, { mode: "ephemeral", data: "py1" })
    yield* zk.create("/kazoo-__lock__")
    yield* zk.create(`/kazoo-__lock__/${id}2__lock__`, { mode: "ephemeralSequential", data: "py2" })
    const found = contentions((yield* run(["locks", "/", "--ndjson"])).out)
    assert.deepStrictEqual(
      found.map(({ contenders, path, permits, recipe }) => ({
        path,
        recipe,
        permits,
        contenders: contenders.map(({ identifier, state }) => `${state} ${identifier}`)
      })),
      [
        {
          path: "/kazoo",
          recipe: "semaphore",
          permits: 1,
          contenders: ["holds py1", "waits py2"]
        },
        {
          path: "/ours",
          recipe: "semaphore",
          permits: 2,
          contenders: ["holds one", "holds one", "waits two", "waits three"]
        }
      ]
    )
    const text = masked((yield* run(["locks", "/ours"])).out)
    assert.match(text, /^\/ours {2}semaphore, 2 of 2 permits held, 2 waiting\n/)
  })

  it.inChroot("shows leases, which end with their time", function* ({ run, zk }) {
    const lease = yield* via(zk, Lease.make("/leases", { duration: "1 minute", identifier: "importer", limit: 2 }))
    const { path } = Option.getOrThrow(yield* lease.obtain)
    const ended = JSON.stringify({ version: 1, identifier: "late", duration: 1, nonce: "n" })
    yield* zk.createOrSet(`/leases/lease-${path.includes("lease-0") ? 1 : 0}`, ended)
    const { out } = yield* run(["locks", "/leases"])
    assert.match(
      masked(out),
      /^\/leases {2}leases, 1 of 2 permits held\n {2}holds {2}taken or renewed AGE ago {2}TIME {2}for AGE more {2,}importer\n$/
    )
    const [found] = contentions((yield* run(["locks", "/leases", "--ndjson"])).out)
    assert.deepInclude(found, { recipe: "lease", permits: 2 })
    assert.deepInclude(found?.contenders[0], { kind: "lease", state: "holds", identifier: "importer" })
  })

  it.inChroot("leaves out what does not contend, and what was not asked for", function* ({ another, run, zk }) {
    yield* zk.create("/l")
    yield* zk.create(`/l/${id}1__lock__`, { mode: "persistentSequential" })
    yield* zk.create("/l/config")
    const none = yield* run(["locks", "/l"])
    const message = "no lock, election, semaphore or lease at or below /l\n"
    assert.deepStrictEqual([none.code, none.out, none.err], [0, "", message])
    const ann = yield* another({ auth: [{ scheme: "digest", credentials: Redacted.make("ann:secret") }] })
    yield* ann.create(`/l/${id}2__lock__`, { mode: "ephemeralSequential", acl: Acl.creator, data: "hidden" })
    const hidden = yield* run(["locks", "/l"])
    assert.include(hidden.out, "(its ACL forbids to read it)")
    assert.notInclude(hidden.out, "hidden")
    assert.strictEqual((yield* run(["locks", "/l", "--waiting"])).out, "")
    assert.strictEqual((yield* run(["locks", "/l", "--older", "1h"])).out, "")
    assert.strictEqual((yield* run(["locks", "/none"])).code, 3)
    assert.strictEqual((yield* run(["locks", "/l", "--older", "long"])).code, 2)
  })
})

describeOnServers("zk queue", (it) => {
  it.inChroot("shows the items and those that are being worked on", function* ({ another, run, zk }) {
    const mails = yield* via(zk, Queue.make("/mail"))
    for (const item of ["one", "two\nlines", "three"]) yield* mails.offer(new TextEncoder().encode(item))
    const worker = yield* another()
    yield* (yield* via(worker, Queue.make("/mail"))).takeWithLock
    const { code, err, out } = yield* run(["queue", "/mail", "-n", "2"])
    assert.deepStrictEqual({ code, err }, { code: 0, err: "" })
    const [head, columns, first, second, rest] = masked(out).split("\n")
    assert.strictEqual(head, "/mail  layout curator, 3 items, 1 taken")
    assert.strictEqual(columns, "  ITEM  AGE  STATE  TAKES  DATA")
    assert.match(first ?? "", /^ {2}queue-\d+ {2}AGE {2}taken AGE by SESSION {2}1 {2}one$/)
    assert.match(second ?? "", /^ {2}queue-\d+ {2}AGE {2}waits {2}- {2}two ⏎ lines$/)
    assert.strictEqual(rest, "  … 1 more")
    const json = queue((yield* run(["queue", "/mail", "--json"])).out)
    assert.deepInclude(json, { path: "/mail", layout: "curator", items: 3, taken: 1, dead: 0 })
    assert.deepInclude(json.entries[0], { state: "taken", attempts: 1, session: worker.session.id, data: "one" })
    assert.deepInclude(json.entries[2], { state: "waits", attempts: 0, data: "three" })
  })

  it.inChroot("knows priorities, and the queues of kazoo", function* ({ run, zk }) {
    const urgent = yield* via(zk, PriorityQueue.make("/urgent", { layout: "curator" }))
    yield* urgent.offer(new TextEncoder().encode("later"), 5)
    yield* urgent.offer(new TextEncoder().encode("soon"), 1)
    const curator = queue((yield* run(["queue", "/urgent", "--json"])).out)
    assert.deepStrictEqual(
      curator.entries.map(({ data, priority }) => [priority, data]),
      [
        [1, "soon"],
        [5, "later"]
      ]
    )
    const locking = yield* via(zk, Queue.make("/locking", { layout: "kazooLocking" }))
    yield* locking.offer(new TextEncoder().encode("item"))
    yield* locking.takeWithLock
    const kazoo = queue((yield* run(["queue", "/locking", "--json"])).out)
    assert.deepInclude(kazoo, { layout: "kazooLocking", items: 1, taken: 1 })
    assert.deepInclude(kazoo.entries[0], { data: "item", priority: 100, state: "taken" })
  })

  it.inChroot("finds locks elsewhere, counts dead letters, and refuses what is no queue", function* ({ run, zk }) {
    yield* zk.create("/q")
    const empty = yield* run(["queue", "/q"])
    assert.strictEqual(empty.out, "/q  0 items, 0 taken\n")
    const path = yield* zk.create("/q/entry-100-", { mode: "persistentSequential", data: new Uint8Array([255]) })
    yield* zk.create("/elsewhere")
    yield* zk.create(`/elsewhere/${path.slice(3)}`, { mode: "ephemeral" })
    yield* zk.create("/q-dead")
    yield* zk.create("/q-dead/entry-100-", { mode: "persistentSequential" })
    const found = queue((yield* run(["queue", "/q", "--taken", "/elsewhere", "--json"])).out)
    assert.deepInclude(found, { layout: "kazoo", items: 1, taken: 1, dead: 1 })
    assert.deepInclude(found.entries[0], { encoding: "base64", data: "/w==", session: zk.session.id })
    assert.include((yield* run(["queue", "/q"])).out, "1 item, 0 taken, 1 dead letter\n")
    yield* zk.create("/dir")
    yield* zk.create("/dir/a")
    const dir = yield* run(["queue", "/dir"])
    const message = "zk: /dir has 1 child, and none with the name of an item: it is no queue\n"
    assert.deepStrictEqual([dir.code, dir.err], [4, message])
    assert.strictEqual((yield* run(["queue", "/none"])).code, 3)
  })
})

describeOnServers("zk tail, of a queue of Curator's layout", (it) => {
  it.inChroot("shows the items without what is around them", function* ({ run, runLive, zk }) {
    const mails = yield* via(zk, Queue.make("/mail"))
    yield* mails.offer(new TextEncoder().encode("one"))
    const tail = yield* runLive(["tail", "/mail", "--count", "1"])
    yield* tail.sees("  one\n")
    yield* mails.offer(new TextEncoder().encode("two"))
    assert.match((yield* tail.end).out, /queue-\d+ {2}two\n$/)
    assert.strictEqual((yield* run(["tail", "/none"])).code, 3)
  })
})

describe("short forms", () => {
  it("are of times and of data", () => {
    assert.deepStrictEqual([-1, 17_000, 200_000, 7_500_000, 349_200_000].map(age), [
      "0s",
      "17s",
      "3m 20s",
      "2h 5m",
      "4d 1h"
    ])
    assert.strictEqual(oneLine(" a\n b\u001b ", 60), "a ⏎ b\\u001b")
    assert.strictEqual(oneLine("x".repeat(70)), `${"x".repeat(60)}…`)
  })
})
