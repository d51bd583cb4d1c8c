/**
 * A whole world for the client: an ensemble in memory, a network with faults, clients that work, and a judgement.
 *
 * ```ts
 * Simulation.run(ClientWorld.world, { seed: 17, record: true })
 * ```
 *
 * @since 0.1.0
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
import * as SimulatedNetwork from "@effect-zookeeper/server/SimulatedNetwork"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as Znode from "@effect-zookeeper/server/Znode"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import { Record } from "./Evidence.ts"
import * as Harms from "./harms.ts"
import * as Liar from "./Liar.ts"
import * as Subject from "./Subject.ts"
import { judgeClient, judgeWatches, judgeWrites } from "./verdict.ts"
import { answerOf, parent, registers, secret, Workload } from "./Workload.ts"

/**
 * What was found wrong with a run.
 *
 * @category errors
 * @since 0.1.0
 */
export class Violations extends Data.TaggedError("Violations")<{ readonly violations: ReadonlyArray<string> }> {
  override get message(): string {
    const shown = this.violations.slice(0, 5).join("\n  ")
    return `${this.violations.length} violations\n  ${shown}`
  }
}

const DOORS = 3
const servers = Array.from({ length: DOORS }, (_, index) => `memory-${index + 1}:2181`)

/**
 * Builds the world, lets it be harmed and healed, and judges; fails with what was wrong.
 *
 * @category worlds
 * @since 0.1.0
 */
export const world: Effect.Effect<{ readonly completed: number }, Violations, Simulation.Simulation> = Effect.scoped(
  Effect.gen(function* () {
    const simulation = yield* Simulation.Simulation
    const record = new Record()
    const ensemble = yield* simulation.node("ensemble")
    const context = yield* ensemble.run(
      Layer.build(EmbeddedServer.layerMemoryWith({ doors: DOORS, minSessionTimeout: 1000, ...(yield* Subject.timing) }))
    )
    const server = Context.get(context, EmbeddedServer.EmbeddedServer)
    const memory = Context.get(context, Transport)
    let isLying = false
    const network = yield* SimulatedNetwork.make({
      transport: Liar.around(memory, { probability: 0.003, isLying: () => isLying }),
      latency: { min: 0.1, max: (yield* Random.nextBoolean) ? 3 : 20 }
    })
    const subjects: Array<Subject.Subject> = []
    const count = yield* Random.nextIntBetween(1, 3)
    for (let i = 1; i <= count; i++) {
      subjects.push(yield* Effect.orDie(Subject.connect(`client-${i}`, network, record)))
    }
    yield* Effect.orDie(prepare(subjects[0]!, record))
    // Whoever goes in the very moment in which a watch is handed over leaves it behind, until it fires.
    const abandonsWatches = yield* Random.nextBoolean
    const hasLags = yield* Random.nextBoolean
    const workloads = subjects.map((subject) => new Workload(subject, record, { abandonsWatches, hasLags }))
    const killed = new Set<bigint>()
    const monitor = yield* Effect.forkChild(
      Effect.forever(watchOwnership(server, subjects, killed, record, simulation.now))
    )
    for (const workload of workloads) yield* workload.start

    // ---- harm
    isLying = yield* Random.nextBoolean
    const over = Latch.makeUnsafe(false)
    const victims: Harms.Victims = { server, subjects, killed, servers, over, hasLags, now: simulation.now }
    const isolating = (yield* Random.nextBoolean)
      ? Array.from({ length: 5 }, () => Harms.isolateServer(network, victims))
      : []
    yield* SimulatedNetwork.nemesis(network, {
      clients: subjects.map(({ name }) => name),
      servers,
      duration: yield* Random.nextBetween(isolating.length > 0 ? 4000 : 1000, 7000),
      peace: yield* Random.nextBetween(200, 2500),
      lasting: yield* Random.nextBetween(200, 5000),
      others: [...Harms.all(victims), ...isolating]
    })
    isLying = false
    // One client in some worlds ends in the middle of things, perhaps while nothing gets through.
    const early = (yield* Random.next) < 0.3 ? subjects.length - 1 : -1
    if (early >= 0) {
      yield* network.inject({ _tag: "Block", direction: "both", client: subjects[early]!.name })
      yield* Effect.sleep(yield* Random.nextBetween(0, 3000))
      yield* close(subjects[early]!, record)
      yield* workloads[early]!.finish(1000)
      yield* workloads[early]!.leave
    }

    // ---- peace
    yield* Harms.heal(network, victims)
    const left = workloads.filter((_, index) => index !== early)
    yield* Effect.all(
      left.map((workload) => workload.finish(30_000)),
      { concurrency: "unbounded" }
    )
    yield* Effect.all(
      left.map((workload) => workload.subject.node.run(workload.hurry)),
      { concurrency: "unbounded" }
    )
    yield* awaitStrangers(server, left)
    yield* Effect.sleep("500 millis")
    yield* judgeTruth(server, left, record, simulation.now)
    for (const workload of left) yield* workload.leave
    const [someone] = left
    if (abandonsWatches && someone !== undefined) {
      // A handshake that was held up for long may take the session away from its connection even now.
      for (const path of registers) {
        let tries = 0
        const write = Effect.suspend(() => someone.subject.zk.set(path, `${path}|last.${tries++}`))
        yield* Effect.orDie(Effect.retry(write, { times: 2 }))
      }
    }
    yield* Effect.sleep("2200 millis")
    yield* judgeLeftovers(memory, record, left.length)
    for (const { subject } of left) yield* close(subject, record)
    yield* Effect.sleep("500 millis")
    for (const { connected, id } of yield* server.sessions) {
      const isOurs = left.some(({ subject }) => subject.evidence.sessions.at(-1)?.id === id)
      if (isOurs || connected)
        record.accuse(`P10: session ${id.toString(16)} is still there after its client has closed`)
    }
    yield* Subject.interrupt(monitor)
    for (const { evidence } of subjects)
      for (const found of judgeClient(evidence, simulation.now())) record.accuse(found)
    for (const found of judgeWrites(record)) record.accuse(found)
    const completed = workloads.reduce((sum, workload) => sum + workload.completed, 0)
    if (record.violations.length > 0) return yield* new Violations({ violations: record.violations })
    return { completed }
  })
)

// ---- internal

const prepare = Effect.fnUntraced(function* ({ now, zk }: Subject.Subject, record: Record) {
  const recorder = record.recorder("the first", now)
  for (const path of registers) {
    const value = recorder.unique()
    yield* recorder.record({ f: "create", path, value }, zk.createWithStat(path, { data: value }), ({ stat }) =>
      answerOf(stat)
    )
  }
  yield* zk.create(parent)
  yield* zk.create(secret, { data: "hush", acl: Acl.creator })
})

/**
 * Waits until only the sessions of these are left at the server: that of a client that went away while nothing got through,
 * and one from a handshake that came late, end by themselves, and what is ephemeral goes with them.
 */
const awaitStrangers = Effect.fnUntraced(function* (
  server: EmbeddedServer.EmbeddedServer["Service"],
  left: ReadonlyArray<Workload>
) {
  const ours = new Set(left.map(({ subject }) => subject.evidence.sessions.at(-1)?.id))
  while ((yield* server.sessions).some(({ id }) => !ours.has(id))) yield* Effect.sleep("50 millis")
})

/** Nobody believes to own what a server has given up: looked at from outside, while the process runs. */
const watchOwnership = Effect.fnUntraced(function* (
  server: EmbeddedServer.EmbeddedServer["Service"],
  subjects: ReadonlyArray<Subject.Subject>,
  killed: ReadonlySet<bigint>,
  record: Record,
  now: () => number
) {
  const lost = Effect.map(server.sessions, (sessions) => {
    const alive = new Set(sessions.map(({ id }) => id))
    return subjects.flatMap((subject) => {
      const claim = subject.owns()
      // What is owned is owned by the session of this moment; without one the holder has been told, and has its turn yet.
      const { id } = subject.zk.session
      const isLost = claim !== undefined && id !== 0n && !alive.has(id) && !killed.has(id)
      return isLost && !subject.node.isPaused() ? [{ claim, id }] : []
    })
  })
  const before = yield* lost
  yield* Effect.sleep("50 millis")
  const after = yield* lost
  for (const { claim, id } of after) {
    if (before.some((other) => other.claim === claim)) {
      record.accuse(`session ${id.toString(16)} was held at ${now().toFixed(1)} ms, past its end at the server`)
    }
  }
})

const judgeTruth = Effect.fnUntraced(function* (
  server: EmbeddedServer.EmbeddedServer["Service"],
  workloads: ReadonlyArray<Workload>,
  record: Record,
  now: () => number
) {
  const { tree } = yield* server.snapshot
  const recorder = record.recorder("the servers", now)
  const truth = new Map(
    registers.map((path) => {
      const node = tree.get(path)
      const value = new TextDecoder().decode(node?.data ?? new Uint8Array(0))
      const stat = node === undefined ? undefined : Znode.statOf(node)
      if (stat !== undefined) recorder.note({ f: "read", path, synced: true, value, ...answerOf(stat) })
      return [path, stat === undefined ? undefined : { value, stat }]
    })
  )
  const children = [...(tree.get(parent)?.children ?? [])].toSorted().join(" ")
  for (const workload of workloads) workload.judge(truth, children)
  for (const found of judgeWatches(record)) record.accuse(found)
})

/** P7, P11: nothing is watched any more, and nothing is on its way. */
export const judgeLeftovers = Effect.fnUntraced(function* (
  memory: Transport["Service"],
  record: Record,
  clients: number
) {
  if (clients === 0) return
  for (const { attributes, id, state } of yield* Metric.snapshot) {
    const isToBeZero = ["zookeeper_watches", "zookeeper_requests_in_flight", "zookeeper_requests_waiting"].includes(id)
    if (isToBeZero && "value" in state && Number(state.value) !== 0) {
      record.accuse(
        `P11: ${id} is ${String(state.value)} ${JSON.stringify(attributes ?? {})} when nothing is done any more`
      )
    }
  }
  for (const name of servers) {
    const [host = "", port] = name.split(":")
    const address = { host, port: Number(port) }
    const answer = yield* Effect.orDie(FourLetterWord.ask(memory, address, address, "wchs"))
    if (!answer.includes("Total watches:0")) record.accuse(`P7: ${name} still has watches: ${answer.trim()}`)
  }
})

/** P10: closing takes no longer than it may, whatever the network does. */
const close = Effect.fnUntraced(function* ({ close, evidence }: Subject.Subject, record: Record) {
  yield* close
  const took = (evidence.closedAt ?? Number.POSITIVE_INFINITY) - evidence.closedBy
  if (took > 2000 + 200) record.accuse(`P10: ${evidence.client} took ${took.toFixed(0)} ms to close`)
})
