/** Visits znodes of a walk, one by one or many in a request. */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { ReadError } from "../../Errors.ts"
import { NoNode } from "../../Errors.ts"
import type { Stat } from "../../Models.ts"
import * as Op from "../../Op.ts"
import type { Service } from "../../Service.ts"

/**
 * A znode on the walk.
 *
 * @category models
 * @since 0.1.0
 */
export interface Visited {
  readonly path: string
  /** 0 for the znode where the walk began. */
  readonly depth: number
  /** Undefined where the ACL forbids even that: servers since ZooKeeper 3.8.4 and 3.9.2 tell it with READ alone. */
  readonly stat: Stat | undefined
  /** Sorted. Empty where they could not be read. */
  readonly children: ReadonlyArray<string>
  /** Whether the ACL forbids to read the children, so that the walk does not go on below. */
  readonly isForbidden: boolean
  /** Whether the list of children is larger than `maxFrameSize`, so that the walk does not go on below. See `skipTooLarge`. */
  readonly isTooLarge: boolean
  /** Whether it is the last of its siblings. */
  readonly isLast: boolean
}

/**
 * The methods of a client that a walk needs.
 *
 * @category models
 * @since 0.1.0
 */
export type Reads = Pick<Service, "getChildrenWithStat" | "stat" | "read">

/** A znode of a walk that was not handed on yet. */
export interface Entry {
  readonly path: string
  readonly depth: number
  readonly isLast: boolean
  readonly siblings: Siblings
  /** Undefined before the visit, and after it if there is no such znode any more. */
  visited: Visited | undefined
  /** Whether its children are on the walk. */
  isOpen: boolean
}

/** The children of one znode, as far as a walk knows them. */
export interface Siblings {
  /** How many were chosen to be visited one by one. */
  chosen: number
  /** The most data that one of those has, in bytes. */
  largest: number
}

export const noSiblings = (): Siblings => ({ chosen: 0, largest: 0 })

export class Visitor {
  private readonly zk: Reads
  private readonly concurrency: number
  private readonly skipsTooLarge: boolean
  private readsTogether: boolean

  constructor(zk: Reads, concurrency: number, readsTogether: boolean, skipsTooLarge: boolean) {
    this.zk = zk
    this.concurrency = concurrency
    this.readsTogether = readsTogether
    this.skipsTooLarge = skipsTooLarge
  }

  /** Visits all of them. Those that are gone stay unvisited. */
  visit(entries: ReadonlyArray<Entry>): Effect.Effect<void, ReadError> {
    if (!this.readsTogether) return this.visitEach(entries)
    const first: Array<Entry> = []
    const others: Array<Entry> = []
    for (const entry of entries) (entry.siblings.chosen++ < CHOSEN ? first : others).push(entry)
    return Effect.andThen(
      this.visitEach(first),
      Effect.suspend(() => {
        const groups = Arr.chunksOf(others.filter(hasLittleData), GROUP)
        const large = others.filter((entry) => !hasLittleData(entry))
        const together = Effect.forEach(groups, (group) => this.visitTogether(group), { concurrency: this.concurrency })
        return Effect.flatMap(together, (left) => this.visitEach([...large, ...left.flat()]))
      })
    )
  }

  private visitEach(entries: ReadonlyArray<Entry>): Effect.Effect<void, ReadError> {
    return Effect.forEach(entries, (entry) => this.visitOne(entry), { concurrency: this.concurrency, discard: true })
  }

  private visitOne(entry: Entry): Effect.Effect<void, ReadError> {
    return this.zk.getChildrenWithStat(entry.path).pipe(
      Effect.map(({ children, stat }) => setVisited(entry, stat, children.toSorted())),
      Effect.catchTags({
        NoAuth: () => this.visitUnlisted(entry, "isForbidden"),
        FrameTooLarge: (error) =>
          this.skipsTooLarge ? this.visitUnlisted(entry, "isTooLarge") : Effect.fail<ReadError>(error)
      }),
      Effect.catchIf(
        (error) => error._tag === "NoNode" && entry.depth > 0,
        () => Effect.void
      )
    )
  }

  /** Visits a znode whose children cannot be read. Older servers tell the stat to everybody. */
  private visitUnlisted(entry: Entry, why: "isForbidden" | "isTooLarge"): Effect.Effect<void, ReadError> {
    return this.zk.stat(entry.path).pipe(
      Effect.flatMap((found) =>
        Option.isNone(found)
          ? Effect.fail(new NoNode({ path: entry.path, operation: "exists" }))
          : Effect.sync(() => setVisited(entry, found.value, [], why))
      ),
      Effect.catchTag("NoAuth", () => Effect.sync(() => setVisited(entry, undefined, [], "isForbidden")))
    )
  }

  /** Visits those without children, and gives the others. */
  private visitTogether(group: ReadonlyArray<Entry>): Effect.Effect<ReadonlyArray<Entry>, ReadError> {
    return this.zk.read(group.map(({ path }) => Op.get(path))).pipe(
      Effect.map((results) =>
        group.filter((entry, index) => {
          const result = results[index]
          if (result === undefined || Result.isFailure(result)) return result?.failure._tag !== "NoNode"
          const { stat } = result.success
          if (stat.numChildren > 0) return true
          setVisited(entry, stat, [])
          return false
        })
      ),
      Effect.catchTag("FrameTooLarge", () =>
        Effect.sync(() => {
          this.readsTogether = false
          return group
        })
      )
    )
  }
}

// ---- internal

/** How many of the children of a znode are visited one by one, to see how much data they have. */
const CHOSEN = 4

/** The most data that one of those may have where the others are read together, in bytes. */
const MAX_DATA = 4096

/** How many znodes are read in a request. */
const GROUP = 64

const hasLittleData = ({ siblings }: Entry): boolean => siblings.largest <= MAX_DATA

const setVisited = (
  entry: Entry,
  stat: Stat | undefined,
  children: ReadonlyArray<string>,
  problem?: "isForbidden" | "isTooLarge"
): void => {
  const { depth, isLast, path, siblings } = entry
  siblings.largest = Math.max(siblings.largest, stat?.dataLength ?? 0)
  const isForbidden = problem === "isForbidden"
  const isTooLarge = problem === "isTooLarge"
  entry.visited = { path, depth, stat, children, isForbidden, isTooLarge, isLast }
}
