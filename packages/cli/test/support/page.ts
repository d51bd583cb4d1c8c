/** The page of `zk ui` without a browser. */
import * as Protocol from "@effect-zookeeper/console/Protocol"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import * as NodeWS from "@effect/platform-node/NodeWS"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as RpcClient from "effect/rpc/RpcClient"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Socket from "effect/socket/Socket"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Commands } from "./zk.ts"

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

/** Starts `zk ui`, and opens its page. */
export const startUi = Effect.fnUntraced(function* ({ run }: Pick<Commands, "run">, ...args: ReadonlyArray<string>) {
  const folder = yield* emptyPage
  const printed = yield* Deferred.make<string>()
  yield* run(["ui", "--port", "0", "--page", folder, "--ndjson", ...args], {
    onOut: (text) => {
      if (text.endsWith("\n")) Deferred.doneUnsafe(printed, Exit.succeed(text))
    }
  }).pipe(
    Effect.flatMap(({ err }) => Deferred.die(printed, err)),
    Effect.forkScoped
  )
  const { link }: { readonly link: string } = JSON.parse(yield* Deferred.await(printed))
  const page = yield* openLink(link)
  const [cluster] = yield* Stream.runHead(page.clusters()).pipe(Effect.flatMap(Effect.fromOption))
  return { link, page, cluster: cluster?.name ?? "" }
})
