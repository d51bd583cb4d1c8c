/** Templates in Liquid whose variables are the znodes of a subtree. */
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { type Comparable, Liquid } from "liquidjs"
import { UsageError } from "../frame/errors.ts"

/** The text of one state of a subtree. */
export type Render = (tree: ConfigProvider.ConfigProvider) => Effect.Effect<string, ConfigProvider.SourceError>

/**
 * Reads a template. `folder` has the other templates that it includes. A variable or filter that does not exist is an error when
 * the template is rendered, and `default` and `if` can ask for one.
 */
export const compile = (text: string, folder: string): Effect.Effect<Render, UsageError> =>
  Effect.suspend(() => {
    const engine = new Liquid({
      root: folder,
      strictFilters: true,
      strictVariables: true,
      lenientIf: true,
      ownPropertyOnly: true
    })
    engine.registerFilter("parse_json", parseJson)
    engine.registerFilter("default", orDefault)
    return Effect.map(
      Effect.try({ try: () => engine.parse(text), catch: (cause) => new UsageError({ message: messageOf(cause) }) }),
      (template): Render =>
        (tree) =>
          Effect.flatMap(scopeOf(tree), (scope) =>
            Effect.try({
              try: (): string => engine.renderSync(template, scope),
              catch: (cause) => new ConfigProvider.SourceError({ message: messageOf(cause) })
            })
          )
    )
  })

// ---- internal

/** A znode in a template: its text, its children by name, and those in a row as pairs of name and znode. */
class TemplateZnode implements Comparable {
  readonly #text: string

  constructor(text: string, children: ReadonlyArray<readonly [name: string, value: unknown]>) {
    this.#text = text
    for (const [name, value] of children) Object.defineProperty(this, name, { value, enumerable: true })
  }

  toString(): string {
    return this.#text
  }

  [Symbol.iterator](): Iterator<readonly [string, unknown]> {
    return Object.entries(this)[Symbol.iterator]()
  }

  equals(other: unknown): ReturnType<Comparable["equals"]> {
    if (isNothing(other)) return false
    // `empty` and `blank` know what they are equal to.
    return isComparable(other) ? other.equals(this.#text) : this.#text === String(other)
  }

  gt(other: unknown): boolean {
    return isOrdered(other) && this.#text > other
  }

  geq(other: unknown): boolean {
    return isOrdered(other) && this.#text >= other
  }

  lt(other: unknown): boolean {
    return isOrdered(other) && this.#text < other
  }

  leq(other: unknown): boolean {
    return isOrdered(other) && this.#text <= other
  }
}

const isNothing = (value: unknown): boolean => value === undefined || value === null

const isComparable = (value: unknown): value is Comparable =>
  typeof value === "object" && value !== null && !(value instanceof TemplateZnode) && "equals" in value

/** A number is compared with the text as a number, and everything else as text. */
const isOrdered = (value: unknown): value is string =>
  typeof value === "number" || typeof value === "string" || value instanceof TemplateZnode

const scopeOf = Effect.fnUntraced(function* (tree: ConfigProvider.ConfigProvider) {
  const root = yield* tree.load([])
  if (root === undefined) return yield* new ConfigProvider.SourceError({ message: "there is no such znode" })
  const value = yield* valueOf(tree, [], root)
  return typeof value === "object" ? value : {}
})

/** Numbered children are an array, as in all configuration of this library. */
const valueOf = (
  tree: ConfigProvider.ConfigProvider,
  path: ConfigProvider.Path,
  node: ConfigProvider.Node
): Effect.Effect<TemplateZnode | ReadonlyArray<unknown>, ConfigProvider.SourceError> =>
  Effect.gen(function* () {
    const keys: ReadonlyArray<string | number> =
      node._tag === "Record" ? [...node.keys].toSorted() : node._tag === "Array" ? [...Array(node.length).keys()] : []
    const children: Array<readonly [string, unknown]> = []
    for (const key of keys) {
      const at = [...path, key]
      const child = yield* tree.load(at)
      if (child !== undefined) children.push([String(key), yield* valueOf(tree, at, child)])
    }
    if (node._tag === "Array") return children.map(([, value]) => value)
    return new TemplateZnode(node.value ?? "", children)
  })

/** For a znode without data, too. */
const orDefault = (value: unknown, otherwise: unknown): unknown =>
  isNothing(value) || value === false || (!Array.isArray(value) && String(value) === "") ? otherwise : value

/** The error of text that is no JSON would quote it. */
const parseJson = (value: unknown): unknown => {
  try {
    return JSON.parse(String(value))
  } catch {
    throw new Error("parse_json: the data is not JSON")
  }
}

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))
