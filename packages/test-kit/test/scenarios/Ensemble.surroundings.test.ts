/**
 * What happens around an ensemble in production, on a real one: its names stop resolving and come back elsewhere, a client
 * stands still for longer than its session, all members are replaced. Across each of these clients watch thousands of
 * znodes, and are told of every change, or that there is nothing more to be told. Events of an ensemble itself are
 * in `Ensemble.test.ts`.
 */
import { assertEach } from "../../src/Expectations.ts"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { fileURLToPath } from "node:url"
import * as FaultProxy from "../../src/FaultProxy.ts"
import * as ZooKeeperEnsemble from "../../src/ZooKeeperEnsemble.ts"
import * as Command from "../support/command.ts"
import type { Told } from "../support/standingStill.ts"
import {
  assertKept,
  awaitAllFired,
  changeAll,
  type Client,
  connect,
  COUNT,
  createAll,
  isLong,
  isWritable,
  keepWriting,
  acquireLock,
  share,
  timed,
  until,
  watchAll
} from "../support/watching.ts"

class Ensemble extends Context.Service<Ensemble, ZooKeeperEnsemble.ZooKeeperEnsemble>()("test/Scenarios/Around") {
  static readonly layer = Layer.effect(
    Ensemble,
    ZooKeeperEnsemble.make({ spares: 3, tickTime: 200, startTimeout: "90 seconds" })
  )
}

/** Milliseconds of a session that ends while its client stands still, and not before. */
const SHORT = isLong ? 10_000 : 4000

describe("an ensemble", () => {
  it.layer(Ensemble.layer, { timeout: "180 seconds", excludeTestServices: true })((it) => {
    const scenario = <E>(name: string, body: Effect.Effect<void, E, Ensemble | Scope.Scope>) =>
      it.effect(name, () => Effect.provideService(body, References.MinimumLogLevel, "Error"), { timeout: 180_000 })

    scenario(
      "whose names stop resolving and come back elsewhere is found there, with the session and all that was watched",
      Effect.gen(function* () {
        const { connectString, servers } = yield* Ensemble
        const writer = yield* connect({ servers: connectString, sessionTimeout: "20 seconds" })
        const old = yield* Effect.forEach(servers, (server) => FaultProxy.make(server, { raw: true }))
        const names = new Map<string, ReadonlyArray<string>>(old.map(({ host }, n) => [`zk${n}.example`, [host]]))
        const lookups = { count: 0 }
        const lookup = (name: string) =>
          Effect.suspend(() => {
            lookups.count++
            const addresses = names.get(name)
            return addresses === undefined ? Effect.fail(new Error("ENOTFOUND")) : Effect.succeed(addresses)
          })
        const watcher = yield* connect(
          { servers: old.map(({ port }, n) => `zk${n}.example:${port}`).join(","), sessionTimeout: "20 seconds" },
          { lookup }
        ).pipe(Effect.flatMap((client) => acquireLock(client, "named")))
        const { id } = watcher.zk.session
        yield* createAll(writer, "/named", COUNT)
        const watching = yield* watchAll(watcher, "/named", COUNT)

        // The names go first, and then the servers from where they were.
        names.clear()
        yield* Effect.forEach(old, (proxy) => Effect.andThen(proxy.accept("refuse"), proxy.dropAll("rst")))
        const asked = lookups.count
        yield* changeAll(writer, "/named", 0, COUNT / 2)
        assert.isTrue(yield* until(() => lookups.count >= asked + 2 * servers.length))
        assert.isFalse(isWritable(watcher))
        assert.strictEqual(watching.told, 0)

        // Each is another member than before, too.
        const moved = yield* Effect.forEach(old, ({ port }, n) =>
          FaultProxy.make(servers[(n + 1) % servers.length]!, { raw: true, host: "127.0.0.2", port })
        )
        moved.forEach(({ host }, n) => names.set(`zk${n}.example`, [host]))
        const found = yield* timed(until(() => isWritable(watcher)))
        const dialled = (yield* Effect.forEach(moved, ({ seen }) => seen)).reduce(
          (sum, { accepted }) => sum + accepted,
          0
        )
        assert.isAtMost(dialled, 2)
        yield* changeAll(writer, "/named", COUNT / 2, COUNT)
        const told = yield* awaitAllFired(watching)
        yield* assertKept(watcher, id, "named")
        console.log(
          `names moved: ${watcher.states.join(", ")}; found ${found} ms after they came back, ${COUNT} events ${told} ms ` +
            `after the last change`
        )
      })
    )

    scenario(
      "whose client blocks its event loop past the deadline tells it before it acts, and tells the end of all its watches",
      Effect.gen(function* () {
        const { connectString } = yield* Ensemble
        const writer = yield* connect({ servers: connectString, sessionTimeout: "20 seconds" })
        yield* createAll(writer, "/blocked", COUNT)
        const line = Command.linesOf(yield* standingStill(connectString, "/blocked", COUNT))
        assert.strictEqual(yield* line, "blocks")
        yield* changeAll(writer, "/blocked", 0, COUNT / 2)
        const { again, atOnce, expired, isSame, states, told } = JSON.parse(yield* line) as Told
        assert.strictEqual(atOnce, "owns nothing")
        assert.isFalse(isSame)
        assert.lengthOf(
          states.filter((state) => state === "Expired"),
          1
        )
        // A change may have been reported in time; the other half cannot have been.
        assert.strictEqual(told + expired, COUNT)
        assert.isAtMost(told, COUNT / 2)
        // The new session sees what comes.
        assert.strictEqual(again, COUNT)
        console.log(
          `blocked for ${SHORT * 1.6} ms of a session of ${SHORT} ms: ${states.join(", ")}; of ${COUNT} watches ${told} were ` +
            `told of a change and ${expired} of the end, ${again} of the new session of a change`
        )
      })
    )

    // The last one: of the members that the others knew none is left.
    scenario(
      "whose members are all replaced keeps the sessions of the clients that work on it, their watches and every acknowledged write",
      Effect.gen(function* () {
        const ensemble = yield* Ensemble
        const options = { servers: ensemble.connectString, sessionTimeout: "20 seconds" } as const
        const admin = yield* acquireLock(yield* connect(options), "admin")
        yield* admin.zk.addAuth("digest", Redacted.make("super:secret"))
        const watcher = yield* acquireLock(yield* connect(options), "replaced")
        const { id } = watcher.zk.session
        yield* createAll(admin, "/replaced", COUNT)
        const watching = yield* watchAll(watcher, "/replaced", COUNT)
        const written = yield* keepWriting(watcher, "/counted")
        const members = [...ensemble.servers]
        const took = yield* timed(
          Effect.forEach(ensemble.spares, ({ joining, server }, n) =>
            Effect.gen(function* () {
              yield* server.launch
              yield* reconfigure(admin, { joining: [joining] })
              yield* server.awaitMode("follower", "leader")
              const [leaving] = members.splice(0, 1)
              members.push(server)
              const addresses = members.map(({ connectString }) => connectString).join(",")
              // As an application does that watches the configuration.
              yield* admin.zk.updateServers(addresses)
              yield* watcher.zk.updateServers(addresses)
              yield* reconfigure(admin, { leaving: [leaving!.id] })
              yield* leaving!.stop
              yield* changeAll(admin, "/replaced", share(n, 3), share(n + 1, 3))
            })
          )
        )
        const writes = yield* written.stop
        yield* changeAll(admin, "/replaced", 0, COUNT)
        yield* awaitAllFired(watching)
        yield* assertKept(watcher, id, "replaced")
        const config = yield* admin.zk.getConfig
        assertEach(config.members, (member) => member.id, [4, 5, 6])
        console.log(`all members replaced in ${took} ms: ${watcher.states.join(", ")}; ${writes}, ${COUNT} events`)
      })
    )
  })
})

/** A client in a process of its own that watches all of them; see `support/standingStill.ts`. `line` is its next. */
const standingStill = (servers: string, parent: string, count: number) =>
  Command.startFile(fileURLToPath(new URL("../support/standingStill.ts", import.meta.url)), [
    servers,
    parent,
    String(count),
    String(SHORT)
  ])

/** Again while another is under way, the new member has not caught up, or the leader that did it has left. */
const reconfigure = ({ zk }: Client, change: Parameters<Client["zk"]["reconfigure"]>[0]) =>
  Effect.retry(zk.reconfigure(change), {
    while: ({ _tag }) => ["ReconfigInProgress", "NewConfigNoQuorum", "ConnectionLoss"].includes(_tag),
    schedule: Schedule.spaced("200 millis"),
    times: 50
  })
