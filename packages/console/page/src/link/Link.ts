/**
 * The connection of the page to its server: one WebSocket, opened again for as long as the page is there.
 *
 * Its state is a signal. `epoch` grows with each connection, so that whatever runs on one begins again on the next.
 */
import * as Protocol from "@effect-zookeeper/console/Protocol"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RpcClient from "effect/rpc/RpcClient"
import type { RpcClientError } from "effect/rpc/RpcClientError"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as Schedule from "effect/Schedule"
import * as Socket from "effect/socket/Socket"
import { type Accessor, createSignal } from "solid-js"

export type LinkState =
  | { readonly _tag: "Opening" }
  | { readonly _tag: "Open" }
  /** The server does not answer. */
  | { readonly _tag: "Gone"; readonly since: number }
  /** It has as many pages as it takes. */
  | { readonly _tag: "Full" }
  /** It answers, and does not accept the token. */
  | { readonly _tag: "Refused" }

export type Client = RpcClient.FromGroup<typeof Protocol.Console, RpcClientError>

export class Link extends Context.Service<
  Link,
  { readonly client: Client; readonly state: Accessor<LinkState>; readonly epoch: Accessor<number> }
>()("effect-zookeeper/console/Link") {}

/** The link to the server at an origin such as `http://127.0.0.1:4180`. */
export const layer = (origin: string, token: string): Layer.Layer<Link> =>
  Layer.unwrap(
    Effect.sync(() => {
      const [state, setState] = createSignal<LinkState>({ _tag: "Opening" })
      const [epoch, setEpoch] = createSignal(0)

      const onConnect = Effect.sync(() => {
        setEpoch((epoch) => epoch + 1)
        setState({ _tag: "Open" })
      })
      const onDisconnect = Effect.gen(function* () {
        const now = yield* Clock.currentTimeMillis
        const status = yield* tokenStatus(origin, token)
        if (status === 401 || status === 403) setState({ _tag: "Refused" })
        else if (status === 503) setState({ _tag: "Full" })
        else setState((before) => (before._tag === "Gone" ? before : { _tag: "Gone", since: now }))
      })

      const socket = Layer.effect(
        Socket.Socket,
        Socket.makeWebSocket(`${origin.replace(/^http/, "ws")}${Protocol.socketPath}`, {
          protocols: Protocol.subprotocols(token),
          openTimeout: "5 seconds"
        })
      ).pipe(Layer.provide(Socket.layerWebSocketConstructorGlobal))

      const protocol = RpcClient.layerProtocolSocket({ retryPolicy: Schedule.spaced("1 second") }).pipe(
        Layer.provide([
          socket,
          RpcSerialization.layerJson,
          Layer.succeed(RpcClient.ConnectionHooks, { onConnect, onDisconnect })
        ])
      )

      return Layer.effect(
        Link,
        Effect.map(RpcClient.make(Protocol.Console), (client) => ({ client, epoch, state }))
      ).pipe(Layer.provide(protocol))
    })
  )

/** The answer to the token; undefined if there is none. A browser does not say why a WebSocket failed. */
const tokenStatus = (origin: string, token: string): Effect.Effect<number | undefined> =>
  Effect.tryPromise((signal) =>
    fetch(`${origin}${Protocol.tokenPath}`, { headers: { authorization: `Bearer ${token}` }, signal })
  ).pipe(
    Effect.map(({ status }) => status),
    Effect.timeout("3 seconds"),
    Effect.orElseSucceed(() => undefined)
  )
