/**
 * A session whose answers a test writes: the layer between a client and its servers, without servers, bytes or time.
 *
 * It is connected and stays so, and has no watches. For the frames of a server see `ScriptedServer`.
 */
import { MAX_REQUEST } from "@effect-zookeeper/protocol/Frame"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import type * as Operations from "@effect-zookeeper/protocol/Operations"
import type { Session } from "@effect-zookeeper/session/Session"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"

/** A request, as a script sees it. */
export interface Asked {
  readonly operation: string
  readonly request: {
    readonly path?: string
    readonly version?: number
    readonly flags?: number
    readonly ttl?: bigint
    readonly data?: Uint8Array | null
  }
}

/** Answers each request; its error need not fit the operation. */
export type Script = (asked: Asked, index: number) => Effect.Effect<any, any>

/** Of every scripted session. */
export const sessionId = 7n

/** The Stat of a znode to which nothing has happened yet. */
export const stat: Operation.Response<typeof Operations.setData>["stat"] = {
  czxid: 1n,
  mzxid: 1n,
  ctime: 0,
  mtime: 0,
  version: 0,
  cversion: 0,
  aversion: 0,
  ephemeralOwner: 0n,
  dataLength: 0,
  numChildren: 0,
  pzxid: 1n
}

export const make = (script: Script): Effect.Effect<Session["Service"]> =>
  Effect.map(Effect.context(), (context) => {
    let asked = 0
    const server = { host: "zk1", port: 2181 }
    const session: Session["Service"] = {
      info: {
        id: sessionId,
        password: Redacted.make(new Uint8Array(16)),
        history: 0,
        lastZxid: 0n,
        state: { _tag: "Connected", server, readOnly: false },
        states: Stream.empty,
        deadline: 0n,
        ownership: Effect.never,
        server: Option.some(server),
        readOnly: false,
        timeout: 10_000,
        serverFeatures: { supports: () => true, eventZxids: undefined },
        detach: Effect.void,
        closing: {
          deadline: Option.none(),
          begun: Effect.never,
          hold: () => Effect.succeed(Effect.void),
          giveBack: (effect) => Effect.asVoid(Effect.exit(effect))
        }
      },
      chroot: "/",
      usesTls: false,
      limits: { maxRequestSize: MAX_REQUEST, requestTimeout: undefined },
      request: (operation, request) =>
        Effect.suspend(() => script({ operation: operation.name, request: request ?? {} }, asked++)),
      requestUnsafe: (operation, request, path, into, resume) => {
        const fiber = Effect.runForkWith(context)(Effect.map(session.request(operation, request, path), into))
        const forget = fiber.addObserver(resume)
        return () => {
          forget()
          fiber.interruptUnsafe()
        }
      },
      watchData: () => Effect.never,
      watchChildren: () => Effect.never,
      watchExists: () => Effect.never,
      watchPersistently: () => Effect.never,
      errand: (effect) => Effect.forkDetach(effect, { startImmediately: true }),
      addAuth: () => Effect.void,
      updateServers: () => Effect.void
    }
    return session
  })
