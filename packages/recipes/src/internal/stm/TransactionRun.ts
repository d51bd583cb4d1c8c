/**
 * One run of a transaction: what it has read and will write.
 *
 * All of its reads belong to one state. After each new read it looks again at everything that it has read before: what has
 * not changed until then was so when the new znode was read. A znode that was not there may have come and gone in between;
 * the counter of children of its nearest ancestor tells.
 */
import { InvalidArgument, NodeExists, NoNode, NotEmpty } from "@effect-zookeeper/client/Errors"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import type { Data, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import type { RecipeError } from "../../Errors.ts"
import type { CreateOptions, Transaction } from "./model.ts"
import { toBytes } from "../shared/bytes.ts"
import { checkOptions, knownOptions } from "../shared/options.ts"
import { getOrUndefined } from "../shared/requests.ts"
import { retryAcrossSessions } from "../shared/retry.ts"
import { checkPath } from "../shared/validate.ts"

/** A znode of a transaction. */
export interface Entry {
  readonly path: string
  /** As it was read; undefined where there was none. */
  readonly found: { readonly data: Uint8Array; readonly stat: Stat } | undefined
  /** Where there was none. */
  readonly absence: Absence | undefined
  /** The data that the transaction sees now; undefined for no znode. */
  data: Uint8Array | undefined
  /** Whether `data` is the transaction's own. */
  isWritten: boolean
  /** How it is to be created; undefined for a znode that is not. */
  created: CreateOptions | undefined
}

/** Evidence that a znode is not there. */
interface Absence {
  /** The topmost path on the way that has no znode. */
  readonly missing: string
  /** Its parent, if this client can see it. */
  readonly ancestor: string | undefined
  /** Nothing can be below an ephemeral ancestor. */
  readonly isBelowEphemeral: boolean
}

/** Why a run is given up: others have changed what it had read, or it waits for that. */
export type GivenUp = "conflict" | "retry"

/** One run of a transaction. */
export class TransactionRun implements Transaction {
  readonly entries = new Map<string, Entry>()
  /** Set when the run is given up, whatever the effect makes of the interruption. */
  givenUp: GivenUp | undefined
  readonly retry: Effect.Effect<never>
  private readonly zk: ZooKeeper.Service
  /** One read at a time. */
  private readonly turn = Semaphore.makeUnsafe(1)

  constructor(zk: ZooKeeper.Service) {
    this.zk = zk
    this.retry = this.giveUp("retry")
  }

  readonly get = (path: string): Effect.Effect<Option.Option<Uint8Array>, RecipeError> =>
    // A copy: the application may change it.
    Effect.map(this.look(path), ({ data }) => (data === undefined ? Option.none() : Option.some(new Uint8Array(data))))

  readonly set = (path: string, data: Data): Effect.Effect<void, NoNode | RecipeError> =>
    Effect.suspend(() => {
      const bytes = toBytes(data)
      return Effect.flatMap(this.look(path), (entry) => {
        if (entry.data === undefined) return Effect.fail(new NoNode({ operation: "setData", path }))
        entry.data = bytes
        entry.isWritten = true
        return Effect.void
      })
    })

  readonly create = (
    path: string,
    options: CreateOptions = {}
  ): Effect.Effect<void, NodeExists | NoNode | RecipeError> =>
    Effect.gen({ self: this }, function* () {
      yield* checkOptions(knownCreate, options)
      const { mode = "persistent" } = options
      if (!modes.has(mode)) {
        const rule = `one of ${[...modes].join(", ")}: the path has to be known before it is created`
        return yield* new InvalidArgument({ argument: "mode", value: String(mode), rule })
      }
      const data = toBytes(options.data ?? "")
      const entry = yield* this.look(path)
      if (entry.data !== undefined) return yield* new NodeExists({ operation: "create", path })
      const parent = ZnodePath.parent(path) ?? "/"
      if (parent !== "/" && !(yield* this.exists(parent))) return yield* new NoNode({ operation: "create", path })
      entry.data = data
      entry.isWritten = true
      entry.created = options
    })

  readonly delete = (path: string): Effect.Effect<void, NoNode | NotEmpty | RecipeError> =>
    Effect.flatMap(this.look(path), (entry): Effect.Effect<void, NoNode | NotEmpty> => {
      if (entry.data === undefined) return Effect.fail(new NoNode({ operation: "delete", path }))
      // Servers would refuse the create for want of a parent, which is what a conflict looks like.
      if (this.createsBelow(path)) return Effect.fail(new NotEmpty({ operation: "delete", path }))
      entry.data = undefined
      entry.isWritten = true
      entry.created = undefined
      return Effect.void
    })

  /** Whether everything that was read is still so. */
  readonly isCurrent: Effect.Effect<boolean, RecipeError> = Effect.suspend(() =>
    Effect.map(
      Effect.forEach(this.entries.values(), (entry) => this.isUnchanged(entry), { concurrency: "unbounded" }),
      (all) => all.every((isUnchanged) => isUnchanged)
    )
  )

  // ---- internal

  private createsBelow(path: string): boolean {
    for (const { created, data, path: other } of this.entries.values())
      if (created !== undefined && data !== undefined && ZnodePath.parent(other) === path) return true
    return false
  }

  private giveUp(why: GivenUp): Effect.Effect<never> {
    return Effect.suspend(() => {
      this.givenUp ??= why
      return Effect.interrupt
    })
  }

  /** The znode as the transaction sees it. Later reads of it send nothing. */
  private look(path: string): Effect.Effect<Entry, RecipeError> {
    return Effect.suspend(() => {
      if (this.givenUp !== undefined) return this.giveUp(this.givenUp)
      const entry = this.entries.get(path)
      return entry === undefined ? this.turn.withPermit(this.read(path)) : Effect.succeed(entry)
    })
  }

  /** Whether the transaction sees a znode, which it only depends on if there is none. */
  private exists(path: string): Effect.Effect<boolean, RecipeError> {
    const entry = this.entries.get(path)
    if (entry !== undefined) return Effect.succeed(entry.data !== undefined)
    return Effect.flatMap(this.stat(path), (stat) =>
      stat !== undefined ? Effect.succeed(true) : Effect.map(this.look(path), ({ data }) => data !== undefined)
    )
  }

  private readonly read = Effect.fnUntraced(function* (
    this: TransactionRun,
    path: string
  ): Effect.fn.Return<Entry, RecipeError> {
    const there = this.entries.get(path)
    if (there !== undefined) return there
    yield* checkPath(path)
    const before = yield* this.childCounters
    const found = yield* getOrUndefined(this.zk, path)
    const entry: Entry = {
      path,
      found,
      absence: found === undefined ? yield* this.findAbsence(path) : undefined,
      data: found?.data,
      isWritten: false,
      created: undefined
    }
    if (!(yield* this.isCurrent)) return yield* this.giveUp("conflict")
    const after = yield* this.childCounters
    if (before.some((counter, index) => counter !== after[index])) return yield* this.giveUp("conflict")
    this.entries.set(path, entry)
    return entry
  })

  /** The last changes of the children of all ancestors under which a znode is missing. */
  private readonly childCounters: Effect.Effect<ReadonlyArray<bigint | undefined>, RecipeError> = Effect.suspend(() => {
    const ancestors = new Set<string>()
    for (const { absence } of this.entries.values())
      if (absence?.ancestor !== undefined) ancestors.add(absence.ancestor)
    return Effect.forEach(ancestors, (path) => Effect.map(this.stat(path), (stat) => stat?.pzxid), {
      concurrency: "unbounded"
    })
  })

  private isUnchanged({ absence, found, path }: Entry): Effect.Effect<boolean, RecipeError> {
    return Effect.map(this.stat(absence?.missing ?? path), (stat) =>
      found === undefined ? stat === undefined : stat?.czxid === found.stat.czxid && stat.mzxid === found.stat.mzxid
    )
  }

  /** Looks upwards for the nearest znode. */
  private readonly findAbsence = Effect.fnUntraced(function* (
    this: TransactionRun,
    path: string
  ): Effect.fn.Return<Absence, RecipeError> {
    let missing = path
    while (true) {
      const ancestor = ZnodePath.parent(missing)
      // The root of a chroot may be missing too; this client cannot look above it.
      if (ancestor === undefined) return { missing: path, ancestor: undefined, isBelowEphemeral: false }
      const stat = yield* this.stat(ancestor)
      if (stat !== undefined) return { missing, ancestor, isBelowEphemeral: stat.ephemeralOwner !== 0n }
      missing = ancestor
    }
  })

  private stat(path: string): Effect.Effect<Stat | undefined, RecipeError> {
    return Effect.map(retryAcrossSessions(this.zk, this.zk.stat(path)), Option.getOrUndefined)
  }
}

const modes: ReadonlySet<string> = new Set(["persistent", "ephemeral", "container"])

const knownCreate = knownOptions<CreateOptions>({ data: true, acl: true, mode: true }, '{ data: "..." }')
