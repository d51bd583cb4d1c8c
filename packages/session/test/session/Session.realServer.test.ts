/** A session on a real server: taken over, left, reconnected with thousands of watches, and gone without a trace. */
import { assert, describe } from "@effect/vitest"
import type * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { refused, awaitCondition, inScope, failure } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import { itLive } from "@effect-zookeeper/test-kit/TestWith"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { spawn } from "node:child_process"
import * as Url from "node:url"
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
  digest,
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

  itLive("that is left and taken up again keeps its ephemerals; one that is closed does not", function* () {
    const path = TestServer.freshPath("detach")
    const other = yield* shared
    const { id, password } = yield* inScope(function* () {
      const session = yield* shared
      yield* create(session, path, "", ephemeral)
      const { id, password } = session.info
      yield* session.info.detach
      return { id, password }
    })
    assert.strictEqual((yield* exists(other, path)).stat.ephemeralOwner, id)
    yield* inScope(function* () {
      const resumed = yield* connectLive({ servers: TestServer.connectString(), session: { id, password } })
      assert.strictEqual(resumed.info.id, id)
      assert.strictEqual((yield* exists(resumed, path)).stat.ephemeralOwner, id)
    })
    assert.strictEqual((yield* Effect.flip(exists(other, path)))._tag, "NoNode")
  })

  itLive("is refused with a wrong password", function* () {
    const session = yield* shared
    const { id } = session.info
    const thief = { id, password: Redacted.make(new Uint8Array(16).fill(7)) }
    const servers = TestServer.connectString()
    const error = yield* Effect.flip(connectLive({ servers, session: thief, sessionExpiry: "fail" }))
    assert.deepInclude({ ...error }, { _tag: "SessionExpired", sessionId: id })
    const other = yield* connectLive({ servers, session: thief })
    assert.notStrictEqual(other.info.id, id)
  })

  itLive("sees the znodes of its identities, on every connection", function* () {
    const proxy = yield* FaultProxy.make(TestServer.target())
    const auth = [digest("ann:secret")]
    const session = yield* connectLive({ ...quick, servers: proxy.connectString, auth })
    const path = TestServer.freshPath("auth")
    const acl = [{ perms: 31, scheme: "auth", id: "" }]
    yield* session.request(Operations.create, { path, data: null, acl, flags: 0 }, path)
    assert.strictEqual((yield* Effect.flip(get(yield* shared, path)))._tag, "NoAuth")
    for (let i = 0; i < 3; i++) {
      yield* proxy.dropAll("rst")
      assert.strictEqual(yield* get(session, path), "")
    }
    const late = yield* shared
    yield* late.addAuth(digest("ann:secret"))
    assert.strictEqual(yield* get(late, path), "")
    const refused = yield* Effect.flip(late.addAuth({ scheme: "nonsense", credentials: Redacted.make("x") }))
    assert.deepInclude({ ...refused }, { _tag: "AuthFailed", scheme: "nonsense" })
    assert.strictEqual(late.info.state._tag, "AuthFailed")
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
    const { code, output } = yield* Effect.callback<{ readonly code: number | null; readonly output: string }>(
      (resume) => {
        const child = spawn(process.execPath, [file, TestServer.connectString()], {
          stdio: ["ignore", "pipe", "inherit"]
        })
        let output = ""
        child.stdout.on("data", (chunk: Buffer) => {
          output += String(chunk)
        })
        child.on("close", (code) => resume(Effect.succeed({ code, output })))
        return Effect.sync(() => void child.kill("SIGKILL"))
      }
    )
    assert.deepStrictEqual({ code, output }, { code: 0, output: "done 100\n" })
  })
})
