/**
 * A TCP relay that keeps every byte that clients send, to show which bytes left a client.
 *
 * It breaks nothing; `FaultProxy` does that, and knows frames. This one knows the records of TLS, whose kind can be read
 * from outside.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import type { Target } from "./FaultProxy.ts"
import { listenScoped } from "./internal/proxy/listen.ts"

export interface ByteTap {
  readonly host: string
  readonly port: number
  /** `host:port`. */
  readonly connectString: string
  /** The bytes that clients have sent so far, one entry for each connection, in the order of acceptance. */
  readonly sent: Effect.Effect<ReadonlyArray<Uint8Array>>
  /** Ends all connections, with a reset. */
  readonly dropAll: Effect.Effect<void>
}

/** Starts a relay in front of a server. */
export const make = Effect.fnUntraced(function* (target: Target): Effect.fn.Return<ByteTap, never, Scope.Scope> {
  const sockets = new Set<Net.Socket>()
  const sent: Array<Array<Uint8Array>> = []
  const listener = Net.createServer({ noDelay: true }, (client) => {
    const chunks: Array<Uint8Array> = []
    sent.push(chunks)
    const server = Net.connect({ host: target.host, port: target.port, noDelay: true })
    client.on("data", (chunk: Buffer) => chunks.push(new Uint8Array(chunk)))
    for (const [from, to] of [
      [client, server],
      [server, client]
    ] as const) {
      sockets.add(from)
      from.on("error", () => to.destroy())
      from.once("close", () => {
        sockets.delete(from)
        to.destroySoon()
      })
      from.pipe(to)
    }
  })
  return {
    ...(yield* listenScoped(listener, sockets)),
    sent: Effect.sync(() => sent.map((chunks) => new Uint8Array(Buffer.concat(chunks)))),
    dropAll: Effect.sync(() => sockets.forEach((socket) => void socket.resetAndDestroy()))
  }
})

/**
 * The kinds of TLS records that a connection consists of, in order, the last perhaps incomplete; `undefined` as soon as
 * the bytes are no record. Up to TLS 1.2 `data` is what an application sends, and nothing else is.
 */
export const tlsRecords = (bytes: Uint8Array): ReadonlyArray<TlsRecord | undefined> => {
  const records: Array<TlsRecord | undefined> = []
  for (let at = 0; at < bytes.length;) {
    const kind = kinds.get(bytes[at] ?? 0)
    records.push(kind)
    if (kind === undefined || bytes.length < at + 5) break
    at += 5 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(at + 3)
  }
  return records
}

type TlsRecord = "cipher" | "alert" | "handshake" | "data"

const kinds: ReadonlyMap<number, TlsRecord> = new Map([
  [20, "cipher"],
  [21, "alert"],
  [22, "handshake"],
  [23, "data"]
])
