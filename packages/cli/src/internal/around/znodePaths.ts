/** The paths that a path may be completed to. */
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Reader } from "../frame/Client.ts"

export interface Options {
  /** How many paths there are at most. Where more znodes match, there are their beginnings, one character further. */
  readonly most: number
  /** The end of a beginning that several paths have. */
  readonly more: string
}

/** How many znodes are looked at, so that an answer comes at once. */
const mostLooks = 500

/**
 * The znodes whose path begins with `prefix`, one level down; those that have children end with a slash, unless there are many.
 * None where the parent cannot be read.
 *
 * A shell inserts what all of them begin with. So none is left out: too many are told by their beginnings.
 */
export const znodePaths = Effect.fnUntraced(function* (
  zk: Pick<Reader, "getChildren" | "stat">,
  prefix: string,
  { more, most }: Options
) {
  const end = prefix.lastIndexOf("/")
  const parent = end <= 0 ? "/" : prefix.slice(0, end)
  const children = yield* Effect.orElseSucceed(zk.getChildren(parent), () => [])
  const names = children
    // A shell cannot show or type the others.
    .filter((name) => name.startsWith(prefix.slice(end + 1)) && Printable.escapeAll(name) === name)
    .toSorted()
  const shown = names.length > most ? beginnings(names, more) : names
  const paths = shown.map((name) => ZnodePath.join(parent, name))
  if (names.length > mostLooks) return paths
  return yield* Effect.forEach(
    paths,
    (path) =>
      Effect.orElseSucceed(
        Effect.map(zk.stat(path), (stat) => (Option.isSome(stat) && stat.value.numChildren > 0 ? `${path}/` : path)),
        () => path
      ),
    { concurrency: "unbounded" }
  )
})

// ---- internal

/** The different beginnings of sorted names: what all have, and one character. A name that is alone is whole. */
const beginnings = (names: ReadonlyArray<string>, more: string): ReadonlyArray<string> => {
  const first = Array.from(names[0] ?? "")
  const last = Array.from(names.at(-1) ?? "")
  // All have the characters that the first and the last have.
  const differ = first.findIndex((char, at) => char !== last[at])
  const length = differ < 0 ? first.length : differ
  const groups = Map.groupBy(names, (name) =>
    Array.from(name)
      .slice(0, length + 1)
      .join("")
  )
  return [...groups].map(([beginning, [name = "", ...others]]) => (others.length === 0 ? name : beginning + more))
}
