/**
 * The memory of a process after 10,000 watches and 50,000 gets: the client's, beside its peer's in the same runtime.
 */
import type { Figure } from "./figures.ts"
import type { Entry } from "./contestants.ts"
import { startRunner } from "./processes.ts"
import { digits, markdown, median } from "./tables.ts"
import { kilobyte, watched } from "./workloads.ts"

export interface Memory {
  readonly table: string
  readonly figures: ReadonlyArray<Figure>
}

const peer = "node-zookeeper-client"

export const memoryRuns = async (options: {
  /** Of the stub. */
  readonly address: string
  readonly entries: ReadonlyArray<Entry>
  readonly rounds: number
}): Promise<Memory> => {
  const entries = options.entries.filter(({ name }) => ["effect", "promise", peer].includes(name))
  const taken = entries.map(({ name }) => ({ name, rss: Array<number>() }))
  for (let round = 0; round < options.rounds; round++) {
    for (const [index, entry] of entries.entries()) {
      taken[index]?.rss.push(await memoryOf(entry, options.address))
    }
  }
  const results = taken.map(({ name, rss }) => ({ name, mebibytes: median(rss) / 1_048_576 }))
  const of = (wanted: string) => results.find(({ name }) => name === wanted)?.mebibytes
  const ours = of("effect")
  const theirs = of(peer)
  return {
    table: markdown(
      ["after 10,000 watches and 50,000 gets", "resident memory, MiB"],
      results.map(({ mebibytes, name }) => [name, digits(mebibytes)])
    ),
    figures:
      ours === undefined || theirs === undefined
        ? []
        : [
            {
              title: "memory after 10,000 watches and 50,000 gets",
              bound: `at most ${peer}'s`,
              measured: `${(ours / theirs).toFixed(2)} (${digits(ours)} and ${digits(theirs)} MiB)`,
              met: ours <= theirs ? "yes" : "no"
            }
          ]
  }
}

const memoryOf = async (entry: Entry, address: string): Promise<number> => {
  const runner = await startRunner(entry.command(address))
  await runner.ask({ job: "step", step: { op: "watch", root: watched, count: 10_000, inFlight: 256 }, stride: 0 })
  const step = { op: "get", path: kilobyte, count: 50_000, inFlight: 256 } as const
  const { rss } = await runner.ask({ job: "step", step, stride: 0 })
  await runner.stop()
  return rss
}
