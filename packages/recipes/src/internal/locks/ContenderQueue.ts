/**
 * A queue of contenders: ephemeral sequential znodes under one parent, each of which waits for one before it. A znode that
 * has a contender's name but is not ephemeral does not contend: it would never go away by itself.
 *
 * Deletes and fenced transactions name paths here. That is enough, because each name has a unique id in it that is never
 * given again.
 *
 * Locks, read-write locks and elections are queues that differ in which contender one waits for. The rules: a position is
 * taken by a protected create, so that a lost reply leaves no orphan in the queue; the order is that of the serial
 * numbers; a contender waits for a single predecessor, and reads the whole queue again whenever that one has gone; no
 * contender's turn has come before the server says that the znode belongs to the current session; and a contender that
 * goes away, by a timeout, an interruption or an error, takes its znode along.
 */
import { acquireForked, awaitDetached, watchScoped } from "@effect-zookeeper/client/Detached"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import { InvalidArgument } from "@effect-zookeeper/client/Errors"
import * as Op from "@effect-zookeeper/client/Op"
import type { Data, Stat } from "@effect-zookeeper/client/ZooKeeper"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { LockTimeout, type RecipeError } from "../../Errors.ts"
import type { HoldOptions } from "../../Held.ts"
import { makeBackoff, untilDefined } from "../shared/backoff.ts"
import { makeDeadline } from "../shared/clock.ts"
import { toBytes } from "../shared/bytes.ts"
import { deleteInBackground, failIfClosing } from "../shared/sessionClose.ts"
import { ensureParents, getChildrenOrNone } from "../shared/requests.ts"
import { retryAcrossSessions, orIfSessionReplaced, retryTransient } from "../shared/retry.ts"
import { checkPath } from "../shared/validate.ts"
import { type ContenderKind, type ContenderNode, type Layout, nodeName, parseContenders } from "./nodeNames.ts"
import { claim, type LossPolicy, type Ownership, release, REVOKE } from "./ownership.ts"

/** A queue of contenders, and how to join it. */
export interface ContenderQueue extends LossPolicy {
  readonly zk: ZooKeeper.Service
  /** The parent of the contenders. */
  readonly path: string
  readonly layout: Layout
  readonly kinds: Readonly<Record<string, ContenderKind>>
  /** Written into the contender's own znode. */
  readonly data: Data
  readonly acl: HoldOptions["acl"]
}

/** The queue of a recipe at a path, by its options, and the kinds of contenders in it. */
export const make = Effect.fnUntraced(function* (
  path: string,
  { acl, identifier, onDisconnect, onRevoke }: HoldOptions,
  kinds: ContenderQueue["kinds"],
  layout?: Layout | undefined
): Effect.fn.Return<ContenderQueue, InvalidArgument, ZooKeeper.ZooKeeper> {
  const zk = yield* ZooKeeper.ZooKeeper
  yield* checkPath(path)
  return {
    zk,
    path,
    // Options may come from JSON, where a key that is left out is often null.
    layout: layout ?? "curator",
    kinds,
    data: toBytes(identifier ?? ""),
    acl,
    onDisconnect: onDisconnect ?? "continue",
    onRevoke: onRevoke ?? "continue"
  }
})

/** The keys of `HoldOptions`. */
export const holdKeys = { identifier: true, acl: true, onDisconnect: true, onRevoke: true } as const

/** The contender that the one at `index` waits for; undefined when its turn has come. */
export type Blocker = (contenders: ReadonlyArray<ContenderNode>, index: number) => ContenderNode | undefined

/** A position in the queue, taken by the session `owner`. */
export interface Position {
  readonly path: string
  readonly owner: bigint
}

/**
 * Takes a position and waits for its turn; gives it back when the Scope closes. `timeout` is in milliseconds; undefined
 * waits forever, and 0 tries once, for a session timeout at most. `sequence` asks for a position by its number instead of
 * the last one.
 */
export const acquire = (
  queue: ContenderQueue,
  kind: string,
  blocker: Blocker,
  timeout: number | undefined,
  sequence?: number
): Effect.Effect<Ownership, RecipeError | LockTimeout, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(makeWaiting(queue, timeout, restore), (waiting) =>
      acquireWaiting(queue, kind, blocker, waiting, sequence)
    )
  )

/** How to wait until something is held. */
export interface Waiting {
  /** Waits interruptibly, and no longer than the timeout. */
  readonly wait: Wait
  /** Whether to try once, instead of waiting for other contenders. */
  readonly isOnce: boolean
  readonly timeoutError: () => LockTimeout
}

/** Waits for an effect, interruptibly and up to a deadline. */
type Wait = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | LockTimeout>

/** Waits for so many milliseconds from now, in a region where only restored effects can be interrupted. */
export const makeWaiting = (
  { path, zk }: Pick<ContenderQueue, "path" | "zk">,
  timeout: number | undefined,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<Waiting> => {
  const isOnce = timeout === 0
  const timeoutError = () => new LockTimeout({ path, timeout: timeout ?? 0 })
  return Effect.map(makeDeadline(isOnce ? zk.session.timeout : timeout), (withDeadline) => ({
    wait: (effect) => restore(withDeadline(effect, timeoutError)),
    isOnce,
    timeoutError
  }))
}

/** `acquire` as a part of something larger. Run it uninterruptibly. */
export const acquireWaiting = Effect.fnUntraced(function* (
  queue: ContenderQueue,
  kind: string,
  blocker: Blocker,
  { isOnce, timeoutError, wait }: Waiting,
  sequence?: number
): Effect.fn.Return<Ownership, RecipeError | LockTimeout, Scope.Scope> {
  const backoff = yield* makeBackoff
  while (true) {
    yield* wait(backoff)
    const position = yield* join(queue, kind, wait, sequence)
    const turn = yield* acquireForked(
      (_, own) =>
        Effect.onExit(wait(awaitTurn(queue, position, blocker, isOnce, own)), (exit) =>
          Exit.isSuccess(exit) && isOwnership(exit.value)
            ? Scope.addFinalizer(own, release(queue.zk, exit.value))
            : deleteInBackground(queue.zk, position.path)
        ),
      isOwnership
    )
    if (isOwnership(turn)) return turn
    if (turn === "Busy") return yield* timeoutError()
  }
})

const isOwnership = (turn: Ownership | "Gone" | "Busy"): turn is Ownership => typeof turn === "object"

/** Takes a position. Run it uninterruptibly: a caller that is interrupted while it waits has none. */
export const join = (
  queue: ContenderQueue,
  kind: string,
  wait: Wait,
  sequence?: number
): Effect.Effect<Position, RecipeError | LockTimeout> =>
  awaitDetached(wait, create(queue, kind, sequence), ({ path }) => deleteInBackground(queue.zk, path))

/** All znodes with a contender's name, in queue order; see `onlyEphemeral`. */
export const contenders = (queue: ContenderQueue): Effect.Effect<ReadonlyArray<ContenderNode>, RecipeError> =>
  retryAcrossSessions(
    queue.zk,
    Effect.flatMap(getChildrenOrNone(queue.zk, queue.path), (children) => inOrderOfArrival(queue, children))
  )

/** The contenders with their `identifier`; leaves out those that have gone by the time they are read. */
export const contendersWithIdentifier = (queue: ContenderQueue): Effect.Effect<ReadonlyArray<Contender>, RecipeError> =>
  Effect.flatMap(contenders(queue), (all) =>
    Effect.map(
      retryAcrossSessions(queue.zk, queue.zk.read(all.map(({ name }) => Op.get(ZnodePath.join(queue.path, name))))),
      (results) =>
        results.flatMap((result, index) =>
          Result.isSuccess(result) && isContender(result.success)
            ? [{ path: ZnodePath.join(queue.path, all[index]!.name), identifier: result.success.data }]
            : []
        )
    )
  )

/**
 * Asks a contender to give its znode up, or each of the holders among all, which `holders` picks. Gives how many were asked:
 * those that are gone by then are not.
 */
export const revoke = (
  queue: ContenderQueue,
  holders: (all: ReadonlyArray<Contender>) => ReadonlyArray<Contender>,
  contender: Pick<Contender, "path"> | undefined
): Effect.Effect<number, RecipeError> =>
  Effect.gen(function* () {
    const { zk } = queue
    if (contender !== undefined) yield* checkContender(queue, contender)
    const asked = contender === undefined ? holders(yield* contendersWithIdentifier(queue)) : [contender]
    let count = 0
    for (const { path } of asked) {
      // The name is never given again, so that no later contender is asked.
      count += yield* retryAcrossSessions(zk, zk.setData(path, REVOKE)).pipe(
        Effect.as(1),
        Effect.catchTag("NoNode", () => Effect.succeed(0)),
        // It names no version.
        Effect.catchTag("BadVersion", Effect.die)
      )
    }
    return count
  })

/** The one holder of a queue in which one holds. */
export const firstContender = (all: ReadonlyArray<Contender>): ReadonlyArray<Contender> => all.slice(0, 1)

const checkContender = (
  { kinds, path }: ContenderQueue,
  contender: Pick<Contender, "path">
): Effect.Effect<void, InvalidArgument> => {
  const value = contender?.path
  const isOurs =
    typeof value === "string" &&
    ZnodePath.parent(value) === path &&
    parseContenders([ZnodePath.name(value)], kinds).length === 1
  const rule = `the path of a contender below ${path}`
  return isOurs ? Effect.void : Effect.fail(new InvalidArgument({ argument: "contender", value: String(value), rule }))
}

/** Whether a znode with a contender's name does contend. */
export const isContender = ({ stat }: { readonly stat: Stat }): boolean => stat.ephemeralOwner !== 0n

/**
 * The ephemeral ones. `known` says which names are, and learns the others by one read; a znode that may not be read counts
 * as a contender.
 */
export const onlyEphemeral = (
  { path, zk }: Pick<ContenderQueue, "path" | "zk">,
  all: ReadonlyArray<ContenderNode>,
  known: Map<string, boolean>
): Effect.Effect<ReadonlyArray<ContenderNode>, RecipeError> => {
  const unknown = all.filter(({ name }) => !known.has(name))
  const learn =
    unknown.length === 0
      ? Effect.void
      : Effect.map(
          retryTransient(zk.read(unknown.map(({ name }) => Op.get(ZnodePath.join(path, name))))),
          (results) => {
            for (const [index, result] of results.entries()) {
              known.set(unknown[index]!.name, Result.isFailure(result) || isContender(result.success))
            }
          }
        )
  return Effect.map(learn, () => all.filter(({ name }) => known.get(name) !== false))
}

/**
 * The contenders among the children of the queue, in order of arrival: by their numbers, as long as these tell. At the end
 * of its range a server's counter stops, or steps back after a few numbers; then the transactions that created the znodes
 * give the order.
 */
export const inOrderOfArrival = (
  { kinds, path, zk }: ContenderQueue,
  children: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<ContenderNode>, RecipeError> => {
  const all = parseContenders(children, kinds)
  if (!all.some(({ sequence }) => isCounterExhausted(sequence))) return Effect.succeed(all)
  return Effect.flatMap(
    retryTransient(zk.read(all.map(({ name }) => Op.get(ZnodePath.join(path, name))))),
    (results) => {
      const aged: Array<{ readonly contender: ContenderNode; readonly czxid: bigint }> = []
      for (const [index, result] of results.entries()) {
        if (Result.isSuccess(result)) aged.push({ contender: all[index]!, czxid: result.success.stat.czxid })
        else if (result.failure._tag === "NoAuth") return Effect.fail(result.failure)
      }
      aged.sort((a, b) => (a.czxid < b.czxid ? -1 : 1))
      return Effect.succeed(aged.map(({ contender }) => contender))
    }
  )
}

/** Whether a number was given when the counter was at its end, or since: such numbers tell no order. */
export const isCounterExhausted = (sequence: number): boolean => sequence < 0 || sequence === 2_147_483_647

/**
 * A client that holds the lock, permit or leadership, or waits for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contender {
  readonly path: string
  /** Its option `identifier`. */
  readonly identifier: Uint8Array
}

/** The contender directly before. */
export const predecessor: Blocker = (contenders, index) => contenders[index - 1]

// ---- internal

const create = (
  { acl, data, kinds, layout, path, zk }: ContenderQueue,
  kind: string,
  sequence: number | undefined
): Effect.Effect<Position, RecipeError> => {
  const number = sequence === undefined ? "" : ZnodePath.formatSequence(sequence)
  const named = (id: string) => nodeName(layout, kinds[kind]!, id) + number
  const mode = sequence === undefined ? "ephemeralSequential" : "ephemeral"
  const options = { mode, data, acl, protected: named } as const
  // `named` makes the name.
  const prefix = ZnodePath.join(path, kind)
  const creating = Effect.andThen(failIfClosing(zk), zk.createWithStat(prefix, options))
  return untilDefined(
    retryAcrossSessions(zk, creating).pipe(
      Effect.map((created): Position => ({ path: created.path, owner: created.stat.ephemeralOwner })),
      // A container may be reaped between the two requests: repeated until it is done.
      Effect.catchTag("NoNode", () => Effect.as(ensureParents(zk, path, acl), undefined)),
      // The id is unique, so it is our own znode, left by a lost reply.
      Effect.catchTag("NodeExists", () => Effect.undefined)
    )
  )
}

/**
 * The ownership when the turn has come, `Gone` when the position is no longer ours, `Busy` when the turn has not come and
 * `isOnce` holds.
 */
const awaitTurn = Effect.fnUntraced(
  function* (queue: ContenderQueue, position: Position, blocker: Blocker, isOnce: boolean, scope: Scope.Scope) {
    const { zk } = queue
    const own = ZnodePath.name(position.path)
    /** Znodes that were in the way and do not contend. */
    const nonContenders = new Set<string>()
    // A queue that is out of date shows positions of a session that is over.
    while (position.owner === zk.session.id) {
      const named = yield* inOrderOfArrival(queue, yield* retryTransient(zk.getChildren(queue.path)))
      const all = nonContenders.size === 0 ? named : named.filter(({ name }) => !nonContenders.has(name))
      const index = all.findIndex(({ name }) => name === own)
      if (index === -1) return "Gone" as const
      const before = blocker(all, index)
      if (before === undefined) return (yield* claim(zk, position.path, queue, scope)) ?? "Gone"
      const isInTheWay = yield* isOnce
        ? isContending(zk, ZnodePath.join(queue.path, before.name))
        : awaitContender(zk, ZnodePath.join(queue.path, before.name))
      if (!isInTheWay) nonContenders.add(before.name)
      else if (isOnce) return "Busy" as const
    }
    return "Gone" as const
  },
  Effect.catchTag("NoNode", () => Effect.succeed("Gone" as const)),
  (effect, { zk }) => orIfSessionReplaced(zk, effect, "Gone" as const)
)

/** Whether a contender is there; one that has just gone counts. */
const isContending = (zk: ZooKeeper.Service, path: string): Effect.Effect<boolean, RecipeError> =>
  Effect.map(retryTransient(zk.stat(path)), (stat) => Option.isNone(stat) || isContender({ stat: stat.value }))

/** The same, and waits until something happens to it. */
const awaitContender = (zk: ZooKeeper.Service, path: string): Effect.Effect<boolean, RecipeError> =>
  Effect.scoped(
    Effect.flatMap(retryTransient(watchScoped(zk.getAndWatch(path))), (seen) =>
      isContender(seen) ? Effect.as(Fiber.join(seen.nextChange), true) : Effect.succeed(false)
    )
  ).pipe(Effect.catchTag("NoNode", () => Effect.succeed(true)))
