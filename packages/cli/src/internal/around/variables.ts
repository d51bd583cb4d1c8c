/** The variables of an environment that a subtree gives. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Text from "effect/String"

export type Variables = Readonly<Record<string, string>>

/**
 * Each znode with a value is a variable: its names below the root, as Effect's configuration writes them in an environment
 * (`smtp/maxSize` is `SMTP_MAX_SIZE`). Two znodes of one name are an error, and so is a value that no environment can have.
 */
export const variablesOf = Effect.fnUntraced(function* (tree: ConfigProvider.ConfigProvider, prefix: string) {
  const variables = new Map<string, { readonly from: string; readonly value: string }>()
  const paths: Array<ConfigProvider.Path> = [[]]
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const node = yield* tree.load(path)
    if (node === undefined) {
      if (path.length === 0) return yield* new ConfigProvider.SourceError({ message: "there is no such znode" })
      continue
    }
    if (node._tag === "Record") for (const key of node.keys) paths.push([...path, key])
    if (node._tag === "Array") for (let index = 0; index < node.length; index++) paths.push([...path, index])
    const { value } = node
    if (value === undefined || path.length === 0) continue
    const name = prefix + path.map((segment) => Text.configCase(String(segment))).join("_")
    const from = path.join("/")
    const other = variables.get(name)
    if (other !== undefined) {
      return yield* new ConfigProvider.SourceError({ message: `${other.from} and ${from} are both ${name}` })
    }
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      return yield* new ConfigProvider.SourceError({
        message: `${from} gives no name of a variable (${name}); see --prefix`
      })
    }
    if (value.includes("\0")) {
      return yield* new ConfigProvider.SourceError({ message: `${from} has a zero byte, which no variable can have` })
    }
    variables.set(name, { from, value })
  }
  const sorted = [...variables].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(sorted.map(([name, { value }]): [string, string] => [name, value]))
})

/** The names of the variables that differ. */
export const changedNames = (before: Variables, after: Variables): ReadonlyArray<string> =>
  [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .filter((name) => before[name] !== after[name])
    .toSorted()
