/**
 * `npx -y pnpm@12 bench`: measures the client, its peers and the floor, and says which figures are met.
 */
import { PromiseClient } from "@effect-zookeeper/client"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Fs from "node:fs"
import * as Os from "node:os"
import { reported, runCommand, toggle } from "../runCommand.ts"
import { sessionTimeout } from "./contestant.ts"
import { effect, findPeers, floor, promise } from "./contestants.ts"
import { figures } from "./figures.ts"
import { growthRuns } from "./growth.ts"
import { ownersRuns } from "./owners.ts"
import { cores, isPinned, pin, startHelper } from "./processes.ts"
import { replaceParts } from "./page.ts"
import { runWorkload, type Series, type Servers } from "./rounds.ts"
import { startRuns } from "./start.ts"
import { cpuTable, latencyTable, markdown, memoryTable, summarize, throughputTable } from "./tables.ts"
import { furnish, workloads } from "./workloads.ts"

const flags = {
  quick: toggle("quick", "Short stretches and three rounds: for a look, not for a figure"),
  only: Flag.String("only").pipe(
    Flag.withDescription(
      `Only what has this in its name: ${[...workloads.map(({ id }) => id), "growth", "owners", "start"].join(", ")}`
    ),
    Flag.optional
  ),
  rounds: Flag.Int("rounds").pipe(Flag.withDescription("How many rounds count; 5 if left out"), Flag.optional),
  markdown: Flag.String("markdown").pipe(
    Flag.withDescription("A page whose generated parts are replaced by this run's: packages/client/BENCHMARKS.md"),
    Flag.optional
  ),
  json: Flag.String("json").pipe(Flag.withDescription("A file for all numbers, as JSON"), Flag.optional)
}

type Config = Command.Command.Config.Infer<typeof flags>

const startReal = Effect.gen(function* () {
  const server = yield* ZooKeeperServer.make({
    tickTime: 2000,
    maxSessionTimeout: sessionTimeout,
    heapMegabytes: 1024,
    logLevel: "error"
  })
  const pid = yield* server.pid
  if (pid !== undefined) pin(pid, cores.server)
  const admin = yield* Effect.acquireRelease(
    Effect.promise(() => PromiseClient.connect(server.connectString, { sessionTimeout })),
    (client) => Effect.promise(() => client.close())
  )
  yield* Effect.promise(() => furnish(admin))
  return { address: server.connectString, admin }
})

const startStub = Effect.acquireRelease(
  Effect.promise(() => startHelper("stub.ts")),
  (stub) => Effect.sync(stub.stop)
)

const bench = Effect.fnUntraced(function* (config: Config) {
  const wanted = (id: string) => Option.match(config.only, { onNone: () => true, onSome: (part) => id.includes(part) })
  const rounds = Option.getOrElse(config.rounds, () => (config.quick ? 3 : 5))
  const stretch = config.quick ? 150 : 400
  const chosen = workloads.filter(({ id }) => wanted(id))
  const peers = chosen.length > 0 ? findPeers() : { entries: [], missing: [] }
  const entries = [floor, effect, promise, ...peers.entries]
  const stub = yield* startStub
  const servers: Servers = {
    stub: { address: `127.0.0.1:${stub.ports[0]}` },
    real: chosen.some((workload) => workload.servers.includes("real")) ? yield* startReal : undefined
  }
  const all: Array<Series> = []
  for (const workload of chosen) {
    for (const server of workload.servers) {
      yield* Console.error(`${workload.title}, ${server} ...`)
      all.push(...(yield* Effect.promise(() => runWorkload({ workload, server, servers, entries, rounds, stretch }))))
    }
  }
  const growth = wanted("growth")
    ? yield* Effect.promise(() => growthRuns({ address: servers.stub.address, rounds, quick: config.quick }))
    : undefined
  const owners = wanted("owners") ? yield* Effect.scoped(ownersRuns(config.quick)) : undefined
  const start = wanted("start") ? yield* Effect.promise(() => startRuns(rounds)) : undefined
  const rows = summarize(all)
  const reached = [...figures(all), ...(growth?.figures ?? []), ...(start?.figures ?? [])]
  if (Option.isSome(config.json)) {
    Fs.writeFileSync(
      config.json.value,
      `${JSON.stringify({ machine, rounds, rows, figures: reached, growth, owners, start, samples: all }, undefined, 2)}\n`
    )
  }
  const sections: ReadonlyArray<readonly [string, string]> = [
    ["Figures", figureTable(reached)],
    ["Client CPU, µs an operation (ratio to the floor; least–most of the rounds)", cpuTable(rows)],
    ["Throughput, operations a second", throughputTable(rows)],
    ["Latency, µs, p50 / p99", latencyTable(rows)],
    ["Memory at the end of a round, MiB", memoryTable(rows)],
    ["Growth and tracing", growth?.table ?? ""],
    ["Owners", owners?.table ?? ""],
    ["Start", start?.table ?? ""]
  ].filter((section): section is [string, string] => section[1]!.split("\n").length > 2)
  if (Option.isSome(config.markdown)) {
    const left = peers.missing.map((reason) => `Not measured: ${reason}.`)
    const met = reached.filter((figure) => figure.met === "yes").length
    replaceParts(config.markdown.value, {
      how: [`${machine}. Medians of ${rounds} rounds, after one that does not count.`, ...left].join("\n\n"),
      figures: `${met} of ${reached.length} are met.\n\n${sections[0]?.[1] ?? ""}`,
      tables: sections
        .slice(1)
        .map(([title, table]) => `## ${title}\n\n${table}`)
        .join("\n\n")
    })
  }
  yield* Console.log(`${machine}, ${rounds} rounds, medians.\n`)
  for (const reason of peers.missing) yield* Console.log(`Not measured: ${reason}.\n`)
  for (const [title, table] of sections) {
    yield* Console.log(`## ${title}\n\n${table}\n`)
  }
}, Effect.scoped)

const machine = `${Os.cpus()[0]?.model ?? "?"}, ${Os.cpus().length} cores, Node ${process.versions.node}, ${
  isPinned ? "servers and clients on a core each" : "processes not kept to cores"
}`

const figureTable = (reached: ReturnType<typeof figures>): string =>
  markdown(
    ["what", "figure", "measured", "met"],
    reached.map(({ bound, measured, met, title }) => [title, bound, measured, met === "no" ? "**no**" : met])
  )

runCommand(
  Command.make("bench", flags, (config) => reported(bench(config))).pipe(
    Command.withDescription("Measures the client, its peers and the floor")
  )
)
