/**
 * The cost of owning something: while a session does, a quorum proves to it that it goes on, four times in each session
 * timeout. Against an ensemble of three, which commits and logs each proof, and beside sessions that own nothing.
 */
import * as ZooKeeperEnsemble from "@effect-zookeeper/test-kit/ZooKeeperEnsemble"
import type { ZooKeeperServer } from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Effect from "effect/Effect"
import * as Fs from "node:fs"
import type { Having } from "./owning.ts"
import { contestantCommand, cores, pin, startRunner } from "./processes.ts"
import { digits, markdown } from "./tables.ts"

/** The cost of so many sessions, each second. */
interface Cost {
  readonly having: Having
  readonly sessions: number
  /** Requests and pings that the servers took. */
  readonly requests: number
  /** Transactions that the ensemble committed. */
  readonly commits: number
  /** Milliseconds of processor time. */
  readonly client: number
  /** The same of all servers together; NaN where the system does not tell. */
  readonly servers: number
}

/** Milliseconds: whole heartbeats and proofs of a session. */
const STRETCH = { quick: 10_000, usual: 20_000 } as const

export const ownersRuns = Effect.fnUntraced(function* (quick: boolean) {
  const ensemble = yield* ZooKeeperEnsemble.make({
    tickTime: 2000,
    config: ["initLimit=10", "syncLimit=5"],
    heapMegabytes: 256,
    logLevel: "error"
  })
  for (const server of ensemble.servers) {
    const pid = yield* server.pid
    if (pid !== undefined) pin(pid, cores.server)
  }
  const rows: Array<Cost> = []
  for (const sessions of [1, 1000]) {
    for (const having of ["nothing", "a lock, proved by a quorum", "a lock, proved by its server"] as const) {
      rows.push(yield* costOf(ensemble, having, sessions, quick ? STRETCH.quick : STRETCH.usual))
    }
  }
  return { rows, table: tableOf(rows) }
})

const tableOf = (rows: ReadonlyArray<Cost>): string =>
  markdown(
    [
      "sessions of 10 s",
      "each owns",
      "requests a second",
      "commits a second",
      "client CPU, ms a second",
      "servers' CPU, ms a second"
    ],
    rows.map(({ client, commits, having, requests, servers, sessions }) => [
      sessions.toLocaleString("en"),
      having,
      digits(requests),
      digits(commits),
      digits(client),
      Number.isNaN(servers) ? "–" : digits(servers)
    ])
  )

const costOf = Effect.fnUntraced(function* (
  ensemble: ZooKeeperEnsemble.ZooKeeperEnsemble,
  having: Having,
  sessions: number,
  stretch: number
) {
  const runner = yield* Effect.acquireRelease(
    Effect.promise(() => startRunner(contestantCommand("noConnection", ensemble.connectString))),
    (runner) => Effect.promise(runner.stop)
  )
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>()
  const sampled = runner.ask({ job: "own", sessions, having, stretch }, onReady)
  yield* Effect.promise(() => Promise.race([ready, sampled]))
  const before = yield* stateOf(ensemble.servers)
  // Before the sessions are closed.
  yield* Effect.sleep(stretch - 1000)
  const after = yield* stateOf(ensemble.servers)
  const sample = yield* Effect.promise(() => sampled)
  const seconds = after.at - before.at
  return {
    having,
    sessions,
    // The question itself counts.
    requests: (after.received - before.received - ensemble.servers.length) / seconds,
    commits: (after.commits - before.commits) / seconds,
    client: sample.cpuMicros / 1000 / (sample.wallMicros / 1_000_000),
    servers: (after.cpu - before.cpu) / seconds
  } satisfies Cost
}, Effect.scoped)

/** The requests, commits and processor time of the servers so far. */
const stateOf = Effect.fnUntraced(function* (servers: ReadonlyArray<ZooKeeperServer>) {
  const told = yield* Effect.forEach(servers, (server) => server.fourLetterWord("srvr"))
  const pids = yield* Effect.forEach(servers, ({ pid }) => pid)
  return {
    at: performance.now() / 1000,
    received: sum(told.map((text) => Number(/Received: (\d+)/.exec(text)?.[1]))),
    // The lower half of the newest zxid, which the leader counts up.
    commits: Math.max(...told.map((text) => Number(BigInt.asUintN(32, BigInt(/Zxid: (\w+)/.exec(text)?.[1] ?? 0))))),
    cpu: sum(pids.map(cpuOf))
  }
})

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

/** Milliseconds of processor time that a process has used, where Linux tells. */
const cpuOf = (pid: number | undefined): number => {
  const stat = `/proc/${pid}/stat`
  if (!Fs.existsSync(stat)) return Number.NaN
  // The name of the program, in brackets, may have blanks. User and system time, in hundredths of a second.
  const fields = Fs.readFileSync(stat, "utf8").split(") ")[1]?.split(" ") ?? []
  return 10 * (Number(fields[11]) + Number(fields[12]))
}
