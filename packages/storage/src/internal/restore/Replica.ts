/** The target of a mirror. */
import type { Acl } from "@effect-zookeeper/client/Acl"
import type { DeleteError } from "@effect-zookeeper/client/Errors"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Mirror from "./mirrorModel.ts"
import { MaskedAcl } from "../../StorageError.ts"
import type { Entry } from "../live/model.ts"
import { kindOf, type Znode } from "../../Znode.ts"
import { childrenEverOf } from "../live/counters.ts"
import { type JointReads, jointReadsOf } from "../live/readTogether.ts"
import { CONCURRENCY } from "../live/walk.ts"
import { type Current, decide, isMasked, type Wanted, wantedOf } from "./decide.ts"
import { movePath } from "./movePath.ts"
import { type Raised, raiseCounter } from "./raiseCounter.ts"
import { ensureAncestors, indexOf, ownEntries, readAllCurrent } from "./target.ts"
import { setFinalAcls, type Write, writeAll, type WriteError, type WriterOptions } from "./Writer.ts"

const MAX_RAISE = 1_000_000

type RemoveError = Exclude<DeleteError, { readonly _tag: "NoNode" | "NotEmpty" }>

export class Replica {
  readonly counts = { written: 0, deleted: 0 }
  /** The counters that stay below those of the source. Another list takes its place when one comes or goes. */
  notRaised: ReadonlyArray<Mirror.NotRaised> = []
  private readonly zk: Service
  private readonly from: string
  private readonly to: string
  private readonly options: Mirror.Options
  /** The znodes of the target, as far as they are known. */
  private readonly present = new Set<string>()
  /** The znodes that belong to sessions of the target. */
  private readonly ephemerals = new Set<string>()
  /** The parts of the Stats that a write changes, as they were at the last look. */
  private seen: Map<string, string> = new Map()
  /** The znodes that were the same at the look before. */
  private readonly unchanged = new Set<string>()
  /** The counters that the target has at least. */
  private readonly counters = new Map<string, number>()
  /** The paths that the target should not have. */
  private readonly surplus = new Set<string>()
  /** Those of them that have children in the target. */
  private readonly occupied = new Set<string>()
  private own: ReadonlyArray<Acl> | undefined
  /** Those since the last look. */
  private joint: JointReads

  /** `from` and `to` are the first znodes in the source and in the target. */
  constructor(zk: Service, from: string, to: string, options: Mirror.Options) {
    this.zk = zk
    this.joint = jointReadsOf(zk)
    this.from = from
    this.to = to
    this.options = options
  }

  /**
   * Looks at the target: a write whose reply was lost may have left a znode there or have removed one, and others may have written
   * there.
   */
  readonly look: Effect.Effect<void, WriteError> = Effect.gen({ self: this }, function* () {
    // Another server may lag behind the one that a lost write has reached.
    yield* Outcome.retryTransient(this.zk.sync(this.to))
    this.joint = jointReadsOf(this.zk, {}, this.joint)
    const index = yield* indexOf(this.zk, this.to, this.options.concurrency ?? CONCURRENCY, () => {})
    this.present.clear()
    this.ephemerals.clear()
    this.counters.clear()
    this.unchanged.clear()
    const before = this.seen
    this.seen = new Map()
    for (const [path, stat] of index) {
      const fingerprint = `${stat.czxid},${stat.mzxid},${stat.aversion}`
      this.present.add(path)
      this.seen.set(path, fingerprint)
      this.counters.set(path, childrenEverOf(stat))
      if (stat.ephemeralOwner !== 0n) this.ephemerals.add(path)
      if (before.get(path) === fingerprint) this.unchanged.add(path)
    }
    this.notRaised = this.notRaised.filter(({ path, to }) => to > (this.counters.get(path) ?? 0))
    this.own = yield* ownEntries(this.zk)
    if (index.size === 0) yield* ensureAncestors(this.zk, this.to)
  })

  /** Whether the copy of a znode of the source was the same at the last two looks. */
  isUnchanged(path: string): boolean {
    return this.unchanged.has(movePath(this.from, this.to, path))
  }

  /** Writes znodes of the source, parents before their children. */
  write(entries: ReadonlyArray<Entry>): Effect.Effect<void, WriteError | MaskedAcl> {
    return Effect.gen({ self: this }, function* () {
      const {
        acl: mapAcl,
        concurrency = CONCURRENCY,
        counters = true,
        kinds = "keep",
        maxRaise = MAX_RAISE
      } = this.options
      const raises: Array<readonly [path: string, to: number]> = []
      for (const { znode } of entries) {
        const path = movePath(this.from, this.to, znode.path)
        if (!isEphemeral(znode)) {
          this.surplus.delete(path)
          this.occupied.delete(path)
        } else if (this.options.deletes === true) this.surplus.add(path)
      }
      const wanted: Array<Wanted> = []
      for (const entry of entries) {
        const { znode } = entry
        if (isEphemeral(znode)) continue
        const acl = mapAcl === undefined ? znode.acl : mapAcl(znode.acl, znode.path)
        if (isMasked(acl)) return yield* new MaskedAcl({ path: znode.path })
        const kept = wantedOf(entry, movePath(this.from, this.to, znode.path), acl)
        if (counters && kept.counter > (this.counters.get(kept.path) ?? 0)) raises.push([kept.path, kept.counter])
        wanted.push(kinds === "keep" ? kept : { ...kept, owner: 0n })
      }
      const there = wanted.flatMap(({ path }) => (this.present.has(path) ? [path] : []))
      const current = new Map<string, Current>()
      for (const some of Arr.chunksOf(there, concurrency)) {
        for (const [path, znode] of yield* readAllCurrent(this.joint, some)) current.set(path, znode)
      }
      const writes = wanted.flatMap((wanted): ReadonlyArray<Write> => {
        const decision = decide(wanted, current.get(wanted.path), "always")
        return decision._tag === "Create" || decision._tag === "Overwrite" ? [{ wanted, decision }] : []
      })
      const writer: WriterOptions = {
        zk: this.zk,
        rule: "always",
        own: this.own,
        finalAcls: new Map(),
        onDone: (path, decision) => {
          if (decision._tag === "Create" || decision._tag === "Overwrite") this.counts.written++
          this.present.add(path)
          if (decision._tag === "Leave" && decision.reason === "ephemeral") this.ephemerals.add(path)
          else this.ephemerals.delete(path)
        }
      }
      yield* writeAll(writer)(Stream.fromIterable(writes))
      yield* Effect.forEach(
        raises,
        ([path, to]) =>
          Effect.map(raiseCounter(this.zk, path, to, { maxRaise }), (raised) => {
            this.note(path, to, raised)
            // It is not tried again for the same number.
            if (raised._tag !== "NotRaised" || raised.reason !== "missing") this.counters.set(path, to)
          }),
        { concurrency: 16, discard: true }
      )
      yield* setFinalAcls(writer)
    })
  }

  /** Deletes znodes that are gone in the source, if the mirror deletes. */
  remove(paths: ReadonlyArray<string>): Effect.Effect<void, RemoveError> {
    const gone = new Set(paths.map((path) => movePath(this.from, this.to, path)))
    this.notRaised = this.notRaised.filter(({ path }) => !gone.has(path))
    if (this.options.deletes !== true) return Effect.void
    for (const path of gone) this.surplus.add(path)
    return this.removeSurplus
  }

  /** Deletes the znodes that the source does not have, if the mirror deletes. */
  removeOthers(source: ReadonlyMap<string, unknown>): Effect.Effect<void, RemoveError> {
    if (this.options.deletes !== true && this.notRaised.length === 0) return Effect.void
    const kept = new Set([...source.keys()].map((path) => movePath(this.from, this.to, path)))
    this.notRaised = this.notRaised.filter(({ path }) => kept.has(path))
    if (this.options.deletes !== true) return Effect.void
    for (const path of this.present) if (!kept.has(path)) this.surplus.add(path)
    for (const path of this.occupied) this.surplus.add(path)
    this.occupied.clear()
    return this.removeSurplus
  }

  /**
   * Deletes what the target should not have. A znode with children is deleted after the last of them that the mirror deletes: the
   * source may have them for a moment after their parent was found to be gone. The children of other clients stay.
   */
  readonly removeSurplus: Effect.Effect<void, RemoveError> = Effect.suspend(() => {
    for (const path of this.surplus) {
      if (!this.present.has(path) || this.ephemerals.has(path) || path === this.to) this.surplus.delete(path)
    }
    if (this.surplus.size === 0) return Effect.void
    const parents = new Set<string>()
    // Children before their parents: most requests are applied in this order, though not those that are repeated.
    return Effect.forEach(
      [...this.surplus].toSorted().toReversed(),
      (path) => Effect.map(this.delete(path), (isDone) => isDone && parents.add(ZnodePath.parent(path) ?? "/")),
      { concurrency: 64, discard: true }
    ).pipe(
      Effect.andThen(
        Effect.suspend(() => {
          for (const path of parents) if (this.occupied.delete(path)) this.surplus.add(path)
          return this.removeSurplus
        })
      )
    )
  })

  private note(path: string, to: number, raised: Raised): void {
    const isNoted = this.notRaised.some((one) => one.path === path)
    if (raised._tag !== "NotRaised" && !isNoted) return
    const others = this.notRaised.filter((one) => one.path !== path)
    this.notRaised = raised._tag === "NotRaised" ? [...others, { ...raised, path, to }] : others
  }

  /** False if it has children. */
  private delete(path: string): Effect.Effect<boolean, RemoveError> {
    return Outcome.retryTransient(this.zk.delete(path)).pipe(
      Effect.catchTag("NoNode", () => Effect.void),
      Effect.map(() => {
        this.counts.deleted++
        this.present.delete(path)
        this.counters.delete(path)
        this.surplus.delete(path)
        return true
      }),
      Effect.catchTag("NotEmpty", () =>
        Effect.sync(() => {
          this.surplus.delete(path)
          this.occupied.add(path)
          return false
        })
      )
    )
  }
}

// ---- internal

/** Such znodes are not copied. */
const isEphemeral = ({ owner }: Znode): boolean => kindOf(owner)._tag === "Ephemeral"
