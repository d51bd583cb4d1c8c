/**
 * A session under test, and short names for what tests ask of it.
 */
import * as Acl from "@effect-zookeeper/protocol/Acl"
import type * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { it } from "@effect/vitest"
import { gather } from "@effect-zookeeper/test-kit/Expectations"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as TransportModule from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { makeSession } from "../../src/internal/makeSession.ts"
import type { AuthInfo, PersistentWatchListener, Session, SessionOptions } from "../../src/Session.ts"
import * as Frames from "./frames.ts"
import { MemoryNetwork, type ServerSide } from "./MemoryNetwork.ts"
import { now, settle } from "./time.ts"

/** Begins to connect over a network in memory; at the end of the test the network goes first. */
export const startSession = Effect.fnUntraced(function* (
  network: MemoryNetwork,
  options: SessionOptions = {},
  firstXid?: number
) {
  const fiber = yield* makeSession({ servers: "a", ...options }, firstXid).pipe(
    Effect.provideService(Transport, network.transport),
    Effect.forkScoped
  )
  yield* Effect.addFinalizer(() => Effect.suspend(() => network.shutDown))
  return fiber
})

/** Connects over a network in memory to a server that grants a session. */
export const connect = Effect.fnUntraced(function* (
  options: SessionOptions & { readonly firstXid?: number; readonly grant?: Partial<Handshake.ConnectResponse> } = {}
) {
  const { firstXid, grant, ...rest } = options
  const network = yield* MemoryNetwork.make
  const fiber = yield* startSession(network, rest, firstXid)
  const server = yield* network.accept
  const hello = yield* server.greet(grant)
  const session = yield* Fiber.join(fiber)
  yield* passTimeAtEnd(network)
  return { network, server, hello, session }
})

/** The same, with the `close` of the session, in the test itself. */
export const connectClosable = Effect.fnUntraced(function* (options: Parameters<typeof connect>[0]) {
  const scope = yield* Scope.make()
  const connected = yield* Effect.provideService(connect(options), Scope.Scope, scope)
  // Its servers stay for the goodbye.
  connected.network.shutDown = Effect.void
  return { ...connected, scope, close: Scope.close(scope, Exit.void) }
})

/** Two servers, and a session that outlives what a test lets happen. */
export const two = { servers: "a,b", sessionTimeout: "60 seconds" } as const

/** Tests of a session with them. */
export const itConnected = testWith(it.effect, connect(two))

/** Tests with a network of their own, which has no servers yet. */
export const itOnNetwork = testWith(it.effect, MemoryNetwork.make)

/** At the end of the test; by the clock of the test, and not by one that the session was given. */
export const passTimeAtEnd = (network: MemoryNetwork) =>
  Effect.flatMap(Effect.scope, (scope) => Scope.addFinalizer(scope, network.passTime))

/** Connects over real sockets. */
export const connectLive = (options: SessionOptions) => Effect.provide(makeSession(options), TransportModule.layer())

export type SessionService = Session["Service"]

export const create = (session: SessionService, path: string, data = "", flags = 0) =>
  session.request(Operations.create, { path, data: Frames.text(data), acl: Acl.open, flags }, path)

export const get = (session: SessionService, path: string) =>
  Effect.map(session.request(Operations.getData, { path, watch: false }, path), ({ data }) =>
    new TextDecoder().decode(data ?? new Uint8Array(0))
  )

export const set = (session: SessionService, path: string, data: string | Uint8Array, version = -1) =>
  session.request(
    Operations.setData,
    { path, data: typeof data === "string" ? Frames.text(data) : data, version },
    path
  )

export const remove = (session: SessionService, path: string) =>
  session.request(Operations.deleteNode, { path, version: -1 }, path)

export const exists = (session: SessionService, path: string) =>
  session.request(Operations.exists, { path, watch: false }, path)

/** The same path for the server and for errors. */
export const samePath = (path: string) => ({ server: path, client: path })

/** The next state that satisfies a predicate, the current one included. */
export const awaitState = (session: SessionService, tag: SessionService["info"]["state"]["_tag"]) =>
  Stream.runHead(Stream.filter(session.info.states, (state) => state._tag === tag))

/** The result of an effect whose request the server answers: `answer` sends the reply to this xid. */
export const answered = Effect.fnUntraced(function* <A, E, R>(
  server: ServerSide,
  effect: Effect.Effect<A, E, R>,
  answer: (xid: number) => void
) {
  const asking = yield* Effect.forkChild(effect, now)
  answer((yield* server.nextRequest).xid)
  return yield* Fiber.join(asking)
})

/** Credentials of the scheme digest. */
export const digest = (credentials: string): AuthInfo => ({ scheme: "digest", credentials: Redacted.make(credentials) })

/** Adds credentials that the server accepts. */
export const addAuth = (session: SessionService, server: ServerSide, credentials: AuthInfo) =>
  answered(server, session.addAuth(credentials), () => server.reply(Operations.Xid.auth, 0n))

/** The states of a session from now on, the current one included. */
export const statesOf = ({ info }: SessionService) => gather(Stream.map(info.states, ({ _tag }) => _tag))

/** A listener that hears nothing. */
export const silent: PersistentWatchListener = { onEvent: () => {}, onEnd: () => {} }

/** Sets a one-shot watch on data that the server accepts. */
export const watchData = Effect.fnUntraced(function* (session: SessionService, server: ServerSide, path: string) {
  const { changed } = yield* answered(server, session.watchData(samePath(path)), (xid) =>
    server.replyWith(xid, 0x10n, Operations.getData, { data: null, stat: Frames.stat })
  )
  return changed
})

/** Adds a persistent watch that the server accepts. */
export const watchPersistently = Effect.fnUntraced(function* (
  session: SessionService,
  server: ServerSide,
  path: string,
  recursive: boolean,
  listener: PersistentWatchListener
) {
  yield* answered(server, session.watchPersistently(samePath(path), { recursive, listener }), (xid) =>
    server.replyWith(xid, 0x11n, Operations.addWatch, { err: 0 })
  )
})

/** The next connection, as soon as the session is on it. */
export const reconnect = Effect.fnUntraced(function* (
  network: MemoryNetwork,
  session: SessionService,
  grant?: Partial<Handshake.ConnectResponse>
) {
  const next = yield* network.welcome(grant)
  yield* awaitState(session, "Connected")
  yield* settle
  return next
})
