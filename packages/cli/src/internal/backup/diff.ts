/** `zk diff`: the differences of two trees. */
import { Diff, type TreeSource } from "@effect-zookeeper/storage"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as StorageOutput from "../../StorageOutput.ts"
import { CommandEnded } from "../frame/errors.ts"
import { printAll } from "../output/Printer.ts"
import { withCount } from "../output/progress.ts"
import { shown } from "../output/text.ts"
import { openSource } from "./treeRef.ts"

export interface Input {
  readonly left: string
  readonly right: string
  readonly counters: boolean
  readonly ephemerals: boolean
}

export const diff = Effect.fnUntraced(function* ({ left, right, ...options }: Input) {
  yield* printDifferences(yield* openSource(left), yield* openSource(right), options)
})

/** The exit code is 1 where there are differences, as that of `diff`. */
export const printDifferences = <E, R, E2, R2>(
  left: TreeSource.TreeSource<E, R>,
  right: TreeSource.TreeSource<E2, R2>,
  options: Diff.Options
) =>
  Effect.gen(function* () {
    let differences = 0
    let compared = 0
    const onEntry = () => {
      compared++
    }
    const items = Diff.compare(counting(left, onEntry), counting(right, onEntry), options).pipe(
      Stream.map((difference): typeof StorageOutput.Difference.Type => {
        differences++
        const { path } = difference
        return difference._tag === "Changed"
          ? { difference: "changed", path, parts: difference.parts }
          : { difference: difference._tag === "OnlyLeft" ? "onlyLeft" : "onlyRight", path }
      })
    )
    const printing = printAll(StorageOutput.Difference, items, ({ difference, parts, path }, style) => {
      const remark = parts === undefined ? "" : style.dim(`  (${parts.join(", ")})`)
      return `${signs[difference]} ${shown(path)}${remark}\n`
    })
    const total = Effect.flatMap(Effect.all([left.size, right.size]), ([one, other]) =>
      one === undefined || other === undefined ? Effect.fail("unknown") : Effect.succeed(one + other)
    )
    yield* withCount({ phase: "compared", done: Effect.sync(() => compared), total }, printing)
    if (differences > 0) return yield* new CommandEnded({ exitCode: 1 })
  })

/** The same tree, which reports each znode that is read. */
export const counting = <E, R>(
  source: TreeSource.TreeSource<E, R>,
  onEntry: () => void
): TreeSource.TreeSource<E, R> => ({
  ...source,
  entries: Stream.map(source.entries, (entry) => {
    onEntry()
    return entry
  })
})

// ---- internal

const signs = { onlyLeft: "-", onlyRight: "+", changed: "~" } as const
