/**
 * The methods that watch: one event, all events, or the newest state.
 */
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import type { NoAuth, NoNode } from "@effect-zookeeper/protocol/ServerError"
import type { Gap, WatchEvent } from "@effect-zookeeper/protocol/WatchEvent"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { Changed, RequestPath } from "@effect-zookeeper/session/Session"
import type {
  ConnectionLoss,
  ServerRefused,
  SessionClosed,
  SessionError,
  SessionExpired
} from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { watchScoped } from "../../Detached.ts"
import type { Service } from "../../Service.ts"
import { invalid } from "../validate.ts"
import { traced } from "../tracing.ts"
import { eventsOptions } from "../methodOptions.ts"
import { isSessionReplaced, retryTransient } from "../../Outcome.ts"
import { readData } from "../data.ts"
import { toClientChanged, toClientWatchEnd, send, toClient, withPath } from "../View.ts"
import type { View } from "../View.ts"

type Rows = "getAndWatch" | "existsAndWatch" | "getChildrenAndWatch" | "events" | "dataChanges" | "childrenChanges"

/** The reasons for which a watch ends. */
type WatchEnd = SessionExpired | SessionClosed | ConnectionLoss

/** How many events may wait for a reader before they are replaced by one Gap. */
const eventBuffer = 8_192

export const makeWatch = (view: View): Pick<Service, Rows> => ({
  getAndWatch: (path) => withPath(view, path, (server) => watchData(view, { server, client: path })),
  existsAndWatch: (path) => withPath(view, path, (server) => watchExists(view, { server, client: path })),
  getChildrenAndWatch: (path) => withPath(view, path, (server) => watchChildren(view, { server, client: path })),
  events: (path, options) => {
    const mistake = KnownOptions.check(eventsOptions, options)
    if (mistake !== undefined) return Stream.fail(mistake)
    const rule = ZnodePath.check(path)
    return rule === undefined
      ? events(view, path, options?.recursive === true, options?.onReady)
      : Stream.fail(invalid("path", path, rule))
  },
  dataChanges: (path) =>
    changes(view, path, (self, at) =>
      Effect.map(watchData(self, at), ({ changed, data, stat }) => ({
        value: { data, stat },
        zxid: stat.mzxid,
        changed
      }))
    ),
  childrenChanges: (path) =>
    changes(view, path, (self, at) =>
      Effect.map(watchChildren(self, at), ({ changed, children, stat }) => ({
        value: { children, stat },
        zxid: stat.pzxid,
        // A counter of children that has reached its end moves the pzxid no more: of equal ones the longer list is the newer.
        size: stat.numChildren,
        changed
      }))
    )
})

// -----------------------------------------------------------------------------
// one event
// -----------------------------------------------------------------------------

const watchData = (view: View, path: RequestPath) =>
  Effect.map(traced(view.session.info, "getData", path.client, view.session.watchData(path)), (watched) => {
    view.versions?.rememberData(path.server, watched.response.stat.version)
    return {
      data: readData(watched.response.data),
      stat: watched.response.stat,
      changed: toClientChanged(view, watched.changed)
    }
  })

const watchExists = (view: View, path: RequestPath) =>
  Effect.map(traced(view.session.info, "exists", path.client, view.session.watchExists(path)), (watched) => ({
    stat: Option.map(Option.fromUndefinedOr(watched.response), ({ stat }) => stat),
    changed: toClientChanged(view, watched.changed)
  }))

const watchChildren = (view: View, path: RequestPath) =>
  Effect.map(traced(view.session.info, "getChildren2", path.client, view.session.watchChildren(path)), (watched) => ({
    children: watched.response.children,
    stat: watched.response.stat,
    changed: toClientChanged(view, watched.changed)
  }))

// -----------------------------------------------------------------------------
// all events
// -----------------------------------------------------------------------------

const events = (
  view: View,
  path: string,
  recursive: boolean,
  onReady: (() => void) | undefined
): Stream.Stream<WatchEvent | Gap, SessionError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const queue = yield* Queue.unbounded<WatchEvent | Gap, WatchEnd | ServerRefused>()
      const server = ZnodePath.toServer(view.chroot, path)
      const listening = view.session.watchPersistently(
        { server, client: path },
        {
          recursive,
          listener: {
            onEvent: (event) => {
              if (Queue.sizeUnsafe(queue) >= eventBuffer) {
                // For a reader this far behind, a fresh look is better than a long past.
                while (Queue.sizeUnsafe(queue) > 0) Queue.takeUnsafe(queue)
                Queue.offerUnsafe(queue, { type: "Gap", path })
              }
              Queue.offerUnsafe(queue, { ...event, path: toClient(view, event.path) })
            },
            onEnd: (reason) => {
              Queue.failCauseUnsafe(queue, Cause.fail(toClientWatchEnd(view, reason)))
            }
          }
        }
      )
      // If the session expires before the server has the watch, the stream begins in the new session.
      let begun = yield* Effect.exit(listening)
      while (yield* isRenewed(view, begun)) begun = yield* Effect.exit(listening)
      onReady?.()
      return Stream.fromQueue(queue)
    })
  ).pipe(untilClosed)

/** Ends the stream quietly when the application closes its own client. */
const untilClosed = <A, E extends { readonly _tag: string }>(stream: Stream.Stream<A, E>): Stream.Stream<A, E> =>
  Stream.catchIf(
    stream,
    (error) => error._tag === "SessionClosed",
    () => Stream.empty
  )

// -----------------------------------------------------------------------------
// the newest state
// -----------------------------------------------------------------------------

/** The state of a znode, or none, with the transaction that made it. */
interface State<A> {
  readonly value: Option.Option<A>
  readonly zxid: bigint
  /** The history of the ensemble that the transaction belongs to. */
  readonly history: number
  /** Orders states of the same zxid: it grows from one to the next. */
  readonly size: number
  /** Waits for the one-shot watch that was registered with the read. */
  readonly changed: Changed
}

type ReadAndWatch<A> = (
  view: View,
  path: RequestPath
) => Effect.Effect<
  { readonly value: A; readonly zxid: bigint; readonly size?: number; readonly changed: Changed },
  NoNode | NoAuth | SessionError
>

interface LastEmitted {
  /** The newest transaction that was emitted; -1 before the first. */
  readonly zxid: bigint
  readonly history: number
  readonly size: number
  /** Whether the state that was emitted last was a znode; undefined before the first. */
  readonly present: boolean | undefined
  readonly changed: Fiber.Fiber<unknown, WatchEnd> | undefined
}

const nothingEmitted: LastEmitted = { zxid: -1n, history: 0, size: 0, present: undefined, changed: undefined }

const changes = <A>(
  view: View,
  path: string,
  readAndWatch: ReadAndWatch<A>
): Stream.Stream<Option.Option<A>, NoAuth | InvalidArgument | SessionError> => {
  const rule = ZnodePath.check(path)
  if (rule !== undefined) return Stream.fail(invalid("path", path, rule))
  const at = { server: ZnodePath.toServer(view.chroot, path), client: path }
  return Stream.unwrap(
    Effect.map(Effect.scope, (scope) =>
      Stream.unfold(nothingEmitted, (last) => nextState(view, at, readAndWatch, last, scope))
    )
  ).pipe(untilClosed)
}

/** Waits for a state that is newer than the one that was emitted last. */
const nextState = Effect.fnUntraced(function* <A>(
  view: View,
  path: RequestPath,
  readAndWatch: ReadAndWatch<A>,
  last: LastEmitted,
  scope: Scope.Scope
): Effect.fn.Return<readonly [Option.Option<A>, LastEmitted], NoAuth | SessionError> {
  let waiting = last.changed
  let current = readOnce(view, path, readAndWatch)
  while (true) {
    if (waiting !== undefined) {
      const ended: Exit.Exit<unknown, WatchEnd> = yield* Fiber.await(waiting)
      waiting = undefined
      // The new session may be with a server that lags, and must not emit an older state.
      if (yield* isRenewed(view, ended)) current = readAfterSync(view, path, readAndWatch)
    }
    // In the Scope of the stream, whose end drops the watch.
    const outcome = yield* Effect.exit(Effect.provideService(watchScoped(current), Scope.Scope, scope))
    if (yield* isRenewed(view, outcome)) {
      current = readAfterSync(view, path, readAndWatch)
      continue
    }
    const state = yield* outcome
    current = readOnce(view, path, readAndWatch)
    waiting = state.nextChange
    const present = Option.isSome(state.value)
    if (present ? isNewer(state, last) : last.present !== false) {
      const { history, size, zxid } = present ? state : last
      return [state.value, { zxid, history, size, present, changed: waiting }]
    }
  }
})

type Age = Pick<LastEmitted, "zxid" | "history" | "size">

/** Zxids are comparable within one history; every state of a later history is newer. */
const isNewer = (a: Age, b: Age): boolean => {
  if (a.history !== b.history) return a.history > b.history
  return a.zxid === b.zxid ? a.size > b.size : a.zxid > b.zxid
}

/** Whether the outcome is an expiry that a new session follows. Fails if no session follows. */
const isRenewed = <E extends NoAuth | SessionError>(
  view: View,
  exit: Exit.Exit<unknown, E>
): Effect.Effect<boolean, E> => {
  if (Exit.isSuccess(exit)) return Effect.succeed(false)
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isNone(error) || error.value._tag !== "SessionExpired") return Effect.as(exit, false)
  const expired = error.value
  return Effect.flatMap(isSessionReplaced(view.session.info), (followed) =>
    followed ? Effect.succeed(true) : Effect.fail(expired)
  )
}

const readAfterSync = <A>(view: View, path: RequestPath, readAndWatch: ReadAndWatch<A>) =>
  Effect.andThen(
    retryTransient(send(view, Operations.sync, { path: path.server }, path.client)),
    readOnce(view, path, readAndWatch)
  )

/** Reads the current state and registers a watch, also for a znode that does not exist. */
const readOnce = <A>(
  view: View,
  path: RequestPath,
  readAndWatch: ReadAndWatch<A>
): Effect.Effect<State<A>, NoAuth | SessionError> => {
  const there = Effect.map(readAndWatch(view, path), (seen): State<A> => ({
    value: Option.some(seen.value),
    zxid: seen.zxid,
    history: view.session.info.history,
    size: seen.size ?? 0,
    changed: seen.changed
  }))
  const absent = Effect.flatMap(
    watchExists(view, path),
    ({ changed, stat }): Effect.Effect<State<A>, NoAuth | SessionError> =>
      Option.isNone(stat)
        ? Effect.succeed({ value: Option.none(), zxid: -1n, history: view.session.info.history, size: 0, changed })
        : // The znode was created between the two reads.
          Effect.andThen(dropWatch(changed), readOnce(view, path, readAndWatch))
  )
  return retryTransient(Effect.catchTag(there, "NoNode", () => absent))
}

/** Drops a watch: a wait for it that is interrupted does so. */
const dropWatch = (changed: Changed): Effect.Effect<void> =>
  Effect.flatMap(Effect.forkChild(changed, { startImmediately: true }), Fiber.interrupt)
