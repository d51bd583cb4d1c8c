/**
 * The state by itself: requests in, what came of them out, the time in the test's hands.
 */
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { connectRequest, encodeRequest } from "@effect-zookeeper/test-kit/RequestFrames"
import * as Handshake from "../../src/internal/requests/Handshake.ts"
import { runtimeSettings } from "../../src/internal/net/settings.ts"
import type { Options } from "../../src/EmbeddedServer.ts"
import * as Requests from "../../src/internal/requests/Requests.ts"
import { Client, ServerState } from "../../src/internal/state/ServerState.ts"

export const open = [{ perms: 31, scheme: "world", id: "anyone" }]

export class Harness {
  readonly state: ServerState
  now = 1_000

  constructor(options: Options = {}) {
    this.state = new ServerState(runtimeSettings(options), { replicas: options.members ?? 1, startedAt: 1_000 })
  }

  get time() {
    return { wall: this.now, monotonic: this.now }
  }

  connect(member = 0, resume?: Client, request: Partial<Parameters<typeof Handshake.connect>[2]> = {}) {
    const client = new Client(this.state.replicas[member]!, [{ scheme: "ip", id: "127.0.0.1" }])
    const welcome = Handshake.connect(
      this.state,
      client,
      connectRequest({ sessionId: resume?.session?.id ?? 0n, passwd: new Uint8Array(16), ...request }),
      this.time
    )
    return { client, ...welcome }
  }

  client(member = 0): Client {
    return this.connect(member).client
  }

  ask<O extends Operation.Any>(client: Client, row: O, request: Operation.Request<O>) {
    const frame = new JuteReader(encodeRequest(row, request, 7))
    const outcome = Requests.apply(this.state, client, frame, this.time)
    return {
      err: outcome.reply?.err,
      zxid: outcome.reply?.zxid,
      /** Of the operation; a test reads it only where it expects one. */
      response: outcome.reply?.response as Operation.Response<O>,
      /** `NodeCreated /a`, of all connections. */
      events: outcome.events.map(({ path, type }) => `${type} ${path}`),
      dropped: outcome.toDisconnect.has(client),
      outcome
    }
  }

  create(client: Client, path: string, flags = 0) {
    return this.ask(client, Operations.create, { path, data: new Uint8Array(1), acl: open, flags })
  }
}

/** A server with a client. */
export const start = (options: Options = {}) => {
  const harness = new Harness(options)
  return { harness, client: harness.client() }
}
