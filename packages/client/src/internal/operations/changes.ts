/**
 * The streams of the newest state: `dataChanges` and `childrenChanges`.
 *
 * Each state is read together with a one-shot watch, which tells when to read again, also after a lost connection. Two more
 * things are for servers that keep back the events of znodes that this client may not read: a persistent watch
 * (`WatchKeeper`), and a look at the Stat at long intervals, because nothing is told when the right to read is given back.
 */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import type { NoAuth, NoNode } from "@effect-zookeeper/protocol/ServerError"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { Changed, RequestPath } from "@effect-zookeeper/session/Session"
import type {
  ConnectionLoss,
  SessionClosed,
  SessionError,
  SessionExpired
} from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { watchScoped } from "../../Detached.ts"
import type { Stat } from "../../Models.ts"
import { retryTransient } from "../../Outcome.ts"
import { invalid } from "../validate.ts"
import { send } from "../View.ts"
import type { View } from "../View.ts"
import { isRenewed } from "./isRenewed.ts"
import { readStat } from "./read.ts"
import { makeWatchKeeper, type WatchKeeper } from "./watchKeeper.ts"

/** The reasons for which a watch ends. */
export type WatchEnd = SessionExpired | SessionClosed | ConnectionLoss

/** The state that a stream shows, and how it is read. */
export interface Followed<A> {
  readonly read: (
    path: RequestPath
  ) => Effect.Effect<
    { readonly value: A; readonly stat: Stat; readonly changed: Changed },
    NoNode | NoAuth | SessionError
  >
  readonly ageOf: (stat: Stat) => { readonly zxid: bigint; readonly size: number }
  /** Looks for the znode, with a watch for its creation. */
  readonly exists: (
    path: RequestPath
  ) => Effect.Effect<{ readonly stat: Option.Option<Stat>; readonly changed: Changed }, NoAuth | SessionError>
}

/** The current state of a znode, then each newer one. */
export const changes = <A>(
  view: View,
  path: string,
  followed: Followed<A>
): Stream.Stream<Option.Option<A>, NoAuth | InvalidArgument | SessionError> => {
  const rule = ZnodePath.check(path)
  if (rule !== undefined) return Stream.fail(invalid("path", path, rule))
  const at = { server: ZnodePath.toServer(view.chroot, path), client: path }
  const open = Effect.gen(function* () {
    const scope = yield* Effect.scope
    yield* Effect.acquireRelease(
      Effect.sync(() => view.following.streams++),
      () => Effect.sync(() => view.following.streams--)
    )
    const stream = { view, path: at, followed, scope, keeper: makeWatchKeeper(view, at, scope) }
    return Stream.unfold(nothingEmitted, (last) => nextState(stream, last))
  })
  return untilClosed(Stream.unwrap(open))
}

/** Ends a stream quietly when the application closes its own client. */
export const untilClosed = <A, E extends { readonly _tag: string }>(stream: Stream.Stream<A, E>): Stream.Stream<A, E> =>
  Stream.catchIf(
    stream,
    (error) => error._tag === "SessionClosed",
    () => Stream.empty
  )

// -----------------------------------------------------------------------------
// states and their order
// -----------------------------------------------------------------------------

interface Age {
  /** The transaction that made the state. */
  readonly zxid: bigint
  /** The history of the ensemble that the transaction belongs to. */
  readonly history: number
  /** Orders states of the same zxid: it grows from one to the next. */
  readonly size: number
}

/** The state of a znode, or none. */
interface State<A> extends Age {
  readonly value: Option.Option<A>
  /** Waits for the one-shot watch that was registered with the read. */
  readonly changed: Changed
}

/** The newest state that was emitted; its zxid is -1 before the first. */
interface LastEmitted extends Age {
  /** Whether the state that was emitted last was a znode; undefined before the first. */
  readonly present: boolean | undefined
  readonly changed: Fiber.Fiber<unknown, WatchEnd> | undefined
}

const nothingEmitted: LastEmitted = { zxid: -1n, history: 0, size: 0, present: undefined, changed: undefined }

/** Zxids are comparable within one history; every state of a later history is newer. */
const isNewer = (a: Age, b: Age): boolean => {
  if (a.history !== b.history) return a.history > b.history
  return a.zxid === b.zxid ? a.size > b.size : a.zxid > b.zxid
}

// -----------------------------------------------------------------------------
// the next state
// -----------------------------------------------------------------------------

/** One stream while it is open. */
interface OpenStream<A> {
  readonly view: View
  readonly path: RequestPath
  readonly followed: Followed<A>
  /** The end of the stream drops its watches. */
  readonly scope: Scope.Scope
  readonly keeper: WatchKeeper
}

/** Waits for a state that is newer than the one that was emitted last. */
const nextState = Effect.fnUntraced(function* <A>(
  stream: OpenStream<A>,
  last: LastEmitted
): Effect.fn.Return<readonly [Option.Option<A>, LastEmitted], NoAuth | SessionError> {
  const { keeper, scope, view } = stream
  let waiting = last.changed
  let current = readOnce(stream)
  while (true) {
    let looked = false
    if (waiting !== undefined) {
      const ended: Exit.Exit<unknown, WatchEnd> | undefined = yield* awaitChange(stream, last, waiting)
      looked = ended === undefined
      // The new session may be with a server that lags, and must not emit an older state.
      if (ended !== undefined && (yield* isRenewed(view, ended))) current = readAfterSync(stream)
    }
    const outcome = yield* Effect.exit(Effect.provideService(current, Scope.Scope, scope))
    if (looked && isNoAuth(outcome)) continue
    if (looked && waiting !== undefined) yield* Fiber.interrupt(waiting)
    waiting = undefined
    if (yield* isRenewed(view, outcome)) {
      current = readAfterSync(stream)
      continue
    }
    const state = yield* outcome
    yield* keeper.keep
    current = readOnce(stream)
    waiting = state.nextChange
    const present = Option.isSome(state.value)
    if (present ? isNewer(state, last) : last.present !== false) {
      const { history, size, zxid } = present ? state : last
      return [state.value, { zxid, history, size, present, changed: waiting }]
    }
  }
})

const isNoAuth = (exit: Exit.Exit<unknown, NoAuth | SessionError>): boolean =>
  Exit.isFailure(exit) && Option.exists(Cause.findErrorOption(exit.cause), (error) => error._tag === "NoAuth")

// -----------------------------------------------------------------------------
// reading
// -----------------------------------------------------------------------------

const readAfterSync = <A>(stream: OpenStream<A>) =>
  Effect.andThen(
    retryTransient(send(stream.view, Operations.sync, { path: stream.path.server }, stream.path.client)),
    readOnce(stream)
  )

/**
 * Reads the current state and registers a watch, also for a znode that does not exist. Each attempt is waited for on its
 * own, so that an interruption ends the pauses between them.
 */
const readOnce = <A>(stream: OpenStream<A>) => retryTransient(watchScoped(attemptRead(stream)))

const attemptRead = <A>(stream: OpenStream<A>): Effect.Effect<State<A>, NoAuth | SessionError> => {
  const { followed, path, view } = stream
  const there = Effect.map(followed.read(path), ({ changed, stat, value }): State<A> => ({
    value: Option.some(value),
    ...followed.ageOf(stat),
    history: view.session.info.history,
    changed
  }))
  const absent = Effect.flatMap(
    followed.exists(path),
    ({ changed, stat }): Effect.Effect<State<A>, NoAuth | SessionError> =>
      Option.isNone(stat)
        ? Effect.succeed({ value: Option.none(), zxid: -1n, history: view.session.info.history, size: 0, changed })
        : // The znode was created between the two reads.
          Effect.andThen(dropWatch(changed), attemptRead(stream))
  )
  return Effect.catchTag(there, "NoNode", () => absent)
}

/** Drops a watch: a wait for it that is interrupted does so. */
const dropWatch = (changed: Changed): Effect.Effect<void> =>
  Effect.flatMap(Effect.forkChild(changed, { startImmediately: true }), Fiber.interrupt)

// -----------------------------------------------------------------------------
// looking
// -----------------------------------------------------------------------------

/** A stream looks this often at most, in milliseconds. */
const LOOK_INTERVAL = 60_000

/** All streams of a client together look once in this many milliseconds at most, on average. */
const LOOK_SHARE = 1_000

/** Waits until the watch has ended; undefined when a look has found a newer state before. */
const awaitChange = Effect.fnUntraced(function* <A>(
  stream: OpenStream<A>,
  last: LastEmitted,
  waiting: Fiber.Fiber<unknown, WatchEnd>
): Effect.fn.Return<Exit.Exit<unknown, WatchEnd> | undefined> {
  const { following } = stream.view
  while (true) {
    const interval = Math.max(LOOK_INTERVAL, following.streams * LOOK_SHARE) * (1 + (yield* Random.next))
    const ended = yield* Effect.timeoutOption(Fiber.await(waiting), interval)
    if (Option.isSome(ended)) return ended.value
    if (!stream.keeper.isNeeded()) continue
    yield* stream.keeper.keep
    if (yield* hasNewerState(stream, last)) return undefined
  }
})

/** Whether the Stat is that of a newer state. A look that fails shows none: the watch tells of the end of the session. */
const hasNewerState = <A>({ followed, path, view }: OpenStream<A>, last: LastEmitted): Effect.Effect<boolean> =>
  Effect.match(readStat(view, path.server, path.client), {
    onFailure: () => false,
    onSuccess: (stat) =>
      stat === undefined
        ? last.present !== false
        : last.present === false || isNewer({ ...followed.ageOf(stat), history: view.session.info.history }, last)
  })
