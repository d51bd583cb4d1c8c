/** `zk mcp`: tools for assistants, by the Model Context Protocol over the standard input and output. */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as McpProtocol from "effect/ai/McpProtocol"
import * as McpServer from "effect/ai/McpServer"
import * as MemberStatus from "../../MemberStatus.ts"
import { makeAsk, serversOf } from "../diagnose/network.ts"
import { Client } from "../frame/Client.ts"
import { ReadOnlyMode } from "../frame/errors.ts"
import { Version } from "../frame/Version.ts"
import { makeConnected } from "./connected.ts"
import * as Read from "./readTools.ts"
import { notice } from "./untrusted.ts"
import * as Write from "./writeTools.ts"

export interface Input {
  readonly write: boolean
}

/** It ends when the standard input does. The session is made by the first tool that needs one. */
export const mcp = Effect.fnUntraced(function* ({ write }: Input) {
  const client = yield* Client
  const { settings } = client
  if (write && settings.readOnly !== undefined) {
    return yield* new ReadOnlyMode({ command: "mcp --write", source: settings.readOnly })
  }
  const connected = yield* makeConnected(client.viewer)
  const servers = yield* serversOf(settings)
  const ask = yield* makeAsk(undefined, Duration.seconds(3))
  const where = `${settings.servers}${settings.chroot}`
  const reading = McpServer.toolkit(Read.toolkit).pipe(
    Layer.provide(Read.toolkit.toLayer(Read.handlers(connected, MemberStatus.askAllBy(servers, ask))))
  )
  const writing = McpServer.toolkit(Write.toolkit).pipe(
    Layer.provide(Write.toolkit.toLayer(Write.handlers(connected, where)))
  )
  const options = {
    name: "zk",
    version: yield* Version,
    description: `The ZooKeeper ensemble ${where}`,
    instructions: `Tools for the ZooKeeper ensemble ${where}. ${write ? "Changes are made by version, after the person has agreed." : "They change nothing."} ${notice}`,
    protocols: [McpProtocol.v2025_11_25, McpProtocol.v2025_06_18, McpProtocol.v2025_03_26, McpProtocol.v2024_11_05]
  } as const
  const server = write
    ? McpServer.layerStdio({ ...options, registrations: Layer.mergeAll(reading, writing) })
    : McpServer.layerStdio({ ...options, registrations: reading })
  // The end of the input interrupts the fiber of the server.
  yield* Fiber.await(yield* Effect.forkScoped(Layer.launch(server)))
})
