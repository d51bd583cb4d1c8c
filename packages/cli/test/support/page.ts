/** The page of `zk ui` without a browser. */
import * as Protocol from "@effect-zookeeper/console/Protocol"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as NodeWS from "@effect/platform-node/NodeWS"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import * as Fs from "node:fs"
import * as Path from "node:path"

/** A folder with a page that says nothing. */
export const emptyPage = Effect.map(TemporaryFolder.make("zk-ui-"), (folder) => {
  Fs.writeFileSync(Path.join(folder, "index.html"), "<p>page</p>")
  return folder
})

/** Opens the link as a page does. */
export const openLink = Effect.fnUntraced(function* (link: string) {
  const { hash, host, origin } = new URL(link)
  const token = new URLSearchParams(hash.slice(1)).get(Protocol.tokenParameter) ?? ""
  const socket = Socket.layerWebSocket(`ws://${host}${Protocol.socketPath}`, {
    protocols: Protocol.subprotocols(token),
    headers: { origin }
  }).pipe(Layer.provide(NodeWS.layerWebSocketConstructor))
  const protocol = yield* Layer.build(
    RpcClient.layerProtocolSocket().pipe(Layer.provide([socket, RpcSerialization.layerJson]))
  )
  return yield* Effect.provideContext(RpcClient.make(Protocol.Console), protocol)
})
