/**
 * `npx -y pnpm@12 bench`: measures the client, its peers and the floor, and says which figures are met.
 */
import { PromiseClient } from "@effect-zookeeper/client"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as ZooKeeperServer from "@effect-zookeeper/test-kit/ZooKeeperServer"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Fs from "node:fs"
import * as Os from "node:os"
import { optionalNumber, optionalText, runCommand, toggle, type Values } from "../runCommand.ts"
import { sessionTimeout } from "./contestant.ts"
import { effect, findPeers, floor, type Missing, peersFolder, promise } from "./contestants.ts"
import { coldFigures, figures } from "./figures.ts"
import { growthRuns } from "./growth.ts"
import { ownersRuns } from "./owners.ts"
import { cores, isPinned, pin, startHelper } from "./processes.ts"
import { memoryRuns } from "./memory.ts"
import { replaceParts } from "./page.ts"
import { bundleContestants, installPublished } from "./published.ts"
import { recipeRuns } from "./recipes.ts"
import { runWorkload, type Series, type Servers } from "./rounds.ts"
import { startRuns } from "./start.ts"
import { costTable, cpuTable, latencyTable, markdown, memoryTable, summarize, throughputTable } from "./tables.ts"
import { furnish, workloads } from "./workloads.ts"

/** The operations that are measured of a new process. */
const FIRST = 1000

/** The measurements beside the workloads. */
const others = ["growth", "memory", "recipes", "owners", "start"]

const flags = {
  quick: toggle("quick", "Short stretches and three rounds: for a look, not for a figure"),
  only: optionalText(
    "only",
    `Only what has this in its name: ${[...workloads.map(({ id }) => id), ...others].join(", ")}`
  ),
  cold: toggle("cold", `Each workload's first ${FIRST} operations of a new process, in place of all else`),
  rounds: optionalNumber("rounds", "How many rounds count; 5 if left out"),
  markdown: toggle(
    "markdown",
    "Puts the results into packages/client/BENCHMARKS.md and the measurements of the documentation"
  ),
  json: optionalText("json", "A file for all numbers, as JSON")
}

type Config = Values<typeof flags>

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

/** A folder with the packages as they are published, for as long as the Scope is open. */
const publishedFolder = Effect.tap(TemporaryFolder.make("effect-zookeeper-published-"), (folder) =>
  Effect.promise(() => installPublished(folder))
)

/** The file that runs our contestants on the packages as they are published, while the benchmark runs. */
const publishedContestants = Effect.gen(function* () {
  const folder = yield* publishedFolder
  return yield* Effect.promise(() => bundleContestants(folder))
})

const bench = Effect.fnUntraced(function* (config: Config) {
  const wanted = (id: string) => Option.match(config.only, { onNone: () => true, onSome: (part) => id.includes(part) })
  const rounds = Option.getOrElse(config.rounds, () => (config.quick ? 3 : 5))
  const stretch = config.quick ? 150 : 400
  // A lost connection comes later in the life of a process.
  const chosen = workloads.filter(({ id }) => wanted(id) && !(config.cold && id === "reconnect"))
  const also = (id: string) => !config.cold && wanted(id)
  const peers = chosen.length > 0 || also("memory") || also("start") ? findPeers() : { entries: [], missing: [] }
  const entries = [floor, effect, promise, ...peers.entries]
  const cold = config.cold ? { operations: FIRST, child: yield* publishedContestants } : undefined
  const stub = yield* startStub
  const servers: Servers = {
    stub: { address: `127.0.0.1:${stub.ports[0]}` },
    real: chosen.some((workload) => workload.servers.includes("real")) || also("recipes") ? yield* startReal : undefined
  }
  const all: Array<Series> = []
  for (const workload of chosen) {
    for (const server of workload.servers) {
      yield* Console.error(`${workload.title}, ${server} ...`)
      all.push(
        ...(yield* Effect.promise(() => runWorkload({ workload, server, servers, entries, rounds, stretch, cold })))
      )
    }
  }
  const { address } = servers.stub
  const { quick } = config
  const ifAlso = <A>(id: string, measure: () => Promise<A>) =>
    Effect.promise(async () => (also(id) ? measure() : undefined))
  const growth = yield* ifAlso("growth", () => growthRuns({ address, rounds, quick }))
  const memory = yield* ifAlso("memory", () => memoryRuns({ address, entries, rounds }))
  const recipes = yield* ifAlso("recipes", () => recipeRuns({ address: servers.real?.address ?? "", rounds, quick }))
  const owners = also("owners") ? yield* Effect.scoped(ownersRuns(quick)) : undefined
  const folder = also("start") ? yield* publishedFolder : ""
  const start = yield* ifAlso("start", () => startRuns({ folder, rounds, address, peers: peersFolder }))
  const rows = summarize(all)
  const reached = [
    ...(config.cold ? coldFigures(all) : figures(all)),
    ...[growth, start, memory, recipes].flatMap((measured) => measured?.figures ?? [])
  ]
  if (Option.isSome(config.json)) {
    Fs.writeFileSync(
      config.json.value,
      `${JSON.stringify({ machine, rounds, rows, figures: reached, growth, memory, recipes, owners, start, samples: all }, undefined, 2)}\n`
    )
  }
  const sections: ReadonlyArray<readonly [string, string]> = [
    [config.cold ? `Figures of the first ${FIRST} operations` : "Figures", figureTable(reached)],
    ["Client CPU, µs an operation (ratio to the floor; least–most of the rounds)", cpuTable(rows)],
    ["Throughput, operations a second", throughputTable(rows)],
    ["Latency, µs, p50 / p99", latencyTable(rows)],
    ["Memory at the end of a round, MiB", memoryTable(rows)],
    ["Memory of a process", memory?.table ?? ""],
    ["Growth and tracing", growth?.table ?? ""],
    ["Recipes", recipes?.table ?? ""],
    ["Owners", owners?.table ?? ""],
    ["Start", start?.table ?? ""]
  ].filter((section): section is [string, string] => section[1]!.split("\n").length > 2)
  if (config.markdown) {
    const how = [
      `${machine}. Medians of ${rounds} rounds, after one that does not count.`,
      missingTable(peers.missing),
      `${reached.filter((figure) => figure.met === "yes").length} of ${reached.length} are met.`,
      sections[0]?.[1] ?? ""
    ].join("\n\n")
    const tables = sections
      .slice(1)
      .map(([title, text]) => `### ${title}\n\n${text}`)
      .join("\n\n")
    replaceParts(
      config.cold
        ? { "cold figures": how, "cold costs": costTable(rows), "cold tables": tables }
        : { figures: how, costs: costTable(rows), tables }
    )
  }
  yield* Console.log(`${machine}, ${rounds} rounds, medians.\n`)
  yield* Console.log(missingTable(peers.missing))
  for (const [title, table] of sections) {
    yield* Console.log(`## ${title}\n\n${table}\n`)
  }
}, Effect.scoped)

const machine = `${Os.cpus()[0]?.model ?? "?"}, ${Os.cpus().length} cores, Node ${process.versions.node}, ${
  isPinned ? "servers and clients on a core each" : "processes not kept to cores"
}`

const missingTable = (missing: ReadonlyArray<Missing>): string =>
  missing.length === 0
    ? ""
    : markdown(
        ["not measured", "why"],
        missing.map(({ name, reason }) => [name, reason])
      )

const figureTable = (reached: ReturnType<typeof figures>): string =>
  markdown(
    ["what", "figure", "measured", "met"],
    reached.map(({ bound, measured, met, title }) => [title, bound, measured, met === "no" ? "**no**" : met])
  )

runCommand("bench", "Measures the client, its peers and the floor", flags, bench)
