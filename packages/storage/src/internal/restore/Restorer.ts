/** A plan or a run of a restore. */
import type { Stat } from "@effect-zookeeper/client/Models"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { withJson } from "@effect-zookeeper/protocol/Json"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type * as Restore from "./model.ts"
import { MaskedAcl } from "../../StorageError.ts"
import type { Entry, LiveReader, TreeSource } from "../live/model.ts"
import { kindOf } from "../../Znode.ts"
import { childrenEverOf } from "../live/counters.ts"
import { type JointReads, jointReadsOf } from "../live/readTogether.ts"
import { sizeOf } from "../live/sizeOf.ts"
import { CONCURRENCY, STEP } from "../live/walk.ts"
import { type Decision, decide, isMasked, type OverwriteRule, type Wanted, wantedOf } from "./decide.ts"
import { movePath } from "./movePath.ts"
import { raiseCounter } from "./raiseCounter.ts"
import { ensureAncestors, indexOf, ownEntries, readAllCurrent } from "./target.ts"
import { setFinalAcls, type Write, writeAll, type WriterOptions } from "./Writer.ts"

const MAX_RAISE = 1_000_000

interface Decided {
  readonly wanted: Wanted
  readonly decision: Decision
}

/** A znode of the source before its counterpart was looked at. */
type Mapped =
  | { readonly _tag: "Wanted"; readonly wanted: Wanted; readonly isBelowEphemeral: boolean }
  | { readonly _tag: "Skip"; readonly path: string; readonly session: bigint }

type Skipped = Extract<Mapped, { _tag: "Skip" }>

export class Restorer<E, R> {
  private readonly source: TreeSource<E, R>
  private readonly zk: LiveReader
  private readonly joint: JointReads
  private readonly root: string
  private readonly options: Restore.Options
  private index: ReadonlyMap<string, Stat> = new Map()
  /** Znodes that are not written because they are below an ephemeral one. */
  private readonly blocked = new Set<string>()
  /** The counters that the znodes should have at least, by their paths. */
  private readonly counters = new Map<string, number>()

  constructor(source: TreeSource<E, R>, zk: LiveReader, root: string, options: Restore.Options) {
    this.source = source
    this.zk = zk
    this.joint = jointReadsOf(zk, options)
    this.root = root
    this.options = options
  }

  plan(): Stream.Stream<Restore.Step, E | Restore.PlanError, R> {
    const { onProgress } = this.options
    /** How many children would be created at each path. */
    const created = new Map<string, number>()
    const stepFor = (item: Decided | Skipped): Restore.Step => {
      if (!("decision" in item)) return item
      const { decision, wanted } = item
      if (decision._tag === "Create") {
        const parent = ZnodePath.parent(wanted.path) ?? "/"
        created.set(parent, (created.get(parent) ?? 0) + 1)
      }
      return stepOf(wanted.path, decision)
    }
    const steps = Stream.unwrap(
      Effect.map(onProgress === undefined ? Effect.undefined : this.source.size, (total) => {
        let done = 0
        return Stream.mapArray(this.decided(), (items) => {
          done += items.length
          onProgress?.({ phase: "reading", done, total })
          return Arr.map(items, stepFor)
        })
      })
    )
    const raises = Stream.suspend(() =>
      Stream.fromIterable(
        [...this.counters].flatMap(([path, to]): ReadonlyArray<Restore.Step> => {
          const stat = this.index.get(path)
          const from = (stat === undefined ? 0 : childrenEverOf(stat)) + (created.get(path) ?? 0)
          if (from >= to) return []
          return to - from > (this.options.maxRaise ?? MAX_RAISE)
            ? [{ _tag: "NotRaised", path, from, to, reason: "limit" }]
            : [{ _tag: "Raise", path, from, to }]
        })
      )
    )
    return Stream.concat(steps, raises)
  }

  /** `zk` is the same client as that of the constructor. */
  run(
    zk: Service,
    onStep: ((step: Restore.Step) => void) | undefined
  ): Effect.Effect<Restore.Summary, E | Restore.RunError, R> {
    return Effect.gen({ self: this }, function* () {
      const { onProgress, overwrite = "older" } = this.options
      const counts = { Create: 0, Overwrite: 0, Same: 0, Leave: 0, Skip: 0, Raise: 0, NotRaised: 0 }
      let done = 0
      const total = yield* this.source.size
      const take = (step: Restore.Step) => {
        counts[step._tag]++
        onStep?.(step)
      }
      const writer: WriterOptions = {
        zk,
        rule: overwrite,
        own: yield* ownEntries(zk),
        finalAcls: new Map(),
        onDone: (path, decision) => {
          onProgress?.({ phase: "writing", done: ++done, total })
          take(stepOf(path, decision))
        }
      }
      let isFirst = true
      yield* this.decided().pipe(
        Stream.mapArrayEffect((items) => {
          const isNeeded = isFirst && !this.index.has(this.root)
          isFirst = false
          return isNeeded ? Effect.as(ensureAncestors(zk, this.root), items) : Effect.succeed(items)
        }),
        Stream.filterMap((item): Result.Result<Write, void> => {
          if (!("decision" in item)) {
            onProgress?.({ phase: "writing", done: ++done, total })
            take(item)
            return Result.failVoid
          }
          const { decision, wanted } = item
          if (decision._tag === "Create" || decision._tag === "Overwrite") return Result.succeed({ wanted, decision })
          onProgress?.({ phase: "writing", done: ++done, total })
          take(stepOf(wanted.path, decision))
          return Result.failVoid
        }),
        writeAll(writer)
      )
      yield* this.raiseCounters(zk, take)
      yield* setFinalAcls(writer)
      return counts
    })
  }

  private raiseCounters(zk: Service, take: (step: Restore.Step) => void) {
    const { maxRaise = MAX_RAISE, onProgress } = this.options
    let done = 0
    let total = 0
    const onNeeded = (pairs: number) => {
      total += pairs
    }
    const onRaised = (pairs: number) => {
      done += pairs
      onProgress?.({ phase: "counters", done, total })
    }
    return Effect.forEach(
      this.counters,
      ([path, to]) =>
        Effect.map(raiseCounter(zk, path, to, { maxRaise, onNeeded, onRaised }), (raised) => {
          if (raised._tag === "Raised") take({ _tag: "Raise", path, from: raised.from, to })
          if (raised._tag === "NotRaised") {
            take({ _tag: "NotRaised", path, from: raised.from, to, reason: raised.reason })
          }
        }),
      { concurrency: 16, discard: true }
    )
  }

  /** The decisions about the znodes of the source, in its order. */
  private decided(): Stream.Stream<Decided | Skipped, E | Restore.PlanError, R> {
    const { concurrency = CONCURRENCY, onProgress, overwrite = "older" } = this.options
    const size = Math.min(concurrency, STEP)
    const index = Effect.gen({ self: this }, function* () {
      const total = onProgress === undefined ? undefined : yield* sizeOf(this.zk, this.root)
      const onVisited = (done: number) => onProgress?.({ phase: "comparing", done, total })
      this.index = yield* indexOf(this.zk, this.root, concurrency, onVisited)
    })
    return Stream.fromEffectDrain(index).pipe(
      Stream.concat(
        this.source.entries.pipe(
          Stream.mapArrayEffect((entries) => Effect.forEach(entries, (entry) => this.mapped(entry))),
          // Many together: a fiber for each takes longer than what it does.
          Stream.rechunk(size),
          Stream.mapArray((mapped) => [mapped]),
          Stream.mapEffect((mapped) => this.decideAll(mapped, overwrite), {
            concurrency: Math.floor(concurrency / size)
          }),
          Stream.flattenArray
        )
      )
    )
  }

  private decideAll(
    all: Arr.NonEmptyReadonlyArray<Mapped>,
    overwrite: OverwriteRule
  ): Effect.Effect<Arr.NonEmptyReadonlyArray<Decided | Skipped>, Restore.PlanError> {
    const there = all.flatMap((mapped) =>
      mapped._tag === "Wanted" && !mapped.isBelowEphemeral && this.index.has(mapped.wanted.path)
        ? [mapped.wanted.path]
        : []
    )
    return Effect.map(readAllCurrent(this.joint, there, this.index), (current) =>
      Arr.map(all, (mapped) => {
        if (mapped._tag === "Skip") return mapped
        const { isBelowEphemeral, wanted } = mapped
        const decision: Decision = isBelowEphemeral
          ? { _tag: "Leave", reason: "belowEphemeral" }
          : decide(wanted, current.get(wanted.path), overwrite)
        return { wanted, decision }
      })
    )
  }

  private mapped(entry: Entry): Effect.Effect<Mapped, MaskedAcl> {
    const { acl: mapAcl, counters = true, kinds = "keep" } = this.options
    const { znode } = entry
    const path = movePath(this.source.root, this.root, znode.path)
    const kind = kindOf(znode.owner)
    if (kind._tag === "Ephemeral") return Effect.succeed(withJson({ _tag: "Skip", path, session: kind.session }))
    const acl = mapAcl === undefined ? znode.acl : mapAcl(znode.acl, znode.path)
    if (isMasked(acl)) return new MaskedAcl({ path: znode.path })
    const parent = ZnodePath.parent(path)
    const isBelowEphemeral =
      path !== this.root &&
      parent !== undefined &&
      (this.blocked.has(parent) || (this.index.get(parent)?.ephemeralOwner ?? 0n) !== 0n)
    if (isBelowEphemeral) this.blocked.add(path)
    const wanted = wantedOf(entry, path, acl)
    if (counters && wanted.counter > 0 && !isBelowEphemeral && (this.index.get(path)?.ephemeralOwner ?? 0n) === 0n) {
      this.counters.set(path, wanted.counter)
    }
    return Effect.succeed({
      _tag: "Wanted",
      wanted: kinds === "keep" ? wanted : { ...wanted, owner: 0n },
      isBelowEphemeral
    })
  }
}

const stepOf = (path: string, decision: Decision): Restore.Step => {
  switch (decision._tag) {
    case "Create":
    case "Same":
      return { _tag: decision._tag, path }
    case "Overwrite":
      return { _tag: "Overwrite", path, data: decision.data, acl: decision.acl }
    case "Leave":
      return { _tag: "Leave", path, reason: decision.reason }
  }
}
