/** A walk of a command, which ends with an error where the ACLs have kept a part of the subtree from it. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TreeWalk from "../../TreeWalk.ts"
import { Client } from "../frame/Client.ts"
import { Incomplete } from "../frame/errors.ts"
import type { Reader } from "../frame/Client.ts"
import { withCount } from "../output/progress.ts"
import { shown } from "../output/text.ts"

export interface Options {
  readonly maxDepth?: number | undefined
  /** Whether the command reads the data of znodes without children, too. */
  readonly needsData?: boolean
}

/** Everything that can be read is printed first; then a script can tell that it was not all. */
export const walking = <A, E, R>(
  path: string,
  { maxDepth = Number.POSITIVE_INFINITY, needsData = false }: Options,
  print: (znodes: Stream.Stream<TreeWalk.Visited, ReadError>, zk: Reader) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const zk = yield* (yield* Client).reader
    let first: string | undefined
    let forbidden = 0
    let visited = 0
    const znodes = TreeWalk.walk(zk, path, { maxDepth, multiRead: true }).pipe(
      Stream.map((znode) => {
        visited++
        const { stat } = znode
        const isMissed = needsData || stat === undefined || (znode.depth < maxDepth && stat.numChildren > 0)
        if (znode.isForbidden && isMissed) {
          forbidden++
          first ??= znode.path
        }
        return znode
      })
    )
    yield* withCount(
      {
        phase: "znodes",
        done: Effect.sync(() => visited),
        total:
          maxDepth === Number.POSITIVE_INFINITY
            ? Effect.map(zk.countDescendants(path), (below) => below + 1)
            : Effect.fail("unknown")
      },
      print(znodes, zk)
    )
    if (first === undefined) return
    const others = forbidden === 1 ? "" : `, and ${forbidden - 1} more,`
    return yield* new Incomplete({
      message: `not all was read: ${shown(first)}${others} may not be read; --auth-file gives credentials`
    })
  })
