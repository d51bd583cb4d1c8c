/**
 * Transactions whose fate can be learnt when their reply is lost.
 *
 * Each carries one write more, to an ephemeral znode that nobody else writes: a witness. Where the reply is lost, the version
 * of the witness tells whether the transaction was applied; it is sent again only if it was not. A witness serves one
 * transaction after the other, and as many are kept as are used at once.
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { type OperationError, TransactionFailed } from "@effect-zookeeper/client/Errors"
import * as Guid from "@effect-zookeeper/client/Guid"
import * as Op from "@effect-zookeeper/client/Op"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { OutcomeUnknown, type RecipeError } from "../Errors.ts"
import { pause } from "./compareAndSet.ts"
import { leave, leaveInBackground } from "./holding.ts"
import { ensure } from "./line.ts"
import { acrossSessions, isRenewed } from "./patience.ts"

/** What transactions are sent with. */
export interface Witnesses {
  /**
   * Applies all or nothing, once. `OutcomeUnknown` only when the session ended before the fate was learnt. `operation` and
   * `path` are what the application asked for.
   */
  readonly transact: (
    subject: { readonly operation: string; readonly path: string },
    ops: ReadonlyArray<Op.Write>
  ) => Effect.Effect<void, TransactionFailed | OutcomeUnknown | RecipeError>
}

/**
 * Witnesses below a path, which are deleted when the Scope closes. All that are made for one client in one Scope share them:
 * a queue that is made for each call leaves nothing behind but what the next one uses.
 */
export const make = Effect.fnUntraced(function* (
  zk: ZooKeeper.Service,
  directory: string,
  acl: ReadonlyArray<Acl.Acl> | undefined
): Effect.fn.Return<Witnesses, never, Scope.Scope> {
  const pool = yield* poolOf(zk)

  const obtain: Effect.Effect<Witness> = Effect.suspend(() => {
    const witness = pool.take(directory)
    if (witness !== undefined) return Effect.succeed(witness)
    return Effect.map(Guid.make, (id): Witness => ({
      directory,
      path: ZnodePath.join(directory, id),
      session: zk.session.id,
      version: undefined
    }))
  })

  const keep = (witness: Witness): Effect.Effect<void> => {
    if (witness.version === undefined) return Effect.void
    // One that was obtained in a session that is over may have been created in the next: it is not counted on.
    const isUsable = witness.session === zk.session.id && witness.version <= lastVersion
    const surplus = isUsable ? pool.give(witness) : witness
    return surplus === undefined ? Effect.void : leaveInBackground(zk, surplus.path)
  }

  /** What became of a transaction without a reply. */
  const learn = Effect.fnUntraced(function* (
    witness: Witness
  ): Effect.fn.Return<"Applied" | "NotApplied" | "Unknown", RecipeError> {
    const { path, session, version } = witness
    // As one: a look at another server than the sync could be a look at the past.
    const now = yield* acrossSessions(zk, Effect.andThen(zk.sync(path), zk.stat(path)))
    if (Option.isNone(now)) return version === undefined && session === zk.session.id ? "NotApplied" : "Unknown"
    if (now.value.version === version) return "NotApplied"
    if (now.value.version !== nextOf(version)) return "Unknown"
    witness.version = nextOf(version)
    return "Applied"
  })

  /** What is interrupted leaves nobody's witness behind. */
  const inHands = <A, E>(witness: Witness, waiting: Effect.Effect<A, E>) =>
    Effect.onError(waiting, () => leaveInBackground(zk, witness.path))

  return {
    transact: ({ operation, path }, ops) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const losses = Outcome.totalLosses()
          while (true) {
            const witness = yield* obtain
            const { version } = witness
            const mark =
              version === undefined
                ? Op.create(witness.path, { mode: "ephemeral", acl })
                : Op.setData(witness.path, "", { version })
            const sent = yield* inHands(witness, restore(Effect.result(zk.transaction([...ops, mark]))))
            if (Result.isSuccess(sent)) {
              witness.version = nextOf(version)
              return yield* keep(witness)
            }
            const error = sent.failure
            if (error._tag === "TransactionFailed") {
              if (error.index < ops.length) {
                yield* keep(witness)
                return yield* new TransactionFailed({ ...error, results: error.results.slice(0, ops.length) })
              }
              // Deleted or written by somebody: another one is taken.
              if (error.error._tag === "NoNode" && version === undefined) yield* restore(ensure(zk, directory, acl))
              else if (isAboutZnodes(error.error)) yield* leaveInBackground(zk, witness.path)
              else return yield* Effect.fail(error.error)
            } else if (Outcome.mayBeApplied(error)) {
              losses.add(error)
              const fate = yield* inHands(witness, restore(Effect.mapError(learn(witness), Outcome.afterWrite)))
              if (fate === "Unknown") {
                yield* leaveInBackground(zk, witness.path)
                return yield* new OutcomeUnknown({ operation, path, reason: "lost" })
              }
              yield* keep(witness)
              if (fate === "Applied") return
              if (error._tag === "ConnectionLoss" && losses.isGivenUp) {
                return yield* Effect.fail(Outcome.unapplied(losses.told(error)))
              }
            } else if (Outcome.isLost(error) || Outcome.isTransient(error)) {
              yield* keep(witness)
              yield* restore(pause(100))
            } else if (!(yield* isRenewed(zk, error))) {
              yield* keep(witness)
              return yield* Effect.fail(error)
            }
          }
        })
      )
  }
})

/** What a znode is to an operation; everything else holds for any znode there. */
type AboutZnodes = Extract<OperationError, { readonly _tag: "NoNode" | "NodeExists" | "BadVersion" | "NotEmpty" }>

/** Whether an operation was refused for what is there, rather than for who asked or how much. */
export const isAboutZnodes = (error: OperationError): error is AboutZnodes =>
  error._tag === "NoNode" || error._tag === "NodeExists" || error._tag === "BadVersion" || error._tag === "NotEmpty"

// ---- internal

interface Witness {
  readonly directory: string
  readonly path: string
  /** The session that it is created in. */
  readonly session: bigint
  /** Undefined before it is created. */
  version: number | undefined
}

const nextOf = (version: number | undefined): number => (version === undefined ? 0 : version + 1)

/** More than this many at once are rare, and those of places that are used no more have to go some time. */
const mostIdle = 16

/** The witnesses of a client that nobody uses at the moment, whichever place they are of. */
class Pool {
  private readonly zk: ZooKeeper.Service
  /** Those that were used last stand at the end. */
  private readonly idle: Array<Witness> = []
  private isClosed = false

  constructor(zk: ZooKeeper.Service) {
    this.zk = zk
  }

  take(directory: string): Witness | undefined {
    while (true) {
      const at = this.idle.findLastIndex((witness) => witness.directory === directory)
      if (at === -1) return undefined
      const [witness] = this.idle.splice(at, 1)
      // Those of a session that is over are gone, or will be.
      if (witness?.session === this.zk.session.id) return witness
    }
  }

  /** Gives the one that is to be deleted for it. */
  give(witness: Witness): Witness | undefined {
    if (this.isClosed) return witness
    this.idle.push(witness)
    return this.idle.length > mostIdle ? this.idle.shift() : undefined
  }

  readonly close: Effect.Effect<void> = Effect.suspend(() => {
    this.isClosed = true
    return Effect.forEach(this.idle.splice(0), ({ path }) => leave(this.zk, path), {
      concurrency: "unbounded",
      discard: true
    })
  })
}

/** By the Scope that they live in, and the client. */
const pools = new WeakMap<Scope.Scope, WeakMap<ZooKeeper.Service, Pool>>()

const poolOf = (zk: ZooKeeper.Service): Effect.Effect<Pool, never, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (scope) => {
    let ofScope = pools.get(scope)
    if (ofScope === undefined) pools.set(scope, (ofScope = new WeakMap()))
    const there = ofScope.get(zk)
    if (there !== undefined) return Effect.succeed(there)
    const pool = new Pool(zk)
    ofScope.set(zk, pool)
    return Effect.as(Scope.addFinalizer(scope, pool.close), pool)
  })

/** Before the versions wrap. */
const lastVersion = 2_000_000_000
