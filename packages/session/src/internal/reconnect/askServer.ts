/**
 * Asking one server for the session: from its name to a connection whose handshake and SASL exchange are done.
 */
import type * as Handshake from "@effect-zookeeper/protocol/Handshake"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { ServerList } from "@effect-zookeeper/transport/ServerList"
import type { TlsReason } from "@effect-zookeeper/transport/TlsError"
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type { SaslMechanism } from "../../SaslMechanism.ts"
import { AuthFailed } from "../../SessionError.ts"
import { FramedConnection } from "../connection/FramedConnection.ts"
import { type Contact, DialFailed, type HandshakeResult, handshake, openConnection } from "../connection/handshake.ts"
import { saslHandshake } from "../connection/saslHandshake.ts"
import { NOT_READY } from "../requests/keeperFeatures.ts"
import type { SessionIdentity } from "../SessionIdentity.ts"
import type { SessionLog } from "../SessionLog.ts"
import type { Settings } from "../Settings.ts"
import type { Liveness } from "../time/Liveness.ts"
import { writeMode } from "./findWritableServer.ts"

/** Milliseconds. */
const MAX_STEP = 5000
const MIN_STEP = 1000

/** The bytes of an event besides a path that some request has named. */
const EVENT_OVERHEAD = 64

/** The share of `connectTimeout` that the first round over all addresses may take. */
const FIRST_ROUND = 0.9

/** The parts of a session that asking a server for it takes. */
export interface AskingSession {
  readonly settings: Settings
  readonly transport: Transport["Service"]
  readonly servers: ServerList
  readonly identity: SessionIdentity
  readonly liveness: Pick<Liveness, "heard" | "now" | "timeout">
  /** The newest transaction that the session has seen. */
  readonly pipeline: { readonly lastZxid: bigint }
  /** Whether `connectTimeout` still runs. */
  readonly firstConnection: { readonly isAwaited: boolean }
  readonly context: Context.Context<never>
  readonly log: SessionLog
  /** The credentials were refused. */
  readonly failAuth: (error: AuthFailed) => void
}

/** The session is over: a server has said so, or none was heard for too long. */
export interface Expired {
  readonly _tag: "Expired"
  readonly by: "server" | "silence"
}

export const expiredByServer: Expired = { _tag: "Expired", by: "server" }

export const expiredBySilence: Expired = { _tag: "Expired", by: "silence" }

/** An attempt at one address that gave no session. */
export interface Failed {
  readonly _tag: "Failed"
  readonly server: ServerAddress
  readonly reason: string
  readonly contact: Contact
  readonly tls: TlsReason | undefined
}

/** A server that has given the session. */
export interface Found {
  readonly _tag: "Found"
  readonly server: ServerAddress
  readonly handshake: HandshakeResult
  /** It serves reads under a session of its own meanwhile. */
  readonly isProvisional: boolean
}

/** An address that is tried, or will be. */
export interface Candidate {
  readonly server: ServerAddress
  readonly address: ServerAddress
  /** The time limit of each step, in milliseconds. */
  readonly stepTimeout: number
}

/** A candidate with its connection. */
export interface Opened extends Candidate {
  readonly connection: Connection
}

/** How an attempt can end. */
export type Outcome = Found | Expired | Failed

/** Runs a step of an attempt, which fails with `late` after `millis`. The time limit of the step before ends. */
export type Step = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  millis: number,
  late: () => Failed
) => Effect.Effect<A, E, R>

/** Looks up the addresses of a server. */
export const resolve = Effect.fnUntraced(function* (
  session: AskingSession,
  server: ServerAddress,
  step: Step
): Effect.fn.Return<ReadonlyArray<Candidate> | Failed> {
  const stepTimeout = yield* stepTimeoutOf(session, 1)
  const looking = Effect.suspend(() => session.transport.resolve(server)).pipe(
    Effect.catch(({ message }) => Effect.succeed(failed(server, message))),
    Effect.catchDefect((defect) => reportDefect(session, server, defect))
  )
  const addresses = yield* step(looking, stepTimeout, () =>
    failed(server, `the host name was not resolved within ${Math.round(stepTimeout)} ms`)
  )
  if ("_tag" in addresses) return addresses
  if (addresses.length === 0) return failed(server, "the host name has no address")
  const each = yield* stepTimeoutOf(session, addresses.length)
  return addresses.map((address) => ({ server, address, stepTimeout: each }))
})

/** Opens a connection to an address. Nothing is said on it. */
export const openCandidate = (
  session: AskingSession,
  candidate: Candidate,
  attemptScope: Scope.Scope,
  step: Step
): Effect.Effect<Connection, DialFailed> => {
  const { address, server, stepTimeout } = candidate
  const late = () => failed(server, `could not connect ${toAddress(candidate)}within ${Math.round(stepTimeout)} ms`)
  return Effect.provideService(
    step(openConnection(session.transport, address, server), stepTimeout, late),
    Scope.Scope,
    attemptScope
  )
}

/** A connection that could not be opened, or broke, as an attempt. */
export const failedBy = (server: ServerAddress, { contact, reason, tls }: DialFailed): Failed =>
  failed(server, reason, contact, tls)

/** The address, if it says more than the server. */
const toAddress = ({ address, server }: Candidate): string =>
  address.host === server.host ? "" : `to ${address.host} `

/** Asks for the session on a connection. */
export const askForSession = Effect.fnUntraced(function* (
  session: AskingSession,
  opened: Opened,
  attemptScope: Scope.Scope,
  step: Step
): Effect.fn.Return<Outcome> {
  const { server, stepTimeout } = opened
  const isPlain = session.transport.security?.(server) === "plain"
  const ask = (raw: Connection, id: bigint) =>
    step(
      handshake({
        raw,
        server,
        request: connectRequest(session, id),
        makeConnection: makeConnection(session),
        now: () => session.liveness.now(),
        isPlain
      }),
      stepTimeout,
      () =>
        failed(
          server,
          `no session ${toAddress(opened)}within ${Math.round(stepTimeout)} ms; connected, but the handshake was not answered`
        )
    )
  const id = session.identity.presentedId
  let isProvisional = false
  const answer = yield* ask(opened.connection, id).pipe(
    Effect.catch((error) => {
      // A read-only server closes on a session that it cannot know, but may serve reads under one of its own.
      if (error.contact !== "closed" || id === 0n || !session.settings.allowReadOnly) return Effect.fail(error)
      const asking = step(writeMode(session.transport, server), Number.POSITIVE_INFINITY, () =>
        failed(server, error.reason)
      )
      return Effect.flatMap(asking, (mode) => {
        if (mode !== "ro") return Effect.fail(error)
        isProvisional = true
        const again = Effect.provideService(
          openConnection(session.transport, opened.address, server),
          Scope.Scope,
          attemptScope
        )
        const late = () => failed(server, `no session within ${Math.round(stepTimeout)} ms`)
        return Effect.flatMap(step(again, stepTimeout, late), (connection) => ask(connection, 0n))
      })
    }),
    Effect.catch((error) => Effect.succeed(error))
  )
  if (answer instanceof DialFailed) return failedBy(server, answer)
  const { connection, response } = answer
  if (response.protocolVersion === NOT_READY)
    return failed(server, "ClickHouse Keeper has no leader, and is not serving", "answered")
  if (response.timeOut <= 0) {
    return id === 0n || isProvisional ? failed(server, "the server gave no session", "answered") : expiredByServer
  }
  // A server that gives another session no longer has this one.
  if (!isProvisional && id !== 0n && response.sessionId !== id) return expiredByServer
  if (isProvisional && response.readOnly !== true) return failed(server, "no longer read-only", "answered")
  // The server has the session: it does not expire while credentials are proved.
  if (!isProvisional && id !== 0n) session.liveness.heard(connection.heardAt)
  const { sasl } = session.settings
  if (sasl !== undefined) {
    const late = () => failed(server, `SASL took longer than ${Math.round(stepTimeout)} ms`, "answered")
    const refused = yield* step(proveIdentity(session, connection, sasl), stepTimeout, late)
    if (refused !== undefined) return refused
  }
  return { _tag: "Found", server, handshake: answer, isProvisional }
})

const makeConnection = (session: AskingSession) => (raw: Connection, server: ServerAddress) =>
  new FramedConnection({
    raw,
    server,
    maxFrameSize: session.settings.maxFrameSize,
    maxEventSize: Math.max(session.settings.maxFrameSize, session.settings.maxRequestSize + EVENT_OVERHEAD),
    now: () => session.liveness.now(),
    context: session.context,
    reportDefect: (reason, defect) => session.log.annotate(server, Effect.logError(reason, Cause.die(defect)))
  })

/** Goes through SASL. Succeeds with the failure of an attempt that did not get through. */
const proveIdentity = (
  session: AskingSession,
  connection: FramedConnection,
  sasl: SaslMechanism
): Effect.Effect<Failed | undefined> =>
  saslHandshake(connection, sasl).pipe(
    Effect.as(undefined),
    Effect.catchTags({
      DialFailed: (error) => Effect.succeed(failed(connection.server, error.reason, "answered")),
      SaslError: (error) =>
        Effect.sync(() => {
          // A session without these credentials would not be the one that was asked for.
          session.failAuth(new AuthFailed({ scheme: "sasl", reason: error.reason }))
          return failed(connection.server, error.message, "answered")
        })
    })
  )

/** Reports a defect of this library, or of a SASL mechanism or transport that an application brought. */
export const reportDefect = (session: AskingSession, server: ServerAddress, defect: unknown): Effect.Effect<Failed> => {
  const reason = `${format(server)}: a defect while connecting`
  return Effect.as(session.log.annotate(server, Effect.logError(reason, Cause.die(defect))), failed(server, reason))
}

/** An attempt that gave no session. */
const failed = (server: ServerAddress, reason: string, contact: Contact = "none", tls?: TlsReason): Failed => ({
  _tag: "Failed",
  server,
  reason,
  contact,
  tls
})

// The timeout of the request is always that of the options, because a server may have granted less before.
const connectRequest = (session: AskingSession, id: bigint): Handshake.ConnectRequest => ({
  protocolVersion: 0,
  lastZxidSeen: session.pipeline.lastZxid,
  timeOut: Math.round(session.settings.sessionTimeout),
  sessionId: id,
  passwd: id === 0n ? new Uint8Array(16) : Redacted.value(session.identity.password),
  readOnly: session.settings.allowReadOnly
})

/**
 * The time limit of each step at a server with this many addresses. It is a share of the session's timeout, so that there is
 * time for every server and each of its addresses, and of `connectTimeout` before the first connection.
 */
const stepTimeoutOf = (session: AskingSession, addresses: number): Effect.Effect<number> =>
  Effect.map(session.servers.size, (size) => {
    const all = size * addresses
    const stepTimeout = Math.max(MIN_STEP, Math.min(session.liveness.timeout / all, MAX_STEP))
    return session.firstConnection.isAwaited
      ? Math.min(stepTimeout, (session.settings.connectTimeout * FIRST_ROUND) / all)
      : stepTimeout
  })
