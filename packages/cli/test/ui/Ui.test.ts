/** `zk ui`: the console, as its page sees it. */
import { Lock, Queue } from "@effect-zookeeper/recipes"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { eventually, failure } from "@effect-zookeeper/test-kit/Expectations"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { emptyPage, startUi as start } from "../support/page.ts"
import { describeOnServers } from "../support/zk.ts"

describeOnServers("zk ui", (it) => {
  it.inChroot("shows the tree in the chroot, and changes nothing", function* (commands) {
    const { zk } = commands
    yield* zk.create("/app", { data: "1" })
    const { cluster, link, page } = yield* start(commands)
    assert.match(link, /^http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]{43}$/)
    const listed = yield* Stream.runHead(page.directory({ cluster, path: "/", limit: 10 }))
    assert.deepInclude(yield* Effect.fromOption(listed), { names: ["app"] })
    const refused = yield* failure(
      page.save({ cluster, path: "/app", czxid: 1n, version: 0, data: new Uint8Array() }),
      "ReadOnly"
    )
    assert.include(refused.message, "--write")
  })

  it.inChroot("with --write saves by version; --read-only wins", function* (commands) {
    const { stat } = yield* commands.zk.createWithStat("/flag", { data: "off" })
    const change = { path: "/flag", czxid: stat.czxid, version: 0, data: new TextEncoder().encode("on") }
    const locked = yield* start(commands, "--write", "--read-only")
    const refused = yield* failure(locked.page.save({ cluster: locked.cluster, ...change }), "ReadOnly")
    assert.include(refused.message, "--read-only")
    const open = yield* start(commands, "--write")
    assert.strictEqual((yield* open.page.save({ cluster: open.cluster, ...change })).version, 1)
    yield* failure(open.page.save({ cluster: open.cluster, ...change }), "Conflict")
  })

  it.inChroot("tells the members, the sessions and what the doctor finds", function* (commands) {
    const { servers, zk } = commands
    yield* zk.create("/mine", { mode: "ephemeral" })
    const { cluster, page } = yield* start(commands)
    const sample = yield* page.ensemble({ cluster }).pipe(
      Stream.filter(({ _tag }) => _tag === "sample"),
      Stream.runHead,
      Effect.flatMap(Effect.fromOption)
    )
    assert(sample._tag === "sample")
    assert.deepInclude(sample.members[0], { server: servers, state: "serving", mode: "standalone" })
    assert.include(yield* page.fourLetterWord({ cluster, server: servers, word: "srvr" }), "Mode: standalone")
    yield* failure(page.fourLetterWord({ cluster, server: "127.0.0.1:1", word: "srvr" }), "Refused")
    const { problems, sessions } = yield* page.sessions({ cluster, filter: "", limit: 1000 })
    assert.deepStrictEqual(problems, [])
    assert.isTrue(sessions.some(({ session }) => session === zk.session.id))
    const detail = yield* page.session({ cluster, session: zk.session.id })
    // By the path in the chroot, which leads to it.
    assert.deepStrictEqual(detail.ephemerals, [{ path: "/mine", isInside: true }])
    yield* zk.existsAndWatch("/mine")
    const { watches } = yield* page.watches({ cluster, session: zk.session.id })
    assert.deepStrictEqual(watches, [{ path: "/mine", isInside: true }])
    assert.isArray(yield* page.doctor({ cluster, isAnew: false }))
  })

  it.inChroot("finds a lock with its holder, and a queue with its items", function* (commands) {
    const { zk } = commands
    const { cluster, page } = yield* start(commands)
    const lock = yield* Effect.provideService(
      Lock.make("/locks/report", { identifier: "reports-1" }),
      ZooKeeper.ZooKeeper,
      zk
    )
    const queue = yield* Effect.provideService(Queue.make("/queues/mail"), ZooKeeper.ZooKeeper, zk)
    yield* queue.offer(new TextEncoder().encode("hello"))
    yield* lock.withLock(
      Effect.gen(function* () {
        const found = yield* page.recipes({ cluster, path: "/" }).pipe(
          Stream.takeUntil(({ _tag }) => _tag === "scanned"),
          Stream.runCollect
        )
        const contentions = found.flatMap((event) => (event._tag === "contention" ? [event.contention] : []))
        assert.deepInclude(contentions[0]?.contenders[0], {
          state: "holds",
          identifier: "reports-1",
          session: zk.session.id
        })
        const queues = found.flatMap((event) => (event._tag === "queue" ? [event.queue] : []))
        assert.deepStrictEqual(
          queues.map(({ items, path }) => [path, items]),
          [["/queues/mail", 1]]
        )
      })
    )
  })

  it.inChroot("finds a queue of kazoo's layout as one, also before anything is taken", function* (commands) {
    const { zk } = commands
    const { cluster, page } = yield* start(commands)
    const make = (path: string) =>
      Effect.provideService(Queue.make(path, { layout: "kazooLocking" }), ZooKeeper.ZooKeeper, zk)
    const busy = yield* make("/busy")
    const fresh = yield* make("/fresh")
    for (const item of ["a", "b"]) yield* busy.offer(new TextEncoder().encode(item))
    yield* fresh.offer(new TextEncoder().encode("c"))
    yield* busy.takeWithLock
    const found = yield* page.recipes({ cluster, path: "/" }).pipe(
      Stream.takeUntil(({ _tag }) => _tag === "scanned"),
      Stream.runCollect
    )
    const queues = found.flatMap((event) => (event._tag === "queue" ? [event.queue] : []))
    assert.deepStrictEqual(
      queues.map(({ items, layout, path, taken }) => ({ path, layout, items, taken })),
      [
        { path: "/busy", layout: "kazooLocking", items: 2, taken: 1 },
        { path: "/fresh", layout: "kazooLocking", items: 1, taken: 0 }
      ]
    )
    assert.isFalse(found.some(({ _tag }) => _tag === "group" || _tag === "contention"))
  })

  it.inChroot(
    "finds the members of a party, and the instances of a service with their addresses",
    function* (commands) {
      const { zk } = commands
      const { cluster, page } = yield* start(commands)
      yield* zk.createWithParents("/workers/w-1", { data: "worker 1", mode: "ephemeral" })
      const instance = { name: "mail", id: "m1", address: "10.0.0.7", port: 25, serviceType: "DYNAMIC", payload: null }
      yield* zk.createWithParents("/services/mail/m1", { data: JSON.stringify(instance), mode: "ephemeral" })
      yield* zk.createWithParents("/plain/child", { data: "1" })
      const found = yield* page.recipes({ cluster, path: "/" }).pipe(
        Stream.takeUntil(({ _tag }) => _tag === "scanned"),
        Stream.runCollect
      )
      const groups = found.flatMap((event) => (event._tag === "group" ? [event.group] : []))
      assert.deepStrictEqual(
        groups.map(({ kind, members, path }) => [path, kind, members[0]?.identifier, members[0]?.address]).toSorted(),
        [
          ["/services/mail", "services", "mail m1", "10.0.0.7:25"],
          ["/workers", "party", "worker 1", undefined]
        ]
      )
      assert.strictEqual(groups[0]?.members[0]?.session, zk.session.id)
    }
  )

  it.inChroot("watches the znodes that a page looks at, and gives that up when no page does", function* (commands) {
    const { chroot, run, servers, zk } = commands
    yield* zk.create("/app")
    const { cluster, page } = yield* start(commands)
    const watchers = Effect.map(run(["4lw", "wchp", "--json", "--servers", servers]), ({ out }) => {
      const [{ answer }]: [{ readonly answer: ReadonlyArray<{ readonly path: string }> }] = JSON.parse(out)
      return answer.filter(({ path }) => path === `${chroot}/app`).length
    })
    yield* Effect.scoped(
      Effect.gen(function* () {
        yield* Effect.forkScoped(Stream.runDrain(page.directory({ cluster, path: "/app", limit: 1 })))
        yield* Effect.forkScoped(Stream.runDrain(page.znode({ cluster, path: "/app", limit: 1 })))
        yield* eventually(watchers, (count) => count === 1)
      })
    )
    yield* eventually(watchers, (count) => count === 0)
  })

  it.inChroot("shows the ensembles of several profiles, of which one allows no changes", function* (commands) {
    const { chroot, servers, zk } = commands
    for (const path of ["/dev", "/prod"]) yield* zk.create(path)
    const profiles = Path.join(yield* emptyPage, "profiles.toml")
    const table = (name: string, more: string) => `[${name}]\nservers = "${servers}${chroot}/${name}"\n${more}`
    Fs.writeFileSync(profiles, table("dev", "") + table("prod", "readOnly = true\n"))
    const { page } = yield* start(commands, "dev", "prod", "--write", "--profiles", profiles)
    const clusters = yield* Effect.flatMap(Stream.runHead(page.clusters()), Effect.fromOption)
    assert.deepStrictEqual(
      clusters.map(({ name, readOnly }) => [name, readOnly !== undefined]),
      [
        ["dev", false],
        ["prod", true]
      ]
    )
    const created = { path: "/a", data: new Uint8Array(), mode: "persistent", parents: false } as const
    yield* page.create({ cluster: "dev", ...created })
    assert.deepStrictEqual(yield* zk.getChildren("/dev"), ["a"])
    yield* failure(page.create({ cluster: "prod", ...created }), "ReadOnly")
    assert.deepStrictEqual(yield* zk.getChildren("/prod"), [])
  })

  it.inChroot("says what is wrong with its flags", function* ({ run }) {
    const missing = yield* run(["ui", "--page", "/nowhere"])
    assert.strictEqual(missing.code, 1)
    assert.include(missing.err, "/nowhere")
    const folder = yield* emptyPage
    const unknown = yield* run(["ui", "prod", "--page", folder])
    assert.strictEqual(unknown.code, 2)
    const none = yield* run(["ui", "--all", "--page", folder], { env: { HOME: folder } })
    assert.strictEqual(none.code, 2)
    assert.include(none.err, "no profiles")
  })
})
