/** Connections of the transport, and reading from them. */
import { type ServerAddress, type TlsOptions, Transport } from "@effect-zookeeper/transport"
import * as Effect from "effect/Effect"
import type * as Tls from "node:tls"
import { type Certificates, certificates } from "./certificates.ts"
import * as Servers from "./servers.ts"

export const transport = (options?: Transport.Options) =>
  Effect.provide(
    Transport.Transport.use((service) => Effect.succeed(service)),
    Transport.layer(options)
  )

export const connect = (address: ServerAddress.ServerAddress, options?: Transport.Options, name = address) =>
  Effect.flatMap(transport(options), (service) => service.connect(address, name))

export const bytes = (text: string) => new TextEncoder().encode(text)

/** Pulls until `size` bytes are there. */
export const pullBytes = Effect.fnUntraced(function* (connection: Transport.Connection, size: number) {
  const all = new Uint8Array(size)
  let at = 0
  while (at < size) {
    for (const chunk of yield* connection.pull) {
      all.set(chunk, at)
      at += chunk.length
    }
  }
  return all
})

export const pullText = (connection: Transport.Connection, size: number) =>
  Effect.map(pullBytes(connection, size), (all) => new TextDecoder().decode(all))

/** Pulls until the connection ends: why it did. */
export const pullToEnd = (connection: Transport.Connection) => Effect.flip(Effect.forever(connection.pull))

/** Sends a word over TLS to a server that echoes it: the word, and the name that was sent to the server. */
export const tlsEcho = Effect.fnUntraced(function* (
  pick: (certificates: Certificates) => {
    readonly server: Tls.TlsOptions
    readonly client: TlsOptions.TlsOptions | undefined
    readonly name?: string
    readonly scheme?: "tls"
  }
) {
  const { client, name = "localhost", scheme, server: serverOptions } = pick(yield* certificates)
  const seen: Array<string | false | undefined> = []
  const server = yield* Servers.tls(serverOptions, (socket) => {
    seen.push((socket as { servername?: string | false }).servername)
    Servers.echo(socket)
  })
  const connection = yield* connect(server.address, { tls: client }, { host: name, port: server.address.port, scheme })
  yield* connection.write(bytes("secret"))
  const text = yield* pullText(connection, 6)
  return { text, sni: seen[0] }
})
