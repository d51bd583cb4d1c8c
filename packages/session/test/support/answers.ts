/** The answers of a server that a test scripts. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Frames from "./frames.ts"
import type { ServerSide } from "./MemoryNetwork.ts"
import { answered, exists, type SessionService } from "./session.ts"
import { now } from "./time.ts"

export const answerExists = (server: ServerSide, xid: number, zxid = 1n) =>
  server.replyWith(xid, zxid, Operations.exists, { stat: Frames.stat })

/** Answers a read of `/n` with the text `n`. */
export const answerRead = (server: ServerSide, request: Frames.Request) =>
  server.replyWith(request.xid, 1n, Operations.getData, {
    data: Frames.text(request.body.path.slice(1)),
    stat: Frames.stat
  })

export const answerWrite = (server: ServerSide, xid: number, zxid = 1n) =>
  server.replyWith(xid, zxid, Operations.setData, { stat: Frames.stat })

export const whoAmI = (session: SessionService) => session.request(Operations.whoAmI, undefined, "")

/** `whoAmI`, which the server knows. */
export const answerWhoAmI = (session: SessionService, server: ServerSide) =>
  answered(server, whoAmI(session), (xid) => server.replyWith(xid, 1n, Operations.whoAmI, { clientInfo: [] }))

/** Asks for something that the server answers; what it was asked before stays without an answer. */
export const isServed = Effect.fnUntraced(function* (session: SessionService, server: ServerSide) {
  const asking = yield* Effect.forkChild(exists(session, "/served"), now)
  let request = yield* server.nextRequest
  while (request.name !== "exists") request = yield* server.nextRequest
  answerExists(server, request.xid)
  yield* Fiber.join(asking)
})
