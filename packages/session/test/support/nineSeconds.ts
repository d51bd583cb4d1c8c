/** A session of nine seconds: what keeps it, what proves that it owns, and what waits for the end of that. */
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type { ServerSide } from "./MemoryNetwork.ts"
import type { SessionService } from "./session.ts"
import { now } from "./time.ts"

/** 9 seconds: a third is 3, two thirds are 6, four thirds are 12; ownership ends after 8.1. */
export const nine = { sessionTimeout: "9 seconds" } as const

export const pong = (server: ServerSide, zxid = 0n) => server.reply(Operations.Xid.ping, zxid)

/** Answers a proof as a leader does that a quorum follows. */
export const commit = (server: ServerSide, xid: number) =>
  server.replyWith(xid, 1n, Operations.multi, [{ operation: "check", response: undefined }])

/** Lets so many seconds pass, in which the server answers pings and commits proofs, or pings alone. */
export const keepFor = Effect.fnUntraced(function* (
  server: ServerSide,
  seconds: number,
  answers: "all" | "pings" = "all"
) {
  const seen: Array<string> = []
  for (let quarter = 0; quarter < seconds * 4; quarter++) {
    yield* TestClock.adjust("250 millis")
    for (const { name, xid } of yield* server.requests) {
      seen.push(name)
      if (name === "ping") pong(server)
      if (name === "multi" && answers === "all") commit(server, xid)
    }
    yield* TestClock.adjust(0)
  }
  return seen
})

/** A wait for the end of ownership that has begun. */
export const owning = (session: SessionService) => Effect.forkChild(Effect.flip(session.info.ownership), now)
