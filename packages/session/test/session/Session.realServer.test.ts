/** A session on a real server: taken over, left, reconnected with thousands of watches, and gone without a trace. */
import { assert, describe } from "@effect/vitest"
import type * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { refused, awaitCondition, failure } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { execFile } from "node:child_process"
import * as Url from "node:url"
import { promisify } from "node:util"
import {
  samePath,
  awaitState,
  connectLive,
  create,
  exists,
  get,
  remove,
  set,
  type SessionService,
  silent
} from "../support/session.ts"
import { now } from "../support/time.ts"

const quick = { retry: Schedule.spaced("5 millis") } as const
const shared = Effect.suspend(() => connectLive({ servers: TestServer.connectString() }))

const ephemeral = 1

describe("a session", () => {
  itLive("is taken over by id and password: its ephemerals stay, and its former client loses it", function* () {
    const path = TestServer.freshPath("takeover")
    const first = yield* connectLive({ servers: TestServer.connectString(), sessionExpiry: "fail" })
    yield* create(first, path, "mine", ephemeral)
    const { id, password } = first.info
    // It takes the session back as soon as it can: a look now and then may miss that it was lost.
    const lost = yield* Effect.forkChild(
      Stream.runDrain(Stream.takeUntil(first.info.states, ({ _tag }) => _tag === "Disconnected")),
      now
    )
    const second = yield* connectLive({ servers: TestServer.connectString(), session: { id, password } })
    assert.strictEqual(second.info.id, id)
    const { stat } = yield* exists(second, path)
    assert.strictEqual(stat.ephemeralOwner, id)
    yield* Fiber.join(lost)
  })

  itLive("follows a new list of servers, and keeps going", function* () {
    const first = yield* FaultProxy.make(TestServer.target())
    const second = yield* FaultProxy.make(TestServer.target())
    const session = yield* connectLive({ ...quick, servers: first.connectString })
    const { id } = session.info
    const reads = yield* Effect.forkChild(Effect.forever(get(session, "/zookeeper")))
    yield* session.updateServers(second.connectString)
    yield* second.awaitSeen(({ current }) => current === 1)
    yield* awaitCondition(() => Option.exists(session.info.server, ({ port }) => port === second.port))
    assert.strictEqual(yield* get(session, "/zookeeper"), "")
    assert.strictEqual(session.info.id, id)
    assert.isUndefined(reads.pollUnsafe())
    yield* failure(session.updateServers("one:two:three"), "InvalidArgument")
    const chroot = yield* Effect.flip(session.updateServers(`${second.connectString}/elsewhere`))
    assert.include(chroot.rule, "chroot")
  })

  itLive("survives a restart of its server", function* () {
    const server = yield* ZooKeeperServer.make()
    const session = yield* connectLive({ ...quick, servers: server.connectString, sessionTimeout: "20 seconds" })
    const { id } = session.info
    yield* create(session, "/mine", "kept", ephemeral)
    const watched = yield* session.watchData(samePath("/mine"))
    const changed = yield* Effect.forkChild(watched.changed, now)
    yield* server.kill
    yield* awaitState(session, "Disconnected")
    const read = yield* Effect.forkChild(get(session, "/mine"), now)
    yield* server.start
    assert.strictEqual(yield* Fiber.join(read), "kept")
    assert.strictEqual(session.info.id, id)
    yield* set(session, "/mine", "new")
    assert.strictEqual((yield* Fiber.join(changed)).type, "NodeDataChanged")
  })
})

const hasPersistentWatches = TestServer.isAtLeast("3.6.0")

describe("10,000 watches", () => {
  TestServer.since("3.6.0", itLive)(
    "survive a reconnection: what changed fires once, what did not stays, and persistent ones emit Gap",
    function* () {
      const server = yield* ZooKeeperServer.make()
      const proxy = yield* FaultProxy.make(server)
      const other = yield* connectLive({ servers: server.connectString, sessionTimeout: "30 seconds" })
      const session = yield* connectLive({ ...quick, servers: proxy.connectString, sessionTimeout: "30 seconds" })
      const each = 3300
      const numbers = Array.from({ length: each }, (_, n) => n)
      const many = { concurrency: "unbounded", discard: true } as const
      for (const kind of ["data", "exists", "child", "persistent"]) yield* create(other, `/${kind}`)
      yield* Effect.forEach(
        numbers,
        (n) => Effect.all([create(other, `/data/${n}`), create(other, `/child/${n}`)]),
        many
      )

      const scope = yield* Effect.scope
      const fired = new Map<string, Array<string>>()
      const watch = Effect.fnUntraced(function* (
        read: Effect.Effect<{ readonly changed: Effect.Effect<WatchEvent.WatchEvent, unknown> }, unknown>,
        path: string
      ) {
        const { changed } = yield* read
        const record = Effect.map(changed, ({ type }) => fired.set(path, [...(fired.get(path) ?? []), type]))
        yield* Effect.forkIn(Effect.ignore(record), scope, now)
      })
      yield* Effect.forEach(
        numbers,
        (n) =>
          Effect.all([
            watch(session.watchData(samePath(`/data/${n}`)), `/data/${n}`),
            watch(session.watchExists(samePath(`/exists/${n}`)), `/exists/${n}`),
            watch(session.watchChildren(samePath(`/child/${n}`)), `/child/${n}`)
          ]),
        many
      )
      const heard = new Map<string, Array<string>>()
      yield* Effect.forEach(
        numbers.slice(0, 100),
        (n) =>
          session.watchPersistently(samePath(`/persistent/${n}`), {
            recursive: n % 2 === 1,
            listener: {
              onEvent: ({ path, type }) => void heard.set(path, [...(heard.get(path) ?? []), type]),
              onEnd: () => {}
            }
          }),
        many
      )
      // The server counts its table of data watches only: getData, exists and persistent ones.
      const count = Effect.map(server.fourLetterWord("wchs"), (answer) => /Total watches:(\d+)/.exec(answer)?.[1])
      assert.strictEqual(yield* count, String(2 * each + 100))

      // Away: a third of everything changes, and half of that twice.
      yield* proxy.accept("refuse")
      yield* proxy.dropAll("rst")
      yield* awaitState(session, "Disconnected")
      const changes = (n: number) => n % 3 === 0
      const change = (n: number) =>
        Effect.all([
          n % 2 === 0 ? set(other, `/data/${n}`, "new") : remove(other, `/data/${n}`),
          create(other, `/exists/${n}`),
          create(other, `/child/${n}/c`)
        ])
      yield* Effect.forEach(numbers.filter(changes), change, many)
      yield* create(other, "/persistent/0")
      yield* proxy.heal
      yield* awaitState(session, "Connected")
      const expected = numbers.filter(changes).length * 3
      yield* awaitCondition(() => fired.size === expected && heard.size === 100)
      yield* session.request(Operations.sync, { path: "/" }, "/")
      assert.strictEqual(fired.size, expected)
      for (const n of numbers) {
        const types = ["data", "exists", "child"].map((kind) => fired.get(`/${kind}/${n}`))
        if (changes(n)) {
          assert.deepStrictEqual(types, [
            [n % 2 === 0 ? "NodeDataChanged" : "NodeDeleted"],
            ["NodeCreated"],
            ["NodeChildrenChanged"]
          ])
        } else assert.deepStrictEqual(types, [undefined, undefined, undefined])
      }
      for (const n of numbers.slice(0, 100)) assert.deepStrictEqual(heard.get(`/persistent/${n}`), ["Gap"])
      assert.strictEqual(yield* count, String(2 * (each - numbers.filter(changes).length) + 100))

      // What stayed fires now, once; what fired before does not.
      yield* Effect.forEach(
        numbers.filter((n) => !changes(n)),
        change,
        many
      )
      yield* create(other, "/persistent/1")
      yield* awaitCondition(() => fired.size === each * 3 && heard.get("/persistent/1")?.length === 2)
      assert.isTrue([...fired.values()].every((types) => types.length === 1))
      assert.deepStrictEqual(heard.get("/persistent/1"), ["Gap", "NodeCreated"])
      assert.strictEqual(yield* count, "100")
    }
  )
})

describe("the leftovers of a session", () => {
  const work = Effect.gen(function* () {
    const session = yield* shared
    const path = TestServer.freshPath("work")
    yield* create(session, path, "x", ephemeral)
    const { changed } = yield* session.watchData(samePath(path))
    const waiting = yield* Effect.forkChild(changed, now)
    const watching = session.watchPersistently(samePath(path), {
      recursive: true,
      listener: silent
    })
    yield* hasPersistentWatches ? watching : refused(watching)
    yield* set(session, path, "y")
    yield* Fiber.join(waiting)
    yield* Effect.forkScoped(Effect.ignore(session.info.ownership))
    return path
  })

  itLive("behind after a hundred times of connecting, working and closing is nothing", function* () {
    const other: SessionService = yield* shared
    yield* Effect.scoped(work)
    const count = () => {
      const resources = process.getActiveResourcesInfo()
      return resources.filter((name) => name !== "Immediate" && name !== "TickObject").toSorted()
    }
    yield* Effect.sleep("50 millis")
    const before = count()
    for (let i = 0; i < 100; i++) {
      const path = yield* Effect.scoped(work)
      if (i % 25 === 0) assert.strictEqual((yield* Effect.flip(exists(other, path)))._tag, "NoNode")
    }
    // The counts of the other session go up and down; a hundred of anything would stay.
    yield* awaitCondition(() => count().length <= before.length + 10)
  })

  itLive("of a process that did so is nothing that keeps it from ending", function* () {
    const file = Url.fileURLToPath(new URL("../support/hundredTimes.ts", import.meta.url))
    const { stdout } = yield* Effect.promise((signal) =>
      promisify(execFile)(process.execPath, [file, TestServer.connectString()], { signal })
    )
    assert.strictEqual(stdout, "done 100\n")
  })
})
