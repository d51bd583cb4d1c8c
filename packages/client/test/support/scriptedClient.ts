/** A client on a session whose answers a test writes, and that remembers what was asked. */
import type { Session } from "@effect-zookeeper/session/Session"
import type { SessionState } from "@effect-zookeeper/session/SessionState"
import * as ScriptedSession from "@effect-zookeeper/test-kit/ScriptedSession"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { makeClient } from "../../src/internal/makeClient.ts"
import type { ClientOptions, Service } from "../../src/ZooKeeper.ts"

export { type Asked, type Script, sessionId, stat } from "@effect-zookeeper/test-kit/ScriptedSession"

interface ScriptedClient {
  readonly asked: Array<ScriptedSession.Asked>
  readonly zk: Service
  /** The operations asked, with their paths. */
  readonly log: () => ReadonlyArray<string>
}

/** A client on a session that is scripted. `options.session` overrides parts of the session. */
export const makeScriptedClient = Effect.fnUntraced(function* (
  script: ScriptedSession.Script,
  options: ClientOptions & { readonly session?: Partial<Session["Service"]>; readonly state?: SessionState } = {}
): Effect.fn.Return<ScriptedClient, never, Scope.Scope> {
  const asked: Array<ScriptedSession.Asked> = []
  const scripted = yield* ScriptedSession.make((each, index) => {
    asked.push(each)
    return script(each, index)
  })
  const { info } = scripted
  const session = { ...scripted, info: { ...info, state: options.state ?? info.state }, ...options.session }
  const zk = yield* Effect.orDie(makeClient(session, options))
  return { asked, zk, log: () => asked.map(({ operation, request }) => `${operation} ${request.path ?? ""}`.trim()) }
})
