/** A configuration whose states each have one number in all places, and a list whose length goes with it. */
import * as Op from "@effect-zookeeper/client/Op"
import * as Config from "effect/Config"
import * as Schema from "effect/Schema"

export const config = Config.schema(
  Schema.Struct({
    a: Schema.Int,
    b: Schema.Int,
    deep: Schema.Struct({ c: Schema.Int }),
    list: Schema.Array(Schema.Int)
  })
)

export type Value = Config.Success<typeof config>

/** The data of the znodes below `root`, by their paths. */
export type State = Readonly<Record<string, string>>

const listLength = (n: number): number => (n % 3) + 1

export const stateOf = (root: string, n: number): State => ({
  [`${root}/a`]: String(n),
  [`${root}/b`]: String(n),
  [`${root}/deep/c`]: String(n),
  ...Object.fromEntries(Array.from({ length: listLength(n) }, (_, index) => [`${root}/list/${index}`, String(n)]))
})

/** Whether a value is one state, and no mixture of several. */
export const isWhole = ({ a, b, deep, list }: Value): boolean =>
  a === b && a === deep.c && list.length === listLength(a) && list.every((n) => n === a)

/** The writes that lead from one state to another, and the paths that are to be deleted then. */
export const changeOf = (before: State, after: State) => ({
  writes: Object.entries(after).map(([path, data]) =>
    path in before ? Op.setData(path, data) : Op.create(path, { data })
  ),
  gone: Object.keys(before).filter((path) => !(path in after))
})
