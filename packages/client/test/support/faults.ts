/** Clients of real servers whose connection a test can break, and waiting for what becomes of it. */
import { awaitCondition, eventually } from "@effect-zookeeper/test-kit/Expectations"
import * as FaultProxy from "@effect-zookeeper/test-kit/FaultProxy"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import { testWith } from "@effect-zookeeper/test-kit/TestWith"
import { it } from "@effect/vitest"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { SessionState } from "@effect-zookeeper/session/SessionState"
import type * as ZooKeeper from "../../src/ZooKeeper.ts"
import { connect, gather } from "./clients.ts"

export { awaitCondition, eventually }

/** The op codes that tests aim at. */
export const Op = {
  create: 1,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  sync: 9,
  ping: 11,
  multi: 14,
  auth: 100,
  setWatches: 101,
  closeSession: -11
} as const

/** Reconnects fast, so that no test waits for it. */
export const RETRY_SOON = Schedule.spaced("20 millis")

/** A chroot of its own (a persistent znode), a client of it behind a proxy, `zk`, and one without, `beside`. */
export const connectProxied = Effect.fnUntraced(function* (name: string, options: ZooKeeper.Options = {}) {
  const { beside, chroot } = yield* makeChroot(name)
  const proxy = yield* FaultProxy.make(TestServer.target())
  const zk = yield* connect({ servers: proxy.connectString + chroot, retry: RETRY_SOON, ...options })
  return { zk, beside, proxy, chroot }
})

/** A live test with a client behind a proxy, and one beside it, in a chroot of its own. */
export const itBehindProxy = testWith(
  it.live,
  Effect.suspend(() => connectProxied("test"))
)

/** The same, with options of the client. */
export const itBehindProxyWith = (options: Parameters<typeof connectProxied>[1]) =>
  testWith(it.live, connectProxied("test", options))

/** A chroot of its own, and a client whose root it is. */
const makeChroot = Effect.fnUntraced(function* (name: string) {
  const { chroot, connectString } = TestServer.fresh(name)
  const root = yield* connect({ servers: TestServer.connectString() })
  yield* root.create(chroot)
  return { beside: yield* root.withChroot(chroot), chroot, connectString }
})

/** A live test with a chroot of its own, and a client of it, `beside`. */
export const itBesideRoot = testWith(
  it.live,
  Effect.suspend(() => makeChroot("test"))
)

// -----------------------------------------------------------------------------
// waiting
// -----------------------------------------------------------------------------

/** The states of a session from now on, the current one first. */
export const recordStates = Effect.fnUntraced(function* (zk: ZooKeeper.Service) {
  const states = yield* gather(Stream.map(zk.session.states, ({ _tag }) => _tag))
  yield* awaitCondition(() => states.length > 0)
  return states
})

export const awaitState = (zk: ZooKeeper.Service, tag: SessionState["_tag"]) =>
  awaitCondition(() => zk.session.state._tag === tag)

// -----------------------------------------------------------------------------
// faults
// -----------------------------------------------------------------------------

/** Loses the reply to a request, and the connection with it. */
export const loseReply = (proxy: FaultProxy.FaultProxy, op: number, count = 1) =>
  proxy.rule({ match: { direction: "down", op }, action: { _tag: "DropAndReset" }, count })

/** Ends the connections of a proxy, and waits until the client has another one. */
export const breakConnections = Effect.fnUntraced(function* (zk: ZooKeeper.Service, proxy: FaultProxy.FaultProxy) {
  const handshakes = yield* countFrames(proxy, { direction: "down", op: "connect" })
  yield* proxy.dropAll("rst")
  yield* proxy.awaitFrames({ direction: "down", op: "connect" }, handshakes + 1)
  yield* awaitState(zk, "Connected")
})

/** How many frames of a kind have passed. */
export const countFrames = (
  proxy: FaultProxy.FaultProxy,
  match: { readonly direction: FaultProxy.Direction; readonly op: FaultProxy.FrameKind }
) =>
  Effect.map(
    proxy.seen,
    ({ frames }) => frames.filter(({ direction, op }) => direction === match.direction && op === match.op).length
  )

/** How often a request was sent. */
export const countSent = (proxy: FaultProxy.FaultProxy, op: number) => countFrames(proxy, { direction: "up", op })

/**
 * Has the server end a client's session: it is cut off, somebody else takes the session over and closes it. It learns
 * that when it comes back, before this returns.
 */
export const expire = Effect.fnUntraced(function* (zk: ZooKeeper.Service, proxy: FaultProxy.FaultProxy) {
  const { id } = zk.session
  yield* cutOff(proxy)
  yield* endSession(zk)
  yield* proxy.accept("forward")
  yield* awaitCondition(() => zk.session.id !== id)
})

/** Ends the connections of a proxy, and lets none in. */
export const cutOff = (proxy: FaultProxy.FaultProxy) => Effect.andThen(proxy.accept("refuse"), proxy.dropAll("rst"))

/** Takes over the session of a client that is cut off, and closes it. */
export const endSession = ({ session: { id, password } }: ZooKeeper.Service) =>
  Effect.scoped(connect({ servers: TestServer.connectString(), session: { id, password } }))

// -----------------------------------------------------------------------------
// seeing
// -----------------------------------------------------------------------------

/** The answer of a server to a four-letter word. */
export const fourLetterWord = (word: FourLetterWord.FourLetterWord) =>
  Transport.Transport.use((transport) => {
    const target = TestServer.target()
    return FourLetterWord.ask(transport, target, target, word)
  }).pipe(Effect.provide(Transport.layer()), Effect.orDie)

/** How many paths the shared server watches data for, at and below one; it does not tell of lists of children. */
export const watchesBelow = (path: string) =>
  Effect.map(
    fourLetterWord("wchp"),
    (answer) => answer.split("\n").filter((line) => line === path || line.startsWith(`${path}/`)).length
  )

/** The log lines at and above the level of a warning. */
export const recordWarnings = () => {
  const warnings: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === "Warn" || logLevel === "Error" || logLevel === "Fatal") warnings.push(String(message))
  })
  return { warnings, layer: Logger.layer([logger]) }
}
