/**
 * The cost of recipes beside the bare operations that they cannot do without, and beside Curator's; and a cache of a large
 * tree. Against a real server, one session each.
 */
import { Op, PromiseClient } from "@effect-zookeeper/client"
import { atMost, type Figure } from "./figures.ts"
import type { Options } from "./growth.ts"
import { curatorCommand } from "./native.ts"
import { contestantCommand, type Runner, startRunner } from "./processes.ts"
import { contenders, type RecipeWork } from "./recipeWork.ts"
import { beside, digits, markdown, median } from "./tables.ts"

/** Microseconds of the client's processor time for one turn, one value a round; undefined where there is no Curator. */
interface Cost {
  readonly title: string
  readonly recipe: ReadonlyArray<number>
  readonly bare: ReadonlyArray<number>
  readonly curator: ReadonlyArray<number> | undefined
}

/** The load of a cache. */
interface Tree {
  readonly znodes: number
  readonly seconds: number
  /** For each znode, beyond its data. */
  readonly bytes: number
}

const subjects = [
  { work: "lock", title: "lock and release, uncontended", turns: 500 },
  { work: "contenders", title: `lock and release, ${contenders} contenders`, turns: contenders * 5 },
  { work: "queue", title: "queue: offer and take", turns: 500 }
] as const satisfies ReadonlyArray<{ readonly work: RecipeWork; readonly title: string; readonly turns: number }>

/** Turns before the first that count, by rounds: the compiler does its work there. */
const WARM_UP = 6

const DATA = 100

/** `address` is that of a real server. */
export const recipeRuns = async ({ address, quick, rounds }: Options) => {
  const admin = await PromiseClient.connect(address)
  const ours = await startRunner(contestantCommand("noConnection", address))
  const peer = curatorCommand(address)
  const curator = "command" in peer ? await startRunner(peer.command) : undefined
  try {
    const costs: Array<Cost> = []
    for (const { title, turns, work } of subjects) {
      const root = `/bench/recipes-${work}`
      for (const name of ["ours", "bare", "curator"]) await admin.createWithParents(`${root}/${name}`)
      const each = {
        recipe: () => costOf(ours, work, `${root}/ours`, turns),
        bare: () => costOf(ours, `${work}, bare`, `${root}/bare`, turns),
        curator: () => (curator === undefined ? Promise.resolve(0) : costOf(curator, work, `${root}/curator`, turns))
      }
      const taken = { recipe: Array<number>(), bare: Array<number>(), curator: Array<number>() }
      for (let round = -(quick ? 1 : WARM_UP); round < rounds; round++) {
        for (const name of ["recipe", "bare", "curator"] as const) {
          const cost = await each[name]()
          if (round >= 0) taken[name].push(cost)
        }
      }
      costs.push({ title, ...taken, curator: curator === undefined ? undefined : taken.curator })
    }
    const tree = await loadTree(admin, address, quick ? 10_000 : 100_000)
    return { costs, tree, table: tableOf(costs, tree), figures: [...costs.flatMap(figuresOf), ...treeFigures(tree)] }
  } finally {
    await Promise.all([ours.stop(), curator?.stop(), admin.close()])
  }
}

const costOf = async (runner: Runner, work: RecipeWork, path: string, count: number): Promise<number> => {
  const sample = await runner.ask({ job: "recipe", work, path, count })
  return sample.cpuMicros / sample.operations
}

/** In a process of its own, as an application that begins with its cache. */
const loadTree = async (admin: PromiseClient.PromiseClient, address: string, znodes: number): Promise<Tree> => {
  const root = "/bench/tree"
  const data = new Uint8Array(DATA).fill(120)
  const wide = 100
  await admin.create(root, { data })
  for (let parent = 0; parent * (wide + 1) < znodes - 1; parent++) {
    const path = `${root}/parent-${parent}`
    const children = Math.min(wide, znodes - 2 - parent * (wide + 1))
    const paths = Array.from({ length: children }, (_, index) => `${path}/child-${index}`)
    await admin.transaction([path, ...paths].map((each) => Op.create(each, { data })))
  }
  const runner = await startRunner(contestantCommand("noConnection", address))
  const sample = await runner.ask({ job: "recipe", work: "tree", path: root, count: znodes })
  await runner.stop()
  return { znodes, seconds: sample.wallMicros / 1_000_000, bytes: sample.heap / znodes - DATA }
}

const figuresOf = ({ bare, curator, recipe, title }: Cost): ReadonlyArray<Figure> => [
  atMost(title, 1.2, "the bare operations'", beside(recipe, bare)),
  ...(curator === undefined ? [] : [atMost(title, 1, "Curator's", beside(recipe, curator))])
]

const treeFigures = ({ bytes, seconds, znodes }: Tree): ReadonlyArray<Figure> => {
  const title = `TreeCache of ${znodes.toLocaleString("en")} znodes`
  return [
    {
      title: `${title}: time`,
      bound: "at most 5 s",
      measured: `${seconds.toFixed(1)} s`,
      met: seconds <= 5 ? "yes" : "no"
    },
    {
      title: `${title}: memory of a znode beyond its data`,
      bound: "at most 400 bytes",
      measured: `${Math.round(bytes)} bytes`,
      met: bytes <= 400 ? "yes" : "no"
    }
  ]
}

const tableOf = (costs: ReadonlyArray<Cost>, tree: Tree): string =>
  [
    markdown(
      ["client CPU, µs a turn", "ours", "the bare operations", "Curator"],
      costs.map(({ bare, curator, recipe, title }) => [
        title,
        digits(median(recipe)),
        digits(median(bare)),
        curator === undefined ? "–" : digits(median(curator))
      ])
    ),
    "",
    markdown(
      ["cache", "s", "bytes a znode beyond its data"],
      [[`TreeCache of ${tree.znodes.toLocaleString("en")} znodes`, tree.seconds.toFixed(1), digits(tree.bytes)]]
    )
  ].join("\n")
