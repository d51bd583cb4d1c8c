/**
 * The search for a server that gives the session.
 *
 * Connections are opened side by side: the next address is tried when one has failed, or a moment later while it is still
 * silent (as RFC 8305 has it). The session itself is asked for on one connection at a time. A server that has been asked may
 * grant it whatever becomes of the connection, and two sessions would be one too many.
 */
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { Timer, TimerQueue } from "../time/TimerQueue.ts"
import {
  askForSession,
  type AskingSession,
  type Candidate,
  type Expired,
  type Failed,
  failedBy,
  type Found,
  openCandidate,
  type Opened,
  type Outcome,
  reportDefect,
  resolve,
  type Step
} from "./askServer.ts"

/** After this many milliseconds the next address is tried while this one is still silent. */
const STAGGER = 250

/** The parts of a session that a search takes. */
export interface SearchingSession extends AskingSession {
  readonly timers: TimerQueue
  /** Tells when the next address has its turn. */
  readonly connectionTimer: Timer
  /** Whether the session is over for good. */
  readonly isFinal: boolean
}

/** The caller of a search: it gives the servers, and is told what becomes of them. */
export interface ServerSearch {
  /** Gives the next server to try; undefined when all have been tried. */
  readonly next: () => Effect.Effect<ServerAddress | undefined>
  readonly began: (server: ServerAddress) => void
  readonly ended: (server: ServerAddress) => void
  readonly failed: (failure: Failed) => Effect.Effect<void>
}

/** The result of an attempt, which runs side by side with others, in a Scope of its own. */
type SearchEvent =
  | { readonly _tag: "Opened"; readonly attemptScope: Scope.Closeable; readonly opened: Opened }
  | { readonly _tag: "Ended"; readonly attemptScope: Scope.Closeable; readonly outcome: Outcome }

/**
 * One round over the servers. It ends with the first that gives the session, with its expiry, or with undefined when all have
 * failed. The connection lives as long as the Scope.
 *
 * Nearly always the first address answers at once. A single fiber takes it from the name to the session then, and all time
 * limits are timers of the session. A round makes only plain functions, because a generator function costs microseconds at
 * its first call.
 */
export const searchServers = Effect.fnUntraced(function* (
  session: SearchingSession,
  search: ServerSearch
): Effect.fn.Return<Found | Expired | undefined, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const stagger = staggerOf(session, yield* session.servers.size)
  const events: Array<SearchEvent> = []
  const candidates: Array<Candidate> = []
  const scopes = new Set<Scope.Closeable>()
  let isExhausted = false
  let underWay = 0
  /** The Scope of the connection on which the session is being asked for. */
  let askingScope: Scope.Closeable | undefined
  let wake: (() => void) | undefined

  /** The next address has its turn a moment from now, if there is one and no server is being asked. */
  const scheduleNext = (): void => {
    if (wake !== undefined && askingScope === undefined && (!isExhausted || candidates.length > 0)) {
      session.connectionTimer.set(session.liveness.now() + stagger, wake)
    } else session.connectionTimer.clear()
  }
  /** Waits until there are more events than these, or the next address has its turn. */
  const awaitEvent = (seen: number) =>
    Effect.callback<void>((resume) => {
      // An attempt may have ended while this fiber yielded to others.
      if (events.length > seen) return resume(Effect.void)
      const stop = () => {
        wake = undefined
        session.connectionTimer.clear()
      }
      wake = () => {
        stop()
        resume(Effect.void)
      }
      scheduleNext()
      return Effect.sync(stop)
    })
  const startAttempt = (
    attemptScope: Scope.Closeable,
    work: (step: Step) => Effect.Effect<SearchEvent>
  ): Effect.Effect<void> => {
    underWay++
    const timer = session.timers.makeTimer()
    const running: { fiber?: Fiber.Fiber<SearchEvent>; late?: () => Failed } = {}
    const step: Step = (effect, millis, late) =>
      Effect.suspend(() => {
        timer.setAwake(session.liveness.now() + millis, () => {
          running.late = late
          running.fiber?.interruptUnsafe()
        })
        return effect
      })
    return Effect.map(Effect.forkIn(work(step), attemptScope, { startImmediately: true }), (fiber) => {
      running.fiber = fiber
      fiber.addObserver((exit) => {
        session.timers.discard(timer)
        if (Exit.isSuccess(exit)) events.push(exit.value)
        else if (running.late !== undefined) events.push({ _tag: "Ended", attemptScope, outcome: running.late() })
        wake?.()
      })
    })
  }
  const askOn = (attemptScope: Scope.Closeable, opened: Opened, step: Step): Effect.Effect<SearchEvent> => {
    askingScope = attemptScope
    scheduleNext()
    return Effect.map(askForSession(session, opened, attemptScope, step), (outcome) => ({
      _tag: "Ended",
      attemptScope,
      outcome
    }))
  }
  /** Opens a connection, and asks for the session at once unless another is being asked. */
  const dial = (attemptScope: Scope.Closeable, candidate: Candidate, step: Step): Effect.Effect<SearchEvent> => {
    scheduleNext()
    return openCandidate(session, candidate, attemptScope, step).pipe(
      Effect.flatMap((connection): Effect.Effect<SearchEvent> => {
        const opened = { ...candidate, connection }
        return askingScope === undefined
          ? askOn(attemptScope, opened, step)
          : Effect.succeed({ _tag: "Opened", attemptScope, opened })
      }),
      Effect.catch((error) => Effect.succeed(failedBy(candidate.server, error))),
      Effect.catchDefect((defect) => reportDefect(session, candidate.server, defect)),
      Effect.map((event): SearchEvent =>
        event._tag === "Failed" ? { _tag: "Ended", attemptScope, outcome: event } : event
      )
    )
  }
  /** Looks up the addresses of a server, and goes on with the next address. */
  const resolveAndDial = (
    attemptScope: Scope.Closeable,
    server: ServerAddress,
    step: Step
  ): Effect.Effect<SearchEvent> =>
    Effect.flatMap(resolve(session, server, step), (found) => {
      if ("_tag" in found) return Effect.succeed({ _tag: "Ended", attemptScope, outcome: found })
      candidates.push(...found)
      return dial(attemptScope, candidates.shift()!, step)
    })
  const closeAttempt = (attemptScope: Scope.Closeable) => {
    scopes.delete(attemptScope)
    return Scope.close(attemptScope, Exit.void)
  }
  /** Begins with the next address, or else looks up those of the next server, if there is one. */
  const startNext = (): Effect.Effect<void> => {
    const candidate = candidates.shift()
    if (candidate !== undefined) return startInScope((attemptScope, step) => dial(attemptScope, candidate, step))
    // Asked again, the list would begin its next lap while servers of this one are still silent.
    if (isExhausted) return Effect.void
    return Effect.flatMap(search.next(), (server) => {
      if (server === undefined) {
        isExhausted = true
        return Effect.void
      }
      search.began(server)
      return startInScope((attemptScope, step) => resolveAndDial(attemptScope, server, step))
    })
  }
  const startInScope = (
    work: (attemptScope: Scope.Closeable, step: Step) => Effect.Effect<SearchEvent>
  ): Effect.Effect<void> =>
    Effect.flatMap(Scope.fork(scope), (attemptScope) => {
      scopes.add(attemptScope)
      return startAttempt(attemptScope, (step) => work(attemptScope, step))
    })

  yield* startNext()
  while (!session.isFinal) {
    // While one is being asked, the results of others can wait.
    const index = askingScope === undefined ? 0 : events.findIndex(({ attemptScope }) => attemptScope === askingScope)
    const event = index < 0 ? undefined : events[index]
    if (event === undefined) {
      if (isExhausted && candidates.length === 0 && underWay === 0) return undefined
      const before = events.length
      yield* awaitEvent(before)
      if (events.length === before && askingScope === undefined) yield* startNext()
      continue
    }
    events.splice(index, 1)
    underWay--
    const { attemptScope } = event
    if (event._tag === "Opened") {
      const { opened } = event
      askingScope = attemptScope
      yield* startAttempt(attemptScope, (step) =>
        askOn(attemptScope, opened, step).pipe(
          Effect.catchDefect((defect) => reportDefect(session, opened.server, defect)),
          Effect.map((event): SearchEvent =>
            event._tag === "Failed" ? { _tag: "Ended", attemptScope, outcome: event } : event
          )
        )
      )
      continue
    }
    const { outcome } = event
    const wasAsked = askingScope === attemptScope
    if (wasAsked) askingScope = undefined
    if (outcome._tag !== "Failed") {
      if (outcome._tag === "Found") scopes.delete(attemptScope)
      // The session was asked for on no other connection.
      for (const other of scopes) yield* closeAttempt(other)
      return outcome
    }
    yield* closeAttempt(attemptScope)
    search.ended(outcome.server)
    yield* search.failed(outcome)
    if (session.isFinal) return undefined
    if (!wasAsked || events.length === 0) yield* startNext()
  }
  return undefined
})

const staggerOf = (session: SearchingSession, servers: number): number =>
  session.firstConnection.isAwaited ? Math.min(STAGGER, session.settings.connectTimeout / 2 / servers) : STAGGER
