/**
 * The listener for TCP and TLS.
 *
 * Bytes come in through Effect's Socket. They go out through Node's socket, whose buffer shows whether the peer reads: while
 * it is full, no further requests of that peer are read.
 */
import * as NodeSocket from "@effect/platform-node-shared/NodeSocket"
import * as NodeSocketServer from "@effect/platform-node-shared/NodeSocketServer"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as NetAddress from "effect/net/NetAddress"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"
import type * as SocketServer from "effect/socket/SocketServer"
import * as Net from "node:net"
import * as Tls from "node:tls"
import type { Identity } from "../state/AccessControl.ts"
import type { Replica } from "../state/Replica.ts"
import type { Client } from "../state/ServerState.ts"
import { ListenError } from "../../ListenError.ts"
import type { ServerTls } from "../../ServerTls.ts"
import type { Listeners } from "./controls.ts"
import type { ServerRuntime } from "./ServerRuntime.ts"
import type { ServerConnection, Sink } from "./ServerConnection.ts"

const loopback = new Net.BlockList()
loopback.addSubnet("127.0.0.0", 8)
loopback.addAddress("::1", "ipv6")

/** Whether only this machine can reach an address to listen on. Of names, only `localhost` is known to be such. */
export const isLoopback = (host: string): boolean => {
  const family = Net.isIP(host)
  return family === 0 ? host.toLowerCase() === "localhost" : loopback.check(host, family === 6 ? "ipv6" : "ipv4")
}

/** How long a peer may take to read the last bytes, in milliseconds. */
const CLOSE_TIMEOUT = 5_000

/** Listens until the Scope is closed, and gives the port. */
const listenTcp = Effect.fnUntraced(function* (
  runtime: ServerRuntime,
  replica: Replica<Client>,
  options: { readonly host: string; readonly port: number; readonly tls?: ServerTls | undefined }
): Effect.fn.Return<number, SocketServer.SocketServerError, Scope.Scope> {
  const listen = { host: options.host, port: options.port, noDelay: true }
  const server =
    options.tls === undefined
      ? yield* NodeSocketServer.make(listen)
      : yield* NodeSocketServer.makeTls({ ...listen, ...tlsOptions(options.tls) })
  // A connection that fails does not concern the server.
  const handle = (socket: Socket.Socket) => Effect.ignore(Effect.scoped(serve(runtime, replica, socket, options.tls)))
  yield* Effect.forkScoped(server.run(handle))
  return portOf(server.address)
})

/** The listeners of all members, which are closed with the Scope, and the addresses of the members. */
export const makeTcpListeners = Effect.fnUntraced(function* (
  runtime: ServerRuntime,
  options: { readonly host: string; readonly ports: ReadonlyArray<number>; readonly tls?: ServerTls | undefined }
): Effect.fn.Return<
  { readonly listeners: Listeners; readonly addresses: ReadonlyArray<string> },
  ListenError,
  Scope.Scope
> {
  const { host, tls } = options
  const scope = yield* Effect.scope
  const ports = [...options.ports]
  const running = new Map<number, Scope.Closeable>()
  const open = Effect.fnUntraced(function* (member: number): Effect.fn.Return<void, ListenError> {
    if (running.has(member)) return
    const port = ports[member]!
    const own = yield* Scope.fork(scope)
    ports[member] = yield* listenTcp(runtime, runtime.state.replicas[member]!, { host, port, tls }).pipe(
      Scope.provide(own),
      Effect.mapError(
        (error) => new ListenError({ address: `${host}:${port}`, reason: "Listen", cause: error.reason.cause })
      ),
      Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
    )
    running.set(member, own)
  })
  const close = (member: number): Effect.Effect<void> =>
    Effect.suspend(() => {
      const own = running.get(member)
      running.delete(member)
      return own === undefined ? Effect.void : Scope.close(own, Exit.void)
    })
  yield* Effect.forEach(ports.keys(), open, { discard: true })
  const name = host.includes(":") ? `[${host}]` : host
  return {
    listeners: { open, close },
    addresses: ports.map((port) => `${tls === undefined ? "" : "tls://"}${name}:${port}`)
  }
})

const serve = Effect.fnUntraced(function* (
  runtime: ServerRuntime,
  replica: Replica<Client>,
  effectSocket: Socket.Socket,
  tls: ServerTls | undefined
): Effect.fn.Return<void, Socket.SocketError, Scope.Scope> {
  const found = yield* Effect.serviceOption(NodeSocket.NetSocket)
  if (Option.isNone(found)) return yield* Effect.die(new Error("the socket server gives no socket"))
  const socket = found.value
  const reader = yield* effectSocket.reader
  const address = (socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:/, "")
  const over = Latch.makeUnsafe(false)
  const identities = identitiesOf(socket, address, tls)
  const connection = runtime.accept(replica, identities, `${address}:${socket.remotePort ?? 0}`, makeSink(socket, over))
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      connection.end()
      runtime.flushAll()
      socket.destroy()
    })
  )
  // The server may end the connection while the peer is busy or silent.
  yield* Effect.raceFirst(readRequests(runtime, connection, socket, reader), over.await)
  yield* Effect.raceFirst(awaitEvent(socket, "close"), Effect.sleep(CLOSE_TIMEOUT))
})

const readRequests = (
  runtime: ServerRuntime,
  connection: ServerConnection,
  socket: Net.Socket,
  reader: Socket.Reader
): Effect.Effect<never, Socket.SocketError> =>
  Effect.forever(
    Effect.gen(function* () {
      const chunks = yield* reader.pull
      for (const chunk of chunks) receive(connection, chunk)
      if (runtime.paused) yield* runtime.running.await
      while ((connection.isBlocked || connection.awaitsQuorum) && !socket.destroyed) {
        yield* connection.awaitsQuorum
          ? Effect.raceFirst(runtime.partition.whole.await, awaitEvent(socket, "close"))
          : awaitDrained(socket)
        connection.resume()
        if (runtime.paused) yield* runtime.running.await
      }
    })
  )

const receive = (connection: ServerConnection, chunk: Uint8Array | string): void =>
  connection.receive(
    typeof chunk === "string"
      ? new TextEncoder().encode(chunk)
      : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  )

const makeSink = (socket: Net.Socket, over: Latch.Latch): Sink => ({
  write: (bytes) => {
    if (socket.writable) socket.write(bytes)
  },
  end: () => {
    socket.destroySoon()
    over.openUnsafe()
  },
  pending: () => socket.writableLength
})

/** Waits for room only if there is none: a socket with an empty buffer emits no event. */
const awaitDrained = (socket: Net.Socket): Effect.Effect<void> =>
  Effect.suspend(() => (socket.writableNeedDrain ? awaitEvent(socket, "drain") : Effect.void))

const awaitEvent = (socket: Net.Socket, event: "drain" | "close"): Effect.Effect<void> =>
  Effect.callback((resume) => {
    if (socket.destroyed) return resume(Effect.void)
    const forget = () => {
      socket.off(event, done)
      socket.off("close", done)
    }
    const done = () => {
      forget()
      resume(Effect.void)
    }
    socket.on(event, done)
    socket.on("close", done)
    return Effect.sync(forget)
  })

// -----------------------------------------------------------------------------
// identities
// -----------------------------------------------------------------------------

const identitiesOf = (socket: Net.Socket, address: string, tls: ServerTls | undefined): ReadonlyArray<Identity> => {
  const identities: Array<Identity> = [{ scheme: "ip", id: address }]
  if (!(socket instanceof Tls.TLSSocket) || !socket.authorized) return identities
  // In the notation of RFC 2253, the last attribute comes first.
  const subject = Object.entries(socket.getPeerCertificate().subject ?? {})
    .toReversed()
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(",")
  identities.push({ scheme: "x509", id: subject })
  if (subject === tls?.superUser) identities.push({ scheme: "super", id: "" })
  return identities
}

const tlsOptions = ({ ca, cert, clientAuth, key }: ServerTls): Tls.TlsOptions => ({
  cert: toPem(cert),
  key: toPem(Redacted.value<string | Uint8Array>(key)),
  ...(ca === undefined ? {} : { ca: toPem(ca) }),
  requestCert: clientAuth !== undefined && clientAuth !== "none",
  rejectUnauthorized: clientAuth === "need",
  minVersion: "TLSv1.2"
})

const toPem = (pem: string | Uint8Array): string | Buffer => (typeof pem === "string" ? pem : Buffer.from(pem))

const portOf = (address: NetAddress.SocketAddress): number => ("port" in address ? address.port : 0)
