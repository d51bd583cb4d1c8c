/**
 * The workloads. Each says which servers it is measured against and how one round of one contestant goes.
 */
import { type PromiseClient, Op } from "@effect-zookeeper/client"
import type { Entry } from "./contestants.ts"
import type { Step } from "./contestant.ts"
import type { Sample } from "./measure.ts"
import { childNames } from "./names.ts"
import type { Runner } from "./processes.ts"

export type ServerName = "real" | "stub"

/** The servers and clients of a round. */
interface Bench {
  readonly server: ServerName
  readonly entry: Entry
  readonly runner: Runner
  /** The control port of the proxy, for a client that is connected through it. */
  readonly control: number
  /** The benchmark's own client, for preparations and for changes from outside; none for the stub. */
  readonly admin: PromiseClient.PromiseClient | undefined
  /** Milliseconds that a stretch of work should take. */
  readonly stretch: number
  /** How many operations are measured, whatever time they take; undefined for as many as make a stretch. */
  readonly operations: number | undefined
  /** Of this contestant, from 0; what it had to do in earlier rounds is the same in this. */
  readonly round: number
  /** The result of the first round: how many operations make a stretch. */
  readonly counts: Map<string, number>
}

export interface Workload {
  readonly id: string
  readonly title: string
  readonly servers: ReadonlyArray<ServerName>
  readonly isFor: (entry: Entry) => boolean
  /** Whether contestants connect through the proxy that can drop them. */
  readonly throughProxy: boolean
  /**
   * The work against the stub before the first round, where rounds themselves are too short for the compiler: what is
   * measured is what goes on for hours.
   */
  readonly warmUp?: ReadonlyArray<Step>
  /** One round: a sample for each row of the table that it is about. */
  readonly round: (bench: Bench) => Promise<Readonly<Record<string, Sample>>>
}

/** A znode with a kilobyte of data. */
export const kilobyte = "/bench/kilobyte"

/** A znode with ten thousand children. */
const parent = "/bench/parent"

/** Ten thousand znodes that are watched: `/bench/watched/0`, ... */
export const watched = "/bench/watched"

const watchCount = 10_000

const everybody = () => true

const base = { isFor: everybody, throughProxy: false }

const get = (inFlight: number): Workload => ({
  ...base,
  id: `get-${inFlight}`,
  title: `get 1 KiB, ${inFlight} in flight`,
  servers: ["real", "stub"],
  round: async (bench) => ({
    get: await stretch(bench, (count) => ({ op: "get", path: kilobyte, count, inFlight }), 1)
  })
})

const children: Workload = {
  ...base,
  id: "children",
  title: "getChildren of 10,000 names, 1 in flight",
  servers: ["real", "stub"],
  round: async (bench) => ({
    children: await stretch(bench, (count) => ({ op: "children", path: parent, count, inFlight: 1 }), 1)
  })
}

const writes = (inFlight: number): Workload => ({
  ...base,
  id: `writes-${inFlight}`,
  title: `create, set and delete of 100 B, ${inFlight} in flight`,
  servers: ["real", "stub"],
  warmUp: (["create", "set", "delete"] as const).map((op) => ({ op, root: "/bench", count: 60_000, inFlight })),
  round: async ({ admin, entry, operations, round, runner, server, stretch }) => {
    const root = `/bench/writes-${inFlight}-${entry.name.replaceAll(/\W/g, "")}-${round}`
    await admin?.create(root)
    const samples: Record<string, Sample> = {}
    const count = operations ?? stretch * (server === "real" ? 20 : 100)
    for (const op of ["create", "set", "delete"] as const) {
      const step: Step = { op, root, count, inFlight }
      samples[op] = await runner.ask({ job: "step", step, stride: 0 })
    }
    await admin?.delete(root)
    return samples
  }
})

const transactions = (inFlight: number): Workload => ({
  ...base,
  id: `transactions-${inFlight}`,
  title: `transaction of 100 creates, ${inFlight} in flight`,
  servers: ["real", "stub"],
  isFor: (entry) => entry.hasTransactions,
  warmUp: [{ op: "transaction", root: "/bench", count: 100_000, size: 100, inFlight }],
  round: async ({ admin, entry, operations, round, runner, server, stretch }) => {
    const root = `/bench/transactions-${entry.name.replaceAll(/\W/g, "")}-${round}`
    await admin?.create(root)
    const count = (operations ?? Math.ceil(stretch * (server === "real" ? 0.6 : 2))) * 100
    const step: Step = { op: "transaction", root, size: 100, count, inFlight }
    const sample = await runner.ask({ job: "step", step, stride: 0 })
    await admin?.deleteAll(root)
    return { transaction: { ...sample, operations: count / 100 } }
  }
})

const watches: Workload = {
  ...base,
  id: "watches",
  title: "10,000 data watches",
  servers: ["real"],
  warmUp: [{ op: "watch", root: watched, count: 50_000, inFlight: 256 }],
  round: async ({ admin, operations: count = watchCount, runner }) => {
    const step: Step = { op: "watch", root: watched, count, inFlight: 256 }
    const set = await runner.ask({ job: "step", step, stride: 0 })
    let firing = Promise.resolve()
    const deliver = await runner.ask({ job: "deliver", count }, () => {
      firing = fire(admin!, count)
    })
    await firing
    return { "set a watch": set, "deliver a notification": deliver }
  }
}

/** Changes the first watched znodes, in transactions, so that the events come in bursts. */
const fire = async (admin: PromiseClient.PromiseClient, count: number): Promise<void> => {
  const groups = Array.from({ length: count / 500 }, (_, group) =>
    Array.from({ length: 500 }, (_, index) => Op.setData(`${watched}/${group * 500 + index}`, "fired"))
  )
  await Promise.all(groups.map((ops) => admin.transaction(ops)))
}

const reconnect: Workload = {
  ...base,
  id: "reconnect",
  title: "drop to first answer, 10,000 watches re-registered",
  servers: ["real"],
  throughProxy: true,
  isFor: (entry) => entry.canReconnect,
  round: async ({ control, counts, runner }) => {
    if (!counts.has("watched")) {
      const step: Step = { op: "watch", root: watched, count: watchCount, inFlight: 256 }
      await runner.ask({ job: "step", step, stride: 0 })
      counts.set("watched", watchCount)
    }
    return { reconnect: await runner.ask({ job: "reconnect", control, path: kilobyte }) }
  }
}

const sessions: Workload = {
  ...base,
  id: "sessions",
  title: "session: connect, get, close",
  servers: ["real", "stub"],
  round: async ({ operations, round, runner, stretch }) => {
    const count = operations ?? Math.max(20, Math.ceil(stretch / 5)) * (round < 0 ? 5 : 1)
    return { session: await runner.ask({ job: "sessions", count, path: kilobyte }) }
  }
}

export const workloads: ReadonlyArray<Workload> = [
  get(1),
  get(64),
  get(256),
  get(1024),
  writes(64),
  writes(256),
  transactions(1),
  transactions(16),
  children,
  watches,
  reconnect,
  sessions
]

/** Prepares what the workloads read on a real server. */
export const furnish = async (admin: PromiseClient.PromiseClient): Promise<void> => {
  await admin.ensurePath("/bench")
  await admin.create(kilobyte, { data: new Uint8Array(1024).fill(7) })
  await admin.create(parent)
  await admin.create(watched)
  for (let from = 0; from < watchCount; from += 1000) {
    const range = Array.from({ length: 1000 }, (_, index) => from + index)
    await admin.transaction(range.map((index) => Op.create(`${watched}/${index}`, { data: "new" })))
    await admin.transaction(range.map((index) => Op.create(`${parent}/${childNames[index]!}`)))
  }
}

/** A step that takes about as long as a stretch; how many operations that are, the first round finds out. */
const stretch = async (bench: Bench, step: (count: number) => Step, stride: number): Promise<Sample> => {
  const { counts, runner } = bench
  const ask = (count: number) => {
    const made = step(count)
    // Under load one latency in a hundred says enough.
    return runner.ask({ job: "step", step: made, stride: made.inFlight === 1 ? stride : 101 })
  }
  let count = bench.operations ?? counts.get("stretch")
  if (count === undefined) {
    // Long enough for the compiler to have done its work: what is measured is what goes on for hours.
    let warm = 0
    let done = 0
    let isLong = false
    for (count = 50; ; count *= isLong ? 1 : 2) {
      const sample = await ask(count)
      isLong = sample.wallMicros / 1000 > bench.stretch
      warm += sample.wallMicros / 1000
      done += count
      const isWarm = done >= 200_000 || warm > bench.stretch * 8
      if (isWarm && warm > bench.stretch * 3 && sample.wallMicros / 1000 > bench.stretch / 3) {
        count = Math.ceil((count * bench.stretch * 1000) / sample.wallMicros)
        break
      }
    }
    counts.set("stretch", count)
  }
  return ask(count)
}
