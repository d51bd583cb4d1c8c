/**
 * One connection over TCP or TLS.
 *
 * It uses Node's socket directly, because Effect's Socket promises less than a `Connection`: its writer waits for a
 * reconnection that never comes and returns while Node still holds the caller's bytes by reference, and its close waits
 * for a peer that may never read again.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import * as ServerAddress from "../ServerAddress.ts"
import type { TlsError } from "../TlsError.ts"
import type { TlsOptions, TlsSource } from "./tlsTypes.ts"
import type { Connection } from "../Connection.ts"
import { TransportError } from "../TransportError.ts"
import { tls } from "./nodeTls.ts"
import { makePull, release } from "./read.ts"
import { connectionOptions, explain, explainEnd, explainOptions, isTlsError } from "./tls.ts"

/** Connects to `address`. If it is `secure`, TLS verifies the certificate for `name`. */
export const connect = Effect.fnUntraced(function* (
  address: ServerAddress.ServerAddress,
  name: ServerAddress.ServerAddress,
  secure: boolean,
  source: TlsSource = {}
): Effect.fn.Return<Connection, TransportError, Scope.Scope> {
  const server = ServerAddress.format(name)
  const options = secure ? yield* readOptions(server, source) : undefined
  const conn = yield* options === undefined ? openTcp(server, address) : openTls(server, address, name, options)
  const writeNow = makeWriteNow(server, conn, secure)
  return {
    pull: makePull(conn, (cause) => endOf(server, cause, isAnonymous(options))),
    release,
    write: (bytes) => Effect.suspend(() => writeNow(bytes) ?? Effect.void),
    writeNow,
    defer: (task) => queueMicrotask(task)
  }
})

/** The options of this connection. An Effect gives them anew for each, and always verifies. */
const readOptions = (server: string, source: TlsSource): Effect.Effect<TlsOptions, TransportError> =>
  Effect.isEffect(source)
    ? Effect.mapBoth(source, {
        onSuccess: (options): TlsOptions => ({ ...options, rejectUnauthorized: true }),
        onFailure: (cause) => new TransportError({ server, reason: "Tls", cause: explainOptions(cause) })
      })
    : Effect.succeed(source)

/** Whether there is no certificate to show. */
const isAnonymous = (options: TlsOptions | undefined): boolean =>
  options?.cert === undefined && options?.pfx === undefined

const openTcp = (server: string, address: ServerAddress.ServerAddress) =>
  open(
    () => Net.connect({ host: address.host, port: address.port }),
    "connect",
    (cause) => new TransportError({ server, reason: "Open", cause })
  )

const openTls = (
  server: string,
  address: ServerAddress.ServerAddress,
  name: ServerAddress.ServerAddress,
  options: TlsOptions
) =>
  open(
    () => tls().connect({ host: address.host, port: address.port, ...connectionOptions(name, options) }),
    "secureConnect",
    (cause, stage) =>
      stage === "dial"
        ? new TransportError({ server, reason: "Open", cause })
        : new TransportError({
            server,
            reason: "Tls",
            cause: explainTls(cause, stage, options)
          })
  )

/** How far the opening of a socket has come. */
type Stage = "options" | "dial" | "handshake"

const explainTls = (cause: unknown, stage: Stage, options: TlsOptions): TlsError => {
  // Certificates and keys are read before a byte is sent.
  if (stage === "options") return explainOptions(cause, options)
  return isReset(cause) ? explainEnd(cause) : explain(cause, isAnonymous(options))
}

/** Opens a socket that the Scope closes; an interruption on the way destroys it at once. */
const open = Effect.fnUntraced(function* (
  create: () => Net.Socket,
  opened: "connect" | "secureConnect",
  onError: (cause: unknown, stage: Stage) => TransportError
): Effect.fn.Return<Net.Socket, TransportError, Scope.Scope> {
  let conn: Net.Socket | undefined
  // The finalizer comes before the socket, so that an interruption never finds a socket without one.
  yield* Effect.addFinalizer(() => Effect.sync(() => conn && close(conn)))
  return yield* Effect.callback<Net.Socket, TransportError>((resume) => {
    let stage: Stage = "dial"
    let socket: Net.Socket
    try {
      socket = create()
    } catch (cause) {
      resume(Effect.fail(onError(cause, "options")))
      return
    }
    conn = socket
    socket.setNoDelay(true)
    socket.once("connect", () => {
      stage = "handshake"
    })
    // Making an error costs as much as the rest of a close, and once the socket is open it would have no receiver here.
    let isOpen = false
    const fail = (cause: unknown) => {
      if (!isOpen) resume(Effect.fail(onError(cause, stage)))
    }
    socket.once(opened, () => {
      isOpen = true
      resume(Effect.succeed(socket))
    })
    // This stays for the life of the socket: an "error" event without a listener would end the process.
    socket.on("error", fail)
    socket.once("close", () => {
      if (!isOpen) fail(new Ended())
      // Node keeps a closed socket until the next full collection of garbage, and its listeners would keep the session.
      socket.off("error", fail).on("error", ignore)
    })
    return Effect.sync(() => {
      socket.destroy()
    })
  })
})

const ignore = (): void => {}

/**
 * Closes the connection in order (FIN; close_notify under TLS) when that is possible at once, and never waits for the peer.
 * Bytes that the kernel did not take are lost: a caller that needs them delivered waits for the answer before it closes.
 */
const close = (socket: Net.Socket): void => {
  if (socket.connecting || socket.writableLength > 0) {
    socket.destroy()
  } else if (!socket.destroyed) {
    socket.destroySoon()
    // By then the kernel has the last bytes, unless the peer's window is closed.
    // oxlint-disable-next-line no-restricted-globals -- the turn of the event loop is meant, not time
    setImmediate(() => socket.destroy())
  }
}

/**
 * Over TCP the socket hands the bytes to the kernel within the call, nearly always all of them, and then holds no
 * reference to them; when the kernel is full, a write waits until the last byte is taken. Over TLS bytes are encrypted
 * in their own time, so they are copied, and a write waits when the socket says that it holds enough.
 */
const makeWriteNow = (server: string, socket: Net.Socket, secure: boolean): NonNullable<Connection["writeNow"]> => {
  type Resume = (effect: Effect.Effect<void, TransportError>) => void
  const waiting: Array<{ readonly ordinal: number; readonly resume: Resume }> = []
  let handed = 0
  let taken = 0

  const failure = (cause: unknown) => Effect.fail(new TransportError({ server, reason: "Write", cause }))

  // One function for all writes: Node batches equal callbacks. Called once for each, in order, also when it failed.
  const onTaken = (error?: Error | null) => {
    taken++
    while (waiting[0] !== undefined && waiting[0].ordinal <= taken) {
      waiting.shift()?.resume(error ? failure(error) : Effect.void)
    }
  }

  const untilTaken = (ordinal: number) =>
    Effect.callback<void, TransportError>((resume) => {
      if (ordinal <= taken) return resume(socket.destroyed ? failure(closed(socket)) : Effect.void)
      const entry = { ordinal, resume }
      waiting.push(entry)
      return Effect.sync(() => {
        const index = waiting.indexOf(entry)
        if (index !== -1) waiting.splice(index, 1)
      })
    })

  return (bytes) => {
    // When the peer has closed its side, Node closes the writing side too, but a moment later.
    if (!socket.writable || socket.readableEnded) return failure(closed(socket))
    if (bytes.length === 0) return undefined
    handed++
    const hasRoom = socket.write(secure ? Buffer.from(bytes) : bytes, onTaken)
    return (secure ? hasRoom : socket.writableLength === 0) ? undefined : untilTaken(handed)
  }
}

const closed = (conn: Net.Socket): Error => conn.errored ?? new Error("the connection is closed")

/** Whether the other side closed the connection without a TLS alert; Node has several errors for that. */
const isReset = (cause: unknown): boolean =>
  cause instanceof Ended ||
  (cause instanceof Error && "code" in cause && (cause.code === "ECONNRESET" || cause.code === "EPIPE"))

class Ended extends Error {
  override readonly message = "the connection was closed"
}

/** Why nothing more can be read. */
const endOf = (server: string, cause: Error | undefined, anonymous: boolean): TransportError => {
  if (cause === undefined) return new TransportError({ server, reason: "Closed" })
  // Under TLS 1.3 a server refuses the client's certificate when the connection is already open for the client.
  return isTlsError(cause)
    ? new TransportError({ server, reason: "Tls", cause: explain(cause, anonymous) })
    : new TransportError({ server, reason: "Read", cause })
}
