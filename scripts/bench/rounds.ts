/**
 * Rounds: each contestant in turn, again and again, so that whatever else the machine does meets all of them alike.
 */
import type { PromiseClient } from "@effect-zookeeper/client"
import type { Entry } from "./contestants.ts"
import type { Sample } from "./measure.ts"
import { type Runner, startHelper, startRunner } from "./processes.ts"
import type { ServerName, Workload } from "./workloads.ts"

/** Where servers listen, by name. */
export interface Servers {
  readonly real: { readonly address: string; readonly admin: PromiseClient.PromiseClient } | undefined
  readonly stub: { readonly address: string }
}

/** The samples of one contestant in one row, one a round. */
export interface Series {
  readonly workload: string
  readonly title: string
  readonly server: ServerName
  /** Which of the things that the workload does. */
  readonly row: string
  readonly contestant: string
  readonly samples: Array<Sample>
}

export const runWorkload = async (options: {
  readonly workload: Workload
  readonly server: ServerName
  readonly servers: Servers
  readonly entries: ReadonlyArray<Entry>
  readonly rounds: number
  readonly stretch: number
  /**
   * Measures the first `operations` of a new process in each round; undefined for processes that go on. `child` is the file
   * that runs our contestants.
   */
  readonly cold: { readonly operations: number; readonly child: string } | undefined
}): Promise<ReadonlyArray<Series>> => {
  const { cold, rounds, server, servers, stretch, workload } = options
  const target = servers[server]
  if (target === undefined) return []
  const entries = options.entries.filter(workload.isFor)
  // One for each: who is dropped is alone with that.
  const proxies = workload.throughProxy
    ? await Promise.all(entries.map(() => startHelper("proxy.ts", target.address.split(":")[1]!)))
    : []
  const addressOf = (index: number) =>
    proxies[index] === undefined ? target.address : `127.0.0.1:${proxies[index].ports[0]}`
  const startOne = (index: number) => startRunner(entries[index]!.command(addressOf(index), cold?.child))
  const runners = cold !== undefined ? [] : await Promise.all(entries.map((_, index) => startOne(index)))
  const counts = entries.map(() => new Map<string, number>())
  const series = new Map<string, Series>()
  const play = (runner: Runner, index: number, round: number) =>
    workload.round({
      server,
      entry: entries[index]!,
      runner,
      control: proxies[index]?.ports[1] ?? 0,
      admin: server === "real" ? servers.real?.admin : undefined,
      stretch,
      operations: cold?.operations,
      round,
      counts: counts[index]!
    })
  const turn = async (index: number, round: number) => {
    const runner = runners[index]
    if (runner === undefined) {
      const begun = await startOne(index)
      return play(begun, index, round).finally(begun.stop)
    }
    for (const step of round < 0 ? (workload.warmUp ?? []) : []) {
      await runner.ask({ job: "warm", servers: servers.stub.address, step })
    }
    return play(runner, index, round)
  }
  const failed = new Set<string>()
  try {
    // One round more, which is for warming up and counts for nothing: the servers are warm for every contestant.
    for (let round = -1; round < rounds; round++) {
      for (const [index, entry] of entries.entries()) {
        if (failed.has(entry.name)) continue
        const samples = await turn(index, round).catch((reason: unknown) => {
          console.error(`${entry.name} is left out of this: ${String(reason)}`)
          failed.add(entry.name)
          return {}
        })
        for (const [row, sample] of round < 0 ? [] : Object.entries(samples)) {
          const key = `${row} ${entry.name}`
          const known = series.get(key)
          if (known === undefined) {
            const { id, title } = workload
            series.set(key, { workload: id, title, server, row, contestant: entry.name, samples: [sample] })
          } else known.samples.push(sample)
        }
      }
    }
  } finally {
    await Promise.all(runners.map((runner) => runner.stop()))
    for (const proxy of proxies) proxy.stop()
  }
  return [...series.values()].filter(({ contestant }) => !failed.has(contestant))
}
