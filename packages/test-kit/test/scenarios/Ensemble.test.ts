/**
 * What happens to ensembles in production, on a real one: its leader is killed, it is restarted member by member, members
 * are cut off, lag behind, lose their quorum, are all gone. Across each of these clients watch thousands of znodes, and are
 * told of every change. Events around an ensemble are in `Ensemble.surroundings.test.ts`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { failure, outcome, text, atOnce } from "../../src/Expectations.ts"
import * as FaultProxy from "../../src/FaultProxy.ts"
import * as ZooKeeperEnsemble from "../../src/ZooKeeperEnsemble.ts"
import type { ZooKeeperServer } from "../../src/ZooKeeperServer.ts"
import {
  assertKept,
  awaitAllFired,
  changeAll,
  type Client,
  connect,
  connectTo,
  COUNT,
  createAll,
  isLong,
  isWritable,
  keepWriting,
  MANY,
  acquireLock,
  portOf,
  share,
  timed,
  until,
  watchAll
} from "../support/watching.ts"

/** Longer than an election takes on a busy machine. */
const sessionTimeout = "20 seconds"

class Ensemble extends Context.Service<Ensemble, ZooKeeperEnsemble.ZooKeeperEnsemble>()("test/Scenarios/Ensemble") {
  // Short ticks, so that what was cut off is missed soon. Sessions are local until they own something, so that a server
  // without quorum takes new ones.
  static readonly layer = Layer.effect(
    Ensemble,
    ZooKeeperEnsemble.make({ links: true, tickTime: 200, localSessions: "upgrading", startTimeout: "90 seconds" })
  )
}

/** All three are one ensemble, whatever the scenario before has left. */
const whole = Effect.flatMap(Ensemble, (ensemble) =>
  ensemble.rejoin.pipe(
    Effect.andThen(Effect.forEach(ensemble.servers, (server) => Effect.andThen(server.resume, server.launch))),
    Effect.andThen(ensemble.awaitQuorum(3)),
    Effect.orDie
  )
)

/** The leader, or one that follows it; again while there is none, as happens on a busy machine by itself. */
const member = Effect.fnUntraced(
  function* (role: "leader" | "follower") {
    const ensemble = yield* Ensemble
    yield* ensemble.awaitQuorum(3)
    if (role === "leader") return yield* ensemble.leader
    const [follower] = yield* ensemble.followers
    return yield* Effect.fromNullishOr(follower)
  },
  Effect.retry({ times: 50, schedule: Schedule.spaced("200 millis") })
)

describe("an ensemble of three", () => {
  it.layer(Ensemble.layer, { timeout: "180 seconds", excludeTestServices: true })((it) => {
    const scenario = <E>(name: string, body: Effect.Effect<void, E, Ensemble | Scope.Scope>) =>
      it.effect(name, () => Effect.provideService(Effect.andThen(whole, body), References.MinimumLogLevel, "Error"), {
        timeout: 180_000
      })

    /** The session is on a member that something happens to; others change all that we watch meanwhile. */
    const hit = (
      name: string,
      what: string,
      role: "leader" | "follower",
      count: number,
      fault: (server: ZooKeeperServer) => Effect.Effect<void>,
      afterwards: (server: ZooKeeperServer, watcher: Client) => Effect.Effect<void, unknown, Ensemble>
    ) =>
      scenario(
        `${what}, and our session with it, keeps the session, and tells of all that ${count} watches saw change meanwhile`,
        Effect.gen(function* () {
          const ensemble = yield* Ensemble
          const server = yield* member(role)
          const others = ensemble.servers.filter((other) => other !== server)
          const servers = ensemble.connectString
          // A member that stands still is missed only when nothing was heard for two thirds of it.
          const sessionTimeout = name.endsWith("stands-still") ? "9 seconds" : "20 seconds"
          const writer = yield* acquireLock(
            yield* connect({ servers: others.map(({ connectString }) => connectString).join(","), sessionTimeout }),
            `${name}-writer`
          )
          const watcher = yield* acquireLock(yield* connectTo(server, { servers, sessionTimeout }), name)
          const { id } = watcher.zk.session
          yield* createAll(writer, `/${name}`, count)
          const watching = yield* watchAll(watcher, `/${name}`, count)
          yield* fault(server)
          const began = yield* Clock.currentTimeMillis
          yield* changeAll(writer, `/${name}`, 0, count / 2)
          yield* until(() => isWritable(watcher) && portOf(watcher) !== server.port)
          const moved = (yield* Clock.currentTimeMillis) - began
          yield* changeAll(writer, `/${name}`, count / 2, count)
          const told = yield* awaitAllFired(watching)
          yield* afterwards(server, watcher)
          yield* assertKept(watcher, id, name)
          console.log(
            `${what}: ${watcher.states.join(", ")}; on another member after ${moved} ms, ${count} events ${told} ms after the last change`
          )
        })
      )

    hit(
      "leader-killed",
      "whose leader is killed",
      "leader",
      MANY,
      (server) => server.kill,
      () => Effect.void
    )

    hit(
      "follower-wiped",
      "whose follower is killed",
      "follower",
      COUNT,
      (server) => server.kill,
      (server, watcher) =>
        Effect.gen(function* () {
          // It comes back without anything that it had, and shows what all have.
          Fs.rmSync(Path.join(server.folder, "data", "version-2"), { recursive: true })
          yield* server.start
          yield* (yield* Ensemble).awaitQuorum(3)
          yield* watcher.zk.updateServers(server.connectString)
          assert.isTrue(yield* until(() => isWritable(watcher) && portOf(watcher) === server.port))
          assert.strictEqual(text(yield* watcher.zk.getData("/follower-wiped/00000")), "changed")
        })
    )

    if (isLong) {
      for (const role of ["leader", "follower"] as const) {
        hit(
          `${role}-stands-still`,
          `whose ${role} stands still`,
          role,
          COUNT,
          (server) => server.pause,
          (server) => server.resume
        )
      }
    }

    scenario(
      "that is restarted member by member, each waiting for the others, loses no session, write or watch",
      Effect.gen(function* () {
        const ensemble = yield* Ensemble
        const servers = ensemble.connectString
        const clients = yield* Effect.forEach(["1", "2", "3"], (name) =>
          Effect.flatMap(connect({ servers, sessionTimeout }), (client) => acquireLock(client, `rolling-${name}`))
        )
        const ids = clients.map(({ zk }) => zk.session.id)
        const [writer, watcher] = [clients[0]!, clients[1]!]
        yield* createAll(writer, "/rolling", COUNT)
        const watching = yield* watchAll(watcher, "/rolling", COUNT)
        const written = yield* keepWriting(writer, "/rolled")
        const took = yield* timed(
          Effect.forEach(
            ensemble.servers,
            (server, n) =>
              server.restart.pipe(
                Effect.andThen(ensemble.awaitQuorum(3)),
                Effect.andThen(changeAll(clients[2]!, "/rolling", share(n, 4), share(n + 1, 4)))
              ),
            { discard: true }
          )
        )
        yield* changeAll(clients[2]!, "/rolling", share(3, 4), COUNT)
        const writes = yield* written.stop
        yield* awaitAllFired(watching)
        for (const [n, client] of clients.entries()) yield* assertKept(client, ids[n]!, `rolling-${n + 1}`)
        console.log(`rolling restart in ${took} ms: 0 of ${clients.length} sessions lost, ${writes}, ${COUNT} events`)
      })
    )

    for (const role of isLong ? (["follower", "leader"] as const) : (["follower"] as const)) {
      scenario(
        `whose ${role}, on which our session is, is cut off from the others hands it on to them, with its watches`,
        Effect.gen(function* () {
          const ensemble = yield* Ensemble
          const servers = ensemble.connectString
          const cut = yield* member(role)
          const majority = ensemble.servers.filter((server) => server !== cut)
          const name = `cut-${role}`
          const watcher = yield* acquireLock(yield* connectTo(cut, { servers, sessionTimeout }), name)
          const remaining = majority.map(({ connectString }) => connectString).join(",")
          const writer = yield* acquireLock(yield* connect({ servers: remaining, sessionTimeout }), `${name}-writer`)
          const { id } = watcher.zk.session
          yield* createAll(writer, `/${name}`, COUNT)
          yield* writer.zk.create(`/${name}-register`, { data: "before" })
          const watching = yield* watchAll(watcher, `/${name}`, COUNT)
          yield* ensemble.isolate(cut)
          // The minority can acknowledge nothing: a client that writes through it does not know.
          const written = yield* Effect.forkChild(outcome(watcher.zk.set(`/${name}-register`, "through the minority")))
          const moved = yield* timed(until(() => isWritable(watcher) && portOf(watcher) !== cut.port))
          assert.include(["ConnectionLoss", "success"], yield* Fiber.join(written))
          yield* changeAll(writer, `/${name}`, 0, COUNT)
          const told = yield* awaitAllFired(watching)
          yield* assertKept(watcher, id, name)
          if ((yield* Fiber.join(written)) === "success") {
            yield* writer.zk.sync("/")
            assert.strictEqual(text(yield* writer.zk.getData(`/${name}-register`)), "through the minority")
          }
          console.log(
            `${role} cut off: ${watcher.states.join(", ")}; with the majority after ${moved} ms, ${COUNT} events after ` +
              `${told} ms; the write through the minority: ${yield* Fiber.join(written)}`
          )
          yield* ensemble.rejoin
          yield* ensemble.awaitQuorum(3)
        })
      )
    }

    scenario(
      "of which one lags behind what we have seen does not show us the past: we wait until it has caught up",
      Effect.gen(function* () {
        const ensemble = yield* Ensemble
        const lagging = yield* member("follower")
        const others = ensemble.servers.filter((server) => server !== lagging)
        const servers = others.map(({ connectString }) => connectString).join(",")
        const proxy = yield* FaultProxy.make(lagging)
        const watcher = yield* acquireLock(yield* connect({ servers, sessionTimeout: "20 seconds" }), "lagging")
        const writer = yield* acquireLock(yield* connect({ servers, sessionTimeout }), "lagging-writer")
        yield* createAll(writer, "/lagging", COUNT)
        const watching = yield* watchAll(watcher, "/lagging", COUNT)
        const { id } = watcher.zk.session
        yield* ensemble.isolate(lagging)
        yield* watcher.zk.create("/lagging-register", { data: "new" })
        yield* watcher.zk.updateServers(proxy.connectString)
        const isRefused = (seen: FaultProxy.Seen) => seen.accepted >= 2 && seen.current === 0
        yield* Effect.timeout(proxy.awaitSeen(isRefused), "20 seconds")
        const { accepted, frames } = yield* proxy.seen
        // It answered no handshake, and so nothing else.
        assert.isEmpty(frames.filter(({ direction, op }) => direction === "down" && op !== undefined))
        assert.notStrictEqual(watcher.zk.session.state._tag, "Connected")
        yield* changeAll(writer, "/lagging", 0, COUNT)
        const reading = yield* Effect.forkChild(watcher.zk.getData("/lagging-register"))
        yield* ensemble.rejoin
        assert.strictEqual(text(yield* Fiber.join(reading)), "new")
        yield* awaitAllFired(watching)
        assert.strictEqual(watcher.zk.session.id, id)
        assert.strictEqual(portOf(watcher), proxy.port)
        assert.notInclude(watcher.states, "Expired")
        console.log(
          `lagging: ${watcher.states.join(", ")}; ${accepted} handshakes refused, then the newest; ${COUNT} events`
        )
        yield* ensemble.awaitQuorum(3)
      })
    )

    scenario(
      "that has lost its quorum serves reads if the client allows it, and with the quorum comes all that was watched",
      Effect.gen(function* () {
        const ensemble = yield* Ensemble
        const servers = ensemble.connectString
        const options = { servers, sessionTimeout: "30 seconds", allowReadOnly: true } as const
        const watcher = yield* acquireLock(yield* connect(options), "quorum")
        const { id } = watcher.zk.session
        yield* createAll(watcher, "/quorum", COUNT)
        const watching = yield* watchAll(watcher, "/quorum", COUNT)
        const [first, second, third] = ensemble.servers
        yield* Effect.all([first!.kill, second!.kill], { concurrency: 2 })
        const served = yield* timed(until(() => watcher.zk.session.readOnly))
        assert.strictEqual(portOf(watcher), third!.port)
        assert.strictEqual((yield* watcher.zk.getChildren("/quorum")).length, COUNT)
        const refused = yield* failure(watcher.zk.set("/quorum", "new"), "ServerRefused")
        assert.strictEqual(refused.name, "NotReadOnly")
        yield* Effect.all([first!.launch, second!.launch])
        const back = yield* timed(until(() => isWritable(watcher)))
        yield* ensemble.awaitQuorum(3)
        yield* changeAll(watcher, "/quorum", 0, COUNT)
        yield* awaitAllFired(watching)
        yield* assertKept(watcher, id, "quorum")
        console.log(
          `quorum lost: ${watcher.states.join(", ")}; read-only after ${served} ms, writable ${back} ms after the servers' ` +
            `start, ${COUNT} events`
        )
      })
    )

    scenario(
      "that is gone for longer than the session expires it once, tells every watch, and gives a new one when it is back",
      Effect.gen(function* () {
        const ensemble = yield* Ensemble
        const servers = ensemble.connectString
        const watcher = yield* acquireLock(yield* connect({ servers, sessionTimeout: "3 seconds" }), "gone")
        yield* createAll(watcher, "/gone", COUNT)
        const watching = yield* watchAll(watcher, "/gone", COUNT)
        const newest = { now: "" }
        yield* Effect.forkScoped(
          Stream.runForEach(watcher.zk.dataChanges("/gone"), (data) =>
            Effect.sync(() => {
              newest.now = Option.match(data, { onNone: () => "nothing", onSome: (found) => text(found.data) })
            })
          )
        )
        const { id } = watcher.zk.session
        const before = watcher.states.length
        yield* atOnce(ensemble.servers.map((server) => server.kill))
        const expired = yield* timed(until(() => watcher.states.includes("Expired", before)))
        assert.isTrue(yield* until(() => watching.told + watching.expired === COUNT))
        assert.deepStrictEqual({ ...watching }, { count: COUNT, told: 0, expired: COUNT })
        yield* Effect.forEach(ensemble.servers, (server) => server.launch)
        yield* ensemble.awaitQuorum(3)
        const back = yield* timed(until(() => isWritable(watcher)))
        assert.notStrictEqual(watcher.zk.session.id, id)
        const since = watcher.states.slice(before)
        assert.deepStrictEqual(since.slice(0, since.indexOf("Connected") + 1), [
          "Disconnected",
          "Expired",
          "Connecting",
          "Connected"
        ])
        // The znodes of the old session go with it, at the servers' own time.
        const isThere = watcher.zk.exists("/owner-gone")
        yield* Effect.repeat(isThere, { until: (there) => !there, schedule: Schedule.spaced("100 millis"), times: 200 })
        assert.isFalse(yield* isThere)
        const again = yield* watchAll(watcher, "/gone", COUNT)
        yield* changeAll(watcher, "/gone", 0, COUNT)
        yield* watcher.zk.set("/gone", "newest")
        yield* awaitAllFired(again)
        assert.isTrue(yield* until(() => newest.now === "newest"))
        console.log(
          `all gone: ${watcher.states.join(", ")}; expired after ${expired} ms, ${COUNT} watches told so; a new session ` +
            `${back} ms after the quorum, ${COUNT} events`
        )
      })
    )
  })
})
