/**
 * The differences of any two trees: live ones, backups, snapshots, data directories at a transaction.
 *
 * @since 0.1.0
 */
import type { Acl } from "@effect-zookeeper/client/Acl"
import type { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { sha256 } from "./internal/bytes/hashes.ts"
import * as Rules from "./internal/options.ts"
import { isSameAcl } from "./internal/restore/decide.ts"
import type { Entry, TreeSource } from "./TreeSource.ts"
import { kindOf } from "./Znode.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * Options of `compare`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Whether ephemeral znodes are compared. Default: false, as no copy has them. */
  readonly ephemerals?: boolean | undefined
  /** Whether the numbers of sequential znodes are compared. Default: false. */
  readonly counters?: boolean | undefined
}

/**
 * The parts of a znode that can be different. `kind`: one of them is a container, has a TTL or is ephemeral, and the other is not;
 * where a kind is unknown it is not compared.
 *
 * @category models
 * @since 0.1.0
 */
export type Part = "data" | "acl" | "kind" | "counter"

/**
 * A difference. Paths begin at the first znodes of the trees, which are `/`.
 *
 * @category models
 * @since 0.1.0
 */
export type Difference =
  /** The znode is only in the first tree. */
  | { readonly _tag: "OnlyLeft"; readonly path: string }
  /** The znode is only in the second tree. */
  | { readonly _tag: "OnlyRight"; readonly path: string }
  | { readonly _tag: "Changed"; readonly path: string; readonly parts: ReadonlyArray<Part> }

// -----------------------------------------------------------------------------
// comparing
// -----------------------------------------------------------------------------

/**
 * Compares two trees: first come the differences of the znodes of `right`, in its order, then the znodes that are only in `left`.
 * A hash of the data of each znode of `left` is in memory.
 *
 * @example
 * ```ts
 * import { ZooKeeper } from "@effect-zookeeper/client"
 * import { Diff, TreeSource } from "@effect-zookeeper/storage"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * // What has changed in the live tree since a backup.
 * const program = Effect.gen(function* () {
 *   const zk = yield* ZooKeeper.ZooKeeper
 *   const before = yield* TreeSource.backup("/backups/app.ndjson.gz")
 *   yield* Diff.compare(before, TreeSource.live(zk, { path: "/app" })).pipe(
 *     Stream.runForEach(({ _tag, path }) => Effect.log(`${_tag} ${path}`))
 *   )
 * })
 * ```
 *
 * @category comparing
 * @since 0.1.0
 */
export const compare = <E, R, E2, R2>(
  left: TreeSource<E, R>,
  right: TreeSource<E2, R2>,
  options: Options = {}
): Stream.Stream<Difference, E | E2 | InvalidArgument, R | R2> => {
  const mistake = Rules.mistakeIn(known, options)
  if (mistake !== undefined) return Stream.fail(mistake)
  const { ephemerals = false } = options
  const isCompared = ({ znode }: Entry) => ephemerals || kindOf(znode.owner)._tag !== "Ephemeral"
  return Stream.unwrap(
    Effect.gen(function* () {
      const known = new Map<string, Compared>()
      yield* Stream.runForEachArray(left.entries, (entries) =>
        Effect.sync(() => {
          for (const entry of entries) {
            if (isCompared(entry)) known.set(relativeTo(left.root, entry.znode.path), comparedOf(entry))
          }
        })
      )
      const differences = right.entries.pipe(
        Stream.filter(isCompared),
        Stream.filterMap((entry): Result.Result<Difference, void> => {
          const path = relativeTo(right.root, entry.znode.path)
          const before = known.get(path)
          known.delete(path)
          if (before === undefined) return Result.succeed({ _tag: "OnlyRight", path })
          const parts = differentParts(before, comparedOf(entry), options.counters ?? false)
          return parts.length === 0 ? Result.failVoid : Result.succeed({ _tag: "Changed", path, parts })
        })
      )
      return Stream.concat(
        differences,
        Stream.suspend(() =>
          Stream.fromIterable([...known.keys()].toSorted().map((path): Difference => ({ _tag: "OnlyLeft", path })))
        )
      )
    })
  )
}

// ---- internal

const known = Rules.make<Options>({ ephemerals: Rules.flag, counters: Rules.flag }, "{ counters: true }")

/** The parts of a znode that are kept. */
interface Compared {
  readonly data: string
  readonly acl: ReadonlyArray<Acl>
  /** Undefined if it is unknown. */
  readonly kind: string | undefined
  readonly counter: number
}

const comparedOf = ({ isKindKnown, znode }: Entry): Compared => {
  const kind = kindOf(znode.owner)
  return {
    data: dataKey(znode.data),
    acl: znode.acl,
    kind: !isKindKnown ? undefined : kind._tag === "Ttl" ? `Ttl ${kind.ttl}` : kind._tag,
    counter: znode.cversion
  }
}

/** The data itself, or the hash of longer data. */
const dataKey = (data: Uint8Array | null): string =>
  data === null || data.length === 0 ? "" : data.length <= 32 ? String.fromCharCode(...data) : sha256(data)

const differentParts = (left: Compared, right: Compared, counters: boolean): ReadonlyArray<Part> => [
  ...(left.data === right.data ? [] : (["data"] as const)),
  ...(isSameAcl(left.acl, right.acl) ? [] : (["acl"] as const)),
  ...(left.kind === undefined || right.kind === undefined || left.kind === right.kind ? [] : (["kind"] as const)),
  ...(counters && left.counter !== right.counter ? (["counter"] as const) : [])
]

const relativeTo = (root: string, path: string): string =>
  root === "/" || !ZnodePath.isUnder(root, path) ? path : path === root ? "/" : path.slice(root.length)
