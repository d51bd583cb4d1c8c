/** A session whose answers a test writes, and that remembers what was asked. */
import type { Session } from "@effect-zookeeper/session/Session"
import type { SessionState } from "@effect-zookeeper/session/SessionState"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { makeClient } from "../src/internal/makeClient.ts"
import type { ClientOptions, Service } from "../src/ZooKeeper.ts"

export interface Asked {
  readonly operation: string
  readonly request: {
    readonly path?: string
    readonly version?: number
    readonly flags?: number
    readonly ttl?: bigint
  }
}

export interface Fake {
  readonly asked: Array<Asked>
  readonly zk: Service
  /** The operations asked, with their paths. */
  readonly log: () => ReadonlyArray<string>
}

/** Answers each request; what it fails with need not fit the operation. */
export type Script = (asked: Asked, index: number) => Effect.Effect<any, any>

export const sessionId = 7n

/** A client on a session that is scripted. `options.session` overrides parts of the session. */
export const fake = (
  script: Script,
  options: ClientOptions & { readonly session?: Partial<Session["Service"]>; readonly state?: SessionState } = {}
): Effect.Effect<Fake, never, Scope.Scope> => {
  return Effect.flatMap(Effect.context(), (context) => fakeIn(context, script, options))
}

const fakeIn = (
  context: Context.Context<never>,
  script: Script,
  options: ClientOptions & { readonly session?: Partial<Session["Service"]>; readonly state?: SessionState }
): Effect.Effect<Fake, never, Scope.Scope> => {
  const asked: Array<Asked> = []
  const session: Session["Service"] = {
    info: {
      id: sessionId,
      password: Redacted.make(new Uint8Array(16)),
      state: options.state ?? { _tag: "Connected", server: { host: "zk1", port: 2181 }, readOnly: false },
      states: Stream.empty,
      deadline: 0n,
      ownership: Effect.never,
      server: Option.some({ host: "zk1", port: 2181 }),
      readOnly: false,
      timeout: 10_000,
      serverFeatures: { supports: () => true, eventZxids: undefined },
      detach: Effect.void
    },
    chroot: "/",
    request: (operation, request) =>
      Effect.suspend(() => {
        const entry = { operation: operation.name, request: request ?? {} }
        asked.push(entry)
        return script(entry, asked.length - 1)
      }),
    begin: (operation, request, path, into, resume) => {
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
    addAuth: () => Effect.void,
    updateServers: () => Effect.void,
    ...options.session
  }
  return Effect.map(Effect.orDie(makeClient(session, options)), (zk) => ({
    asked,
    zk,
    log: () => asked.map(({ operation, request }) => `${operation} ${request.path ?? ""}`.trim())
  }))
}

export const stat = {
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
