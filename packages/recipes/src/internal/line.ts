/**
 * A line of contenders: ephemeral sequential znodes under one parent, each waiting for one that stands before it. What has a
 * contender's name and is not ephemeral contends for nothing: nobody would ever take it away.
 *
 * Deletes and fences go by path here, and need no more: each name has an id in it that nobody else gives, and that is never
 * given again.
 *
 * Locks, read-write locks and elections are lines that differ in whom one waits for. The rules: a place is taken by a
 * protected create, so that a lost reply leaves nobody's znode in the line; the order is that of serial numbers; one waits
 * for a single predecessor, and looks at the whole line again whenever it has gone; nobody's turn has come before the
 * server says that the znode belongs to the session of the moment; and whoever goes away, by a timeout, an interruption
 * or an error, takes the znode along.
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import * as Op from "@effect-zookeeper/client/Op"
import type { Data, Stat } from "@effect-zookeeper/client/ZooKeeper"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { LockTimeout, type RecipeError } from "../Errors.ts"
import type { Layout } from "../Lock.ts"
import { makeCalmly } from "./calmly.ts"
import { claim, type Holding, leaveInBackground, type OnDisconnect, release, unlessClosing } from "./holding.ts"
import { type Contender, contendersOf, type Kind, nameFor } from "./layout.ts"
import { acrossSessions, orRenewed, patiently } from "./patience.ts"
import { inHand, watched } from "./watching.ts"

/** A line, and how one stands in it. */
export interface Line {
  readonly zk: ZooKeeper.Service
  /** The parent of the places. */
  readonly path: string
  readonly layout: Layout
  readonly kinds: Readonly<Record<string, Kind>>
  /** Written into one's place. */
  readonly data: Data
  readonly acl: ReadonlyArray<Acl.Acl> | undefined
  readonly onDisconnect: OnDisconnect
}

/** Whom the contender at `index` waits for; undefined when its turn has come. */
export type Blocker = (contenders: ReadonlyArray<Contender>, index: number) => Contender | undefined

/** A place in the line, taken by the session `owner`. */
export interface Place {
  readonly path: string
  readonly owner: bigint
}

/**
 * Takes a place and waits for its turn; gives it back when the Scope closes. `timeout` in milliseconds, none if left out;
 * with 0 it tries once, for a session timeout at most. `at` is a place of one's own choice, instead of the last one.
 */
export const take = (
  line: Line,
  kind: string,
  blocker: Blocker,
  timeout: number | undefined,
  at?: number
): Effect.Effect<Holding, RecipeError | LockTimeout, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(waitingFor(line, timeout, restore), (waiting) => takeBy(line, kind, blocker, waiting, at))
  )

/** How one waits, for all that has to be waited for until something is held. */
export interface Waiting {
  /** Waits interruptibly, and no longer than there is time. */
  readonly wait: Wait
  /** Whether one tries once, instead of waiting for others. */
  readonly isOnce: boolean
  readonly tooLate: LockTimeout
}

/** Something that is waited for, interruptibly and not for ever. */
export type Wait = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E | LockTimeout>

/** Waiting for so many milliseconds from now, in a region where only what is restored can be interrupted. */
export const waitingFor = (
  { path, zk }: Pick<Line, "path" | "zk">,
  timeout: number | undefined,
  restore: <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>
): Effect.Effect<Waiting> => {
  const isOnce = timeout === 0
  const tooLate = new LockTimeout({ path, timeout: timeout ?? 0 })
  return Effect.map(withinFrom(isOnce ? zk.session.timeout : timeout), (until) => ({
    wait: (effect) => restore(until(effect, tooLate)),
    isOnce,
    tooLate
  }))
}

/** `take` as a part of something larger. To be run uninterruptibly. */
export const takeBy = Effect.fnUntraced(function* (
  line: Line,
  kind: string,
  blocker: Blocker,
  { isOnce, tooLate, wait }: Waiting,
  at?: number
): Effect.fn.Return<Holding, RecipeError | LockTimeout, Scope.Scope> {
  const scope = yield* Effect.scope
  const calmly = yield* makeCalmly
  while (true) {
    yield* wait(calmly)
    const place = yield* enter(line, kind, wait, at)
    const standing = yield* Scope.fork(scope)
    const exit = yield* Effect.exit(wait(awaitTurn(line, place, blocker, isOnce, standing)))
    if (Exit.isSuccess(exit) && typeof exit.value === "object") {
      yield* Scope.addFinalizer(scope, release(line.zk, exit.value))
      return exit.value
    }
    yield* leaveInBackground(line.zk, place.path)
    yield* Scope.close(standing, Exit.void)
    if (Exit.isFailure(exit)) return yield* Effect.failCause(exit.cause)
    if (exit.value === "Busy") return yield* tooLate
  }
})

/** Takes a place. To be run uninterruptibly: whoever stops to wait has none. */
export const enter = (
  line: Line,
  kind: string,
  wait: Wait,
  at?: number
): Effect.Effect<Place, RecipeError | LockTimeout> =>
  inHand(wait, create(line, kind, at), ({ path }) => leaveInBackground(line.zk, path))

/** Those who have a contender's name, first come first; see `ephemeral`. */
export const contenders = (line: Line): Effect.Effect<ReadonlyArray<Contender>, RecipeError> =>
  acrossSessions(
    line.zk,
    Effect.flatMap(line.zk.getChildren(line.path), (children) => inLine(line, children))
  ).pipe(Effect.catchTag("NoNode", () => Effect.succeed([])))

/** The contenders with what they wrote into their places; who is gone by the time of the look is left out. */
export const identified = (line: Line): Effect.Effect<ReadonlyArray<Identified>, RecipeError> =>
  Effect.flatMap(contenders(line), (all) =>
    Effect.map(
      acrossSessions(line.zk, line.zk.read(all.map(({ name }) => Op.get(ZnodePath.join(line.path, name))))),
      (results) =>
        results.flatMap((result, index) =>
          Result.isSuccess(result) && isContender(result.success)
            ? [{ path: ZnodePath.join(line.path, all[index]!.name), identifier: result.success.data }]
            : []
        )
    )
  )

/** Whether what stands at the place of a contender is one. */
export const isContender = ({ stat }: { readonly stat: Stat }): boolean => stat.ephemeralOwner !== 0n

/**
 * Those that are ephemeral. `known` says which names are, and learns the others, all by one read; who may not be read is taken
 * for a contender.
 */
export const ephemeral = (
  { path, zk }: Pick<Line, "path" | "zk">,
  all: ReadonlyArray<Contender>,
  known: Map<string, boolean>
): Effect.Effect<ReadonlyArray<Contender>, RecipeError> => {
  const unknown = all.filter(({ name }) => !known.has(name))
  const learn =
    unknown.length === 0
      ? Effect.void
      : Effect.map(patiently(zk.read(unknown.map(({ name }) => Op.get(ZnodePath.join(path, name))))), (results) => {
          for (const [index, result] of results.entries()) {
            known.set(unknown[index]!.name, Result.isFailure(result) || isContender(result.success))
          }
        })
  return Effect.map(learn, () => all.filter(({ name }) => known.get(name) !== false))
}

/**
 * The contenders among the children of the line, first come first: by their numbers, as long as these tell. At the end of
 * its range the counter of a server stands still, or steps back again after a few numbers: then the transactions tell that
 * created them.
 */
export const inLine = (
  { kinds, path, zk }: Line,
  children: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<Contender>, RecipeError> => {
  const all = contendersOf(children, kinds)
  if (!all.some(({ sequence }) => isUsedUp(sequence))) return Effect.succeed(all)
  return Effect.flatMap(patiently(zk.read(all.map(({ name }) => Op.get(ZnodePath.join(path, name))))), (results) => {
    const aged: Array<{ readonly contender: Contender; readonly czxid: bigint }> = []
    for (const [index, result] of results.entries()) {
      if (Result.isSuccess(result)) aged.push({ contender: all[index]!, czxid: result.success.stat.czxid })
      else if (result.failure._tag === "NoAuth") return Effect.fail(result.failure)
    }
    aged.sort((a, b) => (a.czxid < b.czxid ? -1 : 1))
    return Effect.succeed(aged.map(({ contender }) => contender))
  })
}

/** Whether a number was given when the counter was at its end, or has been there since: such numbers tell no order. */
export const isUsedUp = (sequence: number): boolean => sequence < 0 || sequence === 2_147_483_647

/** A contender and what it wrote. */
export interface Identified {
  readonly path: string
  readonly identifier: Uint8Array
}

/** Whoever stands directly before one. */
export const predecessor: Blocker = (contenders, index) => contenders[index - 1]

// ---- internal

const create = (
  { acl, data, kinds, layout, path, zk }: Line,
  kind: string,
  at: number | undefined
): Effect.Effect<Place, RecipeError> => {
  const number = at === undefined ? "" : ZnodePath.formatSequence(at)
  const named = (id: string) => nameFor(layout, kinds[kind]!, id) + number
  const mode = at === undefined ? "ephemeralSequential" : "ephemeral"
  const options = { mode, data, acl, protected: named } as const
  // The name is made by `named`.
  const prefix = ZnodePath.join(path, kind)
  const creating = Effect.andThen(unlessClosing(zk), zk.createWithStat(prefix, options))
  const once: Effect.Effect<Place, RecipeError> = acrossSessions(zk, creating).pipe(
    Effect.map((created) => ({ path: created.path, owner: created.stat.ephemeralOwner })),
    // A container may be reaped between the two: as often as it takes.
    Effect.catchTag("NoNode", () => Effect.andThen(ensure(zk, path, acl), once)),
    // Nobody else has this id.
    Effect.catchTag("NodeExists", () => once)
  )
  return once
}

/** Creates a parent, as containers. */
export const ensure = (zk: ZooKeeper.Service, path: string, acl: ReadonlyArray<Acl.Acl> | undefined) =>
  // An ancestor that is reaped meanwhile is created at the next round.
  Effect.catchTag(acrossSessions(zk, zk.ensurePath(path, { acl })), "NoNode", () => Effect.void)

/** The Holding when the turn has come, `Gone` when the place is no longer ours, `Busy` when one does not wait. */
const awaitTurn = Effect.fnUntraced(
  function* (line: Line, place: Place, blocker: Blocker, isOnce: boolean, scope: Scope.Scope) {
    const { zk } = line
    const own = ZnodePath.name(place.path)
    /** What stood in the way and contends for nothing. */
    const others = new Set<string>()
    // A line of the past shows places of a session that is over.
    while (place.owner === zk.session.id) {
      const named = yield* inLine(line, yield* patiently(zk.getChildren(line.path)))
      const all = others.size === 0 ? named : named.filter(({ name }) => !others.has(name))
      const index = all.findIndex(({ name }) => name === own)
      if (index === -1) return "Gone" as const
      const before = blocker(all, index)
      if (before === undefined) return (yield* claim(zk, place.path, line.onDisconnect, scope)) ?? "Gone"
      const isInTheWay = yield* isOnce
        ? stands(zk, ZnodePath.join(line.path, before.name))
        : awaitContender(zk, ZnodePath.join(line.path, before.name))
      if (!isInTheWay) others.add(before.name)
      else if (isOnce) return "Busy" as const
    }
    return "Gone" as const
  },
  Effect.catchTag("NoNode", () => Effect.succeed("Gone" as const)),
  (effect, { zk }) => orRenewed(zk, effect, "Gone" as const)
)

/** Whether a contender stands there; one that has just gone did. */
const stands = (zk: ZooKeeper.Service, path: string): Effect.Effect<boolean, RecipeError> =>
  Effect.map(patiently(zk.stat(path)), (stat) => Option.isNone(stat) || isContender({ stat: stat.value }))

/** The same, and waits until something happens to it. */
const awaitContender = (zk: ZooKeeper.Service, path: string): Effect.Effect<boolean, RecipeError> =>
  Effect.scoped(
    Effect.flatMap(watched(patiently(zk.getAndWatch(path))), (seen) =>
      isContender(seen) ? Effect.as(Fiber.join(seen.changing), true) : Effect.succeed(false)
    )
  ).pipe(Effect.catchTag("NoNode", () => Effect.succeed(true)))

/** Waits until something happens to a znode; at once when there is none. */
export const awaitChange = (zk: ZooKeeper.Service, path: string): Effect.Effect<void, RecipeError> =>
  Effect.scoped(
    Effect.flatMap(watched(patiently(zk.getAndWatch(path))), ({ changing }) => Effect.asVoid(Fiber.join(changing)))
  ).pipe(Effect.catchTag("NoNode", () => Effect.void))

/** Fails what takes longer than there is time. */
export type Until = <A, E, Late>(effect: Effect.Effect<A, E>, late: Late) => Effect.Effect<A, E | Late>

/** Bounds all that is waited for by one common deadline, so many milliseconds from now; by none if left out. */
export const withinFrom = (millis: number | undefined): Effect.Effect<Until> =>
  millis === undefined
    ? Effect.succeed((effect) => effect)
    : Effect.map(Clock.monotonicTimeNanos, (start): Until => {
        const deadline = Number(start) / 1e6 + millis
        return (effect, late) =>
          Effect.flatMap(Clock.monotonicTimeNanos, (now) =>
            Effect.timeoutOrElse(effect, {
              duration: Math.max(0, deadline - Number(now) / 1e6),
              orElse: () => Effect.fail(late)
            })
          )
      })
