/**
 * A whole world for the client: an ensemble in memory, a network with faults, clients that work, and a judgement.
 *
 * ```ts
 * Simulation.run(ClientSimulation.simulation, { seed: 17, record: true })
 * ```
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as SimulatedNetwork from "@effect-zookeeper/server/SimulatedNetwork"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as Znode from "@effect-zookeeper/server/internal/state/Znode"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import { answerOf, createRegister } from "../history/operations.ts"
import { RunRecord } from "./Observations.ts"
import * as FaultActions from "./faultActions.ts"
import * as LyingServer from "./LyingServer.ts"
import * as SimulatedClient from "./SimulatedClient.ts"
import { judgeClient, judgeWatches, judgeWrites } from "./judge.ts"
import { parent, registers, secret, Workload } from "./Workload.ts"

/** The rules that a run broke. */
export class Violations extends Data.TaggedError("Violations")<{ readonly violations: ReadonlyArray<string> }> {
  override get message(): string {
    const shown = this.violations.slice(0, 5).join("\n  ")
    return `${this.violations.length} violations\n  ${shown}`
  }
}

/** The members of the ensemble of a world. */
export const MEMBERS = 3
export const servers = Array.from({ length: MEMBERS }, (_, index) => `memory-${index + 1}:2181`)

/** Builds the world, breaks and heals it, and judges; fails with the broken rules. */
export const simulation: Effect.Effect<{ readonly completed: number }, Violations, Simulation.Simulation> =
  Effect.scoped(
    Effect.gen(function* () {
      const runtime = yield* Simulation.Simulation
      const record = new RunRecord()
      const ensemble = yield* runtime.node("ensemble")
      const context = yield* ensemble.run(
        Layer.build(
          EmbeddedServer.layerMemoryWith({
            members: MEMBERS,
            minSessionTimeout: 1000,
            ...(yield* SimulatedClient.timing)
          })
        )
      )
      const server = Context.get(context, EmbeddedServer.EmbeddedServer)
      const memory = Context.get(context, Transport)
      let isLying = false
      const network = yield* SimulatedNetwork.make({
        transport: LyingServer.around(memory, { probability: 0.003, isLying: () => isLying }),
        latency: { min: 0.1, max: (yield* Random.nextBoolean) ? 3 : 20 }
      })
      const clients: Array<SimulatedClient.SimulatedClient> = []
      const count = yield* Random.nextIntBetween(1, 3)
      for (let i = 1; i <= count; i++) {
        clients.push(yield* Effect.orDie(SimulatedClient.connect(`client-${i}`, network, record)))
      }
      yield* Effect.orDie(prepare(clients[0]!, record))
      // A caller that is interrupted in the very moment in which a watch is handed over leaves it behind, until it fires.
      const abandonsWatches = yield* Random.nextBoolean
      const hasLags = yield* Random.nextBoolean
      const workloads = clients.map((client) => new Workload(client, record, { abandonsWatches, hasLags }))
      const killed = new Set<bigint>()
      const monitor = yield* Effect.forkChild(
        Effect.forever(watchOwnership(server, clients, killed, record, runtime.now))
      )
      for (const workload of workloads) yield* workload.start

      // ---- harm
      isLying = yield* Random.nextBoolean
      const over = Latch.makeUnsafe(false)
      const targets: FaultActions.FaultTargets = { server, clients, killed, servers, over, hasLags, now: runtime.now }
      const isolating = (yield* Random.nextBoolean)
        ? Array.from({ length: 5 }, () => FaultActions.isolateServer(network, targets))
        : []
      yield* SimulatedNetwork.nemesis(network, {
        clients: clients.map(({ name }) => name),
        servers,
        duration: yield* Random.nextBetween(isolating.length > 0 ? 4000 : 1000, 7000),
        peace: yield* Random.nextBetween(200, 2500),
        lasting: yield* Random.nextBetween(200, 5000),
        others: [...FaultActions.commonFaults(targets), ...isolating]
      })
      isLying = false
      // One client in some worlds is closed in the middle of its work, perhaps while nothing gets through.
      const early = (yield* Random.next) < 0.3 ? clients.length - 1 : -1
      if (early >= 0) {
        yield* network.inject({ _tag: "Block", direction: "both", client: clients[early]!.name })
        yield* Effect.sleep(yield* Random.nextBetween(0, 3000))
        yield* close(clients[early]!, record)
        yield* workloads[early]!.finish(1000)
        yield* workloads[early]!.leave
      }

      // ---- peace
      yield* FaultActions.healAll(network, targets)
      const left = workloads.filter((_, index) => index !== early)
      yield* Effect.all(
        left.map((workload) => workload.finish(30_000)),
        { concurrency: "unbounded" }
      )
      yield* Effect.all(
        left.map((workload) => workload.client.node.run(workload.measureLatency)),
        { concurrency: "unbounded" }
      )
      yield* awaitOtherSessionsGone(server, left)
      yield* Effect.sleep("500 millis")
      yield* judgeFinalState(server, left, clients, record, runtime.now)
      for (const workload of left) yield* workload.leave
      const [someone] = left
      if (abandonsWatches && someone !== undefined) {
        // A handshake that was held up for long may take the session away from its connection even now.
        for (const path of registers) {
          let tries = 0
          const write = Effect.suspend(() => someone.client.zk.set(path, `${path}|last.${tries++}`))
          yield* Effect.orDie(Effect.retry(write, { times: 2 }))
        }
      }
      yield* Effect.sleep("2200 millis")
      yield* judgeLeftovers(memory, record, left.length)
      for (const { client } of left) yield* close(client, record)
      yield* Effect.sleep("500 millis")
      for (const { connected, id } of yield* server.sessions) {
        const isOurs = left.some(({ client }) => client.observations.sessions.at(-1)?.id === id)
        if (isOurs || connected)
          record.addViolation(`P10: session ${id.toString(16)} is still there after its client has closed`)
      }
      yield* SimulatedClient.interrupt(monitor)
      for (const { observations } of clients)
        for (const found of judgeClient(observations, runtime.now())) record.addViolation(found)
      for (const found of judgeWrites(record)) record.addViolation(found)
      const completed = workloads.reduce((sum, workload) => sum + workload.completed, 0)
      if (record.violations.length > 0) return yield* new Violations({ violations: record.violations })
      return { completed }
    })
  )

// ---- internal

const prepare = Effect.fnUntraced(function* ({ now, zk }: SimulatedClient.SimulatedClient, record: RunRecord) {
  const recorder = record.recorder("the first", now)
  for (const path of registers) yield* createRegister(recorder, zk, path)
  yield* zk.create(parent)
  yield* zk.create(secret, { data: "hush", acl: Acl.creator })
})

/**
 * Waits until only the sessions of these are left at the server: that of a client that went away while nothing got through,
 * and one from a handshake that came late, end by themselves, and what is ephemeral goes with them.
 */
const awaitOtherSessionsGone = Effect.fnUntraced(function* (
  server: EmbeddedServer.EmbeddedServer["Service"],
  left: ReadonlyArray<Workload>
) {
  const ours = new Set(left.map(({ client }) => client.observations.sessions.at(-1)?.id))
  while ((yield* server.sessions).some(({ id }) => !ours.has(id))) yield* Effect.sleep("50 millis")
})

/** No client believes to own what a server has given up: looked at from outside, while the process runs. */
const watchOwnership = Effect.fnUntraced(function* (
  server: EmbeddedServer.EmbeddedServer["Service"],
  clients: ReadonlyArray<SimulatedClient.SimulatedClient>,
  killed: ReadonlySet<bigint>,
  record: RunRecord,
  now: () => number
) {
  const lost = Effect.map(server.sessions, (sessions) => {
    const alive = new Set(sessions.map(({ id }) => id))
    return clients.flatMap((client) => {
      const claim = client.owns()
      // Ownership is that of the session of this moment; without one the holder has been told, and has its turn yet.
      const { id } = client.zk.session
      const isLost = claim !== undefined && id !== 0n && !alive.has(id) && !killed.has(id)
      return isLost && !client.node.isPaused() ? [{ claim, id }] : []
    })
  })
  const before = yield* lost
  yield* Effect.sleep("50 millis")
  const after = yield* lost
  for (const { claim, id } of after) {
    if (before.some((other) => other.claim === claim)) {
      record.addViolation(`session ${id.toString(16)} was held at ${now().toFixed(1)} ms, past its end at the server`)
    }
  }
})

const judgeFinalState = Effect.fnUntraced(function* (
  server: EmbeddedServer.EmbeddedServer["Service"],
  workloads: ReadonlyArray<Workload>,
  clients: ReadonlyArray<SimulatedClient.SimulatedClient>,
  record: RunRecord,
  now: () => number
) {
  const { tree } = yield* server.snapshot
  const recorder = record.recorder("the servers", now)
  const current = new Map(
    registers.map((path) => {
      const node = tree.get(path)
      const value = new TextDecoder().decode(node?.data ?? new Uint8Array(0))
      const stat = node === undefined ? undefined : Znode.statOf(node)
      if (stat !== undefined) recorder.note({ f: "read", path, synced: true, value, ...answerOf(stat) })
      return [path, stat === undefined ? undefined : { value, stat }]
    })
  )
  const children = [...(tree.get(parent)?.children ?? [])].toSorted().join(" ")
  for (const workload of workloads) workload.judge(current, children)
  const observed = clients.map(({ observations }) => observations)
  for (const found of judgeWatches(record, observed)) record.addViolation(found)
})

/** P7, P11: no watch and no request is left. */
export const judgeLeftovers = Effect.fnUntraced(function* (
  memory: Transport["Service"],
  record: RunRecord,
  clients: number
) {
  if (clients === 0) return
  for (const { attributes, id, state } of yield* Metric.snapshot) {
    const isToBeZero = ["zookeeper_watches", "zookeeper_requests_in_flight", "zookeeper_requests_waiting"].includes(id)
    if (isToBeZero && "value" in state && Number(state.value) !== 0) {
      record.addViolation(
        `P11: ${id} is ${String(state.value)} ${JSON.stringify(attributes ?? {})} when nothing is done any more`
      )
    }
  }
  for (const name of servers) {
    const [host = "", port] = name.split(":")
    const address = { host, port: Number(port) }
    const answer = yield* Effect.orDie(FourLetterWord.ask(memory, address, address, "wchs"))
    if (!answer.includes("Total watches:0")) record.addViolation(`P7: ${name} still has watches: ${answer.trim()}`)
  }
})

/** P10: closing takes no longer than it may, whatever the network does. */
const close = Effect.fnUntraced(function* (
  { close, observations }: SimulatedClient.SimulatedClient,
  record: RunRecord
) {
  yield* close
  const took = (observations.closedAt ?? Number.POSITIVE_INFINITY) - observations.closedBy
  if (took > 2000 + 200) record.addViolation(`P10: ${observations.client} took ${took.toFixed(0)} ms to close`)
})
