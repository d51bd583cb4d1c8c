/**
 * A process of its own for Tls.test.ts, whose environment and flags switch off what Node verifies: it says what Node and
 * what the client make of a server that should not be trusted, and of one that speaks TLS 1.1.
 */
import { ConnectFailed, PromiseClient } from "@effect-zookeeper/client"
import * as Redacted from "effect/Redacted"
import * as Tls from "node:tls"

const { CA = "", CERT = "", KEY = "", OLD = "", SECURE = "" } = process.env

const byNode = (server: string) =>
  new Promise<string>((resolve) => {
    const [host = "", port = ""] = server.split(":")
    const socket = Tls.connect({ host, port: Number(port), cert: CERT, key: KEY })
    socket.once("secureConnect", () => {
      socket.destroy()
      resolve("connected")
    })
    socket.once("error", (error) => resolve(error.message))
  })

const byClient = async (server: string) => {
  try {
    await using _ = await PromiseClient.connect(server, {
      connectTimeout: "2 seconds",
      tls: { ca: CA, cert: CERT, key: Redacted.make(KEY) }
    })
    return "connected"
  } catch (error) {
    return error instanceof ConnectFailed ? error.attempts.at(-1)?.tls : String(error)
  }
}

const say = (line: string) => process.stdout.write(`${line}\n`)

const [nodeUnknown, nodeOld, clientUnknown, clientOld] = await Promise.all([
  byNode(SECURE),
  byNode(OLD),
  byClient(SECURE),
  byClient(OLD)
])
say(`node, unknown authority: ${nodeUnknown}`)
say(`node, TLS 1.1: ${nodeOld}`)
say(`client, unknown authority: ${clientUnknown}`)
say(`client, TLS 1.1: ${clientOld}`)
