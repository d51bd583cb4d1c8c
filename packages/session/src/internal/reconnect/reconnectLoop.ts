import { equals, format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SessionExpired } from "../../SessionError.ts"
import { withLogAnnotations } from "../logAnnotations.ts"
import type { ConnectAttempts } from "./ConnectAttempts.ts"
import { type Cancel, cancellable } from "./cancellable.ts"
import { EnsembleBehindDetector } from "./EnsembleBehindDetector.ts"
import { OutageLog } from "./OutageLog.ts"
import { ReconnectBackoff } from "./ReconnectBackoff.ts"
import { serveConnection } from "../connection/serveConnection.ts"
import { type Expired, expired, type Failed, type Found, searchServers } from "./searchServers.ts"
import type { SessionMachine } from "../SessionMachine.ts"

/** A connection that gave the session and was lost. */
interface Lost {
  readonly _tag: "Lost"
  readonly reason: string
  readonly hasAnswered: boolean
  readonly lived: number
}

/** A connection that lived for so many milliseconds was worth having: the next server may be tried at once. */
const MIN_LIFETIME = 1000

/** So many that were not may follow one another before the pauses count for them too. */
const MAX_SHORT_LIVED = 3

/** What a search needs to know of those before. */
interface Search {
  readonly machine: SessionMachine
  readonly attempts: ConnectAttempts
  readonly backoff: ReconnectBackoff
  readonly outage: OutageLog
  readonly ensembleBehind: EnsembleBehindDetector
  /** The server that the next round begins with: the list has given it when it said that all have been tried. */
  nextRound: ServerAddress | undefined
  /** The server that the session is connected to, or was connected to last in this round. */
  serving: Found | undefined
  /** After a connection that worked the next servers are tried at once. */
  isImmediate: boolean
  /** A server that gives a session begins a new round; where none of the sessions lasts, rounds would never end. */
  isPauseDue: boolean
  /** Whether a whole round has failed since there was a session. */
  hasFailed: boolean
  shortLived: number
}

/**
 * Keeps the session connected for as long as it lives, then, as the policy has it, makes a new one. Ends with the
 * session: never, unless it expires for good or its credentials are refused.
 */
export const reconnectLoop = Effect.fnUntraced(function* (machine: SessionMachine, attempts: ConnectAttempts) {
  const outage = new OutageLog(machine, attempts)
  const search: Search = {
    machine,
    attempts,
    backoff: new ReconnectBackoff(machine),
    outage,
    ensembleBehind: new EnsembleBehindDetector(machine),
    nextRound: undefined,
    serving: undefined,
    isImmediate: true,
    isPauseDue: false,
    hasFailed: false,
    shortLived: 0
  }
  if (machine.settings.connectTimeout === Number.POSITIVE_INFINITY) outage.waitingForFirst()
  while (!machine.state.isFinal) {
    yield* keepConnected(search)
    if (machine.state.isFinal) return
    const { message } = new SessionExpired({ sessionId: machine.credentials.id })
    yield* withLogAnnotations(machine, undefined, Effect.logWarning(message))
    machine.expire()
    // One that is being closed has nothing left to end.
    if (machine.settings.sessionExpiry === "fail" || machine.closeCoordinator.isBegun) return
    machine.state.set({ _tag: "Connecting" })
  }
})

/**
 * Goes from server to server until one of them says that the session is over, it must be by our own reckoning, or the
 * credentials are refused.
 */
const keepConnected = Effect.fnUntraced(function* (search: Search) {
  const { machine } = search
  // An expiry by our own reckoning, of which all clients of an ensemble that is away think alike, begins no new round.
  if (search.backoff.isPausing) {
    if ((yield* pauseUnlessExpired(machine, search.backoff.remainingPause())) !== undefined) return
  }
  while (!machine.state.isFinal) {
    const ended = yield* Effect.scoped(connectOnce(search))
    if (ended === undefined) continue
    if (ended._tag === "Expired") {
      // Who has heard it from a server has found one, which gives another session at once.
      if (!machine.liveness.isExpired(machine.liveness.now())) resetSearch(search, true)
      return
    }
    search.shortLived = ended.lived >= MIN_LIFETIME ? 0 : search.shortLived + 1
    if (search.shortLived <= MAX_SHORT_LIVED) resetSearch(search, ended.hasAnswered)
    else search.isPauseDue = true
  }
})

const resetSearch = (search: Search, isImmediate: boolean): void => {
  search.backoff.reset()
  search.isImmediate = isImmediate
  search.isPauseDue = false
  search.hasFailed = false
}

/**
 * Finds a server and stays for as long as it lasts; undefined when a round has ended without one. One fiber does all of it,
 * and the end of the session or of the connection ends that.
 */
const connectOnce = Effect.fnUntraced(function* (
  search: Search
): Effect.fn.Return<Lost | Expired | undefined, never, Scope.Scope> {
  const { attempts, machine, outage } = search
  search.serving = undefined
  const ended = yield* unlessExpired<Lost | undefined>(machine, (cancel) => findAndServe(search, cancel)).pipe(
    Effect.catchDefect((defect) => {
      const { serving } = search
      if (serving === undefined) return Effect.die(defect)
      const reason = `${format(serving.server)}: a defect while connected`
      return Effect.as(
        withLogAnnotations(machine, serving.server, Effect.logError(reason, Cause.die(defect))),
        toLost(machine, serving, reason)
      )
    })
  )
  if (search.serving === undefined || ended === undefined) return ended
  const { server } = search.serving
  const reason = ended._tag === "Lost" ? ended.reason : "the session has expired"
  outage.lost(server, reason)
  if (!machine.isReady) attempts.failed(server, reason, undefined)
  yield* withLogAnnotations(machine, server, Effect.logDebug(`connection lost: ${reason}`))
  return ended
})

const findAndServe = Effect.fnUntraced(function* (
  search: Search,
  cancel: Cancel<Lost | Expired | undefined>
): Effect.fn.Return<Lost | Expired | undefined, never, Scope.Scope> {
  const { ensembleBehind, machine, outage } = search
  const found = yield* searchRound(search)
  if (found?._tag === "Expired") return found
  if (found === undefined) {
    if (machine.state.isFinal) return undefined
    search.hasFailed = true
    outage.noServerFound()
    const accepts = yield* ensembleBehind.roundFailed()
    if (!accepts) return undefined
    machine.forgetHistory()
    return expired
  }
  ensembleBehind.reset()
  search.nextRound = undefined
  search.isPauseDue = false
  search.hasFailed = false
  yield* machine.servers.connected(found.server)
  // A server has just spoken for the session: it is not over by our own reckoning.
  if (!found.isProvisional) machine.liveness.heard(found.handshake.connection.heardAt)
  if (machine.liveness.isExpired(machine.liveness.now())) return expired
  return yield* serve(search, found, cancel)
})

/** One round over all servers, after the pause that is due. */
const searchRound = Effect.fnUntraced(function* (
  search: Search
): Effect.fn.Return<Found | Expired | undefined, never, Scope.Scope> {
  const { machine, backoff } = search
  if (search.nextRound === undefined) {
    const { lapEnded, server } = yield* machine.servers.next
    search.nextRound = server
    if (lapEnded && !search.isImmediate) search.isPauseDue = true
  }
  const isPauseDue = search.isPauseDue
  search.isPauseDue = false
  search.isImmediate = false
  if (isPauseDue) yield* backoff.betweenRounds()
  let first: ServerAddress | undefined = search.nextRound
  search.nextRound = undefined
  const isLater = search.hasFailed
  const size = yield* machine.servers.size
  return yield* searchServers(machine, {
    next: () => {
      if (first !== undefined) {
        const server = first
        first = undefined
        return Effect.succeed(server)
      }
      return Effect.flatMap(machine.servers.next, ({ lapEnded, server }) => {
        if (lapEnded) {
          search.nextRound = server
          search.isPauseDue = true
          return Effect.succeed(undefined)
        }
        return isLater ? Effect.as(backoff.betweenServers(size), server) : Effect.succeed(server)
      })
    },
    began: (server) => search.attempts.began(server),
    ended: (server) => search.attempts.ended(server),
    failed: (failure) => reportFailure(search, failure)
  })
})

const reportFailure = ({ attempts, ensembleBehind, machine }: Search, failure: Failed): Effect.Effect<void> => {
  const { reason, server, silent, tls } = failure
  attempts.failed(server, reason, tls)
  ensembleBehind.failed(silent)
  return withLogAnnotations(machine, server, Effect.logDebug(`no session: ${reason}`))
}

/** Stays with a server until the connection is lost, or `cancel` is called. */
const serve = (
  search: Search,
  found: Found,
  cancel: Cancel<Lost | Expired | undefined>
): Effect.Effect<Lost | Expired, never, Scope.Scope> => {
  const { machine, outage } = search
  const { handshake, isProvisional, server } = found
  const { connection, response } = handshake
  const stay = Effect.suspend(() => {
    search.serving = found
    if (machine.isReady) search.attempts.clear()
    else search.attempts.ended(server)
    machine.connected(handshake, isProvisional)
    outage.reconnected(server)
    const served = serveConnection(machine, connection, response.readOnly === true, (reason) =>
      cancel(() => toLost(machine, found, reason()))
    )
    return Effect.map(Effect.andThen(leaveUnlisted(machine, server), served), (reason) =>
      toLost(machine, found, reason)
    )
  })
  const left = Effect.sync(() => {
    machine.disconnected()
    machine.report()
  })
  return Effect.onExit(stay, () => Effect.andThen(connection.stopWriting, left))
}

const toLost = (machine: SessionMachine, { handshake }: Found, reason: string): Lost | Expired =>
  machine.isExpiredByServer
    ? expired
    : {
        _tag: "Lost",
        reason,
        hasAnswered: handshake.connection.hasAnswered,
        lived: machine.liveness.now() - handshake.sentAt
      }

/** What waits here ends when the session does, or by `cancel`. */
const unlessExpired = <A>(
  machine: SessionMachine,
  make: (cancel: Cancel<A | Expired>) => Effect.Effect<A | Expired, never, Scope.Scope>
): Effect.Effect<A | Expired, never, Scope.Scope> =>
  Effect.suspend(() => {
    // Or before it began.
    if (machine.liveness.isExpired(machine.liveness.now())) return Effect.succeed(expired)
    return cancellable<A | Expired, never, Scope.Scope>((cancel) => {
      machine.liveness.onExpired = () => cancel(() => expired)
      return make(cancel)
    })
  })

/** A pause, which the end of the session ends. */
const pauseUnlessExpired = (machine: SessionMachine, pause: Effect.Effect<void>): Effect.Effect<Expired | undefined> =>
  Effect.scoped(unlessExpired<undefined>(machine, () => Effect.as(pause, undefined)))

/** The list may have been replaced while this server was dialled. */
const leaveUnlisted = (machine: SessionMachine, server: ServerAddress): Effect.Effect<void> =>
  Effect.map(machine.servers.servers, (servers) => {
    if (!servers.some((listed) => equals(listed, server))) machine.leaveInGoodOrder()
  })
