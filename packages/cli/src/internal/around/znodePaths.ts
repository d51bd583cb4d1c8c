/** The paths that a path may be completed to. */
import * as Printable from "@effect-zookeeper/client/Printable"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Reader } from "../frame/Client.ts"

/** How many are shown, so that an answer comes at once. */
const most = 500

/**
 * The znodes whose path begins with `prefix`, one level down; those that have children end with a slash. None where the
 * parent cannot be read.
 */
export const znodePaths = Effect.fnUntraced(function* (zk: Pick<Reader, "getChildren" | "stat">, prefix: string) {
  const end = prefix.lastIndexOf("/")
  const parent = end <= 0 ? "/" : prefix.slice(0, end)
  const children = yield* Effect.orElseSucceed(zk.getChildren(parent), () => [])
  const paths = children
    // A shell cannot show or type the others.
    .filter((name) => name.startsWith(prefix.slice(end + 1)) && Printable.escapeAll(name) === name)
    .toSorted()
    .slice(0, most)
    .map((name) => ZnodePath.join(parent, name))
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
