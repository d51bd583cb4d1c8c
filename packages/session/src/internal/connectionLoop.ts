import type * as Handshake from "@effect-zookeeper/protocol/Handshake"
import { equals, format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { TlsReason } from "@effect-zookeeper/transport/TlsError"
import type { Connection } from "@effect-zookeeper/transport/Transport"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { SaslMechanism } from "../Sasl.ts"
import { AuthFailed, SessionExpired } from "../SessionError.ts"
import { annotated } from "./annotated.ts"
import { authenticate } from "./authenticate.ts"
import { dial, DialFailed } from "./dial.ts"
import { type End, endable } from "./endable.ts"
import { Link } from "./Link.ts"
import { runLink } from "./runLink.ts"
import { writeMode } from "./seekWritable.ts"
import type { SessionCore } from "./SessionCore.ts"

/** A failed attempt, as `ConnectFailed` lists it. */
export interface FailedAttempt {
  readonly server: string
  readonly reason: string
  readonly tls?: TlsReason
}

/** What a try at one server came to. */
type Tried =
  /** It gave a session, which then lost its connection. */
  | { readonly _tag: "Lost"; readonly reason: string; readonly answered: boolean; readonly lived: number }
  | {
      readonly _tag: "Failed"
      readonly reason: string
      readonly silent: boolean
      readonly tls: TlsReason | undefined
    }
  | Expired

/** The session is over, by the server's word or by our own reckoning. */
interface Expired {
  readonly _tag: "Expired"
}

/** Milliseconds. */
const LONGEST_HANDSHAKE = 5000
const SHORTEST_HANDSHAKE = 1000

/** What an event has beside a path that some request has named. */
const EVENT_OVERHEAD = 64

/** A connection that lived for so many milliseconds was worth having: the next server may be tried at once. */
const WORTHWHILE = 1000

/** So many that were not may follow one another before the pauses count for them too. */
const MAX_SHORT_LIVED = 3

/**
 * Keeps the session connected for as long as it lives, then, as the policy has it, makes a new one. Ends with the
 * session: never, unless it expires for good or its credentials are refused.
 */
export const connectionLoop = Effect.fnUntraced(function* (
  core: SessionCore,
  onFailedAttempt: (attempt: FailedAttempt) => void
) {
  while (!core.state.isFinal) {
    yield* keepConnected(core, onFailedAttempt)
    if (core.state.isFinal) return
    const { message } = new SessionExpired({ sessionId: core.credentials.id })
    yield* annotated(core, undefined, Effect.logWarning(message))
    core.expire()
    if (core.settings.sessionExpiry === "fail") return
    core.state.set({ _tag: "Connecting" })
  }
})

/**
 * Goes from server to server until one of them says that the session is over, it must be by our own reckoning, or the
 * credentials are refused.
 */
const keepConnected = Effect.fnUntraced(function* (
  core: SessionCore,
  onFailedAttempt: (attempt: FailedAttempt) => void
) {
  const behind = ensembleBehind(core)
  let pause: Effect.Effect<void> | undefined
  let shortLived = 0
  // After a connection that worked the next server is tried at once.
  let atOnce = true
  // A server that gives a session begins a new round; where none of the sessions lasts, rounds would never end.
  let isPauseDue = false
  while (!core.state.isFinal) {
    const { lapEnded, server } = yield* core.servers.next
    if (isPauseDue || (lapEnded && !atOnce)) {
      pause ??= yield* makePause(core.settings.retry())
      const paused = Effect.as(pause, undefined)
      const waited = yield* unlessExpired<undefined>(core, () => paused)
      if (waited !== undefined) return
    }
    atOnce = false
    isPauseDue = false
    const tried = yield* tryServer(core, server)
    switch (tried._tag) {
      case "Expired":
        return
      case "Lost":
        shortLived = tried.lived >= WORTHWHILE ? 0 : shortLived + 1
        if (shortLived <= MAX_SHORT_LIVED) {
          pause = undefined
          atOnce = tried.answered
        } else {
          isPauseDue = true
        }
        behind.reset()
        yield* annotated(core, server, Effect.logDebug(`connection lost: ${tried.reason}`))
        break
      case "Failed":
        onFailedAttempt({
          server: format(server),
          reason: tried.reason,
          ...(tried.tls === undefined ? {} : { tls: tried.tls })
        })
        behind.failed(tried.silent)
        yield* annotated(core, server, Effect.logDebug(`no session: ${tried.reason}`))
        break
    }
  }
})

/** Tries the addresses of one server until one of them gives a session, and stays for as long as that lasts. */
const tryServer = Effect.fnUntraced(function* (core: SessionCore, server: ServerAddress) {
  const addresses = yield* resolve(core, server)
  if (typeof addresses === "string") return failed(addresses)
  if ("_tag" in addresses) return addresses
  const timeout = yield* handshakeTimeout(core, addresses.length)
  let last = failed(`${format(server)}: the host name has no address`)
  for (const address of addresses) {
    const tried: Tried = yield* unlessExpired<Tried>(core, (end) =>
      Effect.scoped(tryAddress(core, server, address, timeout, end))
    ).pipe(Effect.catchDefect((defect) => Effect.map(reportDefect(core, server, defect), (reason) => failed(reason))))
    if (tried._tag !== "Failed" || core.state.isFinal) return tried
    last = tried
  }
  return last
})

/** A mistake of ours, or of a mechanism or transport that an application brought: the try has failed, no more. */
const reportDefect = (core: SessionCore, server: ServerAddress, defect: unknown): Effect.Effect<string> => {
  const reason = `${format(server)}: a defect while connecting`
  return Effect.as(annotated(core, server, Effect.logError(reason, Cause.die(defect))), reason)
}

/** What waits here ends when the session does, or by `end`. */
const unlessExpired = <A>(
  core: SessionCore,
  make: (end: End<A | Expired>) => Effect.Effect<A, never, Scope.Scope>
): Effect.Effect<A | Expired, never, Scope.Scope> =>
  Effect.suspend(() => {
    // Or before it began.
    if (core.liveness.isExpired(core.liveness.now())) return Effect.succeed(expired)
    return endable<A | Expired, never, Scope.Scope>((end) => {
      core.liveness.onExpired = () => end(() => expired)
      return make(end)
    })
  })

/** The addresses of a server, or why there are none. */
const resolve = Effect.fnUntraced(function* (core: SessionCore, server: ServerAddress) {
  const timeout = yield* handshakeTimeout(core, 1)
  const late = () => `${format(server)}: the host name was not resolved within ${Math.round(timeout)} ms`
  return yield* unlessExpired<string | ReadonlyArray<ServerAddress>>(core, (end) => {
    core.limit.setAwake(core.liveness.now() + timeout, () => end(late))
    return Effect.suspend(() => core.transport.resolve(server)).pipe(
      Effect.catch(({ message }) => Effect.succeed(message)),
      Effect.catchDefect((defect) => reportDefect(core, server, defect))
    )
  }).pipe(Effect.onExit(() => Effect.sync(() => core.limit.clear())))
})

const tryAddress = Effect.fnUntraced(function* (
  core: SessionCore,
  server: ServerAddress,
  address: ServerAddress,
  timeout: number,
  end: End<Tried>
) {
  const now = () => core.liveness.now()
  /** The steps of a handshake have the same time each. */
  const limited = <A, E, R>(step: Effect.Effect<A, E, R>, late: () => string): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      core.limit.setAwake(now() + timeout, () => end(() => failed(late())))
      return Effect.onExit(step, () => Effect.sync(() => core.limit.clear()))
    })
  const attempt = (request: Handshake.ConnectRequest) =>
    limited(
      dial({ transport: core.transport, address, server, request, now, makeLink: makeLink(core) }),
      () => `${format(address)}: no session within ${Math.round(timeout)} ms`
    )
  const id = core.isKnownToEnsemble ? core.credentials.id : 0n
  const request = connectRequest(core, id)
  let isStandIn = false
  const dialled = yield* attempt(request).pipe(
    Effect.catch(
      Effect.fnUntraced(function* (error) {
        // A read-only server closes on a session that it cannot know; it may serve reads under one of its own meanwhile.
        if (!error.silent || id === 0n || !core.settings.allowReadOnly) return yield* error
        if ((yield* writeMode(core, server)) !== "ro") return yield* error
        isStandIn = true
        return yield* attempt(connectRequest(core, 0n))
      })
    ),
    Effect.catch((error) => Effect.succeed(error))
  )
  if (dialled instanceof DialFailed) return failed(dialled.reason, dialled.silent, dialled.tls)
  const { link, response, sentAt } = dialled
  if (response.timeOut <= 0) {
    return id === 0n || isStandIn ? failed(`${format(server)}: the server gave no session`) : expired
  }
  // A server that hands out another session has lost ours.
  if (!isStandIn && id !== 0n && response.sessionId !== id) return expired
  if (isStandIn && response.readOnly !== true) return failed(`${format(server)}: no longer read-only`)
  const { sasl } = core.settings
  if (sasl !== undefined) {
    const late = () => `${format(server)}: SASL took longer than ${Math.round(timeout)} ms`
    const refused = yield* limited(proveIdentity(core, link, sasl), late)
    if (refused !== undefined) return refused
  }
  yield* core.servers.connected(server)
  const lost = (reason: string): Tried =>
    core.isOver ? expired : { _tag: "Lost", reason, answered: link.answered, lived: now() - sentAt }
  const stay = Effect.suspend(() => {
    core.connected(dialled, isStandIn)
    const served = runLink(core, link, response.readOnly === true, (reason) => end(() => lost(reason())))
    return Effect.andThen(leaveUnlisted(core, server), served)
  })
  const left = Effect.sync(() => {
    core.disconnected()
    core.report()
  })
  return lost(yield* Effect.onExit(stay, () => Effect.andThen(link.stopWriting, left)))
})

const makeLink = (core: SessionCore) => (connection: Connection, server: ServerAddress) =>
  new Link({
    connection,
    server,
    maxFrameSize: core.settings.maxFrameSize,
    maxEventSize: Math.max(core.settings.maxFrameSize, core.settings.maxRequestSize + EVENT_OVERHEAD),
    now: () => core.liveness.now(),
    onSent: (at) => core.liveness.sent(at),
    context: core.context,
    reportDefect: (reason, defect) => annotated(core, server, Effect.logError(reason, Cause.die(defect)))
  })

/** The list may have been replaced while this server was dialled. */
const leaveUnlisted = (core: SessionCore, server: ServerAddress): Effect.Effect<void> =>
  Effect.map(core.servers.servers, (servers) => {
    if (!servers.some((listed) => equals(listed, server))) core.depart()
  })

/** Goes through SASL; what the try came to if it did not succeed. */
const proveIdentity = (core: SessionCore, link: Link, sasl: SaslMechanism): Effect.Effect<Tried | undefined> =>
  authenticate(link, sasl).pipe(
    Effect.as(undefined),
    Effect.catchTags({
      DialFailed: (error) => Effect.succeed(failed(error.reason)),
      SaslError: (error) =>
        Effect.sync(() => {
          // Going on without would be going on as somebody else.
          core.refused(new AuthFailed({ scheme: "sasl", reason: error.reason }))
          return failed(error.message)
        })
    })
  )

const failed = (reason: string, silent = false, tls?: TlsReason): Tried & { readonly _tag: "Failed" } => ({
  _tag: "Failed",
  reason,
  silent,
  tls
})

const expired: Expired = { _tag: "Expired" }

// The timeout asked for is always the one of the options: what a server granted before may have been less.
const connectRequest = (core: SessionCore, id: bigint): Handshake.ConnectRequest => ({
  protocolVersion: 0,
  lastZxidSeen: core.exchange.lastZxid,
  timeOut: Math.round(core.settings.sessionTimeout),
  sessionId: id,
  passwd: id === 0n ? new Uint8Array(16) : Redacted.value(core.credentials.password),
  readOnly: core.settings.allowReadOnly
})

/** A share of the session's time, so that there is time for every server, and for each of its addresses. */
const handshakeTimeout = (core: SessionCore, addresses: number): Effect.Effect<number> =>
  Effect.map(core.servers.size, (size) =>
    Math.max(SHORTEST_HANDSHAKE, Math.min(core.liveness.timeout / (size * addresses), LONGEST_HANDSHAKE))
  )

/** The pauses of the retry schedule, one a run; when the schedule ends it is begun anew. */
const makePause = Effect.fnUntraced(function* (
  retry: Schedule.Schedule<unknown>
): Effect.fn.Return<Effect.Effect<void>> {
  let step = yield* Schedule.toStepWithSleep(retry)
  return Effect.suspend(() => step(undefined)).pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterrupts(cause)
        ? Effect.failCause(cause as Cause.Cause<never>)
        : Effect.flatMap(Schedule.toStepWithSleep(retry), (next) => {
            step = next
            // A schedule without any pause must not become a busy loop.
            return Effect.sleep(100)
          })
    ),
    Effect.asVoid
  )
})

/** Says that the ensemble is behind when, for a whole connect timeout, servers did nothing but close at the handshake. */
const ensembleBehind = (core: SessionCore) => {
  let since: number | undefined
  return {
    reset: () => {
      since = undefined
    },
    failed: (silent: boolean) => {
      if (!silent) since = undefined
      if (!silent || core.exchange.lastZxid === 0n) return
      const now = core.liveness.now()
      since ??= now
      if (now - since >= core.settings.connectTimeout) core.state.set({ _tag: "EnsembleBehind" })
    }
  }
}
