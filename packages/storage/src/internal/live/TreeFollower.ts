/**
 * Reads a live tree again and again, and gives only what has changed since it was read last. It keeps a fingerprint of each
 * znode, and no data.
 */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import { NoNode } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { AclReaders, Entry, LiveReader } from "./model.ts"
import { type JointReads, jointReadsOf, lookTogether, readTogether, visitRead } from "./readTogether.ts"
import {
  fingerprintOf,
  fingerprintOfEntry,
  type Known,
  knownOf,
  type OwnerOf,
  readZnode,
  type ReadZnode,
  retryingTransient
} from "./readZnode.ts"
import { bytesOf, CONCURRENCY, isExcluded, type Visit, walk } from "./walk.ts"

export interface FollowerOptions<E, R> extends AclReaders {
  readonly zk: LiveReader
  readonly root: string
  readonly concurrency: number
  readonly ownerOf: OwnerOf | undefined
  /** Whether znodes that may not be read are left out. Otherwise they are an error. */
  readonly skipsUnreadable: boolean
  /** The records of znodes that were read before, by their paths. */
  readonly known: Map<string, Known>
  /** Takes znodes that are new or have changed, parents before their children. */
  readonly onRead: (entries: ReadonlyArray<Entry>) => Effect.Effect<void, E, R>
  /** Takes the paths of znodes that are gone, children before their parents. */
  readonly onGone: (paths: ReadonlyArray<string>) => Effect.Effect<void, E, R>
  /** Is called after each step with the znodes that were visited in it. */
  readonly onVisited: (count: number) => void
}

export class TreeFollower<E, R> {
  /** The znodes that may not be read. */
  readonly unreadable = new Set<string>()
  private readonly options: FollowerOptions<E, R>
  /** Those of the latest pass, and of what follows it. */
  private joint: JointReads

  constructor(options: FollowerOptions<E, R>) {
    this.options = options
    this.joint = jointReadsOf(options.zk, options)
  }

  /** Looks at every znode. Gives the paths of those that have changed or are gone. */
  readonly pass: Effect.Effect<ReadonlySet<string>, E | ReadError, R> = Effect.suspend(() => {
    const { concurrency, known, onVisited, root, zk } = this.options
    this.joint = jointReadsOf(zk, this.options, this.joint)
    const seen = new Set<string>()
    const changed = new Set<string>()
    this.unreadable.clear()
    const visitAll = (paths: ReadonlyArray<string>) =>
      Effect.map(this.visitAll(paths, false), (visits) => {
        for (const [index, path] of paths.entries()) if (visits[index] !== undefined) seen.add(path)
        return visits
      })
    return walk(root, visitAll, concurrency, bytesOf).pipe(
      Stream.runForEach((entries) => {
        onVisited(seen.size)
        for (const { znode } of entries) changed.add(znode.path)
        return this.take(entries)
      }),
      Effect.andThen(
        Effect.suspend(() => {
          // Those that may no longer be read, too: they are left out with everything below.
          const gone = [...known.keys()].filter((path) => !seen.has(path))
          for (const path of gone) changed.add(path)
          return this.forget(gone)
        })
      ),
      Effect.as(changed)
    )
  })

  /** Looks at znodes that are said to have changed, parents first. Their parents must be among them if they are new. */
  catchUp(paths: ReadonlyArray<string>): Effect.Effect<void, E | ReadError, R> {
    const { concurrency, known, root } = this.options
    return Effect.gen({ self: this }, function* () {
      const own = paths.filter((path) => ZnodePath.isUnder(root, path) && !isExcluded(root, path))
      const gone = new Set<string>()
      // Those of a step are taken before the next are read: all of them together may be larger than the memory.
      for (const some of Arr.chunksOf(own, Math.min(concurrency, CONCURRENCY))) {
        const entries: Array<Entry> = []
        const added = new Set<string>()
        for (const [path, visited] of Arr.zip(some, yield* this.visitAll(some, true))) {
          if (visited === undefined) gone.add(path)
          if (visited?.value === undefined) continue
          // If the parent was not there a moment ago, there are events of both to come.
          const parent = ZnodePath.parent(path) ?? "/"
          const isOrphan = path !== root && !added.has(parent) && (gone.has(parent) || !known.has(parent))
          if (isOrphan) continue
          added.add(path)
          entries.push(visited.value)
        }
        yield* this.take(entries)
      }
      // Znodes below one that may no longer be read have no events of their own.
      const left = own.filter((path) => this.unreadable.has(path))
      if (left.length > 0) {
        for (const path of known.keys()) if (left.some((above) => ZnodePath.isUnder(above, path))) gone.add(path)
      }
      yield* this.forget([...gone].filter((path) => known.has(path)))
    })
  }

  private take(entries: ReadonlyArray<Entry>): Effect.Effect<void, E, R> {
    if (entries.length === 0) return Effect.void
    return Effect.map(this.options.onRead(entries), () => {
      for (const entry of entries) this.options.known.set(entry.znode.path, knownOf(entry))
    })
  }

  private forget(gone: ReadonlyArray<string>): Effect.Effect<void, E, R> {
    if (gone.length === 0) return Effect.void
    // A path sorts before those below it.
    return Effect.map(this.options.onGone(gone.toSorted().toReversed()), () => {
      for (const path of gone) this.options.known.delete(path)
    })
  }

  /** Those that are gone are undefined. Those that are new or have changed have a value. */
  private visitAll(
    paths: ReadonlyArray<string>,
    isExpected: boolean
  ): Effect.Effect<ReadonlyArray<Visit<Entry> | undefined>, ReadError> {
    const { joint } = this
    const { known, ownerOf } = this.options
    for (const path of paths) this.unreadable.delete(path)
    const looking = lookTogether(joint, isExpected ? [] : paths.filter((path) => known.has(path)), known)
    return Effect.flatMap(looking, (looked) => {
      const others = isExpected ? paths : paths.filter((path) => !known.has(path) || looked.get(path) === "changed")
      return Effect.flatMap(readTogether(joint, others, ownerOf), (found) =>
        visitRead(
          paths,
          (path) => {
            const read = found.get(path)
            if (read !== undefined) return this.visitOf(read)
            const children = looked.get(path)
            return children === undefined || children === "changed" ? undefined : { children, value: undefined }
          },
          (path) => this.visit(path, isExpected)
        )
      )
    })
  }

  private visitOf({ children, entry }: ReadZnode): Visit<Entry> {
    const before = this.options.known.get(entry.znode.path)
    return {
      children,
      value: before !== undefined && before.fingerprint === fingerprintOfEntry(entry) ? undefined : entry
    }
  }

  private visit(path: string, isExpected: boolean): Effect.Effect<Visit<Entry> | undefined, ReadError> {
    const { known, ownerOf, root, skipsUnreadable, zk } = this.options
    const before = known.get(path)
    const read = Effect.map(readZnode(zk, path, ownerOf), (read) => this.visitOf(read))
    const visited =
      before === undefined || isExpected
        ? read
        : Effect.flatMap(retryingTransient(zk.getChildrenWithStat(path)), ({ children, stat }) =>
            fingerprintOf(stat) === before.fingerprint
              ? Effect.succeed<Visit<Entry>>({ children, value: undefined })
              : read
          )
    return visited.pipe(
      Effect.catchIf(
        (error) => error._tag === "NoNode" && path !== root,
        () => Effect.undefined
      ),
      Effect.catchIf(
        (error) => error._tag === "NoAuth" && skipsUnreadable,
        () =>
          Effect.sync(() => {
            this.unreadable.add(path)
            return undefined
          })
      )
    )
  }
}

/** The newest transaction that the server has applied now. Fails with `NoNode` if the root is gone. */
export const zxidNow = (zk: LiveReader, root: string): Effect.Effect<bigint, ReadError> =>
  Outcome.retryTransient(
    Effect.gen(function* () {
      yield* zk.sync(root)
      const found = yield* zk.stat(root)
      if (Option.isNone(found)) return yield* new NoNode({ path: root, operation: "exists" })
      return zk.session.lastZxid
    })
  )
