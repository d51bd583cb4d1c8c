/**
 * A process of its own for Tls.test.ts, whose environment and flags switch off what Node verifies: it says what Node and
 * what our transport make of a server that should not be trusted, and of one that speaks TLS 1.1.
 */
import type { ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { TlsError } from "@effect-zookeeper/transport/TlsError"
import * as Transport from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Tls from "node:tls"

const { CA = "", CERT = "", KEY = "", OLD = "", SECURE = "" } = process.env

const addressOf = (server: string): ServerAddress => {
  const [host = "", port = ""] = server.split(":")
  return { host, port: Number(port) }
}

const byNode = (server: string) =>
  new Promise<string>((resolve) => {
    const { host, port } = addressOf(server)
    const socket = Tls.connect({ host, port, cert: CERT, key: KEY })
    socket.once("secureConnect", () => {
      socket.destroy()
      resolve("connected")
    })
    socket.once("error", (error) => resolve(error.message))
  })

const byUs = (server: string) =>
  Transport.Transport.use((transport) => transport.connect(addressOf(server), addressOf(server))).pipe(
    Effect.scoped,
    Effect.match({
      onSuccess: () => "connected",
      onFailure: ({ cause, message }) => (cause instanceof TlsError ? cause.reason : message)
    }),
    Effect.provide(Transport.layer({ tls: { ca: CA, cert: CERT, key: Redacted.make(KEY) } })),
    Effect.runPromise
  )

const say = (line: string) => process.stdout.write(`${line}\n`)

say(`node, unknown authority: ${await byNode(SECURE)}`)
say(`node, TLS 1.1: ${await byNode(OLD)}`)
say(`transport, unknown authority: ${await byUs(SECURE)}`)
say(`transport, TLS 1.1: ${await byUs(OLD)}`)
