import { equals, format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { ServerList } from "@effect-zookeeper/transport/ServerList"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { SessionExpired } from "../../SessionError.ts"
import type { ServerConnection } from "../connection/ServerConnection.ts"
import type { SessionMachine } from "../SessionMachine.ts"
import { type Expired, expiredByServer, expiredBySilence, type Failed, type Found } from "./askServer.ts"
import { type Cancel, cancellable } from "./cancellable.ts"
import type { ConnectAttempts } from "./ConnectAttempts.ts"
import { EnsembleBehindDetector } from "./EnsembleBehindDetector.ts"
import { OutageLog } from "./OutageLog.ts"
import { ReconnectBackoff } from "./ReconnectBackoff.ts"
import { type LostConnection, type Pauses, ReconnectPolicy } from "./ReconnectPolicy.ts"
import { searchServers } from "./searchServers.ts"

/** A connection that gave the session and was lost. */
interface Lost extends LostConnection {
  readonly _tag: "Lost"
  readonly reason: string
}

/** The parts of the search for a server, which outlive each connection and each session. */
interface Search {
  readonly machine: SessionMachine
  readonly attempts: ConnectAttempts
  readonly policy: ReconnectPolicy
  readonly backoff: ReconnectBackoff
  readonly outage: OutageLog
  readonly ensembleBehind: EnsembleBehindDetector
  /** The server that the next round begins with: the list gave it when it said that all have been tried. */
  nextRound: ServerAddress | undefined
  /** The connection that serves the session, or served it last in this round. */
  serving: ServerConnection | undefined
}

/**
 * Keeps the session connected for as long as it lives, and then, if `sessionExpiry` says so, makes a new one. It never ends
 * by itself, unless the session expires for good or its credentials are refused.
 */
export const reconnectLoop = Effect.fnUntraced(function* (machine: SessionMachine, attempts: ConnectAttempts) {
  const { clock, closeCoordinator, liveness, log, settings, timers } = machine
  const outage = new OutageLog({ timers, log, attempts, session: machine })
  const search: Search = {
    machine,
    attempts,
    policy: new ReconnectPolicy(),
    backoff: new ReconnectBackoff({ clock, liveness, closeCoordinator, retry: settings.retry }),
    outage,
    ensembleBehind: new EnsembleBehindDetector(machine),
    nextRound: undefined,
    serving: undefined
  }
  if (settings.connectTimeout === Number.POSITIVE_INFINITY || !machine.firstConnection.isAwaited)
    outage.waitingForFirst()
  while (!machine.isFinal) {
    yield* keepConnected(search)
    if (machine.isFinal) return
    const { message } = new SessionExpired({ sessionId: machine.identity.id })
    yield* log.annotate(undefined, Effect.logWarning(message))
    machine.expire()
    // A session that is being closed has nothing left to end.
    if (settings.sessionExpiry === "fail" || closeCoordinator.isBegun) return
    machine.recreate()
  }
})

/** Goes from server to server until the session is over or its credentials are refused. */
const keepConnected = Effect.fnUntraced(function* (search: Search) {
  const { backoff, machine } = search
  // A session that expired because no server was heard begins no new round.
  if (backoff.isPausing) {
    if ((yield* pauseUnlessExpired(machine, backoff.remainingPause())) !== undefined) return
  }
  while (!machine.isFinal) {
    const ended = yield* Effect.scoped(connectOnce(search))
    if (ended === undefined) continue
    if (pausesAfter(search, ended) === "begin anew") backoff.reset()
    if (ended._tag === "Expired") return
  }
})

const pausesAfter = ({ policy }: Search, ended: Lost | Expired): Pauses =>
  ended._tag === "Lost" ? policy.lost(ended) : policy.expired(ended.by)

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
      const { server } = serving
      const reason = `${format(server)}: a defect while connected`
      return Effect.as(
        machine.log.annotate(server, Effect.logError(reason, Cause.die(defect))),
        toLost(machine, serving, reason)
      )
    })
  )
  if (search.serving === undefined || ended === undefined) return ended
  const { server } = search.serving
  const reason = ended._tag === "Lost" ? ended.reason : "the session has expired"
  outage.lost(server, reason)
  if (!machine.firstConnection.isMade) attempts.failed(server, reason, undefined)
  yield* machine.log.annotate(server, Effect.logDebug(`connection lost: ${reason}`))
  return ended
})

const findAndServe = Effect.fnUntraced(function* (
  search: Search,
  cancel: Cancel<Lost | Expired | undefined>
): Effect.fn.Return<Lost | Expired | undefined, never, Scope.Scope> {
  const { ensembleBehind, machine, outage, policy } = search
  const { liveness } = machine
  const found = yield* searchRound(search)
  if (found?._tag === "Expired") return found
  if (found === undefined) {
    if (machine.isFinal) return undefined
    policy.roundFailed()
    outage.noServerFound()
    const accepts = yield* ensembleBehind.roundFailed()
    if (!accepts) return undefined
    machine.forgetHistory()
    // Without a session there is none to end: requests wait for the next one, as before.
    return machine.identity.id === 0n ? undefined : expiredByServer
  }
  ensembleBehind.reset()
  search.nextRound = undefined
  policy.connected()
  yield* machine.servers.connected(found.server)
  const connection = machine.makeConnection(found.handshake, found.isProvisional)
  // A server has just confirmed the session: it does not expire because none was heard.
  if (!found.isProvisional) liveness.heard(connection.framed.heardAt)
  if (liveness.isExpired(liveness.now())) return expiredBySilence
  return yield* serve(search, connection, cancel)
})

/** One round over all servers, after the pause that is due. */
const searchRound = Effect.fnUntraced(function* (
  search: Search
): Effect.fn.Return<Found | Expired | undefined, never, Scope.Scope> {
  const { backoff, machine, policy } = search
  if (search.nextRound === undefined) {
    const { lapEnded, server } = yield* machine.servers.next
    search.nextRound = server
    if (lapEnded) policy.lapEnded()
  }
  if (policy.beginRound() === "after a pause") yield* backoff.betweenRounds()
  let first: ServerAddress | undefined = yield* stillListed(machine.servers, search.nextRound)
  search.nextRound = undefined
  const pausesBetweenServers = policy.pausesBetweenServers
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
          policy.lapEnded()
          return Effect.succeed(undefined)
        }
        return pausesBetweenServers ? Effect.as(backoff.betweenServers(size), server) : Effect.succeed(server)
      })
    },
    began: (server) => search.attempts.began(server),
    ended: (server) => search.attempts.ended(server),
    failed: (failure) => reportFailure(search, failure)
  })
})

/** The server, or the next one if the list was replaced in the pause and does not have it any more. */
const stillListed = Effect.fnUntraced(function* (list: ServerList, server: ServerAddress) {
  if ((yield* list.servers).some((listed) => equals(listed, server))) return server
  return (yield* list.next).server
})

const reportFailure = ({ attempts, ensembleBehind, machine }: Search, failure: Failed): Effect.Effect<void> => {
  const { contact, reason, server, tls } = failure
  attempts.failed(server, reason, tls)
  ensembleBehind.failed(server, contact)
  return machine.log.annotate(server, Effect.logDebug(`no session: ${reason}`))
}

/** Has a connection serve the session until it is lost, or `cancel` is called. */
const serve = (
  search: Search,
  connection: ServerConnection,
  cancel: Cancel<Lost | Expired | undefined>
): Effect.Effect<Lost | Expired, never, Scope.Scope> => {
  const { attempts, machine, outage } = search
  const { server } = connection
  const stay = Effect.suspend(() => {
    search.serving = connection
    if (machine.firstConnection.isMade) attempts.clear()
    else attempts.ended(server)
    machine.connected(connection)
    outage.reconnected(server)
    const served = connection.serve((reason) => cancel(() => toLost(machine, connection, reason())))
    return Effect.map(Effect.andThen(leaveUnlisted(machine, connection), served), (reason) =>
      toLost(machine, connection, reason)
    )
  })
  const left = Effect.sync(() => {
    machine.disconnected(connection)
    machine.report()
  })
  return Effect.onExit(stay, () => Effect.andThen(connection.framed.stopWriting, left))
}

const toLost = ({ liveness }: SessionMachine, connection: ServerConnection, reason: string): Lost | Expired =>
  connection.isSessionExpired
    ? expiredByServer
    : { _tag: "Lost", reason, hasAnswered: connection.hasAnswered, lived: liveness.now() - connection.sentAt }

/** Runs an effect that ends when the session has expired because no server was heard, or by `cancel`. */
const unlessExpired = <A>(
  { liveness }: SessionMachine,
  make: (cancel: Cancel<A | Expired>) => Effect.Effect<A | Expired, never, Scope.Scope>
): Effect.Effect<A | Expired, never, Scope.Scope> =>
  Effect.suspend(() => {
    // Or before it began.
    if (liveness.isExpired(liveness.now())) return Effect.succeed(expiredBySilence)
    return cancellable<A | Expired, never, Scope.Scope>((cancel) => {
      const onExpired = () => cancel(() => expiredBySilence)
      liveness.onExpired = onExpired
      return make(cancel)
    })
  })

/** Waits, but not longer than the session lives. */
const pauseUnlessExpired = (machine: SessionMachine, pause: Effect.Effect<void>): Effect.Effect<Expired | undefined> =>
  Effect.scoped(unlessExpired<undefined>(machine, () => Effect.as(pause, undefined)))

/** The list of servers may have been replaced while this one was asked. */
const leaveUnlisted = (machine: SessionMachine, connection: ServerConnection): Effect.Effect<void> =>
  Effect.map(machine.servers.servers, (servers) => {
    if (!servers.some((listed) => equals(listed, connection.server))) connection.leaveInGoodOrder()
  })
